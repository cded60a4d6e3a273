"""The target lesson: what two pages may say, through their sockets, the room, the chat filter and a real database.

An input is a few frames; the first letter of each says whose it is, ``S`` or ``T``. ``{ticket}`` becomes a fresh
ticket, ``{teacher}`` and ``{student}`` ids. Each input has a lesson of its own.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from starlette.types import Message, Scope

from lessonroom import messages
from lessonroom.app import App, build
from lessonroom.config import Settings
from lessonroom.messages import SUBPROTOCOL, CloseCode
from lessonroom.policy import Mode
from lessonroom.simulate.facts import ADULT, SETTING
from tests.fuzz.corpus import MESSAGES
from tests.fuzz.mutate import datagrams, packed
from tests.fuzz.runner import Read

MOST_FRAMES = 16
PATIENCE = 20.0
"""Seconds for a lesson's sockets to end once their pages have gone."""
ORIGIN = "http://127.0.0.1:8000"
HELLO = json.dumps({"type": "hello", "ticket": "{ticket}", "page": "page-0001"}).encode()
PING = MESSAGES[-1]
_SAID = tuple(message.replace(b"member-0001", b"{teacher}") for message in MESSAGES[1:])
CONVERSATIONS = (
    packed([b"S" + HELLO, b"T" + HELLO, *(b"S" + each for each in _SAID[:4])]),
    packed([b"S" + HELLO, b"S" + _SAID[4], b"S" + _SAID[5], b"T" + HELLO, b"S" + _SAID[6], b"T" + _SAID[8]]),
    packed([b"T" + HELLO, b"T" + _SAID[0], b"S" + HELLO, b"T" + _SAID[7], b"S" + _SAID[1], b"S" + _SAID[9]]),
)


class _Told(logging.Handler):
    """Keeps what the server tells its operator of defects."""

    def __init__(self, into: list[BaseException]) -> None:
        super().__init__(logging.ERROR)
        self._into = into

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        self._into.append(error or AssertionError(record.getMessage()))


@contextmanager
def rooms() -> Iterator[Read]:
    """A whole server without models; what it logs as an error is a find."""
    loop, raised = asyncio.new_event_loop(), list[BaseException]()
    loop.set_exception_handler(lambda _, what: raised.append(what.get("exception") or AssertionError(what["message"])))
    told, log = _Told(raised), logging.getLogger("lessonroom")
    with TemporaryDirectory() as folder:
        app = loop.run_until_complete(_started(Path(folder)))
        log.addHandler(told)

        def read(data: bytes) -> None:
            raised.clear()
            loop.run_until_complete(_play(app, data))
            if raised:
                raise raised[0]

        try:
            yield read
        finally:
            log.removeHandler(told)
            loop.run_until_complete(app.stop())
            loop.close()


async def _started(folder: Path) -> App:
    limits = {"refusals_per_minute": 10**9, "chat_per_minute": 10_000}
    app = build(Settings(data_dir=folder, models_dir=folder, public_url=ORIGIN, **limits))
    await app.start()
    return app


class _End:
    """One page's socket, as the server sees it."""

    def __init__(self, app: App) -> None:
        self.said: asyncio.Queue[Message] = asyncio.Queue()
        self.heard: list[Message] = []
        self.said.put_nowait({"type": "websocket.connect"})
        self.task = asyncio.create_task(app.asgi(_scope(), self.said.get, self._hear))

    async def _hear(self, message: Message) -> None:
        self.heard.append(message)

    def say(self, frame: bytes) -> None:
        try:
            self.said.put_nowait({"type": "websocket.receive", "text": frame.decode()})
        except UnicodeDecodeError:  # the server's own protocol closes before such a frame comes to us
            self.said.put_nowait({"type": "websocket.receive", "bytes": frame})

    async def answered(self) -> None:
        """Wait until what was said is answered, chat too, unless the socket was closed before."""
        self.say(PING)
        async with asyncio.timeout(PATIENCE):
            while not self.task.done() and not any(b"pong" in word for word in self._words()):
                await asyncio.sleep(0.001)
        await asyncio.sleep(0.01)

    def _words(self) -> list[bytes]:
        return [message["text"].encode()[:20] for message in self.heard if message["type"] == "websocket.send"]

    def judge(self) -> None:
        """Every word of the server is of its protocol, every close has a code that is documented."""
        for message in self.heard:
            if message["type"] == "websocket.send":
                messages.parse_to_page(message["text"])
            elif message["type"] == "websocket.close":
                assert message.get("code", 1000) in {1000, *CloseCode}, "closed with another code"


async def _play(app: App, data: bytes) -> None:
    admission = app.admission
    room = await admission.make_room(Mode.M3, SETTING)
    made = {role: await admission.make_member(room, role, "Sam", role, about=ADULT) for role in ("teacher", "student")}
    people = {role: await app.services.store.member(each.member) for role, each in made.items()}
    ends = {b"S": _End(app), b"T": _End(app)}
    for part in datagrams(data)[:MOST_FRAMES]:
        whose, frame = (part[:1], part[1:]) if part[:1] in ends else (b"S", part)
        who = people["teacher" if whose == b"T" else "student"]
        if b"{ticket}" in frame:
            frame = frame.replace(b"{ticket}", admission.ticket(who, "socket", ORIGIN).ticket.encode())
        for role, person in people.items():
            frame = frame.replace(b"{%s}" % role.encode(), person.id.encode())
        ends[whose].say(frame)
        await asyncio.sleep(0)
    for end in ends.values():
        await end.answered()
        end.said.put_nowait({"type": "websocket.disconnect", "code": 1001})
    done, waiting = await asyncio.wait([end.task for end in ends.values()], timeout=PATIENCE)
    assert not waiting, "a socket that does not end"
    await app.hub.close_room(room)
    for task in done:
        task.result()
    for end in ends.values():
        end.judge()


def _scope() -> Scope:
    known: dict[str, Any] = {
        "type": "websocket", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "scheme": "ws",
        "path": "/ws/room", "raw_path": b"/ws/room", "query_string": b"", "root_path": "", "state": {},
        "headers": [(b"host", b"127.0.0.1:8000"), (b"origin", ORIGIN.encode())], "subprotocols": [SUBPROTOCOL],
        "client": ("127.0.0.1", 40_000), "server": ("127.0.0.1", 8000),
    }  # fmt: skip
    return known
