"""Every state of the pages for those who use the keyboard or a screen reader."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from playwright.async_api import expect

from tests.browser.conftest import MakePerson
from tests.browser.people import Person
from tests.browser.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

SPOKEN = {
    "button", "checkbox", "combobox", "dialog", "link", "log", "meter", "region", "searchbox", "slider", "switch",
    "tab", "textbox", "toolbar", "Video", "columnheader", "heading",
}  # fmt: skip
"""Roles that a screen reader announces, and which say nothing without a name."""
MOST_TABS = 60
SMALL = """
[...document.querySelectorAll("button, select, input, textarea")].filter((node) => {
  const target = node.closest("label, .input") ?? node;
  const box = target.getBoundingClientRect();
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  const hit = (right, down) => {
    const met = document.elementFromPoint(x + right, y + down);
    return target.contains(met) || Boolean(met?.closest("[popover]"));  // an open panel may lie over a part of it
  };
  const small = (size, ...ends) => size < 44 && ends.some(([right, down]) => !hit(right, down));
  return node.checkVisibility({ visibilityProperty: true }) && hit(0, 0) &&
    (small(box.width, [-21, 0], [21, 0]) || small(box.height, [0, -21], [0, 21]));
}).map((node) => node.id || node.dataset.testid || node.outerHTML.slice(0, 80))
"""
"""Controls that a finger meets in less than 44 CSS pixels; a label counts with its control."""
STRUCTURE = """
(() => {
  const seen = (node) => node.checkVisibility({ visibilityProperty: true });
  const ids = [...document.querySelectorAll("[id]")].map((node) => node.id);
  return {
    language: document.documentElement.lang,
    twice: ids.filter((id, index) => ids.indexOf(id) !== index),
    headings: [...document.querySelectorAll("h1")].filter(seen).length,
    mains: [...document.querySelectorAll("main")].filter((node) => !node.closest("[hidden]")).length,
    unknown: [...document.querySelectorAll("[aria-labelledby], [aria-describedby], [aria-controls], label[for]")]
      .flatMap((node) => ["aria-labelledby", "aria-describedby", "aria-controls", "for"]
        .flatMap((name) => (node.getAttribute(name) ?? "").split(" ").filter(Boolean)))
      .filter((id) => !ids.includes(id)),
    sideways: document.documentElement.scrollWidth > innerWidth + 1,
  };
})()
"""
FOCUS = "document.activeElement?.id || document.activeElement?.dataset.testid || document.activeElement?.tagName"


async def nameless(one: Person) -> list[str]:
    """What a screen reader would announce without a word, as the browser computes it."""
    tools = await one.page.context.new_cdp_session(one.page)
    tree: list[dict[str, Any]] = (await tools.send("Accessibility.getFullAXTree"))["nodes"]
    await tools.detach()
    found = []
    for node in tree:
        role, name = node.get("role", {}).get("value"), node.get("name", {}).get("value", "")
        if not node["ignored"] and role in SPOKEN and not name.strip():
            found.append(f"{role} {node.get('properties', '')}")
    return found


async def check(one: Person) -> None:
    """The least that every state has to keep."""
    found = await nameless(one)
    for _ in range(20):  # the browser computes its names a moment after the page has changed
        if not found:
            break
        await asyncio.sleep(0.1)
        found = await nameless(one)
    assert found == []
    assert await one.page.evaluate(STRUCTURE) == {
        "language": "en", "twice": [], "headings": 1, "mains": 1, "unknown": [], "sideways": False,
    }  # fmt: skip
    assert await one.page.evaluate(SMALL) == []


async def tab_to(one: Person, wanted: str) -> None:
    """Press Tab until the focus is there; it must be visible on the way."""
    way = []
    for _ in range(MOST_TABS):
        await one.page.keyboard.press("Tab")
        way.append(await one.page.evaluate(FOCUS))
        if way[-1] == wanted:
            return
    raise AssertionError(f"Tab does not lead to {wanted}, only to {way}")


@pytest.mark.parametrize(
    "size", [{"width": 1280, "height": 800}, {"width": 360, "height": 740}], ids=["laptop", "phone"]
)
async def test_in_every_state_all_controls_have_names_and_room(
    server: Server, person: MakePerson, size: dict[str, int]
) -> None:
    links = server.room()
    teacher = await person("teacher", links.teacher, viewport=size)
    student = await person("student", links.student, viewport=size)
    for one in (teacher, student):
        await one.open()
        await check(one)
        await one.see("join").click()
    await expect(student.see("consent-yes")).to_be_visible()
    await check(student)
    await student.see("consent-yes").click()
    await asyncio.gather(teacher.sees_the_other(), student.sees_the_other())
    await student.see("stuck").click()
    await expect(teacher.see("hint")).to_be_visible()
    await check(teacher)
    await check(student)
    for popover in ("indicator-button", "people-button"):
        await student.see(popover).click()
        await check(student)
        await student.page.keyboard.press("Escape")
    if size["width"] < 900:
        await student.see("chat-button").click()
    await student.write("My number is +7 916 123-45-67")
    await expect(student.see("stopped-reason")).to_be_visible()
    await check(student)
    await teacher.see("leave").click()
    await expect(teacher.see("door-action")).to_be_visible()
    await check(teacher)


async def test_a_whole_lesson_without_a_mouse(server: Server, person: MakePerson) -> None:
    """Join, decline, write, be stopped, delete, press "I'm stuck", leave: with Tab, Enter and Space alone."""
    links = server.room()
    teacher, student = await person("teacher", links.teacher), await person("student", links.student)
    await teacher.join()
    await student.open()
    keys = student.page.keyboard
    await tab_to(student, "join")
    await keys.press("Enter")
    await expect(student.see("consent")).to_be_visible()
    await tab_to(student, "consent-no")
    await keys.press("Space")
    await expect(student.see("room")).to_be_visible()

    await tab_to(student, "draft")
    await keys.type("Shall we begin?")
    await keys.press("Enter")
    await expect(teacher.see("message-text")).to_have_text(["Shall we begin?"])
    await keys.type("My number is +7 916 123-45-67")
    await keys.press("Enter")
    await expect(student.see("stopped-reason")).to_be_visible()
    await tab_to(student, "stopped-delete")
    await keys.press("Enter")
    await expect(student.see("stopped")).to_be_hidden()
    assert await student.page.evaluate(FOCUS) == "draft"

    await tab_to(student, "stuck")
    await keys.press("Space")
    await expect(student.see("stuck-receipt")).to_have_text("Your teacher knows.")
    await expect(teacher.see("hint")).to_be_visible()
    await tab_to(teacher, "hint-helpful")
    await teacher.page.keyboard.press("Enter")
    await expect(teacher.see("hint-thanks")).to_be_visible()
    await tab_to(student, "leave")
    await keys.press("Enter")
    await expect(student.see("door-action")).to_be_visible()


async def test_a_used_link_says_what_to_do_and_is_accessible_too(server: Server, person: MakePerson) -> None:
    links = server.room()
    first, second = await person("student", links.student), await person("teacher", links.student)
    await first.open()
    second.forgive("status of 401")
    await second.page.goto(second.link)
    await expect(second.see("door-title")).to_have_text("This link does not open the lesson")
    await check(second)


async def test_the_operations_page_is_accessible_too(server: Server, person: MakePerson) -> None:
    teacher = await person("teacher", server.room().teacher)
    await teacher.join()
    operator = await person("teacher", server.operator())
    await operator.page.goto(operator.link)
    await expect(operator.see("room-row")).to_have_count(1)
    await check(operator)
