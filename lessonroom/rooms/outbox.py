"""What waits to be sent to one socket. Bounded: a reader that lets it fill up is closed, nobody waits for it."""

from __future__ import annotations

import asyncio
from collections import deque

from lessonroom.messages import CloseCode, ToPage, dump


class Outbox:
    """A bounded queue between the hub, which puts in, and the task of one socket, which takes out.

    Overflow rule: a message that finds ``limit`` others waiting closes the outbox with ``TOO_SLOW``, and all that
    waits is forgotten; the page asks for it again after its reconnect. Use on one event loop.
    """

    def __init__(self, limit: int) -> None:
        self.code: int | None = None
        """The close code, once it is closed."""
        self._limit = limit
        self._waiting: deque[ToPage] = deque()
        self._changed = asyncio.Event()
        self._closed = asyncio.Event()
        self._eased = asyncio.Event()
        self._eased.set()

    def __len__(self) -> int:
        return len(self._waiting)

    def send(self, message: ToPage) -> None:
        """Put in a message; never waits. After closing it is forgotten."""
        if self.code is not None:
            return
        if len(self._waiting) >= self._limit:
            self._waiting.clear()
            self.close(CloseCode.TOO_SLOW)
            return
        self._waiting.append(message)
        if len(self._waiting) > self._limit // 2:
            self._eased.clear()
        self._changed.set()

    def close(self, code: int) -> None:
        """Let what waits be sent, then close; the first code counts."""
        if self.code is None:
            self.code = code
        self._closed.set()
        self._changed.set()
        self._eased.set()

    async def eased(self) -> None:
        """Wait until at most half of the queue is taken, or it is closed."""
        await self._eased.wait()

    async def closed(self) -> None:
        """Wait until it is closed."""
        await self._closed.wait()

    async def take(self) -> str | None:
        """The next frame to send, or None when there will be no more."""
        while not self._waiting:
            if self.code is not None:
                return None
            self._changed.clear()
            await self._changed.wait()
        message = self._waiting.popleft()
        if len(self._waiting) <= self._limit // 2:
            self._eased.set()
        return dump(message)
