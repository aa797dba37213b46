"""Settings: from `syndtrack.toml` beside which one works, overruled by the environment. What nobody changes is a constant elsewhere."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from ipaddress import IPv4Network, IPv6Network, ip_network
from os import environ
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from syndtrack.errors import UsageError

SETTINGS_FILE = "syndtrack.toml"
DATABASE = "syndtrack.db"
MAX_PUBLIC_URL = 500
MOST_QUOTED = 200  # characters of a value that does not fit
MAX_CONTACT = 200  # characters; it goes into a header of every request

# What may stand before a proxy's name; anything else there (`/`, `#`) would end the name early.
LOGIN = re.compile(r"http://[\w.~!$&'()*+,;=:%@-]*", re.ASCII)
HOST_NAME = re.compile(r"[a-z0-9]([a-z0-9._-]{0,251}[a-z0-9])?")

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator may set.

    `db`: the database. `allow_networks`: networks (CIDR) that may be fetched from although they are private or local. `contact`: an
    address or URL that servers see in the User-Agent. `concurrency`: feeds asked at a time. `host_delay`: seconds between two requests
    to one host. `public_url`: where the hubs of feeds reach the pages of `syndtrack run`; without it none is asked to push. `names`: host
    names at which the pages are shown, besides the machine's own; whoever controls one of them can read them. `proxy`: what servers of
    the web are asked through, `http://host:port`; a login in it goes to the proxy only.
    """

    db: Path = Path(DATABASE)
    allow_networks: tuple[Network, ...] = ()
    contact: str | None = None
    concurrency: int = 32
    host_delay: float = 5.0
    public_url: str | None = None
    names: tuple[str, ...] = ()
    proxy: str | None = field(default=None, repr=False)


def load_settings(db: Path | None = None, file: Path | None = None) -> Settings:
    """Settings from the file (`./syndtrack.toml` if it exists), then the environment, then `db`. Raises UsageError naming what is wrong."""
    path = file or Path(SETTINGS_FILE)
    settings = Settings()
    if file is not None or path.is_file():
        settings = _from_file(path)
    if environ.get("SYNDTRACK_DB"):
        settings = replace(settings, db=Path(environ["SYNDTRACK_DB"]))
    if environ.get("SYNDTRACK_ALLOW_NETWORKS"):
        networks = [n for n in environ["SYNDTRACK_ALLOW_NETWORKS"].split(",") if n.strip()]
        settings = replace(settings, allow_networks=_networks("", "SYNDTRACK_ALLOW_NETWORKS", networks))
    if environ.get("SYNDTRACK_PROXY"):
        settings = replace(settings, proxy=_proxy("", "SYNDTRACK_PROXY", environ["SYNDTRACK_PROXY"]))
    return settings if db is None else replace(settings, db=db)


def _from_file(path: Path) -> Settings:
    """The file's settings; unknown keys are refused."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path}: {getattr(error, 'strerror', None) or error}") from error
    known = {f.name for f in fields(Settings)}
    unknown = sorted(set(table) - known)
    if unknown:
        near = get_close_matches(unknown[0].casefold().replace("-", "_"), known, 1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise UsageError(f"{path}: unknown setting {unknown[0]!r}; {hint}known are {', '.join(sorted(known))}")
    return Settings(**{name: _checked(name, value, path) for name, value in table.items()})


# What each setting takes, in words and as a line of the file.
EXPECTED = {
    "db": ("a path", 'db = "news.db"'),
    "allow_networks": ("a list of networks in CIDR notation", 'allow_networks = ["192.168.0.0/16", "fd00::/8"]'),
    "SYNDTRACK_ALLOW_NETWORKS": ("networks in CIDR notation, parted by commas", "SYNDTRACK_ALLOW_NETWORKS=192.168.0.0/16,fd00::/8"),
    "contact": (f"an address or URL of at most {MAX_CONTACT} characters on one line", 'contact = "https://example.org/about-our-crawler"'),
    "concurrency": ("a whole number from 1 to 1,000", "concurrency = 32"),
    "host_delay": ("a number of seconds from 0 to 3,600", "host_delay = 5.0"),
    "public_url": ("an http or https address without login, ? and #", 'public_url = "https://news.example.org"'),
    "names": ("a list of host names", 'names = ["news.lan"]'),
    "proxy": ("an http address with host and port, a login in it percent-encoded", 'proxy = "http://proxy.example:3128"'),
    "SYNDTRACK_PROXY": ("an http address with host and port, a login in it percent-encoded", "SYNDTRACK_PROXY=http://proxy.example:3128"),
}


def _wrong(where: str, name: str, value: object, reason: str = "") -> UsageError:
    """The error for a value that does not fit a setting: what is expected, and a line that would do."""
    what, example = EXPECTED[name]
    told = str(value).lower() if isinstance(value, bool) else repr(value)
    return UsageError(f"{where}{name}: {told:.{MOST_QUOTED}} does not fit{reason}; expected is {what}, as in: {example}")


def _checked(name: str, value: Any, path: Path) -> Any:  # noqa: ANN401, PLR0911 - whatever TOML can hold; a return a setting
    """A setting's value. Raises UsageError where it is none."""
    where = f"{path}: "
    match name, value:
        case "db", str() if value:
            return path.parent / value
        case "allow_networks", list():
            return _networks(where, name, value)
        case "names", list():
            return _names(where, value)
        case "contact", str() if value.isprintable() and len(value) <= MAX_CONTACT:
            return value
        case "public_url", str() if _is_public(value):
            return value.rstrip("/")
        case "proxy", str():
            return _proxy(where, name, value)
        case _, bool():  # which is an int to Python
            raise _wrong(where, name, value)
        case "concurrency", int() if 1 <= value <= 1_000:
            return value
        case "host_delay", int() | float() if 0 <= value <= 3_600:
            return float(value)
    raise _wrong(where, name, value)


def _is_public(url: str) -> bool:
    """Whether this is an address that callbacks can lie below."""
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
    return valid and url.isascii() and url.isprintable() and not set(url) & set(' ?#@<>"\\') and len(url) <= MAX_PUBLIC_URL


def _proxy(where: str, name: str, url: str) -> str:
    """The address of a proxy. Raises UsageError, which does not quote its login."""
    login, at, place = url.rpartition("@")
    bare = f"http://{place}" if at and LOGIN.fullmatch(login) else url
    try:
        right = _is_public(bare) and urlsplit(bare).scheme == "http" and bool(urlsplit(bare).port) and urlsplit(bare).path in ("", "/")
    except ValueError:
        right = False
    if not right or not url.isascii() or not url.isprintable() or len(url) > MAX_PUBLIC_URL:
        raise _wrong(where, name, f"…@{place}" if at else url)
    return url.rstrip("/")


def _names(where: str, names: list[Any]) -> tuple[str, ...]:
    """Host names."""
    for name in names:
        if not isinstance(name, str) or not HOST_NAME.fullmatch(name.casefold()):
            raise _wrong(where, "names", name)
    return tuple(name.casefold() for name in names)


def _networks(where: str, name: str, texts: list[Any]) -> tuple[Network, ...]:
    """Networks in CIDR notation. Raises UsageError, which for bits right of the mask names the network that may have been meant."""
    found: list[Network] = []
    for text in texts:
        try:
            found.append(ip_network(str(text).strip()))
        except ValueError as error:
            raise _wrong(where, name, text, _meant(str(text).strip())) from error
    return tuple(found)


def _meant(text: str) -> str:
    """The network that an address with a mask lies in, if that is what was written."""
    try:
        return f" (its network is {ip_network(text, strict=False)})"
    except ValueError:
        return ""
