"""The parent's side: a process of ours that is started again when it ends, and the socket between the two."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from collections.abc import Callable
from typing import Final

from lessonroom import logs
from lessonroom.errors import EngineDown
from lessonroom.processes.frames import Message, greeting
from lessonroom.processes.line import Line

log = logs.get(__name__)

FIRST_PAUSE: Final = 0.2
"""Seconds before a process that has ended is started again; twice as long each time, up to ``LONGEST_PAUSE``."""
LONGEST_PAUSE: Final = 30.0
STEADY_SECONDS: Final = 30.0
"""A process that was ready for so long was well: the next pause is short again."""
STOP_SECONDS: Final = 5.0
READY_SECONDS: Final = 300.0
"""A process that is not ready by then hangs. Long, as engines for a GPU may be built at the first start."""

_BEGIN: Final = (
    "import json, runpy, sys; sys.path[:] = json.loads(sys.argv[2]); runpy.run_module(sys.argv[3], run_name='__main__')"
)
"""``python -m`` would look for code in the folder where the server was started, first of all. A child finds its code
where its parent has found its own."""


class Child:
    """One process that runs a module as its program, from :meth:`start` to :meth:`stop`.

    ``hello``: what it is told first, each time it starts. ``on_message`` hears what it says, ``on_up`` that it is
    ready, ``on_gone`` that it is not any more, ``on_refused`` why it does not begin: the text of a LessonroomError. All
    on one event loop. What it refuses may be mended, so it is tried again, with the same pauses.
    """

    def __init__(
        self,
        module: str,
        hello: Callable[[], Message],
        *,
        on_message: Callable[[Message], None],
        on_up: Callable[[], None] = lambda: None,
        on_gone: Callable[[], None] = lambda: None,
        on_refused: Callable[[str], None] = lambda why: None,
    ) -> None:
        self._module = module
        self._hello = hello
        self._on_message = on_message
        self._on_up = on_up
        self._on_gone = on_gone
        self._on_refused = on_refused
        self._line: Line | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._up = False
        self._up_at: float | None = None
        self._refused = False

    @property
    def up(self) -> bool:
        """Whether it is there and ready."""
        return self._up and self._line is not None and self._line.listens

    @property
    def pid(self) -> int | None:
        """Its number, while there is one."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    def start(self) -> None:
        """Begin, without waiting for it. Call on the event loop."""
        self._keeping = asyncio.create_task(self._keep(), name=f"keep-{self._module}")

    async def stop(self) -> None:
        """Let it go: it ends by itself when its socket closes, and is made to when it does not."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
            self._keeping = None

    def kill(self) -> None:
        """End it now, since it hangs; another takes its place. Nothing that it still says is heard."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
        if self._line is not None:
            self._line.cut()
        self._lost()

    def send(self, message: Message) -> None:
        """Tell it something. Raises EngineDown when it is not there or does not listen."""
        if self._line is None or not self._up:
            raise EngineDown("expected a process that is ready, got one that is not")
        self._line.send(message)

    # --- its life ----------------------------------------------------------------------------------------------------

    async def _keep(self) -> None:
        loop, pause = asyncio.get_running_loop(), FIRST_PAUSE
        while True:
            self._up_at, self._refused = None, False
            try:
                await self._live()
                if not self._refused:
                    log.error("a process has ended and is started again", kind=self._module, code=self._code())
            except (OSError, EngineDown, TimeoutError) as error:
                log.error("a process could not be started", kind=self._module, error=type(error).__name__)
            except Exception:  # a defect of who hears it must not be the end of it
                log.exception("a process was lost to a defect", kind=self._module)
            if self._up_at is not None and loop.time() - self._up_at > STEADY_SECONDS:
                pause = FIRST_PAUSE
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _live(self) -> None:
        """One process from its start to its end."""
        ours, theirs = socket.socketpair()
        with theirs:
            process = self._process = await _spawn(self._module, ours, theirs)
        try:
            self._line = await _line_on(ours, self._heard)
            late = asyncio.get_running_loop().call_later(READY_SECONDS, self._not_ready, process)
            try:
                self._line.send(greeting(self._hello()))
                await self._line.ended
            finally:
                late.cancel()
                self._line.close()
                self._lost()
        finally:
            await self._end(process)

    def _heard(self, message: Message) -> None:
        if self._up:
            self._on_message(message)
        elif "refused" in message:
            self._refused = True
            reason = message["why"]
            log.error("a process does not begin; tried again later", kind=self._module, reason=reason)
            self._on_refused(reason)
        else:  # the first thing that it says is that it is ready
            self._up, self._up_at = True, asyncio.get_running_loop().time()
            self._on_up()

    def _not_ready(self, process: asyncio.subprocess.Process) -> None:
        if not self._up and process.returncode is None:
            log.error("a process was not ready in time and is ended", kind=self._module)
            process.kill()

    def _lost(self) -> None:
        if self._up:
            self._up = False
            self._on_gone()

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
        except BaseException as error:  # it takes too long, or nobody waits any more
            if process.returncode is None:
                process.kill()
            await process.wait()
            if not isinstance(error, TimeoutError):
                raise

    def _code(self) -> int | None:
        return self._process.returncode if self._process is not None else None


async def _line_on(ours: socket.socket, hear: Callable[[Message], None]) -> Line:
    try:
        return await Line.on(ours, hear)
    except BaseException:
        ours.close()
        raise


async def _spawn(module: str, ours: socket.socket, theirs: socket.socket) -> asyncio.subprocess.Process:
    try:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-c", _BEGIN, str(theirs.fileno()), json.dumps(sys.path), module,
            pass_fds=(theirs.fileno(),),
        )  # fmt: skip
    except BaseException:
        ours.close()
        raise
