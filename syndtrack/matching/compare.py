"""Whether two texts share reporting, and how much: exact, on their full shingle sets."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from syndtrack.matching.fingerprint import MIN_SHINGLES
from syndtrack.models import Match, MatchKind
from syndtrack.words import Words

MIN_CONTAINMENT = 0.12
"""Of the smaller text's shingles, the share that must stand in the other."""

MOST = 0.5
"""From here on, one text holds most of the other."""


def compare(a: Words, b: Words) -> Match | None:
    """How much of each text stands in the other, None where that is too little to call it shared or where either is too short to judge."""
    in_a, in_b = a.shingle_set, b.shingle_set
    if min(len(in_a), len(in_b)) < MIN_SHINGLES:
        return None
    small, large = (in_a, in_b) if len(in_a) <= len(in_b) else (in_b, in_a)
    place = np.searchsorted(large, small)
    place[place == len(large)] = 0
    common = small[large[place] == small]
    shared = len(common)
    if shared < MIN_SHINGLES or shared < MIN_CONTAINMENT * len(small):
        return None
    a_in_b, b_in_a = shared / len(in_a), shared / len(in_b)
    return Match(
        resemblance=shared / (len(in_a) + len(in_b) - shared),
        a_in_b=a_in_b,
        b_in_a=b_in_a,
        shared_words=min(_covered(a, common), _covered(b, common)),
        kind=_kind(a, b, a_in_b, b_in_a),
    )


def _kind(a: Words, b: Words, a_in_b: float, b_in_a: float) -> MatchKind:
    if len(a) == len(b) and bool((a.hashes == b.hashes).all()):
        return "verbatim"
    if min(a_in_b, b_in_a) >= MOST:
        return "edited"
    return "excerpt" if max(a_in_b, b_in_a) >= MOST else "shared-passage"


def _covered(words: Words, common: npt.NDArray[np.uint32]) -> int:
    """The number of words that lie in a shared shingle."""
    at = np.flatnonzero(np.isin(words.shingles, common))
    depth = np.zeros(len(words) + 1, np.int64)
    np.add.at(depth, at, 1)
    np.add.at(depth, words.shingle_ends[at], -1)
    return int(np.count_nonzero(np.cumsum(depth)[:-1]))
