"""The simulated student: everything that a student's page does but for the page.

Joins by link, ticket and socket, agrees to analysis, answers the teacher's page, and feeds the analyser by WHIP for as
long as the room says that it may. Silent: it sends its camera and no chat.
"""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
from aiortc.exceptions import InvalidStateError
from pydantic import BaseModel
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Origin, Subprotocol

from lessonroom import logs
from lessonroom.errors import Refused
from lessonroom.messages import (
    SUBPROTOCOL,
    Analysis,
    ChatMessage,
    CloseCode,
    ConsentSend,
    Hello,
    IceServer,
    Signal,
    SignalSend,
    ToPage,
    Welcome,
    dump,
    parse_to_page,
)
from lessonroom.messages import (
    Camera as CameraSays,
)
from lessonroom.simulate.admission import Admission, Link
from lessonroom.simulate.call import Call
from lessonroom.simulate.sources import Camera
from lessonroom.simulate.whip import WhipFeed

FEED_RATE, FEED_HEIGHT = 5.0, 240
"""What a page sends to the analyser: pictures per second, lines."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 15.0
FINAL = frozenset({CloseCode.REPLACED, CloseCode.ROOM_CLOSED})
"""After these the server will not have us back."""
UNREACHABLE = (OSError, TimeoutError, httpx.HTTPError, ConnectionClosed, InvalidHandshake, Refused)

log = logs.get(__name__)


async def play(link: str, clip: Path) -> None:
    """Be a student who shows ``clip`` (a video or a folder of pictures) until cancelled or the room is closed.

    Raises BadInput for a link that is none, BadMedia for a clip that is none, Refused when the link is spent.
    """
    camera = Camera(clip)
    try:
        async with Admission(Link.read(link)) as admission:
            await Student(admission, camera).stay()
    finally:
        await camera.close()


class Student:
    """One student in one room.

    ``analysis``: the indicator as last shown; ``socket``: the line to the room while it stands.
    """

    def __init__(self, admission: Admission, camera: Camera) -> None:
        self._admission = admission
        self._camera = camera
        self._call = Call(camera)
        self._page = secrets.token_urlsafe(16)
        self._ice: list[IceServer] = []
        self._relay_only = False
        self._after = 0
        self._feed: WhipFeed | None = None
        self._wanted = asyncio.Event()
        self._unwanted = asyncio.Event()
        self.analysis: Analysis | None = None
        self.socket: ClientConnection | None = None

    @property
    def feeding(self) -> bool:
        """Whether the analyser receives the camera."""
        return self._feed is not None and self._feed.connected

    @property
    def calling(self) -> bool:
        """Whether the teacher's page receives the camera."""
        return self._call.connected

    async def stay(self) -> None:
        """Be in the room until cancelled or sent out; comes back after every loss."""
        feeding = asyncio.create_task(self._keep_feeding(), name="simulated-feed")
        attempt = 0
        try:
            while True:
                try:
                    await self._visit()
                    attempt = 0
                except ConnectionClosed as error:
                    if error.rcvd is not None and error.rcvd.code in FINAL:
                        return
                except UNREACHABLE as error:
                    log.info("the simulated student cannot reach the room", error=type(error).__name__)
                attempt += 1
                await asyncio.sleep(_pause(attempt))
        finally:
            feeding.cancel()
            with suppress(asyncio.CancelledError):
                await feeding
            await self._call.close()

    async def _visit(self) -> None:
        """One connection of the socket, from hello to its end."""
        ticket = await self._admission.ticket("socket")
        link = self._admission.link
        async with connect(link.socket, subprotocols=[Subprotocol(SUBPROTOCOL)], origin=Origin(link.origin)) as socket:
            self.socket = socket
            await _say(socket, Hello(ticket=ticket, page=self._page, after=self._after))
            try:
                while True:
                    await self._hear(socket, parse_to_page(await socket.recv()))
            finally:
                self.socket = None
                self._want(False)

    async def _hear(self, socket: ClientConnection, message: ToPage) -> None:
        match message:
            case Welcome():
                self._ice, self._relay_only = message.ice_servers, message.ice_relay_only
                self._shown(message.analysis)
                await _say(socket, CameraSays(on=True))
                await _say(socket, ConsentSend(agreed=True))
            case Analysis():
                self._shown(message)
            case ChatMessage():
                self._after = max(self._after, message.seq)
            case Signal():
                await self._signal(socket, message)
            case _:
                pass  # members, hints and receipts change nothing for a student who only shows a face

    async def _signal(self, socket: ClientConnection, signal: Signal) -> None:
        try:
            answer = await self._call.hear(signal, self._ice, relay_only=self._relay_only)
        except (ValueError, InvalidStateError) as error:
            log.warning("the simulated student cannot apply a signal", error=type(error).__name__)
            return
        if answer is not None:
            await _say(socket, SignalSend(to=signal.sender, page=signal.page, description=answer))

    def _shown(self, analysis: Analysis) -> None:
        self.analysis = analysis
        if analysis.reason == "moving" and self._feed is not None:
            self._feed.moved()
        self._want(analysis.mode == "M3" and analysis.reason not in {"not_allowed", "not_agreed", "hints_off"})

    def _want(self, wanted: bool) -> None:
        now, other = (self._wanted, self._unwanted) if wanted else (self._unwanted, self._wanted)
        now.set()
        other.clear()

    async def _keep_feeding(self) -> None:
        """One WHIP session after the other while the room wants them."""
        attempt = 0
        while True:
            await self._wanted.wait()
            feed = self._feed = WhipFeed(self._admission.http, self._ice, relay_only=self._relay_only)
            try:
                ticket = await self._admission.ticket("whip")
                track = self._camera.track(rate=FEED_RATE, height=FEED_HEIGHT)
                await feed.open(self._admission.room, ticket, track)
                await _first(feed.gone.wait(), self._unwanted.wait())
                attempt = 0
            except UNREACHABLE as error:
                log.info("the simulated student cannot reach the analyser", error=type(error).__name__)
            finally:
                self._feed = None
                await feed.close()
            attempt += 1
            await asyncio.sleep(_pause(attempt))


async def _say(socket: ClientConnection, message: BaseModel) -> None:
    await socket.send(dump(message))


async def _first(*waits: Coroutine[Any, Any, object]) -> None:
    """Wait for the first of these; the others are dropped."""
    tasks = [asyncio.create_task(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


def _pause(attempt: int) -> float:
    return float(min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (attempt - 1)) * random.uniform(0.75, 1.25))
