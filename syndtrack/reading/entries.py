"""Feeds: from a server's bytes to entries.

RSS 0.9 to 2.0, RDF and Atom by feedparser, JSON Feed (https://www.jsonfeed.org/version/1.1/) and news sitemaps by a few lines of our
own. feedparser has inputs that keep it busy for minutes: whoever reads bytes from outside runs this where it can be killed.
"""

from __future__ import annotations

import calendar
import html
import json
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin

from feedparser.datetimes import _parse_date

from syndtrack.errors import FeedError
from syndtrack.models import Credit, Entry, FeedHints, ParsedFeed
from syndtrack.publishers import fold
from syndtrack.reading.dates import FIRST_YEAR, LAST_YEAR, parse_date
from syndtrack.reading.feed_markup import TooDeepError, read_markup
from syndtrack.reading.sitemaps import read_news, sitemap_kind
from syndtrack.urls import USER_INFO, is_http, registrable_domain

MAX_ENTRIES = 5_000
MAX_TITLE = 1_000
MAX_GUID = 2_000
MAX_CONTENT = 2_000_000
MAX_PROBLEMS = 100
MAX_STATED = 20

# Elements that titles really hold; anything else in angle brackets may be meant ("<3", "a <b> c").
_TITLE_TAGS = re.compile(r"</?(?:a|abbr|b|big|br|cite|code|em|font|h[1-6]|i|img|mark|p|q|s|small|span|strong|sub|sup|u|div)\b[^<>]*>", re.I)
# Half surrogates, which JSON can write as escapes, have no bytes: no database takes them.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
_HTML_PAGE = re.compile(rb"<!doctype\s+html|<html[\s>]", re.I)
_SKIP_HOURS = re.compile(rb"<skipHours>(.{0,2000}?)</skipHours>", re.I | re.S)
_SKIP_DAYS = re.compile(rb"<skipDays>(.{0,2000}?)</skipDays>", re.I | re.S)
_HOUR = re.compile(rb"<hour>\s{0,20}(\d{1,2})\s{0,20}</hour>", re.I)
_DAY = re.compile(rb"<day>\s{0,20}([a-z]{6,9})\s{0,20}</day>", re.I)
_TITLE_PARTS = re.compile(r"\s[|\-–—:»·/]\s|: ")
_WEEKDAYS = frozenset({"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"})
_PERIODS = {"hourly": 3_600, "daily": 86_400, "weekly": 604_800, "monthly": 2_592_000, "yearly": 31_536_000}
_TOO_MANY = f"more than {MAX_ENTRIES} entries; those beyond are left out"
_DATE_KEYS = ("published", "updated", "created")

Detail = Mapping[str, Any]


def parse_feed(body: bytes, url: str, content_type: str | None = None) -> ParsedFeed:
    """The entries of a feed, at most 5,000, in the feed's order.

    `url` is where the bytes came from, after redirects: the base of relative addresses, which do not inherit a login in it.
    `content_type` is the server's header, which may name the character set. Raises FeedError for bytes that are no feed, and nothing else.
    """
    start = body[:2_000].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not body.strip(b"\xef\xbb\xbf \t\r\n\x00"):
        raise FeedError(url, "the body is empty")
    feed: ParsedFeed | None
    try:
        if start.startswith(b"{"):
            feed = _json_feed(body, url)
        elif kind := sitemap_kind(body):
            feed = _sitemap(body, url, kind)
        else:
            feed = _xml_feed(body, USER_INFO.sub(r"\1", url), content_type)
    except FeedError:
        raise
    except TooDeepError as error:
        raise FeedError(url, str(error)) from error
    except Exception as error:
        # feedparser raises ValueError, OverflowError, LookupError and others on small broken inputs ("&#99999999999;"), and what it
        # returns from odd ones has shapes that its documentation does not know.
        raise FeedError(url, f"unreadable markup ({type(error).__name__})") from error
    if feed is None:
        is_page = _HTML_PAGE.search(body[:4_000])
        raise FeedError(url, "an HTML page, not a feed" if is_page else "neither RSS, Atom, RDF nor JSON Feed")
    return feed


def _xml_feed(body: bytes, url: str, content_type: str | None) -> ParsedFeed | None:
    """What feedparser reads; None where it finds no feed."""
    feed, raws, version, more = read_markup(body, url, content_type, MAX_ENTRIES)
    if not version and not raws:
        return None
    title, link = _plain(feed.get("title")), _address(feed.get("link"), url)
    own = _Own(url, title, link)
    problems = [f"{more}; those beyond are left out"] if more else []
    entries = [e for number, raw in enumerate(raws, 1) if (e := _entry(raw, number, own, problems))]
    hub, topic = (_address(_linked(feed, relation), url) for relation in ("hub", "self"))
    return ParsedFeed(title, link, tuple(entries), _hints(feed, body), tuple(problems[:MAX_PROBLEMS]), hub, topic)


def _linked(feed: Detail, relation: str) -> object:
    """The address of the feed's first link of that kind."""
    return next((link.get("href") for link in feed.get("links", ()) if link.get("rel") == relation), None)


def _site(url: str) -> str:
    return registrable_domain(url).removeprefix("www.")


class _Own:
    """What a feed is called and where it lives, to tell itself from a source it names."""

    def __init__(self, url: str, title: str | None, link: str | None) -> None:
        self.url = url
        self.domains = {_site(u) for u in (url, link) if u}
        self.names = {fold(t) for t in (title, *_TITLE_PARTS.split(title or "")) if t}

    def is_named(self, name: str | None, address: str | None, entry_url: str | None) -> bool:
        """Whether a stated source is this feed, its site, or the site that the entry leads to anyway."""
        if address:
            return _site(address) in self.domains | ({_site(entry_url)} if entry_url else set())
        return name is None or fold(name) in self.names


def _entry(raw: dict[str, Any], number: int, own: _Own, problems: list[str]) -> Entry | None:
    link = _address(raw.get("feedburner_origlink"), own.url) or _address(raw.get("link"), own.url)
    guid = _text(raw.get("id"), MAX_GUID)
    if guid is not None and is_http(guid):  # feedparser makes addresses of relative ids, on whatever base the feed names
        guid = USER_INFO.sub(r"\1", guid)
    if link is None and guid is None:
        problems.append(f"entry {number}: without a usable link and without an id")
        return None
    contents = [_as_html(c) for c in raw.get("content", ()) if isinstance(c, Mapping)]
    summary = _as_html(raw.get("summary_detail") or {"value": raw.get("summary")})
    return Entry(
        url=link,
        guid=guid,
        title=_plain(raw.get("title")),
        published=_date(raw, number, problems),
        summary=summary,
        content=max((c for c in (*contents, summary) if c), key=len, default=None),
        author=_plain(raw.get("author")),
        stated=tuple(_stated(raw, own, link))[:MAX_STATED],
    )


def _date(raw: dict[str, Any], number: int, problems: list[str]) -> datetime | None:
    """The first date that can be read of those the entry has; feedparser knows a few national forms besides ours."""
    unread = None
    for key in _DATE_KEYS:
        # dict.get: feedparser's own gives the date of publication for a missing update, with a warning
        stated = _text(dict.get(raw, key), 200)
        if stated is None:
            continue
        found = parse_date(stated) or _from_tuple(_parse_date(stated))
        if found is not None:
            return found
        unread = unread or stated
    if unread is not None:
        problems.append(f"entry {number}: a date nobody can read: {unread[:60]!r}")
    return None


def _from_tuple(parsed: time.struct_time | None) -> datetime | None:
    try:
        return datetime.fromtimestamp(calendar.timegm(parsed), UTC) if parsed and FIRST_YEAR <= parsed[0] <= LAST_YEAR else None
    except (ValueError, TypeError, OverflowError):
        return None


def _stated(raw: Detail, own: _Own, entry_url: str | None) -> Iterator[Credit]:
    """The sources an entry states in fields made for it."""
    for link in raw.get("links", ()):
        if link.get("rel") == "via":
            yield from _credit("atom:via", _plain(link.get("title")), link.get("href"), own, entry_url)
    source = raw.get("source")
    if isinstance(source, Mapping):
        name, rss_address = _plain(source.get("title")), source.get("href")
        is_atom = not rss_address and any(key in source for key in ("id", "links", "link", "updated"))
        address = rss_address or source.get("link") or source.get("id")
        yield from _credit("atom:source" if is_atom else "rss:source", name, address, own, entry_url)
    stated = raw.get("dc_source")
    for text in [stated] if isinstance(stated, str) else []:
        yield from _credit("dc:source", None if is_http(text.strip()) else _plain(text), text, own, entry_url)
    for credit in raw.get("media_credit", ()):
        name = _plain(credit.get("content"))
        if name:
            yield Credit("media", name, name=name, field="media:credit")


def _credit(field: str, name: str | None, address: object, own: _Own, entry_url: str | None) -> Iterator[Credit]:
    where = _address(address, own.url) if field == "atom:via" or (isinstance(address, str) and is_http(address.strip())) else None
    if (name or where) and not own.is_named(name, where, entry_url):
        yield Credit("republication", name or where or "", name=name, url=where, field=field)


def _hints(feed: Detail, body: bytes) -> FeedHints:
    ttl = _number(feed.get("ttl"))
    period = _PERIODS.get(str(feed.get("sy_updateperiod") or "").strip().lower())
    frequency = _number(feed.get("sy_updatefrequency")) or 1
    hours = {int(h) % 24 for block in _SKIP_HOURS.findall(body[:100_000]) for h in _HOUR.findall(block) if int(h) <= 24}
    days = {d.decode("ascii").capitalize() for block in _SKIP_DAYS.findall(body[:100_000]) for d in _DAY.findall(block)}
    return FeedHints(ttl, frozenset(hours), frozenset(days) & _WEEKDAYS, max(1, period // frequency) if period else None)


def _number(stated: object) -> int | None:
    text = str(stated or "").strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 9 and int(text) > 0 else None


def _json_feed(body: bytes, url: str) -> ParsedFeed:
    try:
        feed = json.loads(body.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError) as error:
        raise FeedError(url, "broken JSON") from error
    if (
        not isinstance(feed, dict)
        or "jsonfeed.org/version" not in str(feed.get("version"))[:200]
        or not isinstance(feed.get("items"), list)
    ):
        raise FeedError(url, "JSON, but no JSON Feed")
    items = feed["items"]
    problems = [_TOO_MANY] if len(items) > MAX_ENTRIES else []
    own = _Own(url, _plain(feed.get("title")), _address(feed.get("home_page_url"), url))
    raws = ((n, _from_json_item(i)) for n, i in enumerate(items[:MAX_ENTRIES], 1) if isinstance(i, dict))
    entries = [e for number, raw in raws if (e := _entry(raw, number, own, problems))]
    title, link = _plain(feed.get("title")), _address(feed.get("home_page_url"), url)
    hub, topic = _address(_json_hub(feed.get("hubs")), url), _address(feed.get("feed_url"), url)
    return ParsedFeed(title, link, tuple(entries), FeedHints(), tuple(problems[:MAX_PROBLEMS]), hub, topic)


def _json_hub(hubs: object) -> object:
    """The address of the first hub that speaks WebSub (JSON Feed 1.1, `hubs`)."""
    for hub in hubs[:MAX_STATED] if isinstance(hubs, list) else []:
        if isinstance(hub, dict) and hub.get("type") == "WebSub":
            return hub.get("url")
    return None


def _sitemap(body: bytes, url: str, kind: str) -> ParsedFeed:
    if kind == "sitemapindex":
        raise FeedError(url, "a list of sitemaps; subscribe to those of news in it, or let `syndtrack add --discover` find them")
    articles, more = read_news(body, MAX_ENTRIES)
    if not articles and b"news" not in body[:4_000]:  # the namespace is declared where there is no news just now
        raise FeedError(url, "a sitemap of pages, not of news")
    title = _plain(next((name for article in articles if (name := article.get("name"))), None))
    own, problems = _Own(url, title, None), [_TOO_MANY] if more else []
    raws = [{"link": a.get("loc"), "title": a.get("title"), "published": a.get("publication_date")} for a in articles]
    entries = [e for number, raw in enumerate(raws, 1) if (e := _entry(raw, number, own, problems))]
    return ParsedFeed(title, None, tuple(entries), FeedHints(), tuple(problems[:MAX_PROBLEMS]))


def _from_json_item(item: dict[str, Any]) -> dict[str, Any]:
    """A JSON Feed item under feedparser's names."""
    authors = item.get("authors") if isinstance(item.get("authors"), list) else [item.get("author")]
    names = [a["name"] for a in authors or () if isinstance(a, dict) and isinstance(a.get("name"), str)]
    contents = [("text/html", item.get("content_html")), ("text/plain", item.get("content_text"))]
    return {
        "link": item.get("url"),
        "id": str(item["id"]) if isinstance(item.get("id"), str | int) else None,
        "title": item.get("title"),
        "published": item.get("date_published"),
        "updated": item.get("date_modified"),
        "summary_detail": {"type": "text/plain", "value": item.get("summary")},
        "content": [{"type": kind, "value": value} for kind, value in contents],
        "author": ", ".join(names),
    }


def _text(stated: object, longest: int) -> str | None:
    """White space squeezed, control characters and half surrogates dropped, cut to a length; None for nothing."""
    if not isinstance(stated, str):
        return None
    return " ".join(_CONTROL.sub("", stated[: 4 * longest]).split())[:longest] or None


def _plain(stated: object) -> str | None:
    """A title or name as plain text: entities decoded (feeds often escape them twice), the usual inline elements dropped."""
    if not isinstance(stated, str):
        return None
    return _text(html.unescape(_TITLE_TAGS.sub("", html.unescape(stated[: 8 * MAX_TITLE]))), MAX_TITLE)


def _address(stated: object, base: str) -> str | None:
    """An absolute http(s) address without user and password; None for anything else, or for one that is too long to be kept."""
    if not isinstance(stated, str) or not stated.strip():
        return None
    try:
        joined = urljoin(USER_INFO.sub(r"\1", base), re.sub(r"[\t\r\n]", "", stated.strip()).replace(" ", "%20"))
    except ValueError:
        return None
    absolute = USER_INFO.sub(r"\1", joined)
    return absolute if is_http(absolute) else None


def _as_html(detail: Detail) -> str | None:
    """A body as HTML; plain text becomes paragraphs."""
    value = detail.get("value")
    if not isinstance(value, str) or not value.strip():
        return None
    value = _CONTROL.sub("", value[:MAX_CONTENT])
    return "".join(_paragraphs(value.splitlines())) if detail.get("type") == "text/plain" else value


def _paragraphs(lines: Iterable[str]) -> Iterator[str]:
    return (f"<p>{html.escape(line, quote=False)}</p>" for line in lines if line.strip())
