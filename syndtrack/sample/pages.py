"""A publisher's articles as it puts them on its site: pages, feeds, the newsroom's OPML. Bytes in the publisher's encoding."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from zlib import crc32

from jinja2 import Environment, PackageLoader, StrictUndefined
from lxml import etree
from markupsafe import Markup, escape

from syndtrack.sample.stories import SampleArticle, SamplePublisher

CONTENT = "http://purl.org/rss/1.0/modules/content/"
DC = "http://purl.org/dc/elements/1.1/"
ATOM = "http://www.w3.org/2005/Atom"
LINK = re.compile(r"\[([^\]]{1,200})\]\(article:([a-z0-9-]{1,80})\)")
PARAGRAPH = Markup("<p>{}</p>")
FIGURE = Markup('<figure><img src="/img/{}.jpg"><figcaption>{}</figcaption></figure>')

_templates = Environment(
    loader=PackageLoader("syndtrack.sample"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


@dataclass(frozen=True, slots=True)
class Shown:
    """An article as it stands on its publisher's site right now. Times are the publisher's claims; `url_of` gives any article's address."""

    article: SampleArticle
    url: str
    published: datetime
    updated: datetime
    paragraphs: tuple[str, ...]
    url_of: Callable[[str], str]

    @property
    def html(self) -> list[Markup]:
        """The paragraphs with their links, as HTML without the `<p>`."""
        return [_linked(p, self.url_of) for p in self.paragraphs]

    @property
    def plain(self) -> str:
        """The text a reader sees, paragraphs parted by newlines."""
        return "\n".join(plain(p) for p in self.paragraphs)


def plain(paragraph: str) -> str:
    """A paragraph with its links as bare words."""
    return LINK.sub(r"\1", paragraph)


def path_of(publisher: SamplePublisher, article: SampleArticle) -> str:
    """The path (with query) of an article: the same in every run."""
    return publisher.path.format(slug=article.key, number=10_000 + crc32(article.key.encode()) % 90_000)


def page(publisher: SamplePublisher, shown: Shown, others: Sequence[Shown]) -> bytes:
    """The article's page.

    `others` are the publisher's articles before it, newest first: they fill the boxes of links, so that only a correction changes a page.
    """
    about = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": shown.article.headline,
        "datePublished": shown.published.isoformat(),
        "dateModified": shown.updated.isoformat(),
        "author": {"@type": "Person", "name": shown.article.author or publisher.name},
        "publisher": {"@type": "Organization", "name": publisher.name},
        "mainEntityOfPage": shown.url,
    }
    return _rendered(f"{publisher.template}.html", publisher, shown=shown, others=others, about=Markup(_script(about)))  # noqa: S704 - escaped by _script


def front_page(publisher: SamplePublisher, shown: Sequence[Shown], feed_url: str) -> bytes:
    """The publisher's front page: headlines, and where its feed is."""
    return _rendered("front.html", publisher, listed=shown, feed_url=feed_url)


def _rendered(template: str, publisher: SamplePublisher, **fields: object) -> bytes:
    text = _templates.get_template(template).render(publisher=publisher, boxes=publisher.boxes, **fields)
    return text.encode(publisher.encoding, errors="xmlcharrefreplace")


def _script(value: object) -> str:
    return json.dumps(value, ensure_ascii=True, indent=1).replace("<", "\\u003c")


def _linked(paragraph: str, url_of: Callable[[str], str]) -> Markup:
    made, at = Markup(), 0
    for found in LINK.finditer(paragraph):
        made += escape(paragraph[at : found.start()])
        made += Markup('<a href="{}">{}</a>').format(url_of(found[2]), found[1])
        at = found.end()
    return made + escape(paragraph[at:])


def feed(publisher: SamplePublisher, shown: Sequence[Shown], site: str, feed_url: str) -> bytes:
    """The publisher's feed, newest first, in its format and encoding. `site` is the address of its front page."""
    root = _rss(publisher, shown, site) if publisher.feed == "rss" else _atom(publisher, shown, site, feed_url)
    xml: bytes = etree.tostring(root, encoding=publisher.encoding, xml_declaration=True, pretty_print=True)
    return xml


def _full_text(publisher: SamplePublisher, shown: Shown) -> str:
    article = shown.article
    paragraphs = [PARAGRAPH.format(p) for p in shown.html]
    if article.caption:
        paragraphs.insert(1, FIGURE.format(article.key, article.caption))
    if "feed_end" in publisher.boxes:
        paragraphs.append(PARAGRAPH.format(publisher.boxes["feed_end"].format(headline=article.headline, name=publisher.name)))
    return "\n".join(paragraphs)


def _rss(publisher: SamplePublisher, shown: Sequence[Shown], site: str) -> etree._Element:
    root = etree.Element("rss", {"version": "2.0"}, nsmap={"content": CONTENT, "dc": DC})
    channel = etree.SubElement(root, "channel")
    _children(channel, title=publisher.name, link=site, description=publisher.tagline, language=publisher.language)
    for each in shown:
        item = etree.SubElement(channel, "item")
        _children(item, title=each.article.headline, link=each.url, guid=each.url, pubDate=format_datetime(each.published, usegmt=True))
        _children(item, category=each.article.section, description=plain(each.article.summary))
        if each.article.author:
            etree.SubElement(item, f"{{{DC}}}creator").text = each.article.author
        if publisher.full_text:
            etree.SubElement(item, f"{{{CONTENT}}}encoded").text = etree.CDATA(_full_text(publisher, each))
    return root


def _atom(publisher: SamplePublisher, shown: Sequence[Shown], site: str, feed_url: str) -> etree._Element:
    root = etree.Element("feed", nsmap={None: ATOM})
    _children(root, title=publisher.name, subtitle=publisher.tagline, id=feed_url)
    etree.SubElement(root, "link", {"rel": "self", "href": feed_url})
    etree.SubElement(root, "link", {"rel": "alternate", "href": site})
    _children(root, updated=max((s.updated for s in shown), default=None))
    for each in shown:
        entry = etree.SubElement(root, "entry")
        _children(entry, id=f"tag:{publisher.key},2024:{each.article.key}", title=each.article.headline)
        etree.SubElement(entry, "link", {"rel": "alternate", "type": "text/html", "href": each.url})
        _children(entry, published=each.published, updated=each.updated, summary=plain(each.article.summary))
        _children(etree.SubElement(entry, "author"), name=each.article.author or publisher.name)
        if publisher.full_text:
            etree.SubElement(entry, "content", {"type": "html"}).text = _full_text(publisher, each)
    return root


def _children(parent: etree._Element, **texts: str | datetime | None) -> None:
    """Add one element a keyword; a time is written as RFC 3339, None adds nothing."""
    for name, text in texts.items():
        if text is not None:
            etree.SubElement(parent, name).text = text.isoformat() if isinstance(text, datetime) else text


def opml(subscriptions: Iterable[tuple[str, str, str]]) -> str:
    """An OPML 2.0 list of (folder, title, feed address); feeds of one folder stand together."""
    root = etree.Element("opml", {"version": "2.0"})
    etree.SubElement(etree.SubElement(root, "head"), "title").text = "Feeds of the sample newsroom"
    body = etree.SubElement(root, "body")
    folders: dict[str, etree._Element] = {}
    for folder, title, url in subscriptions:
        if folder not in folders:
            folders[folder] = etree.SubElement(body, "outline", {"text": folder})
        etree.SubElement(folders[folder], "outline", {"type": "rss", "text": title, "xmlUrl": url})
    text: str = etree.tostring(root, encoding="unicode", pretty_print=True)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + text
