"""A person's word while polls come in: what is read of it for a story, and that it takes hold of what comes later."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from conftest import ingested
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_catching_up import poll
from test_flow import AGENCY, AGGREGATOR, BLOG, UNRELATED

from syndtrack.config import Settings
from syndtrack.flow import Flow
from syndtrack.groups import connected
from syndtrack.models import Credit, Publisher, Verdict
from syndtrack.provenance.verdicts import Verdicts
from syndtrack.publishers import Registry
from syndtrack.store.publishers import StoredPublishers
from syndtrack.store.store import Store
from syndtrack.tracker import Tracker

NOON = datetime(2026, 3, 3, 12, tzinfo=UTC)
EVERYONE = [each | {"published": each["first_seen"]} for each in (AGENCY, AGGREGATOR, BLOG, UNRELATED)]
WIRE, DIGEST, REPOST, BAKERY = EVERYONE
A, D, B, U = (each["url"] for each in EVERYONE)
UNSEEN = ["https://nobody.example/1", "https://nobody.example/2", "https://wire.example/unseen"]


@pytest.fixture
def flow(tmp_path: Path) -> Iterator[Flow]:
    """The steps on a store with one feed and the publishers of the seeds."""
    with Tracker(Settings(db=tmp_path / "x.db")) as tracker:
        tracker.add(["https://feeds.example/rss"])
        yield Flow(tracker.store, lambda: NOON)


def sources(store: Store, copy: str) -> list[tuple[str | None, str | None, str | None]]:
    return [(e["source"], e["source_publisher"], e["verdict"]) for e in store.lookups.edges() if e["copy"] == copy]


def refuse(*_: object) -> None:
    raise AssertionError("fifty thousand publishers take seconds to read")


def test_a_poll_reads_neither_all_publishers_nor_verdicts_on_other_stories(flow: Flow, monkeypatch: pytest.MonkeyPatch):
    read: list[int] = []
    kept = type(flow.store.verdicts)._kept
    flow.judge([Verdict(f"https://far.example/{n}", source, "confirm", NOON) for n, source in enumerate(["Far Press", *UNSEEN])])
    flow.judge([Verdict(U, "Upper Oven Agency", "confirm", NOON), Verdict(U, UNSEEN[0], "reject", NOON)])
    monkeypatch.setattr(StoredPublishers, "__iter__", refuse)
    monkeypatch.setattr(type(flow.store.verdicts), "_kept", lambda table, rows, names: read.append(len(rows)) or kept(table, rows, names))
    poll(flow, [WIRE, DIGEST])
    assert read == []
    poll(flow, [BAKERY])
    assert set(read) == {2}
    assert sources(flow.store, U) == [(None, "Upper Oven Agency", "confirmed")]


def test_a_verdict_given_first_takes_hold_in_the_poll_that_brings_its_copy_and_in_the_one_that_brings_its_source(flow: Flow):
    flow.judge([Verdict(U, A, "confirm", NOON)])
    poll(flow, [BAKERY])
    assert sources(flow.store, U) == [(None, "wire.example", "confirmed")]
    poll(flow, [WIRE])
    assert sources(flow.store, U) == [(A, "Lunnet Wire", "confirmed")]


def test_a_verdict_on_a_name_means_the_publisher_that_a_later_poll_shows_to_bear_it(flow: Flow):
    flow.judge([Verdict(B, "Lunnet Wire", "confirm", NOON), Verdict(B, D, "reject", NOON)])
    poll(flow, [REPOST, DIGEST])
    assert (None, "Lunnet Wire", "confirmed") in sources(flow.store, B)
    poll(flow, [WIRE])
    assert sources(flow.store, B) == [(A, "Lunnet Wire", "confirmed")]


def test_what_another_process_says_of_a_story_holds_from_the_next_poll_on(tmp_path: Path, flow: Flow):
    poll(flow, [WIRE, DIGEST])
    with Tracker(Settings(db=tmp_path / "x.db")) as other:
        assert other.judge([{"copy": B, "source": A, "says": "confirm"}]) == []
    poll(flow, [REPOST])
    assert sources(flow.store, B) == [(A, "Lunnet Wire", "confirmed")]


ADDRESSES = st.sampled_from([A, D, B, U, *UNSEEN])
SAID = st.lists(
    st.tuples(ADDRESSES, st.one_of(ADDRESSES, st.sampled_from(["Lunnet Wire", "Far Press", "AFP"]), st.none()), st.booleans()),
    min_size=1, max_size=9,
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=SAID)
def test_what_is_read_for_some_articles_is_what_holds_of_them_when_all_verdicts_are_read(filled: Tracker, said):
    store = filled.store
    with store.transaction():
        store.db.execute("DELETE FROM verdict")
        for minutes, (copy, source, confirmed) in enumerate(said):
            says = "origin" if source is None else "confirm" if confirmed else "reject"
            store.verdicts.give(Verdict(copy, source, says, NOON + timedelta(minutes=minutes)))
        registry = store.publishers.registry()
        whole = Verdicts.of([kept.word for kept in store.verdicts.all(registry)])
        links = whole.links()
        everyone = [store.lookups.article_id(url) for url in (A, D, B, U)]
        for article in everyone:
            story = connected(store, article, store.publishers)
            joined = {article}
            while more := {x for a in joined for x in (*store.matches.component(a), *links.get(a, ()))} - joined:
                joined |= more
            assert story == sorted(joined)
            read = store.verdicts.of(story, store.publishers)
            for kind in ("confirmed", "rejected"):
                of_story = {a: words for a, words in getattr(read, kind).items() if a in joined}
                assert of_story == {a: words for a, words in getattr(whole, kind).items() if a in joined}
            assert read.origins & joined == whole.origins & joined


def test_a_long_row_of_confirmed_pairs_is_followed_without_asking_for_each_of_its_articles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    row = [UNRELATED | {"url": f"https://row{n}.example/1", "publisher": f"Row {n}", "text": f"Nothing but number {n}."} for n in range(12)]
    with ingested(tmp_path, row) as tracker:
        for source, copy in pairwise(row):
            tracker.judge([{"copy": copy["url"], "source": source["url"], "says": "confirm"}])
        store, asked = tracker.store, list[int]()
        of = type(store.verdicts).of
        monkeypatch.setattr(type(store.verdicts), "of", lambda *given: asked.append(1) or of(*given))
        with store.transaction():
            assert len(connected(store, 1, store.publishers)) == len(row)
    assert len(asked) == 2


def test_a_name_is_looked_up_once_for_all_verdicts_that_state_it(filled: Tracker, monkeypatch: pytest.MonkeyPatch):
    store, asked = filled.store, list[str]()
    named = type(store.publishers).named
    with store.transaction():
        store.db.execute("DELETE FROM verdict")
        numbers = [store.verdicts.give(Verdict(url, "Far Press", "confirm", NOON)) for url in (A, D, B, *UNSEEN)]
        monkeypatch.setattr(type(store.publishers), "named", lambda table, name: asked.append(name) or named(table, name))
        assert len(store.verdicts.linked([numbers[0]], store.publishers)) == 1
        assert len(store.verdicts.all(store.publishers)) == len(numbers)
    assert asked == ["Far Press", "Far Press"]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tracker]:
    """A chain of three articles and one of its own."""
    with ingested(tmp_path_factory.mktemp("filled"), [AGENCY, AGGREGATOR, BLOG, UNRELATED]) as tracker:
        yield tracker


def test_names_mean_the_same_whether_all_publishers_are_read_or_those_that_may_be_meant(filled: Tracker):
    store = filled.store
    with store.transaction():
        for site in ("https://twice.example/", "https://twice.example.org/"):
            store.publishers.of_article("Twice Told", site)
        store.publishers.of_credit(Credit("republication", "Via Heard Of", "Heard Of"))
        store.publishers.of_article("***", "https://signs.example/1")
        whole = Registry(dict(StoredPublishers(store.db.conn)))
        names = {name for name, _ in store.directory.names()} | {
            "nobody",
            "Twice Told",
            "heard  of",
            "THE LUNNET WIRE",
            "x.wire.example",
            "...",
            "",
        }
        names |= {name.removesuffix(".com") for name in names} | {f"www.{name}" for name in names}
        assert {n: store.publishers.named(n) for n in names} == {n: whole.named(n) for n in names}
        hosts = names | {f"https://deep.below.{name}:8080/x?y" for name in names}
        assert {n: store.publishers.at(n) for n in hosts} == {n: whole.at(n) for n in hosts}


def test_publishers_told_apart_by_their_domains_are_known_by_these_names_at_once():
    with closing(Store(":memory:")) as store, store.transaction():
        store.publishers.seed([Publisher(f"{name} Post", "unknown", ("Post",), (f"{name}.example",)) for name in ("north", "south")])
        store.publishers.of_article(None, "https://east.example/1")
        for site in ("east", "west", "far"):
            store.publishers.of_article("Post", f"https://{site}.example/2")
        names = {name for name, _ in store.directory.names()}
        assert {"Post", "Post (west.example)", "Post (far.example)"} <= names
        whole = Registry(dict(StoredPublishers(store.db.conn)))
        assert {n: store.publishers.named(n) for n in names} == {n: whole.named(n) for n in names}
        assert store.publishers.named("Post") is None
        credited, _ = store.publishers.of_credit(Credit("republication", "Via Post (far.example)", "Post (far.example)"))
        assert credited == whole.named("Post (far.example)")
