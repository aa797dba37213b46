"""What a page states outside its text."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syndtrack.models import Credit
from syndtrack.reading.markup import lines, parse
from syndtrack.reading.structure import MAX_NODES, Description, describe

HERE = "https://www.paper.example/2021/ferry"


def page(head: str = "", body: str = "") -> Description:
    return describe(parse(f"<!DOCTYPE html><html><head>{head}</head><body>{body}</body></html>"), HERE)


def ld(**stated: object) -> str:
    node = {"@context": "https://schema.org", "@type": "NewsArticle", "headline": "Ferry runs aground"} | stated
    return f'<script type="application/ld+json">{json.dumps(node)}</script>'


def sources(head: str) -> list[tuple[str | None, str | None, str | None]]:
    return [(c.field, c.name, c.url) for c in page(head).stated]


@pytest.mark.parametrize(
    ("head", "body"),
    [
        ('<meta property="og:title" content="Ferry runs aground">', ""),
        (
            '<meta property="og:title" content="Ferry runs aground | Harbour Paper"><meta property="og:site_name" content="Harbour Paper">',
            "",
        ),
        (ld(), ""),
        ("<title>Ferry runs aground - paper.example</title>", "<h1>Ferry runs aground</h1>"),
        ("<title>Paper: Ferry runs aground</title>", ""),
        ("", "<h1> Ferry <em>runs</em>\n aground</h1>"),
    ],
)
def test_the_headline_comes_without_the_site(head: str, body: str):
    assert page(head, body).title == "Ferry runs aground"


def test_a_colon_or_dash_of_the_headline_itself_stays():
    assert page("<title>Ferry aground: what we know - so far</title>").title == "Ferry aground: what we know - so far"


def test_a_page_without_any_title_has_none():
    assert page("", "<p>Text.</p>").title is None


@pytest.mark.parametrize(
    ("head", "body"),
    [
        ('<meta property="article:published_time" content="2021-06-05T14:00:00+02:00">', ""),
        (ld(datePublished="2021-06-05T12:00:00Z"), ""),
        ('<meta name="date" content="Sat, 05 Jun 2021 12:00:00 GMT">', ""),
        ('<meta itemprop="datePublished" content="2021-06-05 12:00">', ""),
        ("", '<time datetime="2020-01-01">old</time><time itemprop="datePublished" datetime="2021-06-05T12:00Z">5 June</time>'),
        ('<meta property="article:published_time" content="soon">', '<time datetime="2021-06-05T12:00:00Z">today</time>'),
    ],
)
def test_the_date_of_publication_is_found_and_in_utc(head: str, body: str):
    assert page(head, body).published == datetime(2021, 6, 5, 12, tzinfo=UTC)


def test_a_date_nobody_can_read_is_none():
    assert page('<meta property="article:published_time" content="03/04/2021">').published is None


def test_the_canonical_address_is_absolute():
    assert page('<link rel="canonical" href="/2021/ferry?id=4">').canonical == "https://www.paper.example/2021/ferry?id=4"
    assert page('<base href="https://cdn.example/x/"><link rel="canonical" href="ferry">').canonical == "https://cdn.example/x/ferry"


@pytest.mark.parametrize("href", ["/", "https://www.paper.example", "javascript:void(0)", "", "http://[broken"])
def test_a_front_page_or_no_address_is_no_canonical(href: str):
    assert page(f'<link rel="canonical" href="{href}">').canonical is None


def test_a_canonical_address_on_another_site_is_a_credit():
    head = '<link rel="canonical" href="https://wire.example/7">'
    assert page(head).stated == (Credit("republication", "https://wire.example/7", url="https://wire.example/7", field="canonical"),)


@pytest.mark.parametrize("own", ["https://paper.example/2021/ferry", "https://www.paper.test/ferry"])
def test_a_canonical_address_on_the_same_or_a_sister_site_is_none(own: str):
    assert sources(f'<link rel="canonical" href="{own}">') == []


@pytest.mark.parametrize("name", ["syndication-source", "original-source"])
def test_source_elements_are_credits(name: str):
    assert sources(f'<meta name="{name}" content="https://wire.example/7">') == [(name, None, "https://wire.example/7")]
    assert sources(f'<meta name="{name}" content="{HERE}">') == []


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ({"isBasedOn": "https://wire.example/7"}, ("isBasedOn", None, "https://wire.example/7")),
        ({"isBasedOn": {"@type": "NewsArticle", "url": "https://wire.example/7"}}, ("isBasedOn", None, "https://wire.example/7")),
        ({"isBasedOn": [{"@id": "https://wire.example/7", "name": "Coast"}]}, ("isBasedOn", "Coast", "https://wire.example/7")),
        ({"creditText": "Coast Wire"}, ("creditText", "Coast Wire", None)),
        ({"creditText": "Daily Graphic of the Coast"}, ("creditText", "Daily Graphic of the Coast", None)),
        ({"sourceOrganization": {"@type": "Organization", "name": "Coast Wire"}}, ("sourceOrganization", "Coast Wire", None)),
        (
            {"isBasedOn": {"@type": "CreativeWork", "name": "Tide turns", "url": "https://wire.example/7"}},
            ("isBasedOn", "Tide turns", "https://wire.example/7"),
        ),
    ],
)
def test_sources_in_json_ld_are_credits(stated: dict[str, object], expected: tuple[str | None, ...]):
    assert sources(ld(**stated)) == [expected]


@pytest.mark.parametrize(
    "stated",
    [
        {"publisher": {"name": "Harbour Media Group"}},
        {"publisher": {"name": "Harbour Paper", "url": "https://www.paper.example/"}},
        {"provider": "paper.example"},
        {"publisher": {"name": "Harbour Media"}, "sourceOrganization": {"name": "Harbour Media"}},
        {"isBasedOn": ""},
        {"creditText": None},
        {"isBasedOn": 7},
        {"publisher": {"name": "Harbour Group", "url": "https://group.example/"}},
        {"publisher": {"name": "Ferry Herald", "sameAs": "https://www.facebook.example/ferryherald"}},
        {"provider": {"name": "Page Engine", "url": "https://engine.example/"}},
    ],
)
def test_the_pages_own_house_is_no_source(stated: dict[str, object]):
    assert sources(ld(**stated)) == []


@pytest.mark.parametrize("field", ["publisher", "provider"])
def test_a_house_elsewhere_is_a_source_only_where_the_canonical_address_lies_on_its_site(field: str):
    stated = ld(**{field: {"name": "Coast Wire", "url": "https://www.wire.example/"}})
    there = '<link rel="canonical" href="https://wire.example/7">'
    assert (field, "Coast Wire", "https://www.wire.example/") in sources(there + stated)
    assert sources('<link rel="canonical" href="/2021/ferry">' + stated) == []
    assert [f for f, *_ in sources('<link rel="canonical" href="https://third.example/7">' + stated)] == ["canonical"]


@pytest.mark.parametrize("kind", ["WebPage", "WebSite", "ImageObject", ["CollectionPage", "WebPage"]])
def test_nodes_of_the_page_and_of_pictures_state_no_source_of_the_text(kind: object):
    assert sources(ld(**{"@type": kind, "sourceOrganization": {"name": "Page Engine"}, "creditText": "Coast Wire"})) == []


@pytest.mark.parametrize("words", ["Photo: Ben Pier", "Foto Ben Pier/Lens", "Ben Pier / Getty Images", "写真：海辺"])
def test_a_credit_text_of_a_picture_is_a_media_credit(words: str):
    assert page(ld(creditText=words)).stated == (Credit("media", words, name=words, field="creditText"),)


@pytest.mark.parametrize(
    "work",
    [
        "https://doi.org/10.9999/tides.7",
        {"@type": "ScholarlyArticle", "url": "https://journal.example/tides"},
        {"@type": "Dataset", "name": "Tides"},
        [{"@type": "Book", "name": "Tides", "url": "https://books.example/7"}],
    ],
)
def test_a_study_or_a_book_that_an_article_tells_of_is_no_source_of_its_text(work: object):
    assert sources(ld(isBasedOn=work)) == []


@pytest.mark.parametrize(
    "copy",
    [
        "https://paper-example.cdn.ampproject.org/c/s/www.paper.example/2021/ferry",
        "https://cdn.ampproject.org/v/s/paper.example/2021/ferry?amp_js_v=0.1",
        "https://www.google.com/amp/s/www.paper.example/2021/ferry",
        "https://www.google.co.uk/amp/paper.example/2021/ferry",
    ],
)
def test_a_copy_that_a_search_engine_serves_is_the_page_itself(copy: str):
    own = f'<!DOCTYPE html><html><head><link rel="canonical" href="{HERE}"></head><body><p>Text.</p></body></html>'
    assert describe(parse(own), copy).stated == ()
    assert page(f'<link rel="canonical" href="{copy}">').stated == ()


def test_behind_a_served_copy_another_site_is_still_another_site():
    head = '<link rel="canonical" href="https://wire-example.cdn.ampproject.org/c/s/wire.example/7">'
    assert sources(head) == [("canonical", None, "https://wire.example/7")]


def test_two_thousand_nodes_of_json_ld_are_looked_at_lists_among_them():
    deep = [{"@type": "NewsArticle", "headline": "Deep"}]
    assert page(f'<script type="application/ld+json">{json.dumps([[]] * (MAX_NODES - 3) + deep)}</script>').title == "Deep"
    assert page(f'<script type="application/ld+json">{json.dumps([[]] * MAX_NODES + deep)}</script>').title is None


def test_a_megabyte_of_nested_lists_is_passed_over():
    lists = "[" + ",".join(["[[],[]]"] * 110_000) + "]"
    assert page(f'<script type="application/ld+json">{lists}</script><title>Ferry</title>').title == "Ferry"


def test_half_surrogates_in_json_ld_are_dropped():
    found = page(
        '<script type="application/ld+json">{"@type": "NewsArticle", "headline": "Ferry\\ud800", "author": "Ada \\udc00Quay",'
        ' "articleBody": "One\\ud800.", "creditText": "Coast\\ud83d Wire"}</script>'
    )
    assert (found.title, found.beside, found.body) == ("Ferry", (("byline", "Ada Quay"),), "One.")
    assert [c.name for c in found.stated] == ["Coast Wire"]


def test_articles_inside_a_graph_are_read():
    graph = {
        "@graph": [{"@type": "WebSite", "name": "x"}, {"@type": ["NewsArticle"], "headline": "Deep", "isBasedOn": "https://wire.example/7"}]
    }
    found = page(f'<script type="application/ld+json">{json.dumps(graph)}</script>')
    assert (found.title, [c.url for c in found.stated]) == ("Deep", ["https://wire.example/7"])


@pytest.mark.parametrize("broken", ["{", "[" * 50_000, '{"@type": "NewsArticle", "headline": {"a": 1}}', "null", "7", '"text"', "[[[]]]"])
def test_broken_json_ld_is_passed_over(broken: str):
    assert page(f'<script type="application/ld+json">{broken}</script><title>Ferry</title>').title == "Ferry"


def test_bylines_and_captions_stand_beside():
    body = (
        '<span class="entry-byline">By Ada Quay, Coast Wire</span><a rel="author">Ada Quay</a>'
        '<figure><img src="x"><figcaption>The ferry. Ben Pier/Lens Agency</figcaption></figure><p class="authority">Not one.</p>'
    )
    assert page("", body).beside == (
        ("byline", "By Ada Quay, Coast Wire"),
        ("byline", "Ada Quay"),
        ("caption", "The ferry. Ben Pier/Lens Agency"),
    )


def test_the_body_that_json_ld_gives_is_plain_text():
    assert page(ld(articleBody="<p>One &amp; two.</p><p>Three.</p>")).body == "One & two.\nThree."
    assert page(ld(articleBody="Profit < 3.\nLoss.")).body == "Profit < 3.\nLoss."


def test_lines_end_at_blocks_and_breaks_and_keep_their_links():
    tree = parse(
        "<p>See <a href='/1'>the\n report</a> now<br>or later</p>loose<ul><li>a<li>b</ul><table><tr><td>c<td>d</table><script>x</script>"
    )
    assert [line.text for line in lines(tree)] == ["See the report now", "or later", "loose", "a", "b", "c d"]
    assert next(lines(tree)).links == [("/1", "the report")]


@pytest.mark.parametrize("html", ["", "<!-- -->", "<?xml version='1.0' encoding='utf-16'?>", "\ud800", "\x00", "<" * 1_000])
def test_odd_markup_is_parsed_or_none(html: str):
    tree = parse(html)
    assert tree is None or isinstance(list(lines(tree)), list)


def test_text_below_ten_thousand_elements_is_still_there():
    tree = parse("<div>" * 10_000 + "<p>deep down</p>" + "</div>" * 10_000 + "<p>after</p>")
    assert [line.text for line in lines(tree)] == ["deep down", "after"]


TAGS = st.sampled_from(
    ["<html>", "<meta property='og:title' content='", "'>", "<link rel=canonical href=", ">", "<script type='application/ld+json'>"]
)
SCRAPS = TAGS | st.sampled_from(
    ['{"@type":"Article","headline":', '"isBasedOn":[', "}", "</script>", "<h1>", "<time datetime='", "<base href='http://["]
)


@given(st.lists(SCRAPS | st.text(max_size=8), max_size=20).map("".join))
@settings(max_examples=150, deadline=None)
def test_any_markup_can_be_described(html: str):
    tree = parse(html)
    if tree is not None:
        found = describe(tree, HERE)
        assert found.published is None or found.published.tzinfo is UTC
