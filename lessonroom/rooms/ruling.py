"""The hub's part that settles how much a lesson may be analysed, and that takes consent from outside the lesson.

What is decided stands in the store with its record before a lesson hears of it. A no counts first and is stored after.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from lessonroom import logs
from lessonroom.errors import LessonroomError, StoreDown
from lessonroom.metrics import Metrics
from lessonroom.policy import read_mode
from lessonroom.rooms import events as ev
from lessonroom.rooms.ceiling import Ceiling, House, ceiling_of
from lessonroom.rooms.consent import Word
from lessonroom.rooms.keeping import DAY, FINISH_SECONDS, RETRY_SECONDS, Apply, Spawn
from lessonroom.rooms.live import Live
from lessonroom.rooms.owed import Owed
from lessonroom.rooms.recording import SERVER, consent_said, record
from lessonroom.storage.audit import AuditRecord
from lessonroom.storage.consent import By, ConsentRecord, Purpose
from lessonroom.storage.store import MemberRecord, Store

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody says about one purpose. ``text``, ``lang``: version and language of the words that were shown."""

    purpose: Purpose
    given: bool
    text: str
    lang: str


class Ruling:
    """Ceilings and consents of all rooms. ``days``: how long a yes counts; ``rooms``: those that are loaded."""

    def __init__(
        self,
        store: Store,
        house: House,
        metrics: Metrics,
        owed: Owed,
        *,
        days: float,
        rooms: Callable[[], Iterable[Live]],
        apply: Apply,
        spawn: Spawn,
    ) -> None:
        self._store = store
        self._house = house
        self._metrics = metrics
        self._seconds = days * DAY
        self._rooms = rooms
        self._apply = apply
        self._spawn = spawn
        self._insisting: set[asyncio.Task[None]] = set()
        self._owed = owed

    async def finish(self) -> None:
        """Wait for what was taken back and is not written yet, but not for a store that stays away."""
        if self._insisting:
            await asyncio.wait(self._insisting, timeout=FINISH_SECONDS)

    async def settle(self, live: Live) -> None:
        """Decide for a lesson whose teacher and student are known, once. Raises StoreDown."""
        async with live.settling:
            if live.room.watch.ceiling is None:
                await self._settle(live)

    async def _settle(self, live: Live) -> None:
        room = live.room.id
        members = await self._store.members(room)
        decided = ceiling_of(self._house, await self._store.room(room), members, time.time())
        if decided is None:
            return
        audit = _decided(room, decided, "policy.decided")
        mode, two_keys = await self._store.set_ceiling(room, decided.mode.value, decided.two_keys, audit)
        student = next(member for member in members if member.role == "student")
        before = self._owed.of(student.sender)  # may be written while we read, too late to be read
        said = await self._store.consents(student.sender)
        words = words_of([*said, *before, *self._owed.of(student.sender)], room, time.time())
        ceiling = replace(decided, mode=read_mode(mode), two_keys=two_keys)
        self._apply(live, ev.Settled(ceiling, words.get(By.SELF), words.get(By.GUARDIAN)))

    async def fallen(self, room: str, ceiling: Ceiling) -> None:
        """Keep that a lesson's ceiling has fallen by itself, until the store has it."""
        audit = _decided(room, ceiling, "policy.expired")
        while True:
            try:
                await self._store.set_ceiling(room, ceiling.mode.value, ceiling.two_keys, audit)
            except StoreDown:
                self._metrics.store_failed()
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return

    async def say(self, student: MemberRecord, by: By, member: str, said: Said) -> None:
        """Take what ``member``, the student or their guardian, says outside the lesson. Raises StoreDown.

        Even then a no counts in the lessons of this process, and is written as soon as the store is back.
        """
        now = time.time()
        wanted = ConsentRecord(
            id=secrets.token_urlsafe(16),
            person=student.sender,
            purpose=said.purpose,
            by=by,
            given=said.given,
            text=said.text,
            lang=said.lang,
            at=now,
            expires_at=now + self._seconds,
            room=student.room,
            member=member,
        )
        await (self._agree(wanted) if said.given else self._take_back(wanted))

    async def _agree(self, wanted: ConsentRecord) -> None:
        """A yes counts once it is written, and where nothing else was said meanwhile.

        A lesson that was loaded meanwhile may have been too early to read it.
        """
        said = {live.room.id: live.room.consent.said(wanted.by) for live in self._reached(wanted)}
        if await self._owed.write_yes(wanted, self._owed.since(wanted)):
            reached = self._reached(wanted)
            self._tell(wanted, [one for one in reached if one.room.consent.said(wanted.by) == said.get(one.room.id, 0)])

    async def _take_back(self, wanted: ConsentRecord) -> None:
        """A no counts at once, also in a lesson that is loaded while it is written."""
        self._owed.add(wanted)
        self._tell(wanted, self._reached(wanted))
        doubt = self._owed.doubt(wanted)
        try:
            if doubt or not await self._stands(wanted):
                await self._store.add_consent(wanted, consent_said(wanted))
        except (StoreDown, asyncio.CancelledError) as error:  # cancelled: the server stops, or nobody waits any more
            if isinstance(error, StoreDown):
                self._metrics.store_failed()
            task = self._spawn(self._insist(wanted))
            self._insisting.add(task)
            task.add_done_callback(self._insisting.discard)
            raise
        except LessonroomError:  # it will never be written: its lesson is gone
            self._owed.drop(wanted)
            raise
        self._owed.written(wanted, doubt)

    async def _stands(self, wanted: ConsentRecord) -> bool:
        """Whether the last word that the store has is this no already: said again it needs no second record."""
        said = [one for one in await self._store.consents(wanted.person) if _whose(one) == _whose(wanted)]
        return bool(said) and (said[-1].given, said[-1].room, said[-1].text) == (False, wanted.room, wanted.text)

    async def _insist(self, wanted: ConsentRecord) -> None:
        """Write a no until it is written, or something said later stands in its place."""
        while self._owed.stands(wanted):
            await asyncio.sleep(RETRY_SECONDS)
            try:
                await self._owed.write_no(wanted)
            except StoreDown:
                self._metrics.store_failed()
            except LessonroomError:
                self._owed.drop(wanted)

    def _reached(self, said: ConsentRecord) -> list[Live]:
        """The lessons in which this word counts: the student's in this one, the guardian's in all of theirs."""
        if said.purpose is not Purpose.HINTS:
            return []
        if said.by is By.SELF:
            return [live for live in self._rooms() if live.room.id == said.room]
        return [live for live in self._rooms() if _student_of(live) == said.person]

    def _tell(self, said: ConsentRecord, lessons: Iterable[Live]) -> None:
        for live in lessons:
            self._apply(live, ev.Consented(said.by, Word(said.given, said.expires_at)))


def _student_of(live: Live) -> str | None:
    """The platform's name of a lesson's student."""
    student = live.room.people.first("student")
    return None if student is None else live.senders.get(student.id)


def _whose(said: ConsentRecord) -> tuple[str, Purpose, By]:
    return said.person, said.purpose, said.by


def words_of(consents: Sequence[ConsentRecord], room: str, now: float) -> dict[By, Word]:
    """What was said about hints and counts in this room now. The student is asked anew in every lesson."""
    return {
        said.by: Word(said.given, said.expires_at)
        for said in consents
        if said.purpose is Purpose.HINTS and now < said.expires_at and (said.by is By.GUARDIAN or said.room == room)
    }


def _decided(room: str, ceiling: Ceiling, action: str) -> AuditRecord:
    return record(
        SERVER,
        action,
        f"room:{room}",
        mode=ceiling.mode.value,
        rows=" ".join(ceiling.rows),
        table=ceiling.version,
        two_keys=ceiling.two_keys,
    )
