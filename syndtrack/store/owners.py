"""Owners of publishers in the store: what trust.txt files state, what reuse tells, and what follows from them.

What is known from each place is kept beside the others; of them a person's word holds first, then the seeds', trust.txt, behaviour.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from syndtrack.owners import Owned, Reuse, Statement, TrustAnswer, are_sisters, houses, most_holders, owners_by_trust
from syndtrack.store.publishers import Publishers
from syndtrack.store.times import to_text
from syndtrack.urls import registrable_domain

# A trust.txt changes when a site is sold; one that could not be had may come back sooner.
TRUST_KEPT = timedelta(weeks=4)
TRUST_RETRIED = timedelta(days=2)

# Articles of one publisher that another printed, and how many of these it credited: only what is likely, and never among agencies.
REUSE = """
    SELECT s.publisher_id, c.publisher_id, count(DISTINCT e.source_id), count(DISTINCT CASE WHEN e.credited THEN e.source_id END)
    FROM edge e JOIN article c ON c.id = e.copy_id JOIN article s ON s.id = e.source_id
    JOIN publisher p ON p.id = c.publisher_id JOIN publisher q ON q.id = s.publisher_id
    WHERE e.confidence >= 0.5 AND p.id <> q.id AND p.kind <> 'agency' AND q.kind <> 'agency'
    GROUP BY 1, 2"""


@dataclass(frozen=True, slots=True)
class Site:
    """Where to ask for a trust.txt. `own`: a feed there was subscribed to by hand, so that it may be in a network of one's own."""

    domain: str
    scheme: str
    own: bool


class Owners:
    """Tables `publisher_owner`, `trust_txt` and `trust_statement`; every method runs inside the caller's transaction."""

    def __init__(self, connection: Any, publishers: Publishers) -> None:
        self._db = connection
        self._publishers = publishers

    # -- trust.txt

    def sites(self, numbers: Collection[int] | None) -> list[Site]:
        """The domains of some publishers; for None, of all that have articles or feeds."""
        subscribed = {registrable_domain(row[0]) for row in self._db.execute("SELECT url FROM feed")}
        rows = self._db.execute(
            "SELECT d.domain, d.publisher_id, EXISTS (SELECT 1 FROM feed f WHERE f.publisher_id = d.publisher_id), "
            "EXISTS (SELECT 1 FROM article a WHERE a.publisher_id = d.publisher_id), "
            "EXISTS (SELECT 1 FROM article a WHERE a.publisher_id = d.publisher_id AND a.url LIKE 'http:%') "
            "FROM publisher_domain d ORDER BY d.domain"
        )
        return [
            Site(domain, "http" if plain else "https", own=domain in subscribed)
            for domain, number, feeds, articles, plain in rows
            if (number in numbers if numbers is not None else feeds or articles or domain in subscribed)
        ]

    def is_fresh(self, domain: str, now: datetime) -> bool:
        """Whether a site was asked lately."""
        row = self._db.execute("SELECT asked, outcome FROM trust_txt WHERE domain = ?", (domain,)).fetchone()
        return row is not None and row[0] >= to_text(now - (TRUST_RETRIED if row[1] == "failed" else TRUST_KEPT))

    def save_trust(self, answer: TrustAnswer, at: datetime) -> None:
        """What came of asking a site. Where asking failed, what it stated before stays."""
        self._db.execute(
            "INSERT INTO trust_txt VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
            "asked = excluded.asked, outcome = excluded.outcome, url = excluded.url, reason = excluded.reason",
            (answer.domain, to_text(at), answer.outcome, answer.url, answer.reason),
        )
        if answer.outcome != "failed":
            self._db.execute("DELETE FROM trust_statement WHERE domain = ?", (answer.domain,))
        self._db.executemany(
            "INSERT OR IGNORE INTO trust_statement VALUES (?, ?, ?)", [(answer.domain, s.attribute, s.value) for s in answer.statements]
        )

    def _stated(self) -> dict[str, list[Statement]]:
        """What every site states of control."""
        files: dict[str, list[Statement]] = defaultdict(list)
        query = "SELECT domain, attribute, value FROM trust_statement WHERE attribute IN ('control', 'controlledby')"
        for domain, attribute, value in self._db.execute(query):
            files[domain].append(Statement(attribute, value))
        return files

    def decide_by_trust(self) -> None:
        """Let the statements of all files decide whose owner they tell."""
        at = dict(self._db.execute("SELECT domain, publisher_id FROM publisher_domain").fetchall())
        told: dict[int, set[Owned]] = defaultdict(set)
        for domain, owned in owners_by_trust(self._stated()).items():
            if domain in at:
                told[at[domain]].add(Owned(self._house(owned.owner, at), owned.reason))
        single = {n: min(each, key=lambda o: o.reason) for n, each in told.items() if len({o.owner for o in each}) == 1}
        self._replace("trust.txt", single)

    def _house(self, domain: str, at: Mapping[str, int]) -> str:
        """What an owner is called: the owner that is known of its own site, else that site's publisher, else its domain."""
        if domain not in at:
            return domain
        row = self._db.execute(
            "SELECT coalesce((SELECT owner FROM publisher_owner WHERE publisher_id = p.id AND known_from IN ('person', 'seed') "
            "ORDER BY known_from LIMIT 1), p.name) FROM publisher p WHERE p.id = ?",
            (at[domain],),
        ).fetchone()
        return str(row[0])

    # -- behaviour

    def houses_are_stale(self) -> bool:
        """Whether edges are new since it was last looked who is of one house."""
        return self._db.execute("SELECT 1 FROM stale WHERE what = 'houses'").fetchone() is not None

    def decide_by_behaviour(self) -> None:
        """Let the reuse that edges tell of decide which publishers are of one house, if edges are new since that was last looked at.

        Tracing does not look at houses, so that edges do not feed on themselves. One pass over all edges.
        """
        if not self._db.execute("DELETE FROM stale WHERE what = 'houses'").rowcount:
            return
        reuse = {(a, b): Reuse(copies, credited) for a, b, copies, credited in self._db.execute(REUSE)}
        mutual = sorted((a, b) for a, b in reuse if a < b and (b, a) in reuse)
        concerned = json.dumps(sorted({n for pair in mutual for n in pair}))
        within = "IN (SELECT value FROM json_each(?))"
        printed = dict(
            self._db.execute(f"SELECT publisher_id, count(*) FROM article WHERE publisher_id {within} GROUP BY 1", (concerned,)).fetchall()
        )
        lines = self._lines_of_few(concerned)
        sisters = [
            (a, b)
            for a, b in mutual
            if are_sisters(reuse[a, b], reuse[b, a], (printed[a], printed[b]), len(lines.get(a, set()) & lines.get(b, set())))
        ]
        known = dict(  # of several the last, which holds first
            self._db.execute(
                "SELECT publisher_id, owner FROM publisher_owner WHERE known_from <> 'behaviour' ORDER BY publisher_id, "
                "CASE known_from WHEN 'person' THEN 2 WHEN 'seed' THEN 1 ELSE 0 END"
            ).fetchall()
        )
        told = {}
        names = dict(self._db.execute(f"SELECT id, name FROM publisher WHERE id {within}", (concerned,)).fetchall())
        for owner, members in houses(sisters, known):
            called = sorted(names[n] for n in members)
            reason = f"print each other's pages: {', '.join(called[:10])}"
            told.update({n: Owned(owner or f"the house of {called[0]}", reason) for n in members})
        self._replace("behaviour", told)

    def _lines_of_few(self, concerned: str) -> dict[int, set[int]]:
        """Furniture of some publishers that few others have."""
        with_lines = self._db.execute("SELECT count(DISTINCT publisher_id) FROM furniture").fetchone()[0]
        found: dict[int, set[int]] = defaultdict(set)
        for number, key in self._db.execute(
            "SELECT publisher_id, line_key FROM furniture WHERE publisher_id IN (SELECT value FROM json_each(?)) AND line_key IN "
            "(SELECT line_key FROM furniture GROUP BY line_key HAVING count(*) BETWEEN 2 AND ?)",
            (concerned, most_holders(with_lines)),
        ):
            found[number].add(key)
        return found

    def _replace(self, known_from: str, told: Mapping[int, Owned]) -> None:
        """Take over what is known from one place."""
        before = {
            n: (owner, reason)
            for n, owner, reason in self._db.execute(
                "SELECT publisher_id, owner, reason FROM publisher_owner WHERE known_from = ?", (known_from,)
            )
        }
        after = {n: (owned.owner, owned.reason) for n, owned in told.items()}
        for number in sorted(n for n in before.keys() | after.keys() if before.get(n) != after.get(n)):
            self._db.execute("DELETE FROM publisher_owner WHERE publisher_id = ? AND known_from = ?", (number, known_from))
            if number in after:
                self._db.execute("INSERT INTO publisher_owner VALUES (?, ?, ?, ?)", (number, known_from, *after[number]))
            if known_from == "behaviour":
                self._db.execute("UPDATE publisher SET house = ? WHERE id = ?", (after.get(number, (None,))[0], number))
            else:
                self._publishers.choose_owner(number)
                self._db.execute("INSERT OR IGNORE INTO stale VALUES ('houses')")
