"""Why the database failed, in words of our own: its own texts may quote the record."""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError, StatementError

_SQLITE = {
    "SQLITE_BUSY": "locked by another process",
    "SQLITE_LOCKED": "locked by another process",
    "SQLITE_READONLY": "read-only",
    "SQLITE_FULL": "on a full disk",
    "SQLITE_IOERR": "on a disk that fails",
    "SQLITE_CANTOPEN": "not there or not to be opened",
    "SQLITE_CORRUPT": "damaged",
    "SQLITE_NOTADB": "not a database",
    "SQLITE_PERM": "not to be opened",
    "SQLITE_AUTH": "not to be opened",
}

# by code, else by class, the first two letters (PostgreSQL manual, appendix A)
_POSTGRES = {
    "25006": "read-only",
    "53100": "on a full disk",
    "55P03": "locked by another process",
    "57014": "too slow",
    "08": "not to be reached",
    "28": "not to be opened",
    "3D": "not there",
    "42": "of another version",
    "53": "out of resources",
    "57": "shutting down",
    "58": "on a disk that fails",
    # psycopg says no more of a server that does not answer
    "OperationalError": "not to be reached",
    "ConnectionTimeout": "not to be reached",
}

_LOST_RACE = {"40P01", "40001"}
_NO_SUCH_PARENT = {"SQLITE_CONSTRAINT_FOREIGNKEY", "23503"}


def reason(error: SQLAlchemyError | OSError) -> str:
    """One line for StoreDown: what the database is, and the code to look up."""
    if isinstance(error, OSError):
        return f"the database is not to be opened ({error.__class__.__name__})"
    code = _code(error)
    words = _words(code)
    return f"the database is {words} ({code})" if words else f"the database failed ({code})"


def may_work_apart(error: SQLAlchemyError) -> bool:
    """Whether jobs that failed together may succeed one by one.

    True for a deadlock between two processes and for a record that the driver does not take; False for a database
    that is locked, full or gone, where each of them would only wait again.
    """
    if _code(error) in _LOST_RACE:
        return True
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    return isinstance(error, StatementError) and not isinstance(error, OperationalError) and not lost


def misses_a_parent(error: SQLAlchemyError) -> bool:
    """Whether a record names a room or member that is not there."""
    return _code(error) in _NO_SUCH_PARENT


def _words(code: str) -> str | None:
    if code.startswith("SQLITE_"):
        return _SQLITE.get("_".join(code.split("_")[:2]))
    return _POSTGRES.get(code) or _POSTGRES.get(code[:2])


def _code(error: SQLAlchemyError) -> str:
    """SQLITE_BUSY and the like, an SQLSTATE, or the name of the error's class."""
    error = _first(error)
    origin = error.orig if isinstance(error, DBAPIError) else None
    if isinstance(origin, sqlite3.Error):
        return str(getattr(origin, "sqlite_errorname", type(origin).__name__))
    state = getattr(origin, "sqlstate", None)
    return str(state or type(origin or error).__name__)


def _first(error: SQLAlchemyError) -> SQLAlchemyError:
    """The error that all began with.

    SQLite ends the transaction by itself when the disk is full; going back to the savepoint then fails too.
    """
    first, cause = error, error.__context__
    while cause is not None:
        if isinstance(cause, SQLAlchemyError):
            first = cause
        cause = cause.__context__
    return first
