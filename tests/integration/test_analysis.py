"""The analyser in a real lesson: real sockets, real WHIP, real WebRTC, the shipped models."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from lessonroom import messages as m
from lessonroom.app import App
from lessonroom.workers import pool
from tests.fakes_whip import WhipClient
from tests.integration.serving import PATIENCE, Lesson, Page, serving

LEISURE = 5.0
"""Seconds; whatever else would end an analyser without a word from the room takes longer."""


@pytest.fixture(params=[0, 2], ids=["here", "workers"])
async def app(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[App]:
    """A server that analyses in its own process, and one that leaves it to two others: a lesson must not notice."""
    # a busy machine starts workers later than a lesson waits for them
    monkeypatch.setattr(pool, "READY_SECONDS", PATIENCE)
    async with serving(tmp_path, ice_loopback=True, analysers=1, workers=request.param) as app:
        yield app


@asynccontextmanager
async def pages(lesson: Lesson) -> AsyncIterator[tuple[Page, Page]]:
    """Teacher and student; the student has agreed and the teacher has seen it."""
    async with lesson.teacher.page("page-t001") as teacher, lesson.student.page("page-s001") as student:
        await student.say(m.ConsentSend(agreed=True))
        await teacher.get(m.Analysis, lambda now: now.reason == "connecting")
        yield teacher, student


async def feed(lesson: Lesson) -> WhipClient:
    return WhipClient(f"{lesson.student.base}/whip/{lesson.room}", await lesson.student.ticket("whip"))


async def publish(client: WhipClient) -> httpx.Response:
    response = await client.post(await client.sender.offer(), Origin=client.endpoint.partition("/whip")[0])
    if response.is_success:
        await client.sender.answered(response.text)
    return response


@asynccontextmanager
async def watched(lesson: Lesson, teacher: Page) -> AsyncIterator[WhipClient]:
    """A student's camera that the analyser has looked at."""
    client = await feed(lesson)
    try:
        assert (await publish(client)).status_code == 201
        await teacher.get(m.Analysis, lambda now: now.state != "off")
        yield client
    finally:
        await client.close()


def running(app: App) -> int:
    return int(next(iter(app.services.metrics.analysers.collect())).samples[0].value)


async def ended(app: App) -> None:
    """Wait for the analyser's end; a second is what the design allows, and more what a busy machine needs."""
    async with asyncio.timeout(LEISURE):
        while running(app):
            await asyncio.sleep(0.005)


async def test_everybody_sees_the_analyser_at_work_and_that_it_sees_no_face(app: App) -> None:
    lesson = await Lesson.make(app)
    async with pages(lesson) as (teacher, student), watched(lesson, teacher):
        await student.get(m.Analysis, lambda now: (now.state, now.reason) == ("learning", "no_face"))
        members = await teacher.get(m.Members, lambda said: said.members[-1].role == "analyser")
        assert members.members[-1].present
        async with asyncio.timeout(PATIENCE):
            # the stream is told once it was received for a while, perhaps after its first sample
            while not ((table := app.services.figures.first()["table"]) and table[0]["samples"] and table[0]["stream"]):
                await asyncio.sleep(0.02)
        row = table[0]
        assert (row["state"], row["mode"]) == ("learning", "M3")
        assert row["stream"].startswith("320x240@")
        assert row["samples"] > 0


@pytest.mark.parametrize(
    ("message", "reason"),
    [(m.ConsentSend(agreed=False), "not_agreed"), (m.Camera(on=False), "camera_muted"), (m.Leave(), "no_camera")],
)
async def test_within_a_second_nothing_is_analysed_any_more(app: App, message: m.FromPage, reason: str) -> None:
    lesson = await Lesson.make(app)
    async with pages(lesson) as (teacher, student), watched(lesson, teacher):
        await student.say(message)
        await teacher.get(m.Analysis, lambda now: (now.state, now.reason) == ("off", reason))
        await ended(app)


async def test_the_teacher_turns_hints_off_and_the_analyser_goes(app: App) -> None:
    lesson = await Lesson.make(app)
    async with pages(lesson) as (teacher, _), watched(lesson, teacher):
        await teacher.say(m.HintsOn(on=False))
        await ended(app)


async def test_a_killed_browser_takes_its_analyser_with_it(app: App) -> None:
    lesson = await Lesson.make(app)
    async with pages(lesson) as (teacher, student), watched(lesson, teacher):
        student.socket.transport.abort()
        await ended(app)
        await teacher.get(m.Members, lambda said: all(row.role != "analyser" for row in said.members))


async def test_a_closed_room_takes_its_analyser_with_it(app: App) -> None:
    lesson = await Lesson.make(app)
    async with pages(lesson) as (teacher, _), watched(lesson, teacher):
        await app.hub.close_room(lesson.room)
        await ended(app)


async def test_a_client_that_ends_its_session_leaves_the_lesson_waiting_for_the_next(app: App) -> None:
    lesson = await Lesson.make(app)
    async with pages(lesson) as (teacher, _):
        for _ in range(2):
            async with watched(lesson, teacher) as client:
                assert (await client.delete()).status_code == 200
                await teacher.get(m.Analysis, lambda now: now.reason == "connecting")


async def test_a_new_session_of_the_same_student_takes_the_place_of_the_old_one(app: App) -> None:
    lesson = await Lesson.make(app)
    async with pages(lesson) as (teacher, _), watched(lesson, teacher):
        client = await feed(lesson)
        try:
            assert (await publish(client)).status_code == 201
            await teacher.get(m.Analysis, lambda now: now.reason == "connecting")
            await teacher.get(m.Analysis, lambda now: now.state == "learning")
            assert running(app) == 1
        finally:
            await client.close()


async def test_without_consent_no_offer_is_taken(app: App) -> None:
    lesson = await Lesson.make(app)
    async with lesson.student.page("page-s001"):
        client = await feed(lesson)
        try:
            assert (await publish(client)).status_code == 403
        finally:
            await client.close()


async def test_more_lessons_than_the_server_can_analyse_are_told_so(app: App) -> None:
    lesson, other = await Lesson.make(app), await Lesson.make(app)
    async with pages(lesson) as (teacher, _), watched(lesson, teacher), pages(other) as (waiting, _):
        client = await feed(other)
        try:
            assert (await publish(client)).status_code == 503
            await waiting.get(m.Analysis, lambda now: now.reason == "no_capacity")
        finally:
            await client.close()
