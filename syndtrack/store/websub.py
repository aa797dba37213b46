"""What was agreed with the hubs of feeds (WebSub); the secrets in it leave the database for nobody but these hubs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from syndtrack.models import Subscription
from syndtrack.store.times import to_text, to_text_or_none, to_text_up, to_time_or_none

FIELDS = tuple(f.name for f in fields(Subscription))
TIMES = ("asked", "next_try", "lease_until", "last_push")


class Websub:
    """Table `websub`; every method runs inside the caller's transaction."""

    def __init__(self, connection: Any) -> None:
        self._db = connection

    def of_feed(self, feed_id: int) -> Subscription | None:
        """What was agreed on a feed."""
        return self._one("feed_id", feed_id)

    def of_token(self, token: str) -> Subscription | None:
        """What was agreed on the callback that this token names."""
        return self._one("token", token)

    def to_ask(self, now: datetime, most: int) -> list[Subscription]:
        """What hubs are to be asked for by now: of each that which is due for longest."""
        # bare columns beside min() are those of its row: https://sqlite.org/lang_select.html#bareagg
        names = ", ".join(FIELDS)
        query = f"SELECT {names}, min(next_try) FROM websub WHERE next_try <= ? GROUP BY hub ORDER BY min(next_try), feed_id LIMIT ?"
        return [_subscription(row[:-1]) for row in self._db.execute(query, (to_text(now), most))]

    def keep(self, subscription: Subscription) -> None:
        """Store what is agreed, in place of what was."""
        values = {name: getattr(subscription, name) for name in FIELDS}
        values |= {name: to_text_or_none(values[name]) for name in TIMES}
        values["next_try"] = None if subscription.next_try is None else to_text_up(subscription.next_try)
        self._db.execute(
            f"INSERT OR REPLACE INTO websub ({', '.join(FIELDS)}) VALUES ({', '.join('?' * len(FIELDS))})", tuple(values.values())
        )

    def drop(self, feed_id: int) -> None:
        """Nothing is agreed any more."""
        self._db.execute("DELETE FROM websub WHERE feed_id = ?", (feed_id,))

    def _one(self, column: str, value: object) -> Subscription | None:
        row = self._db.execute(f"SELECT {', '.join(FIELDS)} FROM websub WHERE {column} = ?", (value,)).fetchone()
        return None if row is None else _subscription(row)


def _subscription(row: Sequence[Any]) -> Subscription:
    """A row as a record."""
    values = dict(zip(FIELDS, row, strict=True))
    return Subscription(**(values | {name: to_time_or_none(values[name]) for name in TIMES} | {"pushing": bool(values["pushing"])}))
