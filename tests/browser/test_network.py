"""What a page says of a camera that it may not use, and of a network that is gone."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.browser.conftest import MakePerson
from tests.browser.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

DENY = """
navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("no", "NotAllowedError"));
navigator.mediaDevices.enumerateDevices = () => Promise.resolve([]);
"""


async def test_a_camera_that_may_not_be_used_is_not_called_missing(server: Server, person: MakePerson) -> None:
    """A browser names no device to a page that may use none: that the list is empty says nothing of devices."""
    student = await person("student", server.room().student)
    await student.page.add_init_script(DENY)
    await student.page.goto(student.link)
    for kind in ("camera", "microphone"):
        await expect(student.see(f"choose-{kind}")).to_have_text("Not allowed")
    await expect(student.see("prejoin-trouble")).to_contain_text("may not use your camera")


async def test_a_page_says_soon_that_the_network_is_gone_and_sends_what_was_pressed(
    server: Server, person: MakePerson
) -> None:
    """Nobody closes a socket whose network is gone; the page asks, for the browser has told it, and then says so."""
    links = server.room()
    teacher, student = await person("teacher", links.teacher), await person("student", links.student)
    student.forgive("ERR_INTERNET_DISCONNECTED|ERR_NETWORK_CHANGED")
    await teacher.join()
    await student.join(agree=False)
    await student.page.context.set_offline(True)
    await student.see("stuck").click()
    await expect(student.see("banner-text")).to_contain_text("Your messages are kept", timeout=10_000)
    await expect(student.see("stuck-receipt")).to_have_text("Your teacher will be told when the connection is back.")
    await student.page.context.set_offline(False)
    await expect(student.see("stuck-receipt")).to_have_text("Your teacher knows.")
    await expect(teacher.see("hint-helpful")).to_be_visible()
