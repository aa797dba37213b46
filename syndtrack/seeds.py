"""What a new database starts with: publishers with their names, and feeds worth polling.

Both are files that people edit (`seeds/publishers.toml`, `seeds/feeds.opml`), so a slip in them is named with its entry.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from lxml import etree

from syndtrack.errors import UsageError
from syndtrack.models import Publisher, PublisherKind

KINDS = frozenset(get_args(PublisherKind)) - {"unknown"}
TEXTS = frozenset({"name", "kind", "owner", "country", "continent", "lang"})
LISTS = frozenset({"domains", "aliases"})


@dataclass(frozen=True, slots=True)
class SeedFeed:
    """A feed to subscribe to: its title, its address, the page it belongs to and its language (ISO 639-1)."""

    title: str
    url: str
    homepage: str | None = None
    language: str | None = None


def seeds_folder() -> Path:
    """Where the seed files lie: inside the package when installed from a wheel, else at the top of the checkout."""
    package = Path(__file__).parent
    for folder in (package / "_seeds", package.parent / "seeds"):
        if (folder / "publishers.toml").is_file():
            return folder
    raise UsageError(f"seed files are missing beside {package}: install syndtrack again")


def seed_publishers(path: Path | None = None) -> tuple[Publisher, ...]:
    """The publishers of `path`, by default those shipped. Raises UsageError naming the entry that is wrong."""
    path = path or seeds_folder() / "publishers.toml"
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path}: {error}") from error
    entries = tables.pop("publisher", [])
    if tables or not isinstance(entries, list):
        raise UsageError(f"{path}: only [[publisher]] tables are known, not {', '.join(tables) or 'a single publisher'}")
    return tuple(_publisher(entry, f"{path}: publisher {number}") for number, entry in enumerate(entries, 1))


def _publisher(entry: Any, where: str) -> Publisher:  # noqa: ANN401 - whatever stands in the file; this function is what checks it
    if not isinstance(entry, dict):
        raise UsageError(f"{where}: not a table")
    where = f"{where} ({entry.get('name', 'without a name')})"
    if unknown := sorted(entry.keys() - TEXTS - LISTS):
        raise UsageError(f"{where}: unknown key {', '.join(unknown)}; known are {', '.join(sorted(TEXTS | LISTS))}")
    for key in TEXTS & entry.keys():
        if not isinstance(entry[key], str) or not entry[key].strip():
            raise UsageError(f"{where}: {key} must be a text")
    for key in LISTS & entry.keys():
        if not isinstance(entry[key], list) or not all(isinstance(text, str) and text.strip() for text in entry[key]):
            raise UsageError(f"{where}: {key} must be a list of texts")
    if "name" not in entry:
        raise UsageError(f"{where}: name is missing")
    if entry.get("kind") not in KINDS:
        raise UsageError(f"{where}: kind must be one of {', '.join(sorted(KINDS))}")
    return Publisher(
        name=entry["name"],
        kind=entry["kind"],
        aliases=tuple(entry.get("aliases", ())),
        domains=tuple(entry.get("domains", ())),
        owner=entry.get("owner"),
    )


def seed_feeds(path: Path | None = None) -> tuple[SeedFeed, ...]:
    """The feeds of an OPML file, by default the one shipped, in its order. Raises UsageError if it cannot be read.

    Stricter than what reads the subscription lists of others: this file is known to be well formed, and `htmlUrl` is wanted.
    """
    path = path or seeds_folder() / "feeds.opml"
    try:
        tree = etree.parse(path, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))
    except (OSError, etree.XMLSyntaxError) as error:
        raise UsageError(f"{path}: {error}") from error
    return tuple(
        SeedFeed(
            title=outline.get("text") or outline.get("title") or outline.get("xmlUrl"),
            url=outline.get("xmlUrl"),
            homepage=outline.get("htmlUrl"),
            language=outline.get("language"),
        )
        for outline in tree.iterfind(".//outline[@xmlUrl]")
    )
