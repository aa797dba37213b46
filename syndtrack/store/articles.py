"""Articles in the store: one article behind its addresses, its revisions, what it says of its sources."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from syndtrack.models import Credit, Reading, Removal
from syndtrack.reading.cleaning import clean
from syndtrack.store.times import to_text, to_text_or_none
from syndtrack.urls import article_key

# Shorter texts may be alike by chance ("Page not found"), so they do not make two addresses one article.
MIN_SAME_TEXT = 400


@dataclass(frozen=True, slots=True)
class Recorded:
    """What recording an article came to.

    `current`: the text that is current now where it was not; `left`: those that no longer are, each with its publisher.
    """

    article_id: int
    publisher_id: int
    is_new: bool
    is_new_revision: bool
    current: tuple[str, ...] = ()
    left: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Joined:
    """Articles that became one: the texts that are current now and those that no longer are, each with its publisher; revisions gone."""

    current: tuple[tuple[int, str], ...]
    left: tuple[tuple[int, str], ...]
    gone: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class UncleanedRevision:
    """A revision whose removals and fingerprint are still to be made."""

    revision_id: int
    article_id: int
    publisher_id: int
    text: str
    credits: tuple[Credit, ...]


def text_hash(text: str) -> str:
    """Equal for texts that differ in white space only; 128 bits as hex."""
    return hashlib.blake2b(" ".join(text.split()).encode("utf-8", "replace"), digest_size=16).hexdigest()


def _tells_an_article(text: str) -> bool:
    """Whether a text can show that two addresses are one article. Walls, which a site puts before all its articles, are boxes mostly."""
    return len(text) >= MIN_SAME_TEXT and 2 * sum(r.end - r.start for r in clean(text, ())) < len(text)


def _root(one_of: Mapping[int, int], article: int) -> int:
    """The end of the way from an article to the one it is joined to."""
    while article in one_of:
        article = one_of[article]
    return article


class Articles:
    """Tables `article`, `address`, `revision`, `credit`, `link`, `removal`; every method runs inside the caller's transaction."""

    def __init__(self, connection: Any) -> None:
        self._db = connection

    def record(
        self, url: str, publisher_id: int, seen: datetime, reading: Reading, credits: Sequence[tuple[Credit, int | None, str | None]]
    ) -> Recorded:
        """Take in one reading of an article. `credits` come with the publisher they resolve to and the key of their name.

        The outcome does not depend on the order of calls; the same call twice changes nothing.
        """
        key, at, hashed = article_key(url), to_text(seen), text_hash(reading.text)
        found = self._find(url, key, publisher_id, hashed, reading.text)
        article_id = found[0] if found else self._insert(url, key, publisher_id, at, reading)
        left = [self._current(other) for other in found]  # before they are joined
        for other in found[1:]:
            self._join(other, article_id)
        self._add_address(article_id, url, key, at, reading)
        row = self._db.execute("SELECT id FROM revision WHERE article_id = ? AND text_hash = ?", (article_id, hashed)).fetchone()
        if row is None:
            self._insert_revision(article_id, at, reading, hashed, credits)
        else:
            self._see_again(int(row[0]), at, reading, credits)
        current = [self._choose_current(article_id)]
        owner = int(self._db.execute("SELECT publisher_id FROM article WHERE id = ?", (article_id,)).fetchone()[0])
        if [(owner, text) for text in current] == left:
            current, left = [], []
        return Recorded(article_id, owner, not found, row is None, tuple(current), tuple(left))

    def _see_again(self, revision_id: int, at: str, reading: Reading, credits: Sequence[tuple[Credit, int | None, str | None]]) -> None:
        """A text seen before. What other sightings of it add does not depend on which came first: the shortest headline, all statements."""
        before = self._points_at(revision_id)
        # an earlier first sight ranks it anew among candidates, so its fingerprint is made again
        self._db.execute(
            "UPDATE revision SET first_seen = min(first_seen, ?1), last_seen = max(last_seen, ?1), "
            "step = CASE WHEN first_seen > ?1 THEN 'read' ELSE step END, "
            "title = CASE WHEN ?2 <> '' AND (title = '' OR (length(?2), ?2) < (length(title), title)) THEN ?2 ELSE title END WHERE id = ?3",
            (at, reading.title, revision_id),
        )
        query = "SELECT kind, text, name, url, field FROM credit WHERE revision_id = ? AND start IS NULL"
        stated = set(self._db.execute(query, (revision_id,)))
        added = [x for x in credits if x[0].start is None and (x[0].kind, x[0].text, x[0].name, x[0].url, x[0].field) not in stated]
        self._insert_statements(revision_id, added, reading)
        if added or self._points_at(revision_id) != before:
            self._db.execute("UPDATE article SET traced = 0 WHERE revision_id = ?", (revision_id,))
            # of two articles one of which points at the other, less in common is a match
            self._db.execute("UPDATE revision SET step = 'cleaned' WHERE id = ? AND step = 'matched'", (revision_id,))

    def _points_at(self, revision_id: int) -> tuple[str, int]:
        """What of a revision, beside its credits, may point at other articles: its headline and its links, by their number."""
        query = "SELECT title, (SELECT count(*) FROM link WHERE revision_id = ?1) FROM revision WHERE id = ?1"
        title, links = self._db.execute(query, (revision_id,)).fetchone()
        return title, links

    def _find(self, url: str, key: str, publisher_id: int, hashed: str, text: str) -> list[int]:
        """The articles behind an address: seen there before, the same address in another form, the publisher's same text elsewhere.

        If there are several, what is recorded now shows that they are one.
        """
        rows = self._db.execute(
            "SELECT article_id FROM address WHERE url = ? UNION SELECT article_id FROM address WHERE key = ?", (url, key)
        )
        found = {int(row[0]) for row in rows}
        rows = self._db.execute(
            "SELECT r.article_id FROM revision r JOIN article a ON a.id = r.article_id WHERE r.text_hash = ? AND a.publisher_id = ?",
            (hashed, publisher_id),
        )
        same = {int(row[0]) for row in rows} - found
        return sorted(found | same if same and _tells_an_article(text) else found)

    def _join(self, loser: int, winner: int) -> None:
        """Make two articles one: addresses, sightings and revisions go over; what the loser touched is compared and traced again."""
        self._db.execute(
            "UPDATE article SET traced = 0 WHERE id = ?1 OR id IN (SELECT copy_id FROM edge WHERE source_id = ?2) "
            "OR id IN (SELECT a FROM match WHERE b = ?2 UNION SELECT b FROM match WHERE a = ?2)",
            (winner, loser),
        )
        story = self._db.execute("SELECT story_id FROM article WHERE id = ?", (loser,)).fetchone()[0]
        self._db.execute("UPDATE article SET story_id = NULL, traced = 0 WHERE story_id = ?", (story,))
        self._db.execute("DELETE FROM story WHERE id = ?", (story,))
        self._db.execute("UPDATE address SET article_id = ? WHERE article_id = ?", (winner, loser))
        self._db.execute("UPDATE sighting SET article_id = ? WHERE article_id = ?", (winner, loser))
        self._db.execute("UPDATE history SET article_id = ? WHERE article_id = ?", (winner, loser))
        self._db.execute("UPDATE article SET revision_id = NULL WHERE id = ?", (loser,))
        self._db.execute("DELETE FROM match WHERE a = ?1 OR b = ?1", (loser,))
        for revision_id, hashed, first_seen, last_seen in self._db.execute(
            "SELECT id, text_hash, first_seen, last_seen FROM revision WHERE article_id = ?", (loser,)
        ).fetchall():
            same = self._db.execute(
                "UPDATE revision SET first_seen = min(first_seen, ?), last_seen = max(last_seen, ?), step = 'read' "
                "WHERE article_id = ? AND text_hash = ? RETURNING id",
                (first_seen, last_seen, winner, hashed),
            ).fetchone()
            if same is None:
                self._db.execute("UPDATE revision SET article_id = ?, step = 'read' WHERE id = ?", (winner, revision_id))
            else:
                self._take_statements(revision_id, int(same[0]))
        self._db.execute(
            "UPDATE article SET published = min(coalesce(published, l), coalesce(l, published)) "
            "FROM (SELECT published AS l FROM article WHERE id = ?) WHERE id = ?",
            (loser, winner),
        )
        self._db.execute("DELETE FROM article WHERE id = ?", (loser,))

    def _take_statements(self, loser: int, winner: int) -> None:
        """What one revision states beside its text goes over to another of the same text, as if that had been sighted with both."""
        self._db.execute(
            'INSERT INTO credit (revision_id, kind, publisher_id, text, name, name_key, url, "start", "end", field) '
            "SELECT ?2, kind, publisher_id, text, name, name_key, url, NULL, NULL, field FROM credit k WHERE revision_id = ?1 "
            'AND "start" IS NULL AND NOT EXISTS (SELECT 1 FROM credit o WHERE o.revision_id = ?2 AND o."start" IS NULL '
            "AND (o.kind, o.text, o.name, o.url, o.field) IS (k.kind, k.text, k.name, k.url, k.field)) ORDER BY id",
            (loser, winner),
        )
        self._db.execute("INSERT OR IGNORE INTO link SELECT ?, url, key, anchor FROM link WHERE revision_id = ?", (winner, loser))
        self._db.execute(
            "UPDATE revision SET title = l FROM (SELECT title AS l FROM revision WHERE id = ?) "
            "WHERE id = ? AND l <> '' AND (title = '' OR (length(l), l) < (length(title), title))",
            (loser, winner),
        )

    def join_same(self, publisher_id: int) -> Joined:
        """Make articles of a publisher one that have shown the same text: those that were another publisher's until a merge."""
        held: dict[str, list[int]] = {}
        for hashed, article_id in self._db.execute(
            "SELECT DISTINCT r.text_hash, r.article_id FROM revision r JOIN article a ON a.id = r.article_id "
            "WHERE a.publisher_id = ? AND length(r.text) >= ? ORDER BY r.article_id",
            (publisher_id, MIN_SAME_TEXT),
        ):
            held.setdefault(hashed, []).append(article_id)
        held = {h: articles for h, articles in held.items() if len(articles) > 1 and _tells_an_article(self._text_of(h))}
        one_of: dict[int, int] = {}  # article -> the one it is joined to
        for first, *others in held.values():
            roots = {_root(one_of, a) for a in (first, *others)}
            one_of.update(dict.fromkeys(sorted(roots)[1:], min(roots)))
        groups: dict[int, list[int]] = {}
        for loser in sorted(one_of):
            groups.setdefault(_root(one_of, loser), []).append(loser)
        return self._join_groups(groups)

    def _text_of(self, hashed: str) -> str:
        """A text with this hash."""
        return str(self._db.execute("SELECT text FROM revision WHERE text_hash = ? LIMIT 1", (hashed,)).fetchone()[0])

    def _join_groups(self, groups: Mapping[int, Sequence[int]]) -> Joined:
        """The same, for articles with those to be joined to each."""
        current, left, gone = [], [], list[int]()
        for winner, losers in groups.items():
            members = json.dumps([winner, *losers])
            before = self._revisions_among(members)
            left += [self._current(a) for a in (winner, *losers)]
            for loser in losers:
                self._join(loser, winner)
            self._go_by_first_address(winner)
            self._choose_current(winner)
            current.append(self._current(winner))
            gone += sorted(before - self._revisions_among(members))
        return Joined(tuple(current), tuple(left), tuple(gone))

    def _revisions_among(self, articles: str) -> set[int]:
        """The revisions of some articles, whose ids come as a JSON list."""
        return {
            row[0] for row in self._db.execute("SELECT id FROM revision WHERE article_id IN (SELECT value FROM json_each(?))", (articles,))
        }

    def _insert(self, url: str, key: str, publisher_id: int, at: str, reading: Reading) -> int:
        """A new article without a revision yet."""
        row = self._db.execute(
            "INSERT INTO article (key, url, publisher_id, title, published, first_seen) VALUES (?, ?, ?, ?, ?, ?) RETURNING id",
            (key, url, publisher_id, reading.title, to_text_or_none(reading.published), at),
        ).fetchone()
        return int(row[0])

    def _add_address(self, article_id: int, url: str, key: str, at: str, reading: Reading) -> None:
        """One more way to the article. The article goes by the address seen first, the shorter of two seen at once."""
        self._db.execute(
            "INSERT INTO address (url, key, article_id, first_seen, canonical) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT DO UPDATE SET first_seen = min(first_seen, excluded.first_seen), redirects = 0, "
            "canonical = coalesce(min(canonical, excluded.canonical), canonical, excluded.canonical)",
            (url, key, article_id, at, reading.canonical),
        )
        # of two articles one of which links to the other, less in common is a match
        self._db.execute(
            "UPDATE revision SET step = 'cleaned' WHERE step = 'matched' AND id IN (SELECT revision_id FROM link WHERE key = ?)", (key,)
        )
        self._go_by_first_address(article_id)
        if reading.published is not None:
            claimed = to_text(reading.published)
            self._db.execute(
                "UPDATE article SET published = ?1, traced = 0 WHERE id = ?2 AND (published IS NULL OR published > ?1)",
                (claimed, article_id),
            )

    def _go_by_first_address(self, article_id: int) -> None:
        """An article goes by the address seen first, and by what the first of its addresses that gave one called canonical."""
        order = "ORDER BY redirects, first_seen, length(url), url LIMIT 1"
        first_url, first_seen, canonical = self._db.execute(
            f"SELECT url, first_seen, (SELECT canonical FROM address WHERE article_id = ?1 AND canonical IS NOT NULL {order}) "
            f"FROM address WHERE article_id = ?1 {order}",
            (article_id,),
        ).fetchone()
        self._db.execute(
            "UPDATE article SET url = ?2, first_seen = ?3, canonical = ?4, traced = 0 "
            "WHERE id = ?1 AND (url, first_seen, canonical) IS NOT (?2, ?3, ?4)",
            (article_id, first_url, first_seen, canonical),
        )

    def add_redirect(self, article_id: int, url: str, seen: datetime) -> None:
        """An address that was seen for an article and led on to where the article stands: a redirector or a feed's proxy."""
        self._db.execute(
            "INSERT INTO address (url, key, article_id, first_seen, redirects) VALUES (?, ?, ?, ?, 1) "
            "ON CONFLICT DO UPDATE SET first_seen = min(first_seen, excluded.first_seen) WHERE article_id = excluded.article_id",
            (url, article_key(url), article_id, to_text(seen)),
        )
        self._go_by_first_address(article_id)

    def _insert_revision(
        self, article_id: int, at: str, reading: Reading, hashed: str, credits: Sequence[tuple[Credit, int | None, str | None]]
    ) -> int:
        """A text not seen before, with its credits and links."""
        row = self._db.execute(
            "INSERT INTO revision (article_id, first_seen, last_seen, title, text, text_hash) VALUES (?, ?, ?, ?, ?, ?) RETURNING id",
            (article_id, at, at, reading.title, reading.text, hashed),
        ).fetchone()
        revision_id = int(row[0])
        self._insert_statements(revision_id, credits, reading)
        return revision_id

    def _insert_statements(self, revision_id: int, credits: Sequence[tuple[Credit, int | None, str | None]], reading: Reading) -> None:
        """Credits and links of a revision."""
        self._db.executemany(
            'INSERT INTO credit (revision_id, kind, publisher_id, text, name, name_key, url, "start", "end", field) '
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [(revision_id, c.kind, p, c.text, c.name, k, c.url, c.start, c.end, c.field) for c, p, k in credits],
        )
        self._db.executemany(
            "INSERT OR IGNORE INTO link VALUES (?, ?, ?, ?)", [(revision_id, k.url, article_key(k.url), k.anchor) for k in reading.links]
        )

    def _current(self, article_id: int) -> tuple[int, str]:
        """An article's publisher and the text that is current."""
        query = "SELECT a.publisher_id, r.text FROM article a JOIN revision r ON r.id = a.revision_id WHERE a.id = ?"
        publisher_id, text = self._db.execute(query, (article_id,)).fetchone()
        return int(publisher_id), str(text)

    def _choose_current(self, article_id: int) -> str:
        """Make the text seen last the current one."""
        number, title, text = self._db.execute(
            "SELECT id, title, text FROM revision WHERE article_id = ? ORDER BY last_seen DESC, first_seen DESC, text_hash LIMIT 1",
            (article_id,),
        ).fetchone()
        self._db.execute(
            "UPDATE article SET revision_id = ?2, title = ?3, traced = 0 WHERE id = ?1 AND (revision_id, title) IS NOT (?2, ?3)",
            (article_id, number, title),
        )
        return str(text)

    def delete(self, article_id: int) -> tuple[int, str, list[int]]:
        """Take an article out with its revisions, addresses, pairs and edges. Returns its publisher, its current text and its revisions."""
        publisher_id, text = self._db.execute(
            "SELECT a.publisher_id, r.text FROM article a JOIN revision r ON r.id = a.revision_id WHERE a.id = ?", (article_id,)
        ).fetchone()
        revisions = [row[0] for row in self._db.execute("SELECT id FROM revision WHERE article_id = ?", (article_id,))]
        self._db.execute("UPDATE article SET revision_id = NULL WHERE id = ?", (article_id,))
        self._db.execute("DELETE FROM article WHERE id = ?", (article_id,))
        return publisher_id, text, revisions

    # -- cleaning

    def uncleaned(self, limit: int, among: Collection[int] | None = None) -> list[UncleanedRevision]:
        """Revisions (of these articles only) whose removals are still to be made, oldest first."""
        index, within = (
            ("INDEXED BY revision_uncleaned", "") if among is None else ("", "AND r.article_id IN (SELECT value FROM json_each(?2))")
        )
        rows = self._db.execute(
            f"SELECT r.id, r.article_id, a.publisher_id, r.text FROM revision r {index} "
            f"JOIN article a ON a.id = r.article_id WHERE r.step = 'read' {within} ORDER BY r.id LIMIT ?1",
            (limit, *(() if among is None else (json.dumps(sorted(among)),))),
        ).fetchall()
        credits = self._credits_by_revision([row[0] for row in rows])
        return [UncleanedRevision(r, a, p, text, tuple(credits.get(r, ()))) for r, a, p, text in rows]

    def _credits_by_revision(self, revisions: Sequence[int]) -> dict[int, list[Credit]]:
        """Credits with a place in the text."""
        found: dict[int, list[Credit]] = {}
        marks = ",".join("?" * len(revisions))
        for revision, kind, text, name, url, start, end in self._db.execute(
            f'SELECT revision_id, kind, text, name, url, "start", "end" FROM credit WHERE "start" IS NOT NULL AND revision_id IN ({marks}) '
            'ORDER BY revision_id, "start", "end"',
            revisions,
        ):
            found.setdefault(revision, []).append(Credit(kind, text, name, url, start, end))
        return found

    def save_removals(self, removals: Iterable[tuple[int, Sequence[Removal]]]) -> None:
        """Replace the removals of revisions."""
        each = list(removals)
        self._db.executemany("DELETE FROM removal WHERE revision_id = ?", [(r,) for r, _ in each])
        self._db.executemany("INSERT INTO removal VALUES (?, ?, ?, ?)", [(r, x.rule, x.start, x.end) for r, xs in each for x in xs])

    def judge(self, judgements: Iterable[tuple[int, Literal["ok", "too little text"]]]) -> None:
        """Note that revisions are cleaned, and whether their text can be judged at all."""
        self._db.executemany("UPDATE revision SET step = 'cleaned', judgement = ? WHERE id = ?", [(j, r) for r, j in judgements])

    def texts(self, revisions: Sequence[int]) -> dict[int, tuple[str, tuple[Removal, ...]]]:
        """Texts of revisions with their removals."""
        marks = ",".join("?" * len(revisions))
        removals: dict[int, list[Removal]] = {}
        for revision, rule, start, end in self._db.execute(
            f'SELECT revision_id, rule, "start", "end" FROM removal WHERE revision_id IN ({marks}) ORDER BY revision_id, "start"',
            revisions,
        ):
            removals.setdefault(revision, []).append(Removal(rule, start, end))
        rows = self._db.execute(f"SELECT id, text FROM revision WHERE id IN ({marks})", revisions)
        return {r: (text, tuple(removals.get(r, ()))) for r, text in rows}

    # -- refusals

    def refuse(self, at: datetime, what: str, reason: str, feed_id: int | None = None) -> None:
        """Remember an input that could not be used, once per reason."""
        self._db.execute(
            "INSERT INTO refusal (at, what, reason, feed_id) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET at = excluded.at",
            (to_text(at), what[:2_000], reason[:500], feed_id),
        )
