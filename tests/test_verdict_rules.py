"""Which verdicts hold, and what they leave a story to choose from: pure, without a store."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_tracing import AGENCY, AGGREGATOR, BLOG, GAZETTE, OTHER, PAPER, PARAGRAPHS, REGISTRY, matched, version

from syndtrack.models import Edge
from syndtrack.provenance.tracing import trace_story
from syndtrack.provenance.verdicts import CIRCLE, ITSELF, Verdicts, Word, contradict, overruled, without_cycles

WIRE = version(1, AGENCY, PARAGRAPHS, 0)
DIGEST = version(2, AGGREGATOR, [*PARAGRAPHS[:4], PARAGRAPHS[5], "Via AFP"], 60, credits=[("republication", "Via AFP", AGENCY)])
REPOST = version(3, BLOG, [*PARAGRAPHS[:4], PARAGRAPHS[5], "Via ZeroHedge"], 200, credits=[("republication", "Via ZeroHedge", AGGREGATOR)])
ALONE = version(4, PAPER, OTHER, 30)
STORY = [WIRE, DIGEST, REPOST]


def sources(versions, *words: Word) -> dict[int, list[tuple[int | None, int | None, bool]]]:
    found: dict[int, list[tuple[int | None, int | None, bool]]] = {}
    for e in trace_story(versions, matched(versions), REGISTRY, Verdicts.of(words)).edges:
        found.setdefault(e.copy, []).append((e.source, e.source_publisher, e.verdict == "confirmed"))
    return found


def test_without_verdicts_the_story_is_a_chain():
    assert sources(STORY) == {2: [(1, AGENCY, False)], 3: [(2, AGGREGATOR, False)]}


def test_a_rejected_source_is_never_an_edge_and_the_next_best_wins():
    assert sources(STORY, Word("reject", 3, 2, AGGREGATOR))[3] == [(1, AGENCY, False)]


def test_a_rejected_publisher_is_no_source_observed_or_not():
    assert 3 not in sources([REPOST], Word("reject", 3, None, AGGREGATOR))
    assert sources(STORY, Word("reject", 3, None, AGGREGATOR))[3] == [(1, AGENCY, False)]


def test_a_confirmed_source_is_certain_and_keeps_its_evidence():
    word = Word("confirm", 3, 1, AGENCY)
    assert sources(STORY, word)[3] == [(1, AGENCY, True)]
    edge = next(e for e in trace_story(STORY, matched(STORY), REGISTRY, Verdicts.of([word])).edges if e.copy == 3)
    assert edge.confidence == 1.0
    assert {"overlap", "time"} <= {e.kind for e in edge.evidence}


def test_a_confirmed_source_may_share_no_text_with_its_copy():
    assert sources([WIRE, ALONE], Word("confirm", 4, 1, AGENCY)) == {4: [(1, AGENCY, True)]}


def test_a_confirmed_publisher_is_an_unobserved_source_until_its_article_is_a_candidate():
    assert sources([REPOST], Word("confirm", 3, None, GAZETTE))[3] == [(None, GAZETTE, True)]
    assert sources(STORY, Word("confirm", 3, None, AGENCY))[3] == [(1, AGENCY, True)]
    assert sources(STORY, Word("confirm", 3, "gazette.example/1", GAZETTE))[3] == [(None, GAZETTE, True)]


def test_an_article_that_is_an_origin_by_verdict_has_no_source():
    assert sources(STORY, Word("origin", 2)) == {3: [(2, AGGREGATOR, False)]}


def test_two_confirmed_sources_are_both_edges():
    found = sources([*STORY, ALONE], Word("confirm", 3, 4, PAPER), Word("confirm", 3, 1, AGENCY))
    assert sorted(found[3]) == [(1, AGENCY, True), (4, PAPER, True)]


def test_a_confirmed_pair_against_the_evidence_turns_the_other_edge_round_or_away():
    found = sources(STORY, Word("confirm", 2, 3, BLOG))
    assert found[2] == [(3, BLOG, True)]
    assert all(source != 2 for source, *_ in found.get(3, []))


@pytest.mark.parametrize(
    ("earlier", "later", "clash"),
    [
        pytest.param(Word("confirm", 1, 2, 5), Word("reject", 1, 2, 5), True, id="one pair"),
        pytest.param(Word("confirm", 1, 2, 5), Word("reject", 1, None, 5), True, id="its publisher"),
        pytest.param(Word("confirm", 1, None, 5), Word("reject", 1, 2, 5), False, id="one article of a publisher"),
        pytest.param(Word("confirm", 1, 2, 5), Word("origin", 1), True, id="origin"),
        pytest.param(Word("reject", 1, 2, 5), Word("origin", 1), False, id="both say no source"),
        pytest.param(Word("confirm", 1, 2, 5), Word("reject", 3, 2, 5), False, id="another copy"),
        pytest.param(Word("confirm", 1, 2, 5), Word("confirm", 1, 3, 5), False, id="two sources"),
        pytest.param(Word("confirm", 1, None, None), Word("reject", 1, None, None), False, id="nobody knows who"),
    ],
)
def test_of_two_verdicts_that_contradict_each_other_the_later_one_holds(earlier: Word, later: Word, clash: bool):
    assert contradict(earlier, later) == contradict(later, earlier) == clash
    assert list(overruled([earlier, later])) == ([0] if clash else [])
    assert list(overruled([later, earlier])) == ([0] if clash else [])


def test_what_was_overruled_once_does_not_come_back_when_its_rival_is_overruled_too():
    words = [Word("confirm", 1, 2, 5), Word("origin", 1), Word("confirm", 1, 3, 6)]
    assert overruled(words).keys() == {0, 1}


def test_the_confirmed_pair_that_closes_a_circle_does_not_hold():
    words = [Word("confirm", 1, 2), Word("confirm", 2, 3), Word("confirm", 3, 1)]
    assert overruled(words) == {2: (1, CIRCLE)}
    assert overruled([Word("confirm", 1, 1)])[0] == (None, ITSELF)


EVERYONE = [WIRE, DIGEST, REPOST, ALONE, version(5, GAZETTE, PARAGRAPHS[1:], 90)]
PUBLISHER = {v.article_id: v.publisher_id for v in EVERYONE}
WORDS = st.builds(
    lambda says, copy, source: Word(says, copy) if says == "origin" else Word(says, copy, source, PUBLISHER[source]),
    st.sampled_from(["confirm", "reject", "origin"]),
    st.integers(1, 5),
    st.integers(1, 5),
)


@settings(deadline=None)
@given(st.lists(WORDS, max_size=8))
def test_whatever_is_said_edges_keep_to_it_and_form_no_cycle(words: list[Word]):
    verdicts = Verdicts.of(words)
    edges = trace_story(EVERYONE, matched(EVERYONE), REGISTRY, verdicts).edges
    pairs = {(e.copy, e.source) for e in edges}
    assert {(c, w.source) for c, each in verdicts.confirmed.items() for w in each} <= pairs
    assert {(e.copy, e.source) for e in edges if e.verdict} == {(c, w.source) for c, each in verdicts.confirmed.items() for w in each}
    assert not pairs & {(c, w.source) for c, each in verdicts.rejected.items() for w in each}
    assert not verdicts.origins & {e.copy for e in edges}
    above: dict[int, set[int]] = {}
    for copy, source in pairs:
        if source is not None:
            above.setdefault(copy, set()).add(source)
    for start in PUBLISHER:
        seen, pending = set(), [start]
        while pending:
            for source in above.get(pending.pop(), ()):
                assert source != start
                if source not in seen:
                    seen.add(source)
                    pending.append(source)


NAMED = st.builds(
    lambda says, copy, source, by_name: Word(says, copy, None if by_name else source, PUBLISHER[source]),
    st.sampled_from(["confirm", "confirm", "reject"]),
    st.integers(1, 5),
    st.integers(1, 5),
    st.booleans(),
)


@settings(deadline=None, max_examples=50)
@given(st.lists(NAMED, max_size=8))
def test_confirmed_names_leave_every_story_a_choice_without_a_cycle(words: list[Word]):
    verdicts = Verdicts.of(words)
    traced = trace_story(EVERYONE, matched(EVERYONE), REGISTRY, verdicts)
    edges = traced.edges
    assert without_cycles(edges) == list(edges)
    unobserved = {(e.copy, e.source_publisher) for e in edges if e.source is None}
    assert unobserved <= {(copy, a.source_publisher) for copy, answers in traced.considered.items() for a in answers if a.source is None}
    ends = [(e.copy, e.source, e.source_publisher) for e in edges]
    assert len(set(ends)) == len(ends)
    for copy, each in verdicts.confirmed.items():
        found = {(e.source, e.source_publisher) for e in edges if e.copy == copy and e.verdict}
        assert {w.source for w in each if w.source is not None} <= {source for source, _ in found}
        assert found


def test_a_name_confirmed_beside_another_source_does_not_take_the_place_of_what_was_confirmed_of_its_article():
    said = [Word("confirm", 2, 1, AGENCY), Word("confirm", 2, None, BLOG), Word("confirm", 3, None, AGGREGATOR)]
    found = {
        (e.copy, e.source, e.source_publisher)
        for e in trace_story(EVERYONE, matched(EVERYONE), REGISTRY, Verdicts.of(said)).edges
        if e.verdict
    }
    assert found in (
        {(2, 1, AGENCY), (2, None, BLOG), (3, 2, AGGREGATOR)},
        {(2, 1, AGENCY), (2, 3, BLOG), (3, None, AGGREGATOR)},
    )


def test_of_two_that_are_each_said_to_come_from_the_others_publisher_one_has_a_source_that_was_not_observed():
    found = sources(STORY, Word("confirm", 2, None, BLOG), Word("confirm", 3, None, AGGREGATOR))
    assert found[2] == [(None, BLOG, True)]
    assert found[3] == [(2, AGGREGATOR, True)]


def test_a_confirmed_name_does_not_mean_an_article_that_derives_from_the_copy_by_a_confirmed_pair():
    found = sources(STORY, Word("confirm", 3, 2, AGGREGATOR), Word("confirm", 2, None, BLOG))
    assert found == {2: [(None, BLOG, True)], 3: [(2, AGGREGATOR, True)]}


def test_a_confirmed_name_confirms_one_article_of_its_publisher():
    again = version(6, AGENCY, PARAGRAPHS[:5], 20)
    found = sources([WIRE, again, REPOST], Word("confirm", 3, None, AGENCY))
    assert [said for *_, said in found[3]].count(True) == 1


EDGES = st.lists(
    st.builds(
        lambda copy, source, confidence, said: Edge(copy, source, 9, "edited", confidence, False, None, (), "confirmed" if said else None),
        st.integers(0, 6), st.integers(0, 6), st.floats(0, 1), st.booleans(),
    ).filter(lambda e: e.copy != e.source), max_size=14,
)  # fmt: skip


@given(EDGES)
def test_of_edges_that_form_a_cycle_some_go_but_whom_a_person_named_stays_once(edges: list[Edge]):
    kept = without_cycles(edges)
    drawn = [(e.copy, e.source) for e in kept if e.source is not None]
    assert [ends for ends in ((e.copy, e.source) for e in edges) if ends in drawn] == drawn or len(set(drawn)) < len(edges)
    assert {(e.copy, e.source) for e in edges} >= set(drawn)
    assert {(e.copy, e.source_publisher) for e in kept if e.verdict} == {(e.copy, e.source_publisher) for e in edges if e.verdict}
    unobserved = [(e.copy, e.source_publisher) for e in kept if e.source is None]
    assert len(set(unobserved)) == len(unobserved)
    assert without_cycles(kept) == kept
