"""Lets go of records whose time is over: hourly beside the server, or once by ``lessonroom privacy retention``.

Lessons come first: it deletes in small parts with a pause between them, counts afterwards what is left, and writes both
down, so that anybody can see that it was done.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial

from lessonroom import logs
from lessonroom.chat.standing import FORGET_SECONDS
from lessonroom.config import Settings
from lessonroom.errors import LessonroomError
from lessonroom.rooms.recording import SERVER, record
from lessonroom.storage import auditlog, sweeping
from lessonroom.storage.retention import DAY, Kind, Lives, Sweep, cuts
from lessonroom.storage.sql import SqlStore

log = logs.get(__name__)

EVERY_SECONDS = 3600.0
"""Time from one sweep to the next."""
PAUSE_SECONDS = 0.2
"""Pause after each part: others write meanwhile."""


def lives_of(settings: Settings) -> Lives:
    """How long each kind is kept, in days."""
    return {
        Kind.WAITING: settings.keep_waiting_days,
        Kind.HELD: settings.keep_held_days,
        Kind.MESSAGES: settings.keep_messages_days,
        Kind.HINTS: settings.keep_hints_days,
        Kind.STRIKES: FORGET_SECONDS / DAY,  # older ones count no more
        Kind.CONSENTS: settings.keep_consents_days,
        Kind.SESSIONS: settings.keep_sessions_days,
        Kind.ROOMS: settings.keep_rooms_days,
        Kind.OPERATORS: settings.keep_operators_days,
        Kind.STANDINGS: settings.keep_standings_days,
        Kind.SWEEPS: settings.keep_sweeps_days,
    }


class Sweeper:
    """One for the process. ``pause``: seconds after each part; ``first``: done before each hourly sweep."""

    def __init__(
        self,
        store: SqlStore,
        lives: Lives,
        *,
        pause: float = PAUSE_SECONDS,
        first: Callable[[], Awaitable[object]] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._lives = lives
        self._pause = pause
        self._first = first
        self._clock = clock
        self._task: asyncio.Task[None] | None = None
        self._in_log = False

    def start(self) -> None:
        """Begin to sweep every hour. Call on the event loop."""
        self._task = asyncio.create_task(self._keep_sweeping(), name="sweeper")

    async def stop(self) -> None:
        """Sweep no more. What was deleted is deleted, the rest waits for the next time."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def due(self) -> dict[Kind, int]:
        """How many records of each kind have to go now. Raises StoreDown."""
        found: dict[Kind, int] = {}
        for kind, cut in cuts(self._lives, self._clock()).items():
            found[kind] = await self._store.run(partial(sweeping.left, kind=kind, cut=cut), writes=False)
        return found

    async def sweep(self) -> list[Sweep]:
        """Let go of everything whose time is over, kind by kind. Raises StoreDown."""
        done = [await self._sweep(kind, cut) for kind, cut in cuts(self._lives, self._clock()).items()]
        if self._in_log:  # of this sweep, or of an earlier one that met a reader
            self._in_log = not await self._store.scrub()
        return done

    async def _sweep(self, kind: Kind, cut: float) -> Sweep:
        deleted = 0
        while part := await self._store.run(lambda db: sweeping.sweep(db, kind, cut)):
            deleted += part
            await asyncio.sleep(self._pause)
        beyond = await self._store.run(lambda db: sweeping.left(db, kind, cut), writes=False)
        done = Sweep(self._clock(), kind, cut, deleted, beyond)
        await self._write_down(done)
        return done

    async def _write_down(self, done: Sweep) -> None:
        await self._store.run(lambda db: sweeping.note(db, done))
        if not done.deleted:
            return
        audit = record(SERVER, "records.deleted", f"kind:{done.kind}", deleted=done.deleted, left=done.left_beyond)
        self._in_log = True
        await self._store.run(lambda db: auditlog.add(db, audit))

    async def _keep_sweeping(self) -> None:
        while True:
            try:
                if self._first is not None:
                    await self._first()
                for done in await self.sweep():
                    if done.deleted:
                        log.info("records were deleted, their time was over", kind=done.kind.value, count=done.deleted)
            except LessonroomError as error:  # StoreDown, or a record that came in between: in an hour again
                log.error("a sweep ended early", reason=str(error))
            except Exception:  # a defect must not keep records for ever, unseen
                log.exception("a sweep failed")
            await asyncio.sleep(EVERY_SECONDS)
