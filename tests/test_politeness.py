"""Polling a simulated web for a day, with restarts: no request that a server could complain of."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import simulated_web
from politeness import simulate
from simulated_web import DELAY, Judge

from syndtrack.models import Feed
from syndtrack.polling import fetch, poll, schedule
from syndtrack.polling.hosts import Hosts
from syndtrack.polling.memory import KeptHost

FEED = "http://h0.example/feed/1?sig=a%2Fb%3d"


def test_a_day_of_polling_with_restarts_is_polite_in_every_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("syndtrack.scheduler.LOOK_AGAIN_SECONDS", 30.0)  # most of the time goes into looking whether anything is due
    judge = simulate(tmp_path, feeds=50, hosts=5, days=1.0, restarts=6, seed=3)
    assert judge.requests > 500
    assert {200, 301, 302, 304, 404, 500} <= set(judge.by_status)
    assert {429, 503} & set(judge.by_status)
    assert dict(judge.violations) == {}


def test_pages_that_have_to_be_tried_again_are_a_reason_for_the_whole_feed_also_where_its_address_redirects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    made = simulated_web._feed

    def redirected(host: simulated_web.Host, number: int, chance: random.Random, *, leads: bool) -> simulated_web.SimulatedFeed:
        host.flaky, host.busy = 0.3, []
        return replace(made(host, number, chance, leads=leads), kind="etag", per_day=24.0, teasers=True, ttl=0, moves=302)

    monkeypatch.setattr("syndtrack.scheduler.LOOK_AGAIN_SECONDS", 120.0)
    monkeypatch.setattr(simulated_web, "_feed", redirected)
    judge = simulate(tmp_path, feeds=4, hosts=4, days=1.0, restarts=0)
    assert judge.by_status[200] > 100
    assert {302, 304, 502} <= set(judge.by_status)
    assert dict(judge.violations) == {}


def test_the_judge_sees_what_is_wrong():
    judge = Judge()
    judge.begins("h0.example", FEED, {}, 0.0)
    judge.begins("h0.example", "http://h0.example/page/1/1", {}, 0.1)
    judge.answered("h0.example", FEED, 200, {"ETag": '"a"'}, 1.0, waits=None, ttl=3_600)
    judge.ends("h0.example", 1.0)
    judge.stored(1, again=False)
    judge.begins("h0.example", FEED, {"If-None-Match": '"A"'}, 2.0)
    judge.answered("h0.example", FEED, 503, {}, 2.5, waits=600.0, ttl=0)
    judge.ends("h0.example", 2.5)
    judge.begins("h0.example", FEED, {}, 2.5 + DELAY)
    assert set(judge.violations) == {
        "a second request in flight to a host",
        "less than 5 s after the last request to the host",
        "early",
        "altered validators",
        "Retry-After ignored",
        "unconditional more than once in 24 h",
    }


# -- one rule of the program broken at a time


def too_soon(feed: Feed, at: datetime, plan: schedule.Plan) -> Feed:
    planned: Feed = KEPT_RULES["planned"](feed, at, plan)
    return replace(planned, next_check=at + timedelta(seconds=schedule.FLOOR - 60))


def tidied(etag: str | None, last_modified: str | None) -> dict[str, str]:
    return {name: value.removeprefix("W/") for name, value in KEPT_RULES["validators"](etag, last_modified).items()}


def forgotten_validators(feed: Feed, answer: fetch.Answer) -> Feed:
    after: Feed = KEPT_RULES["with validators"](feed, answer)
    return replace(after, etag=None, last_modified=None)


@asynccontextmanager
async def nobody_waits(_hosts: Hosts, _url: str) -> AsyncIterator[None]:
    yield


def remember_no_holds(hosts: Hosts, since: timedelta, kept: Iterable[KeptHost]) -> None:
    KEPT_RULES["remember"](hosts, since, [replace(host, asked_to_wait_until=None) for host in kept])


async def nothing_remembered(*_: object) -> None:
    pass


KEPT_RULES: dict[str, Callable[..., Any]] = {
    "planned": poll._planned,
    "validators": fetch.validators,
    "with validators": poll._with_validators,
    "remember": Hosts.remember,
}
BROKEN_RULES = {
    "feeds-asked-before-their-time": ("syndtrack.polling.poll._planned", too_soon, "early"),
    "no-validators-sent": ("syndtrack.polling.schedule.needs_full_fetch", lambda *_: True, "unconditional more than once in 24 h"),
    "no-validators-stored": ("syndtrack.polling.poll._with_validators", forgotten_validators, "unconditional more than once in 24 h"),
    "validators-tidied-up": ("syndtrack.polling.fetch.validators", tidied, "altered validators"),
    "hosts-without-turns": ("syndtrack.polling.hosts.Hosts.turn", nobody_waits, "a second request in flight to a host"),
    "hosts-without-a-pause": (
        "syndtrack.polling.hosts.Hosts._rest",
        nothing_remembered,
        "less than 5 s after the last request to the host",
    ),
    "retry-after-for-the-feed-alone": ("syndtrack.polling.hosts.Hosts.hold", lambda *_: None, "Retry-After ignored"),
    "retry-after-forgotten-in-restarts": ("syndtrack.polling.hosts.Hosts.remember", remember_no_holds, "Retry-After ignored"),
    "pause-forgotten-in-restarts": (
        "syndtrack.polling.hosts.Hosts.remember",
        lambda *_: None,
        "less than 5 s after the last request to the host",
    ),
    "robots-forgotten-in-restarts": ("syndtrack.politeness.StoredMemory.robots", nothing_remembered, "a robots.txt again within a day"),
}


def small_simulation(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Judge:
    monkeypatch.setattr("syndtrack.scheduler.LOOK_AGAIN_SECONDS", 60.0)
    return simulate(folder, feeds=40, hosts=3, days=0.6, restarts=8, seed=3)


def test_a_small_simulation_finds_nothing_wrong_with_the_program_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    assert dict(small_simulation(tmp_path, monkeypatch).violations) == {}


@pytest.mark.parametrize("name", BROKEN_RULES)
def test_the_same_simulation_names_the_rule_that_is_broken(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    broken, instead, violation = BROKEN_RULES[name]
    monkeypatch.setattr(broken, instead)
    assert violation in small_simulation(tmp_path, monkeypatch).violations
