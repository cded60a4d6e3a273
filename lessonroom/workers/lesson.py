"""One lesson in a media worker: its analyser and its watch, and what is told of them to the server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from lessonroom import logs
from lessonroom.config import Settings
from lessonroom.media.meter import Meter
from lessonroom.media.peer import Analyser, End
from lessonroom.media.pipeline import Watch
from lessonroom.media.sdp import SdpPolicy
from lessonroom.media.types import Cue, Hint, Strain
from lessonroom.media.vision import Vision
from lessonroom.processes.frames import Message
from lessonroom.processes.within import Say
from lessonroom.workers import words

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Servers:
    """A STUN or TURN server; see :class:`lessonroom.media.peer.IceServer`."""

    urls: Sequence[str]
    username: str | None
    credential: str | None

    @classmethod
    def read(cls, said: Iterable[Sequence[Any]]) -> list[Servers]:
        """Those of a message."""
        return [cls(*one) for one in said]


class Lesson:
    """Analyser and, once the room wants it, watch. ``number``: the server's name for it."""

    def __init__(self, number: int, vision: Vision, settings: Settings, meter: Meter, say: Say) -> None:
        self._number = number
        self._vision = vision
        self._settings = settings
        self._meter = meter
        self._speak = say
        self._analyser: Analyser | None = None
        self._watch: Watch | None = None
        self._watching: asyncio.Task[None] | None = None
        self._told = 0
        self._stopped = False

    async def accept(self, sdp: str, servers: Sequence[Servers], policy: SdpPolicy) -> Analyser:
        """Answer an offer; see :meth:`Analyser.accept`. Raises BadSdp, Busy."""
        analyser = await Analyser.accept(sdp, servers, policy=policy, on_end=self._ended, meter=self._meter)
        self._analyser = analyser
        if self._stopped:  # while the answer was made
            await analyser.close()
        return analyser

    async def add_candidate(self, line: str, mid: str) -> None:
        """See :meth:`Analyser.add_candidate`. Raises BadSdp."""
        if self._analyser is not None:
            await self._analyser.add_candidate(line, mid)

    def hear(self, message: Message) -> None:
        """What the server says of this lesson's watch."""
        if message["do"] == words.WATCH:
            self._begin(message)
        elif self._watch is not None:
            self._change(self._watch, message)

    def waited(self) -> None:
        """Time went by."""
        if self._watch is not None:
            self._watch.waited()

    def stop(self) -> None:
        """Look at nothing any more, at once, and forget the student."""
        self._stopped = True
        if self._analyser is not None:
            self._analyser.frames.close()
        if self._watch is not None:
            self._watch.stop()

    async def close(self) -> None:
        """End the connection."""
        if self._analyser is not None:
            await self._analyser.close()
        if self._watching is not None:
            await asyncio.gather(self._watching, return_exceptions=True)

    def counts(self) -> tuple[int, int, int] | None:
        """Number, frames that came, and frames that nobody looked at."""
        if self._analyser is None:
            return None
        return self._number, self._analyser.frames.received, self._analyser.frames.dropped

    def tell(self) -> None:
        """Say what another worker would have to know, should this one die."""
        watch = self._watch
        if watch is not None and not self._stopped:
            self._say(words.STATE, felt=words.felt(watch.felt), hints=words.hints(watch.hints), told=self._told)

    # --- the watch ---------------------------------------------------------------------------------------------------

    def _begin(self, message: Message) -> None:
        if self._analyser is None or self._stopped:
            return
        self._watch = Watch(
            self._analyser.frames,
            self._vision,
            time.monotonic,
            self._settings,
            on_strain=self._strain,
            on_hint=self._hint,
            meter=self._meter,
            hints=words.read_hints(message["hints"]),
        )
        self._watching = asyncio.create_task(self._run(self._watch), name="watch")

    def _change(self, watch: Watch, message: Message) -> None:
        match message["do"]:
            case words.RESUME:
                watch.resume(words.read_felt(message["felt"]))
            case words.NOTE:
                self._told = message["told"]
                watch.note(Cue(message["cue"]), message["age"])
            case words.ANSWERED:
                self._told = message["told"]
                watch.answered(message["hint"], message["helpful"])

    async def _run(self, watch: Watch) -> None:
        failed = True
        try:
            await watch.run()
            failed = False
        except asyncio.CancelledError:
            failed = False
            if not self._stopped:
                raise
        except Exception:  # a defect in the pipeline ends the analysis, never the lesson; the server is told
            log.exception("a watch failed")
        finally:
            self.tell()
            self._say(words.UNWATCHED, failed=failed)

    def _strain(self, strain: Strain) -> None:
        watch = self._watch
        if watch is not None:
            self._say(words.STRAIN, strain=words.strain(strain), samples=watch.samples, size=watch.size)

    def _hint(self, hint: Hint) -> None:
        if self._watch is not None:
            self._say(words.HINT, hint=words.hint(hint), hints=words.hints(self._watch.hints), told=self._told)

    def _ended(self, reason: End) -> None:
        self._say(words.ENDED, reason=reason.value)

    def _say(self, what: str, **more: Any) -> None:
        self._speak({"say": what, "n": self._number, **more})
