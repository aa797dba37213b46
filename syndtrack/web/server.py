"""Serving pages and API while feeds are polled: `syndtrack run`."""

from __future__ import annotations

import asyncio
import errno
import signal
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar
from urllib.parse import quote

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined

from syndtrack.config import Settings
from syndtrack.errors import RefusedError, SyndtrackError, UsageError
from syndtrack.scheduler import PollSummary
from syndtrack.store.store import Store
from syndtrack.tracker import Tracker
from syndtrack.web.pages import PAGES, NotFoundError, Query, Record

STOP_SECONDS = 10.0  # for what is under way when told to stop; what was stored stays, the rest is asked for again
POLICY = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

Say = Callable[[str], None]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
T = TypeVar("T")


def serve(settings: Settings, host: str, port: int, say: Say) -> None:
    """Poll and serve until SIGINT or SIGTERM. Raises UsageError where the port is taken."""
    asyncio.run(_serve(settings, host, port, say))


async def _serve(settings: Settings, host: str, port: int, say: Say) -> None:
    """The scheduler and the server side by side; the one that fails ends both."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with Tracker(settings) as tracker:
        if not tracker.feeds():
            say("no feeds yet: subscribe with `syndtrack add URL` while this runs")
        async with Site(settings, host, port) as site, tracker.scheduler() as scheduler:
            say(f"serving on {site.address} (stop with Ctrl-C)")
            polls = asyncio.create_task(scheduler.forever(stop, lambda summary: say(_summary(summary))))
            stopped = asyncio.create_task(stop.wait())
            await asyncio.wait((polls, stopped), return_when=asyncio.FIRST_COMPLETED)
            stop.set()
            await asyncio.wait((polls,), timeout=STOP_SECONDS)
            polls.cancel()
            try:
                await polls
            except asyncio.CancelledError:
                say("stopped in the middle of a round; what was stored stays")


def _summary(summary: PollSummary) -> str:
    """One line a round."""
    asked = f"{summary.polled} feeds polled, {summary.failed} failed"
    return f"{asked}, {summary.new} new articles and revisions, {len(summary.refused)} inputs refused"


class Site:
    """The web server on a read-only view of the store, on a thread of its own so that no query holds up the event loop."""

    def __init__(self, settings: Settings, host: str, port: int) -> None:
        self._settings = settings
        self._host, self._port = host, port
        self._thread = ThreadPoolExecutor(1, "web")
        self._pages = Environment(
            loader=PackageLoader("syndtrack.web"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        self._pages.filters["query"] = lambda text: quote(str(text), safe="")
        self.address = ""

    async def __aenter__(self) -> Site:
        self._store = await self._reading(lambda: Store(self._settings.db, read_only=True))
        app = web.Application(middlewares=[_guarded])
        app.router.add_get("/", self._page("duplicates"))
        app.router.add_get("/style.css", self._style)
        app.router.add_get("/healthz", self._health)
        for name in PAGES:
            app.router.add_get(f"/{name}", self._page(name))
            app.router.add_get(f"/api/v1/{name}", self._api(name))
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        try:
            site = web.TCPSite(self._runner, self._host, self._port)
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            if error.errno == errno.EADDRINUSE:
                raise UsageError(f"port {self._port} on {self._host} is taken; choose another with --port (0 takes a free one)") from error
            raise UsageError(f"cannot serve on {self._host}:{self._port}: {error.strerror}") from error
        host, port = self._runner.addresses[0][:2]
        self.address = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()
        await self._reading(self._store.close)
        self._thread.shutdown()

    async def _reading(self, function: Callable[[], T]) -> T:
        """Run on the thread that reads the store."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, function)

    def _page(self, name: str) -> Handler:
        """A handler that draws a page."""
        template = self._pages.get_template(PAGES[name][0])

        async def handle(request: web.Request) -> web.Response:
            try:
                record = await self._record(name, request.query)
            except RefusedError as error:
                status = 404 if isinstance(error, NotFoundError) else 400
                body = self._pages.get_template("refused.html").render(page=name, what=error.what, reason=error.reason)
                return web.Response(text=body, status=status, content_type="text/html")
            return web.Response(text=template.render(page=name, **record), content_type="text/html")

        return handle

    def _api(self, name: str) -> Handler:
        """A handler that gives the page's record as JSON."""

        async def handle(request: web.Request) -> web.Response:
            try:
                return web.json_response(await self._record(name, request.query))
            except RefusedError as error:
                status = 404 if isinstance(error, NotFoundError) else 400
                return web.json_response({"error": error.reason, "what": error.what}, status=status)

        return handle

    async def _record(self, name: str, query: Query) -> Record:
        """What a page shows."""
        return await self._reading(lambda: PAGES[name][1](self._store.lookups, query))

    async def _style(self, _: web.Request) -> web.Response:
        """The style sheet."""
        return web.Response(text=self._pages.get_template("style.css").render(), content_type="text/css")

    async def _health(self, _: web.Request) -> web.Response:
        """Whether the store answers."""
        try:
            counts = await self._reading(self._store.lookups.counts)
        except SyndtrackError as error:
            return web.json_response({"ok": False, "reason": str(error)}, status=503)
        return web.json_response({"ok": True, **counts})


@web.middleware
async def _guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Texts of others are shown: no scripts, no foreign content, no guessing of types."""
    response = await handler(request)
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
