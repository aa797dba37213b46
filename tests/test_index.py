"""The candidate index: what it finds depends on what is in it, not on how that came there."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import combinations
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndtrack.matching import index as index_module
from syndtrack.matching.fingerprint import fingerprint
from syndtrack.matching.index import CandidateIndex, candidate_pairs
from syndtrack.words import tokenise

Samples = np.ndarray
Revisions = dict[int, tuple[Samples, int]]


def samples(*numbers: int) -> Samples:
    return np.unique(np.array(numbers, np.uint32))


@contextmanager
def small_limits(hubs: int, newest: int) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(index_module, "HUBS", hubs)
        patch.setattr(index_module, "_NEWEST", newest)
        yield


def by_definition(revisions: Revisions, hubs: int) -> set[tuple[int, int]]:
    """The pairs that at least two samples admit, worked out without an index."""
    holders: dict[int, list[int]] = {}
    for one, (held, _) in revisions.items():
        for sample in held.tolist():
            holders.setdefault(sample, []).append(one)
    hits: Counter[tuple[int, int]] = Counter()
    for held_by in holders.values():
        first = sorted(held_by, key=lambda one: revisions[one][1])[:hubs]
        hits.update(pair for pair in combinations(sorted(held_by), 2) if pair[0] in first or pair[1] in first)
    return {pair for pair, count in hits.items() if count >= 2}


def pairs_of(index: CandidateIndex, revisions: Revisions) -> set[tuple[int, int]]:
    return candidate_pairs(index, [(one, held) for one, (held, _) in revisions.items()])


REVISIONS = (
    st.integers(2, 12)
    .flatmap(
        lambda count: st.tuples(
            st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=6), min_size=count, max_size=count), st.permutations(range(count))
        )
    )
    .map(lambda drawn: {n: (samples(*held), rank) for n, (held, rank) in enumerate(zip(*drawn, strict=True))})
)


def test_two_shared_samples_make_a_candidate_and_one_does_not():
    index = CandidateIndex()
    index.add(1, samples(10, 20, 30))
    index.add(2, samples(20, 30, 40))
    index.add(3, samples(30, 40, 50))
    assert index.candidates(samples(10, 20, 30), revision_id=1) == [(2, 2)]
    assert index.candidates(samples(10, 20, 30, 40)) == [(1, 3), (2, 3), (3, 2)]
    assert index.candidates(samples(30), at_least=1) == [(1, 1), (2, 1), (3, 1)]


def test_nothing_is_found_in_an_empty_index_or_for_no_samples():
    index = CandidateIndex()
    assert index.candidates(samples(1, 2)) == []
    index.add(1, samples(1, 2))
    assert index.candidates(samples()) == []


@given(REVISIONS, st.randoms(use_true_random=False), st.integers(1, 4), st.integers(1, 40))
def test_the_order_of_arrival_makes_no_difference(revisions: Revisions, random, hubs: int, newest: int):
    order = list(revisions)
    random.shuffle(order)
    with small_limits(hubs, newest):
        index = CandidateIndex()
        for one in order:
            index.add(one, *revisions[one])
        assert pairs_of(index, revisions) == by_definition(revisions, hubs)


@given(REVISIONS, st.integers(1, 4), st.integers(0, 12))
def test_loading_many_at_once_is_the_same_as_adding_one_by_one(revisions: Revisions, hubs: int, loaded: int):
    with small_limits(hubs, 20):
        index = CandidateIndex()
        index.extend([(one, *held) for one, held in revisions.items() if one < loaded])
        for one, held in revisions.items():
            if one >= loaded:
                index.add(one, *held)
        assert pairs_of(index, revisions) == by_definition(revisions, hubs)


@given(REVISIONS, st.sets(st.integers(0, 11)), st.integers(1, 4), st.integers(1, 40))
def test_what_was_discarded_is_as_if_it_had_never_been_there(revisions: Revisions, discarded: set[int], hubs: int, newest: int):
    with small_limits(hubs, newest):
        index = CandidateIndex()
        for one, held in revisions.items():
            index.add(one, *held)
        for one in discarded:
            index.discard(one)
        left = {one: held for one, held in revisions.items() if one not in discarded}
        assert len(index) == len(left)
        assert pairs_of(index, left) == by_definition(left, hubs)
        for one in discarded & revisions.keys():
            index.add(one, *revisions[one])
        assert pairs_of(index, revisions) == by_definition(revisions, hubs)


@given(REVISIONS, st.lists(st.integers(0, 11), max_size=6), st.integers(1, 4))
def test_looking_up_the_new_and_the_unsettled_keeps_a_list_of_pairs_right(revisions: Revisions, discarded: list[int], hubs: int):
    pairs: set[tuple[int, int]] = set()

    def settle(*fresh: int) -> None:
        for one in {*fresh, *index.unsettled()}:
            pairs.difference_update({pair for pair in pairs if one in pair})
            pairs.update((min(one, other), max(one, other)) for other, _ in index.candidates(revisions[one][0], revision_id=one))

    with small_limits(hubs, 20):
        index = CandidateIndex()
        for one, held in revisions.items():
            index.add(one, *held)
            settle(one)
        assert pairs == by_definition(revisions, hubs)
        for one in discarded:
            index.discard(one)
            pairs.difference_update({pair for pair in pairs if one in pair})
            settle()
        assert pairs == by_definition({one: held for one, held in revisions.items() if one not in discarded}, hubs)


def test_adding_an_id_again_replaces_what_it_had():
    index = CandidateIndex()
    index.add(1, samples(1, 2, 3))
    index.add(1, samples(7, 8, 9))
    assert index.candidates(samples(1, 2, 3)) == []
    assert index.candidates(samples(7, 8, 9)) == [(1, 3)]
    assert len(index) == 1


def test_a_story_on_thousands_of_sites_is_joined_by_its_first_versions():
    with small_limits(hubs=16, newest=1 << 12):
        index = CandidateIndex()
        story = samples(*range(100, 130))
        for one in range(3_000):
            index.add(one, story, rank=one)
        assert {other for other, _ in index.candidates(story, revision_id=2_999)} == set(range(16))
        assert len(index.candidates(story)) == 16
        assert len(index.candidates(story, revision_id=0)) == 2_999
        assert index.unsettled() == set()


def test_an_excerpt_of_a_hundred_words_is_found_wherever_it_stands():
    index = CandidateIndex()
    source = [f"w{n}" for n in range(1_500)]
    index.add(1, fingerprint(tokenise(" ".join(source))).samples)
    missed = 0
    for start in range(0, 1_400, 7):
        text = [f"x{start}y{n}" for n in range(150)] + source[start : start + 100] + [f"z{start}y{n}" for n in range(150)]
        missed += not index.candidates(fingerprint(tokenise(" ".join(text))).samples)
    assert missed == 0


@pytest.mark.parametrize(
    ("letters", "word_length", "between", "words"),
    [("abcdefghiklmnoprstu", 7, " ", 100), ("абвгдежзиклмнопрст", 7, " ", 100), ("ابتثجحخدذرزسشصضط", 5, " ", 100),
     ("कखगघचछजझटठडढतथदध", 4, " ", 100), ("港务局周五宣布关闭北码头十一个星期以便潜水员更换", 2, "", 100),
     ("กขคงจฉชซญดตถทธนบปผพมยรลวสห", 3, "", 100)],
    ids=["latin", "cyrillic", "arabic", "devanagari", "han", "thai"],
)  # fmt: skip
def test_excerpts_of_a_hundred_words_within_other_texts_are_found(letters: str, word_length: int, between: str, words: int):
    random = Random(17)  # noqa: S311 - the same texts every time

    def text(count: int) -> list[str]:
        return ["".join(random.choices(letters, k=word_length)) for _ in range(count)]

    index = CandidateIndex()
    sources = {number: text(600) for number in range(60)}
    for number, source in sources.items():
        index.add(number, fingerprint(tokenise(between.join(source))).samples)
    found = 0
    for _ in range(300):
        number, start = random.randrange(60), random.randrange(500)
        copy = [*text(random.randrange(200)), *sources[number][start : start + words], *text(random.randrange(200))]
        candidates = [one for one, _ in index.candidates(fingerprint(tokenise(between.join(copy))).samples)]
        found += number in candidates
        assert len(candidates) <= 3  # what is proposed is little else
    assert found >= 0.99 * 300


def test_most_excerpts_of_fifty_words_are_found():
    source = [f"w{n}" for n in range(800)]
    index = CandidateIndex()
    index.add(1, fingerprint(tokenise(" ".join(source))).samples)
    found = [bool(index.candidates(fingerprint(tokenise(" ".join(source[start : start + 50]))).samples)) for start in range(0, 750, 5)]
    assert sum(found) / len(found) > 0.9
