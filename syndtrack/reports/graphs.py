"""The whole story of an article as a graph, in the forms that graph programs read: Graphviz DOT and GraphML.

DOT: https://graphviz.org/doc/info/lang.html, GraphML: http://graphml.graphdrawing.org/specification.html.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from lxml import etree

from syndtrack.reports.chain import NodeRecord, node_record, unobserved
from syndtrack.reports.formats import plain
from syndtrack.store.lookups import Lookups

GRAPHML = "http://graphml.graphdrawing.org/xmlns"
NODE_KEYS = {
    "publisher": "string",
    "title": "string",
    "url": "string",
    "published": "string",
    "first_seen": "string",
    "observed": "boolean",
}
EDGE_KEYS = {"kind": "string", "confidence": "double", "credited": "boolean", "credited_to": "string"}
NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, 2.2
LABEL = 60  # characters of a title in a drawing


class StoryGraph(TypedDict):
    """A story: its articles and the sources known by name only as `nodes`, and `edges` (copy, source, edge) between places in that list.

    All copies of what one publisher is only named for point to one node of it.
    """

    nodes: list[NodeRecord]
    edges: list[tuple[int, int, dict[str, Any]]]


def story_graph(lookups: Lookups, article_id: int, *, stored: bool = True) -> StoryGraph:
    """The story that an article is in; an article in none is alone. One that is not `stored` has neither address nor publisher."""
    ids = lookups.story_articles(article_id)
    nodes = [node_record(lookups.node(a)) for a in ids]
    place = {node["url"]: n for n, node in enumerate(nodes)}
    named: dict[str, int] = {}
    edges = []
    for edge in lookups.edges(copies=ids):
        source = place.get(edge["source"]) if edge["observed"] else named.get(edge["source_publisher"])
        if source is None:
            if edge["observed"]:
                continue  # stories hold both ends of their edges; of one just being traced again, perhaps not
            source = named[edge["source_publisher"]] = len(nodes)
            nodes.append(unobserved(edge["source_publisher"]))
        edges.append((place[edge["copy"]], source, edge))
    if not stored:
        here = ids.index(article_id)
        nodes[here] = NodeRecord(**(nodes[here] | {"url": None, "publisher": "(this text)"}))
    return StoryGraph(nodes=nodes, edges=edges)


def dot(graph: StoryGraph) -> str:
    """The story for Graphviz: sources above, dashed where nobody observed them."""
    lines = ["digraph story {", "  rankdir=BT;", "  node [shape=box];"]
    for number, node in enumerate(graph["nodes"]):
        title = plain(node["title"] or "")
        label = f"{node['publisher']}\n{title if len(title) <= LABEL else title[: LABEL - 1] + '…'}".rstrip("\n")
        shown = {"label": label, "style": "solid" if node["observed"] else "dashed"}
        lines.append(f"  n{number} [{_attributes(shown | _known(node, NODE_KEYS))}];")
    for copy, source, edge in graph["edges"]:
        shown = {"label": f"{edge['kind']} {edge['confidence']:.2f}", "style": "solid" if edge["credited"] else "dashed"}
        lines.append(f"  n{copy} -> n{source} [{_attributes(shown | _known(edge, EDGE_KEYS))}];")
    return "\n".join([*lines, "}", ""])


def _attributes(values: Mapping[str, object]) -> str:
    """Attributes of DOT. In a quoted string a backslash and a quotation mark are escaped; control characters have no place in it."""
    return ", ".join(f'{name}="{_escaped(str(value))}"' for name, value in values.items())


def _escaped(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\\n")
    return NOT_XML.sub("\ufffd", plain(escaped))


def graphml(graph: StoryGraph) -> str:
    """The story as GraphML."""
    root = etree.Element(f"{{{GRAPHML}}}graphml", nsmap={None: GRAPHML})
    for kind, keys in (("node", NODE_KEYS), ("edge", EDGE_KEYS)):
        for name, of_type in keys.items():
            etree.SubElement(root, f"{{{GRAPHML}}}key", {"id": f"{kind}-{name}", "for": kind, "attr.name": name, "attr.type": of_type})
    body = etree.SubElement(root, f"{{{GRAPHML}}}graph", {"id": "story", "edgedefault": "directed"})
    for number, node in enumerate(graph["nodes"]):
        _fill(etree.SubElement(body, f"{{{GRAPHML}}}node", {"id": f"n{number}"}), "node", _known(node, NODE_KEYS))
    for copy, source, edge in graph["edges"]:
        ends = {"source": f"n{copy}", "target": f"n{source}"}
        _fill(etree.SubElement(body, f"{{{GRAPHML}}}edge", ends), "edge", _known(edge, EDGE_KEYS))
    text: bytes = etree.tostring(root, pretty_print=True, xml_declaration=True, encoding="UTF-8")
    return text.decode()


def _fill(element: Any, kind: str, values: Mapping[str, object]) -> None:  # noqa: ANN401 - lxml ships no types
    """Values of one node or edge; what XML cannot hold is replaced."""
    for name, value in values.items():
        child = etree.SubElement(element, f"{{{GRAPHML}}}data", {"key": f"{kind}-{name}"})
        child.text = NOT_XML.sub("\ufffd", str(value))


def _known(record: Mapping[str, Any], keys: Sequence[str] | Mapping[str, str]) -> dict[str, object]:
    """What is known of a node or an edge, as text that both forms share."""
    found = {name: record[name] for name in keys if record[name] is not None}
    return {name: str(value).lower() if isinstance(value, bool) else value for name, value in found.items()}
