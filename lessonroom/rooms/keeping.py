"""The hub's part that writes a lesson's records: consent, hints, answers, appeals, what the audit wants."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any

from lessonroom import logs
from lessonroom.errors import LessonroomError, NotFound, StoreDown
from lessonroom.metrics import Metrics
from lessonroom.rooms import effects as do
from lessonroom.rooms import events as ev
from lessonroom.rooms.live import Live, Wanted
from lessonroom.rooms.owed import Owed
from lessonroom.rooms.recording import SERVER, record
from lessonroom.storage.consent import By, ConsentRecord, Purpose
from lessonroom.storage.store import Store

log = logs.get(__name__)

DAY = 86_400.0
RETRY_SECONDS = 1.0
"""Pause before a withdrawal of consent is written again."""
FINISH_SECONDS = 5.0
"""Longest wait for consent to be written when the server stops."""

Apply = Callable[[Live, ev.Event], None]
Spawn = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]


class Keeping:
    """Writes records in the order in which their room wanted them, and tells the room how it went."""

    def __init__(
        self, store: Store, owed: Owed, metrics: Metrics, apply: Apply, spawn: Spawn, *, consent_days: float
    ) -> None:
        self._store = store
        self._owed = owed
        self._consent_seconds = consent_days * DAY
        self._metrics = metrics
        self._apply = apply
        self._spawn = spawn
        self._writing: set[asyncio.Task[None]] = set()

    async def finish(self) -> None:
        """Wait for what the students said last, but not for a store that stays away."""
        if self._writing:
            await asyncio.wait(self._writing, timeout=FINISH_SECONDS)

    def keep(self, live: Live, effect: do.Effect) -> None:
        """Carry out one of the effects that write."""
        match effect:
            case do.KeepConsent():
                self._consent(live, effect)
            case do.KeepHint():
                self._offer(live, effect.record.id, partial(self._hint, live, effect))
            case do.KeepAudit(action, reason):
                audit = record(SERVER, action, f"room:{live.room.id}", reason=reason)
                self._plain(live, partial(self._store.record, audit))
            case do.KeepAnswer(hint, answer):
                self._plain(live, partial(self._store.answer_hint, live.room.id, hint, answer))
            case do.KeepHintsOn(on):
                self._plain(live, partial(self._store.set_hints_on, live.room.id, on))
            case do.Appeal():
                self._appeal(live, effect)
            case _:
                raise TypeError(f"expected an effect that writes, got {type(effect).__name__}")

    def _offer(self, live: Live, hint: str | None, job: Callable[[], Awaitable[None]]) -> None:
        if live.records.offer(job):
            return
        log.error("too many records wait for the store", room=live.room.id)
        if hint is not None:
            self._apply(live, ev.HintKept(hint, kept=False))

    async def _done(self, writing: Awaitable[None]) -> bool:
        try:
            await writing
        except StoreDown:
            self._metrics.store_failed()
            return False
        return True

    async def _hint(self, live: Live, effect: do.KeepHint) -> None:
        hint = effect.record
        audit = record(SERVER, "hint.shown", f"room:{live.room.id}", cue=hint.cue, advice=hint.advice)
        kept = await self._done(self._store.add_hint(hint, audit=audit))
        self._apply(live, ev.HintKept(effect.record.id, kept))

    def _plain(self, live: Live, write: Callable[[], Awaitable[None]]) -> None:
        self._offer(live, None, partial(self._write_plain, live, write))

    async def _write_plain(self, live: Live, write: Callable[[], Awaitable[None]]) -> None:
        try:
            kept = await self._done(write())
        except NotFound:  # the answer to a hint that could not be kept
            kept = False
        if not kept:
            log.error("a record was not kept", room=live.room.id)

    # --- consent: the last word counts, and a no is written at all costs ---------------------------------------------

    def _consent(self, live: Live, wanted: do.KeepConsent) -> None:
        writing, said = live.consent_wanted is not None, self._said(live, wanted)
        live.consent_wanted = Wanted(wanted, said, self._owed.since(said))
        if not wanted.agreed:
            self._owed.add(said)  # also when this room breaks and is read anew
        if not writing:
            task = self._spawn(self._write_consent(live))
            self._writing.add(task)
            task.add_done_callback(self._writing.discard)

    async def _write_consent(self, live: Live) -> None:
        while (writing := live.consent_wanted) is not None:
            kept = await self._write_word(writing)
            if live.consent_wanted is not writing:
                continue  # the student said something else meanwhile
            if kept or writing.effect.agreed:
                live.consent_wanted = None
                self._apply(live, ev.ConsentKept(writing.effect, writing.said.expires_at if kept else None))
            else:
                await asyncio.sleep(RETRY_SECONDS)

    async def _write_word(self, word: Wanted) -> bool:
        """Write a word; False when it could not be, or a no was said elsewhere after this yes."""
        try:
            if word.said.given:
                return await self._owed.write_yes(word.said, word.since)
            await self._owed.write_no(word.said)
        except StoreDown:
            self._metrics.store_failed()
            return False
        return True

    def _said(self, live: Live, wanted: do.KeepConsent) -> ConsentRecord:
        """The student's word; its record is the same, however often it is written."""
        now = time.time()
        return ConsentRecord(
            id=secrets.token_urlsafe(16),
            person=live.senders[wanted.member],
            purpose=Purpose.HINTS,
            by=By.SELF,
            given=wanted.agreed,
            text=wanted.text,
            lang=wanted.lang,
            at=now,
            expires_at=now + self._consent_seconds,
            room=live.room.id,
            member=wanted.member,
        )

    # --- appeals: after the message that they are about --------------------------------------------------------------

    def _appeal(self, live: Live, effect: do.Appeal) -> None:
        if not live.chat.offer(partial(self._write_appeal, live, effect)):
            self._apply(live, ev.NotAppealed(effect.member, "rate_limited"))

    async def _write_appeal(self, live: Live, effect: do.Appeal) -> None:
        try:
            audit = record(effect.member, "message.appealed", f"room:{live.room.id}")
            stored = await self._store.appeal(live.room.id, effect.member, effect.id, time.time(), audit=audit)
        except LessonroomError as error:
            if isinstance(error, StoreDown):
                self._metrics.store_failed()
            self._apply(live, ev.NotAppealed(effect.member, error.code))
            return
        self._apply(live, ev.Appealed(stored))
