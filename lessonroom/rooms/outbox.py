"""What waits to be sent to one socket. Bounded: a reader that lets it fill up is closed, nobody waits for it."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable

from lessonroom.messages import ChatMessage, CloseCode, HintShow, Signal, ToPage, dump

SMALL = 512
"""What a message without long texts is counted as, in bytes."""


def nobody_asks(seconds: float) -> None:
    """Nobody keeps figures."""


class Outbox:
    """A bounded queue between the hub, which puts in, and the task of one socket, which takes out.

    Overflow rule: a message that finds ``limit`` others or ``most`` bytes waiting closes the outbox with ``TOO_SLOW``,
    and all that waits is forgotten; the page asks for it again after its reconnect. Use on one event loop.

    What waits is measured as its text: a frame is made when it is sent, as most are sent at once. ``on_hint`` is told
    how old a hint is, in seconds, when it is taken to be sent.
    """

    def __init__(self, limit: int, most: int = 2**31, on_hint: Callable[[float], None] = nobody_asks) -> None:
        self.code: int | None = None
        """The close code, once it is closed."""
        self._limit = limit
        self._most = most
        self._on_hint = on_hint
        self._bytes = 0
        self._waiting: deque[tuple[ToPage, int]] = deque()
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
        size = size_of(message)
        # one message alone always finds room, however large it is
        if len(self._waiting) >= self._limit or (self._waiting and self._bytes + size > self._most):
            self._waiting.clear()
            self._bytes = 0
            self.close(CloseCode.TOO_SLOW)
            return
        self._waiting.append((message, size))
        self._bytes += size
        if not self._is_easy():
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
        """Wait until at most half of the places and of the bytes are taken, or it is closed."""
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
        message, size = self._waiting.popleft()
        self._bytes -= size
        if self._is_easy():
            self._eased.set()
        if type(message) is HintShow:
            self._on_hint(max(0.0, time.time() - message.at / 1000))
        return dump(message)

    def _is_easy(self) -> bool:
        return len(self._waiting) <= self._limit // 2 and self._bytes <= self._most // 2


def size_of(message: ToPage) -> int:
    """About how many bytes a message holds here: its texts, and something for all that is small.

    Only messages with long texts matter for memory; the number of the others is bounded.
    """
    match message:
        case Signal():
            described = message.description.sdp if message.description else ""
            named = message.candidate.candidate if message.candidate else ""
            return SMALL + _bytes(described) + _bytes(named)
        case ChatMessage():
            return SMALL + _bytes(message.text)
        case _:
            return SMALL


def _bytes(text: str) -> int:
    """As Python keeps it: one, two or four bytes for each character, by the widest."""
    return len(text) if text.isascii() else 4 * len(text)
