"""Screenshots of every state of the pages, to be looked at: ``python tests/browser/shots.py OUT [--only ru-phone]``.

Two real browsers join one lesson on ``devserver``; ``/dev`` brings the states about. Nothing here asserts: a person
looks at the pictures. ``--student-clip`` and ``--teacher-clip`` name mjpeg or y4m files for the fake cameras.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
from playwright.async_api import Browser, BrowserContext, Page, Playwright, async_playwright

HERE = Path(__file__).parent
FLAGS = [
    "--no-sandbox",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
]
SIZES = {
    "laptop": {"width": 1280, "height": 800},
    "phone": {"width": 360, "height": 740},
    "tablet": {"width": 1024, "height": 768},
    "wide": {"width": 1920, "height": 1080},
    "lying": {"width": 740, "height": 360},
}
LOCALES = {"en": "en-GB", "ru": "ru-RU", "uk": "uk-UA"}
SAID = {
    "en": (
        ("t", "Good afternoon, Anna! Shall we look at exercise 7 on page 42?"),
        ("s", "Yes, I have it open"),
        ("s", "I did the first half yesterday"),
        ("t", "Very good. Then let us begin with the second half, and stop me whenever something is unclear."),
    ),
    "ru": (
        ("t", "Добрый день, Анна! Посмотрим упражнение 7 на странице 42?"),
        ("s", "Да, уже открыла"),
        ("s", "Первую половину я сделала вчера"),
        ("t", "Отлично. Тогда начнём со второй половины, и останавливайте меня, если что-то непонятно."),
    ),
    "uk": (
        ("t", "Добрий день, Анно! Подивимося вправу 7 на сторінці 42?"),
        ("s", "Так, уже відкрила"),
        ("s", "Першу половину я зробила вчора"),
        ("t", "Чудово. Тоді почнемо з другої половини, і зупиняйте мене, якщо щось незрозуміло."),
    ),
}
BLOCKED = {
    "en": "Can we talk outside? My number is +7 916 123-45-67, call me 😀 any evening",
    "ru": "Давайте созвонимся? Мой номер +7 916 123-45-67, звоните 😀 в любой вечер",
    "uk": "Може, зідзвонимося? Мій номер +380 67 123 45 67, телефонуйте 😀 ввечері",
}
DENY = """
navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("no", "NotAllowedError"));
navigator.mediaDevices.enumerateDevices = () => Promise.resolve([]);
"""
PARTS = {
    "doors": ("doors", "denied"),
    "lesson": ("before", "lesson", "chat", "trouble", "ends"),
    "operations": ("operations",),
    "review": ("review", "decided"),
}


class Tour:
    """One pass through all states in one language, size and colour scheme."""

    def __init__(self, root: str, out: Path, look: tuple[str, str, str], browsers: dict[str, Browser]) -> None:
        self.root, self.out, self.browsers = root, out, browsers
        self.language, self.size, self.scheme = look
        self.name = "-".join(look)
        self.pages: dict[str, Page] = {}
        self.contexts: list[BrowserContext] = []
        self.count = 0

    async def open(self, who: str, path: str) -> Page:
        context = await self.browsers[who].new_context(
            viewport=SIZES[self.size],  # type: ignore[arg-type]
            locale=LOCALES[self.language],
            color_scheme=self.scheme,  # type: ignore[arg-type]
            reduced_motion="reduce",
        )
        page = await context.new_page()
        page.on("pageerror", lambda error: print(self.name, who, "PAGE ERROR", error))
        page.on("console", lambda message: self.complain(who, message))
        self.contexts.append(context)
        self.pages[who] = page
        await page.goto(self.root + path)
        return page

    def complain(self, who: str, message: Any) -> None:
        if message.type in {"error", "warning"} and "503" not in message.text and "40" not in message.text:
            print(self.name, who, message.type, message.text)

    async def close(self) -> None:
        for context in self.contexts:
            await context.close()
        self.contexts.clear()

    async def dev(self, **order: Any) -> None:
        async with httpx.AsyncClient() as client:
            await client.post(self.root + "/dev", json=order)
        await asyncio.sleep(0.15)

    async def shot(self, who: str, state: str) -> None:
        self.count += 1
        self.out.mkdir(parents=True, exist_ok=True)
        await self.pages[who].screenshot(path=self.out / f"{self.name}-{self.count:02}-{who}-{state}.png")

    async def denied(self) -> None:
        """The person, or the machine, gives neither camera nor microphone; the lesson's owner allows no analysis."""
        await self.dev(fresh="M0")
        page = await self.open("s", "/static/icon.svg")
        await page.add_init_script(DENY)
        await page.goto(self.root + "/lesson/student-1#code")
        await page.get_by_test_id("join").wait_for()
        await page.wait_for_timeout(400)
        await self.shot("s", "prejoin-denied")
        await page.get_by_test_id("join").click()
        await page.get_by_test_id("room").wait_for()
        await page.wait_for_timeout(300)
        await self.shot("s", "not-allowed-alone")
        await self.dev(drop=["student-1"], code=4002)
        await page.wait_for_timeout(200)
        await self.shot("s", "replaced")
        await self.close()

    async def doors(self) -> None:
        page = await self.open("s", "/lesson/used#code")
        await page.get_by_test_id("door-title").wait_for()
        await page.wait_for_timeout(500)
        await self.shot("s", "link-used")
        await page.goto(self.root + "/")
        await page.wait_for_timeout(300)
        await self.shot("s", "landing")
        await page.goto(self.root + "/static/privacy.html")
        await page.wait_for_timeout(300)
        await self.shot("s", "policy")
        await self.close()

    async def before(self) -> None:
        await self.dev(fresh="M3")
        teacher = await self.open("t", "/lesson/teacher-1#code")
        await teacher.get_by_test_id("join").wait_for()
        await teacher.wait_for_timeout(900)
        await self.shot("t", "prejoin")
        await teacher.get_by_test_id("join").click()
        await teacher.get_by_test_id("room").wait_for()
        await teacher.wait_for_timeout(300)
        await self.shot("t", "waiting")
        student = await self.open("s", "/lesson/student-1#code")
        await student.get_by_test_id("prejoin-video").wait_for()
        await student.get_by_test_id("prejoin-camera").click()
        await student.wait_for_timeout(300)
        await self.shot("s", "prejoin-camera-off")
        await student.get_by_test_id("prejoin-camera").click()
        await student.get_by_test_id("prejoin-video").wait_for()
        await student.get_by_test_id("join").click()
        await student.get_by_test_id("consent-yes").wait_for()
        await self.shot("s", "consent")
        await student.get_by_test_id("consent-yes").click()
        for page in (teacher, student):
            await page.locator("#stage[data-picture=true]").wait_for()
        await teacher.wait_for_timeout(700)

    async def fold(self, who: str, *, open_: bool) -> None:
        if self.size in {"phone", "lying"}:
            await self.pages[who].get_by_test_id("chat-button" if open_ else "chat-close").click()

    async def say(self, who: str, text: str) -> None:
        page = self.pages[who]
        await page.get_by_test_id("chat-input").fill(text)
        await page.keyboard.press("Enter")
        await page.wait_for_timeout(120)

    async def lesson(self) -> None:
        teacher, student = self.pages["t"], self.pages["s"]
        await self.dev(analysis={"mode": "M3", "state": "learning"}, analyser=True)
        for who, text in SAID[self.language]:
            await self.fold(who, open_=True)
            await self.say(who, text)
            await self.fold(who, open_=False)
        await self.say_more(teacher, student)

    async def say_more(self, teacher: Page, student: Page) -> None:
        await self.shot("t", "learning")
        await self.shot("s", "learning")
        await self.dev(analysis={"mode": "M3", "state": "watching"})
        hint = {"type": "hint", "id": "hint-000001", "at": now(), "cue": "frowning", "advice": "slow_down"}
        await self.dev(push=[["teacher-1", hint]])
        await teacher.wait_for_timeout(400)
        await self.shot("t", "hint")
        await self.shot("s", "watching")
        if self.size in {"phone", "lying"}:
            await self.fold("t", open_=True)
            await self.shot("t", "hint-over-chat")
            await self.fold("t", open_=False)
        await teacher.get_by_test_id("hint-helpful").click()
        await teacher.wait_for_timeout(200)
        await self.shot("t", "hint-thanks")
        await student.get_by_test_id("stuck").click()
        await teacher.wait_for_timeout(300)
        await self.shot("t", "stuck-hint")
        await self.shot("s", "stuck-receipt")
        await teacher.get_by_test_id("hint-close").click()
        await teacher.get_by_test_id("earlier-button").click()
        await teacher.wait_for_timeout(200)
        await self.shot("t", "earlier")
        await teacher.keyboard.press("Escape")
        await self.popovers(teacher, student)

    async def popovers(self, teacher: Page, student: Page) -> None:
        await teacher.get_by_test_id("indicator-button").click()
        await teacher.wait_for_timeout(150)
        await self.shot("t", "explained")
        await teacher.keyboard.press("Escape")
        await student.get_by_test_id("people-button").click()
        await student.wait_for_timeout(150)
        await self.shot("s", "people")
        await student.keyboard.press("Escape")
        await student.get_by_test_id("devices-button").click()
        await student.wait_for_timeout(150)
        await self.shot("s", "devices")
        await student.keyboard.press("Escape")
        await self.dev(analysis={"mode": "M3", "state": "watching", "reason": "several_faces"})
        await self.shot("t", "unseen")

    async def chat(self) -> None:
        student = self.pages["s"]
        await self.fold("s", open_=True)
        await self.say("s", BLOCKED[self.language])
        await student.wait_for_timeout(300)
        await self.shot("s", "blocked")
        await student.get_by_test_id("stopped-appeal").click()
        await self.say("s", "held 18:30?")
        await self.dev(chat="refuse:store_down")
        await self.say("s", "😀 19:00?")
        await self.dev(chat="silent")
        await self.say("s", "20:00?")
        await student.wait_for_timeout(900)
        await self.shot("s", "chat-states")
        await self.dev(chat="screen")
        await self.fold("s", open_=False)

    async def trouble(self) -> None:
        teacher, student = self.pages["t"], self.pages["s"]
        await student.get_by_test_id("camera").click()
        await student.get_by_test_id("microphone").click()
        await self.dev(analysis={"mode": "M3", "state": "off", "reason": "camera_muted"}, analyser=False)
        await teacher.wait_for_timeout(300)
        await self.shot("t", "student-muted")
        await self.shot("s", "muted")
        await student.get_by_test_id("camera").click()
        await self.dev(down=True, drop=["teacher-1", "student-1"])
        await teacher.wait_for_timeout(300)
        await self.shot("t", "reconnecting")
        await student.wait_for_timeout(5200)
        await self.shot("s", "reconnecting-long")
        await self.dev(down=False)
        await student.get_by_test_id("banner-action").click()
        await student.wait_for_timeout(500)
        await self.shot("s", "back")
        await student.get_by_test_id("analysis-stop").click()
        await student.wait_for_timeout(300)
        await self.shot("s", "stopped-analysis")

    async def ends(self) -> None:
        student = self.pages["s"]
        await student.get_by_test_id("leave").click()
        await student.wait_for_timeout(300)
        await self.shot("s", "left")
        await self.pages["t"].wait_for_timeout(7000)
        await self.shot("t", "student-left")
        await self.dev(drop=["teacher-1"], code=4004)
        await self.pages["t"].wait_for_timeout(300)
        await self.shot("t", "ended")
        await self.close()

    async def operations(self) -> None:
        page = await self.open("t", "/operations/operator#code")
        await page.wait_for_timeout(500)
        for state, gpus, rooms in (("cpu", 0, 3), ("gpu", 2, 2), ("empty", 0, 0), ("full", 0, 3), ("down", 0, 2)):
            await self.dev(push=[["operator", snapshot(state, gpus, rooms)]])
            await page.wait_for_timeout(200)
            if state == "cpu":
                await page.get_by_test_id("chart-inference").locator(".chart-plot").hover()
            self.count += 1
            path = self.out / f"{self.name}-{self.count:02}-operations-{state}.png"
            await page.screenshot(path=path, full_page=True)
        await self.close()

    async def page_shot(self, who: str, state: str) -> None:
        """The whole page, not only the part in view."""
        self.count += 1
        self.out.mkdir(parents=True, exist_ok=True)
        await self.pages[who].screenshot(path=self.out / f"{self.name}-{self.count:02}-{state}.png", full_page=True)

    async def review(self) -> None:
        await self.dev(review={"language": self.language})
        page = await self.open("t", "/review/operator#code")
        await page.get_by_test_id("message").wait_for()
        await page.wait_for_timeout(300)
        await self.shot("t", "review")
        await self.page_shot("t", "review-whole")
        await page.get_by_test_id("show-text").click()
        await page.get_by_test_id("clear-text").wait_for()
        await self.shot("t", "review-text")
        for step in range(3):
            await page.wait_for_timeout(400)
            await page.keyboard.press("co"[step % 2])
            await page.wait_for_timeout(150)
            await self.shot("t", f"review-next-{step}")
        await self.dev(failing=503)
        await page.get_by_test_id("show-text").click()
        await page.wait_for_timeout(400)
        await self.shot("t", "review-text-failed")
        await page.keyboard.press("o")
        await page.wait_for_timeout(300)
        await self.page_shot("t", "review-failing")
        await self.dev(failing=0)
        await page.get_by_test_id("send-again").click()
        await page.wait_for_timeout(400)
        await self.shot("t", "review-empty")
        await self.dev(review={"language": self.language, "quiet": True})
        await page.reload()
        await page.get_by_test_id("filter-held").click()
        await page.wait_for_timeout(800)
        await page.keyboard.press("Tab")
        await self.page_shot("t", "review-held-new-server")
        await page.keyboard.press("c")
        await page.wait_for_timeout(300)
        await self.shot("t", "review-filtered")
        await self.close()

    async def decided(self) -> None:
        """A student's own messages after a person has looked at them."""
        await self.dev(fresh="M0")
        student = await self.open("s", "/lesson/student-1#code")
        await student.get_by_test_id("join").click()
        await student.get_by_test_id("room").wait_for()
        await self.fold("s", open_=True)
        await self.say("s", BLOCKED[self.language])
        await student.get_by_test_id("stopped-appeal").click()
        await self.say("s", "held 18:30?")
        await self.dev(decide=[[0, "blocked"], [1, "relayed"]])
        await student.wait_for_timeout(300)
        await self.shot("s", "decided")
        await self.close()


STATES = {
    "cpu": ("green", "all_well", "processor"),
    "gpu": ("green", "all_well", "gpu"),
    "empty": ("red", "store_down", "store"),
    "full": ("red", "inference_full", "inference"),
    "down": ("red", "vision_down", "processor"),
}
"""State, sentence and what limits, of each picture of the operations page."""


def snapshot(state: str, gpus: int, rooms: int) -> dict[str, Any]:
    """An invented hour of an invented server."""
    moment = now()
    history = [
        {
            "t": moment - (360 - step) * 10_000,
            "rooms": 2 + (step > 90) + (step > 200),
            "samples": 6 + 2 * ((step * 7919) % 13) / 13 if 40 < step < 300 or step > 320 else 0,
            "inference_p95": 38 + ((step * 104_729) % 17) + (25 if 200 < step < 220 else 0),
            "age_p95": 140 + ((step * 7) % 43) + (90 if 200 < step < 220 else 0),
            "chat_p95": 21 + (step * 31) % 12,
            "cpu": 0.12 + ((step * 31) % 11) / 100 + step / 4000,
            "machine": 0.2 + ((step * 31) % 11) / 100 + step / 4000,
            "memory": 380 + step / 12,
            "loop": 1 + (step * 13) % 4,
            "queue": (step * 13) % 4,
            "chat": ((step * 17) % 9) / 20,
            "gpu": 0.4 + ((step * 31) % 11) / 100 if gpus else None,
        }
        for step in range(360)
    ]
    color, sentence, limits = STATES[state]
    late = state == "full"
    load = {
        "store": 0.62 if state == "empty" else 0.002,
        "event_loop": 0.012 if not late else 0.31,
        "processor": (0.57 if gpus else 0.23) if not late else 0.94,
        "inference": 0.12 if not late else 1.37,
        "analysers": min(rooms, 2) / 64 if not late else 0.75,
        **({"gpu": 0.71} if gpus else {}),
    }
    return {
        "type": "operations",
        "now": moment,
        "health": {"state": color, "limits": limits, "sentence_key": sentence, "share": load[limits]},
        "load": load,
        "full": ["inference"] if late else [],
        "rooms": rooms,
        "analysers": min(rooms, 2) if not late else 48,
        "analysers_most": 64,
        "samples_per_second": 5.8,
        "late_share": 0.274 if late else 0.0,
        "drops_per_second": 18.2,
        "inference_ms": {"p50": 31.4, "p95": 47.9},
        "stages": {"look": looks(late) if rooms and state != "down" else {}, "message": messages() if rooms else {}},
        "queue": 1,
        "store_queue": 1240 if state == "empty" else 2,
        "loop_ms": {"mean": 3.1 if not late else 78.4, "worst": 12.6},
        "cpu": {"process": 0.31, "machine": (0.55 if gpus else 0.22) if not late else 0.91, "cores": 2},
        "memory_mb": 412,
        "processes": [
            {"kind": "screening", "count": 1, "cpu": 0.034, "memory_mb": 131.2},
            *(
                [{"kind": "media", "count": 2, "cpu": 0.62, "memory_mb": 512.7} if gpus else MEDIA_GONE]
                if gpus or late
                else []
            ),
        ],
        "provider": "CPU" if not gpus else "CUDA",
        "provider_reason": "no NVIDIA driver on this machine" if not gpus else "driver and libraries found",
        "gpus": [gpu(index) for index in range(gpus)],
        "gpu_note": "no GPU, running on CPU",
        "chat_per_second": 0.2,
        "verdicts": {"relay": 214, "hold": 2, "block": 7},
        "review": {"waiting": 7 if state == "cpu" else None if state == "empty" else 0, "repeated": None},
        "history": history,
        "table": [row(index % 3) for index in range(rooms)],
    }


MEDIA_GONE = {"kind": "media", "count": 0, "cpu": 0.0, "memory_mb": 0.0}


def looks(late: bool) -> dict[str, Any]:
    each = {
        "receive": (48.2, 171.0),
        "wait": (0.4, 4.1) if not late else (810.0, 1933.0),
        "convert": (0.4, 0.9),
        "face_detector": (1.9, 3.4),
        "face_mesh": (2.9, 4.4),
        "expression": (3.3, 5.2),
        "look": (8.9, 14.7),
        "age": (88.0, 240.0) if not late else (1450.0, 2740.0),
        "hint": (1.1, 3.8),
    }
    return {stage: {"p50": p50, "p95": p95} for stage, (p50, p95) in each.items()}


def messages() -> dict[str, Any]:
    each = {
        "wait": (0.5, 0.9),
        "screen": (3.9, 8.4),
        "store": (6.1, 11.8),
        "acknowledge": (0.5, 0.9),
        "chat": (11.2, 21.5),
    }
    return {stage: {"p50": p50, "p95": p95} for stage, (p50, p95) in each.items()}


def gpu(index: int) -> dict[str, Any]:
    return {
        "name": f"NVIDIA L4 ({index})",
        "utilization": 0.71 if index == 0 else None,
        "memory_used_mb": 3912,
        "memory_mb": 23034,
        "temperature_c": 58,
        "power_w": 43.7 if index == 0 else None,
    }


def row(index: int) -> dict[str, Any]:
    return {
        "room": f"k3{index}fQ",
        "age_s": 1900 + index * 4100,
        "mode": "M3" if index < 2 else "M0",
        "state": ("watching", "learning", "off")[index],
        "stream": "320x240@5" if index < 2 else "",
        "samples": 3481 * (2 - index),
        "drops": 8120 * (2 - index),
        "last_hint_age_s": 340 if index == 0 else None,
    }


def now() -> int:
    return int(time.time() * 1000)


async def tour(play: Playwright, root: str, options: argparse.Namespace) -> None:
    looks = [(spoken, size, scheme) for spoken in SAID for size in SIZES for scheme in ("light", "dark")]
    wanted = [look for look in looks if any(word in "-".join(look) for word in options.only)]
    browsers = {}
    for who, clip in (("t", options.teacher_clip), ("s", options.student_clip)):
        camera = [f"--use-file-for-fake-video-capture={clip}"] if clip else []
        browsers[who] = await play.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS + camera)
    for look in wanted:
        one = Tour(root, options.out, look, browsers)
        for part in options.parts.split(","):
            for step in PARTS[part]:
                await getattr(one, step)()
        print(one.name, one.count)
    for browser in browsers.values():
        await browser.close()


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--only", nargs="*", default=["en-laptop-light"])
    parser.add_argument("--parts", default="doors,lesson,operations")
    parser.add_argument("--student-clip", default="")
    parser.add_argument("--teacher-clip", default="")
    options = parser.parse_args()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "--app-dir",
        str(HERE.parents[1]),
        "tests.browser.devserver:app",
        "--port",
        str(port),
        "--log-level",
        "warning",
    ]
    server = subprocess.Popen(command)
    try:
        root = f"http://localhost:{port}"
        for _ in range(100):
            try:
                httpx.get(root)
                break
            except httpx.TransportError:
                await asyncio.sleep(0.1)
        async with async_playwright() as play:
            await tour(play, root, options)
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    asyncio.run(main())
