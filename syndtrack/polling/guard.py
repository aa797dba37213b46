"""Which addresses may be connected to: what a stranger's feed or redirect names must be on the public internet.

The check stands where the socket is made. That is the one place that sees every address: literal ones in any spelling, redirects, and
names whose answer changed since they were last looked up. aiohttp does not ask its resolver for literal addresses.

`ipaddress.is_global` alone does not do: it is true for NAT64, 6to4, v4-compatible, multicast and site-local forms of 127.0.0.1.
So for version 6 only the space that is handed out for global unicast (2000::/3) passes, without its special parts.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# Special networks with the word that the refusal uses. Registries: https://www.iana.org/assignments/iana-ipv4-special-registry and
# …/iana-ipv6-special-registry. The first that holds the address names it.
SPECIAL: tuple[tuple[str, str], ...] = (
    ("0.0.0.0/8", "unspecified"),
    ("127.0.0.0/8", "loopback"),
    ("10.0.0.0/8", "private"),
    ("172.16.0.0/12", "private"),
    ("192.168.0.0/16", "private"),
    ("100.64.0.0/10", "carrier-grade NAT"),
    ("169.254.0.0/16", "link-local"),
    ("168.63.129.16/32", "a cloud metadata service"),  # Azure's, the only one on an address that looks public
    ("192.0.0.0/24", "special"),
    ("192.0.2.0/24", "for documentation"),
    ("198.51.100.0/24", "for documentation"),
    ("203.0.113.0/24", "for documentation"),
    ("192.88.99.0/24", "6to4"),
    ("198.18.0.0/15", "for benchmarks"),
    ("224.0.0.0/4", "multicast"),
    ("240.0.0.0/4", "reserved"),
    ("::/128", "unspecified"),
    ("::1/128", "loopback"),
    ("::/96", "IPv4-compatible"),
    ("::ffff:0:0:0/96", "IPv4-translated"),
    ("64:ff9b::/96", "NAT64"),
    ("64:ff9b:1::/48", "NAT64"),
    ("2001::/32", "Teredo"),
    ("2001::/23", "special"),
    ("2001:db8::/32", "for documentation"),
    ("3fff::/20", "for documentation"),
    ("2002::/16", "6to4"),
    ("fc00::/7", "private"),
    ("fe80::/10", "link-local"),
    ("fec0::/10", "site-local"),
    ("ff00::/8", "multicast"),
)
_SPECIAL = tuple((ip_network(network), name) for network, name in SPECIAL)
_GLOBAL_UNICAST = IPv6Network("2000::/3")

# Ports above 1023 on which something else than HTTP listens; the part of the list that browsers keep (https://fetch.spec.whatwg.org/#port-blocking)
# and well-known databases and caches that answer to plain text.
REFUSED_HIGH_PORTS = frozenset(
    {1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080}
    | {2375, 2376, 2379, 3306, 3389, 5432, 5900, 6379, 9200, 9300, 11211, 27017}
)


class AddressRefusedError(PermissionError):
    """An address or port that may not be connected to. An OSError, so that the connection fails with it as with any other."""

    def __init__(self, reason: str) -> None:
        super().__init__(errno.EACCES, reason)

    def __str__(self) -> str:
        return str(self.strerror)


class Guard:
    """Decides about addresses; `allowed` are one's own networks, which may be fetched from on any port although they are private."""

    def __init__(self, allowed: Sequence[Network] = ()) -> None:
        # As numbers, which are looked up and compared in a tenth of the time.
        self._allowed = tuple((network.version, int(network.network_address), int(network.netmask)) for network in allowed)

    def is_own(self, address: str) -> bool:
        """Whether an address (a literal) lies in a network that was allowed by name."""
        return bool(self._allowed) and _is_in(address, self._allowed)

    def refusal(self, address: str, port: int) -> str | None:
        """Why this address (a literal, as the system gives it) and port may not be connected to; None if they may."""
        if self.is_own(address):
            return None
        parsed = parse_address(address)
        if parsed is None:
            return f"{address[:60]!r} is no address"
        name = special_name(parsed)
        if name is not None:
            return f"address {parsed} is {name}; allow it with SYNDTRACK_ALLOW_NETWORKS"
        if not is_web_port(port):
            return f"port {port} is not one that web servers use"
        return None

    def socket_for(self, info: tuple[int, int, int, str, tuple[object, ...]]) -> socket.socket:
        """The unconnected socket for one resolved address (aiohttp's `socket_factory`). Raises AddressRefusedError before one is made."""
        family, kind, protocol, _, where = info
        if family not in (socket.AF_INET, socket.AF_INET6):
            raise AddressRefusedError(f"address family {family} is not of the internet")
        address, port = str(where[0]), int(str(where[1]))
        reason = self.refusal(address, port)
        if reason is not None:
            raise AddressRefusedError(reason)
        return socket.socket(family, kind, protocol)


# What follows is asked several times in each poll.


@lru_cache(maxsize=4_096)
def _is_in(address: str, networks: tuple[tuple[int, int, int], ...]) -> bool:
    """Whether an address (a literal) lies in one of these networks: each its version, its first address and its mask."""
    parsed = parse_address(address)
    return parsed is not None and any(parsed.version == version and int(parsed) & mask == first for version, first, mask in networks)


@lru_cache(maxsize=4_096)
def parse_address(text: str) -> Address | None:
    """A literal address; a zone (`fe80::1%eth0`) is dropped and an IPv4-mapped form (`::ffff:127.0.0.1`) is the address it maps to."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


@lru_cache(maxsize=4_096)
def special_name(address: Address) -> str | None:
    """What is special about an address; None for global unicast."""
    for network, name in _SPECIAL:
        if address.version == network.version and address in network:
            return name
    if isinstance(address, IPv6Address):
        return None if address in _GLOBAL_UNICAST else "reserved"
    return None if address.is_global else "reserved"


def is_web_port(port: int) -> bool:
    """80, 443 and whatever is above 1023 and not known for something else."""
    return port in (80, 443) or (1024 <= port <= 65_535 and port not in REFUSED_HIGH_PORTS)
