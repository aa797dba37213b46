"""A trace in the words of others: W3C PROV-JSON for whoever reasons about provenance, schema.org JSON-LD for whoever reads news pages.

PROV-JSON: https://www.w3.org/submissions/prov-json/, PROV-DM: https://www.w3.org/TR/prov-dm/, schema.org: https://schema.org/NewsArticle.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any
from urllib.parse import quote

from prov.identifier import QualifiedName
from prov.model import PROV, ProvDocument

from syndtrack import __version__
from syndtrack.reports.chain import CreditRecord, NodeRecord, TraceRecord
from syndtrack.urls import is_http, registrable_domain

CONTEXT = "https://schema.org"

# An observed article is named by its address itself: `https` is a prefix for "https:", so graphs made apart have the article in common.
NAMESPACES = {"http": "http:", "https": "https:", "dcterms": "http://purl.org/dc/terms/", "syndtrack": "urn:syndtrack:"}
IN_URI = "/?#[]@!$&'()*+,;=:%"  # RFC 3986, 2.2, and escapes; all else is escaped, for PROV's notations take fewer characters than browsers
STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")

Attributes = list[tuple[QualifiedName, Any]]


def prov_json(record: TraceRecord, *, ran: datetime, parameters: Mapping[str, object]) -> dict[str, Any]:
    """The trace as PROV-JSON: who published what, what derives from what and how sure that is, and the run that found out.

    `ran` is when the trace was made, `parameters` what its fingerprints were made with.
    """
    graph = _Graph()
    article = graph.entity(record["article"])
    nodes = [graph.entity(node, copy) for node, copy in _with_copies(record["chain"])]
    copies = [graph.entity(copy) for copy in record["copies"]]  # before the edges, which know less of the articles they name
    for edge in record["edges"]:
        graph.derivation(edge, article if edge["copy"] == record["article"]["url"] else graph.entity(_node(edge["copy"], "")))
    for copied in copies:
        graph.document.derivation(copied, article)
    graph.revisions(article, record.get("revisions", []))
    graph.quotations(record)
    if nodes[1:]:
        graph.document.primary_source(article, nodes[-1])
    graph.run(record, ran, parameters)
    exported: dict[str, Any] = json.loads(graph.document.serialize(format="json") or "")
    return exported


class _Graph:
    """A PROV document in which each thing is described once, however often it is mentioned."""

    def __init__(self) -> None:
        self.document = ProvDocument()
        self._namespaces = {prefix: self.document.add_namespace(prefix, uri) for prefix, uri in NAMESPACES.items()}
        self._known: set[QualifiedName] = set()
        self._observed: list[QualifiedName] = []

    def own(self, name: str) -> QualifiedName:
        """A name in our own namespace."""
        return self._namespaces["syndtrack"][name]

    def entity(self, node: NodeRecord, copy: str | None = None, role: str = "source") -> QualifiedName:
        """The entity of a node. An unobserved one is told from its publisher's others by the copy it was named in, and as what."""
        name = self._name(node, copy, role)
        if name in self._known:
            return name
        self._known.add(name)
        title = node["title"] or (node["publisher"] if node["observed"] else f"unobserved article of {node['publisher']}")
        attributes: Attributes = [(PROV["label"], title), (self.own("observed"), node["observed"])]
        if node["url"] is not None:
            attributes.append((self.own("url"), node["url"]))
        if node["published"] is not None:
            attributes.append((self._namespaces["dcterms"]["issued"], datetime.fromisoformat(node["published"])))
        if node["first_seen"] is not None:
            attributes.append((self.own("firstSeen"), datetime.fromisoformat(node["first_seen"])))
        self.document.entity(name, attributes)
        if not _is_own_text(node):
            self.document.attribution(name, self._publisher(node["publisher"]))
        if node["observed"]:
            self._observed.append(name)
        return name

    def _name(self, node: NodeRecord, copy: str | None, role: str) -> QualifiedName:
        """What identifies a node."""
        if node["url"] is not None and is_http(node["url"]):
            scheme, _, rest = node["url"].partition(":")
            return self._namespaces[scheme.lower()][STRAY_PERCENT.sub("%25", quote(rest, safe=IN_URI, errors="replace"))]
        place = blake2b(f"{role} {copy} {node['url']}".encode(errors="replace"), digest_size=8).hexdigest()
        if _is_own_text(node):
            return self.own(f"text/{place}")
        return self.own(f"unobserved/{quote(node['publisher'], safe='', errors='replace')}/{place}")

    def _publisher(self, publisher: str) -> QualifiedName:
        """The agent that a publisher is."""
        name = self.own(f"publisher/{quote(publisher, safe='', errors='replace')}")
        if name not in self._known:
            self._known.add(name)
            self.document.agent(name, [(PROV["type"], PROV["Organization"]), (PROV["label"], publisher)])
        return name

    def derivation(self, edge: Mapping[str, Any], copy: QualifiedName) -> None:
        """An edge from a copy, with what speaks for it."""
        attributes: Attributes = [
            (self.own("confidence"), float(edge["confidence"])),
            (self.own("kind"), edge["kind"]),
            (self.own("credited"), bool(edge["credited"])),
        ]
        if edge["credited_to"]:
            attributes.append((self.own("creditedTo"), edge["credited_to"]))
        attributes += [(self.own("evidence"), f"{e['kind']}: {e['text']}") for e in edge["evidence"]]
        self.document.derivation(copy, self.entity(_source(edge), edge["copy"]), other_attributes=attributes)

    def revisions(self, article: QualifiedName, revisions: Sequence[Mapping[str, Any]]) -> None:
        """The texts that the article has had, each a revision of the one before; nothing where there was only one."""
        before = None
        for revision in revisions if len(revisions) > 1 else ():
            place = blake2b(f"{article.uri} {revision['text_hash']}".encode(errors="replace"), digest_size=8).hexdigest()
            seen = datetime.fromisoformat(revision["first_seen"])
            name = self.own(f"revision/{place}")
            self.document.entity(name, [(PROV["label"], revision["title"]), (self.own("firstSeen"), seen)])
            self.document.specialization(name, article)
            if before is not None:
                self.document.revision(name, before)
            before = name

    def quotations(self, record: TraceRecord) -> None:
        """Whose reporting the article quotes: for each of them the words that say so."""
        article, url = self.entity(record["article"]), record["article"]["url"]
        words: dict[QualifiedName, list[str]] = {}
        for cited in _cited(record):
            words.setdefault(self.entity(cited[0], url, "cited"), []).append(cited[1])
        for entity, texts in words.items():
            self.document.quotation(article, entity, other_attributes=[(self.own("credit"), text) for text in texts])

    def run(self, record: TraceRecord, ran: datetime, parameters: Mapping[str, object]) -> None:
        """The run that traced the article: what it looked at, with which parameters, and the trace that it made."""
        ran = ran.replace(microsecond=0)
        place = blake2b(f"{record['article']['url']} {ran.isoformat()}".encode(errors="replace"), digest_size=8).hexdigest()
        settings: Attributes = [(self.own(name), v if isinstance(v, (int, float, str)) else str(v)) for name, v in parameters.items()]
        run = self.document.activity(self.own(f"run/{place}"), ran, None, [(PROV["label"], "tracing of one article"), *settings])
        software = self.document.agent(
            self.own(f"software/{__version__}"), [(PROV["type"], PROV["SoftwareAgent"]), (PROV["label"], f"syndtrack {__version__}")]
        )
        self.document.association(run, software)
        for entity in self._observed:
            self.document.usage(run, entity)
        facts: Attributes = [(PROV["label"], "trace"), (self.own("independentOrigins"), record["independent_origins"])]
        trace = self.document.entity(self.own(f"trace/{place}"), facts)
        self.document.generation(trace, run, ran)
        self.document.attribution(trace, software)


def schema_jsonld(record: TraceRecord) -> dict[str, Any]:
    """The article as a schema.org NewsArticle, based on its immediate sources, which are based on theirs.

    `citation` is whose reporting it quotes, `creditText` the words that say where the text comes from, `sourceOrganization` an origin that
    is an agency or known by name only.
    """
    article = _news_article(record["article"])
    based = _based_on(record, 0)
    if based:
        article["isBasedOn"] = based
    citations = {json.dumps(work): work for work in (_work(node) for node, _ in _cited(record))}
    if citations:
        article["citation"] = list(citations.values())
    if len(record["chain"]) > 1 and (not record["origin"]["observed"] or record["origin"]["publisher"] in _agencies(record)):
        article["sourceOrganization"] = _organization(record["origin"]["publisher"])
    texts = dict.fromkeys(" ".join(c["text"].split()) for c in record["credits"] if c["kind"] in ("republication", "wire"))
    if texts:
        article["creditText"] = "; ".join(texts)
    return {"@context": CONTEXT, **article}


def _based_on(record: TraceRecord, place: int) -> list[dict[str, Any]]:
    """The sources of one link of the chain; the one the chain follows comes first and tells its own."""
    chain = record["chain"]
    if place + 1 == len(chain):
        return []
    followed = chain[place + 1]
    works = [_work(followed)]
    if further := _based_on(record, place + 1):
        works[0]["isBasedOn"] = further
    for edge in record["edges"]:
        source = _source(edge)
        if edge["copy"] == chain[place]["url"] and (source["url"], source["publisher"]) != (followed["url"], followed["publisher"]):
            works.append(_work(source))
    return works


def _agencies(record: TraceRecord) -> set[str | None]:
    """Publishers that the article or a link of its chain names as an agency."""
    named = {c["publisher"] for c in record["credits"] if c["kind"] == "wire"}
    return named | {e["source_publisher"] for e in record["edges"] if any(v["kind"] == "wire" for v in e["evidence"])}


def _news_article(node: NodeRecord) -> dict[str, Any]:
    """A node without its sources; what is not known is left out."""
    stated = {"@id": node["url"], "url": node["url"], "headline": node["title"], "datePublished": node["published"]}
    named: dict[str, Any] = {name: value for name, value in stated.items() if value is not None}
    if not _is_own_text(node):
        named["publisher"] = _organization(node["publisher"])
    return {"@type": "NewsArticle", **named}


def _is_own_text(node: NodeRecord) -> bool:
    """Whether a node is the text that was looked up without being stored: of whoever publishes it nothing is known."""
    return node["observed"] and node["url"] is None


def _work(node: NodeRecord) -> dict[str, Any]:
    """A source: of one that nobody has seen it is not known whether it is an article."""
    return _news_article(node) if node["observed"] else {**_news_article(node), "@type": "CreativeWork"}


def _organization(name: str) -> dict[str, str]:
    return {"@type": "Organization", "name": name}


def _with_copies(chain: list[NodeRecord]) -> Iterator[tuple[NodeRecord, str | None]]:
    """Each link of a chain with the address of the one that copied it."""
    yield from zip(chain, [None, *(node["url"] for node in chain)], strict=False)


def _source(edge: Mapping[str, Any]) -> NodeRecord:
    """The source of an edge as far as the edge tells."""
    return _node(edge["source"], edge["source_publisher"] or "")


def _node(url: str | None, publisher: str, *, observed: bool | None = None) -> NodeRecord:
    """A node of which only address and publisher are known; observed, unless told otherwise, where it has an address."""
    known = url is not None if observed is None else observed
    return NodeRecord(url=url, publisher=publisher, title=None, published=None, first_seen=None, observed=known)


def _cited(record: TraceRecord) -> list[tuple[NodeRecord, str]]:
    """Whose reporting the article quotes, each with the words that say so; the same publisher may come several times."""
    return [(_cited_node(c), c["text"]) for c in record["credits"] if c["kind"] == "cited" and (c["publisher"] or c["url"])]


def _cited_node(credit: CreditRecord) -> NodeRecord:
    """What a credit cites."""
    url = credit["url"] if credit["url"] is not None and is_http(credit["url"]) else None
    return _node(url, credit["publisher"] or registrable_domain(credit["url"] or ""), observed=False)
