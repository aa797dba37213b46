"""Settings: from `syndtrack.toml` beside which one works, overruled by the environment. What nobody changes is a constant elsewhere."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields, replace
from ipaddress import IPv4Network, IPv6Network, ip_network
from os import environ
from pathlib import Path
from typing import Any

from syndtrack.errors import UsageError

SETTINGS_FILE = "syndtrack.toml"
DATABASE = "syndtrack.db"
MAX_CONTACT = 200  # characters; it goes into a header of every request

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator may set.

    `db`: the database. `allow_networks`: networks (CIDR) that may be fetched from although they are private or local. `contact`: an
    address or URL that servers see in the User-Agent. `concurrency`: feeds asked at a time. `host_delay`: seconds between two requests
    to one host.
    """

    db: Path = Path(DATABASE)
    allow_networks: tuple[Network, ...] = ()
    contact: str | None = None
    concurrency: int = 32
    host_delay: float = 5.0


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
    values: dict[str, Any] = {}
    for name, value in table.items():
        where = f"{path}: {name}"
        match name, value:
            case "db", str() if value:
                values[name] = path.parent / value
            case "allow_networks", list():
                values[name] = _networks(where, value)
            case "contact", str() if value.isprintable() and len(value) <= MAX_CONTACT:
                values[name] = value
            case _, bool():  # which is an int to Python
                raise UsageError(f"{where}: {value!r} is not a value for this setting")
            case "concurrency", int() if 1 <= value <= 1_000:
                values[name] = value
            case "host_delay", int() | float() if 0 <= value <= 3_600:
                values[name] = float(value)
            case _:
                raise UsageError(f"{where}: {value!r} is not a value for this setting")
    return Settings(**values)


def _networks(where: str, texts: list[Any]) -> tuple[Network, ...]:
    """Networks in CIDR notation."""
    try:
        return tuple(ip_network(str(text).strip()) for text in texts)
    except ValueError as error:
        raise UsageError(f"{where}: {error}; write networks as 192.168.0.0/16") from error
