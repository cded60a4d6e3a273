"""Small pieces of SQL that the records share, the same for both databases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Executable, Insert, Table
from sqlalchemy.dialects import postgresql, sqlite


def hits(db: Connection, statement: Executable) -> int:
    """Run an INSERT, UPDATE or DELETE and say how many rows it touched."""
    return int(db.execute(statement).rowcount)


def add_once(db: Connection, table: Table, row: Mapping[str, Any], *, key: tuple[str, ...] = ()) -> bool:
    """Insert a row; False, and no change, when its key is there already. ``key``: which one, any when empty."""
    return db.execute(_add_once(db.dialect.name, table, key), row).rowcount == 1


def add_all_once(db: Connection, table: Table, rows: Sequence[Mapping[str, Any]], *, key: tuple[str, ...]) -> bool:
    """Insert rows; False when the key of one was there already, and then some may have been inserted."""
    return db.execute(_add_once(db.dialect.name, table, key), rows).rowcount == len(rows)


def put(db: Connection, table: Table, key: Mapping[str, Any], rest: Mapping[str, Any]) -> None:
    """Insert a row, or replace the rest of the one with this key."""
    db.execute(_put(db.dialect.name, table, tuple(key), tuple(rest)), {**key, **rest})


@cache  # building a statement costs as much as running it
def _add_once(dialect: str, table: Table, key: tuple[str, ...]) -> Insert:
    insert = _insert(dialect, table).on_conflict_do_nothing(index_elements=key or None)
    # after an INSERT, SQLAlchemy keeps the number of rows only when asked to
    return insert.execution_options(preserve_rowcount=True)


@cache
def _put(dialect: str, table: Table, key: tuple[str, ...], rest: tuple[str, ...]) -> Insert:
    insert = _insert(dialect, table)
    return insert.on_conflict_do_update(index_elements=key, set_={name: insert.excluded[name] for name in rest})


def _insert(dialect: str, table: Table) -> postgresql.Insert | sqlite.Insert:
    # the same words in both dialects, without a common base class in SQLAlchemy
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
