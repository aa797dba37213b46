"""One request at a time to a host, a pause between them, and silence where a server asked for it."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from urllib.parse import urlsplit

from yarl import URL

from syndtrack.errors import FetchError
from syndtrack.polling.memory import KeptHost
from syndtrack.urls import shown

NO_PORT = -1
_PLAIN_HOST = re.compile(r"[a-z0-9]+(?:[.-][a-z0-9]+)*")
MAX_REMEMBERED = 20_000
# A site that asks for more than this between two requests (crawl-delay) gets this.
MAX_DELAY = 30.0

Pause = Callable[[float], Awaitable[None]]


class HeldError(FetchError):
    """A host that asked to be left alone `until` then was not asked."""

    def __init__(self, url: str, until: datetime) -> None:
        super().__init__(shown(url), f"the server asked to be left alone until {until:%Y-%m-%d %H:%M:%S} UTC")
        self.until = until


@dataclass(slots=True)
class _Host:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0
    free_at: float = 0.0
    delay: float = 0.0
    held_until: datetime | None = None


class Hosts:
    """Turns at hosts. `delay` is in seconds between two requests to one host; hosts for which `is_own` holds have none.

    `ticks` is a monotonic clock in seconds, `pause` sleeps and `now` tells the time in UTC; they are given so that tests need not wait.
    `told`, where it is set, is called with what a host asks for each time that changes.
    """

    def __init__(
        self,
        *,
        delay: float,
        is_own: Callable[[str], bool],
        ticks: Callable[[], float] = time.monotonic,
        pause: Pause = asyncio.sleep,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._now = now
        self._delay = delay
        self._is_own = is_own
        self._ticks = ticks
        self._pause = pause
        self.told: Callable[[KeptHost], None] = lambda _: None
        self._hosts: dict[str, _Host] = {}
        self._last_asked: float | None = None

    def remember(self, since: timedelta, hosts: Iterable[KeptHost]) -> None:
        """What was known before a restart: `since` anybody was asked, as far as that is known, and what hosts asked for.

        Which host was asked last, and when, is not kept: to write it down before each request would cost more than these few seconds.
        """
        self._last_asked = self._ticks() - since.total_seconds()
        for kept in hosts:
            host = self._named(kept.name)
            host.delay = kept.delay or 0.0
            host.held_until = kept.asked_to_wait_until
            host.free_at = 0.0 if self._is_own_key(kept.name) else self._last_asked + max(self._delay, host.delay)

    @asynccontextmanager
    async def turn(self, url: str) -> AsyncIterator[None]:
        """Waits until nobody else asks this host and its pause is over; the pause begins anew at the end.

        Raises HeldError where the host asked to be left alone, also if it did so while others waited for their turn.
        """
        host = self._host(url)
        host.users += 1
        try:
            self._check_held(host, url)
            async with host.lock:
                self._check_held(host, url)
                await self._rest(host)
                self._check_held(host, url)
                try:
                    yield
                finally:
                    own = self._is_own(host_name(url))
                    host.free_at = self._ticks() + (0.0 if own else max(self._delay, host.delay))
        finally:
            host.users -= 1

    async def rest(self, url: str) -> None:
        """Waits for the end of the pause without taking the turn, so that the wait need not hold anything up."""
        await self._rest(self._host(url))

    def slow_down(self, url: str, delay: float) -> None:
        """Remembers the pause in seconds that a site asks for; bounded by MAX_DELAY."""
        host, asked = self._host(url), min(max(delay, 0.0), MAX_DELAY)
        if asked != host.delay:
            host.delay = asked
            self.told(KeptHost(self.key(url), delay=asked))

    def hold(self, url: str, until: datetime) -> None:
        """No request to this host before `until`."""
        host = self._host(url)
        if host.held_until is None or until > host.held_until:
            host.held_until = until
            self.told(KeptHost(self.key(url), until))

    def held_until(self, url: str, now: datetime) -> datetime | None:
        """Until when this host asked to be left alone; None if it did not or the time is over."""
        host = self._hosts.get(self.key(url))
        if host is None or host.held_until is None or host.held_until <= now:
            return None
        return host.held_until

    async def _rest(self, host: _Host) -> None:
        wait = host.free_at - self._ticks()
        if wait > 0:
            await self._pause(wait)

    def key(self, url: str) -> str:
        """What is equal for all addresses of one host."""
        name, port = _name_and_port(url)
        if port == NO_PORT:
            return url
        # One machine of one's own serves several sites on several ports; on the web a host is one server, whatever the port.
        return f"{name}:{port}" if self._is_own(name) else name

    def _is_own_key(self, key: str) -> bool:
        return self._is_own(key) or self._is_own(key.rpartition(":")[0])

    def _check_held(self, host: _Host, url: str) -> None:
        until = host.held_until
        if until is not None and until > self._now():
            raise HeldError(url, until)

    def _host(self, url: str) -> _Host:
        return self._named(self.key(url))

    def _named(self, key: str) -> _Host:
        if key not in self._hosts:
            if len(self._hosts) >= MAX_REMEMBERED:
                self._forget_idle()
            asked_before = self._last_asked is not None and not self._is_own_key(key)
            self._hosts[key] = _Host(free_at=(self._last_asked or 0.0) + self._delay if asked_before else 0.0)
        return self._hosts[key]

    def _forget_idle(self) -> None:
        ticks, now = self._ticks(), self._now()

        def needed(host: _Host) -> bool:
            return bool(host.users) or host.free_at > ticks or host.delay > 0 or (host.held_until is not None and host.held_until > now)

        self._hosts = {key: host for key, host in self._hosts.items() if needed(host)}


def host_names(url: str) -> tuple[str, str]:
    """What `Hosts.key` may be for an address: without its port, and with it."""
    try:
        return host_name(url), f"{host_name(url)}:{urlsplit(url).port}"
    except ValueError:
        return host_name(url), url


@lru_cache(maxsize=4_096)
def _name_and_port(url: str) -> tuple[str, int | None]:
    """The host's name and the port that an address names; NO_PORT where that is none."""
    try:
        return host_name(url), urlsplit(url).port
    except ValueError:
        return host_name(url), NO_PORT


@lru_cache(maxsize=4_096)
def host_name(url: str) -> str:
    """The host as it is asked for, in one spelling: international names in their ASCII form (IDNA), lower case, no dot at the end."""
    # Asked for the same address several times in one poll; each time would take 0.1 ms.
    try:
        return sent_host(urlsplit(url).hostname or "").rstrip(".")
    except (ValueError, UnicodeError):
        return ""


def sent_host(name: str) -> str:
    """A host's name (in lower case) as it is sent, international ones in their ASCII form. Raises ValueError for what is none."""
    if _PLAIN_HOST.fullmatch(name):
        return name  # most are; 20 µs less
    return URL.build(scheme="http", host=name).raw_host or name
