"""Hints without a camera, in real browsers: from what a student writes and solves to the words that a teacher reads."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import expect

from tests.browser.conftest import MakePerson
from tests.browser.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_a_student_who_declined_the_camera_and_writes_that_it_is_unclear_becomes_a_hint(
    server: Server, person: MakePerson
) -> None:
    """The teacher reads the hint in the language of the page; turned off, nothing more comes."""
    links = server.room()
    teacher, student = await person("teacher", links.teacher, locale="uk-UA"), await person("student", links.student)
    await teacher.join()
    await student.join(agree=False)
    await student.write("Sorry, I don't get it")
    await student.write("can you explain it again?")
    await expect(teacher.see("hint-cue")).to_have_text("Anna пише, що не все зрозуміло.")
    await expect(teacher.see("hint-advice")).to_have_text("Можна пояснити ще раз іншими словами.")
    await expect(student.see("indicator-text")).to_have_text("Camera hints off: not agreed")
    await teacher.see("hint-helpful").click()
    await expect(teacher.see("hint-thanks")).to_be_visible()
    assert not student.messages("hint")


async def test_exercises_of_the_platform_become_a_hint(server: Server, person: MakePerson) -> None:
    links = server.room(mode_cap="M0")
    teacher, student = await person("teacher", links.teacher), await person("student", links.student)
    await asyncio.gather(teacher.join(), student.join())
    for number in range(5):
        await asyncio.to_thread(server.exercise, links, "wrong_answer", f"event-{number:03}")
    await expect(teacher.see("hint-cue")).to_have_text("Anna may be finding an exercise hard.")
    await expect(teacher.see("hint-advice")).to_have_text("You could split the task into smaller steps.")
