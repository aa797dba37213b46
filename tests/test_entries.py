"""Feeds: bytes into entries."""

from __future__ import annotations

import io
import json
import re
from datetime import UTC, datetime

import feedparser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syndtrack.errors import FeedError
from syndtrack.models import Credit, ParsedFeed
from syndtrack.reading import entries
from syndtrack.reading.entries import MAX_ENTRIES, MAX_GUID, MAX_TITLE, parse_feed
from syndtrack.reading.feed_markup import read_markup

HERE = "https://paper.example/news/feed.xml"


def rss(items: str, channel: str = "", encoding: str = "utf-8") -> bytes:
    head = f'<?xml version="1.0" encoding="{encoding}"?>'
    spaces = "".join(
        f' xmlns:{prefix}="{uri}"'
        for prefix, uri in {
            "content": "http://purl.org/rss/1.0/modules/content/",
            "dc": "http://purl.org/dc/elements/1.1/",
            "media": "http://search.yahoo.com/mrss/",
            "sy": "http://purl.org/rss/1.0/modules/syndication/",
        }.items()
    )
    text = f"{head}<rss version='2.0'{spaces}><channel><title>Harbour Paper</title><link>https://paper.example/</link>{channel}{items}</channel></rss>"
    return text.encode(encoding)


def atom(entries: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom"><title>Harbour Paper</title>'
        f'<link href="https://paper.example/"/><id>urn:paper</id><updated>2021-06-05T10:00:00Z</updated>{entries}</feed>'
    ).encode()


def read(body: bytes) -> ParsedFeed:
    return parse_feed(body, HERE)


def stated(body: bytes) -> tuple[Credit, ...]:
    return read(body).entries[0].stated


def test_an_rss_item_becomes_an_entry():
    feed = read(
        rss(
            "<item><title>Ferry runs aground</title><link>https://paper.example/ferry</link><guid isPermaLink='false'>n-17</guid>"
            "<pubDate>Sat, 05 Jun 2021 14:03:02 +0200</pubDate><dc:creator>Ada Quay</dc:creator><description>In short.</description>"
            "<content:encoded><![CDATA[<p>The whole story of the ferry, at length.</p>]]></content:encoded></item>"
        )
    )
    (entry,) = feed.entries
    assert (feed.title, feed.link, feed.problems) == ("Harbour Paper", "https://paper.example/", ())
    assert (entry.url, entry.guid, entry.title) == ("https://paper.example/ferry", "n-17", "Ferry runs aground")
    assert entry.published == datetime(2021, 6, 5, 12, 3, 2, tzinfo=UTC)
    assert (entry.summary, entry.content) == ("In short.", "<p>The whole story of the ferry, at length.</p>")
    assert entry.author == "Ada Quay"


def test_an_atom_entry_becomes_an_entry():
    (entry,) = read(
        atom(
            "<entry><title type='html'>Ferry &amp;amp; crew &lt;b&gt;safe&lt;/b&gt;</title><id>urn:1</id><link href='../ferry'/>"
            "<updated>2021-06-05T14:00:00Z</updated><content type='html'>&lt;p&gt;Text.&lt;/p&gt;</content></entry>"
        )
    ).entries
    assert (entry.url, entry.guid, entry.title) == ("https://paper.example/ferry", "urn:1", "Ferry & crew safe")
    assert entry.published == datetime(2021, 6, 5, 14, tzinfo=UTC)
    assert entry.content == "<p>Text.</p>"


def test_rdf_and_old_rss_are_feeds():
    rdf = (
        b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"><channel><title>Old</title></channel>'
        b'<item rdf:about="https://old.example/1"><title>One</title><link>https://old.example/1</link></item></rdf:RDF>'
    )
    old = (
        b"<rss version='0.91'><channel><title>Old</title><item><title>One</title><link>https://old.example/1</link></item></channel></rss>"
    )
    assert [e.url for body in (rdf, old) for e in read(body).entries] == ["https://old.example/1"] * 2


def test_a_json_feed_becomes_entries_too():
    body = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "Harbour Paper",
        "home_page_url": "https://paper.example/",
        "items": [
            {"id": 7, "url": "/a", "title": "A", "content_html": "<p>A text.</p>", "date_published": "2021-06-05T14:00:00+02:00"},
            {"id": "8", "url": "/b", "content_text": "One <line>\nand two", "authors": [{"name": "Ada"}, {"name": "Ben"}]},
            {"title": "neither address nor id"},
            "not an item",
        ],
    }
    feed = read(b"\xef\xbb\xbf" + json.dumps(body).encode())
    assert [(e.guid, e.url) for e in feed.entries] == [("7", "https://paper.example/a"), ("8", "https://paper.example/b")]
    assert feed.entries[0].published == datetime(2021, 6, 5, 12, tzinfo=UTC)
    assert feed.entries[1].content == "<p>One &lt;line&gt;</p><p>and two</p>"
    assert feed.entries[1].author == "Ada, Ben"
    assert len(feed.problems) == 1


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "the body is empty"),
        (b" \r\n\t ", "the body is empty"),
        (b"<!DOCTYPE html><html><head><title>Not found</title></head><body><p>Nothing.</p></body></html>", "an HTML page, not a feed"),
        (b"just some words", "neither RSS, Atom, RDF nor JSON Feed"),
        (bytes(range(256)) * 4, "neither RSS, Atom, RDF nor JSON Feed"),
        (b'{"error": "no"}', "JSON, but no JSON Feed"),
        (b'{"version": "https://jsonfeed.org/version/1", "items": ', "broken JSON"),
        (b"{" * 100_000, "broken JSON"),
        (b'{"version": ' + b"[" * 100_000, "broken JSON"),
    ],
)
def test_what_is_no_feed_is_refused_with_the_reason(body: bytes, reason: str):
    with pytest.raises(FeedError) as refused:
        read(body)
    assert (refused.value.what, refused.value.reason) == (HERE, reason)


def test_a_body_that_looks_like_a_path_is_never_opened(tmp_path):
    file = tmp_path / "feed.xml"
    file.write_bytes(rss("<item><title>Secret</title><link>https://paper.example/secret</link></item>"))
    with pytest.raises(FeedError):
        read(str(file).encode())


def test_a_character_that_does_not_exist_is_a_refusal_and_no_crash():
    with pytest.raises(FeedError, match="unreadable markup"):
        read(b"<rss><channel><item><title>&#99999999999;</title></item></channel></rss>")


def test_a_windows_1252_feed_keeps_its_quotes_and_umlauts():
    body = rss("<item><title>Die „Fähre“ läuft auf – Grund</title><link>https://paper.example/f</link></item>", encoding="windows-1252")
    assert read(body).entries[0].title == "Die „Fähre“ läuft auf – Grund"


def test_the_server_may_name_the_character_set():
    body = rss("<item><title>Паром сел на мель</title><link>https://paper.example/f</link></item>", encoding="koi8-r")
    bare = body.split(b"?>", 1)[1]
    assert parse_feed(bare, HERE, "application/rss+xml; charset=koi8-r").entries[0].title == "Паром сел на мель"


def test_an_entry_without_link_and_id_is_left_out_and_named():
    feed = read(rss("<item><title>No way there</title></item><item><link>https://paper.example/2</link></item>"))
    assert [e.url for e in feed.entries] == ["https://paper.example/2"]
    assert feed.problems == ("entry 1: without a usable link and without an id",)


def test_an_entry_with_an_id_only_has_no_address():
    (entry,) = read(rss("<item><guid isPermaLink='false'>n-1</guid><link>javascript:alert(1)</link></item>")).entries
    assert (entry.url, entry.guid) == (None, "n-1")


def test_a_date_nobody_can_read_is_none_and_named():
    feed = read(rss("<item><link>https://paper.example/1</link><pubDate>some day soon</pubDate></item>"))
    assert feed.entries[0].published is None
    assert feed.problems == ("entry 1: a date nobody can read: 'some day soon'",)


def test_a_date_nobody_can_read_gives_way_to_the_next_one():
    feed = read(atom("<entry><id>u</id><published>soon</published><updated>2021-06-05T14:00:00Z</updated></entry>"))
    assert feed.entries[0].published == datetime(2021, 6, 5, 14, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("AT&amp;amp;T buys &amp;quot;Ferry&amp;quot;", 'AT&T buys "Ferry"'),
        ("<![CDATA[<b>Storm</b> hits <i>coast</i>]]>", "Storm hits coast"),
        ("Profit &lt; 3 % but &gt; 2 %", "Profit < 3 % but > 2 %"),
        ("  Two\n   lines ", "Two lines"),
    ],
)
def test_titles_are_plain_text(written: str, shown: str):
    assert read(rss(f"<item><title>{written}</title><link>https://paper.example/1</link></item>")).entries[0].title == shown


def test_lengths_and_numbers_are_bounded():
    long = "x" * 10_000
    items = f"<item><title>{long}</title><guid isPermaLink='false'>{long}</guid><link>https://paper.example/{long}</link></item>"
    feed = read(rss(items + "<item><link>https://paper.example/1</link></item>" * (MAX_ENTRIES + 3)))
    first = feed.entries[0]
    assert (len(first.title or ""), len(first.guid or ""), first.url) == (MAX_TITLE, MAX_GUID, None)
    assert len(feed.entries) == MAX_ENTRIES
    assert feed.problems == (f"more than {MAX_ENTRIES} entries; those beyond are left out",)


def test_the_address_behind_a_feed_proxy_is_taken():
    body = rss("<item><link>https://proxy.example/~r/1</link></item>").replace(
        b"<item>",
        b'<item><f:origLink xmlns:f="http://rssnamespace.org/feedburner/ext/1.0">https://paper.example/real</f:origLink>',
    )
    assert read(body).entries[0].url == "https://paper.example/real"


LOGIN = "http://user:s3cret@paper.example/news/feed.xml"


@pytest.mark.parametrize(
    "body",
    [
        rss("<item><link>/ferry</link><guid>/ferry</guid><source url='http://ada:pw@wire.example/rss'>Coast Wire</source></item>"),
        rss("<item><link>http://user:s3cret@paper.example/ferry</link></item>"),
        atom("<entry><id>u</id><link href='../ferry'/><link rel='via' href='/via'/><content>x</content></entry>"),
        atom("<entry xml:base='http://user:s3cret@paper.example/'><id>u</id><link href='ferry'/></entry>"),
        json.dumps({"version": "https://jsonfeed.org/version/1", "home_page_url": "/", "items": [{"id": "1", "url": "/ferry"}]}).encode(),
    ],
)
def test_what_a_feed_behind_a_login_says_never_holds_the_login(body: bytes):
    feed = parse_feed(body, LOGIN)
    assert feed.entries[0].url in ("http://paper.example/ferry", "https://paper.example/ferry")
    assert "s3cret" not in repr(feed)
    assert "@" not in repr(feed)


def test_half_surrogates_are_dropped_from_everything_a_feed_says():
    odd = dict.fromkeys(("title", "id", "summary", "content_text", "content_html", "date_published"), "a\ud800b")
    odd |= {"url": "/a\ud800", "authors": [{"name": "Ada\udfff"}]}
    body = {"version": "https://jsonfeed.org/version/1.1", "title": "Harbour\ud800", "items": [odd]}
    feed = read(json.dumps(body).encode())
    (entry,) = feed.entries
    assert (feed.title, entry.title, entry.guid, entry.summary, entry.content) == ("Harbour", "ab", "ab", "<p>ab</p>", "<p>ab</p>")
    assert (entry.url, entry.author) == (None, "Ada")
    for text in (entry.title, entry.guid, entry.summary, entry.content, entry.author, feed.title, *feed.problems):
        (text or "").encode()


def test_a_feed_that_the_reader_makes_odd_shapes_of_is_a_refusal_and_no_crash(monkeypatch):
    monkeypatch.setattr(entries, "read_markup", lambda *_: ({}, [{"id": "1", "links": [None]}], "rss20", False))
    with pytest.raises(FeedError, match="unreadable markup"):
        read(b"<rss/>")


def test_a_via_link_is_a_credit():
    body = atom("<entry><id>u</id><link href='/1'/><link rel='via' title='Coast Wire' href='https://wire.example/7'/></entry>")
    assert stated(body) == (Credit("republication", "Coast Wire", name="Coast Wire", url="https://wire.example/7", field="atom:via"),)


def test_the_feed_that_an_atom_entry_was_taken_from_is_a_credit():
    body = atom(
        "<entry><id>u</id><link href='/1'/><source><title>Coast Wire</title><id>https://wire.example/feed</id>"
        "<link href='https://wire.example/'/></source></entry>"
    )
    assert stated(body) == (Credit("republication", "Coast Wire", name="Coast Wire", url="https://wire.example/", field="atom:source"),)


def test_an_rss_source_is_a_credit():
    body = rss("<item><link>https://paper.example/1</link><source url='https://wire.example/rss'>Coast Wire</source></item>")
    assert stated(body) == (Credit("republication", "Coast Wire", name="Coast Wire", url="https://wire.example/rss", field="rss:source"),)


@pytest.mark.parametrize(
    "source",
    [
        "<source url='https://paper.example/rss'>Harbour Paper</source>",
        "<source>Harbour Paper</source>",
        "<source url='https://www.paper.example/other'>Desk</source>",
        "<source/>",
        "<dc:source>https://paper.example/print/1</dc:source>",
    ],
)
def test_a_source_that_names_the_feed_itself_is_none(source: str):
    assert stated(rss(f"<item><link>https://paper.example/1</link>{source}</item>")) == ()


def test_a_source_that_names_the_site_the_entry_leads_to_is_none():
    body = rss("<item><link>https://wire.example/1</link><source url='https://wire.example'>Coast Wire</source></item>")
    assert stated(body) == ()


def test_dublin_core_and_media_credits_are_kept_with_their_field():
    body = rss(
        "<item><link>https://paper.example/1</link><dc:source>Coast Wire</dc:source><media:content url='https://paper.example/1.jpg'>"
        "<media:credit role='photographer'>Ben Pier / Lens Agency</media:credit></media:content></item>"
    )
    assert [(c.kind, c.name, c.field) for c in stated(body)] == [
        ("republication", "Coast Wire", "dc:source"),
        ("media", "Ben Pier / Lens Agency", "media:credit"),
    ]


def test_hints_when_to_come_back():
    channel = (
        "<ttl>90</ttl><skipHours><hour>0</hour><hour> 23 </hour><hour>77</hour></skipHours>"
        "<skipDays><day>Sunday</day><day>Someday</day></skipDays>"
        "<sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>4</sy:updateFrequency>"
    )
    hints = read(rss("", channel)).hints
    assert (hints.ttl, hints.skip_hours, hints.skip_days, hints.update_seconds) == (90, {0, 23}, {"Sunday"}, 21_600)


def test_nonsense_hints_are_none():
    hints = read(rss("", "<ttl>-5</ttl><sy:updatePeriod>now and then</sy:updatePeriod>")).hints
    assert (hints.ttl, hints.skip_hours, hints.skip_days, hints.update_seconds) == (None, frozenset(), frozenset(), None)


XHTML = "xmlns='http://www.w3.org/1999/xhtml'"
SVG = "xmlns='http://www.w3.org/2000/svg'"
KINDS_OF_MARKUP = {
    "escaped": rss("<item><title>A &amp;lt;b> c</title><link>/a?x=1&amp;y=2</link><description>&lt;p>One&lt;/p></description></item>"),
    "cdata": rss("<item><title><![CDATA[A <i>b</i>]]></title><link><![CDATA[https://paper.example/a]]></link></item>"),
    "permalink": rss("<item><title>A</title><guid>https://paper.example/a</guid></item><item><guid isPermaLink='false'>b</guid></item>"),
    "two bodies": rss("<item><link>/a</link><description>Short</description><content:encoded>&lt;p>Long&lt;/p></content:encoded></item>"),
    "two descriptions": rss("<item><link>/a</link><description>One</description><description>Two</description></item>"),
    "titles within": rss("<item><title>Own</title><link>/a</link><media:group><media:title>Picture</media:title></media:group></item>"),
    "picture's title first": rss("<item><link>/a</link><media:title>Picture</media:title><title>Own</title></item>"),
    "channel's image": rss("<item><link>/a</link></item>", "<image><title>Logo</title><link>/logo</link><url>/l.png</url></image>"),
    "textinput": rss("<item><link>/a</link></item>", "<textInput><title>Search</title><name>q</name><link>/s</link></textInput>"),
    "item's image": rss("<item><image><link>/pic</link></image><title>A</title><link>/a</link></item>"),
    "categories": rss("<item><category>x</category><title>A</title><category domain='d'>y</category><link>/a</link></item>"),
    "dublin core": rss("<item><dc:title>A</dc:title><dc:creator>Ada Quay</dc:creator><link>/a</link><dc:date>2021-06-05</dc:date></item>"),
    "author with address": rss("<item><link>/a</link><author>ada@paper.example (Ada Quay)</author></item>"),
    "source": rss("<item><source url='https://wire.example/'>Wire</source><title>A</title><link>/a</link></item>"),
    "windows' quotes": rss("<item><title>&#145;A&#146; \u00c3\u00a9</title><link>/a</link></item>"),
    "unknown elements": rss(
        "<item><x>1</x><unknown/><y z='2'>3</y><title>A<b>c</b></title><link>/a</link><z:q xmlns:z='urn:z'>4</z:q></item>"
    ),
    "base": atom("<entry xml:base='https://other.example/d/'><id>x</id><link href='a'/></entry><entry><id>y</id><link href='b'/></entry>"),
    "alternates": atom(
        "<entry><id>x</id><link rel='enclosure' href='/e'/><link type='text/html' href='/a'/><link rel='self' href='/s'/></entry>"
    ),
    "xhtml": atom(f"<entry><id>x</id><title type='xhtml'><div {XHTML}>A <i>b</i> &amp; c</div></title><link href='/a'/></entry>"),
    "xhtml content": atom(f"<entry><id>x</id><content type='xhtml'><div {XHTML}><p>One</p><br/><p a='b'>Two</p></div></content></entry>"),
    "markup that calls itself escaped": atom(
        "<entry><id>x</id><content type='html'><div><p>One</p></div></content><link href='/a'/></entry>"
    ),
    "drawing": atom(
        f"<entry><id>x</id><content type='xhtml'><div {XHTML}><svg {SVG}><title>t</title></svg></div></content><title>A</title></entry>"
    ),
    "base64": atom("<entry><id>x</id><content type='application/octet-stream'>SGFyYm91cg==</content><link href='/a'/></entry>"),
    "source with title": atom(
        "<entry><id>x</id><source><id>s</id><title>Wire</title><updated>2020-01-01</updated></source><title>A</title></entry>"
    ),
    "dates": atom("<entry><id>x</id><updated>2021-06-05T10:00:00Z</updated><published>2021-06-04T10:00:00Z</published></entry>"),
    "own entity": b"<!DOCTYPE rss [\n<!ENTITY nbsp '&#160;'>\n<!ENTITY q \"&#8220;\">\n]>"
    + rss("<item><title>A&q;b</title><link>/a</link></item>"),
    "no namespace": b"<feed><title>F</title><entry><id>x</id><title>A</title><link href='/a'/></entry></feed>",
    "broken ampersand": rss("<item><title>AT&T & Co &nbsp; x</title><link>https://paper.example/a?x=1&y=2</link></item>"),
    "broken nesting": rss("<item><title>A<link>/a</link></title><description>B</item><item><title>C</title><link>/c</link></item>"),
    "cut off": rss("<item><title>A</title><link>/a</link></item><item><title>B</title><link>/b</li"),
    "unclosed elements": rss("<item><enclosure url='x'><category>y<title>A</title><link>/a</link></item>"),
    "broken xhtml": atom("<entry><id>x</id><content type='xhtml'><div><p>One<br>Two</p></div></content><title>A &copy; b</title></entry>"),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS_OF_MARKUP)
def test_entries_are_those_that_feedparser_finds(kind: str):
    body = KINDS_OF_MARKUP[kind]
    headers = {"content-location": HERE}
    expected = feedparser.parse(io.BytesIO(body), response_headers=headers, sanitize_html=False, resolve_relative_uris=False)
    feed, found, version, more = read_markup(body, HERE, None, MAX_ENTRIES)
    assert (version, more) == (expected.version, "")
    for name in ("title", "link", "ttl"):
        assert feed.get(name) == expected.feed.get(name)
    assert len(found) == len(expected.entries) > 0
    for ours, theirs in zip(found, expected.entries, strict=True):
        for name in ("id", "link", "title", "published", "updated", "summary", "author", "dc_source", "media_credit"):
            assert _stripped(dict.get(ours, name)) == _stripped(dict.get(theirs, name)), name
        for name in ("content", "source", "summary_detail"):
            assert _stripped(dict.get(ours, name)) == _stripped(dict.get(theirs, name)), name


def _stripped(value):
    """What feedparser has of a field without what nobody reads: languages, parsed dates, attributes that name a namespace."""
    if isinstance(value, dict):
        return {
            k: _stripped(v) for k, v in value.items() if k not in ("language", "links", "base64") and not k.endswith(("_detail", "_parsed"))
        }
    if isinstance(value, list):
        return [_stripped(each) for each in value]
    return re.sub(r' xmlns="[^"]*"', "", value) if isinstance(value, str) else value


def test_elements_nested_beyond_measure_are_a_refusal():
    with pytest.raises(FeedError, match="nested deeper than 1000"):
        read(rss("<item>" + "<a>" * 5_000 + "</a>" * 5_000 + "</item>"))


@pytest.mark.parametrize("broken", ["", "<b>"], ids=["well-formed", "not-well-formed"])
def test_elements_without_end_are_read_up_to_a_number_and_that_is_said(monkeypatch: pytest.MonkeyPatch, broken: str):
    monkeypatch.setattr("syndtrack.reading.feed_markup.MAX_ELEMENTS", 50)
    feed = read(rss(broken + "<item><link>/a</link></item>" + "<a></a>" * 100 + "<item><link>/b</link></item>"))
    assert [entry.url for entry in feed.entries] == ["https://paper.example/a"]
    assert feed.problems == ("more than 250000 elements; those beyond are left out",)


@pytest.mark.parametrize("broken", ["", "<b>"], ids=["well-formed", "not-well-formed"])
def test_an_entry_within_which_elements_become_too_many_is_left_out_whole(monkeypatch: pytest.MonkeyPatch, broken: str):
    monkeypatch.setattr("syndtrack.reading.feed_markup.MAX_ELEMENTS", 50)
    many = "<item><link>/b</link><title>Headline</title>" + "<a></a>" * 100 + "<description>Text.</description></item>"
    feed = read(rss(broken + "<item><link>/a</link></item>" + many))
    assert [entry.url for entry in feed.entries] == ["https://paper.example/a"]


def test_a_feed_cut_for_its_references_says_so_and_loses_the_entry_that_was_cut(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("syndtrack.reading.feed_markup.MAX_REFERENCES", 50)
    many = "<item><link>/b</link><description>" + "&amp; " * 100 + "</description></item>"
    feed = read(rss("<b><item><link>/a</link></item>" + many + "<item><link>/c</link></item>"))
    assert [entry.url for entry in feed.entries] == ["https://paper.example/a"]
    assert feed.problems == ("more than 1000000 times the sign & in a feed that is not well-formed; those beyond are left out",)


def test_an_entity_of_the_feeds_own_stands_for_a_few_characters_only():
    bomb = b'<!DOCTYPE rss [\n<!ENTITY long "' + b"x" * 5_000 + b"\">\n<!ENTITY q '!'>\n]>"
    (entry,) = read(bomb + rss("<item><link>/a</link><title>A&long;&q;</title></item>").split(b"?>", 1)[1]).entries
    assert len(entry.title or "") < 20


TOKENS = re.findall(
    r"\S+",
    "<rss> <channel> <item> </item> <title> </title> <link> <feed> <entry> <source/url='x'/> <content:encoded> <![CDATA[ ]]> &#99999999999;"
    """ &amp; <link/rel='via'/href='http://[x'/> <guid> <pubDate> 1-Jan { "items" [ """,
)
MARKUP = st.lists(st.sampled_from(TOKENS) | st.text(max_size=12), max_size=25).map("".join)


@given(st.binary(max_size=400) | MARKUP.map(lambda t: t.encode("utf-8", "surrogatepass")))
@settings(max_examples=250, deadline=None)
def test_any_bytes_are_a_feed_or_refused_as_none(body: bytes):
    try:
        feed = read(body)
    except FeedError:
        return
    assert all(e.url or e.guid for e in feed.entries)
    assert all(e.published is None or e.published.tzinfo is UTC for e in feed.entries)
