"""The provenance of one article, as a record: what `trace` prints, pages show and exports are made from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict

from syndtrack.models import Credit, Reading, Removal, kept_text
from syndtrack.publishers import Registry
from syndtrack.reports.formats import one_line
from syndtrack.store.lookups import Lookups, Row
from syndtrack.store.times import to_text
from syndtrack.urls import registrable_domain

if TYPE_CHECKING:
    from syndtrack.reports.explain import ExplanationRecord

MAX_CHAIN = 50  # hops; the longest chain seen in the wild is far below


class NodeRecord(TypedDict):
    """One link of a chain."""

    url: str | None
    publisher: str
    title: str | None
    published: str | None
    first_seen: str | None
    observed: bool


class CreditRecord(TypedDict):
    """A stated source."""

    kind: str
    publisher: str | None
    url: str | None
    text: str
    start: int | None
    end: int | None


class RemovalRecord(TypedDict):
    """What cleaning cut."""

    rule: str
    text: str
    start: int
    end: int


class LikelyRecord(TypedDict):
    """An answer for an article that was left undecided; of no source both names are None."""

    source: str | None
    publisher: str | None
    probability: float


class TraceRecord(TypedDict):
    """All that is known of where an article comes from and where it went.

    `judgement`: `ok`, `too little text`, or None of an article that waits to be traced for the first time. `opening`: the first line of a
    text that has no headline and is not stored. `undecided`: the likeliest answers for the chain's end, where it is no origin but none of
    them is sure enough.
    """

    article: NodeRecord
    chain: list[NodeRecord]
    origin: NodeRecord
    edges: list[dict[str, Any]]
    copies: list[NodeRecord]
    credits: list[CreditRecord]
    removals: list[RemovalRecord]
    independent_origins: int
    judgement: str | None
    opening: NotRequired[str]
    undecided: NotRequired[list[LikelyRecord]]
    revisions: NotRequired[list[dict[str, Any]]]
    explanation: NotRequired[list[ExplanationRecord]]


class InspectRecord(TypedDict):
    """What one article says of itself; `url` is None where the file does not state it."""

    url: str | None
    title: str
    published: str | None
    text: str
    credits: list[CreditRecord]
    removals: list[RemovalRecord]
    cleaned: str


def inspect_record(
    url: str | None, reading: Reading, credits: Sequence[Credit], removals: Sequence[Removal], registry: Registry
) -> InspectRecord:
    """A reading with its credits resolved by a registry."""
    text = reading.text
    stated = []
    for c in credits:
        found = registry.named(c.name) if c.name else registry.at(c.url) if c.url else None
        publisher = registry[found].name if found is not None else c.name or (registrable_domain(c.url) if c.url else None)
        stated.append(CreditRecord(kind=c.kind, publisher=publisher, url=c.url, text=c.text, start=c.start, end=c.end))
    return InspectRecord(
        url=url,
        title=reading.title,
        published=None if reading.published is None else to_text(reading.published),
        text=text,
        credits=stated,
        removals=[RemovalRecord(rule=r.rule, text=text[r.start : r.end], start=r.start, end=r.end) for r in removals],
        cleaned=kept_text(text, removals),
    )


def node_record(row: Row) -> NodeRecord:
    """An observed article as a node."""
    return NodeRecord(
        url=row["url"],
        publisher=row["publisher"],
        title=row["title"],
        published=row["published"],
        first_seen=row["first_seen"],
        observed=True,
    )


def without_address(record: TraceRecord, lookups: Lookups, article_id: int) -> TraceRecord:
    """The record of an article as that of a text that is not stored: it has neither address nor publisher, and may have no headline."""
    here = record["article"]["url"]
    nameless = NodeRecord(**(record["article"] | {"url": None, "publisher": "(this text)"}))
    chain = [nameless, *record["chain"][1:]]
    edges = [edge | {"copy": None} if edge["copy"] == here else edge for edge in record["edges"]]
    bare = TraceRecord(**(record | {"article": nameless, "chain": chain, "origin": chain[-1], "edges": edges}))
    if not nameless["title"]:
        bare["opening"] = one_line(lookups.text(lookups.node(article_id)["revision_id"]).strip().split("\n", 1)[0])
    if "explanation" in record:
        from syndtrack.reports.explain import addressless  # noqa: PLC0415 - few ask for it, and tracing takes 0.1 s to import

        bare["explanation"] = addressless(record["explanation"], here)
    return bare


def unobserved(publisher: str) -> NodeRecord:
    """A source that is known by name only."""
    return NodeRecord(url=None, publisher=publisher, title=None, published=None, first_seen=None, observed=False)


def chain_path(lookups: Lookups, article_id: int) -> tuple[list[int], str | None]:
    """The observed articles of a chain, the article first, and the publisher known by name only that it ends in, if it does."""
    path = [article_id]
    while len(path) < MAX_CHAIN:
        edge = lookups.best_edge(path[-1])
        if edge is None or edge["source_id"] in path:
            break
        if edge["source_id"] is None:
            return path, edge["source_publisher"]
        path.append(edge["source_id"])
    return path, None


def trace_record(lookups: Lookups, article_id: int) -> TraceRecord:
    """The chain of a stored article, with the edges along it."""
    article = lookups.node(article_id)
    path, named = chain_path(lookups, article_id)
    chain = [node_record(lookups.node(a)) for a in path]
    place = {node["url"]: n for n, node in enumerate(chain)}
    if named is not None:
        chain.append(unobserved(named))
    revision = article["revision_id"]
    record = TraceRecord(
        article=chain[0],
        chain=chain,
        origin=chain[-1],
        edges=sorted(lookups.edges(copies=path), key=lambda e: (place[e["copy"]], -e["confidence"])),
        copies=[node_record(lookups.node(a)) for a in lookups.copies_of(article_id)],
        credits=[CreditRecord(**{k: c[k] for k in CreditRecord.__annotations__}) for c in lookups.credits(revision)],  # type: ignore[typeddict-item] # the keys are the class's own
        removals=[RemovalRecord(**r) for r in lookups.removals(revision)],  # type: ignore[typeddict-item] # a row of just these
        independent_origins=lookups.independent_origins(article["story_id"]),
        judgement=None if len(chain) == 1 and lookups.waits(article_id) else lookups.judgement(revision),
    )
    if named is None and (likely := lookups.undecided(path[-1])):
        record["undecided"] = [LikelyRecord(**answer) for answer in likely]  # type: ignore[typeddict-item] # a row of just these
    revisions = lookups.revisions(article_id)
    if len(revisions) > 1:
        record["revisions"] = revisions
    return record
