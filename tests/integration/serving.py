"""A real server on a port of its own, and real clients of its sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import httpx
from starlette.applications import Starlette
from starlette.routing import Mount
from uvicorn import Server
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from lessonroom import messages as m
from lessonroom.app import DATABASE_FILE, App, build
from lessonroom.config import Settings
from lessonroom.policy import Mode
from lessonroom.server import listen
from lessonroom.simulate.facts import ADULT, PLACE, SETTING
from lessonroom.storage.database import connect as connect_database
from lessonroom.storage.migrate import upgrade

M = TypeVar("M")
PATIENCE = 30.0
"""How long a test waits for something that must come, in seconds, on a machine that does other things too."""


@cache
def new_database() -> bytes:
    """A database as every server makes it at its first start, made once: the steps take longer than many a test."""
    with TemporaryDirectory() as folder:
        path = Path(folder, DATABASE_FILE)
        database = connect_database(f"sqlite:///{path}", deadline=PATIENCE)
        database.prepare()
        with database.writer.engine.begin() as connection:
            upgrade(connection)
        database.writer.engine.dispose()
        return path.read_bytes()


@asynccontextmanager
async def serving(data_dir: Path, *, mount: str = "", **settings: Any) -> AsyncIterator[App]:
    """A server in this event loop, stopped at the end. ``mount``: the path at which a platform's application has it.

    A verdict may take longer than in a real lesson: else the rules would decide, whenever the machine stands still.
    """
    usual: dict[str, Any] = {"provider_place": PLACE, "chat_processes": 0, "chat_deadline": 5.0}
    bound, known = listen.bind(Settings(data_dir=data_dir, port=0, **usual | settings))
    if mount:
        known = known.model_copy(update={"public_url": f"http://127.0.0.1:{known.port}{mount}"})
    if "database_url" not in settings and data_dir.is_dir() and not (data_dir / DATABASE_FILE).exists():
        (data_dir / DATABASE_FILE).touch(0o600)
        (data_dir / DATABASE_FILE).write_bytes(new_database())
    app = build(known)
    server = listen.server(Starlette(routes=[Mount(mount, app.asgi)]) if mount else app.asgi, known)
    over = asyncio.Event()
    server.main_loop = partial(_until, over, server)  # type: ignore[method-assign]
    await app.start()
    task = asyncio.create_task(server.serve(sockets=[bound]))
    try:
        while not server.started:
            await asyncio.sleep(0.01)
        yield app
    finally:
        server.should_exit = True
        over.set()
        await task
        await app.stop()


async def _until(over: asyncio.Event, server: Server) -> None:
    """uvicorn's own loop, which looks ten times a second whether it is over; this one hears of it at once."""
    ticks = 0
    while not await server.on_tick(ticks):
        ticks += 1
        with suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), 0.1)


def origin_of(base: str) -> str:
    """The origin of pages under this address."""
    return "/".join(base.split("/")[:3])


class Visitor:
    """A person with a browser: a link, its cookie, and the tickets that come of it."""

    def __init__(self, base: str, link: str) -> None:
        path, _, self.code = link.partition("#")
        self.member = path.rsplit("/", 1)[-1]
        self.base = base
        # no connection is kept, so that nothing has to be closed at the end of a test
        limits = httpx.Limits(max_keepalive_connections=0)
        # reading the machine's certificates takes longer than most tests
        self.http = httpx.AsyncClient(
            base_url=base, headers={"Origin": origin_of(base)}, timeout=PATIENCE, limits=limits, verify=False
        )

    async def enter(self) -> None:
        answer = await self.http.post(f"/api/members/{self.member}/session", json={"code": self.code})
        answer.raise_for_status()

    async def ticket(self, purpose: str = "socket") -> str:
        answer = await self.http.post(f"/api/members/{self.member}/tickets", json={"purpose": purpose})
        answer.raise_for_status()
        return str(answer.json()["ticket"])

    @asynccontextmanager
    async def page(self, name: str = "page-0001", after: int = 0, **options: Any) -> AsyncIterator[Page]:
        """An open socket that has said hello and got its welcome."""
        async with open_socket(self.base, **options) as socket:
            page = Page(socket)
            await page.say(m.Hello(ticket=await self.ticket(), page=name, after=after))
            page.welcome = await page.get(m.Welcome)
            yield page


@asynccontextmanager
async def open_socket(
    base: str, path: str = "/ws/room", origin: str | None = None, protocol: str = m.SUBPROTOCOL, **options: Any
) -> AsyncIterator[ClientConnection]:
    async with connect(
        base.replace("http", "ws") + path,
        origin=Origin(origin_of(base) if origin is None else origin),
        subprotocols=[Subprotocol(protocol)],
        compression=None,
        **options,
    ) as socket:
        yield socket


class Page:
    """One socket. ``got`` holds everything that came and was not asked for yet."""

    welcome: m.Welcome

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.got: list[m.ToPage] = []

    async def say(self, message: m.FromPage) -> None:
        await self.socket.send(m.dump(message))

    async def chat(self, text: str, id_: str = "message-1") -> m.ChatAck:
        await self.say(m.ChatSend(id=id_, text=text))
        return await self.get(m.ChatAck, lambda ack: ack.id == id_)

    async def get(self, kind: type[M], wanted: Callable[[M], bool] = lambda message: True) -> M:
        """The next message of a kind that is wanted; others are kept for later."""
        async with asyncio.timeout(PATIENCE):
            return await self.later(kind, wanted)

    async def later(self, kind: type[M], wanted: Callable[[M], bool] = lambda message: True) -> M:
        """As :meth:`get`, for what may take long: the caller says how long."""
        for message in self.got:
            if isinstance(message, kind) and wanted(message):
                self.got.remove(message)
                return message
        while True:
            message = m.parse_to_page(await self.socket.recv())
            if isinstance(message, kind) and wanted(message):
                return message
            self.got.append(message)

    async def nothing(self, kind: type[Any]) -> None:
        """Assert that no message of a kind has come; a pong says that everything before it is here."""
        await self.say(m.Ping())
        await self.get(m.Pong)
        assert not [message for message in self.got if isinstance(message, kind)]

    async def closed(self) -> int | None:
        """The code with which the server closes."""
        async with asyncio.timeout(PATIENCE):
            await self.socket.wait_closed()
        return self.socket.close_code


class Lesson:
    """A room with a teacher and a student who have opened their links."""

    room: str
    teacher: Visitor
    student: Visitor

    @classmethod
    async def make(cls, app: App, mode_cap: Mode = Mode.M3) -> Lesson:
        lesson = cls()
        base = app.admission.public_url
        lesson.room = await app.admission.make_room(mode_cap, SETTING)
        teacher = await app.admission.make_member(lesson.room, "teacher", "Tina", "tina", about=ADULT)
        student = await app.admission.make_member(lesson.room, "student", "Sam", "sam", about=ADULT)
        lesson.teacher, lesson.student = Visitor(base, teacher.link), Visitor(base, student.link)
        await asyncio.gather(lesson.teacher.enter(), lesson.student.enter())
        return lesson
