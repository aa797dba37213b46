"""Commands of the quarantine: inputs that killed, stalled or overfilled the worker that read them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Literal

import click

from syndtrack.cli.frame import Session, check_there, example, finish, format_option
from syndtrack.reports.columns import COLUMNS
from syndtrack.reports.formats import print_rows

EMPTY = "Nothing is in quarantine: every feed and page could be read, or was refused for a plain reason."
ON_TERMINALS = ("id", "state", "kind", "url", "reason", "last_tried", "size")

numbers_argument = click.argument("numbers", metavar="ID...", type=int, nargs=-1)


@click.group(invoke_without_command=True, epilog=example(
    "syndtrack quarantine\nsyndtrack quarantine bytes 3 | less\nsyndtrack quarantine retry 3\nsyndtrack quarantine drop --all"
))  # fmt: skip
@format_option
@click.pass_context
def quarantine(ctx: click.Context, form: str) -> None:
    """List feeds and pages that killed, stalled or overfilled the process that read them.

    Each is tried twice, then left alone until its bytes change; the rest of its feed goes on.
    """
    if ctx.invoked_subcommand is None:
        with ctx.obj.reading() as tracker:
            rows = tracker.quarantine.rows()
            print_rows(rows, form, empty=EMPTY, title="Quarantine", header=COLUMNS["quarantine"], columns=ON_TERMINALS)


@quarantine.command(epilog=example("syndtrack quarantine retry 3\nsyndtrack quarantine retry --all"))
@numbers_argument
@click.option("--all", "everything", is_flag=True, help="All that is listed.")
@click.pass_obj
def retry(session: Session, numbers: Sequence[int], everything: bool) -> None:
    """Read inputs again: their feeds are due at once and are asked for in whole."""
    _change(session, numbers, everything, "retry", "to be read again at the next look")


@quarantine.command(epilog=example("syndtrack quarantine drop 3\nsyndtrack quarantine drop --all"))
@numbers_argument
@click.option("--all", "everything", is_flag=True, help="All that is listed.")
@click.pass_obj
def drop(session: Session, numbers: Sequence[int], everything: bool) -> None:
    """List inputs no more and let go of their bytes; the same bytes are still not read again."""
    _change(session, numbers, everything, "drop", "dropped")


@quarantine.command("bytes", epilog=example("syndtrack quarantine bytes 3 > poison.xml"))
@click.argument("number", metavar="ID", type=int)
@click.pass_obj
def bytes_(session: Session, number: int) -> None:
    """Write what came, its first megabyte, to standard output."""
    with session.reading() as tracker:
        sys.stdout.buffer.write(tracker.quarantine.content(number))


def _change(session: Session, numbers: Sequence[int], everything: bool, what: Literal["retry", "drop"], done: str) -> None:
    """Change those named, or all."""
    if bool(numbers) == everything:
        raise click.UsageError("name the IDs that `syndtrack quarantine` lists, or --all")
    with session.changing() as tracker:
        count = len(tracker.quarantine.rows()) if everything else len(set(numbers))
        change = tracker.quarantine.retry if what == "retry" else tracker.quarantine.drop
        refused = change(None if everything else numbers)
    check_there(count, refused)
    click.echo(f"{count - len(refused)} {done}")
    finish(refused)
