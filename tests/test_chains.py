"""Stories, read off edges."""

from syndtrack.models import Edge
from syndtrack.provenance.chains import stories


def edge(copy, source=None, publisher=None, confidence=0.9):
    return Edge(copy, source, publisher, "edited", confidence, credited=True, credited_to=None)


def test_ten_papers_with_one_agency_text_are_one_origin():
    edges = [edge(n, publisher=70) for n in range(10)]
    assert [s.independent_origins for s in stories(edges)] == [1]
    assert stories(edges)[0].articles == frozenset(range(10))


def test_an_article_that_merges_two_texts_joins_them_and_has_two_origins():
    edges = [edge(3, 1), edge(3, 2)]
    assert [s.independent_origins for s in stories(edges)] == [2]
    assert stories(edges)[0].articles == {1, 2, 3}


def test_texts_that_no_edge_joins_are_stories_apart():
    assert [s.articles for s in stories([edge(2, 1), edge(4, 3)])] == [{1, 2}, {3, 4}]
