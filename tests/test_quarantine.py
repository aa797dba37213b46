"""What kills a worker is tried twice, then left alone until its bytes change; everything else goes on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import worker_tasks as tasks
from click.testing import CliRunner
from polling_rig import LOOPBACK, NOON, Clock, long_text, rss, rss_entry
from scripted_server import Reply, ScriptedServer

from syndtrack.cli import main
from syndtrack.config import Settings
from syndtrack.errors import PoisonError, PutOffError, UsageError
from syndtrack.models import Input, Poison
from syndtrack.polling import workers as workers_module
from syndtrack.polling.quarantine import Quarantine
from syndtrack.polling.workers import SLOW_WAITING, Workers
from syndtrack.scheduler import PollSummary
from syndtrack.store import quarantine as stored_quarantine
from syndtrack.store.store import Store
from syndtrack.tracker import Tracker

IN_QUARANTINE = "in quarantine: the process that read it ended with status -11"


@pytest.fixture(autouse=True)
def _poisonable(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("syndtrack.polling.poll.read_feed", tasks.read_feed_or_crash)
    monkeypatch.setattr("syndtrack.scheduler.read_article", tasks.read_article_or_crash)
    monkeypatch.setattr("syndtrack.network.READERS", ("worker_tasks",))
    monkeypatch.setattr(workers_module, "FIRST_SECONDS", 20.0)  # the first article of a worker of these tests finds no rules compiled


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tracker(tmp_path: Path, clock: Clock) -> Iterator[Tracker]:
    with Tracker(Settings(db=tmp_path / "x.db", allow_networks=LOOPBACK, host_delay=0.0), clock.now) as opened:
        yield opened


@asynccontextmanager
async def serving(tracker: Tracker, *bodies: bytes) -> AsyncIterator[ScriptedServer]:
    """A server with as many feeds as there are bodies; all are subscribed."""
    pages = {f"/feed{number}": Reply(body) for number, body in enumerate(bodies)} | {"/robots.txt": Reply(status="404 Not Found")}
    async with ScriptedServer(pages) as server:
        tracker.add([server.url(f"/feed{number}") for number in range(len(bodies))])
        yield server


async def rounds(tracker: Tracker, clock: Clock, number: int = 1) -> list[PollSummary]:
    """Rounds over all feeds, a day apart."""
    summaries = []
    async with tracker.scheduler() as scheduler:
        for _ in range(number):
            summaries.append(await scheduler.round(everything=True))
            clock.pass_time(days=1)
    return summaries


def outcomes(tracker: Tracker) -> list[str]:
    return [feed["outcome"] for feed in tracker.feeds()]


CRASHING = rss(rss_entry(1, "/1", "CRASH-FEED"))


async def test_a_feed_that_crashes_its_reader_is_tried_twice_and_the_others_go_on(tracker, clock):
    async with serving(tracker, CRASHING, rss(rss_entry(2, "/2", long_text()))):
        summaries = await rounds(tracker, clock, 4)
    assert [summary.failed for summary in summaries] == [1, 1, 1, 1]
    assert sum(summary.new for summary in summaries) == 1
    [row] = tracker.quarantine.rows()
    assert (row["kind"], row["state"], row["tries"]) == ("feed", "in quarantine", 2)
    assert row["first_tried"] < row["last_tried"]
    assert row["last_tried"] == "2026-03-03T12:00:00Z"  # the second day's; on the third and fourth it was not read
    [feed, other] = tracker.feeds()
    assert (feed["outcome"], other["outcome"]) == ("failed", "nothing new")
    assert IN_QUARANTINE in feed["reason"]


async def test_a_feed_goes_on_when_its_bytes_change(tracker, clock):
    async with serving(tracker, CRASHING) as server:
        await rounds(tracker, clock, 3)
        server.pages["/feed0"] = Reply(rss(rss_entry(2, "/2", long_text())))
        [summary] = await rounds(tracker, clock)
    assert (summary.failed, summary.new) == (0, 1)
    assert outcomes(tracker) == ["new"]


async def test_an_article_that_crashes_its_reader_fails_alone_and_its_feed_goes_on(tracker, clock):
    entries = [rss_entry(n, f"/{n}", long_text(20 * n) + ("<p>CRASH-PAGE</p>" if n == 1 else "")) for n in range(3)]
    async with serving(tracker, rss(*entries)) as server:
        summaries = await rounds(tracker, clock, 4)
        assert len(server.asked) == 4
    assert [summary.new for summary in summaries] == [2, 0, 0, 0]
    [row] = tracker.quarantine.rows()
    assert (row["kind"], row["state"], row["tries"]) == ("page", "in quarantine", 2)
    assert row["url"].endswith("/1")
    assert b"CRASH-PAGE" in tracker.quarantine.content(row["id"])
    assert outcomes(tracker)[0] != "failed"
    assert any(IN_QUARANTINE in refusal["reason"] for refusal in tracker.store.lookups.refusals())


async def test_a_retry_reads_it_again_at_the_next_look_which_is_due_at_once(tracker, clock, monkeypatch):
    async with serving(tracker, CRASHING, rss(rss_entry(2, "/2", long_text() + "<p>CRASH-PAGE</p>"))):
        await rounds(tracker, clock, 4)
        assert len(tracker.quarantine.rows()) == 2
        assert tracker.quarantine.retry() == []
        assert tracker.quarantine.rows() == []
        monkeypatch.undo()  # as if a new version could read them
        async with tracker.scheduler() as scheduler:
            summary = await scheduler.round()
    assert (summary.polled, summary.failed, summary.new) == (2, 0, 1)


async def test_what_was_dropped_is_listed_no_more_and_still_not_read(tracker, clock):
    async with serving(tracker, CRASHING):
        await rounds(tracker, clock, 3)
        [row] = tracker.quarantine.rows()
        assert tracker.quarantine.drop([row["id"]]) == []
        assert tracker.quarantine.rows() == []
        await rounds(tracker, clock)
    assert IN_QUARANTINE in tracker.feeds()[0]["reason"]
    with pytest.raises(UsageError, match="no bytes are kept of it"):
        tracker.quarantine.content(row["id"])
    assert [refusal.what for refusal in tracker.quarantine.drop([row["id"], 77])] == ["1", "77"]


async def test_a_running_scheduler_sees_a_retry_by_another_process(tracker, clock):
    async with serving(tracker, CRASHING) as server, tracker.scheduler() as scheduler:
        for _ in range(3):
            await scheduler.round(everything=True)
            clock.pass_time(days=1)
        with Tracker(tracker.settings, clock.now) as other:
            [row] = other.quarantine.rows()
            assert other.quarantine.retry([row["id"]]) == []
        await scheduler.round()
        assert len(server.asked) == 4
    [row] = tracker.quarantine.rows()
    assert (row["state"], row["tries"]) == ("tried once", 1)


# -- workers


async def test_the_first_try_has_little_time_and_the_second_all_of_it(monkeypatch):
    monkeypatch.setattr(workers_module, "FIRST_SECONDS", 0.2)
    given = Input("feed", "http://a.example/feed", b"slow")
    async with Workers(1) as workers:
        with pytest.raises(PoisonError, match=r"longer than 0\.2 s .* tried once more") as first:
            await workers.run(tasks.loop_for_ever, what="slow", given=given)
        with pytest.raises(PoisonError, match=r"in quarantine: took longer than 0\.4 s") as second:
            await workers.run(tasks.loop_for_ever, what="slow", given=given, deadline=0.4)
        with pytest.raises(PoisonError, match="in quarantine") as third:
            await workers.run(tasks.double, 1, what="slow", given=given)
        assert workers.killed == {"time": 2}
    assert [caught.value.again for caught in (first, second, third)] == [True, False, False]


async def test_an_input_that_is_read_at_the_second_try_has_the_longer_time_from_then_on(monkeypatch):
    monkeypatch.setattr(workers_module, "FIRST_SECONDS", 0.2)
    async with Workers(1) as workers:
        with pytest.raises(PoisonError):
            await workers.run(tasks.loop_for_ever, what="slow", given=Input("feed", "http://a.example/feed", b"1"))
        assert await workers.run(tasks.double, 1, what="slow", given=Input("feed", "http://a.example/feed", b"1")) == 2
        with pytest.raises(PoisonError, match=r"longer than 0\.4 s"):
            await workers.run(tasks.loop_for_ever, what="slow", given=Input("feed", "http://a.example/feed", b"2"), deadline=0.4)


async def test_after_one_input_ran_out_of_time_the_others_of_its_feed_leave_the_workers_to_other_feeds(monkeypatch):
    monkeypatch.setattr(workers_module, "FIRST_SECONDS", 0.2)
    pages = [Input("page", f"http://slow.example/{n}", b"%d" % n, feed_id=1) for n in range(SLOW_WAITING + 4)]
    other = Input("page", "http://other.example/1", b"x", feed_id=2)
    async with Workers(1) as workers:
        with pytest.raises(PoisonError):
            await workers.run(tasks.loop_for_ever, what="slow", given=pages[0])
        async with workers._turns:  # the only worker for what is quick is taken, and is not needed
            ends = await asyncio.gather(
                *(workers.run(tasks.loop_for_ever, what="slow", given=p) for p in pages[1:]), return_exceptions=True
            )
        assert [type(end) for end in ends].count(PutOffError) == len(pages) - 1 - SLOW_WAITING
        assert sum(workers.quarantine.tries(page)[0] for page in pages) == 1 + SLOW_WAITING  # what was put off has had no try
        async with workers._slow_turn:
            assert await workers.run(tasks.double, 1, what="other", given=other) == 2
        assert await workers.run(tasks.double, 1, what="fast", given=pages[-1]) == 2
        async with workers._slow_turn:  # one page of the feed was read: the next ones are as any others
            assert await workers.run(tasks.double, 2, what="fast", given=pages[-2]) == 4


async def test_an_article_that_is_put_off_again_and_again_is_still_read_in_the_end(tracker, clock, monkeypatch):
    async with serving(tracker, rss(rss_entry(2, "/2", long_text()))):
        monkeypatch.setattr(workers_module, "SLOW_WAITING", 0)
        monkeypatch.setattr(Quarantine, "is_of_slow_feed", lambda _, given: given.kind == "page")
        summaries = await rounds(tracker, clock, 5)
        assert [(summary.failed, summary.new, len(summary.refused)) for summary in summaries] == [(0, 0, 0)] * 5
        monkeypatch.setattr(Quarantine, "is_of_slow_feed", lambda *_: False)
        [summary] = await rounds(tracker, clock)
    assert (summary.new, summary.refused) == (1, ())
    assert tracker.quarantine.rows() == []


async def test_a_feed_that_is_put_off_has_not_failed_and_is_read_at_a_later_look(tracker, clock, monkeypatch):
    async with serving(tracker, rss(rss_entry(2, "/2", long_text()))):
        monkeypatch.setattr(workers_module, "SLOW_WAITING", 0)
        monkeypatch.setattr(Quarantine, "is_of_slow_feed", lambda _, given: given.kind == "feed")
        [summary] = await rounds(tracker, clock)
        assert (summary.failed, summary.new, summary.refused) == (0, 0, ())
        assert (outcomes(tracker), tracker.feeds()[0]["failures"]) == (["waiting"], 0)
        monkeypatch.setattr(Quarantine, "is_of_slow_feed", lambda *_: False)
        [summary] = await rounds(tracker, clock)
    assert (summary.new, summary.refused) == (1, ())


# -- what is kept


def poison(number: int, content: bytes = b"x", tries: int = 1) -> Poison:
    return Poison(Input("page", f"http://a.example/{number}", content), "took too long", tries)


def test_of_large_inputs_the_first_bytes_are_kept_and_of_many_those_of_the_latest(store: Store, monkeypatch):
    monkeypatch.setattr(stored_quarantine, "BYTES_KEPT", 10)
    monkeypatch.setattr(stored_quarantine, "ALL_BYTES_KEPT", 25)
    monkeypatch.setattr(stored_quarantine, "ROWS_KEPT", 4)
    for number in range(6):
        with store.transaction():
            store.quarantine.record([poison(number, b"%d" % number * 100)], NOON)
    assert [row["size"] for row in store.quarantine.rows()] == [100] * 4
    assert [store.quarantine.content(row["id"]) for row in store.quarantine.rows()] == [b"5" * 10, b"4" * 10, None, None]


def test_a_feed_that_is_gone_from_the_store_leaves_no_dangling_row(store: Store):
    with store.transaction():
        store.quarantine.record([Poison(Input("feed", "http://a.example/", b"x", feed_id=99), "crashed", 1)], NOON)
    assert store.quarantine.rows()[0]["feed"] is None


# -- the command


def test_the_command_lists_retries_drops_and_shows_bytes(tmp_path: Path):
    def run(*arguments: str):
        return CliRunner().invoke(main, ["--db", str(tmp_path / "x.db"), "quarantine", *arguments])

    Tracker(Settings(db=tmp_path / "x.db")).close()
    assert run().stdout.startswith("Nothing is in quarantine")
    assert json.loads(run("--format", "json").stdout) == []
    with Tracker(Settings(db=tmp_path / "x.db")) as tracker, tracker.store.transaction():
        tracker.store.quarantine.record([poison(1, b"\xffraw", 2), poison(2), poison(3)], NOON)
    assert [row["url"] for row in map(json.loads, run("--format", "jsonl").stdout.splitlines())] == [
        f"http://a.example/{number}" for number in (3, 2, 1)
    ]
    assert run("--format", "csv").stdout.startswith("id,state,kind,url")
    assert run("bytes", "1").stdout_bytes == b"\xffraw"
    assert run("bytes", "9").exit_code == 2
    assert run("retry").exit_code == 2
    assert run("drop", "1", "--all").exit_code == 2
    done = run("retry", "3", "9")
    assert (done.exit_code, done.stdout) == (1, "1 to be read again at the next look\n")
    assert done.stderr.startswith("9: no such input is in quarantine")
    assert run("drop", "--all").stdout == "2 dropped\n"
    assert run().stdout.startswith("Nothing is in quarantine")
