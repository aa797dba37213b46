"""What the articles of publishers tell of them, counted: whom they name as their sources, what their dates are like.

Counts are per publisher and go up and down with the articles, so they depend on what is stored, not on the order in which it came. Edges
are not counted: edges that are made of edges would depend on that order.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from syndtrack.models import PublisherDates
from syndtrack.provenance.habits import CLAIM_KINDS, ClaimKind, claim_kind, dates_of, habit_step, is_polled
from syndtrack.store.publishers import Publishers
from syndtrack.store.times import to_time, to_time_or_none

WITHIN = "IN (SELECT value FROM json_each(?))"


class Habits:
    """Tables `naming` and `habit`, `claim` and `dating`; every method runs inside the caller's transaction."""

    def __init__(self, connection: Any, publishers: Publishers) -> None:
        self._db = connection
        self._publishers = publishers

    def untold(self, after: int, limit: int) -> list[int]:
        """Articles that changed since they were traced, in the order of their ids, those above one of them."""
        query = "SELECT id FROM article INDEXED BY article_untraced WHERE traced = 0 AND id > ? ORDER BY id LIMIT ?"
        return [row[0] for row in self._db.execute(query, (after, limit))]

    def count(self, articles: Sequence[int]) -> None:
        """Bring up to date what some articles tell. What changes in it changes their sources too, so they are all untraced then."""
        listed = json.dumps(list(articles))
        self._bring(
            "naming", "article_id, publisher_id, named_id", listed,
            self._db.execute(
                "SELECT DISTINCT a.id, a.publisher_id, c.publisher_id FROM article a JOIN credit c ON c.revision_id = a.revision_id "
                f"WHERE a.id {WITHIN} AND c.kind IN ('republication', 'wire') AND c.publisher_id <> a.publisher_id", (listed,),
            ).fetchall(),
        )  # fmt: skip
        rows = self._db.execute(
            f"SELECT id, publisher_id, published, first_seen FROM article WHERE id {WITHIN} AND revision_id IS NOT NULL", (listed,)
        )
        claims = [(a, p, claim_kind(to_time_or_none(published), to_time(seen))) for a, p, published, seen in rows.fetchall()]
        self._bring("claim", "article_id, publisher_id, kind", listed, claims)

    def _bring(self, table: str, columns: str, listed: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Make the rows of some articles these."""
        before = set(self._db.execute(f"SELECT {columns} FROM {table} WHERE article_id {WITHIN}", (listed,)).fetchall())
        match = " AND ".join(f"{name} = ?" for name in columns.split(", "))
        self._db.executemany(f"DELETE FROM {table} WHERE {match}", sorted(before - set(rows)))
        self._db.executemany(f"INSERT INTO {table} ({columns}) VALUES (?, ?, ?)", sorted(set(rows) - before))

    def conclude(self) -> bool:
        """Let changed counts decide; where a step changes, the stories that it tells something of are traced again. Whether any did."""
        steps = 0
        for publisher_id, named_id, articles, step in self._db.execute(
            "SELECT publisher_id, named_id, articles, step FROM habit INDEXED BY habit_changed WHERE changed = 1 ORDER BY 1, 2"
        ).fetchall():
            if habit_step(articles) != step:
                self._change_habit(publisher_id, named_id, habit_step(articles))
                steps += 1
        self._db.execute("DELETE FROM habit WHERE changed = 1 AND articles <= 0")
        self._db.execute("UPDATE habit SET changed = 0 WHERE changed = 1")
        kinds = ", ".join(CLAIM_KINDS)
        for publisher_id, dates, polled, *numbers in self._db.execute(
            f"SELECT publisher_id, dates, polled, {kinds} FROM dating INDEXED BY dating_changed WHERE changed = 1 ORDER BY 1"
        ).fetchall():
            counts: dict[ClaimKind, int] = dict(zip(CLAIM_KINDS, numbers, strict=True))
            if dates_of(counts) != dates:
                self._change_dates(publisher_id, dates_of(counts))
                steps += 1
            if is_polled(counts) != bool(polled):
                self._change_polled(publisher_id, is_polled(counts))
                steps += 1
        self._db.execute("UPDATE dating SET changed = 0 WHERE changed = 1")
        return steps > 0

    def _change_habit(self, publisher_id: int, named_id: int, step: int) -> None:
        """It tells something of stories in which an article of the one shares text with an article of the other."""
        self._db.execute("UPDATE habit SET step = ? WHERE publisher_id = ? AND named_id = ?", (step, publisher_id, named_id))
        pairs = " UNION ".join(
            f"SELECT x.id FROM article x JOIN match m ON m.{mine} = x.id JOIN article y ON y.id = m.{other} "
            "WHERE x.publisher_id = ?1 AND y.publisher_id = ?2"
            for mine, other in (("a", "b"), ("b", "a"))
        )
        because = f"how often {self._name(publisher_id)} names {self._name(named_id)} as its source"
        self._publishers.retrace(f"id IN ({pairs})", (publisher_id, named_id), because)

    def _change_dates(self, publisher_id: int, dates: PublisherDates) -> None:
        """It tells something of all its articles."""
        self._db.execute("UPDATE dating SET dates = ? WHERE publisher_id = ?", (dates, publisher_id))
        self._publishers.retrace("publisher_id = ?1", (publisher_id,), f"how far dates of {self._name(publisher_id)} can be believed")

    def _change_polled(self, publisher_id: int, polled: bool) -> None:
        """It tells something of the articles that name it."""
        self._db.execute("UPDATE dating SET polled = ? WHERE publisher_id = ?", (int(polled), publisher_id))
        because = f"articles of {self._name(publisher_id)} are {'' if polled else 'not '}observed as a rule"
        self._publishers.retrace("id IN (SELECT article_id FROM naming WHERE named_id = ?1)", (publisher_id,), because)

    def _name(self, publisher_id: int) -> str:
        """What a publisher is called; a merged one has no name any more."""
        row = self._db.execute("SELECT name FROM publisher WHERE id = ?", (publisher_id,)).fetchone()
        return str(row[0]) if row else "a publisher"
