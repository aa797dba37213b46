"""News sitemaps as feeds."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from syndtrack.errors import FeedError
from syndtrack.reading.entries import MAX_ENTRIES, parse_feed
from syndtrack.reading.sitemaps import read_index

HERE = "https://paper.example/sitemap-news.xml"
NAMESPACES = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"'
PICTURE = '<i:image xmlns:i="http://www.google.com/schemas/sitemap-image/1.1"><i:loc>https://cdn.example/1.jpg</i:loc><i:title>No</i:title></i:image>'


def article(number: int, title: str = "Ferry runs aground", date: str = "2021-06-05T14:03:02+02:00", more: str = "") -> str:
    return (
        f"<url>{more}<loc>https://paper.example/{number}</loc><lastmod>2021-06-06</lastmod><news:news><news:publication><news:name>Harbour "
        f"Paper</news:name><news:language>en</news:language></news:publication><news:publication_date>{date}</news:publication_date>"
        f"<news:title>{title}</news:title><news:keywords>ferry</news:keywords></news:news></url>"
    )


def urlset(*urls: str, namespaces: str = NAMESPACES) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<!-- made by hand -->\n<urlset {namespaces}>{"".join(urls)}</urlset>'.encode()


def index(*children: str) -> bytes:
    sitemaps = "".join(f"<sitemap>{child}</sitemap>" for child in children)
    return f'<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{sitemaps}</sitemapindex>'.encode()


def test_an_article_of_a_news_sitemap_becomes_an_entry():
    feed = parse_feed(urlset(article(1, "Ferry &amp; crew <![CDATA[<b>safe</b>]]>", more=PICTURE)), HERE)
    (entry,) = feed.entries
    assert (feed.title, feed.link, feed.problems) == ("Harbour Paper", None, ())
    assert (entry.url, entry.guid, entry.title) == ("https://paper.example/1", None, "Ferry & crew safe")
    assert entry.published == datetime(2021, 6, 5, 12, 3, 2, tzinfo=UTC)
    assert (entry.summary, entry.content, entry.author, entry.stated) == (None, None, None, ())


def test_pages_without_news_are_left_out():
    pages = "<url><loc>https://paper.example/about</loc></url>"
    assert [e.url for e in parse_feed(urlset(pages, article(2), pages), HERE).entries] == ["https://paper.example/2"]


def test_a_sitemap_of_pages_only_is_refused():
    plain = urlset("<url><loc>https://paper.example/about</loc></url>", namespaces='xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"')
    with pytest.raises(FeedError, match="a sitemap of pages, not of news"):
        parse_feed(plain, HERE)


def test_a_news_sitemap_without_news_just_now_is_an_empty_feed():
    assert parse_feed(urlset(), HERE).entries == ()


def test_a_list_of_sitemaps_is_refused_with_the_next_step():
    with pytest.raises(FeedError, match="add --discover"):
        parse_feed(index("<loc>https://paper.example/a.xml</loc>"), HERE)


@pytest.mark.parametrize(
    "body",
    [
        urlset(article(1)).replace(b"news:", b"n:").replace(b"xmlns:news", b"xmlns:n"),
        urlset(article(1), namespaces='xmlns:news="urn:wrong"'),
        urlset(article(1)).removesuffix(b"</urlset>"),
        urlset(article(1), "<url><loc>https://paper.example/cut</loc><news:new").removesuffix(b"</urlset>"),
        urlset(article(1, "Fish & chips")),
        b"\xef\xbb\xbf" + urlset(article(1)),
        urlset(article(1)).decode().replace("UTF-8", "UTF-16").encode("utf-16"),
    ],
    ids=["other prefix", "wrong namespace", "no end", "cut off", "bare ampersand", "byte order mark", "utf-16"],
)
def test_damaged_and_odd_sitemaps_still_give_their_articles(body):
    assert [e.url for e in parse_feed(body, HERE).entries] == ["https://paper.example/1"]


def test_dates_nobody_can_read_are_named_and_addresses_are_checked():
    bad = article(1).replace("https://paper.example/1", "javascript:alert(1)")
    feed = parse_feed(urlset(bad, article(2, date="soon")), HERE)
    assert [(e.url, e.published) for e in feed.entries] == [("https://paper.example/2", None)]
    assert feed.problems == ("entry 1: without a usable link and without an id", "entry 2: a date nobody can read: 'soon'")


def test_the_number_of_articles_is_bounded():
    feed = parse_feed(urlset(*(article(n) for n in range(MAX_ENTRIES + 5))), HERE)
    assert len(feed.entries) == MAX_ENTRIES
    assert feed.problems == (f"more than {MAX_ENTRIES} entries; those beyond are left out",)


def test_entities_are_not_expanded_and_nothing_is_opened(tmp_path):
    (tmp_path / "secret").write_text("hunter2")
    bomb = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    doctype = f'<!DOCTYPE urlset [<!ENTITY e0 "aaaaaaaaaa">{bomb}<!ENTITY file SYSTEM "file://{tmp_path}/secret">]>'
    (entry,) = parse_feed(doctype.encode() + urlset(article(1, "Ferry &e11;&file;")).split(b"?>", 1)[1], HERE).entries
    assert len(entry.title or "") < 100
    assert "hunter2" not in (entry.title or "")


def test_the_sitemaps_of_a_list_come_the_last_changed_first():
    body = index(
        "<loc>https://paper.example/old.xml</loc><lastmod>2020-01-01</lastmod>",
        "<loc> https://paper.example/new.xml </loc><lastmod>2021-01-01T10:00:00Z</lastmod>",
        "<loc>https://paper.example/undated.xml</loc>",
        "<lastmod>2022-01-01</lastmod>",
    )
    assert [u.rpartition("/")[2] for u in read_index(body)] == ["new.xml", "old.xml", "undated.xml"]
