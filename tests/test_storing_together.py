"""Polls that brought no article are stored together, and none is taken that could not be stored."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any, cast

from polling_rig import NOON, subscribed

from syndtrack.flow import Flow
from syndtrack.models import Feed, PollResult
from syndtrack.polling.workers import Workers
from syndtrack.scheduler import PLAIN_TOGETHER, Scheduler
from syndtrack.store.store import Store


class Asked:
    """A poller whose feeds never have anything new; counts what was taken of it."""

    fetcher = None

    def __init__(self) -> None:
        self.taken = 0
        self.waits = asyncio.Event()

    async def poll(self, feeds: Iterable[Feed], _known: object) -> AsyncGenerator[PollResult, None]:
        for feed in feeds:
            await asyncio.sleep(0)
            self.taken += 1
            if self.taken > PLAIN_TOGETHER:
                self.waits.set()
            yield PollResult(feed, NOON, "not modified", 304, "nothing was new")


async def test_while_nothing_can_be_stored_no_more_is_taken_than_fits_and_then_all_is_stored():
    feeds, asked, released = [subscribed(f"http://a.example/{n}", id=n + 1) for n in range(1_000)], Asked(), threading.Event()
    stored: list[int] = []
    with closing(Store(":memory:")) as store, ThreadPoolExecutor(1) as thread:
        with store.transaction():
            for feed in feeds:
                store.feeds.add(feed.url, None, NOON)
        scheduler = Scheduler(Flow(store), cast("Any", asked), Workers(1), thread, lambda: NOON)
        thread.submit(released.wait)  # as where another process holds the lock
        polls = asyncio.create_task(scheduler._poll(feeds, lambda *_: None, stored.append))
        await asked.waits.wait()
        for _ in range(1_000):
            await asyncio.sleep(0)
        assert asked.taken <= 2 * PLAIN_TOGETHER + 1
        assert not stored
        released.set()
        summary = await polls
        assert (summary.polled, len(set(stored))) == (1_000, 1_000)
        assert {outcome for (outcome,) in store.db.execute("SELECT outcome FROM poll").fetchall()} == {"not modified"}
