"""What the commands share: settings and tracker, errors as one line and an exit status, refusals, progress."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from syndtrack.config import Settings, load_settings
from syndtrack.errors import RefusedError, SyndtrackError, UsageError
from syndtrack.models import Refusal
from syndtrack.reports.formats import plain

if TYPE_CHECKING:
    from syndtrack.tracker import Tracker

REFUSED, WRONG_USAGE, FAILED = 1, 2, 3

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
        """The tracker for what may make a database: it is made when there is something to put in."""
        from syndtrack.tracker import Tracker  # noqa: PLC0415 - cli/__init__.py

        with Tracker(self.settings(), late=True) as tracker:
            yield tracker

    @contextmanager
    def changing(self) -> Iterator[Tracker]:
        """The tracker for what changes a database that is there. Raises StoreError for none."""
        from syndtrack.store.store import require  # noqa: PLC0415 - cli/__init__.py
        from syndtrack.tracker import Tracker  # noqa: PLC0415 - cli/__init__.py

        settings = self.settings()
        require(str(settings.db))
        with Tracker(settings) as tracker:
            yield tracker

    @contextmanager
    def reading(self) -> Iterator[Tracker]:
        """The tracker for look-ups: all of them see the database at one moment, none makes or locks one. Raises StoreError for none."""
        from syndtrack.tracker import Tracker  # noqa: PLC0415 - cli/__init__.py

        with Tracker(self.settings(), read_only=True) as tracker, tracker.store.snapshot():
            yield tracker

    @contextmanager
    def reading_text(self) -> Iterator[Tracker]:
        """The tracker for a text that is not stored: where there is no database, one that knows nothing and leaves nothing behind."""
        from syndtrack.tracker import Tracker  # noqa: PLC0415 - cli/__init__.py

        settings = self.settings()
        with Tracker(settings) if settings.db.exists() else Tracker.in_memory(settings) as tracker:
            yield tracker


class Group(click.Group):
    """A group whose errors are one line on standard error and an exit status that tells their kind."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - click's own signature
        """Run a command; what goes wrong on purpose becomes a line and a status, a bug stays a traceback."""
        try:
            return super().invoke(ctx)
        except UsageError as error:
            click.echo(plain(f"syndtrack: {error}"), err=True)  # it may quote names that others chose
            ctx.exit(WRONG_USAGE)
        except RefusedError as error:  # the one input there was
            click.echo(plain(str(error)), err=True)
            ctx.exit(REFUSED)
        except SyndtrackError as error:
            click.echo(plain(f"syndtrack: {error}"), err=True)
            ctx.exit(FAILED)
        except BrokenPipeError:
            sys.stderr.close()  # whoever read us has enough, as in `syndtrack report matches | head`
            ctx.exit(0)
        except KeyboardInterrupt:
            click.echo("syndtrack: interrupted; what was stored so far stays", err=True)
            ctx.exit(130)
        except (click.ClickException, click.exceptions.Exit):
            raise
        except Exception as error:
            if not _is_of_database(error):
                raise
            click.echo(f"syndtrack: the database cannot be read: {error}", err=True)
            ctx.exit(FAILED)


def _is_of_database(error: Exception) -> bool:
    """Whether SQLite found a damaged file, a full disk and the like."""
    from sqlite_utils.utils import sqlite3  # type: ignore[attr-defined] # noqa: PLC0415 - pysqlite3 where it is installed; cli/__init__.py

    return isinstance(error, sqlite3.DatabaseError)


def finish(refused: Sequence[Refusal]) -> None:
    """Name what was refused; the exit status tells that there was something, if more than a part of an input was."""
    for refusal in refused:
        click.echo(plain(f"{refusal.what}: {refusal.reason}"), err=True)
    if not all(refusal.partly for refusal in refused):
        raise click.exceptions.Exit(REFUSED)


def check_there(named: int, missing: Sequence[Refusal]) -> None:
    """Raise UsageError where nothing of what a command named is there, so that it did nothing: as where it takes one name only."""
    if missing and len(missing) == named:
        raise UsageError("\n".join(f"{each.what}: {each.reason}" for each in missing))


@contextmanager
def progress_bar() -> Iterator[Callable[[str, int, int], None]]:
    """A function to report progress to: bars on a terminal, nothing in a pipe. A total of 0 is unknown."""
    if not sys.stderr.isatty():
        yield lambda *_: None
        return
    from rich.console import Console  # noqa: PLC0415 - cli/__init__.py
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415 - cli/__init__.py

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks = {}

        def progress(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total or None)
            bars.update(tasks[what], completed=done, total=total or None)

        yield progress
