"""The command line: parse, call the tracker, print.

Results go to standard output; progress, warnings and errors to standard error. Exit status: 0 done, 1 done but some inputs were refused,
2 wrong usage, 3 the operation failed.

Modules of commands import at their top what is cheap, and whatever else within the command that needs it, so that `--help` and completion
answer at once: all parts together take more than a second to import.
"""

from __future__ import annotations

from pathlib import Path

import click

from syndtrack import __version__
from syndtrack.cli import articles, export, feeds, lookups, publishers, quarantine, running, signatures, verdicts
from syndtrack.cli.frame import Group, Session, example


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


for command in (
    *(feeds.add, feeds.import_, export.export_feeds, feeds.feeds, feeds.explain, feeds.poll),
    *(articles.ingest, articles.inspect, articles.forget),
    *(lookups.trace, lookups.report, lookups.search),
    publishers.publishers,
    *(verdicts.verdict, verdicts.verdicts, verdicts.history),
    signatures.signature,
    *(running.run, running.sample, quarantine.quarantine),
):
    main.add_command(command)
