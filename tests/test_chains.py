"""Chains, origins, copies and stories, read off edges."""

from hypothesis import given
from hypothesis import strategies as st

from syndtrack.models import Edge
from syndtrack.provenance.chains import Node, chain, copies, independent_origins, origin, stories


def edge(copy, source=None, publisher=None, confidence=0.9):
    return Edge(copy, source, publisher, "edited", confidence, credited=True, credited_to=None)


def test_a_chain_goes_hop_by_hop_to_a_source_known_by_name_only():
    edges = [edge(3, 2), edge(2, 1), edge(1, publisher=70)]
    assert chain(3, edges) == (Node(3), Node(2), Node(1), Node(None, 70))
    assert origin(3, edges) == Node(None, 70)


def test_an_article_without_source_is_its_own_origin():
    assert chain(5, []) == (Node(5),)
    assert origin(5, []) == Node(5)


def test_of_several_sources_the_most_confident_leads_the_chain():
    assert chain(3, [edge(3, 1, confidence=0.6), edge(3, 2, confidence=0.8)])[-1] == Node(2)


def test_copies_are_found_through_hops_and_not_among_siblings():
    edges = [edge(2, 1), edge(3, 1), edge(4, 2), edge(5, 4)]
    assert copies(1, edges) == (2, 3, 4, 5)
    assert copies(2, edges) == (4, 5)
    assert copies(3, edges) == ()


def test_ten_papers_with_one_agency_text_are_one_origin():
    edges = [edge(n, publisher=70) for n in range(10)]
    assert [s.independent_origins for s in stories(edges)] == [1]
    assert stories(edges)[0].articles == frozenset(range(10))


def test_an_article_that_merges_two_texts_joins_them_and_has_two_origins():
    edges = [edge(3, 1), edge(3, 2)]
    assert independent_origins(edges) == 2
    assert stories(edges)[0].articles == {1, 2, 3}


def test_texts_that_no_edge_joins_are_stories_apart():
    assert [s.articles for s in stories([edge(2, 1), edge(4, 3)])] == [{1, 2}, {3, 4}]


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=40))
def test_every_chain_ends_even_if_edges_should_form_a_cycle(pairs):
    edges = [edge(a, b) for a, b in pairs if a != b]
    for n in range(13):
        nodes = chain(n, edges)
        assert len(set(nodes)) == len(nodes)


@given(st.lists(st.integers(0, 30), max_size=30))
def test_in_a_forest_each_article_derives_from_exactly_the_articles_of_its_chain(parents):
    edges = [edge(n + 1, min(p, n)) for n, p in enumerate(parents)]
    for n in range(len(parents) + 1):
        above = {node.article_id for node in chain(n, edges)[1:]}
        assert above == {m for m in range(len(parents) + 1) if n in copies(m, edges)}
