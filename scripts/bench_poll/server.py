"""Thousands of sites in one process: every address of 127.0.0.0/8 is a host with one feed. Answers as fast as it can.

`/control?version=V&ahead=N&poison=SHARE` sets what all of them serve: of every tenth feed, three entries more with each version (another
number, if the command names one), the first N feeds being one version ahead; of a share of all feeds, what kills whoever reads it. One
entry in three has its text on a page only.
"""

from __future__ import annotations

import asyncio
import random
import sys
from functools import lru_cache
from ipaddress import IPv4Address
from urllib.parse import parse_qs, urlsplit

CHANGING = 10  # every tenth feed
NEW = 3
FIRST = 5
KINDS = ("LOOP", "CRASH", "MEMORY")
_SYLLABLES = [a + b for a in "bdfgklmnprstvz" for b in ("a", "e", "i", "o", "u", "an", "or", "is")]
_WORDS = ["".join(random.Random(n).choices(_SYLLABLES, k=1 + n % 3)) for n in range(4_000)]  # noqa: S311 - words, no secrets


def host(number: int) -> str:
    """The address of a site: one of the 16 million of the loopback network."""
    return str(IPv4Address(int(IPv4Address("127.1.0.0")) + number))


def feed_url(number: int, port: int) -> str:
    """The address of its feed."""
    return f"http://{host(number)}:{port}/feed/{number}"


@lru_cache(maxsize=5_000)
def paragraphs(number: int, entry: int) -> tuple[str, ...]:
    """The text of an entry: of one in five, nine of ten changing feeds have the tenth's, with a paragraph left out and a credit."""
    first = number - number % (10 * CHANGING)
    if entry % 5 == 4 and number != first:
        return (*paragraphs(first, entry)[1:], f"Source: site{first}.example")
    chosen = random.Random(number * 10_007 + entry)  # noqa: S311 - words, no secrets
    return tuple(" ".join(chosen.choices(_WORDS, k=18)).capitalize() + "." for _ in range(14))


class Sites:
    """What is served now."""

    def __init__(self, new: int = NEW) -> None:
        self.new = new  # entries with each version
        self.version = 0
        self.ahead = 0
        self.poison = 0.0

    def poison_of(self, number: int) -> str:
        """What kills the reader of this feed, or of its first page."""
        every = round(1 / self.poison) if self.poison else 0
        return KINDS[number // every % 3] if every and number % every == 3 else ""

    def etag(self, number: int) -> str:
        """The ETag of a feed, made without its body: what is measured are those who ask, not this server."""
        return f'"{number}-{self.version_of(number)}-{self.poison_of(number)}"'

    def version_of(self, number: int) -> int:
        """How often the feed has changed."""
        return self.version + (number < self.ahead) if number % CHANGING == 0 or self.poison_of(number) else 0

    def feed(self, number: int) -> bytes:
        """The feed: the newest entries first. A poisoned one kills by itself or by the page of an entry."""
        version, poison, entries = self.version_of(number), self.poison_of(number), []
        for entry in reversed(range(FIRST + self.new * version)[-20:]):
            link = f"/page/{number}/{entry}"
            text = "".join(f"<p>{line}</p>" for line in paragraphs(number, entry)) if entry % 3 else "A teaser."
            entries.append(
                f"<item><title>Entry {entry} of {number}</title><link>{link}</link><guid>{number}-{entry}</guid>"
                f"<description><![CDATA[{text}]]></description></item>"
            )
        killing = f"<!-- POISON-{poison} -->" if poison and number // 20 % 2 else ""
        body = f'<?xml version="1.0"?><rss version="2.0"><channel><title>Site {number}</title>{killing}{"".join(entries)}</channel></rss>'
        return body.encode()

    def page(self, number: int, entry: int) -> bytes:
        """An article's page."""
        poison = self.poison_of(number)
        killing = f"<p>POISON-{poison}</p>" if poison else ""
        text = "".join(f"<p>{line}</p>" for line in paragraphs(number, entry))
        return f"<html><head><title>Entry {entry} of {number}</title></head><body><article>{text}{killing}</article></body></html>".encode()


class Connection(asyncio.Protocol):
    """One connection; requests come one after the other."""

    def __init__(self, sites: Sites) -> None:
        self.sites = sites
        self.received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection."""
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer whole requests."""
        self.received += data
        while b"\r\n\r\n" in self.received:
            head, _, self.received = self.received.partition(b"\r\n\r\n")
            self.transport.write(self.answer(head))  # type: ignore[attr-defined] # a Transport, asyncio says

    def answer(self, head: bytes) -> bytes:
        """The answer to a request."""
        target = head.split(b" ", 2)[1].decode()
        parts = urlsplit(target).path.split("/")
        if parts[1] == "feed":
            etag = self.sites.etag(int(parts[2]))
            if b"f-none-match: " + etag.encode() in head.replace(b"f-None-Match", b"f-none-match"):
                return f"HTTP/1.1 304 Not Modified\r\nETag: {etag}\r\n\r\n".encode()
            body = self.sites.feed(int(parts[2]))
            return (
                f"HTTP/1.1 200 OK\r\nETag: {etag}\r\nContent-Type: application/rss+xml\r\nContent-Length: {len(body)}\r\n\r\n".encode()
                + body
            )
        if parts[1] == "page":
            body = self.sites.page(int(parts[2]), int(parts[3]))
            return f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
        if parts[1] == "control":
            asked = parse_qs(urlsplit(target).query)
            self.sites.version, self.sites.poison = int(asked["version"][0]), float(asked["poison"][0])
            self.sites.ahead = int(asked.get("ahead", ["0"])[0])
            return b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


async def main() -> None:
    """Serve until standard input ends; says the port."""
    sites = Sites(*map(int, sys.argv[1:]))
    server = await asyncio.get_running_loop().create_server(lambda: Connection(sites), "0.0.0.0", 0, backlog=4_096)  # noqa: S104 - all of 127/8
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
