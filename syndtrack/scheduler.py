"""Rounds of polls: ask the feeds that are due, read what came, store each poll whole.

Async at the rim only. Everything that touches the database runs on one thread; reading runs in worker processes that can be killed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

from syndtrack.errors import PoisonError, PutOffError, RefusedError
from syndtrack.flow import Flow, ReadArticle, read_article
from syndtrack.metrics import Metrics
from syndtrack.models import Feed, Input, Poison, PollResult, Refusal, Submission, Verdict
from syndtrack.pairing import Progress
from syndtrack.polling.poll import Poller
from syndtrack.polling.schedule import is_due, may_ask
from syndtrack.polling.workers import Workers
from syndtrack.pushes import Push, Pushes
from syndtrack.urls import shown

READ_SECONDS = 10.0  # of computing, for one page; the longest of 181 real pages took under 2
# Polls whose articles are being read or stored, and of one poll the articles that wait for a worker: what one feed brings does not stand
# before what others bring.
POLLS_AT_ONCE = 32
ARTICLES_AT_ONCE = 2
PUSHES_AT_ONCE = 4
# Polls without articles are stored together, since a transaction costs as much as several: so many at most, gathered for so long.
PLAIN_TOGETHER = 100
GATHERED_SECONDS = 0.1
LOOK_AGAIN_SECONDS = 5.0  # how often the scheduler looks for feeds that became due
PORTIONS_AT_END = 20  # of what is left to be done when it is stopped: seconds; the next run does the rest

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PollSummary:
    """What a round of polls came to: feeds asked, feeds that failed, articles and revisions new, inputs refused."""

    polled: int
    failed: int
    new: int
    refused: tuple[Refusal, ...]


@dataclass
class _Tally:
    """A round as far as it went."""

    total: int
    progress: Progress
    due: Mapping[int, datetime | None]
    done: int = 0
    failed: int = 0
    new: int = 0
    refused: list[Refusal] = field(default_factory=list)

    def add(self, result: PollResult, new: int, unread: Sequence[Refusal]) -> None:
        """One more poll is stored."""
        self.new += new
        self.refused += [*result.refused, *unread]
        if result.outcome in ("failed", "gone"):
            self.failed += 1
            self.refused.append(Refusal(shown(result.feed.url), result.reason or result.outcome))
        self.done += 1
        self.progress("polled", self.done, self.total)


@dataclass
class _Plain:
    """Polls that brought no article and wait to be stored; `enough`: no more are to be waited for, `room`: they are taken."""

    results: list[PollResult] = field(default_factory=list)
    enough: asyncio.Event = field(default_factory=asyncio.Event)
    room: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self) -> list[PollResult]:
        """All that wait."""
        taken, self.results = self.results, []
        self.enough.clear()
        self.room.set()
        return taken


class Scheduler:
    """Polls on one store. `thread` is the one thread that uses `flow` and its store while the scheduler lives."""

    def __init__(
        self,
        flow: Flow,
        poller: Poller,
        workers: Workers,
        thread: ThreadPoolExecutor,
        now: Callable[[], datetime],
        *,
        metrics: Metrics | None = None,
        public_url: str | None = None,
    ) -> None:
        self.metrics = metrics or Metrics()
        self.pushes = None if public_url is None else Pushes(flow.store, poller.fetcher, self._stored, public_url, now)
        self._flow = flow
        self._poller = poller
        self._workers = workers
        self._thread = thread
        self._now = now
        self._reading = asyncio.Semaphore(POLLS_AT_ONCE)
        self._under_way: set[int] = set()  # feeds being asked, or of which a push is being read

    async def round(self, everything: bool = False, progress: Progress = lambda *_: None) -> PollSummary:
        """One pass over the feeds that are due, or over all but those whose servers asked to wait; then nothing is left to be done."""
        summary = await self._poll(await self._to_ask(everything), progress, lambda _: None)
        await self._stored(self._flow.settle, progress)
        return summary

    async def forever(self, told: Callable[[PollSummary], None] = lambda _: None) -> None:
        """Ask each feed when it becomes due, until cancelled. What is being stored then is stored whole, the rest is asked again later.

        Feeds that become due while others are still being asked do not wait for these.
        """
        under_way = self._under_way
        rounds: set[asyncio.Task[None]] = set()
        pushed: set[asyncio.Task[None]] = set()

        def freed(feed_id: int) -> None:
            under_way.discard(feed_id)
            self._take_pushes(pushed)

        async def ask(due: Sequence[Feed]) -> None:
            told(await self._poll(due, lambda *_: None, freed))

        try:
            rounds.add(asyncio.create_task(self._with_hubs(lambda: self._take_pushes(pushed))))
            rounds.add(asyncio.create_task(self._catch_up()))
            while True:
                # Taken before the look: a feed that is stored meanwhile was due in what the look saw.
                asked = frozenset(under_way)
                if due := [f for f in await self._to_ask(without=asked) if f.id not in under_way]:
                    under_way.update(f.id for f in due)
                    rounds.add(asyncio.create_task(ask(due)))
                self.metrics.waiting(len(under_way))
                self.metrics.workers(self._workers.killed, self._workers.waiting)
                await asyncio.sleep(LOOK_AGAIN_SECONDS)
                for tasks in (rounds, pushed):
                    for each in [r for r in tasks if r.done()]:
                        tasks.remove(each)
                        each.result()  # raises what went wrong
        finally:
            for task in rounds | pushed:
                task.cancel()
            await asyncio.gather(*rounds, *pushed, return_exceptions=True)

    async def leave(self) -> None:
        """Before the end: catch up, so that what a run stores does not depend on when it is stopped, unless much is left."""
        for _ in range(PORTIONS_AT_END):
            if not await self._stored(self._flow.catch_up):
                return

    async def _catch_up(self) -> None:
        """Do what polls, and processes that were killed, left to be done: in portions, between which polls are stored."""
        while True:
            while await self._stored(self._flow.catch_up):
                pass
            await asyncio.sleep(LOOK_AGAIN_SECONDS)

    async def _with_hubs(self, arrived: Callable[[], None]) -> None:
        """Ask hubs to push when that is due, beside the polls; one that is slow holds up nobody else."""
        if self.pushes is None:
            return
        self.pushes.arrived = arrived
        arrived()  # what came before
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    for each in await self.pushes.due():
                        group.create_task(self.pushes.ask(each))
                    await asyncio.sleep(LOOK_AGAIN_SECONDS)
        except ExceptionGroup as several:  # whoever tells of a store that cannot be used knows it by itself
            raise several.exceptions[0] from several
        finally:
            self.pushes.closed = True

    def _take_pushes(self, tasks: set[asyncio.Task[None]]) -> None:
        """Begin with pushes that wait, as far as their feeds are not being asked."""
        while self.pushes is not None and sum(not t.done() for t in tasks) < PUSHES_AT_ONCE:
            push = self.pushes.take(self._under_way)
            if push is None:
                return
            self._under_way.add(push.feed_id)
            tasks.add(asyncio.create_task(self._take_push(push, self.pushes, tasks)))

    async def _take_push(self, push: Push, pushes: Pushes, tasks: set[asyncio.Task[None]]) -> None:
        """Read what a hub pushed and store it, as what a look brings."""
        feed = await self._stored(self._flow.store.feeds.get, push.feed_id)
        try:
            if feed is not None:
                result = await self._poller.pushed(feed, push.answer, self._known)
                await self._finish(result, _Tally(1, lambda *_: None, {}), lambda _: None)
        finally:
            pushes.done(push)
            self._under_way.discard(push.feed_id)
        asyncio.get_running_loop().call_soon(self._take_pushes, tasks)  # this one still counts

    async def _poll(self, feeds: Sequence[Feed], progress: Progress, stored: Callable[[int], None]) -> PollSummary:
        """Ask feeds and store each poll; `stored` is told the feeds' ids one by one."""
        tally, tasks = _Tally(len(feeds), progress, {feed.id: feed.next_check for feed in feeds}), set[asyncio.Task[None]]()
        progress("polled", 0, len(feeds))
        plain = _Plain()
        storing: asyncio.Task[None] | None = None
        try:
            async with aclosing(self._poller.poll(feeds, self._known)) as results:
                async for result in results:
                    if any(entry.submission for entry in result.entries):
                        await self._reading.acquire()
                        task = asyncio.create_task(self._finish(result, tally, stored))
                        task.add_done_callback(lambda _: self._reading.release())
                        tasks.add(task)
                    else:
                        plain.results.append(result)
                        if storing is None or storing.done():
                            storing = asyncio.create_task(self._finish_plain(plain, tally, stored))
                            tasks.add(storing)
                        if len(plain.results) >= PLAIN_TOGETHER:
                            plain.enough.set()
                            plain.room.clear()
                            await plain.room.wait()  # another process may be writing for minutes: nothing more is taken meanwhile
                    for each in [t for t in tasks if t.done()]:
                        tasks.remove(each)
                        each.result()  # raises what went wrong
            plain.enough.set()
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return PollSummary(tally.done, tally.failed, tally.new, tuple(tally.refused))

    async def _finish(self, result: PollResult, tally: _Tally, stored: Callable[[int], None]) -> None:
        """Read the articles of a poll and store it. One that takes long to read does not hold up the others."""
        result, articles, unread = await self._read(result)
        if poisons := self._workers.quarantine.take_news():
            await self._stored(self._quarantine, poisons)
        new = await self._stored(self._record, result, articles, unread)
        self._done(result, new, unread, tally, stored)

    async def _finish_plain(self, plain: _Plain, tally: _Tally, stored: Callable[[int], None]) -> None:
        """Store polls that brought no article: together all that come within a moment, unless there are `enough`."""
        try:
            while plain.results:
                with suppress(TimeoutError):
                    async with asyncio.timeout(GATHERED_SECONDS):
                        await plain.enough.wait()
                if poisons := self._workers.quarantine.take_news():
                    await self._stored(self._quarantine, poisons)
                results = plain.take()
                await self._stored(self._record_plain, results)
                for result in results:
                    self._done(result, 0, (), tally, stored)
        finally:
            plain.room.set()

    def _done(self, result: PollResult, new: int, unread: Sequence[Refusal], tally: _Tally, stored: Callable[[int], None]) -> None:
        """A poll is stored."""
        stored(result.feed.id)
        tally.add(result, new, unread)
        self.metrics.polled(result, tally.due.get(result.feed.id), new, len(result.refused) + len(unread))

    def _record_plain(self, results: Sequence[PollResult]) -> None:
        """Store polls that brought no article."""
        if self.pushes is None:
            self._flow.record_polls(results)
            return
        self._flow.record_polls([self.pushes.planned(result) for result in results])
        for result in results:
            self.pushes.learn(result)

    def _record(self, result: PollResult, articles: Sequence[ReadArticle], unread: Sequence[Refusal]) -> int:
        """Store a poll; what it tells of the feed's hub, too, where hubs are asked to push."""
        if self.pushes is None:
            return self._flow.record_poll(result, articles, unread)
        new = self._flow.record_poll(self.pushes.planned(result), articles, unread)
        self.pushes.learn(result)
        return new

    def _quarantine(self, poisons: Sequence[Poison]) -> None:
        """Store inputs that were too much for a worker: at once, so that they are not tried again whatever happens."""
        with self._flow.store.transaction():
            self._flow.store.quarantine.record(poisons, self._now())

    async def _to_ask(self, everything: bool = False, without: frozenset[int] = frozenset()) -> list[Feed]:
        """The feeds to ask now, `without` those that are being asked."""
        self._workers.quarantine.follow(await self._stored(self._flow.store.quarantine.failed))
        return await self._stored(self._due, everything, without)

    def _due(self, everything: bool, without: frozenset[int]) -> list[Feed]:
        """The same. What is planned for later is never due, so that of 50,000 feeds only a few are loaded."""
        now, feeds = self._now(), self._flow.store.feeds
        if everything:
            return [f for f in feeds.all() if may_ask(f, now)]
        return [f for f in feeds.planned(now, without) if is_due(f, now)]

    async def _known(self, feed_id: int) -> Mapping[str, str]:
        """What is stored of a feed's entries."""
        return await self._stored(self._flow.store.feeds.known_entries, feed_id)

    async def _read(self, result: PollResult) -> tuple[PollResult, list[ReadArticle], list[Refusal]]:
        """Read the new articles of a poll, each in a worker; those that fail are told apart. Few of one feed wait for a worker at a time.

        Where one is to be tried again, the poll keeps no validators and no hash, so that the next look gets the whole feed and finds it.
        One that was put off has had no try: its entry is none that was refused.
        """
        gate = asyncio.Semaphore(ARTICLES_AT_ONCE)
        submissions = [e.submission for e in result.entries if e.submission is not None]
        each = await asyncio.gather(*(self._read_one(s, gate) for s in submissions))
        if any(isinstance(r, PoisonError) and r.again for r in each):
            result = replace(result, feed=replace(result.feed, etag=None, last_modified=None, validators_of=None, body_hash=None))
        put_off = {id(s) for s, r in zip(submissions, each, strict=True) if isinstance(r, PutOffError)}
        if put_off:
            entries = (replace(e, submission=None, entry_hash="") if id(e.submission) in put_off else e for e in result.entries)
            why = f"{result.why}; {len(put_off)} articles wait for the next look, as others that take long are being read"
            result = replace(result, entries=tuple(entries), why=why)
        failed = [r for r in each if not isinstance(r, ReadArticle | PutOffError)]
        unread = [r if isinstance(r, Refusal) else Refusal(r.what, r.reason) for r in failed]
        return result, [r for r in each if isinstance(r, ReadArticle)], unread

    async def _read_one(self, submission: Submission, gate: asyncio.Semaphore) -> ReadArticle | Refusal | RefusedError:
        """One article; a worker that had to be killed is a refusal."""
        content = (submission.html or submission.text or "").encode("utf-8", "surrogatepass")
        given = Input("page", shown(submission.url), content, submission.feed_id)
        async with gate:
            try:
                return await self._workers.run(read_article, submission, what=submission.url, deadline=READ_SECONDS, given=given)
            except RefusedError as error:
                return error

    async def judge(self, given: Sequence[Verdict]) -> list[Refusal]:
        """Take in verdicts between two polls and trace again what they touch; returns those that cannot hold."""
        return await self._stored(self._flow.judge, given)

    async def take_back(self, copy: str, source: str | None) -> int:
        """Take back what was said of a pair or (`source` None) of an origin; returns how many verdicts that were."""
        return await self._stored(self._flow.take_back, copy, source)

    async def _stored(self, function: Callable[..., T], *args: object) -> T:
        """Run on the store's thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: function(*args))
