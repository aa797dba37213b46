"""Reporting quoted in prose: "officials told AFP", "сообщает ТАСС", "据新华社报道".

It goes from the name to the words around it: only names that the registry knows are looked at, so the time does not grow with the number
of wordings, and prose without such a name costs one look-up a word.
"""

from __future__ import annotations

import functools
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from syndtrack.reading.credit_known import Known, KnownNames
from syndtrack.reading.credit_wording import UNSPACED, key_at, plain, table

MAX_NAMES = 2_000  # known names looked at in one text
BEFORE = 160  # code points before a name in which its sentence's verb may stand
AFTER = 40
BOUNDARY = re.compile(r"[.!?。！？\n;](?:\s|$)|[\n。！？]")


@dataclass(frozen=True, slots=True)
class Cues:
    """The wordings of all languages by the word next to the name: `before` and `to` by their last, `after` by their first."""

    before: dict[str, tuple[str, ...]]
    to: dict[str, tuple[tuple[str, frozenset[str]], ...]]
    after: dict[str, tuple[str, ...]]
    lead: dict[str, tuple[str, ...]]


def _last_key(cue: str) -> str:
    if UNSPACED.match(cue[-1]):
        return cue[-1]
    found = re.findall(r"[^\W_]+", cue)
    return found[-1] if found else cue[-1]


@functools.cache
def _cues() -> Cues:
    before: dict[str, set[str]] = defaultdict(set)
    after: dict[str, set[str]] = defaultdict(set)
    lead: dict[str, set[str]] = defaultdict(set)
    to: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for rule in table("cited")["rule"]:
        for cue in map(plain, rule["before"]):
            before[_last_key(cue)].add(cue)
        for cue in map(plain, rule["after"]):
            after[key_at(cue, 0)].add(cue)
        for cue in map(plain, rule["lead"]):
            lead[_last_key(cue)].add(cue)
        for cue in map(plain, rule["to"]):
            to[_last_key(cue)][cue] |= set(map(plain, rule["verbs"]))
    longest = {True: lambda c: -len(c)}[True]
    return Cues(
        {k: tuple(sorted(v, key=longest)) for k, v in before.items()},
        {k: tuple((cue, frozenset(verbs)) for cue, verbs in v.items()) for k, v in to.items()},
        {k: tuple(sorted(v, key=longest)) for k, v in after.items()},
        {k: tuple(sorted(v, key=longest)) for k, v in lead.items()},
    )


def citations(text: str, stop: int, known: KnownNames) -> Iterator[tuple[int, int, str]]:
    """Where a known publisher's reporting is quoted: start, end and the name, in order."""
    for number, found in enumerate(known.find(text, 0, stop)):
        if number == MAX_NAMES:
            return
        span = _clause(text, found)
        if span is not None:
            yield (*span, found.name)


def _clause(text: str, found: Known) -> tuple[int, int] | None:
    """From the cue through the name, or from the name through the cue."""
    cues = _cues()
    low = max(0, found.start - BEFORE)
    window = text[low : found.start]
    sentence = plain(window)
    for cut in BOUNDARY.finditer(sentence):
        if cut.end() < len(sentence):
            low_cut = cut.end()
            sentence = " " * low_cut + sentence[low_cut:]
    bare = _without_lead(sentence, cues)
    if (start := _ends_with(bare, cues.before)) is not None:
        return low + start, found.end
    for cue, verbs in (pair for tail in {sentence, bare} for pair in cues.to.get(_key_before(tail), ()) if _is_end(tail, pair[0])):
        said = [m for m in re.finditer(r"[^\W_]+", sentence) if m[0] in verbs]
        if said:
            del cue
            return low + said[-1].start(), found.end
    following = plain(text[found.end : found.end + AFTER])
    skip = len(following) - len(following.lstrip(" '\"”»"))
    for at in (0, skip):
        for cue in cues.after.get(key_at(following, at), ()):
            if following.startswith(cue, at) and not following[at + len(cue) : at + len(cue) + 1].isalnum() | False:
                return found.start, found.end + at + len(cue)
            if following.startswith(cue, at) and UNSPACED.match(cue[-1]):
                return found.start, found.end + at + len(cue)
    return None


def _key_before(before: str) -> str:
    tail = before.rstrip(" \"“«‘(「『《")
    if not tail:
        return ""
    return tail[-1] if UNSPACED.match(tail[-1]) else (re.findall(r"[^\W_]+", tail[-60:]) or [tail[-1]])[-1]


def _is_end(before: str, cue: str) -> bool:
    tail = before.rstrip(" \"“«‘(「『《")
    if not tail.endswith(cue):
        return False
    at = len(tail) - len(cue) - 1
    return at < 0 or not tail[at].isalnum() or UNSPACED.match(cue[0]) is not None


def _ends_with(before: str, cues: dict[str, tuple[str, ...]]) -> int | None:
    """Where the cue begins that the text before the name ends with."""
    for cue in cues.get(_key_before(before), ()):
        if _is_end(before, cue):
            return len(before.rstrip(" \"“«‘(「『《")) - len(cue)
    return None


def _without_lead(before: str, cues: Cues) -> str:
    """The text before the name without articles and "news agency"."""
    for _ in range(3):
        start = _ends_with(before, cues.lead)
        if start is None:
            return before
        before = before[:start]
    return before
