"""Publishers that a person makes one: the outcome is that of one publisher from the start, whenever it was said."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path

import pytest
from conftest import ingested, rows
from test_flow import AGENCY, AGGREGATOR, BLOG, REPORT, START, UNRELATED, archive, article, findings

from syndtrack.config import Settings
from syndtrack.errors import UsageError
from syndtrack.models import Publisher
from syndtrack.tracker import Tracker

NOW = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)
BAKERY = UNRELATED["text"].split("\n\n")

# One house that seems to be two: "Mole End Blog" at blog.example, and a site that only its address tells.
HOUSE = article("https://blog.example/bakery", BAKERY, 30, publisher="Mole End Blog")
SITE = article("https://burrow.example/gates", ["The lock gates of Lower Sarn are painted green again.", *BAKERY[:1]], 31)
SAME_TEXT = article("https://burrow.example/basin", BLOG["text"].split("\n\n"), 260)
NAMED = article(
    "https://burrow.example/named", ["A note on the colour of doors in the lower town.", *BAKERY[1:2]], 40, publisher="The Burrow"
)
CREDITING = article("https://echo.example/basin", [*REPORT[:5], "Via The Burrow"], 400, publisher="Echo of the Coast")
CREDITING_ADDRESS = article("https://echo.example/bakery", [*BAKERY, "Via burrow.example"], 401, publisher="Echo of the Coast")
LATER = [BLOG, SAME_TEXT, NAMED, CREDITING, CREDITING_ADDRESS, AGENCY]


def outcome(tracker: Tracker) -> list[str]:
    """What stands in the store, without ids and without what tells when a person said what."""
    store = tracker.store
    said = rows(store, "SELECT c.text, p.name FROM credit c LEFT JOIN publisher p ON p.id = c.publisher_id ORDER BY 1, 2")
    whose = rows(
        store,
        "SELECT d.url, a.url, p.name FROM address d JOIN article a ON a.id = d.article_id "
        "JOIN publisher p ON p.id = a.publisher_id ORDER BY 1",
    )
    names = rows(store, "SELECT name FROM publisher WHERE known_from <> 'seed' ORDER BY 1")
    lines = rows(
        store, "SELECT p.name, l.line_key, l.articles FROM publisher_line l JOIN publisher p ON p.id = l.publisher_id ORDER BY 1, 2"
    )
    cut = rows(store, "SELECT v.text_hash, r.rule, r.start FROM removal r JOIN revision v ON v.id = r.revision_id ORDER BY 1, 3, 2")
    assert rows(store, "PRAGMA foreign_key_check") == []
    assert rows(store, "SELECT count(*) FROM article WHERE traced = 0") == [(0,)]
    return [*findings(tracker), *map(str, (said, whose, names, lines, cut))]


@pytest.mark.parametrize("order", [(0, 1, 2, 3, 4, 5), (5, 4, 3, 2, 1, 0), (2, 0, 4, 1, 5, 3)], ids=["forth", "back", "mixed"])
def test_a_merge_before_between_or_after_the_articles_comes_to_the_same(tmp_path: Path, order: tuple[int, ...]):
    outcomes = set()
    for merged_after in (0, 2, 4, 6):
        with Tracker(Settings(db=tmp_path / f"{merged_after}.db"), lambda: NOW) as tracker:
            tracker.ingest([archive(tmp_path, [HOUSE, SITE], "first.jsonl")])
            for place in range(7):
                if place == merged_after:
                    tracker.publishers.merge(["burrow.example"], "Mole End Blog")
                if place < 6:
                    tracker.ingest([archive(tmp_path, [LATER[order[place]]], f"{place}.jsonl")])
            outcomes.add(tuple(outcome(tracker)))
            assert tracker.publishers.show("The Burrow")["name"] == "Mole End Blog"
            assert tracker.trace(SAME_TEXT["url"])["article"]["url"] == BLOG["url"]
    assert len(outcomes) == 1


def test_the_order_of_merges_is_no_matter(tmp_path: Path):
    other = article("https://sett.example/1", ["The badgers have moved out.", *BAKERY], 77, publisher="The Sett")
    outcomes = set()
    for number, order in enumerate(
        permutations([("burrow.example", "Mole End Blog"), ("The Sett", "burrow.example"), ("Echo of the Coast", "Mole End Blog")])
    ):
        with ingested(tmp_path, [HOUSE, SITE, other, *LATER[:2], CREDITING], f"{number}.db") as tracker:
            for one, into in order:
                tracker.publishers.merge([one], into)
            tracker.publishers.rename("The Sett", "The House")
            outcomes.add(tuple(outcome(tracker)))
    assert len(outcomes) == 1


def test_a_decision_outlives_a_restart_and_seeds_that_are_read_again(tmp_path: Path):
    with ingested(tmp_path, [HOUSE, SITE]) as tracker:
        tracker.publishers.merge(["burrow.example"], "Mole End Blog")
        tracker.publishers.rename("AFP", "Agence")
        tracker.publishers.set_owner("Reuters", "Somebody else")
        tracker.publishers.set_kind("AP", "outlet")
    with Tracker(Settings(db=tmp_path / "x.db")) as tracker:
        with tracker.store.transaction():
            tracker.store.publishers.seed([Publisher("AFP", "agency"), Publisher("Reuters", "agency", owner="Thomson Reuters")])
        shown = [tracker.publishers.show(name) for name in ("AFP", "Reuters", "AP", "burrow.example")]
        assert [(s["name"], s["owner"], s["kind"]) for s in shown] == [
            ("Agence", None, "agency"),
            ("Reuters", "Somebody else", "agency"),
            ("AP", None, "outlet"),
            ("Mole End Blog", None, "unknown"),
        ]
        assert [(o["known_from"], o["owner"]) for o in shown[1]["owners"]] == [("person", "Somebody else"), ("seed", "Thomson Reuters")]
        assert tracker.publishers.unset_owner("Reuters")["owner"] == "Thomson Reuters"
        tracker.ingest([archive(tmp_path, [SAME_TEXT, NAMED])])
        assert tracker.trace(NAMED["url"])["article"]["publisher"] == "Mole End Blog"


def test_a_name_that_two_had_is_the_ones_after_their_merge_and_credits_are_resolved_again(tmp_path: Path):
    texts = [("Post A", "a"), ("Post B", "b")]
    articles = [article(f"https://{d}.example/1", [f"On the doors of {name}.", *BAKERY], 10, publisher=name) for name, d in texts]
    crediting = article("https://echo.example/basin", [*REPORT, "Via The Harbour Post"], 400, publisher="Echo of the Coast")
    with ingested(tmp_path, articles) as tracker:
        with tracker.store.transaction():
            for name, _ in texts:
                tracker.store.publishers.announce(tracker.publishers.find(name), ["The Harbour Post"])
        tracker.ingest([archive(tmp_path, [crediting])])
        with pytest.raises(UsageError, match=r"2 publishers go by 'Harbour Post': 'Post A', 'Post B'"):
            tracker.publishers.find("Harbour Post")
        assert [e for e in tracker.report("edges") if e["copy"] == crediting["url"]] == []
        tracker.publishers.merge(["Post B"], "Post A")
        (edge,) = (e for e in tracker.report("edges") if e["copy"] == crediting["url"])
        assert (edge["source_publisher"], edge["credited"], edge["observed"]) == ("Post A", True, False)


def test_only_the_stories_that_a_merge_touches_are_traced_again(tmp_path: Path):
    with ingested(tmp_path, [AGENCY, AGGREGATOR, BLOG, UNRELATED, SITE]) as tracker:
        before = dict(rows(tracker.store, "SELECT copy_id, min(id) FROM edge GROUP BY copy_id"))
        assert len(before) >= 2
        tracker.publishers.merge(["burrow.example"], "Upper Town Paper")
        assert dict(rows(tracker.store, "SELECT copy_id, min(id) FROM edge GROUP BY copy_id")) == before


def test_a_site_that_a_person_gave_to_one_is_not_made_anothers_by_its_own_statement(tmp_path: Path):
    claims = article("https://burrow.example/claims", ["What the mayor said of doors.", *BAKERY[1:]], 50, publisher="Reuters")
    with ingested(tmp_path, [HOUSE, SITE]) as tracker:
        tracker.publishers.merge(["burrow.example"], "Mole End Blog")
        tracker.ingest([archive(tmp_path, [claims])])
        assert tracker.publishers.show("burrow.example")["name"] == "Mole End Blog"
        assert tracker.publishers.show("reuters.com")["articles"] == 1


def test_one_known_from_credits_can_be_renamed_and_is_found_under_both_names(tmp_path: Path):
    with ingested(tmp_path, [CREDITING]) as tracker:
        tracker.publishers.rename("The Burrow", "Burrow Gazette")
        tracker.ingest([archive(tmp_path, [NAMED])])
        assert tracker.trace(NAMED["url"])["article"]["publisher"] == "Burrow Gazette"
        assert tracker.trace(CREDITING["url"])["chain"][-1]["publisher"] == "Burrow Gazette"


def test_equal_texts_of_three_sites_become_one_article_seen_first(tmp_path: Path):
    sites = [article(f"https://{d}.example/basin", REPORT, minutes) for d, minutes in (("c", 9), ("a", 3), ("b", 5))]
    with ingested(tmp_path, [*sites, AGENCY]) as tracker:
        tracker.publishers.merge(["a.example", "b.example"], "c.example")
        assert tracker.store.lookups.counts()["articles"] == 2
        node = tracker.trace(sites[0]["url"])["article"]
        assert (node["url"], node["publisher"]) == (sites[1]["url"], "c.example")
        assert node["first_seen"] == (START + timedelta(minutes=3)).isoformat().replace("+00:00", "Z")
        counted = rows(
            tracker.store,
            "SELECT max(articles) FROM publisher_line WHERE publisher_id = (SELECT id FROM publisher WHERE name = 'c.example')",
        )
        assert counted == [(1,)]
