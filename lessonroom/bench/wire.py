"""A light client of the room's socket: frames of :mod:`websockets`' sans-IO protocol on an asyncio transport.

A thousand of them run in one process beside the server that they measure, so each frame must cost little: no task for
each socket, no queue, no model of each message.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import State
from websockets.typing import Origin, Subprotocol
from websockets.uri import parse_uri

from lessonroom.errors import Refused
from lessonroom.messages import SUBPROTOCOL

CONNECT_SECONDS: Final = 30.0
NO_CODE: Final = 1006
"""The end of a socket that was not closed but lost (RFC 6455 section 7.1.5)."""

Hear = Callable[[bytes], None]
"""Takes one text frame, as UTF-8."""
Lost = Callable[[int], None]
"""Hears once of the end of an open socket: its close code, or :data:`NO_CODE`."""


class Wire(asyncio.Protocol):
    """One socket, made by :func:`connect`. Pings are answered; frames go to ``hear``, the end to ``lost``."""

    def __init__(self, address: str, origin: str, hear: Hear, lost: Lost) -> None:
        self._frames = ClientProtocol(
            parse_uri(address), origin=Origin(origin), subprotocols=[Subprotocol(SUBPROTOCOL)], max_size=2**20
        )
        self._hear = hear
        self._lost = lost
        self._transport: asyncio.Transport | None = None
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def open(self) -> bool:
        """Whether something may be said."""
        return self._frames.state is State.OPEN

    def say(self, frame: bytes) -> None:
        """Send one text frame of UTF-8; the socket must be open."""
        self._frames.send_text(frame)
        self._flush()

    def close(self) -> None:
        """Say goodbye; what comes until the other side has answered is still heard."""
        if self.open:
            self._frames.send_close(1000)
            self._flush()

    def abort(self) -> None:
        """Drop the connection without a word, as a lost network does."""
        if self._transport is not None:
            self._transport.abort()

    # --- called by the loop ------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the handshake."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - for the type: create_connection makes no other
        self._transport = transport
        self._frames.send_request(self._frames.connect())
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Take in what came, answer what the protocol answers, hand on the text."""
        self._frames.receive_data(data)
        self._flush()
        for event in self._frames.events_received():
            if isinstance(event, Response):
                self._greeted()
            elif isinstance(event, Frame) and event.opcode is Opcode.TEXT:
                self._hear(bytes(event.data))

    def eof_received(self) -> None:
        """The other side sends no more."""
        self._frames.receive_eof()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits for the opening, or else for the end."""
        if not self.opened.done():
            self.opened.set_exception(Refused("expected an open socket, got one that was closed in the handshake"))
        elif self.opened.exception() is None:
            self._lost(self._frames.close_code or NO_CODE)

    def _greeted(self) -> None:
        if self._frames.handshake_exc is None:
            self.opened.set_result(None)
        else:
            self.abort()

    def _flush(self) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        for data in self._frames.data_to_send():
            if data:
                self._transport.write(data)
            else:
                self._transport.close()


async def connect(address: str, origin: str, hear: Hear, lost: Lost) -> Wire:
    """An open socket that speaks our subprotocol to ``ws://HOST:PORT/PATH``.

    Raises OSError, TimeoutError, and Refused when the handshake fails.
    """
    uri = parse_uri(address)
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(CONNECT_SECONDS):
        _, wire = await loop.create_connection(lambda: Wire(address, origin, hear, lost), uri.host, uri.port)
        await wire.opened
    return wire
