"""The steps of the schema lead to the schema."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, inspect

from lessonroom.errors import StoreDown
from lessonroom.storage import migrate
from lessonroom.storage.audit import AuditRecord
from lessonroom.storage.database import connect
from lessonroom.storage.review import Why
from lessonroom.storage.schema import metadata
from lessonroom.storage.sql import open_store
from lessonroom.storage.store import RoomRecord
from lessonroom.storage.verify import verify

ROOT = Path(migrate.__file__).parents[2]
ROOM = RoomRecord("room-0001", "M3", 1.0)


def differences(connection: Connection) -> list[object]:
    """What the tables and the schema in the code do not agree about."""
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    return list(compare_metadata(context, metadata))


def test_all_steps_from_nothing_lead_to_the_schema_in_the_code(url: str) -> None:
    database = connect(url, deadline=30)
    database.prepare()
    with database.writer.engine.begin() as connection:
        assert differences(connection)
        migrate.upgrade(connection)
        assert differences(connection) == []
        assert set(inspect(connection).get_table_names()) == {*metadata.tables, "alembic_version"}
    database.writer.engine.dispose()


def test_every_key_and_rule_has_the_name_that_the_schema_gives_it(sqlite_url: str) -> None:
    """A later step can only drop or change what it can name; the comparison above does not look at all names."""
    database = connect(sqlite_url, deadline=30)
    database.prepare()
    with database.writer.engine.begin() as connection:
        migrate.upgrade(connection)
        found = inspect(connection)
        for table in metadata.sorted_tables:
            unique = {str(rule["name"]) for rule in found.get_unique_constraints(table.name)}
            foreign = {str(rule["name"]) for rule in found.get_foreign_keys(table.name)}
            key = str(found.get_pk_constraint(table.name)["name"])
            assert {str(rule.name) for rule in table.constraints} == unique | foreign | {key}
    database.writer.engine.dispose()


async def test_messages_of_the_first_version_wait_for_a_person_as_new_ones_do(url: str) -> None:
    """Nobody could decide on them before; none may be lost on the way."""
    database = connect(url, deadline=30)
    database.prepare()
    states = ("relayed", "held", "blocked", "appealed")
    with database.writer.engine.begin() as connection:
        migrate.upgrade(connection, "0001")
        connection.exec_driver_sql(
            "INSERT INTO rooms (id, mode_cap, created_at, last_seq) VALUES ('room-0001', 'M3', 1, 4)"
        )
        for seq, state in enumerate(states, 1):
            connection.exec_driver_sql(
                "INSERT INTO messages (room, seq, sender, id, text, at, state, probability, decider, model, findings) "
                f"VALUES ('room-0001', {seq}, 'me', 'message-{seq}', 'слово', {seq}, '{state}', 0.5, 'rules', '', '[]')"
            )
    database.writer.engine.dispose()
    store = open_store(url, deadline=30, queue=10)
    await store.open()
    kept = await store.recent("room-0001", 9)
    assert [(one.seq, one.message.state, one.message.text) for one in kept] == [
        (seq, state, "слово") for seq, state in enumerate(states, 1)
    ]
    assert all(one.message.degraded for one in kept)
    assert [one.why for one in await store.queue(list(Why), 9)] == ["appealed", "held", "blocked"]
    said = {tally.verdict: tally.count for tally in (await store.period(0, 9)).tallies}
    assert said == {"relay": 1, "hold": 1, "block": 2}
    await store.close()


async def test_records_of_the_second_version_become_a_chain_and_stay_guarded(url: str) -> None:
    """The guards go while the hashes are written, and must come back; consent without its words is asked for anew."""
    database = connect(url, deadline=30)
    database.prepare()
    with database.writer.engine.begin() as connection:
        migrate.upgrade(connection, "0002")
        for number, detail in ((1, "{}"), (2, '{"contact" : true, "kind": null, "share": 0.1}'), (5, '{"слово":"ї"}')):
            connection.exec_driver_sql(
                "INSERT INTO audit (number, id, at, actor, action, subject, detail) VALUES "
                f"({number}, 'a{number}', {number}.1, 'key:1', 'message.read', 'message:1', '{detail}')"
            )
        connection.exec_driver_sql("INSERT INTO rooms (id, mode_cap, created_at) VALUES ('room-0001', 'M3', 1)")
        connection.exec_driver_sql(
            "INSERT INTO members (id, room, role, name, sender, created_at, code_hash, code_expires_at)"
            " VALUES ('student-1', 'room-0001', 'student', 'Anna', 'anna', 1, '', 2)"
        )
        connection.exec_driver_sql("INSERT INTO consents VALUES ('room-0001', 'student-1', true, 1)")
    database.writer.engine.dispose()
    store = open_store(url, deadline=30, queue=10)
    await store.open()
    assert await store.room("room-0001") == replace(ROOM, setting="", ceiling=None)
    (member,) = await store.members("room-0001")
    assert (member.place, member.band, member.release) == ("", "", "")
    assert list(await store.consents("anna")) == []
    await store.record(AuditRecord("a6", 6.0, "key:1", "message.read", "message:2"))
    assert [link.number for link in await store.links(0, 9)] == [1, 2, 5, 6]
    found = await asyncio.to_thread(verify, url, deadline=30)
    assert (found.rows, found.fault) == (4, None)
    await store.close()


async def test_opening_an_up_to_date_database_changes_nothing(url: str) -> None:
    for _ in range(2):
        store = open_store(url, deadline=30, queue=10)
        await store.open()
        await store.add_room(ROOM)
        assert list(await store.open_rooms()) == [ROOM]
        await store.close()


async def test_two_processes_may_open_a_new_database_at_the_same_time(url: str) -> None:
    stores = [open_store(url, deadline=30, queue=10) for _ in range(4)]
    await asyncio.gather(*(store.open() for store in stores))
    await asyncio.gather(*(store.add_room(ROOM) for store in stores))
    assert list(await stores[0].open_rooms()) == [ROOM]
    for store in stores:
        await store.close()


async def test_a_step_that_fails_leaves_nothing_behind(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a schema would be taken for a whole one by the next start."""
    database = connect(sqlite_url, deadline=30)
    database.prepare()
    with database.writer.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE hints (id TEXT)")
    database.writer.engine.dispose()
    store = open_store(sqlite_url, deadline=30, queue=10)
    with pytest.raises(StoreDown):
        await store.open()
    engine = create_engine(sqlite_url)
    assert inspect(engine).get_table_names() == ["hints"]
    engine.dispose()


async def test_a_database_of_a_newer_version_is_not_touched(sqlite_url: str) -> None:
    engine = create_engine(sqlite_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE alembic_version (version_num TEXT)")
        connection.exec_driver_sql("INSERT INTO alembic_version VALUES ('9999')")
    engine.dispose()
    with pytest.raises(StoreDown, match="newer version"):
        await open_store(sqlite_url, deadline=30, queue=10).open()


def test_steps_form_one_line() -> None:
    """Two heads would leave it to chance which schema a database gets."""
    scripts = ScriptDirectory(str(ROOT / "lessonroom" / "storage" / "migrations"))
    assert scripts.get_heads() == [migrate.newest()]


def test_a_start_on_a_schema_that_is_up_to_date_runs_no_step_and_does_not_load_what_runs_them(tmp_path: Path) -> None:
    """Every start but the first and those of new versions; loading Alembic takes longer than opening the store."""
    program = (
        "import asyncio, sys; from lessonroom.storage.sql import open_store\n"
        f"s = open_store('sqlite:///{tmp_path}/a.sqlite3', deadline=30, queue=9)\n"
        "asyncio.run(s.open()); print('alembic' in sys.modules)"
    )
    run = [sys.executable, "-c", program]
    said = [subprocess.run(run, cwd=ROOT, check=True, capture_output=True, text=True).stdout for _ in range(2)]
    assert said == ["True\n", "False\n"]


def test_a_folder_with_a_percent_sign_does_no_harm(tmp_path: Path) -> None:
    """Alembic's own settings read % as the start of a variable."""
    copy = tmp_path / "100%" / "migrations"
    shutil.copytree(ROOT / "lessonroom" / "storage" / "migrations", copy)
    database = connect(f"sqlite:///{tmp_path}/a.sqlite3", deadline=30)
    database.prepare()
    with pytest.MonkeyPatch.context() as patch, database.writer.engine.begin() as connection:
        patch.setattr(migrate, "_SCRIPTS", copy)
        migrate.upgrade(connection)
        assert differences(connection) == []
    database.writer.engine.dispose()


def test_an_installed_wheel_makes_its_own_tables(tmp_path: Path) -> None:
    """Built, unpacked elsewhere and run from there: the steps have to travel with the code."""
    build = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", build, str(tmp_path)], cwd=ROOT, check=True, capture_output=True)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        big = ("lessonroom/_web/", "lessonroom/_models/")
        wheel.extractall(tmp_path / "site", [name for name in wheel.namelist() if not name.startswith(big)])
    program = (
        "import asyncio, lessonroom; from lessonroom.storage.sql import open_store;"
        f"s = open_store('sqlite:///{tmp_path}/a.sqlite3', deadline=30, queue=9);"
        "asyncio.run(s.open()); print(lessonroom.__file__)"
    )
    # -S: without the hook that leads an editable install back to the sources
    path = os.pathsep.join([str(tmp_path / "site"), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")])
    run = [sys.executable, "-P", "-S", "-c", program]
    done = subprocess.run(run, cwd=tmp_path, env={"PYTHONPATH": path}, check=True, capture_output=True, text=True)
    assert done.stdout.startswith(str(tmp_path / "site"))
    engine = create_engine(f"sqlite:///{tmp_path}/a.sqlite3")
    assert set(inspect(engine).get_table_names()) == {*metadata.tables, "alembic_version"}
    engine.dispose()
