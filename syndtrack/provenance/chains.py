"""Stories, read off the edges of traced articles. Chains are read off stored edges (reports/chain.py, the view `chain`)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
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
