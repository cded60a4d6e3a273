"""uvicorn's sans-IO WebSocket protocol, less patient with those who do not read.

uvicorn waits for the write buffer of a closed connection to empty, which for a peer that never reads is for ever, and
answers every ping however many answers wait already. Both would let one client hold memory.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

GRACE_SECONDS = 5.0
"""Time for the closing handshake and for what still waits to be sent, after the application is done."""


class Impatient(WebSocketsSansIOProtocol):
    """Drops the connection ``GRACE_SECONDS`` after its application ended, and one that pings but does not read."""

    def on_task_complete(self, task: asyncio.Task[None]) -> None:
        """The application is done with this socket."""
        super().on_task_complete(task)
        self.loop.call_later(GRACE_SECONDS, self.transport.abort)

    def handle_ping(self) -> None:
        """Answer, unless earlier answers still wait."""
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.transport.abort()
