"""What politeness needs over restarts: when anybody was asked last, what hosts asked for, robots.txt files, pages that failed."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from syndtrack.store.times import to_text, to_text_up, to_time, to_time_or_none

MAX_BODY = 600_000  # bytes of a robots.txt; what is read of one is less


class Hosts:
    """Tables `polling`, `host`, `robots` and `page_failure`; every method runs inside the caller's transaction."""

    def __init__(self, connection: Any) -> None:
        self._db = connection

    def begin(self, now: datetime) -> timedelta | None:
        """Polling begins: how long ago it ended, at least; zero where it never said so (the process was killed), None if it never began.

        Forgets what is no longer of use.
        """
        row = self._db.execute("SELECT at, ended FROM polling").fetchone()
        self._db.execute("INSERT INTO polling VALUES (1, ?1, 0) ON CONFLICT DO UPDATE SET at = ?1, ended = 0", (to_text(now),))
        for table in ("robots", "page_failure"):
            self._db.execute(f"DELETE FROM {table} WHERE until <= ?", (to_text(now - timedelta(days=1)),))
        self._db.execute("DELETE FROM host WHERE delay IS NULL AND asked_to_wait_until <= ?", (to_text(now),))
        if row is None:
            return None
        return max(now - to_time(row[0]), timedelta(0)) if row[1] else timedelta(0)

    def end(self, now: datetime) -> None:
        """Polling has ended."""
        self._db.execute("UPDATE polling SET at = ?, ended = 1", (to_text_up(now),))

    def all(self) -> Iterator[tuple[str, datetime | None, float | None]]:
        """Hosts that asked for something: name, until when to leave them alone, seconds between two requests."""
        for name, until, delay in self._db.execute("SELECT name, asked_to_wait_until, delay FROM host ORDER BY name"):
            yield name, to_time_or_none(until), delay

    def keep(self, name: str, until: datetime | None, delay: float | None) -> None:
        """Keep what a host asked for; None keeps what is stored."""
        self._db.execute(
            "INSERT INTO host VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET "
            "asked_to_wait_until = max(coalesce(asked_to_wait_until, ''), coalesce(?2, asked_to_wait_until)), delay = coalesce(?3, delay)",
            (name, None if until is None else to_text_up(until), delay),
        )

    def robots(self, origin: str, own: bool) -> tuple[datetime, bytes | None, str] | None:
        """A site's robots.txt: good until, its bytes (None where it could not be had) and the reason."""
        row = self._db.execute("SELECT until, body, reason FROM robots WHERE origin = ? AND own = ?", (origin, own)).fetchone()
        return None if row is None else (to_time(row[0]), None if row[1] is None else zlib.decompress(row[1]), row[2])

    def keep_robots(self, origin: str, own: bool, until: datetime, body: bytes | None, reason: str) -> None:
        """Keep a site's robots.txt."""
        packed = None if body is None else zlib.compress(body[:MAX_BODY])
        self._db.execute("INSERT OR REPLACE INTO robots VALUES (?, ?, ?, ?, ?)", (origin, own, to_text_up(until), packed, reason))

    def failure(self, url: str, own: bool) -> tuple[str, datetime, bool, int] | None:
        """Why a page could not be had: reason, until when it is not asked for, whether it may pass, how often."""
        query = "SELECT reason, until, passing, times FROM page_failure WHERE url = ? AND own = ?"
        row = self._db.execute(query, (url, own)).fetchone()
        return None if row is None else (row[0], to_time(row[1]), bool(row[2]), row[3])

    def keep_failure(self, url: str, own: bool, reason: str, until: datetime, *, passing: bool, times: int) -> None:
        """Keep why a page could not be had."""
        values = (url, own, to_text_up(until), reason, passing, times)
        self._db.execute("INSERT OR REPLACE INTO page_failure VALUES (?, ?, ?, ?, ?, ?)", values)

    def drop_failure(self, url: str, own: bool) -> None:
        """The page was had."""
        self._db.execute("DELETE FROM page_failure WHERE url = ? AND own = ?", (url, own))

    def asked_to_wait(self, names: tuple[str, str], now: datetime) -> datetime | None:
        """Until when a host (by either name) asked to be left alone; None if it did not or the time is over."""
        query = "SELECT max(asked_to_wait_until) FROM host WHERE name IN (?, ?) AND asked_to_wait_until > ?"
        return to_time_or_none(self._db.execute(query, (*names, to_text(now))).fetchone()[0])
