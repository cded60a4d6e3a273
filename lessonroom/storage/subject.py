"""One person's records, to hand them out or to forget them: plain functions of a connection, run by a worker.

A person is all members with the platform's name for them (``sender``); the id of one of these names all of them, too:
consents and standing are kept by the platform's name, and would else go or stay apart from the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, or_, select, update

from lessonroom.errors import NotFound, Refused
from lessonroom.storage import auditlog
from lessonroom.storage.audit import AuditRecord
from lessonroom.storage.schema import audit, consent_words, hints, labels, members, messages, rooms, senders, strikes
from lessonroom.storage.statements import hits
from lessonroom.storage.sweeping import forget_messages

Record = dict[str, Any]

_SECRETS = {"code_hash", "session_hash", "number"}


def records_of(db: Connection, who: str) -> Record:
    """Everything that is kept of a person and nothing of anybody else. Raises NotFound.

    Hints are those of lessons in which they were the student. Times are seconds since the epoch.
    """
    people = _members(db, who)
    ids, names = [row.id for row in people], _names(people, who)
    said = db.execute(select(messages).where(_said(people)).order_by(messages.c.number)).all()
    # joined, and not listed: a database takes only so many values in one statement
    judged = select(labels).join_from(labels, messages).where(_said(people)).order_by(labels.c.message)
    lessons = [row.room for row in people if row.room is not None]
    own = [row.room for row in people if row.role == "student"]
    about = [f"member:{one}" for one in ids]
    return {
        "members": [_plain(row) for row in people],
        "rooms": _all(db, select(rooms).where(rooms.c.id.in_(lessons)).order_by(rooms.c.number), "last_seq"),
        "messages": [_plain(row) for row in said],
        "decisions": _all(db, judged),
        "hints": _all(db, select(hints).where(hints.c.room.in_(own)).order_by(hints.c.number)),
        "consents": _all(
            db, select(consent_words).where(consent_words.c.person.in_(names)).order_by(consent_words.c.number)
        ),
        "paying": any(db.scalars(select(senders.c.paying).where(senders.c.sender.in_(names)))),
        "strikes": list(db.scalars(select(strikes.c.at).where(strikes.c.sender.in_(names)).order_by(strikes.c.at))),
        "audit": _all(
            db,
            select(audit).where(or_(audit.c.actor.in_(ids), audit.c.subject.in_(about))).order_by(audit.c.number),
            "previous",
            "hash",
        ),
    }


def forget(db: Connection, who: str, records: Sequence[AuditRecord]) -> dict[str, int]:
    """Delete what :func:`records_of` gives but for the audit; how many of each kind it were.

    Of their members an empty shell stays, so that the other person's messages keep their place. Raises NotFound, and
    Refused while one of their lessons is open: it would go on writing.
    """
    people = _members(db, who)
    ids, names = [row.id for row in people], _names(people, who)
    lessons = [row.room for row in people if row.room is not None]
    if db.scalars(select(rooms.c.id).where(rooms.c.id.in_(lessons), rooms.c.closed_at.is_(None))).first() is not None:
        raise Refused("expected a person whose lessons are all closed, got one with an open lesson; close it first")
    own = [row.room for row in people if row.role == "student"]
    gone = {
        "messages": forget_messages(db, select(messages.c.number).where(_said(people))),
        "hints": hits(db, delete(hints).where(hints.c.room.in_(own))),
        "consents": hits(db, delete(consent_words).where(consent_words.c.person.in_(names))),
        "strikes": hits(db, delete(strikes).where(strikes.c.sender.in_(names))),
        "standing": hits(db, delete(senders).where(senders.c.sender.in_(names))),
        "members": hits(db, update(members).where(members.c.id.in_(ids)).values(_shell())),
    }
    for record in records:
        auditlog.add(db, record)
    return gone


def _shell() -> Record:
    """What is left of a member: an id, a role, a room and the time of making."""
    words = dict.fromkeys(("name", "sender", "code_hash", "place", "band", "release"), "")
    return {**words, "session_hash": None, "session_expires_at": None, "code_expires_at": 0.0}


def _members(db: Connection, who: str) -> Sequence[Row[Any]]:
    alias = select(members.c.sender).where(members.c.id == who, members.c.sender != "")
    # what is left of one who was forgotten has no name, and no word may mean all of these
    named = or_(members.c.id == who, members.c.sender.in_(alias), and_(members.c.sender == who, members.c.sender != ""))
    found = db.execute(select(members).where(named).order_by(members.c.number)).all()
    if not found and not (who and _outlives(db, who)):
        raise NotFound("expected the platform's name of a person or the id of a member, got another word")
    return found


def _outlives(db: Connection, name: str) -> bool:
    """Whether something is kept by the platform's name of somebody whose lessons went when their time was over."""
    own = (consent_words.c.person, senders.c.sender, strikes.c.sender)
    return any(db.scalar(select(column).where(column == name).limit(1)) is not None for column in own)


def _said(people: Sequence[Row[Any]]) -> ColumnElement[bool]:
    """A condition for their messages: by room, too, whose index finds them."""
    rooms_of = {row.room for row in people if row.room is not None}
    return and_(messages.c.room.in_(rooms_of), messages.c.sender.in_([row.id for row in people]))


def _names(people: Sequence[Row[Any]], who: str) -> list[str]:
    """The platform's names of the person; a name may have records and no member any more."""
    return sorted({row.sender for row in people} - {""}) or [who]


def _all(db: Connection, query: Any, *without: str) -> list[Record]:
    return [_plain(row, *without) for row in db.execute(query)]


def _plain(row: Row[Any], *without: str) -> Record:
    return {name: value for name, value in row._asdict().items() if name not in _SECRETS | {*without}}
