"""The lines of a text, and where in it they stand."""

from __future__ import annotations

import re
from dataclasses import dataclass

from syndtrack.publishers import Registry
from syndtrack.reading.credit_known import NamesIn
from syndtrack.reading.credit_wording import UNSPACED, WORD, plain, words

MAX_LINES = 2_000  # looked at from the top, and as many from the end
MAX_EDGE = 40  # lines at the top or the end, however short
WINDOW = 600  # of a long line only its first and last code points can hold a credit
PROSE_LINE = 75  # a line of so many code points is prose rather than a label, a byline or a box
LINE = re.compile(r"[^\n\r\u2028\u2029]+")
MAX_JOINT = 60  # code points of a line or bracket that only names agencies
# In scripts without spaces a sentence takes about half the characters.
DENSE = 2


@dataclass(frozen=True, slots=True)
class Scan:
    """A text under examination: with the publishers that are known, and where their names stand in it."""

    text: str
    registry: Registry
    names: NamesIn


@dataclass(frozen=True, slots=True)
class Line:
    """A line without the blanks around it. `top`, `last`: near that end of the text, at most one paragraph of prose beyond it.

    `folded` is the line as wordings are compared with it.
    """

    start: int
    end: int
    top: bool
    last: bool
    folded: str

    def __len__(self) -> int:
        return self.end - self.start

    @property
    def edge(self) -> bool:
        """Whether it stands near either end of the text."""
        return self.top or self.last

    def windows(self) -> list[tuple[int, int]]:
        """The parts of it that are looked at."""
        if len(self) <= 2 * WINDOW:
            return [(self.start, self.end)]
        return [(self.start, self.start + WINDOW), (self.end - WINDOW, self.end)]


def lines(text: str) -> list[Line]:
    """The lines that hold something; of a text with very many lines those at both ends."""
    spans: list[tuple[int, int]] = []
    for found in LINE.finditer(text):
        line = found[0]
        if stripped := line.strip():
            start = found.start() + line.index(stripped[0])
            spans.append((start, start + len(stripped)))
    if len(spans) > 2 * MAX_LINES:
        spans = spans[:MAX_LINES] + spans[-MAX_LINES:]
    top, last = _reach(text, spans), _reach(text, spans[::-1])
    return [Line(*span, i < top, len(spans) - 1 - i < last, plain(text[slice(*span)])) for i, span in enumerate(spans)]


def _reach(text: str, spans: list[tuple[int, int]]) -> int:
    """How many lines from this end lie before the second paragraph of prose is passed."""
    prose = 0
    for number, (start, end) in enumerate(spans[:MAX_EDGE]):
        if prose > 1:
            return number
        weight = DENSE if UNSPACED.match(text, start) else 1
        prose += (end - start) * weight >= PROSE_LINE
    return min(len(spans), MAX_EDGE)


def joint_agencies(scan: Scan, start: int, end: int) -> bool:
    """Whether nothing stands there but names of agencies and what joins them: "(dpa/AFP)", "AP and Reuters"."""
    at, rest, count = start, "", 0
    for found in scan.names.between(start, end):
        if not found.agency:
            return False
        rest += scan.text[at : found.start] + " "
        at, count = found.end, count + 1
    return count > 0 and all(plain(w) in words("byline_words") for w in WORD.findall(rest + scan.text[at:end]))
