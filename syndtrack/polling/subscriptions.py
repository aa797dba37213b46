"""Subscription lists of others: OPML, as feed readers export it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import listparser

from syndtrack.errors import UsageError

MAX_BYTES = 20_000_000


@dataclass(frozen=True, slots=True)
class Subscription:
    """A feed of a list: its address and its title there."""

    url: str
    title: str | None


def read_subscriptions(path: Path) -> list[Subscription]:
    """The feeds of an OPML file, each address once, in its order. Raises UsageError for what is none."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UsageError(f"{path}: larger than {MAX_BYTES // 1_000_000} MB")
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    parsed = listparser.parse(content)
    if not parsed.feeds:
        raise UsageError(f"{path}: no feeds found; an OPML file with <outline xmlUrl=…> was expected")
    titles = {f.url.strip(): (f.title or None) for f in reversed(parsed.feeds)}
    return [Subscription(url, titles.pop(url)) for f in parsed.feeds if (url := f.url.strip()) in titles]
