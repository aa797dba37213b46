"""Inputs that killed, stalled or overfilled a worker, in the store: tried twice, then kept here with the reason and their first bytes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from syndtrack.models import Poison
from syndtrack.store.times import to_text

# Enough to see what is wrong with it; of all together no more than fits beside the articles.
BYTES_KEPT = 1_000_000
ALL_BYTES_KEPT = 64_000_000
ROWS_KEPT = 10_000


class Quarantine:
    """Table `quarantine`; every method runs inside the caller's transaction."""

    def __init__(self, connection: Any) -> None:
        self._db = connection

    def failed(self) -> dict[tuple[str, str], tuple[int, str]]:
        """By address and hash of every input that failed: how often it did, and why."""
        rows = self._db.execute("SELECT url, content_hash, tries, reason FROM quarantine")
        return {(url, content_hash): (tries, reason) for url, content_hash, tries, reason in rows}

    def record(self, poisons: Sequence[Poison], at: datetime) -> None:
        """Store tries that failed. The oldest rows, and the bytes of the oldest, make room."""
        self._db.executemany(
            "INSERT INTO quarantine (kind, url, content_hash, feed_id, reason, tries, first_tried, last_tried, size, content) "
            "VALUES (?, ?, ?, (SELECT id FROM feed WHERE id = ?), ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT DO UPDATE SET reason = excluded.reason, tries = excluded.tries, last_tried = excluded.last_tried",
            [
                (
                    *(p.given.kind, p.url, p.content_hash, p.given.feed_id, p.reason[:500], p.tries, to_text(at), to_text(at)),
                    *(len(p.given.content), p.given.content[:BYTES_KEPT]),
                )
                for p in poisons
            ],
        )
        self._db.execute(
            "DELETE FROM quarantine WHERE id <= (SELECT id FROM quarantine ORDER BY id DESC LIMIT 1 OFFSET ?)",
            (ROWS_KEPT,),
        )
        self._db.execute(
            "UPDATE quarantine SET content = NULL WHERE content IS NOT NULL AND id IN (SELECT id FROM "
            "(SELECT id, sum(length(content)) OVER (ORDER BY id DESC) AS kept FROM quarantine WHERE content IS NOT NULL) WHERE kept > ?)",
            (ALL_BYTES_KEPT,),
        )

    def ids(self) -> list[int]:
        """Those that are listed: not the dropped ones."""
        return [row[0] for row in self._db.execute("SELECT id FROM quarantine WHERE NOT dropped ORDER BY id")]

    def retry(self, number: int, now: datetime) -> bool:
        """Take one out, so that it is read again at its feed's next look, which is now and gets the whole feed. False if there is none."""
        row = self._db.execute("DELETE FROM quarantine WHERE id = ? RETURNING feed_id, kind", (number,)).fetchone()
        if row is None:
            return False
        feed_id, kind = row
        if kind != "feed":
            self._db.execute(
                "UPDATE sighting SET refusals = 0, entry_hash = '' WHERE feed_id = ? AND article_id IS NULL AND refusals > 0", (feed_id,)
            )
        self._db.execute(
            "UPDATE feed SET next_check = ?, etag = NULL, last_modified = NULL, validators_of = NULL, body_hash = NULL WHERE id = ?",
            (to_text(now), feed_id),
        )
        return True

    def drop(self, number: int) -> bool:
        """Let go of its bytes and list it no more; the same bytes are still not read again. False if there is none."""
        done = self._db.execute("UPDATE quarantine SET content = NULL, dropped = 1 WHERE id = ? AND NOT dropped", (number,))
        return bool(done.rowcount)

    def content(self, number: int) -> bytes | None:
        """The first bytes of one; None where there is none or they were let go."""
        row = self._db.execute("SELECT content FROM quarantine WHERE id = ?", (number,)).fetchone()
        return None if row is None or row[0] is None else bytes(row[0])

    def rows(self) -> list[dict[str, Any]]:
        """What is listed, the latest first, as records for reports. `state`: `tried once` is read once more, `in quarantine` no more."""
        names = ("id", "state", "kind", "url", "feed", "reason", "tries", "first_tried", "last_tried", "size", "content_hash")
        rows = self._db.execute(
            "SELECT q.id, CASE WHEN q.tries < 2 THEN 'tried once' ELSE 'in quarantine' END, q.kind, q.url, q.feed_id, q.reason, q.tries, "
            "q.first_tried, q.last_tried, q.size, q.content_hash FROM quarantine q WHERE NOT q.dropped "
            "ORDER BY q.last_tried DESC, q.id DESC"
        )
        return [dict(zip(names, row, strict=True)) for row in rows]
