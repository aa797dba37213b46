"""Who owns whom: what sites state in their trust.txt, and what two sites' reuse of each other tells. Pure.

trust.txt is JournalList's (https://journallist.net/reference-document-for-trust-txt-specifications, Internet-Draft
draft-org-trust-relationship-protocol): a small file of `attribute=value` lines at a site's root, by which a publisher says whom it
controls, who controls it, to which associations it belongs, and so on.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from syndtrack.urls import host_of, is_http, registrable_domain

ATTRIBUTES = frozenset(
    {"member", "belongto", "control", "controlledby", "social", "vendor", "customer", "disclosure", "contact", "datatrainingallowed"}
)
TRUST_BYTES = 200_000  # an association of a thousand members states them in 40 kB
MAX_STATEMENTS = 5_000
MAX_VALUE = 500
COMMENT = re.compile(r"(?:^|\s)#.*")
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")

# What reuse must look like to be that of one house, and why:
FEWEST = 4  # articles exchanged; one page each way happens between any two that read each other
FEWEST_WITH_FURNITURE = 3  # … unless the two also print the same boxes
FEWEST_LINES = 2  # one line in common may be a vendor's or a regulator's
BALANCE = 0.2  # the lesser direction against the greater: aggregators and blogs that repost take and seldom give
SMALLEST_SHARE = 0.1  # of the smaller one's articles are exchanged: large papers that now and then print each other do not come to it
MOST_CREDITED = 0.5  # partners under licence name each other; within one house that is seldom done


@dataclass(frozen=True, slots=True)
class Statement:
    """One line of a trust.txt."""

    attribute: str
    value: str


@dataclass(frozen=True, slots=True)
class TrustAnswer:
    """What came of asking a site for its trust.txt. `url` is where it stands, `reason` why there is none or it could not be had."""

    domain: str
    outcome: Literal["found", "absent", "failed"]
    url: str | None = None
    reason: str | None = None
    statements: tuple[Statement, ...] = ()


@dataclass(frozen=True, slots=True)
class Owned:
    """Whom a site belongs to (a domain, the topmost known; of the topmost itself its own), and how that is known."""

    owner: str
    reason: str


@dataclass(frozen=True, slots=True)
class Reuse:
    """How many articles of one publisher another printed, and how many of these it credited to anybody."""

    copies: int
    credited: int


# -- trust.txt


def parse_trust(text: str) -> tuple[Statement, ...]:
    """The statements of a trust.txt, each once and in order; lines that are none, and unknown attributes, are passed over."""
    found: dict[Statement, None] = {}
    for line in text[:TRUST_BYTES].splitlines():
        attribute, is_statement, value = COMMENT.sub("", line).partition("=")
        attribute, value = attribute.strip().lower(), value.strip()
        if is_statement and attribute in ATTRIBUTES and 0 < len(value) <= MAX_VALUE and not CONTROLS.search(value):
            found[Statement(attribute, value)] = None
            if len(found) == MAX_STATEMENTS:
                break
    return tuple(found)


def site_of(value: str) -> str | None:
    """The site that a statement names, as a host without `www.`; None for a page below it: on a platform the site is not its writers'."""
    url = value if "://" in value else f"https://{value}"
    if "@" in value or not is_http(url) or urlsplit(url).path not in ("", "/") or urlsplit(url).query:
        return None
    domain = registrable_domain(url)
    return domain if ":" in domain else host_of(url).removeprefix("www.") or None


def named_sites(statements: Iterable[Statement], attribute: str) -> frozenset[str]:
    """The sites that the statements of one attribute name."""
    return frozenset(site for s in statements if s.attribute == attribute and (site := site_of(s.value)) is not None)


def owners_by_trust(files: Mapping[str, Collection[Statement]]) -> dict[str, Owned]:
    """Who owns the sites whose files (by domain) say so on both sides: `control=` of the one and `controlledby=` of the other.

    A claim of one side alone decides nothing: anybody can state that he controls a famous paper, or borrow its name by stating that it
    controls him, and a file is often older than the last sale. Membership (`member=`, `belongto=`) is no ownership. A site with two
    confirmed owners, or in a ring of them, has none.
    """
    parents: dict[str, set[str]] = defaultdict(set)
    for owner, statements in files.items():
        for site in named_sites(statements, "control") - {owner}:
            if owner in named_sites(files.get(site, ()), "controlledby"):
                parents[site].add(owner)
    found: dict[str, Owned] = {}
    for site in sorted(parents):
        top = _top(site, parents)
        if top is None:
            continue
        direct = next(iter(parents[site]))
        found[site] = Owned(top, f"the trust.txt of {direct} says control={site}, that of {site} says controlledby={direct}")
        found.setdefault(top, Owned(top, f"its trust.txt says control={site}, that of {site} agrees"))
    return found


def _top(site: str, parents: Mapping[str, Collection[str]]) -> str | None:
    """The end of the line of owners; None where it forks or goes round."""
    seen = {site}
    while owners := parents.get(site):
        if len(owners) > 1:
            return None
        site = next(iter(owners))
        if site in seen:
            return None
        seen.add(site)
    return site


# -- behaviour


def most_holders(publishers: int) -> int:
    """How many of some publishers may have a line before it tells nothing, being a vendor's: a fiftieth; of few, a tenth."""
    return max(2, min(8, publishers // 10), publishers // 50)


def are_sisters(there: Reuse, back: Reuse, printed: tuple[int, int], shared_lines: int) -> bool:
    """Whether two publishers print each other's pages as sites of one house do. `printed`: articles of each; `shared_lines`: furniture that
    both have and few others.
    """
    less, more = sorted((there.copies, back.copies))
    return (
        less + more >= (FEWEST_WITH_FURNITURE if shared_lines >= FEWEST_LINES else FEWEST)
        and less >= max(1, BALANCE * more)
        and less + more >= SMALLEST_SHARE * min(printed)
        and there.credited + back.credited <= MOST_CREDITED * (less + more)
    )


def houses(pairs: Iterable[tuple[int, int]], owners: Mapping[int, str | None]) -> list[tuple[str | None, tuple[int, ...]]]:
    """Groups of sisters, each with the one owner that is known of its members from elsewhere (`owners`), None where none is.

    A group whose members are known to have different owners (None: stands alone) is none: somewhere in it the pairs are wrong.
    """
    group: dict[int, int] = {}

    def root(n: int) -> int:
        while (up := group.get(n, n)) != n:
            n = up
        return n

    for a, b in pairs:
        low, high = sorted((root(a), root(b)))
        group[low], group[high] = low, low
    members: dict[int, list[int]] = defaultdict(list)
    for n in sorted(group):
        members[root(n)].append(n)
    found: list[tuple[str | None, tuple[int, ...]]] = []
    for each in members.values():
        known: Sequence[str | None] = sorted({owners[n] for n in each if n in owners}, key=str)
        if not known:
            found.append((None, tuple(each)))
        elif len(known) == 1 and known[0] is not None:
            found.append((known[0], tuple(each)))
    return found
