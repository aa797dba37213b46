"""News sitemaps: the list of new articles that a site keeps for Google News, read as a feed.

https://developers.google.com/search/docs/crawling-indexing/sitemaps/news-sitemap and https://www.sitemaps.org/protocol.html. Only
addresses with a `news:news` count: without it a sitemap lists a site's pages of all years. Some names of elements are all that is looked
at, in whatever namespace they stand, since sites declare them wrongly. lxml expands no entities here and builds no tree.
"""

from __future__ import annotations

import re
from contextlib import suppress

from lxml import etree

MAX_TEXT = 4_000  # characters of one element
MAX_CHILDREN = 1_000  # sitemaps of an index
_ROOT = re.compile(rb"<(?:[A-Za-z][\w.-]{0,40}:)?(urlset|sitemapindex)[\s>]")
_DECLARATION = re.compile(rb"^\s*<\?xml[^>]*>")
_READ = frozenset({"loc", "lastmod", "title", "publication_date", "name"})


class _FullError(Exception):
    """As many entries as were asked for."""


def sitemap_kind(body: bytes) -> str | None:
    """Of a sitemap "urlset", of a list of sitemaps "sitemapindex", by its root element; None for anything else."""
    root = _ROOT.search(body[:4_000].replace(b"\0", b""))  # in UTF-16 too
    return root[1].decode("ascii") if root else None


def read_news(body: bytes, most: int) -> tuple[list[dict[str, str]], bool]:
    """The articles of a news sitemap, at most so many, and whether there are more.

    Of each what it states under "loc", "title", "publication_date" and "name" (the publication's).
    """
    articles = _Elements("url", "news", most)
    more = _read(body, articles)
    return articles.found, more


def read_index(body: bytes) -> list[str]:
    """The sitemaps that an index lists, at most MAX_CHILDREN, the last changed first as far as it says when they were."""
    sitemaps = _Elements("sitemap", None, MAX_CHILDREN)
    _read(body, sitemaps)
    listed = sorted(sitemaps.found, key=lambda each: each.get("lastmod", ""), reverse=True)
    return list(dict.fromkeys(each["loc"] for each in listed if each.get("loc")))


def _read(body: bytes, elements: _Elements) -> bool:
    """Let lxml call `elements`, over damaged markup too; whether it was stopped because there is more."""
    root = _ROOT.search(body[:4_000])
    if root and b"<!DOCTYPE" in body[: root.start()]:  # declarations of entities: nothing a sitemap needs
        body = b"".join(_DECLARATION.findall(body[: root.start()])) + body[root.start() :]
    parser = etree.XMLParser(target=elements, recover=True, resolve_entities=False, no_network=True, huge_tree=False)
    try:
        with suppress(etree.LxmlError):  # what was found before the damage counts
            etree.fromstring(body, parser)
    except _FullError:
        return True
    return False


class _Elements:
    """What lxml calls while it parses: collects the texts within each `box`; only boxes that hold `needed` count."""

    def __init__(self, box: str, needed: str | None, most: int) -> None:
        self.found: list[dict[str, str]] = []
        self._box, self._needed, self._most = box, needed, most
        self._path: list[str] = []
        self._now: dict[str, str] | None = None
        self._text: list[str] | None = None
        self._has_needed = False

    def start(self, tag: str, _: object) -> None:
        """An element begins."""
        name = tag.rpartition("}")[2].rpartition(":")[2].lower()
        self._path.append(name)
        if name == self._box:
            if len(self.found) >= self._most:
                raise _FullError
            self._now, self._has_needed = {}, self._needed is None
        elif name == self._needed:
            self._has_needed = True
        # directly within the box or its news: pictures and films of an article have a loc and a title too
        inside = self._path[-2:-1]
        wanted = name in _READ and inside in ([self._box], [self._needed], ["publication"])
        self._text = [] if wanted else None

    def data(self, text: str) -> None:
        """A piece of text."""
        if self._text is not None and sum(map(len, self._text)) < MAX_TEXT:
            self._text.append(text)

    def end(self, tag: str) -> None:
        """An element ends."""
        name = self._path.pop() if self._path else ""
        if self._now is None:
            return
        if self._text is not None:
            self._now.setdefault(name, "".join(self._text)[:MAX_TEXT].strip())
            self._text = None
        if name == self._box:
            if self._has_needed and self._now.get("loc"):
                self.found.append(self._now)
            self._now = None

    def close(self) -> None:
        """The end of the file."""
