"""From a site's address to the feeds it announces."""

from __future__ import annotations

import re
from urllib.parse import urljoin

from lxml import etree, html

from syndtrack.errors import FeedError
from syndtrack.polling.fetch import ACCEPT_FEED, PAGE_BYTES, Fetcher, status_text
from syndtrack.polling.headers import media_type
from syndtrack.polling.workers import Workers
from syndtrack.reading.charset import decode
from syndtrack.reading.entries import parse_feed
from syndtrack.urls import is_http, shown

FEED_TYPES = ("application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml", "application/xml", "text/xml")
MAX_FEEDS = 20
# Feeds of comments are announced beside the others on every WordPress page; nobody means them who names the site.
COMMENTS = re.compile(r"/comments/feed/?(?:\s|$)|[?&]feed=comments|\bcomments? feed\b|kommentar-feed|flux des commentaires", re.IGNORECASE)


def feed_links(page: str, url: str) -> list[str]:
    """The feeds that a page announces with `<link rel="alternate">` (https://www.rssboard.org/rss-autodiscovery), but those of comments."""
    try:
        tree = html.document_fromstring(page)
    except (etree.ParserError, ValueError):
        return []
    base = next(iter(tree.xpath("//base/@href")), "")
    found: dict[str, None] = {}
    for link in tree.iter("link"):
        relations = (link.get("rel") or "").lower().split()
        if ("alternate" not in relations and "feed" not in relations) or not link.get("href"):
            continue
        if media_type(link.get("type")) not in FEED_TYPES and "feed" not in relations:
            continue
        try:
            address = urljoin(urljoin(url, base), link.get("href").strip())
        except ValueError:
            continue
        if is_http(address) and not COMMENTS.search(f"{address} {link.get('title') or ''}"):
            found[address] = None
    return list(found)[:MAX_FEEDS]


def look_for_feeds(body: bytes, url: str, content_type: str | None) -> list[str]:
    """The address itself if its bytes are a feed, else the feeds that it announces as a page."""
    try:
        parse_feed(body, url, content_type)
    except FeedError:
        return feed_links(decode(body, content_type), url)
    return [url]


async def discover(url: str, fetcher: Fetcher, workers: Workers) -> list[str]:
    """The feeds behind an address: itself if it is one, else those its page announces.

    Raises FetchError, or FeedError where there are none.
    """
    answer = await fetcher.fetch(url, accept=f"text/html, {ACCEPT_FEED}", max_bytes=PAGE_BYTES)
    if answer.status != 200:
        raise FeedError(shown(url), f"the server answers {status_text(answer.status)}")
    found = await workers.run(look_for_feeds, answer.body, answer.url, answer.content_type, what=shown(url))
    if not found:
        raise FeedError(shown(url), "is no feed and announces none; give the feed's own address")
    # A feed that was asked for by its own name keeps it: redirects are taken over only after repeated agreement.
    return [url] if found == [answer.url] else found
