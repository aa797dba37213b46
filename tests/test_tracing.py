"""Who copied whom: small stories whose answer a reader can tell."""

import tomllib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations, permutations

import pytest

from syndtrack.models import Credit, Match, Publisher, Removal, ResolvedCredit, Version
from syndtrack.provenance.features import Story
from syndtrack.provenance.statements import is_telling
from syndtrack.provenance.tracing import trace_story
from syndtrack.provenance.weights import FILE, FIRST, SECOND, rewritten
from syndtrack.publishers import Registry
from syndtrack.words import tokenise

AGENCY, AGGREGATOR, BLOG, PAPER, GAZETTE, HERALD = 10, 20, 30, 40, 50, 60
REGISTRY = Registry(
    {
        AGENCY: Publisher("AFP", "agency", ("Agence France-Presse",), ("afp.com",)),
        AGGREGATOR: Publisher("ZeroHedge", "aggregator", (), ("zerohedge.com",)),
        BLOG: Publisher("Harbour Notes", "blog", (), ("harbournotes.example",)),
        PAPER: Publisher("Valley Paper", "outlet", (), ("valleypaper.example",)),
        GAZETTE: Publisher("Hill Gazette", "outlet", (), ("hillgazette.example",)),
        HERALD: Publisher("Lake Herald", "outlet", (), ("lakeherald.example",)),
    }
)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
PARAGRAPHS = [
    "The ferry company said on Monday that it would take two of its oldest ships out of service before the summer season begins.",
    "Both vessels have failed inspections since January, and the yard that built them closed eleven years ago without a successor.",
    "Islanders depend on the morning crossing for school, for fresh food and for the only dentist within forty kilometres of the pier.",
    "A spokeswoman for the ministry of transport answered that replacement boats had been ordered in Norway and would arrive in June.",
    "Until then a chartered catamaran is to cover the route twice a day, weather permitting, at the price of an ordinary ticket.",
    "The mayor of the largest island called the plan a joke and asked how wheelchairs were supposed to board a racing boat.",
]
OTHER = [
    "Grape growers along the upper valley have begun to pick three weeks early because of a spring without a single night of frost.",
    "Cooperatives expect a small but very sweet harvest, and prices for must at the local exchange have already risen by a fifth.",
    "Seasonal workers are scarce, so that students from the agricultural college were given two days off to help in the steep plots.",
    "An association of cellars warned that the alcohol of this vintage might exceed what the rules of the appellation allow.",
]

LIBRARY = [
    "The town library lends more saws and ladders than novels since it opened its room of tools in the cellar two years ago.",
    "Volunteers sharpen the blades every second Thursday, and whoever brings back a drill late pays with an hour at their bench.",
    "Insurers had refused to cover the cellar at first, until a retired fire officer wrote them a plan of forty pages.",
    "Neighbouring towns now send delegations, most of which, the librarian says, go home with a borrowed cement mixer.",
]


def version(number, publisher, paragraphs, minutes=0, *, credits=(), inserts=(), published=None, title="", links=()):
    """An article. `credits` are (kind, line, publisher id) of lines in the text; those and `inserts` are removed for matching."""
    text = "\n\n".join(paragraphs)
    cut = [("read-also", line) for line in inserts] + [("credit", line) for _, line, _ in credits]
    removals = sorted((Removal(rule, text.index(line), text.index(line) + len(line)) for rule, line in cut), key=lambda r: r.start)
    resolved = [
        ResolvedCredit(Credit(kind, line, "name", None, text.index(line), text.index(line) + len(line)), named)
        for kind, line, named in credits
    ]
    return Version(
        number, publisher, None, publisher == AGENCY, f"https://{publisher}.example/{publisher}/{sum(map(len, paragraphs))}", title,
        NOON + timedelta(minutes=minutes), published, (text,), tuple(removals), tuple(resolved), frozenset(links),
    )  # fmt: skip


def matched(versions):
    """Every pair that shares a good part of its words."""
    sets = {v.article_id: set(tokenise(v.texts[0], v.removals).shingles.tolist()) for v in versions}
    found = {}
    for a, b in combinations(sorted(sets), 2):
        shared = len(sets[a] & sets[b])
        if shared >= 15:
            kind = "verbatim" if sets[a] == sets[b] else "edited"
            found[a, b] = Match(shared / len(sets[a] | sets[b]), shared / len(sets[a]), shared / len(sets[b]), shared + 4, kind)
    return found


def trace(*versions: Version):
    return trace_story(versions, matched(versions), REGISTRY)


def sources(traced):
    """(source id or None, source publisher) by copy."""
    return {e.copy: (e.source, e.source_publisher) for e in traced.edges}


VIA = ("republication", "Via Zerohedge", AGGREGATOR)


def test_a_repost_that_names_a_site_nobody_polls_points_to_that_site_by_name():
    (edge,) = trace(version(1, BLOG, [*PARAGRAPHS, "Via Zerohedge"], credits=[VIA])).edges
    assert (edge.source, edge.source_publisher, edge.credited, edge.credited_to) == (None, AGGREGATOR, True, None)
    (credit,) = [e for e in edge.evidence if e.kind == "credit"]
    assert (credit.text, credit.start is not None and credit.weight > 0) == ("Via Zerohedge", True)


def test_with_the_named_article_in_the_story_the_edge_goes_to_it_with_overlap_credit_and_time():
    original = version(1, AGGREGATOR, PARAGRAPHS)
    repost = version(2, BLOG, [*PARAGRAPHS, "Via Zerohedge"], 50, credits=[VIA])
    (edge,) = trace(original, repost).edges
    assert (edge.copy, edge.source, edge.source_publisher, edge.credited) == (2, 1, AGGREGATOR, True)
    assert edge.confidence > 0.9
    assert {e.kind for e in edge.evidence} >= {"overlap", "credit", "time"}


def test_evidence_from_the_text_is_quoted_as_it_stands_there():
    repost = version(2, BLOG, [*PARAGRAPHS, "Via Zerohedge"], 50, credits=[VIA])
    for edge in trace(version(1, AGGREGATOR, PARAGRAPHS), repost).edges:
        for e in edge.evidence:
            if e.start is not None:
                assert repost.texts[0][e.start : e.end] == e.text


def test_an_agencys_own_article_does_not_point_to_the_agency():
    own = version(1, AGENCY, [f"ROME (AFP) - {PARAGRAPHS[0]}", *PARAGRAPHS[1:]], credits=[("wire", "ROME (AFP) -", AGENCY)])
    assert trace(own).edges == ()


def dateline(number, publisher, minutes, *, body=PARAGRAPHS, published=None):
    line = "ROME (AFP) -"
    return version(number, publisher, [f"{line} {body[0]}", *body[1:]], minutes, credits=[("wire", line, AGENCY)], published=published)


def test_two_papers_with_one_agency_text_are_siblings():
    traced = trace(dateline(1, PAPER, 0), dateline(2, GAZETTE, 45, body=PARAGRAPHS[:5]))
    assert sources(traced) == {1: (None, AGENCY), 2: (None, AGENCY)}


def test_the_agencys_article_takes_the_place_of_its_name_when_it_turns_up():
    papers = [dateline(1, PAPER, 10), dateline(2, GAZETTE, 45, body=PARAGRAPHS[:5])]
    agency = version(3, AGENCY, PARAGRAPHS)
    assert sources(trace(agency, *papers)) == {1: (3, AGENCY), 2: (3, AGENCY)}


def naming(number, publisher, minutes, line, named=AGENCY, *, inserts=(), paragraphs=PARAGRAPHS):
    """An article that ends with a republication credit, dated when it was seen."""
    published = NOON + timedelta(minutes=minutes)
    return version(
        number,
        publisher,
        [*paragraphs, *inserts, line],
        minutes,
        inserts=inserts,
        published=published,
        credits=[("republication", line, named)],
    )


@pytest.mark.parametrize("lines", [("Source: AFP", "Source: AFP"), ("Quelle: AFP", "(via AFP)"), ("来源：AFP", "来源：AFP")])
def test_papers_that_give_an_agency_as_their_source_in_a_line_of_its_own_are_siblings(lines):
    traced = trace(*(naming(n, p, 30 * n, line) for n, p, line in zip((1, 2), (PAPER, GAZETTE), lines, strict=True)))
    assert sources(traced) == {1: (None, AGENCY), 2: (None, AGENCY)}


def test_many_papers_with_one_agency_text_make_no_ladder():
    papers = [naming(n, p, 5 * n, "Source: AFP") for n, p in enumerate((PAPER, GAZETTE, HERALD, BLOG, AGGREGATOR), 1)]
    assert sources(trace(*papers)) == dict.fromkeys(range(1, 6), (None, AGENCY))


def test_the_agencys_article_takes_the_place_of_its_name_in_such_lines_too():
    papers = [naming(1, PAPER, 10, "Source: AFP"), naming(2, GAZETTE, 45, "Source: AFP")]
    assert sources(trace(version(3, AGENCY, PARAGRAPHS), *papers)) == {1: (3, AGENCY), 2: (3, AGENCY)}


def test_a_paper_that_names_an_agency_otherwise_than_the_one_before_it_is_its_sibling():
    traced = trace(dateline(1, PAPER, 0, published=NOON), naming(2, GAZETTE, 30, "Source: AFP"))
    assert sources(traced) == {1: (None, AGENCY), 2: (None, AGENCY)}


def test_many_papers_with_the_agencys_own_line_make_no_ladder():
    papers = [dateline(n, p, 20 * n, published=NOON + timedelta(minutes=20 * n)) for n, p in enumerate((PAPER, GAZETTE, HERALD, BLOG), 1)]
    assert sources(trace(*papers)) == dict.fromkeys(range(1, 5), (None, AGENCY))


def test_a_paper_that_shares_another_ones_changes_is_not_said_to_have_its_text_from_the_agency_they_all_name():
    changed = [PARAGRAPHS[0].replace("oldest", "eldest"), PARAGRAPHS[1].replace("Both", "The two"), *PARAGRAPHS[2:4]]
    changed += [PARAGRAPHS[4].replace("catamaran", "trimaran"), PARAGRAPHS[5].replace("a joke", "a bad joke")]

    def paper(number, publisher, minutes, paragraphs):
        return replace(
            naming(number, publisher, minutes, "Source: AFP", paragraphs=paragraphs), url=f"https://{publisher}.example/{number}"
        )

    plain = [paper(n, p, 2 * n, PARAGRAPHS) for n, p in ((3, HERALD), (4, BLOG))]
    first, second = paper(1, PAPER, 0, changed), paper(2, GAZETTE, 30, changed)
    assert sources(trace(first, second, *plain))[2] == (1, PAPER)
    assert (2, None) not in {(e.copy, e.source) for e in trace(first, second, *plain, paper(5, AGGREGATOR, 10, PARAGRAPHS)).edges}


def test_a_paper_that_took_over_another_ones_insert_is_its_copy_although_it_names_the_agency():
    insert = "READ ALSO: Ten harbours you have never heard of"
    traced = trace(naming(1, PAPER, 0, "Source: AFP", inserts=[insert]), naming(2, GAZETTE, 40, "Quelle: AFP", inserts=[insert]))
    assert sources(traced) == {1: (None, AGENCY), 2: (1, PAPER)}


def test_two_blogs_that_name_a_site_nobody_polls_in_the_shortest_words_are_siblings():
    blogs = [naming(1, BLOG, 0, "Via Zerohedge", AGGREGATOR), naming(2, GAZETTE, 30, "Via Zerohedge", AGGREGATOR)]
    assert sources(trace(*blogs)) == {1: (None, AGGREGATOR), 2: (None, AGGREGATOR)}


def test_a_credit_line_with_words_of_its_own_shows_through_which_copy_it_came():
    line = "With the kind permission of our old friends at Zerohedge, who had it from the pier."
    blogs = [naming(1, BLOG, 0, line, AGGREGATOR), naming(2, GAZETTE, 30, line, AGGREGATOR)]
    assert sources(trace(*blogs)) == {1: (None, AGGREGATOR), 2: (1, BLOG)}


@pytest.mark.parametrize(
    ("line", "name", "telling"),
    [
        ("Source: Harbour Notes", "Harbour Notes", False),
        ("Originally published by Harbour Notes", "Harbour Notes", False),
        ("First published that day by Harbour Notes", "Harbour Notes", True),
        ("Via https://harbournotes.example/a-story-of-many-words", None, False),
        ("Via harbournotes.example/a/story-of-many-words", "harbournotes.example", False),
        ("बंदरगाह समाचार से साभार", "बंदरगाह समाचार", False),
        ("来源：港口报", "港口报", False),
    ],
)
def test_a_credit_line_is_telling_with_more_than_three_words_beside_the_name(line, name, telling):
    assert is_telling(Credit("republication", line, name)) == telling


def test_an_article_dated_before_its_agency_original_is_still_the_copy():
    agency = version(1, AGENCY, PARAGRAPHS, 0, published=NOON)
    copy = dateline(2, PAPER, 30, published=NOON - timedelta(days=1))
    assert sources(trace(agency, copy)) == {2: (1, AGENCY)}


def test_quoted_reporting_is_no_source():
    line = "The sources said so to AFP."
    assert trace(version(1, PAPER, [*PARAGRAPHS, line], credits=[("cited", line, AGENCY)])).edges == ()


def test_a_hat_tip_is_no_credit():
    thanks = "H/T Zerohedge"
    traced = trace(
        version(1, AGGREGATOR, PARAGRAPHS, 0), version(2, BLOG, [*PARAGRAPHS, thanks], 90, credits=[("hat-tip", thanks, AGGREGATOR)])
    )
    assert [(e.source, e.credited) for e in traced.edges] == [(1, False)]


def test_a_dropped_paragraph_that_two_copies_share_binds_them():
    whole = version(1, AGGREGATOR, PARAGRAPHS, 0)
    shorter = version(2, PAPER, [*PARAGRAPHS[:2], "Locals have a name for the oldest of the ships.", *PARAGRAPHS[3:]], 60)
    third = version(3, BLOG, shorter.texts[0].split("\n\n")[:5], 120)
    assert sources(trace(whole, shorter, third))[3] == (2, PAPER)


def test_a_button_that_two_sites_both_show_says_nothing_of_who_copied_whom():
    line = "Share this article on Facebook and Twitter"
    whole = version(1, AGGREGATOR, PARAGRAPHS, 0)
    with_button = [version(n, p, [*PARAGRAPHS[:3], line, *PARAGRAPHS[3:]], 60 * n, inserts=[line]) for n, p in ((2, PAPER), (3, BLOG))]
    with_button = [replace(v, removals=tuple(replace(r, rule="sharing") for r in v.removals)) for v in with_button]
    without = [version(n, p, PARAGRAPHS, 60 * n) for n, p in ((2, PAPER), (3, BLOG))]
    assert confidences(trace(whole, *with_button)) == confidences(trace(whole, *without))


def confidences(traced):
    return {(e.copy, e.source): e.confidence for e in traced.edges}


def test_an_inherited_line_of_another_site_shows_through_which_copy_the_text_came():
    line = "READ ALSO  Harbour Masters Quarrel Over The New Breakwater"
    whole = version(1, AGGREGATOR, PARAGRAPHS, 0)
    dressed = version(2, PAPER, [*PARAGRAPHS[:3], line, *PARAGRAPHS[3:]], 60, inserts=[line])
    third = version(3, BLOG, [*PARAGRAPHS[:3], line, *PARAGRAPHS[3:]], 120, inserts=[line])
    traced = trace(whole, dressed, third)
    assert sources(traced)[3] == (2, PAPER)
    (edge,) = [e for e in traced.edges if e.copy == 3]
    assert any(e.kind == "innovation" and e.text == line for e in edge.evidence)


def test_a_copy_of_an_earlier_revision_is_still_a_copy():
    original = version(1, AGGREGATOR, [*PARAGRAPHS[:2], *OTHER], 0)
    original = replace(original, texts=(original.texts[0], "\n\n".join(PARAGRAPHS)))
    copy = version(2, PAPER, PARAGRAPHS, 60)
    match = {(1, 2): Match(0.3, 0.35, 0.9, 100, "edited")}
    assert [(e.copy, e.source) for e in trace_story([original, copy], match, REGISTRY).edges] == [(2, 1)]


def test_articles_of_one_publisher_are_not_copies_of_each_other():
    assert trace(version(1, PAPER, PARAGRAPHS, 0), version(2, PAPER, PARAGRAPHS[:5], 60)).edges == ()


def test_a_credit_to_somebody_else_is_told():
    original = version(1, PAPER, PARAGRAPHS, 0)
    line = "Source: Zerohedge"
    copy = version(2, GAZETTE, [*PARAGRAPHS, line], 60, credits=[("republication", line, AGGREGATOR)], links=[1])
    (edge,) = [e for e in trace(original, copy).edges if e.source == 1] or [None]
    assert edge is not None
    assert (edge.credited, edge.credited_to) == (False, AGGREGATOR)


def test_an_article_made_of_two_texts_gets_an_edge_to_each():
    ferries, grapes = version(1, PAPER, PARAGRAPHS, 0), version(2, HERALD, OTHER, 20)
    both = version(3, BLOG, [*PARAGRAPHS[:4], *OTHER[:3]], 200)
    traced = trace(ferries, grapes, both)
    assert {(e.copy, e.source, e.kind) for e in traced.edges} == {(3, 1, "multi-source"), (3, 2, "multi-source")}


def test_an_article_made_of_three_texts_gets_an_edge_to_each():
    texts = [version(1, PAPER, PARAGRAPHS, 0), version(2, HERALD, OTHER, 20), version(3, GAZETTE, LIBRARY, 40)]
    digest = version(4, BLOG, [*PARAGRAPHS[:3], *OTHER[:3], *LIBRARY[:3]], 200)
    traced = trace(*texts, digest)
    assert {(e.copy, e.source, e.kind) for e in traced.edges} == {(4, n, "multi-source") for n in (1, 2, 3)}


def test_an_article_whose_further_source_is_too_unsure_to_be_drawn_is_not_said_to_have_several():
    ferries = version(1, PAPER, PARAGRAPHS, 0)
    alike = [version(n, publisher, OTHER, 20) for n, publisher in enumerate((HERALD, GAZETTE, AGGREGATOR, AGENCY), 2)]
    both = version(6, BLOG, [*PARAGRAPHS[:4], *OTHER[:2]], 200)
    assert [(e.source, e.kind) for e in trace(ferries, *alike, both).edges if e.copy == 6] == [(1, "edited")]


def test_a_passage_that_another_version_of_the_same_text_has_is_no_second_source():
    line = "BERLIN (AFP) -"
    short = version(1, PAPER, [f"{line} {PARAGRAPHS[0]}", PARAGRAPHS[1]], 0, credits=[("wire", line, AGENCY)])
    rest = version(2, HERALD, PARAGRAPHS[1:], 20)
    third = version(3, BLOG, [f"{line} {PARAGRAPHS[0]}", *PARAGRAPHS[1:]], 200, credits=[("wire", line, AGENCY)])
    assert sum(e.copy == 3 for e in trace(short, rest, third).edges) == 1


def test_a_copy_that_stops_where_an_abridged_version_stops_has_its_text_from_there():
    def dated(number, publisher, minutes, paragraphs=PARAGRAPHS):
        return version(number, publisher, paragraphs, minutes, published=NOON + timedelta(minutes=minutes))

    whole = [dated(1, AGGREGATOR, 0), dated(2, GAZETTE, 30), dated(3, HERALD, 70)]
    traced = trace(*whole, dated(4, PAPER, 60, PARAGRAPHS[:4]), dated(5, BLOG, 120, PARAGRAPHS[:4]))
    assert sources(traced)[5] == (4, PAPER)
    (edge,) = [e for e in traced.edges if e.copy == 5]
    assert any("both end where other versions go on" in e.text for e in edge.evidence if e.kind == "innovation")


def test_an_original_does_not_become_the_copy_of_an_agency_that_a_later_collage_names():
    original = version(1, HERALD, OTHER, 0)
    line = "ROME (AFP) -"
    collage = version(2, BLOG, [f"{line} {PARAGRAPHS[0]}", *PARAGRAPHS[1:], *OTHER[:2]], 500, credits=[("wire", line, AGENCY)])
    assert 1 not in sources(trace(original, collage))


def test_no_article_is_its_own_ancestor_however_alike_the_versions_are():
    versions = [version(n, 10 * n, PARAGRAPHS, 3 * n) for n in range(2, 7)]
    heads = {copy: source for copy, (source, _) in sources(trace(*versions)).items()}
    for copy in heads:
        path = [copy]
        while (head := heads.get(path[-1])) is not None:
            assert head not in path
            path.append(head)


def test_every_feature_that_can_occur_has_a_weight_and_a_reason(chain):
    known = tomllib.loads(FILE.read_text(encoding="utf-8"))
    assert all(entry["says"] for entry in known.values())
    story = Story(tuple(chain), matched(chain), REGISTRY)
    met = {name for copy in range(3) for option in story.options(copy, {0, 1, 2} - {copy}) for name in option.features}
    assert met <= known.keys()


def test_rewriting_the_weights_keeps_their_reasons():
    assert rewritten(FIRST, SECOND) == FILE.read_text(encoding="utf-8")


@pytest.fixture
def chain():
    """Agency, aggregator, repost: three hops."""
    agency = version(1, AGENCY, PARAGRAPHS, 0)
    aggregator = dateline(2, AGGREGATOR, 40)
    repost = version(3, BLOG, [*PARAGRAPHS[:5], "Via Zerohedge"], 300, credits=[VIA])
    return [agency, aggregator, repost]


def test_the_chain_is_the_same_in_every_order_of_arrival(chain):
    wanted = trace_story(chain, matched(chain), REGISTRY)
    assert sources(wanted) == {2: (1, AGENCY), 3: (2, AGGREGATOR)}
    for order in permutations(chain):
        assert trace_story(order, matched(chain), REGISTRY) == wanted


def test_the_chain_does_not_depend_on_the_values_of_ids(chain):
    wanted = [(e.confidence, [w.text for w in e.evidence]) for e in trace_story(chain, matched(chain), REGISTRY).edges]
    for ids in permutations([7, 400, 5]):
        renamed = [replace(v, article_id=n) for v, n in zip(chain, ids, strict=True)]
        traced = trace_story(renamed, matched(renamed), REGISTRY)
        assert [(e.confidence, [w.text for w in e.evidence]) for e in traced.edges] == wanted
        assert sources(traced) == {ids[1]: (ids[0], AGENCY), ids[2]: (ids[1], AGGREGATOR)}


def test_what_was_considered_is_told_with_probabilities_that_add_up(chain):
    for answers in trace_story(chain, matched(chain), REGISTRY).considered.values():
        assert sum(a.probability for a in answers) == pytest.approx(1.0, abs=0.01)
        assert [a.probability for a in answers] == sorted((a.probability for a in answers), reverse=True)
