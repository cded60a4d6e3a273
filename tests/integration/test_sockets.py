"""Who is let in to a socket, and what closes it."""

from __future__ import annotations

import asyncio
import json
import socket as sockets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from lessonroom import messages as m
from lessonroom.app import App
from tests.integration.serving import PATIENCE, Lesson, Page, open_socket, serving


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    async with serving(tmp_path, socket_queue=8, chat_per_minute=1000) as app:
        yield app


async def close_code(app: App, *frames: str | bytes, path: str = "/ws/room") -> int | None:
    """Open a socket, say these frames, and wait for the server to close it."""
    async with open_socket(app.admission.public_url, path) as socket:
        for frame in frames:
            await socket.send(frame)
        return await Page(socket).closed()


def hello(ticket: str) -> str:
    return m.dump(m.Hello(ticket=ticket, page="page-0001"))


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1", "HTTP://127.0.0.1"])
async def test_a_page_of_another_origin_gets_no_socket(app: App, origin: str) -> None:
    with pytest.raises(InvalidStatus, match="403"):
        async with open_socket(app.admission.public_url, origin=origin):
            raise AssertionError("let in")


async def test_another_subprotocol_gets_no_socket(app: App) -> None:
    with pytest.raises(InvalidStatus, match="403"):
        async with open_socket(app.admission.public_url, protocol="lessonroom.v0"):
            raise AssertionError("let in")


async def test_a_socket_that_does_not_say_hello_is_closed(tmp_path: Path) -> None:
    async with serving(tmp_path, hello_seconds=0.3, models_dir=tmp_path) as app:
        assert await close_code(app) == m.CloseCode.HELLO_TIMEOUT


async def test_only_so_many_sockets_may_wait_before_hello_and_a_place_that_is_left_is_free(tmp_path: Path) -> None:
    """Anybody may open a socket; only who has a ticket may go on holding memory here."""
    async with serving(tmp_path, hello_queue=2, hello_seconds=60, models_dir=tmp_path) as app:
        lesson, url = await Lesson.make(app), app.admission.public_url
        async with open_socket(url), open_socket(url, "/ws/operations"):
            assert await close_code(app) == m.CloseCode.SERVER_BUSY
            assert await close_code(app, path="/ws/operations") == m.CloseCode.SERVER_BUSY
        async with lesson.teacher.page(), lesson.student.page("page-0002"), open_socket(url), open_socket(url) as last:
            await last.send("{}")
            assert await Page(last).closed() == m.CloseCode.BAD_MESSAGE


@pytest.mark.parametrize(
    "frame",
    [
        "{}",
        b"{}",
        m.dump(m.Ping()),
        "[" * 100_000 + "]" * 100_000,
        '{"type": "hello", "ticket": NaN}',
        '{"type": "hello", "ticket": "' + "x" * 20 + '", "page": "page-0001", "after": 9223372036854775808}',
    ],
)
async def test_what_is_no_hello_closes_the_socket(app: App, frame: str | bytes) -> None:
    code = await close_code(app, frame)
    # a frame over the limit is closed by the WebSocket layer itself (RFC 6455 section 7.4.1)
    assert code == (m.CloseCode.BAD_MESSAGE if len(frame) < app.settings.socket_bytes else 1009)


async def test_a_made_up_ticket_is_refused(app: App) -> None:
    assert await close_code(app, hello("x" * 40)) == m.CloseCode.TICKET_REFUSED


async def test_a_ticket_works_once(app: App) -> None:
    lesson = await Lesson.make(app)
    ticket = await lesson.teacher.ticket()
    async with open_socket(app.admission.public_url) as socket:
        await socket.send(hello(ticket))
        await Page(socket).get(m.Welcome)
        assert await close_code(app, hello(ticket)) == m.CloseCode.TICKET_REFUSED


async def test_a_ticket_for_another_purpose_is_refused(app: App) -> None:
    lesson = await Lesson.make(app)
    assert await close_code(app, hello(await lesson.student.ticket("whip"))) == m.CloseCode.TICKET_REFUSED
    ticket = await lesson.student.ticket()
    assert await close_code(app, hello(ticket), path="/ws/operations") == m.CloseCode.TICKET_REFUSED


async def test_a_ticket_of_a_page_of_one_origin_does_not_serve_another(tmp_path: Path) -> None:
    async with serving(tmp_path, allowed_origins="https://school.example") as app:
        lesson = await Lesson.make(app)
        ticket = await lesson.teacher.ticket()
        async with open_socket(app.admission.public_url, origin="https://school.example") as socket:
            await socket.send(hello(ticket))
            assert await Page(socket).closed() == m.CloseCode.TICKET_REFUSED


@pytest.mark.parametrize("frame", ["{}", b"\x00", '{"type": "chat.send", "id": "message-1"}'])
async def test_a_bad_message_in_the_lesson_closes_the_socket(app: App, frame: str | bytes) -> None:
    lesson = await Lesson.make(app)
    async with lesson.teacher.page() as teacher:
        await teacher.socket.send(frame)
        assert await teacher.closed() == m.CloseCode.BAD_MESSAGE


async def test_a_second_hello_closes_the_socket(app: App) -> None:
    lesson = await Lesson.make(app)
    async with lesson.teacher.page() as teacher:
        await teacher.say(m.Hello(ticket=await lesson.teacher.ticket(), page="page-0001"))
        assert await teacher.closed() == m.CloseCode.BAD_MESSAGE


async def test_a_page_that_talks_without_end_is_closed(tmp_path: Path) -> None:
    """For talking: what it says has no answer, and its outbox holds more than it may say at once."""
    async with serving(tmp_path) as app:
        lesson = await Lesson.make(app)
        async with lesson.student.page() as student:
            with pytest.raises(ConnectionClosed):
                await asyncio.gather(talk(student), listen(student))
            assert student.socket.close_code == m.CloseCode.RATE_LIMITED


async def talk(page: Page) -> None:
    for _ in range(2000):
        await page.say(m.Camera(on=True))
        await asyncio.sleep(0)


async def listen(page: Page) -> None:
    while True:
        await page.socket.recv()


async def test_a_killed_browser_is_noticed_by_its_socket(app: App) -> None:
    lesson = await Lesson.make(app)
    async with lesson.teacher.page("page-t001") as teacher, lesson.student.page("page-s001") as student:
        student.socket.transport.abort()
        seen = await teacher.get(m.Members, lambda said: not all(row.present for row in said.members))
        assert [row.role for row in seen.members if row.present] == ["teacher"]


async def test_a_slow_reader_is_closed_and_the_others_do_not_notice(app: App) -> None:
    lesson, other = await Lesson.make(app), await Lesson.make(app)
    port = app.settings.port
    small = sockets.socket()
    small.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    small.connect(("127.0.0.1", port))
    small.setblocking(False)
    async with lesson.teacher.page("page-t001") as teacher, other.student.page("page-s001") as elsewhere:
        async with lesson.student.page("page-s001", sock=small, max_queue=1) as slow:
            big = m.Description(type="offer", sdp="x" * 60_000)
            for _ in range(190):
                await teacher.say(m.SignalSend(to=lesson.student.member, page="page-s001", description=big))
            await teacher.get(m.Members, lambda said: not said.members[1].present)
            assert (await teacher.chat("still here")).state == "relayed"
            assert (await elsewhere.chat("what slow reader?")).state == "relayed"
            closed = asyncio.create_task(slow.closed())
            while not closed.done():
                try:
                    async with asyncio.timeout(PATIENCE):
                        await slow.socket.recv()
                except ConnectionClosed:
                    break
            assert await closed in {m.CloseCode.TOO_SLOW, 1006}
        async with lesson.student.page("page-s001") as back:
            assert (await back.get(m.ChatMessage)).text == "still here"


async def test_operators_get_figures_and_nothing_else(app: App) -> None:
    from tests.integration.serving import Visitor

    made = await app.admission.make_operator()
    operator = Visitor(app.admission.public_url, made.link)
    await operator.enter()
    assert made.link.startswith(f"{app.admission.public_url}/operations/")
    lesson = await Lesson.make(app)
    async with lesson.teacher.page(), open_socket(app.admission.public_url, "/ws/operations") as socket:
        await socket.send(hello(await operator.ticket("operations")))
        first = json.loads(await socket.recv())
        assert "history" in first
        while not first["table"]:
            first = json.loads(await socket.recv())
        text = json.dumps(first)
        assert lesson.room not in text
        assert lesson.teacher.member not in text
        assert "Tina" not in text
        assert first["table"][0]["room"] == lesson.room[:6]


@pytest.mark.parametrize("path", ["/ws/room", "/ws/operations"])
async def test_a_defect_in_what_writes_to_a_socket_is_told_and_not_taken_for_a_page_that_left(
    app: App, path: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from lessonroom.rooms import outbox
    from tests.integration.serving import Visitor

    def defect(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(outbox, "dump", defect)
    monkeypatch.setattr(app.services.figures, "first", defect)
    if path == "/ws/room":
        ticket = await (await Lesson.make(app)).teacher.ticket()
    else:
        operator = Visitor(app.admission.public_url, (await app.admission.make_operator()).link)
        await operator.enter()
        ticket = await operator.ticket("operations")
    assert await close_code(app, hello(ticket), path=path) not in {1000, 1005, *m.CloseCode}
    assert [record.exc_info[0] for record in caplog.records if record.exc_info] == [ZeroDivisionError]
