"""The operations page, live, while a lesson goes on."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import expect

from lessonroom.gpu import Gpus
from tests.browser.conftest import MakePerson
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

    told = await operator.see("updated").text_content()
    stopped = operator.see("figure-stopped").locator("dd").first
    before = int(await stopped.text_content() or "")
    await student.write("My number is +7 916 123-45-67")
    await expect(stopped).to_have_text(str(before + 1))
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


async def test_the_operations_page_says_when_its_figures_are_old(
    person: MakePerson, chromium: str, tmp_path: Path
) -> None:
    server = Server(tmp_path)
    server.start()
    try:
        operator = await person("teacher", server.operator())
        operator.forgive("ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE")
        await operator.page.goto(operator.link)
        await expect(operator.see("health")).to_be_visible()
        await asyncio.to_thread(server.kill)
        await expect(operator.see("health-sentence")).to_have_text("No news from the server.")
        await asyncio.to_thread(server.start)
        await expect(operator.see("health-sentence")).not_to_have_text("No news from the server.")
    finally:
        server.stop()
