"""How long the server waits for those whom it does not know yet, and how much of each moment it gives to them.

One event loop serves every lesson, so what strangers send is worked off in small portions, in the order in which it
came, between the messages of those who have said hello: however many open a connection at once, a lesson waits for one
portion and no more.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Collection
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from lessonroom.server.limits import Networks, neighbourhood

HEAD_SECONDS = 10.0
"""Time for a client to send the head of a request, from its connection or from its last answer on."""
BODY_SECONDS = 20.0
"""Time after which the connection of an unfinished body is cut; routes answer earlier."""
READ_SECONDS = 30.0
"""Time for a client to take more of what waits to be sent to it, and the last of it from the server's close on."""
PORTION_SECONDS = 0.005
"""How long strangers may keep the loop at once. One piece of work always goes on to its end."""
HEAP_BYTES = 65_536
"""What may wait of one connection, besides one more read, before it is not read from any more."""

_UNSAID = (h11.IDLE, h11.SEND_BODY)
"""States in which a client has not said yet what it wants, or not all of it."""


class Turns:
    """A queue of small works of strangers, which gives the loop back after each portion."""

    def __init__(self, portion: float = PORTION_SECONDS) -> None:
        self._portion = portion
        self._waiting: deque[Callable[[], None]] = deque()
        self._under_way = False

    def add(self, work: Callable[[], None]) -> None:
        """Do this in its turn."""
        self._waiting.append(work)
        if not self._under_way:
            self._under_way = True
            asyncio.get_running_loop().call_soon(self._some)

    def _some(self) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + self._portion
        try:
            while self._waiting:
                self._waiting.popleft()()
                if loop.time() >= until:
                    break
        finally:  # whatever became of one, the others have their turns
            self._under_way = bool(self._waiting)
            if self._under_way:
                loop.call_soon(self._some)


class Doorstep:
    """Connections of each address that have not shown yet what they want: no whole head or body, or no hello.

    ``most``: of one address; ``exempt``: addresses and networks of proxies, behind which everybody is.
    """

    def __init__(self, most: int, exempt: Collection[str] = ()) -> None:
        self._most = most
        self._exempt = Networks(exempt)
        self._waiting: Counter[str] = Counter()

    def __len__(self) -> int:
        return self._waiting.total()

    def enter(self, client: tuple[str, int] | None) -> Callable[[], None] | None:
        """Step on; what to call when it steps off, any number of times. None: there is no place."""
        if client is None or client[0] in self._exempt:
            return lambda: None
        key = neighbourhood(client[0])
        if self._waiting[key] >= self._most:
            return None
        self._waiting[key] += 1
        return _Once(lambda: self._leave(key))

    def _leave(self, key: str) -> None:
        self._waiting[key] -= 1
        if not self._waiting[key]:
            del self._waiting[key]


class _Once:
    """Does it the first time."""

    def __init__(self, action: Callable[[], None]) -> None:
        self._action: Callable[[], None] | None = action

    def __call__(self) -> None:
        action, self._action = self._action, None
        if action is not None:
            action()


def let_go(transport: asyncio.BaseTransport) -> None:
    """Free a transport whose connection is lost at once; asyncio's keeps a method of its own, and so itself.

    It is old when a stranger's time is over, and old cycles are looked for seldom: 1.7 KB for each who ever came.
    """
    if hasattr(transport, "_read_ready_cb"):
        transport._read_ready_cb = None


class Patience:
    """What all connections of one server share. ``hall``: for those who were answered and may ask for more."""

    def __init__(self, most: int, exempt: Collection[str] = ()) -> None:
        self.turns = Turns()
        self.doorstep = Doorstep(most, exempt)
        self.hall = Doorstep(most, exempt)


class Brief(H11Protocol):
    """uvicorn's HTTP protocol, with an end to waiting for heads, bodies and readers, and its work done in turns."""

    __slots__ = ("_in_turn", "_late", "_rest", "_unread", "_waits_for", "step_off")
    """From thirty names in its dictionary on, an object has keys of its own there, 1.5 KB."""
    patience: Patience

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._rest = bytearray()
        self._in_turn = False
        self._late: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        self._waits_for: Any = None
        self.step_off: Callable[[], None] = lambda: None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody is there; one too many of an address is sent away without a word."""
        super().connection_made(transport)
        step_off = self.patience.doorstep.enter(self.client)
        if step_off is None:
            transport.abort()
            return
        self.step_off = step_off
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """They are gone."""
        self.step_off()
        self._stop_watch()
        self._is_read()
        super().connection_lost(exc)
        let_go(self.transport)

    def data_received(self, data: bytes) -> None:
        """Keep it until its turn."""
        self._rest += data
        if len(self._rest) > HEAP_BYTES:
            self.transport.pause_reading()
        if not self._in_turn:
            self._in_turn = True
            self.patience.turns.add(self._take)

    def _take(self) -> None:
        self._in_turn = False
        if self.transport.is_closing():
            return
        data = bytes(self._rest)
        self._rest.clear()
        if not self.flow.read_paused:
            self.transport.resume_reading()
        super().data_received(data)
        self._watch()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """It becomes a socket, which is watched by others, and stays on the doorstep until its hello."""
        self._stop_watch()
        self._is_read()
        super().handle_websocket_upgrade(event)

    def on_response_complete(self) -> None:
        """One answer is sent; the next head has its own time and place, or the connection ends here."""
        super().on_response_complete()
        if self.conn.their_state in _UNSAID and not self.transport.is_closing():
            self.step_off()
            step_off = self.patience.hall.enter(self.client)
            if step_off is None:
                self.transport.close()
            else:
                self.step_off = step_off
        self._watch()

    def pause_writing(self) -> None:
        """Much waits to be read; somebody who asks and never reads would keep it, and their connection, for ever."""
        super().pause_writing()
        self._must_read()

    def resume_writing(self) -> None:
        """They read."""
        super().resume_writing()
        if not self.transport.is_closing():
            self._is_read()

    def _must_read(self) -> None:
        if self._unread is None:
            self._unread = self.loop.call_later(READ_SECONDS, self.transport.abort)

    def _is_read(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _watch(self) -> None:
        """Wait for what has to come now, no longer than it may take."""
        if self.transport.get_protocol() is not self:
            return
        if self.transport.is_closing() and self.transport.get_write_buffer_size():
            self._must_read()
        awaited = self.conn.their_state
        if awaited not in _UNSAID:
            self.step_off()
        if awaited is self._waits_for:
            return
        self._stop_watch()
        seconds = {h11.IDLE: HEAD_SECONDS, h11.SEND_BODY: BODY_SECONDS}.get(awaited)
        if seconds is not None and not self.transport.is_closing():
            self._waits_for = awaited
            self._late = self.loop.call_later(seconds, self.transport.abort)

    def _stop_watch(self) -> None:
        self._waits_for = None
        if self._late is not None:
            self._late.cancel()
            self._late = None
