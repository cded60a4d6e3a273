"""The hub's part that carries a message from its admission to its relay: screen, store, acknowledge, relay, listen."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from functools import partial
from typing import Protocol

from lessonroom import logs
from lessonroom.chat.types import Action, Decider, Line, Standing, StandingClass, Verdict
from lessonroom.config import Settings
from lessonroom.errors import BadInput, Busy, StoreDown, Violator
from lessonroom.messages import ChatRefused
from lessonroom.metrics import Metrics
from lessonroom.rooms import events as ev
from lessonroom.rooms.live import Live
from lessonroom.rooms.recording import record
from lessonroom.rooms.standings import Standings
from lessonroom.rooms.talk import Admitted
from lessonroom.storage.audit import AuditRecord
from lessonroom.storage.store import MessageState, NewMessage, Store

log = logs.get(__name__)

LONGEST_WAIT = 10.0
"""Seconds that a message may wait for its turn; then its writer is told that it was not sent, and can try again.

A server that gets more than it can carry would else be later with each message, until all of them wait for minutes.
"""

Apply = Callable[[Live, ev.Event], None]
Listen = Callable[[Live, str, str], None]


class Screener(Protocol):
    """What the hub needs of the chat's gate (:class:`lessonroom.chat.gate.Gate`)."""

    async def screen(self, text: str, *, room: str, sender: str, standing: Standing, context: list[Line]) -> Verdict:
        """Judge a message within its deadline; never raises for a model that fails."""
        ...


class Carrying:
    """Carries the messages of all rooms, those of one room one after the other.

    ``listen`` hears room, member and text of each message that was relayed, once.
    """

    def __init__(
        self,
        store: Store,
        screener: Screener,
        standings: Standings,
        *,
        settings: Settings,
        metrics: Metrics,
        apply: Apply,
        listen: Listen,
    ) -> None:
        self._store = store
        self._screener = screener
        self._standings = standings
        self._settings = settings
        self._metrics = metrics
        self._apply = apply
        self._listen = listen

    def take(self, live: Live, member: str, said: Admitted | ChatRefused) -> None:
        """Let what the room has admitted take its turn; tell the writer when there is none."""
        if isinstance(said, ChatRefused):
            self._refuse(live, member, said.id, said.code)
        elif not live.chat.offer(partial(self._carry, live, said, time.monotonic() + LONGEST_WAIT)):
            self._refuse(live, member, said.id, "rate_limited")

    async def _carry(self, live: Live, said: Admitted, until: float) -> None:
        """Screen, store, acknowledge, relay. The last two are one event: neither happens before the store returned.

        ``until``: when it is too late to begin (monotonic clock).
        """
        way = self._metrics.way(said.at)
        try:
            if time.monotonic() > until:
                raise Busy(f"expected a message's turn within {LONGEST_WAIT:g} s, got it later")
            verdict = await self._screen(live, said, await self._standing(live, said))
            way.passed("screen")
            sampled = random.random() < self._settings.review_sample
            message = live.room.judge(said, verdict, sampled=sampled)
            stored, new = await self._store.append(message, audit=_stopped(message))
            way.passed("store")
        except (Busy, StoreDown, Violator, BadInput) as error:
            way.ended(self._not_stored(live, said, error))
            return
        # news also where the store has finished what it had reported as failed, and was asked again
        news = new or stored.seq > live.room.talk.last_seq
        if news:
            live.context.append(Line(said.member, said.text))
        self._apply(live, ev.Stored(stored))
        way.passed("acknowledge")
        way.ended(stored.message.state.value)
        self._metrics.chat_answered(time.time() - said.at)
        if news and stored.message.state is MessageState.RELAYED:
            self._listen(live, said.member, said.text)

    async def _standing(self, live: Live, said: Admitted) -> Standing:
        """What is known of the writer. Raises Violator where that is the end of it, StoreDown."""
        standing = await self._standings.of(live.senders[said.member], said.at)
        if self._settings.chat_refuse_violators and standing.standing is StandingClass.VIOLATOR:
            raise Violator("expected a writer without a proven violation, got one who has one")
        return standing

    async def _screen(self, live: Live, said: Admitted, standing: Standing) -> Verdict:
        try:
            verdict = await self._screener.screen(
                said.text, room=live.room.id, sender=said.member, standing=standing, context=list(live.context)
            )
        except Exception:  # a defect of the filter must neither open the gate nor end the lesson: a person looks
            log.exception("the chat filter raised", room=live.room.id)
            verdict = Verdict(Action.HOLD, 0.5, decider=Decider.RULES, degraded=True)
        self._metrics.chat_judged(verdict.action.value, degraded=verdict.degraded)
        return verdict

    def _not_stored(self, live: Live, said: Admitted, error: Busy | StoreDown | Violator | BadInput) -> str:
        """Tell the writer why; the word for it."""
        match error:
            case StoreDown():
                self._metrics.store_failed()
                code = error.code
            case Busy() | Violator():
                code = error.code
            case _:
                code = "not_allowed"
        self._refuse(live, said.member, said.id, code)
        return code

    def _refuse(self, live: Live, member: str, message: str, code: str) -> None:
        self._metrics.chat_refused(code)
        self._apply(live, ev.NotStored(member, message, code))


def _stopped(message: NewMessage) -> AuditRecord | None:
    """What goes on record of a message that is not relayed: everything but its words."""
    if message.state is MessageState.RELAYED:
        return None
    return record(
        message.sender,
        f"message.{message.state}",
        f"room:{message.room}",
        kinds=" ".join(sorted({found.kind for found in message.findings})),
        decider=message.decider,
        model=message.model,
        probability=round(message.probability, 4),
    )
