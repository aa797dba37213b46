"""Opening the database: whose file it is, of which version, and who waits for whom."""

import asyncio
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from conftest import ingested, rows
from sqlite_utils.utils import sqlite3
from test_flow import AGENCY, AGGREGATOR, BLOG

from syndtrack.config import Settings
from syndtrack.errors import StoreError
from syndtrack.flow import Flow
from syndtrack.intake import store_aside
from syndtrack.store import store as store_module
from syndtrack.store.schema import SCHEMA_VERSION
from syndtrack.store.store import Store
from syndtrack.tracker import Tracker

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@pytest.fixture
def quick_to_give_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "WRITE_WAIT", 0.01)


def test_a_database_of_the_first_version_is_brought_up_to_date_by_whoever_opens_it(tmp_path: Path):
    with ingested(tmp_path, [AGENCY, AGGREGATOR, BLOG]) as tracker:
        edges = tracker.store.lookups.counts()["edges"]
    with closing(sqlite3.connect(tmp_path / "x.db")) as plain:
        for table in ("naming", "habit", "claim", "dating"):
            plain.execute(f"DROP TABLE {table}")
        plain.execute("DELETE FROM _sqlite_migrations WHERE name = 'habits'")
        plain.execute("PRAGMA user_version = 1")
        plain.commit()
    with closing(Store(tmp_path / "x.db", read_only=True)) as store:
        assert rows(store, "SELECT count(*) FROM claim, habit") == [(0,)]
    with closing(Store(tmp_path / "x.db")) as store:
        Flow(store).settle()
        assert store.lookups.counts()["edges"] == edges
        assert rows(store, "SELECT count(*) FROM claim") == rows(store, "SELECT count(*) FROM article")


def test_a_database_of_a_later_version_is_refused_and_left_as_it_is(tmp_path: Path):
    Store(tmp_path / "x.db").close()
    with closing(sqlite3.connect(tmp_path / "x.db")) as plain:
        plain.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    with pytest.raises(StoreError, match=r"made by a newer syndtrack.*upgrade"):
        Store(tmp_path / "x.db")


@pytest.mark.parametrize(
    "content", [b"no database, just some text that is long enough to be looked at " * 20, b"SQLite format 3\0" + b"\xff" * 4_096]
)
def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(tmp_path: Path, content: bytes):
    (tmp_path / "x.db").write_bytes(content)
    with pytest.raises(StoreError, match=r"x\.db"):
        Store(tmp_path / "x.db")
    assert (tmp_path / "x.db").read_bytes() == content


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path):
    with pytest.raises(StoreError, match="does not exist"):
        Store(tmp_path / "nowhere" / "x.db")


def test_opening_twice_changes_nothing(tmp_path: Path):
    with Tracker(Settings(db=tmp_path / "x.db")) as tracker:
        before = [table.count for table in tracker.store.db.tables]
    with Tracker(Settings(db=tmp_path / "x.db")) as tracker:
        assert [table.count for table in tracker.store.db.tables] == before
    assert sum(before) > 200  # the publishers of the seeds


def test_a_reader_cannot_write(filled_db: Path):
    with closing(Store(filled_db, read_only=True)) as store, pytest.raises(StoreError, match="may not be written to"), store.transaction():
        store.db.execute("DELETE FROM edge")


@pytest.fixture
def unwritable(tmp_path: Path) -> Iterator[Path]:
    """A database with one chain in a folder where nothing can be written, by us or by whom we pretend to be."""
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders are closed to others than who runs it
        folder = Path(name)
        with ingested(tmp_path, [AGENCY, AGGREGATOR]):
            pass
        (folder / "x.db").write_bytes((tmp_path / "x.db").read_bytes())
        (folder / "x.db").chmod(0o444)
        folder.chmod(0o555)
        us = os.geteuid()
        if us == 0:  # who may write anywhere
            os.seteuid(65_534)
        yield folder / "x.db"
        os.seteuid(us)
        folder.chmod(0o755)


def test_a_database_where_nothing_can_be_written_is_read_all_the_same(unwritable: Path):
    with Tracker(Settings(db=unwritable), read_only=True) as tracker:
        assert [edge["source"] for edge in tracker.report("edges")] == [AGENCY["url"]]
        assert tracker.trace(AGGREGATOR["url"])["origin"]["url"] == AGENCY["url"]
    with pytest.raises(StoreError, match=r"x\.db: it may not be written to here; copy it to where it may"):
        Tracker(Settings(db=unwritable))


def test_an_older_database_where_nothing_can_be_written_is_refused_with_what_to_do(unwritable: Path):
    pretended, us = os.geteuid(), os.getuid()
    os.seteuid(us)
    unwritable.chmod(0o644)
    unwritable.parent.chmod(0o755)
    with closing(sqlite3.connect(unwritable)) as plain:
        plain.execute("PRAGMA user_version = 1")
    unwritable.chmod(0o444)
    unwritable.parent.chmod(0o555)
    os.seteuid(pretended)
    with pytest.raises(StoreError, match=r"made by an older syndtrack \(schema 1, this one needs 3\).*copy it to where it may"):
        Store(unwritable, read_only=True)


def test_what_was_written_last_is_not_passed_over_where_nothing_can_be_written(unwritable: Path):
    pretended, us = os.geteuid(), os.getuid()
    os.seteuid(us)
    unwritable.parent.chmod(0o755)
    unwritable.with_name("x.db-wal").write_bytes(b"\x37\x7f\x06\x82" + b"\0" * 60)
    unwritable.parent.chmod(0o555)
    os.seteuid(pretended)
    with pytest.raises(StoreError, match=r"still in x\.db-wal; copy it .* \(both files\)"):
        Store(unwritable, read_only=True)


@pytest.mark.usefixtures("quick_to_give_up")
def test_a_database_that_another_process_keeps_locked_is_told_in_one_line(tmp_path: Path):
    with closing(Store(tmp_path / "x.db")) as store, closing(Store(tmp_path / "x.db")) as other, other.transaction():
        with pytest.raises(StoreError, match=r"x\.db: another process keeps the database locked.*try again") as caught, store.transaction():
            pass
        assert "\n" not in str(caught.value)


def test_a_folder_is_no_database_and_a_file_in_it_is_proposed(tmp_path: Path):
    with pytest.raises(StoreError, match=r"is a folder; name a file with --db, as in --db .*syndtrack\.db"):
        Store(tmp_path)


def in_another_process(script: str, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # noqa: S603 - ours


OPENING = """
import sys
from syndtrack.store.store import Store
print("ready", flush=True)
sys.stdin.readline()
Store(sys.argv[1]).close()
"""


def test_processes_that_make_one_database_at_the_same_time_all_find_it_made(tmp_path: Path):
    makers = [in_another_process(OPENING, str(tmp_path / "x.db")) for _ in range(4)]
    for maker in makers:
        assert maker.stdout is not None
        maker.stdout.readline()
    told = [maker.communicate("go\n")[1] for maker in makers]
    assert told == [""] * 4
    with closing(Store(tmp_path / "x.db", read_only=True)) as store:
        assert rows(store, "SELECT count(*) FROM _sqlite_migrations") == [(SCHEMA_VERSION,)]


WRITING = """
import sys, time
from datetime import UTC, datetime
from syndtrack.store import store as s
store = s.Store(sys.argv[1])
for number in range(20):
    with store.transaction():
        store.articles.refuse(datetime.now(UTC), f"theirs {number}", "")
        print(number, flush=True)
        time.sleep(s.LONG)  # holds the lock as a large batch does
"""


def test_a_writer_gets_its_turn_while_another_process_writes_without_a_pause(tmp_path: Path):
    with closing(Store(tmp_path / "x.db")) as store:
        other = in_another_process(WRITING, str(tmp_path / "x.db"))
        assert other.stdout is not None
        assert other.stdout.readline() == "0\n"
        with store.transaction():
            store.articles.refuse(START, "ours", "")
        assert other.communicate()[1] == ""
        written = [what for (what,) in rows(store, "SELECT what FROM refusal ORDER BY id")]
    assert len(written) == 21
    assert written.index("ours") < 20


def test_whoever_waits_long_for_another_process_says_so_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(store_module, "TELL_AFTER", 0.0)
    with closing(Store(tmp_path / "x.db")) as store:
        other = in_another_process(WRITING, str(tmp_path / "x.db"))
        assert other.stdout is not None
        other.stdout.readline()
        with store.transaction():
            pass
        other.communicate()
    assert [r.getMessage() for r in caplog.records] == [f"{tmp_path / 'x.db'}: another process is writing; waiting for it"]


class Recovering:
    """A connection that another process makes wait while it recovers the WAL, as Python's own sqlite3 tells it."""

    def __init__(self, connection: Any) -> None:  # noqa: ANN401 - of sqlite3 or pysqlite3
        self.connection, self.begun = connection, 0

    def execute(self, statement: str) -> Any:  # noqa: ANN401 - as above
        if statement.startswith("BEGIN"):
            self.begun += 1
            if self.begun < 3:
                error = sqlite3.OperationalError("database is locked")
                error.sqlite_errorcode = 261  # SQLITE_BUSY_RECOVERY
                raise error
        return self.connection.execute(statement)

    @property
    def in_transaction(self) -> bool:
        return bool(self.connection.in_transaction)


def test_a_writer_waits_while_another_process_recovers_the_database(store: Store, monkeypatch: pytest.MonkeyPatch):
    recovering = Recovering(store.db.conn)
    monkeypatch.setattr(store.db, "conn", recovering)
    with store.transaction():
        store.articles.refuse(START, "a line", "")
    assert recovering.begun == 3
    assert rows(store, "SELECT what FROM refusal") == [("a line",)]


async def test_whoever_is_interrupted_while_storing_is_told_until_it_has_ended(store: Store):
    begun, given_up, ended = threading.Event(), threading.Event(), list[bool]()

    def storing() -> None:
        begun.set()
        while not store.leaving.is_set() and not given_up.wait(0.001):
            pass
        ended.append(store.leaving.is_set())

    task = asyncio.create_task(store_aside(store, storing))
    await asyncio.to_thread(begun.wait)
    task.cancel()
    try:
        with pytest.raises(asyncio.CancelledError):
            await task
        assert ended == [True]
        assert not store.leaving.is_set()
    finally:
        given_up.set()
