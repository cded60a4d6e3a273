"""What strangers and members may do to the server's doors: each test opens real connections to a real server."""

from __future__ import annotations

import asyncio
import hashlib
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from lessonroom import messages as m
from lessonroom.app import App
from lessonroom.server import patience, strict
from tests.integration.raw import CONT, PATIENCE, PING, PONG, TEXT, Raw, connected, frame, upgrade, upgraded
from tests.integration.serving import Lesson, serving

KEY, NARROW = "an-admin-key", "a-narrow-key"
KEYS = f"{hashlib.sha256(KEY.encode()).hexdigest()},{hashlib.sha256(NARROW.encode()).hexdigest()}:members+audit"
FLOODS = {
    "pings": (frame(PING) * 10_000, m.CloseCode.RATE_LIMITED),
    "pings with a payload": (frame(PING, b"x" * 125) * 2000, m.CloseCode.RATE_LIMITED),
    "pongs": (frame(PONG) * 10_000, m.CloseCode.RATE_LIMITED),
    "one-byte fragments": (
        frame(TEXT, b"x", last=False) + frame(CONT, b"x", last=False) * 50_000, m.CloseCode.BAD_MESSAGE
    ),
    "empty fragments": (frame(TEXT, last=False) + frame(CONT, last=False) * 100_000, m.CloseCode.BAD_MESSAGE),
}  # fmt: skip


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    async with serving(tmp_path, models_dir=tmp_path, admin_keys=KEYS) as app:
        yield app


def client(app: App, key: str | None = None, **headers: str) -> httpx.AsyncClient:
    limits = httpx.Limits(max_keepalive_connections=0)
    known = {"Authorization": f"Bearer {key}"} if key else {}
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{app.settings.port}", headers=known | headers, limits=limits)


async def audited(app: App, action: str = "admission.refused") -> list[dict[str, Any]]:
    """Records of the audit, oldest first."""
    async with client(app, KEY) as admin:
        records = (await admin.get("/api/admin/audit", params={"limit": 1000})).raise_for_status().json()
    return [record for record in records if record["action"] == action]


# --- floods ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("flood", FLOODS)
@pytest.mark.parametrize("member", [False, True])
async def test_a_flood_of_frames_is_closed_with_its_code_and_others_get_all_their_answers(
    app: App, flood: str, member: bool
) -> None:
    data, code = FLOODS[flood]
    lesson, other = await Lesson.make(app), await Lesson.make(app)
    ticket = await lesson.student.ticket() if member else ""
    async with other.teacher.page("page-t001") as teacher, upgraded(app.settings.port, ticket) as raw:
        raw.say(data)
        acks = [await teacher.chat(f"line {word}", f"message-{word}") for word in ("one", "two", "three")]
        assert await raw.closed() == code
        assert [ack.state for ack in acks] == ["relayed"] * 3


async def test_pings_at_the_pace_of_any_client_are_answered(app: App) -> None:
    lesson = await Lesson.make(app)
    async with lesson.teacher.page() as teacher:
        for _ in range(50):
            await (await teacher.socket.ping())
        assert (await teacher.chat("still here")).state == "relayed"


async def test_a_message_in_several_parts_is_one_message(app: App) -> None:
    """RFC 6455 section 5.4: a proxy on the way may cut messages as it likes."""
    lesson = await Lesson.make(app)
    text = m.dump(m.ChatSend(id="message-1", text="я" * 300)).encode()
    parts = [text[at : at + 20] for at in range(0, len(text), 20)]
    ticket = await lesson.student.ticket()
    async with lesson.teacher.page("page-t001") as teacher, upgraded(app.settings.port, ticket) as raw:
        raw.say(frame(TEXT, parts[0], last=False))
        for part in parts[1:-1]:
            raw.say(frame(CONT, part, last=False) + frame(PING))
        raw.say(frame(CONT, parts[-1]))
        assert (await teacher.get(m.ChatMessage)).text == "я" * 300


async def test_what_a_member_says_just_before_leaving_counts(app: App) -> None:
    """It is worked off in slices, and a connection that ends takes none of them with it: the last may be a no."""
    lesson = await Lesson.make(app)
    lines = [m.ChatSend(id=f"message-{word}", text=word * 90) for word in ("a", "b", "c", "d", "e", "f", "g", "h")]
    ticket = await lesson.student.ticket()
    async with lesson.teacher.page("page-t001") as teacher:
        async with upgraded(app.settings.port, ticket) as raw:
            raw.say(b"".join(frame(TEXT, m.dump(line).encode()) for line in lines * 2))
            await raw.writer.drain()
            raw.writer.close()
        assert [(await teacher.get(m.ChatMessage)).text for _ in lines] == [line.text for line in lines]


async def test_a_long_message_comes_whole_and_in_order_with_those_after_it(app: App) -> None:
    """It is worked off in slices; nothing may overtake it, and the application's own pauses are kept."""
    lesson = await Lesson.make(app)
    big = m.Description(type="offer", sdp="x" * 60_000)
    async with lesson.teacher.page("page-t001") as teacher, lesson.student.page("page-s001") as student:
        for _ in range(5):
            await student.say(m.SignalSend(to=lesson.teacher.member, page="page-t001", description=big))
        await student.say(m.ChatSend(id="message-1", text="after it"))
        for _ in range(5):
            assert (await teacher.get(m.Signal)).description == big
        assert (await teacher.get(m.ChatMessage)).text == "after it"


@pytest.mark.parametrize(
    "text", ['{"type":"consent","agreed":false,"agreed":true}', '{"type":"ping","type":"consent","agreed":true}']
)
async def test_a_no_and_a_yes_in_one_message_are_no_consent(app: App, text: str) -> None:
    lesson = await Lesson.make(app)
    async with lesson.student.page() as student:
        await student.socket.send(text)
        assert await student.closed() == m.CloseCode.BAD_MESSAGE
    async with lesson.student.page() as student:
        assert student.welcome.consent is None


async def test_a_room_sends_no_more_signals_than_its_pages_need(app: App) -> None:
    lesson = await Lesson.make(app)
    app.services.signals._rate, app.services.signals._burst = 0.001, 3.0
    async with lesson.teacher.page("page-t001"), lesson.student.page("page-s001") as student:
        for _ in range(4):
            await student.say(
                m.SignalSend(to=lesson.teacher.member, page="page-t001", candidate=m.Candidate(candidate=""))
            )
        assert await student.closed() == m.CloseCode.RATE_LIMITED


# --- those who do not go on ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n", b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /"]
)
async def test_half_a_head_is_waited_for_a_while_and_not_for_ever(
    app: App, said: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also the head of a second request: half of it must not switch off the end of an idle connection."""
    monkeypatch.setattr(patience, "HEAD_SECONDS", 0.2)
    async with connected(app.settings.port) as raw:
        raw.say(said)
        assert b"HTTP/1.1 4" not in await raw.ended()


async def test_a_head_in_single_bytes_is_no_reason_to_wait_longer(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "HEAD_SECONDS", 0.2)
    async with connected(app.settings.port) as raw:
        async with asyncio.timeout(PATIENCE):
            while not raw.reader.at_eof():
                raw.say(b"G")
                try:
                    await asyncio.wait_for(raw.reader.read(1), 0.02)
                except TimeoutError:
                    continue
                except ConnectionError:
                    break


@pytest.mark.parametrize(
    ("path", "status"), [("/api/members/any/session", 408), ("/api/admin/rooms", 401), ("/healthz", 405)]
)
async def test_a_body_that_is_announced_and_never_sent_is_not_waited_for(
    app: App, path: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a key not at all; else as long as an honest client may need. What is left of it is cut off."""
    monkeypatch.setattr(strict, "BODY_SECONDS", 0.2)
    monkeypatch.setattr(patience, "BODY_SECONDS", 2.0)  # a machine that stands still must not meet both at once
    async with connected(app.settings.port) as raw:
        raw.say(
            f"POST {path} HTTP/1.1\r\nHost: x\r\nOrigin: {app.admission.public_url}\r\n"
            "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{".encode()
        )
        assert f"HTTP/1.1 {status} " in (await raw.ended()).decode()


@pytest.mark.parametrize("asked", [("", 200), ("Connection: close\r\n", 1)])
async def test_answers_that_nobody_reads_are_not_kept_for_ever(
    app: App, asked: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither before the next of them is written, nor after the last one, when the server has closed."""
    monkeypatch.setattr(patience, "READ_SECONDS", 0.2)
    monkeypatch.setattr(patience, "HEAD_SECONDS", PATIENCE)
    gone = asyncio.Event()
    made, lost = patience.Brief.connection_made, patience.Brief.connection_lost

    def small(self: patience.Brief, transport: asyncio.Transport) -> None:
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        made(self, transport)

    def told(self: patience.Brief, exc: Exception | None) -> None:
        lost(self, exc)
        gone.set()

    monkeypatch.setattr(patience.Brief, "connection_made", small)
    monkeypatch.setattr(patience.Brief, "connection_lost", told)
    head, count = asked
    ask = f"GET /openapi.json HTTP/1.1\r\nHost: x\r\n{head}\r\n"
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(("127.0.0.1", app.settings.port))
        deaf.sendall(ask.encode() * count)
        async with asyncio.timeout(PATIENCE):
            await gone.wait()


@pytest.mark.parametrize(
    "more", [("Content-Length: 3",), ("Transfer-Encoding: chunked",), ("X: " + "a" * 9000,), ("X: a",) * 130]
)
async def test_a_head_that_begins_no_socket_is_answered_and_the_connection_ends(app: App, more: tuple[str]) -> None:
    """The library that reads such heads says nothing of these, and nobody else would wait for their end."""
    async with connected(app.settings.port) as raw:
        raw.say(upgrade(app.settings.port, "/ws/room", *more))
        assert b" 400 " in await raw.ended()


async def test_an_address_has_only_so_many_connections_that_have_not_said_what_they_want(tmp_path: Path) -> None:
    """Members do not count: a school has one address."""
    async with serving(tmp_path, models_dir=tmp_path, connections_per_address=3) as app:
        lesson, port = await Lesson.make(app), app.settings.port
        async with lesson.teacher.page(), lesson.student.page("page-0002"), upgraded(port), connected(port) as half:
            half.say(b"GET / HTTP/1.1\r\n")
            async with connected(port), connected(port) as one_too_many:
                assert await one_too_many.ended() == b""
        # they have gone; their places are free
        async with upgraded(port), upgraded(port), upgraded(port) as last:
            last.say(frame(TEXT, b"{}"))
            assert await last.closed() == m.CloseCode.BAD_MESSAGE


async def test_a_body_that_does_not_come_keeps_its_place_among_those_of_an_address(tmp_path: Path) -> None:
    async with serving(tmp_path, models_dir=tmp_path, connections_per_address=2) as app:
        port = app.settings.port
        head = f"POST /api/members/any/session HTTP/1.1\r\nHost: x\r\nOrigin: {app.admission.public_url}\r\n"
        part = f"{head}Content-Type: application/json\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n".encode()
        async with connected(port) as first, connected(port) as second:
            for raw in (first, second):
                raw.say(part)
                assert " 100 " in await raw.head()
            async with connected(port) as one_too_many:
                assert await one_too_many.ended() == b""


async def test_who_was_answered_waits_in_places_of_their_own_and_newcomers_get_in(tmp_path: Path) -> None:
    """A connection that has asked once could else wait for ever new times beside any number of its like."""
    async with serving(tmp_path, models_dir=tmp_path, connections_per_address=2) as app:
        port, ask = app.settings.port, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
        async with AsyncExitStack() as connections:
            kept: list[Raw] = []
            for _ in range(3):
                kept.append(await connections.enter_async_context(connected(port)))
                kept[-1].say(ask)
                assert " 200 " in await kept[-1].head()
            assert await kept[2].ended() == b'{"status":"ok"}'
            kept[0].say(ask)
            await kept[0].reader.readexactly(len(b'{"status":"ok"}'))
            assert " 200 " in await kept[0].head()


async def test_a_proxy_that_is_trusted_is_not_counted_as_one_neighbour(tmp_path: Path) -> None:
    one_each = {"connections_per_address": 1, "trusted_proxies": "127.0.0.1"}
    async with serving(tmp_path, models_dir=tmp_path, **one_each) as app:
        port = app.settings.port
        async with upgraded(port), upgraded(port), upgraded(port) as last:
            last.say(frame(TEXT, b"{}"))
            assert await last.closed() == m.CloseCode.BAD_MESSAGE


async def test_many_sockets_at_once_all_get_their_turn(app: App) -> None:
    lesson = await Lesson.make(app)

    async def knock() -> int | None:
        async with upgraded(app.settings.port) as raw:
            raw.say(frame(TEXT, b"{}"))
            return await raw.closed()

    async with lesson.teacher.page() as teacher:
        codes = await asyncio.gather(*(knock() for _ in range(100)))
        assert codes == [m.CloseCode.BAD_MESSAGE] * 100
        assert (await teacher.chat("and I got through")).state == "relayed"


# --- whom it believes ------------------------------------------------------------------------------------------------


async def test_two_origins_are_none(app: App) -> None:
    """Which of the two the page had is for nobody to guess."""
    lesson = await Lesson.make(app)
    path = f"/api/members/{lesson.student.member}/session"
    own = app.admission.public_url
    for pair in ([own, "http://evil.example"], ["http://evil.example", own], [own, own]):
        headers = [("Origin", one) for one in pair]
        async with httpx.AsyncClient(base_url=own, headers=headers) as page:
            assert (await page.post(path, json={})).status_code == 403
    async with connected(app.settings.port) as raw:
        raw.say(upgrade(app.settings.port, "/ws/room", "Origin: http://evil.example"))
        assert " 400 " in await raw.head()


async def test_an_address_that_anybody_may_write_into_a_header_is_not_believed(app: App) -> None:
    async with client(app) as stranger:
        statuses = [
            (await stranger.get("/api/admin/rooms", headers={"X-Forwarded-For": f"203.0.113.{n}"})).status_code
            for n in range(app.settings.refusals_per_minute + 3)
        ]
    assert statuses[-1] == 429


async def test_the_address_that_a_trusted_proxy_names_is_believed(tmp_path: Path) -> None:
    believed = {"refusals_per_minute": 2, "trusted_proxies": "127.0.0.1"}
    async with serving(tmp_path, models_dir=tmp_path, **believed) as app, client(app) as stranger:
        for n in range(6):
            answer = await stranger.get("/api/admin/rooms", headers={"X-Forwarded-For": f"203.0.113.{n}"})
            assert answer.status_code == 401


async def test_a_proxy_is_the_same_one_to_a_server_that_listens_on_both_kinds_of_addresses(tmp_path: Path) -> None:
    """There 127.0.0.1 comes as ::ffff:127.0.0.1; were it not known, one stranger could lock everybody out."""
    believed: dict[str, Any] = {"refusals_per_minute": 2, "connections_per_address": 1, "trusted_proxies": "127.0.0.1"}
    async with serving(tmp_path, models_dir=tmp_path, host="::", **believed) as app, client(app) as stranger:
        port = app.settings.port
        for n in range(6):
            answer = await stranger.get("/api/admin/rooms", headers={"X-Forwarded-For": f"203.0.113.{n}"})
            assert answer.status_code == 401
        async with upgraded(port), upgraded(port), upgraded(port) as last:
            last.say(frame(TEXT, b"{}"))
            assert await last.closed() == m.CloseCode.BAD_MESSAGE


@pytest.mark.parametrize("path", ["/metrics", "/openapi.json", "/readyz"])
async def test_a_foreign_name_for_this_server_is_told_nothing(app: App, path: str) -> None:
    """DNS rebinding: a foreign page lets its own name point at this machine and reads as if it were its own."""
    async with client(app) as page:
        for host in ("evil.example", "evil.example:8400", "127.0.0.1.evil.example"):
            assert (await page.get(path, headers={"Host": host})).status_code == 421
        for host in ("127.0.0.1", "localhost:8400", "[::1]:8400", "lessonroom:8400", "10.0.0.7:8400"):
            assert (await page.get(path, headers={"Host": host})).status_code == 200


async def test_the_api_answers_to_the_public_name_when_there_is_one(tmp_path: Path) -> None:
    public = "https://school.example/x"
    async with serving(tmp_path, models_dir=tmp_path, public_url=public) as app, client(app) as page:
        assert (await page.get("/api/admin/rooms", headers={"Host": "evil.example"})).status_code == 421
        answer = await page.get("/api/admin/rooms", headers={"Host": "school.example"})
        assert answer.status_code == 401
        assert answer.headers["strict-transport-security"].startswith("max-age=")
        assert answer.headers["x-frame-options"] == "DENY"


async def test_a_ticket_in_another_role_than_its_member_has_is_refused(app: App) -> None:
    lesson = await Lesson.make(app)
    record = await app.services.store.member(lesson.student.member)
    ticket = app.admission.ticket(replace(record, role="teacher"), "socket", app.admission.public_url).ticket
    async with upgraded(app.settings.port, ticket) as raw:
        assert await raw.closed() == m.CloseCode.TICKET_REFUSED


@pytest.mark.parametrize("path", ["/healthz", "/api/admin/rooms", "/whip/room-0001", "/static/icon.svg"])
async def test_a_body_whose_end_is_said_in_two_ways_smuggles_no_second_request(app: App, path: str) -> None:
    """RFC 9112 section 6.1: a proxy may have believed the other length, so nothing after it is an answer to anybody."""
    async with connected(app.settings.port) as raw:
        raw.say(
            f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
            "2\r\n{}\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        )
        answers = await raw.ended()
    assert answers.startswith(b"HTTP/1.1 400 ")
    assert answers.count(b"HTTP/1.1 ") == 1


# --- keys and bodies -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [b"{", b"\xff", b'{"mode_cap":"M0","mode_cap":"M3"}', b"[" * 50_000])
async def test_nothing_of_a_strangers_body_is_read(app: App, body: bytes) -> None:
    async with client(app, "another-key", **{"Content-Type": "application/json"}) as stranger:
        assert (await stranger.post("/api/admin/rooms", content=body)).status_code == 401


async def test_a_body_that_says_something_twice_is_refused(app: App) -> None:
    async with client(app, KEY, **{"Content-Type": "application/json"}) as admin:
        for body in (b'{"mode_cap":"M0","mode_cap":"M3"}', b'{"mode_cap":"M3","mode_c\\u0061p":"M3"}'):
            answer = await admin.post("/api/admin/rooms", content=body)
            assert (answer.status_code, answer.json()["code"]) == (422, "bad_input")
        assert (await admin.get("/api/admin/rooms")).json() == []


async def test_a_key_opens_what_its_scopes_say_and_nothing_else(app: App) -> None:
    lesson = await Lesson.make(app)
    async with client(app, NARROW) as narrow:
        assert (await narrow.get("/api/admin/audit")).status_code == 200
        made = await narrow.post(f"/api/admin/rooms/{lesson.room}/members/{lesson.student.member}/tickets")
        assert made.status_code == 201
        for method, path in (("POST", "rooms"), ("GET", "rooms"), ("POST", "operators"), ("GET", "review")):
            answer = await narrow.request(method, f"/api/admin/{path}", json={} if method == "POST" else None)
            assert (answer.status_code, answer.json()["code"]) == (403, "refused"), path
    assert "wrong_scope" in [record["detail"]["why"] for record in await audited(app)]


async def test_the_document_says_which_scope_a_route_wants(app: App) -> None:
    async with client(app) as anybody:
        paths = (await anybody.get("/openapi.json")).json()["paths"]
    found = {
        (method, path): operation["security"]
        for path, item in paths.items()
        if path.startswith("/api/admin")
        for method, operation in item.items()
    }
    assert found["post", "/api/admin/rooms"] == [{"admin_key": ["rooms"]}]
    assert found["get", "/api/admin/review"] == [{"admin_key": ["review"]}]
    assert found["get", "/api/admin/audit"] == [{"admin_key": ["audit"]}]
    assert all(len(one["admin_key"]) == 1 for (one,) in found.values())


@pytest.mark.parametrize("sender", ["%00", "a%20b", "%D1%8F", "x" * 129])
async def test_a_name_that_no_platform_has_is_refused(app: App, sender: str) -> None:
    async with client(app, KEY) as admin:
        assert (await admin.get(f"/api/admin/senders/{sender}")).status_code == 422
        assert (await admin.put(f"/api/admin/senders/{sender}", json={"paying": True})).status_code == 422


# --- how often -------------------------------------------------------------------------------------------------------


async def test_who_guesses_codes_has_to_wait_and_whoever_has_a_session_does_not(app: App) -> None:
    """Refused attempts count, not visits; a neighbour with the same address goes on with their lesson."""
    lesson = await Lesson.make(app)
    path = f"/api/members/{lesson.teacher.member}/session"
    async with client(app, Origin=app.admission.public_url) as stranger:
        answers = [await stranger.post(path, json={"code": f"wrong-code-{n:04}"}) for n in range(40)]
    assert [answer.status_code for answer in answers[:30]] == [401] * 30
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert answers[-1].json()["code"] == "rate_limited"
    async with lesson.student.page() as page:
        assert (await page.chat("I did not notice")).state == "relayed"
    async with client(app, KEY) as admin:
        assert (await admin.get("/api/admin/rooms")).status_code == 200


async def test_made_up_tickets_end_in_waiting_too(tmp_path: Path) -> None:
    async with serving(tmp_path, models_dir=tmp_path, refusals_per_minute=3) as app:
        codes = []
        for _ in range(4):
            async with upgraded(app.settings.port, "made-up-ticket-0123") as raw:
                codes.append(await raw.closed())
        assert codes == [m.CloseCode.TICKET_REFUSED] * 3 + [m.CloseCode.RATE_LIMITED]
        async with client(app, Authorization="Bearer made-up", **{"Content-Type": "application/sdp"}) as whip:
            assert (await whip.post("/whip/room-0001", content="v=0")).status_code == 429


async def test_a_member_gets_only_so_many_tickets_in_a_minute(tmp_path: Path) -> None:
    async with serving(tmp_path, models_dir=tmp_path, tickets_per_minute=3) as app:
        lesson = await Lesson.make(app)
        path = f"/api/members/{lesson.teacher.member}/tickets"
        answers = [await lesson.teacher.http.post(path, json={"purpose": "socket"}) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        # a third of a minute for the next, less what the four of them have taken
        assert 10 <= int(answers[-1].headers["retry-after"]) <= 20
        assert await lesson.student.ticket()


async def test_exercises_of_one_room_have_a_limit(app: App) -> None:
    lesson = await Lesson.make(app)
    path = f"/api/admin/rooms/{lesson.room}/members/{lesson.student.member}/exercise"
    async with client(app, KEY) as admin:
        statuses: list[int] = []
        while 429 not in statuses and len(statuses) < 600:  # one more is allowed with each second that this takes
            event = {"event": "wrong_answer", "id": f"event-{len(statuses):04}"}
            statuses.append((await admin.post(path, json=event)).status_code)
    assert statuses[:60] == [204] * 60
    assert statuses[-1] == 429


async def test_every_class_of_refusal_is_on_record_without_filling_it(app: App) -> None:
    lesson = await Lesson.make(app)
    own = app.admission.public_url
    used = await lesson.student.ticket()
    foreign = app.admission.ticket(await app.services.store.member(lesson.student.member), "socket", "http://b").ticket
    whip = await lesson.student.ticket("whip")
    async with upgraded(app.settings.port, used) as raw:
        await raw.reader.readexactly(2)
    for ticket in (used, foreign, whip, *["made-up-ticket-0123"] * 20):
        async with upgraded(app.settings.port, ticket) as raw:
            assert await raw.closed() == m.CloseCode.TICKET_REFUSED
    async with client(app, "another-key", Origin=own) as stranger:
        await stranger.get("/api/admin/rooms")
        await stranger.post(f"/api/members/{lesson.student.member}/session", json={"code": "wrong-code"})
        await stranger.post(f"/api/members/{lesson.student.member}/session", json={})
    records = await audited(app)
    whys = [record["detail"]["why"] for record in records]
    assert sorted(whys) == sorted(
        ["replayed", "other_origin", "other_purpose", "tampered", "wrong_key", "wrong_code", "wrong_session"]
    )
    assert all(record["actor"] == "stranger" for record in records)


async def test_readiness_is_asked_of_the_database_only_so_often(app: App) -> None:
    """Each look is a write, and there is one writer for all lessons."""
    checks = 0
    store = app.services.store
    check = store.check

    async def counted() -> None:
        nonlocal checks
        checks += 1
        await check()

    store.check = counted  # type: ignore[method-assign]
    async with client(app) as stranger:
        for _ in range(10):
            answers = await asyncio.gather(*(stranger.get("/readyz") for _ in range(10)))
            assert {answer.status_code for answer in answers} == {200}
    assert checks < 50
