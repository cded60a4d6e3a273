"""Rooms, members, tickets, consent, hints and senders: plain functions of a connection, run by a worker.

They may be run twice, after a deadlock, and then do the same again. What each means stands in
:class:`lessonroom.storage.store.Store`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, func, select, update

from lessonroom.errors import NotFound
from lessonroom.storage import auditlog
from lessonroom.storage.audit import AuditRecord
from lessonroom.storage.consent import By, ConsentRecord, Purpose
from lessonroom.storage.schema import consent_words, hints, members, pulse, rooms, senders, strikes, tickets
from lessonroom.storage.statements import add_once, hits, put
from lessonroom.storage.store import GRACE_SECONDS, HintRecord, MemberRecord, RoomRecord, keepable

_ROOM: Select[Any] = select(
    rooms.c.id,
    rooms.c.mode_cap,
    rooms.c.created_at,
    rooms.c.closed_at,
    rooms.c.setting,
    rooms.c.ceiling,
    rooms.c.two_keys,
)
_MEMBER: Select[Any] = select(
    members.c.id,
    func.coalesce(members.c.room, ""),
    members.c.role,
    members.c.name,
    members.c.sender,
    members.c.created_at,
    members.c.code_hash,
    members.c.code_expires_at,
    members.c.session_hash,
    members.c.session_expires_at,
    members.c.place,
    members.c.band,
    members.c.release,
)
_CONSENT = select(*(column for column in consent_words.c if column.name != "number"))
_HINT = select(hints.c.id, hints.c.room, hints.c.cue, hints.c.advice, hints.c.at, hints.c.answer)


def add_room(db: Connection, room: RoomRecord, audit: AuditRecord | None) -> None:
    """Keep a room."""
    if add_once(db, rooms, asdict(room)):
        auditlog.add(db, audit)


def get_room(db: Connection, room: str) -> RoomRecord:
    """Read a room."""
    row = db.execute(_ROOM.where(rooms.c.id == room)).one_or_none()
    if row is None:
        raise no_room()
    return RoomRecord(*row)


def open_rooms(db: Connection) -> list[RoomRecord]:
    """Read the rooms without an end."""
    found = db.execute(_ROOM.where(rooms.c.closed_at.is_(None)).order_by(rooms.c.created_at, rooms.c.number))
    return [RoomRecord(*row) for row in found]


def close_room(db: Connection, room: str, at: float, audit: AuditRecord | None) -> None:
    """Set the end of a room, unless it has one."""
    if hits(db, update(rooms).where(rooms.c.id == room, rooms.c.closed_at.is_(None)).values(closed_at=at)):
        auditlog.add(db, audit)
    else:
        get_room(db, room)


def set_ceiling(db: Connection, room: str, ceiling: str, two_keys: bool, audit: AuditRecord) -> tuple[str, bool]:
    """Lower a room's ceiling, never lift it, and keep a need for two keys: of two who set it at once, both hold."""
    query = select(rooms.c.ceiling, rooms.c.two_keys).where(rooms.c.id == room)
    kept = db.execute(query.with_for_update()).one_or_none()
    if kept is None:
        raise no_room()
    mode = ceiling if kept.ceiling is None else min(kept.ceiling, ceiling)
    stricter = mode, kept.two_keys or two_keys
    if stricter != (kept.ceiling, kept.two_keys):
        db.execute(update(rooms).where(rooms.c.id == room).values(ceiling=stricter[0], two_keys=stricter[1]))
        auditlog.add(db, audit)
    return stricter


def no_room() -> NotFound:
    """The error for a room that is not there."""
    return NotFound("expected a room that exists, got another id")


def add_member(db: Connection, member: MemberRecord, audit: AuditRecord | None) -> None:
    """Keep a member."""
    for text in (member.name, member.sender, member.release):
        keepable(text)
    if add_once(db, members, {**asdict(member), "room": member.room or None}):
        auditlog.add(db, audit)


def get_member(db: Connection, member: str) -> MemberRecord:
    """Read a member."""
    row = db.execute(_MEMBER.where(members.c.id == member)).one_or_none()
    if row is None:
        raise NotFound("expected a member that exists, got another id")
    return MemberRecord(*row)


def members_of(db: Connection, room: str) -> list[MemberRecord]:
    """Read the members of a room."""
    found = db.execute(_MEMBER.where(members.c.room == room).order_by(members.c.number))
    return [MemberRecord(*row) for row in found]


@dataclass(frozen=True, slots=True)
class Code:
    """A link's one-time code; the names are those of the columns."""

    code_hash: str
    code_expires_at: float


@dataclass(frozen=True, slots=True)
class Session:
    """What a code is exchanged for; the names are those of the columns."""

    session_hash: str
    session_expires_at: float


def redeem(db: Connection, member: str, code_hash: str, session: Session, now: float) -> bool:
    """Exchange a code for a session, in one statement: of two at the same time one wins."""
    unused = (members.c.id == member, members.c.code_hash == code_hash, members.c.session_hash.is_(None))
    return hits(db, update(members).where(*unused, members.c.code_expires_at > now).values(asdict(session))) == 1


def renew(db: Connection, member: str, code: Code, audit: AuditRecord | None) -> None:
    """Put another code in the place of a member's, and end the session that was opened before."""
    known = (members.c.id == member, members.c.sender != "")
    ended = {"session_hash": None, "session_expires_at": None}
    if not hits(db, update(members).where(*known).values({**asdict(code), **ended})):
        raise NotFound("expected a member that exists, got another id")
    auditlog.add(db, audit)


def spend(db: Connection, ticket: str, expires_at: float, now: float) -> bool:
    """Remember a ticket's id until it expires, and longer: the clock may be set back."""
    db.execute(delete(tickets).where(tickets.c.expires_at <= now - GRACE_SECONDS))
    return now < expires_at and add_once(db, tickets, {"id": ticket, "expires_at": expires_at})


def add_consent(db: Connection, consent: ConsentRecord, audit: AuditRecord) -> None:
    """Keep a word of consent of a member of a room."""
    get_room(db, consent.room)
    get_member(db, consent.member)
    if add_once(db, consent_words, {**asdict(consent), "purpose": str(consent.purpose), "by": str(consent.by)}):
        auditlog.add(db, audit)


def consents_of(db: Connection, person: str) -> list[ConsentRecord]:
    """Read the last word for each purpose and by each side."""
    last = select(func.max(consent_words.c.number)).where(consent_words.c.person == person)
    query = _CONSENT.where(consent_words.c.number.in_(last.group_by(consent_words.c.purpose, consent_words.c.by)))
    return [_consent(row) for row in db.execute(query.order_by(consent_words.c.number))]


def _consent(row: Row[Any]) -> ConsentRecord:
    return ConsentRecord(**{**row._mapping, "purpose": Purpose(row.purpose), "by": By(row.by)})


def add_hint(db: Connection, hint: HintRecord, audit: AuditRecord | None) -> None:
    """Keep a hint."""
    if add_once(db, hints, asdict(hint)):
        auditlog.add(db, audit)


def answer_hint(db: Connection, room: str, hint: str, answer: str) -> None:
    """Keep the answer to a hint."""
    if not hits(db, update(hints).where(hints.c.room == room, hints.c.id == hint).values(answer=answer)):
        raise NotFound("expected a hint of this room, got another id")


def hints_of(db: Connection, room: str) -> list[HintRecord]:
    """Read the hints of a room."""
    return [HintRecord(*row) for row in db.execute(_HINT.where(hints.c.room == room).order_by(hints.c.number))]


def set_hints_on(db: Connection, room: str, on: bool) -> None:
    """Turn hints of a room on or off."""
    if not hits(db, update(rooms).where(rooms.c.id == room).values(hints_on=on)):
        raise no_room()


def hints_on(db: Connection, room: str) -> bool:
    """Read whether hints are on."""
    return db.scalar(select(rooms.c.hints_on).where(rooms.c.id == room)) is not False


def strikes_of(db: Connection, sender: str) -> list[float]:
    """Read the times of violations."""
    return list(db.scalars(select(strikes.c.at).where(strikes.c.sender == sender).order_by(strikes.c.at)))


def set_paying(db: Connection, sender: str, paying: bool, at: float, audit: AuditRecord | None) -> None:
    """Keep whether a sender pays."""
    put(db, senders, {"sender": keepable(sender)}, {"paying": paying, "at": at})
    auditlog.add(db, audit)


def paying(db: Connection, sender: str) -> bool:
    """Read whether a sender pays."""
    return db.scalar(select(senders.c.paying).where(senders.c.sender == sender)) is True


def beat(db: Connection) -> None:
    """Write something, to know that writing works."""
    if not hits(db, update(pulse).values(beats=pulse.c.beats + 1)):
        add_once(db, pulse, {"id": 1, "beats": 1})
