"""Publishers by any of their names: what turns "(AFP)", "zerohedge.com" or "The Daily Post" into one publisher.

A name resolves when its folded form belongs to exactly one publisher. Two publishers with one alias make that alias ambiguous, and an
ambiguous name stays unresolved rather than guessed.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property

from syndtrack.models import Publisher
from syndtrack.urls import host_of

DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,24}")

# Persian writes two Arabic letters with code points of its own; names come in either.
PERSIAN = str.maketrans("یک", "يك")

LONGEST_NAME = 2_000  # what is longer is no name; marks are put in order one by one, which takes seconds for 60,000 of them


def fold(name: str) -> str:
    """A name's letters and digits in lower case, without accents, spaces, punctuation or a leading English article; of its start."""
    text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name[:LONGEST_NAME]).casefold()).translate(PERSIAN).strip()
    text = re.sub(r"^(?:https?://)?(?:www\.)?", "", text).removeprefix("the ")
    return "".join(c for c in text if c.isalnum())


class Registry:
    """Look-ups over a fixed set of publishers, keyed by their ids in the store.

    Names are indexed when one is first asked for: tracing asks for ids only, after each poll that brought something, and to fold the
    names of 50,000 publishers takes seconds.
    """

    def __init__(self, publishers: Mapping[int, Publisher]) -> None:
        self._publishers = publishers

    @cached_property
    def _named(self) -> Mapping[str, set[int]]:
        named: dict[str, set[int]] = defaultdict(set)
        for number, publisher in self._publishers.items():
            for name in (publisher.name, *publisher.aliases):
                if folded := fold(name):  # a name of signs only is nobody's
                    named[folded].add(number)
        return named

    @cached_property
    def _hosts(self) -> Mapping[str, int]:
        return {domain.removeprefix("www."): number for number, publisher in self._publishers.items() for domain in publisher.domains}

    def __getitem__(self, publisher_id: int) -> Publisher:
        return self._publishers[publisher_id]

    def __iter__(self) -> Iterator[int]:
        return iter(self._publishers)

    def __len__(self) -> int:
        return len(self._publishers)

    def named(self, name: str) -> int | None:
        """The one publisher of that name, alias or domain; None if unknown or ambiguous."""
        text = name.strip().casefold()
        if DOMAIN.fullmatch(text.removeprefix("www.")) and (found := self.at(text)) is not None:
            return found
        found_ids = self._named.get(fold(name), set())
        return next(iter(found_ids)) if len(found_ids) == 1 else None

    def is_ambiguous(self, name: str) -> bool:
        """Whether several publishers go by that name."""
        return len(self._named.get(fold(name), ())) > 1

    def at(self, url_or_host: str) -> int | None:
        """The publisher of an address: the longest registered domain that the host is or lies under."""
        host = host_of(url_or_host).removeprefix("www.")
        while host:
            if host in self._hosts:
                return self._hosts[host]
            _, _, host = host.partition(".")
        return None

    def is_agency(self, name: str) -> bool:
        """Whether a name stands for exactly one publisher, and that is a news agency."""
        found = self.named(name)
        return found is not None and self._publishers[found].kind == "agency"
