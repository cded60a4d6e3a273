"""A small server that speaks the room's protocol to real pages, so that every state of a page can be brought about.

It keeps one lesson in memory and does what it is told under ``/dev``: push a message to a page, drop the sockets,
refuse new ones. The pages, the signalling and the calls between them are real. The product's own server is tested
elsewhere; this one is for looking at the pages.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from tests.browser import devreview

WEB = Path(__file__).parents[2] / "web"
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; media-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
PHONE = re.compile(r"\+?\d[\d ()-]{6,}\d")


@dataclass
class Person:
    id: str
    role: str
    name: str
    socket: WebSocket | None = None
    page: str | None = None

    def row(self) -> dict[str, Any]:
        row = {"id": self.id, "name": self.name, "role": self.role, "present": self.socket is not None}
        return {**row, "page": self.page} if self.page else row


@dataclass
class Lesson:
    people: dict[str, Person] = field(default_factory=dict)
    log: list[dict[str, Any]] = field(default_factory=list)
    analysis: dict[str, Any] = field(default_factory=dict)
    consent: bool | None = None
    hints_on: bool = True
    hints: list[dict[str, Any]] = field(default_factory=list)
    analyser: bool = False
    down: bool = False
    chat: str = "screen"

    def members(self) -> list[dict[str, Any]]:
        rows = [person.row() for person in self.people.values()]
        if self.analyser:
            rows.append({"id": "analyser", "name": "", "role": "analyser", "present": True})
        return rows

    async def tell(self, person: Person | None, message: dict[str, Any]) -> None:
        if person and person.socket:
            with contextlib.suppress(RuntimeError, WebSocketDisconnect):
                await person.socket.send_text(json.dumps(message))

    async def tell_all(self, message: dict[str, Any]) -> None:
        for person in self.people.values():
            await self.tell(person, message)

    async def tell_members(self) -> None:
        await self.tell_all({"type": "members", "members": self.members()})


lesson = Lesson()


def fresh(mode: str = "M3") -> None:
    reason = "not_agreed" if mode == "M3" else "not_allowed"
    lesson.__dict__.update(
        Lesson(
            people={
                "teacher-1": Person("teacher-1", "teacher", "Maria Petrova"),
                "student-1": Person("student-1", "student", "Anna"),
            },
            analysis={"type": "analysis", "mode": "M0", "state": "off", "reason": reason},
        ).__dict__
    )


fresh()


def milliseconds() -> int:
    return int(time.time() * 1000)


async def room_socket(socket: WebSocket) -> None:
    await socket.accept(subprotocol="lessonroom.v1")
    if lesson.down:
        await socket.close(1013)
        return
    hello = json.loads(await socket.receive_text())
    person = lesson.people[hello["ticket"].split(":")[0]]
    if person.socket:
        await person.socket.close(4002)
    person.socket, person.page = socket, hello["page"]
    await lesson.tell(person, welcome(person))
    for entry in lesson.log:
        if entry["seq"] > hello["after"] and (entry["state"] == "relayed" or entry["sender"] == person.id):
            await lesson.tell(person, entry)
    await lesson.tell_members()
    try:
        while True:
            await said(person, json.loads(await socket.receive_text()))
    except (WebSocketDisconnect, RuntimeError):
        if person.socket is socket:
            person.socket = person.page = None
            await lesson.tell_members()


def welcome(person: Person) -> dict[str, Any]:
    return {
        "type": "welcome",
        "room": "room-1234",
        "me": person.id,
        "role": person.role,
        "members": lesson.members(),
        "last_seq": len(lesson.log),
        "analysis": lesson.analysis,
        **({"consent": lesson.consent} if lesson.consent is not None else {}),
        "hints_on": lesson.hints_on,
        "hints": lesson.hints if person.role == "teacher" else [],
        "ice_servers": [],
        "ice_relay_only": False,
        "chat_length": 400,
        "now": milliseconds(),
    }


async def said(person: Person, message: dict[str, Any]) -> None:
    kind = message["type"]
    if kind == "signal":
        target = lesson.people.get(message["to"])
        if target and target.page == message["page"]:
            await lesson.tell(target, {**message, "sender": person.id, "page": person.page})
    elif kind == "ping":
        await lesson.tell(person, {"type": "pong"})
    elif kind == "chat.send":
        await chat(person, message)
    elif kind == "chat.appeal":
        entry = next(entry for entry in lesson.log if entry["id"] == message["id"])
        entry["state"] = "appealed"
        await lesson.tell(person, ack(entry))
    elif kind == "consent":
        lesson.consent = message["agreed"]
        reason = {"reason": "connecting"} if message["agreed"] else {"reason": "not_agreed"}
        lesson.analysis = {"type": "analysis", "mode": "M3" if lesson.consent else "M0", "state": "off", **reason}
        await lesson.tell_all(lesson.analysis)
    elif kind == "stuck":
        teacher = lesson.people["teacher-1"]
        hint = {"cue": "stuck_button", "advice": "ask_where", "at": milliseconds(), "id": secrets.token_hex(8)}
        lesson.hints.append(hint)
        await lesson.tell(teacher, {"type": "hint", **hint})
        await lesson.tell(person, {"type": "stuck.ack", "id": message["id"], "delivered": teacher.socket is not None})
    elif kind == "hints":
        lesson.hints_on = message["on"]
        await lesson.tell_all({"type": "hints", "on": message["on"]})


async def chat(person: Person, message: dict[str, Any]) -> None:
    if lesson.chat == "silent":
        return
    if lesson.chat.startswith("refuse:"):
        await lesson.tell(person, {"type": "chat.refused", "id": message["id"], "code": lesson.chat[7:]})
        return
    old = next((entry for entry in lesson.log if entry["id"] == message["id"]), None)
    if old:
        await lesson.tell(person, ack(old))
        return
    found = [
        {"kind": "phone", "start": utf16(message["text"], hit.start()), "end": utf16(message["text"], hit.end())}
        for hit in PHONE.finditer(message["text"])
    ]
    state = "blocked" if found else "held" if "held" in message["text"] else "relayed"
    entry = {
        "type": "chat.message", "seq": len(lesson.log) + 1, "id": message["id"], "sender": person.id,
        "text": message["text"], "at": milliseconds(), "state": state, "findings": found,
    }  # fmt: skip
    lesson.log.append(entry)
    await lesson.tell(person, ack(entry))
    if state == "relayed":
        for other in lesson.people.values():
            if other is not person:
                await lesson.tell(other, entry)


def utf16(text: str, index: int) -> int:
    return len(text[:index].encode("utf-16-le")) // 2


def ack(entry: dict[str, Any]) -> dict[str, Any]:
    return {"type": "chat.ack", **{key: entry[key] for key in ("id", "seq", "at", "state", "findings")}}


async def operations_socket(socket: WebSocket) -> None:
    await socket.accept(subprotocol="lessonroom.v1")
    await socket.receive_text()
    person = lesson.people.setdefault("operator", Person("operator", "observer", "Operator"))
    person.socket = socket
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        while True:
            await socket.receive_text()


async def session(request: Request) -> Response:
    member = request.path_params["member"]
    if member == "used":
        return JSONResponse({"code": "ticket_refused"}, 401)
    if member == "operator":
        return JSONResponse({"member": member, "room": "", "role": "observer", "name": "Operator"})
    person = lesson.people.get(member)
    if not person:
        return JSONResponse({"code": "not_found"}, 404)
    return JSONResponse({"member": person.id, "room": "room-1234", "role": person.role, "name": person.name})


async def ticket(request: Request) -> Response:
    if lesson.down:
        return JSONResponse({"code": "store_down"}, 503)
    return JSONResponse({"ticket": f"{request.path_params['member']}:{secrets.token_hex(8)}", "expires_in": 30})


async def whip(request: Request) -> Response:
    if request.method == "DELETE":
        return Response(status_code=200)
    return JSONResponse({"code": "busy"}, 503)


async def dev(request: Request) -> Response:
    order = await request.json()
    for key in ("down", "chat", "analyser", "consent", "hints_on", "hints", "log"):
        if key in order:
            setattr(lesson, key, order[key])
    if "fresh" in order:
        fresh(order["fresh"])
    if "review" in order:
        devreview.fresh(**order["review"])
    if "failing" in order:
        devreview.desk.failing = order["failing"]
    if "analysis" in order:
        lesson.analysis = {"type": "analysis", **order["analysis"]}
        await lesson.tell_all(lesson.analysis)
    if "analyser" in order:
        await lesson.tell_members()
    for index, state in order.get("decide", []):
        # a decided message comes again, under a new number
        entry = {**lesson.log[index], "seq": len(lesson.log) + 1, "state": state, "decided": True}
        lesson.log.append(entry)
        await lesson.tell(lesson.people[entry["sender"]], entry)
    for member, message in order.get("push", []):
        await lesson.tell(lesson.people.get(member), message)
    for member in order.get("drop", []):
        socket = lesson.people[member].socket
        if socket:
            await socket.close(order.get("code", 1012))
    await asyncio.sleep(0)
    return JSONResponse({})


def page(name: str) -> Any:
    async def serve(request: Request) -> Response:
        return FileResponse(WEB / name)

    return serve


class Strict:
    """Adds the headers that the product's server sends."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] += [(b"content-security-policy", CSP.encode()), (b"cache-control", b"no-store")]
            await send(message)

        await self.app(scope, receive, with_headers if scope["type"] == "http" else send)


@contextlib.asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    yield


app = Strict(
    Starlette(
        routes=[
            Route("/", page("index.html")),
            Route("/lesson/{member}", page("lesson.html")),
            Route("/operations/{member}", page("operations.html")),
            Route("/review/{member}", page("review.html")),
            *devreview.ROUTES,
            Route("/api/members/{member}/session", session, methods=["POST"]),
            Route("/api/members/{member}/tickets", ticket, methods=["POST"]),
            Route("/whip/{room}", whip, methods=["POST"]),
            Route("/dev", dev, methods=["POST"]),
            WebSocketRoute("/ws/room", room_socket),
            WebSocketRoute("/ws/operations", operations_socket),
            Mount("/static", StaticFiles(directory=WEB)),
        ],
        lifespan=lifespan,
    )
)
