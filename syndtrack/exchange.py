"""Signatures that two houses exchange: what they publish is compared without a text leaving either house.

A line of the exchange is one article as JSON: url, publisher, title and first_seen as far as they are known, and `signature`, which holds
128 numbers and the parameters that made them. Texts are cleaned first; every house learns the furniture of its publishers by itself, so two
signatures of one text may differ a little.
"""

from __future__ import annotations

import gzip
import json
import math
import sys
import zlib
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from syndtrack.archives import HALF_PAIR, read_any, wide
from syndtrack.errors import MismatchError, RefusedError, UsageError
from syndtrack.flow import ReadArticle, read_article
from syndtrack.matching.fingerprint import MIN_SHINGLES, PARAMETERS, Fingerprint, fingerprint
from syndtrack.matching.signature import Signature
from syndtrack.models import Refusal
from syndtrack.pairing import current_parameters
from syndtrack.reading.cleaning import clean
from syndtrack.store.lookups import Row
from syndtrack.store.store import Store
from syndtrack.urls import is_nowhere
from syndtrack.words import tokenise

MAX_LINE = 100_000  # bytes; a line takes 2,000
COMPARED_AT_ONCE = 10_000  # stored signatures, of 512 bytes each
THEIRS_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Signed:
    """An article by its signature; one that stands nowhere has no address."""

    url: str | None
    publisher: str | None
    title: str | None
    first_seen: str | None
    signature: Signature

    def to_json(self) -> str:
        """A line of the exchange."""
        stated = {"url": self.url, "publisher": self.publisher, "title": self.title, "first_seen": self.first_seen}
        return json.dumps({**stated, "signature": json.loads(self.signature.to_json())}, ensure_ascii=False)

    @staticmethod
    def from_json(received: str) -> Signed:
        """What `to_json` gave. Raises RefusedError for anything else, MismatchError for a signature made in another way."""
        try:
            content = json.loads(received)
            url, publisher, title, seen = (_text(content.get(name)) for name in ("url", "publisher", "title", "first_seen"))
            made = Signature.from_json(json.dumps(content["signature"]))
        except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
            raise RefusedError("signature", "no line of signatures; `syndtrack signature FILE` makes them") from error
        return Signed(url or None, publisher, title, seen, made)


def _text(stated: object) -> str | None:
    return HALF_PAIR.sub("\ufffd", stated) if isinstance(stated, str) else None


def signatures_of(path: str, now: datetime) -> Iterator[Signed | Refusal]:
    """The signatures of an archive's articles, or of the one text that a file is; nothing is stored. Raises UsageError."""
    for article in read_any(path, now):
        read = article if isinstance(article, Refusal) else read_article(article)
        yield read if isinstance(read, Refusal) else _signed(read)


def _signed(read: ReadArticle) -> Signed:
    text, submission = read.reading.text, read.submission
    cut = clean(text, [credit for credit in read.credits if credit.start is not None])
    made = fingerprint(tokenise(text, cut), current_parameters().cleaning)
    url, seen = (None, None) if is_nowhere(submission.url) else (submission.url, submission.first_seen.isoformat())
    return Signed(url, submission.publisher, read.reading.title or None, seen, _signature(made))


def _signature(made: Fingerprint) -> Signature:
    return Signature(made.parameters, made.signature, made.shingles)


def stored_signatures(store: Store) -> Iterator[Signed]:
    """The signature of every stored revision that is long enough to be compared."""
    for url, publisher, title, first_seen, content in store.matches.signatures():
        yield Signed(url, publisher, title, first_seen, _signature(Fingerprint.from_bytes(content)))


def resembling(store: Store, path: str, at_least: float) -> Iterator[Row | Refusal]:
    """Stored articles that resemble those of a file of signatures (`-`: standard input), the most alike first for each thousand of these.

    `resemblance` is the estimate, told from `at_least` on; `standard_error` how far it is off in one of three cases:
    sqrt(r (1 - r) / 128). Raises UsageError.
    """
    theirs = read_signatures(path)
    while block := list(islice(theirs, THEIRS_AT_ONCE)):
        yield from (each for each in block if isinstance(each, Refusal))
        wanted = [each for each in block if isinstance(each, Signed)]
        rows: list[Row] = []
        ours = stored_signatures(store) if wanted else iter(())
        while some := [each for each in islice(ours, COMPARED_AT_ONCE) if each.signature.parameters == current_parameters()]:
            values = np.stack([each.signature.values for each in some])
            for foreign in wanted:
                shares = (values == foreign.signature.values).mean(axis=1)
                rows += [_row(foreign, some[at], float(shares[at])) for at in np.flatnonzero(shares >= at_least).tolist()]
        yield from sorted(rows, key=lambda row: (-row["resemblance"], row["theirs"] or "", row["ours"]))


def _row(foreign: Signed, own: Signed, share: float) -> Row:
    return {
        "theirs": foreign.url,
        "their_publisher": foreign.publisher,
        "their_title": foreign.title,
        "ours": own.url,
        "our_publisher": own.publisher,
        "our_title": own.title,
        "resemblance": round(share, 4),
        "standard_error": round(math.sqrt(share * (1 - share) / PARAMETERS.permutations), 4),
    }


def read_signatures(path: str) -> Iterator[Signed | Refusal]:
    """The lines of a file of signatures, gzipped if it is named so; a line that cannot be compared is a refusal. Raises UsageError."""
    current = current_parameters()
    try:
        with _opened(path) as stream:
            for number, line in enumerate(iter(lambda: stream.readline(MAX_LINE), b""), start=1):
                where = f"{path}:{number}"
                if number == 1 and (reason := wide(line)):
                    yield Refusal(where, reason)
                    return
                if not line.strip():
                    continue
                try:
                    signed = Signed.from_json(line.decode())
                except UnicodeDecodeError as error:
                    yield Refusal(where, f"not UTF-8 ({error.reason} at byte {error.start})")
                    continue
                except (RefusedError, MismatchError) as error:
                    yield Refusal(where, error.reason if isinstance(error, RefusedError) else str(error))
                    continue
                if signed.signature.parameters != current:
                    yield Refusal(where, "made with other parameters; both houses need the same version of syndtrack and its rules")
                elif signed.signature.shingles < MIN_SHINGLES:
                    yield Refusal(where, "too little text to be compared")
                else:
                    yield signed
    except (OSError, EOFError, zlib.error) as error:
        raise UsageError(f"{path}: {getattr(error, 'strerror', None) or error}") from error


def _opened(path: str) -> Any:  # noqa: ANN401 - a file, a gzip file or standard input, whose types have no name in common
    if path == "-":
        return nullcontext[BinaryIO](sys.stdin.buffer)
    return gzip.open(path) if path.endswith(".gz") else Path(path).open("rb")
