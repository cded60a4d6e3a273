"""Whose lessons researchers may count: those of people who all agree now."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from lessonroom import rights
from lessonroom.aggregates import Counted
from lessonroom.policy import Band
from lessonroom.storage.agreed import ADULT, lessons
from lessonroom.storage.consent import By, Purpose
from lessonroom.storage.sql import SqlStore, open_store
from lessonroom.storage.store import HintRecord
from tests.contracts.store import NOW, ROOM, STUDENT, TEACHER, YES, deed

COUNTED = Counted("2026-11", "uk", STUDENT.sender, TEACHER.sender, (("chat", "helpful"), ("frowning", None)))


@pytest.fixture
async def store(url: str) -> AsyncIterator[SqlStore]:
    """A closed lesson of an adult, with two hints."""
    store = open_store(url, deadline=30, queue=1000)
    await store.open()
    await store.add_room(replace(ROOM, created_at=1_793_000_000.0 + 15 * 86_400))
    await store.add_member(TEACHER)
    await store.add_member(replace(STUDENT, band=ADULT))
    await store.add_hint(HintRecord("hint-1", ROOM.id, "chat", "explain_again", NOW, "helpful"))
    await store.add_hint(HintRecord("hint-2", ROOM.id, "frowning", "slow_down", NOW))
    await store.close_room(ROOM.id, NOW)
    yield store
    await store.close()


async def say(
    store: SqlStore,
    person: str,
    given: bool = True,
    *,
    by: By = By.SELF,
    until: float = NOW + 100,
    purpose: Purpose = Purpose.RESEARCH,
) -> None:
    said = len(await store.audits(None, 99))
    word = replace(
        YES, id=f"word-{said}", person=person, purpose=purpose, by=by, given=given, expires_at=until, lang="uk"
    )
    await store.add_consent(word, deed(f"deed-{said}"))


async def counted(store: SqlStore, now: float = NOW) -> list[Counted]:
    return await store.run(lambda db: lessons(db, now), writes=False)


async def test_a_lesson_counts_while_student_and_teacher_agree_to_research(store: SqlStore) -> None:
    """A yes to another purpose is none to this one; a no, and the end of a yes, take the lesson out."""
    assert ADULT == Band.ADULT
    for purpose in (Purpose.HINTS, Purpose.TRAINING):
        await say(store, STUDENT.sender, purpose=purpose)
    await say(store, TEACHER.sender)
    assert await counted(store) == []
    await say(store, STUDENT.sender)
    assert await counted(store) == [COUNTED]
    assert await counted(store, NOW + 101) == []
    await say(store, TEACHER.sender, given=False)
    assert await counted(store) == []
    await say(store, TEACHER.sender)
    await say(store, STUDENT.sender, given=False)
    assert await counted(store) == []


@pytest.mark.parametrize("band", ["13-15", "16-17", ""])
async def test_a_minors_lesson_counts_with_the_guardians_yes_alone(store: SqlStore, band: str) -> None:
    young = "platform:young"
    await store.add_room(replace(ROOM, id="room-0009"))
    await store.add_member(replace(TEACHER, id="teacher-9", room="room-0009"))
    await store.add_member(replace(STUDENT, id="student-9", room="room-0009", sender=young, band=band))
    await store.close_room("room-0009", NOW)
    for person in (young, TEACHER.sender):
        await say(store, person)
    assert await counted(store) == []
    await say(store, young, by=By.GUARDIAN)
    assert [one.student for one in await counted(store)] == [young]
    await say(store, young, given=False)
    assert await counted(store) == []


async def test_open_lessons_and_those_of_more_than_two_do_not_count(store: SqlStore) -> None:
    for person in (STUDENT.sender, TEACHER.sender):
        await say(store, person)
    await store.add_room(replace(ROOM, id="room-0009"))
    await store.add_member(replace(TEACHER, id="teacher-9", room="room-0009"))
    await store.add_member(replace(STUDENT, id="student-9", room="room-0009", band=ADULT))
    assert await counted(store) == [COUNTED]
    await store.add_member(replace(STUDENT, id="student-8", room="room-0009", band=ADULT))
    await store.close_room("room-0009", NOW)
    assert await counted(store) == [COUNTED]


async def test_that_lessons_were_counted_goes_on_record(store: SqlStore) -> None:
    assert await rights.agreed(store, actor="command") == []
    last = (await store.audits(None, 99))[-1]
    assert (last.actor, last.action, last.detail) == ("command", "lessons.counted", {"lessons": 0})
