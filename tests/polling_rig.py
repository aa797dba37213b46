"""What the tests of polling share: a clock that is set, sleeps that are noted instead of slept, feeds made of a few words."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any

from syndtrack.models import Feed, PollResult
from syndtrack.polling.fetch import Fetcher
from syndtrack.polling.poll import Poller
from syndtrack.polling.workers import Workers

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)  # a Monday
LOOPBACK = (ip_network("127.0.0.0/8"),)


@dataclass
class Clock:
    """Wall time that stands still unless `pass_time` is called, and a monotonic time that only `pause` moves."""

    time: datetime = NOON
    ticks: float = 0.0
    paused: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return self.time

    def pass_time(self, **span: float) -> None:
        self.time += timedelta(**span)

    def read_ticks(self) -> float:
        return self.ticks

    async def pause(self, seconds: float) -> None:
        self.paused.append(seconds)
        self.ticks += seconds


def make_fetcher(clock: Clock, **options: Any) -> Fetcher:  # noqa: ANN401 - whatever Fetcher takes
    return Fetcher(**({"allowed": LOOPBACK, "now": clock.now, "ticks": clock.read_ticks, "pause": clock.pause} | options))


@asynccontextmanager
async def make_poller(clock: Clock, **options: Any) -> AsyncIterator[Poller]:  # noqa: ANN401 - whatever Fetcher takes
    async with Workers(1) as workers, Poller(workers, fetcher=make_fetcher(clock, **options), now=clock.now) as poller:
        yield poller


async def nothing_known(_feed_id: int) -> Mapping[str, str]:
    return {}


def stored(result: PollResult, before: Mapping[str, str] | None = None) -> dict[str, str]:
    """Keys and hashes as a store would hold them after a poll."""
    return dict(before or {}) | {entry.key: "" if entry.refused else entry.entry_hash for entry in result.entries}


def sentence(number: int) -> str:
    return f"Sentence number {number} tells at some length what the council of the harbour town decided that day."


def long_text(start: int = 0, sentences: int = 20) -> str:
    return "".join(f"<p>{sentence(start + n)}</p>" for n in range(sentences))


def rss(*entries: str, head: str = "") -> bytes:
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>Harbour News</title>{head}{"".join(entries)}</channel></rss>'.encode()


def rss_entry(number: int, link: str | None = None, body: str | None = None, guid: str | None = None) -> str:
    fields = [f"<title>Story {number}</title>"]
    fields += [f"<link>{link}</link>"] if link else []
    fields += [f'<guid isPermaLink="false">{guid}</guid>'] if guid else []
    fields += [f"<description><![CDATA[{body}]]></description>"] if body else []
    return f"<item>{''.join(fields)}</item>"


def subscribed(url: str, **fields: Any) -> Feed:  # noqa: ANN401 - whatever Feed takes
    return Feed(**({"id": 1, "url": url} | fields))
