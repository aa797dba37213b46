"""The database: opening, refusing what is not ours, one transaction at a time.

One `Store` belongs to one thread. Several processes may share the file: writers queue at BEGIN IMMEDIATE, and whatever a store holds in
memory (names of publishers, the candidate index) is brought up to date when another process has written.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlite_utils import Database
from sqlite_utils.utils import sqlite3  # type: ignore[attr-defined] # pysqlite3 where it is installed, else the standard library's

from syndtrack.errors import GivenUpError, StoreError
from syndtrack.store.articles import Articles
from syndtrack.store.decisions import Decisions
from syndtrack.store.directory import Directory
from syndtrack.store.edges import Edges
from syndtrack.store.feeds import Feeds
from syndtrack.store.habits import Habits
from syndtrack.store.history import History
from syndtrack.store.hosts import Hosts
from syndtrack.store.lines import Lines
from syndtrack.store.lookups import Lookups
from syndtrack.store.matches import Matches
from syndtrack.store.owners import Owners
from syndtrack.store.publishers import Publishers
from syndtrack.store.quarantine import Quarantine
from syndtrack.store.schema import APPLICATION_ID, SCHEMA_VERSION, migrations
from syndtrack.store.verdicts import VerdictTable
from syndtrack.store.websub import Websub

READ_WAIT = 30.0  # s; readers wait only while a database is made or recovered
WRITE_WAIT = 900.0  # s; an archive being taken in holds the lock for seconds, again and again
WRITE_LOOK = 0.005  # s between two looks whether the lock is free; SQLite's own waiting looks every 0.1 s and may never find it so
TELL_AFTER = 5.0  # s
LONG = 0.25  # s; whoever held the lock so long leaves it free for MADE_WAY
MADE_WAY = 0.02  # s

EMPTY = "this file is empty, no database yet; `syndtrack add URL` or `ingest` makes it one, or name another file with --db"

COPY_IT = "copy it to where it may be written to, and name the copy with --db"

# sqlite3 looks for a way to adapt whatever is no plain number or text, for NULL and truth values anew each time: pysqlite3 takes 3 µs,
# and a poll stores a dozen of them. Told once, a tenth of that.
sqlite3.register_adapter(type(None), lambda nothing: nothing)
sqlite3.register_adapter(bool, int)

log = logging.getLogger(__name__)


class Store:
    """All that is kept, by subject: `publishers`, `feeds`, `articles`, `edges` and so on; `lookups` reads."""

    def __init__(self, path: Path | str, *, read_only: bool = False) -> None:
        """Open, creating and migrating as needed. Raises StoreError where the file cannot be used."""
        self.path = str(path)
        self.leaving = threading.Event()  # set by another thread: nobody is waited for any more
        try:
            self.db = Database(_connect(self.path, read_only))
            version = self._check(read_only)
            if not read_only:
                self._prepare()
            elif version < SCHEMA_VERSION:
                self._bring_up_to_date(version)
        except sqlite3.DatabaseError as error:
            raise StoreError(f"{self.path}: {_reason(error)}") from error
        connection = self.db.conn
        self.publishers = Publishers(connection)
        self.decisions = Decisions(connection, self.publishers)
        self.owners = Owners(connection, self.publishers)
        self.feeds = Feeds(connection)
        self.websub = Websub(connection)
        self.hosts = Hosts(connection)
        self.articles = Articles(connection)
        self.lines = Lines(connection)
        self.matches = Matches(connection)
        self.edges = Edges(connection)
        self.habits = Habits(connection, self.publishers)
        self.quarantine = Quarantine(connection)
        self.lookups = Lookups(self.db)
        self.directory = Directory(self.db)
        self.verdicts = VerdictTable(connection, self.publishers)
        self.history = History(self.db)
        self._seen_version = -1

    def _bring_up_to_date(self, version: int) -> None:
        """Make the tables of an older version the present ones, which are all that look-ups know. Raises StoreError."""
        try:
            Store(self.path).close()
        except StoreError as error:
            old = f"made by an older syndtrack (schema {version}, this one needs {SCHEMA_VERSION}) and not yet brought up to date"
            raise StoreError(f"{self.path}: {old}: {str(error).removeprefix(f'{self.path}: ')}") from error

    def close(self) -> None:
        """Close the connection."""
        self.db.conn.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing. The write lock is taken at once, so that reads inside cannot turn into a refused write. Raises StoreError."""
        with self._told():
            try:
                with self._locked():
                    version = self.others_wrote()
                    if version != self._seen_version:
                        self.publishers.load()
                        self._seen_version = version
                    yield
            except BaseException:
                self._seen_version = -1
                raise

    @contextmanager
    def waiting_ends(self) -> Iterator[None]:
        """After an error or an interruption inside, no thread waits for other processes any more: one is to wait for the threads."""
        try:
            yield
        except BaseException:
            self.leaving.set()
            raise

    @contextmanager
    def waiting_again(self) -> Iterator[None]:
        """Whatever was set inside, afterwards other processes are waited for again."""
        try:
            yield
        finally:
            self.leaving.clear()

    def is_behind(self) -> bool:
        """Whether anything that was stored is still to be joined, learned, cleaned, compared or traced. Takes no lock."""
        left = (
            "publisher WHERE merged = 1", "publisher WHERE lines_changed = 1", "revision WHERE step = 'read'",
            "revision WHERE step = 'cleaned'", "article WHERE traced = 0 AND revision_id IS NOT NULL", "habit WHERE changed = 1",
            "dating WHERE changed = 1",
        )  # fmt: skip
        return any(self.db.conn.execute(f"SELECT EXISTS (SELECT 1 FROM {each})").fetchone()[0] for each in left)

    def others_wrote(self) -> int:
        """A number that changes whenever another connection has written."""
        return int(self.db.conn.execute("PRAGMA data_version").fetchone()[0])

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """A transaction under the write lock, taken after whoever has it."""
        connection = self.db.conn
        self._wait_for("BEGIN IMMEDIATE")
        since = time.monotonic()
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        if time.monotonic() - since > LONG:
            time.sleep(MADE_WAY)

    def _wait_for(self, statement: str) -> None:
        """Run what needs the lock, after whoever has it."""
        connection, since, told = self.db.conn, time.monotonic(), False
        connection.execute("PRAGMA busy_timeout = 0")
        try:
            while True:
                try:
                    connection.execute(statement)
                    return
                except sqlite3.OperationalError as error:
                    waited = time.monotonic() - since
                    # the lower byte: sqlite3 also tells busy how (SQLITE_BUSY_RECOVERY), pysqlite3 does not
                    if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or waited > WRITE_WAIT:
                        raise
                if waited > TELL_AFTER and not told:
                    log.warning("%s: another process is writing; waiting for it", self.path)
                    told = True
                if self.leaving.wait(WRITE_LOOK):
                    raise GivenUpError(f"{self.path}: another process is writing; not waited for any longer")
        finally:
            connection.execute(f"PRAGMA busy_timeout = {READ_WAIT * 1000:.0f}")

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Look-ups inside see the database at one moment, whatever is written meanwhile. To be short: it keeps the WAL growing.

        Inside another snapshot or a transaction it is the same moment.
        """
        connection = self.db.conn
        if connection.in_transaction:
            yield
            return
        with self._told():
            connection.execute("BEGIN")
            try:
                yield
            finally:
                connection.execute("ROLLBACK")

    @contextmanager
    def _told(self) -> Iterator[None]:
        """A full disk, a lock, a damaged file become StoreErrors; a wrong query stays what it is, a bug."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            if type(error) not in (sqlite3.OperationalError, sqlite3.DatabaseError) or error.sqlite_errorcode == sqlite3.SQLITE_ERROR:
                raise
            raise StoreError(f"{self.path}: {_reason(error)}") from error

    def _check(self, read_only: bool) -> int:
        """The version. Refuses another program's database, one from a later version, and for reading one that nobody has made yet."""
        application, version, tables = self.db.conn.execute(
            "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_master) FROM pragma_application_id, pragma_user_version"
        ).fetchone()  # at one moment: another process may be making it
        if application != APPLICATION_ID and (tables or application):
            raise StoreError(f"{self.path}: this database was not made by syndtrack; name another file with --db")
        if read_only and not tables:
            raise StoreError(f"{self.path}: {EMPTY}")
        if version > SCHEMA_VERSION:
            raise StoreError(
                f"{self.path}: made by a newer syndtrack (schema {version}, this one knows {SCHEMA_VERSION}); upgrade syndtrack"
            )
        return int(version)

    def _prepare(self) -> None:
        """Pragmas, then whatever migrations are missing."""
        connection = self.db.conn
        self._wait_for("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        if not migrations.pending(self.db):
            return
        with self._locked():  # others that make it at the same time wait, then find it made
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            migrations.apply(self.db)
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def require(path: str) -> None:
    """Raise StoreError where there is no database yet: a mistyped name is told, not made."""
    if not Path(path).exists():
        raise StoreError(f"no database at {path}; `syndtrack add URL` or `ingest` makes one")
    if Path(path).is_file() and not Path(path).stat().st_size:
        raise StoreError(f"{path}: {EMPTY}")


def _connect(path: str, read_only: bool) -> sqlite3.Connection:
    """A connection without implicit transactions."""
    if read_only:
        require(path)
    if Path(path).is_dir():
        raise StoreError(f"{path}: is a folder; name a file with --db, as in --db {Path(path) / 'syndtrack.db'}")
    if path != ":memory:" and not Path(path).parent.is_dir():
        raise StoreError(f"{path}: the folder {Path(path).parent} does not exist")
    connection = _opened(path, "?mode=ro") if read_only else _opened(path)
    if read_only and _is_unwritable(connection, path):
        connection.close()
        connection = _opened(path, "?mode=ro&immutable=1")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA cache_size = -65536")
    connection.execute("PRAGMA temp_store = MEMORY")
    return connection


def _opened(path: str, how: str = "") -> sqlite3.Connection:
    """A connection, opened as the parameters of an SQLite address say."""
    name = f"file:{Path(path).absolute().as_posix().replace('?', '%3f').replace('#', '%23')}{how}" if how else path
    return sqlite3.connect(name, uri=bool(how), timeout=READ_WAIT, isolation_level=None, check_same_thread=False)


def _is_unwritable(connection: sqlite3.Connection, path: str) -> bool:
    """Whether nobody can write to the file's folder, as on a read-only disk: reading would put a file beside it, for whoever writes.

    Raises StoreError where what was written last was not yet moved into the file itself (https://www.sqlite.org/wal.html#read_only_databases).
    """
    try:
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN):
            raise
    else:
        return False
    rest = Path(f"{path}-wal")
    if rest.exists() and rest.stat().st_size:
        raise StoreError(f"{path}: what was written last is still in {rest.name}; {COPY_IT} (both files)")
    return True


def _reason(error: Exception) -> str:
    """SQLite's message, with what to do about it."""
    text = str(error)
    if "not a database" in text:
        return "this file is no SQLite database; name another file with --db"
    if "locked" in text:
        return "another process keeps the database locked; try again when it is done"
    if "readonly" in text:
        return f"it may not be written to here; {COPY_IT}"
    if "unable to open" in text:
        return "cannot be opened; check that the folder exists and may be written to"
    if "full" in text:
        return "the disk is full; what was stored before stays, the rest can be taken in again when there is room"
    return text
