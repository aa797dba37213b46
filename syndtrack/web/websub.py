"""Where hubs reach us (WebSub): their questions whether we asked, and what they push. The path names the subscription by a secret token.

What is pushed is answered at once and read later. Whoever does not know the token gets 404; a push that is not signed as it should be is
thanked for and dropped, as the specification has it (section 8), so that nobody learns by trying.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from ipaddress import ip_address
from typing import Protocol
from urllib.parse import urlsplit

from aiohttp import web

from syndtrack.models import Subscription
from syndtrack.polling.fetch import Answer
from syndtrack.polling.websub import PATH, TOKEN, is_signed, takes_pushes
from syndtrack.pushes import Push

PUSH_BYTES = 5_000_000
PUSH_SECONDS = 30.0
BODIES_AT_ONCE = 8  # each up to PUSH_BYTES in memory
CHUNK = 65_536


class Receiver(Protocol):
    """Whoever owns the connection that writes."""

    async def confirm(self, token: str, query: Mapping[str, str]) -> bool:
        """Whether we asked for this."""

    async def deny(self, token: str, query: Mapping[str, str]) -> bool:
        """Whether this speaks of what we asked for; it is refused then."""

    async def ignored(self, token: str, reason: str) -> None:
        """Something was pushed that is not taken in."""

    def offer(self, push: Push) -> bool:
        """Whether there is room for a push."""


class Callback:
    """The handlers. Until `receiver` is there, hubs are told to come back later. `told` hears what became of each push."""

    def __init__(
        self,
        public_url: str | None,
        find: Callable[[str], Awaitable[Subscription | None]],
        now: Callable[[], datetime],
        told: Callable[[str], None],
    ) -> None:
        self.receiver: Receiver | None = None
        self._host = "" if public_url is None else urlsplit(public_url).hostname or ""
        self._find = find
        self._now = now
        self._told = told
        self._bodies = 0

    def add_routes(self, app: web.Application) -> None:
        """The callback of each subscription; none where no hub is asked to push."""
        if self._host:
            app.router.add_get(PATH + "{token}", self._question)
            app.router.add_post(PATH + "{token}", self._push)

    def is_foreign(self, request: web.Request) -> bool:
        """Whether a request came by the name that hubs use, for anything but a callback. Pages have no login: that name shows none."""
        if not self._host or request.path.startswith(PATH):
            return False
        try:
            asked = urlsplit(f"//{request.headers.get('Host', '')}").hostname or ""
        except ValueError:
            return True
        return asked.rstrip(".") == self._host.rstrip(".") and not _is_loopback(asked)

    async def _question(self, request: web.Request) -> web.Response:
        """The hub asks whether we asked, or says that it will not push."""
        token, _ = await self._subscription(request)
        receiver = self._receiving()
        if request.query.get("hub.mode") == "denied":
            return web.Response() if await receiver.deny(token, request.query) else web.Response(status=404)
        if not await receiver.confirm(token, request.query):
            return web.Response(status=404)
        return web.Response(text=request.query["hub.challenge"], content_type="text/plain")

    async def _push(self, request: web.Request) -> web.Response:
        """What is new in a feed, or what somebody says is."""
        outcome, answer = await self._received(request)
        self._told(outcome)
        return answer

    async def _received(self, request: web.Request) -> tuple[str, web.Response]:
        """What became of a push, and what the hub is told."""
        try:
            token, subscription = await self._subscription(request)
        except web.HTTPNotFound:
            return "not agreed", web.Response(status=404)
        receiver = self._receiving()
        if not takes_pushes(subscription, self._now()):
            return "not agreed", web.Response(status=404)
        if self._bodies >= BODIES_AT_ONCE:
            return "no room", _later()
        self._bodies += 1
        try:
            body = await _body(request)
        finally:
            self._bodies -= 1
        if body is None:
            await receiver.ignored(token, f"a push was larger than {PUSH_BYTES:,} bytes or came too slowly")
            refused = web.Response(status=413)
            refused.force_close()  # what was not read is not waited for
            return "too large or slow", refused
        if not is_signed(subscription.secret, body, request.headers.get("X-Hub-Signature")):
            await receiver.ignored(token, "a push was not signed, or not with the secret agreed upon")
            return "not signed", web.Response(status=202)
        answer = Answer(200, subscription.topic, body, content_type=request.headers.get("Content-Type"), received=len(body))
        taken = receiver.offer(Push(subscription.feed_id, answer))
        return ("taken", web.Response(status=202)) if taken else ("no room", _later())

    async def _subscription(self, request: web.Request) -> tuple[str, Subscription]:
        """What was agreed at this address. Raises web.HTTPNotFound."""
        token = request.match_info["token"]
        found = await self._find(token) if TOKEN.fullmatch(token) else None
        if found is None:
            raise web.HTTPNotFound
        return token, found

    def _receiving(self) -> Receiver:
        """Whoever takes what hubs say. Raises web.HTTPServiceUnavailable."""
        if self.receiver is None:
            raise web.HTTPServiceUnavailable(reason="not under way yet")
        return self.receiver


async def _body(request: web.Request) -> bytes | None:
    """What was sent, taken in pieces; None where it is too large, too slow or packed (which hubs have no reason for)."""
    if (request.content_length or 0) > PUSH_BYTES:
        return None
    body = bytearray()
    try:
        async with asyncio.timeout(PUSH_SECONDS):
            async for chunk in request.content.iter_chunked(CHUNK):
                body += chunk
                if len(body) > PUSH_BYTES:
                    return None
    except TimeoutError:
        return None
    return bytes(body)


def _later() -> web.Response:
    """The queue is full: hubs try again (section 7)."""
    return web.Response(status=503, headers={"Retry-After": "60"})


def _is_loopback(host: str) -> bool:
    """Whether this names the machine itself, where hub and reader are both at home."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
