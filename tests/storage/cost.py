"""What one message costs the store: ``python -m tests.storage.cost [URL]``. A measurement, not a test.

So many messages at a time are handed over, each to another room, and awaited together. Processor time is that of all
threads of this process, without PostgreSQL's own.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time

from lessonroom.storage.sql import SqlStore, open_store
from lessonroom.storage.store import MessageState, RoomRecord
from tests.contracts.store import NOW, deed, said

ROOMS = 500
TURNS = 9


async def run(url: str) -> None:
    store = open_store(url, deadline=30, queue=1000)
    await store.open()
    await asyncio.gather(*(store.add_room(RoomRecord(f"room-{n}", "M3", NOW)) for n in range(ROOMS)))
    print("together  processor time, us a message (median of", TURNS, "turns)  with 2 % on record")
    for together in (1, 4, 16, 64, 256):
        costs = [[await turn(store, together, share) for _ in range(TURNS)] for share in (0, 0.02)]
        plain, audited = map(statistics.median, costs)
        print(f"{together:8}  {plain:8.0f}  {audited:8.0f}")
    await store.close()


async def turn(store: SqlStore, together: int, audited: float) -> float:
    rounds = max(1, 512 // together)
    key = time.perf_counter_ns()
    began = time.process_time()
    for count in range(rounds):
        await asyncio.gather(*(say(store, f"{key}-{count}-{n}", n, audited) for n in range(together)))
    return (time.process_time() - began) / (rounds * together) * 1e6


async def say(store: SqlStore, name: str, n: int, audited: float) -> None:
    held = hash(name) % 1000 < 1000 * audited
    state = MessageState.HELD if held else MessageState.RELAYED
    message = said(name, room=f"room-{n % ROOMS}", text="Let us begin with the second exercise.", state=state)
    await store.append(message, audit=deed(name) if held else None)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        asyncio.run(run(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(run(f"sqlite:///{folder}/cost.sqlite3"))
