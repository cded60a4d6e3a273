"""The application inside another one, under a prefix."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from fastapi import FastAPI

from lessonroom import messages as m
from lessonroom.app import build
from lessonroom.config import Settings
from lessonroom.policy import Mode
from tests.integration.serving import Lesson, serving

BASE = "http://school.example"


async def test_links_cookies_and_pages_know_the_prefix(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, models_dir=tmp_path, public_url=f"{BASE}/lessons")
    lessonroom = build(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await lessonroom.start()
        yield
        await lessonroom.stop()

    platform = FastAPI(lifespan=lifespan)
    platform.mount("/lessons", lessonroom.asgi)
    transport = httpx.ASGITransport(platform)
    async with lifespan(platform), httpx.AsyncClient(transport=transport, base_url=BASE, verify=False) as client:
        room = await lessonroom.admission.make_room(Mode.M3)
        made = await lessonroom.admission.make_member(room, "student", "Sam")
        address, _, code = made.link.partition("#")
        assert address == f"{BASE}/lessons/lesson/{made.member}"
        page = await client.get(address)
        assert page.status_code == 200
        assert 'src="/' not in page.text
        assert 'href="/' not in page.text
        path = f"/lessons/api/members/{made.member}"
        client.headers["Origin"] = BASE
        opened = await client.post(f"{path}/session", json={"code": code})
        assert f"Path={path}" in opened.headers["set-cookie"]
        # the cookie comes back by itself, because its path is the one under which the platform serves us
        assert (await client.post(f"{path}/tickets", json={"purpose": "socket"})).status_code == 200
        assert (await client.get("/lessons/static/js/socket.js")).status_code == 200
        assert (await client.get("/lessons/openapi.json")).status_code == 200


async def test_a_lesson_runs_under_the_prefix(tmp_path: Path) -> None:
    async with serving(tmp_path, mount="/lessons", models_dir=tmp_path) as app:
        lesson = await Lesson.make(app)
        async with lesson.teacher.page("page-t001") as teacher, lesson.student.page("page-s001") as student:
            await student.chat("hello")
            assert (await teacher.get(m.ChatMessage)).text == "hello"
