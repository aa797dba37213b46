"""The database: its schema, all-or-nothing, learned furniture, any order of recording."""

import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import ingested, rows
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlite_utils.utils import sqlite3
from test_flow import AGENCY, AGGREGATOR, BLOG, REPORT, UNRELATED, article

from syndtrack.config import Settings
from syndtrack.errors import StoreError
from syndtrack.flow import Flow, read_article
from syndtrack.models import Feed, Submission
from syndtrack.reading.furniture import FEWEST_PAGES
from syndtrack.store.schema import APPLICATION_ID, SCHEMA_VERSION
from syndtrack.store.store import Store
from syndtrack.tracker import Tracker

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


# -- the schema


def test_every_table_of_ours_is_strict(store: Store):
    tables = [t for t in store.db.tables if not t.name.startswith(("revision_fts", "_sqlite", "sqlite_"))]
    assert len(tables) >= 20
    assert [t.name for t in tables if not t.strict] == []


def test_the_file_says_whose_it_is_and_of_which_version(filled_db: Path):
    with closing(sqlite3.connect(filled_db)) as plain:
        facts = [plain.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version", "journal_mode")]
    assert facts == [APPLICATION_ID, SCHEMA_VERSION, "wal"]


def test_foreign_keys_are_watched_and_hold_after_a_whole_run(filled_db: Path):
    with closing(Store(filled_db, read_only=True)) as store:
        assert rows(store, "PRAGMA foreign_keys") == [(1,)]
        assert rows(store, "PRAGMA foreign_key_check") == []
        assert rows(store, "PRAGMA integrity_check") == [("ok",)]
        assert store.lookups.counts()["edges"] >= 2


def test_nothing_is_left_to_do_after_a_whole_run(filled_db: Path):
    with closing(Store(filled_db, read_only=True)) as store:
        assert rows(store, "SELECT DISTINCT step FROM revision") == [("matched",)]
        assert rows(store, "SELECT DISTINCT traced FROM article") == [(1,)]
        assert rows(store, "SELECT count(*) FROM publisher WHERE lines_changed") == [(0,)]


def test_the_view_of_chains_gives_a_row_a_hop(filled_db: Path):
    with closing(Store(filled_db, read_only=True)) as store:
        found = store.db.query(
            "SELECT depth, copy, source, source_publisher, observed FROM chain WHERE article = ? ORDER BY depth", [BLOG["url"]]
        )
        assert [tuple(row.values()) for row in found] == [
            (1, BLOG["url"], AGGREGATOR["url"], "The Pilot Digest", 1),
            (2, AGGREGATOR["url"], AGENCY["url"], "Lunnet Wire", 1),
        ]


def test_the_view_of_duplicates_and_that_of_publishers_agree(filled_db: Path):
    with closing(Store(filled_db, read_only=True)) as store:
        pairs = rows(store, "SELECT source_publisher, copy_publisher, lag_seconds FROM duplicates ORDER BY lag_seconds")
        assert pairs == [("Lunnet Wire", "The Pilot Digest", 3_600), ("The Pilot Digest", "Mole End Blog", 8_400)]
        assert rows(store, "SELECT source_publisher, copy_publisher FROM publishers_matrix ORDER BY 1") == [pair[:2] for pair in pairs]


def test_full_text_search_folds_case_and_accents_and_wants_every_word(tmp_path: Path):
    with ingested(tmp_path, [article("https://a.example/1", ["Der Präsident reiste nach Łódź.", *REPORT], 0), UNRELATED]) as tracker:
        assert [r["url"] for r in tracker.search("PRASIDENT reiste")] == ["https://a.example/1"]
        assert [r["url"] for r in tracker.search("bakery")] == [UNRELATED["url"]]
        assert tracker.search("bakery präsident") == []
        assert tracker.search('" OR "bakery') == []


# -- transactions


def test_a_failed_transaction_leaves_nothing_and_the_next_one_works(store: Store):
    with pytest.raises(ZeroDivisionError), store.transaction():  # noqa: PT012 - what fails is the end of the block
        store.feeds.add("https://a.example/feed", None, START)
        store.publishers.of_article("The Gone Post", "https://gone.example/1")
        raise ZeroDivisionError
    assert (rows(store, "SELECT * FROM feed"), rows(store, "SELECT * FROM publisher")) == ([], [])
    with store.transaction():
        number = store.publishers.of_article("The Gone Post", "https://gone.example/1")
    assert rows(store, "SELECT id FROM publisher") == [(number,)]  # and not a number remembered from what was taken back


def test_a_wrong_query_stays_a_bug(store: Store):
    with pytest.raises(sqlite3.OperationalError, match="no such table"), store.transaction():
        store.db.execute("SELECT * FROM nonsense")


def test_a_full_disk_is_told_and_leaves_what_was_stored(tmp_path: Path):
    with closing(Store(tmp_path / "x.db")) as store:
        with store.transaction():
            store.feeds.add("https://a.example/feed", None, START)
        pages = rows(store, "PRAGMA page_count")[0][0]
        store.db.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(StoreError, match="the disk is full"), store.transaction():  # noqa: PT012 - what fails is the end of the block
            for number in range(10_000):
                store.feeds.add(f"https://b.example/{number}", "x" * 100, START)
        assert [feed.url for feed in store.feeds.all()] == ["https://a.example/feed"]


def test_a_snapshot_does_not_see_what_is_written_meanwhile(tmp_path: Path):
    with closing(Store(tmp_path / "x.db")) as writer, closing(Store(tmp_path / "x.db", read_only=True)) as reader:
        with reader.snapshot():
            assert reader.feeds.all() == []
            with writer.transaction():
                writer.feeds.add("https://a.example/feed", None, START)
            assert reader.feeds.all() == []
        assert len(reader.feeds.all()) == 1


def test_a_reader_beside_a_writer_always_sees_whole_transactions(tmp_path: Path):
    path = tmp_path / "x.db"
    Store(path).close()
    seen: list[tuple[int, int]] = []
    written = threading.Event()

    def write() -> None:
        with closing(Store(path)) as writer:
            for number in range(100):
                with writer.transaction():
                    writer.feeds.add(f"https://a.example/{number}", None, START)
                    writer.publishers.of_article(f"Publisher {number}", f"https://p{number}.example/")
        written.set()

    thread = threading.Thread(target=write)
    with closing(Store(path, read_only=True)) as reader:
        thread.start()
        while not written.is_set():
            with reader.snapshot():
                seen.append((len(reader.feeds.all()), rows(reader, "SELECT count(*) FROM publisher")[0][0]))
        thread.join()
    assert all(feeds == publishers for feeds, publishers in seen)


def test_two_writers_take_turns_and_know_each_others_publishers(tmp_path: Path):
    with closing(Store(tmp_path / "x.db")) as one, closing(Store(tmp_path / "x.db")) as two:
        with one.transaction():
            first = one.publishers.of_article("The Daily Post", "https://post.example/1")
        with two.transaction():
            assert two.publishers.of_article("The Daily Post", "https://post.example/2") == first
            second = two.publishers.of_article("The Other", "https://other.example/2")
        with one.transaction():
            assert one.publishers.of_article("The Other", "https://other.example/3") == second


# -- furniture

SLOGAN = "Mole End Blog is written by moles and read by hares"


def pages_of(publisher: str, number: int, *lines: str) -> list[dict[str, str]]:
    """Articles of one publisher that share nothing but the lines given."""
    return [
        article(f"https://{publisher}.example/{n}",
                [*(f"{publisher} {word}, a sentence of page {chr(65 + n)}. " * 3 for word in ("one", "two", "three")), *lines], n,
                publisher=publisher)
        for n in range(number)
    ]  # fmt: skip


def furniture_removed(tracker: Tracker) -> int:
    return int(rows(tracker.store, "SELECT count(*) FROM removal WHERE rule = 'furniture'")[0][0])


def test_a_line_on_enough_pages_of_a_publisher_becomes_furniture_of_all_its_pages(tmp_path: Path):
    pages = pages_of("moles", FEWEST_PAGES, SLOGAN)
    with ingested(tmp_path, pages[:-1]) as tracker:
        assert furniture_removed(tracker) == 0
    with ingested(tmp_path, pages[-1:]) as tracker:
        assert furniture_removed(tracker) == FEWEST_PAGES
        assert [line for (line,) in rows(tracker.store, "SELECT line FROM furniture")] == [SLOGAN]


def test_a_line_that_vanishes_from_the_pages_is_furniture_no_more(tmp_path: Path):
    ingested(tmp_path, pages_of("moles", FEWEST_PAGES, SLOGAN)).close()
    later = [page | {"first_seen": (START + timedelta(days=1)).isoformat()} for page in pages_of("moles", FEWEST_PAGES, "A new line " * 9)]
    changed = [page | {"text": page["text"] + f"\nAnd page {n} says so."} for n, page in enumerate(later)]
    with ingested(tmp_path, changed) as tracker:
        assert SLOGAN not in [line for (line,) in rows(tracker.store, "SELECT line FROM furniture")]
        assert rows(tracker.store, "SELECT count(*) FROM publisher_line WHERE articles <= 0") == [(0,)]


def test_what_many_publishers_print_once_is_no_furniture(tmp_path: Path):
    pages = [page for n in range(2 * FEWEST_PAGES) for page in pages_of(f"paper{n}", 1, SLOGAN)]
    with ingested(tmp_path, pages) as tracker:
        assert furniture_removed(tracker) == 0


# -- recording, in any order

FORMS = (
    "https://paper.example/basin",
    "https://www.paper.example/basin?utm_source=rss",
    "http://paper.example/basin/amp",
    "https://paper.example/p?id=7",
)
FIRST, SECOND = "\n".join(REPORT), "\n".join([*REPORT[:-1], "The council votes on Tuesday, and nobody expects it to say no."])
SUBMISSIONS = [
    Submission(FORMS[0], START, text=FIRST, title="Basin to close"),
    Submission(FORMS[1], START + timedelta(hours=1), text=FIRST, title="Basin to close", published=START - timedelta(hours=2)),
    Submission(FORMS[2], START + timedelta(hours=2), text=SECOND, title="Basin to close after all"),
    Submission(FORMS[0], START + timedelta(hours=4), text=FIRST, title="Basin to close", published=START),
    Submission("https://other.example/basin", START + timedelta(hours=1), text=FIRST, title="Basin"),
]


def recorded(order: list[Submission]) -> list[object]:
    """All that is stored, without ids, when submissions are recorded in some order."""
    with closing(Store(":memory:")) as store:
        flow = Flow(store)
        with store.transaction():
            for submission in order:
                flow.record([read_article(submission)])
        flow.settle()
        return [
            rows(store, query)
            for query in (
                "SELECT a.url, a.title, a.published, a.first_seen, r.text FROM article a "
                "JOIN revision r ON r.id = a.revision_id ORDER BY 1",
                "SELECT a.url, r.text, r.first_seen, r.last_seen, r.step, r.judgement FROM revision r "
                "JOIN article a ON a.id = r.article_id ORDER BY 1, 2",
                "SELECT d.url, d.key, a.url, d.first_seen FROM address d JOIN article a ON a.id = d.article_id ORDER BY 1",
                "SELECT p.name, l.line_key, l.articles FROM publisher_line l JOIN publisher p ON p.id = l.publisher_id ORDER BY 1, 2",
                "SELECT min(x.url, y.url), max(x.url, y.url), m.kind FROM match m "
                "JOIN article x ON x.id = m.a JOIN article y ON y.id = m.b ORDER BY 1, 2",
            )
        ]


def test_address_forms_and_texts_seen_again_are_one_article_with_its_revisions():
    elsewhere = Submission(FORMS[3], START + timedelta(hours=3), text=SECOND, title="Basin to close after all")
    articles, revisions, addresses, *_ = recorded([*SUBMISSIONS, elsewhere])
    assert [row[0] for row in articles] == ["https://other.example/basin", FORMS[0]]
    assert len([r for r in revisions if r[0] == FORMS[0]]) == 2
    assert {row[0] for row in addresses if row[2] == FORMS[0]} == set(FORMS)
    assert articles[1][4] == FIRST  # went back to the first text, seen last


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.permutations(SUBMISSIONS), st.lists(st.sampled_from(SUBMISSIONS), max_size=3))
def test_what_is_recorded_does_not_depend_on_order_or_repetition(order: list[Submission], again: list[Submission]):
    assert recorded([*order, *again]) == recorded(SUBMISSIONS)


# -- crashes


def test_a_crash_between_recording_and_settling_heals_at_the_next_settling(tmp_path: Path):
    with ingested(tmp_path, [AGENCY, AGGREGATOR, BLOG], "whole.db") as whole:
        expected = [list(whole.report(name)) for name in ("matches", "edges", "stories")]
    with Tracker(Settings(db=tmp_path / "x.db")) as tracker:
        flow = Flow(tracker.store)
        with tracker.store.transaction():
            flow.record([read_article(submission_of(each)) for each in (AGENCY, AGGREGATOR, BLOG)])
        assert list(tracker.report("edges")) == []  # and here the process dies
    with ingested(tmp_path, []) as tracker:
        assert [list(tracker.report(name)) for name in ("matches", "edges", "stories")] == expected


@pytest.mark.parametrize("step", range(1, 9))
def test_a_crash_at_any_step_of_settling_heals_at_the_next(tmp_path: Path, step: int):
    with ingested(tmp_path, [AGENCY, AGGREGATOR, BLOG], "whole.db") as whole:
        expected = [list(whole.report(name)) for name in ("matches", "edges", "stories")]
    with Tracker(Settings(db=tmp_path / "x.db")) as tracker:
        flow, left = Flow(tracker.store), step
        with tracker.store.transaction():
            flow.record([read_article(submission_of(each)) for each in (AGENCY, AGGREGATOR, BLOG)])
        settled, transaction = False, tracker.store.transaction

        def dying():
            nonlocal left
            left -= 1
            if left == 0:
                raise KeyboardInterrupt
            return transaction()

        tracker.store.transaction = dying  # type: ignore[method-assign]
        try:
            flow.settle()
            settled = True
        except KeyboardInterrupt:
            pass
        tracker.store.transaction = transaction  # type: ignore[method-assign]
        assert settled == (left > 0)
        flow.settle()
        assert [list(tracker.report(name)) for name in ("matches", "edges", "stories")] == expected


def submission_of(fields: dict[str, str]) -> Submission:
    return Submission(
        fields["url"],
        datetime.fromisoformat(fields["first_seen"]),
        text=fields["text"],
        title=fields["title"],
        publisher=fields["publisher"],
    )


def test_feeds_come_back_as_they_were_added(store: Store):
    with store.transaction():
        assert store.feeds.add("https://a.example/feed", "A", START)
        assert not store.feeds.add("https://a.example/feed", "B", START)
    assert store.feeds.all() == [Feed(1, "https://a.example/feed", "A")]
