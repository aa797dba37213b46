"""A copy's text against those of its candidates: what each holds, what it lacks, and which of that others know.

Scholars of manuscripts look for shared innovations (P. Maas, "Textkritik", 1927): an edit that two versions share and the others lack
binds them. A word that a candidate has changed and the copy has not speaks against it; a passage that the copy lacks may just be dropped.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from syndtrack.provenance.texts import Numbers, Prepared, Text

# One changed word touches five shingles; two or three close by still look like an edit. Longer runs are passages.
EDIT = 12
# So many shingles of a copy, once for each candidate, are compared in one go: some 30 MB, and hardly ever all candidates are more.
CELLS = 1_000_000

Flags = NDArray[np.bool_]
Counts = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One candidate's text against the copy's. All are numbers of shingles, but for `…_edits`: numbers of short runs of them.

    "Known" is what other candidates hold too. `missed`: in the copy and known, not in this candidate; so the copy has it from elsewhere.
    `backed`: the part of it that two versions hold which name this candidate; an earlier revision of it may have had that.
    `own`: only in this candidate. `left`: in this candidate and known, not in the copy; `inner` lies between shared passages, `head` before
    and `tail` behind them all: copyists cut from the end.
    `missed_tail` is the part of `missed_words` at the copy's end. `only`: in the copy and in no candidate but this.
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
    missed_tail: int
    only: int
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
    """Runs of missing shingles of some texts, a number for each text, parted by whether others know them: by half is known.

    Edits are short and lie within the text, words are those of all other runs. `head` is the run before all that is not missing, `tail`
    the one behind it.
    """

    known_edits: Numbers
    known_words: Numbers
    known_head: Numbers
    known_tail: Numbers
    new_edits: Numbers
    new_words: Numbers
    new_head: Numbers
    new_tail: Numbers


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
        if not candidates:
            return []
        text = self._texts[copy][0]
        counted = [w for w in candidates if w in witnesses]
        for w in counted:
            self._holders[self._whole[w]] += 1
            self._writers[self._styles[w]] += 1
        holders = self._holders[text.words]
        rare = (holders > 0) & (holders * 2 <= len(counted))
        edits = int(gaps(rare, rare, np.array([0, len(rare)])).known_edits[0])
        known = _Copy(text, holders, self._writers[text.surface], rare, edits)
        at_once = max(1, CELLS // max(1, len(rare)))
        found = []
        for at in range(0, len(candidates), at_once):
            found += self._some(known, candidates[at : at + at_once], witnesses, naming)
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

    def besides(self, copy: int, candidates: Sequence[int], given: Sequence[int], least: float) -> list[tuple[int, int, int]]:
        """The candidates that hold `least` or more of the copy's shingles that none of some `given` versions holds: for each its place, how
        many of those it holds, and how many of the others.
        """
        text = self._texts[copy][0].words
        elsewhere = np.zeros(len(text), dtype=np.bool_)
        for u in given:
            elsewhere |= self._in(text, self._whole[u])
        if len(text) - int(np.count_nonzero(elsewhere)) < least:
            return []
        held = ((u, self._in(text, self._whole[u])) for u in candidates)
        counts = ((u, int(np.count_nonzero(h & ~elsewhere)), int(np.count_nonzero(h & elsewhere))) for u, h in held)
        return [each for each in counts if each[1] >= least]

    def _some(
        self, copy: _Copy, candidates: Sequence[int], witnesses: Collection[int], naming: Mapping[int, Sequence[int]]
    ) -> list[Comparison]:
        """Some candidates of a copy, compared in one go: a row for each along the copy's shingles, their own texts one behind the other."""
        text, size = copy.text, len(copy.text.words)
        chosen = [self._revision(text, u) for u in candidates]
        theirs = [self._texts[u][r] for u, r in zip(candidates, chosen, strict=True)]
        shared = np.stack([self._in(text.words, t.words) for t in theirs])
        as_written = np.stack([self._in(text.surface, t.surface) for t in theirs])
        others = np.repeat(copy.holders[None], len(theirs), axis=0)
        for row, u in zip(others, candidates, strict=True):
            if u in witnesses:
                np.subtract(row, self._in(text.words, self._whole[u]), out=row)
        missed = gaps(~shared.ravel(), others.ravel() > 0, np.arange(len(theirs) + 1) * size)

        lengths = [len(t.words) for t in theirs]
        all_theirs = np.concatenate([t.words for t in theirs])
        alone = np.repeat([int(u in witnesses) for u in candidates], lengths)
        left = gaps(~self._in(all_theirs, text.words), self._holders[all_theirs] > alone, np.cumsum([0, *lengths]))

        restyled = shared & ~as_written
        counts = {
            "shared": _rows(shared),
            "rare_shared": _rows(shared & copy.rare),
            "missed_edits": missed.known_edits,
            "missed_words": missed.known_words,
            "missed_tail": missed.known_tail,
            "only": _rows(shared & (others == 0)),
            "own_edits": left.new_edits,
            "own_head": left.new_head,
            "own_inner": np.maximum(0, left.new_words - left.new_head - left.new_tail),
            "own_tail": left.new_tail,
            "left_edits": left.known_edits,
            "left_inner": np.maximum(0, left.known_words - left.known_head - left.known_tail),
            "left_head": left.known_head,
            "left_tail": left.known_tail,
            "restyled": _rows(restyled),
            "style_missed": _rows(restyled & (copy.writers > 0)),
            "rare_style": _rows(shared & as_written & (copy.writers * 2 <= copy.holders)),
        }
        rows = zip(*(numbers.tolist() for numbers in counts.values()), strict=True)
        rare = int(np.count_nonzero(copy.rare))
        found = []
        for k, row in enumerate(rows):
            names = naming.get(candidates[k], ())
            backed = self._backed(text.words[~shared[k] & (others[k] > 1)], names) if len(names) > 1 else 0
            found.append(
                Comparison(
                    revision=chosen[k],
                    of_copy=size,
                    rare=rare,
                    rare_edits=copy.rare_edits,
                    backed=backed,
                    **dict(zip(counts, row, strict=True)),
                )
            )
        return found

    def _revision(self, text: Text, candidate: int) -> int:
        """The candidate's revision that holds most of a text; of equal ones the newest."""
        revisions = self._texts[candidate]
        if len(revisions) == 1:
            return 0
        held = [int(np.count_nonzero(self._in(text.words, r.words))) for r in revisions]
        return held.index(max(held))

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


def _rows(flags: Flags) -> Numbers:
    """How many flags of each row are set."""
    return np.asarray(np.count_nonzero(flags, axis=1))


def gaps(absent: Flags, known: Flags, bounds: Numbers) -> Gaps:
    """The runs of what is absent from several texts, which stand one behind the other between the `bounds`."""
    begins, stops = absent.copy(), absent.copy()
    begins[1:] &= ~absent[:-1]
    stops[:-1] &= ~absent[1:]
    first, last = bounds[:-1][bounds[:-1] < len(absent)], bounds[1:][bounds[1:] > 0] - 1
    begins[first], stops[last] = absent[first], absent[last]  # no run goes on into the next text
    starts, ends = np.flatnonzero(begins), np.flatnonzero(stops) + 1
    lengths = ends - starts
    total = np.concatenate(([0], np.cumsum(known)))
    familiar = total[ends] - total[starts]
    text = np.searchsorted(bounds, starts, side="right") - 1
    at_head, at_tail = starts == bounds[text], ends == bounds[text + 1]
    edit = ~at_head & ~at_tail & (lengths <= EDIT)
    is_known = familiar * 2 >= lengths
    known_edit, new_edit, head = edit & is_known, edit & ~is_known, at_head & ~at_tail

    def total_of(numbers: NDArray[Any], some: Flags) -> Numbers:
        return np.bincount(text, numbers * some, len(bounds) - 1).astype(np.int64)

    new = lengths - familiar
    return Gaps(
        known_edits=total_of(known_edit, known_edit),
        known_words=total_of(familiar, ~known_edit),
        known_head=total_of(familiar, head),
        known_tail=total_of(familiar, at_tail),
        new_edits=total_of(new_edit, new_edit),
        new_words=total_of(new, ~new_edit),
        new_head=total_of(new, head),
        new_tail=total_of(new, at_tail),
    )
