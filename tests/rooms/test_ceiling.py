"""How the facts that a platform has told become the most that a lesson may be analysed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from lessonroom.policy import NO_TABLE, Band, Mode
from lessonroom.rooms.ceiling import Ceiling, ceiling_of
from lessonroom.server.admission import About
from lessonroom.simulate.facts import ADULT, SETTING
from lessonroom.storage.store import MemberRecord, RoomRecord
from tests.rooms.lesson import HOUSE

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()


def room(setting: str = SETTING) -> RoomRecord:
    return RoomRecord("room-0001", "M3", NOW, setting=setting)


def person(role: str, about: About = ADULT) -> MemberRecord:
    facts = {"place": about.place, "band": about.band, "release": about.release}
    return MemberRecord(f"{role}-01", "room-0001", role, role, role, NOW, "", 0, **facts)


def decided(student: About = ADULT, teacher: About = ADULT, setting: str = SETTING) -> Ceiling:
    ceiling = ceiling_of(HOUSE, room(setting), [person("teacher", teacher), person("student", student)], NOW)
    assert ceiling is not None
    return ceiling


def test_nothing_is_decided_before_teacher_and_student_are_known() -> None:
    for members in ([], [person("teacher")], [person("student")], [person("student"), person("guardian")]):
        assert ceiling_of(HOUSE, room(), members, NOW) is None


def test_known_adults_at_a_place_that_allows_it_may_be_analysed_by_the_server() -> None:
    ceiling = decided()
    assert (ceiling.mode, ceiling.two_keys) == (Mode.M3, False)
    assert ceiling.rows
    assert ceiling.until > NOW


@pytest.mark.parametrize(
    ("student", "teacher", "setting"),
    [
        (About(), ADULT, SETTING),
        (replace(ADULT, band=""), ADULT, SETTING),
        (replace(ADULT, band="thirty"), ADULT, SETTING),
        (replace(ADULT, place=""), ADULT, SETTING),
        (ADULT, About(), SETTING),
        (ADULT, ADULT, ""),
        (ADULT, ADULT, "institution"),
    ],
)
def test_whatever_is_unknown_allows_nothing(student: About, teacher: About, setting: str) -> None:
    assert decided(student, teacher, setting).mode is Mode.M0


def test_a_platform_that_does_not_say_where_it_is_and_a_table_that_cannot_be_read_allow_nothing() -> None:
    people = [person("teacher"), person("student")]
    for house in (replace(HOUSE, provider=""), replace(HOUSE, table=NO_TABLE)):
        ceiling = ceiling_of(house, room(), people, NOW)
        assert ceiling is not None
        assert ceiling.mode is Mode.M0


@pytest.mark.parametrize("role", ["teacher", "student"])
def test_two_of_one_role_allow_nothing_for_it_is_not_clear_whose_facts_count(role: str) -> None:
    minor = replace(person(role, replace(ADULT, band=Band.FROM_13)), id="another")
    for people in ([minor, person("teacher"), person("student")], [person("teacher"), person("student"), minor]):
        ceiling = ceiling_of(HOUSE, room(), people, NOW)
        assert ceiling is not None
        assert ceiling.mode is Mode.M0


def test_a_student_under_18_needs_the_guardian_beside_them_and_so_does_one_of_unknown_age() -> None:
    for band, two_keys in ((Band.FROM_16, True), (Band.UNDER_13, True), (Band.ADULT, False), ("", True)):
        assert decided(replace(ADULT, band=band)).two_keys is two_keys


def test_where_a_written_release_is_needed_nothing_is_allowed_without_one() -> None:
    illinois = About("US-IL", Band.ADULT)
    assert decided(illinois).mode is Mode.M0
    assert decided(replace(illinois, release="signed-17")).mode is Mode.M2


def test_the_end_is_the_midnight_after_the_last_day_of_a_row() -> None:
    until = datetime.fromtimestamp(decided().until, UTC)
    assert (until.hour, until.minute, until.second) == (0, 0, 0)
    row = next(row for row in HOUSE.table.rows if row.id in decided().rows)
    assert (until.date() - row.expires).days == 1
    assert ceiling_of(HOUSE, room(), [person("teacher"), person("student")], until.timestamp() - 1) is not None
    after = ceiling_of(HOUSE, room(), [person("teacher"), person("student")], until.timestamp())
    assert after is not None
    assert after.mode is Mode.M0
