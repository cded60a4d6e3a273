"""Killed at any moment, the store keeps every message that it has acknowledged, once."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from lessonroom.storage.sql import open_store
from tests.contracts.store import ROOM

ROOT = Path(__file__).parents[2]
KILLS, LONG_KILLS = 20, 100


def acknowledged_until_killed(url: str, name: str, lines: int) -> list[str]:
    """Run an appender, kill it with SIGKILL after so many acknowledgements, and give all that it printed."""
    command = [sys.executable, "-m", "tests.storage.appender", url, name]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        seen = [child.stdout.readline() for _ in range(lines)]
        child.kill()
        seen += child.stdout.readlines()
    # the last line may have been cut off in the middle
    return [line.rstrip("\n") for line in seen if line.endswith("\n")]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kills", [KILLS, pytest.param(LONG_KILLS, marks=pytest.mark.long)])
async def test_no_acknowledged_message_is_lost_or_doubled_by_a_kill(
    sqlite_url: str, tmp_path: Path, kills: int
) -> None:
    chance = random.Random(20)
    acknowledged: list[str] = []
    for kill in range(kills):
        seen = acknowledged_until_killed(sqlite_url, f"run{kill}", chance.randrange(1, 120))
        assert seen
        acknowledged += seen
    store = open_store(sqlite_url, deadline=30, queue=10)
    await store.open()
    kept = await store.recent(ROOM.id, 1_000_000)
    await store.close()
    ids = [stored.message.id for stored in kept]
    assert len(set(acknowledged)) == len(acknowledged)
    assert set(acknowledged) <= set(ids)
    assert len(set(ids)) == len(ids)
    assert [stored.seq for stored in kept] == list(range(1, len(kept) + 1))
    with closing(sqlite3.connect(tmp_path / "lessons.sqlite3")) as other:
        assert other.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
