"""An application that serves WHIP, over a real uvicorn, with a hub that only takes analysers in; and a WHIP client."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from types import SimpleNamespace
from urllib.parse import urljoin

import httpx
import uvicorn
from fastapi import FastAPI

from lessonroom.config import Settings
from lessonroom.errors import LessonroomError
from lessonroom.media.peer import Analyser
from lessonroom.metrics import Metrics
from lessonroom.server import problems, whip
from lessonroom.server.admission import Admission
from lessonroom.server.refusals import Refusals
from lessonroom.storage.store import MemberRecord, RoomRecord
from tests.fakes import FakeStore
from tests.rtc import Sender

ROOM = "room-0001"
STUDENT = "student-1"


class FakeHub:
    """Takes analysers in. ``refusal``: what both questions raise; ``late``: only the second does.

    ``told``: why offers were not answered.
    """

    def __init__(self) -> None:
        self.refusal: LessonroomError | None = None
        self.late: LessonroomError | None = None
        self.analysers: list[Analyser] = []
        self.came = asyncio.Event()
        self.told: list[str] = []

    def may_analyse(self, room: str, member: str) -> None:
        if self.refusal:
            raise self.refusal

    def analyse(self, room: str, member: str, analyser: Analyser) -> None:
        self.may_analyse(room, member)
        self.analysers.append(analyser)
        self.came.set()
        if self.late:
            raise self.late

    def not_analysed(self, room: str, member: str, reason: str) -> None:
        assert (room, member) == (ROOM, STUDENT)
        self.told.append(reason)


class WhipServer:
    """What a test holds of the running server."""

    def __init__(self, settings: Settings) -> None:
        self.store = FakeStore()
        self.hub = FakeHub()
        self.admission = Admission(self.store, settings, secrets.token_bytes(32))
        self.app = FastAPI()
        problems.install(self.app)
        self.app.include_router(whip.router)
        metrics = Metrics()
        self.app.state.services = SimpleNamespace(
            settings=settings,
            store=self.store,
            hub=self.hub,
            admission=self.admission,
            metrics=metrics,
            accept=partial(Analyser.accept, meter=metrics),
            refusals=Refusals(self.store, metrics, settings.refusals_per_minute),
        )
        self.url = ""

    async def ticket(self, *, room: str = ROOM, origin: str = "", role: str = "student") -> str:
        member = MemberRecord(STUDENT, room, role, "S", "s", 0.0, "", 0.0)
        return self.admission.ticket(member, "whip", origin).ticket

    @property
    def endpoint(self) -> str:
        return f"{self.url}/whip/{ROOM}"

    @property
    def sessions(self) -> int:
        return len(self.app.state.whip_sessions.open)


@asynccontextmanager
async def whip_server(**settings: object) -> AsyncIterator[WhipServer]:
    """A server on a free port of 127.0.0.1; everything is closed at the end."""
    server = WhipServer(Settings.model_validate({"ice_loopback": True, **settings}))
    await server.store.open()
    await server.store.add_room(RoomRecord(ROOM, "M3", time.time()))
    running = uvicorn.Server(uvicorn.Config(server.app, port=0, log_level="warning", lifespan="off", ws="none"))
    task = asyncio.create_task(running.serve())
    while not running.started:
        await asyncio.sleep(0.01)
    server.url = f"http://127.0.0.1:{running.servers[0].sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        await asyncio.gather(*(analyser.close() for analyser in server.hub.analysers))
        running.should_exit = True
        await task


class WhipClient:
    """A WHIP client as RFC 9725 describes it: any endpoint, a bearer, an aiortc sender."""

    def __init__(self, endpoint: str, bearer: str, sender: Sender | None = None) -> None:
        self.endpoint = endpoint
        self.bearer = bearer
        self.sender = sender or Sender()
        self.location = ""
        self.http = httpx.AsyncClient(trust_env=False, timeout=60)

    async def send(
        self, method: str, url: str, body: str | bytes = "", type_: str = "", **headers: str
    ) -> httpx.Response:
        given = {"Authorization": f"Bearer {self.bearer}"} if self.bearer else {}
        if type_:
            given["Content-Type"] = type_
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.request(method, url, content=body, headers=given)

    async def post(self, sdp: str | bytes, type_: str = "application/sdp", **headers: str) -> httpx.Response:
        response = await self.send("POST", self.endpoint, sdp, type_, **headers)
        if response.status_code == httpx.codes.CREATED:
            self.location = urljoin(str(response.url), response.headers["location"])
        return response

    async def publish(self) -> httpx.Response:
        """Offer, answer, and the media flow."""
        response = await self.post(await self.sender.offer())
        if response.status_code == httpx.codes.CREATED:
            await self.sender.answered(response.text)
        return response

    async def trickle(self, fragment: str, **headers: str) -> httpx.Response:
        return await self.send("PATCH", self.location, fragment, "application/trickle-ice-sdpfrag", **headers)

    async def delete(self) -> httpx.Response:
        return await self.send("DELETE", self.location)

    async def close(self) -> None:
        await self.sender.close()
        await self.http.aclose()
