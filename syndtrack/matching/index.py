"""Which stored revisions may share text with a given one: an index of sampled shingles in memory.

Two revisions are candidates of each other if at least two samples admit them. A sample that up to `HUBS` revisions hold admits every
pair of them. A sample that more hold admits pairs with the `HUBS` first of them only, in order of rank (the time of first sight, say): a
story that 5,000 sites run is joined through its earliest versions by 4.6 million pairs instead of 12.5 million, and a phrase of 100,000
pages costs each of them no more than `HUBS` candidates. What is found therefore depends on what is in the index alone, never on the order
in which it came. When an earlier one arrives late, or one is discarded, a hub may change; `unsettled` names the revisions that have to be
looked up anew.

Postings lie in sorted segments, merged when a newer one has grown to half the size of the one before (a log-structured merge tree: O'Neil
et al. 1996), over a dictionary of the newest. A posting takes 8 bytes, a revision 130 besides: 650 bytes with the
64 postings of 500 words, and at most three times that while segments are merged. Sampled hashes are one of 2^29: among a million such
articles a look-up meets 8 revisions by accident, and in 30 of a million look-ups one of them twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

HUBS = 1024
"""More copies of one story within its first days than any seen, and few enough that all their pairs can be compared: 15 s."""

_NEWEST = 1 << 16
"""Postings kept in the dictionary before they become a segment."""

_SLOT = np.uint64(0xFFFFFFFF)

_Samples = npt.NDArray[np.uint32]
_Numbers = npt.NDArray[np.int64]


class CandidateIndex:
    """Revisions by their sampled shingles. Ids are whole numbers from 0, as a database gives them."""

    def __init__(self) -> None:
        self._segments: list[npt.NDArray[np.uint64]] = []  # sorted, each posting a sample (upper half) and a slot (lower half)
        self._newest: dict[int, list[int]] = {}
        self._newest_postings = 0
        self._slots: dict[int, int] = {}
        self._ids = np.zeros(1024, np.int64)
        self._ranks = np.zeros(1024, np.int64)
        self._alive = np.zeros(1024, np.bool_)
        self._used = 0
        self._unsettled: set[int] = set()

    def __len__(self) -> int:
        return len(self._slots)

    def __contains__(self, revision_id: int) -> bool:
        return revision_id in self._slots

    def add(self, revision_id: int, samples: _Samples, rank: int | None = None) -> None:
        """Put in a revision, in place of what was stored under its id. `rank` (64 bits, signed) orders them; None stands for the id."""
        if revision_id in self._slots:
            self.discard(revision_id)
        rank = revision_id if rank is None else rank
        self._unsettle(samples, rank)
        slot = self._new_slot(revision_id, rank)
        for sample in samples.tolist():
            self._newest.setdefault(sample, []).append(slot)
        self._newest_postings += len(samples)
        if self._newest_postings > _NEWEST:
            self._flush()

    def extend(self, revisions: Iterable[tuple[int, _Samples, int | None]]) -> None:
        """Put in many at once, as (id, samples, rank), at start: nothing becomes unsettled by it. None of them may be there already."""
        parts: list[npt.NDArray[np.uint64]] = []
        for revision_id, samples, rank in revisions:
            slot = self._new_slot(revision_id, revision_id if rank is None else rank)
            parts.append((samples.astype(np.uint64) << np.uint64(32)) | np.uint64(slot))
        if parts:
            self._push(np.concatenate(parts))

    def discard(self, revision_id: int) -> None:
        """Take a revision out; one that is not there is no error."""
        slot = self._slots.pop(revision_id, None)
        if slot is None:
            return
        samples = self._samples_of(slot)
        self._alive[slot] = False
        self._unsettled.discard(revision_id)
        self._unsettle(samples, int(self._ranks[slot]))

    def candidates(
        self, samples: _Samples, *, at_least: int = 2, revision_id: int | None = None, rank: int | None = None
    ) -> list[tuple[int, int]]:
        """Revisions that `at_least` samples admit, with how many do: most first, then by id.

        For a stored revision give its `revision_id`: it is left out itself, and its rank counts. A text that is not stored counts as the
        latest unless `rank` says otherwise, so that it has no more than `HUBS` candidates a sample.
        """
        own = self._slots.get(revision_id) if revision_id is not None else None
        if own is not None:
            rank = int(self._ranks[own])
        slots, numbers = self._held(samples)
        for number, last in self._last_hubs(slots, numbers):
            if rank is None or rank > last:
                admitted = (numbers != number) | (self._ranks[slots] <= last)
                slots, numbers = slots[admitted], numbers[admitted]
        different, hits = np.unique(slots, return_counts=True)
        keep = (hits >= at_least) & (different != (-1 if own is None else own))
        ids, hits = self._ids[different[keep]], hits[keep]
        order = np.lexsort((ids, -hits))
        return list(zip(ids[order].tolist(), hits[order].tolist(), strict=True))

    def unsettled(self) -> set[int]:
        """Revisions whose candidates may have changed by more than what was added or discarded since the last call: look them up anew."""
        out, self._unsettled = self._unsettled, set()
        return out

    def _unsettle(self, samples: _Samples, rank: int) -> None:
        """Note the revisions that cease to be hubs by an addition at `rank`, or have become hubs by a removal there."""
        slots, numbers = self._held(samples)
        for number, last in self._last_hubs(slots, numbers):
            if rank < last:
                self._unsettled.update(self._ids[slots[(numbers == number) & (self._ranks[slots] == last)]].tolist())

    def _last_hubs(self, slots: _Numbers, numbers: _Numbers) -> list[tuple[int, int]]:
        """Of each sample that has `HUBS` holders or more: its number, and the rank up to which they are its hubs."""
        common = np.flatnonzero(np.bincount(numbers) >= HUBS).tolist()
        return [(number, int(np.partition(self._ranks[slots[numbers == number]], HUBS - 1)[HUBS - 1])) for number in common]

    def _held(self, samples: _Samples) -> tuple[_Numbers, _Numbers]:
        """Every posting of the samples: the slot of the revision, and the number of the sample among those asked for."""
        keys = samples.astype(np.uint64) << np.uint64(32)
        slots, numbers = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
        for segment in self._segments:
            low = np.searchsorted(segment, keys)
            counts = np.searchsorted(segment, keys | _SLOT, side="right") - low
            total = int(counts.sum())
            if total:
                at = np.repeat(low - np.cumsum(counts) + counts, counts) + np.arange(total)
                slots.append((segment[at] & _SLOT).astype(np.int64))
                numbers.append(np.repeat(np.arange(len(counts)), counts))
        for number, sample in enumerate(samples.tolist()):
            newest = self._newest.get(sample)
            if newest:
                slots.append(np.array(newest, np.int64))
                numbers.append(np.full(len(newest), number, np.int64))
        every, of = np.concatenate(slots), np.concatenate(numbers)
        alive = self._alive[every]
        return (every, of) if alive.all() else (every[alive], of[alive])

    def _samples_of(self, slot: int) -> _Samples:
        """The samples of a revision, by going through all postings: 0.1 s for a million revisions, and discarding is rare."""
        pieces = (segment[at : at + _NEWEST] for segment in self._segments for at in range(0, len(segment), _NEWEST))
        parts = [(piece[piece & _SLOT == slot] >> np.uint64(32)).astype(np.uint32) for piece in pieces]
        parts.append(np.array([sample for sample, slots in self._newest.items() if slot in slots], np.uint32))
        return np.unique(np.concatenate(parts))

    def _new_slot(self, revision_id: int, rank: int) -> int:
        slot = self._used
        if slot == len(self._ids):
            self._ids = np.concatenate([self._ids, np.zeros_like(self._ids)])
            self._ranks = np.concatenate([self._ranks, np.zeros_like(self._ranks)])
            self._alive = np.concatenate([self._alive, np.zeros_like(self._alive)])
        self._ids[slot], self._ranks[slot], self._alive[slot] = revision_id, rank, True
        self._slots[revision_id] = slot
        self._used += 1
        return slot

    def _flush(self) -> None:
        """Make a segment of the newest postings."""
        counts = [len(slots) for slots in self._newest.values()]
        samples = np.repeat(np.fromiter(self._newest, np.uint64, len(counts)), counts)
        slots = np.fromiter((slot for slots in self._newest.values() for slot in slots), np.uint64, sum(counts))
        self._newest, self._newest_postings = {}, 0
        self._push((samples << np.uint64(32)) | slots)

    def _push(self, postings: npt.NDArray[np.uint64]) -> None:
        """Sort postings into a segment, merged with those before it that are not much larger."""
        while self._segments and len(self._segments[-1]) < 2 * len(postings):
            older = self._segments.pop()
            postings = np.concatenate([older[self._alive[older & _SLOT]], postings])
        postings.sort()
        self._segments.append(postings)


def candidate_pairs(index: CandidateIndex, revisions: Sequence[tuple[int, npt.NDArray[np.uint32]]]) -> set[tuple[int, int]]:
    """Every pair of candidates among stored revisions, given with their samples, the smaller id first."""
    return {(min(one, other), max(one, other)) for one, samples in revisions for other, _ in index.candidates(samples, revision_id=one)}
