"""Rounds of polls: ask the feeds that are due, read what came, store each poll whole.

Async at the rim only. Everything that touches the database runs on one thread; reading runs in worker processes that can be killed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from syndtrack.errors import RefusedError
from syndtrack.flow import Flow, Progress, ReadArticle, read_article
from syndtrack.models import Feed, PollResult, Refusal, Submission
from syndtrack.polling.poll import Poller
from syndtrack.polling.schedule import is_due, may_ask
from syndtrack.polling.workers import Workers

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
        feeds = await self._stored(self._due, everything)
        failed = new = done = 0
        refused: list[Refusal] = []
        progress("polled", 0, len(feeds))
        async for result in self._poller.poll(feeds, self._known):
            articles, unread = await self._read(result)
            new += await self._stored(self._flow.record_poll, result, articles, unread)
            refused += [*result.refused, *unread]
            if result.outcome in ("failed", "gone"):
                failed += 1
                refused.append(Refusal(result.feed.url, result.reason or result.outcome))
            done += 1
            progress("polled", done, len(feeds))
        return PollSummary(done, failed, new, tuple(refused))

    async def forever(self, stop: asyncio.Event, told: Callable[[PollSummary], None] = lambda _: None) -> None:
        """Rounds until `stop` is set; a round under way is finished feed by feed, what was stored stays."""
        while not stop.is_set():
            summary = await self.round()
            if summary.polled:
                told(summary)
            try:
                await asyncio.wait_for(stop.wait(), LOOK_AGAIN_SECONDS)
            except TimeoutError:
                continue

    def _due(self, everything: bool) -> list[Feed]:
        """The feeds to ask now."""
        now = self._now()
        return [f for f in self._flow.store.feeds.all() if (may_ask(f, now) if everything else is_due(f, now))]

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
