"""Attacks on a server in a process of its own, while two people have a lesson in it.

Every run says how long their pings took (``pytest -s``); only the long ones hold it to a bound.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import statistics
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from lessonroom.bench import wire
from lessonroom.bench.crowd import Door
from lessonroom.bench.serving import Server, serving
from lessonroom.messages import CloseCode, Hello, Ping, dump
from tests.integration.raw import CLOSE, CONT, PING, TEXT, frame, upgrade

MOST_GROWTH = 20 * 2**20
MOST_WAIT = 0.100
PACE = 0.04
"""Seconds between two pings of one page: as many as a page may say for ever."""
HALF_OPEN = 500


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


class Attacker:
    """Threads with plain sockets; what they were told is counted in ``codes``."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.codes: Counter[int | None] = Counter()
        self.ready = threading.Semaphore(0)
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self, attack: Callable[[Attacker], None]) -> None:
        thread = threading.Thread(target=attack, args=(self,), daemon=True)
        self._threads.append(thread)
        thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    @property
    def going_on(self) -> bool:
        return not self._stop.is_set()

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def upgraded(self) -> socket.socket:
        opened = self.connect()
        opened.sendall(upgrade(self.port))
        told = b""
        while b"\r\n\r\n" not in told and (more := opened.recv(4096)):
            told += more
        return opened

    def flood(self, data: bytes) -> None:
        """Send this over a new socket, and again over another when it was closed."""
        while self.going_on:
            with suppress(OSError), self.upgraded() as opened:
                with suppress(OSError):
                    opened.sendall(data)
                self.codes[_code(opened)] += 1
                self.ready.release()

    def hold(self, make: Callable[[], socket.socket]) -> None:
        """Keep half a thousand of these open; for each that is closed make another."""
        held: list[socket.socket] = []
        while self.going_on:
            held = [one for one in held if _is_open(one)]
            for _ in range(min(50, HALF_OPEN - len(held))):
                with suppress(OSError):
                    held.append(make())
            if len(held) == HALF_OPEN:
                self.codes[HALF_OPEN] += 1
                self.ready.release()
                self._stop.wait(0.5)
        for one in held:
            one.close()

    def half_head(self) -> socket.socket:
        opened = self.connect()
        opened.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
        return opened


def _is_open(one: socket.socket) -> bool:
    one.setblocking(False)
    try:
        return one.recv(4096) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


def _code(opened: socket.socket) -> int | None:
    told = b""
    with suppress(OSError):
        while more := opened.recv(65536):
            told += more
    at = told.rfind(bytes([0x80 | CLOSE]))
    return int.from_bytes(told[at + 2 : at + 4]) if at >= 0 else None


ATTACKS: dict[str, tuple[Callable[[Attacker], None], int]] = {
    "10,000 pings in one write": (lambda a: a.flood(frame(PING) * 10_000), CloseCode.RATE_LIMITED),
    "one-byte fragments": (
        lambda a: a.flood(frame(TEXT, b"x", last=False) + frame(CONT, b"x", last=False) * 90_000),
        CloseCode.BAD_MESSAGE,
    ),
    "empty fragments": (
        lambda a: a.flood(frame(TEXT, last=False) + frame(CONT, last=False) * 500_000), CloseCode.BAD_MESSAGE
    ),
    "500 half heads": (lambda a: a.hold(a.half_head), HALF_OPEN),
    "500 sockets without hello": (lambda a: a.hold(a.upgraded), HALF_OPEN),
}  # fmt: skip


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


async def attacked(folder: Path, names: list[str], seconds: float) -> tuple[list[float], Counter[int | None]]:
    """The lesson's waits in seconds, and what the attackers were told. Asserts that nothing was lost or hoarded."""
    async with lesson_in(folder) as (server, lesson, pages):
        await pinged(pages, asyncio.sleep(1.0))
        quiet, before = lesson.waits, server.usage().memory
        lesson.waits, lesson.asked = [], 0
        port = urlsplit(server.address).port
        assert port is not None
        attacker = Attacker(port)
        for name in names:
            attacker.start(ATTACKS[name][0])
        most = before

        async def while_it_lasts() -> None:
            nonlocal most
            for _ in names:  # the building up counts, too
                await asyncio.to_thread(attacker.ready.acquire)
            end = time.perf_counter() + seconds
            while time.perf_counter() < end:
                most = max(most, server.usage().memory)
                await asyncio.sleep(0.1)

        await pinged(pages, while_it_lasts())
        await asyncio.to_thread(attacker.stop)
        assert lesson.lost == []
        assert len(lesson.waits) == lesson.asked
    log = (folder / "server.log").read_text()
    assert "Traceback" not in log
    print(
        f"\n{' and '.join(names)}, {seconds:.0f} s, load {os.getloadavg()[0]:.1f}: pings {told(lesson.waits)}, "
        f"before {told(quiet)}; memory {(most - before) / 2**20:+.1f} MiB; told {dict(attacker.codes)}"
    )
    assert most - before <= MOST_GROWTH
    return lesson.waits, attacker.codes


async def pinged(pages: list[Page], meanwhile: Coroutine[Any, Any, None]) -> None:
    """Let pages ping until this has ended and all their answers are here."""
    enough = asyncio.Event()
    pinging = asyncio.gather(*(page.ping(enough) for page in pages))
    await meanwhile
    enough.set()
    await pinging


def told(waits: list[float]) -> str:
    return f"p50 {1000 * statistics.median(waits):.1f} p99 {1000 * p99(waits):.1f} most {1000 * max(waits):.1f} ms"


def p99(waits: list[float]) -> float:
    return statistics.quantiles(waits, n=100)[98]


@pytest.mark.parametrize("name", ATTACKS)
async def test_an_attack_is_ended_by_its_code_costs_no_memory_and_loses_no_answer_of_others(
    tmp_path: Path, name: str
) -> None:
    _, codes = await attacked(tmp_path, [name], 3.0)
    assert codes[ATTACKS[name][1]]


@pytest.mark.long
@pytest.mark.parametrize("names", [*([name] for name in ATTACKS), list(ATTACKS)], ids=" and ".join)
async def test_others_wait_no_longer_than_a_tenth_of_a_second(tmp_path: Path, names: list[str]) -> None:
    """The row of the promises; asserts on speed, so it is asked for by itself, on a machine that does nothing else."""
    waits, _ = await attacked(tmp_path, names, 20.0)
    assert p99(waits) <= MOST_WAIT
