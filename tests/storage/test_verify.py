"""Whoever changes the audit behind the server's back is found, at the first row that is broken."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from lessonroom.errors import NotFound, StoreDown
from lessonroom.storage import verify as verifying
from lessonroom.storage.chain import Fault
from lessonroom.storage.sql import SqlStore, open_store
from lessonroom.storage.verify import head, verify
from tests.contracts.store import NOW, OTHER, ROOM, deed, fill, said

ROWS = 6
CUT = "the head names row 6, the last is"

# name -> (what is done, the first broken row, why)
TAMPERINGS: dict[str, tuple[str, int | None, str]] = {
    "number": ("UPDATE audit SET number = 60 WHERE number = 6", 60, "hash does not match"),
    "number in the middle": ("UPDATE audit SET number = 60 WHERE number = 3", 4, "does not follow row 2"),
    "id": ("UPDATE audit SET id = 'other' WHERE number = 3", 3, "hash does not match"),
    "at": ("UPDATE audit SET at = at + 0.001 WHERE number = 3", 3, "hash does not match"),
    "at is a word": ("UPDATE audit SET at = 'noon' WHERE number = 3", 3, "row 3: "),
    "actor": ("UPDATE audit SET actor = 'key:00000000' WHERE number = 1", 1, "hash does not match"),
    "action": ("UPDATE audit SET action = 'nothing' WHERE number = 3", 3, "hash does not match"),
    "subject": ("UPDATE audit SET subject = subject || ' ' WHERE number = 6", 6, "hash does not match"),
    "detail": ("UPDATE audit SET detail = '{\"turn\": 9}' WHERE number = 3", 3, "hash does not match"),
    "kind of detail": ("UPDATE audit SET detail = '{\"turn\": 2.0}' WHERE number = 3", 3, "hash does not match"),
    "detail is no json": ("UPDATE audit SET detail = '{turn' WHERE number = 3", 3, "cannot be read"),
    "detail is a list": ("UPDATE audit SET detail = '[[\"turn\", 2]]' WHERE number = 3", 3, "hash does not match"),
    "detail is null": ("UPDATE audit SET detail = 'null' WHERE number = 3", 3, "hash does not match"),
    "deep detail": (f"UPDATE audit SET detail = '{'[' * 100_000}' WHERE number = 3", 3, "cannot be read"),
    "not UTF-8": ("UPDATE audit SET actor = CAST(x'ff' AS TEXT) WHERE number = 3", 3, "cannot be read"),
    "bytes": ("UPDATE audit SET actor = x'41' WHERE number = 3", 3, "hash does not match"),
    "previous": ("UPDATE audit SET previous = hash WHERE number = 3", 3, "does not follow row 2"),
    "hash": ("UPDATE audit SET hash = previous WHERE number = 3", 3, "hash does not match"),
    "hash in capitals": ("UPDATE audit SET hash = upper(hash) WHERE number = 3", 3, "hash does not match"),
    "first deleted": ("DELETE FROM audit WHERE number = 1", 2, "does not follow the beginning"),
    "middle deleted": ("DELETE FROM audit WHERE number = 3", 4, "does not follow row 2"),
    "tail deleted": ("DELETE FROM audit WHERE number > 4", 5, f"{CUT} 4"),
    "all deleted": ("DELETE FROM audit", 1, f"{CUT} 0"),
    "swapped": (
        (
            "UPDATE audit SET number = 60 WHERE number = 3; UPDATE audit SET number = 3 WHERE number = 4;"
            "UPDATE audit SET number = 4 WHERE number = 60"
        ),
        3,
        "does not follow row 2",
    ),
    "inserted in front": (
        (
            "INSERT INTO audit SELECT 0, 'new', at, actor, action, subject, detail, previous, hash FROM audit"
            " WHERE number = 1"
        ),
        0,
        "hash does not match",
    ),
    "inserted behind": (
        "INSERT INTO audit SELECT 7, 'new', at, actor, action, subject, detail, hash, hash FROM audit WHERE number = 6",
        7,
        "hash does not match",
    ),
    "head put back": (
        "UPDATE audit_head SET number = 5, hash = (SELECT hash FROM audit WHERE number = 5)",
        6,
        "the head names row 5, the last is 6",
    ),
    "hash of the head": ("UPDATE audit_head SET hash = upper(hash)", 6, "the head has another hash"),
    "head deleted": ("DELETE FROM audit_head", None, "the head is gone"),
}


def guards(db: sqlite3.Connection) -> list[tuple[str, str]]:
    return db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()


def tamper(path: Path, script: str) -> None:
    """As somebody does it who owns the disk: the guards go, and come back so that nothing is seen of it."""
    with closing(sqlite3.connect(path)) as db:
        kept = guards(db)
        for name, _ in kept:
            db.execute(f"DROP TRIGGER {name}")
        db.executescript(script)
        for _, sql in kept:
            db.execute(sql)
        db.commit()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lessons.sqlite3"


@pytest.fixture
async def store(sqlite_store: SqlStore) -> AsyncIterator[SqlStore]:
    """With an audit of some rows. It stays open: all this is done to a running server."""
    for turn in range(ROWS):
        await sqlite_store.record(deed(f"deed-{turn}", turn=turn))
    return sqlite_store


@pytest.mark.parametrize("name", TAMPERINGS)
def test_tampering_is_found_at_the_first_broken_row(store: SqlStore, sqlite_url: str, path: Path, name: str) -> None:
    script, row, why = TAMPERINGS[name]
    assert verify(sqlite_url, deadline=30).fault is None
    tamper(path, script)
    found = verify(sqlite_url, deadline=30).fault
    assert found is not None
    assert found.row == row
    assert why in found.why


def test_how_the_database_spells_a_detail_is_no_tampering(store: SqlStore, sqlite_url: str, path: Path) -> None:
    """A copy by other tools may put spaces elsewhere; it means the same."""
    tamper(path, "UPDATE audit SET detail = '{ \"turn\" :2 }' WHERE number = 3")
    assert verify(sqlite_url, deadline=30).fault is None


@pytest.mark.parametrize(
    "script",
    [
        "DROP TRIGGER audit_no_update",
        "DROP TRIGGER audit_no_delete",
        "DROP TRIGGER audit_no_delete; CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT 1; END",
    ],
)
def test_a_guard_that_is_gone_is_told(store: SqlStore, sqlite_url: str, path: Path, script: str) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.executescript(script)
    assert verify(sqlite_url, deadline=30).fault == Fault(None, "the guard that refuses changes to the audit is gone")


async def test_a_chain_made_anew_from_a_row_on_is_found_by_the_head_that_was_kept(
    store: SqlStore, sqlite_url: str, path: Path, tmp_path: Path
) -> None:
    """All by itself it is whole; nothing on this disk can tell."""
    kept = head(sqlite_url, deadline=30).hash
    tamper(path, "DELETE FROM audit WHERE number > 4; UPDATE audit_head SET number = 4")
    tamper(path, "UPDATE audit_head SET hash = (SELECT hash FROM audit WHERE number = 4)")
    await store.record(deed("another"))
    await store.record(deed("and another"))
    assert verify(sqlite_url, deadline=30).fault is None
    found = verify(sqlite_url, kept=kept, deadline=30).fault
    assert found is not None
    assert (found.row, found.why[:34]) == (None, "no row has the hash that was kept:")


async def test_what_is_written_after_a_tampering_does_not_hide_it(store: SqlStore, sqlite_url: str, path: Path) -> None:
    tamper(path, "DELETE FROM audit WHERE number = 6")
    await store.record(deed("later"))
    assert verify(sqlite_url, deadline=30).fault == Fault(7, "row 7: does not follow row 5")


async def test_a_row_put_behind_the_head_does_not_keep_the_server_from_writing(
    store: SqlStore, sqlite_url: str, path: Path
) -> None:
    tamper(path, TAMPERINGS["inserted behind"][0])
    await store.record(deed("later"))
    assert [record.id for record in await store.audits(None, 99)][-2:] == ["new", "later"]
    assert verify(sqlite_url, deadline=30).fault == Fault(7, "row 7: its hash does not match")


async def test_without_a_head_nothing_is_done_that_must_be_on_record(store: SqlStore, path: Path) -> None:
    """Else a cut-off tail could be hidden by taking the head away with it."""
    tamper(path, "DELETE FROM audit_head")
    with pytest.raises(StoreDown, match="audit verify"):
        await store.add_room(ROOM, audit=deed("later"))
    assert list(await store.open_rooms()) == []
    await store.add_room(ROOM)


async def test_records_of_all_sizes_of_parts_are_followed(
    store: SqlStore, sqlite_url: str, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for part in (1, 2, ROWS - 1, ROWS, ROWS + 1):
        monkeypatch.setattr(verifying, "PART", part)
        found = verify(sqlite_url, deadline=30)
        assert (found.rows, found.fault, found.last) == (ROWS, None, await store.head())
    tamper(path, TAMPERINGS["not UTF-8"][0])
    assert verify(sqlite_url, deadline=30).rows == 2


async def test_looking_changes_nothing_and_is_not_in_the_way_of_writers(
    store: SqlStore, sqlite_url: str, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that is written while it looks belongs to a later state than the one that it sees."""
    monkeypatch.setattr(verifying, "PART", 1)
    looking = asyncio.create_task(asyncio.to_thread(verify, sqlite_url, deadline=30))
    for turn in range(20):
        await store.record(deed(f"more-{turn}"))
    assert (await looking).fault is None
    assert verify(sqlite_url, deadline=30).rows == ROWS + 20
    await store.close()
    before = path.read_bytes()
    verify(sqlite_url, deadline=30)
    assert path.read_bytes() == before


def test_a_database_that_is_missing_or_older_is_told(sqlite_url: str, path: Path) -> None:
    with pytest.raises(StoreDown, match="not there"):
        verify(sqlite_url, deadline=30)
    assert not path.exists()
    sqlite3.connect(path).close()
    with pytest.raises(StoreDown, match="this version"):
        verify(sqlite_url, deadline=30)


POSTGRES: dict[str, tuple[str, int | None, str]] = {
    name: TAMPERINGS[name]
    for name in ("id", "at", "detail", "previous", "middle deleted", "tail deleted", "head put back", "head deleted")
}


@pytest.mark.parametrize("name", [*POSTGRES, "whole", "guard"])
async def test_tampering_is_found_in_postgresql(postgres_url: str, name: str) -> None:
    store = open_store(postgres_url, deadline=30, queue=100)
    await store.open()
    await store.add_room(ROOM)
    await asyncio.gather(*(store.record(deed(f"deed-{turn}", turn=turn, part=NOW / 7)) for turn in range(ROWS)))
    script, row, why = POSTGRES.get(name, ("SELECT 1", None, ""))
    engine = create_engine(postgres_url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as db:
        db.exec_driver_sql("ALTER TABLE audit DISABLE TRIGGER audit_no_change")
        db.exec_driver_sql(script)
        if name != "guard":
            db.exec_driver_sql("ALTER TABLE audit ENABLE TRIGGER audit_no_change")
    engine.dispose()
    found = (await asyncio.to_thread(verify, postgres_url, deadline=30)).fault
    if name == "whole":
        assert found is None
    elif name == "guard":
        assert found == Fault(None, "the guard that refuses changes to the audit is gone")
    else:
        assert found is not None
        assert (found.row, why in found.why) == (row, True)
    await store.close()


async def test_the_records_of_two_servers_make_one_chain(url: str) -> None:
    """Also when both write at once, some of it together with messages, and one of their jobs fails."""
    stores = [open_store(url, deadline=30, queue=1000) for _ in range(2)]
    for store in stores:
        await store.open()
    await fill(stores[0])
    deeds = [store.record(deed(f"deed-{n}-{turn}")) for turn in range(20) for n, store in enumerate(stores)]
    talk = [
        store.append(said(f"{n}-{turn}", room=room.id), audit=deed(f"said-{n}-{turn}"))
        for turn in range(20)
        for n, (store, room) in enumerate(zip(stores, (ROOM, OTHER), strict=True))
    ]
    lost = [store.append(said("lost", room="none"), audit=deed("lost")) for store in stores]
    answers = await asyncio.gather(*deeds, *talk, *lost, return_exceptions=True)
    assert [type(answer) for answer in answers if isinstance(answer, Exception)] == [NotFound] * 2
    found = await asyncio.to_thread(verify, url, deadline=30)
    assert (found.rows, found.fault) == (80, None)
    for store in stores:
        await store.close()
