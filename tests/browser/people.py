"""People with real browsers: what they do, what they see, and every complaint of their browser."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable
from typing import Any

from playwright.async_api import Browser, ConsoleMessage, Locator, Page, Request, WebSocket, expect

PATIENCE = 30.0
"""How long a test waits for what must come, in seconds, on a machine that does other things too."""
FLAGS = (
    "--no-sandbox",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--no-first-run",
)
WATCH_PAGE = """
addEventListener("securitypolicyviolation", (event) =>
  console.error("policy violated:", event.violatedDirective, event.blockedURI));
globalThis.appeared = {};
globalThis.indicated = [];
new MutationObserver(() => {
  for (const card of document.querySelectorAll("[data-hint]")) globalThis.appeared[card.dataset.hint] ??= Date.now();
  const told = document.querySelector("#indicator-text")?.textContent;
  if (told && told !== globalThis.indicated.at(-1)) globalThis.indicated.push(told);
}).observe(document, { subtree: true, childList: true, characterData: true });
"""
"""Turns violations of the content security policy into complaints; notes when each hint came into the page, and what
the indicator has said, so that a state that is soon over is not missed."""


class Person:
    """One person's browser window. ``heard`` and ``said``: the messages of the room's socket, with the time of each."""

    def __init__(self, page: Page, link: str) -> None:
        self.page = page
        self.link = link
        self.heard: list[tuple[float, dict[str, Any]]] = []
        self.said: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self._forgiven: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))
        page.on("request", self._request)
        page.on("websocket", self._socket)

    @classmethod
    async def with_browser(cls, browser: Browser, link: str, **options: Any) -> Person:
        """Open a window of its own, with nothing from other windows; the link is not opened yet."""
        options = {"locale": "en-GB", "viewport": {"width": 1280, "height": 800}, **options}
        context = await browser.new_context(**options)
        context.set_default_timeout(2 * PATIENCE * 1000)  # of what is not expected but done: to open, to click
        await context.add_init_script(WATCH_PAGE)
        return cls(await context.new_page(), link)

    # --- what the browser tells ----------------------------------------------------------------------------------

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(f"{message.text} ({message.location['url']})")

    def _request(self, request: Request) -> None:
        self.asked.append(f"{request.method} {request.url}")

    def _socket(self, socket: WebSocket) -> None:
        socket.on("framereceived", lambda frame: self.heard.append((time.monotonic(), json.loads(frame))))
        socket.on("framesent", lambda frame: self.said.append(json.loads(frame)))

    def forgive(self, pattern: str) -> None:
        """This complaint is what a browser says by itself of the trouble that the test makes."""
        self._forgiven.append(pattern)

    def unforgiven(self) -> list[str]:
        """Complaints that a page without a fault would not have caused."""
        return [text for text in self.complaints if not any(re.search(known, text) for known in self._forgiven)]

    def messages(self, kind: str) -> list[dict[str, Any]]:
        """Every message of a type that the server sent."""
        return [message for _, message in self.heard if message["type"] == kind]

    # --- what the person does --------------------------------------------------------------------------------------

    def see(self, testid: str) -> Locator:
        """A part of the page."""
        return self.page.get_by_test_id(testid)

    async def open(self) -> None:
        """Open the link and come as far as the check of devices."""
        await self.page.goto(self.link)
        await expect(self.see("join")).to_be_visible()
        # an open camera, not only its empty frame
        await self.until("document.querySelector('#prejoin-video').videoWidth > 0")

    async def join(self, *, agree: bool | None = None) -> None:
        """Go into the lesson; ``agree``: the answer to the question about analysis, None where nobody asks."""
        await self.open()
        await self.see("join").click()
        if agree is not None:
            await self.see("consent-yes" if agree else "consent-no").click()
        await expect(self.see("room")).to_be_visible()

    async def write(self, text: str) -> None:
        """Write a message and send it."""
        await self.see("chat-input").fill(text)
        await self.page.keyboard.press("Enter")

    async def close(self) -> None:
        """Close the window."""
        await self.page.context.close()

    # --- what the person sees --------------------------------------------------------------------------------------

    async def until(self, condition: str) -> None:
        """Wait until an expression of the page is true. (Playwright's own wait is forbidden by our content policy.)"""
        until = time.monotonic() + PATIENCE
        while not await self.page.evaluate(condition):
            assert time.monotonic() < until, f"not in {PATIENCE} s: {condition}"
            await asyncio.sleep(0.05)

    async def sees_the_other(self, *, sound: bool = True) -> None:
        """Picture of the other that is shown and moves, and sound that comes in, from now on."""
        await self.until("document.querySelector('#stage').dataset.picture === 'true'")
        await self.page.evaluate("globalThis.from = document.querySelector('#remote').currentTime")
        await self.until(
            """(() => {
              const video = document.querySelector("#remote");
              const [sound] = video.srcObject.getAudioTracks();
              const heard = sound?.readyState === "live" && !sound.muted;
              const moves = video.videoWidth > 0 && !video.paused && video.currentTime > globalThis.from + 0.5;
              return moves && (heard || SILENT);
            })()""".replace("SILENT", "false" if sound else "true")
        )

    async def texts(self) -> list[str]:
        """The messages in the list, from top to bottom."""
        return await self.see("message-text").all_text_contents()

    async def knows_analysis(self, state: str) -> None:
        """The indicator says so: off, learning, watching or unseen."""
        await expect(self.see("indicator")).to_have_attribute("data-state", state, timeout=PATIENCE * 1000)


async def eventually(condition: Callable[[], bool], what: str, patience: float = PATIENCE) -> float:
    """Wait until a condition holds; how long that took, in seconds."""
    began = time.monotonic()
    while not await asyncio.to_thread(condition):
        assert time.monotonic() - began < patience, f"not in {patience} s: {what}"
        await asyncio.sleep(0.05)
    return time.monotonic() - began
