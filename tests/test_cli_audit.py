"""``lessonroom audit`` from outside, on the database of a server that runs."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from lessonroom.app import DATABASE_FILE
from lessonroom.storage.audit import Head
from lessonroom.storage.chain import START
from lessonroom.storage.sql import open_store
from tests.contracts.store import deed
from tests.test_cli import code_of, output, told


@pytest.fixture(autouse=True)
def _unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "DATA_DIR"):
        monkeypatch.delenv(f"LESSONROOM_{name}", raising=False)


async def write(folder: Path, rows: int) -> Head:
    store = open_store(f"sqlite:///{folder / DATABASE_FILE}", deadline=30, queue=10)
    await store.open()
    for turn in range(rows):
        await store.record(deed(f"deed-{turn}", turn=turn))
    head = await store.head()
    await store.close()
    return head


@pytest.fixture
def head(tmp_path: Path) -> Iterator[Head]:
    found = asyncio.run(write(tmp_path, 4))
    # somebody writes at this very moment, as a server may
    with closing(sqlite3.connect(tmp_path / DATABASE_FILE, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        yield found
        db.execute("ROLLBACK")


def test_a_whole_audit_is_told_with_its_head(capsys: pytest.CaptureFixture[str], tmp_path: Path, head: Head) -> None:
    answer = json.loads(output(capsys, "audit", "verify", "--json", "--data-dir", tmp_path))
    assert answer == {"ok": True, "rows": 4, "row": None, "why": None, "number": 4, "head": head.hash}
    assert output(capsys, "audit", "verify", "--data-dir", tmp_path).startswith("4 rows, each follows")
    assert output(capsys, "audit", "head", "--data-dir", tmp_path).split() == [head.hash]
    assert json.loads(output(capsys, "audit", "head", "--json", "--data-dir", tmp_path)) == {
        "number": 4,
        "hash": head.hash,
    }
    assert json.loads(output(capsys, "audit", "verify", "--json", "--data-dir", tmp_path, "--head", head.hash))["ok"]


def test_an_empty_audit_is_whole(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    asyncio.run(write(tmp_path, 0))
    answer = json.loads(output(capsys, "audit", "verify", "--json", "--data-dir", tmp_path))
    assert answer == {"ok": True, "rows": 0, "row": None, "why": None, "number": 0, "head": START}


def test_the_first_broken_row_is_named_and_the_exit_code_is_1(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    asyncio.run(write(tmp_path, 4))
    with closing(sqlite3.connect(tmp_path / DATABASE_FILE)) as db:
        guard = db.execute("SELECT sql FROM sqlite_master WHERE name = 'audit_no_update'").fetchone()[0]
        db.executescript(f"DROP TRIGGER audit_no_update; UPDATE audit SET actor = 'me' WHERE number IN (3, 2); {guard}")
    assert code_of("audit", "verify", "--data-dir", tmp_path) == 1
    assert capsys.readouterr().out == "row 2: its hash does not match\n"
    assert code_of("audit", "verify", "--json", "--data-dir", tmp_path) == 1
    answer = json.loads(capsys.readouterr().out)
    assert (answer["ok"], answer["rows"], answer["row"], answer["why"]) == (
        False,
        1,
        2,
        "row 2: its hash does not match",
    )


def test_a_head_that_no_row_has_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path, head: Head) -> None:
    assert code_of("audit", "verify", "--data-dir", tmp_path, "--head", "0" * 63 + "1") == 1
    assert capsys.readouterr().out.startswith("no row has the hash that was kept")


@pytest.mark.parametrize("words", [("verify",), ("head",), ("verify", "--head", "abc")])
def test_what_cannot_be_done_is_one_line_and_exit_code_2(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, words: tuple[str, ...]
) -> None:
    told(capsys, "audit", *words, "--data-dir", tmp_path / "none")
    assert not (tmp_path / "none").exists()
