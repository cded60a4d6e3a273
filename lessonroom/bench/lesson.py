"""One lesson of the bench: both members' sockets, a shaped stream to the analyser, and what everybody waits for.

Many of them run in one process beside the server that they measure: one HTTP client, one loop that sends all cameras'
frames, sockets without a task of their own.
"""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from pydantic import BaseModel

from lessonroom import messages as m
from lessonroom.bench import wire
from lessonroom.bench.cameras import Cameras, Standby
from lessonroom.bench.crowd import Door, Pass
from lessonroom.bench.serving import Server
from lessonroom.errors import EngineDown, Refused
from lessonroom.simulate.facts import PLACE, SETTING
from lessonroom.simulate.whip import WhipFeed

CONNECT_SECONDS = 60.0
CHAT_EVERY, STUCK_EVERY = 2.0, 6.0
SHIFTS = 16
"""So many places within the time from message to message, one after the other, at which lessons speak."""
CALM_SHARE = 0.75
"""Share of the time before the button is pressed: after a press the analyser keeps quiet for a minute."""
ROLES = ("teacher", "student")
LOOKING = frozenset({"learning", "watching"})


@dataclass
class Waits:
    """What everybody waited for, in seconds."""

    chat_acknowledged: list[float] = field(default_factory=list)
    chat_relayed: list[float] = field(default_factory=list)
    button_to_teacher: list[float] = field(default_factory=list)
    hint_to_teacher: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class House:
    """What all lessons share; made by :func:`house`."""

    server: Server
    door: Door
    cameras: Cameras
    waits: Waits


@asynccontextmanager
async def house(server: Server, frames: list[bytes]) -> AsyncIterator[House]:
    """A door to let people in by, and cameras that show these frames."""
    door = Door(server.address)
    try:
        async with Cameras(frames) as cameras:
            yield House(server, door, cameras, Waits())
    finally:
        await door.close()


def turns(number: int, seconds: float, every: float = CHAT_EVERY) -> Iterator[float]:
    """When a lesson's student speaks, in seconds from the beginning: ``every`` so many, shifted against other lessons.

    All of them at once would be a crowd every few seconds, which no server ever sees.
    """
    due = every * (number % SHIFTS) / SHIFTS
    while due < seconds:
        yield due
        due += every


class Lesson:
    """One room with both members in it; made by :func:`lesson`."""

    def __init__(self, number: int, waits: Waits) -> None:
        self._number = number
        self._waits = waits
        self._wires: list[wire.Wire] = []
        self._lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sent: dict[str, float] = {}
        self._pressed = -math.inf
        self.agreed = asyncio.Event()
        """Set once the room says that consent is stored: only then is a ticket for media worth anything."""
        self.watched = asyncio.Event()
        """Set while the indicator says that the student is looked at."""
        self.unwatched = asyncio.Event()
        """Set while it says that they are not."""
        self.counting = False

    async def enter(self, door: Door, teacher: Pass, student: Pass) -> None:
        """Open both pages' sockets. Raises Refused, OSError and TimeoutError."""
        for who, hear in ((teacher, self._hear_teacher), (student, self._hear_student)):
            opened = await wire.connect(who.link.socket, who.link.origin, hear, self._drop)
            self._wires.append(opened)
            _say(opened, m.Hello(ticket=await door.ticket(who), page="bench-page"))

    def agree(self) -> None:
        """The student says yes to analysis."""
        _say(self._wires[1], m.ConsentSend(agreed=True))

    def close(self) -> None:
        """Leave; sockets that end from now on were not lost."""
        if not self._lost.cancel() and not self._lost.cancelled():
            self._lost.exception()  # :meth:`hearing` has told it, where anybody listened
        for each in self._wires:
            each.close()

    def lose(self) -> None:
        """The teacher's page loses its network."""
        self._wires[0].abort()

    async def hearing(self, work: Coroutine[Any, Any, object]) -> None:
        """Do something for as long as both pages are connected.

        Raises EngineDown when a socket ends meanwhile, and whatever else goes wrong with what is heard.
        """
        working: asyncio.Future[Any] = asyncio.ensure_future(work)
        try:
            await asyncio.wait({working, self._lost}, return_when=asyncio.FIRST_COMPLETED)
            if self._lost.done():
                self._lost.result()
            working.result()
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)

    async def talk(self, seconds: float, progress: Callable[[float], None], every: float = CHAT_EVERY) -> None:
        """Send chat ``every`` so many seconds, late also press the button; lessons are shifted against one another.

        ``progress`` hears how many seconds have gone by.
        """
        self.counting = True
        began = time.monotonic()
        for turn, due in enumerate(turns(self._number, seconds, every)):
            await asyncio.sleep(max(0.0, began + due - time.monotonic()))
            progress(due)
            self._chat(f"bench-{self._number:05}-{turn:05}")
            now = time.monotonic()
            if now - began >= CALM_SHARE * seconds and now - self._pressed >= STUCK_EVERY:
                self._pressed = now
                _say(self._wires[1], m.StuckSend(id=f"stuck-{self._number:05}-{turn:05}"))
        await asyncio.sleep(max(0.0, began + seconds - time.monotonic()))
        progress(seconds)

    def _hear_teacher(self, frame: bytes) -> None:
        """Read what the teacher's page gets."""
        said: dict[str, Any] = json.loads(frame)
        match said["type"]:
            case "chat.message" if said["id"] in self._sent:
                self._waits.chat_relayed.append(time.monotonic() - self._sent[said["id"]])
            case "hint":
                self._hint(m.HintShow.model_validate(said))
            case "analysis" if said["mode"] == "M3":
                self._indicator(said["state"] in LOOKING)

    def _hear_student(self, frame: bytes) -> None:
        """Read what the student's page gets."""
        said: dict[str, Any] = json.loads(frame)
        if said["type"] == "chat.ack" and said["id"] in self._sent:
            self._waits.chat_acknowledged.append(time.monotonic() - self._sent[said["id"]])

    def _indicator(self, looking: bool) -> None:
        self.agreed.set()
        here, there = (self.watched, self.unwatched) if looking else (self.unwatched, self.watched)
        here.set()
        there.clear()

    def _drop(self, _: int) -> None:
        if not self._lost.done():
            self._lost.set_exception(EngineDown("expected pages that stay connected, got one whose socket was lost"))

    def _chat(self, name: str) -> None:
        self._sent[name] = time.monotonic()
        _say(self._wires[1], m.ChatSend(id=name, text="I think the answer to the third one is forty-two."))

    def _hint(self, hint: m.HintShow) -> None:
        """Note how long it took, and close the card, so that the next hint may come."""
        if hint.cue == "stuck_button":
            self._waits.button_to_teacher.append(time.monotonic() - self._pressed)
            return
        if self.counting:
            self._waits.hint_to_teacher.append(max(0.0, time.time() - hint.at / 1000))
        _say(self._wires[0], m.HintFeedback(hint=hint.id))


@asynccontextmanager
async def lesson(shared: House, number: int) -> AsyncIterator[Lesson]:
    """Make a room, let both in, agree to analysis, feed the analyser; everything is closed at the end.

    Raises EngineDown when one of these does not come about.
    """
    async with agreed(shared, number) as (made, room, student), feeding(shared, made, room, student):
        yield made


@asynccontextmanager
async def agreed(shared: House, number: int) -> AsyncIterator[tuple[Lesson, str, Pass]]:
    """A lesson, its room and its student, who has agreed to analysis; nothing is fed yet."""
    room = (await shared.server.post("rooms", {"mode_cap": "M3", "setting": SETTING}))["room"]
    teacher, student = [await shared.door.enter(await _member(shared.server, room, role)) for role in ROLES]
    made = Lesson(number, shared.waits)
    async with AsyncExitStack() as stack:
        stack.callback(made.close)
        try:
            await made.enter(shared.door, teacher, student)
        except (OSError, TimeoutError, Refused, httpx.HTTPError) as error:
            raise EngineDown(f"expected pages that get into their room, got {type(error).__name__}") from None
        made.agree()
        await made.hearing(within(made.agreed.wait(), "consent that is stored"))
        yield made, room, student


@asynccontextmanager
async def feeding(shared: House, made: Lesson, room: str, student: Pass) -> AsyncIterator[None]:
    """The student's camera feeds the analyser, which looks; it is closed at the end."""
    feed = WhipFeed(shared.door.http)
    try:
        await feed.open(room, await shared.door.ticket(student, "whip"), Standby())
        shared.cameras.start(feed.transceiver)
        await made.hearing(within(made.watched.wait(), "an analyser that looks"))
        yield
    finally:
        await feed.close()


async def within(wait: Coroutine[Any, Any, object], what: str) -> None:
    """Wait for something. Raises EngineDown when it does not come in time."""
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            await wait
    except TimeoutError:
        raise EngineDown(f"expected {what} within {CONNECT_SECONDS:.0f} s, got none") from None


async def _member(server: Server, room: str, role: str) -> str:
    about = {"role": role, "name": role, "place": PLACE, "age": 30}
    return str((await server.post(f"rooms/{room}/members", about))["link"])


def _say(page: wire.Wire, message: BaseModel) -> None:
    if page.open:
        page.say(m.dump(message).encode())
