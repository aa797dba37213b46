"""Archives of articles, read one by one: JSON Lines, plain or gzipped, Parquet and WARC.

A record that cannot be used comes as a Refusal named FILE:LINE (or FILE:record) and the rest goes on.
"""

from __future__ import annotations

import gzip
import json
import sys
import zlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any, BinaryIO

from syndtrack.errors import RefusedError, UsageError
from syndtrack.models import Refusal, Submission
from syndtrack.reading.charset import decode
from syndtrack.reading.dates import parse_date
from syndtrack.urls import is_http

MAX_LINE = 20_000_000  # bytes of one JSON line
MAX_PAGE = 10_000_000  # bytes of one archived page
FIELDS = ("url", "text", "html", "title", "publisher", "published", "first_seen")
UNSTORED = "https://unstored.invalid/"  # RFC 2606: no such address; where an article stands that has none
SUFFIXES = (".jsonl", ".jsonl.gz", ".parquet", ".warc", ".warc.gz")


def read_archive(path: str, now: datetime) -> Iterator[Submission | Refusal]:
    """The articles of one file, `-` for JSON Lines on standard input. `now` is their first_seen where they state none.

    Raises UsageError for a file that is missing or of no known kind.
    """
    if path == "-":
        yield from _lines("-", sys.stdin.buffer, now)
        return
    file = Path(path)
    if not file.is_file():
        raise UsageError(f"{path}: no such file")
    name = file.name.lower()
    if name.endswith((".warc", ".warc.gz")):
        yield from _warc(path, now)
    elif name.endswith(".parquet"):
        yield from _parquet(path, now)
    elif name.endswith((".jsonl", ".jsonl.gz", ".ndjson", ".json")):
        with gzip.open(file) if name.endswith(".gz") else file.open("rb") as stream:
            yield from _lines(path, stream, now)  # type: ignore[arg-type] # a gzip file is read as a binary file
    else:
        raise UsageError(f"{path}: unknown kind of file; syndtrack takes in {', '.join(SUFFIXES)} and - for standard input")


def is_archive(path: str) -> bool:
    """Whether a file's name is that of an archive of articles rather than of one article."""
    return path == "-" or path.lower().endswith((*SUFFIXES, ".ndjson", ".json"))


def read_single(path: str, now: datetime) -> Submission:
    """A file (`-`: standard input) of one article's plain text or HTML. Raises UsageError."""
    try:
        body = sys.stdin.buffer.read(MAX_PAGE + 1) if path == "-" else Path(path).read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}; name a stored article's address, a file of text or HTML, or -") from error
    if len(body) > MAX_PAGE:
        raise UsageError(f"{path}: larger than {MAX_PAGE // 1_000_000} MB")
    content = decode(body)
    url = UNSTORED + blake2b(body, digest_size=8).hexdigest()
    if content.lstrip()[:1] == "<":
        return Submission(url=url, first_seen=now, html=content)
    return Submission(url=url, first_seen=now, text=content)


def article_of(record: Any, where: str, now: datetime) -> Submission:  # noqa: ANN401 - whatever JSON held
    """An article from a record of the ingest format. Raises RefusedError, naming the field that is wrong."""
    if not isinstance(record, Mapping):
        raise RefusedError(where, f"a JSON object was expected, this is a {type(record).__name__}")
    for name in FIELDS:
        if record.get(name) is not None and not isinstance(record[name], str):
            raise RefusedError(where, f"field {name!r} is a {type(record[name]).__name__}, a string was expected")
    url = (record.get("url") or "").strip()
    if not url:
        raise RefusedError(where, "no url")
    if not is_http(url):
        raise RefusedError(where, f"url {url[:100]!r} is not an http or https address")
    text, html = record.get("text"), record.get("html")
    if text is None and html is None:
        raise RefusedError(where, "neither text nor html")
    first_seen = record.get("first_seen")
    seen = parse_date(first_seen) if first_seen else now
    if seen is None:
        raise RefusedError(where, f"first_seen {str(first_seen)[:40]!r} is no time; write it as 2026-01-31T12:00:00Z")
    return Submission(
        url=url,
        first_seen=seen.astimezone(UTC),
        text=text,
        html=html if text is None else None,
        title=record.get("title"),
        publisher=record.get("publisher") or None,
        published=parse_date(record.get("published")),
    )


def _lines(name: str, stream: BinaryIO, now: datetime) -> Iterator[Submission | Refusal]:
    """JSON Lines."""
    number = 0
    while True:
        number += 1
        where = f"{name}:{number}"
        try:
            line = stream.readline(MAX_LINE)
        except (OSError, EOFError, zlib.error) as error:
            yield Refusal(where, f"the file is damaged from here on ({error})")
            return
        if not line:
            return
        if len(line) == MAX_LINE and not line.endswith(b"\n"):
            while (rest := stream.readline(MAX_LINE)) and not rest.endswith(b"\n"):
                pass
            yield Refusal(where, f"longer than {MAX_LINE // 1_000_000} MB")
            continue
        if not line.strip():
            continue
        try:
            yield article_of(json.loads(line.decode("utf-8-sig")), where, now)
        except UnicodeDecodeError as error:
            yield Refusal(where, f"not UTF-8 ({error.reason} at byte {error.start})")
        except (ValueError, RecursionError) as error:
            yield Refusal(where, f"no JSON: {error}" if isinstance(error, ValueError) else "nested too deeply")
        except RefusedError as error:
            yield Refusal(error.what, error.reason)


def _parquet(path: str, now: datetime) -> Iterator[Submission | Refusal]:
    """Parquet with the fields as columns."""
    try:
        from pyarrow import ArrowException, parquet  # noqa: PLC0415 - only those who read Parquet install it
    except ImportError as error:
        raise UsageError(f"{path}: reading Parquet needs pyarrow; install it with: pip install 'syndtrack[parquet]'") from error
    number = 0
    try:
        with parquet.ParquetFile(path) as file:
            columns = [c for c in FIELDS if c in file.schema_arrow.names]
            for batch in file.iter_batches(batch_size=500, columns=columns):
                for record in batch.to_pylist():
                    number += 1
                    where = f"{path}:{number}"
                    stated = {k: v.isoformat() if isinstance(v, datetime) else v for k, v in record.items()}
                    try:
                        yield article_of(stated, where, now)
                    except RefusedError as error:
                        yield Refusal(error.what, error.reason)
    except (ArrowException, OSError) as error:
        yield Refusal(f"{path}:{number + 1}", f"no readable Parquet ({str(error).splitlines()[0][:200]})")


def _warc(path: str, now: datetime) -> Iterator[Submission | Refusal]:
    """Web archive: HTML responses, seen when they were captured."""
    from warcio.archiveiterator import ArchiveIterator  # noqa: PLC0415 - slow to import, and few need it
    from warcio.exceptions import ArchiveLoadFailed  # noqa: PLC0415

    number = 0
    with Path(path).open("rb") as stream:
        try:
            for record in ArchiveIterator(stream):
                number += 1
                if record.rec_type != "response" or record.http_headers is None:
                    continue
                kind = record.http_headers.get_header("Content-Type") or ""
                if record.http_headers.get_statuscode() != "200" or "html" not in kind.lower():
                    continue
                where = f"{path}:{number}"
                url = record.rec_headers.get_header("WARC-Target-URI") or ""
                body = record.content_stream().read(MAX_PAGE + 1)
                if len(body) > MAX_PAGE:
                    yield Refusal(where, f"page larger than {MAX_PAGE // 1_000_000} MB")
                    continue
                if not is_http(url):
                    yield Refusal(where, f"WARC-Target-URI {url[:100]!r} is not an http or https address")
                    continue
                seen = parse_date(record.rec_headers.get_header("WARC-Date")) or now
                yield Submission(url=url, first_seen=seen, html=decode(body, kind))
        except (ArchiveLoadFailed, EOFError, OSError, ValueError, zlib.error) as error:
            yield Refusal(f"{path}:{number + 1}", f"the file is damaged from here on ({str(error).splitlines()[0][:200]})")
