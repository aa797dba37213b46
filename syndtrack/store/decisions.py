"""What a person decided of publishers: that two are one, how one is called, who owns it, of what kind it is.

Each decision is kept as it was made, apart from what is computed, and what is computed never overrules it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from syndtrack.models import PublisherKind
from syndtrack.store.publishers import Publishers
from syndtrack.store.times import to_text


class Decisions:
    """Table `publisher_decision`, applied to the publishers; every method runs inside the caller's transaction."""

    def __init__(self, connection: Any, publishers: Publishers) -> None:
        self._db = connection
        self._publishers = publishers

    def merge(self, losers: list[int], winner: int, at: datetime) -> None:
        """Make publishers one. Whatever any of them is called, and wherever it publishes, is the winner's from now on."""
        names, reasons, into = self._names(winner), list[str](), self._called(winner)[0]
        for loser in sorted(set(losers) - {winner}, key=lambda n: self._called(n)[0]):
            names += self._names(loser)
            was = self._called(loser)[0]
            self._publishers.merge(loser, winner)
            self._remember(winner, at, "merge", was, None)
            reasons.append(f"{was} is {into}")
        self._stand(winner)
        self._announce(winner, names)
        self._retrace(winner, *reasons)

    def rename(self, number: int, name: str, at: datetime) -> None:
        """Call a publisher by another name; the old one stays an alias."""
        was = self._called(number)[0]
        self._remember(number, at, "name", name, was)
        names = self._names(number)
        self._db.execute("UPDATE publisher SET name = ? WHERE id = ?", (name, number))
        self._stand(number)
        self._announce(number, [*names, name])
        self._retrace(number, f"{was} is called {name}")

    def set_kind(self, number: int, kind: PublisherKind, at: datetime) -> None:
        """Say of what kind a publisher is. Its articles are traced again: what an agency writes is another matter."""
        was = self._db.execute("SELECT kind FROM publisher WHERE id = ?", (number,)).fetchone()[0]
        self._remember(number, at, "kind", kind, was)
        self._db.execute("UPDATE publisher SET kind = ? WHERE id = ?", (kind, number))
        self._retrace(number, f"{self._called(number)[0]} is of the kind {kind}")

    def set_owner(self, number: int, owner: str | None, at: datetime) -> None:
        """Say who owns a publisher; None: nobody that owns another."""
        was = self._db.execute("SELECT owner FROM publisher WHERE id = ?", (number,)).fetchone()[0]
        self._remember(number, at, "owner", owner, was)
        self._db.execute("INSERT OR REPLACE INTO publisher_owner VALUES (?, 'person', ?, ?)", (number, owner, f"set on {to_text(at)[:10]}"))
        self._publishers.choose_owner(number)

    def unset_owner(self, number: int, at: datetime) -> None:
        """Take back what was said of an owner, so that what else is known of it holds."""
        was = self._db.execute("SELECT owner FROM publisher WHERE id = ?", (number,)).fetchone()[0]
        gone = self._db.execute("DELETE FROM publisher_owner WHERE publisher_id = ? AND known_from = 'person'", (number,))
        if gone.rowcount:
            self._remember(number, at, "owner", None, was)
            self._publishers.choose_owner(number)

    # -- what the above are made of

    def _remember(self, number: int, at: datetime, what: str, value: str | None, was: str | None) -> None:
        """Keep a decision."""
        self._db.execute(
            "INSERT INTO publisher_decision (publisher_id, at, what, value, was) VALUES (?, ?, ?, ?, ?)",
            (number, to_text(at), what, value, was),
        )

    def _called(self, number: int) -> tuple[str, str]:
        """A publisher's name and where it is known from."""
        name, known_from = self._db.execute("SELECT name, known_from FROM publisher WHERE id = ?", (number,)).fetchone()
        return str(name), str(known_from)

    def _names(self, number: int) -> list[str]:
        """Everything a publisher goes by."""
        rows = self._db.execute(
            "SELECT name FROM publisher WHERE id = ?1 UNION SELECT alias FROM publisher_alias WHERE publisher_id = ?1 "
            "UNION SELECT domain FROM publisher_domain WHERE publisher_id = ?1 ORDER BY 1",
            (number,),
        )
        return [row[0] for row in rows]

    def _stand(self, number: int) -> None:
        """One known from credits only stands by itself once a person vouches for it; a name that was given no site may change."""
        renamed = "EXISTS (SELECT 1 FROM publisher_decision WHERE publisher_id = publisher.id AND what = 'name')"
        self._db.execute(
            f"UPDATE publisher SET known_from = 'person' WHERE id = ? AND (known_from = 'credit' OR known_from = 'address' AND {renamed})",
            (number,),
        )

    def _announce(self, number: int, names: list[str]) -> None:
        """Credits under any of these names mean this publisher, as far as the name is nobody else's."""
        self._publishers.load()
        self._publishers.announce(number, names)

    def _retrace(self, number: int, *reasons: str) -> None:
        """Have the articles of a publisher and those that credit it traced again."""
        for because in reasons:
            self._publishers.retrace(
                "publisher_id = ?1 OR revision_id IN (SELECT revision_id FROM credit WHERE publisher_id = ?1)", (number,), because
            )
