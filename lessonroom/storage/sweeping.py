"""Deletes what is too old: plain functions of a connection, run by a worker, a few hundred rows at a time.

What each kind means stands in :mod:`lessonroom.storage.retention`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    case,
    delete,
    exists,
    func,
    insert,
    not_,
    or_,
    select,
    update,
)

from lessonroom.storage.retention import Kind, Sweep
from lessonroom.storage.schema import (
    consent_words,
    hints,
    labels,
    members,
    messages,
    rooms,
    senders,
    strikes,
    sweeps,
)
from lessonroom.storage.statements import hits

PART = 500
"""Rows that are deleted at once: what waits behind them waits a few milliseconds."""


def sweep(db: Connection, kind: Kind, cut: float) -> int:
    """Delete up to :data:`PART` records of a kind from before ``cut``; how many it were."""
    return _SWEEPS[kind](db, cut)


def left(db: Connection, kind: Kind, cut: float) -> int:
    """Count the records of a kind from before ``cut`` that have to go and are still there."""
    return db.scalar(select(func.count()).select_from(_FOUND[kind](cut).subquery())) or 0


def note(db: Connection, done: Sweep) -> None:
    """Keep what a sweep did."""
    row = {"at": done.at, "kind": str(done.kind), "cut": done.cut, "deleted": done.deleted}
    db.execute(insert(sweeps).values(**row, left_beyond=done.left_beyond))


def latest(db: Connection) -> list[Sweep]:
    """The last sweep of each kind, in the order of sweeping."""
    found = {row.kind: row for row in db.execute(select(sweeps).order_by(sweeps.c.number))}
    return [
        Sweep(row.at, kind, row.cut, row.deleted, row.left_beyond)
        for kind in Kind
        if (row := found.get(kind)) is not None
    ]


def quiet(db: Connection, cut: float, now: float, only: str = "") -> list[str]:
    """Open rooms in which nothing was stored since ``cut``, and into which no link or session leads any more.

    ``only``: one to look at, all when empty.
    """
    used = members.c.session_hash.is_not(None)
    ends = case((used, members.c.session_expires_at), else_=members.c.code_expires_at)
    enters = members.c.role != "guardian"
    of = rooms.c.id
    # by way of the members: words are found by their person, and there are too many to look through for each room
    agreed = exists().where(
        members.c.room == of,
        consent_words.c.person == members.c.sender,
        consent_words.c.room == of,
        consent_words.c.at >= cut,
    )
    query = select(of).where(
        rooms.c.closed_at.is_(None),
        rooms.c.created_at < cut,
        not_(exists().where(members.c.room == of, or_(members.c.created_at >= cut, and_(enters, ends > now)))),
        not_(exists().where(messages.c.room == of, or_(messages.c.at >= cut, messages.c.decided_at >= cut))),
        not_(exists().where(hints.c.room == of, hints.c.at >= cut)),
        not_(agreed),
    )
    asked = query.where(of == only) if only else query
    return list(db.scalars(asked.order_by(rooms.c.number)))


# --- what has to go: each a selection of keys -------------------------------------------------------------------------


def _closed(column: ColumnElement[Any]) -> ColumnElement[bool]:
    return exists().where(rooms.c.id == column, rooms.c.closed_at.is_not(None))


def _waiting(cut: float) -> Select[Any]:
    waits = messages.c.waits.is_not(None)
    return select(messages.c.number).where(messages.c.at < cut, waits, _closed(messages.c.room))


def _held(cut: float) -> Select[Any]:
    """By way of the decisions: they are few, and found by their time."""
    decided = select(messages.c.number).join_from(labels, messages).where(labels.c.at < cut)
    return decided.where(messages.c.verdict != "relay", messages.c.waits.is_(None), _closed(messages.c.room))


def _messages(cut: float) -> Select[Any]:
    """Those that are of no other kind: one that was decided late has a life of its own from then on."""
    held = and_(messages.c.verdict != "relay", exists().where(labels.c.message == messages.c.number))
    own = and_(messages.c.waits.is_(None), not_(held))
    return select(messages.c.number).where(messages.c.at < cut, own, _closed(messages.c.room))


def _hints(cut: float) -> Select[Any]:
    return select(hints.c.number).where(hints.c.at < cut, _closed(hints.c.room))


def _strikes(cut: float) -> Select[Any]:
    return select(strikes.c.sender, strikes.c.at).where(strikes.c.at < cut)


def _consents(cut: float) -> Select[Any]:
    """A word stays while one is kept that it has replaced, which would count anew: a no outlives the yes before it."""
    last, before = consent_words, consent_words.alias("before")
    whose = and_(*(before.c[name] == last.c[name] for name in ("person", "purpose", "by")))
    replaced = exists().where(whose, before.c.number < last.c.number, before.c.expires_at >= cut)
    return select(last.c.number).where(last.c.expires_at < cut, not_(replaced))


def _sessions(cut: float) -> Select[Any]:
    """A code that was not used, or a session, whose time was over before ``cut``."""
    ended = func.coalesce(members.c.session_expires_at, members.c.code_expires_at) < cut
    return select(members.c.number).where(ended, members.c.code_expires_at < cut, members.c.code_hash != "")


def _rooms(cut: float) -> Select[Any]:
    said = exists().where(messages.c.room == rooms.c.id)
    hinted = exists().where(hints.c.room == rooms.c.id)
    return select(rooms.c.number).where(rooms.c.closed_at < cut, ~or_(said, hinted))


def _operators(cut: float) -> Select[Any]:
    ended = func.coalesce(members.c.session_expires_at, members.c.code_expires_at) < cut
    return select(members.c.number).where(members.c.room.is_(None), members.c.created_at < cut, ended)


def _standings(cut: float) -> Select[Any]:
    # joined: members have no index of names, so a look for each sender would be a look at all members
    both = senders.outerjoin(members, members.c.sender == senders.c.sender)
    return select(senders.c.sender).select_from(both).where(senders.c.at < cut, members.c.id.is_(None))


def _sweeps(cut: float) -> Select[Any]:
    last = select(func.max(sweeps.c.number)).group_by(sweeps.c.kind)
    return select(sweeps.c.number).where(sweeps.c.at < cut, sweeps.c.number.not_in(last))


_FOUND: dict[Kind, Callable[[float], Select[Any]]] = {
    Kind.WAITING: _waiting,
    Kind.HELD: _held,
    Kind.MESSAGES: _messages,
    Kind.HINTS: _hints,
    Kind.STRIKES: _strikes,
    Kind.CONSENTS: _consents,
    Kind.SESSIONS: _sessions,
    Kind.ROOMS: _rooms,
    Kind.OPERATORS: _operators,
    Kind.STANDINGS: _standings,
    Kind.SWEEPS: _sweeps,
}


# --- letting it go ----------------------------------------------------------------------------------------------------


def _numbers(db: Connection, found: Select[Any]) -> list[int]:
    return list(db.scalars(found.limit(PART)))


def _drop(table: Table, kind: Kind) -> Callable[[Connection, float], int]:
    def drop(db: Connection, cut: float) -> int:
        return hits(db, delete(table).where(table.c.number.in_(_numbers(db, _FOUND[kind](cut)))))

    return drop


def _drop_messages(kind: Kind) -> Callable[[Connection, float], int]:
    def drop(db: Connection, cut: float) -> int:
        return forget_messages(db, _numbers(db, _FOUND[kind](cut)))

    return drop


def forget_messages(db: Connection, numbers: list[int] | Select[Any]) -> int:
    """Delete messages with what people decided on them. ``numbers``: a few of them, or a selection."""
    db.execute(delete(labels).where(labels.c.message.in_(numbers)))
    return hits(db, delete(messages).where(messages.c.number.in_(numbers)))


def _drop_strikes(db: Connection, cut: float) -> int:
    return hits(db, delete(strikes).where(strikes.c.at < cut))


def _drop_standings(db: Connection, cut: float) -> int:
    names = list(db.scalars(_standings(cut).limit(PART)))
    return hits(db, delete(senders).where(senders.c.sender.in_(names)))


def _forget_sessions(db: Connection, cut: float) -> int:
    # without its session a code would look as if it had never been used: it goes with it
    gone = {"session_hash": None, "session_expires_at": None, "code_hash": "", "code_expires_at": 0.0}
    return hits(db, update(members).where(members.c.number.in_(_numbers(db, _sessions(cut)))).values(gone))


def _drop_rooms(db: Connection, cut: float) -> int:
    numbers = _numbers(db, _rooms(cut))
    ids = select(rooms.c.id).where(rooms.c.number.in_(numbers))
    db.execute(delete(members).where(members.c.room.in_(ids)))
    return hits(db, delete(rooms).where(rooms.c.number.in_(numbers)))


_SWEEPS: dict[Kind, Callable[[Connection, float], int]] = {
    Kind.WAITING: _drop_messages(Kind.WAITING),
    Kind.HELD: _drop_messages(Kind.HELD),
    Kind.MESSAGES: _drop_messages(Kind.MESSAGES),
    Kind.HINTS: _drop(hints, Kind.HINTS),
    Kind.STRIKES: _drop_strikes,
    Kind.CONSENTS: _drop(consent_words, Kind.CONSENTS),
    Kind.SESSIONS: _forget_sessions,
    Kind.ROOMS: _drop_rooms,
    Kind.OPERATORS: _drop(members, Kind.OPERATORS),
    Kind.STANDINGS: _drop_standings,
    Kind.SWEEPS: _drop(sweeps, Kind.SWEEPS),
}
