"""Lessons of those who agree to research now: plain functions of a connection, run by a worker."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select

from lessonroom.aggregates import Counted
from lessonroom.storage.consent import By, Purpose
from lessonroom.storage.schema import consent_words, hints, members, rooms

ADULT = "18+"
"""The age band in which nobody else has to agree (:class:`lessonroom.policy.Band`)."""


def lessons(db: Connection, now: float) -> list[Counted]:
    """Closed lessons of one teacher and one student who both agree now, the guardian of a minor, too."""
    words, shown = _words(db, now), _hints(db)
    return [
        Counted(
            month=datetime.fromtimestamp(student.made, UTC).strftime("%Y-%m"),
            language=words[student.sender, By.SELF],
            student=student.sender,
            teacher=teacher.sender,
            hints=tuple(shown[student.room]),
        )
        for student, teacher in _pairs(db)
        if _agree(student, words) and (teacher.sender, By.SELF) in words
    ]


def _agree(student: Row[Any], words: Mapping[tuple[str, By], str]) -> bool:
    alone = student.band == ADULT or (student.sender, By.GUARDIAN) in words
    return alone and (student.sender, By.SELF) in words


def _words(db: Connection, now: float) -> dict[tuple[str, By], str]:
    """Who said yes last, and for how long it counts: the language they were asked in."""
    said = consent_words.c
    last = select(func.max(said.number)).where(said.purpose == Purpose.RESEARCH.value).group_by(said.person, said.by)
    found = db.execute(select(consent_words).where(said.number.in_(last), said.given, said.expires_at > now))
    return {(row.person, By(row.by)): row.lang or "other" for row in found if row.person}


def _hints(db: Connection) -> dict[str, list[tuple[str, str | None]]]:
    found = defaultdict(list)
    for row in db.execute(select(hints.c.room, hints.c.cue, hints.c.answer).order_by(hints.c.number)):
        found[row.room].append((row.cue, row.answer))
    return found


def _pairs(db: Connection) -> Iterator[tuple[Row[Any], Row[Any]]]:
    """Student and teacher of each closed lesson that has one of each, and whose names are known."""
    query: Select[Any] = select(
        members.c.room, members.c.role, members.c.sender, members.c.band, rooms.c.created_at.label("made")
    )
    people = query.join_from(members, rooms).where(rooms.c.closed_at.is_not(None), members.c.sender != "")
    found: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in db.execute(people.where(members.c.role.in_(("student", "teacher"))).order_by(members.c.number)):
        found[row.room].append(row)
    for those in found.values():
        by_role = {row.role: row for row in those}
        if len(those) == len(by_role) == 2:
            yield by_role["student"], by_role["teacher"]
