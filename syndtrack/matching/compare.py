"""Whether two texts share reporting, and how much: exact, on their full shingle sets.

A text that is for the most part another one is easily told. The difficulty are passages that independent texts share: quotations of one
speech, stock phrases, menus and boxes that cleaning did not know, and two fillings of one template (weather, lottery, markets). So the
smaller the part that is shared, the more running prose it must hold, where words between quotation marks count half; and texts that run
parallel but differ in their numbers are no copies, since copyists change words and keep figures.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np

from syndtrack.matching.align import Block, blocks, chains, shared_shingles
from syndtrack.matching.fingerprint import MIN_SHINGLES
from syndtrack.models import Match, MatchKind
from syndtrack.words import LINE_START, NUMERIC, QUOTED, Words

MOST = 0.5
"""From here on, one text holds most of the other."""

SURE = 0.3
"""From this containment of the smaller text on, `MIN_SHINGLES` in common are enough."""

NEEDED_PROSE = ((0.2, 30), (0.1, 120), (0.05, 240))
"""Below that: the containment of the smaller text, from which on so many words of prose in common are enough. On 1,149 raw pages of one
day, pages without common reporting shared up to 100 (statements, forecasts, boxes) at containments up to 0.2."""

ATTESTED_PROSE = 16
"""Of two texts one of which says that it has something from the other (a credit, a link, the other's headline): so many words of prose in
common are enough, about one sentence. Stock phrases of agencies, the reasons why somebody will not be named, have up to 15."""

MIN_ATTESTED = 12
"""The shingles of so many words."""

MIN_RUN = 10
"""Words in a row, within a line, that make prose; shorter runs are menus, names and phrases."""

MIN_REFILLED = 3
"""Numbers that differ in the gaps between equal words, from which on two texts may be fillings of one template."""

LONG_FORM = 60
"""Shingles in common, more than forms hold: from here on, twice as many numbers must differ as are kept. Successive reports of one series
(weekly statistics, the next bond of a bank) take over whole sentences, and that is worth knowing."""

_OCCURRENCE = np.uint64(0xFFFFFFFF)


def compare(a: Words, b: Words, *, attested: bool = False) -> Match | None:
    """How much of each text stands in the other, None where that is too little to call it shared or where either is too short to judge.

    `attested`: one of the two says that it has something from the other, so that less is enough. The other way round the answer is the
    same, mirrored.
    """
    if _order(a) > _order(b):  # passages are laid out along the first text, which must not make a difference
        mirrored = compare(b, a, attested=attested)
        return mirrored and replace(mirrored, a_in_b=mirrored.b_in_a, b_in_a=mirrored.a_in_b)
    in_a, in_b = a.occurrences.different, b.occurrences.different
    if min(in_a, in_b) < MIN_SHINGLES:
        return None
    places = shared_shingles(a, b)
    shared = int(np.count_nonzero(a.occurrences.keys[places[0]] & _OCCURRENCE == 0))  # first occurrences are the different ones
    containment = shared / min(in_a, in_b)
    if shared < (MIN_ATTESTED if attested else MIN_SHINGLES) or containment < NEEDED_PROSE[-1][0]:
        return None
    found = blocks(a, b, places)
    if is_template(a, b, found, shared):
        return None
    needed = next((words for least, words in ((SURE, 0), *NEEDED_PROSE) if containment >= least))
    if attested:
        needed = min(needed, ATTESTED_PROSE)
    if needed and prose(a, b, found) < needed:
        return None
    a_in_b, b_in_a = shared / in_a, shared / in_b
    return Match(
        resemblance=shared / (in_a + in_b - shared),
        a_in_b=a_in_b,
        b_in_a=b_in_a,
        shared_words=sum(block.a_end - block.a_start for block in found),
        kind=_kind(a, b, a_in_b, b_in_a),
    )


def is_template(a: Words, b: Words, found: list[Block], shared: int) -> bool:
    """Whether the numbers between the equal blocks of two parallel texts differ, three or more of them and no fewer than are kept."""
    at_a, at_b = (np.flatnonzero(words.flags & NUMERIC).tolist() for words in (a, b))
    if min(len(at_a), len(at_b)) < MIN_REFILLED:
        return False
    kept = refilled = 0
    for chain in chains(a, b, found):
        kept += sum(bisect_left(at_a, block.a_end) - bisect_left(at_a, block.a_start) for block in chain)
        for one, following in pairwise(chain):
            in_a = at_a[bisect_left(at_a, one.a_end) : bisect_left(at_a, following.a_start)]
            in_b = at_b[bisect_left(at_b, one.b_end) : bisect_left(at_b, following.b_start)]
            if in_a and in_b:
                same = (Counter(a.hashes[in_a].tolist()) & Counter(b.hashes[in_b].tolist())).total()
                kept += same
                refilled += min(len(in_a), len(in_b)) - same
    return refilled >= max(MIN_REFILLED, kept if shared < LONG_FORM else 2 * kept)


def prose(a: Words, b: Words, found: list[Block]) -> float:
    """Words of running prose in common: runs of `MIN_RUN` and more that no line break cuts; what is quoted in both counts half."""
    words = 0.0
    for block in found:
        if block.a_end - block.a_start < MIN_RUN:
            continue
        flags_a, flags_b = a.flags[block.a_start : block.a_end], b.flags[block.b_start : block.b_end]
        cuts = np.flatnonzero((flags_a | flags_b) & LINE_START)
        bounds = np.unique(np.concatenate([[0], cuts, [len(flags_a)]]))
        lengths = np.diff(bounds)
        weights = 1 - 0.5 * (flags_a & flags_b & QUOTED != 0)
        words += float(np.add.reduceat(weights, bounds[:-1])[lengths >= MIN_RUN].sum())
    return words


def _order(words: Words) -> tuple[int, bytes]:
    return len(words), words.hashes.tobytes()


def _kind(a: Words, b: Words, a_in_b: float, b_in_a: float) -> MatchKind:
    if len(a) == len(b) and bool((a.hashes == b.hashes).all()):
        return "verbatim"
    if min(a_in_b, b_in_a) >= MOST:
        return "edited"
    return "excerpt" if max(a_in_b, b_in_a) >= MOST else "shared-passage"
