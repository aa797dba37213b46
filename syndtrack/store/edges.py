"""Edges and stories in the store: what tracing needs to know, and what it found."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from syndtrack.models import Credit, Edge, Removal, ResolvedCredit, Version
from syndtrack.store.times import to_time, to_time_or_none
from syndtrack.urls import article_key, is_http

REVISIONS_LOOKED_AT = 5


@dataclass(frozen=True, slots=True)
class StoryRow:
    """A story to store: its articles, how many independent origins they have, and why it is to be looked at, if it is."""

    articles: frozenset[int]
    independent_origins: int
    alarm: str | None = None


# Of an article that is left undecided: its id, the place of the answer among its answers, source, publisher, probability.
Answer = tuple[int, int, int | None, int | None, float]


class Edges:
    """Tables `edge`, `evidence`, `undecided` and `story`; every method runs inside the caller's transaction."""

    def __init__(self, connection: Any) -> None:
        self._db = connection

    def untraced(self, limit: int, among: Collection[int] | None = None) -> list[int]:
        """Articles (among these only) whose story has changed since it was traced."""
        index, within = ("INDEXED BY article_untraced", "") if among is None else ("", "AND id IN (SELECT value FROM json_each(?2))")
        query = f"SELECT id FROM article {index} WHERE traced = 0 AND revision_id IS NOT NULL {within} ORDER BY id LIMIT ?1"
        return [row[0] for row in self._db.execute(query, (limit, *(() if among is None else (json.dumps(sorted(among)),))))]

    def versions(self, articles: Iterable[int]) -> list[Version]:
        """Articles as tracing looks at them."""
        ids = sorted(articles)
        listed = json.dumps(ids)
        within = "IN (SELECT value FROM json_each(?))"
        current = "SELECT revision_id FROM article WHERE id " + within
        texts: dict[int, list[str]] = defaultdict(list)
        for article, text in self._db.execute(
            f"SELECT r.article_id, r.text FROM revision r JOIN article a ON a.id = r.article_id WHERE r.article_id {within} "
            "ORDER BY r.article_id, r.id = a.revision_id DESC, r.last_seen DESC, r.text_hash",
            (listed,),
        ):
            texts[article].append(text)
        removals: dict[int, list[Removal]] = defaultdict(list)
        for revision, rule, start, end in self._db.execute(
            f'SELECT revision_id, rule, "start", "end" FROM removal WHERE revision_id IN ({current}) ORDER BY revision_id, "start"',
            (listed,),
        ):
            removals[revision].append(Removal(rule, start, end))
        credits: dict[int, list[ResolvedCredit]] = defaultdict(list)
        for revision, kind, publisher_id, text, name, url, start, end, field in self._db.execute(
            f'SELECT revision_id, kind, publisher_id, text, name, url, "start", "end", field FROM credit WHERE revision_id IN ({current}) '
            'ORDER BY revision_id, "start", "end", field, text',
            (listed,),
        ):
            credits[revision].append(ResolvedCredit(Credit(kind, text, name, url, start, end, field), publisher_id))
        linked = self._linked(listed, current)
        by_key = dict(self._db.execute(f"SELECT key, article_id FROM address WHERE article_id {within}", (listed,)).fetchall())
        habits = self._habits(listed)
        found = []
        for article, publisher_id, owner, kind, url, title, first_seen, published, canonical, revision in self._db.execute(
            "SELECT a.id, a.publisher_id, p.owner, p.kind, a.url, a.title, a.first_seen, a.published, a.canonical, a.revision_id "
            f"FROM article a JOIN publisher p ON p.id = a.publisher_id WHERE a.id {within} AND a.revision_id IS NOT NULL "
            "ORDER BY a.first_seen, a.url",
            (listed,),
        ):
            named = by_key.get(article_key(canonical)) if canonical and is_http(canonical) else None
            found.append(
                Version(
                    article, publisher_id, owner, kind == "agency", url, title, to_time(first_seen), to_time_or_none(published),
                    tuple(texts[article][:REVISIONS_LOOKED_AT]), tuple(removals[revision]), tuple(credits[revision]),
                    frozenset(linked[article]) - {article}, named if named != article else None, habits[publisher_id],
                )
            )  # fmt: skip
        return found

    def _habits(self, listed: str) -> dict[int, dict[int, int]]:
        """Whom the publishers of articles name as their sources as a rule, among those of the same articles."""
        habits: dict[int, dict[int, int]] = defaultdict(dict)
        publishers = "IN (SELECT publisher_id FROM article WHERE id IN (SELECT value FROM json_each(?1)))"
        for publisher_id, named_id, step in self._db.execute(
            f"SELECT publisher_id, named_id, step FROM habit WHERE step > 0 AND publisher_id {publishers} AND named_id {publishers}",
            (listed,),
        ):
            habits[publisher_id][named_id] = step
        return habits

    def _linked(self, listed: str, current: str) -> dict[int, set[int]]:
        """Which articles the bodies of articles link to."""
        linked: dict[int, set[int]] = defaultdict(set)
        for article, target in self._db.execute(
            "SELECT a.id, t.article_id FROM link k JOIN article a ON a.revision_id = k.revision_id JOIN address t ON t.key = k.key "
            f"WHERE k.revision_id IN ({current})",
            (listed,),
        ):
            linked[article].add(target)
        return linked

    def forgotten(self, articles: Sequence[int], links: Mapping[int, Iterable[int]]) -> None:
        """Some articles are about to be taken out: what pairs or `links` (confirmed pairs) join to them is to be traced again."""
        for article in articles:
            url = self._db.execute("SELECT url FROM article WHERE id = ?", (article,)).fetchone()[0]
            pairs = self._db.execute("SELECT b FROM match WHERE a = ?1 UNION SELECT a FROM match WHERE b = ?1", (article,))
            listed = json.dumps(sorted({*links.get(article, ()), *(row[0] for row in pairs)}))
            self._db.execute("UPDATE article SET traced = 0 WHERE id IN (SELECT value FROM json_each(?))", (listed,))
            self._db.execute("INSERT OR IGNORE INTO retrace SELECT value, 'forget', ? FROM json_each(?)", (url, listed))

    def forget(self, articles: Iterable[int]) -> None:
        """Forget the edges of some articles, which are to be traced again."""
        listed = json.dumps(sorted(articles))
        self._db.execute("DELETE FROM edge WHERE copy_id IN (SELECT value FROM json_each(?))", (listed,))
        self._db.execute("DELETE FROM undecided WHERE article_id IN (SELECT value FROM json_each(?))", (listed,))

    def clear(self, articles: Sequence[int]) -> None:
        """Forget the edges of some articles and every story that one of them is in."""
        self.forget(articles)
        listed = json.dumps(list(articles))
        stories = "SELECT story_id FROM article WHERE id IN (SELECT value FROM json_each(?)) AND story_id IS NOT NULL"
        old = json.dumps([row[0] for row in self._db.execute(stories, (listed,))])
        self._db.execute("UPDATE article SET story_id = NULL WHERE story_id IN (SELECT value FROM json_each(?))", (old,))
        self._db.execute("DELETE FROM story WHERE id IN (SELECT value FROM json_each(?))", (old,))

    def save(self, articles: Sequence[int], edges: Iterable[Edge], undecided: Iterable[Answer], stories: Iterable[StoryRow]) -> None:
        """Edges and stories of some articles, which then count as traced; `undecided` are the answers of those that are left undecided."""
        self._db.executemany("INSERT INTO undecided VALUES (?, ?, ?, ?, ?)", undecided)
        for edge in edges:
            edge_id = self._db.execute(
                "INSERT INTO edge (copy_id, source_id, source_publisher_id, kind, confidence, credited, credited_to_id, verdict) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
                (edge.copy, edge.source, edge.source_publisher, edge.kind, edge.confidence, int(edge.credited), edge.credited_to,
                 edge.verdict),
            ).fetchone()[0]  # fmt: skip
            self._db.executemany(
                'INSERT INTO evidence (edge_id, kind, text, weight, "start", "end") VALUES (?, ?, ?, ?, ?, ?)',
                [(edge_id, e.kind, e.text, e.weight, e.start, e.end) for e in edge.evidence],
            )
        for story in stories:
            self._save_story(story)
        self._db.execute("UPDATE article SET traced = 1 WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(list(articles)),))

    def _save_story(self, story: StoryRow) -> None:
        """A story goes by its first article."""
        listed = json.dumps(sorted(story.articles))
        rows = self._db.execute(
            "SELECT id, first_seen, title FROM article WHERE id IN (SELECT value FROM json_each(?)) ORDER BY first_seen, url", (listed,)
        ).fetchall()
        publishers = self._db.execute(
            "SELECT count(DISTINCT publisher_id) FROM article WHERE id IN (SELECT value FROM json_each(?))", (listed,)
        ).fetchone()[0]
        story_id, first_seen, title = rows[0]
        self._db.execute(
            "INSERT OR REPLACE INTO story VALUES (?, ?, ?, ?, ?, ?, ?)",
            (story_id, len(rows), publishers, story.independent_origins, first_seen, title, story.alarm),
        )
        self._db.execute("UPDATE article SET story_id = ? WHERE id IN (SELECT value FROM json_each(?))", (story_id, listed))
