"""Appends to a store for ever and prints the id of each message when it was acknowledged. To be killed."""

from __future__ import annotations

import asyncio
import itertools
import sys

from lessonroom.storage.sql import open_store
from lessonroom.storage.store import NewMessage
from tests.contracts.store import ROOM, said


async def run(url: str, name: str) -> None:
    store = open_store(url, deadline=30, queue=100)
    await store.open()
    await store.add_room(ROOM)
    async with asyncio.TaskGroup() as tasks:
        for sender in range(8):
            tasks.create_task(talk(store.append, f"{name}-{sender}"))


async def talk(append: object, sender: str) -> None:
    for number in itertools.count():
        message: NewMessage = said(f"{sender}-{number}", sender=sender, text=f"{sender} says {number} " * 20)
        await append(message)  # type: ignore[operator]
        sys.stdout.write(message.id + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1], sys.argv[2]))
