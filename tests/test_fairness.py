"""No feed waits for another one's host, name, size or poison. All is told by order and counts, nothing by the clock."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager, closing

import pytest
import worker_tasks as tasks
from polling_rig import Clock, long_text, make_fetcher, nothing_known, rss, rss_entry, subscribed
from scripted_server import Reply, ScriptedServer

from syndtrack.errors import PoisonError
from syndtrack.flow import Flow
from syndtrack.models import Feed, Input, PollResult
from syndtrack.polling import workers as workers_module
from syndtrack.polling.fetch import Fetcher
from syndtrack.polling.poll import Poller
from syndtrack.polling.workers import SLOW_WAITING, Workers
from syndtrack.scheduler import Scheduler
from syndtrack.store.store import Store

FEW = 4  # feeds asked at a time; what hangs below is many times as much


class Web:
    """Names of hosts, all on one server. `hang` holds those that start with `slow`: their look-ups, or the answers of their servers."""

    def __init__(self, hangs: str = "") -> None:
        self.released = asyncio.Event()
        self.hangs = hangs
        self.server = ScriptedServer()

    async def lookup(self, host: str, port: int) -> list[tuple[object, ...]]:
        if self.hangs == "names" and host.startswith("slow"):
            await self.released.wait()
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    def url(self, host: str, path: str = "/feed") -> str:
        return f"http://{host}:{self.server.port}{path}"

    def feeds(self, *urls: str) -> list[Feed]:
        return [subscribed(url, id=number) for number, url in enumerate(urls, start=1)]


def make_poller(web: Web, workers: Workers, clock: Clock) -> Poller:
    fetcher: Fetcher = make_fetcher(clock, lookup=web.lookup)
    return Poller(workers, fetcher=fetcher, now=clock.now, concurrency=FEW)


async def first_result(poller: Poller, feeds: list[Feed]) -> PollResult:
    async with aclosing(poller.poll(feeds, nothing_known)) as results:
        return await anext(results)


@pytest.mark.parametrize("count", [12, 64, 150])
async def test_hanging_names_delay_no_feed(count):
    web, clock = Web("names"), Clock()
    async with web.server as server, Workers(1) as workers, make_poller(web, workers, clock) as poller:
        server.pages["/feed"] = Reply(rss())
        urls = [web.url(f"slow{n}.site{n}.com") for n in range(count)] + [web.url("quick.example")]
        result = await first_result(poller, web.feeds(*urls))
    assert result.feed.url == web.url("quick.example")
    assert (result.outcome, len(server.asked)) == ("nothing new", 1)


async def test_five_hundred_feeds_of_one_slow_host_delay_no_feed_of_another():
    web, clock = Web(), Clock()
    async with web.server as server, Workers(1) as workers, make_poller(web, workers, clock) as poller:
        server.pages |= {"/slow": Reply(b"<rss>", hang=True, framed=False), "/feed": Reply(rss())}
        urls = [web.url("slow.example", f"/slow?{n}") for n in range(500)] + [web.url("quick.example")]
        result = await first_result(poller, web.feeds(*urls))
        assert result.feed.url == web.url("quick.example")
        assert len([path for path in server.paths() if path.startswith("/slow")]) <= 1


async def test_feeds_of_a_slow_host_that_fall_due_one_after_the_other_take_up_one_place():
    web, clock, asked = Web(), Clock(), asyncio.Event()

    async def told() -> None:
        asked.set()

    web.server.before_reply = told
    async with web.server as server, Workers(1) as workers, make_poller(web, workers, clock) as poller:
        server.pages |= {"/slow": Reply(b"<rss>", hang=True, framed=False), "/feed": Reply(rss())}
        looks = []
        for number in range(3 * FEW):  # each found due by another look, as the scheduler does
            feeds = web.feeds(web.url("slow.example", f"/slow?{number}"))
            looks.append(asyncio.create_task(first_result(poller, feeds)))
        await asked.wait()
        result = await first_result(poller, web.feeds(web.url("quick.example")))
        assert result.outcome == "nothing new"
        assert server.paths() == ["/slow?0", "/feed"]
        for look in looks:
            look.cancel()
        await asyncio.gather(*looks, return_exceptions=True)


@asynccontextmanager
async def scheduling(web: Web, workers: Workers, *feeds: Feed) -> AsyncIterator[Scheduler]:
    clock = Clock()
    with closing(Store(":memory:")) as store, ThreadPoolExecutor(1) as thread:
        with store.transaction():
            for feed in feeds:
                store.feeds.add(feed.url, None, clock.now())
        async with make_poller(web, workers, clock) as poller:
            yield Scheduler(Flow(store), poller, workers, thread, clock.now)


async def test_a_poll_whose_articles_take_long_to_read_does_not_hold_up_those_after_it(monkeypatch):
    web, stored, others = Web(), [], asyncio.Event()

    async def read(_self: Scheduler, result: PollResult):
        if result.feed.id == 1:
            await others.wait()
        return result, [], []

    def note(feed_id: int) -> None:
        stored.append(feed_id)
        if len(stored) == 2:
            others.set()

    monkeypatch.setattr(Scheduler, "_read", read)
    async with web.server as server, Workers(1) as workers:
        server.pages["/feed"] = Reply(rss(rss_entry(1, "/1", long_text())))
        feeds = web.feeds(*(web.url(f"{name}.example") for name in "abc"))
        async with scheduling(web, workers, *feeds) as scheduler:
            await scheduler._poll(feeds, lambda *_: None, note)
    assert stored[2] == 1


async def test_polls_that_brought_nothing_are_stored_together_while_the_store_is_busy(monkeypatch):
    web, batches, free, names = Web(), [], threading.Event(), [f"site{n}.example" for n in range(40)]
    record, ask, asked = Flow.record_polls, Poller.poll_one, []

    def record_when_all_are_asked(flow: Flow, results: Sequence[PollResult]) -> None:
        free.wait()
        batches.append(len(results))
        record(flow, results)

    async def note(poller: Poller, *args: object) -> PollResult:
        result = await ask(poller, *args)
        asked.append(result.feed.id)
        if len(asked) == len(names):
            free.set()
        return result

    monkeypatch.setattr(Flow, "record_polls", record_when_all_are_asked)
    monkeypatch.setattr(Poller, "poll_one", note)
    async with web.server as server, Workers(1) as workers:
        server.pages["/feed"] = Reply(status="500 Internal Server Error")  # so that nothing else is asked of the store
        feeds = web.feeds(*map(web.url, names))
        async with scheduling(web, workers, *feeds) as scheduler:
            summary = await scheduler._poll(feeds, lambda *_: None, lambda _: None)
    assert summary.polled == sum(batches) == 40
    assert len(batches) < 10


async def test_of_many_hosts_that_are_due_at_once_few_are_begun_with_before_the_others(monkeypatch):
    web, under_way, most = Web(), 0, 0
    poll_host = Poller._poll_host

    async def count(*args: object) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        try:
            await poll_host(*args)
        finally:
            under_way -= 1

    monkeypatch.setattr(Poller, "_poll_host", count)
    async with web.server as server, Workers(1) as workers:
        server.pages["/feed"] = Reply(rss())
        feeds = web.feeds(*(web.url(f"site{n}.example") for n in range(100)))
        async with make_poller(web, workers, Clock()) as poller:
            results = [result async for result in poller.poll(feeds, nothing_known)]
    assert len(results) == 100
    assert most < 50


async def test_hosts_whose_names_hang_do_not_pile_up(monkeypatch):
    monkeypatch.setattr("syndtrack.polling.poll.HOSTS_BEGUN", 5)
    web, begun, enough = Web("names"), [], asyncio.Event()
    poll_host = Poller._poll_host

    async def note(poller: Poller, host: str, *args: object) -> None:
        begun.append(host)
        if len(begun) == 5:
            enough.set()
        await poll_host(poller, host, *args)

    monkeypatch.setattr(Poller, "_poll_host", note)
    async with web.server as server, Workers(1) as workers, make_poller(web, workers, Clock()) as poller:
        server.pages["/feed"] = Reply(rss())
        polls = asyncio.create_task(first_result(poller, web.feeds(*(web.url(f"slow{n}.site{n}.com") for n in range(20)))))
        await enough.wait()
        for _ in range(100):
            await asyncio.sleep(0)
        assert len(begun) == 5
        web.released.set()
        await polls


async def test_a_feed_of_many_articles_does_not_stand_before_a_feed_of_one(monkeypatch):
    monkeypatch.setattr("syndtrack.scheduler.read_article", tasks.read_nothing)
    web, stored = Web(), []
    async with web.server as server, Workers(1) as workers:
        server.pages["/many"] = Reply(rss(*(rss_entry(n, f"/{n}", long_text(n)) for n in range(400))))
        server.pages["/feed"] = Reply(rss(rss_entry(1, "/1", long_text())))
        feeds = web.feeds(web.url("many.example", "/many"), *(web.url(f"{name}.example") for name in "abc"))
        async with scheduling(web, workers, *feeds) as scheduler:
            summary = await scheduler._poll(feeds, lambda *_: None, stored.append)
    assert len(summary.refused) == 403
    assert stored[3] == 1


async def test_an_input_in_the_slow_lane_leaves_the_workers_to_the_others(monkeypatch):
    monkeypatch.setattr(workers_module, "FIRST_SECONDS", 0.2)
    given = Input("feed", "http://slow.example/feed", b"slow")
    async with Workers(1) as workers:
        with pytest.raises(PoisonError):
            await workers.run(tasks.loop_for_ever, what="slow", given=given)
        second = asyncio.create_task(workers.run(tasks.loop_for_ever, what="slow", given=given, deadline=20.0))
        for number in range(20):
            assert await workers.run(tasks.double, number, what="a number", given=Input("feed", "http://a.example/", b"x")) == 2 * number
        assert not second.done()
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)


async def test_a_first_try_that_takes_long_leaves_its_turn_to_the_others(monkeypatch):
    monkeypatch.setattr(workers_module, "FIRST_SECONDS", 60.0)
    monkeypatch.setattr(workers_module, "TURN_SECONDS", 0.01)
    async with Workers(1) as workers:
        loops = [Input("feed", f"http://slow{n}.example/feed", b"slow") for n in range(2)]
        first = asyncio.create_task(workers.run(tasks.loop_for_ever, what="slow", given=loops[0]))
        assert await workers.run(tasks.double, 4, what="a number", given=Input("feed", "http://a.example/", b"x")) == 8
        assert not first.done()
        second = asyncio.create_task(workers.run(tasks.loop_for_ever, what="slow", given=loops[1]))
        await asyncio.sleep(0)
        assert workers.waiting  # the lane is taken
        for each in (first, second):
            each.cancel()
        await asyncio.gather(first, second, return_exceptions=True)
        assert not workers.waiting
        assert not workers._slow_turn.locked()


async def test_slow_inputs_that_wait_for_their_lane_do_not_pile_up(monkeypatch):
    monkeypatch.setattr(workers_module, "FIRST_SECONDS", 0.1)
    givens = [Input("feed", f"http://slow{n}.example/feed", b"slow") for n in range(SLOW_WAITING + 2)]
    async with Workers(2) as workers:
        for tries in (1, 2):
            runs = (workers.run(tasks.loop_for_ever, what="slow", given=given, deadline=0.3) for given in givens)
            ends = await asyncio.gather(*runs, return_exceptions=True)
            assert all(isinstance(end, PoisonError) for end in ends)
            assert sum(workers.quarantine.tries(given)[0] == tries for given in givens) == (len(givens) if tries == 1 else SLOW_WAITING)
    assert sum(end.again for end in ends) == 2  # they come again; their second try is still to be had


async def test_no_step_of_the_event_loop_computes_long_while_a_feed_of_ten_thousand_entries_and_a_large_page_come_in(monkeypatch):
    monkeypatch.setattr("syndtrack.scheduler.read_article", tasks.read_nothing)
    monkeypatch.setattr(workers_module, "FIRST_SECONDS", 60.0)
    longest, step = [0.0], asyncio.Handle._run

    def timed(handle: asyncio.Handle) -> None:
        before = time.thread_time()  # of this thread's own computing: what other processes take does not count
        step(handle)
        longest[0] = max(longest[0], time.thread_time() - before)

    web = Web()
    async with web.server as server, Workers(1) as workers:
        server.pages["/many"] = Reply(rss(*(rss_entry(n, f"/{n}", long_text(n, 2)) for n in range(10_000))))
        server.pages |= {"/one": Reply(rss(rss_entry(1, "/page"))), "/robots.txt": Reply(status="404 Not Found")}
        server.pages["/page"] = Reply(long_text(0, 40_000).encode(), headers=(("Content-Type", "text/html"),))
        feeds = web.feeds(web.url("many.example", "/many"), web.url("a.example", "/one"))
        async with scheduling(web, workers, *feeds) as scheduler:
            monkeypatch.setattr(asyncio.Handle, "_run", timed)
            summary = await scheduler._poll(feeds, lambda *_: None, lambda _: None)
            monkeypatch.undo()
    assert summary.failed == 0
    assert 0.0 < longest[0] < 0.1
