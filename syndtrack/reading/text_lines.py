"""Which lines of a text cleaning looks at, and where they stand."""

from __future__ import annotations

import re
from itertools import islice

# Lines that are looked at, at either end. Articles have some hundred; what longer texts (transcripts, tables, logs) have of inserts stands
# at their ends. 5 MB of short lines that look like credits took 13 s to clean, and became a million rows of their publisher's lines.
MOST_LINES_AN_END = 2_000

_BREAKS = "\n\r\v\f\x85\u2028\u2029"
_FROM_FIRST_SIGN = re.compile(rf"\S[^{_BREAKS}]*")  # line breaks are white space themselves


def text_lines(text: str) -> list[tuple[int, int]]:
    """Where the lines that are not blank start and end, without their breaks; of more than 4,000 those at both ends. Linear time."""
    first = _first_lines(text)
    if len(first) < MOST_LINES_AN_END:
        return first
    size, rest = len(text), text[first[-1][1] :]
    return first + [(size - end, size - start) for start, end in reversed(_first_lines(rest[::-1]))]


def _first_lines(text: str) -> list[tuple[int, int]]:
    spans, before = [], 0
    for found in islice(_FROM_FIRST_SIGN.finditer(text), MOST_LINES_AN_END):
        blanks = text[before : found.start()]
        start = before + 1 + max(map(blanks.rfind, _BREAKS))
        before = found.end()
        spans.append((start, before))
    return spans
