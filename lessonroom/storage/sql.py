"""The store on SQLite or PostgreSQL: each method hands its statements to a worker thread and waits for the commit."""

# ruff: noqa: D102  what each method does stands in the protocols: lessonroom.storage.store.Store, .review.Reviews

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from sqlalchemy.exc import SQLAlchemyError

from lessonroom.errors import StoreDown
from lessonroom.storage import auditlog, chatlog, drift, lessons, reviewlog
from lessonroom.storage.audit import AuditRecord, Head, Link
from lessonroom.storage.consent import ConsentRecord
from lessonroom.storage.database import Database, connect
from lessonroom.storage.migrate import upgrade
from lessonroom.storage.reasons import reason
from lessonroom.storage.review import (
    Decided,
    Decision,
    Judge,
    Label,
    Period,
    Reading,
    SenderRecord,
    Waiting,
    Why,
)
from lessonroom.storage.store import HintRecord, MemberRecord, NewMessage, RoomRecord, StoredMessage
from lessonroom.storage.worker import Bulk, Job, T, Worker

PACE = 0.01
"""Seconds from one transaction that writes to the next. At a thousand messages a second that makes one of ten, and a
message costs the store about half of what it does in one of five: a transaction costs as much as thirty messages."""


def open_store(url: str, *, deadline: float, queue: int) -> SqlStore:
    """The store at an SQLAlchemy address; ``await store.open()`` connects.

    ``deadline``: longest wait for one record, in seconds; ``queue``: records that may wait, more are refused at once.
    Raises BadSetting for an address that is none.
    """
    return SqlStore(connect(url, deadline=deadline), deadline=deadline, queue=queue)


class SqlStore:
    """A :class:`~lessonroom.storage.store.Store`, reviewers' part and all: one thread writes, one reads."""

    def __init__(self, database: Database, *, deadline: float, queue: int) -> None:
        self._database = database
        self._writer = Worker("store-writer", database.writer, limit=queue, deadline=deadline, pace=PACE)
        self._reader = Worker("store-reader", database.reader, limit=queue, deadline=deadline)

    async def open(self) -> None:
        await asyncio.to_thread(self._prepare)
        self._writer.start()
        self._reader.start()

    def _prepare(self) -> None:
        engine = self._database.writer.engine
        try:
            self._database.prepare()
            with engine.begin() as connection:
                self._database.lock(connection)
                upgrade(connection)
        except (SQLAlchemyError, OSError) as error:
            raise StoreDown(reason(error)) from None
        finally:
            engine.dispose()  # the thread makes a connection of its own

    async def close(self) -> None:
        await self._reader.stop()
        await self._writer.stop()

    async def run(self, job: Job[T], *, writes: bool = True) -> T:
        """Do a job of plain SQL on the thread that writes, or on the one that reads, as all other work is done.

        It holds up what waits behind it: keep it short. Raises what the job raised, after which nothing of it remains,
        and StoreDown.
        """
        return await (self._writer if writes else self._reader).ask(job)

    async def scrub(self) -> bool:
        """After records were deleted: take them out of the database's log of changes, too.

        False when somebody read all the while, and it has to be tried again. Raises StoreDown.
        """
        try:
            return await asyncio.to_thread(self._database.scrub)
        except SQLAlchemyError as error:
            raise StoreDown(reason(error)) from None

    @property
    def backlog(self) -> int:
        """Records that wait to be written."""
        return self._writer.waiting

    async def check(self) -> None:
        await self._writer.ask(lessons.beat)

    async def add_room(self, room: RoomRecord, *, audit: AuditRecord | None = None) -> None:
        await self._writer.ask(lambda db: lessons.add_room(db, room, audit))

    async def room(self, room: str) -> RoomRecord:
        return await self._reader.ask(lambda db: lessons.get_room(db, room))

    async def open_rooms(self) -> Sequence[RoomRecord]:
        return await self._reader.ask(lessons.open_rooms)

    async def close_room(self, room: str, at: float, *, audit: AuditRecord | None = None) -> None:
        await self._writer.ask(lambda db: lessons.close_room(db, room, at, audit))

    async def set_ceiling(self, room: str, ceiling: str, two_keys: bool, audit: AuditRecord) -> tuple[str, bool]:
        return await self._writer.ask(lambda db: lessons.set_ceiling(db, room, ceiling, two_keys, audit))

    async def add_member(self, member: MemberRecord, *, audit: AuditRecord | None = None) -> None:
        await self._writer.ask(lambda db: lessons.add_member(db, member, audit))

    async def member(self, member: str) -> MemberRecord:
        return await self._reader.ask(lambda db: lessons.get_member(db, member))

    async def members(self, room: str) -> Sequence[MemberRecord]:
        return await self._reader.ask(lambda db: lessons.members_of(db, room))

    async def redeem(self, member: str, code_hash: str, session_hash: str, expires_at: float, now: float) -> bool:
        session = lessons.Session(session_hash, expires_at)
        return await self._writer.ask(lambda db: lessons.redeem(db, member, code_hash, session, now))

    async def renew(self, member: str, code_hash: str, expires_at: float, *, audit: AuditRecord | None = None) -> None:
        code = lessons.Code(code_hash, expires_at)
        await self._writer.ask(lambda db: lessons.renew(db, member, code, audit))

    async def spend(self, ticket: str, expires_at: float, now: float) -> bool:
        return await self._writer.ask(lambda db: lessons.spend(db, ticket, expires_at, now))

    async def append(self, message: NewMessage, *, audit: AuditRecord | None = None) -> tuple[StoredMessage, bool]:
        return await self._writer.ask(Bulk(chatlog.append, chatlog.append_many, chatlog.Addition(message, audit)))

    async def after(self, room: str, seq: int, reader: str, limit: int) -> Sequence[StoredMessage]:
        return await self._reader.ask(lambda db: chatlog.after(db, room, seq, reader, limit))

    async def recent(self, room: str, limit: int) -> Sequence[StoredMessage]:
        return await self._reader.ask(lambda db: chatlog.recent(db, room, limit))

    async def last_seq(self, room: str) -> int:
        return await self._reader.ask(lambda db: chatlog.last_seq(db, room))

    async def appeal(
        self,
        room: str,
        sender: str,
        id: str,  # noqa: A002
        at: float,
        *,
        audit: AuditRecord | None = None,
    ) -> StoredMessage:
        key = {"room": room, "sender": sender, "id": id}
        return await self._writer.ask(lambda db: chatlog.appeal(db, key, at, audit))

    async def add_consent(self, consent: ConsentRecord, audit: AuditRecord) -> None:
        await self._writer.ask(lambda db: lessons.add_consent(db, consent, audit))

    async def consents(self, person: str) -> Sequence[ConsentRecord]:
        return await self._reader.ask(lambda db: lessons.consents_of(db, person))

    async def add_hint(self, hint: HintRecord, *, audit: AuditRecord | None = None) -> None:
        await self._writer.ask(lambda db: lessons.add_hint(db, hint, audit))

    async def answer_hint(self, room: str, hint: str, answer: str) -> None:
        await self._writer.ask(lambda db: lessons.answer_hint(db, room, hint, answer))

    async def hints(self, room: str) -> Sequence[HintRecord]:
        return await self._reader.ask(lambda db: lessons.hints_of(db, room))

    async def set_hints_on(self, room: str, on: bool) -> None:
        await self._writer.ask(lambda db: lessons.set_hints_on(db, room, on))

    async def hints_on(self, room: str) -> bool:
        return await self._reader.ask(lambda db: lessons.hints_on(db, room))

    async def strikes(self, sender: str) -> Sequence[float]:
        return await self._reader.ask(lambda db: lessons.strikes_of(db, sender))

    async def paying(self, sender: str) -> bool:
        return await self._reader.ask(lambda db: lessons.paying(db, sender))

    async def set_paying(self, sender: str, paying: bool, *, at: float = 0.0, audit: AuditRecord | None = None) -> None:
        await self._writer.ask(lambda db: lessons.set_paying(db, sender, paying, at, audit))

    # --- reviewers ---------------------------------------------------------------------------------------------------

    async def queue(self, why: Sequence[Why], limit: int) -> Sequence[Waiting]:
        return await self._reader.ask(lambda db: reviewlog.queue(db, why, limit))

    async def waiting(self) -> Mapping[Why, int]:
        return await self._reader.ask(reviewlog.waiting)

    async def read(self, number: int, before: int, audit: AuditRecord) -> Reading:
        return await self._writer.ask(lambda db: reviewlog.read(db, number, before, audit))

    async def decide(self, decision: Decision, audit: AuditRecord) -> Decided:
        return await self._writer.ask(lambda db: reviewlog.decide(db, decision, audit))

    async def blocks(self, since: float) -> tuple[int, int]:
        return await self._reader.ask(lambda db: reviewlog.blocks(db, since))

    async def labels(self, after: int, limit: int, before: int) -> Sequence[Label]:
        return await self._reader.ask(lambda db: reviewlog.labels_after(db, after, limit, before))

    async def period(self, since: float, until: float) -> Period:
        return await self._reader.ask(lambda db: drift.period(db, since, until))

    async def judges(self, since: float) -> Sequence[Judge]:
        return await self._reader.ask(lambda db: drift.judges(db, since))

    async def sender(self, sender: str) -> SenderRecord:
        return await self._reader.ask(lambda db: reviewlog.sender_of(db, sender))

    async def struck(self, since: float, least: int) -> Sequence[SenderRecord]:
        return await self._reader.ask(lambda db: reviewlog.struck(db, since, least))

    # --- the audit ---------------------------------------------------------------------------------------------------

    async def record(self, audit: AuditRecord) -> None:
        await self._writer.ask(lambda db: auditlog.add(db, audit))

    async def audits(self, after: str | None, limit: int) -> Sequence[AuditRecord]:
        return await self._reader.ask(lambda db: auditlog.audits(db, after, limit))

    async def links(self, after: int, limit: int) -> Sequence[Link]:
        return await self._reader.ask(lambda db: auditlog.links(db, after, limit))

    async def head(self) -> Head:
        return await self._reader.ask(auditlog.head)
