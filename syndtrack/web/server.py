"""Serving pages and API: a web server on a read-only view of the store."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TypeVar
from urllib.parse import quote

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from syndtrack.config import Settings
from syndtrack.errors import RefusedError, SyndtrackError
from syndtrack.metrics import CONTENT_TYPE, Metrics
from syndtrack.models import Subscription
from syndtrack.plurals import counted
from syndtrack.polling.websub import PATH
from syndtrack.reports.formats import plain
from syndtrack.store.store import Store
from syndtrack.tracker import utc_now
from syndtrack.urls import is_http
from syndtrack.web.judging import MAX_BODY, Judging, is_own, own_names
from syndtrack.web.listening import listening
from syndtrack.web.marking import ago, exact, marked, spoken
from syndtrack.web.pages import PAGES, NotFoundError, Query, Record, explanation, one_publisher
from syndtrack.web.websub import Callback

API = "/api/v1/"
POLICY = "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}

COUNTS = ("/healthz", "/metrics")  # numbers only, asked for by programs that know this machine by any name
ELSEWHERE = (
    "pages are shown at an address, at a name of this machine or one of the settings' `names`, not at a name that anybody could point here"
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
T = TypeVar("T")

log = logging.getLogger(__name__)


class Site:
    """The web server, with one thread that asks the store and draws, so that no query and no long text holds up the event loop."""

    def __init__(
        self,
        settings: Settings,
        host: str,
        port: int,
        now: Callable[[], datetime] = utc_now,
        metrics: Metrics | None = None,
        *,
        sockets: Sequence[socket.socket] = (),
    ) -> None:
        """To serve on a port, or on `sockets` that have it already."""
        self._metrics = metrics or Metrics()
        self._settings = settings
        self._host, self._port = host, port
        self._sockets = sockets
        self._now = now
        self._thread = ThreadPoolExecutor(1, "web")
        self._templates = _templates()
        self._names = own_names(host, settings.names)
        self.judging = Judging(self._names, now)
        self.callback = Callback(settings.public_url, self._subscription, now, self._metrics.push_came)
        self.address = ""

    async def __aenter__(self) -> Site:
        try:
            self._store = await self._reading(lambda: Store(self._settings.db, read_only=True))
            # Bodies are not unpacked: a few kilobytes could fill the memory before anybody looks at them.
            self._runner = web.AppRunner(self._app(), access_log=None, shutdown_timeout=1.0, auto_decompress=False)
            await self._runner.setup()
            await self._listen()
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._end()

    async def _listen(self) -> None:
        """Take the port. Raises UsageError."""
        for each in self._sockets or listening(self._host, self._port):
            await web.SockSite(self._runner, each).start()
        host, port = self._runner.addresses[0][:2]
        self.address = f"http://{f'[{host}]' if ':' in host else host}:{port}/"

    async def _end(self) -> None:
        """Close what was opened."""
        if hasattr(self, "_runner"):
            await self._runner.cleanup()
        if hasattr(self, "_store"):
            await self._reading(self._store.close)
        self._thread.shutdown()

    def _app(self) -> web.Application:
        """The routes."""
        app = web.Application(middlewares=[self._guarded], client_max_size=MAX_BODY)
        self.judging.add_routes(app, API)
        self.callback.add_routes(app)
        app.router.add_get("/", self._page("duplicates"))
        app.router.add_get("/style.css", self._style)
        app.router.add_get("/healthz", self._health)
        app.router.add_get("/metrics", self._numbers)
        for name in PAGES:
            app.router.add_get(f"/{name}", self._page(name))
            app.router.add_get(API + name, self._api(name))
        return app

    async def _reading(self, function: Callable[[], T]) -> T:
        """Run on the thread that reads the store."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, function)

    async def _subscription(self, token: str) -> Subscription | None:
        """What was agreed with a hub at this callback."""
        return await self._reading(lambda: self._store.websub.of_token(token))

    # -- handlers

    def _page(self, name: str) -> Handler:
        """A handler that draws a page."""

        async def handle(request: web.Request) -> web.Response:
            text = await self._reading(lambda: self._draw(PAGES[name][0], name, self._record(name, request.query)))
            return web.Response(text=text, content_type="text/html")

        return handle

    def _api(self, name: str) -> Handler:
        """A handler that gives the page's record as JSON."""

        async def handle(request: web.Request) -> web.Response:
            text = await self._reading(lambda: json.dumps(self._record(name, request.query)))
            return web.Response(text=text, content_type="application/json")

        return handle

    def _record(self, name: str, query: Query) -> Record:
        """What a page shows, all of it from one moment."""
        with self._store.snapshot():
            record = PAGES[name][1](self._store.lookups, query)
            if name == "publishers":
                return record | one_publisher(self._store, query)
            return record | explanation(self._store, query) if name == "article" else record

    def _counts(self) -> Record:
        """How much is stored."""
        with self._store.snapshot():
            return self._store.lookups.counts()

    def _draw(self, template: str, name: str, record: Record) -> str:
        """A record as a page."""
        return self._templates.get_template(template).render(page=name, now=self._now(), token=self.judging.token, **record)

    async def _style(self, _: web.Request) -> web.Response:
        """The style sheet."""
        return web.Response(text=self._templates.get_template("style.css").render(), content_type="text/css")

    async def _health(self, _: web.Request) -> web.Response:
        """Whether the store answers, how much it holds, and how polling goes."""
        return web.json_response({"ok": True, **await self._reading(self._counts), **self._metrics.health()})

    async def _numbers(self, _: web.Request) -> web.Response:
        """The same and more for Prometheus."""
        counts = await self._reading(self._counts)
        return web.Response(body=self._metrics.text(int(counts["pairs"])), headers={"Content-Type": CONTENT_TYPE})

    # -- around the handlers

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Texts of others are shown: no scripts, no foreign content, no guessing of types. What goes wrong is told."""
        try:
            if self.callback.is_foreign(request):
                raise web.HTTPForbidden(reason="at this name only hubs are answered; pages are shown at localhost or an address")
            if not request.path.startswith((PATH, *COUNTS)) and not is_own(request.headers.get("Host", "localhost"), self._names):
                raise web.HTTPForbidden(reason=ELSEWHERE)  # a page of another site may have had its name point here
            response = await handler(request)
        except NotFoundError as error:
            response = self._refusal(request, 404, error.what, error.reason)
        except RefusedError as error:
            response = self._refusal(request, 400, error.what, error.reason)
        except SyndtrackError as error:
            response = self._refusal(request, 503, "the database", str(error))
        except web.HTTPException as error:
            names = f"there are {', '.join(PAGES)}" if error.status == 404 else error.reason
            response = self._refusal(request, error.status, _told(request.path), names)
            response.headers.update({name: value for name, value in error.headers.items() if name == "Allow"})
        except Exception:
            log.exception("%s: drawing failed", _told(request.path))
            response = self._refusal(request, 500, _told(request.path), "a fault of syndtrack's own; its log says more")
        response.headers.update(HEADERS)
        return response

    def _refusal(self, request: web.Request, status: int, what: str, reason: str) -> web.Response:
        """Why there is no page."""
        if request.path.startswith(API) or request.path == "/healthz":
            return web.json_response({"ok": False, "error": reason, "what": what}, status=status)
        body = self._draw("refused.html", "", {"what": what, "reason": reason, "status": status})
        return web.Response(text=body, status=status, content_type="text/html")


def _told(path: str) -> str:
    """A path as it may be shown: without the token that it may hold."""
    return PATH if path.startswith(PATH) else path


def _templates() -> Environment:
    """The templates with their filters. What they show is escaped, and control characters in it are replaced."""
    found = Environment(
        loader=PackageLoader("syndtrack.web"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        finalize=_shown,
    )  # fmt: skip
    found.filters |= {"query": lambda text: quote(str(text), safe=""), "ago": ago, "exact": exact, "spoken": spoken, "counted": counted}
    found.tests["web_address"] = is_http
    found.globals["marked"] = marked
    return found


def _shown(value: object) -> object:
    """Text of others as a page may hold it; what a macro drew is done already."""
    return plain(value) if isinstance(value, str) and not isinstance(value, Markup) else value
