"""The network's side of a tracker: connections as its settings allow them, worker processes, and what is asked through them.

Apart from the tracker, since look-ups need none of it and it takes half a second to import.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import datetime

from syndtrack.config import Settings
from syndtrack.errors import RefusedError
from syndtrack.intake import READERS
from syndtrack.matching.fingerprint import fingerprint
from syndtrack.models import Refusal
from syndtrack.owners import TrustAnswer
from syndtrack.politeness import StoredMemory
from syndtrack.polling.discovery import discover
from syndtrack.polling.poll import Poller
from syndtrack.polling.trust import ask_all
from syndtrack.polling.workers import Workers
from syndtrack.reading.cleaning import clean, cleaning_version
from syndtrack.store.owners import Site
from syndtrack.store.store import Store
from syndtrack.words import tokenise


@asynccontextmanager
async def connected(
    settings: Settings, store: Store, thread: Executor, now: Callable[[], datetime]
) -> AsyncIterator[tuple[Poller, Workers]]:
    """Connections as the settings allow them, and worker processes. What politeness needs is kept on the store's thread.

    What the first article would load is loaded already, and garbage collection looks at none of what is there now: either stops every
    thread, and with them the event loop, for 0.1 to 0.2 s. Threads take turns ten times as often as Python has them do by itself: the event
    loop waits for its turn after nearly every call of the system, and there are many in one of its rounds.
    """
    warming = asyncio.create_task(asyncio.to_thread(_warm))  # while the workers' server does the like
    try:
        async with _connections(settings, store, thread, now) as both:
            await warming
            gc.collect()
            gc.freeze()
            turns = sys.getswitchinterval()
            sys.setswitchinterval(turns / 10)
            try:
                yield both
            finally:
                sys.setswitchinterval(turns)
                gc.unfreeze()
    finally:
        warming.cancel()  # where the connections failed before it was done
        await asyncio.gather(warming, return_exceptions=True)


def _warm() -> None:
    """Rules are compiled, tables made and libraries imported when a text is cleaned and fingerprinted for the first time."""
    text = "\n".join(f"Line {n} of this text, which nobody reads, has some words of its own." for n in range(20))
    fingerprint(tokenise(text, clean(text, ())), cleaning_version())


@asynccontextmanager
async def _connections(
    settings: Settings, store: Store, thread: Executor, now: Callable[[], datetime]
) -> AsyncIterator[tuple[Poller, Workers]]:
    """Connections and workers only."""
    async with (
        Workers(warm=READERS) as workers,
        Poller(
            workers,
            allow_networks=settings.allow_networks,
            contact=settings.contact,
            host_delay=settings.host_delay,
            concurrency=settings.concurrency,
            proxy=settings.proxy,
            now=now,
            memory=StoredMemory(store, thread, now),
        ) as poller,
    ):
        yield poller, workers


async def discover_all(
    urls: Iterable[str], settings: Settings, store: Store, now: Callable[[], datetime]
) -> tuple[list[str], list[Refusal]]:
    """The feeds that sites announce on their pages, and what was refused."""
    found: dict[str, None] = {}
    refused = []
    with ThreadPoolExecutor(1, "store") as thread:
        async with _connections(settings, store, thread, now) as (poller, workers):
            for url in urls:
                try:
                    found |= dict.fromkeys(await discover(url, poller.fetcher, workers))
                except RefusedError as error:
                    refused.append(Refusal(error.what, error.reason))
    return list(found), refused


async def ask_trust(sites: Sequence[Site], settings: Settings, store: Store, now: Callable[[], datetime]) -> list[TrustAnswer]:
    """What sites say in their trust.txt: many are asked at once, but one after the other on one host."""
    with ThreadPoolExecutor(1, "store") as thread:
        async with _connections(settings, store, thread, now) as (poller, _):
            return await ask_all(sites, poller)
