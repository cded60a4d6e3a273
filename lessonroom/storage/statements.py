"""Small pieces of SQL that the records share, the same for both databases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Executable, Table
from sqlalchemy.dialects import postgresql, sqlite


def hits(db: Connection, statement: Executable) -> int:
    """Run an INSERT, UPDATE or DELETE and say how many rows it touched."""
    return int(db.execute(statement).rowcount)


def add_once(db: Connection, table: Table, row: Mapping[str, Any]) -> bool:
    """Insert a row; False, and no change, when its key is there already."""
    return hits(db, _insert(db, table).values(row).on_conflict_do_nothing()) == 1


def put(db: Connection, table: Table, key: Mapping[str, Any], rest: Mapping[str, Any]) -> None:
    """Insert a row, or replace the rest of the one with this key."""
    insert = _insert(db, table).values({**key, **rest})
    db.execute(insert.on_conflict_do_update(index_elements=list(key), set_=rest))


def _insert(db: Connection, table: Table) -> Any:
    # the same words in both dialects, without a common base class in SQLAlchemy
    return postgresql.insert(table) if db.dialect.name == "postgresql" else sqlite.insert(table)
