"""Secrets in a feed's address: they are sent to the feed's server and stay between it, us and the subscription."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import AsyncExitStack
from ipaddress import ip_network
from pathlib import Path

import aiohttp
import pytest
from click.testing import CliRunner
from polling_rig import long_text, rss, rss_entry
from scripted_server import Reply, ScriptedServer

from syndtrack.cli import main
from syndtrack.config import Settings
from syndtrack.reports import REPORTS
from syndtrack.tracker import Tracker
from syndtrack.web.pages import PAGES
from syndtrack.web.server import API, Site

USER, PASSWORD, TOKEN = "kanarienvogel", "gelbgefiedert", "zwitscherlaut"
SECRETS = (USER, PASSWORD, TOKEN)


def secret(server: ScriptedServer, path: str) -> str:
    """An address of a server with a login and a token in it."""
    address = f"{server.url(path)}?token={TOKEN}&page=1"
    return address.replace("http://", f"http://{USER}:{PASSWORD}@")


def assert_no_secret(text: str) -> None:
    for word in SECRETS:
        assert word not in text, text[max(0, text.find(word) - 200) : text.find(word) + 100]


def settings(db: Path) -> Settings:
    return Settings(db=db, allow_networks=(ip_network("127.0.0.0/8"),), host_delay=0.0)


ANSWERS = {
    "good": lambda: Reply(rss(rss_entry(1, "/a", long_text()), rss_entry(2, guid="x", body=long_text(30)), rss_entry(3, "b?x=1", "brief"))),
    "missing": lambda: Reply(status="404 Not Found"),
    "gone": lambda: Reply(status="410 Gone"),
    "login refused": lambda: Reply(status="401 Unauthorized"),
    "asked to wait": lambda: Reply(status="429 Too Many", headers=(("Retry-After", "100"),)),
    "no feed": lambda: Reply(b"<html>sign in</html>"),
    "broken": lambda: Reply(b"<rss><channel><item><title>&#99999999999;</title></item></channel></rss>"),
    "circle": lambda: Reply(status="302 Found", headers=(("Location", f"/circle?token={TOKEN}"),)),
    "elsewhere": lambda: Reply(status="302 Found", headers=(("Location", f"ftp://{USER}:{PASSWORD}@other.example/{'?token=' + TOKEN}"),)),
    "inside": lambda: Reply(status="302 Found", headers=(("Location", f"http://{USER}:{PASSWORD}@10.0.0.1/?token={TOKEN}"),)),
    "moved": lambda: Reply(status="301 Moved", headers=(("Location", f"/good?token={TOKEN}"),)),
    "bad encoding": lambda: Reply(b"\x00" * 40, headers=(("Content-Encoding", "gzip"),)),
}  # fmt: skip


@pytest.fixture
async def polled(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    """A database whose every feed has secrets in its address, polled twice at servers that answer in all ways, each a host of its own."""
    caplog.set_level(logging.DEBUG)
    db = tmp_path / "x.db"
    async with AsyncExitStack() as stack:
        servers = []
        for number, (name, reply) in enumerate(ANSWERS.items(), 1):
            path = f"/{name.replace(' ', '-')}"
            pages = {path: reply(), "/good": ANSWERS["good"](), "/robots.txt": Reply()}
            servers.append((path, await stack.enter_async_context(ScriptedServer(pages, host=f"127.0.1.{number}"))))
        with Tracker(settings(db)) as tracker:
            feeds = [secret(server, path) for path, server in servers]
            refused = tracker.add([*feeds, f"ftp://{USER}:{PASSWORD}@x.example/?token={TOKEN}", feeds[0]])
            assert len(refused) == 2
            for _ in range(2):
                async with tracker.scheduler() as scheduler:
                    summary = await scheduler.round(everything=True)
                refused += summary.refused
        assert all(TOKEN in server.asked[0].target and server.asked[0].headers["authorization"] for _, server in servers)
    for refusal in refused:
        assert_no_secret(f"{refusal.what}: {refusal.reason}")
    return db


async def test_a_secret_reaches_the_server_and_no_report_page_log_or_message(polled: Path, caplog, client: aiohttp.ClientSession):
    assert_no_secret(caplog.text)
    with Tracker(settings(polled)) as tracker:
        assert len(tracker.feeds()) == len(ANSWERS)
        everything = [*tracker.feeds(), *tracker.store.lookups.refusals()]
        for report in REPORTS:
            everything += list(tracker.report(report))
        assert_no_secret(json.dumps(everything, default=str))
        articles = [row[0] for row in tracker.store.db.execute("SELECT url FROM article")]
        assert articles
        for url in articles:
            assert_no_secret(url)
            assert_no_secret(json.dumps([tracker.trace(url), tracker.export(url, "prov"), tracker.export(url, "jsonld")], default=str))
    async with Site(settings(polled), "127.0.0.1", 0) as site:
        paths = ["", "healthz", "metrics", "nowhere", *PAGES, *(f"{API.lstrip('/')}{name}" for name in PAGES)]
        paths += [f"article?url={url}" for url in articles] + [f"search?q={word}" for word in ("harbour", "council")]
        for path in paths:
            async with client.get(site.address + path) as answer:
                assert_no_secret(await answer.text())
                assert_no_secret(str(answer.headers))


# Every table but that of the subscriptions themselves, which has to know the address to ask it.
async def test_in_the_database_a_secret_stands_in_the_subscription_only(polled: Path):
    with Tracker(settings(polled)) as tracker:
        tables = [name for (name,) in tracker.store.db.execute("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')")]
        holding = set()
        for table in tables:
            for row in tracker.store.db.execute(f'SELECT * FROM "{table}"'):  # noqa: S608 - names from the schema itself
                if any(word in str(tuple(row)) for word in SECRETS):
                    holding.add(table)
    assert holding <= {"feed"}


COMMANDS = [
    ["feeds"],
    *(["feeds", "--format", form] for form in ("json", "jsonl", "csv")),
    ["feeds", "--why"],
    ["export-feeds"],
    *(["report", name, "--format", form] for name in REPORTS for form in ("text", "json", "csv", "html")),
    ["search", "council"],
    ["explain", "good"],
    ["explain", "127.0.0.1"],
    ["explain", "missing", "--format", "json"],
    ["quarantine"],
    ["trace", f"http://{USER}:{PASSWORD}@nowhere.example/?token={TOKEN}"],
    ["add", f"http://{USER}:{PASSWORD}@new.example/feed?token={TOKEN}"],
    ["add", f"http://{USER}:{PASSWORD}@new.example/feed?token={TOKEN}"],
    ["add", f"ftp://{USER}:{PASSWORD}@new.example/feed?token={TOKEN}"],
    ["add", "--discover", f"http://{USER}:{PASSWORD}@127.0.0.1:9/feed?token={TOKEN}"],
    ["forget", f"http://{USER}:{PASSWORD}@nowhere.example/?token={TOKEN}"],
    ["poll", "--all"],
    ["poll"],
]


async def test_no_command_prints_a_secret(polled: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SYNDTRACK_ALLOW_NETWORKS", "127.0.0.0/8")
    monkeypatch.chdir(polled.parent)
    (polled.parent / "syndtrack.toml").write_text("host_delay = 0.0\n")
    for command in COMMANDS:
        result = await asyncio.to_thread(CliRunner().invoke, main, ["--db", str(polled), *command])
        assert result.exception is None or isinstance(result.exception, SystemExit), (command, result.exception)
        assert result.exit_code in (0, 1, 2, 3)
        assert_no_secret(f"{command[:2] if command[0] not in ('trace', 'add', 'forget') else command[0]}: {result.output}")


async def test_no_file_that_is_written_holds_a_secret(polled: Path):
    out = polled.parent / "out.opml"
    result = CliRunner().invoke(main, ["--db", str(polled), "export-feeds", str(out)])
    assert result.exit_code == 0
    assert f"{len(ANSWERS)} of {len(ANSWERS)} addresses had a login or secret, which was left out" in result.output
    assert_no_secret(out.read_text())
