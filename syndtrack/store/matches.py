"""Fingerprints and verified pairs in the store."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from sys import maxsize
from typing import Any

from syndtrack.matching.fingerprint import Fingerprint, Parameters
from syndtrack.models import Match
from syndtrack.words import folded_words

CHUNK = 500


@dataclass(frozen=True, slots=True)
class Stated:
    """What all revisions of an article say that may point at another one: headlines (folded words, one space apart), the publishers that
    credits of text name, and the articles that are linked to.
    """

    article_id: int
    publisher_id: int
    titles: frozenset[str]
    credited: frozenset[int]
    linked: frozenset[int]


class Matches:
    """Tables `parameters`, `fingerprint` and `match`; every method runs inside the caller's transaction."""

    def __init__(self, connection: Any) -> None:
        self._db = connection

    # -- fingerprints

    def save_fingerprints(self, fingerprints: Iterable[tuple[int, Fingerprint | None]]) -> None:
        """Replace the fingerprints of revisions; None takes one away. Each gets the next number of one sequence, which indexes follow."""
        each = list(fingerprints)
        self._db.executemany("DELETE FROM fingerprint WHERE revision_id = ?", [(r,) for r, _ in each])
        kept = [(r, f) for r, f in each if f is not None]
        ids = {p: self._parameters_id(p) for p in {f.parameters for _, f in kept}}
        self._db.executemany(
            "INSERT INTO fingerprint (revision_id, parameters_id, shingles, content) VALUES (?, ?, ?, ?)",
            [(r, ids[f.parameters], f.shingles, f.to_bytes()) for r, f in kept],
        )

    def renew(self, current: Parameters) -> int:
        """Revisions with fingerprints of other parameters lose them and are cleaned again: how many. So are those judged too short."""
        now = self._parameters_id(current)
        others = [row[0] for row in self._db.execute("SELECT id FROM parameters WHERE id <> ?", (now,))]
        if not others:
            return 0
        put_back = self._db.execute(
            "UPDATE revision SET step = 'read' WHERE step <> 'read' "
            "AND id NOT IN (SELECT revision_id FROM fingerprint WHERE parameters_id = ?)",
            (now,),
        )
        listed = json.dumps(others)
        self._db.execute("DELETE FROM fingerprint WHERE parameters_id IN (SELECT value FROM json_each(?))", (listed,))
        self._db.execute("DELETE FROM parameters WHERE id IN (SELECT value FROM json_each(?))", (listed,))
        return int(put_back.rowcount)

    def _parameters_id(self, parameters: Parameters) -> int:
        """The row of a set of fingerprint parameters."""
        text = json.dumps(asdict(parameters))
        self._db.execute("INSERT OR IGNORE INTO parameters (json) VALUES (?)", (text,))
        return int(self._db.execute("SELECT id FROM parameters WHERE json = ?", (text,)).fetchone()[0])

    def fingerprints_since(self, sequence: int) -> list[tuple[int, bytes, str, int]]:
        """Fingerprints written after a number of the sequence: revision, bytes, when the revision was first seen, number."""
        rows = self._db.execute(
            "SELECT f.revision_id, f.content, r.first_seen, f.sequence FROM fingerprint f JOIN revision r ON r.id = f.revision_id "
            "WHERE f.sequence > ? ORDER BY f.sequence",
            (sequence,),
        )
        return list(rows.fetchall())

    def signatures(self) -> Iterator[tuple[str, str, str, str, bytes]]:
        """Every fingerprint: its article's address and publisher, the revision's title and first sight, the bytes."""
        rows: Iterator[tuple[str, str, str, str, bytes]] = self._db.execute(
            "SELECT a.url, p.name, r.title, r.first_seen, f.content FROM fingerprint f JOIN revision r ON r.id = f.revision_id "
            "JOIN article a ON a.id = r.article_id JOIN publisher p ON p.id = a.publisher_id ORDER BY f.revision_id"
        )
        return rows

    # -- pairs

    def uncompared(self, limit: int, among: Collection[int] | None) -> list[int]:
        """Articles (among these only) with a revision that is cleaned and still to be compared, in the order of their ids."""
        if among is None:
            query = "SELECT DISTINCT article_id FROM revision INDEXED BY revision_uncompared WHERE step = 'cleaned' ORDER BY 1 LIMIT ?1"
        else:
            within = "article_id IN (SELECT value FROM json_each(?2))"
            query = f"SELECT DISTINCT article_id FROM revision WHERE step = 'cleaned' AND {within} ORDER BY 1 LIMIT ?1"
        return [row[0] for row in self._db.execute(query, (limit, *(() if among is None else (json.dumps(sorted(among)),))))]

    def uncompare(self, revisions: Iterable[int]) -> None:
        """Revisions whose candidates changed are to be compared again."""
        self._db.executemany("UPDATE revision SET step = 'cleaned' WHERE id = ? AND step = 'matched'", [(r,) for r in revisions])

    def revisions_of(self, articles: Sequence[int]) -> dict[int, list[int]]:
        """The revisions of articles that can be judged."""
        found: dict[int, list[int]] = {a: [] for a in articles}
        for article, revision in self._db.execute(
            "SELECT article_id, id FROM revision WHERE judgement = 'ok' AND article_id IN (SELECT value FROM json_each(?)) ORDER BY id",
            (json.dumps(articles),),
        ):
            found[article].append(revision)
        return found

    def fingerprints_of(self, revisions: Iterable[int]) -> dict[int, bytes]:
        """Stored fingerprints by revision."""
        rows = self._db.execute(
            "SELECT revision_id, content FROM fingerprint WHERE revision_id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(revisions)),),
        )
        return dict(rows.fetchall())

    def articles_of(self, revisions: Iterable[int]) -> dict[int, int]:
        """Revision to article, for those that still exist and can be judged."""
        rows = self._db.execute(
            "SELECT id, article_id FROM revision WHERE judgement = 'ok' AND id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(revisions)),),
        )
        return dict(rows.fetchall())

    def stated(self, articles: Iterable[int]) -> dict[int, Stated]:
        """What articles say that may point at others."""
        listed = json.dumps(sorted(articles))
        within = "r.article_id IN (SELECT value FROM json_each(?))"
        titles: dict[int, set[str]] = defaultdict(set)
        for article, title in self._db.execute(f"SELECT r.article_id, r.title FROM revision r WHERE {within}", (listed,)):
            titles[article].add(folded_words(title or ""))
        credited: dict[int, set[int]] = defaultdict(set)
        for article, publisher_id in self._db.execute(
            "SELECT r.article_id, c.publisher_id FROM revision r JOIN credit c ON c.revision_id = r.id "
            f"WHERE {within} AND c.kind IN ('republication', 'wire') AND c.publisher_id IS NOT NULL",
            (listed,),
        ):
            credited[article].add(publisher_id)
        linked: dict[int, set[int]] = defaultdict(set)
        for article, target in self._db.execute(
            "SELECT r.article_id, t.article_id FROM revision r JOIN link k ON k.revision_id = r.id JOIN address t ON t.key = k.key "
            f"WHERE {within}",
            (listed,),
        ):
            linked[article].add(target)
        return {
            a: Stated(a, p, frozenset(titles[a]), frozenset(credited[a]), frozenset(linked[a]))
            for a, p in self._db.execute("SELECT id, publisher_id FROM article WHERE id IN (SELECT value FROM json_each(?))", (listed,))
        }

    def clear(self, articles: Sequence[int]) -> None:
        """Forget the pairs of some articles; whoever loses one is to be traced again."""
        listed = json.dumps(list(articles))
        for mine, other in (("a", "b"), ("b", "a")):
            self._db.execute(
                f"UPDATE article SET traced = 0 WHERE id IN (SELECT {other} FROM match WHERE {mine} IN (SELECT value FROM json_each(?)))",
                (listed,),
            )
            self._db.execute(f"DELETE FROM match WHERE {mine} IN (SELECT value FROM json_each(?))", (listed,))

    def save(self, articles: Sequence[int], found: Iterable[tuple[int, int, int, int, Match]]) -> None:
        """Pairs found for some articles, which then count as compared: (a, b, a's revision, b's revision, match) with a < b."""
        rows = [(a, b, ra, rb, m.resemblance, m.a_in_b, m.b_in_a, m.shared_words, m.kind) for a, b, ra, rb, m in found]
        self._db.executemany("INSERT OR REPLACE INTO match VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        touched = {*articles, *(r[0] for r in rows), *(r[1] for r in rows)}
        self._db.execute("UPDATE article SET traced = 0 WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(list(touched)),))
        self._db.execute(
            "UPDATE revision SET step = 'matched' WHERE step = 'cleaned' AND article_id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(articles)),),
        )

    def among(self, articles: Iterable[int]) -> dict[tuple[int, int], Match]:
        """Every pair within a set of articles."""
        listed = json.dumps(list(articles))
        rows = self._db.execute(
            "SELECT a, b, resemblance, a_in_b, b_in_a, shared_words, kind FROM match "
            "WHERE a IN (SELECT value FROM json_each(?1)) AND b IN (SELECT value FROM json_each(?1))",
            (listed,),
        )
        return {(a, b): Match(r, x, y, n, kind) for a, b, r, x, y, n, kind in rows}

    def component(self, article_id: int, enough: int = maxsize) -> set[int]:
        """All articles that pairs join to one, itself included; of more than are `enough` only some more."""
        found, frontier = {article_id}, [article_id]
        while frontier and len(found) <= enough:
            part, frontier = frontier[:CHUNK], frontier[CHUNK:]
            listed = json.dumps(part)
            rows = self._db.execute(
                "SELECT b FROM match WHERE a IN (SELECT value FROM json_each(?1)) "
                "UNION SELECT a FROM match WHERE b IN (SELECT value FROM json_each(?1))",
                (listed,),
            )
            new = {row[0] for row in rows} - found
            found |= new
            frontier += sorted(new)
        return found
