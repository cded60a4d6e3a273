"""Sockets as strangers open them: bytes of their own, and the code with which the server ends it."""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from lessonroom import messages as m

PATIENCE = 20.0
TEXT, CONT, CLOSE, PING, PONG = 1, 0, 8, 9, 10


def frame(opcode: int, payload: bytes = b"", *, last: bool = True) -> bytes:
    """One frame of a client, RFC 6455 section 5.2, masked with zeros."""
    size = len(payload)
    length = bytes([0x80 | size]) if size < 126 else bytes([0x80 | 126]) + size.to_bytes(2)
    return bytes([(0x80 if last else 0) | opcode]) + length + bytes(4) + payload


def upgrade(port: int, path: str = "/ws/room", *more: str) -> bytes:
    """The head of a request that becomes a socket."""
    key = base64.b64encode(os.urandom(16)).decode()
    lines = [
        f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Connection: Upgrade", "Upgrade: websocket",
        f"Origin: http://127.0.0.1:{port}", f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Protocol: {m.SUBPROTOCOL}", *more,
    ]  # fmt: skip
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


class Raw:
    """A connection to the server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def say(self, data: bytes) -> None:
        """Send this as it is; if the other side has gone, nobody hears it."""
        with suppress(ConnectionError):
            self.writer.write(data)

    async def head(self) -> str:
        """The head of an answer."""
        async with asyncio.timeout(PATIENCE):
            return (await self.reader.readuntil(b"\r\n\r\n")).decode()

    async def closed(self) -> int | None:
        """The code with which the server closes, or None when the connection ended without one."""
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            async with asyncio.timeout(PATIENCE):
                while True:
                    first, size = await self.reader.readexactly(2)
                    if size >= 126:
                        size = int.from_bytes(await self.reader.readexactly(2 if size == 126 else 8))
                    payload = await self.reader.readexactly(size)
                    if first & 0x0F == CLOSE:
                        return int.from_bytes(payload[:2])
        return None

    async def ended(self) -> bytes:
        """Everything up to the end of the connection."""
        with suppress(ConnectionError):
            async with asyncio.timeout(PATIENCE):
                return await self.reader.read()
        return b""


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Raw]:
    """An open connection over which nothing was said."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Raw(reader, writer)
    finally:
        writer.transport.abort()
        with suppress(ConnectionError):
            await writer.wait_closed()


@asynccontextmanager
async def upgraded(port: int, ticket: str = "", *more: str) -> AsyncIterator[Raw]:
    """A socket; with a ticket, one that has said hello."""
    async with connected(port) as raw:
        raw.say(upgrade(port, "/ws/room", *more))
        assert " 101 " in await raw.head()
        if ticket:
            raw.say(frame(TEXT, m.dump(m.Hello(ticket=ticket, page="page-0001")).encode()))
        yield raw
