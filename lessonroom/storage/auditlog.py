"""The audit: plain functions of a connection, run by a worker.

They may be run twice, after a deadlock, and then do the same again. What each means stands in
:class:`lessonroom.storage.audit.Audits`.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, func, select, update

from lessonroom.errors import NotFound, StoreDown
from lessonroom.storage.audit import AuditRecord, Head, Link
from lessonroom.storage.chain import link_to
from lessonroom.storage.schema import audit, audit_head
from lessonroom.storage.statements import add_once

# built once: every record needs these
_HEAD: Select[Any] = select(audit_head.c.number, audit_head.c.hash).where(audit_head.c.id == 1)
_LOCK = _HEAD.with_for_update()
_LAST = select(func.max(audit.c.number))
_KNOWN = select(audit.c.number).where(audit.c.id == bindparam("of"))
_MOVE = update(audit_head).where(audit_head.c.id == 1).values(number=bindparam("to_number"), hash=bindparam("to_hash"))
_PAGE = select(audit).where(audit.c.number > bindparam("after")).order_by(audit.c.number).limit(bindparam("most"))


def add(db: Connection, record: AuditRecord | None) -> None:
    """Chain a record to the last one, unless it is there already; nothing for None.

    The head's row is locked first: writers of all processes take turns, so the chain never forks.
    """
    if record is None:
        return
    last = db.execute(_LOCK).one_or_none()
    if last is None:
        raise StoreDown("the audit has no head: it was tampered with; see 'lessonroom audit verify'")
    # a row that somebody put behind the head must show as broken, and not keep us from writing
    number = 1 + max(last.number, db.scalar(_LAST) or 0)
    link = link_to(number, last.hash, record)
    if add_once(db, audit, _row(link), key=("id",)):
        db.execute(_MOVE, {"to_number": link.number, "to_hash": link.hash})


def audits(db: Connection, after: str | None, limit: int) -> list[AuditRecord]:
    """Read records in their order."""
    start = 0
    if after is not None:
        start = db.scalar(_KNOWN, {"of": after}) or 0
        if not start:
            raise NotFound("expected the id of a record, got another one")
    return [link.record for link in links(db, start, limit)]


def links(db: Connection, after: int, limit: int) -> list[Link]:
    """Read records at their places."""
    return [_link(row) for row in db.execute(_PAGE, {"after": after, "most": limit})]


def head(db: Connection) -> Head:
    """Read the head; NotFound when its row is gone."""
    row = db.execute(_HEAD).one_or_none()
    if row is None:
        raise NotFound("expected the head of the audit, found none")
    return Head(row.number, row.hash)


def _row(link: Link) -> dict[str, Any]:
    record = link.record
    return {
        "number": link.number,
        "id": record.id,
        "at": record.at,
        "actor": record.actor,
        "action": record.action,
        "subject": record.subject,
        "detail": dict(record.detail),
        "previous": link.previous,
        "hash": link.hash,
    }


def _link(row: Row[Any]) -> Link:
    record = AuditRecord(row.id, row.at, row.actor, row.action, row.subject, row.detail)
    return Link(row.number, row.previous, row.hash, record)
