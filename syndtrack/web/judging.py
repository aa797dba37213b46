"""Verdicts over HTTP: the only requests that change anything, and what keeps other sites from sending them through somebody's browser.

There is no login, so whoever reaches the port may write; but a page of another site, open in the same browser, must not:

* The host asked for must be an address or a name of this machine: any other can be made to point here after its page was loaded
  (DNS rebinding).
* `Sec-Fetch-Site`, which pages cannot set, must say same-origin where it is sent (W3C Fetch Metadata); else `Origin` must be the host's.
* A form carries a token that only our own pages hold; JSON must say that it is JSON, which no form of another site can.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from hmac import compare_digest
from ipaddress import ip_address
from socket import gethostname
from typing import Protocol
from urllib.parse import quote, urlsplit

from aiohttp import web

from syndtrack.errors import RefusedError
from syndtrack.models import Refusal, Verdict
from syndtrack.reports.verdicts import verdict_of

MAX_BODY = 64_000  # bytes; a note has at most 2,000 characters


class Writer(Protocol):
    """Whoever owns the connection that writes."""

    async def judge(self, given: Sequence[Verdict]) -> list[Refusal]:
        """Take in verdicts; returns those that cannot hold."""

    async def take_back(self, copy: str, source: str | None) -> int:
        """Take back what was said of a pair or an origin; returns how many verdicts that were."""


class Judging:
    """The handlers of verdicts. Until `writer` is there, nothing can be written."""

    def __init__(self, names: Collection[str], now: Callable[[], datetime]) -> None:
        self.token = secrets.token_urlsafe(24)
        self.writer: Writer | None = None
        self._names = names
        self._now = now

    def add_routes(self, app: web.Application, api: str) -> None:
        """A form for people, JSON for programs."""
        app.router.add_post("/verdicts", self._form)
        app.router.add_post(api + "verdicts", self._post)
        app.router.add_delete(api + "verdicts", self._delete)

    # -- handlers

    async def _form(self, request: web.Request) -> web.Response:
        """One verdict from an article's page, to which it leads back."""
        check_site(request.headers, self._names, is_form=True)
        if request.content_type not in ("application/x-www-form-urlencoded", "multipart/form-data"):
            raise web.HTTPUnsupportedMediaType(reason="not a form")
        try:
            fields = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
        except (ValueError, LookupError) as error:
            raise RefusedError("body", "no form that can be read") from error
        if not compare_digest(fields.get("token", "").encode(), self.token.encode()):
            raise web.HTTPForbidden(reason="this form is out of date; load its page again")
        copy, source, says = (fields.get(name, "").strip() for name in ("copy", "source", "says"))
        if says == "revoke":
            await self._take_back(copy, source or None)
        else:
            await self._judge({**fields, "source": None if says == "origin" else source, "at": None})
        return web.Response(status=303, headers={"Location": f"/article?url={quote(copy, safe='')}#verdicts"})

    async def _post(self, request: web.Request) -> web.Response:
        """One verdict as JSON."""
        check_site(request.headers, self._names)
        if request.content_type != "application/json":
            raise web.HTTPUnsupportedMediaType(reason="send the verdict as application/json")
        try:
            record = json.loads(await request.read())
        except (ValueError, RecursionError) as error:
            raise RefusedError("body", "not JSON") from error
        await self._judge(record | {"at": None} if isinstance(record, dict) else record)
        return web.json_response({"ok": True})

    async def _delete(self, request: web.Request) -> web.Response:
        """Take back what was said of `copy` and `source`, or without `source` that `copy` is an origin."""
        check_site(request.headers, self._names)
        gone = await self._take_back(request.query.get("copy", "").strip(), request.query.get("source", "").strip() or None)
        return web.json_response({"ok": True, "taken_back": gone})

    async def _judge(self, record: object) -> None:
        """Take in one verdict. Raises RefusedError."""
        given = verdict_of(record, self._now())
        for refused in await self._writing().judge([given]):
            raise RefusedError(refused.what, refused.reason)

    async def _take_back(self, copy: str, source: str | None) -> int:
        """Take back what was said of a pair. Raises web.HTTPNotFound where nothing was."""
        gone = await self._writing().take_back(copy, source)
        if not gone:
            raise RefusedError(f"{copy} {source or 'origin'}", "nothing was said of this")
        return gone

    def _writing(self) -> Writer:
        """Whoever writes. Raises web.HTTPServiceUnavailable."""
        if self.writer is None:
            raise web.HTTPServiceUnavailable(reason="these pages only read for now; `syndtrack run` takes verdicts once it is under way")
        return self.writer


def check_site(headers: Mapping[str, str], names: Collection[str], *, is_form: bool = False) -> None:
    """Whether a request that writes comes from our own pages or from a program, by its headers. Raises web.HTTPForbidden."""
    host = headers.get("Host", "")
    if not is_own(host, names):
        raise web.HTTPForbidden(
            reason="verdicts are taken at an address or a name of this machine, not at one that anybody could point here"
        )
    site, origin = headers.get("Sec-Fetch-Site"), headers.get("Origin")
    if site is not None:
        allowed = site == "same-origin"
    elif origin == "null":  # what browsers send where pages ask for no referrer, as ours do; the token tells whose form it is
        allowed = is_form
    else:
        allowed = origin is None or origin.casefold() in (f"http://{host.casefold()}", f"https://{host.casefold()}")
    if not allowed:
        raise web.HTTPForbidden(reason="this request comes from a page of another site")


def own_names(bound: str, others: Iterable[str] = ()) -> frozenset[str]:
    """The names that this machine goes by: `localhost`, its own, the one that the server was told to listen at, and others.

    A page of another site can have the site's name lead here (DNS rebinding), but not one of these. The machine's own is what it calls
    itself, without asking anybody; its first part is what a local network calls it.
    """
    own = gethostname().casefold()
    return frozenset({"localhost", own, own.partition(".")[0], bound.casefold(), *others} - {""})


def is_own(host: str, names: Collection[str]) -> bool:
    """Whether a Host header names an address, or this machine by one of its names."""
    try:
        name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return False
    if name in names:
        return True
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
