"""A mailbox for one: the newest frame wins, older ones are counted and forgotten.

A slow reader lowers its own rate; nothing grows.
"""

from __future__ import annotations

import asyncio
from typing import Generic, TypeVar

T = TypeVar("T")


class FramesEnded(Exception):
    """Nothing more will come: the mailbox was closed."""


class Frames(Generic[T]):
    """Newest-wins mailbox between a receiver and one reader, on one event loop.

    ``received`` counts what was put in, ``dropped`` what was overwritten unread or put in after closing.
    """

    def __init__(self) -> None:
        self.received = 0
        self.dropped = 0
        self.taken_at = 0.0
        """Arrival time of the frame that :meth:`take` gave last, in seconds of the receiver's clock."""
        self.interval = 0.0
        """Seconds between two frames that the reader wants; 0 while it may want every one. Set by the reader."""
        self._newest: tuple[T, float] | None = None
        self._waiting = False
        self._taken = False
        self._arrived = asyncio.Event()
        self._closed = False

    @property
    def hungry(self) -> bool:
        """Whether the reader waits for a frame, or has taken the latest."""
        return not self._closed and (self._waiting or self._taken)

    def put(self, frame: T, at: float = 0.0) -> None:
        """Keep ``frame``, which arrived at ``at``, in place of an older one. Never blocks."""
        self.received += 1
        if self._closed:
            self.dropped += 1
            return
        if self._newest is not None:
            self.dropped += 1
        self._newest, self._taken = (frame, at), False
        self._arrived.set()

    async def take(self) -> T:
        """Wait for a frame that was not taken before. Raises FramesEnded once the mailbox is closed."""
        while self._newest is None:
            if self._closed:
                raise FramesEnded
            self._arrived.clear()
            self._waiting = True
            try:
                await self._arrived.wait()
            finally:
                self._waiting = False
        frame, self.taken_at = self._newest
        self._newest, self._taken = None, True
        return frame

    def clear(self) -> None:
        """Forget the waiting frame."""
        if self._newest is not None:
            self.dropped += 1
            self._newest = None

    def close(self) -> None:
        """Forget the waiting frame and wake the reader for the last time. Closing twice changes nothing."""
        self.clear()
        self._closed = True
        self._arrived.set()
