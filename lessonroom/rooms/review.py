"""What operators do about messages that wait: look through them, read one, decide. The same for page and platform.

The store keeps a decision and everything that follows from it at once; the hub then tells the room, if it is here.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from lessonroom.chat.standing import FORGET_SECONDS, known, tells_operator
from lessonroom.errors import StoreDown
from lessonroom.metrics import Metrics
from lessonroom.storage.audit import AuditRecord, Detail
from lessonroom.storage.review import (
    Decided,
    Decision,
    Judge,
    Period,
    Reading,
    Reviews,
    SenderRecord,
    Waiting,
    Why,
)

BEFORE = 6
"""Earlier lines of the room that are shown with a text."""
RECENT_SECONDS = 30 * 24 * 3600.0
"""How far back decisions count for the share of wrong blocks."""
COUNT_SECONDS = 5.0
"""Time between two countings of what waits."""
REPEATED = 2
"""With fewer strikes nobody is so much as looked at by :func:`~lessonroom.chat.standing.tells_operator`."""

DAY = 86_400.0

Shadow = Callable[[], Mapping[str, str | int] | None]
"""Figures of a model that is tried beside the current one: ``version``, ``messages``, ``both``, ``only_current``,
``only_candidate``; None while none is tried."""


class Tells(Protocol):
    """What is needed of the hub (:class:`lessonroom.rooms.hub.Hub`)."""

    async def decided(self, decided: Decided) -> None:
        """Tell the room."""
        ...

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run in the background."""
        ...


@dataclass(frozen=True, slots=True)
class Queue:
    """What waits. ``blocks``: of blocked messages, how many were decided lately, and how many of these wrongly."""

    items: Sequence[Waiting]
    waiting: Mapping[Why, int]
    blocks: tuple[int, int]
    repeated: int


@dataclass(frozen=True, slots=True)
class Drift:
    """How the filter does lately, day by day from ``first`` (UTC, in days since the epoch) on.

    ``judges``: versions of the model before people.
    """

    first: int
    days: Sequence[Period]
    judges: Sequence[Judge]


@dataclass(frozen=True, slots=True)
class Counts:
    """For the operations page: messages that wait, senders with repeated violations. None: not known yet."""

    waiting: int | None = None
    repeated: int | None = None


class Review:
    """One for the process. ``counts`` are some seconds old at most, while the store answers."""

    def __init__(
        self,
        store: Reviews,
        hub: Tells,
        metrics: Metrics,
        *,
        shadow: Shadow = lambda: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.counts = Counts()
        self.shadow = shadow
        self._store = store
        self._hub = hub
        self._metrics = metrics
        self._clock = clock

    def start(self) -> None:
        """Begin to count what waits, until the hub stops. Call on the event loop."""
        self._hub.spawn(self._keep_counting())

    async def queue(self, why: Sequence[Why], limit: int) -> Queue:
        """What waits for these reasons, the most urgent first. Raises StoreDown."""
        wanted = [reason for reason in Why if reason in why]
        return Queue(
            items=await self._store.queue(wanted, limit),
            waiting=await self._store.waiting(),
            blocks=await self._store.blocks(self._clock() - RECENT_SECONDS),
            repeated=len(await self.repeated()),
        )

    async def read(self, number: int, actor: str) -> Reading:
        """A message in the clear. That ``actor`` has asked for it is on the disk when this returns.

        Raises NotFound, StoreDown.
        """
        return await self._store.read(number, BEFORE, self._record(actor, "message.read", number, {}))

    async def decide(self, number: int, contact: bool, kind: str | None, actor: str) -> Decided:
        """Keep a decision and tell the room. The same again is answered again. Raises NotFound, Conflict, StoreDown."""
        decision = Decision(number, contact, kind, actor, self._clock())
        detail: Detail = {"contact": contact, "kind": kind}
        decided = await self._store.decide(decision, self._record(actor, "message.decided", number, detail))
        await self._hub.decided(decided)
        if decided.fresh:
            self._metrics.review_decided(decided.why.value, contact=contact)
            self._hub.spawn(self._count())
        return decided

    async def drift(self, days: int) -> Drift:
        """Figures of the last days, today among them. Raises StoreDown.

        The database is asked for one day after the other, so that lessons get their turn between.
        """
        first = int(self._clock() // DAY) - days + 1
        found = [await self._store.period(day * DAY, (day + 1) * DAY) for day in range(first, first + days)]
        return Drift(first, found, await self._store.judges(first * DAY))

    async def sender(self, sender: str) -> SenderRecord:
        """What is known of a sender. Raises StoreDown."""
        return await self._store.sender(sender)

    async def repeated(self) -> list[SenderRecord]:
        """Senders of whom operators should hear. Raises StoreDown."""
        now = self._clock()
        struck = await self._store.struck(now - FORGET_SECONDS, REPEATED)
        return [one for one in struck if tells_operator(known(one.strikes, now, paying=one.paying), now)]

    async def audits(self, after: str | None, limit: int) -> Sequence[AuditRecord]:
        """What was done, in its order. Raises NotFound for an unknown ``after``, StoreDown."""
        return await self._store.audits(after, limit)

    def _record(self, actor: str, action: str, number: int, detail: Detail) -> AuditRecord:
        return AuditRecord(secrets.token_urlsafe(16), self._clock(), actor, action, f"message:{number}", detail)

    async def _keep_counting(self) -> None:
        while True:
            await self._count()
            await asyncio.sleep(COUNT_SECONDS)

    async def _count(self) -> None:
        try:
            waiting, repeated = await self._store.waiting(), await self.repeated()
        except StoreDown:
            self._metrics.store_failed()
            return
        for why, count in waiting.items():
            self._metrics.review_waits(why.value, count)
        self.counts = Counts(sum(waiting.values()), len(repeated))
