"""Verdicts as records: how they are listed, exported, and taken in again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from syndtrack.errors import RefusedError
from syndtrack.models import Verdict, VerdictKind
from syndtrack.publishers import fold
from syndtrack.store.times import to_text
from syndtrack.store.verdicts import Kept
from syndtrack.urls import is_http

MAX_NAME, MAX_NOTE = 200, 2_000  # code points
MAX_LINE = 64_000  # bytes
SAYS: Mapping[str, VerdictKind] = {"confirm": "confirm", "reject": "reject", "origin": "origin"}

Record = dict[str, Any]


def verdict_record(kept: Kept) -> Record:
    """A verdict as it was given, with what became of it: `in force`, `waiting` for an article, or `overruled`, and why."""
    v = kept.verdict
    standing, why = "in force", None
    if kept.why_not is not None:
        standing, why = "overruled", kept.why_not
    elif isinstance(kept.word.copy, str):
        standing, why = "waiting", "the copy is not stored"
    elif kept.ambiguous is not None:
        standing, why = "waiting", kept.ambiguous
    return {
        "copy": v.copy,
        "source": v.source,
        "says": v.says,
        "by": v.by,
        "note": v.note,
        "at": to_text(v.at),
        "standing": standing,
        "why": why,
    }


def verdict_records(kept: Sequence[Kept], articles: Iterable[int] | None = None) -> list[Record]:
    """All of them, or those whose copy or source is one of some articles; the oldest first."""
    within = None if articles is None else set(articles)
    return [verdict_record(k) for k in kept if within is None or k.word.copy in within or k.word.source in within]


def verdict_of(record: object, now: datetime, what: str = "verdict") -> Verdict:
    """The verdict that a record states; without `at` it is given now. Raises RefusedError, naming it by `what`."""
    if not isinstance(record, dict):
        raise RefusedError(what, 'a verdict is an object: {"copy": URL, "source": URL or NAME, "says": "confirm"}')
    copy, source, says = (_text(record, name, what, 2_000) for name in ("copy", "source", "says"))
    if says not in SAYS:
        raise RefusedError(what, f"says {says[:20]!r}; a verdict says confirm, reject or origin")
    if not is_http(copy):
        raise RefusedError(what, f"the copy is named by its http or https address, not {copy[:80]!r}")
    if says == "origin" and source:
        raise RefusedError(what, "an origin has no source")
    if says != "origin":
        _check_source(source, what)
    by, note = _text(record, "by", what, MAX_NAME), _text(record, "note", what, MAX_NOTE)
    return Verdict(copy, source or None, SAYS[says], _time(record.get("at"), now, what), by, note)


def called(record: object, number: int) -> str:
    """What names a verdict that was given by itself: its copy and source, or where it stands among others."""
    words = (record.get("copy"), record.get("source")) if isinstance(record, Mapping) else ()
    return " ".join(word for word in words if isinstance(word, str)).strip()[:500] or f"verdict {number}"


def read_record(line: bytes, what: str) -> object:
    """One line of JSON Lines. Raises RefusedError."""
    if len(line) > MAX_LINE:
        raise RefusedError(what, f"longer than {MAX_LINE} bytes")
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise RefusedError(what, "not a line of JSON") from error


def _check_source(source: str, what: str) -> None:
    """An address, or a name. Raises RefusedError."""
    if is_http(source):
        return
    if "://" in source or not fold(source):
        raise RefusedError(what, f"a source is an http or https address or the name of a publisher, not {source[:80]!r}")
    if len(source) > MAX_NAME:
        raise RefusedError(what, f"a publisher's name has at most {MAX_NAME} characters")


def _text(record: Mapping[str, object], name: str, what: str, longest: int) -> str:
    """A field as text without spaces around it; empty where it is missing."""
    value = record.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > longest or any("\ud800" <= c <= "\udfff" or c == "\0" for c in value):
        raise RefusedError(what, f"{name} is not a text of at most {longest} characters")
    return value.strip()


def _time(value: object, now: datetime, what: str) -> datetime:
    """When it was said. One from the future would overrule whatever is said from now on."""
    if value is None:
        return now
    at: datetime | None = None
    try:
        stated = datetime.fromisoformat(str(value))
        at = stated.astimezone(UTC) if stated.tzinfo else None
    except (ValueError, OverflowError):
        pass  # told below
    if at is None:
        raise RefusedError(what, f"at {str(value)[:40]!r} is no time with a zone, like 2026-03-01T10:00:00Z")
    if at > now:
        raise RefusedError(what, f"at {to_text(at)} lies in the future")
    return at
