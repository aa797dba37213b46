"""Feeds in the store: subscriptions, their schedule, what each poll brought."""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterable, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from syndtrack.errors import UsageError
from syndtrack.models import Feed, FeedHints, PollResult
from syndtrack.store.times import to_text, to_text_or_none, to_text_up, to_time_or_none
from syndtrack.urls import shown

FIELDS = tuple(f.name for f in fields(Feed))
# What a poll changes. Whose a feed is does not come from its poll: meanwhile publishers may have been merged.
POLLED = tuple(name for name in FIELDS if name not in ("id", "url", "publisher_id"))
TIMES = ("next_check", "last_polled", "last_full_fetch", "asked_to_wait_until")
TRIES = 3  # polls at which an article that cannot be read is asked for, while its entry stays as it is
TOGETHER = 500  # polls stored by one statement, which may have 32,766 values
POLLS_KEPT = 50  # a feed: at 50,000 feeds half a gigabyte; older ones say nothing that the newer do not

NEAREST = 5  # addresses named where none is meant
MOST_COMPARED = 5_000  # addresses that one is compared with letter by letter; takes half a second


class Feeds:
    """Tables `feed`, `poll` and `sighting`; every method runs inside the caller's transaction."""

    def __init__(self, connection: Any) -> None:
        self._db = connection

    def add(self, url: str, title: str | None, now: datetime) -> bool:
        """Subscribe; False where the address is subscribed already."""
        done = self._db.execute("INSERT OR IGNORE INTO feed (url, title, added) VALUES (?, ?, ?)", (url, title, to_text(now)))
        return bool(done.rowcount)

    def all(self) -> list[Feed]:
        """Every subscription, in the order in which they were added."""
        return [_feed(row) for row in self._db.execute(f"SELECT {', '.join(FIELDS)} FROM feed ORDER BY id")]

    def get(self, feed_id: int) -> Feed | None:
        """One subscription; None where it is no more."""
        row = self._db.execute(f"SELECT {', '.join(FIELDS)} FROM feed WHERE id = ?", (feed_id,)).fetchone()
        return None if row is None else _feed(row)

    def planned(self, until: datetime, without: Container[int] = ()) -> list[Feed]:
        """Subscriptions whose next check is planned for then or before, or not at all; whether they are due is the schedule's to say.

        `without`: those that are left out, and not read: that takes a hundred times as long as to find them.
        """
        query = "SELECT id FROM feed WHERE next_check IS NULL OR next_check <= ? ORDER BY next_check, id"
        found = [number for (number,) in self._db.execute(query, (to_text(until),)) if number not in without]
        query = f"SELECT {', '.join(FIELDS)} FROM feed WHERE id IN (SELECT value FROM json_each(?)) ORDER BY next_check, id"
        return [_feed(row) for row in self._db.execute(query, (json.dumps(found),))]

    def find(self, stated: str) -> Feed:
        """The feed that an address means: exactly, else but for scheme, `www.`, a slash at the end and what is secret, else by any part
        that no other feed's address has. Raises UsageError where none is meant, or several, with addresses without what is secret.
        """
        rows = self._db.execute("SELECT id, url FROM feed ORDER BY id").fetchall()
        wanted = _loosely(stated)
        for found in (
            [i for i, url in rows if url == stated],
            [i for i, url in rows if _loosely(url) == wanted],
            [i for i, url in rows if wanted and wanted in _loosely(url)],
        ):
            if len(found) == 1:
                row = self._db.execute(f"SELECT {', '.join(FIELDS)} FROM feed WHERE id = ?", (found[0],)).fetchone()
                return _feed(row)
        if several := [shown(url) for _, url in rows if wanted and wanted in _loosely(url)]:
            more = ", …" if len(several) > NEAREST else ""
            raise UsageError(f"{stated}: {len(several)} feeds are meant: {', '.join(several[:NEAREST])}{more}; name one of them in full")
        by_form = {_loosely(url): shown(url) for _, url in rows[:MOST_COMPARED]}
        near = [by_form[form] for form in get_close_matches(wanted, by_form, NEAREST, 0.4)]
        hint = f"did you mean {' or '.join(near)}?" if near else "`syndtrack feeds` lists them"
        raise UsageError(f"{stated}: no such feed is subscribed to; {hint}")

    def history(self, feed_id: int) -> tuple[list[dict[str, Any]], int]:
        """A feed's last polls, the latest first, and how many entries it has shown so far."""
        names = "at, outcome, status, grade, reason, entries, new_entries, received_bytes, gap, interval, next_check, why"
        rows = self._db.execute(f"SELECT {names} FROM poll WHERE feed_id = ? ORDER BY id DESC", (feed_id,))
        entries = self._db.execute("SELECT count(*) FROM sighting WHERE feed_id = ?", (feed_id,)).fetchone()[0]
        return [dict(zip(names.split(", "), row, strict=True)) for row in rows], entries

    def known_entries(self, feed_id: int) -> dict[str, str]:
        """Keys of the entries that polls have seen, with the hash of what they stated; an empty one where the article is still to be had.

        What was refused TRIES times needs no further look while it stays as it is.
        """
        rows = self._db.execute(
            "SELECT key, CASE WHEN refusals >= ?2 OR (refusals = 0 AND article_id IS NOT NULL) THEN entry_hash ELSE '' END "
            "FROM sighting WHERE feed_id = ?1",
            (feed_id, TRIES),
        )
        return dict(rows.fetchall())

    def belongs(self, feed_id: int, publisher_id: int) -> None:
        """Whose a feed is."""
        self._db.execute("UPDATE feed SET publisher_id = ?1 WHERE id = ?2 AND publisher_id IS NOT ?1", (publisher_id, feed_id))

    def record(self, polls: Sequence[tuple[PollResult, int]]) -> None:
        """Store polls with the number of their new entries: the feeds' new validators and schedules, and the polls themselves.

        A few statements for all of them: each lets go of the interpreter and has to wait for it, which takes longer than what it does.
        """
        for start in range(0, len(polls), TOGETHER):
            self._record(polls[start : start + TOGETHER])

    def _record(self, polls: Sequence[tuple[PollResult, int]]) -> None:
        """The same for at most TOGETHER."""
        new = f"WITH new(id, {', '.join(POLLED)}) AS (VALUES {_places(len(polls), 1 + len(POLLED))}) "
        changes = ", ".join(f"{name} = new.{name}" for name in POLLED)
        self._db.execute(f"{new}UPDATE feed SET {changes} FROM new WHERE feed.id = new.id", _flat(_polled(r.feed) for r, _ in polls))
        self._move([result.feed for result, _ in polls])
        names = "feed_id, at, outcome, status, entries, new_entries, received_bytes, reason, why, grade, gap, interval, next_check"
        self._db.execute(f"INSERT INTO poll ({names}) VALUES {_places(len(polls), names.count(',') + 1)}", _flat(_poll(*p) for p in polls))
        latest = "SELECT id FROM poll WHERE feed_id = asked.value ORDER BY id DESC LIMIT 1 OFFSET ?"
        asked = json.dumps([result.feed.id for result, _ in polls])
        self._db.execute(f"DELETE FROM poll WHERE id IN (SELECT ({latest}) FROM json_each(?) asked)", (POLLS_KEPT, asked))

    def _move(self, feeds: Sequence[Feed]) -> None:
        """Give feeds their new addresses. One that another subscription has already is not taken over."""
        stated = f"WITH new(id, url) AS (VALUES {_places(len(feeds), 2)}) "
        query = "SELECT new.url, new.id FROM new JOIN feed USING (id) WHERE feed.url <> new.url"
        for moved in self._db.execute(stated + query, _flat((f.id, f.url) for f in feeds)).fetchall():
            self._db.execute("UPDATE OR IGNORE feed SET url = ? WHERE id = ?", moved)

    def sight(self, feed_id: int, sightings: Iterable[tuple[str, str, int | None, bool]], at: datetime) -> None:
        """Note which entries a poll saw: key, hash, article (None keeps what is stored) and whether its article was refused."""
        when = to_text(at)
        self._db.executemany(
            "INSERT INTO sighting VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET last_seen = excluded.last_seen, "
            "refusals = CASE WHEN excluded.article_id IS NULL AND entry_hash = excluded.entry_hash THEN refusals ELSE 0 END "
            "+ excluded.refusals, "
            "entry_hash = excluded.entry_hash, article_id = coalesce(excluded.article_id, article_id)",
            [(feed_id, key, entry_hash, article_id, when, when, int(refused)) for key, entry_hash, article_id, refused in sightings],
        )


def _loosely(url: str) -> str:
    """An address without what people leave out."""
    return re.sub(r"^(?:https?://)?(?:www\.)?", "", shown(url.strip()).casefold()).rstrip("/")


def _feed(row: Sequence[Any]) -> Feed:
    """A row as a record."""
    values = dict(zip(FIELDS, row, strict=True))
    return Feed(**(values | {name: to_time_or_none(values[name]) for name in TIMES} | {"hints": _hints(values["hints"])}))


def _poll(result: PollResult, new_entries: int) -> tuple[Any, ...]:
    """A poll as a row of its table, without its id."""
    feed, next_check = result.feed, result.feed.next_check
    return (
        feed.id, to_text(result.at), result.outcome, result.status, len(result.entries), new_entries, result.received_bytes,
        result.reason, result.why, result.grade, result.gap, feed.interval, None if next_check is None else to_text_up(next_check),
    )  # fmt: skip


def _flat(rows: Iterable[tuple[Any, ...]]) -> list[Any]:
    """The values of rows, one after the other."""
    return [value for row in rows for value in row]


def _places(rows: int, columns: int) -> str:
    """Placeholders of rows in SQL: `(?, ?), (?, ?)`."""
    return ", ".join([f"({', '.join('?' * columns)})"] * rows)


def _polled(feed: Feed) -> tuple[Any, ...]:
    """A feed's id, and the columns POLLED. The times before which nobody is to be asked are rounded up, not down."""
    before = {"next_check": feed.next_check, "asked_to_wait_until": feed.asked_to_wait_until}
    values = {name: getattr(feed, name) for name in POLLED}
    values |= {name: to_text_or_none(values[name]) for name in TIMES} | {"hints": _hints_text(feed.hints)}
    values |= {name: None if at is None else to_text_up(at) for name, at in before.items()}
    return feed.id, *values.values()


def _hints_text(hints: FeedHints) -> str | None:
    """Hints as JSON; None where there are none."""
    return None if hints == FeedHints() else json.dumps(asdict(hints), default=sorted)


def _hints(text: str | None) -> FeedHints:
    """Hints from what `_hints_text` made."""
    if text is None:
        return FeedHints()
    stored = json.loads(text)
    return FeedHints(**(stored | {name: frozenset(stored[name]) for name in ("skip_hours", "skip_days")}))
