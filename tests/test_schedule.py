"""When a feed is asked again, and why."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from polling_rig import NOON, subscribed

from syndtrack.models import Feed, FeedHints
from syndtrack.polling.schedule import (
    BACK_OFF,
    CEILING,
    FLOOR,
    GONE,
    JITTER,
    START,
    Plan,
    after_asked_to_wait,
    after_failure,
    after_gone,
    after_leaving_some,
    after_look,
    after_skips,
    is_due,
    jitter,
    may_ask,
    needs_full_fetch,
    spoken,
)

HOUR = timedelta(hours=1)
HINTS = st.builds(
    FeedHints,
    ttl=st.none() | st.integers(0, 10**9),
    skip_hours=st.frozensets(st.integers(0, 23)),
    skip_days=st.frozensets(st.sampled_from(["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"])),
    update_seconds=st.none() | st.integers(0, 10**9),
)
INTERVALS = st.none() | st.integers(FLOOR, CEILING)


def feed(**fields) -> Feed:  # noqa: ANN003 - whatever Feed takes
    return subscribed("http://a.example/feed", **fields)


def wait(plan: Plan) -> float:
    return (plan.next_check - NOON).total_seconds()


# -- due


@pytest.mark.parametrize(("fields", "due"), [
    ({}, True),
    ({"next_check": NOON}, True),
    ({"next_check": NOON - HOUR}, True),
    ({"next_check": NOON + timedelta(seconds=1)}, False),
    ({"next_check": NOON - HOUR, "asked_to_wait_until": NOON + HOUR}, False),
    ({"asked_to_wait_until": NOON + HOUR}, False),
    ({"asked_to_wait_until": NOON}, True),
])  # fmt: skip
def test_a_feed_is_due_when_its_time_has_come_and_its_server_did_not_ask_to_wait(fields, due):
    assert is_due(feed(**fields), NOON) is due


def test_a_feed_that_is_not_due_may_still_be_asked_unless_its_server_asked_to_wait():
    assert may_ask(feed(next_check=NOON + HOUR), NOON)
    assert not may_ask(feed(next_check=NOON - HOUR, asked_to_wait_until=NOON + HOUR), NOON)


def test_a_feed_is_fetched_in_full_at_first_and_every_eight_days():
    assert needs_full_fetch(feed(), NOON)
    assert not needs_full_fetch(feed(last_full_fetch=NOON - timedelta(days=7)), NOON)
    assert needs_full_fetch(feed(last_full_fetch=NOON - timedelta(days=8)), NOON)


# -- after a look


def test_a_busy_feed_is_looked_at_sooner_and_a_quiet_one_later():
    plan = after_look(feed(interval=3_600), NOON, new=10, seen=30)
    assert plan.interval == 900
    assert plan.why == "10 of 30 entries new: sooner, every 15 min instead of 1 h"
    plan = after_look(feed(interval=3_600), NOON, new=0, seen=30)
    assert plan.interval == 5_400
    assert plan.why == "nothing was new: later, every 1.5 h instead of 1 h"
    plan = after_look(feed(interval=3_600), NOON, new=2, seen=30)
    assert plan.why == "2 of 30 entries new: the same, every 1 h"


def test_a_look_that_shares_nothing_with_the_last_comes_back_much_sooner_and_says_so():
    plan = after_look(feed(interval=7_200), NOON, new=20, seen=20, gap=True)
    assert plan.interval == 1_800
    assert "may have been missed" in plan.why


def test_the_first_look_is_followed_by_one_after_half_an_hour():
    plan = after_look(feed(), NOON, new=30, seen=30)
    assert plan.interval == START
    assert START <= wait(plan) <= START * (1 + JITTER)


@given(st.floats(0.01, 40.0), st.integers(1, 100), st.integers(FLOOR, CEILING))
def test_a_steady_feed_settles_at_looks_that_overlap(per_hour, size, interval):
    for _ in range(60):
        new = min(size, round(per_hour * interval / 3_600))
        interval = after_look(feed(interval=interval), NOON, new=new, seen=size, gap=new == size).interval
    new = per_hour * interval / 3_600
    # Unless the floor holds it up, or the feed is so short that one new entry is all of it.
    assert interval == FLOOR or size < 5 or new <= 0.5 * size + 1


@given(INTERVALS, st.integers(0, 5_000), HINTS, st.none() | st.integers(0, 10**9), st.booleans())
def test_no_look_comes_early_and_none_is_put_off_for_ever(interval, new, hints, fresh_for, gap):
    plan = after_look(feed(interval=interval), NOON, new=new, seen=5_000, hints=hints, fresh_for=fresh_for, gap=gap)
    assert FLOOR <= plan.interval <= CEILING
    assert wait(plan) >= min(plan.interval, max(FLOOR, min((hints.ttl or 0) * 60, CEILING), min(fresh_for or 0, CEILING)))
    assert wait(plan) <= CEILING + 7 * 86_400
    assert plan.why


@pytest.mark.parametrize(("hints", "fresh_for", "seconds", "why"), [
    (FeedHints(ttl=120), None, 7_200, "the feed states it as its ttl, so every 2 h"),
    (FeedHints(update_seconds=10_800), None, 10_800, "the feed states it as its update period, so every 3 h"),
    (FeedHints(), 5_400, 5_400, "the server calls its answer fresh for that long, so every 1.5 h"),
    (FeedHints(ttl=120, update_seconds=10_800), 5_400, 10_800, "every 3 h"),
    (FeedHints(ttl=10**8), None, CEILING, "every 24 h"),
    (FeedHints(ttl=1, update_seconds=1), 1, START, "first look"),
])  # fmt: skip
def test_what_feed_and_server_ask_for_is_honoured(hints, fresh_for, seconds, why):
    plan = after_look(feed(), NOON, new=1, seen=10, hints=hints, fresh_for=fresh_for)
    assert plan.interval == seconds
    assert seconds <= wait(plan) <= min(seconds * (1 + JITTER), CEILING)
    assert why in plan.why


def test_hours_and_days_to_skip_are_skipped():
    hints = FeedHints(skip_hours=frozenset({12, 13, 14}))
    plan = after_look(feed(interval=FLOOR), NOON, new=9, seen=10, hints=hints)
    assert plan.next_check.hour == 15
    assert "so at Monday 15:00 UTC" in plan.why
    assert after_skips(NOON, FeedHints(skip_days=frozenset({"Monday", "Tuesday"}))) == NOON + timedelta(hours=36)
    assert after_skips(NOON, FeedHints(skip_hours=frozenset(range(24)))) == NOON


@given(HINTS, st.integers(0, 10**6))
def test_what_is_planned_is_never_in_a_skipped_hour_unless_all_are(hints, minutes):
    at = after_skips(NOON + timedelta(minutes=minutes), hints)
    everything = len(hints.skip_hours) == 24 or len(hints.skip_days) == 7
    assert everything or (at.hour not in hints.skip_hours and at.strftime("%A") not in hints.skip_days)


@given(st.integers(1, 10**6), st.integers(0, 10**6))
def test_jitter_is_small(feed_id, minutes):
    assert 0 <= jitter(Feed(feed_id, "http://a.example/feed"), NOON + timedelta(minutes=minutes)) < JITTER


def test_jitter_is_the_same_for_the_same_feed_and_time_on_every_machine():
    assert jitter(Feed(7, "http://a.example/feed"), NOON) == pytest.approx(0.058005635, abs=1e-9)


def test_feeds_of_one_round_do_not_come_back_in_step():
    times = {after_look(Feed(n, "http://a.example/"), NOON, new=1, seen=10).next_check for n in range(1_000)}
    assert len(times) > 900


# -- after failures


@pytest.mark.parametrize("grade", ["temporary", "soft", "hard"])
def test_failures_are_tried_again_ever_later_up_to_a_ceiling(grade):
    waits = [wait(after_failure(feed(interval=1_800), NOON, failures=n, grade=grade)) for n in range(1, 14)]
    assert waits[0] >= (3_600 if grade == "hard" else 1_800)
    assert all(later >= 0.9 * sooner for sooner, later in pairwise(waits))
    assert waits[-1] <= BACK_OFF[grade][1] * (1 + JITTER)
    assert waits[5] > waits[1]


def test_a_failure_keeps_the_interval_and_counts():
    plan = after_failure(feed(interval=777), NOON, failures=3, grade="soft")
    assert plan.interval == 777
    assert plan.why.startswith("failed 3 times in a row: tried again in ")


@given(INTERVALS, st.integers(1, 10**6), st.sampled_from(["temporary", "soft", "hard"]))
def test_a_failing_feed_is_never_dead(interval, failures, grade):
    assert FLOOR <= wait(after_failure(feed(interval=interval), NOON, failures=failures, grade=grade)) <= CEILING * (1 + JITTER)


def test_a_feed_that_is_gone_is_asked_again_after_a_week():
    assert GONE <= wait(after_gone(feed(), NOON)) <= GONE * (1 + JITTER)


@pytest.mark.parametrize(("asked", "seconds", "why"), [
    (timedelta(seconds=0), 60, "left alone for 1 min (it said 0 s)"), (timedelta(minutes=5), 300, "left alone for 5 min"),
    (timedelta(days=2), 172_800, "left alone for 2 days"), (timedelta(days=4_000), 604_800, "left alone for 7 days (it said 4000 days)"),
])  # fmt: skip
def test_a_server_that_asks_to_wait_is_obeyed_within_bounds(asked, seconds, why):
    plan = after_asked_to_wait(feed(interval=900), NOON, asked)
    assert wait(plan) == seconds
    assert plan.why.endswith(why)
    assert plan.interval == 900


def test_what_was_left_is_looked_at_soon():
    plan = after_leaving_some(feed(), Plan(7_200, NOON + 2 * HOUR, "x"), NOON, 12, hints=FeedHints(), fresh_for=None)
    assert FLOOR <= wait(plan) <= FLOOR * (1 + JITTER)
    assert plan.why == "12 entries left for the next look in 5 min"


@pytest.mark.parametrize(("hints", "fresh_for", "seconds"), [
    (FeedHints(ttl=60), None, 3_600), (FeedHints(), 1_800, 1_800), (FeedHints(skip_hours=frozenset({12})), None, 3_600),
    (FeedHints(ttl=600), None, 7_200),
])  # fmt: skip
def test_what_was_left_is_not_looked_at_sooner_than_feed_and_server_allow(hints, fresh_for, seconds):
    plan = after_leaving_some(feed(), Plan(7_200, NOON + 2 * HOUR, "x"), NOON, 12, hints=hints, fresh_for=fresh_for)
    assert seconds <= wait(plan) <= seconds * (1 + JITTER)


def test_asking_for_no_wait_again_and_again_does_not_bring_a_failing_server_more_requests():
    waits = [wait(after_asked_to_wait(feed(interval=900), NOON, timedelta(0), failures=n)) for n in (1, 2, 3)]
    assert waits == [wait(after_failure(feed(interval=900), NOON, failures=n, grade="soft")) for n in (1, 2, 3)]
    assert wait(after_asked_to_wait(feed(interval=900), NOON, timedelta(days=2), failures=1)) == 172_800


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (59, "59 s"), (60, "1 min"), (5_400, "1.5 h"), (86_400, "24 h"), (604_800, "7 days")]
)
def test_lengths_of_time_are_said_plainly(seconds, text):
    assert spoken(seconds) == text
