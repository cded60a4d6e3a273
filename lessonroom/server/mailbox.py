"""What asyncio has as well, for those of whom there are many: its own keep 750 bytes for each line of waiting."""

from __future__ import annotations

import asyncio
from typing import Any


class Mailbox:
    """Events for one reader, in order; as much of :class:`asyncio.Queue` as a socket needs, which has three lines."""

    __slots__ = ("_events", "_reader")

    def __init__(self) -> None:
        self._events: list[Any] = []
        self._reader: asyncio.Future[None] | None = None

    def put_nowait(self, event: Any) -> None:
        """Put one more at the end."""
        self._events.append(event)
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    def empty(self) -> bool:
        """Whether nothing waits."""
        return not self._events

    async def get(self) -> Any:
        """The first event, as soon as there is one; whoever gives up waiting takes none."""
        while not self._events:
            self._reader = asyncio.get_running_loop().create_future()
            try:
                await self._reader
            finally:
                self._reader = None
        return self._events.pop(0)


class Gate:
    """As much of :class:`asyncio.Event` as a socket needs; it is open at first, and most are never shut."""

    __slots__ = ("_shut",)

    def __init__(self) -> None:
        self._shut: asyncio.Event | None = None

    def is_set(self) -> bool:
        """Whether it is open."""
        return self._shut is None

    def clear(self) -> None:
        """Shut it."""
        if self._shut is None:
            self._shut = asyncio.Event()

    def set(self) -> None:
        """Open it; all who wait go on."""
        shut, self._shut = self._shut, None
        if shut is not None:
            shut.set()

    async def wait(self) -> None:
        """Wait until it is open."""
        if self._shut is not None:
            await self._shut.wait()
