"""Messages: plain functions of a connection, run by a worker.

They may be run twice, after a deadlock, and then do the same again. What each means stands in
:class:`lessonroom.storage.store.Store`.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, bindparam, or_, select, update

from lessonroom.errors import NotFound
from lessonroom.storage.lessons import no_room
from lessonroom.storage.schema import messages, rooms
from lessonroom.storage.statements import add_once
from lessonroom.storage.store import FoundSpan, MessageState, NewMessage, StoredMessage, keepable

# built once: building a statement costs as much as running it, and every message needs these
_MESSAGE = select(messages)
_LOCK = select(rooms.c.last_seq).where(rooms.c.id == bindparam("of")).with_for_update()
_COUNT = update(rooms).where(rooms.c.id == bindparam("of")).values(last_seq=bindparam("seq"))
_KEY = ("room", "sender", "id")
_FIND = _MESSAGE.where(*(messages.c[name] == bindparam(name) for name in _KEY))


def append(db: Connection, message: NewMessage) -> tuple[StoredMessage, bool]:
    """Give a message the room's next number, unless it is there already.

    The room's row is locked first, so two writers, also of two processes, take turns: no number is given twice, and
    none is lost, because a transaction that fails gives its number back.
    """
    keepable(message.text)
    last = db.scalar(_LOCK, {"of": message.room})
    if last is None:
        raise no_room()
    new = StoredMessage(last + 1, message)
    if not add_once(db, messages, _row(new), key=_KEY):
        row = db.execute(_FIND, {name: getattr(message, name) for name in _KEY}).one()
        return _stored(row), False
    db.execute(_COUNT, {"of": message.room, "seq": new.seq})
    return new, True


def find(db: Connection, room: str, sender: str, message: str) -> StoredMessage | None:
    """Read a message by its writer's id."""
    row = db.execute(_FIND, {"room": room, "sender": sender, "id": message}).one_or_none()
    return None if row is None else _stored(row)


def after(db: Connection, room: str, seq: int, reader: str, limit: int) -> list[StoredMessage]:
    """Read what a reader may see from a number on."""
    visible = or_(messages.c.state == MessageState.RELAYED, messages.c.sender == reader)
    query = _MESSAGE.where(messages.c.room == room, messages.c.seq > seq, visible)
    return [_stored(row) for row in db.execute(query.order_by(messages.c.seq).limit(limit))]


def recent(db: Connection, room: str, limit: int) -> list[StoredMessage]:
    """Read the last messages."""
    query = _MESSAGE.where(messages.c.room == room).order_by(messages.c.seq.desc()).limit(limit)
    return [_stored(row) for row in db.execute(query)][::-1]


def last_seq(db: Connection, room: str) -> int:
    """Read the room's highest number."""
    return db.scalar(select(rooms.c.last_seq).where(rooms.c.id == room)) or 0


def appeal(db: Connection, room: str, sender: str, message: str, at: float) -> StoredMessage:
    """Turn blocked into appealed; the message keeps its number."""
    own = (messages.c.room == room, messages.c.sender == sender, messages.c.id == message)
    blocked = update(messages).where(*own, messages.c.state == MessageState.BLOCKED)
    db.execute(blocked.values(state=MessageState.APPEALED, appealed_at=at))
    stored = find(db, room, sender, message)
    if stored is None or stored.message.state is not MessageState.APPEALED:
        raise NotFound("expected a blocked message of this member, got another id")
    return stored


def _row(stored: StoredMessage) -> dict[str, Any]:
    message = stored.message
    return {
        "room": message.room,
        "seq": stored.seq,
        "sender": message.sender,
        "id": message.id,
        "text": message.text,
        "at": message.at,
        "state": str(message.state),
        "probability": message.probability,
        "decider": message.decider,
        "model": message.model,
        "findings": [[span.kind, span.start, span.end, span.evidence] for span in message.findings],
    }


def _stored(row: Row[Any]) -> StoredMessage:
    message = NewMessage(
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
    )
    return StoredMessage(row.seq, message)
