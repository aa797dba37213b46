"""What goes out for other programs: the subscriptions as OPML."""

from __future__ import annotations

from pathlib import Path

import click

from syndtrack.cli.frame import Session, example
from syndtrack.errors import UsageError
from syndtrack.plurals import counted
from syndtrack.urls import without_secrets


@click.command("export-feeds", epilog=example("syndtrack export-feeds > feeds.opml\nsyndtrack export-feeds feeds.opml"))
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.pass_obj
def export_feeds(session: Session, file: Path | None) -> None:
    """Write the subscriptions as OPML, for other readers or `syndtrack import`. Logins and secrets in addresses are left out."""
    from syndtrack.polling.subscriptions import Subscription, write_subscriptions  # noqa: PLC0415 - cli/__init__.py

    with session.reading() as tracker:
        feeds = [Subscription(feed.url, feed.title) for feed in tracker.store.feeds.all()]
    text = write_subscriptions(feeds)
    if file is None:
        click.echo(text, nl=False)
    else:
        try:
            file.write_text(text, encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{file}: {error.strerror or error}") from error
    secret = sum(without_secrets(feed.url) != feed.url for feed in feeds)
    if secret:
        click.echo(f"{secret} of {counted(len(feeds), 'address', 'addresses')} had a login or secret, which was left out", err=True)
