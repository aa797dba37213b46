"""From a site's address to its feeds."""

from __future__ import annotations

import pytest
from polling_rig import Clock, make_fetcher, rss
from scripted_server import Reply, ScriptedServer

from syndtrack.errors import FeedError
from syndtrack.polling.discovery import discover, feed_links
from syndtrack.polling.workers import Workers
from syndtrack.reading.markup import MAX_ELEMENTS

SITE = "https://paper.example/news/"


def page(*links: str) -> str:
    return f"<!doctype html><html><head>{''.join(links)}</head><body>News</body></html>"


def link(href: str, kind: str = "application/rss+xml", rel: str = "alternate", title: str = "") -> str:
    return f'<link rel="{rel}" type="{kind}" title="{title}" href="{href}">'


@pytest.mark.parametrize(("links", "feeds"), [
    ([link("/feed")], ["https://paper.example/feed"]),
    ([link("feed.xml", "application/atom+xml")], ["https://paper.example/news/feed.xml"]),
    ([link("//b.example/f", "application/feed+json; charset=utf-8", "ALTERNATE home")], ["https://b.example/f"]),
    ([link("/a"), link("/b"), link("/a")], ["https://paper.example/a", "https://paper.example/b"]),
    (['<base href="https://cdn.example/x/">', link("f")], ["https://cdn.example/x/f"]),
    ([link("/de", "text/html")], []),
    ([link("/style", "text/xml", "stylesheet")], []),
    ([link("/comments/feed/"), link("/x", title="Paper &raquo; Comments Feed")], []),
    ([link("javascript:alert(1)"), link("http://["), link("")], []),
    ([link("/f", "", "feed")], ["https://paper.example/f"]),
    ([f'<base href="https://cdn.example/{"x/" * 1_000}">', link("f")], ["https://paper.example/news/f"]),
    ([link(f"/{n}") for n in range(30)], [f"https://paper.example/{n}" for n in range(20)]),
    (["<meta>" * MAX_ELEMENTS, link("/f")], []),
])  # fmt: skip
def test_announced_feeds_are_found(links, feeds):
    assert feed_links(page(*links), SITE) == feeds


@pytest.mark.parametrize(
    "text", ["", "   ", "\x00", "<", "<!-- only a comment -->", "plain words", "<?xml version='1.0' encoding='x'?><a/>"]
)
def test_what_is_hardly_a_page_announces_nothing(text):
    assert feed_links(text, SITE) == []


async def test_a_site_leads_to_its_feeds_and_a_feed_to_itself():
    async with ScriptedServer() as server, make_fetcher(Clock()) as fetcher, Workers(1) as workers:
        server.pages |= {
            "/": Reply(page(link("/feed")).encode()),
            "/feed": Reply(rss()),
            "/moved": Reply(status="301 Moved", headers=(("Location", "/feed"),)),
            "/none": Reply(b"<p>Nothing here"),
        }
        assert await discover(server.url("/"), fetcher, workers) == [server.url("/feed")]
        assert await discover(server.url("/feed"), fetcher, workers) == [server.url("/feed")]
        assert await discover(server.url("/moved"), fetcher, workers) == [server.url("/moved")]
        with pytest.raises(FeedError, match="is no feed and announces none"):
            await discover(server.url("/none"), fetcher, workers)
        with pytest.raises(FeedError, match="404 Not Found"):
            await discover(server.url("/missing"), fetcher, workers)


def sitemap(*links: str) -> bytes:
    articles = "".join(f"<url><loc>{link}</loc><news:news><news:title>T</news:title></news:news></url>" for link in links)
    return f"<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9' xmlns:news='urn:news'>{articles}</urlset>".encode()


def sitemap_list(*links: str) -> bytes:
    return f"<sitemapindex>{''.join(f'<sitemap><loc>{link}</loc></sitemap>' for link in links)}</sitemapindex>".encode()


async def test_a_site_without_feeds_leads_to_the_news_sitemap_of_its_robots_txt():
    async with ScriptedServer() as server, make_fetcher(Clock()) as fetcher, Workers(1) as workers:
        named = [server.url("/sitemap.xml"), server.url("/news-sitemap.xml"), server.url("/news/missing.xml"), "ftp://x.example/news"]
        server.pages |= {
            "/": Reply(b"<p>Only words"),
            "/robots.txt": Reply("".join(f"Sitemap: {address}\n" for address in named).encode()),
            "/news-sitemap.xml": Reply(sitemap("https://paper.example/1")),
        }
        assert await discover(server.url("/"), fetcher, workers) == [server.url("/news-sitemap.xml")]
        assert "/sitemap.xml" not in server.paths()


async def test_a_list_of_sitemaps_leads_to_those_of_news():
    async with ScriptedServer() as server, make_fetcher(Clock()) as fetcher, Workers(1) as workers:
        server.pages |= {
            "/index.xml": Reply(sitemap_list(server.url("/pages.xml"), server.url("/news-1.xml"), server.url("/news-list.xml"))),
            "/news-1.xml": Reply(sitemap("https://paper.example/1")),
            "/news-list.xml": Reply(sitemap_list(server.url("/deep.xml"), server.url("/news-list.xml"))),
            "/deep.xml": Reply(sitemap("https://paper.example/2")),
            "/none.xml": Reply(sitemap_list(server.url("/pages.xml"))),
        }
        found = await discover(server.url("/index.xml"), fetcher, workers)
        assert found == [server.url("/news-1.xml"), server.url("/deep.xml")]
        assert len(server.asked) == 5
        with pytest.raises(FeedError, match="announces none"):
            await discover(server.url("/none.xml"), fetcher, workers)
