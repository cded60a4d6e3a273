"""Browsers and servers that are killed in the middle of a lesson."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.browser.conftest import Launch, MakePerson, MakeServer
from tests.browser.people import eventually
from tests.browser.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

ANALYSERS = "lessonroom_analysers"
SAMPLES = "lessonroom_samples_total"
FEW_SECONDS = 8.0
"""The promise for a killed browser; by its media alone it would be noticed after half a minute."""
SLOWLY = 3.0
"""A factor on it for a machine that does much else at the same time."""


async def process_of(browser: Browser) -> int:
    """The browser's own process; its helpers end with it."""
    tools = await browser.new_browser_cdp_session()
    known = (await tools.send("SystemInfo.getProcessInfo"))["processInfo"]
    return int(next(process["id"] for process in known if process["type"] == "browser"))


async def test_a_killed_browser_is_noticed_by_the_teacher_and_ends_its_analyser(
    server: Server, person: MakePerson, launch: Launch, films: dict[str, Path]
) -> None:
    links = server.room()
    teacher = await person("teacher", links.teacher)
    browser = await launch(films["student"])
    student = await person("student", links.student, browser)
    await asyncio.gather(teacher.join(), student.join(agree=True))
    await teacher.sees_the_other()
    await expect(teacher.see("indicator")).not_to_have_attribute("data-state", "off")
    assert server.figure(ANALYSERS) == 1

    os.kill(await process_of(browser), signal.SIGKILL)
    await eventually(lambda: server.figure(ANALYSERS) == 0, "the analyser ends", patience=FEW_SECONDS * SLOWLY)
    await expect(teacher.see("indicator")).to_have_attribute("data-state", "off")
    await expect(teacher.see("remote-none")).to_be_visible()
    await expect(teacher.see("remote-text")).to_contain_text("Anna is not in the lesson now")
    await teacher.see("people-button").click()
    await expect(teacher.see("person-student")).to_contain_text("not here now")
    await expect(teacher.see("person-analyser")).to_have_count(0)
    await teacher.write("Anna, are you still there?")
    await expect(teacher.see("message")).to_have_attribute("data-state", "relayed")


@pytest.mark.timeout(180)
async def test_a_killed_server_interrupts_nothing_but_the_chat_and_that_goes_on_afterwards(
    own_server: MakeServer, person: MakePerson
) -> None:
    """The call goes on without the server; what was written meanwhile arrives once; analysis comes back."""
    server = own_server()
    links = server.room()
    teacher, student = await person("teacher", links.teacher), await person("student", links.student)
    await asyncio.gather(teacher.join(), student.join(agree=True))
    await asyncio.gather(teacher.sees_the_other(), student.sees_the_other())
    await student.write("Before the server went.")
    await teacher.write("I see.")
    before = ["Before the server went.", "I see."]
    for one in (teacher, student):
        await expect(one.see("message-text")).to_have_text(before)
        await expect(one.see("indicator")).not_to_have_attribute("data-state", "off")
        one.forgive("ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|ERR_INCOMPLETE_CHUNKED")

    await asyncio.to_thread(server.kill)
    for one in (teacher, student):
        await expect(one.see("banner-text")).to_contain_text("Your messages are kept")
        await expect(one.see("indicator")).to_have_attribute("data-state", "off")
    await student.write("While it was gone.")
    await expect(student.see("message-status")).to_have_text("Will be sent when the connection is back")
    await student.see("stuck").click()
    await expect(student.see("stuck-receipt")).to_have_text("Your teacher will be told when the connection is back.")
    await asyncio.gather(teacher.sees_the_other(), student.sees_the_other())

    await asyncio.to_thread(server.start)
    for one in (teacher, student):
        await expect(one.see("message-text")).to_have_text([*before, "While it was gone."])
        await expect(one.see("banner")).to_be_hidden()
        await expect(one.see("indicator")).not_to_have_attribute("data-state", "off")
        assert await one.see("message-text").all_text_contents() == [*before, "While it was gone."]
    await expect(student.see("message-status")).to_have_count(0)
    await expect(teacher.page.locator("[data-cue=stuck_button]")).to_have_count(1)
    await asyncio.gather(teacher.sees_the_other(), student.sees_the_other())
    await teacher.write("After it came back.")
    await expect(student.see("message-text").last).to_have_text("After it came back.")


@pytest.mark.timeout(180)
async def test_a_killed_media_worker_is_a_short_gap_in_the_indicator_and_nothing_else(
    own_server: MakeServer, person: MakePerson
) -> None:
    """The page sends its camera to the next worker, which knows the face already; call and chat go on."""
    server = own_server("serve", "--workers", "1", LESSONROOM_CHAT_PROCESSES="0")
    links = server.room()
    teacher, student = await person("teacher", links.teacher), await person("student", links.student)
    await asyncio.gather(teacher.join(), student.join(agree=True))
    await asyncio.gather(teacher.sees_the_other(), student.sees_the_other())
    await asyncio.gather(teacher.knows_analysis("watching"), student.knows_analysis("watching"))
    for _ in range(2):  # what was learned of the face is told once a second, and figures come with it
        before = server.figure(SAMPLES)
        await eventually(lambda before=before: server.figure(SAMPLES) > before, "the worker tells")  # type: ignore[misc]
    known = len(await teacher.page.evaluate("globalThis.indicated"))

    student.forgive("status of 503")  # a machine that starts the next worker slowly: the page asks again
    (worker,) = server.children()
    began = time.monotonic()
    os.kill(worker, signal.SIGKILL)
    await expect(teacher.see("indicator-text")).to_have_text("Camera hints: back in a moment")
    await teacher.knows_analysis("watching")
    assert time.monotonic() - began < FEW_SECONDS * SLOWLY
    told = (await teacher.page.evaluate("globalThis.indicated"))[known:]
    assert "Camera hints: getting to know the face" not in told
    assert server.children() != [worker]
    await teacher.write("Did you notice anything?")
    await expect(student.see("message-text")).to_have_text(["Did you notice anything?"])
    await asyncio.gather(teacher.sees_the_other(), student.sees_the_other())
    for one in (teacher, student):
        one.forgive("ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|ERR_INCOMPLETE_CHUNKED")
