"""Addresses that must never be connected to, in every spelling and by every way."""

from __future__ import annotations

import socket
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from polling_rig import Clock, make_fetcher
from scripted_server import Reply, ScriptedServer

from syndtrack.errors import FetchError
from syndtrack.polling.guard import SPECIAL, AddressRefusedError, Guard, is_web_port

REFUSED = [
    ("127.0.0.1", "loopback"),
    ("127.255.255.254", "loopback"),
    ("0.0.0.0", "unspecified"),  # noqa: S104 - an address to refuse, nothing is bound
    ("0.1.2.3", "unspecified"),
    ("10.1.2.3", "private"),
    ("172.16.0.1", "private"),
    ("172.31.255.255", "private"),
    ("192.168.1.1", "private"),
    ("100.64.0.1", "carrier-grade NAT"),
    ("100.100.100.200", "carrier-grade NAT"),
    ("169.254.169.254", "link-local"),
    ("168.63.129.16", "a cloud metadata service"),
    ("192.0.0.192", "special"),
    ("192.0.2.1", "for documentation"),
    ("198.18.0.1", "for benchmarks"),
    ("192.88.99.1", "6to4"),
    ("224.0.0.1", "multicast"),
    ("239.255.255.250", "multicast"),
    ("240.0.0.1", "reserved"),
    ("255.255.255.255", "reserved"),
    ("::", "unspecified"),
    ("::1", "loopback"),
    ("0:0:0:0:0:0:0:1", "loopback"),
    ("::ffff:127.0.0.1", "loopback"),
    ("::ffff:7f00:1", "loopback"),
    ("::ffff:a9fe:a9fe", "link-local"),
    ("::127.0.0.1", "IPv4-compatible"),
    ("::8.8.8.8", "IPv4-compatible"),
    ("::ffff:0:127.0.0.1", "IPv4-translated"),
    ("64:ff9b::127.0.0.1", "NAT64"),
    ("64:ff9b::8.8.8.8", "NAT64"),
    ("64:ff9b:1::1", "NAT64"),
    ("2002:7f00:1::", "6to4"),
    ("2001:0:4136:e378:8000:63bf:3fff:fdd2", "Teredo"),
    ("2001:2::1", "special"),
    ("2001:db8::1", "for documentation"),
    ("3fff::1", "for documentation"),
    ("fc00::1", "private"),
    ("fd00:ec2::254", "private"),
    ("fe80::1", "link-local"),
    ("fe80::1%eth0", "link-local"),
    ("fec0::1", "site-local"),
    ("ff02::1", "multicast"),
    ("100::1", "reserved"),
    ("5f00::1", "reserved"),
    ("4000::1", "reserved"),
]
ALLOWED = [
    "1.1.1.1",
    "8.8.8.8",
    "93.184.216.34",
    "172.32.0.1",
    "100.128.0.1",
    "169.253.1.1",
    "2606:4700::1111",
    "2a00:1450:4001::1",
    "::ffff:8.8.8.8",
]


@pytest.mark.parametrize(("address", "name"), REFUSED)
def test_an_address_that_is_not_of_the_public_internet_is_refused_by_name(address, name):
    reason = Guard().refusal(address, 443)
    assert reason is not None
    assert f" is {name}; allow it with SYNDTRACK_ALLOW_NETWORKS" in reason


@pytest.mark.parametrize("address", ALLOWED)
def test_an_ordinary_address_is_allowed(address):
    assert Guard().refusal(address, 443) is None


@pytest.mark.parametrize("network", [network for network, _ in SPECIAL])
def test_both_ends_of_every_special_network_are_refused(network):
    parsed = ip_network(network)
    for address in (parsed.network_address, parsed.broadcast_address):
        assert Guard().refusal(str(address), 80) is not None


@given(st.ip_addresses(v=4))
def test_what_is_refused_in_version_4_is_refused_in_its_mapped_form(address):
    mapped = f"::ffff:{address}"
    assert (Guard().refusal(str(address), 80) is None) == (Guard().refusal(mapped, 80) is None)


@given(st.ip_addresses())
def test_nothing_passes_that_python_does_not_call_global(address):
    if Guard().refusal(str(address), 80) is None:
        assert address.is_global
        assert not address.is_multicast


@pytest.mark.parametrize("text", ["", "localhost", "1.2.3", "127.1", "0x7f.1", "::g", "1.2.3.4.5", "１２７.0.0.1"])
def test_what_is_no_literal_address_is_refused(text):
    assert Guard().refusal(text, 80) is not None


def test_a_network_allowed_by_name_is_open_on_any_port_and_the_others_stay_closed():
    guard = Guard([ip_network(text) for text in ("127.0.0.0/8", "192.168.7.0/24", "fd00::/8")])
    for address in ("127.0.0.1", "192.168.7.9", "fd12::1", "::ffff:127.0.0.1"):
        assert guard.refusal(address, 25) is None
        assert guard.is_own(address)
    for address in ("192.168.8.1", "10.0.0.1", "::1", "64:ff9b::127.0.0.1"):
        assert guard.refusal(address, 80) is not None
        assert not guard.is_own(address)


@pytest.mark.parametrize(("port", "open_"), [(80, True), (443, True), (8080, True), (8443, True), (1024, True), (65_535, True)]
                         + [(port, False) for port in (-1, 0, 21, 22, 25, 53, 110, 143, 445, 587, 6379, 6667, 11211, 65_536)])  # fmt: skip
def test_only_ports_of_web_servers_are_open(port, open_):
    assert is_web_port(port) is open_
    assert (Guard().refusal("1.1.1.1", port) is None) is open_


def test_a_refused_address_gets_no_socket():
    with pytest.raises(AddressRefusedError, match=r"address 127\.0\.0\.1 is loopback"):
        Guard().socket_for((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 80)))
    with pytest.raises(AddressRefusedError):
        Guard().socket_for((socket.AF_UNIX, socket.SOCK_STREAM, 0, "", ("/run/some.sock",)))


# All of them the machine itself, if anything; {port} is where a server listens that must hear nothing.
SPELLINGS = [
    "127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.0x0.0x0.0x1", "0177.0.0.1", "017700000001", "0x7f.1",
    "127.000.000.001", "127.0.0.1.", "localhost", "LOCALHOST", "localhost.", "0", "0.0.0", "00000000", "[::1]", "[::]",
    "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]",
    "[::ffff:0:127.0.0.1]", "[fe80::1%25lo]", "１２７.０.０.１", "127。0。0。1", "①②⑦.⓪.⓪.①", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ", "user@127.0.0.1",
    "user:secret@127.0.0.1", "1.1.1.1@127.0.0.1", "%31%32%37.0.0.1", "127.0.0.1%00.example", "127.0.0.1\\@1.1.1.1",
    "[::1%25]", "4294967297", "127.0.0.1#@1.1.1.1", "169.254.169.254",
]  # fmt: skip


@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_no_spelling_of_the_own_machine_is_connected_to_directly_or_by_redirect(spelling):
    # The redirecting server stands in an allowed network, its target does not.
    async with (
        ScriptedServer() as secret,
        ScriptedServer(host="127.7.7.7") as door,
        make_fetcher(Clock(), allowed=[ip_network("127.7.7.7/32")]) as fetcher,
    ):
        target = f"http://{spelling}:{secret.port}/latest/meta-data"
        door.pages["/go"] = Reply(status="302 Found", headers=(("Location", target),))
        for url in (target, door.url("/go")):
            with pytest.raises(FetchError) as caught:
                await fetcher.fetch(url)
            assert "secret@" not in str(caught.value)
        assert secret.asked == []
        assert secret.most_open == 0
        assert door.paths() == ["/go"]


@pytest.mark.parametrize("address", ["127.0.0.1", "::ffff:127.0.0.1", "10.0.0.1", "169.254.169.254", "::1"])
async def test_a_name_that_leads_to_a_private_address_is_refused(address):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    lookup = lambda _host, port: [(family, socket.SOCK_STREAM, 6, "", (address, port))]  # noqa: E731
    async with make_fetcher(Clock(), allowed=(), lookup=lookup) as fetcher:
        with pytest.raises(FetchError, match="allow it with SYNDTRACK_ALLOW_NETWORKS") as caught:
            await fetcher.fetch("http://rebound.example/feed")
    assert caught.value.what == "http://rebound.example/feed"
    assert str(ip_address(address).ipv4_mapped or address if ":" in address else address) in caught.value.reason


async def test_a_name_that_first_leads_outside_and_then_inside_is_refused_the_second_time():
    answers = ["127.7.7.7", "127.0.0.1"]
    lookup = lambda _host, port: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (answers.pop(0), port))]  # noqa: E731
    async with ScriptedServer(host="127.7.7.7") as door:
        door.pages["/feed"] = Reply(b"once")
        for expected in ("once", "refused"):
            async with make_fetcher(Clock(), allowed=[ip_network("127.7.7.7/32")], lookup=lookup) as fetcher:
                url = f"http://rebound.example:{door.port}/feed"
                if expected == "once":
                    assert (await fetcher.fetch(url)).body == b"once"
                else:
                    with pytest.raises(FetchError, match=r"127\.0\.0\.1 is loopback"):
                        await fetcher.fetch(url)
    assert door.paths() == ["/feed"]


async def test_what_is_allowed_is_reached_from_ones_own_places_only():
    lookup = lambda _host, port: [  # noqa: E731 - a public feed of a test: not all its addresses are one's own
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.7.7.7", port)),
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.1", port)),
    ]
    async with (
        ScriptedServer({"/": Reply(b"mine")}) as inside,
        ScriptedServer(host="127.7.7.7") as door,
        make_fetcher(Clock(), lookup=lookup, delay=0.0) as fetcher,
    ):
        door.pages["/go"] = Reply(status="302 Found", headers=(("Location", inside.url()),))
        assert (await fetcher.fetch(door.url("/go"))).body == b"mine"
        with pytest.raises(FetchError, match=r"127\.0\.0\.1 is loopback"):
            await fetcher.fetch(f"http://paper.example:{door.port}/go")
        with pytest.raises(FetchError, match=r"127\.0\.0\.1 is loopback"):
            await fetcher.fetch(inside.url(), own=False)
        assert len(inside.asked) == 1
