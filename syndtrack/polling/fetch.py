"""Asking a server once: politely, within bounds, and with every failure as one readable line.

No cookies, no Referer, no proxies but the one that is set, redirects followed one by one so that each hop waits for its host's turn and is
checked. Only bodies of success are read. A body that is cut short, too large or packed like a bomb is a failure.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from types import TracebackType
from typing import Self
from urllib.parse import quote, urlencode, urljoin, urlsplit, urlunsplit

import aiohttp
from yarl import URL

from syndtrack import __version__
from syndtrack.errors import FetchError
from syndtrack.polling.guard import Guard, Network, parse_address
from syndtrack.polling.headers import fresh_for, is_delta, linked, retry_after
from syndtrack.polling.hosts import Hosts, Pause, host_name, sent_host
from syndtrack.polling.inflate import ACCEPTED, BodyError, Inflater
from syndtrack.polling.names import Lookup, Names
from syndtrack.polling.places import Place
from syndtrack.polling.reasons import detail_of, reason_of
from syndtrack.polling.schedule import bounded_wait
from syndtrack.urls import MAX_URL, is_http, shown

FEED_BYTES = 10_000_000
PAGE_BYTES = 5_000_000
FORM_ANSWER_BYTES = 10_000
# Of one header, in bytes (aiohttp stops at 8,190, and policies of large sites are longer), and of all, in number.
MAX_HEADER = 32_000
MAX_HEADERS = 128
ACCEPT_FEED = "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.5"
ACCEPT_PAGE = "text/html, application/xhtml+xml, */*;q=0.5"
MAX_REDIRECTS = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})
PERMANENT = frozenset({301, 308})
SAME_METHOD = frozenset({307, 308})
CHUNK = 65_536
# What an address may hold as it is sent: everything printable but blanks, quotes and brackets, which are percent-encoded.
_SENT_AS_IS = "".join(chr(c) for c in range(33, 127) if chr(c) not in '"<>')
# Addresses that `request_url` leaves as they are: a plain name, no login, no fragment, nothing to be encoded.
_SENT_AS_STATED = re.compile(
    r"https?://[a-z0-9]+(?:[.-][a-z0-9]+)*(?::(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}))?/[!$-;=@-~]*(?:\?[!$-;=?-~]+)?"
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered. `body` is empty unless `status` is 200, or 226 and `delta`: then it holds what is new since the validator.

    `url` is the final address, `etag` and `last_modified` are the validators byte for byte (Latin-1), `retry_after` how long the server
    asks to be left alone, `fresh_for` seconds it calls the answer fresh, `permanent_redirect_to` where a chain of 301/308 ends,
    `received` bytes over the wire. `framed` is false where the body ended with the connection, so that nothing tells whether it is whole.
    `hub` and `topic` are what its Link headers name as `rel=hub` and `rel=self`.
    """

    status: int
    url: str
    body: bytes = b""
    etag: str | None = None
    last_modified: str | None = None
    content_type: str | None = None
    retry_after: timedelta | None = None
    fresh_for: int | None = None
    permanent_redirect_to: str | None = None
    received: int = 0
    framed: bool = True
    delta: bool = False
    hub: str | None = None
    topic: str | None = None


class Fetcher:
    """A client for many hosts; use it as an async context manager.

    `allowed` are networks that may be fetched from although they are private: by an address that was given by hand, and by what such a
    place of one's own leads to, not by what a stranger's feed or redirect names. `delay` is in seconds between requests to one host,
    `deadline` in seconds of asking for one answer with its redirects (waiting for a turn does not count), `connections` the number of
    requests under way at once that come without a place of their own. `contact` is an address or page that the User-Agent names.
    `proxy` (`http://host:port`) is what hosts of the web are asked through; one's own networks are asked directly.
    """

    def __init__(
        self,
        *,
        allowed: Sequence[Network] = (),
        delay: float = 5.0,
        deadline: float = 60.0,
        connections: int = 100,
        contact: str | None = None,
        proxy: str | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        lookup: Lookup | None = None,
        ticks: Callable[[], float] = time.monotonic,
        pause: Pause = asyncio.sleep,
    ) -> None:
        self._guard = Guard(allowed)
        self._names: Names | None = None
        self._lookup = lookup
        self._deadline = deadline
        self._now = now
        self._slots = asyncio.Semaphore(connections)
        self._agent = f"syndtrack/{__version__} (+{contact})" if contact else f"syndtrack/{__version__}"
        self._ticks = ticks
        # Two, because each has a guard of its own: a stranger's link must not come where addresses of one's own may.
        self._to_own: aiohttp.ClientSession | None = None
        self._to_others: aiohttp.ClientSession | None = None
        self._proxy = proxy
        self._to_proxy: aiohttp.ClientSession | None = None
        self.hosts = Hosts(delay=delay, is_own=self._is_own_name, ticks=ticks, pause=pause, now=now)

    async def __aenter__(self) -> Self:
        self._names = Names(self._guard, self._lookup, self._ticks)
        self._to_own = self._new_session(self._guard, self._names)
        self._to_others = self._new_session(Guard(), self._names)
        if self._proxy is not None:
            self._to_proxy = self._new_session(None, None)
        return self

    def _new_session(self, guard: Guard | None, names: Names | None) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            limit=0,  # `connections` bounds the requests, and a host has one at a time
            resolver=names,
            use_dns_cache=False,  # the names keep what they found
            socket_factory=None if guard is None else guard.socket_for,
            # A host is asked again seconds later at the soonest: by then many servers close a connection that is kept, and a request that
            # meets the end is lost.
            force_close=True,
        )
        session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": self._agent, "Accept-Encoding": ACCEPTED},
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=20, sock_read=30),
            auto_decompress=False,
            trust_env=False,  # the guard sees no address behind a proxy: `_way` looks names up before one is asked
            max_field_size=MAX_HEADER,
            max_headers=MAX_HEADERS,
        )
        # aiohttp asks a second time, at once, where a server closes the connection without an answer; there is no public switch for it
        session._retry_connection = False
        return session

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for session in (self._to_own, self._to_others, self._to_proxy):
            if session is not None:
                await session.close()

    @property
    def agent(self) -> str:
        """The User-Agent as sent."""
        return self._agent

    async def fetch(
        self,
        url: str,
        *,
        etag: str | None = None,
        last_modified: str | None = None,
        validators_of: str | None = None,
        accept: str = ACCEPT_FEED,
        max_bytes: int = FEED_BYTES,
        part: bool = False,
        delta: bool = False,
        own: bool = True,
        before_hop: Callable[[str, bool], Awaitable[None]] | None = None,
        place: Place | None = None,
    ) -> Answer:
        """The answer to one GET, its redirects followed. Raises FetchError when there is none that can be used, HeldError where the host
        asked to be left alone.

        A status that is no success is an answer, not an error. A 429 or 503 with Retry-After holds the host from then on.

        Validators go to the address alone that sent them: `validators_of`, else `url` itself. `part`: of a body beyond `max_bytes` the
        first part is taken. `delta`: beside an ETag, only what is new since is asked for (RFC 3229). `own`: whether the allowed networks
        may be asked; a redirect may lead there from such a network only.
        `before_hop` is called with the address of each redirect and the `own` that holds for it, and may raise. `place` is taken before
        each request, once it is its turn at a host whose name has addresses, and given back where a redirect has to wait for another.
        """
        conditions = validators(etag, last_modified)
        if delta and "If-None-Match" in conditions:
            conditions["A-IM"] = "feed"
        seen = {url}
        at, moved, only_permanent, spent = url, None, True, 0.0
        for _ in range(MAX_REDIRECTS + 1):
            headers = {"Accept": accept} | (conditions if at == (validators_of or url) else {})
            left = self._deadline - spent
            held = place or Place(self._slots)
            try:
                answer, location, took = await self._ask(url, at, headers, max_bytes, left, part=part, own=own, place=held)
            finally:
                if place is None:
                    held.leave()
            spent += took
            if location is None:
                return answer if moved is None else replace(answer, permanent_redirect_to=moved)
            if place is not None:
                place.leave()
            only_permanent = only_permanent and answer.status in PERMANENT
            own = own and self.is_own(at)
            at = next_hop(at, location, what=shown(url))
            moved = at if only_permanent else moved
            if at in seen:
                raise FetchError(shown(url), f"redirects in a circle, back to {shown(at)}")
            seen.add(at)
            if before_hop is not None:
                await before_hop(at, own)
        raise FetchError(shown(url), f"more than {MAX_REDIRECTS} redirects")

    async def post(self, url: str, form: Mapping[str, str], *, own: bool) -> Answer:
        """The answer to one POST of a form; redirects that keep the method (307, 308) are followed. Raises as `fetch` does.

        `own`: whether the allowed networks may be asked.
        """
        at, sent, headers = url, urlencode(form).encode(), {"Content-Type": "application/x-www-form-urlencoded"}
        for _ in range(MAX_REDIRECTS + 1):
            async with Place(self._slots) as place:
                answer, location, _ = await self._ask(
                    url, at, headers, FORM_ANSWER_BYTES, self._deadline, part=True, own=own, place=place, form=sent
                )
            if location is None or answer.status not in SAME_METHOD:
                return answer
            own = own and self.is_own(at)
            at = next_hop(at, location, what=shown(url))
        raise FetchError(shown(url), f"more than {MAX_REDIRECTS} redirects")

    async def _ask(
        self, url: str, at: str, headers: Mapping[str, str], max_bytes: int, left: float, *, part: bool, own: bool, place: Place,
        form: bytes | None = None,
    ) -> tuple[Answer, str | None, float]:  # fmt: skip
        """One hop: the answer, where it redirects its Location, and the seconds it took once it was its turn.

        `url` is what messages name, `at` what is asked; with a `form` it is posted.
        """
        what = shown(url)
        target = request_url(at, what)
        async with self.hosts.turn(at):
            session, proxy = await self._way(target, what, own)
            await place.take()
            started = self._ticks()
            try:
                async with asyncio.timeout(max(left, 0.0)):
                    method = "GET" if form is None else "POST"
                    async with session.request(method, target, headers=headers, data=form, allow_redirects=False, proxy=proxy) as response:
                        location = response.headers.get("Location") if response.status in REDIRECTS else None
                        answer = await self._read(response, at, max_bytes, part)
                        if response.status not in (200, 226, 304):
                            response.close()  # an error page is nothing to wait for
            except TimeoutError as error:
                raise FetchError(what, f"no whole answer within {self._deadline:.0f} s") from error
            except BodyError as error:
                raise FetchError(what, str(error)) from error
            except (aiohttp.ClientError, OSError, ValueError) as error:
                raise FetchError(what, reason_of(error, proxied=proxy is not None)) from error
            if answer.retry_after is not None and answer.status in (429, 503):
                # Here, while nobody else has the turn: whoever waits for it must see this.
                self.hosts.hold(at, self._now() + bounded_wait(answer.retry_after))
            return answer, location, self._ticks() - started

    async def _way(self, target: URL, what: str, own: bool) -> tuple[aiohttp.ClientSession, str | None]:
        """The connections to ask by, and the proxy if it is one's turn, once the host's name has addresses. Raises FetchError where it has
        none, or where one of those that a proxy might take is special: the proxy looks the name up again, out of our sight.
        """
        session = self._to_own if own else self._to_others
        if session is None or self._names is None:
            raise RuntimeError("use `async with Fetcher(...)`")
        host, port = target.raw_host or "", target.port or 0
        addresses = [host]
        if parse_address(host) is None:
            try:
                addresses = [found["host"] for found in await self._names.resolve(host, port)]
            except OSError as error:
                raise FetchError(what, f"the host name has no address: {detail_of(error)}") from error
        if self._to_proxy is None or (own and all(self._guard.is_own(each) for each in addresses)):
            return session, None
        for each in addresses:
            if (reason := Guard().refusal(each, port)) is not None:
                raise FetchError(what, reason)
        return self._to_proxy, self._proxy

    async def _read(self, response: aiohttp.ClientResponse, at: str, max_bytes: int, part: bool) -> Answer:
        """The answer with its body, taken in pieces. Raises BodyError."""
        body = bytearray()
        received = 0
        delta = response.status == 226 and is_delta(response.headers)
        if response.status == 200 or delta:
            length = response.headers.get("Content-Length", "")
            if not part and length.isdecimal() and int(length[:18]) > max_bytes:
                raise BodyError(f"the body is larger than {max_bytes:,} bytes")
            inflater = Inflater(response.headers.get("Content-Encoding", ""), max_bytes + 2 * CHUNK if part else max_bytes)
            async for chunk in response.content.iter_chunked(CHUNK):
                for piece in inflater.feed(chunk):
                    body += piece
                    if part and len(body) > max_bytes:
                        break
                if part and len(body) > max_bytes:
                    response.close()
                    break
            else:
                inflater.finish()
            received = inflater.received
        headers = response.headers
        links = headers.getall("Link", ())
        return Answer(
            status=response.status,
            url=at,
            body=bytes(memoryview(body)[:max_bytes]),
            etag=_bytewise(headers.get("ETag")),
            last_modified=_bytewise(headers.get("Last-Modified")),
            content_type=headers.get("Content-Type"),
            retry_after=retry_after(headers, self._now()) if "Retry-After" in headers else None,
            fresh_for=fresh_for(headers),
            received=received,
            framed="Content-Length" in headers or "chunked" in headers.get("Transfer-Encoding", "").lower(),
            delta=delta,
            hub=linked(links, "hub") if links else None,
            topic=linked(links, "self") if links else None,
        )

    def is_own(self, url: str) -> bool:
        """Whether an address lies in the networks that were allowed by name. A name is known to after it was asked once."""
        return self._is_own_name(host_name(url))

    def _is_own_name(self, host: str) -> bool:
        return self._guard.is_own(host) or (self._names is not None and host in self._names.own_hosts)


def validators(etag: str | None, last_modified: str | None) -> dict[str, str]:
    """The conditional headers that send stored validators back byte for byte.

    aiohttp writes headers as UTF-8, so bytes that are none (a Latin-1 letter in an ETag) cannot be sent as they were: that validator is
    left out rather than altered.
    """
    headers = {}
    for name, stored in (("If-None-Match", etag), ("If-Modified-Since", last_modified)):
        if stored and len(stored) <= 1_000:
            try:
                headers[name] = stored.encode("latin-1").decode("utf-8")
            except UnicodeError:
                continue
    return headers


def _bytewise(header: str | None) -> str | None:
    """A header's bytes as Latin-1; aiohttp decodes them as UTF-8 with surrogates for what is none."""
    return header.encode("utf-8", "surrogateescape").decode("latin-1") if header else None


def sendable(url: str) -> str:
    """The address without fragment, and nothing changed but what cannot be sent (blanks, quotes, letters beyond ASCII) percent-encoded.

    Raises ValueError if it cannot be taken apart.
    """
    parts = urlsplit(url.strip())
    encoded = [quote(part.encode("utf-8", "surrogateescape"), safe=_SENT_AS_IS) for part in (parts.path, parts.query)]
    return urlunsplit((parts.scheme, parts.netloc, encoded[0] or "/", encoded[1], ""))


def request_url(url: str, what: str) -> URL:
    """The address as the client takes it. Raises FetchError if it is none that can be asked."""
    if len(url) <= MAX_URL and _SENT_AS_STATED.fullmatch(url):
        return URL(url, encoded=True)  # most are; a tenth of the time that taking it apart takes
    return taken_apart(url, what)


def taken_apart(url: str, what: str) -> URL:
    """The same for any address."""
    try:
        exact = sendable(url)
        if not is_http(exact):
            raise FetchError(what, "only http and https addresses can be fetched")
        parts = urlsplit(exact)
        host = sent_host(parts.hostname or "")
        user = parts.netloc.rpartition("@")[0]
        netloc = f"{user}@" if user else ""
        netloc += f"[{host}]" if ":" in host else host
        netloc += f":{parts.port}" if parts.port else ""
        return URL(urlunsplit((parts.scheme, netloc, parts.path, parts.query, "")), encoded=True)
    except (ValueError, UnicodeError) as error:
        raise FetchError(what, "not a valid address") from error


def next_hop(at: str, location: str, *, what: str) -> str:
    """Where a redirect leads. A login goes along within the same origin only.

    Raises FetchError for other schemes and from https down to http.
    """
    try:
        old, new = urlsplit(at), urlsplit(urljoin(at, location.strip()))
        if new.scheme.lower() not in ("http", "https") or not new.hostname:
            raise FetchError(what, f"redirects to {shown(new.geturl())[:200]}, which is no web address")
        if old.scheme.lower() == "https" and new.scheme.lower() == "http":
            raise FetchError(what, "redirects from https to http")
        if "@" in old.netloc and "@" not in new.netloc and (old.scheme, old.hostname, old.port) == (new.scheme, new.hostname, new.port):
            new = new._replace(netloc=old.netloc)
        return sendable(new.geturl())
    except ValueError as error:
        raise FetchError(what, "redirects to what is no address") from error


def status_text(status: int) -> str:
    """A status with its name, as in `404 Not Found`."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
