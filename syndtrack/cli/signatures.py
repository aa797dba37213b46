"""Signatures: what two houses compare without exchanging texts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

import click

from syndtrack.cli.frame import Session, example, finish, format_option
from syndtrack.errors import UsageError
from syndtrack.models import Refusal
from syndtrack.reports.columns import COLUMNS
from syndtrack.reports.formats import print_rows

if TYPE_CHECKING:
    from syndtrack.exchange import Signed

T = TypeVar("T")

AT_LEAST = 0.2  # unrelated texts have 0, and chance alone gives them an estimate of less than 0.05
ON_TERMINALS = ("their_publisher", "their_title", "our_publisher", "ours", "resemblance", "standard_error")


@click.command(epilog=example(
    "syndtrack signature articles.jsonl > ours.jsonl\nsyndtrack signature --stored | gzip > ours.jsonl.gz\n"
    "syndtrack signature --compare theirs.jsonl.gz --at-least 0.5"
))  # fmt: skip
@click.argument("file", required=False)
@click.option("--stored", is_flag=True, help="Of all stored articles rather than of a file.")
@click.option("--compare", metavar="SIGNATURES", help="A file of another house's signatures (- for standard input): what do they resemble?")
@click.option("--at-least", type=click.FloatRange(0.05, 1), default=AT_LEAST, show_default=True, help="The least resemblance to be shown.")
@format_option
@click.pass_obj
def signature(session: Session, *, file: str | None, stored: bool, compare: str | None, at_least: float, form: str) -> None:
    """Print signatures of texts, which another house can compare with its own without seeing the texts; or compare another house's.

    FILE is an archive, a file of one article's text or HTML, or - for standard input; nothing is stored. One JSON object a line comes out.
    With --compare, rows say which stored articles resemble which of theirs: the estimated share of five-word runs that both have in common,
    and its standard error.
    """
    given = sum((file is not None, stored, compare is not None))
    if not given:
        raise UsageError("give a FILE, --stored or --compare SIGNATURES; `syndtrack signature --help` has examples")
    if given > 1:
        raise UsageError("FILE, --stored and --compare SIGNATURES exclude each other; `syndtrack signature --help` has examples")
    if compare is None and form == "csv":
        raise UsageError("signatures are JSON, one object a line; --format csv is for --compare")
    from syndtrack.exchange import resembling, signatures_of, stored_signatures  # noqa: PLC0415 - cli/__init__.py
    from syndtrack.tracker import utc_now  # noqa: PLC0415 - cli/__init__.py

    refused: list[Refusal] = []
    if file is not None:
        _print(signatures_of(file, utc_now()), form, refused)
    else:
        with session.reading() as tracker:
            if compare is None:
                _print(stored_signatures(tracker.store), form, refused)
            else:
                rows = _accepted(resembling(tracker.store, compare, at_least), refused)
                empty, header = "No stored article resembles any of them.", COLUMNS["signature --compare"]
                print_rows(rows, form, empty=empty, title="Resembling", header=header, columns=ON_TERMINALS)
    finish(refused)


def _print(signed: Iterable[Signed | Refusal], form: str, refused: list[Refusal]) -> None:
    """One object a line; as `json` these lines are an array."""
    lines = (each.to_json() for each in _accepted(signed, refused))
    if form != "json":
        for line in lines:
            click.echo(line)
        return
    before = "["  # with the first line: nothing is printed where the file cannot be read
    for line in lines:
        click.echo(before + line, nl=False)
        before = ",\n"
    click.echo("[]" if before == "[" else "]")


def _accepted(each: Iterable[T | Refusal], refused: list[Refusal]) -> Iterator[T]:
    for one in each:
        if isinstance(one, Refusal):
            refused.append(one)
        else:
            yield one
