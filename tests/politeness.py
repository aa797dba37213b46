"""A week of polling in minutes: the real scheduler and store on a simulated web, under an event loop whose clock jumps, with restarts."""

from __future__ import annotations

import asyncio
import random
import selectors
import socket
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Executor, Future
from contextlib import suppress
from pathlib import Path
from sys import maxsize
from typing import Any, cast

from simulated_web import DELAY, Judge, SimulatedFetcher, SimulatedWeb, feed_number

from syndtrack.flow import Flow, ReadArticle
from syndtrack.models import PollResult, Reading, Refusal, Submission
from syndtrack.politeness import StoredMemory
from syndtrack.polling.poll import Poller
from syndtrack.polling.quarantine import Quarantine
from syndtrack.scheduler import Scheduler
from syndtrack.store.store import Store

THREADS_TAKE = 60.0  # real seconds at most; otherwise something is wrong


class _Selector(selectors.DefaultSelector):
    """Waits for nothing: where nobody is ready, the clock jumps to the next timer. Where there is none, a thread is waited for."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0 if timeout is not None else THREADS_TAKE)
        if not ready:
            if timeout is None:
                raise RuntimeError("everybody waits for somebody")
            self.now += max(timeout, 0.0)
        return ready


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop in simulated time."""

    def __init__(self) -> None:
        self._jumping = _Selector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


class Inline(Executor):
    """Does at once what it is given, as a thread of its own cannot in simulated time. Once `killed`, it does nothing any more."""

    killed = False

    def submit(self, function: Callable[..., Any], /, *args: Any, **named: Any) -> Future[Any]:  # noqa: ANN401 - an executor's own signature
        done: Future[Any] = Future()
        if self.killed:
            return done  # never done, as in a process that is no more
        try:
            done.set_result(function(*args, **named))
        except Exception as error:
            done.set_exception(error)
        return done


class InlineWorkers:
    """Reads feeds as they are, and of articles only the address: how texts are read and matched is not what is looked at here."""

    killed: Mapping[str, int] = {}
    waiting = 0

    def __init__(self) -> None:
        self.quarantine = Quarantine()

    async def run(self, function: Callable[..., Any], *args: Any, **_: Any) -> Any:  # noqa: ANN401 - whatever the function gives
        if function.__name__ == "read_article":
            [submission] = args
            return _barely_read(submission)
        return function(*args)


def _barely_read(submission: Submission) -> ReadArticle:
    return ReadArticle(submission, Reading(submission.title or "Story", f"Of {submission.url}.", submission.published), ())


class WatchedFlow(Flow):
    """Tells the judge what was stored."""

    told: Judge

    def record_poll(self, result: PollResult, articles: Sequence[ReadArticle], refused: Sequence[Refusal]) -> int:
        new = super().record_poll(result, articles, refused)
        self._tell(result)
        return new

    def record_polls(self, results: Sequence[PollResult]) -> None:
        super().record_polls(results)
        for result in results:
            self._tell(result)

    def _tell(self, result: PollResult) -> None:
        again = any("tried again" in refusal.reason for refusal in result.refused) or " left for " in result.why
        number = feed_number(result.feed.url)
        assert number is not None
        self.told.stored(number, again)

    def _settle_own(self, articles: Collection[int], largest: int = maxsize) -> None:
        """Nothing is cleaned, matched or traced."""

    def catch_up(self) -> bool:
        """Nor later."""
        return False


def simulate(
    folder: Path, *, feeds: int, hosts: int, days: float, restarts: int, seed: int = 2, told: Callable[[str], None] = lambda _: None
) -> Judge:
    """Poll a simulated web for so many days, with restarts of which every second is a kill; returns the judge.

    Of two restarts, the second comes soon after the first, while what became due meanwhile is being asked for: that is where haste shows.
    Every second pair comes while a host is busy: what it asked for must not be forgotten, either.
    """
    web, chance = SimulatedWeb(feeds, hosts, days, seed), random.Random(seed)  # noqa: S311 - a simulation
    last = days * 86_400 - 7_200
    busy = [(begin, (begin + end) / 2) for host in web.hosts.values() for begin, end in host.busy if end < last]
    down: dict[float, float] = {}  # when the program stops, and for how many seconds
    for pair in range((restarts + 1) // 2):
        stop = chance.uniform(*(chance.choice(busy) if pair % 2 else (0, last)))
        down[stop] = 600.0 if pair % 2 else 3_600.0
        down[stop + down[stop] + chance.uniform(1, 40)] = chance.choice((0.1, 1.0, 3.0))
    stops = sorted(down)[:restarts]
    loop = JumpingLoop()
    try:
        for number, stop in enumerate([*stops, days * 86_400]):
            loop.run_until_complete(_run_until(stop, web, folder / "week.db", kill=bool(number % 2)))
            wrong = sum(map(len, web.judge.violations.values()))
            told(f"{loop.time() / 86_400:.2f} days, {web.judge.requests:,} requests, {wrong} violations")
            loop.run_until_complete(asyncio.sleep(down.get(stop, 0.0)))
    finally:
        loop.close()
    return web.judge


async def _run_until(stop: float, web: SimulatedWeb, path: Path, *, kill: bool) -> None:
    """One life of the program."""
    store, thread, workers = Store(path), Inline(), cast("Any", InlineWorkers())
    flow = WatchedFlow(store)
    flow.told = web.judge
    if not store.feeds.all():
        with store.transaction():
            for feed in web.feeds:
                store.feeds.add(feed.url, None, web.now())
    loop = asyncio.get_running_loop()
    fetcher = SimulatedFetcher(delay=DELAY, now=web.now, ticks=loop.time, pause=asyncio.sleep, lookup=_public)
    fetcher.web = web
    async with Poller(workers, fetcher=fetcher, now=web.now, memory=StoredMemory(store, thread, web.now)) as poller:
        scheduler = Scheduler(flow, poller, workers, cast("Any", thread), web.now)
        polling = asyncio.create_task(scheduler.forever())
        done, _ = await asyncio.wait((polling,), timeout=max(stop - loop.time(), 0.0))
        for task in done:
            task.result()
        thread.killed = kill
        polling.cancel()
        with suppress(asyncio.CancelledError):
            await polling
        web.judge.stopped()
        if kill:
            poller._memory.end = _nothing  # type: ignore[method-assign] # a killed process says nothing at its end
    store.close()


async def _nothing() -> None:
    pass


def _public(_host: str, port: int) -> list[tuple[Any, ...]]:
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", port))]
