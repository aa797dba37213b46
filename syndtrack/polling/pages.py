"""Fetching an article's page: as robots.txt allows, at its host's pace, once for all feeds, and not again soon when it failed."""

from __future__ import annotations

import asyncio
import sys
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urljoin, urlsplit
from weakref import WeakValueDictionary

from syndtrack.errors import FetchError, PoisonError, PutOffError, RefusedError
from syndtrack.models import Input
from syndtrack.polling.fetch import ACCEPT_PAGE, PAGE_BYTES, Fetcher, status_text
from syndtrack.polling.headers import media_type
from syndtrack.polling.hosts import HeldError
from syndtrack.polling.memory import KeptFailure, KeptRobots, Memory
from syndtrack.polling.robots import ROBOTS_BYTES, judge
from syndtrack.polling.workers import Workers
from syndtrack.reading.charset import decode
from syndtrack.urls import article_key, shown

PAGE_TYPES = frozenset({"", "text/html", "application/xhtml+xml", "application/xml", "text/xml"})
ROBOTS_KEPT = timedelta(days=1)
ROBOTS_RETRIED = timedelta(hours=1)
FAILED_KEPT = timedelta(days=1)
# A failure that may pass is tried again at the feed's next look, and at this many in all.
TRIES = 3
REMEMBERED = 10_000
# One article stands in several feeds of a site. Shorter than the time between two looks at a feed: the next one asks anew.
PAGES_KEPT = timedelta(minutes=4)
PAGES_KEPT_BYTES = 50_000_000


@dataclass(frozen=True, slots=True)
class Page:
    """A page as text, and the address it finally came from."""

    url: str
    html: str


@dataclass(slots=True)
class _Robots:
    """`body` is the file (empty: everything is allowed), or None where it could not be had: then nothing is."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    until: datetime | None = None
    body: bytes | None = None
    reason: str = ""


class LaterError(FetchError):
    """A page that could not be had for a reason that may pass; worth another try."""


class Pages:
    """Fetches pages with `fetcher`; what takes time is done in `workers`. Remembers robots.txt files, failures and, briefly, pages.

    Files and failures are in `memory`, too, so that a restart asks for nothing again. `own` says everywhere whether the networks that
    were allowed by name may be asked: what is found with it is not told to those without.
    """

    def __init__(self, fetcher: Fetcher, workers: Workers, memory: Memory, now: Callable[[], datetime]) -> None:
        self._fetcher = fetcher
        self._workers = workers
        self._memory = memory
        self._now = now
        self._robots: OrderedDict[tuple[str, bool], _Robots] = OrderedDict()
        self._failed: OrderedDict[tuple[str, bool], KeptFailure] = OrderedDict()
        self._kept: OrderedDict[tuple[str, bool], tuple[datetime, Page]] = OrderedDict()
        self._kept_bytes = 0
        self._under_way: WeakValueDictionary[tuple[str, bool], asyncio.Lock] = WeakValueDictionary()

    async def page(self, url: str, *, own: bool = True) -> Page:
        """The page of an article.

        Raises LaterError where another try is worth it, HeldError where its host asked to be left alone, PutOffError where it waits to
        be read, else RefusedError; a page that was refused is refused for a day without being asked for.
        """
        article = (article_key(url), own)
        lock = self._under_way.setdefault(article, asyncio.Lock())
        async with lock:
            self._let_go()
            if article not in self._kept:
                page = await self._tried(url, own)
                self._kept[article] = (self._now() + PAGES_KEPT, page)
                self._kept_bytes += sys.getsizeof(page.html)
                return page
            return self._kept[article][1]

    def _let_go(self) -> None:
        """Forgets the pages that were kept long enough, and the oldest where they are too many."""
        while self._kept:
            until, page = next(iter(self._kept.values()))
            if until > self._now() and self._kept_bytes <= PAGES_KEPT_BYTES:
                return
            self._kept.popitem(last=False)
            self._kept_bytes -= sys.getsizeof(page.html)

    async def _tried(self, url: str, own: bool) -> Page:
        """The page, asked for unless it failed before; what fails now is remembered."""
        failed = self._failed.get((url, own)) or await self._memory.failure(url, own)
        if failed is not None and failed.until > self._now():
            raise FetchError(shown(url), failed.reason)
        try:
            page = await self._asked(url, own)
        except (HeldError, PutOffError):
            raise
        except LaterError as error:
            times = failed.times + 1 if failed is not None and failed.passing else 1
            if times < TRIES:
                await self._remember((url, own), KeptFailure(error.reason, self._now(), passing=True, times=times))
                raise
            await self._remember((url, own), KeptFailure(error.reason, self._now() + FAILED_KEPT))
            raise FetchError(error.what, f"{error.reason} ({times} tries)") from error
        except RefusedError as error:
            if isinstance(error, PoisonError) and error.again:
                raise LaterError(error.what, error.reason) from error  # the quarantine counts its tries
            await self._remember((url, own), KeptFailure(error.reason, self._now() + FAILED_KEPT))
            raise
        if failed is not None:
            self._failed.pop((url, own), None)
            await self._memory.keep_failure(url, own, None)
        return page

    async def _asked(self, url: str, own: bool) -> Page:
        what = shown(url)

        async def before_hop(to: str, own: bool) -> None:
            await self._check_robots(to, what, own)

        await self._check_robots(url, what, own)
        try:
            answer = await self._fetcher.fetch(url, accept=ACCEPT_PAGE, max_bytes=PAGE_BYTES, own=own, before_hop=before_hop)
        except (HeldError, LaterError):
            raise
        except FetchError as error:
            raise LaterError(what, error.reason) from error
        if answer.status != 200:
            kind = LaterError if answer.status >= 500 or answer.status in (408, 425, 429) else FetchError
            raise kind(what, f"the server answers {status_text(answer.status)}")
        if media_type(answer.content_type) not in PAGE_TYPES:
            raise FetchError(what, f"is {media_type(answer.content_type)[:80]}, no page")
        if not answer.body.strip():
            raise LaterError(what, "the page is empty")
        if urlsplit(answer.url).path in ("", "/") and urlsplit(url).path not in ("", "/"):
            raise FetchError(what, "leads to the front page")
        html = await self._workers.run(decode, answer.body, answer.content_type, what=what, given=Input("page", what, answer.body))
        return Page(url if answer.url == url else answer.url, html)

    async def allowed(self, url: str, own: bool) -> None:
        """Raises RefusedError where robots.txt does not let an address be asked for, LaterError where that file cannot be had."""
        await self._check_robots(url, shown(url), own)

    async def _check_robots(self, url: str, what: str, own: bool) -> None:
        """Raises RefusedError where robots.txt does not allow the address, LaterError where it cannot be had (RFC 9309 section 2.3.1.4)."""
        origin, robots = self._robots_of(url, own)
        async with robots.lock:
            if robots.until is None and (kept := await self._memory.robots(origin, own)) is not None:
                robots.until, robots.body, robots.reason = kept.until, kept.body, kept.reason
            if robots.until is None or robots.until <= self._now():
                await self._read_robots(url, robots, own)
                if robots.until is not None:
                    await self._memory.keep_robots(origin, own, KeptRobots(robots.until, robots.body, robots.reason))
        if robots.body is None:
            raise LaterError(what, f"its site's robots.txt cannot be read: {robots.reason}")
        if not robots.body:
            return
        given = Input("robots.txt", shown(urljoin(url, "/robots.txt")), robots.body)
        name = f"robots.txt for {what}"
        allowed, delay = await self._workers.run(judge, robots.body, self._fetcher.agent, url, what=name, deadline=5.0, given=given)
        if delay is not None:
            self._fetcher.hosts.slow_down(url, delay)
        if not allowed:
            raise RefusedError(what, "its site's robots.txt does not allow it")

    async def _read_robots(self, url: str, robots: _Robots, own: bool) -> None:
        try:
            answer = await self._fetcher.fetch(
                urljoin(url, "/robots.txt"), accept="text/plain, */*;q=0.5", max_bytes=ROBOTS_BYTES, part=True, own=own
            )
        except HeldError:
            raise
        except FetchError as error:
            robots.body, robots.reason = None, error.reason
        else:
            if answer.status == 200:
                # Of a longer file the first part counts (RFC 9309 section 2.5), without the line that the cut goes through.
                robots.body = answer.body if len(answer.body) < ROBOTS_BYTES else answer.body.rpartition(b"\n")[0]
            elif 400 <= answer.status < 500 and answer.status != 429:
                robots.body = b""
            else:
                robots.body, robots.reason = None, f"the server answers {status_text(answer.status)}"
        robots.until = self._now() + (ROBOTS_RETRIED if robots.body is None else ROBOTS_KEPT)

    def _robots_of(self, url: str, own: bool) -> tuple[str, _Robots]:
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc.rpartition('@')[2].lower()}"
        if (origin, own) not in self._robots and len(self._robots) >= REMEMBERED:
            self._robots.popitem(last=False)
        return origin, self._robots.setdefault((origin, own), _Robots())

    async def _remember(self, asked: tuple[str, bool], failed: KeptFailure) -> None:
        await self._memory.keep_failure(*asked, failed)
        self._failed[asked] = failed
        if len(self._failed) > REMEMBERED:
            self._failed.popitem(last=False)
