"""Thousands of ways to write addresses that are not of the public internet: none may open a connection.

What counts are sockets, not messages: the guard's factory makes every socket there is, and here it notes each one it makes.
"""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_network
from itertools import product
from typing import Any

import pytest
from aiohttp import ClientSession
from multidict import CIMultiDict
from polling_rig import Clock, make_fetcher
from scripted_server import Reply, ScriptedServer
from yarl import URL

from syndtrack.errors import FetchError
from syndtrack.polling.fetch import Fetcher
from syndtrack.polling.guard import Guard

PRIVATE_4 = (
    *("127.0.0.1", "127.1.2.3", "127.255.255.254", "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.254", "192.168.0.1"),
    *("192.168.255.254", "169.254.169.254", "169.254.0.1", "100.64.0.1", "100.100.100.200", "100.127.255.254", "168.63.129.16"),
    *("0.0.0.0", "0.1.2.3", "192.0.0.1", "192.0.0.192", "192.0.2.7", "198.18.0.1", "198.19.255.254", "198.51.100.9", "203.0.113.5"),  # noqa: S104 - nothing is bound
    *("172.20.10.1", "192.88.99.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255"),
)  # fmt: skip
PRIVATE_6 = (
    *(
        "::1",
        "::",
        "fe80::1",
        "fe80::a9fe:a9fe",
        "febf::1",
        "fec0::1",
        "fc00::1",
        "fd00:ec2::254",
        "fd12:3456:789a::1",
        "ff02::1",
        "ff05::2",
    ),
    *(
        "2001::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2001:db8::1",
        "2001:2::1",
        "2001:10::1",
        "3fff::1",
        "100::1",
        "5f00::1",
        "4000::1",
    ),
    *("64:ff9b:1::1", "e000::1", "1000::1", "8000::1"),
)
DIGITS = ("０１２３４５６７８９", "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗", "𝟘𝟙𝟚𝟛𝟜𝟝𝟞𝟟𝟠𝟡", "⓪①②③④⑤⑥⑦⑧⑨", "⁰¹²³⁴⁵⁶⁷⁸⁹", "₀₁₂₃₄₅₆₇₈₉", "٠١٢٣٤٥٦٧٨٩", "०१२३४५६७८९")
DOTS = ("。", "．", "｡", "․", "·", "%2e", "%2E", "%E3%80%82")
ZONES = ("%25lo", "%25eth0", "%251", "%25", "%lo", "%eth0")
NAMES = (
    "localhost",
    "LOCALHOST",
    "localhost.",
    "localhost.localdomain",
    "ip6-localhost",
    "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ",
    "ｌｏｃａｌｈｏｓｔ",
    "loc\u00adalhost",
    "local%68ost",
)


def numbers(part: int) -> tuple[str, ...]:
    """One number in the bases that old readers of addresses know."""
    return str(part), f"{part:#x}", f"{part:#X}", f"0{part:o}", f"000{part:o}", f"{part:03d}", f"0x0000{part:x}"


def spellings_4(text: str) -> Iterator[str]:
    """An address of version 4, as browsers, libc and others read it."""
    address = IPv4Address(text)
    a, b, c, d = address.packed
    whole = int(address)
    for forms in zip(*(numbers(part) for part in (a, b, c, d)), strict=True):
        yield ".".join(forms)
    for first, last in product(numbers(a)[:4], numbers(d)[:4]):
        yield f"{first}.{b}.{c}.{last}"
    for short in ((a, whole & 0xFFFFFF), (a, b, whole & 0xFFFF), (whole,), (whole + 2**32,), (whole + 2**40,)):
        for forms in zip(*(numbers(part) for part in short), strict=True):
            yield ".".join(forms)
    yield from (
        f"{text}.",
        f"{text}..",
        f".{text}",
        f"{text}%00",
        f"{text}%20",
        f"{text}%09",
        f"{text},",
        f"{text};",
        f"-{text}",
        f"+{text}",
    )
    yield from (
        f"user@{text}",
        f"user:secret@{text}",
        f"1.1.1.1@{text}",
        f"1.1.1.1:80@{text}",
        f"[{text}]",
    )
    for digits in DIGITS:
        yield text.translate(str.maketrans("0123456789", digits))
    for dot in DOTS:
        yield text.replace(".", dot)
        yield text.replace(".", dot, 1)
    yield "".join(f"%{ord(c):02x}" for c in text)
    yield "".join(f"%{ord(c):02x}" if c.isdigit() else c for c in text)
    high, low = f"{whole >> 16:x}", f"{whole & 0xFFFF:x}"
    for prefix in (
        "::ffff:",
        "::FFFF:",
        "0:0:0:0:0:ffff:",
        "0000:0000:0000:0000:0000:ffff:",
        "::",
        "::ffff:0:",
        "64:ff9b::",
        "64:ff9b:1::",
    ):
        yield f"[{prefix}{text}]"
        yield f"[{prefix}{high}:{low}]"
        yield f"[{prefix}{text}%25lo]"
    yield from (f"[2002:{high}:{low}::]", f"[2002:{high}:{low}::1]", f"[2002:{high}:{low}:1::{text}]")
    yield f"[2001:0:{high}:{low}::1]"
    yield f"[2001:0:4136:e378:8000:63bf:{(whole >> 16) ^ 0xFFFF:x}:{(whole & 0xFFFF) ^ 0xFFFF:x}]"
    yield f"[fe80::5efe:{text}]"
    yield f"[fe80::200:5efe:{high}:{low}]"


def spellings_6(text: str) -> Iterator[str]:
    """An address of version 6 in its forms."""
    address = IPv6Address(text)
    dotted = f"{address.exploded[:30]}{IPv4Address(int(address) & 0xFFFFFFFF)}"
    forms = {text, address.compressed, address.exploded, address.compressed.upper(), address.exploded.upper(), dotted, f"0{text}"[: 39 + 1]}
    for form in sorted(forms):
        yield f"[{form}]"
        yield f"user:secret@[{form}]"
        yield f"[{form}]."
        yield form
        for zone in ZONES:
            yield f"[{form}{zone}]"


def read_by_libc(host: str) -> str:
    """What an old form of version 4 stands for; the own machine for anything else."""
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except (OSError, UnicodeError):
        return "127.0.0.1"


def all_spellings() -> list[str]:
    found = dict.fromkeys(spelling for address in PRIVATE_4 for spelling in spellings_4(address))
    found |= dict.fromkeys(spelling for address in PRIVATE_6 for spelling in spellings_6(address))
    # "010.0.0.1" is 8.0.0.1 to libc: public, and right to be asked
    return [*(s for s in found if Guard().refusal(read_by_libc(s), 80) is not None), *NAMES]


SPELLINGS = all_spellings()
REBOUND = 5_000
PLACES = [ip_network("127.7.7.7/32")]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that sockets were made for, but those of the server that may be asked."""
    noted: list[str] = []
    real = Guard.socket_for

    def noting(self, info):
        made_socket = real(self, info)
        if info[4][0] == "127.7.7.7":
            return made_socket
        made_socket.close()
        noted.append(str(info[4]))
        raise OSError("no test goes there")

    monkeypatch.setattr(Guard, "socket_for", noting)
    return noted


def to_itself(host: str, port: int):
    """A resolver that believes everything: old forms of version 4 are what libc takes them for, all else leads to the own machine."""
    address = "127.7.7.7" if host == "door.example" else read_by_libc(host)
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]


class Door:
    """A response that redirects; how often it was asked for is counted."""

    status = 302

    def __init__(self) -> None:
        self.leads_to = ""
        self.opened = 0

    @property
    def headers(self) -> CIMultiDict[str]:
        return CIMultiDict({"Location": self.leads_to, "Content-Length": "0"})

    async def __aenter__(self) -> Door:
        self.opened += 1
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    def close(self) -> None:
        pass


class Session:
    """A client session of which one host's requests are answered by the door; all others are real."""

    def __init__(self, real: ClientSession, door: Door) -> None:
        self._real, self._door = real, door

    def request(self, method: str, url: URL, **how: Any) -> Any:  # noqa: ANN401 - as a session has it
        return self._door if url.host == "door.example" else self._real.request(method, url, **how)

    async def close(self) -> None:
        await self._real.close()


class WithDoor(Fetcher):
    """What stands behind the door is asked for as everything is, through the sessions and sockets of the fetcher."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - whatever a fetcher takes
        super().__init__(**options)
        self.door = Door()

    def _new_session(self, guard, names):
        return Session(super()._new_session(guard, names), self.door)


def test_there_are_thousands_of_spellings():
    assert len(SPELLINGS) >= 5_000
    assert len(set(SPELLINGS)) == len(SPELLINGS)


async def test_no_spelling_opens_a_connection_directly(made):
    async with ScriptedServer(host="127.0.0.1") as secret, make_fetcher(Clock(), allowed=PLACES, lookup=to_itself, delay=0.0) as fetcher:
        for spelling in SPELLINGS:
            with pytest.raises(FetchError) as caught:
                await fetcher.fetch(f"http://{spelling}:{secret.port}/")
            assert "secret@" not in str(caught.value)
        assert (made, secret.asked, secret.most_open) == ([], [], 0)


async def test_no_spelling_opens_a_connection_by_redirect(made):
    async with (
        ScriptedServer(host="127.0.0.1") as secret,
        WithDoor(allowed=PLACES, lookup=to_itself, delay=0.0) as fetcher,
    ):
        for spelling in SPELLINGS:
            fetcher.door.leads_to = f"http://{spelling}:{secret.port}/latest/meta-data"
            with pytest.raises(FetchError):
                await fetcher.fetch("http://door.example/")
        assert fetcher.door.opened == len(SPELLINGS)
        assert (made, secret.asked, secret.most_open) == ([], [], 0)


async def test_no_name_that_is_rebound_opens_a_connection(made):
    """A name that led to an allowed place once and then to each private address, alone and beside the allowed one."""
    chance = random.Random(7)  # noqa: S311 - no secret
    addresses = [*PRIVATE_4, *PRIVATE_6]
    addresses += [f"{prefix}{address}" for address in PRIVATE_4 for prefix in ("::ffff:", "64:ff9b::", "::", "::ffff:0:")]
    for base in ("fc00::", "fe80::", "2002:7f00::", "2001::"):
        addresses += [str(IPv6Address(int(IPv6Address(base)) | chance.getrandbits(64))) for _ in range(300)]
    while len(addresses := list(dict.fromkeys(addresses))) < REBOUND:
        network = chance.choice([0x7F000000, 0x0A000000, 0xC0A80000, 0xA9FE0000, 0x64400000, 0xAC100000])
        addresses += [str(IPv4Address(network | chance.getrandbits(16))) for _ in range(100)]
    now_at: dict[str, str] = {}

    def lookup(host: str, port: int):
        address = now_at[host]
        return [(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    async with ScriptedServer({"/": Reply(b"once")}, host="127.7.7.7") as door:
        for batch in range(0, len(addresses), 500):
            clock = Clock()
            async with make_fetcher(clock, allowed=PLACES, lookup=lookup, delay=0.0) as fetcher:
                for number, address in enumerate(addresses[batch : batch + 500]):
                    host = f"rebound{number}.example"
                    if number % 50 == 0:
                        now_at[host] = "127.7.7.7"
                        assert (await fetcher.fetch(f"http://{host}:{door.port}/")).body == b"once"
                        clock.ticks += 100_000  # beyond what any answer is remembered
                    now_at[host] = address
                    with pytest.raises(FetchError):
                        await fetcher.fetch(f"http://{host}:{door.port}/")
    assert made == []
