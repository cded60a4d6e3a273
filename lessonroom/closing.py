"""Closes lessons that nobody closes: what is kept of them has an end only after theirs.

A lesson closes by itself when nobody is in it, nothing was stored of it for a while, and no link or session leads into
it any more.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from lessonroom import logs
from lessonroom.rooms.hub import Hub
from lessonroom.rooms.recording import SERVER, record
from lessonroom.storage import sweeping
from lessonroom.storage.sql import SqlStore

log = logs.get(__name__)

HOUR = 3600.0


class Closing:
    """One for the process. ``hours``: after the last thing that was stored of a lesson; 0: never."""

    def __init__(self, store: SqlStore, hub: Hub, hours: float, *, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._hub = hub
        self._seconds = hours * HOUR
        self._clock = clock

    async def close_quiet(self) -> int:
        """Close what is over; how many lessons it were. Raises StoreDown."""
        if not self._seconds:
            return 0
        now = self._clock()
        look = partial(sweeping.quiet, cut=now - self._seconds, now=now)
        closed = 0
        for room in await self._store.run(look, writes=False):
            # again: it may be that somebody got a new link while others were closed
            if await self._store.run(partial(look, only=room), writes=False) and not self._occupied(room):
                await self._hub.close_room(room, record(SERVER, "room.closed", f"room:{room}", reason="quiet"))
                closed += 1
        if closed:
            log.info("lessons were closed, nobody had been in them", count=closed)
        return closed

    def _occupied(self, room: str) -> bool:
        return any(live.room.id == room for live in self._hub.live_rooms())
