"""What an operator watches: counts and times of polling, as Prometheus metrics and as the numbers of `/healthz`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from time import monotonic
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from syndtrack.models import PollResult

LATENESS = (1, 2, 5, 10, 30, 60, 120, 300, 900, 3_600)
LAG = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)
# How often the event loop is asked whether it comes back in time: often enough to meet whatever stalls it for 100 ms.
LOOK_SECONDS = 0.05

CONTENT_TYPE = CONTENT_TYPE_LATEST


class Metrics:
    """Counted from the start of the program. Used by the thread of the event loop."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self._polls = Counter("syndtrack_polls", "Polls of feeds by their outcome.", ["outcome"], registry=registry)
        self._lateness = Histogram(
            "syndtrack_poll_lateness_seconds", "From when a feed was due to when it was asked.", buckets=LATENESS, registry=registry
        )
        self._bytes = Counter("syndtrack_received_bytes", "Bytes of feeds received.", registry=registry)
        self._entries = Counter("syndtrack_entries", "Entries seen in feeds, known ones too.", registry=registry)
        self._articles = Counter("syndtrack_articles", "Articles and revisions that were new.", registry=registry)
        self._matches = Gauge("syndtrack_matches", "Verified pairs of articles in the store.", registry=registry)
        self._refused = Counter("syndtrack_refused", "Inputs refused.", registry=registry)
        self._queue = Gauge("syndtrack_queue", "Feeds that are due or being asked.", registry=registry)
        self._kills = Counter("syndtrack_worker_kills", "Workers that an input killed, by what was too much.", ["kind"], registry=registry)
        self._busy = Gauge("syndtrack_workers_busy", "1 while every worker has something to read.", registry=registry)
        self._lag = Histogram("syndtrack_loop_lag_seconds", "How late the event loop came back.", buckets=LAG, registry=registry)
        self._pushes = Counter("syndtrack_pushes", "Pushes that came from hubs, by what became of them.", ["outcome"], registry=registry)
        self._pushes_read = Counter("syndtrack_pushes_read", "Pushes taken and read, by their outcome.", ["outcome"], registry=registry)
        self._push_articles = Counter("syndtrack_push_articles", "Articles and revisions that were new in pushes.", registry=registry)
        self._polls_by = cache(self._polls.labels)  # looking labels up takes longer than counting
        self._known_kills: dict[str, int] = {}
        self._lags: list[float] = []
        self._last_poll: datetime | None = None
        self._last_round: Mapping[str, object] | None = None

    def polled(self, result: PollResult, due: datetime | None, new: int, refused: int) -> None:
        """A poll of a feed that was due then was stored, or what its hub pushed."""
        if result.pushed:
            self._pushes_read.labels(result.outcome).inc()
            self._push_articles.inc(new)
        else:
            self._polls_by(result.outcome).inc()
        if due is not None:
            self._lateness.observe(max((result.at - due).total_seconds(), 0.0))
        for counter, count in ((self._bytes, result.received_bytes), (self._entries, len(result.entries)), (self._articles, new)):
            if count:
                counter.inc(count)
        if refused:
            self._refused.inc(refused)
        self._last_poll = result.at

    def push_came(self, outcome: str) -> None:
        """A hub, or somebody else, pushed something: "taken", "not agreed", "not signed", "too large or slow", "no room"."""
        self._pushes.labels(outcome).inc()

    def round_done(self, record: Mapping[str, object]) -> None:
        """A round of polls ended with these numbers."""
        self._last_round = dict(record)

    def waiting(self, feeds: int) -> None:
        """So many feeds are due or being asked."""
        self._queue.set(feeds)

    def workers(self, killed: Mapping[str, int], busy: bool) -> None:
        """How the worker processes are: kills so far by kind, and whether all are busy."""
        for kind, count in killed.items():
            self._kills.labels(kind).inc(count - self._known_kills.get(kind, 0))
            self._known_kills[kind] = count
        self._busy.set(busy)

    def text(self, matches: int) -> bytes:
        """All of it as Prometheus reads it."""
        self._matches.set(matches)
        return generate_latest(self._registry)

    def health(self) -> dict[str, Any]:
        """The numbers for `/healthz`: loop lag in the last minute, the last round, the workers."""
        lags = sorted(self._lags)
        return {
            "loop_lag_ms": {"max": _ms(lags[-1]), "p99": _ms(lags[int(len(lags) * 0.99)])} if lags else None,
            "last_poll": self._last_poll.isoformat().replace("+00:00", "Z") if self._last_poll else None,
            "last_round": self._last_round,
            "queue": int(self._queue._value.get()),
            "workers": {"busy": bool(self._busy._value.get()), "killed": dict(self._known_kills)},
        }

    async def watch_loop(self, look: Callable[[], None] = lambda: None) -> None:
        """Measure, until cancelled, how late the event loop comes back; `look` is called at each measurement."""
        while True:
            before = monotonic()
            await asyncio.sleep(LOOK_SECONDS)
            lag = max(monotonic() - before - LOOK_SECONDS, 0.0)
            self._lag.observe(lag)
            self._lags.append(lag)
            del self._lags[: -int(60 / LOOK_SECONDS)]
            look()


def _ms(seconds: float) -> float:
    return round(seconds * 1_000, 1)
