"""What servers do and what is to come of it, as data: a behaviour is a name and its looks, each with the answers and all that is expected.

To add one, add it to a list in one of the `behaviours_*.py`; `test_behaviours.py` runs them all against a real server on loopback.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from polling_rig import long_text, rss, rss_entry
from scripted_server import Reply

Answers = Reply | Mapping[str, Reply]
Headers = Sequence[tuple[str, str | bytes]]


@dataclass(frozen=True)
class Look:
    """One poll. `answers` by path (of one reply: that of /feed); what is not there is a 404.

    `asks` are the targets of all requests in order, with the host's name where it is not the feed's own. `sends` are headers of the last
    request, None for one that must be missing. `wait` is in seconds to the next check, jitter (up to a tenth) not counted; `stored`
    are fields of the feed afterwards. `{base}` and `{other}` in texts and headers stand for the two hosts.
    `after` is in seconds since the last look; without it the look comes when it is planned.
    """

    answers: Answers
    outcome: str
    reason: str | None = None
    grade: str | None = None
    wait: int | None = None
    asks: Sequence[str] = ("/feed",)
    sends: Mapping[str, bytes | None] = field(default_factory=dict)
    stored: Mapping[str, Any] = field(default_factory=dict)
    new: int | None = None
    gap: bool = False
    after: int | None = None
    full: bool = False


@dataclass(frozen=True)
class Behaviour:
    """`feed` are fields that the feed has to begin with, `path` its address on its host."""

    name: str
    looks: Sequence[Look]
    feed: Mapping[str, Any] = field(default_factory=dict)
    path: str = "/feed"


def entries(*numbers: int) -> list[str]:
    """Entries that carry their text, so that no page is asked for."""
    return [rss_entry(number, f"/{number}", long_text(number)) for number in numbers]


def feed_of(*numbers: int, head: str = "") -> bytes:
    """A feed of such entries."""
    return rss(*entries(*numbers), head=head)


def ok(*numbers: int, headers: Headers = (), head: str = "", **rest: Any) -> Reply:  # noqa: ANN401 - whatever Reply takes
    """A 200 with a feed."""
    return Reply(feed_of(*(numbers or (1,)), head=head), headers=tuple(headers), **rest)


def status(line: str, headers: Headers = (), body: bytes = b"") -> Reply:
    """A status with a body that is no feed."""
    bodyless = line[:3] in ("204", "205", "304")
    return Reply(b"" if bodyless else body or b"<p>sorry</p>", status=line, headers=tuple(headers), framed=not bodyless)


def moved(line: str, to: str | bytes, *more: tuple[str, str]) -> Reply:
    """A redirect."""
    return Reply(status=line, headers=(("Location", to), *more))


NOT_MODIFIED = status("304 Not Modified")
PAGE = f"<!doctype html><html><title>Sign in</title><p>Welcome</p>{long_text(50)}</html>".encode()
HTML = (("Content-Type", "text/html; charset=utf-8"),)
