"""Every store there is, held to the same suite."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from lessonroom.storage.sql import SqlStore, open_store
from lessonroom.storage.store import Store
from tests.contracts.store import StoreContract
from tests.fakes import FakeStore


class TestSqlite(StoreContract):
    @pytest.fixture
    def store(self, sqlite_store: SqlStore) -> Store:
        return sqlite_store


class TestPostgres(StoreContract):
    @pytest.fixture
    async def store(self, postgres_url: str) -> AsyncIterator[Store]:
        store = open_store(postgres_url, deadline=30, queue=1000)
        await store.open()
        yield store
        await store.close()


class TestFake(StoreContract):
    @pytest.fixture
    async def store(self) -> AsyncIterator[Store]:
        store = FakeStore()
        await store.open()
        yield store
        await store.close()
