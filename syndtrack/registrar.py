"""The publishers as people look them up and correct them: `tracker.publishers`.

    tracker.publishers.merge(["postonline.example"], "Example Post")
    for row in tracker.publishers.republished("Example Post"):
        print(row["copy_publisher"], row["share_kept"], row["credited"])

A publisher is named by any of its names or domains. What a person decides here is kept apart from what is computed and holds from then on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, get_args

from syndtrack.errors import UsageError
from syndtrack.models import PublisherKind
from syndtrack.owners import TrustAnswer, named_sites
from syndtrack.publishers import fold
from syndtrack.store.owners import Site
from syndtrack.store.publishers import MAX_NAME
from syndtrack.store.store import Store

Row = dict[str, Any]
KINDS: tuple[PublisherKind, ...] = get_args(PublisherKind)
MOST_FOLLOWED = 500  # owners named by sites; a chain of papers has one


# Asks sites for their trust.txt, and those that they name as their owners.
Ask = Callable[[Sequence[Site]], list[TrustAnswer]]


class Registrar:
    """Publishers by any of their names. Every method raises UsageError where a name is nobody's or several publishers'."""

    def __init__(self, store: Store, settle: Callable[[], None], now: Callable[[], datetime], ask: Ask) -> None:
        """On a store; `settle` has whatever a decision touches traced again."""
        self._store = store
        self._settle = settle
        self._now = now
        self._ask = ask

    # -- looking up

    def search(self, words: str = "", kind: str | None = None) -> Iterator[Row]:
        """Publishers, those with most articles first; only those of a kind, or with these words in a name, alias, domain or owner."""
        if kind is not None:
            _check_kind(kind)
        wanted = fold(words)
        for row in self._store.directory.publishers():
            known_as = (row["name"], row["owner"] or "", *row["domains"], *row["aliases"])
            if (kind is None or row["kind"] == kind) and any(wanted in fold(name) for name in known_as):
                yield row

    def show(self, name: str) -> Row:
        """One publisher: its names and domains, owner, feeds, what a person decided, whom it copies and who copies it."""
        number = self.find(name)
        with self._store.snapshot():
            row = self._store.directory.publisher(number)
            matrix = list(self._store.lookups.publishers(number))
        row["copied_by"] = [r for r in matrix if r["source_publisher"] == row["name"]]
        row["copies_from"] = [r for r in matrix if r["copy_publisher"] == row["name"]]
        return row

    def republished(self, name: str) -> Iterator[Row]:
        """Every copy of a publisher's articles by others, the earliest article first (reports/republished.py has the fields)."""
        from syndtrack.reports.republished import republished  # noqa: PLC0415 - compares texts, for which few look-ups ask

        return republished(self._store, self.find(name))

    def find(self, name: str) -> int:
        """The id of the one publisher of that name, alias or domain."""
        return self._store.directory.find(name)

    # -- owners

    def owners(self, names: Sequence[str] = ()) -> Iterator[Row]:
        """What is known of owners and from where, of these publishers or of all."""
        numbers = {self.find(name) for name in names}
        for row in self._store.directory.owners():
            number = row.pop("id")
            if not numbers or number in numbers:
                yield row

    def fetch_owners(self, names: Sequence[str] = ()) -> list[Row]:
        """Ask the sites of these publishers, or of all with articles or feeds, for their trust.txt, and the owners that they name for
        theirs, each at most once in four weeks; let what they agree on hold. Returns what came of each.
        """
        numbers = {self.find(name) for name in names} or None
        told = self._asked(self._store.owners.sites(numbers))
        above = {site for answer in told for site in named_sites(answer.statements, "controlledby")}
        told += self._asked([Site(site, "https", own=False) for site in sorted(above)[:MOST_FOLLOWED]])
        self._settle()
        return [{"site": a.domain, "outcome": a.outcome, "statements": len(a.statements), "url": a.url, "reason": a.reason} for a in told]

    def _asked(self, sites: Sequence[Site]) -> list[TrustAnswer]:
        """Ask those sites that were not asked lately, and store what they say."""
        now = self._now()
        told = self._ask([site for site in sites if not self._store.owners.is_fresh(site.domain, now)])
        with self._store.transaction():
            for answer in told:
                self._store.owners.save_trust(answer, now)
            self._store.owners.decide_by_trust()
        return told

    # -- deciding

    def merge(self, names: Sequence[str], into: str) -> Row:
        """Make publishers one: their articles, feeds, credits, names and domains go over, and what they touch is traced again."""
        with self._store.transaction():
            winner = self.find(into)
            losers = sorted({self.find(name) for name in names} - {winner})
            if not losers:
                raise UsageError(f"{', '.join(map(repr, names))}: already the same publisher as {into!r}")
            self._store.decisions.merge(losers, winner, self._now())
        return self._settled(winner)

    def rename(self, name: str, new: str) -> Row:
        """Call a publisher by another name. Refused where somebody else has it."""
        new = " ".join(new.split())
        if not fold(new) or len(new) > MAX_NAME:
            raise UsageError(f"{new[:50]!r} is no name: it needs letters or digits, and at most {MAX_NAME} characters")
        with self._store.transaction():
            number = self.find(name)
            others = {n for each, n in self._store.directory.names() if fold(each) == fold(new)} - {number}
            if others:
                has = self._store.directory.publisher(min(others))["name"]
                raise UsageError(f"{new!r} is a name of {has!r}; if both are one, merge them: syndtrack publishers merge {name!r} {has!r}")
            self._store.decisions.rename(number, new, self._now())
        return self._settled(number)

    def set_kind(self, name: str, kind: str) -> Row:
        """Say of what kind a publisher is: agency, outlet, aggregator, blog or unknown."""
        checked = _check_kind(kind)
        with self._store.transaction():
            number = self.find(name)
            self._store.decisions.set_kind(number, checked, self._now())
        return self._settled(number)

    def set_owner(self, name: str, owner: str | None) -> Row:
        """Say who owns a publisher; None says that nobody does who owns another. Holds against whatever is learned."""
        owner = None if owner is None else " ".join(owner.split())[:MAX_NAME]
        if owner is not None and not fold(owner):
            raise UsageError(
                f"{owner!r} is no name of an owner; to say that nobody owns {name!r}: syndtrack publishers set-owner {name!r} --none"
            )
        with self._store.transaction():
            number = self.find(name)
            self._store.decisions.set_owner(number, owner, self._now())
        return self._settled(number)

    def unset_owner(self, name: str) -> Row:
        """Take back what was said of an owner; what is known from elsewhere holds again."""
        with self._store.transaction():
            number = self.find(name)
            self._store.decisions.unset_owner(number, self._now())
        return self._settled(number)

    def _settled(self, number: int) -> Row:
        """The publisher, after everything that the decision touches was traced again."""
        with self._store.transaction():
            self._store.owners.decide_by_trust()  # whose name an owner goes by may have changed
        self._settle()
        return self._store.directory.publisher(number)


def _check_kind(kind: str) -> PublisherKind:
    """A kind by its name."""
    for each in KINDS:
        if kind == each:
            return each
    raise UsageError(f"no kind {kind!r}; there are {', '.join(KINDS)}")
