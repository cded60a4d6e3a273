"""People's decisions on their way from the store to the training."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from lessonroom import labels
from lessonroom.app import DATABASE_FILE
from lessonroom.chat.types import Line
from lessonroom.config import Settings
from lessonroom.errors import BadInput
from lessonroom.policy import Band
from lessonroom.storage.audit import AuditRecord
from lessonroom.storage.consent import By, ConsentRecord, Purpose
from lessonroom.storage.review import Decision
from lessonroom.storage.sql import SqlStore, open_store
from lessonroom.storage.store import FoundSpan, MemberRecord, MessageState, NewMessage, RoomRecord


async def fill(path: Path, rooms: int = 2, *, agreed: tuple[By, ...] = (By.SELF,), band: str = Band.ADULT) -> None:
    """In each room something harmless is said, then a contact is blocked, then a held message: two are decided."""
    store = open_store(f"sqlite:///{path}", deadline=10, queue=100)
    await store.open()
    for number in range(rooms):
        room = f"room{number}"
        await store.add_room(RoomRecord(room, "M0", 1.0))
        await store.add_member(MemberRecord(f"m{number}", room, "student", "Sam", "sam", 1.0, "", 0.0, band=band))
        await say(store, number, 1, "what is your number?", MessageState.RELAYED)
        await say(store, number, 2, "8 905 123 45 67", MessageState.BLOCKED)
        await say(store, number, 3, "see page 905", MessageState.HELD)
        for by in agreed:
            yes = ConsentRecord(f"c-{by}", "sam", Purpose.TRAINING, by, True, "1", "en", 1.0, 9e12, "room0", "m0")
            await store.add_consent(yes, AuditRecord(f"a-{by}", 1.0, "m0", "consent.given", "room:room0"))
        for waiting in await store.queue(("blocked", "held"), 10):  # type: ignore[arg-type]
            audit = AuditRecord(f"a{waiting.number}", 3.0, "m", "message.decided", f"message:{waiting.number}")
            contact = waiting.message.state is MessageState.BLOCKED
            await store.decide(Decision(waiting.number, contact, None, "m", 3.0), audit)
    await store.close()


async def say(store: SqlStore, room: int, id_: int, text: str, state: MessageState) -> None:
    spans = (FoundSpan("phone", 0, 3, "digits"),) if state is not MessageState.RELAYED else ()
    await store.append(
        NewMessage(f"room{room}", f"m{room}", f"id{id_}", text, 1.0 + id_, state, 0.9, "model", "v1", spans, lang="en")
    )


def test_each_decision_is_a_row_with_what_was_said_before_it(tmp_path: Path) -> None:
    asyncio.run(fill(tmp_path / DATABASE_FILE, rooms=1))
    contact, harmless = labels.read(Settings(data_dir=tmp_path))
    assert (contact.text, contact.label, contact.kind, contact.lang) == ("8 905 123 45 67", 1, "phone", "en")
    assert contact.context == (Line("m0", "what is your number?"),)
    assert contact.sender == "m0"
    assert (harmless.text, harmless.label, harmless.kind) == ("see page 905", 0, "")
    assert [line.text for line in harmless.context] == ["what is your number?", "8 905 123 45 67"]


def test_nothing_is_learned_from_who_has_not_agreed_nor_from_a_minor_without_the_guardian(tmp_path: Path) -> None:
    for number, (agreed, band, rows) in enumerate(
        [
            ((), Band.ADULT, 0),
            ((By.GUARDIAN,), Band.ADULT, 0),
            ((By.SELF,), Band.FROM_16, 0),
            ((By.SELF,), "", 0),
            ((By.SELF, By.GUARDIAN), Band.FROM_16, 2),
            ((By.SELF,), Band.ADULT, 2),
        ]
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        asyncio.run(fill(folder / DATABASE_FILE, rooms=1, agreed=agreed, band=band))
        assert len(labels.read(Settings(data_dir=folder))) == rows, (agreed, band)
        assert len(labels.read(Settings(data_dir=folder, training_consent=False))) == 2


def test_the_lines_before_a_message_are_those_of_people_who_agreed(tmp_path: Path) -> None:
    async def answered() -> None:
        store = open_store(f"sqlite:///{tmp_path / DATABASE_FILE}", deadline=10, queue=100)
        await store.open()
        await store.add_room(RoomRecord("room0", "M0", 1.0))
        await store.add_member(MemberRecord("t0", "room0", "teacher", "Tina", "tina", 1.0, "", 0.0))
        await store.append(
            NewMessage("room0", "t0", "id0", "write to me", 0.5, MessageState.RELAYED, 0.1, "model", "v1", lang="en")
        )
        await store.close()

    asyncio.run(answered())
    asyncio.run(fill(tmp_path / DATABASE_FILE, rooms=1))
    contact, _ = labels.read(Settings(data_dir=tmp_path))
    assert [line.text for line in contact.context] == ["what is your number?"]
    (contact, _) = labels.read(Settings(data_dir=tmp_path, training_consent=False))
    assert [line.text for line in contact.context] == ["write to me", "what is your number?"]


def test_a_family_is_a_room_and_does_not_say_which(tmp_path: Path) -> None:
    asyncio.run(fill(tmp_path / DATABASE_FILE))
    rows = labels.read(Settings(data_dir=tmp_path))
    families = [row.family for row in rows]
    assert [families.count(family) for family in sorted(set(families))] == [2, 2]
    assert not any("room0" in family or "room1" in family for family in families)


def test_all_labels_are_read_however_many_fit_into_one_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asyncio.run(fill(tmp_path / DATABASE_FILE, rooms=3))
    whole = labels.read(Settings(data_dir=tmp_path))
    monkeypatch.setattr(labels, "PART", 1)
    assert labels.read(Settings(data_dir=tmp_path)) == whole
    assert len(whole) == 6


def test_before_the_first_start_there_are_none_and_no_database_is_made(tmp_path: Path) -> None:
    assert labels.read(Settings(data_dir=tmp_path)) == []
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="data_dir"):
        labels.read(Settings(data_dir=tmp_path / "typo"))
