"""Look-ups of publishers: who is known, under which names, from where, what they printed, and where their articles went."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Sequence
from typing import Any

from sqlite_utils import Database

from syndtrack.errors import UsageError
from syndtrack.publishers import fold
from syndtrack.urls import host_of, shown

Row = dict[str, Any]
NEAREST = 5
MAX_SHOWN = 100  # characters of a name that nobody has

LIST = """
    SELECT p.name, p.kind, coalesce(p.owner, p.house) AS owner,
           (SELECT known_from FROM publisher_owner o WHERE o.publisher_id = p.id ORDER BY
            CASE known_from WHEN 'person' THEN 0 WHEN 'seed' THEN 1 WHEN 'trust.txt' THEN 2 ELSE 3 END LIMIT 1) AS owner_known_from,
           p.known_from,
           (SELECT count(*) FROM article a WHERE a.publisher_id = p.id) AS articles,
           (SELECT count(*) FROM feed f WHERE f.publisher_id = p.id) AS feeds,
           (SELECT json_group_array(domain) FROM
            (SELECT domain FROM publisher_domain WHERE publisher_id = p.id ORDER BY domain)) AS domains,
           (SELECT json_group_array(alias) FROM (SELECT alias FROM publisher_alias x WHERE publisher_id = p.id AND alias <> p.name
            AND NOT EXISTS (SELECT 1 FROM publisher_domain d WHERE d.domain = x.alias) ORDER BY alias)) AS aliases
    FROM publisher p"""

# The articles of one publisher, or texts of it that were not observed, and everything that derives from them, however many hops away.
# The plus keeps a copy's credits from being sought among all that name the publisher, of which an agency has a hundred thousand.
REPUBLISHED = """
    WITH RECURSIVE copy(source_id, copy_id, edge_id, hops) AS (
        SELECT e.source_id, e.copy_id, e.id, 1 FROM edge e
        WHERE e.source_id IN (SELECT id FROM article WHERE publisher_id = ?1) OR (e.source_id IS NULL AND e.source_publisher_id = ?1)
        UNION
        SELECT copy.source_id, e.copy_id, e.id, copy.hops + 1
        FROM copy JOIN edge e ON e.source_id = copy.copy_id WHERE copy.hops < 20 AND copy.source_id IS NOT NULL
    ), nearest AS (
        SELECT *, row_number() OVER (PARTITION BY source_id, copy_id ORDER BY hops, edge_id) AS place FROM copy
        WHERE copy_id IS NOT source_id
    )
    SELECT s.url AS article, s.title, c.url AS copy, cp.name AS copy_publisher, n.hops, c.first_seen,
           unixepoch(c.first_seen) - unixepoch(s.first_seen) AS lag_seconds, e.kind, round(e.confidence, 3) AS confidence,
           CASE WHEN n.hops = 1 THEN e.credited ELSE EXISTS (
               SELECT 1 FROM credit k WHERE k.revision_id = c.revision_id AND +k.publisher_id = ?1 AND k.kind IN ('republication', 'wire')
           ) END AS credited,
           CASE WHEN n.hops = 1 THEN ct.name WHEN e.credited THEN coalesce(vp.name, up.name) ELSE ct.name END AS credited_to,
           coalesce(coalesce(o.owner, o.house) = coalesce(cp.owner, cp.house), 0) AS same_owner,
           CASE WHEN n.source_id = m.a THEN m.a_revision ELSE coalesce(m.b_revision, s.revision_id) END AS source_revision,
           CASE WHEN n.source_id = m.a THEN m.b_revision ELSE coalesce(m.a_revision, c.revision_id) END AS copy_revision
    FROM nearest n JOIN edge e ON e.id = n.edge_id JOIN article c ON c.id = n.copy_id JOIN publisher cp ON cp.id = c.publisher_id
    JOIN publisher o ON o.id = ?1
    LEFT JOIN article s ON s.id = n.source_id
    LEFT JOIN article v ON v.id = e.source_id LEFT JOIN publisher vp ON vp.id = v.publisher_id
    LEFT JOIN publisher up ON up.id = e.source_publisher_id LEFT JOIN publisher ct ON ct.id = e.credited_to_id
    LEFT JOIN match m ON m.a = min(n.source_id, n.copy_id) AND m.b = max(n.source_id, n.copy_id)
    WHERE n.place = 1 AND cp.id <> ?1
    ORDER BY s.first_seen, s.url, c.first_seen, c.url"""


def _nearest(key: str, names: Sequence[str]) -> str:
    """What may have been meant by a folded name."""
    folded: dict[str, str] = {}
    for name in names:
        folded.setdefault(fold(name), name)
    near = [folded[k] for k in folded if key and key in k][:NEAREST]
    near = near or [folded[k] for k in difflib.get_close_matches(key[:MAX_SHOWN], folded, NEAREST)]
    return f"nearest: {', '.join(near)}" if near else "syndtrack publishers list shows those known"


class Directory:
    """Read-only questions about publishers to a store's database."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def publishers(self) -> Iterator[Row]:
        """Every publisher, those with most articles first."""
        for row in self._db.query(LIST + " ORDER BY articles DESC, p.name"):
            yield row | {name: json.loads(row[name]) for name in ("domains", "aliases")}

    def publisher(self, number: int) -> Row:
        """One publisher, with what is known of its owner and what a person decided."""
        row = next(self._db.query(LIST + " WHERE p.id = ?", (number,)))
        row |= {name: json.loads(row[name]) for name in ("domains", "aliases")}
        row["owners"] = list(
            self._db.query("SELECT owner, known_from, reason FROM publisher_owner WHERE publisher_id = ? ORDER BY known_from", (number,))
        )
        row["decisions"] = list(
            self._db.query("SELECT at, what, value, was FROM publisher_decision WHERE publisher_id = ? ORDER BY id", (number,))
        )
        row["feed_addresses"] = [
            shown(r[0]) for r in self._db.conn.execute("SELECT url FROM feed WHERE publisher_id = ? ORDER BY url", (number,))
        ]
        return row

    def owners(self) -> Iterator[Row]:
        """What is known of owners, each place of knowledge a row; `holds` is what counts."""
        for row in self._db.query(
            "SELECT p.id, p.name, o.owner, o.known_from, o.owner IS coalesce(p.owner, p.house) AS holds, o.reason "
            "FROM publisher_owner o JOIN publisher p ON p.id = o.publisher_id ORDER BY coalesce(p.owner, p.house, ''), p.name, o.known_from"
        ):
            yield row | {"holds": bool(row["holds"])}

    def named(self, name: str) -> int | None:
        """The publisher of exactly that name."""
        row = self._db.conn.execute("SELECT id FROM publisher WHERE name = ?", (name,)).fetchone()
        return None if row is None else int(row[0])

    def names(self) -> Iterator[tuple[str, int]]:
        """Every name, alias and domain with its publisher."""
        yield from self._db.conn.execute(
            "SELECT name, id FROM publisher UNION SELECT alias, publisher_id FROM publisher_alias "
            "UNION SELECT domain, publisher_id FROM publisher_domain ORDER BY 1, 2"
        )

    def find(self, name: str) -> int:
        """The one publisher of that name, alias or domain, in any spelling. Raises UsageError where there is none or are several."""
        number = self.named(name)
        if number is not None:
            return number
        known, key = list(self.names()), fold(name)
        found = {n for each, n in known if key and fold(each) == key} or self._at(name)
        if len(found) == 1:
            return next(iter(found))
        if found:
            called = (repr(self.publisher(n)["name"]) for n in sorted(found))
            raise UsageError(f"{len(found)} publishers go by {name!r}: {', '.join(called)}; name one of them in full")
        raise UsageError(f"no publisher {name[:MAX_SHOWN]!r}; {_nearest(key, [each for each, _ in known])}")

    def _at(self, name: str) -> set[int]:
        """Whose the longest domain is that a host lies under."""
        host = host_of(name).removeprefix("www.") if "." in name else ""
        while host:
            row = self._db.conn.execute("SELECT publisher_id FROM publisher_domain WHERE domain = ?", (host,)).fetchone()
            if row is not None:
                return {int(row[0])}
            _, _, host = host.partition(".")
        return set()

    def republished(self, number: int) -> Iterator[Row]:
        """Every copy of a publisher's articles by others, with the revisions to compare."""
        for row in self._db.query(REPUBLISHED, (number,)):
            yield row | {name: bool(row[name]) for name in ("credited", "same_owner")}
