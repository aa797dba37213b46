"""Whole polls against a scripted server."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta

import pytest
import worker_tasks as tasks
from polling_rig import Clock, long_text, make_poller, nothing_known, rss, rss_entry, stored, subscribed
from scripted_server import Asked, Reply, ScriptedServer

from syndtrack.polling.memory import KeptHost
from syndtrack.polling.schedule import is_due

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


async def test_a_feed_goes_by_its_own_title_not_by_the_label_of_the_list_it_came_from():
    async with ScriptedServer() as server, make_poller(Clock()) as poller:
        server.pages["/feed"] = Reply(rss(rss_entry(1, server.url("/1"), long_text())))
        labelled = replace(subscribed(server.url("/feed")), title="mine, 2")
        result = await poller.poll_one(labelled, nothing_known)
    assert result.feed.title == "Harbour News"


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


# -- what answers lead to


ANSWERS = [
    ("an empty body", Reply(b""), "the answer is empty"),
    ("blanks only", Reply(b" \n\n "), "the answer is empty"),
    ("a page instead", Reply(PAGE, headers=HTML), "an HTML page, not a feed"),
    ("some bytes", Reply(bytes(range(256)) * 9), "neither RSS, Atom, RDF nor JSON Feed"),
    ("50 MB", Reply(b"<rss>" + b" " * 50_000_000), "the body is larger than 10,000,000 bytes"),
    ("cut short", Reply(rss(rss_entry(1, "/1", long_text())), cut=500), "the body is cut short"),
    ("cut short, of unknown length", Reply(rss(rss_entry(1, "/1", long_text()))[:500], framed=False), "the body is cut short"),
    ("nothing", Reply(raw=b""), "the server closed the connection without an answer"),
    ("not modified though not asked", Reply(status="304 Not Modified", framed=False), "the server answers 304 Not Modified"),
    ("a circle", Reply(status="302 Found", headers=(("Location", "/feed"),)), None),
    ("400", Reply(status="400 Bad Request"), "the server answers 400 Bad Request"),
    ("401", Reply(status="401 Unauthorized", headers=(("WWW-Authenticate", "Basic"),)), "the server answers 401 Unauthorized"),
    ("403", Reply(status="403 Forbidden"), "the server answers 403 Forbidden"),
    ("404", Reply(status="404 Not Found"), "the server answers 404 Not Found"),
    ("410 once", Reply(status="410 Gone"), "the server answers 410 Gone"),
    ("429 without a time", Reply(status="429 Too Many Requests"), "the server answers 429 Too Many Requests"),
    ("500", Reply(status="500 Internal Server Error"), "the server answers 500 Internal Server Error"),
    ("a status nobody knows", Reply(status="799 Odd"), "the server answers 799"),
    ("no content", Reply(status="204 No Content", framed=False), "the server answers 204 No Content"),
]


@pytest.mark.parametrize(("reply", "reason"), [case[1:] for case in ANSWERS], ids=[case[0] for case in ANSWERS])
async def test_an_answer_that_cannot_be_used_is_a_failure_that_changes_no_validators(reply, reason):
    clock = Clock()
    async with ScriptedServer({"/feed": reply}) as server, make_poller(clock) as poller:
        before = subscribed(server.url("/feed"), etag='"old"', last_modified="then", body_hash="h", interval=900, title="T")
        result = await poller.poll_one(before, nothing_known)
    assert result.outcome == "failed"
    assert result.reason is not None
    assert reason is None or result.reason == reason
    after = result.feed
    assert (after.etag, after.last_modified, after.body_hash, after.interval) == ('"old"', "then", "h", 900)
    assert after.failures == 1
    assert after.next_check is not None
    assert after.next_check > clock.now()
    assert result.entries == ()


async def test_a_feed_that_says_twice_that_it_is_gone_is_gone_and_comes_back_if_it_does():
    clock = Clock()
    gone = Reply(status="410 Gone")
    async with ScriptedServer({"/feed": [gone, gone, Reply(rss())]}) as server, make_poller(clock) as poller:
        feed, outcomes = subscribed(server.url("/feed")), []
        for _ in range(3):
            result = await poller.poll_one(feed, nothing_known)
            feed = result.feed
            outcomes.append((result.outcome, feed.gone))
            clock.pass_time(days=7)
    assert outcomes == [("failed", 1), ("gone", 2), ("nothing new", 0)]


async def test_success_forgets_the_failures():
    async with ScriptedServer({"/feed": Reply(rss(rss_entry(1, "/1", long_text())))}) as server, make_poller(Clock()) as poller:
        result = await poller.poll_one(subscribed(server.url("/feed"), failures=7, gone=1), nothing_known)
    assert (result.feed.failures, result.feed.gone) == (0, 0)


@pytest.mark.parametrize(("status", "header"), [("429 Too Many Requests", "3600"), ("503 Unavailable", "Mon, 02 Mar 2026 13:00:00 GMT")])
async def test_a_server_that_asks_to_wait_is_left_alone_with_all_its_feeds(status, header):
    clock = Clock()
    async with ScriptedServer({"/a": Reply(status=status, headers=(("Retry-After", header),))}) as server, make_poller(clock) as poller:
        asked = await poller.poll_one(subscribed(server.url("/a"), etag='"e"'), nothing_known)
        again = await poller.poll_one(asked.feed, nothing_known)
        other = await poller.poll_one(subscribed(server.url("/b"), id=2), nothing_known)
    hour_later = clock.now() + timedelta(hours=1)
    for result in (asked, again, other):
        assert result.outcome == "waiting"
        assert result.feed.asked_to_wait_until == result.feed.next_check == hour_later
        assert not is_due(result.feed, clock.now())
    assert (asked.feed.failures, again.feed.failures) == (1, 1)  # not being asked is no failure
    assert asked.feed.etag == '"e"'
    assert server.paths() == ["/a"]


async def test_a_wait_that_was_stored_is_kept_after_a_restart():
    clock = Clock()
    async with ScriptedServer({"/b": Reply(rss())}) as server, make_poller(clock) as poller:
        kept = KeptHost(f"127.0.0.1:{server.port}", clock.now() + timedelta(hours=1))
        poller.fetcher.hosts.remember(timedelta(0), [kept])
        assert (await poller.poll_one(subscribed(server.url("/b"), id=2), nothing_known)).outcome == "waiting"
        clock.pass_time(hours=1)
        assert (await poller.poll_one(subscribed(server.url("/b"), id=2), nothing_known)).outcome == "nothing new"
    assert server.paths() == ["/b"]


async def test_the_same_body_again_is_nothing_new_and_is_not_parsed():
    clock = Clock()
    async with ScriptedServer({"/feed": Reply(rss(rss_entry(1, "/1", long_text())))}) as server, make_poller(clock) as poller:
        first = await poller.poll_one(subscribed(server.url("/feed")), nothing_known)
        clock.pass_time(hours=1)
        second = await poller.poll_one(first.feed, nothing_known)
    assert (second.outcome, second.status, second.entries) == ("nothing new", 200, ())


async def test_every_eight_days_the_feed_is_asked_for_in_full():
    clock = Clock()
    reply = Reply(rss(rss_entry(1, "/1", long_text())), headers=(("ETag", '"e"'),))
    async with ScriptedServer({"/feed": reply}) as server, make_poller(clock) as poller:
        feed = (await poller.poll_one(subscribed(server.url("/feed")), nothing_known)).feed
        for days in (1, 8):
            clock.pass_time(days=days)
            feed = (await poller.poll_one(feed, nothing_known)).feed
    assert ["if-none-match" in asked.headers for asked in server.asked] == [False, True, False]


async def test_a_permanent_move_is_taken_over_after_three_looks_that_agree():
    clock = Clock()
    async with ScriptedServer({"/new": Reply(rss(rss_entry(1, "/1", long_text())))}) as server, make_poller(clock) as poller:
        server.pages["/old"] = Reply(status="301 Moved Permanently", headers=(("Location", "/new"),))
        feed, urls = subscribed(server.url("/old")), []
        for _ in range(3):
            feed = replace((await poller.poll_one(feed, nothing_known)).feed, last_full_fetch=None)
            urls.append(feed.url)
            clock.pass_time(days=1)
    assert urls == [server.url("/old"), server.url("/old"), server.url("/new")]


async def test_a_permanent_move_is_noticed_where_nothing_was_modified_too():
    clock = Clock()
    async with ScriptedServer() as server, make_poller(clock) as poller:
        server.pages["/old"] = Reply(status="301 Moved Permanently", headers=(("Location", "/new"),))
        server.pages["/new"] = [Reply(rss(), headers=(("ETag", '"e"'),)), Reply(status="304 Not Modified", framed=False)]
        feed, outcomes = subscribed(server.url("/old")), []
        for _ in range(4):
            result = await poller.poll_one(feed, nothing_known)
            feed = result.feed
            outcomes.append(result.outcome)
    assert outcomes == ["nothing new"] + 3 * ["not modified"]
    assert feed.url == server.url("/new")
    assert server.paths()[-2:] == ["/new", "/new"]


async def test_what_another_server_behind_a_redirect_has_is_not_taken_for_unmodified():
    def unless_asked_for(asked: Asked) -> Reply:
        known = "if-none-match" in asked.headers
        return Reply(status="304 Not Modified", framed=False) if known else Reply(rss(rss_entry(2, "/2", long_text(9))))

    async with ScriptedServer() as one, ScriptedServer() as two, ScriptedServer() as feed_server, make_poller(Clock()) as poller:
        one.pages["/"] = Reply(rss(rss_entry(1, "/1", long_text())), headers=(("ETag", '"1"'),))
        two.pages["/"] = unless_asked_for
        feed_server.pages["/feed"] = [Reply(status="302 Found", headers=(("Location", server.url()),)) for server in (one, two)]
        first = await poller.poll_one(subscribed(feed_server.url("/feed")), nothing_known)
        second = await poller.poll_one(first.feed, nothing_known)
    assert [entry.url for entry in second.entries if entry.submission] == [two.url("/2")]


async def test_a_server_that_fails_and_asks_for_no_wait_is_asked_ever_later():
    clock = Clock()
    busy = Reply(status="503 Unavailable", headers=(("Retry-After", "0"),))
    async with ScriptedServer({"/feed": busy}) as server, make_poller(clock) as poller:
        feed, waits = subscribed(server.url("/feed"), interval=900), []
        for _ in range(3):
            feed = (await poller.poll_one(feed, nothing_known)).feed
            assert feed.next_check is not None
            waits.append((feed.next_check - clock.now()).total_seconds())
            clock.time = feed.next_check
    assert [round(wait / 900 - 0.5) for wait in waits] == [1, 2, 4]
    assert len(server.asked) == 3


async def test_a_temporary_redirect_is_never_taken_over():
    async with ScriptedServer({"/new": Reply(rss())}) as server, make_poller(Clock()) as poller:
        server.pages["/old"] = Reply(status="302 Found", headers=(("Location", "/new"),))
        feed = subscribed(server.url("/old"))
        for _ in range(5):
            feed = replace((await poller.poll_one(feed, nothing_known)).feed, last_full_fetch=None)
    assert (feed.url, feed.moved_to) == (server.url("/old"), None)


async def test_a_look_that_shares_no_entry_with_the_last_says_that_some_may_be_missing():
    async def known(_feed_id: int) -> dict[str, str]:
        return {"an older one": "h"}

    entries = [rss_entry(n, f"/{n}", long_text(n)) for n in range(5)]
    async with ScriptedServer({"/feed": Reply(rss(*entries))}) as server, make_poller(Clock()) as poller:
        result = await poller.poll_one(subscribed(server.url("/feed"), interval=7_200), known)
    assert "may have been missed" in result.why
    assert result.feed.interval == 1_800


# -- rounds


async def test_a_poller_asks_one_host_one_thing_at_a_time_and_many_hosts_at_once():
    clock = Clock()
    async with AsyncExitStack() as stack:
        poller = await stack.enter_async_context(make_poller(clock))
        servers = [await stack.enter_async_context(ScriptedServer(host=f"127.0.1.{n}")) for n in range(1, 5)]
        all_asked = asyncio.Barrier(4)
        feeds = []
        for server in servers:
            server.before_reply = all_asked.wait  # each waits until the others are asked: only many at once come through
            for path in ("/a", "/b"):
                server.pages[path] = Reply(rss(rss_entry(1, "/1", long_text())))
                feeds.append(subscribed(server.url(path), id=len(feeds) + 1))
        results = [result async for result in poller.poll(feeds, nothing_known)]
    assert sorted(result.feed.id for result in results) == list(range(1, 9))
    assert {result.outcome for result in results} == {"new"}
    assert [server.most_open for server in servers] == [1] * 4


async def test_a_feed_that_fails_or_kills_its_worker_leaves_the_others_alone(monkeypatch):
    monkeypatch.setattr("syndtrack.polling.poll.PARSE_SECONDS", 0.5)
    monkeypatch.setattr("syndtrack.polling.poll.read_feed", tasks.read_or_loop)
    async with ScriptedServer() as server, make_poller(Clock()) as poller:
        server.pages["/good"] = Reply(rss(rss_entry(1, "/1", long_text())))
        server.pages |= {"/killer": Reply(b"<rss>LOOP</rss>"), "/none": Reply(raw=b"")}
        feeds = [subscribed(server.url(path), id=n) for n, path in enumerate(("/killer", "/none", "/good", "/killer", "/good"))]
        results = {result.feed.id: result async for result in poller.poll(feeds, nothing_known)}
    killed, unanswered = "took longer than 0.5 s to read and was stopped", "the server closed the connection without an answer"
    assert [results[n].reason for n in (1, 2, 4)] == [unanswered, None, None]
    assert all(killed in (results[n].reason or "") for n in (0, 3))


async def test_a_bug_ends_the_round_instead_of_being_swallowed():
    async def broken(_feed_id: int) -> dict[str, str]:
        raise ZeroDivisionError

    async with ScriptedServer({"/feed": Reply(rss(rss_entry(1, "/1", long_text())))}) as server, make_poller(Clock()) as poller:
        with pytest.raises(ZeroDivisionError):
            async for _ in poller.poll([subscribed(server.url("/feed"))], broken):
                pass


async def test_a_round_can_be_left_in_the_middle():
    async with ScriptedServer({"/a": Reply(rss()), "/b": Reply(b"x", hang=True)}) as server, make_poller(Clock()) as poller:
        round_ = poller.poll([subscribed(server.url(path), id=n) for n, path in enumerate(("/a", "/b"))], nothing_known)
        assert (await anext(round_)).feed.id == 0
        await round_.aclose()
    assert server.asked[0].target == "/a"


async def test_no_secret_of_a_feeds_address_is_said():
    replies = [Reply(raw=b""), Reply(PAGE, headers=HTML), Reply(rss("<item><title>T</title></item>"))]
    async with ScriptedServer({"/feed": replies}) as server, make_poller(Clock()) as poller:
        url = server.url("/feed?token=canary").replace("http://", "http://reader:canary@")
        for _ in range(3):
            result = await poller.poll_one(subscribed(url), nothing_known)
            said = (result.why, result.reason, [(r.what, r.reason) for r in result.refused], result.entries)
            assert "canary" not in str(said)
