"""Commands that serve until they are stopped: the scheduler with its pages, and the sample newsroom."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import click

from syndtrack.cli.frame import FAILED, Session, example
from syndtrack.logs import Form, set_up


@click.command(epilog=example("syndtrack run --port 8080\nsyndtrack run --log-format json 2>> syndtrack.log"))
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to serve pages and API on.")
@click.option("--port", type=click.IntRange(0, 65_535), default=8080, show_default=True, help="The port; 0 takes a free one.")
@click.option("--log-format", type=click.Choice(["plain", "json"]), default="plain", show_default=True,
              help="How logs are written to standard error: lines for people, or one JSON object a line.")  # fmt: skip
@click.pass_obj
def run(session: Session, host: str, port: int, log_format: Form) -> None:
    """Poll feeds as they become due and serve pages and API, until interrupted or told to stop (SIGTERM).

    Numbers to watch it by: /metrics (Prometheus) and /healthz.
    """
    from syndtrack.web.running import serve  # noqa: PLC0415 - nobody else needs the server

    set_up(log_format)
    serve(session.settings(), host, port)


@click.group()
def sample() -> None:
    """A newsroom on loopback to try everything on: twelve invented publishers whose articles travel."""


@sample.command("serve", epilog=example("syndtrack sample serve --pace 30 --opml newsroom.opml"))
@click.option("--port", type=click.IntRange(0, 65_535), default=0, help="The port; a free one by default.")
@click.option("--pace", type=click.FloatRange(0, 10_000), default=10.0, show_default=True, help="Newsroom minutes that pass in a second.")
@click.option("--opml", type=click.Path(path_type=Path), help="Write the subscriptions to this file.")
def sample_serve(port: int, pace: float, opml: Path | None) -> None:
    """Serve the newsroom's feeds and pages until interrupted. Poll it with SYNDTRACK_ALLOW_NETWORKS=127.0.0.0/8."""
    import asyncio  # noqa: PLC0415 - as the next

    from syndtrack.sample.pages import opml as opml_of  # noqa: PLC0415 - nobody else needs the newsroom
    from syndtrack.sample.server import SampleFeed, serve  # noqa: PLC0415 - as above
    from syndtrack.seeds import seeds_folder  # noqa: PLC0415 - as above

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
