"""From articles to chains on a real store, in every order of arrival."""

import json
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path

import pytest

from syndtrack import pairing
from syndtrack.config import Settings
from syndtrack.matching.compare import compare
from syndtrack.tracker import Tracker

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)

REPORT = [
    "The harbour authority of Port Lunnet will close its northern basin for eleven weeks while divers replace its gates.",
    "Fishing crews must move forty-two boats to the old ferry landing before the first of the month, where there is neither ice nor fuel.",
    "The gates date from 1958 and leaked so much last winter that the pumps ran on three days out of four, its master told the council.",
    "Work is to cost 6.3 million crowns, two thirds of which the province will pay if the basin opens again before the herring season.",
    "The fishermen's cooperative wants the town to waive the landing fee, and says that nine of its members may give up otherwise.",
    "A first attempt to mend the gates ended two years ago when the contractor went bankrupt with half of the steel delivered.",
]


def article(url: str, paragraphs: list[str], minutes: int, **fields: str) -> dict[str, str]:
    seen = (START + timedelta(minutes=minutes)).isoformat()
    return {"url": url, "text": "\n\n".join(paragraphs), "first_seen": seen, "title": "Basin to close", **fields}


AGENCY = article("https://wire.example/basin", REPORT, 0, publisher="Lunnet Wire")
AGGREGATOR = article(
    "https://digest.example/basin",
    ["Here is one more thing that nobody in the ministry will read before lunch.", *REPORT[:2], *REPORT[3:], "Via Lunnet Wire"],
    60,
    publisher="The Pilot Digest",
)
BLOG = article(
    "https://blog.example/basin",
    ["Here is one more thing that nobody in the ministry will read before lunch.", *REPORT[:2], "READ ALSO  Council Loses The Keys Again",
     *REPORT[3:], "Via The Pilot Digest"],
    200,
    publisher="Mole End Blog",
)  # fmt: skip
UNRELATED = article(
    "https://paper.example/bakery",
    ["A bakery in the upper town has won the regional prize for rye bread for the third year running.",
     "Its owner says that the secret is a starter she took over from her grandmother, and a wood oven that never goes cold.",
     "The prize money of 4,000 crowns will go into a second oven, to be lit in autumn when the flour of the new harvest comes in."],
    30,
    publisher="Upper Town Paper",
)  # fmt: skip


@pytest.fixture
def tracker(tmp_path: Path):
    with Tracker(Settings(db=tmp_path / "x.db")) as opened:
        yield opened


def archive(folder: Path, articles: list[dict[str, str]], name: str = "a.jsonl") -> str:
    file = folder / name
    file.write_text("".join(json.dumps(a) + "\n" for a in articles), encoding="utf-8")
    return str(file)


def chain(tracker: Tracker, url: str) -> list[str | None]:
    return [node["url"] or node["publisher"] for node in tracker.trace(url)["chain"]]


def findings(tracker: Tracker) -> list[str]:
    return [json.dumps(row, sort_keys=True) for name in ("matches", "edges", "stories") for row in tracker.report(name)]


def test_a_repost_of_a_repost_is_traced_hop_by_hop_to_the_agency(tracker: Tracker, tmp_path: Path):
    tracker.ingest([archive(tmp_path, [AGENCY, AGGREGATOR, BLOG, UNRELATED])])
    assert chain(tracker, BLOG["url"]) == [BLOG["url"], AGGREGATOR["url"], AGENCY["url"]]
    assert chain(tracker, UNRELATED["url"]) == [UNRELATED["url"]]


@pytest.mark.parametrize("order", list(permutations([AGENCY, AGGREGATOR, BLOG])))
def test_any_order_of_arrival_one_by_one_ends_in_the_same_findings(tmp_path: Path, order: tuple[dict[str, str], ...]):
    with Tracker(Settings(db=tmp_path / "bulk.db")) as bulk, Tracker(Settings(db=tmp_path / "single.db")) as single:
        bulk.ingest([archive(tmp_path, [AGENCY, AGGREGATOR, BLOG])])
        for number, each in enumerate(order):
            single.ingest([archive(tmp_path, [each], f"{number}.jsonl")])
        assert findings(single) == findings(bulk)


def test_a_named_publisher_that_was_not_observed_is_the_end_of_the_chain_until_its_article_turns_up(tracker: Tracker, tmp_path: Path):
    tracker.ingest([archive(tmp_path, [BLOG])])
    assert chain(tracker, BLOG["url"]) == [BLOG["url"], "The Pilot Digest"]
    tracker.ingest([archive(tmp_path, [AGGREGATOR])])
    assert chain(tracker, BLOG["url"])[:2] == [BLOG["url"], AGGREGATOR["url"]]
    edge = next(e for e in tracker.report("edges") if e["copy"] == BLOG["url"])
    assert edge["observed"]
    assert edge["credited"]
    assert {"overlap", "credit", "time"} <= {e["kind"] for e in edge["evidence"]}


def test_the_insert_is_removed_and_the_last_line_is_a_credit(tracker: Tracker, tmp_path: Path):
    tracker.ingest([archive(tmp_path, [BLOG])])
    record = tracker.trace(BLOG["url"])
    assert "READ ALSO  Council Loses The Keys Again" in [r["text"] for r in record["removals"]]
    assert [(c["kind"], c["publisher"]) for c in record["credits"]] == [("republication", "The Pilot Digest")]
    for each in (*record["credits"], *record["removals"]):
        assert BLOG["text"][each["start"] : each["end"]] == each["text"]


@pytest.mark.parametrize(
    "named", [lambda path: path, Path, lambda path: [Path(path)], lambda path: iter([path])], ids=["one", "a Path", "Paths", "any"]
)
def test_archives_are_named_one_or_several_as_strings_or_paths(tracker: Tracker, tmp_path: Path, named):
    assert tracker.ingest(named(archive(tmp_path, [AGENCY, AGGREGATOR]))).new == 2


def test_taking_in_the_same_file_twice_changes_nothing(tracker: Tracker, tmp_path: Path):
    file = archive(tmp_path, [AGENCY, AGGREGATOR, BLOG, UNRELATED])
    assert tracker.ingest([file]).new == 4
    before = findings(tracker)
    again = tracker.ingest([file])
    assert (again.new, again.changed, again.unchanged) == (0, 0, 4)
    assert findings(tracker) == before


def test_another_form_of_an_address_is_the_same_article(tracker: Tracker, tmp_path: Path):
    forms = ["?utm_source=feed&utm_medium=rss", "?print=1", "/amp", "#comments"]
    tracker.ingest([archive(tmp_path, [AGENCY, *({**AGENCY, "url": AGENCY["url"] + f} for f in forms)])])
    assert tracker.store.lookups.counts()["articles"] == 1
    assert chain(tracker, AGENCY["url"] + "?utm_campaign=x") == [AGENCY["url"]]


def test_a_changed_text_is_a_new_revision_and_a_copy_may_match_the_earlier_one(tracker: Tracker, tmp_path: Path):
    corrected = article(AGENCY["url"], ["The plan to close the basin has been given up.", *reversed(UNRELATED["text"].split("\n\n"))], 90)
    tracker.ingest([archive(tmp_path, [AGENCY, corrected, AGGREGATOR])])
    assert tracker.store.lookups.counts()["revisions"] == 3
    assert chain(tracker, AGGREGATOR["url"]) == [AGGREGATOR["url"], AGENCY["url"]]


def test_of_two_live_tickers_only_the_revisions_alike_by_their_signatures_are_compared(
    tracker: Tracker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    updates = [
        f"At a quarter past {n} the pumps of gate {n} were {word} again."
        for n, word in enumerate(["started", "stopped", "tried", "mended", "left"])
    ]
    tickers = [
        article(f"https://{site}.example/ticker", REPORT + updates[:count], start + 10 * count, publisher=site)
        for site, start in (("wire", 0), ("paper", 7))
        for count in range(len(updates) + 1)
    ]
    compared: list[int] = []
    monkeypatch.setattr(pairing, "compare", lambda a, b, **attested: compared.append(1) or compare(a, b, **attested))
    tracker.ingest([archive(tmp_path, tickers)])
    assert len(compared) == pairing.MOST_REVISION_PAIRS < len(updates) ** 2
    with Tracker(Settings(db=tmp_path / "backwards.db")) as backwards, Tracker(Settings(db=tmp_path / "all.db")) as exhaustive:
        backwards.ingest([archive(tmp_path, tickers[::-1])])
        monkeypatch.setattr(pairing, "MOST_REVISION_PAIRS", 1_000)
        exhaustive.ingest([archive(tmp_path, tickers)])
        assert findings(tracker) == findings(backwards) == findings(exhaustive)


def test_a_text_that_is_not_stored_can_be_traced_and_leaves_nothing_behind(tracker: Tracker, tmp_path: Path):
    tracker.ingest([archive(tmp_path, [AGENCY, AGGREGATOR])])
    before = findings(tracker), tracker.store.lookups.counts()
    record = tracker.trace_text(BLOG["text"])
    assert [n["url"] for n in record["chain"][1:]] == [AGGREGATOR["url"], AGENCY["url"]]
    assert (findings(tracker), tracker.store.lookups.counts()) == before


def test_too_little_text_is_said_so_and_never_matched(tracker: Tracker, tmp_path: Path):
    short = [article(f"https://s{n}.example/x", ["Rain is expected in the north tomorrow."], n) for n in range(3)]
    tracker.ingest([archive(tmp_path, short)])
    assert tracker.trace(short[0]["url"])["judgement"] == "too little text"
    assert list(tracker.report("matches")) == []


def test_a_publisher_known_from_a_credit_is_the_one_that_later_publishes(tracker: Tracker, tmp_path: Path):
    tracker.ingest(
        [
            archive(tmp_path, [BLOG]),
            archive(tmp_path, [UNRELATED | {"publisher": "The Pilot Digest", "url": "https://digest.example/b"}], "b.jsonl"),
        ]
    )
    names = [row["name"] for row in tracker.store.db.query("SELECT name FROM publisher WHERE name LIKE '%Pilot Digest%'")]
    assert names == ["The Pilot Digest"]


def test_forgetting_an_article_is_as_if_it_had_never_come(tracker: Tracker, tmp_path: Path):
    tracker.ingest([archive(tmp_path, [AGENCY, BLOG, UNRELATED])])
    before = findings(tracker)
    tracker.ingest([archive(tmp_path, [AGGREGATOR], "b.jsonl")])
    assert findings(tracker) != before
    assert [r.what for r in tracker.forget([AGGREGATOR["url"], "https://nobody.example/x"])] == ["https://nobody.example/x"]
    assert findings(tracker) == before
    assert tracker.search("ministry lunch") != []
    assert list(tracker.store.db.conn.execute("PRAGMA foreign_key_check")) == []


def test_two_addresses_are_one_article_as_soon_as_they_have_shown_the_same_text(tmp_path: Path):
    first = article("https://wire.example/one", REPORT, 0, publisher="Lunnet Wire")
    other = article("https://wire.example/two", UNRELATED["text"].split("\n\n"), 5, publisher="Lunnet Wire")
    same = article("https://wire.example/two", REPORT, 9, publisher="Lunnet Wire")
    outcomes = set()
    for number, order in enumerate(permutations([first, other, same, AGGREGATOR])):
        with Tracker(Settings(db=tmp_path / f"{number}.db")) as tracker:
            for place, each in enumerate(order):
                tracker.ingest([archive(tmp_path, [each], f"{place}.jsonl")])
            assert tracker.store.lookups.counts()["articles"] == 2
            assert list(tracker.store.db.conn.execute("PRAGMA foreign_key_check")) == []
            counted = tracker.store.db.conn.execute("SELECT min(articles), max(articles) FROM publisher_line").fetchone()
            outcomes.add((*findings(tracker), counted, tracker.trace(first["url"])["article"]["url"]))
    assert len(outcomes) == 1


def test_a_title_shared_by_feeds_of_two_sites_does_not_make_them_one_publisher(tracker: Tracker):
    with tracker.store.transaction():
        publishers = tracker.store.publishers
        ids = {publishers.of_feed(f"https://{name}.example/rss", "World | Daily news") for name in ("alphapost", "betapost")}
        ids.add(publishers.of_feed("https://evil.example/rss", "Reuters"))
        assert len(ids) == 3
        assert publishers.of_article("Reuters", "https://www.reuters.com/x") not in ids


def test_a_credit_before_an_unstated_article_before_a_stated_one_means_one_publisher(tmp_path: Path):
    unstated = {k: v for k, v in UNRELATED.items() if k != "publisher"} | {"url": "https://digest.example/1"}
    outcomes = set()
    for number, order in enumerate(permutations([BLOG, unstated, AGGREGATOR])):
        with Tracker(Settings(db=tmp_path / f"{number}.db")) as tracker:
            for place, each in enumerate(order):
                tracker.ingest([archive(tmp_path, [each], f"{place}.jsonl")])
            names = [row["name"] for row in tracker.store.db.query("SELECT name FROM publisher WHERE known_from <> 'seed' ORDER BY name")]
            outcomes.add((*findings(tracker), *names))
    assert len(outcomes) == 1


def test_two_trackers_on_one_file_take_turns_without_doubling_or_losing_anything(tmp_path: Path):
    with (
        Tracker(Settings(db=tmp_path / "x.db")) as one,
        Tracker(Settings(db=tmp_path / "x.db")) as two,
        Tracker(Settings(db=tmp_path / "y.db")) as alone,
    ):
        one.ingest([archive(tmp_path, [UNRELATED], "0.jsonl")])
        two.forget([UNRELATED["url"]])
        for place, (each, tracker) in enumerate(((BLOG, two), (AGENCY, one), (AGGREGATOR, two))):
            tracker.ingest([archive(tmp_path, [each], f"{place}.jsonl")])
        alone.ingest([archive(tmp_path, [AGENCY, AGGREGATOR, BLOG], "all.jsonl")])
        assert findings(one) == findings(two) == findings(alone)
