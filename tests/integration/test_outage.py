"""A database that fails under a running server, in the ways in which they do: locked, full, read-only, failing, gone.

Nothing is acknowledged that is not stored, the student's camera is looked at all the while, and when the fault is over
the same process goes on. The server is a process of its own, and the fault is made from outside.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from lessonroom.auth import hash_secret
from lessonroom.bench import wire
from lessonroom.bench.crowd import TEXTS, Door
from lessonroom.bench.lesson import house, lesson
from lessonroom.bench.serving import Server
from lessonroom.messages import ChatSend, Hello, dump
from lessonroom.simulate import shaped
from tests.media.videos import video
from tests.ports import free_port

KEY = "a-key-for-this-test"
DATABASE = "lessonroom.sqlite3"
DEADLINE = 1.0
"""Of one record, in seconds; the setting's own is 5."""
PATIENCE = 30.0
SHORT, LONG = 5.0, 60.0
DISK = 8 * 2**20
SAMPLES = "lessonroom_samples_total"
SERVE = """
import asyncio, os, sys
import alembic.command, alembic.config  # after this, the mortal may not be allowed to read where packages lie
from lessonroom import app, config
from lessonroom.server import listen
listener, settings = listen.bind(config.load(os.environ))
built = app.build(settings)
if os.geteuid() == 0 and sys.argv[1:] == ["mortal"]:  # no file mode stops root
    for name in [".", *os.listdir(settings.data_dir)]:
        os.chown(settings.data_dir / name, 65534, 65534)
    os.setresgid(65534, 65534, 65534)
    os.setresuid(65534, 65534, 65534)
asyncio.run(listen.serve(built, listener, settings))
"""
"""Like ``lessonroom serve``; ``mortal``: by a user whom file modes stop."""


# --- the ways to fail ------------------------------------------------------------------------------------------------


@contextmanager
def locked(folder: Path, server: psutil.Process) -> Iterator[None]:
    """Another process writes, and does not come to an end."""
    hold = "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); db.execute('BEGIN IMMEDIATE'); print(); input()"
    command = [sys.executable, "-c", hold, str(folder / DATABASE)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL) as other:
        assert other.stdout is not None
        other.stdout.readline()
        yield


@contextmanager
def full(folder: Path, server: psutil.Process) -> Iterator[None]:
    """The disk has no block left."""
    rest = folder / "somebody-elses"
    with rest.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    yield
    rest.unlink()


@contextmanager
def failing(folder: Path, server: psutil.Process) -> Iterator[None]:
    """The system refuses what would make a file longer."""
    before = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (1, before[1]))
    yield
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, before)


@contextmanager
def gone(folder: Path, server: psutil.Process) -> Iterator[None]:
    """The file was moved away."""
    away = folder / "moved"
    (folder / DATABASE).rename(away)
    yield
    away.rename(folder / DATABASE)


@contextmanager
def read_only(folder: Path, server: psutil.Process) -> Iterator[None]:
    """The file went, and came back as one that may only be read.

    Who has a file open for writing may go on writing: SQLite keeps it open until its last connection has noticed.
    """
    with gone(folder, server):
        moved = folder / "moved"
        while any(Path(file.path) == moved for file in server.open_files()):
            time.sleep(0.05)
        moved.chmod(0o444)
    yield
    (folder / DATABASE).chmod(0o600)


Fault = Callable[[Path, psutil.Process], Any]


@asynccontextmanager
async def made(fault: Fault, folder: Path, server: Server) -> AsyncIterator[None]:
    """The fault, made and ended beside the event loop: a camera and a writer live on it."""
    context = fault(folder, server.process)
    await asyncio.to_thread(context.__enter__)
    try:
        yield
    finally:
        await asyncio.to_thread(context.__exit__, None, None, None)


# --- a server, its lesson and its writer -----------------------------------------------------------------------------


@contextmanager
def small_disk() -> Iterator[Path]:
    """A file system of its own, which only root can make."""
    folder = Path(tempfile.mkdtemp(prefix="lessonroom-disk-"))
    try:
        mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=777", "tmpfs", str(folder)]
        if os.geteuid() or subprocess.run(mount, check=False, capture_output=True).returncode:
            pytest.skip("needs the right to mount a small disk")
        try:
            yield folder
        finally:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def folder_for(fault: Fault) -> Iterator[Path]:
    with ExitStack() as stack:
        if fault is full:
            yield stack.enter_context(small_disk())
        else:
            # not pytest's own: nobody but its owner may enter that one
            yield Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lessonroom-outage-")))


@asynccontextmanager
async def serving(folder: Path, *how: str) -> AsyncIterator[Server]:
    folder.chmod(0o777)
    port = free_port()
    settings = {
        "DATA_DIR": folder, "PORT": port, "ADMIN_KEYS": hash_secret(KEY), "DATABASE_DEADLINE": DEADLINE,
        "ICE_LOOPBACK": True, "LOG_LEVEL": "warning", "CHAT_PER_MINUTE": 10_000, "SAMPLE_RATE": 5,
        "PROVIDER_PLACE": "US-CA",
    }  # fmt: skip
    own = os.environ | {f"LESSONROOM_{name}": str(value) for name, value in settings.items()}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SERVE, *how, env=own, stderr=asyncio.subprocess.DEVNULL
    )
    headers = {"Authorization": f"Bearer {KEY}"}
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=PATIENCE) as http:
            server = Server(psutil.Process(process.pid), http)
            await until(lambda: ready(server) if process.returncode is None else pytest.fail("the server ended"), 60)
            yield server
            assert process.returncode is None, "the server did not go on"
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def ready(server: Server) -> bool:
    with suppress(httpx.TransportError):
        return (await server.http.get("/readyz")).is_success
    return False


async def down(server: Server) -> bool:
    return not await ready(server)


async def samples(server: Server) -> float:
    return (await server.read()).series[SAMPLES]


async def until(true: Callable[[], Any], patience: float = PATIENCE) -> None:
    async with asyncio.timeout(patience):
        while True:
            answer = true()
            if await answer if asyncio.iscoroutine(answer) else answer:
                return
            await asyncio.sleep(0.05)


class Writer:
    """A student's page on which somebody writes all the time, and presses again what was not sent."""

    def __init__(self) -> None:
        self.socket: wire.Wire | None = None
        self.said = 0
        self.places: dict[str, int] = {}
        self.refused: list[str] = []
        self.codes: set[str] = set()
        self.lost: list[int | None] = []

    async def come(self, server: Server) -> None:
        room = (await server.post("rooms", {"mode_cap": "M0"}))["room"]
        made = await server.post(f"rooms/{room}/members", {"role": "student", "name": "Sam"})
        door = Door(server.address)
        who = await door.enter(made["link"])
        ticket = await door.ticket(who)
        await door.close()
        self.socket = await wire.connect(who.link.socket, who.link.origin, self.hear, self.lost.append)
        self.socket.say(dump(Hello(ticket=ticket, page="outage-page")).encode())

    async def write(self) -> None:
        while True:
            await asyncio.sleep(0.1)
            if self.refused:
                self.say(self.refused.pop(0))
            else:
                self.said += 1
                self.say(f"outage-{self.said:06}")

    def say(self, id_: str) -> None:
        assert self.socket is not None
        self.socket.say(dump(ChatSend(id=id_, text=TEXTS[int(id_[-1]) % len(TEXTS)])).encode())

    def hear(self, frame: bytes) -> None:
        message = json.loads(frame)
        if message["type"] == "chat.ack":
            assert self.places.setdefault(message["id"], message["seq"]) == message["seq"]
        elif message["type"] == "chat.refused":
            self.codes.add(message["code"])
            self.refused.append(message["id"])


def stored(folder: Path) -> dict[str, int]:
    with closing(sqlite3.connect(folder / DATABASE)) as db:
        rows = db.execute("SELECT id, seq FROM messages WHERE id LIKE 'outage-%'").fetchall()
    assert len({id_ for id_, _ in rows}) == len(rows), "a message was stored twice"
    return dict(rows)


@pytest.mark.parametrize("seconds", [SHORT, pytest.param(LONG, marks=pytest.mark.long)])
@pytest.mark.parametrize("fault", [locked, full, failing, gone, read_only])
@pytest.mark.timeout(300)
async def test_while_the_database_fails_nothing_is_acknowledged_and_everything_else_goes_on(
    tmp_path: Path, fault: Fault, seconds: float
) -> None:
    frames = shaped.encode(video(tmp_path / "clip.webm", seconds=3, size=(320, 240)))
    writer = Writer()
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(folder_for(fault))
        how = ["mortal"] if fault is read_only else []
        server = await stack.enter_async_context(serving(folder, *how))
        camera = await stack.enter_async_context(lesson(await stack.enter_async_context(house(server, frames)), 0))
        await writer.come(server)
        writing = asyncio.create_task(writer.write())
        stack.callback(writing.cancel)
        await until(lambda: len(writer.places) > 5)

        async with made(fault, folder, server):
            await until(lambda: writer.refused)
            await until(lambda: down(server))
            before, acknowledged = await samples(server), len(writer.places)
            await camera.hearing(asyncio.sleep(seconds))
            assert await samples(server) >= before + seconds / 4, "the student's camera was not looked at"
            assert len(writer.places) == acknowledged, "acknowledged with a database that cannot store"
            assert not await ready(server)

        await until(lambda: len(writer.places) > acknowledged + 5)
        await until(lambda: ready(server))
        writing.cancel()
        await until(lambda: len(writer.places) + len(writer.refused) == writer.said)
        # while each record waits for its deadline, what is written meanwhile finds the room's queue full
        assert {"store_down"} <= writer.codes <= {"store_down", "busy", "rate_limited"}
        assert writer.lost == []
        kept = stored(folder)
    assert {id_: kept.get(id_) for id_ in writer.places} == writer.places
    assert sorted(kept.values()) == list(range(1, len(kept) + 1))
