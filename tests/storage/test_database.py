"""Connections to SQLite, and to a PostgreSQL server that is away."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from lessonroom.errors import StoreDown
from lessonroom.storage.database import _use_wal
from lessonroom.storage.sql import open_store
from tests.ports import free_port


def plain(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None, timeout=0.05)


def test_turning_wal_on_waits_for_another_process_that_writes(tmp_path: Path) -> None:
    """SQLite itself answers "locked" at once here, however long it was told to wait."""
    with closing(plain(tmp_path / "a")) as other, closing(plain(tmp_path / "a")) as ours:
        other.execute("CREATE TABLE words (word TEXT)")
        other.execute("BEGIN IMMEDIATE")
        ours.set_trace_callback(lambda sql: other.rollback() if sql == "BEGIN IMMEDIATE" else None)
        _use_wal(ours)
        assert ours.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert not ours.in_transaction


def test_turning_wal_on_gives_up_when_the_other_does_not_end(tmp_path: Path) -> None:
    with closing(plain(tmp_path / "a")) as other, closing(plain(tmp_path / "a")) as ours:
        other.execute("CREATE TABLE words (word TEXT)")
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            _use_wal(ours)


async def test_a_server_that_is_not_there_is_said_not_to_be_reached() -> None:
    """psycopg has no code for it, and the name of its error's class says nothing to an operator."""
    store = open_store(f"postgresql://127.0.0.1:{free_port()}/lessons", deadline=2, queue=10)
    with pytest.raises(StoreDown, match="not to be reached"):
        await store.open()
