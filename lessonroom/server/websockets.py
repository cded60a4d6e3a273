"""uvicorn's sans-IO WebSocket protocol, less patient with those who do not read and with those who never stop.

uvicorn waits for the write buffer of a closed connection to empty, which for a peer that never reads is for ever,
answers every ping however many answers wait already, and works off whatever one read has brought, a quarter of a
megabyte, before anybody else gets a turn. Each would let one client hold memory, or everybody's time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

from starlette.requests import HTTPConnection
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

from lessonroom.messages import CloseCode
from lessonroom.server.mailbox import Gate, Mailbox
from lessonroom.server.patience import Brief, Patience, let_go
from lessonroom.server.rate import Bucket

GRACE_SECONDS = 5.0
"""Time for the closing handshake and for what still waits to be sent, after the application is done."""
SLICE_BYTES = 2048
"""Of what has come, so much is worked off at once."""
FRAMES, FRAMES_BURST = 500.0, 2000.0
"""Frames of messages that a socket may send in a second, and at once."""
CONTROLS, CONTROLS_BURST = 20.0, 100.0
"""Pings and pongs, likewise."""
MOST_PARTS = 64
"""Frames that one message may come in."""
LINGER_SECONDS, LINGER_BYTES = 1.0, 1_048_576
"""How long, and how much, is still read from somebody who is closed while they are talking: whoever is cut off with
something unread is told of a reset, and not of the code."""

_NO_SOCKET = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_WELCOME = "lessonroom.welcome"


class Impatient(WebSocketsSansIOProtocol):
    """Works in slices, closes whoever sends too much, and does not wait for those who do not read.

    Until :func:`welcome` its work has to wait for its turn among that of all strangers.
    """

    __slots__ = (
        "_controls", "_deaf", "_frames", "_gone", "_grace", "_ignored", "_in_turn", "_rest", "_step_off", "_stranger",
        "initial_response", "last_ping_rtt", "pending_ping_payload", "ping_sent_at", "ping_timer", "pong_timer",
        "request", "response", "scope",
    )  # fmt: skip
    """From thirty names in its dictionary on, an object has keys of its own there, 1.5 KB."""
    patience: Patience

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.queue = cast("asyncio.Queue[Any]", Mailbox())
        self.writable = cast("asyncio.Event", Gate())
        self._rest = bytearray()
        self._in_turn = False
        self._stranger = True
        self._deaf = False
        self._gone = False
        self._ignored = 0
        self._grace: asyncio.TimerHandle | None = None
        now = self.loop.time()
        self._frames = Bucket(FRAMES, FRAMES_BURST, now)
        self._controls = Bucket(CONTROLS, CONTROLS_BURST, now)
        self._step_off: Callable[[], None] = lambda: None

    # --- life --------------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """An HTTP connection has become this socket; its place on the doorstep goes with it."""
        before = cast("asyncio.Transport", transport).get_protocol()
        if isinstance(before, Brief):
            self._step_off = before.step_off
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """They are gone, perhaps with many others at once; what a member said before that still counts."""
        self._step_off()
        self._gone = True
        if self._stranger or self._deaf or self.close_sent:
            self._rest.clear()
        self.patience.turns.add(lambda: self._wind_up(exc))

    def _wind_up(self, exc: Exception | None) -> None:
        if self._rest:
            super().data_received(self._next())
            self.patience.turns.add(lambda: self._wind_up(exc))
        else:
            super().connection_lost(exc)
            self._let_go()

    def _let_go(self) -> None:
        """Hold nothing that holds this: what the collector of cycles has to find may lie about for long."""
        self.conn.parser.close()
        self.conn.parser_exc = None  # whose traceback knows the parser's frames
        if self._grace is not None:
            self._grace.cancel()
        let_go(self.transport)

    def shutdown(self) -> None:
        """The server stops. uvicorn would say goodbye to those who are going, too, and raise InvalidState."""
        if self.transport.is_closing():
            self.stop_keepalive()
        else:
            super().shutdown()

    def welcomed(self) -> None:
        """This is no stranger any more."""
        self._stranger = False
        self._step_off()

    async def run_asgi(self) -> None:
        """Let the application say :func:`welcome`."""
        self.scope["state"][_WELCOME] = self.welcomed
        try:
            await super().run_asgi()
        finally:
            del self.scope["state"][_WELCOME]

    def on_task_complete(self, task: asyncio.Task[None]) -> None:
        """The application is done with this socket."""
        super().on_task_complete(task)
        if not self._gone:
            self._grace = self.loop.call_later(GRACE_SECONDS, self.transport.abort)

    # --- what comes --------------------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Keep it, and work off a slice in each turn."""
        if not self.handshake_initiated:
            self._begin(data)
            return
        if self._deaf:
            self._ignore(len(data))
            return
        self._rest += data
        if self.read_paused and not self.close_sent:
            self.transport.pause_reading()  # the application has not taken what came before
        self._go_on()

    def _begin(self, head: bytes) -> None:
        """Take the head, which has been read already, and end it with those whose head begins no socket.

        The library takes no body, no line beyond 8 KB and no more than 128 headers, and says nothing of it.
        """
        if self.transport.is_closing():
            return
        super().data_received(head)
        if not self.handshake_initiated:
            self.transport.write(_NO_SOCKET)
            self.transport.close()
        if self.transport.is_closing():  # there is no application that could be done
            self._grace = self.loop.call_later(GRACE_SECONDS, self.transport.abort)

    def _go_on(self) -> None:
        """Have a turn, when there is something to do and the application has taken what came before."""
        if self._in_turn or not self._rest or (self.read_paused and not self.close_sent):
            return
        self._in_turn = True
        if self._stranger:
            self.patience.turns.add(self._slice)
        else:
            self._slice()

    def _slice(self) -> None:
        self._in_turn = False
        if self.transport.is_closing():
            return  # what is left is for the end
        super().data_received(self._next())
        if self._rest and not self.transport.is_closing():
            # no more is read before this is worked off
            self.transport.pause_reading()
            self.loop.call_soon(self._go_on)
        elif not self.read_paused:
            self.transport.resume_reading()

    def _next(self) -> bytes:
        data = bytes(self._rest[:SLICE_BYTES])
        del self._rest[:SLICE_BYTES]
        return data

    def send_receive_event_to_app(self) -> None:
        """Hand over a message.

        uvicorn would stop reading at once; but most messages are taken before anything else comes, and then that costs
        two calls of the system for nothing.
        """
        if not self.close_sent:
            self.read_paused = True
        super().send_receive_event_to_app()

    async def receive(self) -> Any:
        """Hand over a message; when it was the last one, go on with what is left, and only then read more."""
        event = await super().receive()
        if self._rest and not self._gone:
            self.transport.pause_reading()
            self._go_on()
        return event

    async def send(self, message: Any) -> None:
        """Send, unless this socket was closed by what it said, or is gone."""
        if self._deaf or self._gone:
            raise ClientDisconnected
        await super().send(message)
        if message["type"] == "websocket.accept":
            # two kilobytes that nobody reads any more, and that the parser keeps, too
            self.request.headers.clear()
            del self.request, self.response

    # --- too much ----------------------------------------------------------------------------------------------------

    def handle_text(self, event: Frame) -> None:
        """Take a text frame."""
        if self._takes(self._frames):
            super().handle_text(event)

    def handle_bytes(self, event: Frame) -> None:
        """Take a binary frame."""
        if self._takes(self._frames):
            super().handle_bytes(event)

    def handle_cont(self, event: Frame) -> None:
        """Take a further part of a message."""
        if self._takes(self._frames):
            super().handle_cont(event)
            if len(self.frames) > MOST_PARTS:
                self._refuse(CloseCode.BAD_MESSAGE)

    def handle_pong(self, event: Frame) -> None:
        """Take an answer to a ping, asked for or not."""
        if self._takes(self._controls):
            super().handle_pong(event)

    def handle_ping(self) -> None:
        """Answer, unless earlier answers still wait."""
        if not self._takes(self._controls):
            return
        if self._gone:
            return
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.transport.abort()

    def _takes(self, bucket: Bucket) -> bool:
        if not self._deaf and not bucket.take(self.loop.time()):
            self._refuse(CloseCode.RATE_LIMITED)
        return not self._deaf

    def _refuse(self, code: CloseCode) -> None:
        """Close with a code of the protocol; what is still said is not listened to."""
        self._deaf = True
        self._rest.clear()
        self.frames = []
        self.queue.put_nowait({"type": "websocket.disconnect", "code": int(code), "reason": ""})
        if self.close_sent or not self.handshake_complete:
            self.transport.abort()
            return
        self.conn.data_to_send()  # answers to pings, which nobody needs any more
        self.conn.fail(int(code))
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.transport.resume_reading()
        # uvicorn closes at once when the application is done, unless this timer runs
        self.close_timer = self.loop.call_later(LINGER_SECONDS, self.transport.abort)

    def _ignore(self, count: int) -> None:
        self._ignored += count
        if self._ignored > LINGER_BYTES:
            self.transport.abort()


def welcome(socket: HTTPConnection) -> None:
    """Say that a socket has shown who it is. Another server than ours has no strangers."""
    said = socket.scope.get("state", {}).get(_WELCOME)
    if said is not None:
        said()
