"""The privacy commands, as an operator uses them beside a server."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import replace
from pathlib import Path

import pytest

from lessonroom.app import DATABASE_FILE
from lessonroom.storage.consent import Purpose
from lessonroom.storage.sql import open_store
from lessonroom.storage.store import HintRecord
from tests.contracts.store import NOW, ROOM, STUDENT, TEACHER, YES, deed
from tests.integration.serving import Lesson, serving
from tests.test_cli import code_of, told


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A server's folder after a lesson in which the student has said something."""

    async def lesson() -> None:
        async with serving(tmp_path, review_sample=0.0) as app:
            made = await Lesson.make(app)
            async with made.student.page() as page:
                await page.chat("I saw a platypus")
            await app.hub.close_room(made.room)

    asyncio.run(lesson())
    return tmp_path


def test_a_student_is_handed_out_and_then_forgotten(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert code_of("privacy", "export", "sam", "--data-dir", folder) == 0
    assert [row["text"] for row in json.loads(capsys.readouterr().out)["messages"]] == ["I saw a platypus"]
    assert code_of("privacy", "erase", "sam", "--data-dir", folder, "--json") == 0
    assert json.loads(capsys.readouterr().out)["messages"] == 1
    assert not any(b"platypus" in file.read_bytes() for file in folder.iterdir() if file.is_file())
    assert "platform's name of a person" in told(capsys, "privacy", "export", "sam", "--data-dir", folder)


def test_retention_says_what_has_to_go_and_deletes_it(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LESSONROOM_KEEP_MESSAGES_DAYS", "0.0000001")
    words = ("privacy", "retention", "--data-dir", folder, "--json")
    assert code_of(*words, "--dry-run") == 0
    due = {row["kind"]: row["due"] for row in map(json.loads, capsys.readouterr().out.splitlines())}
    assert due["messages"] == 1
    assert code_of(*words) == 0
    done = {row["kind"]: row for row in map(json.loads, capsys.readouterr().out.splitlines())}
    assert (done["messages"]["deleted"], done["messages"]["left"]) == (1, 0)


def test_people_read_until_when_records_were_deleted_as_a_date(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LESSONROOM_KEEP_MESSAGES_DAYS", "36500")
    assert code_of("privacy", "retention", "--data-dir", folder) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "kind messages  deleted 0  left 0  before 1970-01-01 00:00 UTC" in lines
    assert all(line.endswith(" UTC") for line in lines)


def test_the_report_says_what_is_set_what_was_deleted_and_what_only_the_operator_knows(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LESSONROOM_PROVIDER_PLACE", "DE")
    assert code_of("privacy", "retention", "--data-dir", folder) == 0
    capsys.readouterr()
    assert code_of("privacy", "report", "--data-dir", folder) == 0
    text = capsys.readouterr().out
    for word in (
        "works from: DE",
        "eu-institution",
        "| 180 days |",
        "deleted, 0 left",
        "expression",
        "**TO FILL**",
        "| <13, 13-15, 16-17, 18+ |",
    ):
        assert word in text
    assert "platypus" not in text
    assert "sam" not in text.split()


def test_researchers_get_counts_of_those_who_agree_and_of_no_small_group(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def lessons() -> None:
        store = open_store(f"sqlite:///{tmp_path / DATABASE_FILE}", deadline=30, queue=1000)
        await store.open()
        for number in range(12):
            room = replace(ROOM, id=f"room-{number:04}")
            await store.add_room(room)
            for one in (replace(TEACHER, sender=f"teacher {number % 4}"), replace(STUDENT, sender=f"student {number}")):
                member = replace(one, id=f"{one.role}-{number:04}", room=room.id, band="18+")
                await store.add_member(member)
                word = replace(YES, id=f"yes-{member.id}", person=member.sender, purpose=Purpose.RESEARCH)
                later = replace(word, expires_at=time.time() + 1000, room=room.id, member=member.id)
                await store.add_consent(later, deed(f"deed-{member.id}"))
            await store.add_hint(HintRecord("hint-1", room.id, "frowning", "slow_down", NOW, "helpful"))
            await store.close_room(room.id, NOW)
        await store.close()

    asyncio.run(lessons())
    words = ("privacy", "aggregates", "--data-dir", tmp_path)
    assert code_of(*words, "--json") == 0
    row = json.loads(capsys.readouterr().out)
    assert (row["month"], row["language"], row["students"], row["lessons"]) == ("2027-01", "uk", 10, 10)
    assert row["hints"] == {"frowning": {"shown": 10, "helpful_share": 1.0}}
    assert code_of(*words) == 0
    assert "frowning" in capsys.readouterr().out
    assert code_of(*words, "--least", "13") == 0
    assert capsys.readouterr() == ("", "nothing to tell: no group has 13 students and 3 teachers who agree\n")
    assert code_of(*words, "--least", "13", "--json") == 0
    assert capsys.readouterr() == ("", "")
    assert "least" in told(capsys, *words, "--least", "9")


def test_the_report_can_be_made_before_there_is_a_database(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert code_of("privacy", "report", "--data-dir", tmp_path / "none") == 0
    assert "unknown: no database" in capsys.readouterr().out
    for command in (("export", "sam"), ("erase", "sam"), ("retention",)):
        assert "data_dir" in told(capsys, "privacy", *command, "--data-dir", tmp_path / "none")


def test_the_report_of_a_server_whose_policy_table_is_broken_says_that_nothing_is_analysed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "table.json").write_text("{", encoding="utf-8")
    monkeypatch.setenv("LESSONROOM_POLICY_TABLE", str(tmp_path / "table.json"))
    assert code_of("privacy", "report", "--data-dir", tmp_path / "none") == 0
    assert "no policy table could be read: nothing is analysed" in capsys.readouterr().out
