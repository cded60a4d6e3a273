"""The hub's part that reads to a member what they have missed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from lessonroom import logs
from lessonroom.errors import StoreDown
from lessonroom.messages import CloseCode
from lessonroom.metrics import Metrics
from lessonroom.rooms import effects as do
from lessonroom.rooms import events as ev
from lessonroom.rooms.live import Live
from lessonroom.rooms.outbox import Outbox
from lessonroom.rooms.talk import as_seen_by
from lessonroom.storage.store import Store, StoredMessage

log = logs.get(__name__)

RETRY_SECONDS: Final = 1.0
"""Pause before a store that is away is asked again: a reader cannot go on without it."""


class Replaying:
    """Carries out Replay effects. ``limit``: messages that are read at once."""

    def __init__(self, store: Store, metrics: Metrics, limit: int, apply: Callable[[Live, ev.Event], None]) -> None:
        self._store = store
        self._metrics = metrics
        self._limit = limit
        self._apply = apply

    async def replay(self, live: Live, wanted: do.Replay) -> None:
        """Read one part and send it no faster than its reader reads.

        A defect closes the socket, and its page comes back: else it would hear nothing more, and not know it.
        """
        outbox = live.outboxes.get(wanted.socket)
        if outbox is None:
            return
        try:
            await self._read(live, wanted, outbox)
        except Exception:
            log.exception("what a member has missed could not be read", room=live.room.id)
            outbox.close(CloseCode.SERVER_BUSY)

    async def _read(self, live: Live, wanted: do.Replay, outbox: Outbox) -> None:
        part = await self._part(live, wanted, outbox)
        for stored in part:
            await outbox.eased()
            outbox.send(as_seen_by(wanted.reader, stored))
        last = part[-1].seq if part else 0
        self._apply(live, ev.Replayed(wanted.socket, last if len(part) == self._limit else max(last, wanted.known)))

    async def _part(self, live: Live, wanted: do.Replay, outbox: Outbox) -> Sequence[StoredMessage]:
        while outbox.code is None:
            try:
                return await self._store.after(live.room.id, wanted.after, wanted.reader, self._limit)
            except StoreDown:
                self._metrics.store_failed()
                await asyncio.sleep(RETRY_SECONDS)
        return []
