"""What becomes of those who are not let in: counted, limited by address, and told to the audit without filling it."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Coroutine
from typing import Protocol

from starlette.requests import HTTPConnection

from lessonroom import logs
from lessonroom.errors import LessonroomError, StoreDown, TicketRefused
from lessonroom.metrics import Metrics
from lessonroom.server.limits import TooOften, neighbourhood, per_minute
from lessonroom.storage.audit import AuditRecord

log = logs.get(__name__)

WINDOW_SECONDS = 60.0
"""The first refusal of a class is written at once; those of so long after it are one record with their number."""


class Recorder(Protocol):
    """Where records of the audit go: :class:`lessonroom.storage.audit.Audits`."""

    async def record(self, audit: AuditRecord) -> None:
        """Write a record down for good. Raises StoreDown."""
        ...


class Refusals:
    """Strangers may try as often as they like; what they cost is bounded.

    A good ticket, session or key always gets in, whatever its neighbours do: a school has one address. Only who shows
    a bad one too often is told to wait instead of why, and has one-time codes not even looked up.
    """

    def __init__(self, audits: Recorder, metrics: Metrics, most: int, window: float = WINDOW_SECONDS) -> None:
        self._audits = audits
        self._metrics = metrics
        self._limits = per_minute(most)
        self._window = window
        self._more: dict[str, int] = {}
        self._ends: dict[str, asyncio.TimerHandle] = {}
        self._writing: set[asyncio.Task[None]] = set()

    def check(self, address: str) -> None:
        """Raise TooOften for an address whose refusals are too many, before anything is looked up for it."""
        seconds = self._limits.wait(neighbourhood(address), time.monotonic())
        if seconds > 0:
            raise TooOften("expected fewer refused attempts of this address, got too many", seconds)

    def count(self, address: str, error: TicketRefused) -> LessonroomError:
        """Take note of a refusal; what to answer instead of ``error`` when this address was refused too often."""
        self._metrics.ticket_refused()
        self._tell(error.why)
        key, now = neighbourhood(address), time.monotonic()
        if self._limits.take(key, now):
            return error
        return TooOften("expected fewer refused attempts of this address, got too many", self._limits.wait(key, now))

    async def finish(self) -> None:
        """Write what is still to be told; call before the database is closed."""
        for end in self._ends.values():
            end.cancel()
        for why in list(self._ends):
            self._end(why)
        await asyncio.gather(*self._writing)

    def _tell(self, why: str) -> None:
        if why in self._ends:
            self._more[why] = self._more.get(why, 0) + 1
            return
        self._ends[why] = asyncio.get_running_loop().call_later(self._window, self._end, why)
        self._spawn(self._record(why, 1))

    def _end(self, why: str) -> None:
        del self._ends[why]
        more = self._more.pop(why, 0)
        if more:
            self._spawn(self._record(why, more))

    async def _record(self, why: str, count: int) -> None:
        record = AuditRecord(
            id=secrets.token_urlsafe(16),
            at=time.time(),
            actor="stranger",
            action="admission.refused",
            subject="admission",
            detail={"why": why, "count": count},
        )
        try:
            await self._audits.record(record)
        except StoreDown:
            self._metrics.store_failed()
            log.error("refused attempts are missing in the audit", reason=why, count=count)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)


def address_of(connection: HTTPConnection) -> str:
    """Where a request or socket comes from; behind a proxy of the setting ``trusted_proxies``, what the proxy says."""
    return connection.client.host if connection.client else ""
