"""What people bring along has room on the pages: long names, small windows, letters that run from right to left."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import expect

from tests.browser.conftest import MakePerson
from tests.browser.people import Person
from tests.browser.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

TEACHER = "Maria-Alexandrovna Константинопольская-Преображенская-Wolf"
STUDENT = "Anastasia Wilhelmine Featherstonehaugh-Cholmondeley de Vere"
ONE_LINE = (
    "document.querySelector('#indicator-text').scrollWidth <= document.querySelector('#indicator-text').clientWidth"
)
OUTSIDE = """
[...document.querySelectorAll(".hint, #controls button, .indicator, .top button, .top select")]
  .filter((node) => node.checkVisibility({ visibilityProperty: true }))
  .filter((node) => {
    const { top, left, bottom, right } = node.getBoundingClientRect();
    return top < 0 || left < 0 || bottom > innerHeight || right > innerWidth;
  }).map((node) => node.id || node.className)
"""
"""Parts of the room that reach over an edge of the window."""
FIRST_FRAME = """
new Promise((done) => {
  document.querySelector("[popovertarget=people]").click();
  requestAnimationFrame(() => done(document.querySelector("#people").getBoundingClientRect().left));
})
"""
"""Where the list of people stands, from the left, when it is painted for the first time."""


async def direction(one: Person, selector: str) -> str:
    """Where the lines of this part begin."""
    return str(await one.page.evaluate("(part) => getComputedStyle(document.querySelector(part)).direction", selector))


@pytest.mark.parametrize(
    "size",
    [{"width": 1366, "height": 768}, {"width": 390, "height": 844}, {"width": 683, "height": 384}],
    ids=["laptop", "phone", "laptop at 200 percent"],
)
async def test_long_names_hide_neither_the_sign_of_analysis_nor_a_part_of_the_hint(
    server: Server, person: MakePerson, size: dict[str, int]
) -> None:
    """In Russian, whose hints are the longest."""
    links = server.room(teacher=TEACHER, student=STUDENT)
    look = {"viewport": size, "locale": "ru-RU"}
    teacher, student = await person("teacher", links.teacher, **look), await person("student", links.student, **look)
    await teacher.join()
    await student.join(agree=True)
    await asyncio.gather(teacher.sees_the_other(), student.sees_the_other())
    await student.see("stuck").click()
    await expect(teacher.see("hint-cue")).to_contain_text("Anastasia Wilhelmine… просит помощи")
    for one in (teacher, student):
        assert await one.page.evaluate(ONE_LINE)
        # the card slides in
        await one.page.evaluate("Promise.all(document.getAnimations().map((each) => each.finished))")
        assert await one.page.evaluate(OUTSIDE) == []


async def test_a_message_in_hebrew_begins_at_the_right_while_it_is_typed_and_when_it_has_come(
    server: Server, person: MakePerson
) -> None:
    links = server.room(mode_cap="M0")
    teacher, student = await person("teacher", links.teacher), await person("student", links.student)
    await asyncio.gather(teacher.join(), student.join())
    await student.see("chat-input").fill("אני לא מבין 😀")
    assert await direction(student, "#draft") == "rtl"
    await student.page.keyboard.press("Enter")
    await expect(teacher.see("message")).to_have_count(1)
    for one in (teacher, student):
        assert await direction(one, ".bubble") == "rtl"
    await student.write("exercise 7")
    await expect(teacher.see("message")).to_have_count(2)
    assert await direction(teacher, ".message:last-child .bubble") == "ltr"


async def test_who_answers_an_earlier_hint_by_keyboard_stays_on_its_button(server: Server, person: MakePerson) -> None:
    links = server.room(mode_cap="M0")
    teacher, student = await person("teacher", links.teacher), await person("student", links.student)
    await asyncio.gather(teacher.join(), student.join())
    await student.see("stuck").click()
    await teacher.see("hint-close").click()
    await teacher.see("earlier-button").click()
    answer = teacher.see("earlier-hint").get_by_role("button", name="Not helpful")
    await answer.focus()
    await teacher.page.keyboard.press("Enter")
    await expect(answer).to_have_attribute("aria-pressed", "true")
    await expect(answer).to_be_focused()


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
async def test_a_panel_stands_beside_its_button_from_its_first_frame_on(
    server: Server, person: MakePerson, motion: str
) -> None:
    """Never in the corner of the window for a moment, whether the browser tells of its opening early or late."""
    student = await person("student", server.room(mode_cap="M0").student, reduced_motion=motion)
    await student.join()
    assert await student.page.evaluate(FIRST_FRAME) > student.page.viewport_size["width"] / 2  # type: ignore[index]
