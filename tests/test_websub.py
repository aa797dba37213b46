"""Being pushed what is new: discovery, the hub's questions, signatures, pushes and leases, with a real hub and the real site."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import worker_tasks as tasks
from aiohttp import web
from polling_rig import LOOPBACK, NOON, Clock, long_text, rss, rss_entry
from scripted_server import Reply, ScriptedServer

from syndtrack.config import Settings
from syndtrack.models import Feed, HubLink, PollResult, Subscription
from syndtrack.polling import websub
from syndtrack.polling.fetch import Answer
from syndtrack.polling.headers import linked
from syndtrack.polling.seen import announced_hubs
from syndtrack.pushes import WAITING_PUSHES, Push
from syndtrack.reading.entries import parse_feed
from syndtrack.scheduler import Scheduler
from syndtrack.tracker import Tracker
from syndtrack.web.server import Site
from syndtrack.web.websub import PUSH_BYTES

FEED, HUB, TOPIC = "https://a.example/feed", "https://hub.example/", "https://a.example/self"
ATOM = 'xmlns:atom="http://www.w3.org/2005/Atom"'
LINKS = f'<atom:link {ATOM} rel="hub" href="{HUB}"/><atom:link {ATOM} rel="self" href="{TOPIC}"/>'
AGREED = Subscription(1, HUB, TOPIC, "t" * 43, "secret")
Hubs = tuple[HubLink, ...] | None
NAMED = (HubLink(HUB, TOPIC),)
CONFIRMED = replace(AGREED, asked=NOON, lease_until=NOON + timedelta(days=10), next_try=NOON + timedelta(days=8))
PUSHING = replace(CONFIRMED, pushing=True, interval=1_800)


def question(**fields: str) -> dict[str, str]:
    stated = {"mode": "subscribe", "topic": TOPIC, "challenge": "c", "lease_seconds": "864000"} | fields
    return {f"hub.{name}": value for name, value in stated.items()}


def looked(outcome: str = "nothing new", announced: Hubs = NAMED, **fields: Any) -> PollResult:  # noqa: ANN401 - whatever PollResult takes
    feed = Feed(1, FEED, interval=2_700, next_check=NOON + timedelta(minutes=45))
    return PollResult(feed, NOON, outcome, 200, "why", announced=announced, **fields)


# -- discovery


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (['<https://h.example/>; rel="hub"'], "https://h.example/"),
        (["<https://h.example/>; rel=hub, <x>; rel=self"], "https://h.example/"),
        (['<x>; title="a, <b>; rel=hub"; rel=self', "</h>;rel=HUB"], "/h"),
        (['<x>; rel="self hub"'], "x"),
        (["<x>; rel=self"], None),
        (["<x>; rel=hubs"], None),
        (["x; rel=hub"], None),
        ([], None),
        (["<" * 100_000], None),
        (['<x>;"' * 100_000], None),
    ],
    ids=["quoted", "bare", "second header", "two relations", "other relation", "longer word", "no brackets", "none", "hostile", "quotes"],
)
def test_link_headers_name_a_hub(values: list[str], found: str | None):
    assert linked(values, "hub") == found


@pytest.mark.parametrize(
    "body",
    [
        rss(rss_entry(1, "https://a.example/1"), head=LINKS),
        (f'<feed xmlns="http://www.w3.org/2005/Atom"><link rel="hub" href="{HUB}"/>' + '<link rel="self" href="/self"/></feed>').encode(),
        json.dumps(
            {"version": "https://jsonfeed.org/version/1.1", "title": "x", "items": [], "feed_url": TOPIC}
            | {"hubs": [{"type": "rssCloud", "url": "https://c.example/"}, {"type": "WebSub", "url": HUB}]}
        ).encode(),
    ],
    ids=["rss", "atom", "json"],
)
def test_feeds_name_a_hub_and_their_topic(body: bytes):
    parsed = parse_feed(body, FEED)
    assert (parsed.hub, parsed.topic) == (HUB, TOPIC)


def test_headers_are_believed_before_the_feed():
    parsed = parse_feed(rss(rss_entry(1, "https://a.example/1"), head=LINKS), FEED)
    assert announced_hubs(Answer(200, FEED, hub="https://h.example/", topic="/t"), parsed) == (
        HubLink("https://h.example/", "https://a.example/t"),
    )
    assert announced_hubs(Answer(200, FEED), parsed) == (HubLink(HUB, TOPIC),)


def test_a_hub_without_a_topic_or_at_no_web_address_is_none():
    empty = replace(parse_feed(rss(rss_entry(1, "https://a.example/1")), FEED))
    assert announced_hubs(Answer(200, FEED, hub=HUB), empty) == ()
    assert announced_hubs(Answer(200, FEED, hub="file:///etc/passwd", topic=TOPIC), empty) == ()


# -- decisions


def test_a_feed_that_names_a_hub_is_to_be_subscribed_to_with_secrets_of_its_own():
    one, other = (websub.after_hearing(None, looked()) for _ in range(2))
    assert one is not None
    assert other is not None
    assert (one.hub, one.topic, one.next_try, one.wants) == (HUB, TOPIC, NOON, "subscribe")
    assert len({one.token, one.secret, other.token, other.secret}) == 4
    assert websub.TOKEN.fullmatch(one.token)
    assert one.token not in repr(one)
    assert one.secret not in repr(one)


def test_a_look_that_tells_nothing_of_hubs_changes_nothing():
    assert websub.after_hearing(None, looked(announced=None)) is None
    assert websub.after_hearing(None, looked(announced=())) is None
    for announced in (None, (HubLink(HUB, TOPIC),)):
        assert websub.after_hearing(CONFIRMED, looked(announced=announced)) is CONFIRMED


def test_a_new_hub_takes_the_place_of_the_old_but_not_at_every_look():
    new = websub.after_hearing(CONFIRMED, looked(announced=(HubLink("https://other.example/", TOPIC),)))
    assert new is not None
    assert (new.hub, new.lease_until) == ("https://other.example/", None)
    assert new.token != CONFIRMED.token
    assert new.next_try == NOON + timedelta(days=1)


@pytest.mark.parametrize("result", [looked("gone", None), looked(announced=())], ids=["gone", "no hub"])
def test_a_feed_that_is_gone_or_names_no_hub_is_unsubscribed(result: PollResult):
    ending = websub.after_hearing(PUSHING, result)
    assert ending is not None
    assert (ending.wants, ending.next_try, ending.pushing) == ("unsubscribe", NOON, False)
    assert not websub.takes_pushes(ending, NOON)
    assert websub.after_hearing(ending, result) is ending
    tried = ending
    for _ in range(websub.UNSUBSCRIBE_TRIES):
        tried = websub.before_asking(tried, NOON) or AGREED
        assert tried.wants == "unsubscribe"
        assert "hub.secret" not in websub.request_form(tried, "https://us.example")
    assert websub.before_asking(tried, NOON) is None


def test_a_hub_that_does_not_confirm_is_asked_ever_more_rarely():
    waits, agreed = [], AGREED
    for _ in range(10):
        agreed = websub.before_asking(agreed, NOON) or AGREED
        waits.append((agreed.next_try or NOON) - NOON)
    assert waits[0] == timedelta(hours=1)
    assert waits == sorted(waits)
    assert waits[-1] == timedelta(days=7)


def test_a_request_names_the_callback():
    form = websub.request_form(AGREED, "https://us.example/x")
    assert form == {
        "hub.mode": "subscribe", "hub.topic": TOPIC, "hub.callback": f"https://us.example/x/websub/{'t' * 43}",
        "hub.secret": "secret", "hub.lease_seconds": "864000",
    }  # fmt: skip


def test_a_lease_is_renewed_before_it_ends():
    confirmed = websub.after_confirming(replace(AGREED, tries=3), question(lease_seconds="1000000"), NOON)
    assert confirmed is not None
    assert (confirmed.tries, confirmed.lease_until) == (0, NOON + timedelta(seconds=1_000_000))
    assert confirmed.next_try == NOON + timedelta(seconds=800_000)


@pytest.mark.parametrize(
    ("stated", "lease"),
    [("", 864_000), ("0", 864_000), ("-5", 864_000), ("x", 864_000), ("9" * 12, 7_776_000), ("9" * 500, 864_000), ("60", 60)],
    ids=["missing", "zero", "negative", "word", "too long", "digits without end", "a minute"],
)
def test_odd_leases_are_bounded(stated: str, lease: int):
    confirmed = websub.after_confirming(replace(AGREED, tries=1), question(lease_seconds=stated), NOON)
    assert confirmed is not None
    assert confirmed.lease_until == NOON + timedelta(seconds=lease)
    assert confirmed.next_try is not None
    assert confirmed.next_try >= NOON + timedelta(minutes=10)


@pytest.mark.parametrize(
    ("agreed", "asked"),
    [
        (replace(AGREED, tries=1), question(topic="https://b.example/")),
        (replace(AGREED, tries=1), question(mode="unsubscribe")),
        (replace(AGREED, tries=1), question(challenge="")),
        (replace(AGREED, tries=1), question(challenge="c" * 1_001)),
        (replace(AGREED, tries=1), {}),
        (AGREED, question()),
    ],
    ids=["another topic", "another mode", "no challenge", "endless challenge", "nothing", "not asked yet"],
)
def test_only_what_was_asked_for_is_confirmed(agreed: Subscription, asked: dict[str, str]):
    assert websub.after_confirming(agreed, asked, NOON) is None


def test_a_denial_ends_the_lease_and_is_told():
    denied = websub.after_denial(PUSHING, question(mode="denied", reason="no\nthanks"), NOON)
    assert denied is not None
    assert (denied.lease_until, denied.pushing, denied.reason) == (None, False, "the hub refuses: nothanks")
    assert denied.next_try == NOON + timedelta(days=7)
    assert websub.after_denial(PUSHING, question(mode="denied", topic="x"), NOON) is None


@pytest.mark.parametrize("name", ["sha1", "sha256", "sha384", "sha512"])
def test_signatures_of_each_algorithm_hold_for_these_bytes_alone(name: str):
    signed = f"{name}={hmac.new(b'secret', b'body', getattr(hashlib, name)).hexdigest()}"
    assert websub.is_signed("secret", b"body", signed)
    assert websub.is_signed("secret", b"body", name + "=" + signed.partition("=")[2].upper())
    assert not websub.is_signed("secret", b"body ", signed)
    assert not websub.is_signed("other", b"body", signed)


@pytest.mark.parametrize("header", [None, "", "sha1", "sha1=", "md5=841a2d689ad8", "sha256=é", "=", "sha256=" + "0" * 64])
def test_what_is_no_signature_does_not_hold(header: str | None):
    assert not websub.is_signed("secret", b"body", header)


def test_looks_are_rarer_while_the_hub_pushes_and_say_so():
    backed = websub.backed_up(looked(), PUSHING)
    assert backed.feed.next_check == NOON + timedelta(hours=6)
    assert backed.feed.interval == 1_800
    assert backed.why == "why; its hub pushes what is new, so the next look is a back-up, in 6 h"


@pytest.mark.parametrize(
    ("result", "agreed"),
    [
        (looked(), None),
        (looked(), CONFIRMED),
        (looked(), replace(PUSHING, lease_until=NOON)),
        (looked(), replace(PUSHING, wants="unsubscribe")),
        (looked("failed"), PUSHING),
        (looked("waiting"), PUSHING),
        (looked("new"), PUSHING),
    ],
    ids=["no hub", "nothing pushed yet", "lease over", "unsubscribing", "failed", "asked to wait", "missed something"],
)
def test_looks_stay_as_they_are_where_no_hub_can_be_relied_upon(result: PollResult, agreed: Subscription | None):
    assert websub.backed_up(result, agreed) is result


def test_a_look_is_never_brought_forward_and_comes_when_the_lease_ends():
    far = replace(looked(), feed=replace(looked().feed, next_check=NOON + timedelta(days=1)))
    assert websub.backed_up(far, PUSHING).feed.next_check == NOON + timedelta(days=1)
    soon = replace(PUSHING, lease_until=NOON + timedelta(hours=2))
    assert websub.backed_up(looked(), soon).feed.next_check == NOON + timedelta(hours=2)


def test_a_hub_is_relied_upon_from_its_first_push_until_a_look_finds_what_it_did_not_push():
    pushed = websub.after_result(CONFIRMED, looked("new", pushed=True), 900)
    assert (pushed.pushing, pushed.interval, pushed.pushes, pushed.last_push) == (True, 900, 1, NOON)
    assert websub.after_result(pushed, looked("nothing new"), 900) is pushed
    assert not websub.after_result(pushed, looked("new"), 900).pushing
    broken = websub.after_result(CONFIRMED, looked("failed", None, reason="no feed", pushed=True), 900)
    assert (broken.pushing, broken.reason) == (False, "what was pushed could not be read: no feed")


# -- with a hub and the site


@dataclass
class Hub:
    """A hub that asks back at once, as some do, and pushes when told to."""

    address: str
    client: aiohttp.ClientSession
    status: int = 202
    lease: str = "1000"
    forms: list[dict[str, str]] = field(default_factory=list)
    answers: list[tuple[int, str]] = field(default_factory=list)

    async def asked(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.forms.append(form)
        if self.status == 202:
            self.answers.append(await self.ask_back(form["hub.mode"], form["hub.topic"]))
        return web.Response(status=self.status)

    async def ask_back(self, mode: str, topic: str, **more: str) -> tuple[int, str]:
        query = {"hub.mode": mode, "hub.topic": topic, "hub.challenge": "<b>" + "x" * 40, "hub.lease_seconds": self.lease} | more
        async with self.client.get(self.forms[-1]["hub.callback"], params=query) as answer:
            return answer.status, await answer.text()

    async def push(self, body: bytes, header: str | None = "", **headers: str) -> int:
        signed = "sha256=" + hmac.new(self.forms[0]["hub.secret"].encode(), body, "sha256").hexdigest()
        stated = {} if header is None else {"X-Hub-Signature": header or signed}
        async with self.client.post(self.forms[0]["hub.callback"], data=body, headers=stated | headers) as answer:
            return answer.status


@asynccontextmanager
async def open_hub(client: aiohttp.ClientSession) -> AsyncIterator[Hub]:
    app, hub = web.Application(), Hub("", client)
    app.router.add_post("/hub", hub.asked)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    hub.address = f"http://127.0.0.1:{runner.addresses[0][1]}/hub"
    try:
        yield hub
    finally:
        await runner.cleanup()


@dataclass
class Rig:
    """The whole: a feed's server, its hub, the site and the scheduler on one database."""

    clock: Clock
    server: ScriptedServer
    hub: Hub
    tracker: Tracker
    site: Site
    scheduler: Scheduler

    @property
    def feed(self) -> str:
        return self.server.url("/feed")

    def story(self):
        return self.tracker.explain(self.feed)

    async def ask_hubs(self) -> int:
        due = await self.scheduler.pushes.due()
        for each in due:
            await self.scheduler.pushes.ask(each)
        return len(due)

    async def subscribe(self) -> None:
        await self.scheduler.round()
        assert await self.ask_hubs() == 1

    async def until(self, number: int) -> None:
        """Waits in the running scheduler until so many pushes were read; each question is itself a pause."""
        forever = asyncio.create_task(self.scheduler.forever())
        try:
            while not forever.done() and (await self.scheduler._stored(self.story))["hub"]["pushes"] < number:
                pass
        finally:
            forever.cancel()
        with pytest.raises(asyncio.CancelledError):
            await forever


def feed_of(*entries: str) -> bytes:
    return rss(*entries)


def entry(server: ScriptedServer, number: int) -> str:
    return rss_entry(number, server.url(f"/{number}"), long_text(number * 100))


@asynccontextmanager
async def open_rig(folder: Path, client: aiohttp.ClientSession, clock: Clock, hub: Hub, server: ScriptedServer) -> AsyncIterator[Rig]:
    settings = Settings(db=folder / "x.db", allow_networks=LOOPBACK, host_delay=0.0, public_url="http://127.0.0.1:1")
    with Tracker(settings, clock.now) as tracker:
        async with Site(settings, "127.0.0.1", 0, clock.now) as site:
            tracker.settings = replace(settings, public_url=site.address.rstrip("/"))
            async with tracker.scheduler() as scheduler:
                site.callback.receiver = scheduler.pushes
                tracker.add([server.url("/feed")])
                yield Rig(clock, server, hub, tracker, site, scheduler)


@pytest.fixture
async def server(client: aiohttp.ClientSession) -> AsyncIterator[ScriptedServer]:
    async with ScriptedServer({"/robots.txt": Reply(status="404 Not Found")}) as running:
        yield running


@pytest.fixture
async def hub(client: aiohttp.ClientSession, server: ScriptedServer) -> AsyncIterator[Hub]:
    async with open_hub(client) as running:
        links = ("Link", f'<{running.address}>; rel="hub", <{server.url("/feed")}>; rel="self"')
        server.pages["/feed"] = Reply(feed_of(entry(server, 1)), headers=(links,))
        yield running


@pytest.fixture
async def rig(tmp_path: Path, client: aiohttp.ClientSession, hub: Hub, server: ScriptedServer) -> AsyncIterator[Rig]:
    async with open_rig(tmp_path, client, Clock(), hub, server) as running:
        yield running


async def test_a_feed_with_a_hub_is_subscribed_to_and_what_it_pushes_is_an_article(rig: Rig):
    await rig.subscribe()
    assert rig.hub.answers == [(200, "<b>" + "x" * 40)]
    assert rig.hub.forms[0]["hub.topic"] == rig.feed
    assert rig.story()["hub"]["state"] == "has agreed to push"
    asked = len(rig.server.asked)

    assert await rig.hub.push(feed_of(entry(rig.server, 2))) == 202
    await rig.until(1)

    assert len(rig.server.asked) == asked  # nobody looked
    story = rig.story()
    assert (story["hub"]["state"], story["hub"]["last_push"]) == ("pushes what is new", "2026-03-02T12:00:00Z")
    assert story["polls"][0]["new_entries"] == 1
    assert "pushed by the feed's hub" in story["polls"][0]["why"]
    assert [row["url"] for row in rig.tracker.search("council")] != []
    assert rig.tracker.store.lookups.article_id(rig.server.url("/2")) is not None

    rig.clock.pass_time(hours=2)
    await rig.scheduler.round()
    assert "its hub pushes what is new, so the next look is a back-up" not in (rig.story()["why"] or "")  # the lease is over


async def test_looks_that_back_up_pushes_say_so(rig: Rig):
    rig.hub.lease = "864000"
    await rig.subscribe()
    await rig.hub.push(feed_of(entry(rig.server, 2)))
    await rig.until(1)
    rig.clock.pass_time(hours=2)
    await rig.scheduler.round()
    assert rig.story()["why"].endswith("its hub pushes what is new, so the next look is a back-up, in 6 h")
    rows = {row["url"]: row["why"] for row in rig.tracker.feeds()}
    assert "its hub pushes" in rows[rig.feed]


async def test_the_hub_is_answered_only_what_was_asked_for(rig: Rig):
    await rig.subscribe()
    assert await rig.hub.ask_back("subscribe", "https://b.example/") == (404, "")
    assert await rig.hub.ask_back("unsubscribe", rig.feed) == (404, "")
    callback = rig.hub.forms[0]["hub.callback"]
    for token in ("short-token", "t" * 43, callback[-43:-1] + ("A" if callback[-1] != "A" else "B")):
        async with rig.hub.client.get(f"{rig.site.address}websub/{token}", params=question(topic=rig.feed)) as answer:
            assert answer.status == 404
            assert token not in await answer.text()
        async with rig.hub.client.post(f"{rig.site.address}websub/{token}", data=b"x" * 70_000) as answer:
            assert answer.status == 404


async def test_a_denial_is_recorded(rig: Rig):
    await rig.subscribe()
    assert (await rig.hub.ask_back("denied", rig.feed, **{"hub.reason": "closed"}))[0] == 200
    assert rig.story()["hub"]["reason"] == "the hub refuses: closed"
    assert await rig.hub.push(feed_of(entry(rig.server, 2))) == 404


@pytest.mark.parametrize("header", [None, "sha256=" + "0" * 64, "md5=00"], ids=["missing", "wrong", "unknown algorithm"])
async def test_a_push_without_the_right_signature_is_thanked_for_and_ignored(rig: Rig, header: str | None):
    await rig.subscribe()
    assert await rig.hub.push(feed_of(entry(rig.server, 2)), header) == 202
    assert rig.scheduler.pushes.take(()) is None
    record = rig.story()["hub"]
    assert (record["ignored"], record["pushes"]) == (1, 0)
    assert "not signed" in record["reason"]


async def test_a_push_of_fifty_megabytes_is_not_taken(rig: Rig):
    await rig.subscribe()
    with suppress(aiohttp.ClientConnectionError):  # where the connection ends before all was sent
        assert await rig.hub.push(b"x" * 50_000_000) == 413
    assert "larger than" in rig.story()["hub"]["reason"]

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(PUSH_BYTES // 100_000 + 2):
            yield b"x" * 100_000

    with suppress(aiohttp.ClientConnectionError):
        async with rig.hub.client.post(rig.hub.forms[0]["hub.callback"], data=pieces()) as answer:
            assert answer.status == 413
    assert rig.story()["hub"]["ignored"] == 2


async def test_what_is_pushed_and_no_feed_is_recorded_and_changes_no_plan(rig: Rig):
    await rig.subscribe()
    before = rig.story()
    await rig.hub.push(b"<html>not a feed</html>")
    await rig.until(1)
    story = rig.story()
    assert (story["polls"][0]["outcome"], story["failures"]) == ("failed", 0)
    assert (story["next_check"], story["validators"]) == (before["next_check"], before["validators"])
    assert "could not be read" in story["hub"]["reason"]


async def test_a_push_that_kills_its_worker_fails_alone(rig: Rig, monkeypatch: pytest.MonkeyPatch):
    await rig.subscribe()
    monkeypatch.setattr("syndtrack.polling.poll.read_feed", tasks.read_feed_or_crash)
    await rig.hub.push(b"<rss>CRASH-FEED</rss>")
    await rig.hub.push(feed_of(entry(rig.server, 3)))
    await rig.until(2)
    assert [poll["outcome"] for poll in rig.story()["polls"]] == ["new", "failed", "new"]
    assert len(rig.tracker.quarantine()) == 1


async def test_the_queue_of_pushes_is_bounded(rig: Rig):
    await rig.subscribe()
    pushes = rig.scheduler.pushes
    assert all(pushes.offer(Push(1, Answer(200, FEED, b"x"))) for _ in range(WAITING_PUSHES))
    assert await rig.hub.push(feed_of(entry(rig.server, 2))) == 503


async def test_a_feed_that_is_being_asked_is_not_pushed_at_the_same_time(rig: Rig):
    pushes = rig.scheduler.pushes
    pushes.offer(Push(1, Answer(200, FEED, b"one")))
    pushes.offer(Push(2, Answer(200, FEED, b"two")))
    assert [p.answer.body for p in (pushes.take({1}), pushes.take({2}), pushes.take(())) if p] == [b"two", b"one"]


async def test_a_lease_is_renewed_over_restarts_and_not_before_its_time(
    tmp_path: Path, client: aiohttp.ClientSession, hub: Hub, server: ScriptedServer
):
    clock = Clock()
    async with open_rig(tmp_path, client, clock, hub, server) as rig:
        await rig.subscribe()
        lease = rig.story()["hub"]["lease_until"]
    clock.pass_time(seconds=799)
    async with open_rig(tmp_path, client, clock, hub, server) as rig:
        assert rig.story()["hub"]["lease_until"] == lease
        assert await rig.ask_hubs() == 0
        clock.pass_time(seconds=1)
        assert await rig.ask_hubs() == 1
        assert rig.story()["hub"]["lease_until"] > lease
    assert hub.forms[0]["hub.secret"] == hub.forms[1]["hub.secret"]
    assert [status for status, _ in hub.answers] == [200, 200]


async def test_a_feed_that_is_gone_is_unsubscribed(rig: Rig):
    await rig.subscribe()
    rig.server.pages["/feed"] = Reply(status="410 Gone")
    for _ in range(2):
        rig.clock.pass_time(days=1)
        await rig.scheduler.round()
    assert await rig.ask_hubs() == 1
    assert rig.hub.forms[-1]["hub.mode"] == "unsubscribe"
    assert rig.hub.answers[-1][0] == 200
    assert rig.story()["hub"] is None


async def test_a_hub_that_fails_is_told_and_asked_later(rig: Rig):
    rig.hub.status = 500
    await rig.subscribe()
    assert rig.story()["hub"]["reason"] == "the hub answers 500 Internal Server Error"
    assert await rig.ask_hubs() == 0
    rig.clock.pass_time(hours=1)
    assert await rig.ask_hubs() == 1


async def test_no_private_hub_is_asked_for_a_strangers_feed(rig: Rig, monkeypatch: pytest.MonkeyPatch):
    await rig.scheduler.round()
    monkeypatch.setattr(rig.scheduler.pushes._fetcher, "is_own", lambda _: False)
    assert await rig.ask_hubs() == 1
    assert rig.hub.forms == []
    assert "127.0.0.1 is loopback" in rig.story()["hub"]["reason"]


async def test_without_a_public_address_no_hub_is_asked(tmp_path: Path, hub: Hub, server: ScriptedServer, client: aiohttp.ClientSession):
    settings = Settings(db=tmp_path / "x.db", allow_networks=LOOPBACK, host_delay=0.0)
    with Tracker(settings) as tracker:
        tracker.add([server.url("/feed")])
        async with Site(settings, "127.0.0.1", 0) as site, tracker.scheduler() as scheduler:
            site.callback.receiver = scheduler.pushes
            await scheduler.round()
            assert scheduler.pushes is None
            async with client.get(f"{site.address}websub/{'t' * 43}") as answer:
                assert answer.status == 404
        assert tracker.store.db.execute("SELECT count(*) FROM websub").fetchone() == (0,)
    assert hub.forms == []


async def test_the_name_that_hubs_use_shows_no_pages(tmp_path: Path, client: aiohttp.ClientSession):
    settings = Settings(db=tmp_path / "x.db", public_url="https://hooks.example/x")
    Tracker(settings).close()
    async with Site(settings, "127.0.0.1", 0) as site:
        for host, status in (("hooks.example", 403), ("HOOKS.example:443", 403), ("hooks.example.", 403), ("127.0.0.1", 200)):
            async with client.get(site.address + "feeds", headers={"Host": host}) as answer:
                assert answer.status == status
        async with client.get(f"{site.address}websub/{'t' * 43}", headers={"Host": "hooks.example"}) as answer:
            assert answer.status == 404


async def test_neither_token_nor_secret_is_shown(rig: Rig, caplog: pytest.LogCaptureFixture):
    rig.hub.status = 500
    await rig.subscribe()
    shown = [json.dumps(rig.story()), json.dumps(rig.tracker.feeds()), caplog.text]
    for page in ("feeds", "api/v1/feeds", "metrics", "healthz"):
        async with rig.hub.client.get(rig.site.address + page) as answer:
            shown.append(await answer.text())
    kept = rig.tracker.store.websub.of_feed(1)
    assert kept is not None
    assert not [text for text in shown if kept.token in text or kept.secret in text]
