"""Looking up host names without letting a slow one hold up the others.

asyncio's own look-ups share a handful of threads: twelve names that hang stall every other host. c-ares (through aiodns) asks name
servers without threads, so that a name that hangs costs next to nothing. It reads /etc/hosts and /etc/resolv.conf, no other modules of
nsswitch.

Whoever asks stops waiting after `DEADLINE` seconds. A name that is being looked up is not asked for a second time. At most `LOOKUPS`
questions are under way at once, `LOOKUPS_PER_DOMAIN` of them for one domain, so that whoever links to a thousand names of his own takes up
no more; and `HUNG_LOOKUPS` for names that hung when they were asked last, so that dead names, however many, never stand before living ones.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from inspect import isawaitable
from typing import Any
from weakref import WeakValueDictionary

import aiodns
from aiohttp.abc import AbstractResolver, ResolveResult

from syndtrack.polling.guard import Guard
from syndtrack.urls import registrable_domain

LOOKUPS = 200
LOOKUPS_PER_DOMAIN = 4
HUNG_LOOKUPS = 20
DEADLINE = 10.0
KEPT_SECONDS = 300.0
REMEMBERED = 20_000

Infos = Sequence[tuple[Any, ...]]
# What `socket.getaddrinfo` gives for a name and a port, at once or awaited.
Lookup = Callable[[str, int], Infos | Awaitable[Infos]]


class SystemLookup:
    """The addresses of a name as the name servers of the system give them. Closed with `close`."""

    def __init__(self) -> None:
        self._resolver: aiodns.DNSResolver | None = None

    async def __call__(self, host: str, port: int) -> Infos:
        """Raises OSError."""
        if self._resolver is None:
            self._resolver = aiodns.DNSResolver(timeout=DEADLINE / 4, tries=3)
        try:
            found = await self._resolver.getaddrinfo(host, port=port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
        except aiodns.error.DNSError as error:
            raise OSError(None, str(error.args[1]) if len(error.args) > 1 else "the name server gave no answer") from error
        return [(node.family, socket.SOCK_STREAM, 0, "", (node.addr[0].decode("ascii"), port)) for node in found.nodes]

    async def close(self) -> None:
        """Let go of its sockets."""
        if self._resolver is not None:
            await self._resolver.close()


class Names(AbstractResolver):
    """A resolver for aiohttp. `own_hosts` are the names whose addresses all lie in networks that were allowed by name.

    Answers are kept for KEPT_SECONDS, so that asking beforehand (without a connection waiting for it) is asking once.
    """

    def __init__(self, guard: Guard, lookup: Lookup | None = None, ticks: Callable[[], float] = time.monotonic) -> None:
        self.own_hosts: set[str] = set()
        self._guard = guard
        self._system = SystemLookup()
        self._lookup = lookup or self._system
        self._ticks = ticks
        self._all = asyncio.Semaphore(LOOKUPS)
        self._hung_ones = asyncio.Semaphore(HUNG_LOOKUPS)
        self._domains: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._running: dict[tuple[str, int], asyncio.Task[Infos]] = {}
        self._kept: OrderedDict[tuple[str, int], tuple[float, Infos]] = OrderedDict()
        self._hung: OrderedDict[str, None] = OrderedDict()

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC) -> list[ResolveResult]:
        """The addresses of a host. Raises OSError when there are none or the answer takes too long."""
        infos = await self._infos(host, port)
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
        """Give up what is under way."""
        for task in self._running.values():
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)
        await self._system.close()

    async def _infos(self, host: str, port: int) -> Infos:
        """What is kept of a name, else what a look-up brings: one that is under way, or a new one. All who ask wait for the same one."""
        key = (host, port)
        kept = self._kept.get(key)
        if kept is not None and kept[0] > self._ticks():
            return kept[1]
        if key not in self._running:
            task = asyncio.create_task(self._looked_up(host, port))
            self._running[key] = task
            task.add_done_callback(lambda done: self._done(key, done))
        return await asyncio.shield(self._running[key])

    def _done(self, key: tuple[str, int], task: asyncio.Task[Infos]) -> None:
        """Keep what was found; an error is for those who wait, if any still do."""
        del self._running[key]
        if not task.cancelled() and task.exception() is None:
            self._kept[key] = (self._ticks() + KEPT_SECONDS, task.result())
            self._kept.move_to_end(key)
            if len(self._kept) > REMEMBERED:
                self._kept.popitem(last=False)

    async def _looked_up(self, host: str, port: int) -> Infos:
        """Ask, when there is a place for it. Waiting for those who ask for the same domain counts into DEADLINE, other waiting does not."""
        domain = self._domains.setdefault(registrable_domain(host), asyncio.Semaphore(LOOKUPS_PER_DOMAIN))
        async with AsyncExitStack() as places:
            try:
                async with asyncio.timeout(DEADLINE):
                    await places.enter_async_context(domain)
                if host in self._hung:
                    await places.enter_async_context(self._hung_ones)
                await places.enter_async_context(self._all)
                async with asyncio.timeout(DEADLINE):
                    infos = self._lookup(host, port)
                    infos = await infos if isawaitable(infos) else infos
            except TimeoutError as error:
                self._remember_hung(host)
                raise OSError(None, "the name server did not answer in time") from error
            except UnicodeError as error:  # a label that is empty or longer than 63 characters
                raise OSError(None, "not a valid host name") from error
        self._hung.pop(host, None)
        return infos

    def _remember_hung(self, host: str) -> None:
        """It is asked among its like from now on, until it answers."""
        self._hung[host] = None
        if len(self._hung) > REMEMBERED:
            self._hung.popitem(last=False)
