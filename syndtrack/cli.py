"""The command line: parse, call the tracker, print.

Results go to standard output; progress, warnings and errors to standard error. Exit status: 0 done, 1 done but some inputs were refused,
2 wrong usage, 3 the operation failed.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from sqlite_utils.utils import sqlite3  # type: ignore[attr-defined] # pysqlite3 where it is installed

from syndtrack import __version__
from syndtrack.archives import is_archive
from syndtrack.config import Settings, load_settings
from syndtrack.errors import SyndtrackError, UsageError
from syndtrack.models import Refusal
from syndtrack.reports.formats import plain, print_rows
from syndtrack.reports.tree import chain_tree, inspection, print_text
from syndtrack.seeds import seeds_folder
from syndtrack.tracker import REPORTS, Tracker

REFUSED, WRONG_USAGE, FAILED = 1, 2, 3

# The columns of reports that a terminal has room for; pipes and files get all.
ON_TERMINALS = {
    "duplicates": ("copy_publisher", "source_publisher", "kind", "confidence", "credited", "title", "copy"),
    "matches": ("a", "b", "kind", "resemblance", "a_in_b", "b_in_a"),
    "edges": ("copy", "source_publisher", "source", "kind", "confidence", "credited"),
    "feeds": ("url", "entries", "outcome", "next_check", "reason"),
}

P = ParamSpec("P")
T = TypeVar("T")

ROWS = click.Choice(["text", "json", "jsonl", "csv"])
format_option = click.option("--format", "form", type=ROWS, default="text", show_default=True, help="How results are printed.")


def example(text: str) -> str:
    """An epilog that click leaves as it is."""
    return "\b\nExample:\n" + "\n".join(f"  {line}" for line in text.splitlines())


@dataclass
class Session:
    """What the commands share: where the settings come from, and whether something was refused."""

    db: Path | None
    settings_file: Path | None

    def settings(self) -> Settings:
        """Settings as the options, the environment and the file have them."""
        return load_settings(self.db, self.settings_file)

    @contextmanager
    def tracker(self) -> Iterator[Tracker]:
        """The tracker on the database asked for."""
        with Tracker(self.settings()) as tracker:
            yield tracker


class Group(click.Group):
    """A group whose errors are one line on standard error and an exit status that tells their kind."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - click's own signature
        """Run a command; what goes wrong on purpose becomes a line and a status, a bug stays a traceback."""
        try:
            return super().invoke(ctx)
        except UsageError as error:
            click.echo(f"syndtrack: {error}", err=True)
            ctx.exit(WRONG_USAGE)
        except SyndtrackError as error:
            click.echo(f"syndtrack: {error}", err=True)
            ctx.exit(FAILED)
        except sqlite3.DatabaseError as error:
            click.echo(f"syndtrack: the database cannot be read: {error}", err=True)
            ctx.exit(FAILED)
        except BrokenPipeError:
            sys.stderr.close()  # whoever read us has enough, as in `syndtrack report matches | head`
            ctx.exit(0)
        except KeyboardInterrupt:
            click.echo("syndtrack: interrupted; what was stored so far stays", err=True)
            ctx.exit(130)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}, epilog=example(
    "syndtrack add https://feeds.feedburner.com/zerohedge/feed\nsyndtrack poll\nsyndtrack report duplicates"
))  # fmt: skip
@click.version_option(__version__, prog_name="syndtrack")
@click.option("--db", type=click.Path(path_type=Path), help="The database; else $SYNDTRACK_DB, else ./syndtrack.db.")
@click.option(
    "--settings", "settings_file", type=click.Path(path_type=Path), help="The settings file; else ./syndtrack.toml if it is there."
)
@click.pass_context
def main(ctx: click.Context, db: Path | None, settings_file: Path | None) -> None:
    """Track syndicated news: poll feeds, find republished copies, see who copied whom and how we know.

    Shell completion: eval "$(_SYNDTRACK_COMPLETE=bash_source syndtrack)" (or zsh_source, fish_source).
    """
    ctx.obj = Session(db, settings_file)


# -- feeds


@main.command(
    epilog=example("syndtrack add https://example.org/feed.xml https://example.net/atom\nsyndtrack add --discover https://example.com/")
)
@click.argument("urls", nargs=-1, required=True)
@click.option("--discover", is_flag=True, help="The addresses are of sites: ask them for the feeds they announce.")
@click.pass_obj
def add(session: Session, urls: Sequence[str], discover: bool) -> None:
    """Subscribe to feeds."""
    refused: list[Refusal] = []
    with session.tracker() as tracker:
        if discover:
            urls, refused = tracker.discover(urls)
        taken = tracker.add(urls)
    for url in sorted(set(urls) - {r.what for r in taken}):
        click.echo(f"added {url}")
    finish([*refused, *taken])


@main.command("import", epilog=example("syndtrack import subscriptions.opml"))
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_obj
def import_(session: Session, file: Path) -> None:
    """Subscribe to the feeds of an OPML file."""
    with session.tracker() as tracker:
        added, refused = tracker.import_feeds(file)
    click.echo(f"{added} feeds added")
    finish(refused)


@main.command(epilog=example("syndtrack feeds --format csv > feeds.csv"))
@format_option
@click.pass_obj
def feeds(session: Session, form: str) -> None:
    """List the feeds with their health."""
    with session.tracker() as tracker:
        print_rows(tracker.feeds(), form, empty="No feeds yet. Subscribe with: syndtrack add URL", title="Feeds")


@main.command(epilog=example("syndtrack poll\nsyndtrack --db news.db poll --all"))
@click.option("--all", "everything", is_flag=True, help="Ask every feed, due or not, but none whose server asked to wait.")
@click.pass_obj
def poll(session: Session, everything: bool) -> None:
    """Ask the feeds that are due, once, then exit."""
    with session.tracker() as tracker, progress_bar() as progress:
        summary = tracker.poll(everything, progress)
        subscribed = tracker.feeds() if not summary.polled else []
    if summary.polled:
        click.echo(f"{summary.polled} feeds polled, {summary.failed} failed, {summary.new} new articles and revisions")
    elif subscribed:
        click.echo(f"No feed is due before {min(f['next_check'] or '' for f in subscribed)}. To ask them all now: syndtrack poll --all")
    else:
        click.echo("No feeds yet. Subscribe with: syndtrack add URL")
    finish(summary.refused)


# -- articles


@main.command(epilog=example("syndtrack ingest articles.jsonl.gz\nzcat old.jsonl.gz | syndtrack ingest -"))
@click.argument("files", nargs=-1, required=True)
@click.pass_obj
def ingest(session: Session, files: Sequence[str]) -> None:
    """Take in archives of articles: .jsonl, .jsonl.gz, .parquet, .warc, .warc.gz, or - for JSON Lines on standard input.

    One object a line: url, and text or html; title, publisher, published and first_seen if known.
    """
    with session.tracker() as tracker, progress_bar() as progress:
        summary = tracker.ingest(files, progress)
    click.echo(f"{summary.new} articles new, {summary.changed} with a new text, {summary.unchanged} known already", err=True)
    finish(summary.refused)


@main.command(epilog=example("syndtrack inspect article.txt\nsyndtrack inspect --format json articles.jsonl"))
@click.argument("file")
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "jsonl"]), default="text", show_default=True, help="How results are printed."
)
@click.pass_obj
def inspect(session: Session, file: str, form: str) -> None:
    """Show what an article says of itself, without storing it: text, credits, removals.

    Takes a file of text or HTML, an archive, or - for standard input.
    """
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


@main.command(epilog=example("syndtrack trace https://example.org/2026/embassy\npbpaste | syndtrack trace -"))
@click.argument("what", metavar="URL|FILE|-")
@click.option("--format", "form", type=click.Choice(["text", "json", "prov", "jsonld"]), default="text", show_default=True,
              help="text, json, prov (W3C PROV-JSON) or jsonld (schema.org).")  # fmt: skip
@click.pass_obj
def trace(session: Session, what: str, form: str) -> None:
    """Show where an article comes from, hop by hop, with the evidence: of a stored article, or of a text that is not stored."""
    with session.tracker() as tracker:
        if form in ("prov", "jsonld"):
            click.echo(json.dumps(tracker.export(what, form), ensure_ascii=False, indent=1))
            return
        record = tracker.trace(what)
    if form == "json":
        click.echo(json.dumps(record, ensure_ascii=False, indent=1))
    else:
        print_text(chain_tree(record))


@main.command(epilog=example("syndtrack report duplicates\nsyndtrack report edges --format jsonl > edges.jsonl"))
@click.argument("name", type=click.Choice(REPORTS))
@click.option("--format", "form", type=click.Choice(["text", "json", "jsonl", "csv", "html"]), default="text", show_default=True,
              help="How results are printed.")  # fmt: skip
@click.pass_obj
def report(session: Session, name: str, form: str) -> None:
    """Print a report: duplicates, matches, edges, publishers (who copies whom), stories, feeds."""
    with session.tracker() as tracker:
        rows = tracker.report(name)
        print_rows(rows, form, empty=f"Nothing to report on {name} yet.", title=name.capitalize(), columns=ON_TERMINALS.get(name, ()))


@main.command(epilog=example("syndtrack search embassy rockets --limit 5"))
@click.argument("query", nargs=-1, required=True)
@click.option("--limit", type=click.IntRange(1, 1_000), default=20, show_default=True, help="How many articles at most.")
@format_option
@click.pass_obj
def search(session: Session, query: Sequence[str], limit: int, form: str) -> None:
    """Find articles that hold all the words."""
    with session.tracker() as tracker:
        print_rows(tracker.search(" ".join(query), limit), form, empty="No article holds all these words.", title="Search")


@main.command(epilog=example("syndtrack forget https://example.org/2026/withdrawn"))
@click.argument("urls", nargs=-1, required=True)
@click.pass_obj
def forget(session: Session, urls: Sequence[str]) -> None:
    """Take articles out of the database, as if they had never come; what they touched is traced again."""
    with session.tracker() as tracker:
        refused = tracker.forget(urls)
    click.echo(f"{len(set(urls)) - len(refused)} articles forgotten")
    finish(refused)


# -- running


@main.command(epilog=example("syndtrack run --port 8080"))
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to serve pages and API on.")
@click.option("--port", type=click.IntRange(0, 65_535), default=8080, show_default=True, help="The port; 0 takes a free one.")
@click.pass_obj
def run(session: Session, host: str, port: int) -> None:
    """Poll feeds as they become due and serve pages and API, until interrupted or told to stop (SIGTERM)."""
    from syndtrack.web.running import serve  # noqa: PLC0415 - nobody else needs the server

    serve(session.settings(), host, port, lambda line: click.echo(line, err=True))


@main.group()
def sample() -> None:
    """A newsroom on loopback to try everything on: twelve invented publishers whose articles travel."""


@sample.command("serve", epilog=example("syndtrack sample serve --pace 30 --opml newsroom.opml"))
@click.option("--port", type=click.IntRange(0, 65_535), default=0, help="The port; a free one by default.")
@click.option("--pace", type=click.FloatRange(0, 10_000), default=10.0, show_default=True, help="Newsroom minutes that pass in a second.")
@click.option("--opml", type=click.Path(path_type=Path), help="Write the subscriptions to this file.")
def sample_serve(port: int, pace: float, opml: Path | None) -> None:
    """Serve the newsroom's feeds and pages until interrupted. Poll it with SYNDTRACK_ALLOW_NETWORKS=127.0.0.0/8."""
    from syndtrack.sample.pages import opml as opml_of  # noqa: PLC0415 - nobody else needs the newsroom
    from syndtrack.sample.server import SampleFeed, serve  # noqa: PLC0415 - as above

    def ready(feeds: Sequence[SampleFeed]) -> None:
        for feed in feeds:
            click.echo(feed.url)
        if opml is not None:
            opml.write_text(opml_of((f.publisher, f.url, f.url) for f in feeds), encoding="utf-8")

    asyncio.run(serve(seeds_folder() / "sample", port, pace, ready))


@sample.command("show", epilog=example("syndtrack --db sample.db sample show --once"))
@click.option("--port", type=click.IntRange(0, 65_535), default=8080, show_default=True, help="The port of the pages; 0 takes a free one.")
@click.option("--once", is_flag=True, help="Exit after printing; status 0 only if the chain is right.")
@click.pass_obj
def sample_show(session: Session, port: int, once: bool) -> None:
    """Poll the newsroom while articles travel, print the duplicates and a chain, then serve the pages.

    Without --db in a temporary database.
    """
    from syndtrack.demo import show  # noqa: PLC0415 - nobody else needs the newsroom

    with tempfile.TemporaryDirectory(prefix="syndtrack-") as folder:
        db = session.db or Path(folder) / "sample.db"
        if not show(db, port, lambda line: click.echo(line, err=True), once=once):
            raise click.exceptions.Exit(FAILED)


# -- shared


def finish(refused: Sequence[Refusal]) -> None:
    """Name what was refused; the exit status tells that there was something."""
    for refusal in refused:
        click.echo(plain(f"{refusal.what}: {refusal.reason}"), err=True)
    if refused:
        raise click.exceptions.Exit(REFUSED)


@contextmanager
def progress_bar() -> Iterator[Callable[[str, int, int], None]]:
    """A function to report progress to: bars on a terminal, nothing in a pipe. A total of 0 is unknown."""
    if not sys.stderr.isatty():
        yield lambda *_: None
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks = {}

        def progress(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total or None)
            bars.update(tasks[what], completed=done, total=total or None)

        yield progress
