"""What a restart must not forget: whoever asked to be left alone is, and nobody is asked again too soon."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from polling_rig import NOON, Clock, long_text, make_fetcher, nothing_known, rss, rss_entry, subscribed
from scripted_server import Reply, ScriptedServer

from syndtrack.politeness import StoredMemory
from syndtrack.polling.memory import KeptFailure, KeptHost, KeptRobots
from syndtrack.polling.poll import Poller
from syndtrack.polling.workers import Workers
from syndtrack.store.store import Store

WEB = lambda _host, port: [  # noqa: E731 - one address that is one's own and one that is not make a host of the web
    (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)),
    (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.1", port)),
]
PAGE = Reply(f"<article>{long_text()}</article>".encode(), headers=(("Content-Type", "text/html"),))


@asynccontextmanager
async def life(path: Path, clock: Clock, *, killed: bool = False, **options: object) -> AsyncIterator[Poller]:
    """One life of a program that polls."""
    with closing(Store(path)) as store, ThreadPoolExecutor(1) as thread:
        memory = StoredMemory(store, thread, clock.now)
        async with Workers(1) as workers, Poller(workers, fetcher=make_fetcher(clock, **options), now=clock.now, memory=memory) as poller:
            yield poller
            if killed:
                memory.end = nothing  # type: ignore[method-assign] # a killed program says nothing at its end


async def nothing() -> None:
    pass


@pytest.mark.parametrize(
    ("killed", "down", "paused"),
    [(False, 0.0, 5.0), (False, 2.0, 3.0), (False, 60.0, 0.0), (True, 2.0, 5.0), (True, 60.0, 5.0)],
    ids=["at once", "after two seconds", "after a minute", "killed two seconds ago", "killed a minute ago"],
)
async def test_the_pause_between_two_requests_outlives_a_restart(tmp_path, killed, down, paused):
    clock = Clock()
    async with ScriptedServer({"/feed": Reply(rss())}) as server:
        feed = subscribed(f"http://paper.example:{server.port}/feed")
        async with life(tmp_path / "x.db", clock, killed=killed, lookup=WEB) as poller:
            await poller.poll_one(feed, nothing_known)
        assert clock.paused == []
        clock.pass_time(seconds=down)
        clock.ticks = 0.0  # another process, another monotonic clock
        async with life(tmp_path / "x.db", clock, lookup=WEB) as poller:
            await poller.poll_one(feed, nothing_known)
    assert sum(clock.paused) == pytest.approx(paused)
    assert server.paths() == ["/feed", "/feed"]


async def test_nobody_waits_when_polling_begins_for_the_first_time(tmp_path):
    clock = Clock()
    async with ScriptedServer({"/feed": Reply(rss())}) as server, life(tmp_path / "x.db", clock, lookup=WEB) as poller:
        await poller.poll_one(subscribed(f"http://paper.example:{server.port}/feed"), nothing_known)
    assert clock.paused == []


async def test_a_host_whose_page_asked_to_wait_is_left_alone_after_a_restart(tmp_path):
    clock, busy = Clock(), Reply(status="429 Slow Down", headers=(("Retry-After", "7200"),))
    async with ScriptedServer({"/robots.txt": Reply(b""), "/1": busy, "/feed": Reply(rss(rss_entry(1, "/1", "Teaser.")))}) as server:
        feed = subscribed(server.url("/feed"))
        async with life(tmp_path / "x.db", clock, killed=True) as poller:
            await poller.poll_one(feed, nothing_known)
        assert server.paths() == ["/feed", "/robots.txt", "/1"]
        clock.pass_time(hours=1)
        async with life(tmp_path / "x.db", clock) as poller:
            result = await poller.poll_one(replace(feed, next_check=None), nothing_known)
            assert (result.outcome, len(server.asked)) == ("waiting", 3)
            clock.pass_time(hours=1)
            await poller.poll_one(feed, nothing_known)
    assert server.paths()[3] == "/feed"


async def test_robots_txt_and_pages_that_failed_are_not_asked_for_again_after_a_restart(tmp_path):
    clock = Clock()
    pages = {"/robots.txt": Reply(b"User-agent: *\nDisallow: /no\n"), "/1": Reply(status="404 Not Found"), "/2": PAGE}
    async with ScriptedServer(pages) as server:
        teasers = [rss_entry(n, path, "Teaser.") for n, path in enumerate(("/1", "/no/3"))]
        server.pages["/feed"] = Reply(rss(*teasers))
        async with life(tmp_path / "x.db", clock) as poller:
            await poller.poll_one(subscribed(server.url("/feed")), nothing_known)
        assert server.paths() == ["/feed", "/robots.txt", "/1"]
        clock.pass_time(hours=23)
        server.pages["/feed"] = Reply(rss(*teasers, rss_entry(9, "/2", "Teaser.")))
        async with life(tmp_path / "x.db", clock) as poller:
            result = await poller.poll_one(subscribed(server.url("/feed")), nothing_known)
        assert server.paths()[3:] == ["/feed", "/2"]
        assert [refusal.reason for refusal in result.refused] == [
            "the server answers 404 Not Found",
            "its site's robots.txt does not allow it",
        ]
        clock.pass_time(hours=2)
        async with life(tmp_path / "x.db", clock) as poller:
            await poller.poll_one(subscribed(server.url("/feed")), nothing_known)
    assert sorted(server.paths()[5:]) == ["/1", "/2", "/feed", "/robots.txt"]


async def test_a_memory_gives_back_what_it_was_given_until_it_is_over(tmp_path):
    clock, later = Clock(), NOON + timedelta(hours=1)
    with closing(Store(tmp_path / "x.db")) as store, ThreadPoolExecutor(1) as thread:
        memory = StoredMemory(store, thread, clock.now)
        assert (await memory.begin()).since is None
        memory.host(KeptHost("a.example", later))
        memory.host(KeptHost("a.example", NOON))
        memory.host(KeptHost("a.example", delay=9.0))
        memory.host(KeptHost("b.example", later))
        for robots in (KeptRobots(later, b"User-agent: *\n"), KeptRobots(later, None, "no answer"), KeptRobots(later, b"")):
            await memory.keep_robots("http://a.example", True, robots)
            assert await memory.robots("http://a.example", True) == robots
        assert await memory.robots("http://a.example", False) is None
        failure = KeptFailure("404", later, passing=True, times=2)
        await memory.keep_failure("http://a.example/1", True, failure)
        assert await memory.failure("http://a.example/1", True) == failure
        await memory.end()
        clock.pass_time(seconds=30)
        kept = await memory.begin()
        assert kept.since == timedelta(seconds=30)
        assert list(kept.hosts) == [KeptHost("a.example", later, 9.0), KeptHost("b.example", later)]
        clock.pass_time(days=3)
        kept = await memory.begin()
        assert kept.since == timedelta(0)  # it never ended
        assert [host.name for host in kept.hosts] == ["a.example"]
        assert await memory.robots("http://a.example", True) is None
        assert await memory.failure("http://a.example/1", True) is None
