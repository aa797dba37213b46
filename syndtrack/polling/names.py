"""Looking up host names without letting a slow one hold up the others.

asyncio's own look-ups share a handful of threads: twelve names that hang stall every other host. Here each look-up has its own
daemon thread, of which there are at most `LOOKUPS`, and whoever asks stops waiting after `DEADLINE` seconds. A name that is
still being looked up is not asked for a second time. Of one domain at most `LOOKUPS_PER_DOMAIN` names are looked up at once: whoever
links to a thousand names of his own that hang takes up no more.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from typing import Any
from weakref import WeakValueDictionary

from aiohttp.abc import AbstractResolver, ResolveResult

from syndtrack.polling.guard import Guard
from syndtrack.urls import registrable_domain

LOOKUPS = 64
LOOKUPS_PER_DOMAIN = 4
DEADLINE = 10.0

Infos = list[tuple[Any, ...]]
Lookup = Callable[[str, int], Infos]


def system_lookup(host: str, port: int) -> Infos:
    """The addresses of a name, from the system."""
    return list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG))


class Names(AbstractResolver):
    """A resolver for aiohttp. `own_hosts` are the names whose addresses all lie in networks that were allowed by name."""

    def __init__(self, guard: Guard, lookup: Lookup = system_lookup) -> None:
        self.own_hosts: set[str] = set()
        self._guard = guard
        self._lookup = lookup
        self._threads = asyncio.Semaphore(LOOKUPS)
        self._domains: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._running: dict[tuple[str, int], asyncio.Future[Infos]] = {}

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC) -> list[ResolveResult]:
        """The addresses of a host. Raises OSError when there are none or the answer takes too long."""
        try:
            future = await self._asked(host, port)
            async with asyncio.timeout(DEADLINE):
                infos = await asyncio.shield(future)
        except TimeoutError as error:
            raise OSError(None, "the name server did not answer in time") from error
        except UnicodeError as error:  # a label that is empty or longer than 63 characters
            raise OSError(None, "not a valid host name") from error
        found: list[ResolveResult] = [
            ResolveResult(
                hostname=host,
                host=str(where[0]),
                port=port,
                family=kind,
                proto=proto,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, _, proto, _, where in infos
            if family in (socket.AF_UNSPEC, kind)
        ]
        if not found:
            raise OSError(None, "the name has no address")
        if all(self._guard.is_own(one["host"]) for one in found):
            self.own_hosts.add(host.rstrip("."))
        return found

    async def close(self) -> None:
        """Nothing to close: threads that still wait are daemons."""

    async def _asked(self, host: str, port: int) -> asyncio.Future[Infos]:
        """The look-up of a name, under way. Waiting for a thread does not count into DEADLINE, waiting for others of its domain does."""
        key = (host, port)
        if key not in self._running:
            gate = self._domains.setdefault(registrable_domain(host), asyncio.Semaphore(LOOKUPS_PER_DOMAIN))
            async with asyncio.timeout(DEADLINE):
                await gate.acquire()
            try:
                await self._threads.acquire()
            except BaseException:
                gate.release()
                raise
            if key in self._running:  # somebody else asked while this one waited for a thread
                self._threads.release()
                gate.release()
                return self._running[key]
            self._running[key] = self._start(key, gate)
        return self._running[key]

    def _start(self, key: tuple[str, int], gate: asyncio.Semaphore) -> asyncio.Future[Infos]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Infos] = loop.create_future()

        def finish(infos: Infos | None, error: Exception | None) -> None:
            self._running.pop(key, None)
            self._threads.release()
            gate.release()
            if future.done():
                return
            if infos is not None:
                future.set_result(infos)
            else:
                future.set_exception(error or OSError(None, "the name has no address"))
                future.exception()  # seen: whoever asked may have stopped waiting

        def look_up() -> None:
            infos: Infos | None = None
            error: Exception | None = None
            try:
                infos = self._lookup(*key)
            except (OSError, UnicodeError) as caught:
                error = caught
            try:
                loop.call_soon_threadsafe(finish, infos, error)
            except RuntimeError:  # the loop is closed: nobody waits any more
                return

        threading.Thread(target=look_up, name="syndtrack-name", daemon=True).start()
        return future
