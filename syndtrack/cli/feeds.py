"""Commands of feeds: subscribe, list, poll."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click

from syndtrack.cli.frame import Session, example, finish, format_option, progress_bar
from syndtrack.models import Refusal
from syndtrack.plurals import counted
from syndtrack.reports.columns import COLUMNS
from syndtrack.reports.formats import plain, print_rows
from syndtrack.urls import shown


@click.command(
    epilog=example("syndtrack add https://example.org/feed.xml https://example.net/atom\nsyndtrack add --discover https://example.com/")
)
@click.argument("urls", nargs=-1, required=True)
@click.option("--discover", is_flag=True, help="The addresses are of sites: ask them for the feeds they announce.")
@click.pass_obj
def add(session: Session, urls: Sequence[str], discover: bool) -> None:
    """Subscribe to feeds; twice is the same as once."""
    refused: list[Refusal] = []
    if discover:
        with session.reading_text() as tracker:
            urls, refused = tracker.discover(urls)
    with session.tracker() as tracker:
        taken = tracker.add(dict.fromkeys(url.strip() for url in urls))
    for url in sorted({shown(url.strip()) for url in urls} - {r.what for r in taken}):
        click.echo(f"added {url}")
    finish([*refused, *taken])


@click.command("import", epilog=example("syndtrack import subscriptions.opml"))
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_obj
def import_(session: Session, file: Path) -> None:
    """Subscribe to the feeds of an OPML file; twice is the same as once."""
    with session.tracker() as tracker:
        added, refused = tracker.import_feeds(file)
    known = sum(each.partly for each in refused)
    click.echo(f"{counted(added, 'feed')} added" + (f", {known} subscribed already" if known else ""))
    finish([each for each in refused if not each.partly])


NO_FEEDS = "No feeds yet. Subscribe with: syndtrack add URL"


@click.command(epilog=example("syndtrack feeds --format csv > feeds.csv\nsyndtrack feeds --why"))
@click.option("--why", is_flag=True, help="For each feed, why its next check is when it is.")
@format_option
@click.pass_obj
def feeds(session: Session, why: bool, form: str) -> None:
    """List the feeds with their health."""
    with session.reading() as tracker:
        rows = tracker.feeds()
    if not why:
        print_rows(rows, form, empty=NO_FEEDS, title="Feeds", header=COLUMNS["feeds"])
    elif form != "text" or not rows:
        names = COLUMNS["feeds --why"]
        print_rows([{name: row[name] for name in names} for row in rows], form, empty=NO_FEEDS, title="Feeds", header=names)
    else:
        for row in rows:
            click.echo(plain(f"{shown(row['url'])}\n  next {row['next_check'] or 'at once'}: {row['why'] or 'never polled yet'}"))
            if row["failures"]:
                click.echo(plain(f"  {row['grade'] or 'a'} failure, {row['failures']} in a row: {row['reason']}"))
            if row["gaps"]:
                click.echo(f"  {row['gaps']} of the last looks shared no entry with those before; some entries may have been missed")


@click.command(epilog=example("syndtrack explain https://example.org/feed.xml\nsyndtrack explain example.org --format json"))
@click.argument("feed")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How the story is printed.")
@click.pass_obj
def explain(session: Session, feed: str, form: str) -> None:
    """Tell the whole story of one feed: how it is, what it asks for, its last polls, what comes next and why.

    FEED is its address, or a part of it that no other feed has.
    """
    from syndtrack.polling.explaining import told  # noqa: PLC0415 - cli/__init__.py

    with session.reading() as tracker:
        record = tracker.explain(feed)
    if form == "json":
        click.echo(json.dumps(record, ensure_ascii=False, indent=1))
    else:
        for line in told(record):
            click.echo(plain(line))


@click.command(epilog=example("syndtrack poll\nsyndtrack --db news.db poll --all"))
@click.option("--all", "everything", is_flag=True, help="Ask every feed, due or not, but none whose server asked to wait.")
@click.pass_obj
def poll(session: Session, everything: bool) -> None:
    """Ask the feeds that are due, once, then exit."""
    with session.changing() as tracker, progress_bar() as progress:
        summary = tracker.poll(everything, progress)
        subscribed = tracker.feeds() if not summary.polled else []
    if summary.polled:
        new = counted(summary.new, "new article or revision", "new articles and revisions")
        click.echo(f"{counted(summary.polled, 'feed')} polled, {summary.failed} failed, {new}")
    elif subscribed:
        click.echo(f"No feed is due before {min(f['next_check'] or '' for f in subscribed)}. To ask them all now: syndtrack poll --all")
    else:
        click.echo("No feeds yet. Subscribe with: syndtrack add URL")
    finish(summary.refused)
