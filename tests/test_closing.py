"""Lessons that nobody closes close by themselves, so that what is kept of them has an end."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from lessonroom.app import App
from lessonroom.closing import HOUR, Closing
from lessonroom.storage.audit import AuditRecord
from tests.integration.serving import Lesson, serving

DAYS = 40 * 24 * HOUR


def closing(app: App, later: float, hours: float = 24) -> Closing:
    return Closing(app._store, app.hub, hours, clock=lambda: time.time() + later)


async def closed(app: App, room: str) -> bool:
    return (await app.services.store.room(room)).closed_at is not None


async def left(app: App) -> None:
    """Wait until the server knows that nobody is there."""
    async with asyncio.timeout(60):
        while list(app.hub.live_rooms()):
            await asyncio.sleep(0.01)


async def test_a_lesson_that_is_over_closes_by_itself_on_record(tmp_path: Path) -> None:
    """Not while somebody is in it, not while a session leads into it, and not at all where the setting says so."""
    async with serving(tmp_path, session_hours=30.0) as app:
        lesson = await Lesson.make(app)
        async with lesson.student.page() as page:
            await page.chat("hello")
            assert await closing(app, DAYS).close_quiet() == 0
        await left(app)
        assert await closing(app, 25 * HOUR).close_quiet() == 0  # the session may come back
        assert await closing(app, DAYS, hours=0).close_quiet() == 0
        assert not await closed(app, lesson.room)
        assert await closing(app, DAYS).close_quiet() == 1
        assert await closed(app, lesson.room)
        last = (await app.services.store.audits(None, 99))[-1]
        assert (last.actor, last.action, last.subject) == ("server", "room.closed", f"room:{lesson.room}")
        assert await closing(app, DAYS).close_quiet() == 0


@pytest.mark.parametrize("hours", [23.0, 25.0])
async def test_the_time_counts_from_the_last_thing_that_was_stored(tmp_path: Path, hours: float) -> None:
    async with serving(tmp_path, session_hours=0.1, link_hours=0.01) as app:
        lesson = await Lesson.make(app)
        async with lesson.student.page() as page:
            await page.chat("hello")
        await left(app)
        assert await closing(app, hours * HOUR).close_quiet() == (hours > 24)


async def test_a_lesson_of_next_week_stays_open_while_its_link_waits(tmp_path: Path) -> None:
    async with serving(tmp_path, link_hours=24.0 * 8) as app:
        room = await app.admission.make_room()
        await app.admission.make_member(room, "student", "Sam")
        await app.admission.make_member(room, "guardian", "Gail")  # whose link is longer, and leads into no lesson
        assert await closing(app, 7 * 24 * HOUR).close_quiet() == 0
        assert await closing(app, 9 * 24 * HOUR).close_quiet() == 1


async def test_a_lesson_into_which_a_new_link_was_made_while_others_were_closed_stays_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(tmp_path) as app:
        first, second = [await app.admission.make_room() for _ in range(2)]
        close, now = app.hub.close_room, time.time() + DAYS

        async def slowly(room: str, audit: AuditRecord | None = None) -> None:
            if room == first:
                await app.admission.make_member(second, "student", "Sam")
            await close(room, audit)

        monkeypatch.setattr(app.hub, "close_room", slowly)
        monkeypatch.setattr(app.admission, "_clock", lambda: now)
        assert await Closing(app._store, app.hub, 24, clock=lambda: now).close_quiet() == 1
        assert (await closed(app, first), await closed(app, second)) == (True, False)


async def test_the_server_does_it_by_itself(tmp_path: Path) -> None:
    """A lesson from before is closed when the server starts; the sweeper goes on hourly."""
    async with serving(tmp_path) as app:
        room = await app.admission.make_room()
    async with serving(tmp_path, close_rooms_hours=1e-9) as app, asyncio.timeout(60):
        while not await closed(app, room):
            await asyncio.sleep(0.01)
