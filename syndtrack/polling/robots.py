"""What a site's robots.txt says (RFC 9309). Pure; runs in a worker, since its patterns come from outside."""

from __future__ import annotations

from functools import lru_cache

from protego import Protego

# RFC 9309 section 2.5: at least 500 KiB are to be read.
ROBOTS_BYTES = 512_000


@lru_cache(maxsize=64)
def _parsed(text: str) -> Protego:
    return Protego.parse(text)


def judge(body: bytes, agent: str, url: str) -> tuple[bool, float | None]:
    """Whether `agent` may fetch `url`, and the pause in seconds between two requests that the site asks for."""
    rules = _parsed(body[:ROBOTS_BYTES].decode("utf-8-sig", "replace"))
    return rules.can_fetch(url, agent), rules.crawl_delay(agent)
