"""Chains, origins, copies and stories, read off the edges of traced articles. Edges come from one or more whole stories."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from syndtrack.models import Edge


@dataclass(frozen=True, slots=True)
class Node:
    """A link of a chain: an article, or (`article_id` None) a publisher whose article was not observed."""

    article_id: int | None
    publisher_id: int | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """Articles joined by edges, and how many texts of separate origin they go back to: ten papers with one agency text have one."""

    articles: frozenset[int]
    independent_origins: int


def source_of(edge: Edge) -> Node:
    """The node that an edge comes from; of an observed article the id alone identifies it."""
    return Node(edge.source) if edge.source is not None else Node(None, edge.source_publisher)


def best_edges(edges: Iterable[Edge]) -> dict[int, Edge]:
    """For each copy its most confident edge; of equals the first."""
    best: dict[int, Edge] = {}
    for edge in edges:
        if edge.copy not in best or edge.confidence > best[edge.copy].confidence:
            best[edge.copy] = edge
    return best


def chain(article_id: int, edges: Iterable[Edge]) -> tuple[Node, ...]:
    """From an article back to its earliest known form along the most confident edges: the article first, the origin last."""
    best = best_edges(edges)
    nodes = [Node(article_id)]
    visited = {article_id}
    while (at := nodes[-1].article_id) is not None and at in best:
        source = source_of(best[at])
        if source.article_id in visited:
            break
        if source.article_id is not None:
            visited.add(source.article_id)
        nodes.append(source)
    return tuple(nodes)


def origin(article_id: int, edges: Iterable[Edge]) -> Node:
    """The end of the chain; the article itself if it has no source."""
    return chain(article_id, edges)[-1]


def copies(article_id: int, edges: Iterable[Edge]) -> tuple[int, ...]:
    """Every article that derives from an article, directly or by hops, nearest first and in the order of the edges."""
    below: dict[int, list[int]] = defaultdict(list)
    for edge in edges:
        if edge.source is not None:
            below[edge.source].append(edge.copy)
    found = [article_id]
    known = {article_id}
    for at in found:
        for copy in below[at]:
            if copy not in known:
                known.add(copy)
                found.append(copy)
    return tuple(found[1:])


def stories(edges: Sequence[Edge]) -> tuple[Story, ...]:
    """Articles that edges join, with unobserved sources of one name as one node; in the order of their first edge.

    Shared passages join nothing: only edges do. Articles without any edge are not listed.
    """
    leader: dict[Node, Node] = {}

    def lead(node: Node) -> Node:
        leader.setdefault(node, node)
        while leader[node] != node:
            leader[node] = leader[leader[node]]
            node = leader[node]
        return node

    derived = set()
    for edge in edges:
        derived.add(Node(edge.copy))
        leader[lead(Node(edge.copy))] = lead(source_of(edge))
    members: dict[Node, list[Node]] = defaultdict(list)
    for node in leader:
        members[lead(node)].append(node)
    return tuple(_story(nodes, derived) for nodes in members.values())


def _story(nodes: Sequence[Node], derived: set[Node]) -> Story:
    return Story(frozenset(n.article_id for n in nodes if n.article_id is not None), sum(n not in derived for n in nodes))


def independent_origins(edges: Sequence[Edge]) -> int:
    """How many texts of separate origin the articles of these edges go back to."""
    return sum(story.independent_origins for story in stories(edges))
