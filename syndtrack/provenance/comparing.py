"""A copy's text against those of its candidates: what each holds, what it lacks, and which of that others know.

Scholars of manuscripts look for shared innovations (P. Maas, "Textkritik", 1927): an edit that two versions share and the others lack
binds them. A word that a candidate has changed and the copy has not speaks against it; a passage that the copy lacks may just be dropped.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from syndtrack.provenance.texts import Numbers, Prepared, Text

# One changed word touches five shingles; two or three close by still look like an edit. Longer runs are passages.
EDIT = 12

Flags = NDArray[np.bool_]
Counts = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One candidate's text against the copy's. All are numbers of shingles, but for `…_edits`: numbers of short runs of them.

    "Known" is what other candidates hold too. `missed`: in the copy and known, not in this candidate; so the copy has it from elsewhere.
    `backed`: the part of it that two versions hold which name this candidate; an earlier revision of it may have had that.
    `own`: only in this candidate. `left`: in this candidate and known, not in the copy; `inner` lies between shared passages, `head` before
    and `tail` behind them all: copyists cut from the end.
    `rare`: in the copy and held by some of the candidates, by half of them at most. `restyled`: shared words written otherwise;
    `style_missed` is the part of them that another candidate writes as the copy does, `rare_style` what this one and few others do.
    """

    revision: int
    shared: int
    of_copy: int
    rare: int
    rare_edits: int
    rare_shared: int
    missed_edits: int
    missed_words: int
    backed: int
    own_edits: int
    own_head: int
    own_inner: int
    own_tail: int
    left_edits: int
    left_inner: int
    left_head: int
    left_tail: int
    restyled: int
    style_missed: int
    rare_style: int

    @property
    def share(self) -> float:
        """The share of the copy's text that the candidate holds."""
        return self.shared / self.of_copy if self.of_copy else 0.0


@dataclass(frozen=True, slots=True)
class Gaps:
    """Runs of missing shingles, parted by whether others know them. Edits are short and lie within the text."""

    known_edits: int
    known_words: int
    new_edits: int
    new_words: int


@dataclass(frozen=True, slots=True)
class _Copy:
    """A copy's text with what its witnesses hold of it: for each shingle how many, and how many write it so."""

    text: Text
    holders: Counts
    writers: Counts
    rare: Flags
    rare_edits: int


class Desk:
    """Room to compare the texts of one story: counters and marks for each of its shingles and for each way of writing one."""

    def __init__(self, prepared: Sequence[Prepared], distinct: int, ways: int) -> None:
        self._texts = [p.revisions for p in prepared]
        self._marks = np.zeros(max(distinct, ways), dtype=np.bool_)
        self._holders = np.zeros(distinct, dtype=np.int32)
        self._writers = np.zeros(ways, dtype=np.int32)
        self._whole = [np.unique(np.concatenate([t.words for t in p.revisions])) for p in prepared]
        spread = np.bincount(np.concatenate(self._whole), minlength=distinct) if self._whole else np.zeros(0)
        self._rarity = 1.0 / np.maximum(spread, 1)
        self._styles = [np.unique(np.concatenate([t.surface for t in p.revisions])) for p in prepared]

    def compare(
        self, copy: int, candidates: Sequence[int], witnesses: Collection[int], naming: Mapping[int, Sequence[int]]
    ) -> list[Comparison]:
        """The candidates of a copy, compared. Only `witnesses`, some of the candidates, count as others that know a passage.

        `naming`: for a candidate the versions that name it as their source.
        """
        text = self._texts[copy][0]
        counted = [w for w in candidates if w in witnesses]
        for w in counted:
            self._holders[self._whole[w]] += 1
            self._writers[self._styles[w]] += 1
        holders = self._holders[text.words]
        rare = (holders > 0) & (holders * 2 <= len(counted))
        known = _Copy(text, holders, self._writers[text.surface], rare, gaps(rare, rare).known_edits)
        found = [self._one(known, u, u in witnesses, naming.get(u, ())) for u in candidates]
        for w in counted:
            self._holders[self._whole[w]] = 0
            self._writers[self._styles[w]] = 0
        return found

    def shared(self, copy: int, candidate: int) -> int:
        """How many of a copy's shingles a candidate holds in any revision."""
        return int(self._in(self._texts[copy][0].words, self._whole[candidate]).sum())

    def closeness(self, copy: int, candidate: int) -> float:
        """The share of a copy's text that a candidate holds, where a shingle counts the less the more versions hold it."""
        text = self._texts[copy][0].words
        rarity = self._rarity[text]
        return float(rarity[self._in(text, self._whole[candidate])].sum() / max(1e-9, rarity.sum()))

    def longest(self, copy: int, candidate: int) -> tuple[int, int] | None:
        """The longest passage of a copy that a candidate holds: start and end in the copy's newest text."""
        text = self._texts[copy][0]
        starts, ends = runs(self._in(text.words, self._whole[candidate]))
        if not len(starts):
            return None
        at = int(np.argmax(ends - starts))
        return int(text.starts[starts[at]]), int(text.ends[ends[at] - 1])

    def size(self, copy: int) -> int:
        """The number of a copy's shingles."""
        return len(self._texts[copy][0].words)

    def besides(self, copy: int, candidate: int, given: Sequence[int]) -> tuple[int, int]:
        """How many of the copy's shingles a candidate holds: those that none of some other versions holds, and those that one does."""
        text = self._texts[copy][0].words
        held = self._in(text, self._whole[candidate])
        elsewhere = np.zeros(len(text), dtype=np.bool_)
        for u in given:
            elsewhere |= self._in(text, self._whole[u])
        return int((held & ~elsewhere).sum()), int((held & elsewhere).sum())

    def _one(self, copy: _Copy, candidate: int, counted: bool, naming: Sequence[int]) -> Comparison:
        text, holders, writers, rare = copy.text, copy.holders, copy.writers, copy.rare
        revisions = self._texts[candidate]
        held = [self._in(text.words, revision.words) for revision in revisions]
        revision = max(range(len(held)), key=lambda r: (int(held[r].sum()), -r))
        theirs, shared = revisions[revision], held[revision]
        others = holders - self._in(text.words, self._whole[candidate]) if counted else holders
        missed = gaps(~shared, others > 0)
        backed = self._backed(text.words[~shared & (others > 1)], naming) if len(naming) > 1 else 0
        lacking = ~self._in(theirs.words, text.words)
        known = self._holders[theirs.words] > (1 if counted else 0)
        left = gaps(lacking, known)
        inside = np.flatnonzero(~lacking)
        first, last = (int(inside[0]), int(inside[-1]) + 1) if len(inside) else (0, 0)
        left_head, left_tail = int((lacking & known)[:first].sum()), int((lacking & known)[last:].sum())
        own_head, own_tail = int((lacking & ~known)[:first].sum()), int((lacking & ~known)[last:].sum())
        as_written = self._in(text.surface, theirs.surface)
        restyled = shared & ~as_written
        return Comparison(
            revision=revision,
            shared=int(shared.sum()),
            of_copy=len(shared),
            rare=int(rare.sum()),
            rare_edits=copy.rare_edits,
            rare_shared=int((rare & shared).sum()),
            missed_edits=missed.known_edits,
            missed_words=missed.known_words,
            backed=backed,
            own_edits=left.new_edits,
            own_head=own_head,
            own_inner=max(0, left.new_words - own_head - own_tail),
            own_tail=own_tail,
            left_edits=left.known_edits,
            left_inner=max(0, left.known_words - left_head - left_tail),
            left_head=left_head,
            left_tail=left_tail,
            restyled=int(restyled.sum()),
            style_missed=int((restyled & (writers > 0)).sum()),
            rare_style=int((shared & as_written & (writers * 2 <= holders)).sum()),
        )

    def _backed(self, missed: Numbers, naming: Sequence[int]) -> int:
        """How many of some shingles two or more of the given versions hold."""
        if not len(missed):
            return 0
        holders = np.zeros(len(missed), dtype=np.int32)
        for w in naming:
            holders += self._in(missed, self._whole[w])
        return int((holders > 1).sum())

    def _in(self, numbers: Numbers, others: Numbers) -> Flags:
        """Which numbers are among others."""
        self._marks[others] = True
        found = self._marks[numbers]
        self._marks[others] = False
        return np.asarray(found)


def runs(flags: Flags) -> tuple[Numbers, Numbers]:
    """Starts and ends of the stretches of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False]))))
    return edges[::2], edges[1::2]


def gaps(absent: Flags, known: Flags) -> Gaps:
    """The runs of what is absent; one that others know by half counts as known."""
    starts, ends = runs(absent)
    if not len(starts):
        return Gaps(0, 0, 0, 0)
    lengths = ends - starts
    total = np.concatenate(([0], np.cumsum(known)))
    familiar = total[ends] - total[starts]
    edit = (starts > 0) & (ends < len(absent)) & (lengths <= EDIT)
    is_known = familiar * 2 >= lengths
    return Gaps(
        known_edits=int((edit & is_known).sum()),
        known_words=int(familiar[~(edit & is_known)].sum()),
        new_edits=int((edit & ~is_known).sum()),
        new_words=int((lengths - familiar)[~(edit & ~is_known)].sum()),
    )
