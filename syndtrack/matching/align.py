"""Where two texts say the same: passages that stand in both, small edits allowed inside.

Seed and extend, as in comparing genomes (Altschul et al. 1990, doi:10.1016/S0022-2836(05)80360-2): shared shingles are the seeds, seeds
on one diagonal grow to a block while word equals word, blocks that follow each other in both texts with few words between are one chain,
and at its ends a chain goes on over single changed words as long as most words are equal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from syndtrack.models import AlignedSpan
from syndtrack.words import Words

GAP = 12
"""Words that may be changed, dropped or put in between two blocks of one span: half a sentence."""

DROP = 3
"""At the ends of a chain: how many more changed words than equal ones end it (the X-drop of BLAST)."""

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
        for chain in chains(a, b, blocks(a, b, shared_shingles(a, b)))
    )


def shared_shingles(a: Words, b: Words) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    """Places in a, in order, and in b of the shingles that both hold: their first words.

    Of a shingle that occurs several times the first occurrence is paired with the first, the second with the second, and so on.
    """
    keys, ordered = a.occurrences.keys, b.occurrences.ordered
    if not len(ordered):
        return np.empty(0, np.int64), np.empty(0, np.int32)
    place = np.searchsorted(ordered, keys)
    place[place == len(ordered)] = 0
    at_a = np.flatnonzero(ordered[place] == keys)
    return at_a, b.occurrences.places[place[at_a]]


def blocks(a: Words, b: Words, shared: tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]) -> list[Block]:
    """Longest runs of equal words around shared shingles, in order of their place in a and without overlap there."""
    found: list[Block] = []
    done = 0
    for i, j, until in _diagonals(a, *shared):
        if until <= done:
            continue
        start_a, start_b = max(i, done), j + max(i, done) - i
        while start_a > done and start_b > 0 and a.hashes[start_a - 1] == b.hashes[start_b - 1]:
            start_a, start_b = start_a - 1, start_b - 1
        end, shift = until, start_b - start_a
        while end < len(a) and end + shift < len(b) and a.hashes[end] == b.hashes[end + shift]:
            end += 1
        found.append(Block(start_a, end, start_b))
        done = end
        if len(found) == MAX_BLOCKS:
            break
    return found


def chains(a: Words, b: Words, found: list[Block]) -> list[list[Block]]:
    """Blocks that follow each other closely in both texts, joined, and what goes on at their ends."""
    joined: list[list[Block]] = []
    for block in found:
        last = joined[-1][-1] if joined else None
        if last is not None and block.a_start - last.a_end <= GAP and 0 <= block.b_start - last.b_end <= GAP:
            joined[-1].append(block)
        else:
            joined.append([block])
    for n, chain in enumerate(joined):
        before = joined[n - 1][-1].a_end if n else 0
        after = joined[n + 1][0].a_start if n + 1 < len(joined) else len(a)
        joined[n] = [*_on_backwards(a, b, chain[0], before), *chain, *_on_forwards(a, b, chain[-1], after)]
    return joined


def _on_forwards(a: Words, b: Words, block: Block, stop: int) -> list[Block]:
    """Further runs of equal words after a block, on its diagonal, before word `stop` of a."""
    shift = block.b_start - block.a_start
    runs = _runs(a.hashes[block.a_end : stop], b.hashes[block.b_end : stop + shift])
    return [Block(block.a_end + s, block.a_end + e, block.b_end + s) for s, e in runs]


def _on_backwards(a: Words, b: Words, block: Block, stop: int) -> list[Block]:
    """Further runs of equal words before a block, on its diagonal, from word `stop` of a on."""
    shift = block.b_start - block.a_start
    stop = max(stop, -shift, 0)
    runs = _runs(a.hashes[stop : block.a_start][::-1], b.hashes[stop + shift : block.b_start][::-1])
    return [Block(block.a_start - e, block.a_start - s, block.b_start - e) for s, e in reversed(runs)]


def _runs(a: npt.NDArray[np.uint32], b: npt.NDArray[np.uint32]) -> list[tuple[int, int]]:
    """Runs of equal words side by side, up to where equal words outnumber changed ones most, ended by `DROP` more changed than that."""
    score = best = end = 0
    runs: list[tuple[int, int]] = []
    for n, (one, other) in enumerate(zip(a, b, strict=False)):
        if one == other:
            score += 1
            runs[-1:] = [(runs[-1][0], n + 1)] if runs and runs[-1][1] == n else [*runs[-1:], (n, n + 1)]
            if score > best:
                best, end = score, n + 1
        else:
            score -= 1
            if best - score > DROP:
                break
    return [run for run in runs if run[1] <= end]


def _diagonals(a: Words, at_a: npt.NDArray[np.int64], at_b: npt.NDArray[np.int32]) -> list[tuple[int, int, int]]:
    """Unbroken diagonals of shared shingles in order of a: first word in a and in b, and the word of a after the last."""
    breaks = np.flatnonzero((np.diff(at_a) != 1) | (np.diff(at_b) != 1)) + 1
    first = np.concatenate([[0], breaks])[: len(at_a)]
    last = np.concatenate([breaks, [len(at_a)]])[: len(first)] - 1
    return list(zip(at_a[first].tolist(), at_b[first].tolist(), a.shingle_ends[at_a[last]].tolist(), strict=True))
