"""The first steps of both sockets: an Origin of ours, the subprotocol, a hello with a ticket, in time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import cast

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from lessonroom.auth import Purpose, TicketClaims
from lessonroom.errors import (
    BadMessage,
    Busy,
    LessonroomError,
    NotFound,
    RateLimited,
    Refused,
    StoreDown,
    TicketRefused,
)
from lessonroom.messages import SUBPROTOCOL, CloseCode, FromPage, Hello
from lessonroom.server.refusals import address_of
from lessonroom.server.security import check_origin, origin_of
from lessonroom.server.services import Services
from lessonroom.server.strict import read_message
from lessonroom.server.websockets import welcome

GOODBYE_SECONDS = 5.0
"""How long a close frame may take to get through to a reader that does not read."""


class Gone(Exception):
    """The other side closed the socket, or the network did."""


async def accept(socket: WebSocket, own: Services) -> bool:
    """Accept a socket of one of our pages that speaks our protocol; else refuse it with HTTP 403."""
    try:
        check_origin(origin_of(socket), own.admission.origins)
    except Refused:
        await socket.close()
        return False
    if SUBPROTOCOL not in socket.scope.get("subprotocols", []):
        await socket.close()
        return False
    await socket.accept(subprotocol=SUBPROTOCOL)
    return True


@dataclass(slots=True)
class _Hall:
    """Where the sockets of one application wait that have not shown a good ticket yet."""

    waiting: int = 0


async def greet(socket: WebSocket, own: Services, purpose: Purpose) -> tuple[Hello, TicketClaims]:
    """Wait for hello and take its ticket. Raises TimeoutError, Gone, BadMessage, TicketRefused, StoreDown, Busy.

    Anybody can open a socket, so only ``hello_queue`` of them may wait here; more are sent away as Busy, at once.
    """
    hall = _hall(socket)
    if hall.waiting >= own.settings.hello_queue:
        raise Busy(f"expected fewer than {own.settings.hello_queue} sockets that have not said hello, got one too many")
    hall.waiting += 1
    try:
        async with asyncio.timeout(own.settings.hello_seconds):
            message = await read(socket, own.settings.socket_bytes)
        if not isinstance(message, Hello):
            raise BadMessage(f"expected hello first, got {message.type}")
        claims = await own.admission.admit(message.ticket, purpose, origin_of(socket))
        welcome(socket)
        return message, claims
    finally:
        hall.waiting -= 1


def _hall(socket: WebSocket) -> _Hall:
    state = socket.app.state
    if not hasattr(state, "hall"):
        state.hall = _Hall()
    return cast("_Hall", state.hall)


async def read(socket: WebSocket, most: int) -> FromPage:
    """The next message of the page, of at most ``most`` bytes. Raises Gone, BadMessage.

    Our own server closes before such a frame is whole; a host into which the application is mounted may have no limit.
    """
    event = await socket.receive()
    if event["type"] != "websocket.receive":
        raise Gone
    text = event.get("text")
    if text is None:
        raise BadMessage("expected a text frame, got a binary one")
    if len(text) > most or len(text.encode(errors="surrogatepass")) > most:
        raise BadMessage(f"expected a frame of at most {most} bytes, got a longer one")
    return read_message(text)


_CODES: tuple[tuple[type[Exception], CloseCode], ...] = (
    (TimeoutError, CloseCode.HELLO_TIMEOUT),
    (BadMessage, CloseCode.BAD_MESSAGE),
    (RateLimited, CloseCode.RATE_LIMITED),
    (StoreDown, CloseCode.SERVER_BUSY),
    (Busy, CloseCode.SERVER_BUSY),
    (TicketRefused, CloseCode.TICKET_REFUSED),
    (NotFound, CloseCode.TICKET_REFUSED),
    (Refused, CloseCode.ROOM_CLOSED),
    (LessonroomError, CloseCode.TICKET_REFUSED),
)
"""Errors during admission and what pages are told of them; the first that fits counts."""


def code_of(error: Exception) -> int:
    """The close code that tells a page of an error during its admission. Raises what is a defect."""
    for kind, code in _CODES:
        if isinstance(error, kind):
            return code
    raise error


def turned_away(socket: WebSocket, own: Services, error: Exception) -> int:
    """Take note of one who is not let in; the code to close with."""
    if isinstance(error, TicketRefused):
        error = own.refusals.count(address_of(socket), error)
    return code_of(error)


async def goodbye(socket: WebSocket, own: Services, code: int) -> None:
    """Close with a code, without waiting long for a reader that does not read."""
    own.metrics.socket_closed(code)
    if WebSocketState.DISCONNECTED in {socket.client_state, socket.application_state}:
        return
    try:
        async with asyncio.timeout(GOODBYE_SECONDS):
            await socket.close(code)
    except (TimeoutError, WebSocketDisconnect, RuntimeError):
        return  # nobody is there to be told; the server drops the connection when this task ends
