"""What templates draw texts and times with: pure functions from records to pieces."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from syndtrack.store.times import to_time

MINUTE, HOUR, DAY = 60, 3_600, 86_400
UNITS = ((2 * HOUR, MINUTE, "min"), (2 * DAY, HOUR, "h"), (60 * DAY, DAY, "d"), (730 * DAY, 30 * DAY, "months"))
YEAR = 365 * DAY

Span = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a line. `removal` is the rule that cut it, `credit` the kind of the credit it belongs to."""

    text: str
    removal: str | None
    credit: str | None


def marked(text: str, credits: Sequence[Span], removals: Sequence[Span]) -> list[list[Piece]]:
    """The lines of a text that are not blank, each cut where a credit or a removal begins or ends."""
    placed = [c for c in credits if c["start"] is not None]
    cuts = sorted({0, len(text), *(n for each in (*placed, *removals) for n in (each["start"], each["end"]) if 0 < n < len(text))})
    removed, credited = _labels(cuts, removals, "rule"), _labels(cuts, placed, "kind")
    lines: list[list[Piece]] = [[]]
    for start, end in pairwise(cuts):
        labels = removed.get(start), credited.get(start)
        first, *others = text[start:end].split("\n")
        lines[-1].append(Piece(first, *labels))
        lines += [[Piece(line, *labels)] for line in others]
    return [[p for p in line if p.text] for line in lines if any(p.text.strip() for p in line)]


def _labels(cuts: Sequence[int], spans: Sequence[Span], name: str) -> dict[int, str]:
    """The label of the span that each cut lies in, for those that lie in one."""
    return {at: span[name] for span in spans for at in cuts[bisect_left(cuts, span["start"]) : bisect_left(cuts, span["end"])]}


def spoken(seconds: float) -> str:
    """A length of time as people say it: `40 s`, `35 min`, `5 h`, `12 d`, `7 months`, `3 years`."""
    length = abs(seconds)
    if length < MINUTE:
        return f"{length:.0f} s"
    for below, unit, name in UNITS:
        if length < below:
            return f"{length // unit:.0f} {name}"
    return f"{length // YEAR:.0f} years"


def ago(when: str, now: datetime) -> str:
    """A stored time as seen from now: `2 h ago`, `in 5 min`, `just now`."""
    seconds = (now - to_time(when)).total_seconds()
    if abs(seconds) < MINUTE:
        return "just now" if seconds >= 0 else "in a moment"
    return f"{spoken(seconds)} ago" if seconds > 0 else f"in {spoken(seconds)}"


def exact(when: str) -> str:
    """A stored time in full."""
    return to_time(when).astimezone(UTC).strftime("%A, %d %B %Y, %H:%M:%S UTC")
