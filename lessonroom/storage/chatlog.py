"""Messages: plain functions of a connection, run by a worker.

They may be run twice, after a deadlock, and then do the same again. What each means stands in
:class:`lessonroom.storage.store.Store`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, or_, select, update

from lessonroom.errors import NotFound
from lessonroom.storage import auditlog
from lessonroom.storage.audit import AuditRecord
from lessonroom.storage.lessons import no_room
from lessonroom.storage.schema import messages, rooms
from lessonroom.storage.statements import add_all_once, add_once, hits
from lessonroom.storage.store import FoundSpan, MessageState, NewMessage, StoredMessage, keepable

_VERDICTS = {MessageState.RELAYED: "relay", MessageState.HELD: "hold"}

# built once: building a statement costs as much as running it, and every message needs these
_MESSAGE = select(messages)
_LOCK = select(rooms.c.last_seq).where(rooms.c.id == bindparam("of")).with_for_update()
_LOCK_MANY = (
    select(rooms.c.id, rooms.c.last_seq)
    .where(rooms.c.id.in_(bindparam("some", expanding=True)))
    .order_by(rooms.c.id)
    .with_for_update()
)
_COUNT = update(rooms).where(rooms.c.id == bindparam("of")).values(last_seq=bindparam("seq"))
_KEY = ("room", "sender", "id")
_FIND = _MESSAGE.where(*(messages.c[name] == bindparam(name) for name in _KEY))


@dataclass(frozen=True, slots=True)
class Addition:
    """A message to append, with what goes on record of it."""

    message: NewMessage
    audit: AuditRecord | None = None


def append(db: Connection, asked: Addition) -> tuple[StoredMessage, bool]:
    """Give a message the room's next number, unless it is there already.

    The room's row is locked first, so two writers, also of two processes, take turns: no number is given twice, and
    none is lost, because a transaction that fails gives its number back.
    """
    message = asked.message
    keepable(message.text)
    last = db.scalar(_LOCK, {"of": message.room})
    if last is None:
        raise no_room()
    new = StoredMessage(last + 1, message)
    if not add_once(db, messages, _row(new), key=_KEY):
        row = db.execute(_FIND, {name: getattr(message, name) for name in _KEY}).one()
        return stored(row), False
    count(db, message.room, new.seq)
    auditlog.add(db, asked.audit)
    return new, True


def append_many(db: Connection, asked: Sequence[Addition]) -> list[tuple[StoredMessage, bool]] | None:
    """Append several with as many statements as one takes. None when not all of them are new, whole and of known rooms.

    The rooms are locked by name, so that two processes do not wait for one another.
    """
    some = {one.message.room for one in asked}
    last = {row.id: row.last_seq for row in db.execute(_LOCK_MANY, {"some": list(some)})}
    if len(last) < len(some):
        return None
    new: list[StoredMessage] = []
    for one in asked:
        keepable(one.message.text)
        last[one.message.room] = seq = last[one.message.room] + 1
        new.append(StoredMessage(seq, one.message))
    if not add_all_once(db, messages, [_row(stored) for stored in new], key=_KEY):
        return None
    db.execute(_COUNT, [{"of": room, "seq": seq} for room, seq in last.items()])
    for one in asked:
        auditlog.add(db, one.audit)
    return [(stored, True) for stored in new]


def count(db: Connection, room: str, seq: int) -> None:
    """The room's row is locked: write down that this place is taken."""
    db.execute(_COUNT, {"of": room, "seq": seq})


def after(db: Connection, room: str, seq: int, reader: str, limit: int) -> list[StoredMessage]:
    """Read what a reader may see from a number on."""
    visible = or_(messages.c.state == MessageState.RELAYED, messages.c.sender == reader)
    query = _MESSAGE.where(messages.c.room == room, messages.c.seq > seq, visible)
    return [stored(row) for row in db.execute(query.order_by(messages.c.seq).limit(limit))]


def recent(db: Connection, room: str, limit: int) -> list[StoredMessage]:
    """Read the last messages."""
    query = _MESSAGE.where(messages.c.room == room).order_by(messages.c.seq.desc()).limit(limit)
    return [stored(row) for row in db.execute(query)][::-1]


def last_seq(db: Connection, room: str) -> int:
    """Read the room's highest number."""
    return db.scalar(select(rooms.c.last_seq).where(rooms.c.id == room)) or 0


def appeal(db: Connection, key: Mapping[str, str], at: float, audit: AuditRecord | None) -> StoredMessage:
    """Turn blocked into appealed, unless that was decided already; the message keeps its place.

    ``key``: its room, sender and id.
    """
    own = (messages.c[name] == value for name, value in key.items())
    open_ = update(messages).where(*own, messages.c.state == MessageState.BLOCKED, messages.c.decided_at.is_(None))
    if hits(db, open_.values(state=MessageState.APPEALED, waits=MessageState.APPEALED, appealed_at=at)):
        auditlog.add(db, audit)
    row = db.execute(_FIND, key).one_or_none()
    if row is None or (row.state != MessageState.APPEALED and row.decided_at is None):
        raise NotFound("expected a blocked message of this member, got another id")
    return stored(row)


def _row(new: StoredMessage) -> dict[str, Any]:
    message = new.message
    return {
        "room": message.room,
        "seq": new.seq,
        "sender": message.sender,
        "id": message.id,
        "text": message.text,
        "at": message.at,
        "state": str(message.state),
        "probability": message.probability,
        "decider": message.decider,
        "model": message.model,
        "findings": [[span.kind, span.start, span.end, span.evidence] for span in message.findings],
        "verdict": _VERDICTS.get(message.state, "block"),
        "lang": message.lang,
        "degraded": message.degraded,
        "sampled": message.sampled,
        "waits": _waits(message),
    }


def _waits(message: NewMessage) -> str | None:
    """Why a person should look at a new message: a :class:`~lessonroom.storage.review.Why`, if at all."""
    if message.state is MessageState.RELAYED:
        return "sample" if message.sampled else None
    return str(message.state)


def said(row: Row[Any]) -> NewMessage:
    """A message as it is kept in a row of all its columns."""
    return NewMessage(
        room=row.room,
        sender=row.sender,
        id=row.id,
        text=row.text,
        at=row.at,
        state=MessageState(row.state),
        probability=row.probability,
        decider=row.decider,
        model=row.model,
        findings=tuple(FoundSpan(*span) for span in row.findings),
        lang=row.lang,
        degraded=row.degraded,
        sampled=row.sampled,
    )


def stored(row: Row[Any]) -> StoredMessage:
    """A message with its place."""
    return StoredMessage(row.seq, said(row), decided=row.decided_at is not None)
