"""Attacks on a server in a process of its own, while two people have a lesson in it.

Every run says how long their pings took (``pytest -s``); only the long ones hold it to a bound.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import statistics
import sys
import time
import weakref
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import pytest

from lessonroom.app import App
from lessonroom.bench import wire
from lessonroom.bench.crowd import Door
from lessonroom.bench.serving import Server, serving
from lessonroom.messages import Hello, Ping, dump
from lessonroom.server import listen, patience, websockets
from lessonroom.server.patience import Brief
from lessonroom.server.websockets import Impatient
from tests.integration import raw
from tests.integration import serving as here
from tests.integration.attackers import ATTACKS

MOST_GROWTH = 20 * 2**20
"""Bytes, whether one attack goes on or all of them."""
MOST_WAIT = 0.100
PATIENCE = 20.0
"""How long a test waits for what must come, in seconds."""
PACE = 0.04
"""Seconds between two pings of one page: as many as a page may say for ever."""
T = TypeVar("T")


@dataclass
class Lesson:
    """Two pages that ping the server, and how long each answer took."""

    waits: list[float] = field(default_factory=list)
    asked: int = 0
    lost: list[int | None] = field(default_factory=list)

    async def page(self, server: Server, door: Door, link: str, name: str) -> Page:
        who = await door.enter(link)
        page = Page(self)
        page.socket = await wire.connect(who.link.socket, who.link.origin, page.hear, self.lost.append)
        page.socket.say(dump(Hello(ticket=await door.ticket(who), page=name)).encode())
        await asyncio.wait_for(page.welcome.wait(), 30)
        return page


class Page:
    """One of them."""

    socket: wire.Wire

    def __init__(self, lesson: Lesson) -> None:
        self.lesson = lesson
        self.welcome = asyncio.Event()
        self.asked: list[float] = []

    def hear(self, said: bytes) -> None:
        match json.loads(said)["type"]:
            case "welcome":
                self.welcome.set()
            case "pong":
                self.lesson.waits.append(time.perf_counter() - self.asked.pop(0))

    async def ping(self, enough: asyncio.Event) -> None:
        while not enough.is_set():
            self.asked.append(time.perf_counter())
            self.lesson.asked += 1
            self.socket.say(dump(Ping()).encode())
            await asyncio.sleep(PACE)
        while self.asked and not self.lesson.lost:
            await asyncio.sleep(0.01)


@asynccontextmanager
async def lesson_in(folder: Path) -> AsyncIterator[tuple[Server, Lesson, list[Page]]]:
    """A server without models, and a lesson in it."""
    (folder / "none").mkdir()
    async with serving(folder, os.environ, models_dir=folder / "none", log_level="warning") as server:
        door, lesson = Door(server.address), Lesson()
        room = (await server.post("rooms", {"mode_cap": "M0"}))["room"]
        pages = []
        for role in ("teacher", "student"):
            link = (await server.post(f"rooms/{room}/members", {"role": role, "name": role}))["link"]
            pages.append(await lesson.page(server, door, link, f"page-{role}"))
        await door.close()
        yield server, lesson, pages
        for page in pages:
            page.socket.close()


async def attacked(folder: Path, names: list[str], seconds: float) -> tuple[list[float], dict[str, int]]:
    """The lesson's waits in seconds, and what the attackers were told. Asserts that nothing was lost or hoarded."""
    async with lesson_in(folder) as (server, lesson, pages):
        await pinged(pages, asyncio.sleep(1.0))
        quiet, before = lesson.waits, server.usage().memory
        lesson.waits, lesson.asked = [], 0
        port = urlsplit(server.address).port
        most = before

        async def while_it_lasts() -> dict[str, int]:
            nonlocal most
            async with attackers(port, names) as others:
                end = time.perf_counter() + seconds
                while time.perf_counter() < end:
                    most = max(most, server.usage().memory)
                    await asyncio.sleep(0.1)
            return others

        codes = await pinged(pages, while_it_lasts())
        assert lesson.lost == []
        assert len(lesson.waits) == lesson.asked
    log = (folder / "server.log").read_text()
    assert "Traceback" not in log
    print(
        f"\n{' and '.join(names)}, {seconds:.0f} s, load {os.getloadavg()[0]:.1f}: pings {told(lesson.waits)}, "
        f"before {told(quiet)}; memory {(most - before) / 2**20:+.1f} MiB; told {codes}"
    )
    assert most - before <= MOST_GROWTH
    return lesson.waits, codes


@asynccontextmanager
async def attackers(port: int | None, names: list[str]) -> AsyncIterator[dict[str, int]]:
    """Attackers who have begun; at their end, what they were told is in the dictionary. The building up counts, too."""
    pipe = asyncio.subprocess.PIPE
    command = ["-m", "tests.integration.attackers", str(port), *names]
    process = await asyncio.create_subprocess_exec(sys.executable, *command, stdin=pipe, stdout=pipe)
    assert process.stdin
    assert process.stdout
    codes: dict[str, int] = {}
    try:
        assert await process.stdout.readline() == b"ready\n"
        yield codes
        process.stdin.close()
        codes |= json.loads(await process.stdout.readline())
    finally:
        if process.returncode is None:
            process.stdin.close()
        await process.wait()


async def pinged(pages: list[Page], meanwhile: Coroutine[Any, Any, T]) -> T:
    """Let pages ping until this has ended and all their answers are here."""
    enough = asyncio.Event()
    pinging = asyncio.gather(*(page.ping(enough) for page in pages))
    result = await meanwhile
    enough.set()
    await pinging
    return result


def told(waits: list[float]) -> str:
    return f"p50 {1000 * statistics.median(waits):.1f} p99 {1000 * p99(waits):.1f} most {1000 * max(waits):.1f} ms"


def p99(waits: list[float]) -> float:
    return statistics.quantiles(waits, n=100)[98]


async def until_freed(known: weakref.ref[Any]) -> None:
    """Wait for what holds it to let go of it."""
    async with asyncio.timeout(PATIENCE):
        while known() is not None:
            await asyncio.sleep(0.05)


@pytest.fixture
def long_timers(monkeypatch: pytest.MonkeyPatch) -> None:
    """What only a timer lets go of is held for longer than a test waits, however slow the machine is."""
    monkeypatch.setattr(listen, "PING_SECONDS", 2 * PATIENCE)
    monkeypatch.setattr(websockets, "GRACE_SECONDS", 2 * PATIENCE)
    monkeypatch.setattr(patience, "HEAD_SECONDS", 2 * PATIENCE)


@pytest.mark.usefixtures("long_timers")
@pytest.mark.parametrize("said", [b"", raw.frame(raw.TEXT, b"{}"), b"no frame", raw.frame(raw.PING) * 1000])
async def test_a_socket_that_is_gone_leaves_nothing_to_the_collector(tmp_path: Path, said: bytes) -> None:
    """Nor to a timer: at 400 new sockets in a second, seconds are megabytes."""
    async with here.serving(tmp_path, models_dir=tmp_path, hello_seconds=2 * PATIENCE) as app:
        gc.disable()
        try:
            async with raw.upgraded(app.settings.port) as opened:
                [socket] = [known for known in strangers(app) if isinstance(known, Impatient)]
                own = [weakref.ref(known) for known in (socket, socket.conn, socket.transport)]
                del socket
                opened.say(said)
                if said:
                    await opened.closed()
            for known in own:
                await until_freed(known)
        finally:
            gc.enable()


@pytest.mark.usefixtures("long_timers")
async def test_half_a_head_that_is_gone_leaves_nothing_to_the_collector(tmp_path: Path) -> None:
    async with here.serving(tmp_path, models_dir=tmp_path) as app:
        gc.disable()
        try:
            async with raw.connected(app.settings.port) as opened, asyncio.timeout(PATIENCE):
                opened.say(b"GET / HTTP/1.1\r\n")
                while not strangers(app):
                    await asyncio.sleep(0.05)
                own = [weakref.ref(known) for known in (strangers(app)[0], strangers(app)[0].transport)]
            for known in own:
                await until_freed(known)
        finally:
            gc.enable()


async def test_strangers_have_no_more_attributes_than_python_keeps_cheaply(tmp_path: Path) -> None:
    """From thirty on, the dictionary of each object has keys of its own: 1.5 KB for each of a thousand."""
    async with (
        here.serving(tmp_path, models_dir=tmp_path) as app,
        raw.upgraded(app.settings.port),
        raw.connected(app.settings.port) as half,
        asyncio.timeout(PATIENCE),
    ):
        half.say(b"GET / HTTP/1.1\r\n")
        while {Impatient, Brief} - {type(known).__base__ for known in strangers(app)}:
            await asyncio.sleep(0.05)
        assert max(sys.getsizeof(vars(known)) for known in strangers(app)) < 500


def strangers(app: App) -> list[Brief | Impatient]:
    """Connections of this server; those that an earlier test has left to the collector are none of them."""
    found = [known for known in gc.get_objects() if issubclass(type(known), (Brief, Impatient))]
    return [known for known in found if known.server is not None and known.server[1] == app.settings.port]


@pytest.mark.parametrize("names", [*([name] for name in ATTACKS), list(ATTACKS)], ids=" and ".join)
async def test_an_attack_is_ended_by_its_code_costs_no_memory_and_loses_no_answer_of_others(
    tmp_path: Path, names: list[str]
) -> None:
    _, codes = await attacked(tmp_path, names, 3.0)
    assert {str(int(ATTACKS[name][1])) for name in names} <= set(codes)


@pytest.mark.long
@pytest.mark.parametrize("names", [*([name] for name in ATTACKS), list(ATTACKS)], ids=" and ".join)
async def test_others_wait_no_longer_than_a_tenth_of_a_second(tmp_path: Path, names: list[str]) -> None:
    """The row of the promises; asserts on speed, so it is asked for by itself, on a machine that does nothing else."""
    waits, _ = await attacked(tmp_path, names, 20.0)
    assert p99(waits) <= MOST_WAIT
