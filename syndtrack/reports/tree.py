"""Chains and inspections as text for people."""

from __future__ import annotations

import sys

from rich.console import Console, Group, RenderableType
from rich.text import Text
from rich.tree import Tree

from syndtrack.plurals import counted
from syndtrack.reports.chain import InspectRecord, LikelyRecord, NodeRecord, TraceRecord
from syndtrack.reports.formats import one_line, plain

# What is said of a chain of one.
ALONE = {"ok": "the origin, as far as known", "too little text": "cannot judge: too little text"}
UNBOUNDED = 2_000  # columns of a line in a pipe, where nothing is to be folded


def print_text(content: RenderableType) -> None:
    """Print to standard output: on a terminal in its width and colours, else plainly and unfolded."""
    Console(width=None if sys.stdout.isatty() else UNBOUNDED, highlight=False).print(content)


def chain_tree(record: TraceRecord) -> RenderableType:
    """The chain, the article first; under each hop its edge with the evidence, then what was copied from the article, credits, removals."""
    edges = {e["copy"]: e for e in reversed(record["edges"])}
    root = Tree(_node(record["chain"][0], record.get("opening", "")))
    at = root
    for copy, source in zip(record["chain"], record["chain"][1:], strict=False):
        edge = edges[copy["url"]]
        hop = at.add(Text("from ", style="bold") + _node(source))
        told = "credited" if edge["credited"] else f"credited to {edge['credited_to']}" if edge["credited_to"] else "uncredited"
        line = Text(f"{edge['kind']}, confidence {edge['confidence']:.2f}, {told}", style="dim")
        hop.add(line + Text(", confirmed by a person", style="not dim green") if edge["verdict"] == "confirmed" else line)
        for evidence in edge["evidence"]:
            hop.add(Text(f"{evidence['kind']} ({evidence['weight']:+.1f}): ", style="dim") + Text(one_line(evidence["text"])))
        at = hop
    if "undecided" in record:
        at.add(Text(f"source undecided; likeliest {', '.join(map(_likely, record['undecided']))}", style="yellow"))
    elif len(record["chain"]) == 1:
        root.add(Text(ALONE.get(record["judgement"] or "", "waits to be traced")))
    parts: list[RenderableType] = [root]
    if record["copies"]:
        copies = Tree(Text(f"Copied from it ({len(record['copies'])})", style="bold"))
        for node in record["copies"]:
            copies.add(_node(node))
        parts.append(copies)
    parts += _statements(record)
    if record["independent_origins"] > 1:
        parts.append(Text(f"The story has {record['independent_origins']} independent origins."))
    if "explanation" in record:
        from syndtrack.reports.explain import explanation_trees  # noqa: PLC0415 - few ask for it, and what tells it takes 0.1 s to import

        parts += explanation_trees(record["explanation"])
    return Group(*parts)


def _likely(answer: LikelyRecord) -> str:
    """An answer that was not sure enough."""
    named = answer["publisher"]
    where = "no source" if named is None else plain(named) if answer["source"] else f"{plain(named)} (not observed)"
    return f"{where} {answer['probability']:.2f}"


def inspection(record: InspectRecord) -> RenderableType:
    """What an article says of itself."""
    head = Text(one_line(record["title"] or record["url"] or "(this text)"), style="bold")
    size = f"{counted(len(record['text']), 'character')}; {len(record['cleaned']):,} after cleaning"
    return Group(head, Text(size), *_statements(record))


def _statements(record: TraceRecord | InspectRecord) -> list[RenderableType]:
    """Credits and removals."""
    parts: list[RenderableType] = []
    if record["credits"]:
        tree = Tree(Text("Credits", style="bold"))
        for credit in record["credits"]:
            named = credit["publisher"] or credit["url"] or "nobody named"
            tree.add(Text(plain(f"{credit['kind']}: {named}"), style="cyan") + Text(f"  “{one_line(credit['text'])}”"))
        parts.append(tree)
    if record["removals"]:
        tree = Tree(Text("Removed before matching", style="bold"))
        for removal in record["removals"]:
            tree.add(Text(f"{removal['rule']}", style="cyan") + Text(f"  “{one_line(removal['text'])}”"))
        parts.append(tree)
    return parts


def _node(node: NodeRecord, opening: str = "") -> Text:
    """One link of the chain; `opening` stands for a headline where there is none."""
    text = Text(plain(node["publisher"]), style="bold green" if node["observed"] else "bold yellow")
    if not node["observed"]:
        return text + Text(" (not observed)")
    text += Text(f"  {one_line(node['title'] or opening)}  {node['first_seen'] or ''}", style="not bold")
    return text + Text(f"\n{plain(node['url'] or '(this text, not stored)')}", style="blue")
