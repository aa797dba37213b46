"""Cycle-free choices: the sum over all of them and the best one, against trying every choice."""

from itertools import product
from math import exp, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syndtrack.provenance.trees import OUTSIDE, best_forest, derives, log_total_and_probabilities


@st.composite
def small_graphs(draw):
    """Scores of edges among at most four versions; from outside there is always one."""
    size = draw(st.integers(1, 4))
    scores = st.floats(-4, 4)
    return [{OUTSIDE: draw(scores)} | {u: draw(scores) for u in range(size) if u != v and draw(st.booleans())} for v in range(size)]


def is_cycle_free(heads):
    return all(not derives(heads[v], v, heads) for v in range(len(heads)) if heads[v] != OUTSIDE) if _ends(heads) else False


def _ends(heads):
    for v in range(len(heads)):
        steps, at = 0, v
        while at != OUTSIDE:
            at = heads[at]
            steps += 1
            if steps > len(heads):
                return False
    return True


def choices(graph):
    """Every cycle-free choice with the sum of its scores."""
    for heads in product(*graph):
        if is_cycle_free(heads):
            yield heads, sum(graph[v][h] for v, h in enumerate(heads))


@given(small_graphs())
@settings(max_examples=60)
def test_probabilities_are_those_of_all_choices_without_a_cycle(graph):
    every = list(choices(graph))
    total = log(sum(exp(s) for _, s in every))
    copies = np.array([v for v, heads in enumerate(graph) for _ in heads])
    heads = np.array([h for each in graph for h in each])
    scores = np.array([s for each in graph for s in each.values()])
    found, likely = log_total_and_probabilities(len(graph), heads, copies, scores)
    assert found == pytest.approx(total, abs=1e-6)
    for v, h, p in zip(copies, heads, likely, strict=True):
        assert p == pytest.approx(sum(exp(s - total) for choice, s in every if choice[v] == h), abs=1e-6)


@given(small_graphs())
@settings(max_examples=100)
def test_the_best_choice_is_the_best_of_all_without_a_cycle(graph):
    chosen = best_forest(graph)
    assert is_cycle_free(chosen)
    assert sum(graph[v][h] for v, h in enumerate(chosen)) == pytest.approx(max(s for _, s in choices(graph)))


def test_two_versions_that_each_look_like_the_others_copy_do_not_point_to_each_other():
    assert best_forest([{OUTSIDE: 0.0, 1: 5.0}, {OUTSIDE: -1.0, 0: 5.0}]) == [OUTSIDE, 0]
