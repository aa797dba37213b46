"""Credits in text: who an article says it is from, whose idea it was, whose reporting it quotes, whose pictures it shows.

A line is read in this order, and what one step claims the next leaves alone: pictures (a caption that ends in "via AP" is no source of
the text), wire marks (datelines, bylines, copyright lines), wordings of republication and hat-tips, and last, in what is left, reporting
quoted in prose. The wordings are data, in `rules/credits_*.toml`.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from syndtrack.models import Credit, CreditKind
from syndtrack.publishers import Registry
from syndtrack.reading.credit_known import KnownNames, known_names
from syndtrack.reading.credit_media import picture_credits
from syndtrack.reading.credit_names import Name, closes, is_institution, is_known, name_at
from syndtrack.reading.credit_prose import citations
from syndtrack.reading.credit_wire import wire_marks
from syndtrack.reading.credit_wording import UNSPACED, Wording, plain, wordings

MAX_CREDITS = 200  # real articles state fewer than 30
MAX_LINES = 2_000  # looked at from the top, and as many from the end
MAX_PROSE = 400_000  # code points in which quoted reporting is looked for
WINDOW = 600  # of a long line only its first and last code points can hold a credit
PROSE_LINE = 75  # a line of so many code points is prose rather than a label, a byline or a box
LINE = re.compile(r"[^\n\r\u2028\u2029]+")
OPENERS = ".!?:…。！？：;(（[【*|–—-•\"“”»「"
BRACKETS = {"(": ")", "（": "）", "[": "]", "【": "】"}
CAPITAL_START = 20  # a wording this long may begin behind words that are glued to it: "WIRED UK This story originally appeared on"


@dataclass(frozen=True, slots=True)
class Line:
    """A line without the blanks around it. `edge`: it stands at the top or the end, with at most one paragraph of prose beyond it."""

    start: int
    end: int
    top: bool
    last: bool

    @property
    def edge(self) -> bool:
        return self.top or self.last


@dataclass(frozen=True, slots=True)
class Found:
    """A credit on its way: where it stands and whom it names."""

    kind: CreditKind
    start: int
    end: int
    name: str | None = None
    url: str | None = None


def find_credits(text: str, registry: Registry) -> tuple[Credit, ...]:
    """All credits of a text in the order in which they begin; none overlap. At most `MAX_CREDITS`."""
    known = known_names(registry)
    taken: list[Found] = []
    for line in _lines(text):
        if len(taken) >= MAX_CREDITS:
            break
        taken.extend(_in_line(text, line, registry, known))
    taken.sort(key=lambda f: f.start)
    quoted = citations(text, min(len(text), MAX_PROSE), known)
    for start, end, name in quoted:
        if len(taken) >= MAX_CREDITS:
            break
        at = bisect_right(taken, start, key=lambda f: f.start)
        clear = (at == 0 or taken[at - 1].end <= start) and (at == len(taken) or taken[at].start >= end)
        if clear:
            taken.insert(at, Found("cited", start, end, name))
    return tuple(Credit(f.kind, text[f.start : f.end], f.name, f.url, f.start, f.end) for f in taken)


def _lines(text: str) -> list[Line]:
    spans: list[tuple[int, int]] = []
    for found in LINE.finditer(text):
        start, end = found.span()
        while start < end and text[start].isspace():
            start += 1
        while end > start and text[end - 1].isspace():
            end -= 1
        if start < end:
            spans.append((start, end))
    if len(spans) > 2 * MAX_LINES:
        spans = spans[:MAX_LINES] + spans[-MAX_LINES:]
    top, last = _reach(text, spans), _reach(text, spans[::-1])
    return [Line(*span, top=i < top, last=len(spans) - 1 - i < last) for i, span in enumerate(spans)]


def _reach(text: str, spans: list[tuple[int, int]]) -> int:
    """How many lines from this end lie before the second paragraph of prose is passed."""
    prose = 0
    for number, (start, end) in enumerate(spans[:40]):
        if prose > 1:
            return number
        weight = 2 if UNSPACED.match(text, start) else 1
        prose += (end - start) * weight >= PROSE_LINE
    return min(len(spans), 40)


def _in_line(text: str, line: Line, registry: Registry, known: KnownNames) -> list[Found]:
    found: list[Found] = []
    for start, end, name in picture_credits(text, line.start, line.end, registry, known, last=line.last):
        found.append(Found("media", start, end, name))
        if (start, end) == (line.start, line.end):
            return found
    for start, end, name in wire_marks(text, line.start, line.end, registry, known, top=line.top, last=line.last):
        _add(found, Found("wire", start, end, name))
    for credit in _worded(text, line, registry):
        _add(found, credit)
    return found


def _add(found: list[Found], new: Found) -> None:
    if all(new.end <= f.start or new.start >= f.end for f in found):
        found.append(new)


def _worded(text: str, line: Line, registry: Registry) -> Iterator[Found]:
    """Republication and hat-tip credits of a line."""
    rules = wordings("republication", "hat_tip")
    windows = [(line.start, line.end)]
    if line.end - line.start > 2 * WINDOW:
        windows = [(line.start, line.start + WINDOW), (line.end - WINDOW, line.end)]
    for start, stop in windows:
        folded, done = plain(text[start:stop]), -1
        for at, opener in _beginnings(text, start, stop):
            if at < done:
                continue
            for wording, after in rules.starting(folded, at - start):
                credit = _credit(text, line, at, start + after, stop, opener, wording, registry)
                if credit is not None:
                    yield credit
                    done = credit.end
                    break
    if line.edge and line.end - line.start <= 200:
        yield from _trailing(text, line, registry)


def _beginnings(text: str, start: int, stop: int) -> Iterator[tuple[int, str]]:
    """Where a wording may begin, and the character before it: "" at the line's start, "A" at a capital inside a sentence."""
    before = ""
    for found in re.finditer(r"[^\W_]+", text[start:stop]):
        at = start + found.start()
        lead = text[max(start, at - 6) : at].rstrip()
        before = "" if not text[start:at].strip(" *_•\"“'«»–—-") else lead[-1:]
        if before == "" or before in OPENERS:
            yield at, before
        elif found[0][0].isupper():
            yield at, "A"


def _credit(text: str, line: Line, at: int, after: int, stop: int, opener: str, wording: Wording, registry: Registry) -> Found | None:
    kind: CreditKind = wording.kind  # type: ignore[assignment]  # the rules' kinds are checked by the tests
    if opener == "A" and (wording.line or after - at < CAPITAL_START):
        return None
    if text[after - 1].isalnum() and text[after : after + 1].isalnum() and not UNSPACED.match(text[after - 1]):
        return None
    closing = BRACKETS.get(opener)
    end = stop
    if closing is not None:
        shut = text.find(closing, after, stop)
        end = shut if shut >= 0 else stop
    elif wording.line and opener not in ("", "*", "|"):
        return None
    if wording.between is not None:
        passed = _past_author(text, after, end, wording)
        if passed is None:
            return None
        after = passed
    name = name_at(text, after, end, registry, strict=not wording.line or text[at : at + 3].lower() == "via")
    if name is None:
        return None
    last = name.end
    if wording.after is not None:
        tail = wording.after.match(plain(text[last : min(end, last + 100)]))
        if tail is None:
            return None
        last += tail.end()
    if wording.line and not (line.edge and closes(text, last, end)):
        return None
    if wording.line and kind == "republication" and not _plausible(name, registry):
        return None
    return Found(kind, at, _end_of(text, last, end, wording), name.text, name.url)


def _past_author(text: str, after: int, end: int, wording: Wording) -> int | None:
    """Where the publisher's name begins behind an author's."""
    if wording.between is None:
        return None
    found = wording.between.search(plain(text[after : min(end, after + 90)]))
    if found is None:
        return None
    author = text[after : after + found.start()].split()
    if not 1 <= len(author) <= 8 or not author[0][0].isupper():
        return None
    return after + found.end()


def _plausible(name: Name, registry: Registry) -> bool:
    """Whether a short label can name a publisher of texts: known, an address, or a name that is no office's."""
    return name.text is None or is_known(name.text, registry) or not is_institution(name.text)


def _end_of(text: str, last: int, end: int, wording: Wording) -> int:
    """A credit ends with its sentence's full stop, or its line's closing marks."""
    while last < end and text[last] in ".\"”»'’" and (last + 1 >= end or not text[last + 1].isalnum()):
        last += 1
        if text[last - 1] == ".":
            break
    return last


def _trailing(text: str, line: Line, registry: Registry) -> Iterator[Found]:
    """Wordings that stand behind the name: "Xより転載"."""
    folded = plain(text[line.start : line.end])
    for wording in wordings("republication", "hat_tip").trailing:
        found = wording.after.search(folded) if wording.after is not None else None
        if found is None or found.start() < 2 or not closes(text, line.start + found.end(), line.end):
            continue
        name = name_at(text, line.start, line.start + found.start(), registry)
        if name is not None and name.text is not None and name.end >= line.start + found.start() - 2:
            kind: CreditKind = wording.kind  # type: ignore[assignment]  # the rules' kinds are checked by the tests
            yield Found(kind, name.start, line.start + found.end(), name.text, name.url)
            return
