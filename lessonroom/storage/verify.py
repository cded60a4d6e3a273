"""Looks whether the audit is as it was written: read-only, in parts, also while a server writes to the database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, inspect, select, text
from sqlalchemy.exc import SQLAlchemyError

from lessonroom.errors import NotFound, StoreDown
from lessonroom.storage import auditlog
from lessonroom.storage.audit import Head, Link
from lessonroom.storage.chain import Fault, Walk
from lessonroom.storage.database import connect
from lessonroom.storage.reasons import reason
from lessonroom.storage.schema import audit
from lessonroom.storage.worker import Job, T

PART = 1000
"""Rows that are read at once."""
_BEFORE_ALL: Final = -(2**63)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found. ``rows``: links that hold, up to the first fault; ``last``: the last of them."""

    rows: int
    last: Head
    fault: Fault | None


def verify(url: str, *, kept: str = "", deadline: float) -> Verdict:
    """Follow the chain in the database at an SQLAlchemy address. ``kept``: a hash that one of its rows must have.

    ``deadline``: longest wait for one part, in seconds. Raises BadSetting, StoreDown.
    """
    return _look(url, deadline, lambda db: _verify(db, Walk(kept)))


def head(url: str, *, deadline: float) -> Head:
    """What to keep elsewhere, for ``kept``. Raises BadSetting, NotFound, StoreDown."""
    return _look(url, deadline, auditlog.head)


def _look(url: str, deadline: float, job: Job[T]) -> T:
    engine = connect(url, deadline=deadline).looker().engine
    try:
        with engine.begin() as db:
            if not inspect(db).has_table("audit_head"):
                raise StoreDown("expected a database that a server of this version has opened, got another one")
            return job(db)
    except SQLAlchemyError as error:
        raise StoreDown(reason(error)) from None
    finally:
        engine.dispose()


def _verify(db: Connection, walk: Walk) -> Verdict:
    fault = _walk(db, walk) or walk.end(_head(db)) or _guard(db)
    return Verdict(walk.rows, walk.last, fault)


def _walk(db: Connection, walk: Walk) -> Fault | None:
    for link in _links(db):
        fault = link if isinstance(link, Fault) else walk.step(link)
        if fault is not None:
            return fault
    return None


def _head(db: Connection) -> Head | None:
    try:
        return auditlog.head(db)
    except NotFound:
        return None


def _links(db: Connection) -> Iterator[Link | Fault]:
    after = _BEFORE_ALL
    while part := _part(db, after):
        yield from part
        if isinstance(part[-1], Fault):
            return
        after = part[-1].number


def _part(db: Connection, after: int) -> list[Link | Fault]:
    """The next rows. When one of them cannot be read (its detail is no JSON, a text no UTF-8): one row, or a fault."""
    try:
        return [*auditlog.links(db, after, PART)]
    except (ValueError, TypeError, RecursionError, SQLAlchemyError):
        row = db.scalar(select(audit.c.number).where(audit.c.number > after).order_by(audit.c.number).limit(1))
    try:
        return [*auditlog.links(db, after, 1)]
    except (ValueError, TypeError, RecursionError, SQLAlchemyError):
        return [Fault(row, f"row {row}: cannot be read")]


# --- the guards that refuse changes ----------------------------------------------------------------------------------


def _guard(db: Connection) -> Fault | None:
    guards = _POSTGRES if db.dialect.name == "postgresql" else _SQLITE
    found = {str(row[0]) for row in db.execute(text(guards.query))}
    if guards.expected <= found:
        return None
    return Fault(None, "the guard that refuses changes to the audit is gone")


@dataclass(frozen=True, slots=True)
class _Guards:
    query: str
    expected: frozenset[str]


_SQLITE: Final = _Guards(
    "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit'",
    frozenset(
        f"CREATE TRIGGER audit_no_{deed} BEFORE {deed} ON audit BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END"
        for deed in ("update", "delete")
    ),
)
_POSTGRES: Final = _Guards(
    # 58: before, for the statement, on UPDATE, DELETE and TRUNCATE (catalog/pg_trigger.h)
    "SELECT trim(prosrc) FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid"
    " WHERE tgrelid = 'audit'::regclass AND tgenabled IN ('O', 'A') AND tgtype = 58 AND tgqual IS NULL",
    frozenset({"BEGIN RAISE EXCEPTION 'audit is append-only'; END"}),
)
