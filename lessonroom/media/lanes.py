"""Threads for work that may hang: each runs one thing at a time, a hung one is replaced, and their number is bounded.

``ThreadPoolExecutor`` would not do: it waits for its threads when the process ends, and a hung one keeps its place
for ever. These are daemon threads, and a lane comes back by itself when its work ends after all.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from functools import partial
from typing import Generic, TypeVar

from lessonroom.errors import EngineDown

T = TypeVar("T")


class Lanes(Generic[T]):
    """``count`` threads and, in place of hung ones, at most ``spares`` more. Used from one event loop.

    A lane is taken for hung when its work has run for ``patience`` seconds.
    """

    def __init__(self, count: int, *, spares: int = 2, patience: float = 10.0) -> None:
        self._count = count
        self._most = count + spares
        self._patience = patience
        self._free: asyncio.Queue[_Lane[T]] = asyncio.Queue()
        self._hung: set[_Lane[T]] = set()
        self._made = 0
        self._closed = False
        for _ in range(count):
            self._add()

    @property
    def hung(self) -> int:
        """How many lanes hang now."""
        return len(self._hung)

    @property
    def stuck(self) -> bool:
        """Whether every lane hangs and no spare is left."""
        return len(self._hung) >= self._made

    async def run(self, work: Callable[[], T], deadline: float) -> T:
        """Wait for a free lane and for the work, both together no longer than ``deadline`` seconds.

        Raises TimeoutError when that was not enough, EngineDown when all lanes hang or are closed, and whatever the
        work raises. Work that is late or was cancelled runs on; its answer is forgotten.
        """
        if self._closed or self.stuck:
            raise EngineDown(
                "expected a free thread for inference, got " + ("a closed pool" if self._closed else "none")
            )
        async with asyncio.timeout(deadline):
            lane = await self._free.get()
            return await asyncio.shield(self._start(lane, work))

    def close(self) -> None:
        """Let idle threads end; one that is at work ends after it, a hung one with the process."""
        self._closed = True
        while not self._free.empty():
            self._free.get_nowait().end()

    def _add(self) -> None:
        self._made += 1
        self._free.put_nowait(_Lane())

    def _start(self, lane: _Lane[T], work: Callable[[], T]) -> asyncio.Future[T]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        alarm = loop.call_later(self._patience, self._gave_up, lane)

        def back(done: asyncio.Future[T]) -> None:
            alarm.cancel()
            if not done.cancelled():
                done.exception()  # read, so that an answer which nobody awaits any more is not reported as lost
            self._came_back(lane)

        future.add_done_callback(back)
        lane.take(work, future, loop)
        return future

    def _gave_up(self, lane: _Lane[T]) -> None:
        self._hung.add(lane)
        if self._made < self._most and not self._closed:
            self._add()

    def _came_back(self, lane: _Lane[T]) -> None:
        was_replaced = lane in self._hung and self._made > self._count
        self._hung.discard(lane)
        if was_replaced or self._closed:
            self._made -= 1
            lane.end()
        else:
            self._free.put_nowait(lane)


class _Lane(Generic[T]):
    """One thread with one place in its inbox."""

    def __init__(self) -> None:
        self._inbox: queue.SimpleQueue[Callable[[], bool] | None] = queue.SimpleQueue()
        threading.Thread(target=self._serve, name="lessonroom-inference", daemon=True).start()

    def take(self, work: Callable[[], T], future: asyncio.Future[T], loop: asyncio.AbstractEventLoop) -> None:
        self._inbox.put(partial(_do, work, future, loop))

    def end(self) -> None:
        self._inbox.put(None)

    def _serve(self) -> None:
        while (job := self._inbox.get()) is not None:
            if not job():
                return
            del job  # an idle thread must not keep the last picture alive


def _do(work: Callable[[], T], future: asyncio.Future[T], loop: asyncio.AbstractEventLoop) -> bool:
    """Work and tell the loop; False when the loop is closed, so that nobody will ever ask again."""
    try:
        tell: Callable[[], None] = partial(_succeed, future, work())
    except BaseException as error:  # noqa: BLE001  it is handed to whoever awaits the answer
        tell = partial(_fail, future, error)
    try:
        loop.call_soon_threadsafe(tell)
    except RuntimeError:
        return False
    return True


def _succeed(future: asyncio.Future[T], answer: T) -> None:
    if not future.cancelled():
        future.set_result(answer)


def _fail(future: asyncio.Future[T], error: BaseException) -> None:
    if not future.cancelled():
        future.set_exception(error)
