"""One person's records: handed out whole, or forgotten."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection

from lessonroom import rights
from lessonroom.errors import NotFound, Refused
from lessonroom.storage.review import Decision, Why
from lessonroom.storage.schema import strikes
from lessonroom.storage.sql import SqlStore, open_store
from lessonroom.storage.store import HintRecord, MessageState
from tests.contracts.store import NOW, OTHER, ROOM, STUDENT, TEACHER, YES, deed, said

FACTS = {"place": "US-CA", "band": "13-15", "release": "signed-7"}


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    store = open_store(f"sqlite:///{tmp_path / 'lessons.sqlite3'}", deadline=30, queue=1000)
    await store.open()
    await store.add_room(ROOM)
    await store.add_member(TEACHER)
    await store.add_member(replace(STUDENT, name="Wilhelmina", **FACTS))
    await store.append(said(1, sender=TEACHER.id, text="how was the zoo"))
    await store.append(said(2, text="I saw a platypus"))
    await store.append(said(3, text="call 555 platypus", state=MessageState.BLOCKED))
    (waiting,) = await store.queue(list(Why), 10)
    await store.decide(Decision(waiting.number, True, "phone", "operator-1", NOW), deed())
    await store.add_hint(HintRecord("hint-1", ROOM.id, "chat", "explain_again", NOW))
    await store.add_consent(YES, deed("deed-yes"))
    await store.set_paying(STUDENT.sender, True)
    yield store
    await store.close()


async def test_all_that_is_kept_of_a_person_is_handed_out_and_nothing_of_the_other(store: SqlStore) -> None:
    found = await rights.export(store, STUDENT.sender, actor="command")
    assert [row["text"] for row in found["messages"]] == ["I saw a platypus", "call 555 platypus"]
    assert [row["name"] for row in found["members"]] == ["Wilhelmina"]
    assert [len(found[kind]) for kind in ("rooms", "decisions", "hints", "consents")] == [1, 1, 1, 1]
    assert (found["paying"], found["strikes"]) == (True, [NOW])
    told = json.dumps(found)
    for secret in (STUDENT.code_hash, "zoo", TEACHER.name, TEACHER.sender):
        assert secret not in told


async def test_a_member_can_be_named_by_the_id_too_and_that_it_was_handed_out_goes_on_record(store: SqlStore) -> None:
    by_name = await rights.export(store, STUDENT.sender, actor="command")
    assert (await rights.export(store, STUDENT.id, actor="command"))["messages"] == by_name["messages"]
    assert [row.subject for row in await store.audits(None, 100) if row.action == "person.exported"] == [
        f"member:{STUDENT.id}"
    ] * 2


async def test_the_id_of_one_lessons_member_means_the_whole_person(store: SqlStore) -> None:
    """Consents and strikes are the person's: with one member alone they would go, and words in other lessons stay."""
    await store.add_room(OTHER)
    await store.add_member(replace(STUDENT, id="student-9", room=OTHER.id, name="Wilhelmina"))
    await store.append(replace(said(1, sender="student-9", text="a second platypus"), room=OTHER.id))
    assert len((await rights.export(store, STUDENT.id, actor="command"))["messages"]) == 3
    await store.close_room(ROOM.id, NOW)
    with pytest.raises(Refused, match="close it first"):
        await rights.erase(store, STUDENT.id, actor="command")
    await store.close_room(OTHER.id, NOW)
    gone = await rights.erase(store, STUDENT.id, actor="command")
    assert (gone["messages"], gone["members"]) == (3, 2)


async def test_more_messages_than_a_statement_takes_values_are_handed_out_and_forgotten(store: SqlStore) -> None:
    """A teacher writes tens of thousands in a year: SQLite takes 32,766 values by default, PostgreSQL 65,535."""
    await store.append(said(4, text="one more"))

    def narrow(db: Connection) -> None:
        raw = db.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        raw.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 12)

    def many(db: Connection) -> None:
        copies = "".join(f"SELECT {n} AS n UNION ALL " for n in range(100, 120))[: -len("UNION ALL ")]
        columns = "room, sender, text, at, state, probability, decider, model, findings, verdict"
        db.exec_driver_sql(
            f"INSERT INTO messages (seq, id, {columns}) SELECT n, 'more-' || n, {columns} FROM messages,"
            f" ({copies}) WHERE text = 'one more'"
        )

    await store.run(many)
    for writes in (True, False):
        await store.run(narrow, writes=writes)
    assert len((await rights.export(store, STUDENT.sender, actor="command"))["messages"]) == 23
    await store.close_room(ROOM.id, NOW)
    assert (await rights.erase(store, STUDENT.sender, actor="command"))["messages"] == 23


async def test_a_name_with_a_standing_and_no_lesson_goes_on_record_too(store: SqlStore) -> None:
    await store.set_paying("platform:99", True)
    await rights.export(store, "platform:99", actor="command")
    await rights.erase(store, "platform:99", actor="command")
    last = (await store.audits(None, 100))[-2:]
    assert [(row.action, row.subject) for row in last] == [("person.exported", "person"), ("person.erased", "person")]


@pytest.mark.parametrize("kept", ["a word of consent", "a strike"])
async def test_what_outlives_a_persons_lessons_is_handed_out_and_forgotten_too(store: SqlStore, kept: str) -> None:
    """Words of consent are kept for years, lessons and their members for one."""

    def keep(db: Connection) -> None:
        if kept == "a strike":
            db.execute(strikes.insert().values(sender="platform:99", at=NOW))

    await store.run(keep)
    if kept == "a word of consent":
        await store.add_consent(replace(YES, id="consent-99", person="platform:99"), deed("deed-99"))
    found = await rights.export(store, "platform:99", actor="command")
    assert (len(found["consents"]), len(found["strikes"])) == ((0, 1) if kept == "a strike" else (1, 0))
    gone = await rights.erase(store, "platform:99", actor="command")
    assert gone["consents"] + gone["strikes"] == 1
    assert len((await rights.export(store, STUDENT.sender, actor="command"))["consents"]) == 1
    with pytest.raises(NotFound):
        await rights.export(store, "platform:99", actor="command")


async def test_a_person_whose_lesson_is_open_is_not_forgotten_yet(store: SqlStore) -> None:
    with pytest.raises(Refused, match="close it first"):
        await rights.erase(store, STUDENT.sender, actor="command")
    assert len((await rights.export(store, STUDENT.sender, actor="command"))["messages"]) == 2


async def test_a_person_who_was_forgotten_is_in_no_table_and_no_file(store: SqlStore, tmp_path: Path) -> None:
    await store.close_room(ROOM.id, NOW)
    gone = await rights.erase(store, STUDENT.sender, actor="command")
    assert gone == {"messages": 2, "hints": 1, "consents": 1, "strikes": 1, "standing": 1, "members": 1}
    await store.close()
    words = (b"platypus", b"Wilhelmina", STUDENT.sender.encode(), STUDENT.code_hash.encode(), b"signed-7")
    for file in tmp_path.iterdir():
        found = [word for word in words if word in file.read_bytes()]
        assert not found, file.name
    with sqlite3.connect(tmp_path / "lessons.sqlite3") as db:
        assert db.execute("SELECT text FROM messages").fetchall() == [("how was the zoo",)]
        assert db.execute("SELECT name FROM members ORDER BY number").fetchall() == [(TEACHER.name,), ("",)]
    db.close()


async def test_that_somebody_was_forgotten_stays_on_record_without_their_name(store: SqlStore) -> None:
    await store.close_room(ROOM.id, NOW)
    await rights.erase(store, STUDENT.sender, actor="key:0123")
    last = (await store.audits(None, 100))[-1]
    assert (last.action, last.actor, last.subject) == ("person.erased", "key:0123", f"member:{STUDENT.id}")
    with pytest.raises(NotFound):
        await rights.erase(store, STUDENT.sender, actor="key:0123")


@pytest.mark.parametrize("who", ["", "nobody", "%", "Wilhelmina"])
async def test_a_word_that_names_nobody_changes_nothing(store: SqlStore, who: str) -> None:
    await store.close_room(ROOM.id, NOW)
    for ask in (rights.export, rights.erase):
        with pytest.raises(NotFound, match="platform's name of a person"):
            await ask(store, who, actor="command")
    assert len((await rights.export(store, STUDENT.sender, actor="command"))["messages"]) == 2
