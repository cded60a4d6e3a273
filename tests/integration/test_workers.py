"""A lesson whose analyser is in a media worker, and what becomes of it when the worker dies, hangs or is not there."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from lessonroom import messages as m
from lessonroom.app import App
from lessonroom.config import PREFIX
from lessonroom.policy import Mode
from lessonroom.processes import child
from lessonroom.simulate.client import play
from lessonroom.simulate.facts import ADULT, SETTING
from lessonroom.simulate.sources import SHIPPED_CLIP
from lessonroom.workers import desk as desks
from lessonroom.workers import placing, pool
from lessonroom.workers.desk import WorkerDesk
from tests.integration.serving import PATIENCE, Lesson, Page, Visitor, serving
from tests.integration.test_analysis import LEISURE, ended, feed, pages, publish, watched

MOVES = 5.0
"""What the rooms of a dead worker may take to be analysed again, in seconds."""
SLOWLY = 4.0
"""A factor on it for a machine that does much else at the same time."""
SAMPLES = "lessonroom_samples_total"


@pytest.fixture
async def app(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[App]:
    workers = getattr(request, "param", 1)
    quick = {"strain_learning_seconds": 2, "sample_rate": 4}
    async with serving(tmp_path, ice_loopback=True, workers=workers, **quick) as app:
        yield app


@asynccontextmanager
async def taught(app: App) -> AsyncIterator[Page]:
    """The teacher's page of a lesson with a simulated student, a real WHIP client that shows a face."""
    room = await app.admission.make_room(Mode.M3, SETTING)
    teacher = await app.admission.make_member(room, "teacher", "Tina", about=ADULT)
    student = await app.admission.make_member(room, "student", "Sam", about=ADULT)
    visitor = Visitor(app.admission.public_url, teacher.link)
    await visitor.enter()
    playing = asyncio.create_task(play(student.link, SHIPPED_CLIP))
    try:
        async with visitor.page("page-t001") as page:
            yield page
    finally:
        playing.cancel()
        with suppress(asyncio.CancelledError):
            await playing


def busy(app: App) -> WorkerDesk:
    """The worker that has the lesson."""
    assert app._analysis.workers is not None
    return max(app._analysis.workers._desks, key=lambda one: one.load.analysers)


async def gone(process: psutil.Process, patience: float) -> None:
    """Wait until it runs no more; whoever started it may not have looked after it yet, or may be gone itself."""
    async with asyncio.timeout(patience):
        with suppress(psutil.NoSuchProcess):
            while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                await asyncio.sleep(0.01)


def pid_of(desk: WorkerDesk) -> int:
    assert desk.child.pid is not None
    return desk.child.pid


async def indicators(page: Page, until: str) -> list[tuple[str, str | None]]:
    """What the page is shown up to a state."""
    shown: list[tuple[str, str | None]] = []
    async with asyncio.timeout(2 * PATIENCE):
        while not shown or shown[-1][0] != until:
            now = await page.later(m.Analysis)
            shown.append((now.state, now.reason))
    return shown


async def told(app: App) -> None:
    """Wait for what a worker tells every second, twice: the first may have been on its way. Figures come with it."""
    for _ in range(2):
        before = figure(app, SAMPLES)
        async with asyncio.timeout(PATIENCE):
            while figure(app, SAMPLES) == before:
                await asyncio.sleep(0.02)


def figure(app: App, line: str) -> float:
    """A figure of /metrics by the start of its line; 0 where there is none."""
    found = [row for row in app.services.metrics.render().decode().splitlines() if row.startswith(line)]
    return sum(float(row.rpartition(" ")[2]) for row in found)


@pytest.mark.parametrize("app", [1, 2], indirect=True, ids=["one", "two"])
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "hanging"])
async def test_a_lesson_goes_on_after_its_worker_died_and_the_face_is_still_known(
    app: App, how: signal.Signals
) -> None:
    """With a spare worker or without one: a gap in the indicator, no learning anew, and no page that does not come."""
    async with taught(app) as teacher:
        await indicators(teacher, "watching")
        await told(app)  # what was learned, too
        lost = psutil.Process(pid_of(busy(app)))
        began = time.monotonic()
        lost.send_signal(how)
        shown = await indicators(teacher, "watching")
        took = time.monotonic() - began
    assert not lost.is_running()
    assert ("off", "moving") in shown
    assert "learning" not in [state for state, _ in shown]
    assert took < MOVES * SLOWLY
    reason = {signal.SIGKILL: "gone", signal.SIGSTOP: "hung"}[how]
    assert figure(app, f'lessonroom_media_workers_ended_total{{reason="{reason}"}}') == 1
    assert figure(app, 'lessonroom_analysers_ended_total{reason="moved"}') == 1


@pytest.mark.parametrize("message", [m.ConsentSend(agreed=False), m.Camera(on=False)])
async def test_within_a_second_nothing_is_analysed_any_more_also_when_the_worker_hangs(
    app: App, message: m.FromPage
) -> None:
    """It cannot say that it stopped, so it is made to."""
    lesson = await Lesson.make(app)
    async with pages(lesson) as (teacher, student), watched(lesson, teacher):
        worker = psutil.Process(pid_of(busy(app)))
        worker.send_signal(signal.SIGSTOP)
        await student.say(message)
        await ended(app)
        await gone(worker, LEISURE)
    assert figure(app, 'lessonroom_media_workers_ended_total{reason="unconfirmed"}') == 1


async def test_an_offer_waits_for_a_worker_that_is_about_to_be_ready(app: App) -> None:
    """The pages of a lost worker's lessons come back sooner than the next worker is there."""
    lesson = await Lesson.make(app)
    async with pages(lesson) as (teacher, _):
        os.kill(pid_of(busy(app)), signal.SIGKILL)
        client = await feed(lesson)
        try:
            assert (await publish(client)).status_code == 201
            await teacher.get(m.Analysis, lambda now: now.state == "learning")
        finally:
            await client.close()


async def test_where_no_worker_comes_up_the_lesson_is_told_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desks, "MODULE", "tests.processes.there_is_no_such_module")
    monkeypatch.setattr(pool, "READY_SECONDS", 0.2)
    async with serving(tmp_path, ice_loopback=True, workers=1) as app:
        lesson = await Lesson.make(app)
        async with pages(lesson) as (teacher, student):
            client = await feed(lesson)
            try:
                answer = await publish(client)
                assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
                await teacher.get(m.Analysis, lambda now: now.reason == "vision_down")
                await student.chat("hello")
            finally:
                await client.close()
        assert app.services.figures.provider == ""


@pytest.mark.parametrize("app", [2], indirect=True)
async def test_lessons_are_spread_over_the_workers(app: App) -> None:
    first, second = await Lesson.make(app), await Lesson.make(app)
    async with pages(first) as (one, _), pages(second) as (other, _):
        async with watched(first, one), watched(second, other):
            assert app._analysis.workers is not None
            assert [desk.load.analysers for desk in app._analysis.workers._desks] == [1, 1]
        async with asyncio.timeout(PATIENCE):
            while any(desk.load.analysers for desk in app._analysis.workers._desks):
                await asyncio.sleep(0.02)


@pytest.mark.parametrize("app", [2], indirect=True)
async def test_lessons_move_to_a_worker_that_has_much_less_to_do(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after one was lost: else the next loss would take all of them."""
    monkeypatch.setattr(placing, "UNEVEN", 2)
    monkeypatch.setattr(placing, "SETTLED", 0.5)
    async with taught(app) as one, taught(app) as other:
        await asyncio.gather(indicators(one, "watching"), indicators(other, "watching"))
        assert app._analysis.workers is not None
        os.kill(pid_of(app._analysis.workers._desks[0]), signal.SIGKILL)
        async with asyncio.timeout(2 * PATIENCE):
            while sorted(desk.load.analysers for desk in app._analysis.workers._desks) != [0, 2]:
                await asyncio.sleep(0.02)
            while sorted(desk.load.analysers for desk in app._analysis.workers._desks) != [1, 1]:
                await asyncio.sleep(0.02)
        await asyncio.gather(indicators(one, "watching"), indicators(other, "watching"))


async def test_what_workers_count_is_in_the_server_s_figures(app: App) -> None:
    async with taught(app) as teacher:
        await indicators(teacher, "watching")
        async with asyncio.timeout(PATIENCE):
            while not figure(app, 'lessonroom_inference_seconds_count{stage="look"}'):
                await asyncio.sleep(0.02)
        assert figure(app, SAMPLES) > 0
        assert figure(app, "lessonroom_observation_age_seconds_sum") > 0
        assert app.services.figures.provider in {"CPU", "CUDA", "TensorRT"}
        os.kill(pid_of(busy(app)), signal.SIGKILL)
        before = figure(app, SAMPLES)
        await indicators(teacher, "watching")
        assert figure(app, SAMPLES) >= before
        assert figure(app, "lessonroom_inference_queue") in {0, 1}


async def test_a_worker_that_dies_leaves_no_picture_on_a_disk(app: App) -> None:
    lesson = await Lesson.make(app)
    async with pages(lesson) as (teacher, _), watched(lesson, teacher):
        limits = Path(f"/proc/{pid_of(busy(app))}/limits").read_text()
    (core,) = [line.split() for line in limits.splitlines() if line.startswith("Max core file size")]
    assert core[4:6] == ["0", "0"]


async def test_a_stopped_server_leaves_no_worker_behind(tmp_path: Path) -> None:
    async with serving(tmp_path, ice_loopback=True, workers=2) as app:
        lesson = await Lesson.make(app)
        async with pages(lesson) as (teacher, _), watched(lesson, teacher):
            assert app._analysis.workers is not None
            processes = [psutil.Process(pid) for pid in app._analysis.workers.pids]
    assert processes
    assert not any(process.is_running() for process in processes)


async def test_models_that_are_refused_are_known_before_anybody_is_asked(tmp_path: Path) -> None:
    async with serving(tmp_path, workers=1, models_dir=tmp_path) as app:
        assert app._analysis.workers is None
        lesson = await Lesson.make(app)
        async with lesson.student.page("page-s001") as student:
            assert student.welcome.analysis.reason == "vision_down"


@pytest.mark.parametrize("stopped", [False, True], ids=["working", "hanging"])
async def test_a_killed_server_takes_its_workers_with_it(tmp_path: Path, stopped: bool) -> None:
    """Also one that hangs and cannot see it: pictures must not outlive their lesson."""
    own: dict[str, Any] = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    own |= {f"{PREFIX}CHAT_PROCESSES": "0"}
    command = [sys.executable, "-m", "lessonroom.cli", "serve", "--workers", "1", "--port", "0"]
    log_file = tmp_path / "log"
    with log_file.open("wb") as log:
        server = psutil.Popen([*command, "--data-dir", str(tmp_path)], env=own, stderr=log)
    try:
        async with asyncio.timeout(2 * PATIENCE):
            while not (workers := server.children()) or b"worker is ready" not in log_file.read_bytes():
                await asyncio.sleep(0.05)
        if stopped:
            workers[0].send_signal(signal.SIGSTOP)
    finally:
        server.kill()
        server.wait()
    await gone(workers[0], PATIENCE)


@pytest.fixture(autouse=True)
def _pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "FIRST_PAUSE", 0.05)
    # a busy machine starts a worker later than a lesson waits for it
    monkeypatch.setattr(pool, "READY_SECONDS", PATIENCE)
