"""Commands of articles: take them in, take them out, look at one without storing it."""

from __future__ import annotations

import json
from collections.abc import Sequence

import click

from syndtrack.cli.frame import Session, check_there, example, finish, progress_bar
from syndtrack.models import Refusal
from syndtrack.plurals import counted


@click.command(epilog=example("syndtrack ingest articles.jsonl.gz\nzcat old.jsonl.gz | syndtrack ingest -"))
@click.argument("files", nargs=-1, required=True)
@click.pass_obj
def ingest(session: Session, files: Sequence[str]) -> None:
    """Take in archives of articles: .jsonl, .jsonl.gz, .parquet, .warc, .warc.gz, or - for JSON Lines on standard input.

    One object a line: url, and text or html; title, publisher, published and first_seen if known.
    """
    with session.tracker() as tracker, progress_bar() as progress:
        summary = tracker.ingest(files, progress)
    click.echo(f"{counted(summary.new, 'article')} new, {summary.changed} with a new text, {summary.unchanged} known already", err=True)
    finish(summary.refused)


@click.command(epilog=example("syndtrack inspect article.txt\nsyndtrack inspect --format json articles.jsonl"))
@click.argument("file")
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "jsonl"]), default="text", show_default=True, help="How results are printed."
)
@click.pass_obj
def inspect(session: Session, file: str, form: str) -> None:
    """Show what an article says of itself, without storing it: text, credits, removals.

    Takes a file of text or HTML, an archive, or - for standard input.
    """
    from syndtrack.archives import is_archive  # noqa: PLC0415 - cli/__init__.py
    from syndtrack.reports.tree import inspection, print_text  # noqa: PLC0415 - cli/__init__.py
    from syndtrack.tracker import Tracker  # noqa: PLC0415 - cli/__init__.py

    refused, several = [], file == "-" or is_archive(file)
    with Tracker.in_memory(session.settings()) as tracker:
        for record in tracker.inspect(file):
            if isinstance(record, Refusal):
                refused.append(record)
            elif form == "text":
                print_text(inspection(record))
            else:
                click.echo(json.dumps(record, ensure_ascii=False, indent=None if several or form == "jsonl" else 1))
    finish(refused)


@click.command(epilog=example("syndtrack forget https://example.org/2026/withdrawn"))
@click.argument("urls", nargs=-1, required=True)
@click.pass_obj
def forget(session: Session, urls: Sequence[str]) -> None:
    """Take articles out of the database, as if they had never come; what they touched is traced again."""
    with session.changing() as tracker:
        refused = tracker.forget(dict.fromkeys(urls))
    check_there(len(set(urls)), refused)
    click.echo(f"{counted(len(set(urls)) - len(refused), 'article')} forgotten")
    finish(refused)
