"""Being pushed what is new, the whole way: a real hub, the real site, the scheduler and the store."""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import aiohttp
import pytest
import worker_tasks as tasks
from aiohttp import web
from polling_rig import LOOPBACK, Clock, long_text, rss, rss_entry
from scripted_server import Reply, ScriptedServer

from syndtrack import scheduler as scheduling
from syndtrack.config import Settings
from syndtrack.errors import GivenUpError
from syndtrack.metrics import Metrics
from syndtrack.polling.fetch import Answer
from syndtrack.pushes import WAITING_PUSHES, Push
from syndtrack.scheduler import Scheduler
from syndtrack.tracker import Tracker
from syndtrack.web.server import Site
from syndtrack.web.websub import PUSH_BYTES


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
    metrics: Metrics

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
    metrics = Metrics()
    with Tracker(settings, clock.now) as tracker:
        async with Site(settings, "127.0.0.1", 0, clock.now, metrics) as site:
            tracker.settings = replace(settings, public_url=site.address.rstrip("/"))
            async with tracker.scheduler(metrics) as scheduler:
                site.callback.receiver = scheduler.pushes
                tracker.add([server.url("/feed")])
                yield Rig(clock, server, hub, tracker, site, scheduler, metrics)


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
        async with rig.hub.client.get(
            f"{rig.site.address}websub/{token}", params={"hub.mode": "subscribe", "hub.topic": rig.feed, "hub.challenge": "c"}
        ) as answer:
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
    assert len(rig.tracker.quarantine.rows()) == 1


async def test_the_queue_of_pushes_is_bounded(rig: Rig):
    await rig.subscribe()
    pushes = rig.scheduler.pushes
    assert all(pushes.offer(Push(1, Answer(200, "https://a.example/feed", b"x"))) for _ in range(WAITING_PUSHES))
    assert await rig.hub.push(feed_of(entry(rig.server, 2))) == 503


async def test_pushes_are_counted_by_what_became_of_them(rig: Rig, monkeypatch: pytest.MonkeyPatch):
    await rig.subscribe()
    await rig.hub.push(feed_of(entry(rig.server, 2)))
    await rig.hub.push(b"<html>not a feed</html>")
    await rig.until(2)
    await rig.hub.push(feed_of(entry(rig.server, 3)), None)
    monkeypatch.setattr("syndtrack.web.websub.PUSH_BYTES", 10)
    await rig.hub.push(b"x" * 11)
    rig.scheduler.pushes.closed = True
    await rig.hub.push(b"<rss/>")
    async with rig.hub.client.post(f"{rig.site.address}websub/{'t' * 43}", data=b"x"):
        pass
    async with rig.hub.client.get(rig.site.address + "metrics") as answer:
        said = {line for line in (await answer.text()).splitlines() if line.startswith(("syndtrack_push", "syndtrack_polls_total"))}
    assert {line for line in said if "_created" not in line} == {
        'syndtrack_pushes_total{outcome="taken"} 2.0',
        'syndtrack_pushes_total{outcome="not signed"} 1.0',
        'syndtrack_pushes_total{outcome="too large or slow"} 1.0',
        'syndtrack_pushes_total{outcome="no room"} 1.0',
        'syndtrack_pushes_total{outcome="not agreed"} 1.0',
        'syndtrack_pushes_read_total{outcome="new"} 1.0',
        'syndtrack_pushes_read_total{outcome="failed"} 1.0',
        "syndtrack_push_articles_total 1.0",
        'syndtrack_polls_total{outcome="new"} 1.0',
    }


async def test_a_feed_that_is_being_asked_is_not_pushed_at_the_same_time(rig: Rig):
    pushes = rig.scheduler.pushes
    pushes.offer(Push(1, Answer(200, "https://a.example/feed", b"one")))
    pushes.offer(Push(2, Answer(200, "https://a.example/feed", b"two")))
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


async def test_a_store_that_cannot_be_used_while_hubs_are_asked_is_told_as_anywhere_else(rig: Rig, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object) -> None:
        raise GivenUpError("x.db: another process is writing; not waited for any longer")

    monkeypatch.setattr(scheduling, "LOOK_AGAIN_SECONDS", 0.01)
    monkeypatch.setattr(rig.tracker.store.websub, "to_ask", refuse)
    with pytest.raises(GivenUpError, match="another process is writing"):
        await rig.scheduler.forever()
