"""Fetching an article's page: as robots.txt allows, at its host's pace, and not again soon when it failed."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urljoin, urlsplit

from syndtrack.errors import FetchError, RefusedError
from syndtrack.polling.fetch import ACCEPT_PAGE, PAGE_BYTES, Fetcher, status_text
from syndtrack.polling.headers import media_type
from syndtrack.polling.robots import ROBOTS_BYTES, judge
from syndtrack.polling.workers import Workers
from syndtrack.reading.charset import decode
from syndtrack.urls import shown

PAGE_TYPES = frozenset({"", "text/html", "application/xhtml+xml", "application/xml", "text/xml"})
ROBOTS_KEPT = timedelta(days=1)
ROBOTS_RETRIED = timedelta(hours=1)
FAILED_KEPT = timedelta(days=1)
# A failure that may pass is tried again at the feed's next look, and at this many in all.
TRIES = 3
REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Page:
    """A page as text, and the address it finally came from."""

    url: str
    html: str


@dataclass(frozen=True, slots=True)
class _Failed:
    """Why a page could not be had, until when it is not asked for again, and how often that may have been in passing."""

    reason: str
    until: datetime
    passing: bool = False
    times: int = 1


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
    """Fetches pages with `fetcher`; what takes time is done in `workers`. Remembers robots.txt files and failures, in memory."""

    def __init__(self, fetcher: Fetcher, workers: Workers, now: Callable[[], datetime]) -> None:
        self._fetcher = fetcher
        self._workers = workers
        self._now = now
        self._robots: OrderedDict[str, _Robots] = OrderedDict()
        self._failed: OrderedDict[str, _Failed] = OrderedDict()

    async def page(self, url: str) -> Page:
        """The page at an address. Raises LaterError where another try is worth it, else RefusedError, at once for a day after it failed."""
        failed = self._failed.pop(url, None)
        if failed is not None and failed.until > self._now():
            self._remember(url, failed)
            raise FetchError(shown(url), failed.reason)
        try:
            return await self._page(url)
        except LaterError as error:
            times = failed.times + 1 if failed is not None and failed.passing else 1
            if times < TRIES:
                self._remember(url, _Failed(error.reason, self._now(), passing=True, times=times))
                raise
            self._remember(url, _Failed(error.reason, self._now() + FAILED_KEPT))
            raise FetchError(error.what, f"{error.reason} ({times} tries)") from error
        except RefusedError as error:
            self._remember(url, _Failed(error.reason, self._now() + FAILED_KEPT))
            raise

    async def _page(self, url: str) -> Page:
        what = shown(url)
        await self._check_robots(url, what)
        try:
            answer = await self._fetcher.fetch(url, accept=ACCEPT_PAGE, max_bytes=PAGE_BYTES)
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
        html = await self._workers.run(decode, answer.body, answer.content_type, what=what)
        return Page(url if answer.url == url else answer.url, html)

    async def _check_robots(self, url: str, what: str) -> None:
        """Raises RefusedError where robots.txt does not allow the page or cannot be had (RFC 9309 section 2.3.1.4)."""
        robots = self._robots_of(url)
        async with robots.lock:
            if robots.until is None or robots.until <= self._now():
                await self._read_robots(url, robots)
        if robots.body is None:
            raise LaterError(what, f"its site's robots.txt cannot be read: {robots.reason}")
        if not robots.body:
            return
        allowed, delay = await self._workers.run(judge, robots.body, self._fetcher.agent, url, what=f"robots.txt for {what}", deadline=5.0)
        if delay is not None:
            self._fetcher.hosts.slow_down(url, delay)
        if not allowed:
            raise FetchError(what, "its site's robots.txt does not allow it")

    async def _read_robots(self, url: str, robots: _Robots) -> None:
        try:
            answer = await self._fetcher.fetch(urljoin(url, "/robots.txt"), accept="text/plain, */*;q=0.5", max_bytes=ROBOTS_BYTES)
        except FetchError as error:
            robots.body, robots.reason = None, error.reason
        else:
            if answer.status == 200:
                robots.body = answer.body
            elif 400 <= answer.status < 500 and answer.status != 429:
                robots.body = b""
            else:
                robots.body, robots.reason = None, f"the server answers {status_text(answer.status)}"
        robots.until = self._now() + (ROBOTS_RETRIED if robots.body is None else ROBOTS_KEPT)

    def _robots_of(self, url: str) -> _Robots:
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        if origin not in self._robots and len(self._robots) >= REMEMBERED:
            self._robots.popitem(last=False)
        return self._robots.setdefault(origin, _Robots())

    def _remember(self, url: str, failed: _Failed) -> None:
        self._failed[url] = failed
        if len(self._failed) > REMEMBERED:
            self._failed.popitem(last=False)
