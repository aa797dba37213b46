"""A story that thousands run: the work for each of its versions stays within bounds. Counted, not timed."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from syndtrack.models import Match, Publisher, Version
from syndtrack.provenance import features, trees
from syndtrack.provenance.comparing import Desk
from syndtrack.provenance.features import MOST_CANDIDATES, Story
from syndtrack.provenance.trees import OUTSIDE, best_forest, log_total_and_probabilities
from syndtrack.publishers import Registry

VERSIONS = 5_000
NEIGHBOURS = 22
TEXT = (
    "The night train to the coast will run again from May after eleven years, the ministry of transport said, with two sleeping cars, "
    "a buffet and room for forty bicycles, and will stop at every station where somebody has asked for it a day before."
)
PUBLISHERS = Registry({n: Publisher(f"Paper {n}") for n in range(1, VERSIONS + 1)})
MATCH = Match(1.0, 1.0, 1.0, 40, "verbatim")


def version(number: int) -> Version:
    seen = datetime(2026, 3, 2, tzinfo=UTC) + timedelta(minutes=number)
    return Version(number, number, None, False, f"https://{number}.example/", "", seen, None, (TEXT,), (), ())


@pytest.fixture(scope="module")
def story() -> Story:
    """Five thousand versions, each a match of the forty-two around it."""
    pairs = {(max(1, n - k), n): MATCH for n in range(2, VERSIONS + 1) for k in range(1, NEIGHBOURS) if n - k >= 1}
    return Story(tuple(version(n) for n in range(1, VERSIONS + 1)), pairs, PUBLISHERS)


def test_each_version_of_five_thousand_is_compared_with_forty_others_at_most(story: Story, monkeypatch: pytest.MonkeyPatch):
    assert max(map(len, story.candidates)) == MOST_CANDIDATES
    compared: list[int] = []
    some = Desk._some
    monkeypatch.setattr(Desk, "_some", lambda desk, known, rows, *rest: compared.extend(rows) or some(desk, known, rows, *rest))
    for copy in range(0, VERSIONS, 250):
        compared.clear()
        story.options(copy, story.likely_witnesses(copy))
        assert len(compared) <= MOST_CANDIDATES


def test_what_is_looked_at_to_choose_them_is_bounded_too(monkeypatch: pytest.MonkeyPatch):
    looked: list[int] = []
    closeness = Desk.closeness
    monkeypatch.setattr(Desk, "closeness", lambda desk, copy, source: looked.append(1) or closeness(desk, copy, source))
    everyone = {(1, n): MATCH for n in range(2, 1_001)}
    star = Story(tuple(version(n) for n in range(1, 1_001)), everyone, PUBLISHERS)
    assert len(star.candidates[0]) == MOST_CANDIDATES
    assert len(looked) <= 5 * features.MOST_CANDIDATES


def test_probabilities_of_a_story_too_large_for_a_dense_matrix_need_none(monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object) -> None:
        raise AssertionError("a dense inverse of five thousand rows takes minutes")

    monkeypatch.setattr(trees.np.linalg, "inv", refuse)
    copies = np.repeat(np.arange(VERSIONS), 2)
    heads = np.array([h for n in range(VERSIONS) for h in (n - 1 if n else OUTSIDE, OUTSIDE)])
    _, likely = log_total_and_probabilities(VERSIONS, heads, copies, np.tile([1.0, 0.0], VERSIONS))
    assert np.allclose(np.add.reduceat(likely, np.arange(0, 2 * VERSIONS, 2)), 1.0)


def test_a_ring_of_five_thousand_ends_as_a_chain():
    chosen = best_forest([{(n + 1) % VERSIONS: 1.0, OUTSIDE: 0.5} for n in range(VERSIONS)])
    assert sum(head == OUTSIDE for head in chosen) == 1
