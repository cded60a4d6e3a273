"""The review page with real messages, from the writer's page and back to it: held, appealed, stopped, sampled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import expect

from lessonroom import messages as m
from tests.browser.conftest import MakePerson
from tests.browser.people import Person
from tests.browser.server import Server
from tests.browser.test_access import FOCUS, check, tab_to
from tests.integration.serving import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

NUMBER = "+7 916 123-45-67"
APPEALED = f"The sum in task four is not a phone, my number is {NUMBER}"
HELD = "My Skype is vasya82pupkin"
BLOCKED = "you can write to me at vasya.pupkin@gmail.com"
SAMPLE = "Good afternoon! I did exercise 7 on page 42."
SIZES = [{"width": 1280, "height": 800}, {"width": 360, "height": 740}]


@pytest.fixture(scope="module")
def desk(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that holds names in messengers, and offers every message for review: chance would make a test wait."""
    held = "messenger,profile,find_me,solicit"
    folder = tmp_path_factory.mktemp("desk")
    server = Server(folder, LESSONROOM_CHAT_HOLD_KINDS=held, LESSONROOM_REVIEW_SAMPLE="1")
    server.start()
    yield server
    server.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def lesson(desk: Server, person: MakePerson) -> AsyncIterator[tuple[Person, Person]]:
    """A teacher and a student with their pages; the student has one message of each sort waiting."""
    links = desk.room(mode_cap="M0")
    teacher, student = await person("teacher", links.teacher), await person("student", links.student)
    await asyncio.gather(teacher.join(), student.join())
    await student.write(SAMPLE)
    await expect(teacher.see("message-text")).to_have_text([SAMPLE])
    await student.write(APPEALED)
    await student.see("stopped-appeal").click()
    await student.write(HELD)
    await expect(student.see("message-status").last).to_have_text("Waiting for a check")
    await student.write(BLOCKED)
    await expect(student.see("stopped-reason")).to_contain_text("e-mail address")
    yield teacher, student
    desk.decide_all()


@pytest_asyncio.fixture(loop_scope="session")
async def waiting(desk: Server) -> AsyncIterator[None]:
    """The same messages of a student whose page nobody looks at."""
    writer = Visitor(desk.base, desk.room(mode_cap="M0").student)
    await writer.enter()
    async with writer.page() as page:
        for number, text in enumerate((SAMPLE, APPEALED, HELD, BLOCKED), 1):
            await page.chat(text, f"message-{number}")
        await page.say(m.ChatAppeal(id="message-2"))
        await page.get(m.ChatAck)
    await writer.http.aclose()
    yield
    desk.decide_all()


async def at_the_desk(desk: Server, person: MakePerson, **options: object) -> Person:
    """An operator on the review page, who came by the link on the operations page."""
    operator = await person("teacher", desk.operator(), **options)
    await operator.page.goto(operator.link)
    await expect(operator.see("to-review")).to_have_text("Review: 4 messages wait")
    await operator.see("to-review").click()
    await expect(operator.see("message")).to_be_visible()
    return operator


async def press(operator: Person, key: str, waiting: int, *, stored: bool = True) -> None:
    """Press a key as somebody does who has read the message, and see how many still wait.

    ``stored``: until the server has the decision, too: else the end of a test would decide otherwise, or before it.
    """
    await asyncio.sleep(0.4)
    await operator.page.keyboard.press(key)
    await expect(operator.page.locator("[data-count=all]")).to_have_text(str(waiting))
    if stored:
        await operator.until("(sessionStorage.getItem('lessonroom.decisions') ?? '[]') === '[]'")


async def test_decisions_reach_the_room_its_writer_and_the_share_of_wrong_blocks(
    desk: Server, person: MakePerson, lesson: tuple[Person, Person]
) -> None:
    """Appealed and ordinary: delivered. Held and a contact: not, and its writer is told. By keys, one after another."""
    teacher, student = lesson
    decided, wrong = desk.wrong_blocks()
    operator = await at_the_desk(desk, person)
    await expect(operator.see("why")).to_have_text("Appealed.")
    await expect(operator.see("fact-found")).to_have_text("phone number")
    await expect(operator.see("fact-lang")).to_have_text("English")
    await press(operator, "o", 3)
    await expect(operator.see("why")).to_have_text("Held.")
    await expect(teacher.see("message-text")).to_have_text([SAMPLE, APPEALED])
    await press(operator, "c", 2)
    await expect(operator.see("why")).to_have_text("Stopped.")
    await press(operator, "c", 1)
    await expect(operator.see("wrong-counts")).to_contain_text(f"{decided + 2} stopped messages; {wrong + 1} w")
    await expect(operator.see("wrong-share")).to_have_text(f"{(wrong + 1) / (decided + 2):.0%}")
    await press(operator, "o", 0)
    await expect(operator.see("nothing-title")).to_have_text("Nothing waits for you")
    await expect(operator.see("sending")).to_have_text("4 messages decided now, all stored.")

    told = [
        "Checked by a person and sent",
        "Checked by a person and not sent. Contacts can be exchanged after the first",
    ]
    for _ in range(2):
        await expect(student.see("message-status")).to_contain_text(told)
        await expect(student.see("stopped-reason")).to_contain_text("e-mail address")
        await student.page.reload()
    await expect(teacher.see("message-text")).to_have_text([SAMPLE, APPEALED])
    await operator.see("to-operations").click()
    await expect(operator.see("to-review")).to_have_text("Review: nothing waits")


async def test_the_text_is_seen_only_by_who_asks_and_then_with_what_was_found(
    desk: Server, person: MakePerson, waiting: None
) -> None:
    operator = await at_the_desk(desk, person)
    await expect(operator.see("chips").locator("li")).to_have_count(len(APPEALED.split()))
    words = await operator.see("chips").locator("li").all_text_contents()
    assert sorted(words) == sorted(APPEALED.split())
    await expect(operator.see("text-note")).to_have_text("It will be recorded that you looked.")
    assert not [asked for asked in operator.asked if asked.endswith("/text")]
    assert APPEALED not in await operator.page.content()

    await operator.page.keyboard.press("t")
    await expect(operator.see("clear-text")).to_have_text(APPEALED)
    await expect(operator.see("clear-text").locator("mark")).to_have_text([NUMBER])
    await expect(operator.see("before").locator(".before-text")).to_have_text([SAMPLE])
    await expect(operator.see("chips")).to_be_hidden()
    assert [record["action"] for record in desk.audits()].count("message.read") >= 1

    await press(operator, "o", 3)
    await expect(operator.see("clear")).to_be_hidden()


async def test_a_decision_that_does_not_reach_the_server_is_kept_and_sent_again(
    desk: Server, person: MakePerson, lesson: tuple[Person, Person]
) -> None:
    """The next message comes at once; what is wrong is said; nothing is lost by a reload."""
    teacher, _ = lesson
    operator = await at_the_desk(desk, person)
    operator.forgive("ERR_INTERNET_DISCONNECTED|ERR_FAILED")
    await operator.page.route("**/decision", lambda route: route.abort())
    await press(operator, "o", 3, stored=False)
    await expect(operator.see("why")).to_have_text("Held.")
    await expect(operator.see("sending")).to_contain_text("1 decision has not reached the server. It is kept here")
    await expect(teacher.see("message-text")).to_have_text([SAMPLE])

    operator.page.on("dialog", lambda dialog: dialog.accept())
    await operator.page.reload()
    await expect(operator.see("why")).to_have_text("Held.")
    await operator.page.unroute("**/decision")
    await operator.see("send-again").click()
    await expect(teacher.see("message-text")).to_have_text([SAMPLE, APPEALED])
    await expect(operator.see("sending")).to_have_text("1 message decided now, stored.")


async def test_a_double_press_decides_one_message(desk: Server, person: MakePerson, waiting: None) -> None:
    """Nobody can have read the second one, and a decision cannot be taken back."""
    operator = await at_the_desk(desk, person)
    await asyncio.sleep(0.4)
    await operator.page.evaluate("for (const _ of [1, 2]) document.querySelector('#ordinary').click()")
    await expect(operator.see("sending")).to_have_text("1 message decided now, stored.")
    await expect(operator.page.locator("[data-count=all]")).to_have_text("3")


async def test_one_kind_can_be_worked_on_and_a_message_left_for_later(
    desk: Server, person: MakePerson, waiting: None
) -> None:
    operator = await at_the_desk(desk, person)
    await operator.see("later").click()
    await expect(operator.see("why")).to_have_text("Held.")
    await operator.see("filter-sample").check()
    await expect(operator.see("why")).to_have_text("Sample.")
    await press(operator, "o", 3)
    await expect(operator.see("nothing-title")).to_have_text("Nothing of this kind waits")
    await operator.see("nothing-action").click()
    await expect(operator.see("message")).to_be_visible()


@pytest.mark.parametrize("size", SIZES, ids=["laptop", "phone"])
async def test_every_state_has_names_and_room_and_can_be_worked_without_a_mouse(
    desk: Server, person: MakePerson, waiting: None, size: dict[str, int]
) -> None:
    operator = await at_the_desk(desk, person, viewport=size)
    await check(operator)
    await tab_to(operator, "show-text")
    await operator.page.keyboard.press("Enter")
    await expect(operator.see("clear-text")).to_be_visible()
    await check(operator)
    await tab_to(operator, "contact")
    for left in (3, 2, 1):
        await press(operator, "Enter", left)
        assert await operator.page.evaluate(FOCUS) == "contact"
    await press(operator, "Space", 0)
    assert await operator.page.evaluate(FOCUS) == "nothing-title"
    await check(operator)


async def test_nothing_moves_when_the_next_message_comes(desk: Server, person: MakePerson, waiting: None) -> None:
    operator = await at_the_desk(desk, person)
    where = "JSON.stringify(document.querySelector('#contact').getBoundingClientRect())"
    before = await operator.page.evaluate(where)
    await operator.see("show-text").click()
    await expect(operator.see("clear-text")).to_be_visible()
    assert await operator.page.evaluate(where) == before
    await press(operator, "o", 3)
    assert await operator.page.evaluate(where) == before


async def test_single_keys_can_be_turned_off_and_stay_off(desk: Server, person: MakePerson, waiting: None) -> None:
    """WCAG 2.2, success criterion 2.1.4: somebody who speaks to the machine would decide with every word."""
    operator = await at_the_desk(desk, person)
    await operator.page.locator(".keys-switch").click()
    await operator.page.reload()
    await expect(operator.see("message")).to_be_visible()
    await asyncio.sleep(0.4)
    await operator.page.keyboard.press("o")
    await expect(operator.see("why")).to_have_text("Appealed.")
    await expect(operator.see("sending")).to_be_empty()
