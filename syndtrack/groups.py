"""Connected groups of articles, as tracing gets them: what pairs of texts and a person's word join, loaded from the store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from sys import maxsize

from syndtrack.models import Match, Version
from syndtrack.provenance.tracing import StoryTrace, trace_story
from syndtrack.provenance.verdicts import Verdicts
from syndtrack.publishers import Registry
from syndtrack.store.store import Store
from syndtrack.store.verdicts import Names


@dataclass(frozen=True, slots=True)
class Group:
    """One connected group of articles as tracing gets it."""

    versions: tuple[Version, ...]
    matches: Mapping[tuple[int, int], Match]
    publishers: Registry
    verdicts: Verdicts

    def trace(self, versions: Sequence[Version]) -> StoryTrace:
        """Its edges, were its articles these."""
        return trace_story(versions, self.matches, self.publishers, self.verdicts)


def groups(store: Store, components: Sequence[Sequence[int]], registry: Registry, names: Names) -> Iterator[Group]:
    """Connected groups of articles, loaded together. `names` resolve what verdicts name."""
    everyone = [a for each in components for a in each]
    verdicts = store.verdicts.of(everyone, names)
    versions = {v.article_id: v for v in store.edges.versions(everyone)}
    home = {a: n for n, each in enumerate(components) for a in each}
    pairs: dict[int, dict[tuple[int, int], Match]] = {}
    for pair, match in store.matches.among(everyone).items():
        pairs.setdefault(home[pair[0]], {})[pair] = match
    for number, component in enumerate(components):
        yield Group(tuple(versions[a] for a in component if a in versions), pairs.get(number, {}), registry, verdicts)


def group_of(store: Store, article_id: int, check: Callable[[Sequence[int]], None]) -> Group:
    """The connected group that an article is in, to be traced again in memory, if `check` of its articles does not raise."""
    registry = store.publishers.registry()
    articles = connected(store, article_id, registry)
    check(articles)
    return next(groups(store, [articles], registry, registry))


def connected(store: Store, article_id: int, names: Names, enough: int = maxsize) -> list[int]:
    """All articles that pairs of texts or confirmed pairs join to one, itself included; of more than are `enough` only some more."""
    found, new = set[int](), {article_id}
    while new:
        before = frozenset(found)
        for article in sorted(new):
            if article not in found:
                found |= store.matches.component(article, enough)
        if len(found) > enough:
            break
        fresh = found - before
        new = _linked(fresh, store.verdicts.of(fresh, names).links()) - found
    return sorted(found)


def _linked(articles: Iterable[int], links: Mapping[int, Iterable[int]]) -> set[int]:
    """Some articles and those that links join to them, however many away: to ask for each anew took 82 s for a row of 400."""
    found = set(articles)
    pending = list(found)
    while pending:
        more = set(links.get(pending.pop(), ())) - found
        found |= more
        pending += more
    return found
