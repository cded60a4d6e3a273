"""The page of choices, and what is said there in the lesson: by students, by their guardians, by teachers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Route, expect

from lessonroom.rooms.consent import TEXT
from tests.browser.conftest import MakePerson
from tests.browser.people import Person, eventually
from tests.browser.server import Server
from tests.browser.test_access import check, tab_to
from tests.tables import minors_allowed

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

ANALYSERS = "lessonroom_analysers"
WAITING = "Camera hints off: waiting for a parent"
NOT_AGREED = "Camera hints off: not agreed"
SAVED_YES = "You agreed. Your yes counts until "
SIZES = [{"width": 1280, "height": 800}, {"width": 360, "height": 740}]
I18N = Path(__file__).parents[2] / "web" / "i18n"


@dataclass(frozen=True)
class Family:
    """The links of a lesson with a student of 14 and their guardian."""

    teacher: str
    student: str
    guardian: str


@pytest.fixture(scope="module")
def home(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose table lets it look at minors whose guardian agrees."""
    folder = tmp_path_factory.mktemp("home")
    server = Server(folder, LESSONROOM_POLICY_TABLE=str(minors_allowed(folder)))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def family(home: Server) -> Family:
    links = home.room(age=14)
    return Family(links.teacher, links.student, home.member(links.room, "guardian", "Gus"))


async def at_choices(person: MakePerson, link: str, **options: object) -> Person:
    one = await person("teacher", link, **options)
    await one.page.goto(link)
    await expect(one.see("choices")).to_be_visible()
    return one


async def pressed(one: Person, purpose: str) -> dict[str, str | None]:
    return {word: await one.see(f"{purpose}-{word}").get_attribute("aria-pressed") for word in ("no", "yes")}


async def test_a_guardians_word_switches_the_camera_hints_of_a_minor_on_and_off(
    home: Server, person: MakePerson, family: Family
) -> None:
    """The student enters without waiting for anybody; each side sees what the other has said."""
    teacher, student = await person("teacher", family.teacher), await person("student", family.student)
    await asyncio.gather(teacher.join(), student.join(agree=True))
    for one in (teacher, student):
        await expect(one.see("indicator-text")).to_have_text(WAITING)
    await expect(student.see("analysis-stop")).to_be_hidden()
    assert {"type": "consent", "agreed": True, "text": TEXT, "lang": "en"} in student.said
    assert not [line for line in student.asked if "/whip" in line]

    guardian = await at_choices(person, family.guardian)
    await expect(guardian.see("choices-title")).to_have_text("Your choices for Anna")
    assert await pressed(guardian, "hints") == {"no": "false", "yes": "false"}
    await expect(guardian.see("hints-other")).to_have_text("Anna: agreed.")
    await guardian.see("hints-yes").click()
    await expect(guardian.see("hints-said")).to_contain_text(SAVED_YES)
    assert await pressed(guardian, "hints") == {"no": "false", "yes": "true"}
    for one in (teacher, student):
        await expect(one.see("indicator")).not_to_have_attribute("data-state", "off")
    assert home.figure(ANALYSERS) == 1

    await guardian.see("hints-no").click()
    for one in (teacher, student):
        await expect(one.see("indicator-text")).to_have_text(WAITING)
    await expect(guardian.see("hints-said")).to_have_text("You said no.")
    await eventually(lambda: home.figure(ANALYSERS) == 0, "the analyser ends")
    samples = home.figure("lessonroom_samples_total")
    await teacher.write("Shall we go on?")
    await expect(student.see("message-text")).to_have_count(1)
    assert home.figure("lessonroom_samples_total") == samples


async def test_a_student_whose_guardian_is_missing_can_take_the_yes_back(person: MakePerson, family: Family) -> None:
    student = await person("student", family.student)
    await student.join(agree=True)
    await expect(student.see("indicator-text")).to_have_text(WAITING)
    await student.see("indicator-button").click()
    await expect(student.see("explain-text")).to_contain_text("A parent or guardian has to agree, too")
    await student.see("explain-action").click()
    await expect(student.see("indicator-text")).to_have_text(NOT_AGREED)
    guardian = await at_choices(person, family.guardian)
    await expect(guardian.see("hints-other")).to_have_text("Anna: said no.")


async def test_where_only_the_students_own_device_may_look_nobody_is_asked(server: Server, person: MakePerson) -> None:
    """The packaged table: minors of this place up to M2."""
    student = await person("student", server.room(age=14).student)
    await student.join()
    await expect(student.see("indicator-text")).to_have_text("Camera hints off: only this device may look")
    await student.see("indicator-button").click()
    await expect(student.see("choices-link")).to_be_visible()
    await expect(student.see("explain-action")).to_be_hidden()


async def test_a_student_who_declined_finds_the_choices_in_the_lesson_and_what_is_said_there_counts_at_once(
    server: Server, person: MakePerson
) -> None:
    links = server.room()
    teacher, student = await person("teacher", links.teacher), await person("student", links.student)
    await asyncio.gather(teacher.join(), student.join(agree=False))
    await student.see("indicator-button").click()
    async with student.page.context.expect_page() as opened:
        await student.see("choices-link").click()
    choices = Person(await opened.value, links.student)
    await expect(choices.see("choices-title")).to_have_text("Your choices")
    assert await pressed(choices, "hints") == {"no": "true", "yes": "false"}
    await expect(choices.see("hints-other")).to_be_hidden()

    await choices.see("hints-yes").click()
    await expect(choices.see("hints-said")).to_have_text("You agreed for this lesson. The next one asks you again.")
    for one in (teacher, student):
        await expect(one.see("indicator")).not_to_have_attribute("data-state", "off")
    await choices.see("hints-no").click()
    for one in (teacher, student):
        await expect(one.see("indicator-text")).to_have_text(NOT_AGREED)
    # a lesson that comes back after a loss does not bring the old yes back
    await student.page.reload()
    await expect(student.see("indicator-text")).to_have_text(NOT_AGREED)
    assert choices.complaints == []


async def test_what_a_student_says_on_another_device_is_known_in_the_lesson_without_a_reload(
    server: Server, person: MakePerson
) -> None:
    """Through the server alone: the two pages share no browser. The question closes when it is answered elsewhere."""
    links = server.room()
    teacher, student = await person("teacher", links.teacher), await person("student", links.student)
    await teacher.join()
    await student.open()
    await student.see("join").click()
    await expect(student.see("consent-no")).to_be_visible()
    session = await student.page.context.storage_state()
    device = await person("student", links.student, storage_state=session)
    await device.page.goto(links.student.partition("#")[0].replace("/lesson/", "/consents/"))
    for answer in ("no", "yes", "no"):
        await device.see(f"hints-{answer}").click()
        await expect(device.see("hints-said")).not_to_be_empty()
        await expect(student.see("room")).to_be_visible()
        if answer == "yes":
            await expect(student.see("analysis-stop")).to_be_visible()
            await expect(teacher.see("indicator")).not_to_have_attribute("data-state", "off")
        else:
            await expect(student.see("analysis-stop")).to_be_hidden()
            for one in (teacher, student):
                await expect(one.see("indicator-text")).to_have_text(NOT_AGREED)
    assert [said for said in student.said if said["type"] == "consent"] == []


async def test_purposes_are_answered_apart_and_stay_answered(person: MakePerson, family: Family) -> None:
    guardian = await at_choices(person, family.guardian)
    await guardian.see("training-yes").click()
    await guardian.see("research-no").click()
    await expect(guardian.see("training-said")).to_contain_text(SAVED_YES)
    await expect(guardian.see("training-other")).to_have_text(
        "Anna: has not answered. Nothing is done before both have agreed."
    )
    await expect(guardian.see("research-said")).to_have_text("You said no.")
    await guardian.page.reload()
    await expect(guardian.see("choices")).to_be_visible()
    assert [await pressed(guardian, purpose) for purpose in ("hints", "research", "training")] == [
        {"no": "false", "yes": "false"}, {"no": "true", "yes": "false"}, {"no": "false", "yes": "true"},
    ]  # fmt: skip


async def test_a_teacher_chooses_about_research_and_training_alone(person: MakePerson, family: Family) -> None:
    link = family.teacher.replace("/lesson/", "/consents/")
    teacher = await at_choices(person, link)
    await expect(teacher.see("choice-research")).to_be_visible()
    await expect(teacher.see("choice-training")).to_be_visible()
    await expect(teacher.see("choice-hints")).to_have_count(0)


async def test_a_no_that_is_not_saved_is_tried_again_and_a_yes_is_not(person: MakePerson, family: Family) -> None:
    guardian = await at_choices(person, family.guardian)
    guardian.forgive("503")
    down = True

    async def answer(route: Route) -> None:
        if down and route.request.method == "POST":
            await route.fulfill(status=503, json={"code": "store_down", "message": "the database does not answer"})
        else:
            await route.continue_()

    await guardian.page.route("**/consents", answer)
    await guardian.see("research-yes").click()
    await expect(guardian.see("research-trouble")).to_contain_text("was not saved, so it does not count")
    assert await pressed(guardian, "research") == {"no": "false", "yes": "false"}
    await guardian.see("hints-no").click()
    await expect(guardian.see("hints-trouble")).to_contain_text("This page tries again by itself")
    assert await pressed(guardian, "hints") == {"no": "true", "yes": "false"}
    await check(guardian)

    down = False
    await expect(guardian.see("hints-said")).to_have_text("You said no.")
    await expect(guardian.see("hints-trouble")).to_be_hidden()
    await expect(guardian.see("research-trouble")).to_be_visible()
    await guardian.see("research-yes").click()
    await expect(guardian.see("research-said")).to_contain_text(SAVED_YES)


async def test_everything_is_done_with_the_keyboard_alone(person: MakePerson, family: Family) -> None:
    guardian = await at_choices(person, family.guardian)
    assert await guardian.page.evaluate("document.activeElement.id") == "choices-title"
    keys = guardian.page.keyboard
    await tab_to(guardian, "choice-hints-yes")
    await keys.press("Space")
    await expect(guardian.see("hints-said")).to_contain_text(SAVED_YES)
    await keys.press("Shift+Tab")
    await keys.press("Enter")
    await expect(guardian.see("hints-said")).to_have_text("You said no.")
    assert await guardian.page.evaluate("document.activeElement.id") == "choice-hints-no"
    await tab_to(guardian, "choice-training-no")
    await keys.press("Space")
    await expect(guardian.see("training-said")).to_have_text("You said no.")


@pytest.mark.parametrize("size", SIZES, ids=["laptop", "phone"])
async def test_every_state_has_names_and_room_and_nothing_moves_when_an_answer_is_given(
    person: MakePerson, family: Family, size: dict[str, int]
) -> None:
    guardian = await at_choices(person, family.guardian, viewport=size)
    await check(guardian)
    before = await guardian.see("choice-hints").locator(".equal").bounding_box()
    await guardian.see("hints-yes").click()
    await expect(guardian.see("hints-said")).to_contain_text(SAVED_YES)
    assert await guardian.see("choice-hints").locator(".equal").bounding_box() == before
    widths = [await guardian.see(f"hints-{word}").bounding_box() for word in ("no", "yes")]
    assert widths[0]
    assert widths[1]
    assert widths[0]["width"] == pytest.approx(widths[1]["width"], abs=0.1)
    await check(guardian)
    other = await person("student", family.guardian, viewport=size)
    other.forgive("401")
    await other.page.goto(family.guardian)
    await expect(other.see("door-title")).to_have_text("This link does not open the page")
    await check(other)


@pytest.mark.parametrize(("language", "locale"), [("en", "en-GB"), ("ru", "ru-RU"), ("uk", "uk-UA")])
async def test_the_page_speaks_the_readers_language(
    person: MakePerson, family: Family, language: str, locale: str
) -> None:
    words = json.loads((I18N / f"{language}.json").read_text(encoding="utf-8"))
    guardian = await at_choices(person, family.guardian, locale=locale)
    await expect(guardian.see("choices-title")).to_have_text(words["choices.title.for"].replace("{name}", "Anna"))
    await guardian.see("research-yes").click()
    said = words["choices.said.yes"].partition("{")[0]
    await expect(guardian.see("research-said")).to_contain_text(said)
    await expect(guardian.see("choice-research")).to_contain_text(words["choices.research.guardian"])
    assert "choices." not in await guardian.page.locator("body").inner_text()
    await guardian.see("language").select_option("uk" if language == "ru" else "ru")
    await expect(guardian.see("research-said")).not_to_contain_text(said)


async def test_the_policy_leads_its_reader_to_their_choices(server: Server, person: MakePerson) -> None:
    student = await person("student", server.room().student)
    await student.join(agree=False)
    await student.see("indicator-button").click()
    async with student.page.context.expect_page() as opened:
        await student.see("policy-link").click()
    policy = Person(await opened.value, student.link)
    await policy.see("choices-link").click()
    await expect(policy.see("choices-title")).to_have_text("Your choices")
    stranger = await person("teacher", f"{server.base}/static/privacy.html")
    await stranger.page.goto(stranger.link)
    await expect(stranger.page.get_by_role("heading", level=1)).not_to_be_empty()
    await expect(stranger.see("choices-link")).to_be_hidden()
