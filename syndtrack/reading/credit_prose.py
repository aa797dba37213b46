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

from syndtrack.reading.credit_known import Known, NamesIn
from syndtrack.reading.credit_wording import UNSPACED, WORD, key_at, plain, table, words

BEFORE = 160  # code points before a name in which its sentence's verb may stand
AFTER = 40
JOINED_AND = ("و", "ف")  # Arabic "and", written together with the next word
MAX_LEADS = 4  # "to the state-run news agency X"
WESTERN = frozenset({"en", "de", "fr", "es", "pt", "it"})
BOUNDARY = re.compile(r"[.!?。！？\n;](?:\s|$)|[\n。！？]")


@dataclass(frozen=True, slots=True)
class Cues:
    """The wordings of all languages by the word next to the name: `before` and `to` by their last, `after` by their first."""

    before: dict[str, tuple[str, ...]]
    to: dict[str, tuple[tuple[str, frozenset[str]], ...]]
    after: dict[str, tuple[str, ...]]
    after_agency: dict[str, tuple[str, ...]]
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
    after_agency: dict[str, set[str]] = defaultdict(set)
    lead: dict[str, set[str]] = defaultdict(set)
    to: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for rule in table("cited")["rule"]:
        for cue in map(plain, rule["before"]):
            before[_last_key(cue)].add(cue)
        for cue in map(plain, rule["after"]):
            after[key_at(cue, 0)].add(cue)
        for cue in map(plain, rule.get("after_agency", ())):
            after_agency[key_at(cue, 0)].add(cue)
        for cue in map(plain, rule["lead"]):
            lead[_last_key(cue)].add(cue)
        for cue in map(plain, rule["to"]):
            to[_last_key(cue)][cue] |= set(map(plain, rule["verbs"]))
    return Cues(
        {k: tuple(sorted(v, key=len, reverse=True)) for k, v in before.items()},
        {k: tuple((cue, frozenset(verbs)) for cue, verbs in v.items()) for k, v in to.items()},
        {k: tuple(sorted(v, key=len, reverse=True)) for k, v in after.items()},
        {k: tuple(sorted(v, key=len, reverse=True)) for k, v in after_agency.items()},
        {k: tuple(sorted(v, key=len, reverse=True)) for k, v in lead.items()},
    )


def citations(text: str, names: NamesIn) -> Iterator[tuple[int, int, str]]:
    """Where a known publisher's reporting is quoted: start, end and the name, in order."""
    for found in names.all:
        span = _clause(text, found)
        if span is not None:
            yield (*span, found.name)


def _clause(text: str, found: Known) -> tuple[int, int] | None:
    """From the cue through the name, or from the name through the cue."""
    low = max(0, found.start - BEFORE)
    sentence = plain(text[low : found.start])
    cuts = [cut.end() for cut in BOUNDARY.finditer(sentence) if cut.end() < len(sentence)]
    if cuts:
        sentence = " " * cuts[-1] + sentence[cuts[-1] :]
    unsure = plain(found.name) in words("ambiguous_agencies") and not _beside_agency(text, found)
    if (start := _cue_before(sentence)) is not None:
        return None if unsure and _is_western(sentence[start:]) else (low + start, found.end)
    following = plain(text[found.end : found.end + AFTER])
    for at in {0, len(following) - len(following.lstrip(' "”»'))}:
        key = key_at(following, at)
        for cue in (*_cues().after.get(key, ()), *(_cues().after_agency.get(key, ()) if found.agency else ())):
            end = at + len(cue)
            if unsure and cue in _western() and "report" not in cue:  # no party reports
                continue
            if following.startswith(cue, at) and (UNSPACED.match(cue[-1]) or not following[end : end + 1].isalnum()):
                return found.start, found.end + end
    return None


@functools.cache
def _western() -> frozenset[str]:
    """The words around a name in languages in which an agency's short name may be a party's or a plain word."""
    rules = [rule for rule in table("cited")["rule"] if rule["language"] in WESTERN]
    return frozenset(plain(cue) for rule in rules for part in ("before", "verbs", "after", "after_agency") for cue in rule.get(part, ()))


def _is_western(clause: str) -> bool:
    """Whether a clause that leads up to a name begins with such words."""
    return any(clause.startswith(cue) and not clause[len(cue) : len(cue) + 1].isalnum() for cue in _western())


def _beside_agency(text: str, found: Known) -> bool:
    """Whether the words beside a name say that it is an agency's, or the name stands in brackets."""
    before, after = text[max(0, found.start - 30) : found.start], text[found.end : found.end + 20]
    near = WORD.findall(plain(before))[-3:] + WORD.findall(plain(after))[:2]
    return before.endswith("(") or after.lstrip().startswith("(") or any(w.startswith(tuple(words("agency_stems"))) for w in near)


def _cue_before(sentence: str) -> int | None:
    """Where the cue begins that leads up to the name behind this part of a sentence, "the news agency" or none between them."""
    cues = _cues()
    bare: str | None = sentence
    for _ in range(MAX_LEADS):
        if bare is None:
            return None
        if (start := _ends_with(bare, cues.before)) is not None:
            return start
        for cue, verbs in cues.to.get(_key_before(bare), ()):
            said = [m.start() for m in WORD.finditer(bare) if m[0] in verbs or m[0][1:] in verbs] if _is_end(bare, cue) else []
            if said:
                return said[-1]
        lead = _ends_with(bare, cues.lead)
        bare = None if lead is None else bare[:lead]
    return None


def _key_before(before: str) -> str:
    tail = before.rstrip(' "“«‘(「『《')
    if not tail:
        return ""
    return tail[-1] if UNSPACED.match(tail[-1]) else (re.findall(r"[^\W_]+", tail[-60:]) or [tail[-1]])[-1]


def _is_end(before: str, cue: str) -> bool:
    tail = before.rstrip(' "“«‘(「『《')
    if not tail.endswith(cue):
        return False
    at = len(tail) - len(cue) - 1
    joined = tail[at : at + 1] in JOINED_AND and not tail[max(0, at - 1) : at].isalnum()
    return at < 0 or not tail[at].isalnum() or UNSPACED.match(cue[0]) is not None or joined


def _ends_with(before: str, cues: dict[str, tuple[str, ...]]) -> int | None:
    """Where the cue begins that the text before the name ends with."""
    key = _key_before(before)
    for cue in (*cues.get(key, ()), *(cues.get(key[1:], ()) if key[:1] in JOINED_AND else ())):
        if _is_end(before, cue):
            return len(before.rstrip(' "“«‘(「『《')) - len(cue)
    return None
