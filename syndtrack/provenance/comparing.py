"""A copy's text against those of its candidates: what each holds, what it lacks, and which of that others know.

Scholars of manuscripts look for shared innovations (P. Maas, "Textkritik", 1927): an edit that two versions share and the others lack binds
them. A word that a candidate has changed and the copy has not speaks against it; a passage that the copy lacks may simply have been dropped.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from syndtrack.provenance.texts import WIDTH, Numbers, Prepared

# One changed word touches five shingles; two or three close by still look like an edit. Longer runs are passages.
EDIT = WIDTH + 7

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One candidate's text against the copy's. All are numbers of shingles, but for `…_edits`: numbers of short runs of them.

    "Known" is what other candidates hold too. `missed`: in the copy and known, not in this candidate; so the copy has it from elsewhere.
    `own`: only in this candidate. `left`: in this candidate and known, not in the copy; `inner` lies between shared passages.
    """

    revision: int
    shared: int
    of_copy: int
    rare: int
    rare_shared: int
    missed_edits: int
    missed_words: int
    own_edits: int
    own_words: int
    left_edits: int
    left_inner: int
    left_outer: int

    @property
    def share(self) -> float:
        """The share of the copy's text that the candidate holds."""
        return self.shared / self.of_copy if self.of_copy else 0.0


def runs(flags: Flags) -> tuple[Numbers, Numbers]:
    """Starts and ends of the stretches of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False]))))
    return edges[::2], edges[1::2]


class Desk:
    """Room to compare the texts of one story: one counter and one mark for each of its shingles."""

    def __init__(self, prepared: Sequence[Prepared], distinct: int) -> None:
        self._prepared = prepared
        self._marks = np.zeros(distinct + 1, dtype=np.bool_)
        self._holders = np.zeros(distinct + 1, dtype=np.int32)
        self._whole = [np.unique(np.concatenate(p.revisions)) for p in prepared]

    def compare(self, copy: int, candidates: Sequence[int], witnesses: Collection[int]) -> list[Comparison]:
        """The candidates of a copy, compared. Only `witnesses`, some of the candidates, count as others that know a passage."""
        text = self._prepared[copy].revisions[0]
        for w in candidates:
            if w in witnesses:
                self._holders[self._whole[w]] += 1
        found = [self._one(text, u, len(witnesses), u in witnesses) for u in candidates]
        for w in candidates:
            if w in witnesses:
                self._holders[self._whole[w]] = 0
        return found

    def _one(self, text: Numbers, candidate: int, witnesses: int, counted: bool) -> Comparison:
        held = [self._in(text, revision) for revision in self._prepared[candidate].revisions]
        revision = max(range(len(held)), key=lambda r: (int(held[r].sum()), -r))
        theirs, shared = self._prepared[candidate].revisions[revision], held[revision]
        others = self._holders[text] - (self._in(text, self._whole[candidate]) if counted else 0)
        rare = (self._holders[text] > 0) & (self._holders[text] * 2 <= witnesses)
        missed_edits, missed_words, _, _ = self._gaps(~shared, others > 0)
        lacking = ~self._in(theirs, text)
        known = self._holders[theirs] > (1 if counted else 0)
        left_edits, left_inner, own_edits, own_words = self._gaps(lacking, known)
        inside = np.flatnonzero(~lacking)
        outer = 0
        if len(inside):
            outside = lacking & known
            outside[inside[0] : inside[-1] + 1] = False
            outer = int(outside.sum())
        return Comparison(
            revision, int(shared.sum()), len(text), int(rare.sum()), int((rare & shared).sum()),
            missed_edits, missed_words, own_edits, own_words, left_edits, max(0, left_inner - outer), outer,
        )  # fmt: skip

    def _in(self, text: Numbers, other: Numbers) -> Flags:
        """Which shingles of a text stand in another."""
        self._marks[other] = True
        found = self._marks[text]
        self._marks[other] = False
        return np.asarray(found)

    @staticmethod
    def _gaps(absent: Flags, known: NDArray[np.bool_]) -> tuple[int, int, int, int]:
        """Runs of what is absent: known edits, words of known passages, unknown edits, words of unknown passages. Edits lie inside the text."""
        starts, ends = runs(absent)
        if not len(starts):
            return 0, 0, 0, 0
        lengths = ends - starts
        total = np.concatenate(([0], np.cumsum(known)))
        familiar = total[ends] - total[starts]
        inner = (starts > 0) & (ends < len(absent))
        edit = inner & (lengths <= EDIT)
        is_known = familiar * 2 >= lengths
        return (
            int((edit & is_known).sum()),
            int(familiar[~(edit & is_known)].sum()),
            int((edit & ~is_known).sum()),
            int((lengths - familiar)[~(edit & ~is_known)].sum()),
        )
