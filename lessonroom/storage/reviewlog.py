"""The queue, decisions and labels: plain functions of a connection, run by a worker.

They may be run twice, after a deadlock, and then do the same again. What each means stands in
:class:`lessonroom.storage.review.Reviews`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, delete, func, select, update

from lessonroom.errors import Conflict, NotFound
from lessonroom.storage import auditlog, chatlog, lessons
from lessonroom.storage.audit import AuditRecord
from lessonroom.storage.review import Decided, Decision, Label, Reading, SenderRecord, Waiting, Why
from lessonroom.storage.schema import labels, members, messages, rooms, strikes
from lessonroom.storage.statements import add_once, put
from lessonroom.storage.store import MessageState, NewMessage

_MESSAGE = select(messages).where(messages.c.number == bindparam("of"))
_LABEL = select(labels).where(labels.c.message == bindparam("of"))
_ROOM: Select[Any] = select(rooms.c.last_seq, rooms.c.closed_at).where(rooms.c.id == bindparam("of")).with_for_update()
_BEFORE = (
    select(messages)
    .where(messages.c.room == bindparam("room"), messages.c.number < bindparam("number"))
    .order_by(messages.c.number.desc())
    .limit(bindparam("limit"))
)


def queue(db: Connection, why: Sequence[Why], limit: int) -> list[Waiting]:
    """Read what waits, reason by reason."""
    found: list[Waiting] = []
    for reason in why:
        query = select(messages).where(messages.c.waits == str(reason)).order_by(messages.c.number)
        rows = db.execute(query.limit(limit - len(found)))
        found += [Waiting(row.number, reason, chatlog.said(row)) for row in rows]
    return found


def waiting(db: Connection) -> dict[Why, int]:
    """Count what waits."""
    query = select(messages.c.waits, func.count()).where(messages.c.waits.is_not(None)).group_by(messages.c.waits)
    counts = {row[0]: int(row[1]) for row in db.execute(query)}
    return {why: counts.get(str(why), 0) for why in Why}


def read(db: Connection, number: int, before: int, record: AuditRecord) -> Reading:
    """Write down who reads, then read."""
    row = _known(db, number)
    if row.waits is None and _label(db, number) is None:
        raise _unknown()
    auditlog.add(db, record)
    return Reading(chatlog.said(row), _before(db, row, before))


# --- decisions -------------------------------------------------------------------------------------------------------


def decide(db: Connection, decision: Decision, record: AuditRecord) -> Decided:
    """Keep a decision. Locks the room and then the message: of two who decide at once, the second sees the first."""
    known = _known(db, decision.number)
    room = db.execute(_ROOM, {"of": known.room}).one()
    row = db.execute(_MESSAGE.with_for_update(), {"of": decision.number}).one()
    if row.waits is None:
        return _again(db, row, decision)
    _change(db, row, room, decision)
    _keep_label(db, row, decision)
    sender = _strike(db, row, decision)
    auditlog.add(db, record)
    return _decided(db, decision.number, sender, Why(row.waits), fresh=True)


def _change(db: Connection, row: Row[Any], room: Row[Any], decision: Decision) -> None:
    """What becomes of the message itself."""
    changes: dict[str, Any] = {"waits": None}
    if row.state in {MessageState.HELD, MessageState.APPEALED}:
        changes["state"] = str(MessageState.BLOCKED if decision.contact else MessageState.RELAYED)
        if room.closed_at is None:
            changes |= {"seq": room.last_seq + 1, "decided_at": decision.at}
            chatlog.count(db, row.room, room.last_seq + 1)
    db.execute(update(messages).where(messages.c.number == row.number).values(changes))


def _again(db: Connection, row: Row[Any], decision: Decision) -> Decided:
    label = _label(db, decision.number)
    if label is None:
        raise _unknown()
    if label.contact is not decision.contact:
        raise Conflict("expected the decision that was made before, got the other one")
    return _decided(db, decision.number, _sender(db, row), Why(label.why), fresh=False)


def _decided(db: Connection, number: int, sender: str, why: Why, *, fresh: bool) -> Decided:
    row = _known(db, number)
    released = row.decided_at is not None and row.state == MessageState.RELAYED
    return Decided(chatlog.stored(row), sender, why, released, fresh)


def _keep_label(db: Connection, row: Row[Any], decision: Decision) -> None:
    rest = {
        "contact": decision.contact,
        "kind": decision.kind,
        "why": row.waits,
        "model": row.model,
        "probability": row.probability,
        "actor": decision.actor,
        "at": decision.at,
    }
    # one that was blocked, confirmed and then appealed has a label already
    put(db, labels, {"message": row.number}, rest)


def _strike(db: Connection, row: Row[Any], decision: Decision) -> str:
    """A violation counts from the time of the message, so that it is known again when it has to go."""
    sender = _sender(db, row)
    if decision.contact:
        add_once(db, strikes, {"sender": sender, "at": row.at})
    else:
        db.execute(delete(strikes).where(strikes.c.sender == sender, strikes.c.at == row.at))
    return sender


def _sender(db: Connection, row: Row[Any]) -> str:
    """The platform's name of the writer."""
    return db.scalar(select(members.c.sender).where(members.c.id == row.sender)) or str(row.sender)


def _known(db: Connection, number: int) -> Row[Any]:
    row = db.execute(_MESSAGE, {"of": number}).one_or_none()
    if row is None:
        raise _unknown()
    return row


def _unknown() -> NotFound:
    return NotFound("expected a message that waits for a decision or had one, got another id")


def _label(db: Connection, number: int) -> Row[Any] | None:
    return db.execute(_LABEL, {"of": number}).one_or_none()


def _before(db: Connection, row: Row[Any], limit: int) -> tuple[NewMessage, ...]:
    """The lines that were written before a message in its room, oldest first."""
    found = db.execute(_BEFORE, {"room": row.room, "number": row.number, "limit": limit})
    return tuple(chatlog.said(line) for line in found)[::-1]


# --- what was decided ------------------------------------------------------------------------------------------------


def blocks(db: Connection, since: float) -> tuple[int, int]:
    """Count decisions on what was blocked."""
    wrong = func.count().filter(labels.c.contact.is_(False))
    query = select(func.count(), wrong).where(labels.c.why.in_([Why.APPEALED, Why.BLOCKED]), labels.c.at >= since)
    decided, mistaken = db.execute(query).one()
    return int(decided), int(mistaken)


def labels_after(db: Connection, after: int, limit: int, before: int) -> list[Label]:
    """Read labels with what they are about."""
    rows = db.execute(select(labels).where(labels.c.message > after).order_by(labels.c.message).limit(limit))
    return [_labelled(db, row, before) for row in rows.all()]


def _labelled(db: Connection, label: Row[Any], before: int) -> Label:
    row = _known(db, label.message)
    return Label(
        number=label.message,
        contact=label.contact,
        kind=label.kind,
        why=Why(label.why),
        model=label.model,
        probability=label.probability,
        actor=label.actor,
        at=label.at,
        message=chatlog.said(row),
        before=_before(db, row, before),
    )


# --- senders ---------------------------------------------------------------------------------------------------------


def sender_of(db: Connection, sender: str) -> SenderRecord:
    """Read all that is kept of a sender."""
    return SenderRecord(sender, lessons.paying(db, sender), tuple(lessons.strikes_of(db, sender)))


def struck(db: Connection, since: float, least: int) -> list[SenderRecord]:
    """Read who has several strikes."""
    fresh = strikes.c.at >= since
    many = select(strikes.c.sender).where(fresh).group_by(strikes.c.sender).having(func.count() >= least)
    found: dict[str, list[float]] = {}
    query = select(strikes).where(fresh, strikes.c.sender.in_(many)).order_by(strikes.c.sender, strikes.c.at)
    for row in db.execute(query):
        found.setdefault(row.sender, []).append(row.at)
    return [SenderRecord(sender, lessons.paying(db, sender), tuple(times)) for sender, times in found.items()]
