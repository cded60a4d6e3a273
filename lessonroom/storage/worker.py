"""A thread that does one kind of database work, many jobs in one transaction.

What waits when the thread comes back is done together and committed once (*group commit*), so the disk is waited for
once per batch and not once per record. A transaction costs as much as several records, so one that would follow at the
heels of another waits a moment for more; whoever comes alone is served at once. A batch in which a record fails is
undone and done again, each job from a savepoint. Nobody hears of success before the commit. The queue is bounded: what
comes when it is full is refused at once, and the caller says so to whoever sent it.
"""

from __future__ import annotations

import asyncio
import threading
import time
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
"""What is done in a transaction. It may be done again from the start after that was undone, so it keeps nothing."""

BATCH = 256
"""Most jobs in one transaction, so that the first of them does not wait for ever."""


@dataclass(frozen=True, slots=True)
class Bulk(Generic[A, T]):
    """A job that is cheaper when it is done together with others that have the same ``many``.

    ``one`` does it alone. ``many`` does several in order and gives their results, or None (or raises) when one of them
    needs a closer look: then what was done is undone, and each is done alone.
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

    ``limit``: jobs that may wait; ``deadline``: seconds from :meth:`ask` to its answer; ``pace``: seconds from the
    beginning of one transaction to that of the next, at least.
    """

    def __init__(self, name: str, side: Side, *, limit: int, deadline: float, pace: float = 0.0) -> None:
        self._side = side
        self._limit = limit
        self._deadline = deadline
        self._pace = pace
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
        loop = asyncio.get_running_loop()
        call = _Call(job, loop.create_future())
        self._queue.put(call)
        late = loop.call_later(self._deadline, self._give_up, call)
        try:
            return cast("T", await call.answer)
        finally:
            late.cancel()

    def _give_up(self, call: _Call) -> None:
        if not call.answer.done():
            call.answer.set_exception(StoreDown(f"the database did not answer within {self._deadline:g} s"))

    # --- on the thread -----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        earliest = 0.0
        while batch := self._next(earliest):
            earliest = time.monotonic() + self._pace
            self._serve(batch)
        self._side.engine.dispose()

    def _next(self, earliest: float) -> list[_Call]:
        """Wait for a job and, until ``earliest``, for others; take those that wait. Nothing when the end has come."""
        batch: list[_Call] = []
        call = self._queue.get()
        if (early := earliest - time.monotonic()) > 0:
            time.sleep(early)
        while call is not None:
            if not call.answer.done():
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
        try:
            with self._side.engine.begin() as connection:
                outcomes = _at_once(connection, batch)
        except _NotAtOnce:
            with self._side.engine.begin() as connection:
                outcomes = [_attempt(connection, call.job) for call in batch]
        if not self._side.stands():
            raise StoreDown("the database is gone: its file was moved or deleted")
        return outcomes


class _NotAtOnce(Exception):
    """One job of a batch needs a closer look or is at fault: nothing was done, and each is to be tried by itself."""


def _at_once(connection: Connection, batch: list[_Call]) -> list[_Outcome]:
    """Do a batch as if nothing could go wrong with a record, as is nearly always so: savepoints cost statements."""
    return [
        _Outcome(value)
        for many, calls in groupby(batch, key=_together)
        for value in _values(connection, many, [call.job for call in calls])
    ]


def _together(call: _Call) -> Callable[..., Any] | None:
    """What does this job together with its neighbours."""
    return call.job.many if isinstance(call.job, Bulk) else None


def _values(connection: Connection, many: Callable[..., Any] | None, jobs: list[Job[Any]]) -> Sequence[Any]:
    """What came of neighbouring jobs."""
    items = [job.item for job in jobs if isinstance(job, Bulk)] if len(jobs) > 1 else []
    try:
        values = many(connection, items) if many is not None and items else [job(connection) for job in jobs]
    except (IntegrityError, DataError, UnicodeError, LessonroomError):
        raise _NotAtOnce from None  # each is tried by itself, and the one at fault raises this again
    except SQLAlchemyError:
        raise  # the database, not a record: the whole batch
    except Exception:
        if items:  # a defect of doing it together must not be the end of what works alone
            log.exception("records could not be written together")
        raise _NotAtOnce from None
    if values is None:
        raise _NotAtOnce
    return cast("Sequence[Any]", values)


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
