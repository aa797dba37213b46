"""Publishers in the store: whose an article is, whom a credit means, whatever came first."""

import json
from contextlib import closing
from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path

import pytest
from conftest import ingested, rows
from test_flow import AGENCY, AGGREGATOR, BLOG, REPORT

from syndtrack.flow import Flow, ReadArticle, read_article
from syndtrack.models import Credit, PollResult, Publisher, Submission
from syndtrack.store.publishers import feed_name
from syndtrack.store.store import Store

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


STATED = ("The Pilot Digest", "https://digest.example/1")
BY_ADDRESS = (None, "https://digest.example/2")
VIA = Credit("republication", "Via Pilot Digest", "Pilot Digest")
VIA_DOMAIN = Credit("republication", "Via digest.example", "digest.example")
VIA_URL = Credit("republication", "here", None, "https://www.digest.example/2")


def publishers_after(steps: tuple[object, ...]) -> tuple[object, ...]:
    """What stands in the store, without ids, when articles and credits come in some order."""
    with closing(Store(":memory:")) as store, store.transaction():
        store.publishers.load()
        for step in steps:
            if isinstance(step, Credit):
                submission = Submission(f"https://quoting.example/{step.text}", START, text="\n".join([step.text, *REPORT]))
                read = read_article(submission)
                resolved = [(step, *store.publishers.of_credit(step))]
                number = store.publishers.of_article(None, submission.url)
                store.articles.record(submission.url, number, START, read.reading, resolved)
            else:
                store.publishers.of_article(*step)
        credits = rows(store, "SELECT c.text, p.name FROM credit c LEFT JOIN publisher p ON p.id = c.publisher_id ORDER BY 1, 2")
        names = rows(store, "SELECT name, known_from FROM publisher ORDER BY 1")
        domains = rows(store, "SELECT d.domain, p.name FROM publisher_domain d JOIN publisher p ON p.id = d.publisher_id ORDER BY 1")
        return credits, names, domains


def test_a_credit_before_or_after_what_declares_its_publisher_means_the_same_publisher():
    found = {json.dumps(publishers_after(order)) for order in permutations([STATED, BY_ADDRESS, VIA, VIA_DOMAIN, VIA_URL])}
    assert len(found) == 1
    credits, names, domains = json.loads(found.pop())
    assert {name for _, name in credits} == {"The Pilot Digest"}
    assert ["The Pilot Digest", "statement"] in names
    assert ["digest.example", "The Pilot Digest"] in domains


def test_a_publisher_known_from_credits_alone_goes_by_one_spelling_whatever_came_first():
    spellings = [Credit("republication", f"Via {name}", name) for name in ("Mole End", "The Mole End", "MOLE END")]
    found = {json.dumps(publishers_after(order)) for order in permutations(spellings)}
    assert len(found) == 1


def test_a_publisher_that_spells_its_name_in_several_ways_goes_by_one_of_them_whatever_came_first():
    stated = [(name, f"https://digest.example/{n}") for n, name in enumerate(("PILOT DIGEST", "The Pilot Digest", "Pilot Digest"))]
    found = {json.dumps(publishers_after(order)) for order in permutations([*stated, VIA])}
    assert len(found) == 1
    assert ["Pilot Digest", "statement"] in json.loads(found.pop())[1]


def test_a_name_that_a_person_gave_stays_however_the_publisher_spells_it(store: Store):
    with store.transaction():
        number = store.publishers.of_article("The Pilot Digest", "https://digest.example/1")
        store.decisions.rename(number, "The Pilot Digest", START)
        store.publishers.of_article("Pilot Digest", "https://digest.example/2")
    assert ("The Pilot Digest",) in rows(store, "SELECT name FROM publisher")


def test_an_ambiguous_name_stays_unresolved(store: Store):
    with store.transaction():
        store.publishers.seed([Publisher("Post A", aliases=("The Post",)), Publisher("Post B", aliases=("The Post",))])
        assert store.publishers.of_credit(Credit("republication", "Via The Post", "The Post")) == (None, "post")


@pytest.mark.parametrize("kind", ["media", "cited"])
def test_who_took_a_picture_or_is_quoted_is_no_publisher_of_text(store: Store, kind: str):
    with store.transaction():
        assert store.publishers.of_credit(Credit(kind, "Photo: Jane Roe", "Jane Roe")) == (None, "janeroe")
    assert rows(store, "SELECT * FROM publisher") == []


def test_a_merge_takes_everything_over_and_has_the_stories_traced_again(tmp_path: Path):
    with ingested(tmp_path, [AGENCY, AGGREGATOR, BLOG]) as tracker:
        store = tracker.store
        ids = dict(rows(store, "SELECT name, id FROM publisher WHERE name IN ('The Pilot Digest', 'Mole End Blog')"))
        with store.transaction():
            store.publishers.merge(ids["Mole End Blog"], ids["The Pilot Digest"])
        assert rows(store, "SELECT count(*) FROM publisher WHERE name = 'Mole End Blog'") == [(0,)]
        assert store.publishers._declared.keys() >= {"pilotdigest"}
        tracker._flow.settle()
        assert tracker.trace(BLOG["url"])["article"]["publisher"] == "The Pilot Digest"
        assert rows(store, "PRAGMA foreign_key_check") == []
        assert rows(store, "SELECT count(*) FROM article WHERE traced = 0") == [(0,)]


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Example Post » Feed", "Example Post"),
        ("Example Post - RSS", "Example Post"),
        ("Example Post RSS Feed", "Example Post"),
        ("Jean-Marie", "Jean-Marie"),
        ("  ", ""),
        (None, ""),
        ("x" * 500, "x" * 200),
    ],
)
def test_a_feeds_title_gives_its_publishers_name(title: str | None, name: str):
    assert feed_name(title) == name


def test_a_publisher_known_by_its_address_takes_its_feeds_name_and_a_stated_one_keeps_its_own(store: Store):
    with store.transaction():
        by_address = store.publishers.of_article(None, "https://www.mole.example/1")
        stated = store.publishers.of_article("The Pilot Digest", "https://digest.example/1")
        assert store.publishers.of_feed("https://mole.example/rss", "Mole End Blog » Feed") == by_address
        assert store.publishers.of_feed("https://digest.example/rss", "Something else") == stated
    assert rows(store, "SELECT name FROM publisher ORDER BY 1") == [("Mole End Blog",), ("The Pilot Digest",)]


@pytest.mark.parametrize(("url", "feeds"), [(AGGREGATOR["url"], 1), ("https://elsewhere.example/1", 0)], ids=["at home", "elsewhere"])
def test_a_feed_is_its_sites_publishers_once_an_article_of_that_site_came(store: Store, url: str, feeds: int):
    read = read_article(Submission(url, START, text=AGGREGATOR["text"], publisher=AGGREGATOR["publisher"]))
    assert isinstance(read, ReadArticle)
    with store.transaction():
        store.feeds.add("https://digest.example/rss", None, START)
    (feed,) = store.feeds.all()
    Flow(store).record_poll(PollResult(feed, START, "new", 200, "why"), [read], [])
    found = {row["name"]: row["feeds"] for row in store.directory.publishers()}
    assert found[AGGREGATOR["publisher"]] == feeds


def test_a_login_in_an_articles_address_is_not_stored(store: Store):
    read = read_article(Submission("https://ada:swordfish@digest.example/1", START, text=AGGREGATOR["text"]))
    assert isinstance(read, ReadArticle)
    with store.transaction():
        Flow(store).record([read])
    assert rows(store, "SELECT url FROM article UNION ALL SELECT url FROM address") == [("https://digest.example/1",)] * 2
