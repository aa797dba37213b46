"""What each version of a story says of where its text comes from, in the form that comparing versions asks for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from syndtrack.models import Credit, ResolvedCredit, Version
from syndtrack.words import WORD_WEIGHT, tokenise

Place = Literal["top", "middle", "end", "field"]
# A line within so many characters of either end stands where credits stand.
MARGIN = 400
# With so few words beside the name or address ("Source: X", "Originally published by X") any two that name X write the same line.
FEW_WORDS = 3
ADDRESS = re.compile(r"https?://\S+|\b[\w-]+(?:\.[\w-]+)+/?\S*")


@dataclass(frozen=True, slots=True)
class Statement:
    """A republication or wire credit that names somebody else: where it stands, its line as it is written, and whether the line has words
    enough of its own to tell where it was taken over from.
    """

    credit: Credit
    publisher_id: int
    place: Place
    line: str
    telling: bool


@dataclass(frozen=True, slots=True)
class Statements:
    """What one version says. `republication_ids` and the like are the publishers that the credits of a kind name; `own_wire`: it signs as
    the agency itself.
    """

    republication: tuple[Statement, ...]
    wire: tuple[Statement, ...]
    republication_ids: frozenset[int]
    wire_ids: frozenset[int]
    hat_ids: frozenset[int]
    own_wire: bool

    @property
    def all(self) -> tuple[Statement, ...]:
        """Republication credits first."""
        return self.republication + self.wire

    @property
    def ids(self) -> frozenset[int]:
        """Every publisher that a republication or wire credit names."""
        return self.republication_ids | self.wire_ids


def place_of(credit: Credit, length: int) -> Place:
    """Where in the text a credit stands. In a short text the nearer end counts."""
    if credit.start is None or credit.end is None:
        return "field"
    before, after = credit.start, length - credit.end
    if min(before, after) > MARGIN:
        return "middle"
    return "top" if before <= after else "end"


def is_telling(credit: Credit) -> bool:
    """Whether a credit's line says more than whom it names."""
    rest = ADDRESS.sub(" ", credit.text)
    if credit.name:
        rest = rest.replace(credit.name, " ")
    return int(tokenise(rest).weights.sum()) > FEW_WORDS * WORD_WEIGHT


def statements_of(version: Version) -> Statements:
    """Credits sorted by what they say; those that name the version's own publisher say nothing of a source."""
    length = len(version.texts[0])

    def of_kind(kind: str) -> tuple[Statement, ...]:
        found = []
        for resolved in version.credits:
            number = resolved.publisher_id
            if resolved.credit.kind == kind and number is not None and number != version.publisher_id:
                credit, line = resolved.credit, " ".join(resolved.credit.text.split())
                found.append(Statement(credit, number, place_of(credit, length), line, is_telling(credit)))
        return tuple(found)

    republication, wire, hats = of_kind("republication"), of_kind("wire"), of_kind("hat-tip")
    return Statements(
        republication,
        wire,
        frozenset(s.publisher_id for s in republication),
        frozenset(s.publisher_id for s in wire),
        frozenset(s.publisher_id for s in hats),
        own_wire=any(_is_own_wire(version, c) for c in version.credits),
    )


def _is_own_wire(version: Version, resolved: ResolvedCredit) -> bool:
    return resolved.credit.kind == "wire" and resolved.publisher_id == version.publisher_id
