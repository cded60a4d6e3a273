"""What is too old goes, everything else stays, and what was done is written down."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import Connection

from lessonroom.config import Settings
from lessonroom.errors import BadInput, NotFound
from lessonroom.privacy import RECORDS
from lessonroom.storage import sweeping
from lessonroom.storage.consent import Purpose
from lessonroom.storage.retention import DAY, OUTSIDE, TABLES, Kind, Sweep, cuts
from lessonroom.storage.review import Decision, Why
from lessonroom.storage.schema import consent_words, members, metadata, rooms, senders
from lessonroom.storage.sql import SqlStore, open_store
from lessonroom.storage.store import HintRecord, MessageState
from lessonroom.sweeper import Sweeper, lives_of
from tests.contracts.store import NOW, OTHER, ROOM, STUDENT, TEACHER, YES, deed, said

LIVES = {
    Kind.WAITING: 500.0,
    Kind.HELD: 30.0,
    Kind.MESSAGES: 180.0,
    Kind.HINTS: 180.0,
    Kind.STRIKES: 365.0,
    Kind.CONSENTS: 1095.0,
    Kind.SESSIONS: 7.0,
    Kind.ROOMS: 365.0,
    Kind.OPERATORS: 90.0,
    Kind.STANDINGS: 365.0,
    Kind.SWEEPS: 365.0,
}
LATER = NOW + 400 * DAY


@pytest.fixture
async def store(url: str) -> AsyncIterator[SqlStore]:
    store = open_store(url, deadline=30, queue=1000)
    await store.open()
    for room in (ROOM, OTHER):
        await store.add_room(room)
    for member in (TEACHER, STUDENT, replace(STUDENT, id="student-2", room=OTHER.id)):
        await store.add_member(member)
    yield store
    await store.close()


def sweeper(store: SqlStore, now: float, **lives: float) -> Sweeper:
    chosen = {**LIVES, **{Kind(name): days for name, days in lives.items()}}
    return Sweeper(store, chosen, pause=0.0, clock=lambda: now)


async def swept(store: SqlStore, now: float, **lives: float) -> dict[Kind, int]:
    done = await sweeper(store, now, **lives).sweep()
    assert all(one.left_beyond == 0 for one in done)
    return {one.kind: one.deleted for one in done if one.deleted}


async def test_messages_of_a_closed_room_go_when_their_time_is_over_and_not_before(store: SqlStore) -> None:
    for room in (ROOM, OTHER):
        await store.append(said(1, room=room.id, sender="student-2" if room is OTHER else STUDENT.id))
    await store.close_room(ROOM.id, NOW + 60)
    assert await swept(store, NOW + 180 * DAY - 1, sessions=0) == {}
    assert await swept(store, NOW + 180 * DAY + 1, sessions=0) == {Kind.MESSAGES: 1}
    assert len(await store.recent(OTHER.id, 10)) == 1  # an open room keeps what it has, however old


async def test_a_message_that_waits_for_a_person_is_there_for_longer_and_then_goes_too(store: SqlStore) -> None:
    await store.append(said(1, state=MessageState.HELD))
    await store.close_room(ROOM.id, NOW + 60)
    assert await swept(store, LATER, sessions=0, rooms=0) == {}
    assert len(await store.recent(ROOM.id, 10)) == 1
    assert await swept(store, NOW + 501 * DAY, sessions=0, rooms=0) == {Kind.WAITING: 1}


async def test_a_stopped_message_goes_sooner_counted_from_the_decision(store: SqlStore) -> None:
    await store.append(said(1, state=MessageState.BLOCKED))
    (waiting,) = await store.queue(list(Why), 10)
    await store.decide(Decision(waiting.number, True, "phone", "operator-1", NOW + 5 * DAY), deed())
    await store.close_room(ROOM.id, NOW + 60)
    assert await swept(store, NOW + 34 * DAY, sessions=0) == {}
    assert await swept(store, NOW + 36 * DAY, sessions=0) == {Kind.HELD: 1}
    assert not await store.labels(0, 10, 0)


async def test_a_message_that_was_decided_late_has_the_life_of_a_stopped_one_from_then_on(store: SqlStore) -> None:
    """Else the decision, and what it teaches the filter, would be gone within the hour."""
    await store.append(said(1, state=MessageState.HELD))
    await store.close_room(ROOM.id, NOW + 60)
    (waiting,) = await store.queue(list(Why), 10)
    await store.decide(Decision(waiting.number, False, None, "operator-1", NOW + 200 * DAY), deed())
    assert await swept(store, NOW + 229 * DAY, sessions=0) == {}
    assert len(await store.labels(0, 10, 0)) == 1
    assert await swept(store, NOW + 231 * DAY, sessions=0) == {Kind.HELD: 1}


async def test_a_no_is_kept_as_long_as_a_yes_before_it_which_would_count_anew(store: SqlStore) -> None:
    """The setting that says how long words count was lowered between the two."""
    yes = replace(YES, expires_at=NOW + 365 * DAY)
    no = replace(YES, id="consent-2", given=False, expires_at=NOW + 30 * DAY)
    await store.add_consent(yes, deed("deed-yes"))
    await store.add_consent(no, deed("deed-no"))
    assert await swept(store, NOW + 40 * DAY, sessions=0, consents=1) == {}
    assert [word.given for word in await store.consents(YES.person)] == [False]
    assert await swept(store, NOW + 367 * DAY, sessions=0, consents=1) == {Kind.CONSENTS: 2}
    assert not await store.consents(YES.person)


@pytest.mark.parametrize("look", [sweeping.quiet, partial(sweeping.left, kind=Kind.STANDINGS)], ids=["quiet", "paying"])
async def test_nothing_is_looked_through_again_for_each_room_or_sender(
    sqlite_store: SqlStore, look: Callable[..., object]
) -> None:
    """It would hold up every lesson for a minute, every hour."""
    many, few = 4000, 400

    def fill(db: Connection) -> None:
        values = [{"id": f"room-{n}", "mode_cap": "M0", "created_at": 0.0} for n in range(few)]
        db.execute(rooms.insert(), values)
        db.execute(senders.insert(), [{"sender": f"paying-{n}", "paying": True} for n in range(few)])
        one = asdict(STUDENT) | {"created_at": 0.0, "code_expires_at": 0.0}
        db.execute(
            members.insert(),
            [one | {"id": f"m-{n}", "sender": f"s-{n}", "room": f"room-{n % few}"} for n in range(many)],
        )
        word = asdict(YES) | {"at": 0.0}
        db.execute(
            consent_words.insert(),
            [word | {"id": f"c-{n}", "person": f"s-{n}", "room": f"room-{n % few}"} for n in range(many)],
        )

    def cost(db: Connection) -> int:
        """Steps of SQLite's machine, in thousands."""
        steps = 0

        def step() -> None:
            nonlocal steps
            steps += 1

        own = cast("sqlite3.Connection", db.connection.driver_connection)
        own.set_progress_handler(step, 1000)
        try:
            look(db, cut=NOW, **({"now": NOW} if look is sweeping.quiet else {}))
        finally:
            own.set_progress_handler(None, 0)
        return steps

    await sqlite_store.run(fill)
    assert await sqlite_store.run(cost, writes=False) < 1000


async def test_hints_strikes_and_words_of_consent_go_by_their_own_times(store: SqlStore) -> None:
    await store.add_hint(HintRecord("hint-1", ROOM.id, "chat", "explain_again", NOW))
    await store.add_consent(YES, deed("deed-yes"))
    await store.add_consent(replace(YES, id="consent-2", purpose=Purpose.RESEARCH, expires_at=LATER), deed("deed-2"))
    await store.close_room(ROOM.id, NOW + 60)
    assert await swept(store, NOW + 181 * DAY, sessions=0) == {Kind.HINTS: 1}
    assert await swept(store, YES.expires_at + 1095 * DAY + 1, sessions=0, rooms=0, sweeps=0) == {Kind.CONSENTS: 1}
    assert [word.id for word in await store.consents(YES.person)] == ["consent-2"]


async def test_an_old_session_goes_with_its_code_so_that_the_link_does_not_work_again(store: SqlStore) -> None:
    later = replace(TEACHER, id="teacher-9", room=OTHER.id, code_expires_at=NOW + 900 * DAY)
    await store.add_member(later)
    assert await store.redeem(later.id, later.code_hash, "e" * 64, NOW + DAY, NOW)
    assert await swept(store, LATER, messages=0) == {Kind.SESSIONS: 3}  # teacher-9's code could still be shown
    assert (await store.member(STUDENT.id)).code_hash == ""
    assert not await store.redeem(STUDENT.id, "", "f" * 64, LATER + DAY, NOW)
    assert not await store.redeem(later.id, later.code_hash, "f" * 64, LATER + DAY, LATER)


async def test_a_room_goes_with_its_members_once_nothing_refers_to_it(store: SqlStore) -> None:
    await store.append(said(1))
    await store.close_room(ROOM.id, NOW + 60)
    assert Kind.ROOMS not in await swept(store, LATER, messages=0)  # messages are kept for ever here
    done = await swept(store, LATER)
    assert (done[Kind.MESSAGES], done[Kind.ROOMS]) == (1, 1)
    assert [room.id for room in await store.open_rooms()] == [OTHER.id]
    assert not await store.members(ROOM.id)
    assert len(await store.members(OTHER.id)) == 1


def test_every_table_has_a_rule_by_which_its_rows_go_or_a_reason_why_they_stay() -> None:
    """A new table cannot be forgotten; what the report says of each is what is swept."""
    ruled = {table for tables in TABLES.values() for table in tables}
    assert ruled | set(OUTSIDE) == set(metadata.tables)
    assert not ruled & set(OUTSIDE)
    assert set(TABLES) == set(Kind) == set(RECORDS) == set(lives_of(Settings()))


async def test_an_operators_name_goes_and_their_decisions_stay(store: SqlStore) -> None:
    operator = replace(TEACHER, id="operator-1", room="", role="observer", name="Olga", code_expires_at=NOW + DAY)
    later = replace(operator, id="operator-2", created_at=NOW + 50 * DAY)
    for one in (operator, later):
        await store.add_member(one)
    await store.append(said(1, state=MessageState.BLOCKED))
    (waiting,) = await store.queue(list(Why), 10)
    await store.decide(Decision(waiting.number, True, "phone", operator.id, NOW), deed())
    assert await swept(store, NOW + 89 * DAY, sessions=0) == {}
    assert await swept(store, NOW + 92 * DAY, sessions=0) == {Kind.OPERATORS: 1}
    with pytest.raises(NotFound):
        await store.member(operator.id)
    assert (await store.member(later.id)).name == "Olga"
    assert [label.actor for label in await store.labels(0, 10, 0)] == [operator.id]


async def test_an_operator_whose_session_was_swept_is_kept_from_the_making_on(store: SqlStore) -> None:
    await store.add_member(replace(TEACHER, id="operator-1", room="", role="observer", created_at=NOW))
    assert Kind.OPERATORS not in await swept(store, NOW + 60 * DAY)
    assert (await store.member("operator-1")).name


async def test_whether_somebody_pays_goes_after_their_last_room(store: SqlStore) -> None:
    for name in (STUDENT.sender, "gone", "told later"):
        await store.set_paying(name, True, at=NOW if name != "told later" else LATER)
    assert await swept(store, LATER, sessions=0) == {Kind.STANDINGS: 1}
    assert [await store.paying(name) for name in (STUDENT.sender, "gone", "told later")] == [True, False, True]


async def test_notes_of_sweeps_go_but_for_the_last_one_of_each_kind(store: SqlStore) -> None:
    for days in (0, 1, 500):
        await swept(store, NOW + days * DAY)
    notes = await store.run(sweeping.latest, writes=False)
    assert {note.at for note in notes} == {NOW + 500 * DAY}
    last = await swept(store, NOW + 900 * DAY)
    assert last[Kind.SWEEPS] == len(Kind)


async def test_more_than_one_part_goes_in_one_sweep_and_what_was_done_is_on_record(store: SqlStore) -> None:
    for number in range(1100):
        await store.append(said(number))
    await store.close_room(ROOM.id, NOW + 60)
    before = sweeper(store, LATER)
    assert (await before.due())[Kind.MESSAGES] == 1100
    assert (await swept(store, LATER))[Kind.MESSAGES] == 1100
    assert (await before.due())[Kind.MESSAGES] == 0
    deeds = {row.subject: row.detail for row in await store.audits(None, 100) if row.action == "records.deleted"}
    assert deeds["kind:messages"] == {"deleted": 1100, "left": 0}


async def test_deleted_words_are_in_no_file_of_the_database(tmp_path: Path, sqlite_store: SqlStore) -> None:
    store = sqlite_store
    await store.add_room(ROOM)
    await store.add_member(STUDENT)
    await store.append(said(1, text="a word like platypus"))
    await store.close_room(ROOM.id, NOW + 60)
    assert any(b"platypus" in file.read_bytes() for file in tmp_path.iterdir())
    await swept(store, LATER)
    assert not any(b"platypus" in file.read_bytes() for file in tmp_path.iterdir())


@pytest.mark.parametrize("error", [BadInput("a record came in between"), RuntimeError("a defect")])
async def test_a_sweep_that_fails_is_not_the_last(
    sqlite_store: SqlStore, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    tried = asyncio.Queue[None]()

    async def fail() -> list[Sweep]:
        tried.put_nowait(None)
        raise error

    monkeypatch.setattr("lessonroom.sweeper.EVERY_SECONDS", 0.001)
    hourly = sweeper(sqlite_store, NOW)
    monkeypatch.setattr(hourly, "sweep", fail)
    hourly.start()
    async with asyncio.timeout(30):
        for _ in range(3):
            await tried.get()
    await hourly.stop()


async def test_a_log_of_changes_that_was_being_read_is_cut_by_the_next_sweep(
    tmp_path: Path, sqlite_store: SqlStore
) -> None:
    """Also when that one has nothing to delete itself."""
    store = sqlite_store
    await store.add_room(ROOM)
    await store.add_member(STUDENT)
    await store.append(said(1, text="a word like platypus"))
    await store.close_room(ROOM.id, NOW + 60)
    hourly = sweeper(store, LATER)
    reader = sqlite3.connect(next(tmp_path.glob("*.sqlite3")), isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT text FROM messages").fetchall()
    await hourly.sweep()
    assert any(b"platypus" in file.read_bytes() for file in tmp_path.iterdir())
    reader.close()
    await hourly.sweep()
    assert not any(b"platypus" in file.read_bytes() for file in tmp_path.iterdir())


def test_a_life_of_no_days_is_for_ever() -> None:
    assert cuts({Kind.HINTS: 0.0, Kind.HELD: 1.0}, 2 * DAY) == {Kind.HELD: DAY}
