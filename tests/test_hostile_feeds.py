"""Feeds and pages made to hurt: quadratic, bombs, nested without end. Each is read in a real worker, with its 10 s and 512 MB.

None may crash the reading or the program, each ends with an outcome, and what comes out is bounded.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime

from syndtrack.errors import RefusedError
from syndtrack.flow import ReadArticle, read_article
from syndtrack.models import ParsedFeed, Refusal, Submission
from syndtrack.polling.workers import Workers
from syndtrack.reading.entries import MAX_CONTENT, MAX_ENTRIES, MAX_GUID, MAX_TITLE, parse_feed

HERE = "https://hostile.example/feed"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
K = 150  # 1,000 in the run that set the bounds: minutes, and no other outcome


SPACES = (
    ("content", "http://purl.org/rss/1.0/modules/content/"),
    ("dc", "http://purl.org/dc/elements/1.1/"),
    ("media", "http://search.yahoo.com/mrss/"),
)


def rss(items: str, before: str = "", channel: str = "", attributes: str = "") -> bytes:
    space = "".join(f" xmlns:{prefix}='{uri}'" for prefix, uri in SPACES)
    text = f"{before}<rss version='2.0' {space} {attributes}><channel><title>T</title>{channel}{items}</channel></rss>"
    return text.encode("utf-8", "surrogatepass")


def item(inside: str) -> str:
    return f"<item><link>/a</link>{inside}</item>"


def atom(inside: str) -> bytes:
    return f"<feed xmlns='http://www.w3.org/2005/Atom'><entry><id>x</id>{inside}</entry></feed>".encode()


def doctype(entities: str, root: str = "rss") -> str:
    return f"<!DOCTYPE {root} [\n{entities}\n]>"


def json_feed(items: str) -> bytes:
    return f'{{"version": "https://jsonfeed.org/version/1.1", "items": {items}}}'.encode()


LAUGHS = "\n".join(["<!ENTITY l0 'lol'>", *("<!ENTITY l{} '{}'>".format(n, f"&l{n - 1};" * 10) for n in range(1, 12))])
FEEDS: dict[str, Callable[[], bytes]] = {
    # entities
    "a billion laughs": lambda: rss(item("<title>&l11;</title>"), doctype(LAUGHS)),
    "quadratic expansion": lambda: rss(item(f"<title>{'&a;' * 60 * K}</title>"), doctype(f'<!ENTITY a "{"x" * 60 * K}">')),
    "an entity of a few characters, a million times": lambda: (
        rss(item(f"<title>{'&a;' * K * K}</title>"), doctype('<!ENTITY a "xxxxxxxxxxxxxxxxxxxx">'))
    ),
    "an entity that stands for itself": lambda: rss(item("<title>&a;</title>"), doctype('<!ENTITY a "&a;">')),
    "parameter entities": lambda: rss(item("<title>x</title>"), doctype("<!ENTITY % a '<!ENTITY b \"c\">'>%a;" * 1000)),
    "a file as entity": lambda: rss(item("<title>&f;</title>"), doctype('<!ENTITY f SYSTEM "file:///etc/passwd">')),
    "an address as entity": lambda: rss(item("<title>&f;</title>"), doctype('<!ENTITY f SYSTEM "http://127.0.0.1:1/">')),
    "a DTD elsewhere": lambda: rss(item("<title>&f;</title>"), '<!DOCTYPE rss SYSTEM "http://127.0.0.1:1/x.dtd">'),
    "100,000 entities declared": lambda: (
        rss(item("<title>&e9;</title>"), doctype("\n".join(f'<!ENTITY e{n} "x">' for n in range(100 * K))))
    ),
    "a DOCTYPE without end": lambda: b"<!DOCTYPE rss [" + b"<!ENTITY a " * 100 * K,
    "characters that are none": lambda: rss(item("<title>&#0;&#xFFFFFFFF;&#99999999999;&#xD800;</title>" * 100)),
    "half a million character references": lambda: rss(item(f"<title>{'&#x41;' * 500 * K}</title>")),
    # nesting
    "elements 300,000 deep": lambda: rss("<a>" * 300 * K),
    "items within items": lambda: rss("<item>" * 100 * K + "</item>" * 100 * K),
    "entries within entries, not well-formed": lambda: b"<feed><entry>" * 50 * K,
    "XHTML 100,000 deep": lambda: atom(f"<content type='xhtml'>{'<div>' * 100 * K}x{'</div>' * 100 * K}</content>"),
    "sources within sources": lambda: rss(item("<source url='x'>" * 50 * K + "</source>" * 50 * K)),
    "drawings within drawings": lambda: atom(f"<content type='xhtml'>{'<svg>' * 900}<title>x</title>{'</svg>' * 900}</content>"),
    "a title in an unclosed drawing": lambda: atom("<content type='xhtml'><svg></content><title>x</title>"),
    "unclosed elements": lambda: rss("<item><title>" * 100 * K).replace(b"</channel></rss>", b""),
    "closing tags without opening ones": lambda: rss("</item></title></b>" * 100 * K),
    # attributes and namespaces
    "100,000 attributes": lambda: rss(item(f"<media:content {' '.join(f'a{n}=1' for n in range(100 * K))}/>".replace("=1", "='1'"))),
    "an attribute of 5 MB": lambda: rss(item(f"<enclosure url='{'x' * 5 * K * K}'/>")),
    "the same attribute 100,000 times": lambda: rss(item("<enclosure " + "a='1' " * 100 * K + "/>")),
    "100,000 namespaces": lambda: rss("".join(f"<n{n}:x xmlns:n{n}='urn:{n}'/>" for n in range(100 * K))),
    "50,000 namespaces on the root": lambda: (
        rss(item("<title>x</title>") * 1000, attributes=" ".join(f"xmlns:n{n}='urn:{n}'" for n in range(50 * K)))
    ),
    "a base within a base, 50,000 times": lambda: rss("<a xml:base='../b/'>" * 900 + item("") * K + "</a>" * 900),
    "a base of 1 MB": lambda: rss(f"<a xml:base='http://x.example/{'a/' * 500 * K}'>{item('<guid>g</guid>') * 2000}</a>"),
    "attributes without quotes": lambda: b"<rss><channel>" + b"<item a=b c=d e" * 100 * K,
    "quotes that never close": lambda: b"<rss><channel><item>" + b"<a href='" * 100 * K,
    # text
    "an author like e-mail, 0.3 MB": lambda: rss(item(f"<author>{'a.' * 150 * K}@</author>")),
    "authors like e-mail, a@a.a.a": lambda: rss(item(f"<dc:creator>{'a@' + 'a.' * 150 * K}</dc:creator>")),
    "an author like e-mail, not well-formed": lambda: rss(item(f"<b><author>{'a-' * 150 * K}@{'a.' * 100 * K}</author>")),
    "100,000 categories": lambda: rss(item("".join(f"<category>c{n}</category>" for n in range(100 * K)))),
    "100,000 categories, not well-formed": lambda: rss("<b>" + item("".join(f"<category>c{n}</category>" for n in range(100 * K)))),
    "keywords with 500,000 commas": lambda: rss(item(f"<media:keywords>{'a,' * 500 * K}</media:keywords>")),
    "a title of 5 MB": lambda: rss(item(f"<title>{'word ' * K * K}</title>")),
    "titles of open brackets": lambda: rss(item(f"<title><![CDATA[{'<a ' * 300 * K}]]></title>")),
    "titles of ampersands": lambda: rss(item(f"<title>{'&amp;amp;' * 300 * K}</title>")),
    "an address of 5 MB": lambda: rss(item(f"<guid>http://x.example/{'a' * 5 * K * K}</guid>")),
    "an address of dots": lambda: rss(f"<item><link>{'../' * K * K}</link></item>"),
    "comments that never close": lambda: rss("<!--" * 300 * K),
    "sections that never close": lambda: rss("<![CDATA[" * 200 * K),
    "instructions that never close": lambda: rss("<?x " * 300 * K),
    "declarations that never close": lambda: rss("<!x " * 300 * K),
    "half tags": lambda: b"<rss><channel><item>" + b"<" * 500 * K,
    "half entities": lambda: b"<rss><channel><item><title>" + b"&" * 500 * K,
    "empty elements without end, not well-formed": lambda: b"<rss><channel><b>" + b"<item/>" * 300 * K,
    "base64 that is none": lambda: atom(f"<content type='image/png'>{'=' * K * K}</content>"),
    "base64 of 5 MB": lambda: atom(f"<content type='application/x'>{base64.b64encode(bytes(4 * K * K)).decode()}</content>"),
    # numbers and dates
    "dates of digits": lambda: rss("".join(item(f"<pubDate>{'9' * n}</pubDate>") for n in range(0, 3000, 7))),
    "dates of a million digits": lambda: rss(item(f"<pubDate>{'1' * K * K}</pubDate>") * 3),
    "dates like dates": lambda: rss(item("<pubDate>Mon, 99 Foo 99999999999999 99:99:99 +9999999999</pubDate>") * 2000),
    "dates of colons": lambda: rss(item(f"<pubDate>{':-+T' * 5000}</pubDate>") * 100),
    "a ttl of a million digits": lambda: (
        rss(item(""), channel=f"<ttl>{'9' * K * K}</ttl><skipHours>{'<hour>1</hour>' * 100 * K}</skipHours>")
    ),
    "skipHours that never close": lambda: rss(item(""), channel="<skipHours>" * 300 * K),
    # many entries
    "300,000 entries": lambda: rss("<item><guid>x</guid></item>" * 300 * K),
    "5,000 entries of 1,000 characters, all alike": lambda: rss(item(f"<description>{'x' * K}</description>") * 5000),
    # encodings
    "UTF-16 in truth": lambda: rss(item("<title>x</title>")).decode().encode("utf-16"),
    "UTF-7 declared": lambda: b"<?xml version='1.0' encoding='utf-7'?>" + rss(item("<title>+ADw-script+AD4-</title>")),
    "an encoding that is a codec of Python's": lambda: b"<?xml version='1.0' encoding='zlib_codec'?>" + rss(item("")),
    "an encoding with a name of 1 MB": lambda: b"<?xml version='1.0' encoding='" + b"x" * K * K + b"'?>" + rss(item("")),
    "punycode declared": lambda: b"<?xml version='1.0' encoding='punycode'?>" + rss(item(f"<title>{'-a9' * 5 * K}</title>")),
    "idna declared": lambda: b"<?xml version='1.0' encoding='idna'?>" + rss(item(f"<title>{'a.' * 100 * K}</title>")),
    "zeros": lambda: bytes(3 * K * K),
    "a feed between zeros": lambda: bytes(100 * K) + rss(item("<title>\x00x</title>")) + bytes(100 * K),
    "bytes of all kinds": lambda: bytes(range(256)) * 20 * K,
    "half surrogates": lambda: rss(item("<title>\ud800\udfff</title>" * K)),
    "a declaration of 3 MB": lambda: b"<?xml " + b" " * 3 * K * K + b"?>" + rss(item("")),
    # JSON
    "JSON nested 100,000 deep": lambda: json_feed("[" * 100 * K),
    "JSON objects nested": lambda: json_feed('{"a":' * 100 * K),
    "JSON numbers without end": lambda: json_feed(f'[{{"id": {"9" * K * K}}}]'),
    "JSON numbers beyond measure": lambda: json_feed('[{"id": 1e999999, "url": -1e400}, {"id": NaN}]'),
    "JSON with 300,000 items": lambda: json_feed("[" + ",".join(['{"id":"x"}'] * 300 * K) + "]"),
    "JSON with a string of 5 MB": lambda: json_feed(json.dumps([{"id": "x", "content_html": "<p>" * K * K, "title": "x" * 5 * K * K}])),
    "JSON of odd kinds": lambda: json_feed('[null, 1, [], {"id": {}}, {"id": [], "url": 7, "title": {}, "authors": 3, "tags": "x"}]'),
    # sitemaps
    "a sitemap of 300,000 articles": lambda: b"<urlset xmlns:news='n'>" + b"<url><loc>http://x/</loc><news:news/></url>" * 200 * K,
    "a sitemap nested": lambda: b"<urlset xmlns:news='n'>" + b"<url><news:news>" * 200 * K,
    "a sitemap of laughs": lambda: (
        doctype(LAUGHS, "urlset").encode() + b"<urlset xmlns:news='n'><url><loc>&l11;</loc><news:news/></url></urlset>"
    ),
}  # fmt: skip

TEXT = "<p>The council of the harbour town decided at some length that day, and nobody was pleased with it.</p>" * 5
MARKS = "\u0301\u0316"  # above and below a letter: in order, the one below comes first
AZ = "abcdefghijklmnopqrstuvwxyz"
WHOLE = ", as a whole page"
PAGES: dict[str, Callable[[], str]] = {
    "elements 200,000 deep": lambda: "<div>" * 200 * K + TEXT,
    "inline elements 50,000 deep": lambda: f"<article>{'<b><i>' * 25 * K}{TEXT}",
    "tables within tables": lambda: "<table><tr><td>" * 20 * K + TEXT,
    "100,000 links": lambda: TEXT + "".join(f"<a href='/{n}'>link {n}</a> " for n in range(100 * K)),
    "100,000 empty paragraphs": lambda: TEXT + "<p></p>" * 100 * K,
    "a line of 2 MB": lambda: f"<article><p>{'word ' * 400 * K}</p></article>",
    "a word of 2 MB": lambda: f"<article><p>{'x' * 2 * K * K}</p></article>",
    "20,000 paragraphs alike": lambda: f"<article>{TEXT * 4000}</article>",
    "lines that look like credits": lambda: f"<article>{TEXT}{'<p>Source: via via via (via AP) By A B via C D</p>' * 3000}</article>",
    "a credit of 300,000 names": lambda: f"<article>{TEXT}<p>Source: {'Ada Quay, ' * 30 * K}</p></article>",
    "parentheses": lambda: f"<article>{TEXT}<p>{'(' * 100 * K} — (</p></article>",
    "dashes and blanks": lambda: f"<article>{TEXT}<p>{'— - ' * 100 * K}</p><p>{' ' * 500 * K}x</p></article>",
    "quotes": lambda: f"<article>{TEXT}<p>{'“said to ” ' * 30 * K}</p></article>",
    "JSON-LD nested": lambda: f"<script type='application/ld+json'>{'[' * 100 * K}</script>{TEXT}",
    "JSON-LD objects nested": lambda: '<script type="application/ld+json">' + '{"isPartOf":' * 20 * K + "</script>" + TEXT,
    "JSON-LD of 2 MB": lambda: (
        f"<script type='application/ld+json'>{json.dumps([{'@type': 'NewsArticle', 'author': {'name': 'x' * 50}}] * 20 * K)}</script>{TEXT}"
    ),
    "50,000 meta elements": lambda: "<meta property='og:title' content='x'><link rel='canonical' href='/x'>" * 25 * K + TEXT,
    "an attribute of 2 MB": lambda: f"<div class='{'a ' * K * K}'>{TEXT}</div>",
    "comments that never close": lambda: TEXT + "<!--" * 200 * K,
    "scripts that never close": lambda: TEXT + "<script>" * 100 * K,
    "scripts with text behind each": lambda: TEXT + "<script></script>words of it words of it " * 300 * K,
    "boxes with text behind each": lambda: TEXT + "<div class=comment></div>words of it words of it " * 300 * K,
    "asides with text behind each": lambda: f"<article>{TEXT}{'<aside>x</aside>words of it ' * 300 * K}</article>",
    "forms with text behind each, below what is huge": lambda: f"<html><body>{TEXT}{'<form>x</form>words of it ' * 50 * K}</body></html>",
    "half tags": lambda: TEXT + "<" * 300 * K,
    "attributes that never close": lambda: TEXT + "<a href='" * 100 * K,
    "entities": lambda: f"<p>{'&amp;#x41;&bogus;&#99999999999;' * 50 * K}</p>{TEXT}",
    "dates": lambda: f"{TEXT}{'<time datetime=99999-99-99T99:99>9999999999999999</time>' * 5000}",
    "a select of 100,000 options": lambda: TEXT + "<select>" + "<option>x" * 100 * K,
    "direction marks and controls": lambda: "<p>" + "\u202e\x01\ufeff" * 100 * K + "</p>" + TEXT,
    "combining marks": lambda: "<p>e" + "\u0301" * 500 * K + "</p>" + TEXT,
    # trees take quadratic time for attributes, and where a tag ends cannot be told from its brackets
    "100,000 attributes behind a bracket in quotes": lambda: f"<div x='>' {' '.join(f'a{n}' for n in range(700 * K))}>{TEXT}",
    "100,000 attributes behind a comment that opens a quote": lambda: (
        f"<body><!-- <a b=\" --><div x='<' {' '.join(f'a{n}' for n in range(700 * K))}>{TEXT}"
    ),
    "tags of 10,000 attributes": lambda: f"<p {' '.join(f'a{n}' for n in range(10_000))}>" * 80 + TEXT,
    # each of these was looked into for itself, with all that it holds
    "bylines and captions around all of a page": lambda: "<div class=byline>" * 10 + "<div class=caption>" * 20 + "<br>" * 2_000 * K + TEXT,
    "tables around 150,000 cells": lambda: "<table><tr><td>" * 80 + "<td>" * K * K * 7 + TEXT,
    "cells within cells around 100,000 elements": lambda: f"<table><tr>{'<td><center>' * 100}{'<b>x</b>' * 700 * K}{TEXT}",
    "lists within lists around 20,000 lines": lambda: "<ul><li>" * 100 + f"<p>{'word ' * 20}</p>" * 140 * K,
    "a million line breaks": lambda: "<body>" + "<br>" * 7_000 * K + TEXT,
    # normalising puts marks in order one by one
    "a headline of marks out of order": lambda: f"<title>x</title><h1>e{MARKS * 600 * K}</h1>{TEXT}",
    "paragraphs of marks out of order": lambda: f"<p>e{MARKS * 120}</p>" * 70 * K + TEXT,
    # looked for one by one in all of the text
    "words that begin like agencies": lambda: f"<p>{' '.join(f'Reuters{a}{b}{c}' for a in AZ for b in AZ for c in AZ)}</p>" * 4 + TEXT,
}  # fmt: skip


async def outcomes(read: Callable[[Workers, str], Awaitable[str]], names: Iterable[str]) -> dict[str, str]:
    """What came of each input, all of them read by the same few workers, which have to survive or be replaced."""
    names = list(names)
    async with Workers(2, warm=("syndtrack.flow",)) as workers:
        found = dict(zip(names, await asyncio.gather(*(read(workers, name) for name in names)), strict=True))
        assert await workers.run(len, "still there", what="the next one") == 11
    return found


async def test_hostile_feeds_are_read_or_refused_within_bounds():
    async def read(workers: Workers, name: str) -> str:
        try:
            feed: ParsedFeed = await workers.run(parse_feed, FEEDS[name](), HERE, what=HERE)
        except RefusedError as error:
            return error.reason if error.what == HERE and len(error.reason) < 300 else f"badly told: {error}"
        check_bounds(feed)
        return "read"

    found = await outcomes(read, FEEDS)
    assert len(found) >= 60
    assert [outcome for outcome in found.values() if outcome.startswith("badly told")] == []
    assert [name for name, outcome in found.items() if outcome.startswith(("took longer", "needs more", "the process"))] == []
    assert sum(outcome == "read" for outcome in found.values()) > len(found) / 2


async def test_hostile_pages_are_read_or_refused_within_bounds():
    async def read(workers: Workers, name: str) -> str:
        # what does not begin as a whole page is read as the piece of HTML that a feed carries
        html = "<!doctype html>" + PAGES[name.removesuffix(WHOLE)]() if name.endswith(WHOLE) else PAGES[name]()
        page = Submission(url="https://hostile.example/a", first_seen=NOON, html=html)
        try:
            article: ReadArticle | Refusal = await workers.run(read_article, page, what=page.url)
        except RefusedError as error:
            return error.reason
        if isinstance(article, Refusal):
            return article.reason
        assert len(article.reading.text) <= 8 * MAX_CONTENT
        return "read"

    found = await outcomes(read, [*PAGES, *(name + WHOLE for name in PAGES)])
    assert [name for name, outcome in found.items() if outcome.startswith(("took longer", "needs more", "the process"))] == []
    assert sum(outcome == "read" for outcome in found.values()) > len(found) / 2


def check_bounds(feed: ParsedFeed) -> None:
    """Nothing that comes out is longer than it may be."""
    assert len(feed.entries) <= MAX_ENTRIES
    assert len(feed.problems) <= 100
    for entry in feed.entries:
        assert len(entry.title or "") <= MAX_TITLE
        assert len(entry.author or "") <= MAX_TITLE
        assert len(entry.guid or "") <= MAX_GUID
        assert len(entry.url or "") <= 2_000
        assert len(entry.content or "") <= 8 * MAX_CONTENT
        assert len(entry.stated) <= 20
        assert "root:" not in f"{entry.title}{entry.content}"
