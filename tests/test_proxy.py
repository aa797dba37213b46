"""A proxy that is set: hosts of the web are asked through it, one's own directly, and what is special is refused before it is asked."""

import asyncio
import base64
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from polling_rig import Clock, make_fetcher
from scripted_server import Reply, ScriptedServer

from syndtrack.errors import FetchError

PLACES = {
    "paper.example": ["93.184.215.14"],
    "inside.example": ["10.0.0.7"],
    "both.example": ["93.184.215.14", "169.254.169.254"],
    "own.example": ["127.0.0.1"],
    "own-and-not.example": ["127.0.0.1", "93.184.215.14"],
}


def lookup(host: str, port: int):
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in PLACES[host]]


@asynccontextmanager
async def tunnelling() -> AsyncIterator[tuple[str, list[str]]]:
    """A proxy that connects whoever asks to nobody: its address, and the first lines it was asked with."""
    asked: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[0])
        writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked


async def test_a_host_of_the_web_is_asked_through_the_proxy_and_a_login_is_for_the_proxy_only():
    page = Reply(b"news", headers=(("ETag", '"1"'),))
    async with ScriptedServer({"http://paper.example/feed": page}) as proxy:
        address = proxy.url("").replace("http://", "http://me:swordfish@").rstrip("/")
        async with make_fetcher(Clock(), lookup=lookup, proxy=address) as fetcher:
            answer = await fetcher.fetch("http://paper.example/feed")
    assert (answer.status, answer.body, answer.url) == (200, b"news", "http://paper.example/feed")
    (asked,) = proxy.asked
    assert asked.headers["host"] == b"paper.example"
    assert asked.headers["proxy-authorization"] == b"Basic " + base64.b64encode(b"me:swordfish")
    assert "authorization" not in asked.headers


@pytest.mark.parametrize(
    "url",
    [
        *("http://inside.example/", "http://both.example/", "http://own-and-not.example/", "http://10.0.0.7/", "http://[fd00::7]/"),
        *("http://169.254.169.254/latest", "http://paper.example:22/"),
    ],
)
async def test_what_is_special_is_refused_before_the_proxy_is_asked(url: str):
    async with ScriptedServer({}) as proxy, make_fetcher(Clock(), lookup=lookup, proxy=proxy.url("").rstrip("/")) as fetcher:
        with pytest.raises(FetchError, match=r"address .* is (private|link-local|loopback)|port 22 is not one"):
            await fetcher.fetch(url)
    assert proxy.asked == []


@pytest.mark.parametrize("to", ["http://inside.example/", "http://127.0.0.1:8080/", "http://own.example/"])
async def test_a_redirect_to_what_is_special_is_refused_before_the_proxy_is_asked_for_it(to: str):
    page = Reply(status="302 Found", headers=(("Location", to),))
    async with (
        ScriptedServer({"http://paper.example/feed": page}) as proxy,
        make_fetcher(Clock(), lookup=lookup, proxy=proxy.url("").rstrip("/")) as fetcher,
    ):
        with pytest.raises(FetchError, match=r"address .* is (private|loopback)"):
            await fetcher.fetch("http://paper.example/feed")
    assert [asked.target for asked in proxy.asked] == ["http://paper.example/feed"]


async def test_networks_that_are_allowed_are_asked_directly():
    async with (
        ScriptedServer({}) as proxy,
        ScriptedServer({"/feed": Reply(b"own news")}) as server,
        make_fetcher(Clock(), lookup=lookup, proxy=proxy.url("").rstrip("/")) as fetcher,
    ):
        by_number = await fetcher.fetch(server.url("/feed"))
        by_name = await fetcher.fetch(server.url("/feed").replace("127.0.0.1", "own.example"))
    assert (by_number.body, by_name.body) == (b"own news", b"own news")
    assert proxy.asked == []


async def test_a_secure_address_is_asked_through_a_tunnel_and_a_proxy_that_refuses_it_is_told():
    async with tunnelling() as (address, asked), make_fetcher(Clock(), lookup=lookup, proxy=address) as fetcher:
        with pytest.raises(FetchError, match="the proxy refuses, with status 407"):
            await fetcher.fetch("https://paper.example/feed")
    assert asked == ["CONNECT paper.example:443 HTTP/1.1"]


async def test_a_proxy_that_is_not_there_is_told_apart_from_a_server_that_is_not():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
    async with make_fetcher(Clock(), lookup=lookup, proxy=address) as fetcher:
        for url in ("http://paper.example/feed", "https://paper.example/feed"):
            with pytest.raises(FetchError, match=r"the proxy cannot be reached: connection refused$"):
                await fetcher.fetch(url)


async def test_a_proxy_whose_name_has_no_address_is_not_told_as_a_server_without_one():
    async with make_fetcher(Clock(), lookup=lookup, proxy="http://proxy.invalid:3128") as fetcher:
        with pytest.raises(FetchError, match="the proxy cannot be reached: the host name has no address"):
            await fetcher.fetch("http://paper.example/feed")
