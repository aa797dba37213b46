"""Measures polling; see `scripts/bench-poll`."""

from __future__ import annotations

import argparse
import asyncio
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

import aiohttp
import poison
from server import CHANGING, Sites, feed_url, host

import syndtrack.polling.poll
import syndtrack.scheduler
import syndtrack.tracker
from syndtrack.config import Settings
from syndtrack.metrics import Metrics
from syndtrack.models import PollResult
from syndtrack.polling.fetch import Answer
from syndtrack.polling.seen import read_feed
from syndtrack.store.times import to_text
from syndtrack.tracker import Tracker

GOAL = 13.9  # polls a second: 50,000 an hour
POISON = 0.05
FOLDER = Path(__file__).parent


@dataclass
class Watched(Metrics):
    """Metrics that keep each poll's feed and lateness."""

    polls: list[tuple[int, float]] = field(default_factory=list)
    articles: int = 0

    def __post_init__(self) -> None:
        """What metrics have."""
        super().__init__()

    def polled(self, result: PollResult, due: datetime | None, new: int, refused: int) -> None:
        """Note one."""
        super().polled(result, due, new, refused)
        late = max((datetime.now(UTC) - due).total_seconds(), 0.0) if due else 0.0
        self.polls.append((result.feed.id - 1, late))
        self.articles += new


class Memory(threading.Thread):
    """The most memory that this process and its workers took at once (PSS: what they share is counted once)."""

    def __init__(self, without: int) -> None:
        super().__init__(daemon=True)
        self.without, self.most = without, 0

    def run(self) -> None:
        """Look every second."""
        while True:
            self.most = max(self.most, sum(_pss(pid) for pid in _family(self.without)))
            time.sleep(1)


def _family(without: int) -> Iterator[int]:
    parents = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parents[int(status.parent.name)] = int(status.read_text().rpartition(")")[2].split()[1])
    mine = {int(Path("/proc/self").readlink().name)}
    for pid in sorted(parents):
        if parents[pid] in mine and pid != without:
            mine.add(pid)
    yield from mine


def _pss(pid: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


class Bench:
    """One database of feeds that look as if polled before, and what is measured on it."""

    def __init__(self, feeds: int, seconds: float, port: int, tracker: Tracker) -> None:
        self.feeds, self.seconds, self.port, self.tracker = feeds, seconds, port, tracker
        self.urls = [feed_url(number, port) for number in range(feeds)]

    def subscribe(self) -> None:
        """Feeds with validators, those that will change with their entries known."""
        self.tracker.add(self.urls)
        sites, now = Sites(), datetime.now(UTC)
        with self.tracker.store.transaction():
            self.tracker.store.db.conn.execute(
                "UPDATE feed SET interval = 3600, last_polled = ?1, last_full_fetch = ?1, next_check = ?2, title = url",
                (to_text(now - timedelta(hours=1)), to_text(now + timedelta(days=1))),
            )
            for number, url in enumerate(self.urls):
                etag, body = sites.feed(number)
                self.tracker.store.db.conn.execute("UPDATE feed SET etag = ? WHERE id = ?", (etag, number + 1))
                if number % CHANGING == 0 or number % round(1 / POISON) == 3:
                    read = read_feed(Answer(200, url, body, content_type="application/rss+xml"), {}, number + 1, now).entries
                    seen = [*read.ready, *(entry for entry, _ in read.to_fetch)]
                    for _ in range(3):
                        self.tracker.store.feeds.sight(number + 1, [(s.key, s.entry_hash, None, True) for s in seen], now)

    async def serve(self, version: int, poisoned: float = 0.0) -> None:
        """What the sites serve from now on."""
        async with aiohttp.ClientSession() as client:
            await client.get(f"http://{host(0)}:{self.port}/control?version={version}&poison={poisoned}")

    async def bare(self) -> float:
        """The same requests by the HTTP client alone, as many at once: requests a second."""
        sites, left = Sites(), iter(range(self.feeds))
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as client:

            async def ask() -> None:
                for number in left:
                    async with client.get(self.urls[number], headers={"If-None-Match": sites.feed(number)[0]}) as answer:
                        await answer.read()

            started = time.perf_counter()
            await asyncio.gather(*(ask() for _ in range(self.tracker.settings.concurrency)))
            return self.feeds / (time.perf_counter() - started)

    async def round(self, metrics: Watched) -> float:
        """All feeds at once: polls a second."""
        async with self.tracker.scheduler(metrics) as scheduler:
            started = time.perf_counter()
            watch = asyncio.create_task(metrics.watch_loop())
            summary = await scheduler.round(everything=True)
            watch.cancel()
            return summary.polled / (time.perf_counter() - started)

    async def held(self, metrics: Watched) -> set[int]:
        """Feeds fall due at GOAL a second, and are polled as `syndtrack run` does; returns those that fell due."""
        async with self.tracker.scheduler(metrics) as scheduler:
            start = datetime.now(UTC) + timedelta(seconds=2)
            due = range(min(self.feeds, int(self.seconds * GOAL)))
            with self.tracker.store.transaction():
                self.tracker.store.db.conn.executemany(
                    "UPDATE feed SET next_check = ?, asked_to_wait_until = NULL WHERE id = ?",
                    [(to_text(start + timedelta(seconds=number / GOAL)), number + 1) for number in due],
                )
            watch, polls = asyncio.create_task(metrics.watch_loop()), asyncio.create_task(scheduler.forever())
            await asyncio.wait([polls], timeout=self.seconds + 12)
            if polls.done():
                polls.result()
            for task in (watch, polls):
                task.cancel()
            await asyncio.gather(watch, polls, return_exceptions=True)
            return set(due)


def percentile(values: list[float], share: float) -> float:
    """The value that so large a share of them does not exceed."""
    return sorted(values)[min(int(len(values) * share), len(values) - 1)] if values else float("nan")


def row(name: str, value: str, goal: str = "") -> None:
    """A line of the table."""
    print(f"{name:<72} {value:>12}  {goal}", flush=True)


async def measure(bench: Bench, reader: str | None) -> None:
    """All of it, a line each."""
    clean = Watched()
    before = await bench.bare()
    unchanged = await bench.round(clean)
    bare = (before + await bench.bare()) / 2
    row("bare aiohttp, requests a second", f"{bare:.0f}")
    row("all feeds unchanged (304), polls a second", f"{unchanged:.0f}")
    row("  as a share of bare aiohttp", f"{unchanged / bare:.2f}", "0.5 or more")
    row("  longest stall of the event loop, ms", f"{clean.health()['loop_lag_ms']['max']:.0f}", "under 100")
    await bench.serve(1)
    changed = Watched()
    rate = await bench.round(changed)
    row("one feed in ten changed, 3 new articles each, polls a second at most", f"{rate:.1f}", f"{GOAL} or more")
    row("  articles a second", f"{changed.articles / (len(changed.polls) / rate):.1f}")
    row("  longest stall of the event loop, ms", f"{changed.health()['loop_lag_ms']['max']:.0f}", "under 100")
    await bench.serve(2)
    held = Watched()
    due = await bench.held(held)
    polled = {number for number, _ in held.polls}
    row(f"of feeds due at {GOAL} a second, polled in time", f"{len(polled & due) / len(due):.3f}", "1")
    row("  lateness until stored, p99, seconds", f"{percentile([late for _, late in held.polls], 0.99):.1f}", "60 or less")
    row("  longest stall of the event loop, ms", f"{held.health()['loop_lag_ms']['max']:.0f}", "under 100")
    await bench.serve(3, POISON)
    killed, sites = Watched(), Sites()
    sites.poison = POISON
    due = {number for number in await bench.held(killed) if not sites.poison_of(number)}
    polled = {number for number, _ in killed.polls}
    row("with 5 % killers, of the other feeds polled in time", f"{len(polled & due) / len(due):.3f}", "0.95 or more")
    row("  lateness until stored, p99, seconds", f"{percentile([late for n, late in killed.polls if n in due], 0.99):.1f}", "60 or less")
    row("  workers killed", str(sum(killed.health()["workers"]["killed"].values())))
    row("  inputs in quarantine or tried once", str(len(bench.tracker.quarantine())))
    if reader is None:
        return
    command = [reader, str(FOLDER / "with_reader.py"), str(bench.feeds), str(bench.port)]
    done = await asyncio.to_thread(subprocess.run, command, stdout=subprocess.PIPE, text=True, check=True)
    same, some = (float(line) for line in done.stdout.split())
    row("lemon24/reader, all unchanged, polls a second", f"{same:.1f}", f"we are {unchanged / same:.1f} times as fast (goal 3)")
    row("lemon24/reader, one in ten changed (no pages, no tracing)", f"{some:.1f}", f"we are {rate / some:.1f} times as fast")


@contextmanager
def sites() -> Iterator[tuple[int, int]]:
    """The server in a process of its own: its id and port."""
    process = subprocess.Popen([sys.executable, str(FOLDER / "server.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own
    try:
        assert process.stdout is not None  # noqa: S101 - for types
        yield process.pid, int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()


def main() -> None:
    """Parse, serve, measure."""
    parser = argparse.ArgumentParser(description="Measures polling on loopback.")
    parser.add_argument("--feeds", type=int, default=50_000)
    parser.add_argument("--seconds", type=float, default=600.0, help="how long feeds fall due at the rate to be held")
    parser.add_argument("--reader", metavar="PYTHON", help="a Python that has lemon24/reader, to measure it beside")
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    syndtrack.polling.poll.read_feed = poison.read_feed_or_die
    syndtrack.scheduler.read_article = poison.read_article_or_die
    syndtrack.tracker.READERS = (*syndtrack.tracker.READERS, "poison")
    with sites() as (server, port), tempfile.TemporaryDirectory() as folder:
        memory = Memory(server)
        settings = Settings(db=Path(folder) / "bench.db", allow_networks=(ip_network("127.0.0.0/8"),))
        with Tracker(settings) as tracker:
            bench = Bench(options.feeds, options.seconds, port, tracker)
            bench.subscribe()
            row(f"{options.feeds:,} feeds", "", "goal")
            memory.start()
            asyncio.run(measure(bench, options.reader))
            row("most memory of all our processes at once, MB", f"{memory.most / 1e6:.0f}", "600 or less")


if __name__ == "__main__":
    main()
