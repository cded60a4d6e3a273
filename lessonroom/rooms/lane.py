"""Things done one after the other: a room's messages must be stored in their order, whatever each of them waits for."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

Job = Callable[[], Awaitable[None]]


class Lane:
    """A bounded queue of jobs and the task that does them in order; the task only lives while there are some.

    Overflow rule: :meth:`offer` says no. A job that raises ends the lane: ``on_failure`` is told, and no more is done.
    """

    def __init__(self, name: str, limit: int, on_failure: Callable[[BaseException], None]) -> None:
        self._name = name
        self._limit = limit
        self._on_failure = on_failure
        self._jobs: deque[Job] = deque()
        self._task: asyncio.Task[None] | None = None
        self._broken = False

    @property
    def idle(self) -> bool:
        """Whether nothing waits or runs."""
        return self._task is None

    def offer(self, job: Job) -> bool:
        """Take a job, or say that there are too many already."""
        if self._broken or len(self._jobs) >= self._limit:
            return False
        self._jobs.append(job)
        if self._task is None:
            self._begin()
        return True

    async def finish(self) -> None:
        """Wait until everything is done that was taken."""
        while self._task is not None:
            await asyncio.wait([self._task])

    def _begin(self) -> None:
        self._task = asyncio.create_task(self._work(), name=self._name)
        self._task.add_done_callback(self._ended)

    async def _work(self) -> None:
        while self._jobs:
            await self._jobs.popleft()()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._task = None
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._broken = True
            self._jobs.clear()
            self._on_failure(error)
        elif self._jobs:
            self._begin()  # one was offered between the task's last look and this call
