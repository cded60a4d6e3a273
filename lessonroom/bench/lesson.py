"""One lesson of the bench: both members' sockets, a shaped stream to the analyser, and what everybody waits for."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin, Subprotocol

from lessonroom import messages as m
from lessonroom.bench.serving import Server
from lessonroom.errors import EngineDown
from lessonroom.simulate.admission import Admission, Link
from lessonroom.simulate.facts import PLACE, SETTING
from lessonroom.simulate.shaped import ShapedTrack
from lessonroom.simulate.whip import WhipFeed

CONNECT_SECONDS = 60.0
CHAT_EVERY, STUCK_EVERY = 2.0, 6.0
CALM_SHARE = 0.75
"""Share of the time before the button is pressed: after a press the analyser keeps quiet for a minute."""


@dataclass
class Waits:
    """What everybody waited for, in seconds."""

    chat_acknowledged: list[float] = field(default_factory=list)
    chat_relayed: list[float] = field(default_factory=list)
    button_to_teacher: list[float] = field(default_factory=list)
    hint_to_teacher: list[float] = field(default_factory=list)


class Lesson:
    """One room with both members in it; made by :func:`lesson`."""

    def __init__(self, number: int, waits: Waits, teacher: ClientConnection, student: ClientConnection) -> None:
        self._number = number
        self._waits = waits
        self._teacher = teacher
        self._student = student
        self._sent: dict[str, float] = {}
        self._pressed = -math.inf
        self.agreed = asyncio.Event()
        """Set once the room says that consent is stored: only then is a ticket for media worth anything."""
        self.watched = asyncio.Event()
        """Set once the indicator says that the student is looked at."""
        self.counting = False
        self._ears = [asyncio.create_task(self._hear_teacher()), asyncio.create_task(self._hear_student())]

    async def close(self) -> None:
        """Hear nothing more."""
        for ear in self._ears:
            ear.cancel()
        await asyncio.gather(*self._ears, return_exceptions=True)  # what went wrong was told by :meth:`hearing`

    async def hearing(self, work: Coroutine[Any, Any, object]) -> None:
        """Do something for as long as both pages are connected.

        Raises EngineDown when a socket ends meanwhile, and whatever else goes wrong with what is heard.
        """
        working = asyncio.ensure_future(work)
        try:
            done, _ = await asyncio.wait([working, *self._ears], return_when=asyncio.FIRST_COMPLETED)
            for each in done:
                each.result()
            if working not in done:
                raise EngineDown("expected pages that stay connected, got one whose socket was closed")
        except ConnectionClosed as error:
            raise EngineDown("expected pages that stay connected, got one whose socket was lost") from error
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)

    async def talk(self, seconds: float, progress: Callable[[float], None]) -> None:
        """Send chat at a steady rate, and late also press the button; lessons are shifted against one another.

        ``progress`` hears how many seconds have gone by.
        """
        self.counting = True
        began = time.monotonic()
        await asyncio.sleep(CHAT_EVERY * (self._number % 16) / 16)
        turn = 0
        while time.monotonic() - began < seconds:
            await self._chat(f"bench-{self._number:05}-{turn:05}")
            now = time.monotonic()
            if now - began >= CALM_SHARE * seconds and now - self._pressed >= STUCK_EVERY:
                self._pressed = now
                await _say(self._student, m.StuckSend(id=f"stuck-{self._number:05}-{turn:05}"))
            turn += 1
            progress(min(seconds, time.monotonic() - began))
            await asyncio.sleep(max(0.0, began + turn * CHAT_EVERY - time.monotonic()))

    async def _hear_teacher(self) -> None:
        """Read what the teacher's page gets."""
        async for frame in self._teacher:
            match m.parse_to_page(frame):
                case m.ChatMessage(id=name) if name in self._sent:
                    self._waits.chat_relayed.append(time.monotonic() - self._sent[name])
                case m.HintShow() as hint:
                    await self._hint(hint)
                case m.Analysis(mode="M3") as shown:
                    self.agreed.set()
                    if shown.state in {"learning", "watching"}:
                        self.watched.set()

    async def _hear_student(self) -> None:
        """Read what the student's page gets."""
        async for frame in self._student:
            message = m.parse_to_page(frame)
            if isinstance(message, m.ChatAck) and message.id in self._sent:
                self._waits.chat_acknowledged.append(time.monotonic() - self._sent[message.id])

    async def _chat(self, name: str) -> None:
        self._sent[name] = time.monotonic()
        await _say(self._student, m.ChatSend(id=name, text="I think the answer to the third one is forty-two."))

    async def _hint(self, hint: m.HintShow) -> None:
        """Note how long it took, and close the card, so that the next hint may come."""
        if hint.cue == "stuck_button":
            self._waits.button_to_teacher.append(time.monotonic() - self._pressed)
            return
        if self.counting:
            self._waits.hint_to_teacher.append(max(0.0, time.time() - hint.at / 1000))
        await _say(self._teacher, m.HintFeedback(hint=hint.id))


@asynccontextmanager
async def lesson(server: Server, number: int, frames: list[bytes], waits: Waits) -> AsyncIterator[Lesson]:
    """Make a room, let both in, agree to analysis, feed the analyser; everything is closed at the end."""
    room = (await server.post("rooms", {"mode_cap": "M3", "setting": SETTING}))["room"]
    links = [await _member(server, room, role) for role in ("teacher", "student")]
    async with AsyncExitStack() as stack:
        teacher, student = [await stack.enter_async_context(Admission(Link.read(link))) for link in links]
        sockets = [await stack.enter_async_context(_socket(each)) for each in (teacher, student)]
        made = Lesson(number, waits, *sockets)
        stack.push_async_callback(made.close)
        await _say(sockets[1], m.ConsentSend(agreed=True))
        await made.hearing(_within(made.agreed.wait(), "consent that is stored"))
        feed = WhipFeed(student.http)
        stack.push_async_callback(feed.close)
        await feed.open(room, await student.ticket("whip"), ShapedTrack(frames))
        await made.hearing(_within(made.watched.wait(), "an analyser that looks"))
        yield made


async def _within(wait: Coroutine[Any, Any, object], what: str) -> None:
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            await wait
    except TimeoutError:
        raise EngineDown(f"expected {what} within {CONNECT_SECONDS:.0f} s, got none") from None


async def _member(server: Server, room: str, role: str) -> str:
    about = {"role": role, "name": role, "place": PLACE, "age": 30}
    return str((await server.post(f"rooms/{room}/members", about))["link"])


@asynccontextmanager
async def _socket(admission: Admission) -> AsyncIterator[ClientConnection]:
    link = admission.link
    async with connect(
        link.socket, subprotocols=[Subprotocol(m.SUBPROTOCOL)], origin=Origin(link.origin), compression=None
    ) as socket:
        await _say(socket, m.Hello(ticket=await admission.ticket("socket"), page="bench-page"))
        yield socket


async def _say(socket: ClientConnection, message: BaseModel) -> None:
    await socket.send(m.dump(message))
