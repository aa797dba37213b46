"""The whole story of a feed: how it is, what was heard, why the next look comes when it does. Pure: what is stored in, a record out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from syndtrack.models import Feed, Subscription
from syndtrack.plurals import counted
from syndtrack.polling.poll import ADOPT_MOVE_AFTER
from syndtrack.polling.schedule import FULL_FETCH_AFTER, is_due, may_ask, needs_full_fetch, spoken
from syndtrack.polling.websub import takes_pushes
from syndtrack.urls import shown

Record = dict[str, Any]


def explain(
    feed: Feed,
    polls: Sequence[Mapping[str, Any]],
    entries: int,
    host_waits_until: datetime | None,
    now: datetime,
    *,
    agreed: Subscription | None = None,
) -> Record:
    """A feed's story as a record for JSON. `polls` are its last ones, the latest first, as stored; `entries` how many it has shown,
    `agreed` what was agreed with its hub.

    Validators are said to be there or not: a server may have put a name for its reader into one.
    """
    hints = feed.hints
    full_at = None if feed.last_full_fetch is None else feed.last_full_fetch + FULL_FETCH_AFTER
    return {
        "url": shown(feed.url),
        "title": feed.title,
        "state": state_of(feed, host_waits_until, now),
        "next_check": _time(feed.next_check),
        "next": next_of(feed, host_waits_until, now),
        "why": polls[0]["why"] if polls else None,
        "interval": feed.interval,
        "validators": {
            "etag": feed.etag is not None,
            "last_modified": feed.last_modified is not None,
            "body_hash": feed.body_hash is not None,
            "of": None if feed.validators_of is None else shown(feed.validators_of),
        },
        "last_full_fetch": _time(feed.last_full_fetch),
        "next_full_fetch": _time(full_at),
        "hints": {
            "ttl": hints.ttl,
            "update_seconds": hints.update_seconds,
            "skip_hours": sorted(hints.skip_hours),
            "skip_days": sorted(hints.skip_days),
        },
        "hub": None if agreed is None else _hub(agreed, now),
        "failures": feed.failures,
        "gone": feed.gone,
        "asked_to_wait_until": _time(feed.asked_to_wait_until),
        "host_asked_to_wait_until": _time(host_waits_until),
        "moved_to": None if feed.moved_to is None else shown(feed.moved_to),
        "moved_times": feed.moved_times,
        "entries": entries,
        "gaps": sum(bool(poll["gap"]) for poll in polls),
        "polls": [{**poll, "gap": bool(poll["gap"])} for poll in polls],
    }


def _hub(agreed: Subscription, now: datetime) -> Record:
    """What was agreed with the feed's hub; neither the callback's address nor the secret."""
    if agreed.wants == "unsubscribe":
        state = "being asked to push no more"
    elif takes_pushes(agreed, now):
        state = "pushes what is new" if agreed.pushing else "has agreed to push"
    else:
        state = "asked to push" if agreed.tries else "to be asked to push"
    return {
        "url": shown(agreed.hub),
        "topic": shown(agreed.topic),
        "state": state,
        "lease_until": _time(agreed.lease_until),
        "asked": _time(agreed.asked),
        "asked_again": _time(agreed.next_try),
        "pushes": agreed.pushes,
        "last_push": _time(agreed.last_push),
        "ignored": agreed.ignored,
        "reason": agreed.reason,
    }


def state_of(feed: Feed, host_waits_until: datetime | None, now: datetime) -> str:
    """How a feed is, in a word or two."""
    if feed.last_polled is None:
        return "not polled yet"
    if feed.gone > 1:
        return "gone"
    if not may_ask(feed, now) or (host_waits_until is not None and host_waits_until > now):
        return "waiting"
    return "failing" if feed.failures else "healthy"


def next_of(feed: Feed, host_waits_until: datetime | None, now: datetime) -> str:
    """What comes next, and when."""
    full = needs_full_fetch(feed, feed.next_check or now)
    conditional = not full and (feed.etag or feed.last_modified)
    how = "in full" if full else "unless it was not modified" if conditional else "in full, since its server gives no validators"
    if host_waits_until is not None and host_waits_until > max(now, feed.next_check or now):
        return f"its host asked to be left alone until {_time(host_waits_until)}; then it is asked for, {how}"
    if is_due(feed, now) or feed.next_check is None:
        return f"due now: `syndtrack poll` or a running `syndtrack run` asks for it, {how}"
    return f"asked for in {spoken(round((feed.next_check - now).total_seconds()))}, {how}"


def told(record: Record) -> Iterator[str]:
    """The record in lines for people."""
    yield from _told_plan(record)
    yield from _told_troubles(record)
    yield "polls, the latest first:" if record["polls"] else "polls: none yet"
    for poll in record["polls"]:
        yield f"  {poll['at']}  {_outcome(poll)}"
        yield f"    {poll['why']}"


def _told_plan(record: Record) -> Iterator[str]:
    yield f"{record['url']}" + (f"  ({record['title']})" if record["title"] else "")
    yield f"{record['state']}; {counted(record['entries'], 'entry', 'entries')} seen"
    yield f"next: {record['next_check'] or 'at once'}, {record['next']}"
    if record["why"]:
        yield f"why: {record['why']}"
    if record["interval"]:
        yield f"interval: every {spoken(record['interval'])}, as found by looking"
    yield f"validators: {', '.join(_validators(record))}"
    if record["last_full_fetch"]:
        yield f"last had in full: {record['last_full_fetch']}; asked for in full again from {record['next_full_fetch']} on"
    yield f"hints: {', '.join(_hints(record['hints'])) or 'none'}"
    if hub := record["hub"]:
        until = f" until {hub['lease_until']}" if hub["lease_until"] else ""
        again = f", asked again from {hub['asked_again']} on" if hub["asked_again"] else ""
        last = f"; {counted(hub['pushes'], 'push', 'pushes')}, the last at {hub['last_push']}" if hub["last_push"] else ""
        ignored = f"; {hub['ignored']} ignored" if hub["ignored"] else ""
        yield f"hub: {hub['url']} {hub['state']}{until}{again}{last}{ignored}" + (f"; {hub['reason']}" if hub["reason"] else "")


def _told_troubles(record: Record) -> Iterator[str]:
    if record["failures"]:
        last = next((p for p in record["polls"] if p["grade"]), None)
        yield f"failures: {record['failures']} in a row" + (f", the last {last['grade']}: {last['reason']}" if last else "")
    if record["gone"]:
        once = "once; it is believed at the second time"
        yield f"gone: its server said so {once if record['gone'] == 1 else str(record['gone']) + ' times'}"
    if record["moved_to"]:
        yield f"moved: to {record['moved_to']}, as {record['moved_times']} of {ADOPT_MOVE_AFTER} looks agree; then it is asked there"
    for key, who in (("asked_to_wait_until", "its server"), ("host_asked_to_wait_until", "its host")):
        if record[key]:
            yield f"asked to wait: by {who}, until {record[key]}"
    if record["gaps"]:
        yield f"gaps: {record['gaps']} of {len(record['polls'])} looks shared no entry with those before; some may have been missed"


def _outcome(poll: Mapping[str, Any]) -> str:
    status = f" ({poll['status']})" if poll["status"] else ""
    grade = f", {poll['grade']}" if poll["grade"] else ""
    reason = f": {poll['reason']}" if poll["reason"] and poll["reason"] != poll["why"] else ""
    of = counted(poll["entries"], "entry", "entries")
    entries = f", {counted(poll['new_entries'], 'new article')} of {of}" if poll["entries"] else ""
    gap = ", gap" if poll["gap"] else ""
    return f"{poll['outcome']}{status}{grade}{entries}{gap}, {counted(poll['received_bytes'], 'byte')}{reason}"


def _validators(record: Record) -> Iterator[str]:
    stored = record["validators"]
    for key, name in (("etag", "ETag"), ("last_modified", "Last-Modified"), ("body_hash", "hash of the body")):
        if stored[key]:
            yield name
    if not any((stored["etag"], stored["last_modified"], stored["body_hash"])):
        yield "none"
    if stored["of"]:
        yield f"of {stored['of']}, where it redirects to"


def _hints(hints: Record) -> Iterator[str]:
    if hints["ttl"] is not None:
        yield f"ttl {spoken(hints['ttl'] * 60)}"
    if hints["update_seconds"] is not None:
        yield f"updated every {spoken(hints['update_seconds'])}"
    if hints["skip_hours"]:
        yield f"not at the hours {', '.join(map(str, hints['skip_hours']))} (UTC)"
    if hints["skip_days"]:
        yield f"not on {', '.join(hints['skip_days'])}"


def _time(when: datetime | None) -> str | None:
    return None if when is None else when.strftime("%Y-%m-%dT%H:%M:%SZ")
