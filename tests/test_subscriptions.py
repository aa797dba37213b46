"""Subscription lists: OPML as readers export it, as others break it, and as nobody should send it."""

from pathlib import Path

import pytest

from syndtrack.errors import UsageError
from syndtrack.polling.subscriptions import MAX_BYTES, Subscription, read_subscriptions, write_subscriptions

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
FEED = '<outline type="rss" text="Lunnet Wire" xmlUrl="https://wire.example/feed"/>'


@pytest.fixture
def feeds_of(tmp_path: Path):
    def read(content: str | bytes) -> list[Subscription]:
        path = tmp_path / "list.opml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_subscriptions(path)

    return read


def opml(*outlines: str) -> str:
    body = "".join(outlines)
    return f'{DECLARATION}<opml version="2.0"><head><title>Mine</title></head><body>{body}</body></opml>'


def test_feeds_come_in_their_order_with_their_titles(feeds_of):
    second = (
        '<outline type="atom" title="Fähre &amp; Hafen 新闻" htmlUrl="https://b.example/" xmlUrl=" https://b.example/atom?a=1&amp;b=2 "/>'
    )
    assert feeds_of(opml(FEED, second)) == [
        Subscription("https://wire.example/feed", "Lunnet Wire"),
        Subscription("https://b.example/atom?a=1&b=2", "Fähre & Hafen 新闻"),
    ]


def test_folders_are_opened_however_deep_they_lie(feeds_of):
    deep = '<outline text="folder">' * 5_000 + FEED + "</outline>" * 5_000
    assert feeds_of(opml(deep, '<outline text="c"><outline xmlUrl="https://c.example/f"/></outline>')) == [
        Subscription("https://wire.example/feed", "Lunnet Wire"),
        Subscription("https://c.example/f", None),
    ]


def test_a_feed_in_two_folders_is_one_feed_with_its_first_title(feeds_of):
    assert feeds_of(opml(FEED, FEED.replace("Lunnet Wire", "LW"))) == [Subscription("https://wire.example/feed", "Lunnet Wire")]


def test_the_text_is_the_title_unless_it_is_empty(feeds_of):
    assert feeds_of(opml('<outline text=" " title="T" xmlUrl="https://a.example/"/>'))[0].title == "T"
    assert feeds_of(opml('<outline text="X" title="T" xmlUrl="https://a.example/"/>'))[0].title == "X"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1", "windows-1251"])
def test_a_list_is_read_in_the_encoding_it_declares(feeds_of, encoding):
    title = "Правда" if encoding == "windows-1251" else "Fähre"
    text = opml(FEED.replace("Lunnet Wire", title)).replace("UTF-8", encoding.removesuffix("-sig"))
    assert feeds_of(text.encode(encoding))[0].title == title


@pytest.mark.parametrize(
    "broken",
    [
        f'<opml><body>{FEED}<outline text="cut',
        opml('<outline text="A & B" xmlUrl="https://wire.example/feed"/>'),
        opml('<outline text="A" xmlurl="https://wire.example/feed"/>'),
        opml('<outline text="A" xmlUrl="https://wire.example/feed">'),
        f"\n\n {opml(FEED)}",
        f"<body>{FEED}</body>",
        opml(FEED, "</outline></outline>"),
        opml(FEED, "<outline text='\x00\x07&#xD800;&#0;'/>"),
    ],
)
def test_a_list_that_is_broken_still_gives_its_feeds(feeds_of, broken):
    assert [f.url for f in feeds_of(broken)] == ["https://wire.example/feed"]


@pytest.mark.parametrize(
    "content",
    [b"", b" ", b"no list", b"/etc/passwd", b"http://127.0.0.1:9/list.opml", bytes(range(256)), b"<html><a href='https://a.example/'>x</a></html>",
     b'{"feeds": ["https://a.example/"]}', opml().encode(), opml('<outline text="A" xmlUrl=""/>').encode(),
     opml('<outline type="include" url="https://a.example/other.opml"/>').encode()],
    ids=lambda content: ascii(content[:30]),
)  # fmt: skip
def test_what_is_no_list_of_feeds_is_wrong_usage(feeds_of, content):
    with pytest.raises(UsageError, match=r"list\.opml: no feeds found"):
        feeds_of(content)


def test_entities_are_not_expanded_and_files_are_not_read(feeds_of, tmp_path: Path):
    (tmp_path / "secret").write_text("hunter2")
    bomb = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    doctype = f'<!DOCTYPE opml [<!ENTITY e0 "aaaaaaaaaa">{bomb}<!ENTITY file SYSTEM "file://{tmp_path}/secret">]>'
    (feed,) = feeds_of(doctype + opml(FEED.replace("Lunnet Wire", "&e11;&file;")).removeprefix(DECLARATION))
    assert len(feed.title) < 100
    assert "hunter2" not in feed.title


def test_many_feeds_in_many_folders_take_no_more_than_their_own_size(feeds_of):
    """As a product of both it would be 40 million, and hours."""
    many = "".join(f'<outline xmlUrl="https://a.example/{n}"/>' for n in range(8_000))
    assert len(feeds_of(opml('<outline text="folder">' * 5_000, many))) == 8_000


def test_a_list_that_is_too_large_is_wrong_usage(feeds_of):
    with pytest.raises(UsageError, match="larger than 20 MB"):
        feeds_of(opml(FEED).encode() + bytes(MAX_BYTES))


@pytest.mark.parametrize("name", ["missing.opml", "."])
def test_a_list_that_cannot_be_read_is_wrong_usage(tmp_path: Path, name):
    with pytest.raises(UsageError, match=r"No such file|directory"):
        read_subscriptions(tmp_path / name)


def test_what_is_written_is_read_again(tmp_path: Path):
    feeds = [
        Subscription("https://wire.example/feed?a=1&b=2", 'Lunnet <Wire> & "Co"'),
        Subscription("https://пример.example/лента", "Правда \x00\x07"),
        Subscription("http://untitled.example:8080/rss", None),
    ]
    file = tmp_path / "out.opml"
    file.write_text(write_subscriptions(feeds), encoding="utf-8")
    read = read_subscriptions(file)
    assert [f.url for f in read] == [f.url for f in feeds]
    assert [f.title for f in read] == ['Lunnet <Wire> & "Co"', "Правда", "untitled.example"]


def test_logins_and_secrets_are_not_written():
    text = write_subscriptions([Subscription("https://ada:hunter2@wire.example/feed?token=hunter3&page=2", "Wire")])
    assert 'xmlUrl="https://wire.example/feed?token=&amp;page=2"' in text
    assert "hunter" not in text
    assert "ada" not in text


def test_an_empty_list_is_a_list_all_the_same():
    assert "<body/>" in write_subscriptions([])
