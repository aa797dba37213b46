"""The story of a feed, as the command line tells it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from behaviours import feed_of, status
from click.testing import CliRunner, Result
from polling_rig import NOON, Clock, make_poller, stored, subscribed
from scripted_server import Reply, ScriptedServer

from syndtrack.cli import main
from syndtrack.models import FeedHints, PollResult
from syndtrack.polling.explaining import explain, told
from syndtrack.store.feeds import POLLS_KEPT
from syndtrack.store.store import Store


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """Three feeds, the first of which was polled as a server's answers led it."""
    path = tmp_path / "x.db"
    replies = [
        Reply(feed_of(*range(10), head="<ttl>60</ttl>"), headers=(("ETag", '"reader-canary"'),)),
        Reply(feed_of(*range(10, 20), head="<ttl>60</ttl>"), headers=(("ETag", '"reader-canary"'),)),
        status("503 Service Unavailable"),
    ]
    for result in asyncio.run(polled(replies)):
        with _store(path) as store, store.transaction():
            if not store.feeds.all():
                store.feeds.add(result.feed.url, None, NOON)
                store.feeds.add("https://paper.example/feed?token=canary", None, NOON)
                store.feeds.add("https://www.other.example/feed/", None, NOON)
            store.feeds.record([(result, 0)])
    return path


async def polled(replies: Sequence[Reply]) -> list[PollResult]:
    clock, results, known = Clock(), [], dict[str, str]()
    async with ScriptedServer({"/feed": list(replies)}) as server, make_poller(clock) as poller:
        feed = subscribed(server.url("/feed"))
        for _ in replies:

            async def known_now(_id: int, now: dict[str, str] = known) -> dict[str, str]:
                return now

            results.append(await poller.poll_one(feed, known_now))
            feed, known = results[-1].feed, stored(results[-1], known)
            clock.time = feed.next_check or NOON
    return results


def _store(path: Path):
    return closing(Store(path))


def run(db: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["--db", str(db), *words])


def test_explain_tells_state_validators_hints_failures_gaps_and_every_poll(db):
    said = run(db, "explain", "127.0.0.1").stdout
    for part in (
        "(Harbour News)",
        "failing",
        "validators: ETag, hash of the body",
        "hints: ttl 1 h",
        "failures: 1 in a row, the last temporary: the server answers 503 Service Unavailable",
        "gaps: 1 of 3 looks shared no entry with those before",
        "all 10 entries were new, so some may have been missed",
        "first look, 10 of 10 entries new",
    ):
        assert part in said
    assert "canary" not in said


def test_explain_as_json_has_the_same_and_the_history_latest_first(db):
    record = json.loads(run(db, "explain", "127.0.0.1", "--format", "json").stdout)
    assert [poll["outcome"] for poll in record["polls"]] == ["failed", "new", "new"]
    assert [poll["grade"] for poll in record["polls"]] == ["temporary", None, None]
    assert [poll["gap"] for poll in record["polls"]] == [False, True, False]
    assert record["validators"] == {"etag": True, "last_modified": False, "body_hash": True, "of": None}
    assert record["hints"]["ttl"] == 60
    assert record["next_check"] == record["polls"][0]["next_check"]
    assert record["why"] == record["polls"][0]["why"]


@pytest.mark.parametrize(
    "stated", ["https://www.other.example/feed/", "http://other.example/feed", "OTHER.example", "paper.example/feed?token=…"]
)
def test_a_feed_is_meant_by_its_address_or_a_part_that_no_other_has(db, stated):
    answer = run(db, "explain", stated)
    assert answer.exit_code == 0, answer.stderr
    assert "not polled yet" in answer.stdout


def test_of_an_unknown_feed_the_nearest_are_named_without_their_secrets(db):
    answer = run(db, "explain", "https://papers.example/feed")
    assert answer.exit_code == 2
    assert "did you mean" in answer.stderr
    assert "https://paper.example/feed?token=…" in answer.stderr


def test_where_several_feeds_are_meant_that_is_said_and_they_are_named_without_their_secrets(db):
    answer = run(db, "explain", "example")
    assert answer.exit_code == 2
    assert answer.stderr.startswith("syndtrack: example: 2 feeds are meant: https://")
    assert "https://paper.example/feed?token=…" in answer.stderr
    assert answer.stderr.endswith("; name one of them in full\n")


def test_where_there_are_no_feeds_the_next_step_is_named(tmp_path):
    Store(tmp_path / "new.db").close()
    assert "syndtrack feeds" in run(tmp_path / "new.db", "explain", "a.example").stderr
    assert "syndtrack add" in run(tmp_path / "new.db", "feeds", "--why").stdout


def test_feeds_why_says_for_each_when_and_why(db):
    said = run(db, "feeds", "--why").stdout
    assert "failed once: tried again in" in said
    assert "temporary failure, 1 in a row: the server answers 503" in said
    assert said.count("next at once: never polled yet") == 2
    assert "canary" not in said
    rows = [json.loads(line) for line in run(db, "feeds", "--why", "--format", "jsonl").stdout.splitlines()]
    assert [row["gaps"] for row in rows] == [1, 0, 0]
    assert rows[0]["why"]


def test_of_a_feeds_history_the_latest_polls_are_kept(db):
    with _store(db) as store:
        [feed, *_] = store.feeds.all()
        for _ in range(POLLS_KEPT + 10):
            with store.transaction():
                store.feeds.record([(PollResult(feed, NOON, "nothing new", 200, "w"), 0)])
        polls, _ = store.feeds.history(feed.id)
        assert len(polls) == POLLS_KEPT


def test_only_what_may_be_due_is_loaded(db):
    with _store(db) as store:
        assert [feed.id for feed in store.feeds.planned(NOON)] == [2, 3]
        assert [feed.id for feed in store.feeds.planned(NOON + timedelta(days=2))] == [2, 3, 1]
        assert [feed.id for feed in store.feeds.planned(NOON + timedelta(days=2), {3, 9})] == [2, 1]
        plan = store.db.execute("EXPLAIN QUERY PLAN SELECT id FROM feed WHERE next_check IS NULL OR next_check <= 'x'").fetchall()
        assert "feed_next_check" in str([tuple(row) for row in plan])


def test_a_move_a_wait_and_a_goodbye_are_told():
    hints = FeedHints(update_seconds=7_200, skip_hours=frozenset({1, 2}), skip_days=frozenset({"Sunday"}))
    feed = subscribed("http://a.example/f", last_polled=NOON, gone=2, moved_to="http://b.example/f", moved_times=2, hints=hints)
    waiting = subscribed("http://a.example/f", last_polled=NOON, asked_to_wait_until=NOON + timedelta(hours=2), next_check=NOON)
    said = "\n".join(told(explain(feed, [], 0, None, NOON)))
    for part in (
        "gone;",
        "gone: its server said so 2 times",
        "moved: to http://b.example/f, as 2 of 3",
        "every 2 h",
        "1, 2 (UTC)",
        "Sunday",
    ):
        assert part in said
    record = explain(waiting, [], 0, NOON + timedelta(hours=3), NOON)
    assert record["state"] == "waiting"
    assert "until 2026-03-02T15:00:00Z" in record["next"]
