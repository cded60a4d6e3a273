"""Rooms in memory: read from the store when somebody comes, forgotten when nobody has been there for a while."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator

from lessonroom.chat import cues
from lessonroom.errors import Busy
from lessonroom.rooms.live import Limits, Live, load
from lessonroom.storage.store import Store

FORGET_SECONDS = 120.0
"""How long an empty room stays in memory."""


class Shelf:
    """The loaded rooms of one process. ``on_failure`` hears of a room whose lane broke."""

    def __init__(self, store: Store, limits: Limits, on_failure: Callable[[Live, BaseException], None]) -> None:
        self._store = store
        self._limits = limits
        self._on_failure = on_failure
        self._rooms: dict[str, Live] = {}
        self._loading: dict[str, asyncio.Task[Live]] = {}
        self._closed = False
        self._prepared = False

    def __iter__(self) -> Iterator[Live]:
        """All rooms that are loaded now; they may change meanwhile."""
        return iter(list(self._rooms.values()))

    def peek(self, room: str) -> Live | None:
        """The room, if it is loaded."""
        return self._rooms.get(room)

    async def get(self, room: str) -> Live:
        """The loaded room; many who ask at once wait for one loading. Raises NotFound, Refused, StoreDown, Busy."""
        if self._closed:
            raise Busy("expected a running server, got one that is stopping")
        if room not in self._rooms:
            if room not in self._loading:
                self._loading[room] = asyncio.create_task(self._load(room))
            await asyncio.shield(self._loading[room])
        if room not in self._rooms:
            raise Busy("expected a room that stays loaded, got one that is being read anew")
        return self._rooms[room]

    async def find(self, room: str) -> Live | None:
        """The room, if it is loaded or being loaded now."""
        if room in self._loading:
            await asyncio.wait([self._loading[room]])
        return self.peek(room)

    async def take_away(self, room: str) -> Live | None:
        """Forget a room, also one that is being loaded; whoever comes next has it read anew."""
        await self.find(room)
        return self._rooms.pop(room, None)

    def drop(self, live: Live) -> None:
        """Forget a loaded room at once, unless it was forgotten before: what was read since is another."""
        if self.has(live):
            del self._rooms[live.room.id]

    def has(self, live: Live) -> bool:
        """Whether this is the room that everybody gets."""
        return self.peek(live.room.id) is live

    def forget(self, now: float) -> None:
        """Drop the rooms that nobody has been in for a while and that have nothing left to do."""
        for live in self:
            if live.idle and abs(now - live.empty_since) > FORGET_SECONDS:
                del self._rooms[live.room.id]

    def close(self) -> None:
        """Load no more."""
        self._closed = True

    async def _load(self, room: str) -> Live:
        try:
            if not self._prepared:  # else the first message of the process's first lesson would hold up all others
                await asyncio.to_thread(cues.prepare)
                self._prepared = True
            live = await load(self._store, room, self._limits, time.time(), self._on_failure)
            self._rooms[room] = live
            return live
        finally:
            del self._loading[room]
