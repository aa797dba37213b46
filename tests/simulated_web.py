"""Feeds, pages and hosts of a simulated web, and a judge who checks every request that arrives there.

The polling program is the real one down to the client session: schedule, poller, hosts, robots, store. Only the session is replaced.
"""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import TracebackType
from typing import Self

from multidict import CIMultiDict, CIMultiDictProxy
from polling_rig import rss, rss_entry
from yarl import URL

from syndtrack.polling.fetch import Fetcher

BEGIN = datetime(2026, 3, 2, 0, 0, tzinfo=UTC)
HOUR = 3_600
DAY = 86_400
DELAY = 5.0
FLOOR = 300
# Crowded hosts ask to be left alone for so long, so often.
BUSY_FOR, BUSY_EVERY = 5_400.0, 18_000.0
ENTRIES = 12
TEXT = "The council of the harbour town decided at some length what had been decided before and said so twice. " * 12


@dataclass
class Host:
    """`busy` are spans of seconds in which it asks to be left alone, `crawl_delay` what its robots.txt asks for."""

    name: str
    latency: float
    busy: list[tuple[float, float]]
    by_date: bool
    crawl_delay: float | None
    flaky: float


@dataclass
class SimulatedFeed:
    """`kind` of validators: etag, date, both, none; `per_day` entries; `teasers`: these need their pages; `moves`: a redirect's status."""

    host: Host
    number: int
    kind: str
    per_day: float
    teasers: bool
    ttl: int
    moves: int

    @property
    def url(self) -> str:
        """Where it is subscribed to."""
        return f"http://{self.host.name}/feed/{self.number}?sig=a%2Fb%3d"

    def count(self, at: float) -> int:
        """Entries published by then."""
        return 20 + int(self.per_day * at / DAY + (self.number % 10) / 10)


def feed_number(url: str) -> int | None:
    """Of a feed's address or one of its pages', the feed's number; None of others."""
    parts = url.split("/")
    return int(parts[4].partition("?")[0]) if parts[3] in ("feed", "page") else None


@dataclass
class Judge:
    """What was asked, host by host and address by address, and what was wrong with it."""

    requests: int = 0
    by_status: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    violations: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    repeated_after_stop: int = 0
    _busy: set[str] = field(default_factory=set)
    _ended: dict[str, float] = field(default_factory=dict)
    _left_alone_until: dict[str, float] = field(default_factory=dict)
    _not_before: dict[str, float] = field(default_factory=dict)
    _unconditional: dict[str, float] = field(default_factory=dict)
    _tags: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    _given: dict[str, bool] = field(default_factory=dict)
    _gives: set[str] = field(default_factory=set)
    _unstored: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    _excused: set[str] = field(default_factory=set)
    _had: dict[str, float] = field(default_factory=dict)

    def begins(self, host: str, url: str, headers: Mapping[str, str], at: float) -> None:
        """A request arrives."""
        self.requests += 1
        if host in self._busy:
            self._wrong("a second request in flight to a host", url, at)
        if at < self._ended.get(host, -1e9) + DELAY - 1e-6:
            self._wrong(f"less than {DELAY:.0f} s after the last request to the host", url, at)
        if at < self._left_alone_until.get(host, 0) - 1e-6:
            self._wrong("Retry-After ignored", url, at)
        self._busy.add(host)
        if "/feed/" in url:
            self._check_feed(url, headers, at)
        elif url in self._had and at < self._had[url] + DAY - 1:
            self._wrong("a robots.txt again within a day" if url.endswith("/robots.txt") else "a page again within a day", url, at)
        if (number := feed_number(url)) is not None:
            self._unstored[number].add(url)

    def _check_feed(self, url: str, headers: Mapping[str, str], at: float) -> None:
        excused = url in self._excused
        self._excused.discard(url)
        if at < self._not_before.get(url, 0) - 1e-6:
            if excused:
                self.repeated_after_stop += 1
            else:
                self._wrong("early", url, at)
        for name in ("If-None-Match", "If-Modified-Since"):
            if name in headers and headers[name] not in self._tags[url]:
                self._wrong("altered validators", f"{url} {headers[name]!r}", at)
        if "If-None-Match" not in headers and "If-Modified-Since" not in headers:
            if url in self._gives and at < self._unconditional.get(url, -1e9) + DAY:
                self._wrong("unconditional more than once in 24 h", url, at)
            self._unconditional[url] = at

    def answered(self, host: str, url: str, status: int, headers: Mapping[str, str], at: float, *, waits: float | None, ttl: int) -> None:
        """The answer has gone out. `waits` is what Retry-After comes to, in seconds, `ttl` what the feed asks for."""
        self.by_status[status] += 1
        if waits is not None:
            self._left_alone_until[host] = at + waits
        if "/feed/" not in url:
            if status in (200, 404):
                self._had[url] = at
            return
        if status in (200, 304):
            self._not_before[url] = at + max(FLOOR, ttl)
            stated = {headers[name] for name in ("ETag", "Last-Modified") if name in headers}
            self._tags[url] |= stated
            if status == 200:
                self._given[url] = bool(stated)
        elif status < 400 or status in (429, 503):
            self._not_before[url] = at + FLOOR
        else:
            self._not_before[url] = at + (3_600 if status < 500 else FLOOR)

    def ends(self, host: str, at: float) -> None:
        """The request is over, answered or broken off."""
        self._busy.discard(host)
        self._ended[host] = at

    def stored(self, number: int, again: bool) -> None:
        """A poll of this feed was stored: the validators of its answer have to be sent from now on.

        `again`: the next look has to have the whole feed, since pages of it are still to be had. That holds for each address that was
        asked, also for one that the feed's own redirects to.
        """
        for url in self._unstored.pop(number, ()):
            given = self._given.pop(url, None)
            if again or given is False:
                self._gives.discard(url)
            elif given:
                self._gives.add(url)

    def stopped(self) -> None:
        """The program has ended: what it asked for and did not store, it may ask for again. A robots.txt is stored at once."""
        for url in set().union(*self._unstored.values()):
            self._given.pop(url, None)
            self._had.pop(url, None)
            if "/feed/" in url:
                self._excused.add(url)
        self._unstored.clear()

    def _wrong(self, what: str, url: str, at: float) -> None:
        self.violations[what].append(f"{BEGIN + timedelta(seconds=at):%d %H:%M:%S} {url}")


class SimulatedWeb:
    """Hosts with feeds and pages, made by a seed: one feed each, and all the others on the first third of them, the crowded hosts.

    What a rule protects certainly happens there: they are busy several times a day while others of their feeds are due, and one feed
    of each brings new entries without their text every hour, so that pages and robots.txt are asked for before and after each restart.
    """

    def __init__(self, feeds: int, hosts: int, days: float, seed: int) -> None:
        chance = random.Random(seed)  # noqa: S311 - a simulation
        crowded = hosts // 3
        self.hosts = {f"h{n}.example": _host(f"h{n}.example", chance, days, crowded=n < crowded) for n in range(hosts)}
        each = list(self.hosts.values())
        self.feeds = [_feed(each[n] if n < hosts else chance.choice(each[:crowded]), n, chance, leads=n < crowded) for n in range(feeds)]
        self._by_number = {feed.number: feed for feed in self.feeds}
        self._chance = chance
        self.judge = Judge()

    def now(self) -> datetime:
        """The time, as the program has it."""
        return BEGIN + timedelta(seconds=asyncio.get_running_loop().time())

    def session(self) -> Session:
        """What takes the place of an aiohttp session."""
        return Session(self)

    def answer(self, url: URL, headers: Mapping[str, str], at: float) -> tuple[int, dict[str, str], bytes, float | None]:
        """Status, headers, body, and what Retry-After comes to."""
        host = self.hosts[url.host or ""]
        for begin, end in host.busy:
            if begin <= at < end:
                wait = min(max(end - at, 60.0), 7.0 * DAY)
                until = format_datetime(BEGIN + timedelta(seconds=int(at) + int(wait) + 1), usegmt=True)
                date = format_datetime(BEGIN + timedelta(seconds=int(at)), usegmt=True)
                stated = {"Retry-After": until, "Date": date} if host.by_date else {"Retry-After": str(int(wait))}
                return self._chance.choice((429, 503)), stated, b"", float(int(wait))
        if url.path == "/robots.txt":
            delay = f"Crawl-delay: {host.crawl_delay}\n" if host.crawl_delay else ""
            return (
                (200, {}, f"User-agent: *\n{delay}Disallow: /private/\n".encode(), None)
                if self._chance.random() < 0.7
                else (404, {}, b"", None)
            )
        if self._chance.random() < host.flaky:
            return self._chance.choice((500, 502, 404, 403)), {}, b"", None
        if url.path.startswith("/feed/"):
            return self._feed_answer(self._by_number[int(url.path.split("/")[2])], url, headers, at)
        return 200, {"Content-Type": "text/html"}, f"<html><body><p>{TEXT}</p></body></html>".encode(), None

    def _feed_answer(self, feed: SimulatedFeed, url: URL, headers: Mapping[str, str], at: float) -> tuple[int, dict[str, str], bytes, None]:
        if feed.moves and not url.path.endswith("/new"):
            return feed.moves, {"Location": f"/feed/{feed.number}/new?sig=%7e"}, b"", None
        count = feed.count(at)
        stated = {}
        if feed.kind in ("etag", "both"):
            stated["ETag"] = f'W/"{feed.number}-{count}-é"'
        if feed.kind in ("date", "both"):
            stated["Last-Modified"] = format_datetime(BEGIN + timedelta(seconds=int(count * 60)))
        asked = {headers.get("If-None-Match"), headers.get("If-Modified-Since")} - {None}
        if asked and asked <= set(stated.values()):
            return 304, stated, b"", None
        body = None if feed.teasers else TEXT
        listed = [rss_entry(n, f"http://{feed.host.name}/page/{feed.number}/{n}", body) for n in range(count, count - ENTRIES, -1)]
        return 200, stated, rss(*listed, head=f"<ttl>{feed.ttl // 60}</ttl>" if feed.ttl else ""), None


def _host(name: str, chance: random.Random, days: float, *, crowded: bool) -> Host:
    busy = []
    if crowded:
        first = chance.uniform(2 * HOUR, BUSY_EVERY)
        busy += [(begin, begin + BUSY_FOR) for begin in (first + n * BUSY_EVERY for n in range(int(days * DAY / BUSY_EVERY)))]
    for _ in range(chance.choice((0, 1, 2, 4))):
        begin = chance.uniform(0, days * DAY)
        busy.append((begin, begin + chance.choice((90, 1_800, 14_400))))
    delay = chance.choice((None, None, None, 2.0, 12.0))
    return Host(name, chance.choice((0.05, 0.3, 4.0)), busy, chance.random() < 0.5, delay, chance.choice((0.0, 0.0, 0.02, 0.2)))


def _feed(host: Host, number: int, chance: random.Random, *, leads: bool) -> SimulatedFeed:
    kind = chance.choice(("etag", "etag", "date", "both", "none"))
    per_day = chance.choice((0.1, 0.5, 2, 6))
    moves = chance.choice((0,) * 17 + (301, 302, 308))
    ttl, teasers = chance.choice((0, 0, 0, 3_600)), chance.random() < 0.25
    return SimulatedFeed(host, number, kind, 24.0 if leads else per_day, teasers or leads, ttl, moves)


class Session:
    """A client session on the simulated web."""

    def __init__(self, web: SimulatedWeb) -> None:
        self._web = web

    def get(self, url: URL, *, headers: Mapping[str, str], allow_redirects: bool) -> Response:
        """A request; it is under way while its context is entered."""
        assert not allow_redirects
        return Response(self._web, url, headers)

    def request(self, method: str, url: URL, *, headers: Mapping[str, str], data: object, allow_redirects: bool, proxy: None) -> Response:
        """The same. Nobody is sent anything here, and nobody stands in between."""
        assert (method, data, proxy) == ("GET", None, None)
        return self.get(url, headers=headers, allow_redirects=allow_redirects)

    async def close(self) -> None:
        """Nothing to close."""


class Response:
    """An answer as the fetcher uses it."""

    def __init__(self, web: SimulatedWeb, url: URL, asked: Mapping[str, str]) -> None:
        self._web, self._url, self._asked = web, url, asked
        self.status = 0
        self.headers: CIMultiDictProxy[str] = CIMultiDictProxy(CIMultiDict())
        self.content = self
        self._body = b""

    async def __aenter__(self) -> Self:
        loop, host = asyncio.get_running_loop(), self._url.host or ""
        self._web.judge.begins(host, str(self._url), self._asked, loop.time())
        try:
            await asyncio.sleep(self._web.hosts[host].latency)
        except BaseException:
            self._web.judge.ends(host, loop.time())
            raise
        self.status, stated, self._body, waits = self._web.answer(self._url, self._asked, loop.time())
        self.headers = CIMultiDictProxy(CIMultiDict(stated | {"Content-Length": str(len(self._body))}))
        number = self._url.path.split("/")[2] if self._url.path.startswith("/feed/") else ""
        ttl = self._web._by_number[int(number)].ttl if number else 0
        self._web.judge.answered(host, str(self._url), self.status, stated, loop.time(), waits=waits, ttl=ttl)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._web.judge.ends(self._url.host or "", asyncio.get_running_loop().time())

    async def iter_chunked(self, size: int) -> AsyncIterator[bytes]:
        """The body."""
        for at in range(0, len(self._body), size):
            yield self._body[at : at + size]

    def close(self) -> None:
        """Nothing to close."""


class SimulatedFetcher(Fetcher):
    """The fetcher, with a session on the simulated web."""

    web: SimulatedWeb

    def _new_session(self, guard: object, names: object) -> Session:  # type: ignore[override] # takes the place of aiohttp's
        return self.web.session()
