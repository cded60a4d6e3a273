"""Both databases, held to the reviewers' suite; and what only a database can break."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import create_engine, make_url
from sqlalchemy.exc import DBAPIError

from lessonroom.storage.sql import SqlStore, open_store
from tests.contracts.review import BLOCKED, Records, ReviewContract, append, begin, decide, look, number_of
from tests.contracts.store import NOW, ROOM, STUDENT, fill


class TestSqlite(ReviewContract):
    @pytest.fixture
    def store(self, sqlite_store: SqlStore) -> Records:
        return sqlite_store


class TestPostgres(ReviewContract):
    @pytest.fixture
    async def store(self, postgres_url: str) -> AsyncIterator[Records]:
        store = open_store(postgres_url, deadline=30, queue=1000)
        await store.open()
        yield store
        await store.close()


@pytest.mark.parametrize("change", ["UPDATE audit SET actor = 'nobody'", "DELETE FROM audit"])
async def test_the_audit_is_only_ever_added_to(url: str, change: str) -> None:
    """The database itself refuses, whoever asks."""
    store = open_store(url, deadline=30, queue=10)
    await store.open()
    await store.read(await begin(store), 0, look())
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg") if "postgres" in url else url)
    with pytest.raises(DBAPIError, match="append-only"), engine.begin() as other:
        other.exec_driver_sql(change)
    engine.dispose()
    assert list(await store.audits(None, 9)) == [look()]
    await store.close()


async def test_two_processes_that_decide_and_appeal_at_once_lose_nothing(url: str) -> None:
    """Whatever comes first, the message either waits for a person or has their decision."""
    stores = [open_store(url, deadline=30, queue=100) for _ in range(2)]
    for store in stores:
        await store.open()
    one, other = stores
    await fill(one)
    for turn in range(10):
        number = await number_of(one, await append(one, turn, BLOCKED))
        appeal = other.appeal(ROOM.id, STUDENT.id, f"message-{turn}", NOW)
        await asyncio.gather(decide(one, number, True), appeal)
        waits = {found.number for found in await one.queue(["appealed"], 99)}  # type: ignore[list-item]
        stored = next(s for s in await one.recent(ROOM.id, 99) if s.message.id == f"message-{turn}")
        assert (number in waits) == (stored.message.state == "appealed")
        assert stored.decided == (stored.message.state == "blocked")
    for store in stores:
        await store.close()
