"""What tracing again changed: each real change once, with its time and its cause."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from test_flow import AGENCY, AGGREGATOR, BLOG, REPORT, UNRELATED, archive, article

from syndtrack.cli import main
from syndtrack.config import Settings
from syndtrack.errors import UsageError
from syndtrack.models import Edge
from syndtrack.provenance.alarms import alarm
from syndtrack.provenance.chains import stories
from syndtrack.store import history as history_module
from syndtrack.tracker import Tracker

A, D, B, U = (each["url"] for each in (AGENCY, AGGREGATOR, BLOG, UNRELATED))
START = datetime(2026, 3, 3, 12, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.hours = 0

    def __call__(self) -> datetime:
        return START + timedelta(hours=self.hours)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tracker(tmp_path: Path, clock: Clock) -> Iterator[Tracker]:
    with Tracker(Settings(db=tmp_path / "x.db"), clock) as opened:
        yield opened


def ingest(tracker: Tracker, folder: Path, *articles: dict[str, str]) -> None:
    tracker.ingest([archive(folder, list(articles), f"{len(list(folder.iterdir()))}.jsonl")])


def told(tracker: Tracker, url: str) -> list[tuple[object, ...]]:
    return [(h["change"], h["source"] or h["source_publisher"], h["was_source"] or h["was_source_publisher"], h["cause"], h["because"])
            for h in tracker.history(url)]  # fmt: skip


def test_a_batch_that_is_traced_once_tells_nothing_but_first_tracings(tracker: Tracker, tmp_path: Path):
    ingest(tracker, tmp_path, AGENCY, AGGREGATOR, BLOG, UNRELATED)
    assert told(tracker, B) == [("first traced", D, None, "new article", None)]
    assert told(tracker, U) == [("first traced", None, None, "new article", None)]
    assert tracker.history() == []


def test_a_source_that_turns_up_late_takes_the_place_of_the_one_only_named(tracker: Tracker, tmp_path: Path, clock: Clock):
    ingest(tracker, tmp_path, BLOG)
    clock.hours = 5
    ingest(tracker, tmp_path, AGGREGATOR)
    assert told(tracker, B) == [
        ("first traced", "The Pilot Digest", None, "new article", None),
        ("replaced", D, "The Pilot Digest", "new article", D),
    ]
    assert [h["at"] for h in tracker.history(B)] == ["2026-03-03T12:00:00Z", "2026-03-03T17:00:00Z"]
    (latest,) = [h for h in tracker.history() if h["article"] == B]
    assert (latest["credited"], latest["was_credited"]) == (True, True)


def test_a_source_that_is_forgotten_is_told_lost_with_its_cause(tracker: Tracker, tmp_path: Path):
    ingest(tracker, tmp_path, AGENCY, {**AGGREGATOR, "text": "\n\n".join(REPORT[:5])})
    assert told(tracker, D) == [("first traced", A, None, "new article", None)]
    tracker.forget([A])
    assert told(tracker, D)[1:] == [("lost", None, A, "forget", A)]


def test_a_new_revision_is_the_cause_of_what_it_changes(tracker: Tracker, tmp_path: Path):
    ingest(tracker, tmp_path, AGENCY, AGGREGATOR)
    later = article(D, ["We take everything back.", *UNRELATED["text"].split("\n\n")], 90, publisher="The Pilot Digest")
    ingest(tracker, tmp_path, later, {**later, "url": D})
    changes = [(h["change"], h["cause"], h["because"]) for h in tracker.history(D)][1:]
    assert all(cause == "new revision" and because == D for _, cause, because in changes)


def test_verdicts_are_told_and_so_is_their_end(tracker: Tracker, tmp_path: Path):
    ingest(tracker, tmp_path, AGENCY, AGGREGATOR, BLOG)
    tracker.judge([{"copy": B, "source": D, "says": "confirm"}])
    tracker.take_back(B, D)
    tracker.judge([{"copy": B, "source": D, "says": "reject"}])
    assert told(tracker, B)[1:] == [
        ("verdict", D, D, "verdict", f"confirm {D}"),
        ("verdict", D, D, "verdict", f"revoked {D}"),
        ("replaced", A, D, "verdict", f"reject {D}"),
    ]
    assert len(tracker.history(A)) == 1


def test_a_publisher_that_becomes_another_is_told(tracker: Tracker, tmp_path: Path):
    ingest(tracker, tmp_path, BLOG)
    with tracker.store.transaction():
        named = tracker.store.publishers.registry().named
        tracker.store.decisions.merge([named("The Pilot Digest")], named("AFP"), START)
    tracker._flow.settle()
    assert told(tracker, B)[1:] == [("replaced", "AFP", "The Pilot Digest", "publishers", "The Pilot Digest is AFP")]


def test_what_stays_the_same_is_not_told_however_often_it_is_traced(tracker: Tracker, tmp_path: Path):
    ingest(tracker, tmp_path, AGENCY, AGGREGATOR, BLOG)
    before = tracker.store.db["history"].count
    for _ in range(3):
        ingest(tracker, tmp_path, AGENCY, AGGREGATOR, BLOG)
        with tracker.store.transaction():
            tracker.store.db.execute("UPDATE article SET traced = 0")
        tracker._flow.settle()
    assert tracker.store.db["history"].count == before
    assert tracker.store.db["retrace"].count == 0


def test_small_steps_of_a_confidence_add_up_to_one_change(tracker: Tracker, tmp_path: Path):
    ingest(tracker, tmp_path, AGENCY, AGGREGATOR)
    number, at = tracker.store.lookups.article_id(D), iter(range(10))
    for confidence in (0.95, 0.93, 0.89, 0.85, 0.81):
        with tracker.store.transaction():
            tracker.store.db.execute("UPDATE edge SET confidence = ? WHERE copy_id = ?", (confidence, number))
            tracker.store.history.log([[number]], START + timedelta(hours=next(at)))
    first = tracker.history(D)[0]["confidence"]
    moved = [(h["was_confidence"], h["confidence"]) for h in tracker.history(D)[1:]]
    assert all(h["change"] == "confidence" for h in tracker.history(D)[1:])
    assert moved[0][0] == first
    assert all(abs(was - now) >= 0.1 for was, now in moved)
    assert len(moved) <= 2


def test_two_articles_that_prove_to_be_one_keep_both_histories(tracker: Tracker, tmp_path: Path):
    other = article("https://wire.example/two", UNRELATED["text"].split("\n\n"), 5, publisher="Lunnet Wire")
    ingest(tracker, tmp_path, AGENCY, other)
    ingest(tracker, tmp_path, article("https://wire.example/two", REPORT, 9, publisher="Lunnet Wire"))
    assert [h["change"] for h in tracker.history(A)] == ["first traced", "first traced"]


def test_a_text_that_is_not_stored_leaves_no_history(tracker: Tracker, tmp_path: Path):
    ingest(tracker, tmp_path, AGENCY)
    tracker.trace_text(AGGREGATOR["text"])
    assert tracker.store.db["history"].count == 1


def test_the_command_line_shows_it_in_every_form(tracker: Tracker, tmp_path: Path):
    ingest(tracker, tmp_path, BLOG)
    ingest(tracker, tmp_path, AGGREGATOR)

    def run(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(main, ["--db", str(tmp_path / "x.db"), "history", *words], catch_exceptions=False)
        return done.exit_code, done.stdout

    assert [h["change"] for h in json.loads(run(B, "--format", "json")[1])] == ["first traced", "replaced"]
    assert len(run(B, "--format", "csv")[1].splitlines()) == 3
    assert json.loads(run("--format", "jsonl")[1])["article"] == B
    assert "replaced" in run(B)[1]
    assert run("https://nowhere.example/")[0] == 2
    with pytest.raises(UsageError, match="no such article"):
        tracker.history("https://nowhere.example/")


# -- stories that are to be looked at


def star(copies: int, confidence: float = 0.9) -> list[Edge]:
    return [Edge(n, 0, 0, "edited", confidence, credited=True, credited_to=None) for n in range(1, copies + 1)]


@pytest.mark.parametrize(
    ("edges", "publishers", "told"),
    [
        pytest.param(star(200), 150, None, id="a report that everybody prints"),
        pytest.param(star(500), 200, "more than 500 articles", id="very many articles"),
        pytest.param(star(400), 400, "more than 300 publishers", id="very many publishers"),
        pytest.param(star(40), 3, "more than 10 articles of each publisher", id="one house's standing words"),
        pytest.param(star(8), 1, None, id="a short series"),
        pytest.param(star(6, 0.45), 7, "held together by weak edges", id="weak edges only"),
        pytest.param([*star(4), *star(6, 0.4)[4:]], 7, None, id="two weak edges of six"),
        pytest.param(star(3, 0.45), 4, None, id="a small story"),
    ],
)
def test_a_story_beyond_what_news_does_is_to_be_looked_at(edges: list[Edge], publishers: int, told: str | None):
    (story,) = stories(edges)
    assert alarm(story, edges, {n: n % publishers for n in range(len(edges) + 1)}) == told


def test_a_report_of_stories_says_which_are_to_be_looked_at(tracker: Tracker, tmp_path: Path):
    ingest(tracker, tmp_path, AGENCY, AGGREGATOR, BLOG)
    assert [s["alarm"] for s in tracker.report("stories")] == [None]


def test_of_an_article_its_first_tracing_and_its_last_changes_are_kept(tracker: Tracker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(history_module, "KEPT_OF_EACH", 2)
    ingest(tracker, tmp_path, AGENCY, BLOG)
    for source in ("Lunnet Wire", "AFP", "Reuters", "DPA"):
        assert not tracker.judge([{"copy": B, "source": A, "says": "reject" if source == "AFP" else "confirm", "by": source}])
        tracker.take_back(B, A)
    changes = [h["change"] for h in tracker.history(B)]
    assert len(changes) == 3
    assert changes[0] == "first traced"
    assert "first traced" not in changes[1:]


def test_of_all_changes_the_oldest_go_when_there_are_too_many(tracker: Tracker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(history_module, "KEPT", 3)
    ingest(tracker, tmp_path, AGENCY, AGGREGATOR, BLOG, UNRELATED)
    assert tracker.store.db.execute("SELECT count(*), max(id) - min(id) FROM history").fetchone() == (3, 2)
