"""What polite polling remembers over restarts, kept in the store, on the one thread that uses it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from datetime import datetime
from typing import TypeVar

from syndtrack.polling.memory import Kept, KeptFailure, KeptHost, KeptRobots
from syndtrack.store.store import Store

T = TypeVar("T")


class StoredMemory:
    """The poller's memory. `thread` is the one thread that uses `store` meanwhile."""

    def __init__(self, store: Store, thread: Executor, now: Callable[[], datetime]) -> None:
        self._store = store
        self._thread = thread
        self._now = now

    async def begin(self) -> Kept:
        """Polling begins: what hosts asked for, and how long ago anybody was asked."""

        def begin() -> Kept:
            since = self._store.hosts.begin(self._now())
            return Kept(since, [KeptHost(*each) for each in self._store.hosts.all()])

        return await self._written(begin)

    async def end(self) -> None:
        """Polling has ended."""
        await self._written(lambda: self._store.hosts.end(self._now()))

    def host(self, host: KeptHost) -> None:
        """Keeps what a host asked for as soon as the thread is free. It works in order, so that nothing later is stored before."""
        keep = self._store.hosts.keep
        self._thread.submit(self._in_transaction, lambda: keep(host.name, host.asked_to_wait_until, host.delay))

    async def robots(self, origin: str, own: bool) -> KeptRobots | None:
        """The robots.txt of an origin."""
        found = await self._read(lambda: self._store.hosts.robots(origin, own))
        return None if found is None else KeptRobots(*found)

    async def keep_robots(self, origin: str, own: bool, robots: KeptRobots) -> None:
        """Keeps a robots.txt."""
        await self._written(lambda: self._store.hosts.keep_robots(origin, own, robots.until, robots.body, robots.reason))

    async def failure(self, url: str, own: bool) -> KeptFailure | None:
        """Why a page could not be had the last time."""
        found = await self._read(lambda: self._store.hosts.failure(url, own))
        return None if found is None else KeptFailure(*found)

    async def keep_failure(self, url: str, own: bool, failure: KeptFailure | None) -> None:
        """Keeps why a page could not be had."""
        hosts, kept = self._store.hosts, failure
        if kept is None:
            await self._written(lambda: hosts.drop_failure(url, own))
        else:
            await self._written(lambda: hosts.keep_failure(url, own, kept.reason, kept.until, passing=kept.passing, times=kept.times))

    async def _read(self, function: Callable[[], T]) -> T:
        """Run on the store's thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, function)

    async def _written(self, function: Callable[[], T]) -> T:
        """The same, in a transaction."""
        return await self._read(lambda: self._in_transaction(function))

    def _in_transaction(self, function: Callable[[], T]) -> T:
        with self._store.transaction():
            return function()
