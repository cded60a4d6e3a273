"""The lesson as two people live it: from consent to hint, without consent, and with consent taken back."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.browser.conftest import MakePerson, MakeServer
from tests.browser.people import PATIENCE, eventually
from tests.browser.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

ANALYSERS = "lessonroom_analysers"
HELPFUL = 'lessonroom_hint_answers_total{answer="helpful"}'
REFUSE = """
navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("no", "NotAllowedError"));
"""
SLOWLY = 4.0
"""A factor on what is promised, for a machine that does much else at the same time."""
UNTIL_STRAINED = 60_000
"""Milliseconds in which the film in the camera must have come to the frown, and the frown to a hint."""


@pytest.mark.timeout(180)
async def test_a_strained_student_who_agreed_becomes_a_hint_that_the_teacher_answers(
    server: Server, person: MakePerson
) -> None:
    """The whole line: camera, consent, analyser, learning, watching, hint, answer; within 2 s of the decision."""
    links = server.room()
    teacher, student = await person("teacher", links.teacher), await person("student", links.student)
    await teacher.join()
    await expect(teacher.see("remote-text")).to_contain_text("Anna is not here yet")
    await student.join(agree=True)

    await asyncio.gather(teacher.sees_the_other(), student.sees_the_other())
    for one in (teacher, student):
        await one.knows_analysis("watching")
        told = await one.page.evaluate("globalThis.indicated.map((text) => text.replace('Camera hints: ', ''))")
        assert told[-3:] == ["connecting", "getting to know the face", "watching"]
    await teacher.see("people-button").click()
    await expect(teacher.see("person-analyser")).to_contain_text("Hint program")
    await teacher.page.keyboard.press("Escape")

    card = teacher.see("hint")
    await expect(card).to_be_visible(timeout=UNTIL_STRAINED)
    await expect(teacher.see("hint-cue")).to_contain_text("Anna may be ")
    assert await teacher.see("hint-advice").text_content()
    (hint,) = teacher.messages("hint")
    appeared = await teacher.page.evaluate(f"globalThis.appeared[{hint['id']!r}]")
    assert 0 <= appeared - hint["at"] <= 2000 * SLOWLY

    answered = server.figure(HELPFUL)
    await teacher.see("hint-helpful").click()
    await expect(teacher.see("hint-thanks")).to_be_visible()
    await expect(teacher.see("earlier-button")).to_contain_text("1 hint earlier")
    await eventually(lambda: server.figure(HELPFUL) == answered + 1, "the answer is counted")
    await teacher.page.reload()
    await teacher.see("earlier-button").click()
    await expect(teacher.see("earlier-hint").get_by_text("Helpful", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )
    assert not student.messages("hint")


async def test_a_student_who_declines_is_in_the_lesson_unwatched_and_can_still_say_that_they_are_stuck(
    server: Server, person: MakePerson
) -> None:
    links = server.room()
    teacher, student = await person("teacher", links.teacher), await person("student", links.student)
    await teacher.join()
    await student.join(agree=False)
    await asyncio.gather(teacher.sees_the_other(), student.sees_the_other())
    for one in (teacher, student):
        await expect(one.see("indicator-text")).to_have_text("Camera hints off: not agreed")

    await student.see("stuck").click()
    await expect(student.see("stuck-receipt")).to_have_text("Your teacher knows.")
    await expect(teacher.see("hint-cue")).to_have_text("Anna pressed “I’m stuck”.")

    assert not [line for line in student.asked if "/whip" in line]
    assert server.figure(ANALYSERS) == 0


async def test_a_room_that_does_not_allow_analysis_never_asks_for_consent(server: Server, person: MakePerson) -> None:
    links = server.room(mode_cap="M0")
    student = await person("student", links.student)
    await student.join()
    await expect(student.see("indicator-text")).to_have_text("Camera hints off: not allowed here")
    await expect(student.see("analysis-stop")).to_be_hidden()
    assert not [line for line in student.asked if "/whip" in line]


async def test_taking_consent_back_stops_analysis_at_once(server: Server, person: MakePerson) -> None:
    """One press, and within about a second nobody is analysed and everybody sees that."""
    links = server.room()
    teacher, student = await person("teacher", links.teacher), await person("student", links.student)
    await teacher.join()
    await student.join(agree=True)
    for one in (teacher, student):
        await expect(one.see("indicator")).not_to_have_attribute("data-state", "off")
    assert server.figure(ANALYSERS) == 1

    before = len(teacher.heard)
    pressed = time.monotonic()
    await student.see("analysis-stop").click()
    await asyncio.gather(
        eventually(lambda: server.figure(ANALYSERS) == 0, "the analyser ends", patience=3.0 * SLOWLY),
        teacher.knows_analysis("off"),
        student.knows_analysis("off"),
    )
    told = [at for at, message in teacher.heard[before:] if message.get("reason") == "not_agreed"]
    assert told
    assert told[0] - pressed < 2.0 * SLOWLY
    samples = server.figure("lessonroom_samples_total")
    await student.write("I would rather not be watched today.")
    await expect(teacher.see("message-text")).to_have_count(1)
    assert server.figure("lessonroom_samples_total") == samples
    await expect(teacher.see("indicator-text")).to_have_text("Camera hints off: not agreed")

    await student.see("indicator-button").click()
    await student.see("explain-action").click()
    await expect(teacher.see("indicator")).not_to_have_attribute("data-state", "off", timeout=PATIENCE * 1000)


async def test_a_student_without_a_camera_or_microphone_still_has_a_lesson(server: Server, person: MakePerson) -> None:
    """The browser refuses both: the page says so and how to go on, the teacher is seen and heard, chat works."""
    links = server.room()
    teacher, student = await person("teacher", links.teacher), await person("student", links.student)
    await student.page.add_init_script(REFUSE)
    await student.page.goto(student.link)
    await expect(student.see("prejoin-trouble")).to_be_visible()
    await expect(student.page.locator("#join-note")).not_to_be_empty()
    await asyncio.gather(teacher.join(), student.see("join").click())
    await student.see("consent-yes").click()
    await student.sees_the_other()
    await expect(teacher.see("remote-text")).to_have_text("Anna has the camera off.")
    await expect(teacher.see("indicator-text")).to_have_text("Camera hints off: camera is off")
    await student.write("I can see you.")
    await expect(teacher.see("message-text")).to_have_text(["I can see you."])


@pytest.mark.timeout(180)
async def test_one_person_alone_sees_it_all_work_with_a_simulated_student(
    own_server: MakeServer, person: MakePerson, films: dict[str, Path]
) -> None:
    """``lessonroom demo --simulate``: a picture that moves, analysis, and a hint, in the teacher's real browser."""
    server = own_server("demo", "--simulate", "--clip", str(films["student"]))
    teacher = await person("teacher", server.printed("teacher"))
    await teacher.join()
    await teacher.sees_the_other(sound=False)
    await teacher.knows_analysis("watching")
    await expect(teacher.see("hint-cue")).to_contain_text("Anna may be ", timeout=UNTIL_STRAINED)


async def test_a_muted_camera_and_hints_turned_off_stop_analysis_too(server: Server, person: MakePerson) -> None:
    links = server.room()
    teacher, student = await person("teacher", links.teacher), await person("student", links.student)
    await teacher.join()
    await student.join(agree=True)
    for switch, owner, reason in (
        ("camera", student, "camera is off"),
        ("hints-switch", teacher, "off for this lesson"),
    ):
        await expect(student.see("indicator")).not_to_have_attribute("data-state", "off")
        await owner.see(switch).click(force=switch == "hints-switch")
        await expect(student.see("indicator-text")).to_contain_text(reason)
        await eventually(lambda: server.figure(ANALYSERS) == 0, "the analyser ends", patience=3.0 * SLOWLY)
        await owner.see(switch).click(force=switch == "hints-switch")
    await expect(student.see("indicator")).not_to_have_attribute("data-state", "off")
