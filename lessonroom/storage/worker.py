"""A thread that does one kind of database work, many jobs in one transaction.

What waits when the thread comes back is done together and committed once (*group commit*), so the disk is waited for
once per batch and not once per record. Nobody hears of success before the commit. The queue is bounded: what comes
when it is full is refused at once, and the caller says so to whoever sent it.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar, cast

from sqlalchemy import Connection
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError

from lessonroom import logs
from lessonroom.errors import BadInput, LessonroomError, NotFound, StoreDown
from lessonroom.storage.database import Side
from lessonroom.storage.reasons import may_work_apart, misses_a_parent, reason

A = TypeVar("A")
log = logs.get(__name__)

T = TypeVar("T")
Job = Callable[[Connection], T]

BATCH = 256
"""Most jobs in one transaction, so that the first of them does not wait for ever."""


@dataclass(frozen=True, slots=True)
class Bulk(Generic[A, T]):
    """A job that is cheaper when it is done together with others that have the same ``many``.

    ``one`` does it alone. ``many`` does several in order and gives their results, or None (or raises) when one of them
    needs a closer look: then what it did is undone, and each is done alone.
    """

    one: Callable[[Connection, A], T]
    many: Callable[[Connection, Sequence[A]], Sequence[T] | None]
    item: A

    def __call__(self, db: Connection) -> T:
        """Do it alone."""
        return self.one(db, self.item)


@dataclass(slots=True)
class _Call:
    """A job with the one who waits for it."""

    job: Job[Any]
    answer: asyncio.Future[Any]


@dataclass(slots=True)
class _Outcome:
    value: Any = None
    error: Exception | None = None


class Worker:
    """One thread, one connection, one bounded queue.

    ``limit``: jobs that may wait; ``deadline``: seconds from :meth:`ask` to its answer.
    """

    def __init__(self, name: str, side: Side, *, limit: int, deadline: float) -> None:
        self._side = side
        self._limit = limit
        self._deadline = deadline
        self._queue: SimpleQueue[_Call | None] = SimpleQueue()
        self._name = name
        self._thread: threading.Thread | None = None

    @property
    def waiting(self) -> int:
        """Jobs that wait, without those that are being done."""
        return self._queue.qsize()

    def start(self) -> None:
        """Begin to take jobs."""
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()

    async def stop(self) -> None:
        """Take no more jobs, finish those that wait, let go of the connection."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._queue.put(None)
            await asyncio.to_thread(thread.join)

    async def ask(self, job: Job[T]) -> T:
        """Do a job and wait until it is committed. A job that is given up before its turn is not done.

        Raises StoreDown when the queue is full, the time is over or the database failed; and what the job raised,
        after which nothing of the job remains.
        """
        if self._thread is None:
            raise StoreDown("expected an open database, got one that is closed")
        if self.waiting >= self._limit:
            raise StoreDown(f"the database is too slow: {self._limit} records wait already")
        call = _Call(job, asyncio.get_running_loop().create_future())
        self._queue.put(call)
        try:
            async with asyncio.timeout(self._deadline):
                return cast("T", await call.answer)
        except TimeoutError:
            raise StoreDown(f"the database did not answer within {self._deadline:g} s") from None

    # --- on the thread -----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while batch := self._next():
            self._serve(batch)
        self._side.engine.dispose()

    def _next(self) -> list[_Call]:
        """Wait for a job and take those that wait behind it; nothing when the end has come."""
        batch: list[_Call] = []
        call = self._queue.get()
        while call is not None:
            if not call.answer.cancelled():
                batch.append(call)
            if len(batch) == BATCH:
                return batch
            try:
                call = self._queue.get_nowait() if batch else self._queue.get()
            except Empty:
                return batch
        if batch:
            self._queue.put(None)  # seen too early: first this batch
        return batch

    def _serve(self, batch: list[_Call]) -> None:
        """Do a batch, and tell those who wait what came of it. Never raises: the thread lives on."""
        outcomes = self._outcomes(batch)
        if outcomes is None:
            for call in batch:
                self._serve([call])
            return
        _answer(batch, outcomes)

    def _outcomes(self, batch: list[_Call]) -> list[_Outcome] | None:
        """What came of each; None when nothing was done and each has to be tried apart."""
        try:
            return self._transact(batch)
        except SQLAlchemyError as error:
            if may_work_apart(error) and len(batch) > 1:
                return None
            self._side.engine.dispose()  # whatever the connection suffers from, the next batch gets a new one
            return _all_down(batch, reason(error))
        except StoreDown as error:
            return _all_down(batch, str(error))

    def _transact(self, batch: list[_Call]) -> list[_Outcome]:
        if not self._side.stands():
            self._side.engine.dispose()
        with self._side.engine.begin() as connection:
            outcomes = [
                outcome
                for many, calls in groupby(batch, key=_together)
                for outcome in _attempts(connection, many, [call.job for call in calls])
            ]
        if not self._side.stands():
            raise StoreDown("the database is gone: its file was moved or deleted")
        return outcomes


def _together(call: _Call) -> Callable[..., Any] | None:
    """What does this job together with its neighbours."""
    return call.job.many if isinstance(call.job, Bulk) else None


def _attempts(connection: Connection, many: Callable[..., Any] | None, jobs: list[Job[Any]]) -> list[_Outcome]:
    """Do neighbouring jobs, together if they can be."""
    bulk = [job.item for job in jobs if isinstance(job, Bulk)]
    values = _in_one(connection, many, bulk) if many is not None and len(bulk) > 1 else None
    if values is None:
        return [_attempt(connection, job) for job in jobs]
    return [_Outcome(value) for value in values]


def _in_one(connection: Connection, many: Callable[..., Any], items: list[Any]) -> list[Any] | None:
    """What came of all items; None, and nothing done, when one needs a look or is at fault: done alone, it says so."""
    savepoint = connection.begin_nested()
    values: list[Any] | None = None
    try:
        values = many(connection, items)
    except (IntegrityError, DataError, UnicodeError, LessonroomError):
        values = None  # each is tried alone, and the one at fault raises this again
    except SQLAlchemyError:
        raise  # the database, not a record: the whole batch
    except Exception:  # a defect of doing it together must not be the end of what works alone
        log.exception("records could not be written together")
    if values is None:
        savepoint.rollback()
    else:
        savepoint.commit()
    return values


def _attempt(connection: Connection, job: Job[Any]) -> _Outcome:
    """Do one job from a savepoint: when it fails, nothing of it remains and its neighbours don't notice."""
    try:
        with connection.begin_nested():
            return _Outcome(job(connection))
    except IntegrityError as error:
        if misses_a_parent(error):
            return _Outcome(error=NotFound("expected a room and a member that exist"))
        return _Outcome(error=BadInput("expected a record that keeps the rules of its table"))
    except (DataError, UnicodeError):
        return _Outcome(error=BadInput("expected a record that fits its table"))
    except SQLAlchemyError:
        raise  # the database, not the record: the whole batch
    except Exception as error:  # noqa: BLE001  it is raised again, where the job was asked for
        return _Outcome(error=error)


def _all_down(batch: list[_Call], why: str) -> list[_Outcome]:
    # one error for each: a raised error gathers the traceback of its raiser
    return [_Outcome(error=StoreDown(why)) for _ in batch]


def _answer(batch: list[_Call], outcomes: list[_Outcome]) -> None:
    """Tell those who wait: the loop of each is woken once for all of its calls."""
    loops: dict[asyncio.AbstractEventLoop, list[tuple[_Call, _Outcome]]] = {}
    for call, outcome in zip(batch, outcomes, strict=True):
        loops.setdefault(call.answer.get_loop(), []).append((call, outcome))
    for loop, answers in loops.items():
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(_tell, answers)


def _tell(answers: list[tuple[_Call, _Outcome]]) -> None:
    """In the loop: whoever has given up meanwhile does not hear of it."""
    for call, outcome in answers:
        if call.answer.done():
            continue
        if outcome.error is None:
            call.answer.set_result(outcome.value)
        else:
            call.answer.set_exception(outcome.error)
