"""``/ws/room``: one page's socket. One task reads, one writes; whichever ends first takes the other with it."""

from __future__ import annotations

import asyncio
import time

from starlette.websockets import WebSocket, WebSocketDisconnect

from lessonroom.auth import TicketClaims
from lessonroom.errors import BadMessage, LessonroomError, RateLimited
from lessonroom.messages import CloseCode, ConsentSend, Hello, SignalSend
from lessonroom.policy import Mode
from lessonroom.rooms.hub import Seat
from lessonroom.rooms.outbox import Outbox
from lessonroom.server.handshake import Gone, accept, goodbye, greet, read, turned_away
from lessonroom.server.ice import ice_servers
from lessonroom.server.rate import Bucket
from lessonroom.server.services import Services, services

RATE, BURST = 40.0, 200.0
"""Messages that one page may send per second in the long run, and at once: ICE candidates come in bursts."""
FLUSH_SECONDS = 2.0
"""How long a closed outbox may go on sending what it has."""


async def room_socket(socket: WebSocket) -> None:
    """Admit, join, then carry messages both ways until either side ends it."""
    own = services(socket)
    if not await accept(socket, own):
        return
    try:
        hello, claims = await greet(socket, own, "socket")
        outbox = Outbox(own.settings.socket_queue, own.settings.outbox_bytes, own.metrics.hint_delivered)
        seat = await _join(own, hello, claims, outbox)
    except Gone:
        return
    except (TimeoutError, LessonroomError) as error:
        await goodbye(socket, own, turned_away(socket, own, error))
        return
    code = await _carry(socket, own, seat, outbox)
    if code is not None:
        await goodbye(socket, own, code)


async def _join(own: Services, hello: Hello, claims: TicketClaims, outbox: Outbox) -> Seat:
    servers = ice_servers(own.settings, claims.member, time.time())
    return await own.hub.join(
        claims.room,
        claims.member,
        outbox,
        role=claims.role,
        page=hello.page,
        after=hello.after,
        ice_servers=servers,
        device=Mode(hello.device),
    )


async def _carry(socket: WebSocket, own: Services, seat: Seat, outbox: Outbox) -> int | None:
    """Carry until one side ends it; the code to close with, None when the socket is gone already."""
    reader = asyncio.create_task(_read(socket, own, seat), name="read-socket")
    writer = asyncio.create_task(_write(socket, outbox), name="write-socket")
    closed = asyncio.create_task(outbox.closed(), name="watch-outbox")
    tasks = {reader, writer, closed}
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if closed.done() and outbox.code != CloseCode.TOO_SLOW:
            await asyncio.wait({writer}, timeout=FLUSH_SECONDS)
    finally:
        own.hub.leave(seat)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    code = _verdict(reader) or _verdict(writer)
    return code if outbox.code is None else outbox.code


def _verdict(task: asyncio.Task[None]) -> int | None:
    """What the end of the reader or the writer means for the socket. Raises what is a defect."""
    match None if task.cancelled() else task.exception():
        case BadMessage():
            return CloseCode.BAD_MESSAGE
        case RateLimited():
            return CloseCode.RATE_LIMITED
        case None | Gone():
            return None
        case error:
            raise error


async def _read(socket: WebSocket, own: Services, seat: Seat) -> None:
    """Hand the page's messages to the hub, in order. Raises Gone, BadMessage, RateLimited."""
    bucket = Bucket(RATE, BURST, time.monotonic())
    while True:
        message = await read(socket, own.settings.socket_bytes)
        if not bucket.take(time.monotonic()):
            raise RateLimited(f"expected at most {RATE:.0f} messages per second, got more")
        if isinstance(message, Hello):
            raise BadMessage("expected one hello, got a second")
        if isinstance(message, SignalSend) and not own.signals.take(seat.live.room.id, time.monotonic()):
            raise RateLimited("expected fewer signals of one room, got too many")
        own.hub.receive(seat, message)
        # after it was heard: a no is never one too many
        if isinstance(message, ConsentSend) and not own.words.take(seat.member, time.monotonic()):
            raise RateLimited("expected fewer words of consent of one member, got one too many")


async def _write(socket: WebSocket, outbox: Outbox) -> None:
    """Send what the outbox gives until there is no more, or nobody."""
    try:
        while (frame := await outbox.take()) is not None:
            await socket.send_text(frame)
    except WebSocketDisconnect:
        return
