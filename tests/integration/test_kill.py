"""A server that is killed under load, again and again, on one database: what it acknowledged stays, once."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import random
import signal
import sys
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import WebSocketException

from lessonroom import messages as m
from tests.integration.serving import PATIENCE, Visitor
from tests.ports import free_port

KILLS, LONG_KILLS = 10, 100
ROOMS, LONG_ROOMS = 2, 8
KEY = "a-key-for-this-test"
AT_ONCE = 16
"""Messages that wait for their acknowledgement."""
SERVE = """
import asyncio, sys
from lessonroom import app, config
from lessonroom.server import listen
listener, settings = listen.bind(config.load({}, data_dir=sys.argv[1], port=int(sys.argv[2]), admin_keys=sys.argv[3],
                                             models_dir=sys.argv[1], chat_per_minute=100000))
asyncio.run(listen.serve(app.build(settings), listener, settings))
"""
"""Like ``lessonroom serve``, but without loading models: the test starts it often."""
TEXTS = (
    "Good morning, I did the exercise about the past tense.",
    "Could you explain that once more, please?",
    "Yes, I see. So the verb comes last?",
    "Thank you, that was clear.",
    "I think the answer is the second one.",
)


def text_of(id_: str) -> str:
    """What the message of this id says; digits would make the filter think of a telephone number."""
    return TEXTS[int(id_.removeprefix("message-")) % len(TEXTS)]


class Server:
    """A server in a process of its own, on the same port and folder each time."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        key = hashlib.sha256(KEY.encode()).hexdigest()
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", SERVE, str(self.data_dir), str(self.port), key, stderr=asyncio.subprocess.DEVNULL
        )
        async with asyncio.timeout(60), httpx.AsyncClient(verify=False) as client:
            while True:
                with contextlib.suppress(httpx.TransportError):
                    if (await client.get(f"{self.base}/readyz")).is_success:
                        return
                await asyncio.sleep(0.02)

    async def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        await self.process.wait()

    async def make_lesson(self) -> tuple[Visitor, Visitor]:
        headers = {"Authorization": f"Bearer {KEY}"}
        async with httpx.AsyncClient(base_url=self.base, headers=headers, verify=False) as admin:
            room = (await admin.post("/api/admin/rooms", json={})).json()["room"]
            visitors = []
            for role in ("teacher", "student"):
                path = f"/api/admin/rooms/{room}/members"
                made = (await admin.post(path, json={"role": role, "name": role})).json()
                visitors.append(Visitor(self.base, made["link"]))
                await visitors[-1].enter()
        return visitors[0], visitors[1]


class Writer:
    """A student's page that sends without end and, after each reconnect, sends again what was not acknowledged."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor
        self.sent = 0
        self.waiting: list[str] = []
        self.acknowledged: dict[str, int] = {}

    async def write(self) -> None:
        with contextlib.suppress(WebSocketException, OSError, httpx.HTTPError):
            async with self.visitor.page("page-s001") as page:
                for id_ in self.waiting:
                    await page.say(m.ChatSend(id=id_, text=text_of(id_)))
                while True:
                    while len(self.waiting) < AT_ONCE:
                        self.sent += 1
                        self.waiting.append(f"message-{self.sent:06}")
                        await page.say(m.ChatSend(id=self.waiting[-1], text=text_of(self.waiting[-1])))
                    self.acknowledge(await page.get(m.ChatAck))

    def acknowledge(self, ack: m.ChatAck) -> None:
        assert ack.state == "relayed"
        assert self.acknowledged.setdefault(ack.id, ack.seq) == ack.seq, "one message, two places"
        if ack.id in self.waiting:
            self.waiting.remove(ack.id)


class Reader:
    """The teacher's page: what came, by number, asked for from the last number on."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor
        self.came: list[m.ChatMessage] = []

    async def read(self) -> None:
        with contextlib.suppress(WebSocketException, OSError, httpx.HTTPError):
            async with self.visitor.page("page-t001", after=len(self.came)) as page:
                while True:
                    self.came.append(await page.get(m.ChatMessage))


async def everything(visitor: Visitor) -> list[m.ChatMessage]:
    async with visitor.page("page-last") as page:
        return [await page.get(m.ChatMessage) for _ in range(page.welcome.last_seq)]


async def stop(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    async with asyncio.timeout(PATIENCE):
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError, TimeoutError):
                await task


async def under_load(server: Server, pairs: list[tuple[Writer, Reader]], enough: int) -> None:
    """Write and read in all rooms until each writer has so many acknowledgements more; then the server is killed."""
    before = [len(writer.acknowledged) for writer, _ in pairs]
    tasks = [asyncio.create_task(work) for writer, reader in pairs for work in (writer.write(), reader.read())]
    async with asyncio.timeout(PATIENCE * len(pairs)):
        while any(len(writer.acknowledged) < had + enough for (writer, _), had in zip(pairs, before, strict=True)):
            await asyncio.sleep(0.005)
    await asyncio.sleep(random.uniform(0, 0.1))
    await server.kill()
    await stop(*tasks)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("kills", "rooms"), [(KILLS, ROOMS), pytest.param(LONG_KILLS, LONG_ROOMS, marks=pytest.mark.long)]
)
async def test_a_killed_server_loses_and_doubles_no_acknowledged_message(
    tmp_path: Path, kills: int, rooms: int
) -> None:
    server = Server(tmp_path)
    await server.start()
    visitors = [await server.make_lesson() for _ in range(rooms)]
    pairs = [(Writer(student), Reader(teacher)) for teacher, student in visitors]
    for _ in range(kills):
        await under_load(server, pairs, 20)
        await server.start()
    stored = [await everything(student) for _, student in visitors]
    await server.kill()
    for (writer, reader), messages in zip(pairs, stored, strict=True):
        check(writer, reader, messages)
        assert len(writer.acknowledged) >= 20 * kills
    print(f"{kills} kills, {sum(len(writer.acknowledged) for writer, _ in pairs)} acknowledged, 0 lost, 0 doubled")


def check(writer: Writer, reader: Reader, stored: list[m.ChatMessage]) -> None:
    assert [message.seq for message in stored] == list(range(1, len(stored) + 1))
    ids = [message.id for message in stored]
    assert len(set(ids)) == len(ids), "a message was stored twice"
    places = {message.id: message.seq for message in stored}
    assert {id_: places.get(id_) for id_ in writer.acknowledged} == writer.acknowledged
    assert all(message.text == text_of(message.id) for message in stored)
    assert [message.seq for message in reader.came] == list(range(1, len(reader.came) + 1))
