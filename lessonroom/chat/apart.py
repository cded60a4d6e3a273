"""Screening in processes of its own, as the gate sees it: the rooms keep their processor, whatever a message costs.

A room always asks the same process, which remembers its lines. A process that is away, cannot load the release or has
too many questions is no reason to wait or to guess: the gate then screens by itself. One that hangs is ended.
"""

from __future__ import annotations

import asyncio
import time
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Protocol

from lessonroom import logs
from lessonroom.chat.policy import ChatPolicy
from lessonroom.chat.questions import COMPARED, FOLLOW, VERDICT, Answer, Orders, Question
from lessonroom.errors import EngineDown
from lessonroom.processes.child import Child
from lessonroom.processes.frames import Message

log = logs.get(__name__)

MODULE: Final = "lessonroom.chat.screening"
MOST_WAITING: Final = 256
"""Questions that one process may have; the gate screens what comes above."""
HANGS_AFTER: Final = 5.0
"""Seconds without any answer, while some are asked for, after which a process counts as hanging."""

Compared = Callable[[str, bool, bool | None], None]
"""A candidate's version, whether the current model raised an alarm, and whether it did (None: it failed)."""


def _nobody_hears(version: str, current: bool, candidate: bool | None) -> None:
    """Nobody wants to know of a candidate."""


class Apart(Protocol):
    """What the gate needs of screening processes."""

    async def screen(self, question: Question) -> Answer | None:
        """The answer, or None where the gate has to screen by itself. Raises TimeoutError at ``question.until``."""
        ...

    def follow(self, current: str, shadow: str | None) -> None:
        """Use other releases from now on."""
        ...


class _Desk:
    """One process and what it is asked."""

    def __init__(self, hello: Callable[[], Message], on_compared: Compared) -> None:
        self.child = Child(MODULE, self._greet, on_message=self._heard, on_up=self._ready, on_gone=self._let_go)
        self._hello = hello
        self._on_compared = on_compared
        self._greeted: Message = {}
        """What the process was told first."""
        self._is_ready = False
        self._waiting: dict[int, asyncio.Future[Answer | None]] = {}
        self._silent_since: float | None = None
        """Since when it has been asked for something and has said nothing at all."""

    async def screen(self, number: int, question: Question) -> Answer | None:
        """Ask, and wait for the answer."""
        if not self.child.up or len(self._waiting) >= MOST_WAITING:
            return None
        loop, now = asyncio.get_running_loop(), time.monotonic()
        answer: asyncio.Future[Answer | None] = loop.create_future()
        self._waiting[number] = answer
        # not asyncio.timeout(): on a loop that is late itself it would throw away an answer that has come
        alarm = loop.call_later(question.until - now, self._late, answer)
        try:
            self.child.send(question.message(number))
            if self._silent_since is None:
                self._silent_since = now
            return await answer
        except EngineDown:
            return None
        finally:
            alarm.cancel()
            del self._waiting[number]

    def follow(self, current: str, shadow: str | None) -> None:
        """Have it use other releases. One that starts is told when it is ready."""
        if self._is_ready:
            try:
                self.child.send({"do": FOLLOW, "current": current, "shadow": shadow})
            except EngineDown:  # it is going or behind, and must not go on with the old ones
                self.child.kill()

    def _greet(self) -> Message:
        self._greeted = self._hello()
        return self._greeted

    def _ready(self) -> None:
        """It is ready, with the releases of its greeting: these may have changed while it loaded them."""
        self._is_ready = True
        now = self._hello()
        if now != self._greeted:
            self.follow(now["current"], now["shadow"])

    def _heard(self, said: Message) -> None:
        waiting = len(self._waiting) - (said.get("number") in self._waiting)
        self._silent_since = time.monotonic() if waiting else None
        if said["say"] == COMPARED:
            self._on_compared(said["version"], said["current"], said["candidate"])
            return
        answer = self._waiting.get(said["number"])
        if answer is not None and not answer.done():
            answer.set_result(Answer.of(said) if said["say"] == VERDICT else None)

    def _late(self, answer: asyncio.Future[Answer | None]) -> None:
        """A question is not answered in time: is that one late, or does the process hang?"""
        if answer.done():
            return
        answer.set_exception(TimeoutError())
        if self._silent_since is not None and time.monotonic() - self._silent_since > HANGS_AFTER:
            log.error("a screening process hangs and is ended")
            self.child.kill()

    def _let_go(self) -> None:
        """The process is gone: whoever waits for it has the gate screen."""
        self._silent_since, self._is_ready = None, False
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_result(None)


class ScreeningProcesses:
    """So many processes that screen. ``on_compared`` hears what a candidate would have done."""

    def __init__(
        self,
        count: int,
        policy: ChatPolicy,
        *,
        data_dir: Path,
        models_dir: Path | None,
        log_level: str,
        log_json: bool,
    ) -> None:
        self._orders = Orders(
            str(data_dir.absolute()),
            str(models_dir.absolute()) if models_dir else None,
            policy,
            "",
            None,
            log_level,
            log_json,
        )
        self._releases: tuple[str, str | None] = ("", None)
        self._number = 0
        self.on_compared: Compared = _nobody_hears
        self._desks = [_Desk(self._hello, self._compared) for _ in range(count)]

    @property
    def pids(self) -> Sequence[int]:
        """The processes that are there."""
        return [desk.child.pid for desk in self._desks if desk.child.up and desk.child.pid is not None]

    def start(self) -> None:
        """Begin, without waiting. Call on the event loop."""
        for desk in self._desks:
            desk.child.start()

    async def stop(self) -> None:
        """Let all processes go."""
        await asyncio.gather(*(desk.child.stop() for desk in self._desks))

    def follow(self, current: str, shadow: str | None) -> None:
        """See Apart."""
        self._releases = current, shadow
        for desk in self._desks:
            desk.follow(current, shadow)

    async def screen(self, question: Question) -> Answer | None:
        """See Apart."""
        self._number += 1
        desk = self._desks[zlib.crc32(question.room.encode("utf-8", "surrogatepass")) % len(self._desks)]
        return await desk.screen(self._number, question)

    def _compared(self, version: str, current: bool, candidate: bool | None) -> None:
        self.on_compared(version, current, candidate)

    def _hello(self) -> Message:
        current, shadow = self._releases
        return {**self._orders.message(), "current": current, "shadow": shadow}
