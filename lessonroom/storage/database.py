"""Connections: SQLite that is on the disk when it says so, and PostgreSQL, behind the same two engines."""

from __future__ import annotations

import math
import os
import sqlite3
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, QueuePool, create_engine, event, make_url
from sqlalchemy.engine.interfaces import IsolationLevel
from sqlalchemy.exc import ArgumentError

from lessonroom.errors import BadSetting

_KEY = "LESSONROOM_DATABASE_URL"


class Side(Protocol):
    """One way into the database, for one thread."""

    engine: Engine

    def stands(self) -> bool:
        """Whether the connection still leads to the place that the address names."""
        ...


class Database(Protocol):
    """Where records are kept."""

    writer: Side
    reader: Side

    def prepare(self) -> None:
        """Make what has to be there before the first connection. Raises OSError."""
        ...

    def lock(self, connection: Connection) -> None:
        """Let one process at a time change the schema, in the transaction that runs, however long it takes."""
        ...

    def looker(self) -> Side:
        """A way in that changes nothing, not even what opening changes; a transaction sees one state throughout."""
        ...

    def scrub(self) -> bool:
        """Take deleted records out of the log of changes; False when readers were in the way.

        Raises SQLAlchemyError.
        """
        ...


def connect(url: str, *, deadline: float) -> Database:
    """The database at an SQLAlchemy address; nothing is opened yet. ``deadline``: longest wait for a lock, in seconds.

    Raises BadSetting, without the address: it may hold a password.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise BadSetting(f"{_KEY}: expected an address such as sqlite:///FILE or postgresql://HOST/NAME") from None
    match parsed.get_backend_name():
        case "sqlite":
            return SqliteFile(parsed, deadline)
        case "postgresql":
            return Postgres(parsed, deadline)
    raise BadSetting(f"{_KEY}: expected sqlite or postgresql, got another database")


_SCRUB_SECONDS = 0.1
"""Longest wait for readers when the log of changes is cut: everybody who wants to write waits meanwhile."""


class SqliteFile:
    """A file in WAL mode. A commit has reached the disk when it returns (``synchronous=FULL``)."""

    def __init__(self, url: URL, deadline: float) -> None:
        if not url.database or url.database == ":memory:" or url.query:
            raise BadSetting(f"{_KEY}: expected the path of a file for SQLite, and nothing after it")
        self._path = Path(url.database).absolute()
        # the wait for a lock must end before the caller's own deadline does
        wait = 0.8 * deadline
        self._wait = wait
        self.writer: Side = _SqliteSide(self._path, wait, writes=True)
        self.reader: Side = _SqliteSide(self._path, wait, writes=False)

    def prepare(self) -> None:
        """Make the file, for the owner of the process only; SQLite gives -wal and -shm the same rights."""
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))

    def lock(self, connection: Connection) -> None:
        """BEGIN IMMEDIATE has locked the file already."""

    def looker(self) -> Side:
        """A connection that SQLite itself keeps from writing."""
        return _SqliteSide(self._path, self._wait, writes=False, looks=True)

    def scrub(self) -> bool:
        """Move the -wal file's content into the database, where it is overwritten, and cut that file to nothing.

        With a connection of its own: a transaction cannot do it. It gives up soon, so that no lesson waits for it.
        """
        engine = _SqliteSide(self._path, _SCRUB_SECONDS, writes=True, begins=False).engine
        try:
            with engine.connect() as connection:
                busy = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0]
        finally:
            engine.dispose()
        return not busy


class _SqliteSide:
    """One connection to the file, with transactions begun by us: the driver would begin them late."""

    def __init__(self, path: Path, wait: float, *, writes: bool, looks: bool = False, begins: bool = True) -> None:
        self._path = path
        self._wait = wait
        self._writes = writes
        # mode=rw: a missing file is an error, not a new and empty database
        self._mode = "ro" if looks else "rw"
        self._file: tuple[int, int] | None = None
        self.engine = create_engine(
            "sqlite://", creator=self._connect, hide_parameters=True, poolclass=QueuePool, pool_size=1, max_overflow=0
        )

        # a lock taken at once is waited for; one taken in the middle of a transaction fails (sqlite.org/isolation.html)
        begin = "BEGIN IMMEDIATE" if writes else "BEGIN"

        def _begin(connection: Connection) -> None:
            connection.exec_driver_sql(begin)

        if begins:
            event.listen(self.engine, "begin", _begin)

    def stands(self) -> bool:
        """Whether the file under the path is the one that was opened.

        A file that was deleted or moved can still be written to, and nobody would ever find the records again.
        """
        return self._file is None or self._file == self._identity()

    def _identity(self) -> tuple[int, int] | None:
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def _connect(self) -> sqlite3.Connection:
        address = f"file:{quote(str(self._path))}?mode={self._mode}"
        connection = sqlite3.connect(
            address, uri=True, timeout=self._wait, isolation_level=None, check_same_thread=False
        )
        try:
            if self._mode == "rw":
                _use_wal(connection)
            connection.execute("PRAGMA synchronous = FULL").close()
            # what is deleted is overwritten: else it would stay in the file, to be read with other tools
            connection.execute("PRAGMA secure_delete = ON").close()
            connection.execute("PRAGMA foreign_keys = ON").close()
            connection.execute(f"PRAGMA query_only = {'OFF' if self._writes else 'ON'}").close()
        except sqlite3.Error:
            connection.close()
            raise
        self._file = self._identity()
        return connection


def _use_wal(connection: sqlite3.Connection, tries: int = 10) -> None:
    """Turn WAL mode on, which a file remembers.

    The first time it needs the file for itself, and does not wait for others who do the same just now. Taking the write
    lock does wait for them.
    """
    for last in range(tries - 1, -1, -1):
        try:
            connection.execute("PRAGMA journal_mode = WAL").close()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname != "SQLITE_BUSY" or not last:
                raise
            connection.execute("BEGIN IMMEDIATE").close()
            connection.execute("ROLLBACK").close()
        else:
            return


class Postgres:
    """A PostgreSQL server, through psycopg."""

    # any number, the same in every process: the key of the lock under which the schema changes
    _SCHEMA_LOCK = 7_305_012_019

    def __init__(self, url: URL, deadline: float) -> None:
        self._url = url
        self._deadline = deadline
        self.writer: Side = _PostgresSide(url, deadline, writes=True)
        self.reader: Side = _PostgresSide(url, deadline, writes=False)

    def prepare(self) -> None:
        """The server makes its own files."""

    def lock(self, connection: Connection) -> None:
        """Wait for the other processes that start now, without the limits that hold for one record."""
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        connection.exec_driver_sql("SET LOCAL lock_timeout = 0")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({self._SCHEMA_LOCK})")

    def looker(self) -> Side:
        """A connection whose transactions may not write, and see no change that others make meanwhile."""
        return _PostgresSide(self._url, self._deadline, writes=False, isolation="REPEATABLE READ")

    def scrub(self) -> bool:
        """The server overwrites what was deleted with its own VACUUM."""
        return True


class _PostgresSide:
    """One connection to the server, with our limits unless the address sets ``options`` of its own."""

    def __init__(
        self, url: URL, deadline: float, *, writes: bool, isolation: IsolationLevel = "READ COMMITTED"
    ) -> None:
        limits: dict[str, Any] = {
            "connect_timeout": max(2, math.ceil(deadline)),  # libpq waits at least 2 s
            "tcp_user_timeout": round(deadline * 1000),
        }
        if "options" not in url.query:
            wait = round(deadline * 800)  # must end before the caller's own deadline does
            limits["options"] = (
                f"-c statement_timeout={wait} -c lock_timeout={wait} -c synchronous_commit=on"
                f" -c default_transaction_read_only={'off' if writes else 'on'}"
            )
        try:
            self.engine = create_engine(
                url.set(drivername="postgresql+psycopg"),
                connect_args=limits,
                hide_parameters=True,
                pool_size=1,
                max_overflow=0,
                isolation_level=isolation,
                pool_pre_ping=True,  # a connection that died while idle is made anew before a record meets it
            )
        except ModuleNotFoundError:
            raise BadSetting(
                f"{_KEY}: expected psycopg to be installed: pip install 'lessonroom[postgresql]'"
            ) from None

    def stands(self) -> bool:
        """A connection that was lost says so itself."""
        return True
