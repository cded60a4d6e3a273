"""The operations page, live, while a lesson goes on."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import expect

from lessonroom.gpu import Gpus
from tests.browser.conftest import MakePerson, MakeServer
from tests.browser.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_an_operator_sees_the_lesson_live_and_nobody_in_it(server: Server, person: MakePerson) -> None:
    links = server.room()
    operator = await person("teacher", server.operator())
    await operator.page.goto(operator.link)
    await expect(operator.see("health")).to_be_visible()
    await expect(operator.page.locator("#rooms-none")).to_be_visible()

    teacher, student = await person("teacher", links.teacher), await person("student", links.student)
    await asyncio.gather(teacher.join(), student.join(agree=True))
    row = operator.see("room-row")
    await expect(row).to_have_count(1)
    await expect(row).to_contain_text("M3")
    await expect(row.locator(".state")).not_to_have_attribute("data-state", "off")
    await expect(row).to_contain_text("320x240@")
    await expect(operator.see("figure-rooms").locator("dd").first).to_have_text("1")
    await expect(operator.see("figure-analysers").locator("dd").first).to_have_text("1")
    await expect(operator.see("figure-samples").locator("dd").first).not_to_have_text("0/s")

    await expect(operator.see("health-limits")).to_contain_text("What limits capacity now: ")
    await expect(operator.page.locator("#parts .part")).to_have_count(5 + (1 if Gpus().read() else 0))
    await expect(operator.see("part-analysers")).to_contain_text("1 of 64")
    await expect(operator.see("stages-look")).to_contain_text("picture arrives and is chosen")
    await expect(operator.see("stages-look")).to_contain_text("from camera to observation")
    await expect(operator.see("process-screening")).to_contain_text("Screening of messages")

    told = await operator.see("updated").text_content()
    stopped = operator.see("figure-stopped").locator("dd").first
    before = int(await stopped.text_content() or "")
    await student.write("My number is +7 916 123-45-67")
    await expect(stopped).to_have_text(str(before + 1))
    await expect(operator.see("stages-message")).to_contain_text("is screened")
    await expect(operator.see("updated")).not_to_have_text(told or "")
    seen = await operator.page.locator("body").inner_text()
    assert not [word for word in ("Anna", "Maria", "916", links.room) if word in seen]

    await student.close()
    await expect(row.locator(".state")).to_have_attribute("data-state", "off")
    await teacher.close()
    await expect(operator.page.locator("#rooms-none")).to_be_visible()


async def test_the_operations_page_says_where_inference_runs(server: Server, person: MakePerson) -> None:
    """Without a GPU it says so in words; with one there is a card for each."""
    operator = await person("teacher", server.operator())
    await operator.page.goto(operator.link)
    gpus = len(Gpus().read())
    if gpus:
        await expect(operator.page.locator("[data-testid^=gpu-]")).to_have_count(gpus)
    else:
        await expect(operator.see("no-gpu")).to_contain_text("No GPU, running on CPU")


async def test_the_operations_page_says_when_its_figures_are_old(own_server: MakeServer, person: MakePerson) -> None:
    server = own_server()
    operator = await person("teacher", server.operator())
    operator.forgive("ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE")
    await operator.page.goto(operator.link)
    await expect(operator.see("health")).to_be_visible()
    await asyncio.to_thread(server.kill)
    await expect(operator.see("health-sentence")).to_have_text("No news from the server.")
    await asyncio.to_thread(server.start)
    await expect(operator.see("health-sentence")).not_to_have_text("No news from the server.")


async def test_on_a_phone_every_figure_of_a_room_is_in_view(server: Server, person: MakePerson) -> None:
    """A table that is wider than the phone hides half of what it says; here each figure brings its word along."""
    links = server.room()
    operator = await person("teacher", server.operator(), viewport={"width": 390, "height": 844})
    await operator.page.goto(operator.link)
    student = await person("student", links.student)
    await student.join(agree=True)
    cells = operator.see("room-row").locator("td")
    await expect(cells).to_have_count(8)
    # all at once: the row is made anew with each second's figures
    seen = await cells.evaluate_all(
        "(cells) => cells.map((cell) => [cell.getBoundingClientRect().toJSON(), cell.dataset.label])"
    )
    assert len(seen) == 8
    for box, label in seen:
        assert box["width"] > 0
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
        assert label
    assert await operator.page.evaluate("document.documentElement.scrollWidth") <= 390


async def test_lines_of_the_last_hour_have_a_scale_or_say_that_there_is_nothing(
    server: Server, person: MakePerson
) -> None:
    operator = await person("teacher", server.operator())
    await operator.page.goto(operator.link)
    await expect(operator.see("chart-memory").locator(".chart-scale")).to_contain_text("MB", timeout=20_000)
    for chart in await operator.page.locator(".chart:visible").all():
        scale, empty = chart.locator(".chart-scale"), chart.locator(".chart-empty")
        said = [await one.text_content() for one in (scale, empty)]
        assert [bool(text) for text in said] in ([True, False], [False, True]), await chart.inner_text()


async def test_a_page_that_may_not_hear_of_the_server_any_more_shows_nothing_of_it(
    own_server: MakeServer, person: MakePerson
) -> None:
    """Not even how many messages wait, and it says how one gets in again."""
    server = own_server()
    operator = await person("teacher", server.operator())
    operator.forgive("ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|401")
    await operator.page.goto(operator.link)
    await expect(operator.see("to-review")).to_be_visible()
    await asyncio.to_thread(server.kill)
    await operator.page.context.clear_cookies()
    await asyncio.to_thread(server.start)
    await expect(operator.see("door-text")).to_contain_text("Ask for a new operator’s link")
    await expect(operator.see("health")).to_be_hidden()
    await expect(operator.see("to-review")).to_be_hidden()
