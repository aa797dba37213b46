"""What an answer's headers say about time and form. Pure; takes any nonsense and gives None for it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

MAX_HEADER = 500
# Seconds, about 30 years: more is said by servers that mean "never", and would overflow.
LONGEST_WAIT = 999_999_999
MAX_LINKS = 8_000
_DIGITS = re.compile(r"[0-9]{1,40}")
_SECONDS = re.compile(r"[0-9]{1,9}")
# RFC 8288: an address in angle brackets, then parameters; a comma within a quoted one parts nothing.
_LINK = re.compile(r"<([^<>]{1,2000})>((?:[^,\"<]|\"[^\"]{0,500}\"){0,500})")
_PARAMETER = re.compile(r";\s{0,20}([\w*-]{1,30})\s{0,20}=\s{0,20}(?:\"([^\"]{0,500})\"|([^\s;,\"]{1,100}))")
_MAX_AGE = re.compile(r"(?:^|[,\s])max-age\s*=\s*\"?([0-9]{1,10})", re.IGNORECASE)


def http_date(text: str | None) -> datetime | None:
    """A date as HTTP writes it, in UTC; None if it cannot be read."""
    if not text or len(text) > MAX_HEADER:
        return None
    try:
        moment = parsedate_to_datetime(text.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError, IndexError):
        return None


def retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """How long the server asks to be left alone: `Retry-After` in seconds or as a date (taken relative to the server's own clock)."""
    text = headers.get("Retry-After", "").strip()
    if _DIGITS.fullmatch(text):
        return timedelta(seconds=min(int(text), LONGEST_WAIT))
    until = http_date(text)
    if until is None:
        return None
    return max(until - (http_date(headers.get("Date")) or now), timedelta(0))


def fresh_for(headers: Mapping[str, str]) -> int | None:
    """Seconds for which the server calls its answer fresh: `max-age`, else `Expires` less `Date`; less `Age`. None for nothing or 0.

    RFC 9111 sections 4.2.1 and 4.2.3. Expires is taken relative to the server's own clock, which may be wrong.
    """
    control = headers.get("Cache-Control", "")[:MAX_HEADER]
    if re.search(r"no-(?:cache|store)", control, re.IGNORECASE):
        return None
    stated = _MAX_AGE.search(control)
    if stated is not None:
        seconds = int(stated[1])
    else:
        expires = http_date(headers.get("Expires"))
        date = http_date(headers.get("Date")) if expires else None
        if expires is None or date is None:
            return None
        seconds = int((expires - date).total_seconds())
    age = headers.get("Age", "").strip()
    seconds -= int(age) if _SECONDS.fullmatch(age) else 0
    return seconds if seconds > 0 else None


def is_delta(headers: Mapping[str, str]) -> bool:
    """Whether a 226 answer holds the entries that are new since the validator sent, and nothing else (RFC 3229, `IM: feed`)."""
    return headers.get("IM", "")[:MAX_HEADER].strip().lower() == "feed"


def linked(values: Iterable[str], relation: str) -> str | None:
    """The first address that `Link` headers (RFC 8288) give for a relation, as stated; None where there is none."""
    for address, parameters in _LINK.findall(", ".join(values)[:MAX_LINKS]):
        relations = next((quoted or bare for name, quoted, bare in _PARAMETER.findall(parameters) if name.lower() == "rel"), "")
        if relation in relations.lower().split():
            return str(address).strip()
    return None


def media_type(content_type: str | None) -> str:
    """The media type in lower case without parameters; empty where none is stated."""
    return (content_type or "")[:MAX_HEADER].partition(";")[0].strip().lower()
