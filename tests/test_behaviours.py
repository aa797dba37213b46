"""The table of behaviours, run: what each look asks for, decides and stores."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from behaviours import Behaviour, Look
from behaviours_bodies import BODIES
from behaviours_moves import MOVES
from behaviours_retry import RETRIES
from behaviours_statuses import STATUSES
from behaviours_timing import TIMING
from behaviours_validators import VALIDATORS
from polling_rig import NOON, Clock, make_fetcher, stored, subscribed
from scripted_server import Asked, Reply, ScriptedServer

from syndtrack import __version__
from syndtrack.models import Feed, PollResult
from syndtrack.polling.poll import Poller
from syndtrack.polling.schedule import CEILING, JITTER
from syndtrack.polling.workers import Workers

ALL: tuple[Behaviour, ...] = (*STATUSES, *VALIDATORS, *BODIES, *MOVES, *RETRIES, *TIMING)


def lookup(_host: str, port: int) -> list[tuple[Any, ...]]:
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def workers() -> AsyncIterator[Workers]:
    async with Workers(1) as started:
        yield started


def test_the_table_holds_three_hundred_behaviours_of_different_names():
    assert len({behaviour.name for behaviour in ALL}) == len(ALL) >= 300


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("behaviour", ALL, ids=[behaviour.name for behaviour in ALL])
async def test_a_server_is_answered_as_specified(behaviour: Behaviour, workers: Workers):
    clock = Clock()
    async with ScriptedServer() as server, Poller(workers, fetcher=make_fetcher(clock, lookup=lookup), now=clock.now) as poller:
        hosts = {"base": f"http://paper.example:{server.port}", "other": f"http://other.example:{server.port}"}
        feed, known = subscribed(hosts["base"] + behaviour.path, **{k: _placed(v, hosts) for k, v in behaviour.feed.items()}), {}
        for number, look in enumerate(behaviour.looks):
            if number:
                clock.time = (
                    max(clock.now(), feed.next_check or NOON) if look.after is None else clock.now() + timedelta(seconds=look.after)
                )
            before, server.asked[:] = feed, []
            answers = {"/feed": look.answers} if isinstance(look.answers, Reply) else look.answers
            server.pages = {path: _reply(reply, hosts) for path, reply in answers.items()}

            async def known_now(_feed_id: int, now: dict[str, str] = known) -> dict[str, str]:
                return now

            result = await poller.poll_one(replace(feed, last_full_fetch=None) if look.full else feed, known_now)
            _as_expected(look, result, before, clock, hosts)
            _asked_politely(look, server.asked)
            feed, known = result.feed, stored(result, known)
    assert not [pause for pause in clock.paused if pause > 5]


def _as_expected(look: Look, result: PollResult, before: Feed, clock: Clock, hosts: dict[str, str]) -> None:
    after = result.feed
    assert (result.outcome, result.grade, result.gap) == (look.outcome, look.grade, look.gap), (result.reason, result.why)
    assert look.outcome in ("new", "nothing new", "not modified") or result.reason, "a failure has a reason"
    if look.reason is not None:
        assert result.reason is not None
        assert _placed(look.reason, hosts) in result.reason
    for name, value in look.stored.items():
        assert getattr(after, name) == _placed(value, hosts), name
    if look.new is not None:
        assert sum(entry.submission is not None for entry in result.entries) == look.new
    assert after.next_check is not None
    wait = (after.next_check - clock.now()).total_seconds()
    assert 60 <= wait <= max(CEILING, 7 * CEILING * (1 + JITTER) if look.wait is None or look.wait > CEILING else CEILING * (1 + JITTER))
    if look.wait is not None:
        assert look.wait <= wait <= look.wait * (1 + JITTER) + 1, (wait, result.why)
    assert result.why
    if look.outcome not in ("new", "nothing new", "not modified"):
        kept = ("url", "etag", "last_modified", "validators_of", "body_hash", "interval", "last_full_fetch", "title")
        if not look.full:
            assert [getattr(after, name) for name in kept[:5]] == [getattr(before, name) for name in kept[:5]]
        assert result.entries == ()


def _asked_politely(look: Look, asked: list[Asked]) -> None:
    def told(one: Asked) -> str:
        host = one.headers["host"].decode().partition(":")[0]
        return one.target if host == "paper.example" else f"{host}{one.target}"

    assert [told(one) for one in asked] == list(look.asks)
    for one in asked:
        assert one.headers["user-agent"] == f"syndtrack/{__version__}".encode()
        assert one.headers["accept-encoding"] == b"gzip, deflate, br, zstd"
        usual = {"host", "user-agent", "accept", "accept-encoding", "connection"}
        assert set(one.headers) <= usual | {"if-none-match", "if-modified-since", "a-im"}
        assert "a-im" not in one.headers or "if-none-match" in one.headers
    for name, value in look.sends.items():
        assert asked[-1].headers.get(name) == value, name


def _reply(reply: Reply, hosts: dict[str, str]) -> Reply:
    return replace(reply, headers=tuple((name, _placed(value, hosts)) for name, value in reply.headers))


def _placed(value: Any, hosts: dict[str, str]) -> Any:  # noqa: ANN401 - whatever a field holds
    for name, host in hosts.items():
        if isinstance(value, str):
            value = value.replace(f"{{{name}}}", host)
        elif isinstance(value, bytes):
            value = value.replace(f"{{{name}}}".encode(), host.encode())
    return value
