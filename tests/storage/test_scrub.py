"""What was deleted is gone from the files, too."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, delete, func, select

from lessonroom.errors import NotFound, StoreDown
from lessonroom.storage.schema import messages
from lessonroom.storage.sql import SqlStore, open_store
from tests.contracts.store import fill, said

SECRET = "wombat-7731-"


def forget(db: Connection) -> int:
    return int(db.execute(delete(messages)).rowcount)


def kept(folder: Path) -> list[str]:
    """Names of the files in which the secret still stands."""
    return sorted(file.name for file in folder.iterdir() if SECRET.encode() in file.read_bytes())


async def talk(store: SqlStore) -> None:
    await fill(store)
    for number in range(60):
        await store.append(said(number, text=f"{SECRET}{number} " * 40))


async def test_what_was_deleted_is_in_no_file_after_scrubbing(sqlite_store: SqlStore, tmp_path: Path) -> None:
    await talk(sqlite_store)
    assert kept(tmp_path)
    assert await sqlite_store.run(forget) == 60
    assert await sqlite_store.scrub()
    assert kept(tmp_path) == []
    assert (tmp_path / "lessons.sqlite3-wal").stat().st_size == 0


async def test_a_reader_in_the_way_of_scrubbing_is_told(sqlite_url: str, tmp_path: Path) -> None:
    store = open_store(sqlite_url, deadline=2, queue=100)
    await store.open()
    await store.check()
    with closing(sqlite3.connect(tmp_path / "lessons.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT * FROM rooms").fetchall()
        await store.check()
        assert not await store.scrub()
        other.execute("ROLLBACK")
        assert await store.scrub()
    await store.close()


async def test_no_lesson_waits_while_a_reader_is_in_the_way_of_scrubbing(sqlite_url: str, tmp_path: Path) -> None:
    """Whoever cuts the log keeps all writers out while it waits for readers, such as a check of the whole audit."""
    server, command = (open_store(sqlite_url, deadline=seconds, queue=100) for seconds in (5, 30))
    for store in (server, command):
        await store.open()
    with closing(sqlite3.connect(tmp_path / "lessons.sqlite3", isolation_level=None)) as other:
        await server.check()
        other.execute("BEGIN")
        other.execute("SELECT * FROM rooms").fetchall()
        await server.check()
        scrubbing = asyncio.create_task(command.scrub())
        while not scrubbing.done():
            await server.check()
        assert not await scrubbing
    for store in (server, command):
        await store.close()


async def test_a_database_that_is_gone_cannot_be_scrubbed(sqlite_store: SqlStore, tmp_path: Path) -> None:
    (tmp_path / "lessons.sqlite3").unlink()
    with pytest.raises(StoreDown, match="not there"):
        await sqlite_store.scrub()


async def test_a_job_of_others_is_done_on_the_threads_of_the_store(url: str) -> None:
    store = open_store(url, deadline=30, queue=100)
    await store.open()
    await talk(store)

    def count(db: Connection) -> int:
        return db.scalar(select(func.count()).select_from(messages)) or 0

    def half(db: Connection) -> None:
        forget(db)
        raise NotFound("expected more")

    with pytest.raises(NotFound):
        await store.run(half)
    assert await store.run(count, writes=False) == 60
    with pytest.raises(StoreDown, match="read-only"):
        await store.run(forget, writes=False)
    assert await store.run(forget) == 60
    assert await store.run(count, writes=False) == 0
    assert await store.scrub()
    await store.close()
