"""The chat between two real pages: relayed, stopped, kept over a reload, and kept to its own room."""

from __future__ import annotations

import asyncio
import json

import pytest
from playwright.async_api import expect

from tests.browser.conftest import MakePerson
from tests.browser.people import Person
from tests.browser.server import Links, Server

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

HARMLESS = "Good afternoon! I did exercise 7 on page 42."
NUMBER = "+7 916 123-45-67"
CONTACT = f"😀 Call me any evening, my number is {NUMBER}"
MENDED = "Call me whatever you like, but explain the past tense to me."


async def both(person: MakePerson, links: Links, *, agree: bool = False) -> tuple[Person, Person]:
    """Teacher and student in the lesson."""
    teacher, student = await person("teacher", links.teacher), await person("student", links.student)
    await asyncio.gather(teacher.join(), student.join(agree=agree))
    return teacher, student


async def test_a_harmless_message_is_relayed_and_a_contact_stays_with_its_writer_until_it_is_mended(
    server: Server, person: MakePerson
) -> None:
    teacher, student = await both(person, server.room())
    await student.write(HARMLESS)
    await expect(teacher.see("message-text")).to_have_text([HARMLESS])
    await expect(student.see("message")).to_have_attribute("data-state", "relayed")

    await student.write(CONTACT)
    await expect(student.see("stopped-reason")).to_contain_text("This looks like a phone number.")
    await expect(student.see("chat-input")).to_have_value(CONTACT)
    await expect(student.see("marks").locator("mark")).to_have_text([NUMBER])
    await expect(student.see("chat-send")).to_be_disabled()

    await student.see("stopped-edit").click()
    chosen = "(({value, selectionStart, selectionEnd}) => value.slice(selectionStart, selectionEnd))"
    assert await student.page.evaluate(f"{chosen}(document.activeElement)") == NUMBER
    await student.write(MENDED)
    await expect(teacher.see("message-text")).to_have_text([HARMLESS, MENDED])
    await expect(student.see("message-text")).to_have_text([HARMLESS, MENDED])
    await expect(student.see("stopped")).to_be_hidden()
    await expect(student.see("chat-input")).to_have_value("")
    assert "916" not in json.dumps([message for _, message in teacher.heard])


async def test_a_stopped_message_can_be_sent_for_review_or_deleted(server: Server, person: MakePerson) -> None:
    _, student = await both(person, server.room())
    await student.write(CONTACT)
    await student.see("stopped-appeal").click()
    await expect(student.see("message-status")).to_have_text("Sent for review, waiting for a check")
    await expect(student.see("chat-input")).to_have_value("")

    await student.write(CONTACT.replace("67", "68"))
    await student.see("stopped-delete").click()
    await expect(student.see("stopped")).to_be_hidden()
    await expect(student.see("message")).to_have_count(1)
    await student.page.reload()
    await expect(student.see("message")).to_have_count(1)
    await expect(student.see("stopped")).to_be_hidden()


@pytest.mark.parametrize("who", ["student", "teacher"])
async def test_a_reload_in_mid_lesson_leads_straight_back_to_picture_sound_and_chat(
    server: Server, person: MakePerson, who: str
) -> None:
    """Nobody is asked anything again; every message is there once; analysis begins anew; a draft is still there."""
    teacher, student = await both(person, server.room(), agree=True)
    one, other = (student, teacher) if who == "student" else (teacher, student)
    await teacher.write("Shall we begin?")
    await expect(student.see("message-text")).to_have_count(1)
    await student.write(HARMLESS)
    await student.see("stuck").click()
    said = ["Shall we begin?", HARMLESS]
    for each in (one, other):
        await expect(each.see("message-text")).to_have_text(said)
        await each.sees_the_other()
    await one.see("chat-input").fill("not sent y")

    await one.page.reload()
    await asyncio.gather(one.sees_the_other(), other.sees_the_other())
    await expect(one.see("message-text")).to_have_text(said)
    await expect(one.see("chat-input")).to_have_value("not sent y")
    await expect(other.see("message-text")).to_have_text(said)
    await expect(one.see("indicator")).not_to_have_attribute("data-state", "off")
    await expect(teacher.page.locator("[data-cue=stuck_button]")).to_have_count(1)
    await other.write("Here you are again.")
    await expect(one.see("message-text")).to_have_text([*said, "Here you are again."])


async def test_two_rooms_hear_nothing_of_each_other(server: Server, person: MakePerson) -> None:
    """Not on the screen, and not on the wire either."""
    first = await both(person, server.room(teacher="Maria", student="Anna"))
    second = await both(person, server.room(teacher="Olga", student="Boris"))
    await first[1].write("The blue whale is the largest animal.")
    await second[1].write("The stone age began long ago.")
    await first[1].see("stuck").click()
    await expect(first[0].see("message-text")).to_have_text(["The blue whale is the largest animal."])
    await expect(second[0].see("message-text")).to_have_text(["The stone age began long ago."])
    await expect(first[0].see("hint-cue")).to_contain_text("Anna")
    await asyncio.gather(*(one.sees_the_other() for one in (*first, *second)))

    for room, foreign in ((first, ("stone age", "Olga", "Boris")), (second, ("blue whale", "Maria", "Anna"))):
        for one in room:
            heard = json.dumps([message for _, message in one.heard])
            assert not [word for word in foreign if word in heard]
            assert len({message["room"] for message in one.messages("welcome")}) == 1
    assert not second[0].messages("hint")
    await expect(second[0].see("hint")).to_have_count(0)


async def test_on_a_phone_the_folded_chat_counts_what_came_and_a_counted_message_is_read_when_it_opens(
    server: Server, person: MakePerson
) -> None:
    links, phone = server.room(), {"width": 360, "height": 740}
    teacher, student = await person("teacher", links.teacher), await person("student", links.student, viewport=phone)
    await asyncio.gather(teacher.join(), student.join(agree=False))
    for text in ("Good afternoon!", "Shall we begin?"):
        await teacher.write(text)
    await expect(student.see("chat-count")).to_have_text("2")
    await expect(student.see("chat-button")).to_have_attribute("aria-label", "Open the chat, 2 new messages")
    await student.see("chat-button").click()
    await expect(student.see("message-text").last).to_be_in_viewport()
    await student.page.keyboard.press("Escape")
    await expect(student.see("chat-count")).to_be_hidden()
    await student.page.reload()
    await student.sees_the_other()
    await expect(student.see("message-text")).to_have_count(2)
    await expect(student.see("chat-count")).to_be_hidden()


async def test_a_second_window_of_the_same_person_takes_the_lesson_over(server: Server, person: MakePerson) -> None:
    """The first window says so and stops; the other side sees the person once, and goes on."""
    teacher, student = await both(person, server.room())
    await teacher.sees_the_other()
    window = Person(await student.page.context.new_page(), student.page.url)
    await window.join()
    await expect(student.see("door-title")).to_contain_text("another window")
    await asyncio.gather(teacher.sees_the_other(), window.sees_the_other())
    await teacher.write("Welcome back.")
    await expect(window.see("message-text")).to_have_text(["Welcome back."])
    assert window.unforgiven() == []
