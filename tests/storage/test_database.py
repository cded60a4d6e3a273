"""Connections to SQLite."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from lessonroom.storage.database import _use_wal


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
