"""One end of the socket between two of our processes, on an event loop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Final, cast

from lessonroom import logs
from lessonroom.errors import BadMessage, EngineDown
from lessonroom.processes.frames import Message, Unpacker, pack

log = logs.get(__name__)

MOST_UNSENT: Final = 8 * 1024 * 1024
"""Bytes that may wait for the other side to read them; with more it counts as gone."""
AT_ONCE: Final = 16
"""Messages that are not kept back for more of the same turn of the loop: the other side can begin."""


class Line(asyncio.Protocol):
    """Hears and says messages. ``ended`` is done when the other side is gone, or when this one has closed."""

    def __init__(self, hear: Callable[[Message], None]) -> None:
        self._hear = hear
        self._unpacker = Unpacker()
        self._transport: asyncio.Transport | None = None
        self._unsent: list[bytes] = []
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def listens(self) -> bool:
        """Whether the other side is there and reads what it is told."""
        transport = self._transport
        return transport is not None and not transport.is_closing() and not self._behind(transport)

    @classmethod
    async def on(cls, end: socket.socket, hear: Callable[[Message], None]) -> Line:
        """A line on this end of a socket pair."""
        end.setblocking(False)
        _, line = await asyncio.get_running_loop().create_unix_connection(lambda: cls(hear), sock=end)
        return line

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol. Who lets go over a message hears nothing of what came with it."""
        try:
            for message in self._unpacker.feed(data):
                self._hear(message)
                if self._transport is None or self._transport.is_closing():
                    return
        except BadMessage:
            log.exception("a process said something that it must not")
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        if not self.ended.done():
            self.ended.set_result(None)

    def send(self, message: Message) -> None:
        """Say something; what is said in one turn of the loop goes out in few pieces. Raises EngineDown."""
        transport = self._transport
        if transport is None or transport.is_closing():
            raise EngineDown("expected a process that is there, got one that has ended")
        if self._behind(transport):
            raise EngineDown("expected a process that listens, got one that does not")
        if not self._unsent:
            asyncio.get_running_loop().call_soon(self._flush)
        self._unsent.append(pack(message))
        if len(self._unsent) >= AT_ONCE:
            self._flush()

    @staticmethod
    def _behind(transport: asyncio.Transport) -> bool:
        return transport.get_write_buffer_size() > MOST_UNSENT

    def close(self) -> None:
        """Let go once everything is said."""
        self._flush()
        if self._transport is not None:
            self._transport.close()

    def cut(self) -> None:
        """Let go at once: what is not said is not said any more."""
        self._unsent.clear()
        if self._transport is not None:
            self._transport.abort()

    def _flush(self) -> None:
        said, self._unsent = b"".join(self._unsent), []
        if said and self._transport is not None and not self._transport.is_closing():
            self._transport.write(said)
