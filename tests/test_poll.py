"""Whole polls against a scripted server."""

from __future__ import annotations

from datetime import timedelta

from polling_rig import Clock, long_text, make_poller, nothing_known, rss, rss_entry, stored, subscribed
from scripted_server import Reply, ScriptedServer

PAGE = f"<!doctype html><title>Story</title><article>{long_text(50)}</article>".encode()
HTML = (("Content-Type", "text/html; charset=utf-8"),)
ROBOTS_ABSENT = {"/robots.txt": Reply(b"", status="404 Not Found")}


async def test_an_entry_with_its_text_is_handed_in_without_asking_for_its_page():
    clock = Clock()
    async with ScriptedServer() as server, make_poller(clock) as poller:
        server.pages["/feed"] = Reply(rss(rss_entry(1, server.url("/1"), long_text())), headers=(("ETag", '"v1"'),))
        result = await poller.poll_one(subscribed(server.url("/feed")), nothing_known)
    assert result.outcome == "new"
    assert server.paths() == ["/feed"]
    [entry] = result.entries
    assert entry.submission is not None
    assert entry.submission.url == entry.url == server.url("/1")
    assert entry.submission.first_seen == clock.now()
    assert "council of the harbour" in (entry.submission.html or "")
    assert result.feed.title == "Harbour News"
    assert result.feed.etag == '"v1"'
    assert result.feed.next_check is not None
    assert result.feed.next_check > clock.now()


async def test_an_entry_with_a_summary_gets_the_text_of_its_page():
    async with ScriptedServer(dict(ROBOTS_ABSENT)) as server, make_poller(Clock()) as poller:
        server.pages["/feed"] = Reply(rss(rss_entry(1, "/1", "Talks go on.")))
        server.pages["/1"] = Reply("<p>Ein Käse</p>".encode("iso-8859-1"), headers=(("Content-Type", "text/html; charset=iso-8859-1"),))
        result = await poller.poll_one(subscribed(server.url("/feed")), nothing_known)
    assert server.paths() == ["/feed", "/robots.txt", "/1"]
    assert [e.submission.html for e in result.entries if e.submission] == ["<p>Ein Käse</p>"]


async def test_polling_again_hands_in_only_what_is_new():
    clock = Clock()
    async with ScriptedServer() as server, make_poller(clock) as poller:
        one, two = (rss_entry(n, server.url(f"/{n}"), long_text(n)) for n in (1, 2))
        server.pages["/feed"] = [Reply(rss(one)), Reply(rss(two, one))]
        first = await poller.poll_one(subscribed(server.url("/feed")), nothing_known)
        known = stored(first)

        async def known_now(_feed_id: int) -> dict[str, str]:
            return known

        clock.pass_time(hours=1)
        second = await poller.poll_one(first.feed, known_now)
    assert [(entry.url, entry.submission is not None) for entry in second.entries] == [(server.url("/2"), True), (server.url("/1"), False)]


async def test_not_modified_keeps_the_validators_and_looks_later():
    clock = Clock()
    async with ScriptedServer() as server, make_poller(clock) as poller:
        server.pages["/feed"] = [
            Reply(rss(rss_entry(1, "/1", long_text())), headers=(("ETag", 'W/"a"'),)),
            Reply(status="304 Not Modified"),
        ]
        first = await poller.poll_one(subscribed(server.url("/feed")), nothing_known)
        clock.pass_time(hours=1)
        second = await poller.poll_one(first.feed, nothing_known)
    assert server.asked[1].headers["if-none-match"] == b'W/"a"'
    assert second.outcome == "not modified"
    assert second.feed.etag == 'W/"a"'
    assert second.feed.interval is not None
    assert first.feed.interval is not None
    assert second.feed.interval > first.feed.interval
    assert second.feed.next_check is not None
    assert second.feed.next_check - clock.now() >= timedelta(seconds=second.feed.interval)
