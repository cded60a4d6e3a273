"""The database is locked, full, read-only, gone or broken: no acknowledgement, a reason, and work again afterwards."""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import shutil
import sqlite3
import stat
import tempfile
import threading
import traceback
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection, event

from lessonroom.errors import BadSetting, LessonroomError, StoreDown
from lessonroom.storage import chatlog, lessons
from lessonroom.storage.sql import SqlStore, open_store
from lessonroom.storage.store import NewMessage, StoredMessage
from tests.contracts.store import HINT, ROOM, fill, numbers, said
from tests.storage import postgres

SECRET = "my number is eight nine oh"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where ``sqlite_store`` keeps its records."""
    return tmp_path / "lessons.sqlite3"


async def fails(store: SqlStore, message: NewMessage) -> str:
    """Append, expecting StoreDown; gives its text, after a look that no user's words are anywhere in it."""
    with pytest.raises(StoreDown) as down:
        await store.append(message)
    assert message.text not in "".join(traceback.format_exception(down.value))
    assert "\n" not in str(down.value)
    return str(down.value)


async def works(store: SqlStore) -> None:
    """The store takes and gives records, and numbers follow one another."""
    await store.check()
    last = await store.last_seq(ROOM.id)
    assert (await store.append(said(f"works-{last}")))[0].seq == last + 1
    assert numbers(await store.recent(ROOM.id, 999)) == list(range(1, last + 2))


# --- SQLite ----------------------------------------------------------------------------------------------------------


async def test_while_another_process_holds_the_lock_nothing_is_acknowledged(sqlite_url: str, path: Path) -> None:
    """Reading goes on: in WAL mode a writer does not keep readers out."""
    store = open_store(sqlite_url, deadline=3, queue=100)
    await store.open()
    await fill(store)
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        why = await fails(store, said(1, text=SECRET))
        assert why in {
            "the database is locked by another process (SQLITE_BUSY)",
            "the database did not answer within 3 s",
        }
        with pytest.raises(StoreDown):
            await store.check()
        assert await store.room(ROOM.id) == ROOM
        other.rollback()
    await works(store)
    await store.close()


async def test_a_full_database_refuses_and_goes_on_when_there_is_room(
    sqlite_store: SqlStore, caplog: pytest.LogCaptureFixture
) -> None:
    await fill(sqlite_store)
    await works(sqlite_store)
    engine = sqlite_store._database.writer.engine

    def no_growth(connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")  # means: what it has now

    event.listen(engine, "begin", no_growth)
    sent = [said(n, text=SECRET + "x" * 9000) for n in range(20)]
    with caplog.at_level(logging.DEBUG):
        why = [await fails(sqlite_store, message) for message in sent]
    event.remove(engine, "begin", no_growth)
    assert set(why) == {"the database is on a full disk (SQLITE_FULL)"}
    assert SECRET not in caplog.text
    await works(sqlite_store)


@contextmanager
def no_file_grows_beyond(size: int) -> Iterator[None]:
    """The system refuses to write past this many bytes of any file, as a failing disk would."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_when_the_commit_fails_nobody_is_told_that_it_worked(sqlite_store: SqlStore, path: Path) -> None:
    """The statements work, in memory; only the commit writes, and it is the commit that counts."""
    await fill(sqlite_store)
    await works(sqlite_store)
    log = path.with_name(path.name + "-wal")
    with no_file_grows_beyond(log.stat().st_size):
        sent = (sqlite_store.append(said(n, text=SECRET)) for n in range(10))
        answers = await asyncio.gather(*sent, return_exceptions=True)
    assert {str(answer) for answer in answers} == {"the database is on a disk that fails (SQLITE_IOERR_WRITE)"}
    assert await sqlite_store.last_seq(ROOM.id) == 1
    await works(sqlite_store)


@pytest.mark.parametrize(
    "go", [Path.unlink, lambda path: path.rename(path.with_name("moved"))], ids=["deleted", "moved"]
)
async def test_a_file_that_is_gone_is_not_written_to(sqlite_store: SqlStore, path: Path, go: object) -> None:
    """The system would let us write to a deleted file, and nobody would ever find the records again."""
    await fill(sqlite_store)
    go(path)  # type: ignore[operator]
    for number in range(2):
        assert (await fails(sqlite_store, said(number, text=SECRET))).startswith("the database is ")
    with pytest.raises(StoreDown):
        await sqlite_store.room(ROOM.id)
    assert not path.exists()


async def test_a_file_that_comes_back_is_used_again(sqlite_store: SqlStore, path: Path) -> None:
    await fill(sqlite_store)
    away = path.with_name("moved")
    path.rename(away)
    await fails(sqlite_store, said(1))
    away.rename(path)
    await works(sqlite_store)
    assert said(1).id not in [stored.message.id for stored in await sqlite_store.recent(ROOM.id, 9)]


async def test_a_table_that_is_missing_is_a_fault_of_the_database(sqlite_store: SqlStore, path: Path) -> None:
    await fill(sqlite_store)
    with closing(sqlite3.connect(path)) as other:
        other.execute("DROP TABLE messages")
    assert await fails(sqlite_store, said(1, text=SECRET)) == "the database failed (SQLITE_ERROR)"


async def test_a_file_that_is_no_database_is_not_opened(sqlite_url: str, path: Path) -> None:
    path.write_text("not a database " * 500)
    with pytest.raises(StoreDown, match="not a database"):
        await open_store(sqlite_url, deadline=1, queue=9).open()
    assert path.read_text().startswith("not a database")


async def test_a_folder_that_is_missing_is_named_as_the_reason(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/none/lessons.sqlite3", deadline=1, queue=9)
    with pytest.raises(StoreDown, match=r"not to be opened \(FileNotFoundError\)"):
        await store.open()


@contextmanager
def without_root() -> Iterator[None]:
    """For root, whom no file mode stops: be somebody else for a while."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


async def test_a_read_only_file_is_refused_until_it_can_be_written() -> None:
    folder = Path(tempfile.mkdtemp(prefix="lessonroom-"))
    url = f"sqlite:///{folder}/lessons.sqlite3"
    try:
        folder.chmod(0o777)
        store = open_store(url, deadline=30, queue=9)
        await store.open()
        await fill(store)
        await store.close()
        (folder / "lessons.sqlite3").chmod(0o444)
        with without_root(), pytest.raises(StoreDown, match="not to be opened"):
            await store.open()
        (folder / "lessons.sqlite3").chmod(0o644)
        await store.open()
        await works(store)
        await store.close()
    finally:
        shutil.rmtree(folder)


async def test_only_the_owner_may_read_the_file(sqlite_store: SqlStore, path: Path) -> None:
    await fill(sqlite_store)
    files = sorted(path.parent.iterdir())
    assert [file.name for file in files] == [path.name, f"{path.name}-shm", f"{path.name}-wal"]
    assert [stat.S_IMODE(file.stat().st_mode) for file in files] == [0o600] * 3


async def test_a_commit_waits_for_the_disk(sqlite_store: SqlStore) -> None:
    """``synchronous`` 2 is FULL: with less, the last commits are lost when the power goes."""

    def read(db: Connection) -> list[object]:
        names = ("journal_mode", "synchronous", "foreign_keys")
        return [db.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names]

    assert await sqlite_store._writer.ask(read) == ["wal", 2, 1]
    assert await sqlite_store._reader.ask(read) == ["wal", 2, 1]


async def test_after_closing_the_log_is_in_the_file(sqlite_store: SqlStore, path: Path) -> None:
    """So that copying the one file of a stopped server is a backup."""
    await fill(sqlite_store)
    await sqlite_store.close()
    assert sorted(path.parent.iterdir()) == [path]


# --- both ------------------------------------------------------------------------------------------------------------


async def test_the_reading_side_cannot_write(url: str) -> None:
    store = open_store(url, deadline=30, queue=9)
    await store.open()
    with pytest.raises(StoreDown, match="read-only"):
        await store._reader.ask(lessons.beat)
    await store.close()


async def test_a_write_that_was_given_up_while_it_ran_is_answered_when_it_is_sent_again(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have been stored although nobody heard of it; the second time must not store it again."""
    running, go_on = threading.Event(), threading.Event()
    append = chatlog.append

    def slow(db: Connection, message: NewMessage) -> tuple[StoredMessage, bool]:
        running.set()
        assert go_on.wait(30)
        return append(db, message)

    store = open_store(url, deadline=30, queue=9)
    await store.open()
    await fill(store)
    monkeypatch.setattr(chatlog, "append", slow)
    given_up = asyncio.ensure_future(store.append(said(1)))
    await asyncio.to_thread(running.wait, 30)
    given_up.cancel()
    await asyncio.gather(given_up, return_exceptions=True)
    go_on.set()
    assert await store.append(said(1, text="again")) == (StoredMessage(1, said(1)), False)
    await store.close()


async def test_two_servers_on_one_database_share_the_numbers_of_a_room(url: str) -> None:
    stores = [open_store(url, deadline=30, queue=500) for _ in range(2)]
    for store in stores:
        await store.open()
    await fill(stores[0])
    sent = [store.append(said(n % 60, sender=f"s{i}")) for n in range(90) for i, store in enumerate(stores)]
    kept = [stored for stored, new in await asyncio.gather(*sent) if new]
    assert sorted(numbers(kept)) == list(range(1, 121))
    await asyncio.gather(*(works(store) for store in stores[:1]))
    for store in stores:
        await store.close()


async def test_an_error_never_quotes_the_record(url: str, caplog: pytest.LogCaptureFixture) -> None:
    """Databases like to say which value they did not like, and SQLAlchemy logs each of them when asked to."""
    with caplog.at_level(logging.DEBUG, logger="sqlalchemy"):
        store = open_store(url, deadline=30, queue=9)
        await store.open()
        await fill(store)
        for call in (
            store.append(said(1, text=SECRET, probability=None)),
            store.append(said(1, text=SECRET, room=SECRET)),
            store.append(said(1, text=SECRET, at="x" + SECRET)),
            store.add_hint(type(HINT)(SECRET, ROOM.id, None, SECRET, 1.0)),  # type: ignore[arg-type]
            store.answer_hint(SECRET, SECRET, SECRET),
        ):
            with pytest.raises(LessonroomError) as failed:
                await call
            assert SECRET not in "".join(traceback.format_exception(failed.value))
    assert "INSERT INTO messages" in caplog.text
    assert SECRET not in caplog.text
    await store.close()


# --- PostgreSQL ------------------------------------------------------------------------------------------------------


async def test_a_server_that_comes_back_is_used_again(postgres_server: postgres.Server, postgres_url: str) -> None:
    store = open_store(postgres_url, deadline=30, queue=100)
    await store.open()
    await fill(store)
    await works(store)
    postgres_server.stop()
    try:
        for number in range(3):
            assert (await fails(store, said(number, text=SECRET))).startswith("the database ")
        with pytest.raises(StoreDown):
            await store.room(ROOM.id)
    finally:
        postgres_server.start()
    await works(store)
    await store.close()


async def test_a_server_that_was_restarted_meanwhile_is_not_noticed(
    postgres_server: postgres.Server, postgres_url: str
) -> None:
    """The connection is looked at before a record is given to it."""
    store = open_store(postgres_url, deadline=30, queue=100)
    await store.open()
    await fill(store)
    await works(store)
    postgres_server.stop()
    postgres_server.start()
    await works(store)
    await store.close()


async def test_two_servers_that_wait_for_each_other_both_get_their_way(postgres_url: str) -> None:
    """Each batch locks one room and then wants the other's: PostgreSQL ends one, which is then done job by job.

    Messages that are appended together lock their rooms in one order; other jobs may still cross.
    """
    stores = [open_store(postgres_url, deadline=20, queue=9) for _ in range(2)]
    for store in stores:
        await store.open()
    await fill(stores[0])
    both_hold_one, first = threading.Barrier(2, timeout=20), threading.local()
    refused: list[bool] = []

    def crossing(message: NewMessage, db: Connection) -> tuple[StoredMessage, bool]:
        answer = chatlog.append(db, chatlog.Addition(message))
        if not hasattr(first, "done"):
            first.done = True
            both_hold_one.wait()
        return answer

    def hold(gate: threading.Event, db: Connection) -> None:
        assert gate.wait(20)

    def ended(context: object) -> None:
        refused.append(True)

    for store in stores:
        event.listen(store._database.writer.engine, "handle_error", ended)
    rooms = ("room-0001", "room-0002")
    gates = [threading.Event(), threading.Event()]
    for store, gate in zip(stores, gates, strict=True):
        asyncio.ensure_future(store._writer.ask(partial(hold, gate)))  # noqa: RUF006
    sent = [
        stores[i].run(partial(crossing, said(1, sender=f"s{i}", room=room)))
        for i in (0, 1)
        for room in rooms[:: 1 - 2 * i]
    ]
    answers = asyncio.gather(*sent)
    await asyncio.sleep(0)
    for gate in gates:
        gate.set()
    assert sorted((stored.message.room, stored.seq, new) for stored, new in await answers) == [
        ("room-0001", 1, True),
        ("room-0001", 2, True),
        ("room-0002", 1, True),
        ("room-0002", 2, True),
    ]
    assert refused
    for store in stores:
        await store.close()


async def test_a_server_that_is_not_there_is_named_as_the_reason(postgres_url: str, tmp_path: Path) -> None:
    store = open_store(f"postgresql://lessonroom:{SECRET}@/postgres?host={tmp_path}", deadline=2, queue=9)
    with pytest.raises(StoreDown) as down:
        await store.open()
    assert SECRET not in "".join(traceback.format_exception(down.value))


# --- addresses -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "",
        SECRET,
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///a.sqlite3?mode=memory",
        f"mysql://me:{SECRET}@host/name",
        f"postgresql//me:{SECRET}@host/name",
    ],
)
def test_an_address_that_cannot_work_is_refused_by_the_name_of_its_setting(address: str) -> None:
    with pytest.raises(BadSetting, match=r"^LESSONROOM_DATABASE_URL: expected") as bad:
        open_store(address, deadline=1, queue=1)
    assert SECRET not in "".join(traceback.format_exception(bad.value))
