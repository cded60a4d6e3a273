"""A storm: every socket of a server is lost in one moment, and all pages come back at once, as our page does."""

from __future__ import annotations

import asyncio
import json
import os
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from lessonroom.bench import wire
from lessonroom.bench.crowd import TEXTS, Door, Pass
from lessonroom.bench.serving import Server, serving
from lessonroom.errors import Refused
from lessonroom.messages import ChatSend, Hello, dump

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 15.0
"""Of ``web/js/socket.js``, as :func:`pause_before` is."""
PATIENCE = 120.0
BACK_SECONDS = 10.0
BEFORE, LAST = 2, 1
"""Messages of each student: acknowledged before the storm, and on their way when it comes."""
UNREACHABLE = (OSError, TimeoutError, httpx.HTTPError, Refused)


def pause_before(attempt: int) -> float:
    return min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (attempt - 1)) * random.uniform(0.75, 1.25)


@dataclass
class Page:
    """A page that comes back after each loss, asks for what it has missed and says again what was not answered."""

    name: str
    who: Pass
    door: Door
    told: asyncio.Event
    places: dict[str, int] = field(default_factory=dict)
    """Number of each message that was acknowledged."""
    got: list[tuple[int, str]] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    socket: wire.Wire | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    promised: int | None = None
    attempt: int = 0

    @property
    def numbers(self) -> set[int]:
        return {*self.places.values(), *(seq for seq, _ in self.got)}

    @property
    def seen(self) -> int:
        """The number up to which nothing is missing."""
        numbers = self.numbers
        return next(seq for seq in range(len(numbers) + 1) if seq + 1 not in numbers)

    @property
    def back(self) -> bool:
        """Whether it was welcomed, and has what it was promised."""
        return self.promised is not None and self.seen >= self.promised

    async def come(self) -> None:
        """Connect, as often as it takes."""
        while True:
            self.attempt += 1
            try:
                ticket = await self.door.ticket(self.who)
                link = self.who.link
                self.socket = await wire.connect(link.socket, link.origin, self.hear, self.lost)
            except UNREACHABLE:
                await asyncio.sleep(pause_before(self.attempt))
                continue
            self.socket.say(dump(Hello(ticket=ticket, page=self.name, after=self.seen)).encode())
            for id_ in self.waiting:
                self.say(id_)
            return

    def write(self, count: int) -> None:
        """Say so many new things."""
        for _ in range(count):
            id_ = f"{self.name}-{len(self.places) + len(self.waiting):04}"
            self.waiting.append(id_)
            self.say(id_)

    def say(self, id_: str) -> None:
        assert self.socket is not None
        if self.socket.open:
            self.socket.say(dump(ChatSend(id=id_, text=TEXTS[int(id_[-1]) % len(TEXTS)])).encode())

    def hear(self, frame: bytes) -> None:
        message: dict[str, Any] = json.loads(frame)
        match message["type"]:
            case "welcome":
                self.promised, self.attempt = message["last_seq"], 0
            case "chat.ack":
                self.acknowledged(message["id"], message["seq"], message["state"])
            case "chat.message":
                self.message(message["seq"], message["id"])
            case "chat.refused" | "problem":
                self.wrong.append(f"{message['type']} {message['code']}")
        self.changed.set()
        self.told.set()

    def acknowledged(self, id_: str, seq: int, state: str) -> None:
        if self.places.setdefault(id_, seq) != seq or state != "relayed":
            self.wrong.append(f"acknowledged at {seq}, {state}")
        if id_ in self.waiting:
            self.waiting.remove(id_)

    def message(self, seq: int, id_: str) -> None:
        if self.got and seq <= self.got[-1][0]:
            self.wrong.append(f"{seq} after {self.got[-1][0]}")
        if id_ in {known for _, known in self.got}:
            self.wrong.append(f"{seq} is a message that came before")
        self.got.append((seq, id_))

    def lost(self, code: int | None) -> None:
        self.socket = None
        self.changed.set()


@dataclass
class House:
    """All lessons of the server: the teacher's and the student's page of each."""

    server: Server
    door: Door
    told: asyncio.Event = field(default_factory=asyncio.Event)
    lessons: list[tuple[Page, Page]] = field(default_factory=list)

    @property
    def pages(self) -> list[Page]:
        return [page for lesson in self.lessons for page in lesson]

    async def fill(self, rooms: int) -> None:
        gate = asyncio.Semaphore(16)

        async def page(room: str, number: int, role: str) -> Page:
            made = await self.server.post(f"rooms/{room}/members", {"role": role, "name": role})
            new = Page(f"storm-{role[0]}-{number:04}", await self.door.enter(made["link"]), self.door, self.told)
            await new.come()
            return new

        async def lesson(number: int) -> None:
            async with gate:
                room = (await self.server.post("rooms", {"mode_cap": "M0"}))["room"]
                self.lessons.append((await page(room, number, "teacher"), await page(room, number, "student")))

        await asyncio.gather(*(lesson(number) for number in range(rooms)))
        await self.until(lambda: all(page.back for page in self.pages))

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait for what a page hears to make it true."""
        async with asyncio.timeout(PATIENCE):
            while not true():
                self.told.clear()
                await self.told.wait()

    async def storm(self) -> float:
        """Lose every socket while messages are on their way; seconds until the last page is back."""
        for _, student in self.lessons:
            student.write(LAST)
        began = time.monotonic()
        for page in self.pages:
            assert page.socket is not None
            page.promised = None
            page.socket.abort()
        returning = [asyncio.create_task(self.back(page)) for page in self.pages]
        await asyncio.gather(*returning)
        await self.until(lambda: all(page.back for page in self.pages))
        return time.monotonic() - began

    async def back(self, page: Page) -> None:
        """Come back, and again when the server was too busy to let the page in."""
        async with asyncio.timeout(PATIENCE):
            while not page.back:
                await asyncio.sleep(pause_before(page.attempt + 1))
                await page.come()
                while page.socket is not None and not page.back:
                    page.changed.clear()
                    await page.changed.wait()


@asynccontextmanager
async def house(folder: Path, rooms: int) -> AsyncIterator[House]:
    async with serving(folder, os.environ, log_level="warning", chat_per_minute=1000) as server:
        door = Door(server.address)
        try:
            made = House(server, door)
            await made.fill(rooms)
            yield made
        finally:
            await door.close()


async def check(made: House) -> None:
    """Nothing is missing, nothing came twice, and both pages of each lesson know the same."""
    for _, student in made.lessons:
        student.write(1)
    of_each = BEFORE + LAST + 1
    await made.until(lambda: all(len(teacher.got) >= of_each and not own.waiting for teacher, own in made.lessons))
    for teacher, student in made.lessons:
        assert [*teacher.wrong, *student.wrong] == []
        assert [seq for seq, _ in teacher.got] == list(range(1, of_each + 1))
        assert {id_: seq for seq, id_ in teacher.got} == student.places


@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    ("rooms", "within"), [(100, None), pytest.param(500, BACK_SECONDS, marks=pytest.mark.long)], ids=["200", "1000"]
)
async def test_all_pages_that_are_lost_at_once_come_back_without_a_gap_or_a_double(
    tmp_path: Path, rooms: int, within: float | None
) -> None:
    async with house(tmp_path, rooms) as made:
        for _, student in made.lessons:
            student.write(BEFORE)
        await made.until(lambda: all(len(teacher.got) == BEFORE for teacher, _ in made.lessons))
        took = await made.storm()
        await check(made)
    print(f"{2 * rooms} sockets back in {took:.1f} s")
    assert within is None or took <= within
