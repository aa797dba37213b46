"""What tracing again changed in the sources of articles: each real change once, with its time and its cause.

An article keeps what was last told of its sources. What is found now is compared with that, not with the tracing before: small steps
add up to a change, and edges that are cleared on the way (a publisher merged, an article forgotten) are not mistaken for one.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlite_utils import Database

from syndtrack.store.times import to_text

# A confidence that moved by less says nothing new: in a story of many copies each one that comes in moves all of them a little.
CONFIDENCE_CHANGE = 0.1
KEPT_OF_EACH = 100  # changes of one article, besides its first tracing
KEPT = 2_000_000  # of all articles, 0.2 KB each

Change = Literal["first traced", "gained", "lost", "replaced", "confidence", "credited", "verdict"]
Row = dict[str, Any]

ROWS = """
    SELECT h.at, a.url AS article, h.change, h.cause, h.because, h.source, h.source_publisher, h.confidence, h.credited, h.verdict,
           h.was_source, h.was_source_publisher, h.was_confidence, h.was_credited, h.was_verdict
    FROM history h JOIN article a ON a.id = h.article_id"""


@dataclass(frozen=True, slots=True)
class Told:
    """One source of an article, as told: `url` None where it was not observed."""

    url: str | None
    publisher: str
    confidence: float
    credited: bool
    verdict: str | None


Pair = tuple[Change, Told | None, Told | None]


class History:
    """Tables `history` and `retrace`; `log` runs inside the caller's transaction."""

    def __init__(self, db: Database) -> None:
        self._db = db.conn
        self._rows = db

    def log(self, components: Sequence[Sequence[int]], at: datetime) -> None:
        """Tell what changed in the sources of articles that were just traced, story by story."""
        listed = json.dumps([a for each in components for a in each])
        within = "IN (SELECT value FROM json_each(?))"
        articles = self._db.execute(f"SELECT id, url, told, revision_id FROM article WHERE id {within}", (listed,))
        before = {number: (url, json.loads(told) if told else None, revision) for number, url, told, revision in articles}
        now = self._sources(listed)
        causes = defaultdict(list)
        for number, *why in self._db.execute(f"SELECT article_id, cause, because FROM retrace WHERE article_id {within}", (listed,)):
            causes[number].append((why[0], why[1]))
        told: list[tuple[str, int]] = []
        rows: list[tuple[Any, ...]] = []
        for component in components:
            reasons = _Causes([(before[a], causes[a]) for a in component if a in before])
            for number in component:
                if number not in before or before[number][2] is None:
                    continue
                _, last, revision = before[number]
                was = None if last is None else [Told(*each) for each in last["sources"]]
                changes = self._changes(was, now[number])
                rows += [(number, to_text(at), pair[0], *reasons.of(before[number][0], pair[0]), *_sides(pair)) for pair in changes]
                state = {"revision": revision, "sources": _as_told(was or [], changes, now[number])}
                if state != last:
                    told.append((json.dumps(state), number))
        self._db.executemany("UPDATE article SET told = ? WHERE id = ?", told)
        marks = ", ".join("?" * 15)
        self._db.executemany(
            "INSERT INTO history (article_id, at, change, cause, because, source, source_publisher, confidence, credited, verdict, "
            f"was_source, was_source_publisher, was_confidence, was_credited, was_verdict) VALUES ({marks})",
            rows,
        )
        self._db.execute(f"DELETE FROM retrace WHERE article_id {within}", (listed,))
        self._forget({row[0] for row in rows})

    def _forget(self, changed: Iterable[int]) -> None:
        """Let go of the oldest changes of articles that have too many, and of the oldest of all."""
        self._db.execute(
            "DELETE FROM history WHERE id IN (SELECT id FROM "
            "(SELECT id, row_number() OVER (PARTITION BY article_id ORDER BY id DESC) AS place FROM history "
            "WHERE change <> 'first traced' AND article_id IN (SELECT value FROM json_each(?))) WHERE place > ?)",
            (json.dumps(sorted(changed)), KEPT_OF_EACH),
        )
        self._db.execute("DELETE FROM history WHERE id <= (SELECT max(id) FROM history) - ?", (KEPT,))

    def _sources(self, listed: str) -> dict[int, list[Told]]:
        """The sources of articles as they are now, the most confident first."""
        found: dict[int, list[Told]] = defaultdict(list)
        for copy, url, publisher, confidence, credited, verdict in self._db.execute(
            "SELECT e.copy_id, s.url, coalesce(sp.name, up.name), round(e.confidence, 3), e.credited, e.verdict FROM edge e "
            "LEFT JOIN article s ON s.id = e.source_id LEFT JOIN publisher sp ON sp.id = s.publisher_id "
            "LEFT JOIN publisher up ON up.id = e.source_publisher_id WHERE e.copy_id IN (SELECT value FROM json_each(?)) "
            "ORDER BY e.copy_id, e.confidence DESC, s.url, 3",
            (listed,),
        ):
            found[copy].append(Told(url, publisher, confidence, bool(credited), verdict))
        return found

    def _changes(self, was: Sequence[Told] | None, now: Sequence[Told]) -> list[Pair]:
        """What is to be told, as it was and as it is."""
        if was is None:
            return [("first traced", None, each) for each in now] or [("first traced", None, None)]
        if [(t.url, t.publisher) for t in was] == [(t.url, t.publisher) for t in now]:
            pairs, lost, gained = list(zip(was, now, strict=True)), [], []
        else:
            same = {self._identity(t): t for t in now}
            pairs = [(old, same[key]) for old in was if (key := self._identity(old)) in same]
            kept = {id(old) for old, _ in pairs}, {id(new) for _, new in pairs}
            lost, gained = [t for t in was if id(t) not in kept[0]], [t for t in now if id(t) not in kept[1]]
        both = min(len(lost), len(gained))
        return [
            *((change, old, new) for old, new in pairs if (change := _moved(old, new)) is not None),
            *(("replaced", old, new) for old, new in zip(lost, gained, strict=False)),
            *(("lost", old, None) for old in lost[both:]),
            *(("gained", None, new) for new in gained[both:]),
        ]

    def _identity(self, told: Told) -> tuple[object, ...]:
        """What is equal for one source although its article goes by another address now."""
        if told.url is None:
            return ("publisher", told.publisher)
        row = self._db.execute("SELECT article_id FROM address WHERE url = ?", (told.url,)).fetchone()
        return ("article", row[0]) if row else ("gone", told.url)

    # -- look-ups

    def of(self, article_id: int) -> list[Row]:
        """All that changed in the sources of one article, the oldest first."""
        return [_shown(row) for row in self._rows.query(ROWS + " WHERE h.article_id = ? ORDER BY h.id", (article_id,))]

    def latest(self, limit: int) -> list[Row]:
        """What changed last, whatever the article: the latest first, without first tracings."""
        return [_shown(row) for row in self._rows.query(ROWS + " WHERE h.change <> 'first traced' ORDER BY h.id DESC LIMIT ?", (limit,))]


class _Causes:
    """Why the articles of one story were traced again."""

    def __init__(self, articles: Iterable[tuple[tuple[str, Any, int | None], Sequence[tuple[str, str]]]]) -> None:
        self._said: dict[str, list[str]] = {}
        for (url, last, revision), causes in articles:
            for cause, because in causes:
                self._said.setdefault(cause, []).append(because)
            if last is None:
                self._said.setdefault("new article", []).append(url)
            elif last["revision"] != revision:
                self._said.setdefault("new revision", []).append(url)

    def of(self, url: str, change: Change) -> tuple[str, str | None]:
        """The cause of a change for the article of an address, and which one where there were several."""
        if change == "first traced":
            return "new article", None
        for cause in ("verdict", "forget", "new article", "new revision", "publishers"):
            if which := sorted(set(self._said.get(cause, ()))):
                first = url if url in which else which[0]
                return cause, first if len(which) == 1 else f"{first} and {len(which) - 1} more"
        return "comparison", None


def _moved(old: Told, new: Told) -> Change | None:
    """What changed for a source that stayed."""
    if old.verdict != new.verdict:
        return "verdict"
    if old.credited != new.credited:
        return "credited"
    return "confidence" if abs(old.confidence - new.confidence) >= CONFIDENCE_CHANGE else None


def _as_told(was: Sequence[Told], changes: Sequence[Pair], now: Sequence[Told]) -> list[list[object]]:
    """The sources as they stand told now: a confidence that moved too little stays as it was told."""
    news = {id(new) for _, _, new in changes}
    before = {(t.url, t.publisher): t.confidence for t in was}
    kept = [t.confidence if id(t) in news else before.get((t.url, t.publisher), t.confidence) for t in now]
    return [[t.url, t.publisher, confidence, t.credited, t.verdict] for t, confidence in zip(now, kept, strict=True)]


def _sides(pair: Pair) -> list[object]:
    """A source as it is and as it was, as they are stored."""
    sides: list[object] = []
    for told in (pair[2], pair[1]):
        sides += (None,) * 5 if told is None else (told.url, told.publisher, told.confidence, int(told.credited), told.verdict)
    return sides


def _shown(row: Row) -> Row:
    """A stored change as it is shown."""
    return row | {name: None if row[name] is None else bool(row[name]) for name in ("credited", "was_credited")}
