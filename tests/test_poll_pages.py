"""Whole polls of feeds whose entries lack their text: the pages of these."""

from __future__ import annotations

import asyncio
import socket
from contextlib import AsyncExitStack
from typing import Any

import pytest
from polling_rig import Clock, long_text, make_poller, nothing_known, rss, rss_entry, stored, subscribed
from scripted_server import Reply, ScriptedServer

from syndtrack.errors import PutOffError
from syndtrack.polling.poll import PAGES_AT_ONCE, PAGES_PER_POLL
from syndtrack.polling.schedule import is_due
from syndtrack.polling.workers import Workers
from syndtrack.reading.charset import decode

PAGE = f"<!doctype html><title>Story</title><article>{long_text(50)}</article>".encode()
HTML = (("Content-Type", "text/html; charset=utf-8"),)
ROBOTS_ABSENT = {"/robots.txt": Reply(b"", status="404 Not Found")}


async def test_a_page_that_cannot_be_had_is_refused_and_the_rest_goes_on():
    teasers = [rss_entry(n, f"/{n}", f"Teaser number {n}.") for n in range(1, 7)]
    async with ScriptedServer(dict(ROBOTS_ABSENT)) as server, make_poller(Clock()) as poller:
        server.pages |= {
            "/feed": Reply(rss(*teasers, rss_entry(7, "/7", long_text()))),
            "/1": Reply(PAGE, headers=HTML),
            "/2": Reply(b"%PDF-1.7", headers=(("Content-Type", "application/pdf"),)),
            "/3": Reply(status="403 Forbidden"),
            "/4": Reply(b"", headers=HTML),
            "/5": Reply(status="302 Found", headers=(("Location", "/"),)),
            "/": Reply(PAGE, headers=HTML),
        }
        result = await poller.poll_one(subscribed(server.url("/feed")), nothing_known)
    assert [entry.url for entry in result.entries if entry.submission] == [server.url("/7"), server.url("/1")]
    assert [entry.url for entry in result.entries if entry.refused] == [server.url(f"/{n}") for n in range(2, 7)]
    assert "7 of 7 entries new" in result.why
    assert {refusal.what: refusal.reason for refusal in result.refused} == {
        server.url("/2"): "is application/pdf, no page",
        server.url("/3"): "the server answers 403 Forbidden",
        server.url("/4"): "the page is empty; tried again at the next look",
        server.url("/5"): "leads to the front page",
        server.url("/6"): "the server answers 404 Not Found",
    }


async def test_a_long_summary_stands_for_a_page_that_cannot_be_had():
    async with ScriptedServer(dict(ROBOTS_ABSENT)) as server, make_poller(Clock()) as poller:
        server.pages["/feed"] = Reply(rss(rss_entry(1, "/gone", long_text(sentences=7))))
        result = await poller.poll_one(subscribed(server.url("/feed")), nothing_known)
    assert result.refused == ()
    assert [entry.submission.html for entry in result.entries if entry.submission] == [long_text(sentences=7)]


async def test_a_page_that_waits_to_be_read_has_had_no_try(monkeypatch):
    run = Workers.run

    async def busy(workers: Workers, function: object, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - whatever run takes
        if function is decode:
            raise PutOffError(options["what"])
        return await run(workers, function, *args, **options)

    async with ScriptedServer(ROBOTS_ABSENT | {"/1": Reply(PAGE, headers=HTML)}) as server, make_poller(Clock()) as poller:
        server.pages["/feed"] = Reply(rss(rss_entry(1, "/1", "Teaser.")), headers=(("ETag", '"e"'),))
        with monkeypatch.context() as patched:
            patched.setattr(Workers, "run", busy)
            first = await poller.poll_one(subscribed(server.url("/feed")), nothing_known)
        assert [(entry.entry_hash, entry.refused) for entry in first.entries] == [("", False)]
        assert first.feed.etag is None
        second = await poller.poll_one(first.feed, nothing_known)
        assert [entry.submission is not None for entry in second.entries] == [True]


async def test_a_page_that_fails_in_passing_is_tried_again_at_the_next_look_but_not_for_ever():
    clock = Clock()
    async with ScriptedServer(ROBOTS_ABSENT | {"/1": Reply(status="502 Bad Gateway")}) as server, make_poller(clock) as poller:
        server.pages["/feed"] = Reply(rss(rss_entry(1, "/1", "Teaser.")), headers=(("ETag", '"e"'),))
        feed = subscribed(server.url("/feed"))
        for _ in range(6):
            feed = (await poller.poll_one(feed, nothing_known)).feed
            clock.pass_time(minutes=30)
    assert server.paths().count("/1") == 3
    assert feed.etag == '"e"'
    # In full only while there was something to try again.
    asked_in_full = ["if-none-match" not in asked.headers for asked in server.asked if asked.target == "/feed"]
    assert asked_in_full == [True, True, True, False, False, False]


@pytest.mark.parametrize(("robots", "allowed"), [
    (Reply(b"User-agent: *\nDisallow: /private\n"), True),
    (Reply(b"User-agent: *\nDisallow: /\n"), False),
    (Reply(b"User-agent: syndtrack\nDisallow: /\n\nUser-agent: *\nAllow: /\n"), False),
    (Reply(b"User-agent: other\nDisallow: /\n"), True),
    (Reply(b"\xff\xfe\x00<html>no robots</html>"), True),
    (Reply(b""), True),
    (Reply(status="403 Forbidden"), True),
    (Reply(status="503 Unavailable"), False),
    (Reply(raw=b""), False),
])  # fmt: skip
async def test_pages_are_fetched_as_robots_txt_allows(robots, allowed):
    async with ScriptedServer({"/robots.txt": robots, "/1": Reply(PAGE, headers=HTML)}) as server, make_poller(Clock()) as poller:
        server.pages["/feed"] = Reply(rss(rss_entry(1, "/1", "Teaser.")))
        result = await poller.poll_one(subscribed(server.url("/feed")), nothing_known)
    assert [entry.submission is not None for entry in result.entries] == [allowed]
    assert ("/1" in server.paths()) is allowed
    assert allowed or "robots.txt" in result.refused[0].reason


async def test_where_a_redirect_leads_is_asked_for_as_its_robots_txt_allows():
    async with ScriptedServer(host="127.0.1.9") as other, ScriptedServer(dict(ROBOTS_ABSENT)) as server, make_poller(Clock()) as poller:
        server.pages["/1"] = Reply(status="302 Found", headers=(("Location", other.url("/private/1")),))
        other.pages["/robots.txt"] = Reply(b"User-agent: *\nDisallow: /private/\n")
        server.pages["/feed"] = Reply(rss(rss_entry(1, "/1", "Teaser.")))
        result = await poller.poll_one(subscribed(server.url("/feed")), nothing_known)
    assert other.paths() == ["/robots.txt"]
    assert [refusal.reason for refusal in result.refused] == ["its site's robots.txt does not allow it"]


async def test_of_a_very_long_robots_txt_the_first_part_counts():
    lines = b"User-agent: *\nDisallow: /no\n" + b"# a line that says nothing\n" * 40_000
    teasers = [rss_entry(n, url, "Teaser.") for n, url in enumerate(("/no", "/yes"))]
    async with ScriptedServer({"/robots.txt": Reply(lines), "/yes": Reply(PAGE, headers=HTML)}) as server, make_poller(Clock()) as poller:
        server.pages["/feed"] = Reply(rss(*teasers))
        await poller.poll_one(subscribed(server.url("/feed")), nothing_known)
    assert server.paths() == ["/feed", "/robots.txt", "/yes"]


async def test_an_article_of_several_feeds_is_asked_for_once():
    async with ScriptedServer(ROBOTS_ABSENT | {"/1": Reply(PAGE, headers=HTML)}) as server, make_poller(Clock()) as poller:
        server.pages["/a"] = Reply(rss(rss_entry(1, "/1?utm_source=a", "Teaser.")))
        server.pages["/b"] = Reply(rss(rss_entry(1, "/1", "Teaser.")))
        feeds = [subscribed(server.url(path), id=n) for n, path in enumerate(("/a", "/b"))]
        results = [result async for result in poller.poll(feeds, nothing_known)]
    assert [entry.submission is not None for result in results for entry in result.entries] == [True, True]
    assert len([path for path in server.paths() if path.startswith("/1")]) == 1


async def test_a_page_of_ones_own_network_is_for_feeds_of_ones_own_alone():
    lookup = lambda _host, port: [  # noqa: E731 - a public feed of a test: not all its addresses are one's own
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)),
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.1", port)),
    ]
    async with ScriptedServer(ROBOTS_ABSENT | {"/1": Reply(PAGE, headers=HTML)}) as server, make_poller(Clock(), lookup=lookup) as poller:
        server.pages["/feed"] = Reply(rss(rss_entry(1, server.url("/1"), "Teaser.")))
        stranger = await poller.poll_one(subscribed(f"http://paper.example:{server.port}/feed"), nothing_known)
        assert server.paths() == ["/feed"]
        assert "127.0.0.1 is loopback" in stranger.refused[0].reason
        own = await poller.poll_one(subscribed(server.url("/feed"), id=2), nothing_known)
    assert own.refused == ()
    assert server.paths() == ["/feed", "/feed", "/robots.txt", "/1"]


async def test_the_pages_of_one_feed_take_up_few_connections_at_once():
    open_now, most = 0, 0

    async def count() -> None:
        nonlocal open_now, most
        open_now += 1
        most = max(most, open_now)
        for _ in range(20):
            await asyncio.sleep(0)
        open_now -= 1

    async with AsyncExitStack() as stack:
        poller = await stack.enter_async_context(make_poller(Clock()))
        hosts = [
            await stack.enter_async_context(
                ScriptedServer(ROBOTS_ABSENT | {"/1": Reply(PAGE, headers=HTML)}, f"127.0.2.{n}", before_reply=count)
            )
            for n in range(1, 13)
        ]
        feed = await stack.enter_async_context(ScriptedServer())
        feed.pages["/feed"] = Reply(rss(*(rss_entry(n, host.url("/1"), "Teaser.") for n, host in enumerate(hosts))))
        result = await poller.poll_one(subscribed(feed.url("/feed")), nothing_known)
    assert len([entry for entry in result.entries if entry.submission]) == 12
    assert 1 < most <= PAGES_AT_ONCE


async def test_more_bytes_of_pages_than_a_feed_may_hold_are_left_for_the_next_look(monkeypatch):
    monkeypatch.setattr("syndtrack.polling.poll.PAGES_BYTES", 3 * len(PAGE))
    pages = {f"/{n}": Reply(PAGE, headers=HTML) for n in range(20)}
    async with ScriptedServer(ROBOTS_ABSENT | pages) as server, make_poller(Clock()) as poller:
        server.pages["/feed"] = Reply(rss(*(rss_entry(n, f"/{n}", f"Teaser {n}.") for n in range(20))))
        result = await poller.poll_one(subscribed(server.url("/feed"), interval=7_200), nothing_known)
    had = len(result.entries)
    assert 3 <= had <= 3 + PAGES_AT_ONCE
    assert result.why == f"{20 - had} entries left for the next look in 5 min"
    assert result.feed.body_hash is None


async def test_robots_txt_is_asked_for_once_a_day():
    clock = Clock()
    teasers = [rss_entry(n, f"/{n}", f"Teaser {n}.") for n in range(6)]
    pages = {f"/{n}": Reply(PAGE, headers=HTML) for n in range(6)}
    async with ScriptedServer(ROBOTS_ABSENT | pages) as server, make_poller(clock) as poller:
        for some in (teasers[:2], teasers[:4], teasers):
            server.pages["/feed"] = Reply(rss(*some))
            await poller.poll_one(subscribed(server.url("/feed")), nothing_known)
            clock.pass_time(hours=13)
    assert server.paths().count("/robots.txt") == 2


async def test_an_entry_leads_to_where_its_page_was_found():
    async with ScriptedServer(ROBOTS_ABSENT | {"/story": Reply(PAGE, headers=HTML)}) as server, make_poller(Clock()) as poller:
        server.pages["/click"] = Reply(status="302 Found", headers=(("Location", "/story"),))
        server.pages["/feed"] = Reply(rss(rss_entry(1, "/click?to=1", "Teaser.")))
        [entry] = (await poller.poll_one(subscribed(server.url("/feed")), nothing_known)).entries
    assert entry.url == server.url("/click?to=1")
    assert entry.submission is not None
    assert entry.submission.url == server.url("/story")


async def test_more_new_pages_than_one_look_may_fetch_are_left_for_the_next_which_comes_soon():
    clock = Clock()
    count = PAGES_PER_POLL + 20
    teasers = [rss_entry(n, f"/{n}", f"Teaser {n}.") for n in range(count)]
    pages = {f"/{n}": Reply(PAGE, headers=HTML) for n in range(count)}
    async with ScriptedServer(ROBOTS_ABSENT | pages) as server, make_poller(clock) as poller:
        server.pages["/feed"] = Reply(rss(*teasers), headers=(("ETag", '"e"'),))
        first = await poller.poll_one(subscribed(server.url("/feed"), interval=7_200), nothing_known)

        async def known(_feed_id: int) -> dict[str, str]:
            return stored(first)

        clock.pass_time(minutes=10)
        assert is_due(first.feed, clock.now())
        second = await poller.poll_one(first.feed, known)
    assert (len(first.entries), first.why) == (PAGES_PER_POLL, "20 entries left for the next look in 5 min")
    assert sum(entry.submission is not None for entry in second.entries) == 20
    assert len(second.entries) == count
    assert second.feed.etag == '"e"'
