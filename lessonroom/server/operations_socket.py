"""``/ws/operations``: a snapshot every second for an operator's page. Figures only: no names, no texts, no pictures."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

from starlette.websockets import WebSocket, WebSocketDisconnect

from lessonroom.errors import BadMessage, LessonroomError
from lessonroom.messages import CloseCode, Ping
from lessonroom.server.handshake import Gone, accept, goodbye, greet, read, turned_away
from lessonroom.server.services import Services, services

SLOW_SECONDS = 10.0
"""A page that does not take one snapshot in so long is closed."""


async def operations_socket(socket: WebSocket) -> None:
    """Admit an operator, then send snapshots until either side ends it."""
    own = services(socket)
    if not await accept(socket, own):
        return
    try:
        await greet(socket, own, "operations")
    except Gone:
        return
    except (TimeoutError, LessonroomError) as error:
        await goodbye(socket, own, turned_away(socket, own, error))
        return
    code = await _carry(socket, own)
    if code is not None:
        await goodbye(socket, own, code)


async def _carry(socket: WebSocket, own: Services) -> int | None:
    reader = asyncio.create_task(_read(socket, own))
    writer = asyncio.create_task(_write(socket, own))
    try:
        await asyncio.wait({reader, writer}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        reader.cancel()
        writer.cancel()
        ended = await asyncio.gather(reader, writer, return_exceptions=True)
    return _verdict([error for error in ended if not isinstance(error, asyncio.CancelledError)])


def _verdict(ends: Sequence[BaseException | None]) -> int | None:
    """What the ends of reader and writer mean for the socket; None when it is gone already. Raises what is a defect."""
    code = None
    for end in ends:
        match end:
            case None | Gone():
                continue
            case TimeoutError():
                code = CloseCode.TOO_SLOW
            case BadMessage():
                code = code or CloseCode.BAD_MESSAGE
            case defect:
                raise defect
    return code


async def _read(socket: WebSocket, own: Services) -> None:
    """Take pings; the operator's page has nothing else to say. Raises Gone, BadMessage."""
    while True:
        message = await read(socket, own.settings.socket_bytes)
        if not isinstance(message, Ping):
            raise BadMessage(f"expected ping, got {message.type}")


async def _write(socket: WebSocket, own: Services) -> None:
    """Raises TimeoutError for a page that does not read."""
    figures = own.figures
    snapshot = figures.first()
    try:
        while True:
            async with asyncio.timeout(SLOW_SECONDS):
                await socket.send_text(json.dumps(snapshot, allow_nan=False))
            snapshot = await figures.next()
    except WebSocketDisconnect:
        return
