"""The hub's part that runs analysers: one watch for each analysed lesson, begun and stopped on the room's word."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

from lessonroom import logs
from lessonroom.errors import Busy, Refused
from lessonroom.metrics import Metrics
from lessonroom.rooms import events as ev
from lessonroom.rooms.live import Analyser, Live, MakeWatch, Session

log = logs.get(__name__)

Apply = Callable[[Live, ev.Event], None]
Spawn = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]

_REASONS = {"lost": "connection_poor", "failed": "connection_poor"}
"""What the indicator says after an analyser has ended for this reason; for others it waits for the next one."""


class Analysing:
    """Analysers of all rooms. ``most``: how many may run at once; ``make_watch`` None: none."""

    def __init__(self, make_watch: MakeWatch | None, most: int, metrics: Metrics, apply: Apply, spawn: Spawn) -> None:
        self._make_watch = make_watch
        self._most = most
        self._metrics = metrics
        self._apply = apply
        self._spawn = spawn
        self._sessions = 0
        self._running = 0

    def may(self, live: Live, member: str) -> None:
        """Return when this member's video may be analysed now; else raise Refused or Busy."""
        reason = live.room.may_analyse(member)
        if reason is not None:
            raise Refused(f"expected a lesson that may be analysed, got {reason}")
        if live.session is None and self._running >= self._most:
            self._apply(live, ev.AnalyserRefused("no_capacity"))
            raise Busy(f"expected fewer than {self._most} analysers, all are in use")

    def begin(self, live: Live, analyser: Analyser) -> None:
        """Start to watch; an earlier analyser of this room is stopped."""
        if self._make_watch is None:
            raise Refused("expected a server that can analyse, got one without models")
        self._sessions += 1
        number = self._sessions
        now = time.monotonic()
        if live.session is not None:
            live.listening.take_back(live.session.watch.hints)
        watch = self._make_watch(
            analyser,
            live.listening.hand_over(now),
            lambda strain: self._apply(live, ev.StrainSeen(number, strain)),
            lambda hint: self._apply(live, ev.HintDue(number, hint)),
        )
        if live.session is not None:
            self.stop(live, live.session.number)
        for cue, since in live.listening.recent(now):
            watch.note(cue, now - since)
        live.session = Session(number, analyser, watch)
        self._count(+1)
        live.session.task = self._spawn(self._watch(live, live.session))
        self._apply(live, ev.AnalyserStarted(number))

    def stop(self, live: Live, number: int) -> None:
        """Stop at once: no frame that is here or still comes is looked at."""
        session = live.session
        if session is None or session.number != number:
            return
        live.session = None
        session.stopped = True
        live.listening.take_back(session.watch.hints)
        session.analyser.frames.close()
        session.watch.stop()

    async def end(self, live: Live) -> None:
        """Stop and wait until the connection is closed."""
        session = live.session
        if session is not None:
            self.stop(live, session.number)
            await session.analyser.close()

    async def _watch(self, live: Live, session: Session) -> None:
        """Watch to the end, whoever brings it about, and let go of everything."""
        reason: str | None = None
        try:
            await session.watch.run()
        except asyncio.CancelledError:
            if not session.stopped:
                raise
        except Exception:  # a defect in the pipeline ends the analysis, never the lesson
            log.exception("a watch failed", room=live.room.id, session=session.number)
            reason = "vision_down"
        finally:
            self._count(-1)
            if not session.stopped:  # then a successor may already know more
                live.listening.take_back(session.watch.hints)
        self._over(live, session, reason)
        await session.analyser.close()

    def _over(self, live: Live, session: Session, reason: str | None) -> None:
        ended = session.analyser.ended
        self._metrics.analyser_ended("stopped" if session.stopped else ended or "failed")
        if session.stopped:
            return
        if live.session is session:
            live.session = None
        self._apply(live, ev.AnalyserEnded(session.number, reason or _REASONS.get(ended or "")))

    def _count(self, change: int) -> None:
        self._running += change
        self._metrics.analysers.set(self._running)
