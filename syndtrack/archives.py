"""Archives of articles, read one by one: JSON Lines, plain or gzipped, Parquet and WARC.

A record that cannot be used comes as a Refusal named FILE:LINE (or FILE:record) and the rest goes on.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import nullcontext
from datetime import UTC, date, datetime
from hashlib import blake2b
from io import BufferedReader
from itertools import count
from os import PathLike, fspath
from pathlib import Path
from typing import Any, BinaryIO

from syndtrack.errors import RefusedError, UsageError
from syndtrack.models import Refusal, Submission
from syndtrack.reading.charset import decode
from syndtrack.reading.dates import parse_date
from syndtrack.urls import NOWHERE, is_http, without_login

MAX_LINE = 20_000_000  # bytes of one JSON line
MAX_PAGE = 10_000_000  # bytes of one archived page
FIELDS = ("url", "text", "html", "title", "publisher", "published", "first_seen")
HALF_PAIR = re.compile("[\ud800-\udfff]")  # of a text cut inside an emoji: JSON can state such a half, nothing can store it
NO_TEXT = (
    "\0\x01\x02\x03\x04\x05\x06\x07\x0e\x0f\x10\ufffd"  # of pictures and programs one character in five or more, of texts next to none
)
SUFFIXES = (".jsonl", ".jsonl.gz", ".parquet", ".warc", ".warc.gz")
ADDRESS_WITHOUT_SCHEME = re.compile(r"(?:[\w-]+\.)+[^\W\d_][\w-]+(?::\d+)?/")  # a.example/b, but neither a.txt nor ../a.txt

Paths = str | PathLike[str] | Iterable[str | PathLike[str]]


def paths_of(given: Paths) -> list[str]:
    """The paths that one or several are."""
    return [fspath(each) for each in ([given] if isinstance(given, str | PathLike) else given)]


def read_archive(path: str, now: datetime) -> Iterator[Submission | Refusal]:
    """The articles of one file, `-` for JSON Lines on standard input. `now` is their first_seen where they state none.

    Raises UsageError for a file that is missing or of no known kind.
    """
    check_archive(path)
    if path == "-":
        yield from _lines("-", sys.stdin.buffer, now)
        return
    file = Path(path)
    name = file.name.lower()
    if name.endswith((".warc", ".warc.gz")):
        yield from _warc(path, now)
    elif name.endswith(".parquet"):
        yield from _parquet(path, now)
    else:
        with gzip.open(file) if name.endswith(".gz") else file.open("rb") as stream:
            yield from _lines(path, stream, now)  # type: ignore[arg-type] # a gzip file is read as a binary file


def check_archive(path: str) -> None:
    """Raises UsageError for a file that cannot be opened or is of no known kind."""
    if path == "-":
        return
    try:
        Path(path).open("rb").close()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from error
    if not is_archive(path):
        raise UsageError(f"{path}: unknown kind of file; syndtrack takes in {', '.join(SUFFIXES)} and - for standard input")


def is_archive(path: str) -> bool:
    """Whether a file's name is that of an archive of articles rather than of one article."""
    return path == "-" or path.lower().endswith((*SUFFIXES, ".ndjson", ".json"))


def read_any(path: str, now: datetime) -> Iterator[Submission | Refusal]:
    """The articles of an archive, or the one that a file of text or HTML is; on standard input what begins with a brace is an archive."""
    if path == "-":
        stream = BufferedReader(sys.stdin.buffer)  # type: ignore[type-var] # any binary stream can be read ahead
        if stream.peek(1)[:1] == b"{":
            yield from _lines("-", stream, now)
        else:
            yield _single("-", stream.read(MAX_PAGE + 1), now)
    elif is_archive(path):
        yield from read_archive(path, now)
    else:
        yield read_single(path, now, or_address=False)


def read_single(path: str, now: datetime, *, or_address: bool = True) -> Submission:
    """A file (`-`: standard input) of one article's plain text or HTML. Raises UsageError, which tells whether an address would do."""
    try:
        if path != "-" and is_archive(path) and Path(path).is_file():
            raise UsageError(f"{path[:200]}: an archive of articles; take it in with `syndtrack ingest`, then name an article's address")
        with nullcontext(sys.stdin.buffer) if path == "-" else Path(path).open("rb") as stream:
            body = stream.read(MAX_PAGE + 1)
    except (OSError, ValueError) as error:  # ValueError: a zero byte in a name
        name, reason = path[:200] or "an empty name", getattr(error, "strerror", None) or error
        step = (
            "name a stored article's address, a file of text or HTML, or -"
            if or_address
            else "name a file of text or HTML, an archive, or -"
        )
        meant = f"; did you mean https://{name}?" if or_address and ADDRESS_WITHOUT_SCHEME.match(name) else ""
        raise UsageError(f"{name}: {reason}; {step}{meant}") from error
    return _single(path, body, now)


def _single(path: str, body: bytes, now: datetime) -> Submission:
    """The one article that some bytes are."""
    if len(body) > MAX_PAGE:
        raise UsageError(f"{path}: larger than {MAX_PAGE // 1_000_000} MB")
    content = decode(body)
    if sum(map(content.count, NO_TEXT)) > len(content) // 100:
        raise UsageError(f"{path}: this is no text; name a file of plain text or HTML, or an archive ({', '.join(SUFFIXES)})")
    url = NOWHERE + blake2b(body, digest_size=8).hexdigest()
    if content.lstrip()[:1] == "<":
        return Submission(url=url, first_seen=now, html=content, origin=path)
    return Submission(url=url, first_seen=now, text=content, origin=path)


def _kind(value: object) -> str:
    """What a value is called in JSON. Records of Parquet may hold others."""
    names = {bool: "true or false", int: "a number", float: "a number", str: "a string", list: "an array", dict: "an object"}
    return "null" if value is None else names.get(type(value), "of another kind")


def article_of(record: Any, where: str, now: datetime) -> Submission:  # noqa: ANN401 - whatever JSON held
    """An article from a record of the ingest format. Raises RefusedError, naming the field that is wrong."""
    if not isinstance(record, Mapping):
        raise RefusedError(where, f"a JSON object was expected, this is {_kind(record)}")
    stated: dict[str, str | None] = {}
    for name in FIELDS:
        value = record.get(name)
        if value is not None and not isinstance(value, str):
            raise RefusedError(where, f"field {name!r} is {_kind(value)}, a string was expected")
        stated[name] = value and HALF_PAIR.sub("\ufffd", value)
    url = (stated["url"] or "").strip()
    if not url:
        raise RefusedError(where, "no url")
    if not is_http(url):
        raise RefusedError(where, f"url {url[:100]!r} is not an http or https address")
    text, html = stated["text"], stated["html"]
    if text is None and html is None:
        raise RefusedError(where, "neither text nor html")
    first_seen = stated["first_seen"] or now.isoformat()
    seen = parse_date(first_seen)
    if seen is None:
        raise RefusedError(where, f"first_seen {first_seen[:40]!r} is no time; write it as 2026-01-31T12:00:00Z")
    return Submission(
        url=without_login(url),
        first_seen=seen.astimezone(UTC),
        text=text,
        html=html if text is None else None,
        title=stated["title"],
        publisher=stated["publisher"] or None,
        published=parse_date(stated["published"]),
        origin=where,
    )


def _undated(record: Mapping[str, Any], where: str) -> Iterator[Refusal]:
    """What is said of an article whose claimed time cannot be read; the article comes in without it."""
    claimed = record.get("published")
    if claimed and parse_date(claimed) is None:
        yield Refusal(where, f"published {claimed[:40]!r} is no time; the article is taken without it", partly=True)


def _lines(name: str, stream: BinaryIO, now: datetime) -> Iterator[Submission | Refusal]:
    """JSON Lines."""
    for number in count(1):
        where = f"{name}:{number}"
        try:
            line = _next_line(stream)
            if line == b"":
                return
            if line and number == 1 and (reason := wide(line)):
                yield Refusal(where, reason)
                return
            yield from _of_line(line, where, now)
        except (OSError, EOFError, zlib.error) as error:
            yield Refusal(where, f"the file is damaged from here on ({_first_line(error)})")
            return
        except UnicodeDecodeError as error:
            yield Refusal(where, f"not UTF-8 ({error.reason} at byte {error.start})")
        except ValueError as error:
            yield Refusal(where, f"no JSON: {error}")
        except RecursionError:
            yield Refusal(where, "no JSON that can be read: nested too deeply")
        except RefusedError as error:
            yield Refusal(error.what, error.reason)


def _of_line(line: bytes | None, where: str, now: datetime) -> Iterator[Submission | Refusal]:
    """The article of one line. Raises RefusedError, ValueError and RecursionError for what is none."""
    if line is None:
        yield Refusal(where, f"longer than {MAX_LINE // 1_000_000} MB")
    elif line.strip():
        record = json.loads(line.decode("utf-8-sig"))
        yield article_of(record, where, now)
        yield from _undated(record, where)


def wide(line: bytes) -> str | None:
    """What to say of a file whose first line has two or four bytes a character, as some programs on Windows write; None for others."""
    start = line[:4]
    if not start.startswith((b"\xff\xfe", b"\xfe\xff")) and 0 not in start:
        return None
    bits = 32 if start.count(0) > 2 or start in (b"\xff\xfe\0\0", b"\0\0\xfe\xff") else 16
    order = "BE" if start.startswith((b"\xfe\xff", b"\0")) else "LE"
    return f"this is UTF-{bits}, JSON Lines are UTF-8; convert the file first: iconv -f UTF-{bits}{order} -t UTF-8"


def _next_line(stream: BinaryIO) -> bytes | None:
    """The next line, empty at the end; None in place of one that is too long."""
    line = stream.readline(MAX_LINE)
    if len(line) < MAX_LINE or line.endswith(b"\n"):
        return line
    while (rest := stream.readline(MAX_LINE)) and not rest.endswith(b"\n"):
        pass
    return None


def _first_line(error: Exception) -> str:
    """What a library says went wrong, in one line."""
    said = next(iter(str(error).splitlines()), type(error).__name__)[:200]
    return "".join(c if c.isprintable() else "\ufffd" for c in said)  # some quote the bytes they stumbled over


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
            if "url" not in columns:
                yield Refusal(path, f"no column url; columns are {', '.join(file.schema_arrow.names)[:200]}")
                return
            for batch in file.iter_batches(batch_size=500, columns=columns):
                for at in range(batch.num_rows):
                    number += 1
                    where = f"{path}:{number}"
                    try:
                        (record,) = batch.slice(at, 1).to_pylist()
                        record = {k: v.isoformat() if isinstance(v, date) else v for k, v in record.items()}
                        yield article_of(record, where, now)
                        yield from _undated(record, where)
                    except RefusedError as error:
                        yield Refusal(error.what, error.reason)
                    except (ValueError, OverflowError) as error:  # text that is no UTF-8, a time that Python has no value for
                        yield Refusal(where, f"no readable value ({_first_line(error)})")
    except (ArrowException, OSError) as error:
        yield Refusal(f"{path}:{number + 1}", f"no readable Parquet ({_first_line(error)})")


def _warc(path: str, now: datetime) -> Iterator[Submission | Refusal]:
    """Web archive: HTML responses, seen when they were captured."""
    from warcio.archiveiterator import ArchiveIterator  # noqa: PLC0415 - slow to import, and few need it
    from warcio.exceptions import ArchiveLoadFailed  # noqa: PLC0415 - as above

    number = 0
    with Path(path).open("rb") as stream:
        try:
            for record in ArchiveIterator(stream):
                number += 1
                if record.rec_type != "response" or record.http_headers is None or record.http_headers.get_statuscode() != "200":
                    continue
                kind = record.http_headers.get_header("Content-Type") or ""
                if "html" in kind.lower():
                    yield _captured(record, kind, f"{path}:{number}", now)
            if not number:
                yield Refusal(path, "no WARC record in it")
        except (ArchiveLoadFailed, EOFError, OSError, ValueError, zlib.error) as error:
            yield Refusal(f"{path}:{number + 1}", f"the file is damaged from here on ({_first_line(error)})")


def _captured(record: Any, kind: str, where: str, now: datetime) -> Submission | Refusal:  # noqa: ANN401 - warcio has no types
    """The page of one response. warcio passes over what it cannot decode and where a record breaks off, so both are looked for here."""
    from warcio.bufferedreaders import BufferedReader  # noqa: PLC0415 - as above

    url = record.rec_headers.get_header("WARC-Target-URI") or ""
    if not is_http(url):
        return Refusal(where, f"WARC-Target-URI {url[:100]!r} is not an http or https address")
    encoding = (record.http_headers.get_header("Content-Encoding") or "identity").strip().lower()
    if encoding not in ("identity", "none", *BufferedReader.get_supported_decompressors()):
        return Refusal(where, f"content encoding {encoding[:40]!r} cannot be read")
    body = record.content_stream().read(MAX_PAGE + 1)
    if len(body) > MAX_PAGE:
        return Refusal(where, f"page larger than {MAX_PAGE // 1_000_000} MB")
    while record.raw_stream.read(65_536):
        pass  # what follows the last chunk or the compressed page
    if getattr(record.raw_stream, "limit", 0) > 0:
        return Refusal(where, "the page breaks off: its record is shorter than its Content-Length")
    seen = parse_date(record.rec_headers.get_header("WARC-Date")) or now
    return Submission(url=without_login(url), first_seen=seen, html=decode(body, kind), origin=where)
