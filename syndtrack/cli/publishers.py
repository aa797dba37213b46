"""Commands of publishers: who is known, what a person corrects, who republished whom."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, get_args

import click

from syndtrack.cli.frame import Session, example, format_option
from syndtrack.models import PublisherKind
from syndtrack.plurals import counted
from syndtrack.reports.columns import COLUMNS
from syndtrack.reports.formats import one_line, print_rows

KINDS: tuple[PublisherKind, ...] = get_args(PublisherKind)
ON_TERMINALS = {
    "list": ("name", "kind", "owner", "domains", "articles", "feeds"),
    "republished": ("article", "copy_publisher", "lag_seconds", "share_kept", "dropped_words", "added_words", "credited", "credited_to"),
}
RECORD = click.Choice(["text", "json"])


@click.group(epilog=example("syndtrack publishers list --kind agency\nsyndtrack publishers merge postonline.example 'Example Post'"))
def publishers() -> None:
    """Publishers: list and look up, merge and rename, say who owns them, see who republished them.

    A publisher is named by any of its names or domains. What you decide here is kept, whatever is learned later.
    """


@publishers.command("list", epilog=example("syndtrack publishers list post\nsyndtrack publishers list --kind agency --format csv"))
@click.argument("words", nargs=-1)
@click.option("--kind", type=click.Choice(KINDS), help="Only publishers of this kind.")
@format_option
@click.pass_obj
def list_(session: Session, words: Sequence[str], kind: str | None, form: str) -> None:
    """List publishers, those with most articles first; with words, those that have them in a name, domain or owner."""
    with session.reading() as tracker:
        rows = tracker.publishers.search(" ".join(words), kind)
        empty, header = "No publisher like that is known.", COLUMNS["publishers list"]
        print_rows(rows, form, empty=empty, title="Publishers", header=header, columns=ON_TERMINALS["list"])


@publishers.command(epilog=example("syndtrack publishers show reuters.com"))
@click.argument("name")
@click.option("--format", "form", type=RECORD, default="text", show_default=True, help="How results are printed.")
@click.pass_obj
def show(session: Session, name: str, form: str) -> None:
    """Show one publisher: its names and domains, owner, feeds, your decisions, whom it copies and who copies it."""
    with session.reading() as tracker:
        _print(tracker.publishers.show(name), form)


@publishers.command(epilog=example("syndtrack publishers merge 'Post Online' postonline.example 'Example Post'"))
@click.argument("names", nargs=-1, required=True, metavar="FROM...")
@click.argument("into", metavar="INTO")
@click.pass_obj
def merge(session: Session, names: Sequence[str], into: str) -> None:
    """Make publishers one: articles, feeds, credits, names and domains go to INTO, and what they touch is traced again."""
    with session.changing() as tracker:
        row = tracker.publishers.merge(names, into)
    known_as = ", ".join((*row["aliases"], *row["domains"]))
    click.echo(one_line(f"{row['name']}: {counted(row['articles'], 'article')}, also known as {known_as}", 2_000))


@publishers.command(epilog=example("syndtrack publishers rename postonline.example 'Post Online'"))
@click.argument("old")
@click.argument("new")
@click.pass_obj
def rename(session: Session, old: str, new: str) -> None:
    """Call a publisher by another name; the old one stays an alias."""
    with session.changing() as tracker:
        row = tracker.publishers.rename(old, new)
    click.echo(one_line(f"{row['name']}: also known as {', '.join((*row['aliases'], *row['domains']))}", 2_000))


@publishers.command("set-kind", epilog=example("syndtrack publishers set-kind 'Example Wire' agency"))
@click.argument("name")
@click.argument("kind", type=click.Choice(KINDS))
@click.pass_obj
def set_kind(session: Session, name: str, kind: str) -> None:
    """Say of what kind a publisher is."""
    with session.changing() as tracker:
        row = tracker.publishers.set_kind(name, kind)
    click.echo(one_line(f"{row['name']}: {row['kind']}"))


@publishers.command("set-owner", epilog=example(
    "syndtrack publishers set-owner 'Example Post' 'Example Media Group'\nsyndtrack publishers set-owner 'Example Post' --none"
))  # fmt: skip
@click.argument("name")
@click.argument("owner", required=False)
@click.option("--none", is_flag=True, help="Nobody owns it who owns another publisher, whatever is learned.")
@click.option("--unset", is_flag=True, help="Take your word back: what is known from elsewhere holds again.")
@click.pass_obj
def set_owner(session: Session, name: str, owner: str | None, none: bool, unset: bool) -> None:
    """Say who owns a publisher: reuse between publishers of one owner is marked `same_owner`."""
    if sum((owner is not None, none, unset)) != 1:
        raise click.UsageError("give an OWNER, or --none, or --unset")
    with session.changing() as tracker:
        row = tracker.publishers.unset_owner(name) if unset else tracker.publishers.set_owner(name, owner)
    known = f" (known from: {row['owner_known_from']})" if row["owner"] else ""
    click.echo(one_line(f"{row['name']}: owner {row['owner'] or 'not known' if not none else 'none'}{known}"))


@publishers.command(epilog=example("syndtrack publishers owners\nsyndtrack publishers owners --fetch 'Example Post' example.net"))
@click.argument("names", nargs=-1)
@click.option("--fetch", is_flag=True, help="First ask the publishers' sites for their trust.txt, each at most once in four weeks.")
@format_option
@click.pass_obj
def owners(session: Session, names: Sequence[str], fetch: bool, form: str) -> None:
    """Who owns whom, and how that is known: from you, the list that comes along, trust.txt, or pages that sites have in common.

    Of trust.txt only what both sides state counts: control= of the owner and controlledby= of the owned.
    """
    with session.changing() if fetch else session.reading() as tracker:
        if fetch:
            told = tracker.publishers.fetch_owners(names)
            for row in told:
                found = f"{counted(row['statements'], 'statement')} at {row['url']}" if row["url"] else row["reason"]
                click.echo(one_line(f"{row['site']}: {row['outcome']}, {found}"), err=True)
            if not told:
                click.echo("No site to ask: all were asked within the last four weeks, or none is known.", err=True)
        rows = tracker.publishers.owners(names)
        print_rows(rows, form, empty="No owner is known.", title="Owners", header=COLUMNS["publishers owners"])


@publishers.command(epilog=example("syndtrack publishers republished 'Example Post' --format csv > copies.csv"))
@click.argument("name")
@format_option
@click.pass_obj
def republished(session: Session, name: str, form: str) -> None:
    """Who republished a publisher: every copy of its articles with lag, share kept, words dropped and added, credited or not."""
    with session.reading() as tracker:
        rows = tracker.publishers.republished(name)
        empty, header = f"No copy of an article of {name} is known.", COLUMNS["publishers republished"]
        print_rows(rows, form, empty=empty, title="Republished", header=header, columns=ON_TERMINALS["republished"])


def _print(record: dict[str, Any], form: str) -> None:
    """One publisher as a record, or for people."""
    if form == "json":
        click.echo(json.dumps(record, ensure_ascii=False, indent=1))
        return
    click.echo(one_line(f"{record['name']}: {record['kind']}, known from {record['known_from']}"))
    for name in ("aliases", "domains", "feed_addresses"):
        if record[name]:
            click.echo("  " + one_line(f"{name.replace('_', ' ')}: {', '.join(record[name])}", 2_000))
    click.echo(f"  articles: {record['articles']}")
    for known in record["owners"]:
        click.echo("  " + one_line(f"owner: {known['owner'] or 'none'} ({known['known_from']}: {known['reason']})", 500))
    for decided in record["decisions"]:
        click.echo(
            "  " + one_line(f"decided {decided['at']}: {decided['what']} {decided['value'] or 'none'}, was {decided['was'] or 'unknown'}")
        )
    for title, rows, other in (("copied by", "copied_by", "copy_publisher"), ("copies from", "copies_from", "source_publisher")):
        for row in record[rows][:20]:
            lag = row["median_lag_seconds"]
            after = "" if lag is None else f", median lag {lag // 60} min"
            click.echo("  " + one_line(f"{title} {row[other]}: {_times(row['copies'])}, {row['credited_share']:.0%} credited{after}"))
        if len(record[rows]) > 20:
            click.echo(f"  {title} {len(record[rows]) - 20} more: syndtrack report publishers")


def _times(number: int) -> str:
    """How often."""
    return "once" if number == 1 else f"{number} times"
