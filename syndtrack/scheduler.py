"""Rounds of polls: ask the feeds that are due, read what came, store each poll whole.

Async at the rim only. Everything that touches the database runs on one thread; reading runs in worker processes that can be killed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from syndtrack.errors import RefusedError
from syndtrack.flow import Flow, ReadArticle, read_article
from syndtrack.models import Feed, PollResult, Refusal, Submission
from syndtrack.pairing import Progress
from syndtrack.polling.poll import Poller
from syndtrack.polling.schedule import is_due, may_ask
from syndtrack.polling.workers import Workers
from syndtrack.urls import shown

READ_SECONDS = 60.0  # for one page; the longest of 181 real pages took under 2
LOOK_AGAIN_SECONDS = 5.0  # how often the scheduler looks for feeds that became due

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PollSummary:
    """What a round of polls came to: feeds asked, feeds that failed, articles and revisions new, inputs refused."""

    polled: int
    failed: int
    new: int
    refused: tuple[Refusal, ...]


class Scheduler:
    """Polls on one store. `thread` is the one thread that uses `flow` and its store while the scheduler lives."""

    def __init__(self, flow: Flow, poller: Poller, workers: Workers, thread: ThreadPoolExecutor, now: Callable[[], datetime]) -> None:
        self._flow = flow
        self._poller = poller
        self._workers = workers
        self._thread = thread
        self._now = now

    async def round(self, everything: bool = False, progress: Progress = lambda *_: None) -> PollSummary:
        """One pass over the feeds that are due, or over all but those whose servers asked to wait."""
        return await self._poll(await self._to_ask(everything), progress, lambda _: None)

    async def forever(self, told: Callable[[PollSummary], None] = lambda _: None) -> None:
        """Ask each feed when it becomes due, until cancelled. What is being stored then is stored whole, the rest is asked again later.

        Feeds that become due while others are still being asked do not wait for these.
        """
        under_way: set[int] = set()
        rounds: set[asyncio.Task[None]] = set()

        async def ask(due: Sequence[Feed]) -> None:
            told(await self._poll(due, lambda *_: None, under_way.discard))

        try:
            while True:
                # Taken before the look: a feed that is stored meanwhile was due in what the look saw.
                asked = frozenset(under_way)
                if due := [f for f in await self._to_ask() if f.id not in asked]:
                    under_way.update(f.id for f in due)
                    rounds.add(asyncio.create_task(ask(due)))
                await asyncio.sleep(LOOK_AGAIN_SECONDS)
                for each in [r for r in rounds if r.done()]:
                    rounds.remove(each)
                    each.result()  # raises what went wrong
        finally:
            for task in rounds:
                task.cancel()
            await asyncio.gather(*rounds, return_exceptions=True)

    async def _poll(self, feeds: Sequence[Feed], progress: Progress, stored: Callable[[int], None]) -> PollSummary:
        """Ask feeds and store each poll; `stored` is told the feeds' ids one by one."""
        failed = new = done = 0
        refused: list[Refusal] = []
        progress("polled", 0, len(feeds))
        async with aclosing(self._poller.poll(feeds, self._known)) as results:
            async for result in results:
                articles, unread = await self._read(result)
                new += await self._stored(self._flow.record_poll, result, articles, unread)
                stored(result.feed.id)
                refused += [*result.refused, *unread]
                if result.outcome in ("failed", "gone"):
                    failed += 1
                    refused.append(Refusal(shown(result.feed.url), result.reason or result.outcome))
                done += 1
                progress("polled", done, len(feeds))
        return PollSummary(done, failed, new, tuple(refused))

    async def _to_ask(self, everything: bool = False) -> list[Feed]:
        """The feeds to ask now. Hosts that asked to wait are left alone, whichever of their feeds they told."""
        feeds, waiting = await self._stored(self._due, everything)
        self._poller.hold(waiting)
        return feeds

    def _due(self, everything: bool) -> tuple[list[Feed], list[Feed]]:
        """The feeds to ask now, and those whose hosts asked to wait."""
        now, feeds = self._now(), self._flow.store.feeds.all()
        due = [f for f in feeds if (may_ask(f, now) if everything else is_due(f, now))]
        return due, [f for f in feeds if f.asked_to_wait_until is not None]

    async def _known(self, feed_id: int) -> Mapping[str, str]:
        """What is stored of a feed's entries."""
        return await self._stored(self._flow.store.feeds.known_entries, feed_id)

    async def _read(self, result: PollResult) -> tuple[list[ReadArticle], list[Refusal]]:
        """Read the new articles of a poll, each in a worker; those that fail are told apart."""
        submissions = [e.submission for e in result.entries if e.submission is not None]
        each = await asyncio.gather(*(self._read_one(s) for s in submissions))
        return [r for r in each if isinstance(r, ReadArticle)], [r for r in each if isinstance(r, Refusal)]

    async def _read_one(self, submission: Submission) -> ReadArticle | Refusal:
        """One article; a worker that had to be killed is a refusal."""
        try:
            read: ReadArticle | Refusal = await self._workers.run(read_article, submission, what=submission.url, deadline=READ_SECONDS)
        except RefusedError as error:
            return Refusal(error.what, error.reason)
        return read

    async def _stored(self, function: Callable[..., T], *args: object) -> T:
        """Run on the store's thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: function(*args))
