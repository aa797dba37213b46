"""Cleaning: which spans of an article's text matching must not see, because they are not the article.

Nothing is rewritten: `clean` returns spans with the name of the rule that cut them, and what is kept and what is cut are together the
whole text. The unit is the line; only datelines, and captions glued to a long paragraph, are cut from within one.

Rules and what they cut:

    read-also     a pointer to another article ("READ ALSO …", "Mehr zum Thema: …"), and the headlines listed under such a label
    newsletter    an invitation to a newsletter or to alerts
    subscription  a subscription offer, a paywall, a log-in box
    donation      a request for money
    sharing       share buttons and "share this article"
    follow        "follow us on …"
    app           "download our app"
    cookie-note   consent to cookies
    advert        "Advertisement", "Story continues below"
    comments      notices around comments
    chrome        buttons and counters of the page: "Print this page", "Loading…", "1 of 3"
    copyright     a copyright line that names no agency (those are credits)
    caption       the line of a picture's or video's credit
    credit-line   a line that holds nothing but credits
    dateline      an agency's dateline at the start of a paragraph; only its span
    furniture     a line that its publisher repeats from page to page

Line rules are data, in `rules/removals*.toml`: see `removal_rules`. Time is bounded, because at most 4,000 lines are looked at, each once,
a line over 250 code points is never an insert, and a label's list of headlines ends after six lines.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import xxhash

from ..models import Credit, Removal, kept_text
from .furniture import FEWEST_PAGES, SMALLEST_SHARE, line_key
from .furniture import LONGEST_LINE as LONGEST_FURNITURE
from .removal_rules import LONGEST_LINE, Effort, Folded, fold, rule_files, rule_of
from .text_lines import text_lines

CODE = 1
"""To be raised when this module, `removal_rules` or `furniture` cut something else without a rule having changed."""

LONGEST_LISTED = 120  # a headline listed under a label; beyond, it is prose
MOST_LISTED = 6
# Scripts that end no sentence with a mark, or part no words: there a headline cannot be told from a paragraph but by its length.
LONGEST_LISTED_UNMARKED = 80
CAPTION_TEXT = 400  # a picture's line with its description: agency captions of two sentences run to 350

_DATELINE_TAIL = re.compile(r"[)\]]?\.?[ \t\xa0]*(?:[-–—―−:]+[ \t\xa0]*)?")
_DATELINE_MARK = re.compile(r"[-–—―−:)]")
_LETTER = re.compile(r"[^\W_]")
LONGEST_DATELINE = 120
# The stops of many scripts (folding makes those of full width narrow), and a closing quotation mark: speech is prose.
_SENTENCE_END = re.compile(r"""[.,;:!?…。।॥։۔؛؟،።፧།၊။។៖]["'”’»」』›)\]\s]*$|["”»」』›]$""")
_SPEECH = re.compile(r"""[.,!?…]["”»] ?[^\W\d_]|[」』][^\W\d_]""")  # “Will he come back?” asked a woman
_UNMARKED = re.compile(r"[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff]")
_WITHOUT_SPACES = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")


@dataclass(slots=True)
class _Line:
    start: int
    end: int
    text: str
    credits: list[Credit]
    breaks: int  # line breaks before it


def clean(text: str, credits: Sequence[Credit], furniture: Container[int] = frozenset()) -> tuple[Removal, ...]:
    """The removals of a text: in order, never overlapping, in code points.

    `credits` are those found in this text (others, without offsets, are passed over); `furniture` holds the line keys (see
    `furniture.line_key`) of the publisher's furniture.
    """
    return tuple(_removals(_lines(text, credits), furniture))


@cache
def cleaning_version() -> int:
    """A number (32 bits) for what decides on removals: the rules, word by word, what furniture is, and `CODE`. Another one: clean again."""
    decisive = [str(CODE).encode(), repr((FEWEST_PAGES, SMALLEST_SHARE, LONGEST_FURNITURE)).encode(), *rule_files()]
    return int(xxhash.xxh32_intdigest(b"\0".join(decisive)))


def _lines(text: str, credits: Sequence[Credit]) -> Iterator[_Line]:
    """The lines that are not blank, of very many those at both ends, each with the credits that start in it."""
    placed = sorted((c for c in credits if c.start is not None and c.end is not None), key=lambda c: (c.start, c.end))
    at = end_before = 0
    for start, end in text_lines(text):
        inside = []
        while at < len(placed) and (placed[at].start or 0) < end:
            if (placed[at].start or 0) >= start:
                inside.append(placed[at])
            at += 1
        breaks = text.count("\n", end_before, start) or start - end_before
        end_before = end
        yield _Line(start, end, text[start:end], inside, breaks)


def _removals(lines: Iterator[_Line], furniture: Container[int]) -> Iterator[Removal]:
    effort = Effort()
    may_list = 0  # how many more headlines may follow under the label above
    for line in lines:
        if not line.credits and not furniture and line.end - line.start > LONGEST_LINE:
            may_list = 0
            continue
        spans, whole = _credit_removals(line) if line.credits else ([], None)
        readings = [line.text]
        if spans:  # and what is left without them, so that cleaning the kept text again finds nothing more
            readings.append(kept_text(line.text, [Removal(span.rule, span.start - line.start, span.end - line.start) for span in spans]))
        folded = [fold(reading) for reading in readings if len(reading) <= LONGEST_LINE]
        rule = next((rule for each in folded if (rule := rule_of(each, effort))), None)
        if whole is None and rule:
            whole = rule.name
        if whole is None and furniture and any(line_key(reading) in furniture for reading in readings):
            whole = "furniture"
        if whole is None and may_list and folded and not line.credits and _is_listed(folded[0], line.breaks):
            whole = "read-also"
            may_list = 0 if _UNMARKED.search(line.text) else may_list - 1
        elif whole != "furniture" or rule:
            may_list = MOST_LISTED if rule and rule.opens_list else 0
        if whole:
            yield Removal(whole, line.start, line.end)
        else:
            yield from spans


def _credit_removals(line: _Line) -> tuple[list[Removal], str | None]:
    """What the credits in a line cut: spans within it, or the name of the rule that takes the whole line."""
    size = line.end - line.start
    cut: list[Removal] = []
    media, covered, at = False, 0, 0
    for credit in line.credits:
        start, end = (credit.start or 0) - line.start, min((credit.end or 0) - line.start, size)
        if credit.kind == "cited" or end <= max(start, at):
            continue
        covered += _letters(line.text[max(start, at) : end]) if size <= LONGEST_LINE else 0
        if start >= at and credit.kind == "media":
            media = True
            if size <= CAPTION_TEXT and not _LETTER.search(line.text, end):
                return [], "caption"
            cut.append(Removal("caption", line.start + start, line.start + end))
        elif not at and credit.kind == "wire" and (tail := _dateline_tail(line.text, start, end)):
            end = tail
            cut.append(Removal("dateline", line.start + start, line.start + end))
        at = end
    if covered and covered * 3 >= _letters(line.text) * 2:
        return [], "caption" if media else "credit-line"
    return cut, None


def _dateline_tail(text: str, start: int, end: int) -> int | None:
    """Where a dateline with its dash ends; None if something stands before it, no mark parts it from the text, or no text follows."""
    if end > LONGEST_DATELINE or _LETTER.search(text, 0, start):
        return None
    tail = _DATELINE_TAIL.match(text, end)
    stop = tail.end() if tail else end
    return stop if _DATELINE_MARK.search(text, start, stop) and _LETTER.search(text, stop) else None


def _letters(text: str) -> int:
    return sum(map(str.isalnum, text))


def _is_listed(folded: Folded, breaks: int) -> bool:
    """Whether a line under a label reads like a headline: short, not a sentence, and, beyond a blank line, of four words at least."""
    text = folded.text
    longest = LONGEST_LISTED_UNMARKED if _UNMARKED.search(text) else LONGEST_LISTED
    if not text or len(text) > longest or text[0].islower() or _SENTENCE_END.search(text) or _SPEECH.search(text):
        return False
    if breaks == 1:
        return True
    words = len(_WITHOUT_SPACES.findall(text)) // 2 or text.count(" ") + 1
    return breaks == 2 and words >= 4
