"""A person's word on sources, as it was given: by address and name, apart from what is computed, before or after the articles come."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from syndtrack.models import Credit, Verdict
from syndtrack.publishers import fold
from syndtrack.store.publishers import Publishers
from syndtrack.store.times import to_text, to_time
from syndtrack.urls import article_key, is_http, registrable_domain

# Imported where it is used: most databases have no verdicts, and tracing, which it belongs to, takes 0.1 s to import.
if TYPE_CHECKING:
    from syndtrack.provenance.verdicts import Verdicts, Word

COLUMNS = "id, copy, copy_key, source, subject, says, at, by, note"
ORDER = "ORDER BY at, id"  # by when it was said; of one second, in the order it was said


@dataclass(frozen=True, slots=True)
class Kept:
    """A stored verdict with what it stands for today, and why it does not hold, if so."""

    number: int
    verdict: Verdict
    word: Word
    by_name: bool
    why_not: str | None = None

    @property
    def ambiguous(self) -> str | None:
        """What is wrong with the name of its publisher, if anything."""
        return (
            "several publishers go by this name; give one of their domains instead"
            if self.by_name and self.word.publisher_id is None
            else None
        )


def subject_of(source: str | None) -> str:
    """What is equal for all forms of a stated source: the key of an address, the folded name of a publisher, nothing for an origin."""
    return "" if source is None else article_key(source) if is_http(source) else fold(source)


class Names(Protocol):
    """Whom names and addresses mean: a registry, or in a transaction the publishers themselves, which need not be read for it."""

    def named(self, name: str) -> int | None:
        """The one publisher of that name, alias or domain."""

    def at(self, url_or_host: str) -> int | None:
        """The publisher of an address."""


class VerdictTable:
    """Table `verdict`; every method that writes runs inside the caller's transaction."""

    def __init__(self, connection: Any, publishers: Publishers) -> None:
        self._db = connection
        self._publishers = publishers

    # -- what was said

    def give(self, verdict: Verdict) -> int | None:
        """Keep a verdict; one that says the same of the same pair is replaced where it is older. Returns its number, None if it is not new.

        A publisher that nobody knows yet is made known, as by a credit.
        """
        key, subject, at = article_key(verdict.copy), subject_of(verdict.source), to_text(verdict.at)
        held = self._db.execute(
            "SELECT id, at FROM verdict WHERE copy_key = ? AND subject = ? AND says = ?", (key, subject, verdict.says)
        ).fetchone()
        if held is not None and held[1] >= at:
            return None
        if held is not None:
            self._db.execute("DELETE FROM verdict WHERE id = ?", (held[0],))
        publisher_key = None
        if verdict.source is not None:
            named = None if is_http(verdict.source) else verdict.source
            self._publishers.of_credit(Credit("republication", verdict.source, named, None if named else verdict.source))
            publisher_key = fold(named or registrable_domain(verdict.source))
        row = self._db.execute(
            "INSERT INTO verdict (copy, copy_key, source, subject, publisher_key, says, at, by, note) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) "
            "RETURNING id",
            (verdict.copy, key, verdict.source, subject, publisher_key, verdict.says, at, verdict.by, verdict.note),
        ).fetchone()
        return int(row[0])

    def take_back(self, copy: str, source: str | None) -> int:
        """Forget what was said of a pair, or (`source` None) that the article is an origin. Returns how many verdicts that were."""
        keys, subjects = self._keys(copy), self._keys(source) if source is not None and is_http(source) else [subject_of(source)]
        return int(
            self._db.execute(
                "DELETE FROM verdict WHERE copy_key IN (SELECT value FROM json_each(?)) AND subject IN (SELECT value FROM json_each(?))",
                (json.dumps(keys), json.dumps(subjects)),
            ).rowcount
        )

    def _keys(self, url: str) -> list[str]:
        """The keys of all addresses of the article behind one."""
        return sorted(self._same({article_key(url)}))

    # -- what it stands for

    def all(self, names: Names) -> list[Kept]:
        """Every verdict, the oldest first, with why it does not hold if it does not."""
        return self._judged(self._db.execute(f"SELECT {COLUMNS} FROM verdict {ORDER}").fetchall(), names)

    def linked(self, verdicts: Iterable[int], names: Names) -> list[Kept]:
        """Some by their numbers, with whatever confirmed pairs link them to, as `all` has them."""
        listed = json.dumps(list(verdicts))
        rows = self._db.execute("SELECT copy_key, subject, source FROM verdict WHERE id IN (SELECT value FROM json_each(?))", (listed,))
        pairs = [(copy, subject if is_http(source or "") else copy) for copy, subject, source in rows.fetchall()]
        return self._judged(self._around({key for pair in pairs for key in pair}), names)

    def any(self) -> bool:
        """Whether anything was said at all."""
        return self._db.execute("SELECT 1 FROM verdict LIMIT 1").fetchone() is not None

    def of(self, articles: Iterable[int], names: Names) -> Verdicts:
        """Those that hold of some articles, for tracing: what was said of them, and all that confirmed pairs link to them.

        That is as much as decides which of them hold: verdicts contradict each other on one copy, and confirmed pairs close a circle.
        """
        from syndtrack.provenance.verdicts import Verdicts  # noqa: PLC0415 - above

        if not self.any():
            return Verdicts()
        listed = json.dumps(sorted(articles))
        keys = self._db.execute("SELECT key FROM address WHERE article_id IN (SELECT value FROM json_each(?))", (listed,))
        rows = self._around({row[0] for row in keys.fetchall()})
        return Verdicts.of([k.word for k in self._kept(rows, names)]) if rows else Verdicts()

    def _around(self, keys: set[str]) -> list[Any]:
        """The rows on copies of some keys, the oldest first, and those on whatever confirmed pairs of addresses link to these."""
        rows: dict[int, Any] = {}
        seen, pending = set[str](), keys
        while pending:
            seen |= pending
            listed = json.dumps(sorted(pending))
            found = self._db.execute(
                f"SELECT {COLUMNS} FROM verdict WHERE copy_key IN (SELECT value FROM json_each(?1)) "
                f"UNION SELECT {COLUMNS} FROM verdict WHERE says = 'confirm' AND subject IN (SELECT value FROM json_each(?1))",
                (listed,),
            ).fetchall()
            new = {row[0]: row for row in found if row[0] not in rows}
            rows |= new
            pending = self._same({key for r in new.values() if r[5] == "confirm" and is_http(r[3]) for key in (r[2], r[4])} - seen) - seen
        return sorted(rows.values(), key=lambda row: (row[6], row[0]))

    def _same(self, keys: set[str]) -> set[str]:
        """The keys of all addresses of the articles behind some, and these."""
        listed = json.dumps(sorted(keys))
        rows = self._db.execute(
            "SELECT key FROM address WHERE article_id IN (SELECT article_id FROM address WHERE key IN (SELECT value FROM json_each(?)))",
            (listed,),
        )
        return keys | {row[0] for row in rows.fetchall()}

    def touched(self, copy: str) -> set[int]:
        """The stored articles whose stories a verdict on one copy touches: its own, and those of the sources that were confirmed for it.

        None where the copy is not stored: then nothing changes.
        """
        key = article_key(copy)
        if key not in self._articles({key}):
            return set()
        rows = self._db.execute(
            "SELECT subject FROM verdict WHERE says = 'confirm' AND copy_key IN (SELECT value FROM json_each(?))",
            (json.dumps(self._keys(copy)),),
        )
        return set(self._articles({key, *(row[0] for row in rows)}).values())

    def retrace(self, articles: Iterable[int], because: str) -> None:
        """Have articles traced again, on a person's word."""
        listed = json.dumps(sorted(articles))
        self._db.execute("UPDATE article SET traced = 0 WHERE id IN (SELECT value FROM json_each(?))", (listed,))
        self._db.execute("INSERT OR IGNORE INTO retrace SELECT value, 'verdict', ? FROM json_each(?)", (because, listed))

    def _articles(self, keys: Iterable[str]) -> dict[str, int]:
        """The stored articles behind keys; of several behind one, that which shows the address itself, since longest."""
        rows = self._db.execute(
            "SELECT key, article_id FROM address WHERE key IN (SELECT value FROM json_each(?)) "
            "ORDER BY redirects DESC, first_seen DESC, url DESC",
            (json.dumps(sorted(keys)),),
        )
        return dict(rows.fetchall())

    def _judged(self, rows: Sequence[Any], names: Names) -> list[Kept]:
        """Rows with what they stand for, and why they do not hold."""
        from syndtrack.provenance.verdicts import overruled  # noqa: PLC0415 - above

        kept = list(self._kept(rows, names))
        out = overruled([k.word for k in kept])
        return [replace(k, why_not=out[n][1]) if n in out else k for n, k in enumerate(kept)]

    def _kept(self, rows: Sequence[Any], names: Names) -> Iterator[Kept]:
        """Rows with what they stand for."""
        from syndtrack.provenance.verdicts import Word  # noqa: PLC0415 - above

        at = self._articles({key for r in rows for key in (r[2], r[4])})
        stored = json.dumps(sorted(set(at.values())))
        query = "SELECT id, publisher_id FROM article WHERE id IN (SELECT value FROM json_each(?))"
        owners = dict(self._db.execute(query, (stored,)).fetchall())
        meant = cache(lambda source: _publisher_of(source, names))  # a thousand verdicts may name one agency
        for number, copy, copy_key, source, subject, says, when, by, note in rows:
            by_name = source is not None and not is_http(source)
            node = None if source is None or by_name else at.get(subject, subject)
            publisher_id = owners.get(node) if isinstance(node, int) else None
            if source is not None and publisher_id is None:
                publisher_id = meant(source)
            word = Word(says, at.get(copy_key, copy_key), node, publisher_id)
            yield Kept(number, Verdict(copy, source, says, to_time(when), by, note), word, by_name)


def _publisher_of(source: str, names: Names) -> int | None:
    """The publisher that a source names, or to which an address belongs at which nothing was observed."""
    if not is_http(source):
        return names.named(source)
    found = names.at(source)
    return names.named(registrable_domain(source)) if found is None else found
