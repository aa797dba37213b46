"""What a copy leaves out of its candidates, and what it and some of them both leave out.

Omissions bind as changes of words do: a copyist who stops in mid-text, and whoever copies that copyist, end at the same place.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import log

from syndtrack.provenance.comparing import Comparison

# So many shingles are a passage, about two sentences; so few may be an accident of where a text was parted.
PASSAGE, NEXT_TO_NOTHING = 8, 2


@dataclass(frozen=True, slots=True)
class Around:
    """What a copy's candidates have in common, for one of them to be held against: places of candidates, numbers of shingles.

    `best` is the most of the copy that one of the likely sources holds. `ends`: those that end where the copy does, `gaps`: those that
    leave out all that the copy leaves out in between; both empty where no other goes on or has more there. `least_head` and `least_lead`:
    the least that one has before all that the copy took, of what others know and of its own.
    """

    witnesses: frozenset[int]
    best: int
    ends: frozenset[int]
    gaps: frozenset[int]
    least_head: int
    least_lead: int

    def rarity(self, source: int, some: frozenset[int]) -> float:
        """Log of how many times as many likely sources there are as share something with one; 0 for one that does not."""
        counted = self.witnesses | {source}
        return log(len(counted) / len(some & counted)) if source in some else 0.0


def around(candidates: Sequence[int], compared: Sequence[Comparison], witnesses: Collection[int]) -> Around:
    """The candidates of a copy, compared with it, against each other; `witnesses` are those that may be its sources."""
    pairs = list(zip(candidates, compared, strict=True))
    counted = [c for u, c in pairs if u in witnesses]
    on = any(c.left_tail >= PASSAGE for c in counted)
    more = any(c.left_inner >= PASSAGE for c in counted)
    return Around(
        witnesses=frozenset(u for u, _ in pairs if u in witnesses),
        best=max((c.shared for c in counted), default=0),
        ends=frozenset(u for u, c in pairs if on and c.left_tail <= NEXT_TO_NOTHING and c.missed_tail <= NEXT_TO_NOTHING),
        gaps=frozenset(u for u, c in pairs if more and c.left_inner <= NEXT_TO_NOTHING),
        least_head=min((c.left_head for c in counted), default=0),
        least_lead=min((c.own_head for c in counted), default=0),
    )


def omissions(source: int, c: Comparison, others: Around) -> dict[str, float]:
    """Features: what the copy leaves out of a candidate, and what both leave out; the fewer others do, the more that binds them."""
    return {
        "innovation.cut_tail": float(c.left_tail > 0),
        "innovation.cut_inner": float(c.left_inner > 0),
        "innovation.cut_head": float(c.left_head >= PASSAGE),
        "innovation.other_head": float(c.left_head >= PASSAGE and others.least_head <= NEXT_TO_NOTHING),
        "innovation.own_lead": float(c.own_head >= PASSAGE and others.least_lead <= NEXT_TO_NOTHING),
        "innovation.same_end": float(source in others.ends),
        "innovation.rare_end": others.rarity(source, others.ends),
        "innovation.same_gap": float(source in others.gaps),
        "innovation.rare_gap": others.rarity(source, others.gaps),
    }
