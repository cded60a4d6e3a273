"""The simulated student in a real lesson: real server, real sockets, real WebRTC to analyser and teacher."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest
from aiortc import RTCPeerConnection, RTCSessionDescription

from lessonroom import messages as m
from lessonroom.app import App
from lessonroom.errors import BadInput, Refused
from lessonroom.media.guard import end_consent_checks, gather_loopback
from lessonroom.policy import Mode
from lessonroom.simulate.admission import Admission, Link
from lessonroom.simulate.call import identity_of
from lessonroom.simulate.client import Student, play
from lessonroom.simulate.facts import ADULT, SETTING
from lessonroom.simulate.sources import Camera
from lessonroom.simulate.whip import WhipFeed
from tests.integration.serving import PATIENCE, Page, Visitor, serving
from tests.media.videos import video

FAILS = """
import asyncio, sys
from pathlib import Path
from lessonroom.app import build
from lessonroom.config import Settings
from lessonroom.policy import Mode
from lessonroom.server import listen
from lessonroom.simulate.client import play
from lessonroom.simulate.facts import ADULT, PLACE, SETTING

async def main(data_dir, clip):
    settings = Settings(data_dir=data_dir, port=0, provider_place=PLACE, ice_loopback=True, chat_processes=0)
    bound, known = listen.bind(settings)
    app = build(known)
    await app.start()
    server = listen.server(app.asgi, known)
    tasks = [asyncio.create_task(server.serve(sockets=[bound]))]
    while not server.started:
        await asyncio.sleep(0.01)
    room = await app.admission.make_room(Mode.M3, SETTING)
    student = await app.admission.make_member(room, "student", "Sam", about=ADULT)
    await app.admission.make_member(room, "teacher", "Tina", about=ADULT)
    tasks.append(asyncio.create_task(play(student.link, clip)))
    while b"lessonroom_samples_total 0.0" in app.services.metrics.render():
        await asyncio.sleep(0.05)
    print("looked at", flush=True)
    1 / 0

asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
"""
"""A server and its student in one program that fails without a word to either."""


class Room:
    """A room with an open teacher's page and the link of a student."""

    def __init__(self, app: App, teacher: Page, link: str) -> None:
        self.app, self.teacher, self.link = app, teacher, link


@asynccontextmanager
async def room(data_dir: Path, mode: Mode = Mode.M3, *, relay_only: bool = False) -> AsyncIterator[Room]:
    async with serving(data_dir, ice_loopback=True) as app:
        # as the server says it; without a TURN server nothing is left to offer
        app.hub._settings = app.settings.model_copy(update={"ice_relay_only": relay_only})
        made = await app.admission.make_room(mode, SETTING)
        teacher = await app.admission.make_member(made, "teacher", "Tina", about=ADULT)
        student = await app.admission.make_member(made, "student", "Sam", about=ADULT)
        visitor = Visitor(app.admission.public_url, teacher.link)
        await visitor.enter()
        async with visitor.page("page-teacher") as page:
            yield Room(app, page, student.link)


@asynccontextmanager
async def student(link: str, clip: Path) -> AsyncIterator[Student]:
    camera = Camera(clip)
    async with Admission(Link.read(link)) as admission:
        known = Student(admission, camera)
        task = asyncio.create_task(known.stay())
        try:
            yield known
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            await camera.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.02)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return video(tmp_path / "clip.webm", seconds=2, size=(320, 240))


async def test_it_agrees_and_is_looked_at(tmp_path: Path, clip: Path) -> None:
    """The whole way: link, socket, consent, WHIP, decoding, models; a grey clip shows nobody."""
    async with room(tmp_path) as lesson, student(lesson.link, clip) as known:
        shown = await lesson.teacher.get(m.Analysis, lambda analysis: analysis.reason == "no_face")
        assert shown.mode == "M3"
        assert known.feeding


async def test_where_analysis_is_not_allowed_it_feeds_nobody(tmp_path: Path, clip: Path) -> None:
    async with room(tmp_path, Mode.M0) as lesson, student(lesson.link, clip) as known:
        await until(lambda: known.analysis is not None)
        await asyncio.sleep(0.3)
        assert known.analysis is not None
        assert known.analysis.mode == "M0"
        assert not known.feeding


async def test_it_stops_feeding_when_the_teacher_turns_hints_off_and_begins_again(tmp_path: Path, clip: Path) -> None:
    async with room(tmp_path) as lesson, student(lesson.link, clip) as known:
        await until(lambda: known.feeding)
        await lesson.teacher.say(m.HintsOn(on=False))
        await until(lambda: not known.feeding)
        await lesson.teacher.say(m.HintsOn(on=True))
        await until(lambda: known.feeding)


async def test_it_answers_the_teachers_page_and_shows_its_camera(tmp_path: Path, clip: Path) -> None:
    async with room(tmp_path) as lesson, student(lesson.link, clip) as known:
        is_here = await lesson.teacher.get(m.Members, lambda each: any(_student(row) for row in each.members))
        other = next(filter(_student, is_here.members))
        for _ in range(2):  # the second offer is a new connection of the same page
            peer, channel = await offered(lesson.teacher, other)
            frame = await asyncio.wait_for(received(peer), PATIENCE)
            assert (frame.width, frame.height) == (320, 240)
            await until(lambda: known.calling)
            assert channel == ['{"camera":true,"microphone":false}']
            await peer.close()


@pytest.mark.parametrize("relay_only", [False, True])
async def test_it_offers_no_direct_path_where_the_room_allows_none(
    tmp_path: Path, clip: Path, monkeypatch: pytest.MonkeyPatch, relay_only: bool
) -> None:
    """Neither to the analyser nor to the teacher's page."""
    offers: list[str] = []
    asked = WhipFeed._send

    async def noted(feed: WhipFeed, method: str, url: str, sdp: str | None) -> httpx.Response:
        offers.append(sdp or "")
        return await asked(feed, method, url, sdp)

    monkeypatch.setattr(WhipFeed, "_send", noted)
    async with room(tmp_path, relay_only=relay_only) as lesson, student(lesson.link, clip):
        is_here = await lesson.teacher.get(m.Members, lambda each: any(_student(row) for row in each.members))
        peer, _ = await offered(lesson.teacher, next(filter(_student, is_here.members)))
        await until(lambda: bool(offers))
        descriptions = [offers[0], peer.remoteDescription.sdp]
        assert [" host" in sdp for sdp in descriptions] == [not relay_only] * 2
        await peer.close()


async def offered(page: Page, other: m.MemberView) -> tuple[RTCPeerConnection, list[str]]:
    """What a teacher's page does: room for sound and picture, a channel for devices, an offer, an answer."""
    peer, heard = RTCPeerConnection(), []
    peer.createDataChannel("devices", negotiated=True, id=0).on("message", heard.append)
    for kind in ("audio", "video"):
        peer.addTransceiver(kind, direction="recvonly")
    end_consent_checks(peer)
    gather_loopback(peer)
    await peer.setLocalDescription(await peer.createOffer())
    assert other.page is not None
    description = m.Description(type="offer", sdp=peer.localDescription.sdp)
    await page.say(m.SignalSend(to=other.id, page=other.page, description=description))
    answer = await page.get(m.Signal, lambda signal: signal.description is not None)
    assert answer.description is not None
    await peer.setRemoteDescription(RTCSessionDescription(answer.description.sdp, "answer"))
    return peer, heard


def _student(row: m.MemberView) -> bool:
    return row.role == "student" and row.present


async def received(peer: RTCPeerConnection) -> object:
    track = next(each.receiver.track for each in peer.getTransceivers() if each.kind == "video")
    return await track.recv()


async def test_it_leaves_when_the_room_is_closed(tmp_path: Path, clip: Path) -> None:
    async with room(tmp_path) as lesson:
        task = asyncio.create_task(play(lesson.link, clip))
        await lesson.teacher.get(m.Analysis, lambda analysis: analysis.reason == "no_face")
        await lesson.app.hub.close_room(lesson.teacher.welcome.room)
        await asyncio.wait_for(task, PATIENCE)


def test_a_program_that_fails_with_a_student_in_it_ends(tmp_path: Path, clip: Path) -> None:
    """All tasks are cancelled at once then, those of the connection, too: nobody may wait for what they would say."""
    command = [sys.executable, "-c", FAILS, str(tmp_path / "data"), str(clip)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.stdout == "looked at\n", done.stderr
    assert "ZeroDivisionError" in done.stderr


async def test_it_comes_back_after_a_lost_socket(tmp_path: Path, clip: Path) -> None:
    async with room(tmp_path) as lesson, student(lesson.link, clip) as known:
        await until(lambda: known.feeding)
        before = known.socket
        assert before is not None
        before.transport.abort()  # as a lost network does
        await until(lambda: known.socket not in {before, None} and known.feeding)


async def test_a_spent_link_is_refused(tmp_path: Path, clip: Path) -> None:
    async with room(tmp_path) as lesson:
        async with Admission(Link.read(lesson.link)):
            pass
        with pytest.raises(Refused, match="HTTP 401"):
            await play(lesson.link, clip)


@pytest.mark.parametrize(
    "text", ["", "http://localhost/lesson/abc", "ftp://localhost/lesson/a#b", "http://localhost/other/a#b"]
)
def test_a_link_that_is_none_is_told_without_its_words(text: str) -> None:
    with pytest.raises(BadInput, match="member's link"):
        Link.read(text)


def test_a_link_below_a_prefix_is_read() -> None:
    link = Link.read("https://school.example/rooms/lesson/m1#c1")
    assert (link.root, link.member, link.code) == ("https://school.example/rooms/", "m1", "c1")
    assert link.socket == "wss://school.example/rooms/ws/room"


def test_an_ice_restart_is_another_connection_and_the_same_offer_is_not() -> None:
    offer = "v=0\r\no=- 42 2 IN IP4 127.0.0.1\r\nm=audio\r\na=ice-ufrag:abcd\r\nm=video\r\na=ice-ufrag:abcd\r\n"
    assert identity_of(offer) == ("42", "abcd")
    assert identity_of(offer.replace("- 42 2", "- 42 3")) == identity_of(offer)
    assert identity_of(offer.replace("abcd", "efgh")) != identity_of(offer)
