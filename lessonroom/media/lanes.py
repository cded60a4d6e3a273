"""Threads for work that may hang: each runs one thing at a time, a hung one is replaced, and their number is bounded.

``ThreadPoolExecutor`` would not do: it waits for its threads when the process ends, and a hung one keeps its place
for ever. These are daemon threads, and a lane comes back by itself when its work ends after all.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Generic, TypeVar

from lessonroom.errors import EngineDown

T = TypeVar("T")


class Lanes(Generic[T]):
    """``count`` threads and, in place of hung ones, at most ``spares`` more. Used from one event loop.

    A lane is taken for hung when its work has run for ``patience`` seconds. ``on_free`` is called on the loop whenever
    a lane came back, or came in place of a hung one.
    """

    def __init__(self, count: int, *, on_free: Callable[[], None], spares: int = 2, patience: float = 10.0) -> None:
        self._count = count
        self._most = count + spares
        self._patience = patience
        self._on_free = on_free
        self._free: deque[_Lane[T]] = deque()
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

    @property
    def closed(self) -> bool:
        """Whether :meth:`close` was called."""
        return self._closed

    @property
    def free(self) -> bool:
        """Whether :meth:`start` may be called now."""
        return bool(self._free) and not self._closed

    def start(self, work: Callable[[], T]) -> asyncio.Future[T]:
        """Let a free lane do the work; the future has its answer, or what it raised.

        Raises EngineDown when all lanes are busy, hang or are closed. Work whose future is cancelled runs on; its
        answer is forgotten.
        """
        if not self.free:
            raise EngineDown(
                "expected a free thread for inference, got " + ("a closed pool" if self._closed else "none")
            )
        lane = self._free.popleft()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        alarm = loop.call_later(self._patience, self._gave_up, lane)
        lane.take(work, future, loop, partial(self._came_back, lane, alarm))
        return future

    def close(self) -> None:
        """Let idle threads end; one that is at work ends after it, a hung one with the process."""
        self._closed = True
        while self._free:
            self._free.popleft().end()

    def _add(self) -> None:
        self._made += 1
        self._free.append(_Lane())

    def _gave_up(self, lane: _Lane[T]) -> None:
        self._hung.add(lane)
        if self._made < self._most and not self._closed:
            self._add()
            self._on_free()

    def _came_back(self, lane: _Lane[T], alarm: asyncio.TimerHandle) -> None:
        alarm.cancel()
        was_replaced = lane in self._hung and self._made > self._count
        self._hung.discard(lane)
        if was_replaced or self._closed:
            self._made -= 1
            lane.end()
        else:
            self._free.append(lane)
            self._on_free()


class _Lane(Generic[T]):
    """One thread with one place in its inbox."""

    def __init__(self) -> None:
        self._inbox: queue.SimpleQueue[Callable[[], bool] | None] = queue.SimpleQueue()
        threading.Thread(target=self._serve, name="lessonroom-inference", daemon=True).start()

    def take(
        self,
        work: Callable[[], T],
        future: asyncio.Future[T],
        loop: asyncio.AbstractEventLoop,
        came_back: Callable[[], None],
    ) -> None:
        self._inbox.put(partial(_do, work, future, loop, came_back))

    def end(self) -> None:
        self._inbox.put(None)

    def _serve(self) -> None:
        while (job := self._inbox.get()) is not None:
            if not job():
                return
            del job  # an idle thread must not keep the last picture alive


def _do(
    work: Callable[[], T], future: asyncio.Future[T], loop: asyncio.AbstractEventLoop, came_back: Callable[[], None]
) -> bool:
    """Work and tell the loop; False when the loop is closed, so that nobody will ever ask again."""
    try:
        tell: Callable[[], None] = partial(_succeed, future, work())
    except BaseException as error:  # noqa: BLE001  it is handed to whoever awaits the answer
        tell = partial(_fail, future, error)
    try:
        loop.call_soon_threadsafe(_back, tell, came_back)
    except RuntimeError:
        return False
    return True


def _back(tell: Callable[[], None], came_back: Callable[[], None]) -> None:
    """Both at once: the lane is free when the answer is known."""
    tell()
    came_back()


def _succeed(future: asyncio.Future[T], answer: T) -> None:
    if not future.cancelled():
        future.set_result(answer)


def _fail(future: asyncio.Future[T], error: BaseException) -> None:
    if not future.cancelled():
        future.set_exception(error)
