"""People's decisions as rows to learn from: the store's labels for the chat's training, which know nothing of another.

Only messages whose writers have agreed to training are read, for a student under 18 with their guardian, and of the
lines before them only those of such writers; the setting ``training_consent`` turns this off for a platform that has
another ground.

A row's family is its room, under a name that says nothing of it, so that a room is never on two sides of a split.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Sequence
from dataclasses import replace

from lessonroom.app import DATABASE_FILE, database_url
from lessonroom.chat.dataset import Row
from lessonroom.chat.types import Line
from lessonroom.config import Settings
from lessonroom.errors import BadInput
from lessonroom.policy import Band
from lessonroom.storage.consent import By, ConsentRecord, Purpose
from lessonroom.storage.review import Label
from lessonroom.storage.sql import SqlStore, open_store
from lessonroom.storage.store import MemberRecord

PART = 500
"""Labels that are read at once."""


def read(settings: Settings) -> list[Row]:
    """All labels, oldest message first; none where there is no database yet. Raises BadInput, StoreDown."""
    if not settings.database_url:
        if not settings.data_dir.is_dir():
            raise BadInput("data_dir: expected the folder of a server, found none")
        if not (settings.data_dir / DATABASE_FILE).exists():
            return []
    return asyncio.run(_read(settings))


async def _read(settings: Settings) -> list[Row]:
    url = database_url(settings)
    store = open_store(url, deadline=max(settings.database_deadline, 60.0), queue=settings.store_queue)
    await store.open()
    try:
        agreed = _Agreed(store, everybody=not settings.training_consent)
        found: list[Row] = []
        after = 0
        while part := await store.labels(after, PART, settings.chat_context):
            for label in part:
                if await agreed.by(label.message.sender):
                    before = [line for line in label.before if await agreed.by(line.sender)]
                    found.append(row_of(replace(label, before=tuple(before))))
            after = part[-1].number
        return found
    finally:
        await store.close()


class _Agreed:
    """Who has agreed to training; each is looked up once."""

    def __init__(self, store: SqlStore, *, everybody: bool) -> None:
        self._store = store
        self._everybody = everybody
        self._now = time.time()
        self._known: dict[str, bool] = {}

    async def by(self, member: str) -> bool:
        """Whether this member has. Raises StoreDown."""
        if self._everybody:
            return True
        if member not in self._known:
            writer = await self._store.member(member)
            said = await self._store.consents(writer.sender)
            self._known[member] = may_train(writer, said, self._now)
        return self._known[member]


def may_train(writer: MemberRecord, said: Sequence[ConsentRecord], now: float) -> bool:
    """Whether what was said last about a member lets their messages be learned from."""
    given = {one.by for one in said if one.purpose is Purpose.TRAINING and one.given and now < one.expires_at}
    alone = writer.role != "student" or writer.band == Band.ADULT
    return By.SELF in given and (alone or By.GUARDIAN in given)


def row_of(label: Label) -> Row:
    """One decision. Its kind is what the person said, else what the filter had found."""
    message = label.message
    kinds = [label.kind, *(found.kind for found in message.findings)]
    return Row(
        text=message.text,
        label=int(label.contact),
        kind=next(filter(None, kinds), "") if label.contact else "",
        lang=message.lang,
        family="room-" + hashlib.sha256(message.room.encode()).hexdigest()[:16],
        sender=message.sender,
        context=tuple(Line(before.sender, before.text) for before in label.before),
    )
