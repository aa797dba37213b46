"""One answer at a time, byte by byte, from a server that says what it is told to."""

from __future__ import annotations

import asyncio
import gzip
import socket
import zlib
from datetime import timedelta
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from polling_rig import NOON, Clock, make_fetcher
from scripted_server import Reply, ScriptedServer

from syndtrack import __version__
from syndtrack.errors import FetchError
from syndtrack.polling.fetch import FEED_BYTES, MAX_REDIRECTS, Fetcher, sendable, validators
from syndtrack.polling.hosts import HeldError
from syndtrack.polling.names import LOOKUPS_PER_DOMAIN
from syndtrack.urls import shown

GZIP = (("Content-Encoding", "gzip"),)
WEB = lambda _host, port: [  # noqa: E731 - one address that is one's own and one that is not make a host of the web
    (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)),
    (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.1", port)),
]


def moved(to: str, status: str = "301 Moved Permanently") -> Reply:
    return Reply(status=status, headers=(("Location", to.encode()),))


async def refusal(fetcher: Fetcher, url: str, max_bytes: int = FEED_BYTES) -> str:
    with pytest.raises(FetchError) as caught:
        await fetcher.fetch(url, max_bytes=max_bytes)
    assert "\n" not in str(caught.value)
    return caught.value.reason


async def test_the_request_is_honest_and_carries_nothing_else():
    async with (
        ScriptedServer({"/": Reply(b"x", headers=(("Set-Cookie", "id=1"),))}) as server,
        make_fetcher(Clock(), contact="a@b.example") as f,
    ):
        for _ in range(2):
            await f.fetch(server.url())
    for asked in server.asked:
        assert asked.headers["user-agent"] == f"syndtrack/{__version__} (+a@b.example)".encode()
        assert asked.headers["accept-encoding"] == b"gzip, deflate, br, zstd"
        assert asked.headers["connection"] == b"close"
        assert set(asked.headers) == {"host", "user-agent", "accept", "accept-encoding", "connection"}


@pytest.mark.parametrize("etag", [b'"abc"', b'W/"abc"', b"no-quotes", b'"a b"', '"café"'.encode(), b'"' + b"x" * 900 + b'"', b'"a\\"b"'])
async def test_validators_go_back_byte_for_byte(etag):
    when = b"Mon, 02 Mar 2026 9:00:00 +0000"  # odd on purpose: it is not ours to correct
    async with (
        ScriptedServer({"/": Reply(b"x", headers=(("ETag", etag), ("Last-Modified", when)))}) as server,
        make_fetcher(Clock()) as fetcher,
    ):
        answer = await fetcher.fetch(server.url())
        await fetcher.fetch(server.url(), etag=answer.etag, last_modified=answer.last_modified)
    assert (answer.etag or "").encode("latin-1") == etag
    assert server.asked[1].headers["if-none-match"] == etag
    assert server.asked[1].headers["if-modified-since"] == when


async def test_a_validator_that_cannot_be_sent_unchanged_is_left_out():
    async with ScriptedServer({"/": Reply(b"x", headers=(("ETag", b'"caf\xe9"'),))}) as server, make_fetcher(Clock()) as fetcher:
        answer = await fetcher.fetch(server.url())
        assert answer.etag == '"caf\xe9"'
        await fetcher.fetch(server.url(), etag=answer.etag)
    assert "if-none-match" not in server.asked[1].headers


@given(st.binary(min_size=1, max_size=60))
def test_a_validator_is_sent_as_stored_or_not_at_all(raw):
    for value in validators(raw.decode("latin-1"), None).values():
        assert value.encode("utf-8") == raw


async def test_not_modified_is_an_answer():
    async with ScriptedServer({"/": Reply(status="304 Not Modified", framed=False)}) as server, make_fetcher(Clock()) as fetcher:
        answer = await fetcher.fetch(server.url(), etag='"a"')
    assert (answer.status, answer.body) == (304, b"")


@pytest.mark.parametrize("status", ["403 Forbidden", "404 Not Found", "410 Gone", "500 Oops", "204 No Content", "206 Partial", "999 Odd"])
async def test_any_other_status_is_an_answer_without_body(status):
    async with (
        ScriptedServer({"/": Reply(b"" if "204" in status else b"some page", status=status)}) as server,
        make_fetcher(Clock()) as fetcher,
    ):
        answer = await fetcher.fetch(server.url())
    assert (answer.status, answer.body) == (int(status[:3]), b"")


# -- bodies


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", gzip.compress(b"news " * 1000)),
        ("x-gzip", gzip.compress(b"news " * 1000)),
        ("GZIP", gzip.compress(b"news " * 500) + gzip.compress(b"news " * 500)),
        ("gzip", gzip.compress(b"news " * 1000) + b"\0\0\0\0"),
        ("deflate", zlib.compress(b"news " * 1000)),
        ("deflate", zlib.compress(b"news " * 1000, wbits=-15)),
        ("identity", b"news " * 1000),
    ],
    ids=["gzip", "x-gzip", "two members", "padded", "zlib", "raw deflate", "identity"],
)
async def test_packed_bodies_are_unpacked(encoding, packed):
    async with ScriptedServer({"/": Reply(packed, headers=(("Content-Encoding", encoding),))}) as server, make_fetcher(Clock()) as fetcher:
        answer = await fetcher.fetch(server.url())
    assert answer.body == b"news " * 1000
    assert answer.received <= len(packed)


WHOLE = gzip.compress(bytes(range(256)) * 40)
BROKEN = [
    ("shorter than its length", Reply(b"news " * 1000, cut=100), "the body is cut short"),
    ("gzip without its end, the length right", Reply(WHOLE[:-9], headers=GZIP), "the gzip body is cut short"),
    ("gzip without its checksum", Reply(WHOLE[:-8], headers=GZIP), "the gzip body is cut short"),
    ("gzip without its end, ended by the connection", Reply(WHOLE[:-9], headers=GZIP, framed=False), "the gzip body is cut short"),
    ("gzip with a wrong checksum", Reply(WHOLE[:-8] + b"12345678", headers=GZIP), "the gzip body is damaged"),
    ("no gzip at all", Reply(b"<rss></rss>", headers=GZIP), "the gzip body is damaged"),
    (
        "deflate without its end",
        Reply(zlib.compress(b"x" * 99)[:-5], headers=(("Content-Encoding", "deflate"),)),
        "the deflate body is cut short",
    ),
    (
        "an encoding not asked for",
        Reply(b"x", headers=(("Content-Encoding", "compress"),)),
        "the body is encoded as 'compress', which was not asked for",
    ),
    (
        "two encodings",
        Reply(b"x", headers=(("Content-Encoding", "gzip, gzip"),)),
        "the body is encoded as 'gzip, gzip', which was not asked for",
    ),
    ("chunks without the last", Reply(raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"), "the body is cut short"),
    ("no HTTP", Reply(raw=b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), "the answer is no valid HTTP"),
    ("nothing at all", Reply(raw=b""), "the server closed the connection without an answer"),
    ("half a header", Reply(raw=b"HTTP/1.1 200 OK\r\nContent-"), "the server closed the connection without an answer"),
    ("a header without end", Reply(raw=b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n"), "the answer is no valid HTTP"),
    ("a thousand headers", Reply(raw=b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000 + b"\r\n"), "the answer is no valid HTTP"),
    ("two lengths", Reply(b"x", headers=(("Content-Length", "7"),)), "the answer is no valid HTTP"),
    (
        "a length of 50 MB",
        Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n"),
        f"the body is larger than {FEED_BYTES:,} bytes",
    ),
]


@pytest.mark.parametrize(("reply", "reason"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN])
async def test_a_broken_answer_is_a_failure_with_its_reason(reply, reason):
    async with ScriptedServer({"/": reply}) as server, make_fetcher(Clock()) as fetcher:
        assert await refusal(fetcher, server.url()) == reason


async def test_a_body_beyond_the_limit_is_not_taken_in():
    async with ScriptedServer({"/": Reply(b"x" * 300_001, framed=False)}) as server, make_fetcher(Clock()) as fetcher:
        assert await refusal(fetcher, server.url(), max_bytes=300_000) == "the body is larger than 300,000 bytes"
        assert len((await fetcher.fetch(server.url(), max_bytes=300_001)).body) == 300_001


@pytest.mark.parametrize("size", [3_000_000, 200_000_000])
async def test_a_gzip_bomb_is_stopped_early(size):
    bomb = gzip.compress(bytes(size), 9)
    async with ScriptedServer({"/": Reply(bomb, headers=GZIP)}) as server, make_fetcher(Clock()) as fetcher:
        assert "times, as no real one is" in await refusal(fetcher, server.url())


async def test_a_server_that_never_ends_meets_the_deadline():
    async with ScriptedServer({"/": Reply(b"some", cut=2, hang=True)}) as server, make_fetcher(Clock(), deadline=0.2) as fetcher:
        assert await refusal(fetcher, server.url()) == "no whole answer within 0 s"


async def test_a_body_that_ends_with_the_connection_is_marked_as_of_unknown_length():
    async with ScriptedServer({"/": Reply(b"x", framed=False), "/2": Reply(b"x")}) as server, make_fetcher(Clock()) as fetcher:
        assert not (await fetcher.fetch(server.url())).framed
        assert (await fetcher.fetch(server.url("/2"))).framed


# -- connections and names


async def test_a_refused_connection_is_named():
    async with ScriptedServer() as server:
        url = server.url()
    async with make_fetcher(Clock()) as fetcher:
        assert await refusal(fetcher, url) == "connection refused"


async def test_a_name_without_address_is_named():
    def lookup(_host: str, _port: int) -> list[tuple[object, ...]]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    async with make_fetcher(Clock(), lookup=lookup) as fetcher:
        assert await refusal(fetcher, "http://nowhere.example/") == "the host name has no address: Name or service not known"


async def test_a_plain_server_behind_https_is_named():
    async with ScriptedServer({"/": Reply(b"x")}) as server, make_fetcher(Clock()) as fetcher:
        assert (await refusal(fetcher, server.url().replace("http", "https"))).startswith("no secure connection")


@pytest.mark.parametrize("url", ["ftp://a.example/f", "file:///etc/passwd", "gopher://a.example/", "http://", "http:///x", "http://a.example:0/",
                                 "http://a.example:99999/", "http://[::1/", "//a.example/", "javascript:alert(1)", "", "http://a..example/",
                                 "http://" + "a" * 70 + ".example/", "http://a.example/" + "x" * 3_000, "http://a b.example/"])  # fmt: skip
async def test_what_is_no_web_address_is_refused_without_a_request(url):
    async with make_fetcher(Clock()) as fetcher:
        assert await refusal(fetcher, url)


async def test_hanging_names_hold_up_nobody_else():
    hang = asyncio.Event()

    async def lookup(host: str, port: int) -> list[tuple[object, ...]]:
        if host.startswith("slow"):
            await hang.wait()
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    async with ScriptedServer({"/": Reply(b"x")}) as server, make_fetcher(Clock(), lookup=lookup) as fetcher:
        slow = [asyncio.create_task(fetcher.fetch(f"http://slow{n}.example:{server.port}/")) for n in range(40)]
        await asyncio.sleep(0)
        assert (await fetcher.fetch(f"http://quick.example:{server.port}/")).body == b"x"
        assert not any(task.done() for task in slow)
        hang.set()
        assert all(answer.body == b"x" for answer in await asyncio.gather(*slow))


async def test_hanging_names_of_one_domain_take_up_few_look_ups():
    hang, enough, started = asyncio.Event(), asyncio.Event(), []

    async def lookup(host: str, port: int) -> list[tuple[object, ...]]:
        started.append(host)
        if len(started) == LOOKUPS_PER_DOMAIN:
            enough.set()
        if host.endswith("wild.com"):
            await hang.wait()
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    async with ScriptedServer({"/": Reply(b"x")}) as server, make_fetcher(Clock(), lookup=lookup) as fetcher:
        slow = [asyncio.create_task(fetcher.fetch(f"http://n{n}.wild.com:{server.port}/")) for n in range(20)]
        await enough.wait()
        assert (await fetcher.fetch(f"http://quick.example:{server.port}/")).body == b"x"
        assert len([host for host in started if host.endswith("wild.com")]) == LOOKUPS_PER_DOMAIN
        hang.set()
        assert all(answer.body == b"x" for answer in await asyncio.gather(*slow))


# -- redirects


@pytest.mark.parametrize(("statuses", "permanent"), [
    (["301 Moved"], True), (["308 Moved"], True), (["301 Moved", "308 Moved"], True), (["302 Found"], False), (["307 Over There"], False),
    (["303 See"], False), (["302 Found", "301 Moved"], False),
])  # fmt: skip
async def test_a_redirect_is_followed_and_told_apart(statuses, permanent):
    async with ScriptedServer({"/end": Reply(b"there")}) as server, make_fetcher(Clock()) as fetcher:
        for n, status in enumerate(statuses):
            server.pages[f"/{n}"] = moved(f"/{n + 1}" if n + 1 < len(statuses) else "/end", status)
        answer = await fetcher.fetch(server.url("/0"))
    assert (answer.body, answer.url) == (b"there", server.url("/end"))
    assert answer.permanent_redirect_to == (server.url("/end") if permanent else None)


async def test_only_the_permanent_start_of_a_chain_counts_as_a_move():
    async with (
        ScriptedServer({"/1": moved("/2"), "/2": moved("/3", "302 Found"), "/3": Reply(b"x")}) as server,
        make_fetcher(Clock()) as fetcher,
    ):
        answer = await fetcher.fetch(server.url("/1"))
    assert (answer.url, answer.permanent_redirect_to) == (server.url("/3"), server.url("/2"))


async def test_redirects_in_a_circle_and_without_end_are_refused():
    async with ScriptedServer({"/a": moved("/b"), "/b": moved("/a")}) as server, make_fetcher(Clock()) as fetcher:
        server.pages["/n"] = lambda asked: moved(f"/n?{int(asked.target.partition('?')[2] or 0) + 1}")
        assert "in a circle" in await refusal(fetcher, server.url("/a"))
        assert await refusal(fetcher, server.url("/n")) == f"more than {MAX_REDIRECTS} redirects"


@pytest.mark.parametrize("to", ["ftp://a.example/", "file:///etc/passwd", "data:text/plain,x", "javascript:x", "http://[", "http://"])
async def test_a_redirect_to_no_web_address_is_refused(to):
    async with ScriptedServer({"/": moved(to)}) as server, make_fetcher(Clock()) as fetcher:
        assert await refusal(fetcher, server.url())


async def test_a_redirect_into_a_private_network_is_refused():
    async with ScriptedServer() as inside, ScriptedServer(host="127.7.7.7") as outside:
        outside.pages["/"] = moved(inside.url("/admin"))
        async with make_fetcher(Clock(), allowed=[ip_network("127.7.7.7")]) as fetcher:
            assert await refusal(fetcher, outside.url()) == "address 127.0.0.1 is loopback; allow it with SYNDTRACK_ALLOW_NETWORKS"
    assert inside.asked == []


async def test_a_login_goes_along_within_its_origin_and_nowhere_else():
    async with (
        ScriptedServer({"/": Reply(b"x")}) as other,
        ScriptedServer({"/same": Reply(b"x")}) as server,
        make_fetcher(Clock()) as fetcher,
    ):
        server.pages["/away"] = moved(other.url())
        server.pages["/near"] = moved("/same")
        for path in ("/near", "/away"):
            await fetcher.fetch(server.url(path).replace("http://", "http://reader:hush@"))
    assert [b"authorization" in map(str.encode, asked.headers) for asked in server.asked] == [True, True, True]
    assert "authorization" not in other.asked[0].headers


@pytest.mark.parametrize(
    "url", ["/a%2Fb/?q=a+b%20c&sig=%3D%3d&x[]=1", "/a//b/../c;p=1", "/~user/(x)'!*,;:@&=+$?a=1?b/c", "/?", "/%E4%BD%A0"]
)
async def test_an_address_is_asked_for_as_published(url):
    async with ScriptedServer() as server, make_fetcher(Clock()) as fetcher:
        await fetcher.fetch(server.url(url))
    assert server.paths() == [url.removesuffix("?")]


def test_only_what_cannot_be_sent_is_changed():
    assert sendable(" http://a.example/über uns?q=ä%C3%A4#part ") == "http://a.example/%C3%BCber%20uns?q=%C3%A4%C3%A4"
    assert sendable("http://a.example") == "http://a.example/"


# -- manners


async def test_one_request_at_a_time_and_a_pause_between_them_for_a_host_of_the_web():
    clock = Clock()
    async with ScriptedServer({"/": Reply(b"x")}) as server, make_fetcher(clock, delay=5.0, lookup=WEB) as fetcher:
        await asyncio.gather(*(fetcher.fetch(f"http://paper.example:{server.port}/?{n}") for n in range(4)))
    assert server.most_open == 1
    assert clock.paused == [5.0, 5.0, 5.0]


async def test_ones_own_networks_get_no_pause_but_still_one_request_at_a_time():
    clock = Clock()
    async with ScriptedServer({"/": Reply(b"x")}) as server, make_fetcher(clock, delay=5.0) as fetcher:
        await asyncio.gather(*(fetcher.fetch(server.url(f"/?{n}")) for n in range(4)))
        fetcher.hosts.slow_down(server.url(), 1e9)
    assert server.most_open == 1
    assert clock.paused == []


async def test_a_host_that_asks_to_wait_is_not_asked_until_then():
    clock = Clock()
    busy = Reply(status="429 Too Many Requests", headers=(("Retry-After", "120"),))
    async with ScriptedServer({"/": [busy, Reply(b"x")], "/b": Reply(b"y")}) as server, make_fetcher(clock) as fetcher:
        assert (await fetcher.fetch(server.url())).retry_after == timedelta(minutes=2)
        assert await refusal(fetcher, server.url("/b")) == "the server asked to be left alone until 2026-03-02 12:02:00 UTC"
        clock.pass_time(minutes=2)
        assert (await fetcher.fetch(server.url("/b"))).body == b"y"
    assert server.paths() == ["/", "/b"]


async def test_requests_that_wait_for_their_turn_are_not_sent_once_the_host_asks_to_be_left_alone():
    busy = Reply(status="429 Too Many Requests", headers=(("Retry-After", "120"),))
    async with ScriptedServer({"/": busy}) as server, make_fetcher(Clock()) as fetcher:
        outcomes = await asyncio.gather(*(fetcher.fetch(server.url(f"/?{n}")) for n in range(4)), return_exceptions=True)
    assert server.paths() == ["/?0"]
    assert [type(outcome) for outcome in outcomes[1:]] == [HeldError] * 3
    assert isinstance(outcomes[1], HeldError)
    assert outcomes[1].until == NOON + timedelta(minutes=2)


async def test_waiting_for_ones_turn_does_not_count_into_the_deadline():
    clock = Clock()
    async with (
        ScriptedServer({"/": Reply(b"x")}) as server,
        make_fetcher(clock, delay=100.0, deadline=60.0, lookup=WEB) as fetcher,
    ):
        server.pages["/go"] = moved(f"http://paper.example:{server.port}/")
        for url in (f"http://paper.example:{server.port}/", server.url("/go")):
            assert (await fetcher.fetch(url)).body == b"x"
    assert clock.paused == [100.0]


async def test_all_spellings_of_a_name_are_one_host():
    clock = Clock()
    async with ScriptedServer({"/": Reply(b"x")}) as server, make_fetcher(clock, delay=5.0, lookup=WEB) as fetcher:
        for name in ("käse.example", "xn--kse-qla.example", "KÄSE.example.", "xn--kse-qla.example."):
            await fetcher.fetch(f"http://{name}:{server.port}/")
    assert clock.paused == [5.0, 5.0, 5.0]


async def test_validators_go_to_the_address_that_sent_them_and_to_no_other():
    async with (
        ScriptedServer({"/": Reply(b"c")}) as third,
        ScriptedServer({"/": Reply(b"b", headers=(("ETag", '"b"'),))}) as second,
        ScriptedServer() as first,
        make_fetcher(Clock()) as fetcher,
    ):
        first.pages["/"] = [moved(second.url(), "302 Found"), moved(second.url(), "302 Found"), moved(third.url(), "302 Found")]
        answer = await fetcher.fetch(first.url())
        for _ in range(2):
            await fetcher.fetch(first.url(), etag=answer.etag, validators_of=answer.url)
    asked = [("if-none-match" in asked.headers) for server in (first, second, third) for asked in server.asked]
    assert asked == [False, False, False, False, True, False]


async def test_of_a_body_that_is_too_large_the_first_part_can_be_had():
    body = bytes(range(256)) * 4_000
    replies = [Reply(body), Reply(body, framed=False), Reply(gzip.compress(body), headers=GZIP), Reply(body[:900])]
    async with ScriptedServer({"/": replies}) as server, make_fetcher(Clock()) as fetcher:
        for size in (300_000, 300_000, 300_000, 900):
            assert (await fetcher.fetch(server.url(), max_bytes=300_000, part=True)).body == body[:size]


# -- secrets


@pytest.mark.parametrize(("url", "expected"), [
    ("https://reader:hush@a.example/f?x=1", "https://a.example/f?x=1"), ("https://a.example/f?api_key=hush&x=1", "https://a.example/f?api_key=…&x=1"),
    ("https://a.example/f?access_token=hush#top", "https://a.example/f?access_token=…#top"), ("https://a.example/f?key=hush", "https://a.example/f?key=…"),
    ("https://a.example/f?keyword=ship&author=Roe", "https://a.example/f?keyword=ship&author=Roe"), ("//u:hush@a.example/", "//a.example/"),
    ("https://a.example/@user?next=mail@b.example", "https://a.example/@user?next=mail@b.example"),
])  # fmt: skip
def test_an_address_is_shown_without_what_is_secret(url, expected):
    assert shown(url) == expected


async def test_no_message_holds_a_login():
    async with (
        ScriptedServer({"/": Reply(b"x", cut=0), "/r": moved("ftp://u:hush@x.example/")}) as server,
        make_fetcher(Clock()) as fetcher,
    ):
        for path in ("/", "/r", "/?token=hush"):
            with pytest.raises(FetchError) as caught:
                await fetcher.fetch(server.url(path).replace("http://", "http://reader:hush@"))
            assert "hush" not in str(caught.value)
