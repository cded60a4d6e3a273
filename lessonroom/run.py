"""``lessonroom serve`` and ``lessonroom demo``: the server in this process, with those that it starts itself."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from socket import socket

from lessonroom import logs
from lessonroom.app import App, build
from lessonroom.config import Settings
from lessonroom.errors import BadSetting, LessonroomError
from lessonroom.policy import Mode
from lessonroom.processes.manners import no_core_dumps
from lessonroom.server import listen
from lessonroom.simulate.client import play
from lessonroom.simulate.facts import ADULT, PLACE, SETTING

Say = Callable[[str], object]

QUICK = {
    "hint_first_seconds": 30.0,
    "hint_pause_seconds": 60.0,
    "provider_place": PLACE,
    "server_place": PLACE,
    "ice_private": True,
}
"""A demo is looked at for minutes, a lesson lasts an hour: hints may come sooner here. And it is somewhere, and its
camera may be that of a phone in the same house."""

LOCK_FILE = "server.lock"

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Lesson:
    """The links of a ready lesson."""

    teacher: str
    student: str
    operations: str


def serve(settings: Settings) -> None:
    """Serve until a signal says stop. Raises BadSetting when the port is taken."""
    logs.setup(level=settings.log_level, as_json=settings.log_json)
    no_core_dumps()
    with _gently():
        asyncio.run(_serve(settings))


def demo(settings: Settings, *, clip: Path | None, say: Say) -> None:
    """Serve one ready lesson until a signal says stop. ``clip``: what a simulated student plays; None: no such student.

    Raises BadSetting when the port is taken.
    """
    quick = {key: value for key, value in QUICK.items() if key not in settings.model_fields_set}
    logs.setup(level=settings.log_level, as_json=settings.log_json)
    no_core_dumps()
    with _gently():
        asyncio.run(_demo(settings.model_copy(update=quick), clip, say))


@contextlib.contextmanager
def _gently() -> Iterator[None]:
    """Let SIGTERM end the program by way of everything that has to be finished, with exit code 0.

    uvicorn stops on the signal and raises it once more when it has; by default that would kill the process there, with
    the database still open.
    """
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """Be the only server whose database lies in this data directory, which must be there.

    A room lives in one process: of two servers on one file, each would have half of the people of a lesson. The lock is
    the system's (flock(2)) and ends with the process, however that ends. Where the file system has none, nothing is
    known of others. Raises BadSetting.
    """
    if settings.database_url:
        yield
        return
    with (settings.data_dir / LOCK_FILE).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BadSetting("data_dir: expected a folder that no other server uses, got one that is in use") from None
        except OSError:
            log.warning("it is not known whether another server uses this data directory")
        yield


@contextlib.contextmanager
def _built(settings: Settings) -> Iterator[tuple[App, socket, Settings]]:
    """The application with a port and a data directory of its own; the settings know the port. Raises BadSetting."""
    bound, settings = listen.bind(settings)
    with contextlib.closing(bound):
        app = build(settings)
        with alone(settings):
            yield app, bound, settings


async def _serve(settings: Settings) -> None:
    with _built(settings) as (app, bound, known):
        async with listen.started(app):
            log.info("listening", address=app.admission.public_url)
            await listen.serve(app, bound, known)


async def _demo(settings: Settings, clip: Path | None, say: Say) -> None:
    with _built(settings) as (app, bound, known):
        async with listen.started(app):
            lesson = await make_lesson(app)
            for line in _told(app, lesson, simulated=clip is not None):
                say(line)
            async with _student(lesson.student, clip):
                await listen.serve(app, bound, known)


async def make_lesson(app: App) -> Lesson:
    """A room with a teacher and a student, whose owner allows the analyser, and an operator."""
    room = await app.admission.make_room(Mode.M3, SETTING)
    teacher = await app.admission.make_member(room, "teacher", "Maria", about=ADULT)
    student = await app.admission.make_member(room, "student", "Anna", about=ADULT)
    operator = await app.admission.make_operator()
    return Lesson(teacher.link, student.link, operator.link)


def _told(app: App, lesson: Lesson, *, simulated: bool) -> tuple[str, ...]:
    student = "simulated: joins by itself, agrees to analysis and plays a clip" if simulated else lesson.student
    return (
        f"Lessonroom runs at {app.admission.public_url}",
        "",
        f"  teacher     {lesson.teacher}",
        f"  student     {student}",
        f"  operations  {lesson.operations}",
        "",
        f"Everybody is taken to be an adult in {PLACE} who bought the lesson: docs/policy.md has other places.",
        "Open each link in a window of its own. A link works once, and then again in the same browser.",
        "Ctrl+C stops.",
    )


@contextlib.asynccontextmanager
async def _student(link: str, clip: Path | None) -> AsyncIterator[None]:
    if clip is None:
        yield
        return
    student = asyncio.create_task(play(link, clip))
    student.add_done_callback(_ended)
    try:
        yield
    finally:
        student.cancel()
        await asyncio.gather(student, return_exceptions=True)  # its end was logged by _ended


def _ended(student: asyncio.Task[None]) -> None:
    if student.cancelled():
        return
    error = student.exception()
    if isinstance(error, LessonroomError):
        log.error("the simulated student has left", reason=str(error))
    elif error is not None:
        log.error("the simulated student has left", exc_info=error)
    else:
        log.info("the simulated student has left: its room is closed")
