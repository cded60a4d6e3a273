"""The target WHIP: whole requests, through the HTTP parser of the server, the routes and aiortc's negotiation.

``{ticket}`` in an input becomes a fresh ticket, ``{session}`` a session that is open. Everything is real but the room
behind it and the network: nothing is gathered and nothing sent, else mutated candidates would name strangers.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from urllib.parse import unquote

import h11
from aiortc import RTCSessionDescription
from aiortc.exceptions import InvalidAccessError, InvalidStateError, OperationError
from starlette.types import Message, Scope

from lessonroom.auth import hash_secret
from lessonroom.config import Settings
from lessonroom.errors import BadInput, BadSdp
from lessonroom.media.peer import Analyser, End
from lessonroom.media.sdp import SdpPolicy
from lessonroom.server import whip
from lessonroom.server.whip_sessions import Session
from tests.fakes_whip import ROOM, WhipServer
from tests.fuzz.corpus import FRAGMENTS, OFFERS
from tests.fuzz.runner import Read

BEARER = "the bearer of the open session"
WORDS = (
    b"Content-Type: text/plain\r\n", b"If-Match: *\r\n", b"Origin: null\r\n", b"Authorization: Basic eDp5\r\n",
    b"DELETE", b"OPTIONS", b"Expect: 100-continue\r\n", b"{ticket}", b"/../", b"%2e%2e%2f", b"?a=b",
    b"Content-Length: 5\r\n",
    b"Transfer-Encoding: chunked\r\n", b"Content-Encoding: gzip\r\n", b"X-Forwarded-For: 127.0.0.1\r\n",
)  # fmt: skip


def _request(line: str, bearer: str, body: bytes, type_: str) -> bytes:
    head = f"{line} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {bearer}\r\nContent-Type: {type_}\r\n"
    return head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body


REQUESTS = (
    *(_request(f"POST /whip/{ROOM}", "{ticket}", offer, whip.OFFER) for offer in OFFERS),
    *(_request(f"PATCH /whip/{ROOM}/{{session}}", BEARER, each, whip.FRAGMENT) for each in FRAGMENTS),
    _request(f"DELETE /whip/{ROOM}/{{session}}", BEARER, b"", whip.OFFER),
    _request(f"OPTIONS /whip/{ROOM}", "", b"", ""),
)


class NotHttp(BadInput):
    """The server's HTTP parser refuses it, before anything of ours sees it."""

    status = 400


class Deaf(Analyser):
    """Negotiates as an analyser does, and opens no socket."""

    async def _answer(self) -> None:
        peer = self._connection.peer
        try:
            await peer.setRemoteDescription(RTCSessionDescription(self._offer.sdp, "offer"))
            self.answer = (await peer.createAnswer()).sdp
        except (OperationError, InvalidAccessError, InvalidStateError, ValueError):
            raise BadSdp("expected an offer that can be answered, got one without a common format") from None


@contextmanager
def server() -> Iterator[Read]:
    """A server whose room takes every analyser."""
    loop, raised = asyncio.new_event_loop(), []
    loop.set_exception_handler(lambda _, what: raised.append(what.get("exception") or AssertionError(what["message"])))
    house = WhipServer(Settings(ice_loopback=True, refusals_per_minute=10**9))
    house.app.state.services.accept = partial(Deaf.accept, meter=house.app.state.services.metrics)
    open_session = loop.run_until_complete(_session(house))

    def read(data: bytes) -> None:
        raised.clear()
        loop.run_until_complete(_ask(house, open_session, data))
        if raised:
            raise raised[0]

    try:
        yield read
    finally:
        loop.run_until_complete(open_session.analyser.close())
        loop.close()


async def _session(house: WhipServer) -> Session:
    await house.store.open()
    analyser = await Deaf.accept(OFFERS[0].decode(), [], policy=SdpPolicy(), on_end=_nothing)
    return Session(ROOM, hash_secret(BEARER), analyser)


def _nothing(end: End) -> None:
    """Nobody waits for it."""


async def _ask(house: WhipServer, session: Session, data: bytes) -> None:
    """One request: every answer has a status that is foreseen and tells nothing of our insides."""
    ticket = await house.ticket()
    scope, body = _parsed(data.replace(b"{ticket}", ticket.encode()).replace(b"{session}", b"open"))
    # the fake room has its own idea of its sessions, so the open one is put back for each input
    whip.sessions_of(_Holder(house)).open["open"] = session
    session.analyser._named = 0
    answered: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        answered.append(message)

    try:
        await house.app(scope | {"app": house.app}, receive, send)
    finally:
        for analyser in house.hub.analysers:
            await analyser.close()
        house.hub.analysers.clear()
    _judge(answered)


class _Holder:
    """What :func:`sessions_of` asks of a request."""

    def __init__(self, house: WhipServer) -> None:
        self.app = house.app


def _parsed(data: bytes) -> tuple[Scope, bytes]:
    """Read a request as uvicorn does. Raises NotHttp."""
    parser, body = h11.Connection(h11.SERVER, max_incomplete_event_size=65_536), b""
    parser.receive_data(data)
    parser.receive_data(b"")
    scope: Scope | None = None
    try:
        while not isinstance(event := parser.next_event(), h11.EndOfMessage):
            if isinstance(event, h11.Request):
                scope = _scope(event)
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            else:
                break
    except h11.RemoteProtocolError:
        raise NotHttp("expected a request of HTTP/1.1, got something else") from None
    if scope is None:
        raise NotHttp("expected a request of HTTP/1.1, got nothing")
    return scope, body


def _scope(request: h11.Request) -> Scope:
    raw_path, _, query = request.target.partition(b"?")
    return {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": request.method.decode("ascii"),
        "scheme": "http", "path": unquote(raw_path.decode("ascii")), "raw_path": raw_path, "query_string": query,
        "root_path": "", "headers": [(name.lower(), value) for name, value in request.headers],
        "client": ("127.0.0.1", 40_000), "server": ("127.0.0.1", 80), "state": {},
    }  # fmt: skip


def _judge(answered: list[Message]) -> None:
    start, *parts = answered
    status, body = start["status"], b"".join(part.get("body", b"") for part in parts)
    assert status < 500 or status == 503, f"answered {status}"
    assert b"Traceback" not in body, "a stack trace for a stranger"
    if status >= 400:
        known: Any = json.loads(body)
        assert known.keys() == {"code", "message"}, "an error in another form"
