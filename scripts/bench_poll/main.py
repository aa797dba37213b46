"""Measures polling; see `scripts/bench-poll`."""

from __future__ import annotations

import argparse
import asyncio
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

import aiohttp
import poison
from server import CHANGING, NEW, Sites, feed_url, host
from watching import Processes, Watched

import syndtrack.polling.poll
import syndtrack.scheduler
from syndtrack.config import Settings
from syndtrack.polling.fetch import Answer
from syndtrack.polling.seen import read_feed
from syndtrack.store.times import to_text
from syndtrack.tracker import Tracker

GOAL = 13.9  # polls a second: 50,000 an hour
POISON = 0.05
UNCHANGED, CHANGED = 5_000, 1_000  # feeds at most that are asked at once, by a full round
GRACE = 12.0  # seconds after a window, in which what fell due at its end is polled
STAGES = ("unchanged", "changed", "held", "killers", "reader")
FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Cost:
    """Requests or polls a second by the clock, and the CPU seconds of the asking process per 1,000 of them."""

    rate: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Window:
    """Feeds that fell due in a window, how late each was stored (those that were not by its end: so far), seconds of CPU, and its own."""

    due: frozenset[int]
    late: dict[int, float]
    stored: int
    seconds: float
    main_cpu: float
    workers_cpu: float


class Bench:
    """One database of feeds that look as if polled before, and what is measured on it."""

    def __init__(self, feeds: int, seconds: float, port: int, tracker: Tracker, processes: Processes, *, new: int = NEW) -> None:
        self.feeds, self.seconds, self.port, self.tracker, self.processes, self.new = feeds, seconds, port, tracker, processes, new
        self.urls = [feed_url(number, port) for number in range(feeds)]

    def subscribe(self) -> None:
        """Feeds with validators, those that will change with their entries known."""
        self.tracker.add(self.urls)
        sites, now, store = Sites(), datetime.now(UTC), self.tracker.store
        every = round(1 / POISON)
        known = [(n, self.urls[n]) for n in range(self.feeds) if n % CHANGING == 0 or n % every == 3]
        with store.transaction():
            store.db.conn.execute(
                "UPDATE feed SET interval = 3600, last_polled = ?1, last_full_fetch = ?1, next_check = ?2, title = url",
                (to_text(now - timedelta(hours=1)), to_text(now + timedelta(days=1))),
            )
            store.db.conn.executemany("UPDATE feed SET etag = ? WHERE id = ?", [(sites.etag(n), n + 1) for n in range(self.feeds)])
            with ProcessPoolExecutor(2) as pool:
                for (number, _), entries in zip(known, pool.map(entries_of, known, chunksize=50), strict=True):
                    for _ in range(3):  # refused so often that none is asked for again
                        store.feeds.sight(number + 1, [(key, stated, None, True) for key, stated in entries], now)

    async def serve(self, version: int, poisoned: float = 0.0, ahead: int = 0) -> None:
        """What the sites serve from now on; the first `ahead` feeds are one version ahead."""
        async with aiohttp.ClientSession() as client:
            await client.get(f"http://{host(0)}:{self.port}/control?version={version}&poison={poisoned}&ahead={ahead}")

    async def bare(self, feeds: int) -> Cost:
        """The requests of a round without changes by the HTTP client alone, as many at once."""
        sites = Sites()
        left = iter([(self.urls[number], {"If-None-Match": sites.etag(number)}) for number in range(feeds)])
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar()) as client:

            async def ask() -> None:
                for url, headers in left:
                    async with client.get(url, headers=headers) as answer:
                        await answer.read()

            started, computed = time.perf_counter(), time.process_time()
            await asyncio.gather(*(ask() for _ in range(self.tracker.settings.concurrency)))
            return Cost(feeds / (time.perf_counter() - started), (time.process_time() - computed) / feeds * 1_000)

    async def round(self, metrics: Watched, feeds: int) -> Cost:
        """So many feeds fall due at once."""
        with self.tracker.store.transaction():
            later, due = to_text(datetime.now(UTC) + timedelta(days=1)), to_text(datetime.now(UTC))
            self.tracker.store.db.conn.execute("UPDATE feed SET next_check = iif(id <= ?, ?, ?)", (feeds, due, later))
        async with self.tracker.scheduler(metrics) as scheduler, stalls(metrics):
            started, computed = time.perf_counter(), time.process_time()
            summary = await scheduler.round()
            spent, computed = time.perf_counter() - started, time.process_time() - computed
            return Cost(summary.polled / spent, computed / summary.polled * 1_000)

    async def held(self, metrics: Watched, without: frozenset[int] = frozenset()) -> Window:
        """All feeds are spread over the time that they take at GOAL a second, in no order, and polled as `syndtrack run` does.

        `without`: feeds that are polled, too, but do not count.
        """
        order = list(range(self.feeds))
        random.Random(1).shuffle(order)  # noqa: S311 - an order, no secret
        async with self.tracker.scheduler(metrics) as scheduler, stalls(metrics):
            start = datetime.now(UTC) + timedelta(seconds=10)
            due_at = {number: start + timedelta(seconds=place / GOAL) for place, number in enumerate(order)}
            with self.tracker.store.transaction():
                self.tracker.store.db.conn.executemany(
                    "UPDATE feed SET next_check = ?, asked_to_wait_until = NULL WHERE id = ?",
                    [(to_text(at), number + 1) for number, at in due_at.items()],
                )
            await asyncio.sleep((start - datetime.now(UTC)).total_seconds())
            before = self.processes.cpu()
            polls = asyncio.create_task(scheduler.forever())
            await asyncio.wait([polls], timeout=self.seconds + GRACE)
            if polls.done():
                polls.result()
            after = self.processes.cpu()
            end = start + timedelta(seconds=self.seconds)
            polls.cancel()
            await asyncio.gather(polls, return_exceptions=True)
        due = frozenset(number for number, at in due_at.items() if at < end) - without
        late = {number: (end - due_at[number]).total_seconds() + GRACE for number in due} | {n: s for n, s in metrics.polls if n in due}
        stored = len({n for n, _ in metrics.polls} & due)
        return Window(due, late, stored, self.seconds, after[0] - before[0], after[1] - before[1])


def entries_of(feed: tuple[int, str]) -> list[tuple[str, str]]:
    """Keys and hashes of what a feed holds at first."""
    number, url = feed
    answer = Answer(200, url, Sites().feed(number), content_type="application/rss+xml")
    read = read_feed(answer, {}, number + 1, datetime.now(UTC)).entries
    return [(s.key, s.entry_hash) for s in (*read.ready, *(entry for entry, _ in read.to_fetch))]


@asynccontextmanager
async def stalls(metrics: Watched) -> AsyncIterator[None]:
    """The event loop is watched meanwhile."""
    watch = asyncio.create_task(metrics.watch_stalls())
    try:
        yield
    finally:
        watch.cancel()


def percentile(values: Iterable[float], share: float) -> float:
    """The value that so large a share of them does not exceed."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else float("nan")


def row(name: str, value: str, goal: str = "") -> None:
    """A line of the table."""
    print(f"{name:<76} {value:>9}  {goal}", flush=True)


def stall_rows(metrics: Watched) -> None:
    """How long the event loop stood still."""
    row("  longest stall of the event loop, ms", f"{metrics.stall * 1_000:.0f}", "under 100")
    row("    of it computed by this process", f"{metrics.own_stall * 1_000:.0f}")


def window_rows(window: Window) -> None:
    """What came of a window."""
    row("  polls a second held", f"{window.stored / window.seconds:.2f}", f"{len(window.due) / window.seconds:.2f} fell due")
    row("  polled by its end", f"{window.stored / len(window.due):.3f}", "0.95 or more")
    for share in (0.5, 0.99, 1.0):
        late = percentile(window.late.values(), share)
        row(f"  lateness until stored, {'most' if share == 1 else f'p{share * 100:.0f}'}, s", f"{late:.1f}", "p99 60 or less")
    row("  cores busy: the main process", f"{window.main_cpu / (window.seconds + GRACE):.2f}")
    row("  cores busy: its workers", f"{window.workers_cpu / (window.seconds + GRACE):.2f}")


async def measure(bench: Bench, stages: frozenset[str], reader: str | None) -> None:
    """All that was asked for, a line each."""
    unchanged, changed = min(bench.feeds, UNCHANGED), min(bench.feeds, CHANGED)
    ahead = changed if "changed" in stages else 0  # so that each stage has as many new entries in each feed that changes
    ours = some = clean = None
    if "unchanged" in stages:
        ours = await unchanged_rows(bench, unchanged)
    if "changed" in stages:
        await bench.serve(0, ahead=changed)
        metrics = Watched()
        some = await bench.round(metrics, changed)
        row(f"{changed:,} feeds at once, one in ten with {bench.new} new articles, polls a second", f"{some.rate:.1f}", f"{GOAL} or more")
        row("  CPU seconds of the main process per 1,000 polls", f"{some.cpu:.2f}")
        row("  articles a second", f"{metrics.articles / (len(metrics.polls) / some.rate):.1f}")
        stall_rows(metrics)
    if "held" in stages:
        await bench.serve(1, ahead=ahead)
        metrics = Watched()
        window = await bench.held(metrics)
        row(f"{bench.feeds:,} feeds spread at {GOAL} a second, for {bench.seconds / 60:g} minutes", f"{len(window.due):,}", "fell due")
        window_rows(window)
        row("  articles", f"{metrics.articles:,}")
        stall_rows(metrics)
        clean = window.stored / len(window.due)
    if "killers" in stages:
        await bench.serve(2 if "held" in stages else 1, POISON, ahead)
        metrics, sites = Watched(), Sites()
        sites.poison = POISON
        window = await bench.held(metrics, frozenset(n for n in range(bench.feeds) if sites.poison_of(n)))
        row("the same with 5 % killers; of the other feeds", f"{len(window.due):,}", "fell due")
        window_rows(window)
        if clean:
            row(
                "  of what fell due polled by its end, as a share of that without killers",
                f"{window.stored / len(window.due) / clean:.3f}",
                "0.95",
            )
        row("  workers killed", str(sum(metrics.health()["workers"]["killed"].values())))
        row("  inputs in quarantine or tried once", str(len(bench.tracker.quarantine.rows())))
        stall_rows(metrics)
    if "reader" in stages and reader is not None:
        await reader_rows(bench, reader, (unchanged, ours), (changed, some))


async def unchanged_rows(bench: Bench, feeds: int) -> Cost:
    """A round in which nothing has changed, between two of the HTTP client alone."""
    metrics, before = Watched(), await bench.bare(feeds)
    ours = await bench.round(metrics, feeds)
    after = await bench.bare(feeds)
    bare = Cost((before.rate + after.rate) / 2, (before.cpu + after.cpu) / 2)
    row("bare aiohttp, requests a second", f"{bare.rate:.0f}")
    row("  CPU seconds per 1,000 requests", f"{bare.cpu:.2f}")
    row(f"{feeds:,} feeds at once, all unchanged (304), polls a second", f"{ours.rate:.0f}")
    row("  as a share of bare aiohttp", f"{ours.rate / bare.rate:.2f}", "0.5 or more")
    row("  CPU seconds of the main process per 1,000 polls", f"{ours.cpu:.2f}")
    row("  the same share, by CPU seconds", f"{bare.cpu / ours.cpu:.2f}", "0.5 or more")
    stall_rows(metrics)
    return ours


async def reader_rows(bench: Bench, reader: str, *rounds: tuple[int, Cost | None]) -> None:
    """The rounds through lemon24/reader, which fetches no pages and traces nothing."""
    for version, (feeds, ours) in enumerate(rounds):
        command = [reader, str(FOLDER / "with_reader.py"), str(feeds), str(bench.port), str(version)]
        done = await asyncio.to_thread(subprocess.run, command, stdout=subprocess.PIPE, text=True, check=True)
        its = Cost(*map(float, done.stdout.split()))
        name = "one in ten changed (no pages, no tracing)" if version else "all unchanged"
        row(f"lemon24/reader, {feeds:,} feeds at once, {name}, polls a second", f"{its.rate:.1f}")
        row("  CPU seconds per 1,000 polls", f"{its.cpu:.2f}")
        if ours is not None:
            row("  our rate beside it, times", f"{ours.rate / its.rate:.1f}", "" if version else "3 or more")
            row("  its CPU seconds beside those of our main process, times", f"{its.cpu / ours.cpu:.1f}")


@contextmanager
def sites(new: int = NEW) -> Iterator[tuple[int, int]]:
    """The server in a process of its own: its id and port. `new` entries come with each version."""
    command = [sys.executable, str(FOLDER / "server.py"), str(new)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own
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
    parser.add_argument("--minutes", type=float, default=10.0, help=f"how long feeds, spread at {GOAL} a second, are let fall due")
    parser.add_argument("--entries", type=int, default=NEW, help="new entries of each feed that changes, in each stage")
    parser.add_argument("--only", nargs="+", choices=STAGES, default=STAGES, help="what to measure")
    parser.add_argument("--reader", metavar="PYTHON", help="a Python that has lemon24/reader, to measure it beside")
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    syndtrack.polling.poll.read_feed = poison.read_feed_or_die
    syndtrack.scheduler.read_article = poison.read_article_or_die
    with sites(options.entries) as (server, port), tempfile.TemporaryDirectory() as folder:
        processes = Processes(server)
        settings = Settings(db=Path(folder) / "bench.db", allow_networks=(ip_network("127.0.0.0/8"),))
        with Tracker(settings) as tracker:
            bench = Bench(options.feeds, options.minutes * 60, port, tracker, processes, new=options.entries)
            bench.subscribe()
            row(f"{options.feeds:,} feeds in the database", "", "goal")
            processes.start()
            asyncio.run(measure(bench, frozenset(options.only), options.reader))
            row("most memory of all our processes at once, MB", f"{processes.most_memory / 1e6:.0f}", "600 or less")


if __name__ == "__main__":
    main()
