"""Lines that publishers repeat: the counts from which furniture is learned.

Counts are per publisher: how many of its articles hold the line in their current text. They go up and down with the articles, so what
counts as furniture depends on what is stored, not on the order in which it came.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from syndtrack.reading.furniture import is_furniture, keyed_lines, line_keys


class Lines:
    """Tables `publisher_line` and `furniture`; every method runs inside the caller's transaction."""

    def __init__(self, connection: Any) -> None:
        self._db = connection

    def count(self, changes: list[tuple[int, str | None, str | None]]) -> None:
        """Count the lines of texts that became current and take back those that no longer are: (publisher, new text, old text)."""
        delta: Counter[tuple[int, int]] = Counter()
        for publisher_id, current, left in changes:
            for key in line_keys(current) if current else ():
                delta[publisher_id, key] += 1
            for key in line_keys(left) if left else ():
                delta[publisher_id, key] -= 1
        self._db.executemany(
            "INSERT INTO publisher_line VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET articles = articles + excluded.articles",
            sorted((p, k, n) for (p, k), n in delta.items() if n),
        )
        self._db.executemany("UPDATE publisher SET lines_changed = 1 WHERE id = ?", sorted({(p,) for p, _ in delta}))
        gone = [(p, k) for (p, k), n in delta.items() if n < 0]
        self._db.executemany("DELETE FROM publisher_line WHERE publisher_id = ? AND line_key = ? AND articles <= 0", gone)

    def unlearned(self) -> list[int]:
        """Publishers whose lines were counted since their furniture was last looked at."""
        return [row[0] for row in self._db.execute("SELECT id FROM publisher WHERE lines_changed = 1 ORDER BY id")]

    def articles(self, publisher_id: int) -> int:
        """How many articles a publisher has; learning its furniture may look through the texts of all."""
        count = self._db.execute("SELECT count(*) FROM article WHERE publisher_id = ? AND revision_id IS NOT NULL", (publisher_id,))
        return int(count.fetchone()[0])

    def learn(self, publisher_id: int) -> int:
        """Bring a publisher's furniture up to date. Revisions that hold a line whose verdict changed are to be cleaned again: how many."""
        self._db.execute("UPDATE publisher SET lines_changed = 0 WHERE id = ?", (publisher_id,))
        articles = self.articles(publisher_id)
        repeated = self._db.execute(
            "SELECT line_key, articles FROM publisher_line WHERE publisher_id = ? AND articles > 1", (publisher_id,)
        )
        wanted = {key for key, pages in repeated if is_furniture(pages, articles)}
        changed = wanted ^ self.furniture(publisher_id)
        if not changed:
            return 0
        again: list[tuple[int]] = []
        seen: dict[int, str] = {}
        rows = self._db.execute(
            "SELECT r.id, r.text FROM revision r JOIN article a ON a.id = r.article_id WHERE a.publisher_id = ?", (publisher_id,)
        )
        for revision_id, text in rows:
            held = line_keys(text) & changed
            if held:
                again.append((revision_id,))
                if not held <= seen.keys():
                    seen.update({key: line for key, line in keyed_lines(text).items() if key in held})
        self._db.executemany("UPDATE revision SET step = 'read' WHERE id = ?", again)
        self._db.executemany("DELETE FROM furniture WHERE publisher_id = ? AND line_key = ?", [(publisher_id, k) for k in changed - wanted])
        self._db.executemany(
            "INSERT INTO furniture VALUES (?, ?, ?)", [(publisher_id, k, seen.get(k, "").strip()) for k in sorted(changed & wanted)]
        )
        return len(again)

    def furniture(self, publisher_id: int) -> frozenset[int]:
        """Keys of the lines that are furniture of a publisher."""
        return frozenset(row[0] for row in self._db.execute("SELECT line_key FROM furniture WHERE publisher_id = ?", (publisher_id,)))
