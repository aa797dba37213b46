"""Publishers in the store: who an article belongs to, and whom a credit means.

A publisher is *declared* by the seeds, by an article's own statement or by an address. A credit that names nobody declared makes a
publisher known from credits only; when that publisher is declared later, it is the same one. So the outcome does not depend on which
came first.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, count
from typing import Any

from syndtrack.models import Credit, Publisher
from syndtrack.publishers import DOMAIN, Registry, fold
from syndtrack.urls import host_of, registrable_domain

MAX_NAME = 200
TITLE_PARTS = re.compile(r"\s+[-–—|»:·]\s+|\s*[|»]\s*")
FEED_WORDS = re.compile(r"(?i)\b(?:rss|atom|feeds?|news ?feed|all articles|latest(?: news)?|top stories)\b")


def feed_name(title: str | None, domain: str = "") -> str:
    """The publisher's name in a feed's title, without what only says that it is a feed: of "Example Post » Feed" it is "Example Post".

    Of several parts ("World | Example Post") the one that resembles the site's domain, else the first.
    """
    parts = TITLE_PARTS.split((title or "").strip())
    site = fold(domain.partition(".")[0])
    first = next(
        (p for p in parts if len(site) > 2 and (fold(p) == site or (len(fold(p)) > 3 and (fold(p) in site or site in fold(p))))), parts[0]
    )
    return " ".join(FEED_WORDS.sub(" ", first).split()).strip(" -–—|:,")[:MAX_NAME]


def _spelling(name: str) -> tuple[bool, str]:
    """By what the spellings of one name are put in order: those in capitals or small letters only are the last to be chosen."""
    return name.isupper() or name.islower(), name


class StoredPublishers(Mapping[int, Publisher]):
    """Publishers by their ids, each read when it is first asked for: what a poll brought concerns a handful of 50,000."""

    def __init__(self, connection: Any) -> None:
        self._db = connection
        self._read: dict[int, Publisher] = {}

    def __getitem__(self, number: int) -> Publisher:
        if number not in self._read:
            self._read |= self._load("= ?", number)
        return self._read[number]

    def __iter__(self) -> Iterator[int]:
        self._read = self._load("IS NOT ?", None)  # in three queries, not three for each
        return iter(self._read)

    def __len__(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM publisher").fetchone()[0])

    def _load(self, condition: str, value: int | None) -> dict[int, Publisher]:
        """Those whose id meets a condition."""
        aliases, domains = defaultdict(list), defaultdict(list)
        where = f"WHERE publisher_id {condition}"
        for number, alias in self._db.execute(f"SELECT publisher_id, alias FROM publisher_alias {where}", (value,)):
            aliases[number].append(alias)
        for number, domain in self._db.execute(f"SELECT publisher_id, domain FROM publisher_domain {where}", (value,)):
            domains[number].append(domain)
        return {
            number: Publisher(name, kind, tuple(aliases[number]), tuple(domains[number]), owner, dates or "", bool(polled))
            for number, name, kind, owner, dates, polled in self._db.execute(
                f"SELECT id, name, kind, owner, dates, polled FROM publisher LEFT JOIN dating ON publisher_id = id WHERE id {condition}",
                (value,),
            )
        }


class Publishers:
    """Table `publisher` with its aliases and domains; every method runs inside the caller's transaction."""

    def __init__(self, connection: Any) -> None:
        self._db = connection
        self._declared: dict[str, set[int]] = defaultdict(set)
        self._credited: dict[str, int] = {}
        self._of_article: dict[tuple[str | None, str], int] = {}

    # -- names in memory

    def load(self) -> None:
        """Read all names anew: at the start, and after another process wrote."""
        self._declared.clear()
        self._credited.clear()
        self._of_article.clear()
        for number, name, known_from in self._db.execute("SELECT id, name, known_from FROM publisher"):
            if known_from == "credit":
                self._credited[fold(name)] = number
            else:
                self._declared[fold(name)].add(number)
        rows = self._db.execute(
            "SELECT publisher_id, alias FROM publisher_alias UNION ALL SELECT publisher_id, domain FROM publisher_domain"
        )
        for number, name in rows:
            self._declared[fold(name)].add(number)

    def registry(self) -> Registry:
        """All publishers, for the pure stages. Each is read when it is first asked for."""
        return Registry(StoredPublishers(self._db))

    def named(self, name: str) -> int | None:
        """What `Registry.named` says, without reading every publisher: of those in memory that may be meant, by what they go by now."""
        text = name.strip().casefold()
        if DOMAIN.fullmatch(text.removeprefix("www.")) and (found := self.at(text)) is not None:
            return found
        key = fold(name)
        if not key:  # a name of signs only is nobody's
            return None
        held = self._credited.get(key)
        stored = StoredPublishers(self._db)
        likely = self._declared.get(key, set()) | (set() if held is None else {held})
        ids = [n for n in likely if any(fold(called) == key for called in (stored[n].name, *stored[n].aliases))]
        return ids[0] if len(ids) == 1 else None

    def at(self, url_or_host: str) -> int | None:
        """What `Registry.at` says, by index."""
        host = host_of(url_or_host).removeprefix("www.")
        while host:
            row = self._db.execute("SELECT publisher_id FROM publisher_domain WHERE domain = ?", (host,)).fetchone()
            if row:
                return int(row[0])
            _, _, host = host.partition(".")
        return None

    def is_empty(self) -> bool:
        """Whether nothing was put in yet."""
        return self._db.execute("SELECT 1 FROM publisher LIMIT 1").fetchone() is None

    def seed(self, publishers: Iterable[Publisher]) -> None:
        """What a new database starts with; does nothing where publishers are stored already."""
        if not self.is_empty():
            return
        for p in publishers:
            number = self._insert(p.name, p.kind, "seed", p.owner)
            self._db.executemany("INSERT INTO publisher_alias VALUES (?, ?)", [(number, a) for a in p.aliases])
            domains = [(d.removeprefix("www."), number) for d in p.domains]
            self._db.executemany("INSERT INTO publisher_domain (domain, publisher_id) VALUES (?, ?)", domains)
            if p.owner:
                self._db.execute(
                    "INSERT INTO publisher_owner VALUES (?, 'seed', ?, 'the list of publishers that comes along')", (number, p.owner)
                )
        self.load()

    # -- whose an article is

    def of_article(self, stated: str | None, url: str) -> int:
        """The publisher of an article: as stated (a name or a domain), else of the address's registrable domain. New ones are made."""
        stated = (stated or "").strip()[:MAX_NAME] or None
        domain = registrable_domain(url)
        held = self._of_article.get((stated, domain))
        if held is None:
            held = self._of_article[stated, domain] = self._by_name(stated, domain) if stated else self._by_host(url, domain)
        return held

    def _by_host(self, url: str, domain: str) -> int:
        """The publisher that owns the longest part of the host, else a new one named after the domain."""
        host = domain if ":" in domain else host_of(url).removeprefix("www.")
        while host:
            row = self._db.execute("SELECT publisher_id FROM publisher_domain WHERE domain = ?", (host,)).fetchone()
            if row:
                return int(row[0])
            _, _, host = host.partition(".")
        return self._declare(domain or url[:MAX_NAME], domain, "address")

    def of_feed(self, url: str, title: str | None) -> int:
        """The publisher of a feed's site. One so far known only by its address goes by the feed's title from now on.

        A title is the feed's own claim, so a name that somebody declared has already stays theirs.
        """
        number, domain = self.of_article(None, url), registrable_domain(url)
        name = feed_name(title, domain)
        held = self._at_domain(domain)
        if name and held and held[0] == number and held[1] and not self._declared.get(fold(name)):
            self._name_site(number, name, domain, distinct=False)
        return number

    def _at_domain(self, domain: str) -> tuple[int, bool] | None:
        """Whose a domain is, and whether nobody has said yet how its site is called."""
        row = self._db.execute("SELECT publisher_id, unnamed FROM publisher_domain WHERE domain = ?", (domain,)).fetchone()
        return row and (int(row[0]), bool(row[1]))

    def _name_site(self, number: int, name: str, domain: str, *, distinct: bool = True) -> None:
        """A site known by its address says its name: the publisher's, unless it was made another's by a merge; then one more alias."""
        self.announce(number, (name,))  # first, so that one known from credits by that name has become this one
        self._db.execute("UPDATE publisher_domain SET unnamed = 0 WHERE domain = ?", (domain,))
        called, known_from = self._db.execute("SELECT name, known_from FROM publisher WHERE id = ?", (number,)).fetchone()
        if known_from == "address" and fold(called) == fold(domain):
            free = self._free_name(name, domain if distinct else "")
            self._db.execute("UPDATE publisher SET name = ?, known_from = 'statement' WHERE id = ?", (free, number))
            self._declared[fold(free)].add(number)

    def _by_name(self, name: str, domain: str) -> int:
        """The declared publisher of that name; one so far known only by this domain takes the name; else a new one."""
        ids = self._declared.get(fold(name), set())
        held = self._at_domain(domain)
        if len(ids) == 1:
            number = next(iter(ids))
            self._spell(number, name)
            if held and held[1] and held[0] != number and not self._is_decided(held[0]):
                self.merge(held[0], number)
                self._db.execute("UPDATE publisher_domain SET unnamed = 0 WHERE domain = ?", (domain,))
            elif held and held[0] == number:
                self._db.execute("UPDATE publisher_domain SET unnamed = 0 WHERE domain = ? AND unnamed", (domain,))
            elif not held and domain:
                self._add_domain(number, domain)
            return number
        if held and held[0] in ids:
            return held[0]
        if held and held[1]:
            self._name_site(held[0], name, domain)
            return held[0]
        return self._declare(name, "" if held else domain, "statement")

    def _spell(self, number: int, name: str) -> None:
        """Call a publisher that goes by a name which was stated the first of all its spellings: the same, whatever came first."""
        called = self._db.execute("SELECT name FROM publisher WHERE id = ? AND known_from = 'statement'", (number,)).fetchone()
        if called and _spelling(name) < _spelling(called[0]) and fold(name) == fold(called[0]) and not self._is_decided(number):
            self._db.execute("UPDATE OR IGNORE publisher SET name = ? WHERE id = ?", (name, number))

    def _is_decided(self, number: int) -> bool:
        """Whether a person has said something of a publisher: then nothing that is computed makes it another."""
        return self._db.execute("SELECT 1 FROM publisher_decision WHERE publisher_id = ? LIMIT 1", (number,)).fetchone() is not None

    def _declare(self, name: str, domain: str, known_from: str) -> int:
        """A new declared publisher; one known from credits by this name or domain becomes it."""
        number = self._credited.pop(fold(name), None)
        if number is None:
            free = self._free_name(name, domain)
            number = self._insert(free, "unknown", known_from, None)
            self._declared[fold(free)].add(number)  # which may be another than the one it is declared by
        else:
            self._db.execute("UPDATE publisher SET name = ?, known_from = ? WHERE id = ?", (name, known_from, number))
        self.announce(number, (name,))
        if domain:
            self._add_domain(number, domain, unnamed=known_from == "address")
        return number

    def _add_domain(self, number: int, domain: str, *, unnamed: bool = False) -> None:
        """Give a publisher a domain that nobody has."""
        self._db.execute(
            "INSERT OR IGNORE INTO publisher_domain (domain, publisher_id, unnamed) VALUES (?, ?, ?)", (domain, number, int(unnamed))
        )
        self.announce(number, (domain,))

    def announce(self, number: int, names: Iterable[str]) -> None:
        """A publisher now goes by these names: credits that state them are resolved again, what was known from credits only is joined."""
        for name in names:
            key = fold(name)
            stated = self._credited.get(key)
            if stated is not None and stated != number:
                self.merge(stated, number)
            self._credited.pop(key, None)
            self._declared[key].add(number)
            self._db.execute("INSERT OR IGNORE INTO publisher_alias VALUES (?, ?)", (number, name))
            meant = number if len(self._declared[key]) == 1 else None
            self.retrace(
                "revision_id IN (SELECT revision_id FROM credit WHERE name_key = ?1 AND publisher_id IS NOT ?2) "
                "OR id IN (SELECT d.article_id FROM verdict v JOIN address d ON d.key = v.copy_key WHERE v.publisher_key = ?1)",
                (key, meant),
                f"whom {name} means",
            )
            self._compare_again("name_key = ? AND publisher_id IS NOT ?", (key, meant))
            self._db.execute("UPDATE credit SET publisher_id = ? WHERE name_key = ?", (meant, key))

    def _compare_again(self, credits: str, values: tuple[object, ...]) -> None:
        """Whoever has these credits is compared anew: of a pair one of which names the other, less in common is a match."""
        self._db.execute(
            f"UPDATE revision SET step = 'cleaned' WHERE step = 'matched' AND id IN (SELECT revision_id FROM credit WHERE {credits})",
            values,
        )

    # -- whom a credit means

    def of_credit(self, credit: Credit) -> tuple[int | None, str | None]:
        """The publisher that a credit names and the key its name is stored under; None for nobody and for an ambiguous name."""
        name = (credit.name or "").strip()[:MAX_NAME]
        if not name and credit.url:
            name = self._known_host(credit.url)
        key = fold(name)
        if not key:
            return None, None
        ids = self._declared.get(key, set())
        if ids:
            return (next(iter(ids)) if len(ids) == 1 else None), key
        if credit.kind in {"media", "cited"}:
            return None, key  # a photographer or a quoted institute is no publisher of text
        number = self._credited.get(key)
        if number is None:
            number = self._credited[key] = self._insert(self._free_name(name, ""), "unknown", "credit", None)
        elif _spelling(name) < _spelling(self._db.execute("SELECT name FROM publisher WHERE id = ?", (number,)).fetchone()[0]):
            self._db.execute(
                "UPDATE OR IGNORE publisher SET name = ? WHERE id = ?", (name, number)
            )  # of several spellings the same, whatever came first
        return number, key

    def _known_host(self, url: str) -> str:
        """The longest part of an address's host that is somebody's domain, else its registrable domain."""
        host = host_of(url).removeprefix("www.")
        while host:
            if fold(host) in self._declared:
                return host
            _, _, host = host.partition(".")
        return registrable_domain(url)

    # -- merging

    def merge(self, loser: int, winner: int) -> None:
        """Make two publishers one: articles, feeds, credits and names go over, and the articles concerned are traced again.

        What was decided of the loser, its owner and its kind hold for the winner where that has none of its own.
        """
        if loser == winner:
            return
        names = dict(self._db.execute("SELECT id, name FROM publisher WHERE id IN (?, ?)", (loser, winner)).fetchall())
        self.retrace(
            "publisher_id = ?1 OR revision_id IN (SELECT revision_id FROM credit WHERE publisher_id = ?1) "
            "OR id IN (SELECT copy_id FROM edge WHERE source_publisher_id = ?1 OR credited_to_id = ?1)",
            (loser,),
            f"{names[loser]} is {names[winner]}",
        )
        self._compare_again("publisher_id = ?", (loser,))
        self._db.execute("DELETE FROM edge WHERE source_publisher_id = ? OR credited_to_id = ?", (loser, loser))
        # together they may print a line often enough for furniture
        self._db.execute("UPDATE revision SET step = 'read' WHERE article_id IN (SELECT id FROM article WHERE publisher_id = ?)", (loser,))
        for table in ("article", "feed", "credit", "publisher_domain", "publisher_decision"):
            self._db.execute(f"UPDATE {table} SET publisher_id = ? WHERE publisher_id = ?", (winner, loser))
        self._db.execute("DELETE FROM publisher_owner WHERE publisher_id = ? AND known_from = 'behaviour'", (loser,))  # `house` has it
        for table in ("publisher_alias", "publisher_owner"):
            self._db.execute(f"UPDATE OR IGNORE {table} SET publisher_id = ? WHERE publisher_id = ?", (winner, loser))
        self._db.execute(
            "INSERT INTO publisher_line SELECT ?, line_key, articles FROM publisher_line WHERE publisher_id = ? "
            "ON CONFLICT DO UPDATE SET articles = articles + excluded.articles",
            (winner, loser),
        )
        self._db.execute(
            "UPDATE publisher SET lines_changed = 1, merged = 1, kind = CASE kind WHEN 'unknown' THEN l ELSE kind END "
            "FROM (SELECT kind AS l FROM publisher WHERE id = ?) WHERE id = ?",
            (loser, winner),
        )
        self._db.execute("DELETE FROM publisher WHERE id = ?", (loser,))
        self.choose_owner(winner)
        self.load()

    def retrace(self, condition: str, values: Sequence[object], because: str) -> None:
        """Have the articles of which a condition holds traced again; those that were traced before are told why."""
        self._db.execute(f"UPDATE article SET traced = 0 WHERE {condition}", values)
        reason = f"?{len(values) + 1}"
        self._db.execute(
            f"INSERT OR IGNORE INTO retrace SELECT id, 'publishers', {reason} FROM article WHERE told IS NOT NULL AND ({condition})",
            (*values, because),
        )

    def choose_owner(self, number: int) -> None:
        """Let the best statement of a publisher's owner hold; where that is news, its articles are traced again."""
        row = self._db.execute(
            "SELECT owner FROM publisher_owner WHERE publisher_id = ? AND known_from <> 'behaviour' "
            "ORDER BY CASE known_from WHEN 'person' THEN 0 WHEN 'seed' THEN 1 ELSE 2 END LIMIT 1",
            (number,),
        ).fetchone()
        owner = row[0] if row else None
        if self._db.execute("UPDATE publisher SET owner = ?1 WHERE id = ?2 AND owner IS NOT ?1", (owner, number)).rowcount:
            self.retrace("publisher_id = ?1", (number,), f"owner is {owner or 'nobody known'}")

    def unjoined(self) -> list[int]:
        """Publishers that were merged since it was last looked whether some of their articles are one."""
        return [row[0] for row in self._db.execute("SELECT id FROM publisher WHERE merged = 1 ORDER BY id")]

    def joined(self, number: int) -> None:
        """It was looked."""
        self._db.execute("UPDATE publisher SET merged = 0 WHERE id = ?", (number,))

    def _insert(self, name: str, kind: str, known_from: str, owner: str | None) -> int:
        """A row; its id."""
        row = self._db.execute(
            "INSERT INTO publisher (name, kind, known_from, owner) VALUES (?, ?, ?, ?) RETURNING id", (name, kind, known_from, owner)
        ).fetchone()
        return int(row[0])

    def _free_name(self, name: str, domain: str) -> str:
        """The name, told apart by its domain or a number where another publisher has it already."""
        tries = chain([name], [f"{name} ({domain})"] if domain else (), (f"{name} ({n})" for n in count(2)))
        return next(t for t in tries if not self._db.execute("SELECT 1 FROM publisher WHERE name = ?", (t,)).fetchone())
