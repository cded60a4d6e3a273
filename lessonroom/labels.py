"""People's decisions as rows to learn from: the store's labels for the chat's training, which know nothing of another.

A row's family is its room, under a name that says nothing of it, so that a room is never on two sides of a split.
"""

from __future__ import annotations

import asyncio
import hashlib

from lessonroom.app import DATABASE_FILE
from lessonroom.chat.dataset import Row
from lessonroom.chat.types import Line
from lessonroom.config import Settings
from lessonroom.errors import BadInput
from lessonroom.storage.review import Label
from lessonroom.storage.sql import open_store

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
    url = settings.database_url or f"sqlite:///{settings.data_dir.absolute() / DATABASE_FILE}"
    store = open_store(url, deadline=max(settings.database_deadline, 60.0), queue=settings.store_queue)
    await store.open()
    try:
        found: list[Row] = []
        after = 0
        while part := await store.labels(after, PART, settings.chat_context):
            found += map(row_of, part)
            after = part[-1].number
        return found
    finally:
        await store.close()


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
