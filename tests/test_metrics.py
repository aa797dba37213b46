"""What an operator sees of a running tracker: metrics, health, logs."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from polling_rig import LOOPBACK, Clock, long_text, rss, rss_entry
from scripted_server import Reply, ScriptedServer

from syndtrack import logs
from syndtrack.config import Settings
from syndtrack.metrics import Metrics
from syndtrack.models import Feed, PollResult, SeenEntry
from syndtrack.tracker import Tracker
from syndtrack.web.server import Site


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    stream = io.StringIO()
    logs.set_up("json", stream)
    yield stream
    root.handlers[:], root.level = before


def sample(metrics: Metrics, name: str) -> float:
    """The value of one line of the metrics."""
    lines = metrics.text(0).decode().splitlines()
    return float(next(line for line in lines if line.startswith(name + " ")).rpartition(" ")[2])


async def test_a_round_of_polls_is_counted(tmp_path: Path):
    clock, metrics = Clock(), Metrics()
    pages = {"/a": Reply(rss(rss_entry(1, "/1", long_text()))), "/b": Reply(status="500 Internal Server Error")}
    with Tracker(Settings(db=tmp_path / "x.db", allow_networks=LOOPBACK, host_delay=0.0), clock.now) as tracker:
        async with ScriptedServer(pages) as server:
            tracker.add([server.url("/a"), server.url("/b")])
            async with tracker.scheduler(metrics) as scheduler:
                await scheduler.round()
                clock.pass_time(days=2)
                await scheduler.round()
    assert sample(metrics, 'syndtrack_polls_total{outcome="new"}') == 1
    assert sample(metrics, 'syndtrack_polls_total{outcome="nothing new"}') == 1
    assert sample(metrics, 'syndtrack_polls_total{outcome="failed"}') == 2
    assert sample(metrics, "syndtrack_articles_total") == 1
    assert sample(metrics, "syndtrack_received_bytes_total") == 2 * len(pages["/a"].body)
    assert sample(metrics, "syndtrack_poll_lateness_seconds_count") == 2  # the first looks were not planned
    assert sample(metrics, "syndtrack_poll_lateness_seconds_sum") > 86_400
    assert metrics.health()["last_poll"] == "2026-03-04T12:00:00Z"


async def test_a_stall_of_the_event_loop_is_seen():
    metrics, looked = Metrics(), asyncio.Event()
    watch = asyncio.create_task(metrics.watch_loop(looked.set))
    await asyncio.sleep(0)
    stalled = asyncio.get_running_loop().time() + 0.3
    while asyncio.get_running_loop().time() < stalled:
        pass
    await looked.wait()
    watch.cancel()
    assert metrics.health()["loop_lag_ms"]["max"] >= 200
    assert sample(metrics, 'syndtrack_loop_lag_seconds_bucket{le="0.1"}') == 0


async def test_worker_kills_are_counted_once():
    metrics = Metrics()
    for killed in ({"time": 1}, {"time": 1, "crash": 2}):
        metrics.workers(killed, busy=True)
    assert sample(metrics, 'syndtrack_worker_kills_total{kind="time"}') == 1
    assert sample(metrics, 'syndtrack_worker_kills_total{kind="crash"}') == 2
    assert metrics.health()["workers"] == {"busy": True, "killed": {"time": 1, "crash": 2}}


async def test_metrics_and_health_are_served(filled_db: Path, client: aiohttp.ClientSession):
    metrics = Metrics()
    metrics.round_done({"polled": 3})
    metrics.waiting(7)
    async with Site(Settings(db=filled_db), "127.0.0.1", 0, metrics=metrics) as site:
        async with client.get(site.address + "metrics") as answer:
            text = await answer.text()
            assert answer.headers["Content-Type"].startswith("text/plain; version=")
        async with client.get(site.address + "healthz") as answer:
            health = await answer.json()
    assert "syndtrack_queue 7.0" in text
    assert "syndtrack_matches 3.0" in text
    assert (health["ok"], health["queue"], health["last_round"]) == (True, 7, {"polled": 3})


NAMED = {
    "polls by outcome": 'syndtrack_polls_total{outcome="new"} 1.0',
    "lateness": "syndtrack_poll_lateness_seconds_count 1.0",
    "bytes": "syndtrack_received_bytes_total 500.0",
    "entries": "syndtrack_entries_total 1.0",
    "articles": "syndtrack_articles_total 1.0",
    "matches": "syndtrack_matches 3.0",
    "queue": "syndtrack_queue 7.0",
    "worker kills": 'syndtrack_worker_kills_total{kind="memory"} 2.0',
    "loop lag": 'syndtrack_loop_lag_seconds_bucket{le="0.1"}',
    "pushes received": 'syndtrack_pushes_total{outcome="taken"} 1.0',
    "pushes refused": 'syndtrack_pushes_total{outcome="not signed"} 1.0',
    "pushes read": 'syndtrack_pushes_read_total{outcome="new"} 1.0',
    "articles pushed": "syndtrack_push_articles_total 0.0",
}


async def test_every_number_that_an_operator_watches_is_on_the_page(filled_db: Path, client: aiohttp.ClientSession):
    metrics, clock, looked = Metrics(), Clock(), asyncio.Event()
    feed = Feed(1, "https://a.example/feed")
    polled = PollResult(
        feed, clock.now(), "new", 200, "as planned", entries=(SeenEntry("1", "h", "https://a.example/1"),), received_bytes=500
    )
    metrics.polled(polled, clock.now(), new=1, refused=0)
    metrics.polled(replace(polled, pushed=True, received_bytes=0, entries=()), None, new=0, refused=0)
    metrics.push_came("taken")
    metrics.push_came("not signed")
    metrics.workers({"memory": 2}, busy=False)
    metrics.waiting(7)
    watch = asyncio.create_task(metrics.watch_loop(looked.set))
    await looked.wait()
    watch.cancel()
    async with Site(Settings(db=filled_db), "127.0.0.1", 0, metrics=metrics) as site, client.get(site.address + "metrics") as answer:
        lines = (await answer.text()).splitlines()
    assert [name for name, line in NAMED.items() if not any(each.startswith(line) for each in lines)] == []


def test_a_log_line_is_one_object_with_what_was_given(written: io.StringIO):
    logging.getLogger("syndtrack.x").info("%d feeds polled", 3, extra={"polled": 3})
    [said] = [json.loads(line) for line in written.getvalue().splitlines()]
    assert (said["level"], said["logger"], said["message"], said["polled"]) == ("info", "syndtrack.x", "3 feeds polled", 3)
    assert said["time"].endswith("Z")


@pytest.mark.parametrize("form", ["plain", "json"])
def test_no_secret_of_an_address_reaches_the_logs_not_even_by_a_traceback(written: io.StringIO, form):
    logs.set_up(form, written)
    url = "https://user:swordfish@feeds.example/rss?token=opensesame"
    try:
        raise ValueError(f"cannot read {url}")
    except ValueError:
        logging.getLogger("syndtrack.x").exception("failed: %s", url, extra={"address": url})
    said = written.getvalue()
    assert "feeds.example" in said
    assert "swordfish" not in said
    assert "opensesame" not in said


def test_plain_lines_are_the_message_and_a_level_where_it_is_no_notice(written: io.StringIO):
    logs.set_up("plain", written)
    logging.getLogger("syndtrack.x").info("serving")
    logging.getLogger("syndtrack.x").warning("a worker ended")
    logging.getLogger("asyncio").info("not ours")
    assert written.getvalue().splitlines() == ["serving", "warning: a worker ended"]
