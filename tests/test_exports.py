"""Exports of a trace: read back by the libraries of others, they must say what the trace says."""

import json
import re
import warnings
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import networkx
import pydot
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prov.model import PROV, ProvAgent, ProvAttribution, ProvDerivation, ProvDocument, ProvEntity, ProvSpecialization
from pyld import jsonld
from test_flow import AGENCY, AGGREGATOR, BLOG

from syndtrack import __version__
from syndtrack.config import Settings
from syndtrack.errors import UsageError
from syndtrack.matching.fingerprint import PARAMETERS
from syndtrack.reports.chain import CreditRecord, NodeRecord, TraceRecord
from syndtrack.reports.exports import prov_json, schema_jsonld
from syndtrack.reports.graphs import StoryGraph, dot, graphml
from syndtrack.tracker import Tracker

RAN = datetime(2026, 3, 3, 9, 30, 15, 250_000, tzinfo=UTC)
OWN = "urn:syndtrack:"
# The terms of schema.org that an export may use. What is not here is dropped by a JSON-LD processor, and the test notices.
SCHEMA_TERMS = {
    **{name: f"https://schema.org/{name}" for name in ("NewsArticle", "CreativeWork", "Organization", "name", "publisher")},
    **{name: f"https://schema.org/{name}" for name in ("headline", "datePublished", "sourceOrganization", "creditText")},
    "url": {"@id": "https://schema.org/url", "@type": "@id"},
    "isBasedOn": {"@id": "https://schema.org/isBasedOn", "@container": "@set"},
    "citation": {"@id": "https://schema.org/citation", "@container": "@set"},
}  # fmt: skip


def node(url: str | None, publisher: str, title: str | None = None, published: str | None = None) -> NodeRecord:
    seen = None if url is None else "2026-03-02T09:00:00Z"
    return NodeRecord(url=url, publisher=publisher, title=title, published=published, first_seen=seen, observed=url is not None)


def edge(copy: NodeRecord, source: NodeRecord, **fields: object) -> dict[str, object]:
    stated = {"kind": "edited", "confidence": 0.93, "credited": 1, "credited_to": None, "evidence": []}
    return {
        "copy": copy["url"],
        "source": source["url"],
        "source_publisher": source["publisher"],
        "observed": int(source["observed"]),
        **stated,
        **fields,
    }


def credit(kind: str, publisher: str | None, text: str, url: str | None = None) -> CreditRecord:
    return CreditRecord(kind=kind, publisher=publisher, url=url, text=text, start=None, end=None)


BLOG_NODE = node("https://mole.example/p?id=7", "Mole End Blog", "Basin to close", "2026-03-02T12:00:00Z")
DIGEST_NODE = node("https://digest.example/basin", "The Pilot Digest", "Basin shut", "2026-03-02T10:00:00Z")
AGENCY_NODE = node(None, "Lunnet Wire")
COPY_NODE = node("http://late.example/x", "Late & Last", "Basin: “closed”")


def trace(
    chain: list[NodeRecord], edges: list[dict[str, object]], *credits: CreditRecord, copies: tuple[NodeRecord, ...] = ()
) -> TraceRecord:
    return TraceRecord(
        article=chain[0], chain=chain, origin=chain[-1], edges=edges, copies=list(copies), credits=list(credits), removals=[],
        independent_origins=1, judgement="ok",
    )  # fmt: skip


WIRE = {"kind": "wire", "text": "(Lunnet Wire)", "start": 0, "end": 13, "weight": 2.0}
THREE_HOPS = trace(
    [BLOG_NODE, DIGEST_NODE, AGENCY_NODE],
    [
        edge(BLOG_NODE, DIGEST_NODE),
        edge(DIGEST_NODE, AGENCY_NODE, confidence=0.75, credited=0, credited_to="Somebody Else", evidence=[WIRE]),
    ],
    credit("republication", "The Pilot Digest", "Via  The Pilot\nDigest"),
    credit("cited", "AFP", "according to AFP"),
    credit("cited", "AFP", "told AFP"),
    credit("cited", "Tidings", "Tidings reported", "https://tidings.example/1"),
    credit("cited", None, "nobody knows who said so"),
    credit("media", "AP", "Boats in 2019, via AP"),
    copies=(COPY_NODE,),
)
ALONE = trace([DIGEST_NODE], [])


def read_back(record: TraceRecord) -> ProvDocument:
    """The PROV-JSON as the W3C model's own library reads it; what it would only accept for now fails."""
    exported = prov_json(record, ran=RAN, parameters={"permutations": 128, "version": 1})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return ProvDocument.deserialize(content=json.dumps(exported), format="json")


def own(record, name: str):
    """The only value of an attribute of our own namespace."""
    found = [value for key, value in record.attributes if key.uri == OWN + name]
    assert len(found) == 1, (name, found)
    return found[0]


def derivations(read: ProvDocument, kind=None) -> dict[tuple[str, str], ProvDerivation]:
    """Derivations of one type by the addresses of copy and source."""
    found = {}
    for record in read.get_records(ProvDerivation):
        types = record.get_asserted_types()
        if types == (set() if kind is None else {kind}):
            copy, source = (record.formal_attributes[n][1].uri for n in (0, 1))
            found[copy, source] = record
    return found


def entities(read: ProvDocument) -> dict[str, ProvEntity]:
    found = [e for e in read.get_records(ProvEntity) if "trace/" not in e.identifier.uri]
    assert len({e.identifier for e in found}) == len(found)
    return {e.identifier.uri: e for e in found}


def unobserved(read: ProvDocument, publisher: str) -> str:
    """The address of the one entity without an address of a publisher's."""
    label = f"unobserved article of {publisher}"
    found = [uri for uri, e in entities(read).items() if e.label == label]
    assert len(found) == 1
    return found[0]


def test_every_node_is_an_entity_and_observed_ones_are_named_by_their_addresses():
    read = read_back(THREE_HOPS)
    addresses = {n["url"] for n in (BLOG_NODE, DIGEST_NODE, COPY_NODE)}
    cited = {"https://tidings.example/1"}
    assert {uri for uri in entities(read) if not uri.startswith(OWN)} == addresses | cited
    assert {uri for uri, e in entities(read).items() if own(e, "observed")} == addresses
    assert unobserved(read, "Lunnet Wire") != unobserved(read, "AFP")


def test_an_entity_tells_title_claimed_time_and_observed_time():
    article = entities(read_back(THREE_HOPS))["https://mole.example/p?id=7"]
    assert article.label == "Basin to close"
    assert own(article, "firstSeen") == datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert [v for k, v in article.attributes if k.uri.endswith("/terms/issued")] == [datetime(2026, 3, 2, 12, tzinfo=UTC)]


def test_every_entity_is_attributed_to_its_publisher():
    read = read_back(THREE_HOPS)
    names = {a.identifier: a.label for a in read.get_records(ProvAgent)}
    attributed = {r.formal_attributes[0][1].uri: names[r.formal_attributes[1][1]] for r in read.get_records(ProvAttribution)}
    assert {uri: attributed[uri] for uri in entities(read)} == {
        "https://mole.example/p?id=7": "Mole End Blog",
        "https://digest.example/basin": "The Pilot Digest",
        "http://late.example/x": "Late & Last",
        "https://tidings.example/1": "Tidings",
        unobserved(read, "Lunnet Wire"): "Lunnet Wire",
        unobserved(read, "AFP"): "AFP",
    }


def test_every_edge_is_a_derivation_with_confidence_kind_and_credit():
    read = read_back(THREE_HOPS)
    found = derivations(read)
    agency = unobserved(read, "Lunnet Wire")
    first, second = (
        found.pop(("https://mole.example/p?id=7", "https://digest.example/basin")),
        found.pop(("https://digest.example/basin", agency)),
    )
    assert (own(first, "confidence"), own(first, "kind"), own(first, "credited")) == (0.93, "edited", True)
    assert (own(second, "confidence"), own(second, "credited"), own(second, "creditedTo")) == (0.75, False, "Somebody Else")
    assert own(second, "evidence") == "wire: (Lunnet Wire)"
    assert set(found) == {("http://late.example/x", "https://mole.example/p?id=7")}


def test_cited_reporting_is_quoted_and_pictures_are_not():
    read = read_back(THREE_HOPS)
    quoted = derivations(read, PROV["Quotation"])
    assert {source for _, source in quoted} == {unobserved(read, "AFP"), "https://tidings.example/1"}
    texts = [v for k, v in quoted["https://mole.example/p?id=7", unobserved(read, "AFP")].attributes if k.uri == OWN + "credit"]
    assert texts == ["according to AFP", "told AFP"]


def test_the_origin_is_the_primary_source_and_an_article_alone_has_none():
    read = read_back(THREE_HOPS)
    assert set(derivations(read, PROV["PrimarySource"])) == {("https://mole.example/p?id=7", unobserved(read, "Lunnet Wire"))}
    assert not list(read_back(ALONE).get_records(ProvDerivation))


def test_unobserved_articles_of_one_agency_in_two_chains_are_not_taken_for_one():
    other = trace([COPY_NODE, AGENCY_NODE], [edge(COPY_NODE, AGENCY_NODE)])
    assert unobserved(read_back(other), "Lunnet Wire") != unobserved(read_back(THREE_HOPS), "Lunnet Wire")


def test_an_agency_that_is_source_and_cited_is_two_entities():
    both = trace([BLOG_NODE, AGENCY_NODE], [edge(BLOG_NODE, AGENCY_NODE)], credit("cited", "Lunnet Wire", "told Lunnet Wire"))
    labels = [e.label for e in entities(read_back(both)).values()]
    assert labels.count("unobserved article of Lunnet Wire") == 2


def test_the_run_is_an_activity_of_this_version_with_its_parameters():
    exported = prov_json(THREE_HOPS, ran=RAN, parameters={"permutations": 128, "version": 1})
    ((run, activity),) = exported["activity"].items()
    (association,) = exported["wasAssociatedWith"].values()
    assert activity["prov:startTime"] == "2026-03-03T09:30:15+00:00"
    assert activity["syndtrack:permutations"]["$"] == "128"
    assert association["prov:activity"] == run
    assert exported["agent"][association["prov:agent"]]["prov:label"] == f"syndtrack {__version__}"
    assert {u["prov:entity"] for u in exported["used"].values()} == {n["url"] for n in (BLOG_NODE, DIGEST_NODE, COPY_NODE)}


def test_a_second_source_beside_the_chain_is_exported_too():
    agency = node("https://wire.example/1", "Lunnet Wire", "Basin")
    record = trace([BLOG_NODE, DIGEST_NODE], [edge(BLOG_NODE, DIGEST_NODE), edge(BLOG_NODE, agency, confidence=0.6)])
    assert ("https://mole.example/p?id=7", "https://wire.example/1") in derivations(read_back(record))
    assert [work["url"] for work in schema_jsonld(record)["isBasedOn"]] == ["https://digest.example/basin", "https://wire.example/1"]


HOSTILE = st.text(max_size=30) | st.sampled_from(
    ["https://x", "a:b", "_:id1", "prov:Entity", "", " ", '"<>\\{}|^`', "\x00\u2028", "%zz", "é (a), b;c=d"]
)


@settings(deadline=None)  # how long it takes is not what is tested
@given(path=HOSTILE, publisher=HOSTILE, title=HOSTILE, cited=HOSTILE, words=HOSTILE)
def test_whatever_names_and_addresses_hold_the_export_reads_back_as_it_was(path, publisher, title, cited, words):
    first = NodeRecord(url=f"https://a.example/{path}", publisher=publisher, title=title, published=None, first_seen=None, observed=True)
    source = node(None, publisher)
    record = trace(
        [first, source], [edge(first, source, evidence=[{"kind": "credit", "text": words}])], credit("cited", cited, words, path)
    )
    read = read_back(record)
    again = ProvDocument.deserialize(content=read.serialize(format="json"), format="json")
    assert again == read
    assert publisher in {a.label for a in read.get_records(ProvAgent)}
    assert len(derivations(read)) == 1


def test_each_text_of_an_article_is_a_revision_of_the_one_before():
    texts = [{"first_seen": f"2026-03-02T0{n}:00:00Z", "last_seen": f"2026-03-02T0{n}:30:00Z", "title": f"Basin {n}", "text_hash": str(n)}
             for n in (7, 8, 9)]  # fmt: skip
    read = read_back(TraceRecord(**(THREE_HOPS | {"revisions": texts})))
    named = {e.label: e.identifier.uri for e in read.get_records(ProvEntity)}
    assert set(derivations(read, PROV["Revision"])) == {(named["Basin 8"], named["Basin 7"]), (named["Basin 9"], named["Basin 8"])}
    whole = {r.formal_attributes[0][1].uri: r.formal_attributes[1][1].uri for r in read.get_records(ProvSpecialization)}
    assert whole == {named[f"Basin {n}"]: "https://mole.example/p?id=7" for n in (7, 8, 9)}
    once = read_back(TraceRecord(**(THREE_HOPS | {"revisions": texts[:1]})))
    assert not derivations(once, PROV["Revision"])


# -- graphs


# What XML and terminals cannot hold is replaced, and white space at the ends may go.
UNSHOWN = dict.fromkeys(
    [*range(32), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A), *range(0xD800, 0xE000), 0xFFFD, 0xFFFE, 0xFFFF]
)
HOSTILE_TITLE = 'Basin "shut" </data>&amp;\nnewline \\ \x00\x1b[2J \\'


def story(*titles: str) -> StoryGraph:
    nodes = [node(f"https://a.example/{n}", f"P{n}", title) for n, title in enumerate(titles)] + [AGENCY_NODE]
    edges = [(n, len(titles), edge(nodes[n], AGENCY_NODE, credited=bool(n % 2), credited_to=None)) for n in range(len(titles))]
    return StoryGraph(nodes=nodes, edges=edges)


def test_graphml_reads_back_as_the_story_with_every_field():
    graph = networkx.parse_graphml(graphml(story("One", "Two")))
    assert dict(graph.nodes["n0"]) == {
        "publisher": "P0", "title": "One", "url": "https://a.example/0", "first_seen": "2026-03-02T09:00:00Z", "observed": True,
    }  # fmt: skip
    assert dict(graph.nodes["n2"]) == {"publisher": "Lunnet Wire", "observed": False}
    assert {(a, b): d["credited"] for a, b, d in graph.edges(data=True)} == {("n0", "n2"): False, ("n1", "n2"): True}
    assert graph.edges["n0", "n2"]["confidence"] == 0.93


def in_dot(text: str) -> str:
    """A quoted string of DOT as Graphviz shows it."""
    return re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], text[1:-1])


@settings(deadline=None)  # how long it takes is not what is tested
@given(title=HOSTILE | st.just(HOSTILE_TITLE))
def test_hostile_titles_survive_in_dot_and_graphml(title: str):
    kept = re.sub("\r\n?", "\n", title)
    shown = networkx.parse_graphml(graphml(story(title, "Two"))).nodes["n0"].get("title") or ""
    assert shown.translate(UNSHOWN) == kept.translate(UNSHOWN)
    (graph,) = pydot.graph_from_dot_data(dot(story(title, "Two")))
    assert len(graph.get_edges()) == 2
    assert in_dot(graph.get_node("n0")[0].get("title")).translate(UNSHOWN) == kept.translate(UNSHOWN)


def test_the_story_of_a_stored_article_and_of_a_text_are_drawn_whole(tracker: Tracker, tmp_path: Path):
    graph = networkx.parse_graphml(tracker.graph(BLOG["url"], "graphml"))
    assert {d["url"] for _, d in graph.nodes(data=True)} == {a["url"] for a in (AGENCY, AGGREGATOR, BLOG)}
    names = networkx.get_node_attributes(graph, "publisher")
    assert {(names[a], names[b]) for a, b in graph.edges} == {("Mole End Blog", "The Pilot Digest"), ("The Pilot Digest", "Lunnet Wire")}
    (tmp_path / "text.txt").write_text(BLOG["text"].replace("forty-two", "forty"), encoding="utf-8")
    drawn = tracker.graph(str(tmp_path / "text.txt"), "dot")
    assert "(this text)" in drawn
    assert "unstored.invalid" not in drawn


# -- schema.org


def processed(record: TraceRecord) -> dict:
    """The export through a JSON-LD processor and back, with schema.org's terms at hand instead of fetched."""

    def load(url: str, _options: object) -> dict:
        assert url == "https://schema.org"
        return {"contentType": "application/ld+json", "contextUrl": None, "documentUrl": url, "document": {"@context": SCHEMA_TERMS}}

    exported = json.loads(json.dumps(schema_jsonld(record)))
    expanded = jsonld.expand(exported, {"documentLoader": load})
    return jsonld.compact(expanded, "https://schema.org", {"documentLoader": load})


@pytest.mark.parametrize("record", [THREE_HOPS, ALONE], ids=["three hops", "alone"])
def test_a_processor_understands_every_word_of_the_export(record):
    assert processed(record) == schema_jsonld(record)


def test_an_article_is_based_on_its_source_which_is_based_on_its_own():
    article = processed(THREE_HOPS)
    assert (article["@type"], article["url"], article["headline"]) == ("NewsArticle", "https://mole.example/p?id=7", "Basin to close")
    assert article["datePublished"] == "2026-03-02T12:00:00Z"
    assert article["publisher"] == {"@type": "Organization", "name": "Mole End Blog"}
    (source,) = article["isBasedOn"]
    assert source["url"] == "https://digest.example/basin"
    assert source["isBasedOn"] == [{"@type": "CreativeWork", "publisher": {"@type": "Organization", "name": "Lunnet Wire"}}]


def test_cited_reporting_is_a_citation_each_once_and_credit_lines_are_the_credit_text():
    article = processed(THREE_HOPS)
    assert [work["publisher"]["name"] for work in article["citation"]] == ["AFP", "Tidings"]
    assert article["creditText"] == "Via The Pilot Digest"


def test_the_source_organization_is_an_origin_that_is_unobserved_or_an_agency():
    outlet = trace([BLOG_NODE, DIGEST_NODE], [edge(BLOG_NODE, DIGEST_NODE)])
    agency = node("https://wire.example/1", "Lunnet Wire", "Basin")
    wired = trace([BLOG_NODE, agency], [edge(BLOG_NODE, agency)], credit("wire", "Lunnet Wire", "(Lunnet Wire)"))
    assert processed(THREE_HOPS)["sourceOrganization"]["name"] == "Lunnet Wire"
    assert processed(wired)["sourceOrganization"]["name"] == "Lunnet Wire"
    assert "sourceOrganization" not in processed(outlet)
    assert "sourceOrganization" not in processed(ALONE)


def test_what_is_not_known_is_left_out():
    assert set(schema_jsonld(trace([node("https://a.example/", "A")], []))) == {"@context", "@type", "@id", "url", "publisher"}


# -- from a store


@pytest.fixture
def tracker(tmp_path: Path):
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(a) + "\n" for a in (AGENCY, AGGREGATOR, BLOG)), encoding="utf-8")
    with Tracker(Settings(db=tmp_path / "x.db"), now=lambda: RAN) as opened:
        opened.ingest([str(tmp_path / "a.jsonl")])
        yield opened


def test_stored_articles_are_exported_with_the_chain_that_trace_tells(tracker: Tracker):
    addresses = [n["url"] for n in tracker.trace(BLOG["url"])["chain"]]
    read = ProvDocument.deserialize(content=json.dumps(tracker.export(BLOG["url"], "prov")), format="json")
    assert set(pairwise(addresses)) <= set(derivations(read))
    work, followed = tracker.export(BLOG["url"], "jsonld"), []
    while work:
        followed.append(work["url"])
        work = work.get("isBasedOn", [None])[0]
    assert followed == addresses


def test_an_export_is_the_same_every_time_and_tells_what_fingerprints_were_made_with(tracker: Tracker):
    exported = tracker.export(BLOG["url"], "prov")
    assert exported == tracker.export(BLOG["url"], "prov")
    (activity,) = exported["activity"].values()
    assert activity["syndtrack:sampling"]["$"] == str(PARAMETERS.sampling)


def test_another_form_is_refused_by_name(tracker: Tracker):
    with pytest.raises(UsageError, match="turtle"):
        tracker.export(BLOG["url"], "turtle")


def test_the_edges_of_a_text_that_is_not_stored_start_from_it_and_nobody_is_said_to_publish_it(tmp_path: Path):
    stored = tmp_path / "articles.jsonl"
    stored.write_text(json.dumps(AGENCY), encoding="utf-8")
    text = tmp_path / "text.txt"
    text.write_text(f"{AGENCY['text']}\n\nVia Lunnet Wire\n", encoding="utf-8")
    with Tracker(Settings(db=tmp_path / "news.db")) as tracker:
        tracker.ingest([str(stored)])
        exported, schema = tracker.export(str(text), "prov"), tracker.export(str(text), "jsonld")
    copies = {d["prov:generatedEntity"] for d in exported["wasDerivedFrom"].values()}
    assert [exported["entity"][name]["syndtrack:observed"] for name in copies] == [True]
    assert not any("unobserved//" in name for name in exported["entity"])
    assert "this text" not in json.dumps(exported["agent"])
    assert not {a["prov:entity"] for a in exported["wasAttributedTo"].values()} & copies
    assert "publisher" not in schema
    assert schema["isBasedOn"][0]["publisher"]["name"] == "Lunnet Wire"
