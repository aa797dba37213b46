"""Commands of a person's word: give it, take it back, list it, carry it over; and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from syndtrack.cli.frame import Session, example, finish, format_option
from syndtrack.errors import UsageError
from syndtrack.plurals import counted
from syndtrack.reports.columns import COLUMNS
from syndtrack.reports.formats import plain, print_rows
from syndtrack.urls import is_http

SHOWN = ("copy", "source", "says", "by", "at", "standing", "why")
SHOWN_OF_HISTORY = ("at", "change", "source_publisher", "confidence", "was_source_publisher", "cause", "because")
FORMS = "say COPY SOURCE confirm, COPY SOURCE reject, or COPY origin; with revoke behind the pair or the origin to take it back"


@click.command(
    epilog=example(
        "syndtrack verdict https://blog.example/a https://wire.example/b confirm --by Ada\n"
        "syndtrack verdict https://blog.example/a AFP reject --note 'AFP never ran it'\n"
        "syndtrack verdict https://wire.example/b origin\n"
        "syndtrack verdict https://wire.example/b origin revoke"
    )
)
@click.argument("words", nargs=-1, required=True, metavar="COPY SOURCE confirm|reject|revoke | COPY origin [revoke]")
@click.option("--by", default="", help="Who says so.")
@click.option("--note", default="", help="Why, for whoever reads it later.")
@click.pass_obj
def verdict(session: Session, words: Sequence[str], by: str, note: str) -> None:
    """Say where an article comes from: what is confirmed becomes an edge, what is rejected never is, an origin has no source.

    SOURCE is the address of an article or the name of a publisher whose article was not seen. A verdict holds for whatever comes later and
    may be given before the articles are stored.
    """
    copy, source, says = _said(words)
    remark = ""
    with session.changing() as tracker:
        if says != "revoke" and source is not None and not is_http(source):
            try:
                tracker.publishers.find(source)
            except UsageError as unknown:
                remark = f" (so far {unknown})"
        if says == "revoke":
            gone = tracker.take_back(copy, source)
            if not gone:
                raise UsageError(f"{' '.join(words)}: nothing was said of this; `syndtrack verdicts` lists what was")
            refused = []
        else:
            refused = tracker.judge([{"copy": copy, "source": source, "says": says, "by": by, "note": note}])
    if not refused:
        click.echo(plain(f"{'taken back' if says == 'revoke' else 'kept'}: {' '.join(words)}{remark}"), err=True)
    finish(refused)


def _said(words: Sequence[str]) -> tuple[str, str | None, str]:
    """Copy, source and what is said of them; `origin` may stand before its address."""
    match words:
        case ("origin", copy) | (copy, "origin"):
            return copy, None, "origin"
        case ("origin", copy, "revoke") | (copy, "origin", "revoke"):
            return copy, None, "revoke"
        case (copy, source, ("confirm" | "reject" | "revoke") as says) if source != "origin":
            return copy, source, says
    raise click.UsageError(FORMS)


@click.command(
    epilog=example("syndtrack verdicts --format jsonl > verdicts.jsonl\nsyndtrack --db other.db verdicts --import verdicts.jsonl")
)
@click.option("--import", "file", type=click.Path(path_type=Path), help="Take in those of a JSON Lines file.")
@format_option
@click.pass_obj
def verdicts(session: Session, file: Path | None, form: str) -> None:
    """List what persons said of sources, and whether it holds: in force, waiting for an article, or overruled by a later word."""
    if file is not None:
        with session.tracker() as tracker:
            new, refused = tracker.import_verdicts(file)
        click.echo(f"{counted(new, 'verdict')} taken in", err=True)
        finish(refused)
        return
    with session.reading() as tracker:
        empty = "Nobody has said anything yet. Say it with: syndtrack verdict COPY SOURCE confirm"
        print_rows(tracker.verdicts(), form, empty=empty, title="Verdicts", header=COLUMNS["verdicts"], columns=SHOWN)


@click.command(epilog=example("syndtrack history https://blog.example/a\nsyndtrack history --format jsonl"))
@click.argument("url", required=False)
@format_option
@click.pass_obj
def history(session: Session, url: str | None, form: str) -> None:
    """Show what changed in the sources of an article, when and why; without URL what changed last, whatever the article."""
    with session.reading() as tracker:
        rows = tracker.history(url)
        empty = "Nothing has changed since the first tracing."
        print_rows(rows, form, empty=empty, title="History", header=COLUMNS["history"], columns=SHOWN_OF_HISTORY)
