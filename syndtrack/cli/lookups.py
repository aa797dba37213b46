"""Commands that look things up: traces, reports, search."""

from __future__ import annotations

import json
from collections.abc import Sequence

import click

from syndtrack.cli.frame import Session, example, format_option
from syndtrack.errors import UsageError
from syndtrack.reports import REPORTS
from syndtrack.reports.columns import COLUMNS
from syndtrack.reports.formats import print_rows
from syndtrack.urls import is_http

# The columns of reports that a terminal has room for; pipes and files get all.
ON_TERMINALS = {
    "duplicates": ("copy_publisher", "source_publisher", "kind", "confidence", "credited", "title", "copy"),
    "matches": ("a", "b", "kind", "resemblance", "a_in_b", "b_in_a"),
    "edges": ("copy", "source_publisher", "source", "kind", "confidence", "credited"),
    "feeds": ("url", "entries", "outcome", "next_check", "reason"),
}


@click.command(
    epilog=example(
        "syndtrack trace https://example.org/2026/embassy --explain\npbpaste | syndtrack trace -\n"
        "syndtrack trace https://example.org/2026/embassy --format dot | dot -Tsvg > story.svg"
    )
)
@click.argument("what", metavar="URL|FILE|-")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "prov", "jsonld", "dot", "graphml"]),
    default="text",
    show_default=True,
    help="Also prov (W3C PROV-JSON), jsonld (schema.org); of the whole story dot (Graphviz), graphml.",
)
@click.option("--explain", is_flag=True, help="Also what else was considered for each hop, why it lost, and what would change it.")
@click.pass_obj
def trace(session: Session, what: str, form: str, explain: bool) -> None:
    """Show where an article comes from, hop by hop, with the evidence: of a stored article, or of a text that is not stored."""
    if explain and form not in ("text", "json"):
        raise UsageError(f"--explain comes as text or json, not as {form}")
    with session.reading() if is_http(what) else session.reading_text() as tracker:
        if form in ("prov", "jsonld"):
            click.echo(json.dumps(tracker.export(what, form), ensure_ascii=False, indent=1))
            return
        if form in ("dot", "graphml"):
            click.echo(tracker.graph(what, form), nl=False)
            return
        record = tracker.trace(what, explain=explain)
    if form == "json":
        click.echo(json.dumps(record, ensure_ascii=False, indent=1))
        return
    from syndtrack.reports.tree import chain_tree, print_text  # noqa: PLC0415 - cli/__init__.py

    print_text(chain_tree(record))


@click.command(epilog=example("syndtrack report duplicates\nsyndtrack report edges --format jsonl > edges.jsonl"))
@click.argument("name", type=click.Choice(REPORTS))
@click.option("--format", "form", type=click.Choice(["text", "json", "jsonl", "csv", "html"]), default="text", show_default=True,
              help="How results are printed.")  # fmt: skip
@click.pass_obj
def report(session: Session, name: str, form: str) -> None:
    """Print a report: duplicates, matches, edges, publishers (who copies whom), stories, feeds."""
    with session.reading() as tracker:
        rows = tracker.report(name)
        empty, columns = f"Nothing to report on {name} yet.", ON_TERMINALS.get(name, ())
        print_rows(rows, form, empty=empty, title=name.capitalize(), header=COLUMNS[name], columns=columns)


@click.command(epilog=example("syndtrack search embassy rockets --limit 5"))
@click.argument("query", nargs=-1, required=True)
@click.option("--limit", type=click.IntRange(1, 1_000), default=20, show_default=True, help="How many articles at most.")
@format_option
@click.pass_obj
def search(session: Session, query: Sequence[str], limit: int, form: str) -> None:
    """Find articles that hold all the words."""
    if not any(letter.isalnum() for word in query for letter in word):
        raise UsageError(f"search {' '.join(query)!r}: no word to look for; give one or more, as in: syndtrack search embassy rockets")
    with session.reading() as tracker:
        rows = tracker.search(" ".join(query), limit)
        print_rows(rows, form, empty="No article holds all these words.", title="Search", header=COLUMNS["search"])
