"""The newsroom's publishers as HTTP servers on loopback, one address each, with a clock that can be stepped or let run."""

from __future__ import annotations

import asyncio
import hashlib
import socket
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from errno import EADDRINUSE, EADDRNOTAVAIL
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

from aiohttp import web

from syndtrack.errors import UsageError
from syndtrack.sample import pages
from syndtrack.sample.stories import ROUND, Sample, SampleArticle, SamplePublisher, load_sample

NEWEST = 20
"""How many entries a feed holds."""
HEADLINES = 4
"""How many earlier articles a page's boxes of links show."""
BROKEN_FEEDS = {"/broken/feed.xml": "A page where a feed should be", "/gone/feed.xml": "A feed that is gone"}
"""Paths at the first publisher that fail on purpose: HTML with status 200, and 404."""


NOT_FOUND = "<html><head><title>Not found</title></head><body><h1>Not found</h1></body></html>"


@dataclass(frozen=True, slots=True)
class SampleFeed:
    """A feed to subscribe to. `works` is False for the two that fail on purpose."""

    publisher: str
    url: str
    works: bool = True


class Newsroom:
    """The running newsroom. `minute` is newsroom time: it grows by `advance` and `reveal`, and by itself where a pace was given."""

    def __init__(self, sample: Sample, sites: dict[str, str], started: datetime, pace: float) -> None:
        self.sample = sample
        self.sites = sites
        self.rounds = sample.rounds
        # A newsroom's whole day lies before the moment it was started: what it claims as time of publication is never in the future.
        self.opened = started.replace(microsecond=0) - timedelta(minutes=self.rounds * ROUND)
        self._minute = 0.0
        self._pace = pace
        self._running_since = asyncio.get_running_loop().time()
        self._articles = {p.key: [a for a in sample.articles if a.publisher == p.key] for p in sample.publishers}
        self._by_path = {(a.publisher, pages.path_of(self._publisher(a), a)): a for a in sample.articles}

    @property
    def minute(self) -> float:
        """Minutes since the newsroom opened."""
        return self._minute + self._pace * (asyncio.get_running_loop().time() - self._running_since)

    @property
    def feeds(self) -> list[SampleFeed]:
        """The publishers' feeds, then those that fail on purpose."""
        working = [SampleFeed(p.name, self.sites[p.key] + p.feed_path) for p in self.sample.publishers]
        first = self.sites[self.sample.publishers[0].key]
        return working + [SampleFeed(title, first + path, works=False) for path, title in BROKEN_FEEDS.items()]

    def advance(self, minutes: float = ROUND) -> None:
        """Let newsroom time pass; one round by default."""
        self._minute += minutes

    def reveal(self, number: int) -> None:
        """Let time pass until round `number` is out, and no further; time never goes back. Round 0 is what is out at the start."""
        self._minute += max(0.0, number * ROUND - self.minute)

    def url_of(self, key: str) -> str:
        """An article's address, out or not."""
        article = self.sample.article(key)
        return self.sites[article.publisher] + pages.path_of(self._publisher(article), article)

    def opml(self) -> str:
        """Every feed as OPML, those that fail on purpose in a folder of their own."""
        return opml_of(self.feeds)

    def true_edges(self) -> list[dict[str, str | bool | None]]:
        """Who copied whom, by addresses, in the fields of `report edges`; for tests and for judging a run, never served."""
        return [
            {
                "copy": self.url_of(edge.copy),
                "source": edge.source and self.url_of(edge.source),
                "source_publisher": edge.source_publisher,
                "kind": edge.kind,
                "credited": edge.credited,
                "credited_to": edge.credited_to,
            }
            for edge in self.sample.edges
        ]

    def shown(self, publisher: str) -> list[pages.Shown]:
        """What a publisher (by key) shows now, newest first."""
        minute = self.minute
        return [self._show(a, minute) for a in reversed(self._articles[publisher]) if a.minute <= minute]

    def _show(self, article: SampleArticle, minute: float) -> pages.Shown:
        revision = article.revision_at(minute)
        first, latest = (self.opened + timedelta(minutes=m) for m in (article.minute, revision.minute))
        return pages.Shown(article, self.url_of(article.key), first, latest, revision.paragraphs, self.url_of)

    def _publisher(self, article: SampleArticle) -> SamplePublisher:
        return next(p for p in self.sample.publishers if p.key == article.publisher)

    def answer(self, publisher: SamplePublisher, path: str) -> tuple[bytes, str, datetime] | None:
        """What stands at a publisher's path (with query) now: bytes, content type, time of the last change. None where nothing does."""
        site, shown = self.sites[publisher.key], self.shown(publisher.key)
        last = max((s.updated for s in shown), default=self.opened)
        if path == publisher.feed_path:
            return pages.feed(publisher, shown[:NEWEST], site + "/", site + path), f"application/{publisher.feed}+xml", last
        if path == "/":
            return pages.front_page(publisher, shown, site + publisher.feed_path), "text/html", last
        article = self._by_path.get((publisher.key, path))
        page = next((s for s in shown if s.article is article), None)
        if page is None:
            return None
        others = [s for s in shown if s.published < page.published][:HEADLINES]
        return pages.page(publisher, page, others), "text/html", page.updated


def opml_of(feeds: Iterable[SampleFeed]) -> str:
    """Feeds as an OPML 2.0 list, those that fail on purpose in a folder of their own."""
    return pages.opml(("Publishers" if f.works else "Broken on purpose", f.publisher, f.url) for f in feeds)


class _Answers:
    """The HTTP side: whose address was asked, and the answer with its validators."""

    def __init__(self, newsroom: Newsroom) -> None:
        self._newsroom = newsroom
        self._publishers = {_place(urlsplit(newsroom.sites[p.key]).netloc): p for p in newsroom.sample.publishers}

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/-/advance", self.advance)
        app.router.add_get("/-/clock", self.clock)
        app.router.add_get("/{path:.*}", self.get)
        return app

    async def get(self, request: web.Request) -> web.StreamResponse:
        publisher = self._publisher(request)
        if publisher is self._newsroom.sample.publishers[0]:
            if request.path == "/feeds.opml":
                return web.Response(text=self._newsroom.opml(), content_type="text/x-opml")
            if request.path == "/broken/feed.xml":
                body, _, last = self._newsroom.answer(publisher, "/") or (b"", "", self._newsroom.opened)
                return _conditional(request, body, "text/html", last)
        answer = self._newsroom.answer(publisher, request.path_qs)
        if answer is None:
            return web.Response(status=404, text=NOT_FOUND, content_type="text/html")
        return _conditional(request, *answer)

    async def advance(self, request: web.Request) -> web.Response:
        """Step the clock: by a round, or by `?minutes=`."""
        minutes = request.query.get("minutes", str(ROUND))
        if not (minutes.isdecimal() and len(minutes) < 6):
            raise web.HTTPBadRequest(text="minutes is a whole number below 100000")
        self._newsroom.advance(int(minutes))
        return await self.clock(request)

    async def clock(self, _: web.Request) -> web.Response:
        """Where newsroom time stands."""
        newsroom = self._newsroom
        number = int(newsroom.minute // ROUND)
        return web.json_response({"minute": newsroom.minute, "round": number, "rounds": newsroom.rounds, "done": number >= newsroom.rounds})

    def _publisher(self, request: web.Request) -> SamplePublisher:
        """The publisher whose address the connection came in at, whatever the Host header says."""
        host, port = cast("asyncio.Transport", request.transport).get_extra_info("sockname")[:2]
        return self._publishers[_place(f"{host}:{port}")]


def _place(netloc: str) -> tuple[str, int]:
    host, _, port = netloc.rpartition(":")
    return host, int(port)


def _conditional(request: web.Request, body: bytes, content_type: str, last_modified: datetime) -> web.Response:
    """The answer or, where the client has it already, 304 (RFC 9110, 13.1: If-None-Match goes before If-Modified-Since)."""
    tag = hashlib.sha256(body).hexdigest()[:20]
    if request.if_none_match is not None:
        same = any(etag.value in (tag, "*") for etag in request.if_none_match)
    else:
        same = request.if_modified_since is not None and last_modified <= request.if_modified_since
    response = web.Response(status=304) if same else web.Response(body=body, content_type=content_type)
    response.etag, response.last_modified = tag, last_modified
    if not same:
        response.enable_compression()
    return response


@asynccontextmanager
async def open_newsroom(folder: Path, *, port: int = 0, pace: float = 0.0, started: datetime | None = None) -> AsyncIterator[Newsroom]:
    """The newsroom of a folder, serving while the block runs, with the first articles out.

    `port` 0 takes a free one. `pace` is how many newsroom minutes pass per second; with 0 time passes only when told.
    Raises UsageError where the port is taken or the folder holds no newsroom, RefusedError where one of its files cannot be used.
    """
    sample = load_sample(folder)
    sockets = _listen(len(sample.publishers), port)
    sites = {p.key: "http://{}:{}".format(*s.getsockname()) for p, s in zip(sample.publishers, sockets, strict=True)}
    newsroom = Newsroom(sample, sites, started or datetime.now(UTC), pace)
    runner = web.AppRunner(_Answers(newsroom).app(), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        for each in sockets:
            await web.SockSite(runner, each).start()
        yield newsroom
    finally:
        await runner.cleanup()


async def serve(folder: Path, port: int, pace: float, ready: Callable[[list[SampleFeed]], None] | None = None) -> None:
    """Serve the newsroom of a folder until cancelled; `ready` is called with the feeds once they answer. As `open_newsroom` otherwise."""
    async with open_newsroom(folder, port=port, pace=pace) as newsroom:
        if ready is not None:
            ready(newsroom.feeds)
        await asyncio.Event().wait()


def _listen(number: int, port: int) -> list[socket.socket]:
    """A listening place for each publisher: 127.0.0.2 and up on one port, else (a system with one loopback address) a port each."""
    hosts = [f"127.0.0.{n + 2}" for n in range(number)]
    for attempt in range(20):
        try:
            return _bound([(host, port) for host in hosts])
        except OSError as error:
            if error.errno == EADDRNOTAVAIL:
                break
            if error.errno != EADDRINUSE or port or attempt == 19:
                raise _unusable(f"port {port} on {hosts[0]} to {hosts[-1]}", error) from error
    try:
        return _bound([("127.0.0.1", port and port + n) for n in range(number)], same_port=False)
    except OSError as error:
        raise _unusable(f"ports {port} to {port + number - 1} on 127.0.0.1", error) from error


def _unusable(places: str, error: OSError) -> UsageError:
    return UsageError(f"the sample newsroom cannot listen at {places}: {error.strerror}; give another port, or 0 for a free one")


def _bound(places: Sequence[tuple[str, int]], *, same_port: bool = True) -> list[socket.socket]:
    """Sockets bound to the places; port 0 is a free one, the same for all where asked. None stays open if one fails."""
    sockets: list[socket.socket] = []
    try:
        for host, port in places:
            each = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            sockets.append(each)
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            each.bind((host, port or (sockets[0].getsockname()[1] if same_port and len(sockets) > 1 else 0)))
            each.listen(128)
    except OSError:
        for each in sockets:
            each.close()
        raise
    return sockets
