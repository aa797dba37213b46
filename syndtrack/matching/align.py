"""Where two texts say the same: passages that stand in both, small edits allowed inside.

Seed and extend, as in comparing genomes (Altschul et al. 1990, doi:10.1016/S0022-2836(05)80360-2): shared shingles are the seeds, seeds
on one diagonal grow to a block while word equals word, and blocks that follow each other in both texts with few words between are one
span.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from syndtrack.models import AlignedSpan
from syndtrack.words import Words

GAP = 12
"""Words that may be changed, dropped or put in between two blocks of one span: half a sentence."""

MAX_BLOCKS = 2_000
"""Blocks of a pair; more only arise between endless repetitions."""


@dataclass(frozen=True, slots=True)
class Block:
    """Words `a_start` to `a_end` of a are, word for word, those from `b_start` on of b."""

    a_start: int
    a_end: int
    b_start: int

    @property
    def b_end(self) -> int:
        """The word of b after the last."""
        return self.b_start + self.a_end - self.a_start


def align(a: Words, b: Words) -> tuple[AlignedSpan, ...]:
    """The passages that stand in both texts, by their offsets in either original text, in order of their place in a.

    They do not overlap in a. A passage that moved is found too, so that their places in b need not be in order.
    """
    return tuple(
        AlignedSpan(
            a_start=int(a.starts[chain[0].a_start]),
            a_end=int(a.ends[chain[-1].a_end - 1]),
            b_start=int(b.starts[chain[0].b_start]),
            b_end=int(b.ends[chain[-1].b_end - 1]),
        )
        for chain in chains(blocks(a, b))
    )


def blocks(a: Words, b: Words) -> list[Block]:
    """Longest runs of equal words around shared shingles, in order of their place in a and without overlap there."""
    found: list[Block] = []
    done = 0
    at_a, at_b = _seeds(a, b)
    if not len(at_a):
        return found
    equal = _equal_until(a, b, at_a, at_b)
    for i, j, until in zip(at_a.tolist(), at_b.tolist(), equal.tolist(), strict=True):
        if until <= done:
            continue
        start_a, start_b = max(i, done), j + max(i, done) - i
        while start_a > done and start_b > 0 and a.hashes[start_a - 1] == b.hashes[start_b - 1]:
            start_a, start_b = start_a - 1, start_b - 1
        found.append(Block(start_a, until, start_b))
        done = until
        if len(found) == MAX_BLOCKS:
            break
    return found


def chains(found: list[Block]) -> list[list[Block]]:
    """Blocks that follow each other closely in both texts, joined."""
    joined: list[list[Block]] = []
    for block in found:
        last = joined[-1][-1] if joined else None
        if last is not None and block.a_start - last.a_end <= GAP and 0 <= block.b_start - last.b_end <= GAP:
            joined[-1].append(block)
        else:
            joined.append([block])
    return joined


def _seeds(a: Words, b: Words) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Places in a and b of the shared shingles, in order of a: the first occurrence with the first, and so on."""
    (hashes_a, order_a), (hashes_b, order_b) = _numbered(a.shingles), _numbered(b.shingles)
    if not len(hashes_b):
        return order_a[:0], order_b[:0]
    place = np.searchsorted(hashes_b, hashes_a)
    place[place == len(hashes_b)] = 0
    hit = hashes_b[place] == hashes_a
    at_a, at_b = order_a[hit], order_b[place[hit]]
    order = np.argsort(at_a)
    return at_a[order], at_b[order]


def _numbered(shingles: npt.NDArray[np.uint32]) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    """Sorted shingles with the number of the occurrence in their lower half, and the place of each."""
    order = np.argsort(shingles, kind="stable")
    ordered = shingles[order].astype(np.uint64)
    fresh = np.ones(len(ordered), np.bool_)
    fresh[1:] = ordered[1:] != ordered[:-1]
    number = np.arange(len(ordered))
    number -= np.maximum.accumulate(np.where(fresh, number, 0))
    return (ordered << np.uint64(32)) | number.astype(np.uint64), order


def _equal_until(a: Words, b: Words, at_a: npt.NDArray[np.int64], at_b: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """For each seed, the word of a up to which a and b run equal from there; seeds of one unbroken diagonal share the answer."""
    step = np.ones(len(at_a), np.bool_)
    step[:-1] = (np.diff(at_a) != 1) | (np.diff(at_b) != 1)
    last = np.flatnonzero(step)  # the last seed of each unbroken diagonal
    ends = []
    for i, j in zip(at_a[last].tolist(), at_b[last].tolist(), strict=True):
        end, shift = int(a.shingle_ends[i]), j - i
        while end < len(a) and end + shift < len(b) and a.hashes[end] == b.hashes[end + shift]:
            end += 1
        ends.append(end)
    return np.array(ends, np.int64)[np.searchsorted(last, np.arange(len(at_a)))]
