"""Archives, read one batch ahead of what is being stored.

A page takes 30 ms to read and may keep a parser busy for minutes, so pages are read in worker processes, one a call. Plain texts take 2 ms:
of a long archive they go to the workers too, many a call, so that passing them on does not eat what is gained. A call that fails is made
again for each of its texts, so that one bad text fails alone. The first texts are read at once: workers take seconds to start.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from syndtrack.archives import Paths, check_archive, paths_of, read_archive
from syndtrack.errors import RefusedError
from syndtrack.flow import ReadArticle, read_article
from syndtrack.models import Refusal, Submission
from syndtrack.pairing import BATCH
from syndtrack.polling.workers import Workers
from syndtrack.scheduler import READ_SECONDS
from syndtrack.store.store import Store

READERS = ("syndtrack.warm",)  # what reads articles in worker processes, loaded once before they start
MANY = 1_000  # articles: an archive that goes on beyond them may be long, so that workers gain more than the 4 s of CPU they start with
TEXTS_A_CALL = 40
LENGTH_A_CALL = 500_000  # code points

Read = ReadArticle | Refusal


@dataclass(frozen=True, slots=True)
class Batch:
    """Some articles of an archive, read; `number` counts those of the archive up to the last of these."""

    path: str
    number: int
    each: Sequence[Read]


async def read_ahead(given: Paths, now: datetime) -> AsyncGenerator[Batch, None]:
    """The articles of archives in batches, in order. While one is worked on, the next is being read. Raises UsageError for a bad path.

    To be used in `aclosing`: it ends its worker processes when it is closed.
    """
    paths = paths_of(given)
    for path in paths:
        check_archive(path)
    waiting: tuple[str, int, asyncio.Task[list[Read]]] | None = None
    async with AsyncExitStack() as stack:
        workers: Workers | None = None
        taken = 0
        try:
            for path, number, records in _batches(paths, now):
                taken += len(records)
                if workers is None and (taken > MANY or any(isinstance(r, Submission) and r.text is None for r in records)):
                    workers = await stack.enter_async_context(Workers(warm=READERS))
                before, waiting = waiting, (path, number, asyncio.create_task(_read_batch(records, workers)))
                if before is not None:
                    yield Batch(before[0], before[1], await before[2])
            if waiting is not None:
                yield Batch(waiting[0], waiting[1], await waiting[2])
        finally:
            if waiting is not None:
                waiting[2].cancel()


def _batches(paths: Sequence[str], now: datetime) -> Iterator[tuple[str, int, list[Submission | Refusal]]]:
    for path in paths:
        records, number = read_archive(path, now), 0
        while batch := list(islice(records, BATCH)):
            number += len(batch)
            yield path, number, batch


async def _read_batch(records: Sequence[Submission | Refusal], workers: Workers | None) -> list[Read]:
    """A batch, read in the workers; here if there are none."""
    if workers is None:
        return [read_article(record) if isinstance(record, Submission) else record for record in records]
    found: dict[int, Read] = {n: record for n, record in enumerate(records) if isinstance(record, Refusal)}

    async def read(calls: dict[int, Submission]) -> None:
        found.update(zip(calls, await _read_in(workers, list(calls.values())), strict=True))

    await asyncio.gather(*map(read, _calls(records)))
    return [found[n] for n in range(len(records))]


def _calls(records: Sequence[Submission | Refusal]) -> Iterator[dict[int, Submission]]:
    """What is read together, by place: each page by itself, texts up to `TEXTS_A_CALL` and `LENGTH_A_CALL`."""
    texts: dict[int, Submission] = {}
    length = 0
    for number, record in enumerate(records):
        if isinstance(record, Refusal):
            continue
        if record.text is None:
            yield {number: record}
            continue
        if texts and (len(texts) >= TEXTS_A_CALL or length + len(record.text) > LENGTH_A_CALL):
            yield texts
            texts, length = {}, 0
        texts[number] = record
        length += len(record.text)
    if texts:
        yield texts


async def _read_in(workers: Workers, articles: Sequence[Submission]) -> list[Read]:
    """Some articles in one call; where that fails, each in one of its own."""
    try:
        return await workers.run(read_all, articles, what=articles[0].url, deadline=READ_SECONDS)
    except RefusedError as error:
        if len(articles) == 1:
            return [Refusal(articles[0].origin or error.what, error.reason)]
    return [read for article in articles for read in await _read_in(workers, [article])]


async def store_aside(store: Store, function: Callable[..., None], *args: object) -> None:
    """Run what stores, beside the event loop. Whoever is cancelled meanwhile does not wait until another process has written."""
    with store.waiting_again():
        storing = asyncio.create_task(asyncio.to_thread(function, *args))
        try:
            with store.waiting_ends():
                await asyncio.shield(storing)
        finally:  # its thread goes on, and looks now and then whether it is to wait: not before it has ended may others be waited for again
            await asyncio.gather(storing, return_exceptions=True)


def read_all(articles: Sequence[Submission]) -> list[Read]:
    """Articles one after the other, in a worker."""
    return [read_article(article) for article in articles]
