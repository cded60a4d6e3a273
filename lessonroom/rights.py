"""What people may ask of the records on them: to see them, to have them forgotten, to count only where they agree.

All of it goes on record.
"""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import Any

from lessonroom import logs
from lessonroom.aggregates import Counted
from lessonroom.rooms.recording import record
from lessonroom.storage import agreed as consenting
from lessonroom.storage import auditlog, subject
from lessonroom.storage.audit import AuditRecord
from lessonroom.storage.sql import SqlStore

log = logs.get(__name__)

TRIES = 20
"""How often the database's log of changes is tried to be cut, when somebody reads in it."""
PAUSE_SECONDS = 0.5


async def export(store: SqlStore, person: str, *, actor: str) -> dict[str, Any]:
    """Everything that is kept of a person. ``actor``: who asks, for the audit. Raises NotFound, StoreDown."""
    found = await store.run(lambda db: subject.records_of(db, person), writes=False)
    for audit in _records(actor, "person.exported", found):
        await store.run(partial(auditlog.add, record=audit))
    return found


async def erase(store: SqlStore, person: str, *, actor: str) -> dict[str, int]:
    """Forget a person; how many records of each kind it were.

    Raises NotFound, Refused while a lesson of theirs is open, StoreDown.
    """
    found = await store.run(lambda db: subject.records_of(db, person), writes=False)
    audits = _records(actor, "person.erased", found)
    gone = await store.run(lambda db: subject.forget(db, person, audits))
    for _ in range(TRIES):
        if await store.scrub():
            break
        await asyncio.sleep(PAUSE_SECONDS)
    else:
        log.warning("erased records may still stand in the database's log of changes until the next sweep")
    return gone


async def agreed(store: SqlStore, *, actor: str) -> list[Counted]:
    """The lessons of those who agree to research, to be counted. Raises StoreDown."""
    now = time.time()
    found = await store.run(lambda db: consenting.lessons(db, now), writes=False)
    audit = record(actor, "lessons.counted", "research", lessons=len(found))
    await store.run(lambda db: auditlog.add(db, audit))
    return found


def _records(actor: str, action: str, found: dict[str, Any]) -> list[AuditRecord]:
    """One record for each member that the person was, or one for a name without any: names do not go on record."""
    about = [f"member:{member['id']}" for member in found["members"]] or ["person"]
    return [record(actor, action, subject) for subject in about]
