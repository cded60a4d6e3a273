"""Real browsers on a real server. Skipped, with the reason, where there is no Chromium."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Playwright, async_playwright, expect

from tests.browser import camera
from tests.browser.people import FLAGS, PATIENCE, Person
from tests.browser.server import Server

VARIABLE = "TEST_CHROMIUM"
NAMES = ("chromium", "chromium-browser", "google-chrome")

MakePerson = Callable[..., Awaitable[Person]]
Launch = Callable[[Path], Awaitable[Browser]]
MakeServer = Callable[..., Server]


@pytest.fixture(scope="package")
def chromium() -> str:
    found = os.environ.get(VARIABLE) or next(filter(None, map(shutil.which, NAMES)), None)
    if not found:
        pytest.skip(f"no Chromium: none of {', '.join(NAMES)} is on the path, and {VARIABLE} names none")
    return found


@pytest.fixture(scope="package")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """What cameras show: a student who is calm and then strained, and a teacher."""
    folder = tmp_path_factory.mktemp("cameras")
    calm = (4.0, 4.0 + camera.CALM_SECONDS)
    strained = (camera.STRAINED_FROM, camera.STRAINED_FROM + camera.STRAINED_SECONDS)
    return {
        "student": camera.film(folder / "student.y4m", calm, strained),
        "teacher": camera.film(folder / "teacher.y4m", (4.0, 12.0)),
    }


@pytest.fixture(scope="package")
def server(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests that do not break it."""
    server = Server(tmp_path_factory.mktemp("server"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def own_server(chromium: str, tmp_path: Path) -> Iterator[MakeServer]:
    """Starts a server for this test alone, which may kill it; asked for before ``person``, it outlives their pages."""
    with ExitStack() as servers:

        def start(*command: str, **environment: str) -> Server:
            server = Server(tmp_path, *command, **environment)
            servers.callback(server.stop)
            server.start()
            return server

        yield start


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def play() -> AsyncIterator[Playwright]:
    expect.set_options(timeout=PATIENCE * 1000)
    async with async_playwright() as play:
        yield play


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def launch(play: Playwright, chromium: str) -> AsyncIterator[Launch]:
    """Starts a browser with a film in its camera; every browser is closed at the end."""
    browsers: list[Browser] = []

    async def start(film: Path) -> Browser:
        camera_flag = f"--use-file-for-fake-video-capture={film}"
        browsers.append(await play.chromium.launch(executable_path=chromium, args=[*FLAGS, camera_flag]))
        return browsers[-1]

    yield start
    for browser in browsers:
        await browser.close()


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def browsers(launch: Launch, films: dict[str, Path]) -> dict[str, Browser]:
    """The teachers' browser and the students' browser."""
    return {role: await launch(film) for role, film in films.items()}


@pytest_asyncio.fixture(loop_scope="session")
async def person(browsers: dict[str, Browser]) -> AsyncIterator[MakePerson]:
    """Makes people; at the end no page may have had an error, nor anything that the content policy forbids."""
    people: list[Person] = []

    async def make(role: str, link: str, browser: Browser | None = None, **options: Any) -> Person:
        people.append(await Person.with_browser(browser or browsers[role], link, **options))
        return people[-1]

    yield make
    for one in people:
        await one.close()
    assert [text for one in people for text in one.unforgiven()] == []
