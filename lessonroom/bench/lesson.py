"""One lesson of the bench: both members' sockets, a shaped stream to the analyser, and what everybody waits for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from pydantic import BaseModel
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from lessonroom import messages as m
from lessonroom.bench.serving import Server
from lessonroom.simulate.admission import Admission, Link
from lessonroom.simulate.shaped import ShapedTrack
from lessonroom.simulate.whip import WhipFeed

CONNECT_SECONDS = 60.0
CHAT_EVERY, STUCK_EVERY = 2.0, 15.0


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
        self._pressed = 0.0
        self.watched = asyncio.Event()
        """Set once the indicator says that the student is looked at."""
        self.counting = False

    async def talk(self, seconds: float) -> None:
        """Send chat and press the button at a steady rate, lessons shifted against one another."""
        self.counting = True
        began = time.monotonic()
        await asyncio.sleep(CHAT_EVERY * (self._number % 16) / 16)
        turn = 0
        while time.monotonic() - began < seconds:
            await self._chat(f"bench-{self._number:05}-{turn:05}")
            if turn % int(STUCK_EVERY / CHAT_EVERY) == 1:
                self._pressed = time.monotonic()
                await _say(self._student, m.StuckSend(id=f"stuck-{self._number:05}-{turn:05}"))
            turn += 1
            await asyncio.sleep(max(0.0, began + turn * CHAT_EVERY - time.monotonic()))

    async def hear_teacher(self) -> None:
        """Read what the teacher's page gets."""
        async for frame in self._teacher:
            match m.parse_to_page(frame):
                case m.ChatMessage(id=name) if name in self._sent:
                    self._waits.chat_relayed.append(time.monotonic() - self._sent[name])
                case m.HintShow() as hint if self.counting:
                    self._hint(hint)
                case m.Analysis(state="learning" | "watching"):
                    self.watched.set()

    async def hear_student(self) -> None:
        """Read what the student's page gets."""
        async for frame in self._student:
            message = m.parse_to_page(frame)
            if isinstance(message, m.ChatAck) and message.id in self._sent:
                self._waits.chat_acknowledged.append(time.monotonic() - self._sent[message.id])

    async def _chat(self, name: str) -> None:
        self._sent[name] = time.monotonic()
        await _say(self._student, m.ChatSend(id=name, text="I think the answer to the third one is forty-two."))

    def _hint(self, hint: m.HintShow) -> None:
        if hint.cue == "stuck_button":
            self._waits.button_to_teacher.append(time.monotonic() - self._pressed)
        else:
            self._waits.hint_to_teacher.append(max(0.0, time.time() - hint.at / 1000))


@asynccontextmanager
async def lesson(server: Server, number: int, frames: list[bytes], waits: Waits) -> AsyncIterator[Lesson]:
    """Make a room, let both in, agree to analysis, feed the analyser; everything is closed at the end."""
    room = (await server.post("rooms", {"mode_cap": "M3"}))["room"]
    links = [await _member(server, room, role) for role in ("teacher", "student")]
    async with AsyncExitStack() as stack:
        teacher, student = [await stack.enter_async_context(Admission(Link.read(link))) for link in links]
        sockets = [await stack.enter_async_context(_socket(each)) for each in (teacher, student)]
        made = Lesson(number, waits, *sockets)
        for hear in (made.hear_teacher, made.hear_student):
            task = asyncio.create_task(hear())
            stack.callback(task.cancel)
        await _say(sockets[1], m.ConsentSend(agreed=True))
        feed = WhipFeed(student.http)
        stack.push_async_callback(feed.close)
        await asyncio.sleep(0.05)  # consent is stored before a ticket for media is worth anything
        await feed.open(room, await student.ticket("whip"), ShapedTrack(frames))
        async with asyncio.timeout(CONNECT_SECONDS):
            await made.watched.wait()
        yield made


async def _member(server: Server, room: str, role: str) -> str:
    return str((await server.post(f"rooms/{room}/members", {"role": role, "name": role}))["link"])


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
