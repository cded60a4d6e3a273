"""Rooms, members, tickets, consent, hints and senders: plain functions of a connection, run by a worker.

They may be run twice, after a deadlock, and then do the same again. What each means stands in
:class:`lessonroom.storage.store.Store`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Select, delete, func, select, update

from lessonroom.errors import NotFound
from lessonroom.storage.schema import consents, hints, members, pulse, rooms, senders, strikes, tickets
from lessonroom.storage.statements import add_once, hits, put
from lessonroom.storage.store import HintRecord, MemberRecord, RoomRecord, keepable

_ROOM = select(rooms.c.id, rooms.c.mode_cap, rooms.c.created_at, rooms.c.closed_at)
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
)
_HINT = select(hints.c.id, hints.c.room, hints.c.cue, hints.c.advice, hints.c.at, hints.c.answer)


def add_room(db: Connection, room: RoomRecord) -> None:
    """Keep a room."""
    add_once(db, rooms, asdict(room))


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


def close_room(db: Connection, room: str, at: float) -> None:
    """Set the end of a room, unless it has one."""
    closed_at = func.coalesce(rooms.c.closed_at, at)
    if not hits(db, update(rooms).where(rooms.c.id == room).values(closed_at=closed_at)):
        raise no_room()


def no_room() -> NotFound:
    """The error for a room that is not there."""
    return NotFound("expected a room that exists, got another id")


def add_member(db: Connection, member: MemberRecord) -> None:
    """Keep a member."""
    keepable(member.name)
    keepable(member.sender)
    add_once(db, members, {**asdict(member), "room": member.room or None})


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
class Session:
    """What a code is exchanged for; the names are those of the columns."""

    session_hash: str
    session_expires_at: float


def redeem(db: Connection, member: str, code_hash: str, session: Session, now: float) -> bool:
    """Exchange a code for a session, in one statement: of two at the same time one wins."""
    unused = (members.c.id == member, members.c.code_hash == code_hash, members.c.session_hash.is_(None))
    return hits(db, update(members).where(*unused, members.c.code_expires_at > now).values(asdict(session))) == 1


def spend(db: Connection, ticket: str, expires_at: float, now: float) -> bool:
    """Remember a ticket's id until it expires."""
    db.execute(delete(tickets).where(tickets.c.expires_at <= now))
    # an expired one would be forgotten by the next call, and then be good a second time
    return now < expires_at and add_once(db, tickets, {"id": ticket, "expires_at": expires_at})


def set_consent(db: Connection, room: str, member: str, agreed: bool, at: float) -> None:
    """Keep a yes or a no."""
    put(db, consents, {"room": room, "member": member}, {"agreed": agreed, "at": at})


def consent(db: Connection, room: str, member: str) -> bool | None:
    """Read a yes or a no."""
    return db.scalar(select(consents.c.agreed).where(consents.c.room == room, consents.c.member == member))


def add_hint(db: Connection, hint: HintRecord) -> None:
    """Keep a hint."""
    add_once(db, hints, asdict(hint))


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


def set_paying(db: Connection, sender: str, paying: bool) -> None:
    """Keep whether a sender pays."""
    put(db, senders, {"sender": keepable(sender)}, {"paying": paying})


def paying(db: Connection, sender: str) -> bool:
    """Read whether a sender pays."""
    return db.scalar(select(senders.c.paying).where(senders.c.sender == sender)) is True


def beat(db: Connection) -> None:
    """Write something, to know that writing works."""
    if not hits(db, update(pulse).values(beats=pulse.c.beats + 1)):
        add_once(db, pulse, {"id": 1, "beats": 1})
