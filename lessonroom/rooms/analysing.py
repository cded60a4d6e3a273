"""The hub's part that runs analysers: one watch for each analysed lesson, begun and stopped on the room's word."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn

from lessonroom import logs
from lessonroom.errors import Busy, Refused
from lessonroom.media.strain import StrainState
from lessonroom.metrics import Metrics
from lessonroom.rooms import events as ev
from lessonroom.rooms.live import Analyser, Felt, Live, MakeWatch, Session

log = logs.get(__name__)

Apply = Callable[[Live, ev.Event], None]
Spawn = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]

_REASONS = {"lost": "connection_poor", "failed": "connection_poor", "moved": "moving"}
"""What the indicator says after an analyser has ended for this reason; for others it waits for the next one."""
_CUT_OFF = {"lost", "moved"}
"""Reasons for which an analyser ends in the middle of a lesson, which goes on with another one."""
FELT_SECONDS = 15.0
"""For so long what was learned of a student's face is kept for the next analyser; longer than a page takes for one."""
RETURN_SECONDS = 60.0
"""A lesson whose analyser ended no longer ago than this is no new one: it is taken back also while others are not."""


def always() -> bool:
    """For a server that never has too much to do."""
    return True


class Analysing:
    """Analysers of all rooms. ``most``: how many may run at once; ``make_watch`` None: none.

    ``may_admit``: whether a lesson that was not analysed a moment ago may be; False while the server is overloaded.
    """

    def __init__(
        self,
        make_watch: MakeWatch | None,
        most: int,
        metrics: Metrics,
        apply: Apply,
        spawn: Spawn,
        *,
        may_admit: Callable[[], bool] = always,
    ) -> None:
        self._make_watch = make_watch
        self._most = most
        self._metrics = metrics
        self._apply = apply
        self._spawn = spawn
        self._may_admit = may_admit
        self._sessions = 0
        self._running = 0

    def may(self, live: Live, member: str) -> None:
        """Return when this member's video may be analysed now; else raise Refused or Busy."""
        reason = live.room.may_analyse(member)
        if reason is not None:
            raise Refused(f"expected a lesson that may be analysed, got {reason}")
        if live.session is not None:
            return
        if self._running >= self._most:
            self._refuse(live, f"expected fewer than {self._most} analysers, all are in use")
        if not self._may_admit() and time.monotonic() - live.analysed_at > RETURN_SECONDS:
            self._refuse(live, "expected a server with room for one more analyser, got one that is overloaded")

    def _refuse(self, live: Live, why: str) -> NoReturn:
        self._apply(live, ev.AnalyserRefused("no_capacity"))
        raise Busy(why)

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
        felt = self._felt(live, now)
        if live.session is not None:
            self.stop(live, live.session.number)
        if felt is not None:
            watch.resume(felt)
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

    def tick(self, live: Live) -> None:
        """A second went by: what was learned of a face goes when its time is over, or analysis is forbidden."""
        felt = live.felt
        if felt is not None and (time.monotonic() > felt.until or live.room.watch.forbidden(student_here=True)):
            live.felt = None

    async def end(self, live: Live) -> None:
        """Stop and wait until the connection is closed."""
        session = live.session
        if session is not None:
            self.stop(live, session.number)
            await session.analyser.close()

    def _felt(self, live: Live, now: float) -> StrainState | None:
        """What the watch that is cut off by the next one remembers, or one that was cut off a moment ago."""
        felt, live.felt = live.felt, None
        if live.session is not None:
            return live.session.watch.felt
        return felt.state if felt is not None and now <= felt.until else None

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
            live.analysed_at = time.monotonic()
            if not session.stopped:  # then a successor may already know more
                live.listening.take_back(session.watch.hints)
                self._keep(live, session)
        self._over(live, session, reason)
        await session.analyser.close()

    def _keep(self, live: Live, session: Session) -> None:
        """Keep what was learned of the student's face where the analyser was cut off and another is to come."""
        if session.analyser.ended in _CUT_OFF and live.session is session:
            live.felt = Felt(session.watch.felt, time.monotonic() + FELT_SECONDS)

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
