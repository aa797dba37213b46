"""When to ask a feed again. Pure: a feed, what the look brought and the time in; interval, next check and a sentence why out.

The interval aims at one or two new entries a look, and never more than a fifth of the feed, so that two looks overlap and nothing
falls out between them. It shrinks at once and grows slowly. What feed and server ask for (ttl, sy:updatePeriod, Cache-Control) only
ever makes it longer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zlib import crc32

from syndtrack.models import FailureGrade, Feed, FeedHints

FLOOR = 300
CEILING = 86_400
START = 1_800
GROWTH = 1.5
SHRINK = 0.25
AIM = 2.0
AIM_SHARE = 0.2
JITTER = 0.1
# By the grade of a failure: seconds to the next try at least, and how long the wait may grow. What may pass by itself within the hour (a
# server that is busy, a login page in between) is tried again at least every two hours, other errors of servers and networks at least
# every six, what somebody has to mend (404, bytes that are no feed) at least daily: no feed is ever given up.
BACK_OFF: dict[FailureGrade, tuple[int, int]] = {"temporary": (FLOOR, 7_200), "soft": (FLOOR, 21_600), "hard": (3_600, CEILING)}
GONE = 604_800
WAIT_AT_LEAST = timedelta(minutes=1)
WAIT_AT_MOST = timedelta(days=7)
# A server that says "not modified" for ever is asked for everything now and then.
FULL_FETCH_AFTER = timedelta(days=8)


@dataclass(frozen=True, slots=True)
class Plan:
    """`interval` in seconds as found by looking, `next_check` with hints and jitter, `why` in one sentence."""

    interval: int
    next_check: datetime
    why: str


def may_ask(feed: Feed, now: datetime) -> bool:
    """Whether the feed's server has not asked to be left alone (Retry-After)."""
    return feed.asked_to_wait_until is None or feed.asked_to_wait_until <= now


def is_due(feed: Feed, now: datetime) -> bool:
    """The only definition of due: never planned, or planned for now or before, and the server has not asked to wait."""
    return may_ask(feed, now) and (feed.next_check is None or feed.next_check <= now)


def needs_full_fetch(feed: Feed, now: datetime) -> bool:
    """Whether to leave the validators out this time, against servers that say "not modified" although it is."""
    return feed.last_full_fetch is None or now - feed.last_full_fetch >= FULL_FETCH_AFTER


def after_look(
    feed: Feed,
    now: datetime,
    *,
    new: int,
    seen: int,
    hints: FeedHints | None = None,
    fresh_for: int | None = None,
    gap: bool = False,
    whole: bool = True,
) -> Plan:
    """The plan after a look that succeeded: `new` of `seen` entries were not known (both 0 when nothing was modified).

    `gap`: the look shares no entry with those before it, so that some may have been missed. `whole`: the answer held all of the feed and
    not only what is new.
    """
    hints = hints or FeedHints()
    old = feed.interval
    if old is None:
        interval, why = START, f"first look, {_of(new, seen)}: looked at again in {spoken(START)}"
    elif gap:
        interval = round(old * SHRINK)
        why = f"all {seen} entries were new, so some may have been missed: much sooner"
    elif new == 0:
        interval, why = round(old * GROWTH), "nothing was new: later"
    else:
        aim = max(1.0, min(AIM, AIM_SHARE * seen)) if whole else AIM
        interval = round(old * min(GROWTH, max(SHRINK, aim / new)))
        word = "sooner" if interval < old else "later" if interval > old else "the same"
        why = f"{_of(new, seen)}: {word}"
    interval = min(max(interval, FLOOR), CEILING)
    asked, by = _asked(hints, fresh_for)
    if old is not None:
        why += f", every {spoken(interval)} instead of {spoken(old)}" if interval != old else f", every {spoken(interval)}"
    if asked > interval:
        interval = asked
        why += f"; {by}, so every {spoken(asked)}"
    at = now + timedelta(seconds=min(interval * (1 + jitter(feed, now)), CEILING))
    free = after_skips(at, hints)
    if free != at:
        why += f"; the feed asks not to be read at that hour or day, so at {free:%A %H:%M} UTC"
        at = free + timedelta(seconds=FLOOR * jitter(feed, now) / JITTER)
    return Plan(interval, at, why)


def after_failure(feed: Feed, now: datetime, *, failures: int, grade: FailureGrade) -> Plan:
    """The plan after the `failures`th failure in a row: twice as long each time, up to a ceiling. The interval itself stays."""
    start, ceiling = BACK_OFF[grade]
    base = max(feed.interval or START, start)
    wait = min(base * 2 ** min(failures - 1, 10), max(ceiling, base), CEILING)
    times = "once" if failures == 1 else f"{failures} times in a row"
    return Plan(feed.interval or START, _later(feed, now, wait), f"failed {times}: tried again in {spoken(wait)}")


def after_gone(feed: Feed, now: datetime) -> Plan:
    """The plan for a feed whose server said twice that it is gone for good."""
    return Plan(feed.interval or START, _later(feed, now, GONE), f"the server says it is gone for good: asked again in {spoken(GONE)}")


def after_asked_to_wait(feed: Feed, now: datetime, asked: timedelta, *, failures: int = 0) -> Plan:
    """The plan where the server asks to be left alone for a while (Retry-After, RFC 9110 section 10.2.3).

    Where that was the `failures`th failure in a row, never sooner than after any other failure: some servers ask for 0 seconds for ever.
    """
    wait = bounded_wait(asked)
    clamped = "" if wait == asked else f" (it said {spoken(round(asked.total_seconds()))})"
    why = f"the server asks to be left alone for {spoken(round(wait.total_seconds()))}{clamped}"
    plan = Plan(feed.interval or START, now + wait, why)
    failed = after_failure(feed, now, failures=failures, grade="temporary") if failures else plan
    return plan if failed.next_check <= plan.next_check else Plan(plan.interval, failed.next_check, f"{why}; {failed.why}")


def bounded_wait(asked: timedelta) -> timedelta:
    """What a server asks for with Retry-After, within a minute and a week."""
    return min(max(asked, WAIT_AT_LEAST), WAIT_AT_MOST)


def after_leaving_some(feed: Feed, plan: Plan, now: datetime, left: int, *, hints: FeedHints, fresh_for: int | None) -> Plan:
    """The plan when entries were left for the next look: as soon as feed and server allow."""
    soon = max(FLOOR, _asked(hints, fresh_for)[0])
    at = after_skips(_later(feed, now, soon), hints)
    if at >= plan.next_check:
        return Plan(plan.interval, plan.next_check, f"{plan.why}; {left} {_plural(left)} left for then")
    return Plan(plan.interval, at, f"{left} {_plural(left)} left for the next look in {spoken(soon)}")


def jitter(feed: Feed, now: datetime) -> float:
    """A share of the interval between 0 and JITTER, the same for the same feed and time, so that feeds do not come in step."""
    return JITTER * crc32(f"{feed.id} {feed.url} {now.isoformat()}".encode()) / 2**32


def after_skips(moment: datetime, hints: FeedHints) -> datetime:
    """The moment, or the next full hour that skipHours and skipDays (GMT) leave open; the moment itself where they leave none."""
    at = moment
    if not hints.skip_hours and not hints.skip_days:
        return moment  # nearly always
    for _ in range(24 * 7 + 1):
        if at.hour not in hints.skip_hours and at.strftime("%A") not in hints.skip_days:
            return at
        at = at.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return moment


def spoken(seconds: int) -> str:
    """A length of time for people: `45 s`, `20 min`, `1.5 h`, `7 days`."""
    for size, unit in ((172_800, "days"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / (86_400 if unit == 'days' else size):.1f}".removesuffix(".0") + f" {unit}"
    return f"{seconds} s"


def _asked(hints: FeedHints, fresh_for: int | None) -> tuple[int, str]:
    """The longest time that feed or server ask for, in seconds and at most CEILING, and who."""
    asked = [
        (fresh_for or 0, "the server calls its answer fresh for that long"),
        ((hints.ttl or 0) * 60, "the feed states it as its ttl"),
        (hints.update_seconds or 0, "the feed states it as its update period"),
    ]
    seconds, by = max(asked)
    return min(max(seconds, 0), CEILING), by


def _later(feed: Feed, now: datetime, seconds: int) -> datetime:
    return now + timedelta(seconds=seconds * (1 + jitter(feed, now)))


def _of(new: int, seen: int) -> str:
    return f"{new} of {seen} {_plural(seen)} new"


def _plural(count: int) -> str:
    return "entry" if count == 1 else "entries"
