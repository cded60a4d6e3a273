"""What stands in the server for an analyser and a watch that are in a media worker.

They keep what the lesson must not lose when the worker dies: what is known of its hints, and of the student's own
face. What was stopped stays stopped: a worker that does not confirm it within ``CONFIRM_SECONDS`` is ended.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final, Protocol

from lessonroom.errors import EngineDown
from lessonroom.media import hints as speaking
from lessonroom.media.hints import HintRules, HintState
from lessonroom.media.strain import StrainState
from lessonroom.media.types import Cue, Hint, Strain
from lessonroom.processes.frames import Message
from lessonroom.workers import words

CONFIRM_SECONDS: Final = 0.5
"""Time for a worker to say that nothing of a lesson is looked at any more."""
CLOSE_SECONDS: Final = 2.5
"""Longest wait for a connection to be closed; a worker's own is 2 s."""
UNCONFIRMED: Final = "unconfirmed"
"""Why a worker was ended that did not."""
MOVED: Final = "moved"
"""Why an analyser ended whose worker is gone, or has too many: the student's page makes another, the lesson goes on."""


class Desk(Protocol):
    """One worker, as its lessons see it."""

    def tell(self, message: Message) -> None:
        """Say something; a worker that is not there any more does not mind."""
        ...

    async def ask(self, message: Message) -> Message:
        """Say something and wait for what it says to it. Raises EngineDown when it dies over it."""
        ...

    def waits(self, number: int) -> None:
        """Time goes by for this lesson; told together with others."""
        ...

    def end(self, why: str) -> None:
        """End the worker now."""
        ...

    def forget(self, number: int) -> None:
        """This analyser is over."""
        ...


class ApartFrames:
    """The counts of a mailbox in a worker, as of a second ago."""

    def __init__(self, halt: Callable[[], None]) -> None:
        self.received = 0
        self.dropped = 0
        self._halt = halt

    def close(self) -> None:
        """Have nothing more come out of it."""
        self._halt()


class ApartAnalyser:
    """An analyser in a worker; made by :meth:`lessonroom.workers.pool.Workers.accept`."""

    def __init__(self, desk: Desk, number: int, on_end: Callable[[str], None]) -> None:
        self.number = number
        self.desk = desk
        self.frames = ApartFrames(self.halt)
        self.answer = ""
        self.ufrag = ""
        self.watch: ApartWatch | None = None
        self.over = asyncio.Event()
        """Nothing of it is looked at any more."""
        self.failed = False
        """Its watch broke."""
        self._on_end = on_end
        self._ended: str | None = None
        self._begun = False
        self._closed = asyncio.Event()
        self._alarm: asyncio.TimerHandle | None = None

    @property
    def watched(self) -> bool:
        """Whether a room watches it, and it goes on."""
        return self.watch is not None and self._ended is None and self._alarm is None

    @property
    def ended(self) -> str | None:
        """Why it ended, or None while it goes on."""
        return self._ended

    def begin(self, answer: str, ufrag: str) -> None:
        """The worker has answered the offer; from now on the end is told."""
        self.answer, self.ufrag, self._begun = answer, ufrag, True
        if self._ended is not None:  # in the same breath; whoever asked for it gets to know it first
            asyncio.get_running_loop().call_soon(self._on_end, self._ended)

    async def add_candidate(self, line: str, mid: str) -> None:
        """See :meth:`lessonroom.media.peer.Analyser.add_candidate`."""
        if self._ended is not None:
            return
        try:
            said = await self.desk.ask({"do": words.CANDIDATE, "n": self.number, "line": line, "mid": mid})
        except EngineDown:  # the analyser is gone, and with it all need of a candidate
            return
        if said["refused"] is not None:
            raise words.refused(said["refused"])

    def halt(self) -> None:
        """Have nothing looked at any more, at once; ``over`` says when that is so. Again changes nothing."""
        if self.over.is_set() or self._alarm is not None:
            return
        self.desk.tell({"do": words.STOP, "n": self.number})
        self._alarm = asyncio.get_running_loop().call_later(CONFIRM_SECONDS, self.desk.end, UNCONFIRMED)

    def move(self) -> None:
        """End it so that the page makes another, which goes where there is less to do."""
        self._finish(MOVED)
        self.halt()

    async def close(self) -> None:
        """End it; soon done, never raises."""
        self.halt()
        self._finish("closed")
        if not self._closed.is_set():
            self.desk.tell({"do": words.CLOSE, "n": self.number})
            try:
                async with asyncio.timeout(CLOSE_SECONDS):
                    await self._closed.wait()
            except TimeoutError:
                self.desk.forget(self.number)

    def hear(self, said: Message) -> None:
        """What the worker says of it."""
        match said["say"]:
            case words.ENDED:
                self._finish(said["reason"])
            case words.UNWATCHED:
                self.failed = said["failed"]
                self._stopped()
            case words.STOPPED:
                self._stopped()
            case words.CLOSED:
                self._stopped()
                self._closed.set()
                self.desk.forget(self.number)
            case _ if self.watch is not None:
                self.watch.hear(said)

    def lost(self) -> None:
        """The worker is gone."""
        self._closed.set()
        self._stopped()
        self._finish(MOVED)

    def broke(self) -> None:
        """The lesson does not take what it is told: its watch is as one that broke in the worker."""
        self.failed = True
        self.halt()

    def _stopped(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self.over.set()

    def _finish(self, reason: str) -> None:
        if self._ended is None:
            self._ended = reason
            if self._begun:
                self._on_end(reason)
            if self.watch is None:
                self.over.set()


class ApartWatch:
    """A watch in a worker; see :class:`lessonroom.media.pipeline.Watch`."""

    def __init__(
        self,
        analyser: ApartAnalyser,
        hints: HintState,
        rules: HintRules,
        *,
        on_strain: Callable[[Strain], None],
        on_hint: Callable[[Hint], None],
    ) -> None:
        self.samples = 0
        self.size = (0, 0)
        self.hints = hints
        self.felt = StrainState()
        self._analyser = analyser
        self._rules = rules
        self._on_strain = on_strain
        self._on_hint = on_hint
        self._told = 0
        """How much of what changes hints was told; what the worker says of hints counts when it has heard it all."""
        self._halted = False
        analyser.watch = self
        self._tell(words.WATCH, hints=words.hints(hints))

    def resume(self, felt: StrainState) -> None:
        """See Watch. Call before :meth:`run`."""
        self.felt = felt
        self._tell(words.RESUME, felt=words.felt(felt))

    async def run(self) -> None:
        """Until nothing is looked at any more. Raises EngineDown when the watch broke."""
        await self._analyser.over.wait()
        if self._analyser.failed and not self._halted:
            raise EngineDown("expected a watch that goes on, got one that broke")

    def stop(self) -> None:
        """Stop at once and forget the student."""
        self._halted = True
        self.felt = StrainState()
        self._analyser.halt()

    def note(self, cue: Cue, age: float = 0.0) -> None:
        """See Watch."""
        if cue is Cue.STUCK_BUTTON:
            self._changed(speaking.pressed(self.hints, time.monotonic() - age, self._rules))
        self._tell(words.NOTE, cue=cue, age=age, told=self._told)

    def waited(self) -> None:
        """See Watch."""
        if not self._halted:
            self._analyser.desk.waits(self._analyser.number)

    def answered(self, hint_id: str, helpful: bool | None) -> None:
        """See Watch."""
        self._changed(speaking.answered(self.hints, hint_id, helpful, self._rules))
        self._tell(words.ANSWERED, hint=hint_id, helpful=helpful, told=self._told)

    def hear(self, said: Message) -> None:
        """What the worker says of it; nothing counts that was said before it heard of its end."""
        if self._halted:
            return
        match said["say"]:
            case words.STRAIN:
                self.samples, self.size = said["samples"], tuple(said["size"])
                self._on_strain(words.read_strain(said["strain"]))
            case words.STATE:
                self.felt = words.read_felt(said["felt"])
                self._know(said)
            case words.HINT:
                self._know(said)
                self._on_hint(words.read_hint(said["hint"]))

    def _know(self, said: Message) -> None:
        if said["told"] == self._told:
            self.hints = words.read_hints(said["hints"])

    def _changed(self, hints: HintState) -> None:
        self.hints = hints
        self._told += 1

    def _tell(self, do: str, **more: Any) -> None:
        self._analyser.desk.tell({"do": do, "n": self._analyser.number, **more})
