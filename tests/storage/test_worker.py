"""The worker: what waits is committed together, what fails fails alone, what does not fit is refused at once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event

from lessonroom.errors import BadInput, NotFound, StoreDown
from lessonroom.storage.database import Side, connect
from lessonroom.storage.sql import SqlStore
from lessonroom.storage.worker import BATCH, Bulk, Worker, _Call
from tests.contracts.store import OTHER, ROOM, fill, said

LIMIT = 400


class Gate:
    """A job that holds the thread until it is let go, so that what is asked for meanwhile waits."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.open = threading.Event()

    def __call__(self, db: Connection) -> None:
        self.reached.set()
        assert self.open.wait(30)


@pytest.fixture
def side(sqlite_url: str) -> Side:
    database = connect(sqlite_url, deadline=30)
    database.prepare()
    with database.writer.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE words (word TEXT PRIMARY KEY NOT NULL)")
    return database.writer


@pytest.fixture
async def worker(side: Side) -> AsyncIterator[Worker]:
    worker = Worker("test-worker", side, limit=LIMIT, deadline=30)
    worker.start()
    yield worker
    await worker.stop()


def insert(word: str | None) -> Any:
    return lambda db: db.exec_driver_sql("INSERT INTO words VALUES (?)", (word,)).rowcount


def words(db: Connection) -> list[str]:
    return sorted(db.exec_driver_sql("SELECT word FROM words").scalars())


@contextmanager
def counted(side: Side, what: str) -> Iterator[list[Connection]]:
    """Collects one entry for each ``commit`` or ``rollback`` in the block."""
    seen: list[Connection] = []

    def listener(connection: Connection) -> None:
        seen.append(connection)

    event.listen(side.engine, what, listener)
    yield seen
    event.remove(side.engine, what, listener)


async def held(worker: Worker, jobs: list[Any]) -> tuple[Gate, list[asyncio.Future[Any]]]:
    """Hold the thread, and ask for the jobs; they wait when this returns."""
    gate = Gate()
    first = asyncio.ensure_future(worker.ask(gate))
    await asyncio.to_thread(gate.reached.wait, 30)
    asked = [asyncio.ensure_future(worker.ask(job)) for job in jobs]
    await asyncio.sleep(0)
    assert worker.waiting == len(jobs)
    return gate, [first, *asked]


async def test_what_waits_is_committed_in_one_transaction(worker: Worker, side: Side) -> None:
    """The disk is waited for once for the job that ran and once for all that waited behind it."""
    with counted(side, "commit") as commits:
        gate, asked = await held(worker, [insert(f"word {n}") for n in range(100)])
        gate.open.set()
        await asyncio.gather(*asked)
    assert len(commits) == 2
    assert len(await worker.ask(words)) == 100


async def test_what_comes_soon_after_a_transaction_shares_the_next_one(side: Side) -> None:
    """A commit costs as much as several records: at a thousand a second each of them alone would take a core."""
    worker = Worker("test-worker", side, limit=LIMIT, deadline=30, pace=1.5)
    worker.start()
    await worker.ask(insert("first"))
    with counted(side, "commit") as commits:
        second = asyncio.create_task(worker.ask(insert("second")))
        await asyncio.sleep(0.05)  # time enough to be committed alone
        await asyncio.gather(second, worker.ask(insert("third")))
    assert len(commits) == 1
    await worker.stop()


async def test_a_batch_has_a_greatest_size(worker: Worker, side: Side) -> None:
    with counted(side, "commit") as commits:
        gate, asked = await held(worker, [insert(f"word {n}") for n in range(BATCH + 1)])
        gate.open.set()
        await asyncio.gather(*asked)
    assert len(commits) == 3


async def test_nobody_hears_of_success_before_the_commit(worker: Worker, side: Side) -> None:
    answered: list[bool] = []
    loop = asyncio.get_running_loop()

    async def look() -> None:
        for _ in range(3):  # time for an answer to arrive, had it been given
            await asyncio.sleep(0)
        answered.extend(future.done() for future in asked[1:])

    def at_commit(connection: Connection) -> None:
        asyncio.run_coroutine_threadsafe(look(), loop).result(30)

    gate, asked = await held(worker, [insert("a"), insert("b")])
    event.listen(side.engine, "commit", at_commit)
    gate.open.set()
    await asyncio.gather(*asked)
    event.remove(side.engine, "commit", at_commit)
    assert answered == [False] * 4  # two jobs at two commits


async def test_a_job_that_fails_leaves_nothing_and_its_neighbours_are_kept(worker: Worker) -> None:
    """Whether the database refuses the record, the record has no owner, or our own code has a fault."""

    def half(error: Exception) -> Any:
        def job(db: Connection) -> None:
            insert(f"half {error}")(db)
            raise error

        return job

    jobs = [insert("a"), insert("a"), half(NotFound("none")), insert("b"), half(ZeroDivisionError()), insert(None)]
    gate, asked = await held(worker, jobs)
    gate.open.set()
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [getattr(answer, "code", type(answer).__name__) for answer in answers] == [
        "NoneType",
        "int",
        "bad_input",
        "not_found",
        "int",
        "ZeroDivisionError",
        "bad_input",
    ]
    assert await worker.ask(words) == ["a", "b"]


# --- jobs that are done together -------------------------------------------------------------------------------------


class Words:
    """Inserts words, and keeps how many at a time. ``needs_a_look``: the word with which not all can go together."""

    def __init__(self, needs_a_look: str = "", error: Exception | None = None) -> None:
        self.together: list[int] = []
        self._needs_a_look = needs_a_look
        self._error = error

    def job(self, word: str | None) -> Bulk[str | None, Any]:
        return Bulk(self.one, self.many, word)

    def one(self, db: Connection, word: str | None) -> Any:
        self.together.append(1)
        return insert(word)(db)

    def many(self, db: Connection, found: Sequence[str | None]) -> list[Any] | None:
        self.together.append(len(found))
        done = [insert(word)(db) for word in found]
        if self._needs_a_look in found:
            if self._error:
                raise self._error
            return None
        return done


async def test_neighbours_of_a_kind_are_done_together_and_in_order(worker: Worker) -> None:
    kind, other = Words(), Words()
    jobs = [kind.job("a"), kind.job("b"), words, kind.job("c"), other.job("d"), other.job("e"), words]
    gate, asked = await held(worker, jobs)
    gate.open.set()
    assert await asyncio.gather(*asked) == [None, 1, 1, ["a", "b"], 1, 1, 1, ["a", "b", "c", "d", "e"]]
    assert (kind.together, other.together) == ([2, 1], [2])


@pytest.mark.parametrize("error", [None, NotFound("none"), ZeroDivisionError()])
async def test_when_one_needs_a_closer_look_each_is_done_alone_and_nothing_twice(
    worker: Worker, error: Exception | None
) -> None:
    kind = Words("b", error)
    gate, asked = await held(worker, [insert("before"), *(kind.job(word) for word in "abc"), insert("behind")])
    gate.open.set()
    assert await asyncio.gather(*asked) == [None, 1, 1, 1, 1, 1]
    assert kind.together == [3, 1, 1, 1]
    assert await worker.ask(words) == ["a", "b", "before", "behind", "c"]


async def test_of_several_done_together_the_one_that_the_database_refuses_fails_alone(worker: Worker) -> None:
    kind = Words()
    gate, asked = await held(worker, [kind.job("a"), kind.job(None), kind.job("b"), kind.job("a")])
    gate.open.set()
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(answer) for answer in answers] == [type(None), int, BadInput, int, BadInput]
    assert await worker.ask(words) == ["a", "b"]


async def test_messages_that_wait_are_stored_with_few_statements(url: str) -> None:
    """As many as for one, on both databases: else the store would be too slow without anybody noticing."""
    database = connect(url, deadline=30)
    store = SqlStore(database, deadline=30, queue=1000)
    await store.open()
    await fill(store)
    ran: list[str] = []
    gate = Gate()
    holding = asyncio.ensure_future(store.run(gate))
    await asyncio.to_thread(gate.reached.wait, 30)
    asked = [asyncio.ensure_future(store.append(said(n, room=(ROOM, OTHER)[n % 2].id))) for n in range(100)]
    await asyncio.sleep(0)
    event.listen(database.writer.engine, "before_cursor_execute", lambda *call: ran.append(call[2]))
    gate.open.set()
    await asyncio.gather(holding, *asked)
    assert len([statement for statement in ran if "messages" in statement]) == 1
    assert len(ran) <= 4  # BEGIN, the rooms' rows, the messages, the rooms' counters: nothing that is only for failures
    await store.close()


async def test_an_answer_for_a_loop_that_is_closed_disturbs_nobody(worker: Worker) -> None:
    """A thread that gave up on its own loop must not take the store with it."""
    gone = asyncio.new_event_loop()
    gate, asked = await held(worker, [])
    worker._queue.put(_Call(insert("a"), gone.create_future()))
    gone.close()
    neighbour = asyncio.ensure_future(worker.ask(insert("b")))
    await asyncio.sleep(0)
    gate.open.set()
    await asyncio.gather(*asked)
    assert await neighbour == 1
    assert await worker.ask(words) == ["a", "b"]


# --- jobs that fail --------------------------------------------------------------------------------------------------


async def test_a_job_that_the_driver_does_not_take_fails_alone(worker: Worker) -> None:
    """Not the record but the call is wrong; SQLAlchemy gives no hint of that, so each job is tried apart."""
    gate, asked = await held(worker, [insert("a"), insert(object()), insert("b")])  # type: ignore[arg-type]
    gate.open.set()
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(answer) for answer in answers] == [type(None), int, StoreDown, int]
    assert await worker.ask(words) == ["a", "b"]


async def test_when_the_queue_is_full_the_next_is_refused_at_once_and_the_others_are_done(worker: Worker) -> None:
    gate, asked = await held(worker, [insert(f"word {n}") for n in range(LIMIT)])
    with pytest.raises(StoreDown, match=f"{LIMIT} records wait already"):
        await worker.ask(insert("one more"))
    gate.open.set()
    await asyncio.gather(*asked)
    assert await worker.ask(insert("later")) == 1
    assert len(await worker.ask(words)) == LIMIT + 1


async def test_a_job_whose_time_is_over_before_its_turn_is_not_done(side: Side) -> None:
    """It was answered with an error; done later, it would be a surprise."""
    worker = Worker("test-worker", side, limit=LIMIT, deadline=0.05)
    worker.start()
    gate, asked = await held(worker, [insert("late")])
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [str(answer) for answer in answers] == ["the database did not answer within 0.05 s"] * 2
    gate.open.set()
    await worker.stop()
    with side.engine.begin() as connection:
        assert words(connection) == []
    side.engine.dispose()


async def test_a_job_that_is_cancelled_before_its_turn_is_not_done(worker: Worker) -> None:
    gate, asked = await held(worker, [insert("a"), insert("b"), insert("c")])
    asked[2].cancel()
    await asyncio.sleep(0)
    gate.open.set()
    await asyncio.gather(*asked, return_exceptions=True)
    assert await worker.ask(words) == ["a", "c"]


async def test_stopping_finishes_what_waits_and_refuses_the_rest(worker: Worker, side: Side) -> None:
    gate, asked = await held(worker, [insert(f"word {n}") for n in range(BATCH + 20)])
    stopping = asyncio.ensure_future(worker.stop())
    await asyncio.sleep(0)
    with pytest.raises(StoreDown, match="closed"):
        await worker.ask(insert("too late"))
    gate.open.set()
    await stopping
    assert [await answer for answer in asked] == [None] + [1] * (BATCH + 20)


async def test_a_worker_that_was_stopped_starts_again(worker: Worker) -> None:
    await worker.ask(insert("a"))
    await worker.stop()
    worker.start()
    await worker.ask(insert("b"))
    assert await worker.ask(words) == ["a", "b"]


async def test_when_the_file_goes_while_it_is_written_nobody_is_told_that_it_worked(
    worker: Worker, tmp_path: Path
) -> None:
    """The commit itself works, into a file that has no name any more."""

    def lose(db: Connection) -> None:
        (tmp_path / "lessons.sqlite3").unlink()

    gate, asked = await held(worker, [insert("a"), lose, insert("b")])
    gate.open.set()
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert {str(answer) for answer in answers[1:]} == {"the database is gone: its file was moved or deleted"}


async def test_after_a_fault_of_the_database_the_next_batch_gets_a_new_connection(worker: Worker, side: Side) -> None:
    """What is wrong with the old one (a limit, a lost server, a lock of its own) is not looked into."""
    await worker.ask(insert("a"))
    made: list[object] = []

    def connected(connection: object, record: object) -> None:
        made.append(connection)

    event.listen(side.engine, "connect", connected)
    with pytest.raises(StoreDown):
        await worker.ask(lambda db: db.exec_driver_sql("SELECT * FROM nothing"))
    assert await worker.ask(words) == ["a"]
    event.remove(side.engine, "connect", connected)
    assert len(made) == 1
