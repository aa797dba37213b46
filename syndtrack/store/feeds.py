"""Feeds in the store: subscriptions, their schedule, what each poll brought."""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterable, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from syndtrack.models import Feed, FeedHints, PollResult
from syndtrack.store.times import to_text, to_text_or_none, to_text_up, to_time_or_none
from syndtrack.urls import shown

FIELDS = tuple(f.name for f in fields(Feed))
TIMES = ("next_check", "last_polled", "last_full_fetch", "asked_to_wait_until")
TRIES = 3  # polls at which an article that cannot be read is asked for, while its entry stays as it is
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

    def find(self, stated: str) -> tuple[Feed | None, list[str]]:
        """The feed that an address means: exactly, else but for scheme, `www.`, a slash at the end and what is secret, else by any part
        that no other feed's address has. Where there is none, the nearest addresses, without what is secret.
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
                return _feed(row), []
        addresses = [_loosely(url) for _, url in rows]
        near = [a for a in addresses if wanted and wanted in a] or get_close_matches(wanted, addresses[:MOST_COMPARED], NEAREST, 0.4)
        by_form = {_loosely(url): shown(url) for _, url in rows}
        return None, [by_form[a] for a in near[:NEAREST]]

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

    def record(self, result: PollResult, new_entries: int) -> None:
        """Store a feed's new validators and schedule, and the poll itself."""
        feed = result.feed
        # whose a feed is does not come from its poll: meanwhile publishers may have been merged
        values: dict[str, Any] = {name: getattr(feed, name) for name in FIELDS if name not in ("id", "publisher_id")}
        values |= {name: to_text_or_none(values[name]) for name in TIMES} | {"hints": _hints_text(feed.hints)}
        # up, not down: a time before which nobody is to be asked
        values |= {name: None if (at := getattr(feed, name)) is None else to_text_up(at) for name in ("next_check", "asked_to_wait_until")}
        # an address that another subscription has already is not taken over; one that stays need not go through the index
        if self._db.execute("SELECT 1 FROM feed WHERE url = ?", (feed.url,)).fetchone():
            del values["url"]
        changes = ", ".join(f"{name} = ?" for name in values)
        self._db.execute(f"UPDATE feed SET {changes} WHERE id = ?", (*values.values(), feed.id))
        self._db.execute(
            "INSERT INTO poll (feed_id, at, outcome, status, entries, new_entries, received_bytes, reason, why, grade, gap, interval, "
            "next_check) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                feed.id,
                to_text(result.at),
                result.outcome,
                result.status,
                len(result.entries),
                new_entries,
                result.received_bytes,
                result.reason,
                result.why,
                result.grade,
                result.gap,
                feed.interval,
                values["next_check"],
            ),
        )
        self._db.execute(
            "DELETE FROM poll WHERE feed_id = ?1 AND id <= (SELECT id FROM poll WHERE feed_id = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
            (feed.id, POLLS_KEPT),
        )

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


def _hints_text(hints: FeedHints) -> str | None:
    """Hints as JSON; None where there are none."""
    return None if hints == FeedHints() else json.dumps(asdict(hints), default=sorted)


def _hints(text: str | None) -> FeedHints:
    """Hints from what `_hints_text` made."""
    if text is None:
        return FeedHints()
    stored = json.loads(text)
    return FeedHints(**(stored | {name: frozenset(stored[name]) for name in ("skip_hours", "skip_days")}))
