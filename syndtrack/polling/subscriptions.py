"""Subscription lists: OPML (https://opml.org/spec2.opml), as feed readers export it, read and written.

Read with lxml's parser for damaged markup, since many lists have a bare `&` or break off, and since it expands no entities. Not with
listparser: it keeps for each feed all the folders around it, and a hostile list of 1.5 MB took it 34 s and 2.4 GB.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from syndtrack.errors import UsageError
from syndtrack.reading.charset import decode
from syndtrack.urls import host_of, without_secrets

MAX_BYTES = 20_000_000
NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
DECLARATION = re.compile(rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.:-]{1,40})""")


@dataclass(frozen=True, slots=True)
class Subscription:
    """A feed of a list: its address and its title there."""

    url: str
    title: str | None


def read_subscriptions(path: Path) -> list[Subscription]:
    """The feeds of an OPML file, each address once, in its order. Raises UsageError for what is none."""
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from error
    if len(content) > MAX_BYTES:
        raise UsageError(f"{path}: larger than {MAX_BYTES // 1_000_000} MB")
    declared = DECLARATION.search(content[:400])
    text = decode(content, f"charset={declared[1].decode('ascii')}" if declared else None)
    outlines = _Outlines()
    parser = etree.HTMLParser(target=outlines, recover=True)
    with suppress(etree.LxmlError):  # nothing that looks like markup, so nothing is found
        # In ASCII with references, so that no declaration within can mislead the parser.
        etree.fromstring(text.encode("ascii", "xmlcharrefreplace"), parser)
    if not outlines.feeds:
        raise UsageError(f"{path}: no feeds found; an OPML file with <outline xmlUrl=…> was expected")
    return [Subscription(url, title) for url, title in outlines.feeds.items()]


def write_subscriptions(feeds: Iterable[Subscription]) -> str:
    """A list of feeds as OPML 2.0, in their order. Logins and secrets in addresses are left out."""
    root = etree.Element("opml", {"version": "2.0"})
    etree.SubElement(etree.SubElement(root, "head"), "title").text = "Feeds of syndtrack"
    body = etree.SubElement(root, "body")
    for feed in feeds:
        title = NOT_IN_XML.sub("", feed.title or "") or host_of(feed.url)
        etree.SubElement(body, "outline", {"type": "rss", "text": title, "xmlUrl": NOT_IN_XML.sub("", without_secrets(feed.url))})
    text: str = etree.tostring(root, encoding="unicode", pretty_print=True)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + text


class _Outlines:
    """What lxml calls while it parses (https://lxml.de/parsing.html#the-target-parser-interface): collects titles by address."""

    def __init__(self) -> None:
        self.feeds: dict[str, str | None] = {}

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins; names of elements and attributes come in lower case."""
        url = attributes.get("xmlurl", "").strip()
        if tag.rpartition(":")[2] == "outline" and url:
            title = attributes.get("text", "").strip() or attributes.get("title", "").strip() or None
            self.feeds.setdefault(url, title)

    def close(self) -> None:
        """The end of the file."""
