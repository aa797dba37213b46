"""A person's word on sources, kept apart from what is computed: which verdicts hold, and what they leave a story to choose from.

A confirmed pair is an edge, a rejected one never is (the next best answer may win), an origin has no source. Of verdicts on one copy that
contradict each other the one given later holds; of confirmed pairs that would form a cycle the one that closes it, in the order they were
given, does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from syndtrack.models import Edge, EvidenceKind, VerdictKind
from syndtrack.provenance.features import Option, Story
from syndtrack.provenance.trees import OUTSIDE

CONTRADICTED = "a later verdict says otherwise"
CIRCLE = "it would close a circle: by confirmed pairs the source derives from the copy"
ITSELF = "an article is no copy of itself"

# An article's id where it is stored, else the key of its address.
Node = int | str


@dataclass(frozen=True, slots=True)
class Word:
    """A verdict with what its addresses and names stand for.

    `source` is an article; `publisher_id` the one named, or else the one whose article the source is, where that is known.
    """

    says: VerdictKind
    copy: Node
    source: Node | None = None
    publisher_id: int | None = None


def contradict(a: Word, b: Word) -> bool:
    """Whether both cannot hold. Several confirmed sources of one copy can: it may merge them."""
    return not set(_opposites(a)).isdisjoint(_claims(b))


def _claims(word: Word) -> list[tuple[object, ...]]:
    """What a verdict says of its copy: of its having a source at all, of one article, of one publisher."""
    claims: list[tuple[object, ...]] = [(word.copy, "confirm", "any")] if word.says == "confirm" else []
    if word.says == "origin":
        return [(word.copy, "origin")]
    if word.source is not None:
        claims.append((word.copy, word.says, "article", word.source))
    if word.publisher_id is not None and (word.source is None or word.says == "confirm"):
        claims.append((word.copy, word.says, "publisher", word.publisher_id))
    return claims


def _opposites(word: Word) -> list[tuple[object, ...]]:
    """The claims that a verdict rules out."""
    if word.says == "origin":
        return [(word.copy, "confirm", "any")]
    other = "reject" if word.says == "confirm" else "confirm"
    opposite = [(word.copy, other, *claim[2:]) for claim in _claims(word) if claim[2] != "any"]
    return [(word.copy, "origin"), *opposite] if word.says == "confirm" else opposite


def overruled(words: Sequence[Word]) -> dict[int, tuple[int | None, str]]:
    """The verdicts that do not hold, by their place in `words`, the oldest first: the place of the one in their way, and why."""
    found: dict[int, tuple[int | None, str]] = {}
    latest: dict[tuple[object, ...], int] = {}  # what is said of a copy, by what it may contradict
    for place in range(len(words) - 1, -1, -1):
        word = words[place]
        against = max((latest[key] for key in _opposites(word) if key in latest), default=None)
        if word.source == word.copy:
            found[place] = None, ITSELF
        elif against is not None:
            found[place] = against, CONTRADICTED
        for key in _claims(word):
            latest.setdefault(key, place)
    sources: dict[Node, dict[Node, int]] = {}
    for place, word in enumerate(words):
        if word.says != "confirm" or word.source is None or place in found:
            continue
        way = _way(word.source, word.copy, sources)
        if way is not None:
            found[place] = way, CIRCLE
        else:
            sources.setdefault(word.copy, {})[word.source] = place
    return found


def _way(start: Node, end: Node, sources: Mapping[Node, Mapping[Node, int]]) -> int | None:
    """The place of the last verdict on a way from an article back to another along confirmed pairs; None if there is no way."""
    seen, pending = {start}, [start]
    while pending:
        for source, place in sources.get(pending.pop(), {}).items():
            if source == end:
                return place
            if source not in seen:
                seen.add(source)
                pending.append(source)
    return None


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Those that hold, by copy (the id of a stored article)."""

    confirmed: Mapping[int, tuple[Word, ...]] = field(default_factory=dict)
    rejected: Mapping[int, tuple[Word, ...]] = field(default_factory=dict)
    origins: frozenset[int] = frozenset()

    @classmethod
    def of(cls, words: Sequence[Word]) -> Verdicts:
        """Those of a sequence, the oldest first, that hold and whose copy is stored."""
        out = overruled(words)
        kinds: dict[VerdictKind, dict[int, tuple[Word, ...]]] = {"confirm": {}, "reject": {}, "origin": {}}
        for place, word in enumerate(words):
            if place not in out and isinstance(word.copy, int):
                of_kind = kinds[word.says]
                of_kind[word.copy] = (*of_kind.get(word.copy, ()), word)
        return cls(kinds["confirm"], kinds["reject"], frozenset(kinds["origin"]))

    def links(self) -> dict[int, set[int]]:
        """For each stored article those that confirmed pairs join it to, on either side."""
        found: dict[int, set[int]] = {}
        for copy, words in self.confirmed.items():
            for source in (w.source for w in words if isinstance(w.source, int)):
                found.setdefault(copy, set()).add(source)
                found.setdefault(source, set()).add(copy)
        return found

    def propose(self, story: Story) -> None:
        """Make confirmed sources candidates of their copies, also where the texts alone propose none: so they have their evidence."""
        if not self.confirmed:
            return
        places = {v.article_id: i for i, v in enumerate(story.versions)}
        for article, place in places.items():
            words = self.confirmed.get(article, ())
            said = {places[w.source] for w in words if isinstance(w.source, int) and w.source in places}
            story.candidates[place] = sorted({*story.candidates[place], *said})

    def allowed(self, story: Story, copy: int, options: list[Option]) -> list[Option]:
        """Of the answers for one version those that no verdict rules out. There is always one."""
        article = story.versions[copy].article_id
        if article in self.origins:
            return [o for o in options if o.head == OUTSIDE and o.publisher_id is None]
        if article in self.confirmed and (said := self._said(story, copy, options)):
            return said
        if article in self.rejected:
            return [o for o in options if not self.rejects(story, copy, o)]
        return options

    def ruled_out(self, story: Story, copy: int) -> tuple[tuple[int | None, int | None, VerdictKind], ...]:
        """The sources that would have been weighed for one version, had a person not said otherwise: article, publisher, what was said."""
        article = story.versions[copy].article_id
        if not (article in self.origins or article in self.confirmed or article in self.rejected):
            return ()
        options = story.options(copy, story.likely_witnesses(copy))
        left = {id(o) for o in self.allowed(story, copy, options)}
        gone = [o for o in options if id(o) not in left and _ends(story, o) != (None, None)]
        says: VerdictKind = "origin" if article in self.origins else "confirm" if article in self.confirmed else "reject"
        return tuple((*_ends(story, o), "reject" if self.rejects(story, copy, o) else says) for o in gone)

    def rejects(self, story: Story, copy: int, option: Option) -> bool:
        """Whether an answer was rejected."""
        source, publisher_id = _ends(story, option)
        words = self.rejected.get(story.versions[copy].article_id, ())
        return any(source == w.source if w.source is not None else publisher_id == w.publisher_id is not None for w in words)

    def _said(self, story: Story, copy: int, options: Sequence[Option]) -> list[Option]:
        """The answers that were confirmed."""
        places = {v.article_id: i for i, v in enumerate(story.versions)}
        article = story.versions[copy].article_id
        circular = self._copies_of(article)
        found: dict[tuple[int, int | None], Option] = {}
        for word in self.confirmed[article]:
            if isinstance(word.source, int) and word.source in places:
                place = places[word.source]
                some = [o for o in options if o.head == place]
            else:
                seen = [o for o in options if word.source is None and o.head != OUTSIDE and not self.rejects(story, copy, o)]
                some = [o for o in seen if _ends(story, o)[1] == word.publisher_id and _ends(story, o)[0] not in circular]
                if not some and word.publisher_id is not None:
                    some = [o for o in options if o.head == OUTSIDE and o.publisher_id == word.publisher_id]
                    some = some or [Option(OUTSIDE, word.publisher_id, {"hidden": 1.0})]
            found |= {(o.head, o.publisher_id): o for o in some}
        return list(found.values())

    def opened(self, story: Story, options: Sequence[list[Option]]) -> list[list[Option]]:
        """The answers for all versions, so that there is a choice without a cycle among them.

        Confirmed articles leave one, for no circle of them holds. Confirmed names may mean articles that derive from each other: where
        nothing else is left, the publisher's own article was not observed.
        """
        if not self.confirmed:
            return list(options)
        pending = [i for i, row in enumerate(options) if any(o.head == OUTSIDE for o in row)]
        reached, below = set(pending), [list[int]() for _ in options]
        for i, row in enumerate(options):
            for option in row:
                if option.head != OUTSIDE:
                    below[option.head].append(i)
        while pending:
            new = set(below[pending.pop()]) - reached
            reached |= new
            pending += new
        return [row if i in reached else [*row, *self._unobserved(story, i)] for i, row in enumerate(options)]

    def _unobserved(self, story: Story, copy: int) -> list[Option]:
        """The publishers that were confirmed by name for one version, each without an article."""
        words = self.confirmed.get(story.versions[copy].article_id, ())
        named = dict.fromkeys(w.publisher_id for w in words if w.source is None and w.publisher_id is not None)
        return [Option(OUTSIDE, number, {"hidden": 1.0}) for number in named]

    def _copies_of(self, article: int) -> set[int]:
        """The articles that derive from one by confirmed pairs of articles, near or far; for one confirmed by name, which asks for them."""
        found, pending = set[int](), [article] if any(w.source is None for w in self.confirmed[article]) else []
        while pending:
            source = pending.pop()
            new = {copy for copy, words in self.confirmed.items() if any(w.source == source for w in words)} - found
            found |= new
            pending += new
        return found

    def barred(self, story: Story, copy: int) -> set[int]:
        """The places of the candidates that were rejected for one version."""
        if story.versions[copy].article_id not in self.rejected:
            return set()
        return {u for u in story.candidates[copy] if self.rejects(story, copy, Option(u, None, {}))}

    def confirms(self, story: Story, copy: int, option: Option) -> bool:
        """Whether an answer was confirmed."""
        source, publisher_id = _ends(story, option)
        return any(_is_said(source, publisher_id, w) for w in self.confirmed.get(story.versions[copy].article_id, ()))

    def beside(self, story: Story, copy: int, chosen: Option, others: Iterable[Option]) -> list[Option]:
        """Of the other answers, the best first, those that were confirmed beside the one that was chosen: one for each verdict."""
        found, circular = [chosen], self._copies_of(story.versions[copy].article_id)
        for word in self.confirmed.get(story.versions[copy].article_id, ()):
            ends = ((o, *_ends(story, o)) for o in (*found, *others))
            said = next((o for o, a, p in ends if _is_said(a, p, word) and (word.source is not None or a not in circular)), chosen)
            if all(o is not said for o in found):
                found.append(said)
        return found[1:]

    def marked(self, edge: Edge) -> Edge:
        """The edge, certain and marked where a person confirmed it."""
        said = any(_is_said(edge.source, edge.source_publisher, w) for w in self.confirmed.get(edge.copy, ()))
        return replace(edge, confidence=1.0, verdict="confirmed") if said else edge


def _ends(story: Story, option: Option) -> tuple[int | None, int | None]:
    """The article and the publisher that an answer names."""
    if option.head == OUTSIDE:
        return None, option.publisher_id
    return story.versions[option.head].article_id, story.versions[option.head].publisher_id


def _is_said(source: int | None, publisher_id: int | None, word: Word) -> bool:
    """Whether a source (an article, or only its publisher) is the one confirmed."""
    if isinstance(word.source, int):
        return source == word.source
    return publisher_id is not None and publisher_id == word.publisher_id and (word.source is None or source is None)


# What speaks for a publisher, whichever of its articles is meant.
OF_PUBLISHERS: frozenset[EvidenceKind] = frozenset({"credit", "wire", "feed-source"})


def without_cycles(edges: Sequence[Edge], confirmed: Mapping[int, Sequence[Word]] = MappingProxyType({})) -> list[Edge]:
    """The edges in their order, without those that would close a cycle, the least confident first. What a person confirmed is kept: pairs
    of articles (`confirmed`, by copy) as they are; where the article that a name means would close one, the name means another of its
    publisher, or one that was not observed.

    First sources alone never form one; the further sources of articles that merge several may.
    """
    if len({e.copy for e in edges}) == len(edges) or not _has_cycle(edges):
        return list(edges)
    sources: dict[Node, dict[Node, int]] = {}
    pairs = {(copy, word.source) for copy, words in confirmed.items() for word in words}
    kept: dict[int, Edge] = {}
    for place in sorted(
        range(len(edges)),
        key=lambda k: ((edges[k].copy, edges[k].source) not in pairs, edges[k].verdict is None, -edges[k].confidence, k),
    ):
        edge = edges[place]
        if edge.source is None or _way(edge.source, edge.copy, sources) is None:
            kept[place] = edge
            if edge.source is not None:
                sources.setdefault(edge.copy, {})[edge.source] = place
    for place, edge in enumerate(edges):
        if place in kept or edge.verdict is None:
            continue
        others = [k for k, e in kept.items() if (e.copy, e.source_publisher) == (edge.copy, edge.source_publisher)]
        if not others:
            kept[place] = replace(edge, source=None, kind="edited", evidence=tuple(e for e in edge.evidence if e.kind in OF_PUBLISHERS))
        elif all(kept[k].verdict is None for k in others):
            kept[min(others)] = replace(kept[min(others)], confidence=1.0, verdict=edge.verdict)
    return [kept[k] for k in sorted(kept)]


def _has_cycle(edges: Iterable[Edge]) -> bool:
    """Whether some article derives from itself (Kahn's algorithm)."""
    waits: dict[int, int] = {}
    copies: dict[int, list[int]] = {}
    for edge in edges:
        if edge.source is not None:
            waits[edge.copy] = waits.get(edge.copy, 0) + 1
            copies.setdefault(edge.source, []).append(edge.copy)
    free = [a for a in copies if a not in waits]
    while free:
        for copy in copies.get(free.pop(), ()):
            waits[copy] -= 1
            if not waits[copy]:
                free.append(copy)
    return any(waits.values())
