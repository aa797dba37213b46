"""From a site's address to the feeds it announces."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from urllib.parse import urljoin

from protego import Protego

from syndtrack.errors import FeedError, RefusedError
from syndtrack.polling.fetch import ACCEPT_FEED, PAGE_BYTES, Fetcher, status_text
from syndtrack.polling.headers import media_type
from syndtrack.polling.robots import ROBOTS_BYTES
from syndtrack.polling.workers import Workers
from syndtrack.reading.charset import decode
from syndtrack.reading.entries import MAX_TITLE, parse_feed
from syndtrack.reading.markup import absolute, parse
from syndtrack.reading.sitemaps import read_index, sitemap_kind
from syndtrack.urls import is_http, shown

FEED_TYPES = ("application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml", "application/xml", "text/xml")
MAX_FEEDS = 20
MAX_SITEMAPS = 5
# Feeds of comments are announced beside the others on every WordPress page; nobody means them who names the site.
COMMENTS = re.compile(r"/comments/feed/?(?:\s|$)|[?&]feed=comments|\bcomments? feed\b|kommentar-feed|flux des commentaires", re.IGNORECASE)


def feed_links(page: str, url: str) -> list[str]:
    """The feeds that a page announces with `<link rel="alternate">` (https://www.rssboard.org/rss-autodiscovery), but those of comments."""
    tree = parse(page)
    if tree is None:
        return []
    base = next((b for e in tree.iter("base") if (b := absolute(url, e.get("href") or ""))), url)
    found: dict[str, None] = {}
    for link in tree.iter("link"):
        relations = (link.get("rel") or "").lower().split()
        if ("alternate" not in relations and "feed" not in relations) or not link.get("href"):
            continue
        if media_type(link.get("type")) not in FEED_TYPES and "feed" not in relations:
            continue
        address = absolute(base, link.get("href"))
        if address is not None and not COMMENTS.search(f"{address} {(link.get('title') or '')[:MAX_TITLE]}"):
            found[address] = None
            if len(found) == MAX_FEEDS:
                break
    return list(found)


def look_for_feeds(body: bytes, url: str, content_type: str | None) -> list[str]:
    """The address itself if its bytes are a feed, else the feeds that it announces as a page."""
    try:
        parse_feed(body, url, content_type)
    except FeedError:
        return feed_links(decode(body, content_type), url)
    return [url]


async def discover(url: str, fetcher: Fetcher, workers: Workers) -> list[str]:
    """The feeds behind an address: itself if it is one, else those its page announces, else the site's news sitemaps.

    Those are looked for where the address is a list of sitemaps, and in the site's robots.txt. Raises FetchError, or FeedError where there
    are none.
    """
    answer = await fetcher.fetch(url, accept=f"text/html, {ACCEPT_FEED}", max_bytes=PAGE_BYTES)
    if answer.status != 200:
        raise FeedError(shown(url), f"the server answers {status_text(answer.status)}")
    found = await workers.run(look_for_feeds, answer.body, answer.url, answer.content_type, what=shown(url))
    own = fetcher.is_own(answer.url)
    if not found and sitemap_kind(answer.body) == "sitemapindex":
        found = await _news_among(await workers.run(read_index, answer.body, what=shown(url)), fetcher, workers, own=own)
    elif not found:
        with suppress(RefusedError):  # a site without robots.txt announces nothing there
            robots = await fetcher.fetch(
                urljoin(answer.url, "/robots.txt"), accept="text/plain", max_bytes=ROBOTS_BYTES, part=True, own=own
            )
            found = await _news_among(await workers.run(announced_sitemaps, robots.body, what=shown(url)), fetcher, workers, own=own)
    if not found:
        raise FeedError(shown(url), "is no feed and announces none; give the feed's own address")
    # A feed that was asked for by its own name keeps it: redirects are taken over only after repeated agreement.
    return [url] if found == [answer.url] else found


def announced_sitemaps(robots: bytes) -> list[str]:
    """The sitemaps that a robots.txt names (https://www.sitemaps.org/protocol.html#submit_robots)."""
    return [str(address) for address in Protego.parse(robots.decode("utf-8-sig", "replace")).sitemaps]


async def _news_among(sitemaps: Iterable[str], fetcher: Fetcher, workers: Workers, *, own: bool) -> list[str]:
    """Those of some sitemaps that list news. Only addresses that say so are asked, at most MAX_SITEMAPS; a list among them is looked into.

    `own`: whether whoever names them lives in a network of one's own, and may lead there.
    """
    found: list[str] = []
    waiting = [(address, True) for address in sitemaps if is_http(address) and "news" in address.lower()][:MAX_SITEMAPS]
    asked = 0
    while waiting and asked < 2 * MAX_SITEMAPS:
        (address, may_be_list), asked = waiting.pop(0), asked + 1
        with suppress(RefusedError):
            answer = await fetcher.fetch(address, accept=ACCEPT_FEED, max_bytes=PAGE_BYTES, own=own)
            if await workers.run(look_for_feeds, answer.body, answer.url, answer.content_type, what=shown(address)) == [answer.url]:
                found.append(address)
            elif may_be_list and sitemap_kind(answer.body) == "sitemapindex":
                listed = await workers.run(read_index, answer.body, what=shown(address))
                waiting += [(child, False) for child in listed if is_http(child)][:MAX_SITEMAPS]
    return found
