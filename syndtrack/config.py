"""Settings: from `syndtrack.toml` beside which one works, overruled by the environment. What nobody changes is a constant elsewhere."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, fields, replace
from ipaddress import IPv4Network, IPv6Network, ip_network
from os import environ
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from syndtrack.errors import UsageError

SETTINGS_FILE = "syndtrack.toml"
DATABASE = "syndtrack.db"
MAX_PUBLIC_URL = 500
MAX_CONTACT = 200  # characters; it goes into a header of every request

HOST_NAME = re.compile(r"[a-z0-9]([a-z0-9._-]{0,251}[a-z0-9])?")

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator may set.

    `db`: the database. `allow_networks`: networks (CIDR) that may be fetched from although they are private or local. `contact`: an
    address or URL that servers see in the User-Agent. `concurrency`: feeds asked at a time. `host_delay`: seconds between two requests
    to one host. `public_url`: where the hubs of feeds reach the pages of `syndtrack run`; without it none is asked to push. `names`: host
    names at which the pages are shown, besides the machine's own; whoever controls one of them can read them.
    """

    db: Path = Path(DATABASE)
    allow_networks: tuple[Network, ...] = ()
    contact: str | None = None
    concurrency: int = 32
    host_delay: float = 5.0
    public_url: str | None = None
    names: tuple[str, ...] = ()


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
        settings = replace(settings, allow_networks=_networks("SYNDTRACK_ALLOW_NETWORKS", networks))
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
        raise UsageError(f"{path}: unknown setting {unknown[0]!r}; known are {', '.join(sorted(known))}")
    return Settings(**{name: _checked(name, value, path) for name, value in table.items()})


def _checked(name: str, value: Any, path: Path) -> Any:  # noqa: ANN401, PLR0911 - whatever TOML can hold; a return a setting
    """A setting's value. Raises UsageError where it is none."""
    where = f"{path}: {name}"
    match name, value:
        case "db", str() if value:
            return path.parent / value
        case "allow_networks", list():
            return _networks(where, value)
        case "names", list():
            return _names(where, value)
        case "contact", str() if value.isprintable() and len(value) <= MAX_CONTACT:
            return value
        case "public_url", str() if _is_public(value):
            return value.rstrip("/")
        case _, bool():  # which is an int to Python
            raise UsageError(f"{where}: {value!r} is not a value for this setting")
        case "concurrency", int() if 1 <= value <= 1_000:
            return value
        case "host_delay", int() | float() if 0 <= value <= 3_600:
            return float(value)
    raise UsageError(f"{where}: {value!r} is not a value for this setting")


def _is_public(url: str) -> bool:
    """Whether this is an address that callbacks can lie below."""
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
    return valid and url.isascii() and url.isprintable() and not set(url) & set(' ?#@<>"\\') and len(url) <= MAX_PUBLIC_URL


def _names(where: str, names: list[Any]) -> tuple[str, ...]:
    """Host names."""
    for name in names:
        if not isinstance(name, str) or not HOST_NAME.fullmatch(name.casefold()):
            raise UsageError(f"{where}: {name!r} is not a value for this setting; write host names as news.lan")
    return tuple(name.casefold() for name in names)


def _networks(where: str, texts: list[Any]) -> tuple[Network, ...]:
    """Networks in CIDR notation."""
    try:
        return tuple(ip_network(str(text).strip()) for text in texts)
    except ValueError as error:
        raise UsageError(f"{where}: {error}; write networks as 192.168.0.0/16") from error
