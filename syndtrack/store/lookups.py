"""Look-ups: every query that reports, pages and exports are made of. Rows are dictionaries, in an order that the data alone decide."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import regex
from sqlite_utils import Database

from syndtrack.store.history import History
from syndtrack.store.publishers import Publishers
from syndtrack.store.verdicts import Kept, VerdictTable
from syndtrack.urls import article_key, is_http, shown

Row = dict[str, Any]

UNSPACED = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]")
"""A character of a script that is written without spaces: to the full-text index a whole clause of it is one word."""

MATCHES = """
    SELECT x.url AS a, y.url AS b, round(m.resemblance, 4) AS resemblance, round(m.a_in_b, 4) AS a_in_b, round(m.b_in_a, 4) AS b_in_a,
           m.shared_words, m.kind,
           x.publisher_id = y.publisher_id AS same_publisher,
           coalesce(coalesce(p.owner, p.house) = coalesce(q.owner, q.house), 0) AS same_owner,
           (x.first_seen, x.url) > (y.first_seen, y.url) AS swapped
    FROM match m JOIN article x ON x.id = m.a JOIN article y ON y.id = m.b
    JOIN publisher p ON p.id = x.publisher_id JOIN publisher q ON q.id = y.publisher_id
    ORDER BY min(x.first_seen, y.first_seen), min(x.url, y.url), max(x.url, y.url)"""

EDGES = """
    SELECT e.id, c.url AS copy, s.url AS source, coalesce(sp.name, up.name) AS source_publisher,
           e.source_id IS NOT NULL AS observed, e.kind,
           round(e.confidence, 3) AS confidence, e.credited, ct.name AS credited_to, e.verdict
    FROM edge e JOIN article c ON c.id = e.copy_id
    LEFT JOIN article s ON s.id = e.source_id LEFT JOIN publisher sp ON sp.id = s.publisher_id
    LEFT JOIN publisher up ON up.id = e.source_publisher_id LEFT JOIN publisher ct ON ct.id = e.credited_to_id"""

# What two versions share against the others is reported as overlap: the kinds of evidence are fixed.
EVIDENCE = """
    SELECT CASE kind WHEN 'innovation' THEN 'overlap' ELSE kind END AS kind, text, "start", "end", round(weight, 3) AS weight
    FROM evidence WHERE edge_id = ? ORDER BY id"""

NODE = """
    SELECT a.id, a.url, p.name AS publisher, a.title, a.published, a.first_seen, a.revision_id, a.story_id
    FROM article a JOIN publisher p ON p.id = a.publisher_id"""

FEEDS = """
    SELECT f.url, f.title, (SELECT count(*) FROM sighting g WHERE g.feed_id = f.id) AS entries, f.last_polled, f.next_check, f.failures,
           coalesce(l.outcome, 'not polled yet') AS outcome, l.status, l.reason, l.why, f.interval, l.grade,
           (SELECT coalesce(sum(gap), 0) FROM poll WHERE feed_id = f.id) AS gaps
    FROM feed f LEFT JOIN poll l ON l.id = (SELECT max(id) FROM poll WHERE feed_id = f.id)
    ORDER BY f.id"""

STORIES = """
    SELECT s.title, s.articles, s.publishers, s.independent_origins, s.first_seen, a.url, s.alarm
    FROM story s JOIN article a ON a.id = s.id ORDER BY s.articles DESC, s.first_seen, a.url"""

# Of every pair of publishers: copies, how many of them credited, the middle lag, the shares of what one printed and the other copied.
PUBLISHERS = """
    WITH copies AS (
        SELECT coalesce(s.publisher_id, e.source_publisher_id) AS source_id, c.publisher_id AS copy_id, e.credited, c.id AS article,
               unixepoch(c.first_seen) - unixepoch(s.first_seen) AS lag, e.source_id AS of_article
        FROM edge e JOIN article c ON c.id = e.copy_id LEFT JOIN article s ON s.id = e.source_id {which}
    ), placed AS (
        SELECT source_id, copy_id, lag, row_number() OVER (PARTITION BY source_id, copy_id ORDER BY lag) AS place,
               count(*) OVER (PARTITION BY source_id, copy_id) AS number FROM copies WHERE lag IS NOT NULL
    ), middle AS (
        SELECT source_id, copy_id, lag FROM placed WHERE place = (number + 1) / 2
    ), printed AS (
        SELECT publisher_id, count(*) AS number FROM article GROUP BY publisher_id
    )
    SELECT sp.name AS source_publisher, cp.name AS copy_publisher, count(*) AS copies, count(*) AS edges,
           coalesce(coalesce(sp.owner, sp.house) = coalesce(cp.owner, cp.house), 0) AS same_owner,
           round(avg(k.credited), 3) AS credited_share,
           m.lag AS median_lag_seconds,
           round(1.0 * count(DISTINCT k.of_article) / a.number, 3) AS share_of_source_reused,
           round(1.0 * count(DISTINCT k.article) / b.number, 3) AS share_of_copier_from_source
    FROM copies k JOIN publisher sp ON sp.id = k.source_id JOIN publisher cp ON cp.id = k.copy_id
    LEFT JOIN middle m ON m.source_id = k.source_id AND m.copy_id = k.copy_id
    LEFT JOIN printed a ON a.publisher_id = k.source_id LEFT JOIN printed b ON b.publisher_id = k.copy_id
    GROUP BY k.source_id, k.copy_id ORDER BY copies DESC, source_publisher, copy_publisher"""

# The edges from or to one publisher, each sought by an index.
OF_ONE = """
    WHERE e.id IN (
        SELECT x.id FROM article a JOIN edge x ON x.copy_id = a.id WHERE a.publisher_id = ?1
        UNION SELECT x.id FROM article a JOIN edge x ON x.source_id = a.id WHERE a.publisher_id = ?1
        UNION SELECT x.id FROM edge x WHERE x.source_publisher_id = ?1
    )"""


class Lookups:
    """Read-only questions to a store's database."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.history = History(db)

    def matches(self) -> Iterator[Row]:
        """Every verified pair, `a` the one seen first."""
        for row in self._db.query(MATCHES):
            if row.pop("swapped"):
                row["a"], row["b"], row["a_in_b"], row["b_in_a"] = row["b"], row["a"], row["b_in_a"], row["a_in_b"]
            yield row | {name: bool(row[name]) for name in ("same_publisher", "same_owner")}

    def edges(self, copies: Iterable[int] | None = None, sources: Iterable[int] | None = None) -> Iterator[Row]:
        """Edges with their evidence: all, or those of some copies or some sources (article ids)."""
        condition, order = "", " ORDER BY c.first_seen, c.url, e.confidence DESC, s.url, source_publisher"
        parameters: tuple[str, ...] = ()
        for column, ids in (("copy_id", copies), ("source_id", sources)):
            if ids is not None:
                condition, parameters = f" WHERE e.{column} IN (SELECT value FROM json_each(?))", (json.dumps(sorted(ids)),)
        for row in self._db.query(EDGES + condition + order, parameters):
            number = row.pop("id")
            row["evidence"] = list(self._db.query(EVIDENCE, (number,)))
            yield row | {"observed": bool(row["observed"]), "credited": bool(row["credited"])}

    def duplicates(self, limit: int | None = None) -> Iterator[Row]:
        """Copies with an observed source, newest first."""
        query = "SELECT * FROM duplicates ORDER BY copy_first_seen DESC, copy, source LIMIT ?"
        for row in self._db.query(query, (-1 if limit is None else limit,)):
            yield row | {"credited": bool(row["credited"])}

    def publishers(self, number: int | None = None) -> Iterator[Row]:
        """Who copies whom: all of them, or one publisher (its id) with those that it copies and that copy it."""
        which, values = ("", ()) if number is None else (OF_ONE, (number,))
        for row in self._db.query(PUBLISHERS.format(which=which), values):
            yield row | {"same_owner": bool(row["same_owner"])}

    def stories(self) -> Iterator[Row]:
        """Stories, the largest first."""
        yield from self._db.query(STORIES)

    def feeds(self) -> Iterator[Row]:
        """Subscriptions with their health; addresses as they may be shown, without login and secrets."""
        for row in self._db.query(FEEDS):
            yield row | {"url": shown(row["url"])}

    def refusals(self, limit: int = 100) -> Iterator[Row]:
        """What could not be used, the latest first."""
        yield from self._db.query("SELECT at, what, reason FROM refusal ORDER BY at DESC, id DESC LIMIT ?", (limit,))

    def verdicts(self) -> list[Kept]:
        """What persons said, the oldest first."""
        publishers = Publishers(self._db.conn)
        table = VerdictTable(self._db.conn, publishers)
        return table.all(publishers.registry()) if table.any() else []

    def counts(self) -> Row:
        """How much is stored."""
        tables = {
            "feeds": "feed",
            "articles": "article",
            "revisions": "revision",
            "pairs": "match",
            "edges": "edge",
            "stories": "story",
            "refusals": "refusal",
        }
        return {name: self._db.conn.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for name, table in tables.items()}

    def search(self, query: str, limit: int) -> list[Row]:
        """Current revisions that hold all words of the query, the best first.

        The full-text index knows words by what stands between them. A word of a script that is written without spaces is looked for in
        the texts themselves, as it is written: among the articles that hold the other words, or among all where there are no others.
        """
        words = query.replace("\0", " ").split()
        if not words:
            return []
        unspaced = [word for word in words if UNSPACED.search(word)]
        indexed = " ".join('"' + word.replace('"', '""') + '"' for word in words if word not in unspaced)
        # One parameter however many words there are: SQLite takes no expression deeper than 1,000.
        held = " AND NOT EXISTS (SELECT 1 FROM json_each(?) WHERE instr(r.text, value) + instr(coalesce(r.title, ''), value) = 0)"
        row = "SELECT a.url, p.name AS publisher, a.title, a.first_seen,"
        joined = "JOIN article a ON a.revision_id = r.id JOIN publisher p ON p.id = a.publisher_id"
        if indexed:
            return list(
                self._db.query(
                    f"{row} snippet(revision_fts, 1, '[', ']', ' … ', 16) AS passage FROM revision_fts f JOIN revision r ON r.id = f.rowid "
                    f"{joined} WHERE revision_fts MATCH ?{held} ORDER BY rank, a.url LIMIT ?",
                    (indexed, json.dumps(unspaced), limit),
                )
            )
        return list(
            self._db.query(
                f"{row} substr(r.text, max(1, instr(r.text, ?) - 20), 60) AS passage FROM revision r "
                f"{joined} WHERE 1{held} ORDER BY a.first_seen DESC, a.url LIMIT ?",
                (unspaced[0], json.dumps(unspaced), limit),
            )
        )

    def article_id(self, url: str) -> int | None:
        """The article behind an address, in whatever form."""
        if not is_http(url):
            return None
        row = self._db.conn.execute(
            "SELECT article_id FROM address WHERE url = ? UNION ALL SELECT article_id FROM address WHERE key = ? LIMIT 1",
            (url, article_key(url)),
        ).fetchone()
        return None if row is None else int(row[0])

    def node(self, article_id: int) -> Row:
        """An article as a link of a chain."""
        return next(self._db.query(NODE + " WHERE a.id = ?", (article_id,)))

    def best_edge(self, article_id: int) -> Row | None:
        """The edge that a chain follows: source and publisher ids with the confidence."""
        query = (
            "SELECT e.source_id, up.name AS source_publisher, e.confidence FROM best_edge b JOIN edge e ON e.id = b.edge_id "
            "LEFT JOIN publisher up ON up.id = e.source_publisher_id WHERE b.copy_id = ?"
        )
        return next(self._db.query(query, (article_id,)), None)

    def undecided(self, article_id: int) -> list[Row]:
        """The likeliest answers of an article left undecided: an article, a publisher known by name only, or neither: no source at all."""
        query = (
            "SELECT s.url AS source, coalesce(sp.name, up.name) AS publisher, round(u.probability, 3) AS probability "
            "FROM undecided u LEFT JOIN article s ON s.id = u.source_id LEFT JOIN publisher sp ON sp.id = s.publisher_id "
            "LEFT JOIN publisher up ON up.id = u.source_publisher_id WHERE u.article_id = ? ORDER BY u.place"
        )
        return list(self._db.query(query, (article_id,)))

    def story_articles(self, article_id: int) -> list[int]:
        """The articles of the story that one is in, the earliest first; one in no story is alone."""
        query = "SELECT id FROM article WHERE story_id = (SELECT story_id FROM article WHERE id = ?) ORDER BY first_seen, url"
        return [row[0] for row in self._db.conn.execute(query, (article_id,))] or [article_id]

    def revisions(self, article_id: int) -> list[Row]:
        """The texts that an article has had, the oldest first: when each was seen, its headline, and what identifies it."""
        query = (
            "SELECT first_seen, last_seen, title, text_hash FROM revision WHERE article_id = ? ORDER BY first_seen, last_seen, text_hash"
        )
        return list(self._db.query(query, (article_id,)))

    def copies_of(self, article_id: int) -> list[int]:
        """Articles that derive from one directly, the earliest first."""
        query = "SELECT e.copy_id FROM edge e JOIN article c ON c.id = e.copy_id WHERE e.source_id = ? ORDER BY c.first_seen, c.url"
        return [row[0] for row in self._db.conn.execute(query, (article_id,))]

    def text(self, revision_id: int) -> str:
        """A revision's text."""
        return str(self._db.conn.execute("SELECT text FROM revision WHERE id = ?", (revision_id,)).fetchone()[0])

    def length(self, articles: Sequence[int]) -> int:
        """How many characters all revisions of some articles have."""
        query = "SELECT coalesce(sum(length(text)), 0) FROM revision WHERE article_id IN (SELECT value FROM json_each(?))"
        return int(self._db.conn.execute(query, (json.dumps(articles),)).fetchone()[0])

    def credits(self, revision_id: int) -> list[Row]:
        """What a revision says of its sources."""
        query = (
            'SELECT c.kind, coalesce(p.name, c.name) AS publisher, c.url, c.text, c."start", c."end", c.field FROM credit c '
            'LEFT JOIN publisher p ON p.id = c.publisher_id WHERE c.revision_id = ? ORDER BY c."start" IS NULL, c."start", c.id'
        )
        return list(self._db.query(query, (revision_id,)))

    def removals(self, revision_id: int) -> list[Row]:
        """What cleaning cut from a revision."""
        text = self.text(revision_id)
        rows = self._db.query('SELECT rule, "start", "end" FROM removal WHERE revision_id = ? ORDER BY "start"', (revision_id,))
        return [{"rule": r["rule"], "text": text[r["start"] : r["end"]], "start": r["start"], "end": r["end"]} for r in rows]

    def waits(self, article_id: int) -> bool:
        """Whether an article is still to be traced, perhaps again."""
        return bool(self._db.conn.execute("SELECT traced = 0 FROM article WHERE id = ?", (article_id,)).fetchone()[0])

    def judgement(self, revision_id: int) -> str | None:
        """Whether a revision's text can be judged: `ok` or `too little text`."""
        row = self._db.conn.execute("SELECT judgement FROM revision WHERE id = ?", (revision_id,)).fetchone()
        return None if row is None else row[0]

    def independent_origins(self, story_id: int | None) -> int:
        """How many origins a story has; a lone article is its own."""
        if story_id is None:
            return 1
        return int(self._db.conn.execute("SELECT independent_origins FROM story WHERE id = ?", (story_id,)).fetchone()[0])
