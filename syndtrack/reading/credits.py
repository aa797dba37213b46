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
from syndtrack.reading.credit_known import NamesIn, known_names
from syndtrack.reading.credit_lines import Line, Scan, lines
from syndtrack.reading.credit_media import picture_credits
from syndtrack.reading.credit_names import caseless, closes, listed_names, name_at, plausible
from syndtrack.reading.credit_prose import citations
from syndtrack.reading.credit_wire import wire_marks
from syndtrack.reading.credit_wording import RUN, UNSPACED, Wording, Wordings, places, plain, wordings, words

MAX_CREDITS = 200  # real articles state fewer than 30
OPENERS = '.!?:;…。！？：(（[【*|–—-•"“”»「'
# A word's first letter that is no small Latin, Greek or Cyrillic one, or any first letter behind an opener.
BEGINNING = re.compile(rf"\b[^\W\d_a-zß-öø-ÿα-ώа-џ]|(?:(?<=[{re.escape(OPENERS)}])|(?<=[{re.escape(OPENERS)}]\s)|^)[^\W\d_]")
SENTENCE_ENDS = (".", "!", "?", "…", "。", "”", '"')
BRACKETS = {"(": ")", "（": "）", "[": "]", "【": "】"}
DATELINE_ENDS = ("-", "–", "—")
CAPITAL = "A"  # stands for a beginning inside a sentence, told by its capital only
CAPITAL_START = 15  # a wording this long may begin there, glued to what came before: "SITE NAME This story originally appeared on"
MAX_TRAILING = 200
MAX_AUTHORED = 100
MAX_TITLE = 220
# Behind a name in a label: the address, in brackets or behind a bar; other names of a list.
ADDRESS_BEHIND = re.compile(r"[\s(|:,;–—-]{1,4}(https?://[^\s<>\"'|\])]{3,400})[)\].\s]{0,4}$")
# "in the March 3, 2020, issue of the Saltmarsh Post"
ISSUE_WORDS = "issue|issues|edition|number|newsletter of|ausgabe|numéro|édition|edición|número|edição|numero|edizione"
ISSUE = re.compile(rf"[^.;:()\n]{{0,50}}?\b(?:{ISSUE_WORDS})[ \d/.,]{{0,12}} (?:of|von|der|des|de|du|da|do|di|del) ")


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
    scan = Scan(text, registry, NamesIn(text, known_names(registry)))
    taken: list[Found] = []
    for line in lines(text):
        if len(taken) >= MAX_CREDITS:
            break
        taken.extend(_in_line(scan, line))
    taken.sort(key=lambda f: f.start)
    for start, end, name in citations(text, scan.names):
        if len(taken) >= MAX_CREDITS:
            break
        at = bisect_right(taken, start, key=lambda f: f.start)
        if (at == 0 or taken[at - 1].end <= start) and (at == len(taken) or taken[at].start >= end):
            taken.insert(at, Found("cited", start, end, name))
    return tuple(Credit(f.kind, text[f.start : f.end], f.name, f.url, f.start, f.end) for f in taken[:MAX_CREDITS])


def _in_line(scan: Scan, line: Line) -> list[Found]:
    marks = [Found("wire", *mark) for mark in wire_marks(scan, line)]
    headed = bool(marks) and marks[0].start == line.start and scan.text[line.start : marks[0].end].rstrip().endswith(DATELINE_ENDS)
    found: list[Found] = []
    for start, end, name in picture_credits(scan, line):
        whole = (start, end) == (line.start, line.end)
        if not (whole and headed):
            found.append(Found("media", start, end, name))
            if whole:
                return found
    for mark in marks:
        _add(found, mark)
    for credit in _worded(scan, line):
        _add(found, credit)
    return found


def _add(found: list[Found], new: Found) -> None:
    if all(new.end <= f.start or new.start >= f.end for f in found):
        found.append(new)


def _worded(scan: Scan, line: Line) -> Iterator[Found]:
    """Republication and hat-tip credits of a line."""
    rules = wordings("republication", "hat_tip")
    if line.top and len(line) <= MAX_AUTHORED:
        for wording in rules.authored:
            if found := _credits(scan, line, Begun(line.start, line.start, line.end, "", wording)):
                yield from found
                return
    for start, stop in line.windows():
        folded = line.folded if (start, stop) == (line.start, line.end) else plain(scan.text[start:stop])
        done = start
        for at, opener in ((start, ""), *_beginnings(scan.text, (start + 1, stop), folded[1:], rules)):
            if at < done:
                continue
            for wording, after in rules.starting(folded, at - start):
                begun = Begun(at, start + after, stop, opener, wording)
                if begun.is_whole_words(scan.text) and (credits := _credits(scan, line, begun)):
                    yield from credits
                    done = credits[-1].end
                    break
    if line.edge and len(line) <= MAX_TRAILING:
        yield from _trailing(scan, line)


def _beginnings(text: str, within: tuple[int, int], folded: str, rules: Wordings) -> Iterator[tuple[int, str]]:
    """Where a wording may begin, and the character before it: "" at the line's start. `folded`: what stands `within`."""
    start, stop = within
    runs = set(RUN.findall(folded))
    held = rules.leading.keys() & runs
    if not folded.isascii():
        held |= {run for run in runs if UNSPACED.match(run) and run[0] in rules.leading}
    for at in (start + place for place, _ in places(folded, held)):
        found = BEGINNING.match(text, at, stop)
        if found is None:
            continue
        lead = text[max(start, at - 6) : at].rstrip()
        if at - start <= 6 and not lead.strip(" *_•\"“'«»–—-"):
            yield at, ""
        elif lead[-1:] in OPENERS:
            yield at, lead[-1:]
        elif found[0].isupper():
            yield at, CAPITAL


@dataclass(frozen=True, slots=True)
class Begun:
    """A wording whose words before the slot stand from `at` to `after`; `opener` is the character before it, `stop` its line's end."""

    at: int
    after: int
    stop: int
    opener: str
    wording: Wording

    def is_whole_words(self, text: str) -> bool:
        """Whether it ends where a word does."""
        last, following = text[self.after - 1], text[self.after : self.after + 1]
        return self.wording.glued or UNSPACED.match(last) is not None or not (last.isalnum() and following.isalnum())

    def end(self, text: str) -> int | None:
        """Where what belongs to it ends: its bracket, its line; None if it may not begin here."""
        if self.opener == CAPITAL:
            return None if self.wording.line or self.after - self.at < CAPITAL_START else self.stop
        if closing := BRACKETS.get(self.opener):
            shut = text.find(closing, self.after, self.stop)
            return shut if shut >= 0 else self.stop
        if not self.wording.line or self.opener in ("", "*", "|"):
            return self.stop
        # "… before winter. Source: Saltmarsh Letter"
        return self.stop if self.opener in SENTENCE_ENDS and text[self.after - 1] in ":：" else None


def _credits(scan: Scan, line: Line, begun: Begun) -> list[Found]:
    """The credits of a wording that begins there: one, or a short label's one for each name of its list."""
    wording, end = begun.wording, begun.end(scan.text)
    label = wording.line and wording.kind == "republication" and wording.after is None and wording.between is None
    if end is not None and label and line.edge:
        names = listed_names(scan.text, begun.after, end, scan.registry)
        if names:
            starts = [begun.at, *(name.start for name in names[1:])]
            ends = [*(name.end for name in names[:-1]), _end_of(scan.text, names[-1].end, begun.stop)]
            return [Found(wording.kind, start, stop, name.text) for start, stop, name in zip(starts, ends, names, strict=True)]
    credit = _credit(scan, line, begun)
    return [] if credit is None else [credit]


def _credit(scan: Scan, line: Line, begun: Begun) -> Found | None:
    """The credit of a wording that begins there, if a publisher's name follows as the wording asks."""
    text, wording, end = scan.text, begun.wording, begun.end(scan.text)
    if end is None or (wording.line and wording.kind == "republication" and not line.edge):
        return None
    after = _slot_start(text, begun, end)
    if after is None:
        return None
    last = end
    if wording.after is not None:
        tail = wording.after.search(plain(text[after : min(end, after + 160)]))
        if tail is None:
            return None
        end, last = after + tail.start(), after + tail.end()
    strict = not wording.line or text[begun.at : begun.at + 3].lower() == "via"
    name = name_at(text, after, end, scan.registry, strict=strict, loose=_loose_words(wording))
    if (
        name is None
        or (wording.after is not None and text[name.end : end].strip(" \"”»'’,"))
        or not plausible(name, plain(text[begun.at : begun.after]).strip(" :"), scan.registry, label=wording.line)
    ):
        return None
    last, url = last if wording.after is not None else name.end, name.url
    if wording.line:
        if address := ADDRESS_BEHIND.match(text, last, end):
            last, url = address.end(1), address[1].rstrip(".,;:")
        if not closes(text, last, max(last, begun.end(text) or last)):
            return None
    return Found(wording.kind, begun.at, _end_of(text, last, begun.stop), name.text, url)


def _loose_words(wording: Wording) -> int:
    """How many words a name may have whose further ones are written in small letters: few where something else may follow it."""
    if not wording.loose:
        return 0
    return 4 if wording.line or wording.titled or wording.after is not None else 2


def _slot_start(text: str, begun: Begun, end: int) -> int | None:
    """Where the publisher's name begins: behind an author's name, behind "the March issue of"; None if no author is there."""
    folded = plain(text[begun.after : min(end, begun.after + (MAX_TITLE if begun.wording.titled else 90))])
    if begun.wording.between is None:
        issue = None if begun.wording.line else ISSUE.match(folded)
        return begun.after + (issue.end() if issue else 0)
    found = begun.wording.between.search(folded)
    if found is None or begun.wording.titled:
        return begun.after + found.end() if found else None
    author = text[begun.after : begun.after + found.start()].split()
    least = 2 if begun.after == begun.at else 1
    named = all(w[0].isupper() or caseless(w[0]) or plain(w) in words("connectors") for w in author)
    return begun.after + found.end() if least <= len(author) <= 8 and named else None


def _end_of(text: str, last: int, stop: int) -> int:
    """A credit ends with its sentence's full stop and closing quotes."""
    while last < stop and text[last] in ".\"”»'’" and not text[last + 1 : last + 2].isalnum():
        last += 1
    return last


def _trailing(scan: Scan, line: Line) -> Iterator[Found]:
    """Wordings that stand behind the name: "Xより転載"."""
    text, folded = scan.text, line.folded
    if not wordings("republication", "hat_tip").behind.passes(folded):
        return
    for wording in wordings("republication", "hat_tip").trailing:
        found = wording.after.search(folded) if wording.after is not None else None
        if found is None or found.start() < 2 or not closes(text, line.start + found.end(), line.end):
            continue
        name = name_at(text, line.start, line.start + found.start(), scan.registry)
        if name is not None and name.end >= line.start + found.start() - 2:
            yield Found(wording.kind, name.start, line.start + found.end(), name.text, name.url)
            return
