"""Whole-story choice: probabilities of edges over all forests without a cycle, and the best such forest.

Every version has one incoming edge, from another version or from outside (an unobserved publisher, or nowhere). The sum over all cycle-free
choices is a determinant (Tutte's matrix-tree theorem; Koo et al., "Structured Prediction Models via the Matrix-Tree Theorem", 2007), and
its derivatives are the probabilities of single edges. The best choice is Chu and Liu's and Edmonds' maximum arborescence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

OUTSIDE = -1
# Beyond so many versions a dense inverse takes seconds; probabilities are then those of each version by itself.
LARGEST_EXACT = 1_500

Floats = NDArray[np.float64]


def log_total_and_probabilities(size: int, heads: NDArray[np.int64], copies: NDArray[np.int64], scores: Floats) -> tuple[float, Floats]:
    """The logarithm of the sum over all cycle-free choices, and the probability of each option.

    Option i is an edge from `heads[i]` (OUTSIDE or a place) to `copies[i]` with the log-weight `scores[i]`. Every version from 0 to
    size - 1 must have an option from OUTSIDE.
    """
    best = np.full(size, -np.inf)
    np.maximum.at(best, copies, scores)
    weights = np.exp(np.maximum(scores - best[copies], -60.0))
    if size > LARGEST_EXACT or size == 1:
        sums = np.zeros(size)
        np.add.at(sums, copies, weights)
        return float((np.log(sums) + best).sum()), np.asarray(weights / sums[copies])
    laplacian = np.zeros((size, size))
    np.add.at(laplacian, (copies, copies), weights)
    inner = heads != OUTSIDE
    np.add.at(laplacian, (heads[inner], copies[inner]), -weights[inner])
    inverse = np.linalg.inv(laplacian)
    own = inverse[copies, copies]
    across = np.where(inner, inverse[copies, heads], 0.0)
    total = float(np.linalg.slogdet(laplacian)[1] + best.sum())
    return total, np.asarray(np.clip(weights * (own - across), 0.0, 1.0))


def best_forest(options: Sequence[Mapping[int, float]]) -> list[int]:
    """For each version the head of its edge in the cycle-free choice with the greatest sum.

    `options[v]` maps heads to values, OUTSIDE among them. Equal values go to the head that stands first in the mapping.
    """
    chosen = [max(heads, key=heads.__getitem__) for heads in options]
    cycles = _cycles(chosen)
    if not cycles:
        return chosen
    member = {v: k for k, cycle in enumerate(cycles) for v in cycle}
    free = [v for v in range(len(options)) if v not in member]
    place = {v: i for i, v in enumerate(free)} | {v: len(free) + k for v, k in member.items()} | {OUTSIDE: OUTSIDE}
    smaller: list[dict[int, float]] = [{} for _ in range(len(free) + len(cycles))]
    entry: list[dict[int, tuple[int, int]]] = [{} for _ in smaller]
    for v, heads in enumerate(options):
        lost = heads[chosen[v]] if v in member else 0.0
        for head, value in heads.items():
            to, source = place[v], place[head]
            if source != to and value - lost > smaller[to].get(source, -np.inf):
                smaller[to][source] = value - lost
                entry[to][source] = (v, head)
    for to, source in enumerate(best_forest(smaller)):
        v, head = entry[to][source]
        chosen[v] = head
    return chosen


def derives(version: int, source: int, heads: Sequence[int]) -> bool:
    """Whether a version comes from another, directly or by hops, in a cycle-free choice of heads."""
    while version not in (OUTSIDE, source):
        version = heads[version]
    return version == source


def _cycles(heads: Sequence[int]) -> list[list[int]]:
    """The cycles of a choice of one head each."""
    state = [0] * len(heads)
    found = []
    for start in range(len(heads)):
        path, v = [], start
        while v != OUTSIDE and state[v] == 0:
            state[v] = 1
            path.append(v)
            v = heads[v]
        if v != OUTSIDE and state[v] == 1:
            found.append(path[path.index(v) :])
        for u in path:
            state[u] = 2
    return found
