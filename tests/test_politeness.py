"""Polling a simulated web for a day, with restarts: no request that a server could complain of."""

from __future__ import annotations

from pathlib import Path

import pytest
from politeness import simulate
from simulated_web import DELAY, Judge

FEED = "http://h0.example/feed/1?sig=a%2Fb%3d"


def test_a_day_of_polling_with_restarts_is_polite_in_every_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("syndtrack.scheduler.LOOK_AGAIN_SECONDS", 30.0)  # most of the time goes into looking whether anything is due
    judge = simulate(tmp_path, feeds=50, hosts=5, days=1.0, restarts=6, seed=3)
    assert judge.requests > 500
    assert {200, 301, 302, 304, 404, 500} <= set(judge.by_status)
    assert {429, 503} & set(judge.by_status)
    assert dict(judge.violations) == {}


def test_the_judge_sees_what_is_wrong():
    judge = Judge()
    judge.begins("h0.example", FEED, {}, 0.0)
    judge.begins("h0.example", "http://h0.example/page/1/1", {}, 0.1)
    judge.answered("h0.example", FEED, 200, {"ETag": '"a"'}, 1.0, waits=None, ttl=3_600)
    judge.ends("h0.example", 1.0)
    judge.stored(FEED, validators=True, again=False)
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
