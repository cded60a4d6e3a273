"""Counts over many lessons: of those who agree, and nothing about few."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from lessonroom.aggregates import Counted, aggregate

Hints = Sequence[tuple[str, str | None]]


def lessons(
    count: int, *, month: str = "2026-11", language: str = "en", hints: Hints = (), first: int = 0
) -> list[Counted]:
    """One lesson for each of so many students, of ten teachers."""
    people = ((f"student-{number}", f"teacher-{number % 10}") for number in range(first, first + count))
    return [Counted(month, language, student, teacher, tuple(hints)) for student, teacher in people]


def test_counts_are_told_by_month_and_language_without_anybodys_name() -> None:
    frowning = ("frowning", "helpful"), ("chat", None)
    rows = aggregate([*lessons(20, hints=frowning), *lessons(20, hints=[("frowning", "not_helpful")]), *lessons(10)])
    (row,) = rows
    assert row == {
        "month": "2026-11",
        "language": "en",
        "students": 20,
        "lessons": 50,
        "lessons_with_hint": 40,
        "hints": {
            "chat": {"shown": 20, "helpful_share": None},
            "frowning": {"shown": 40, "helpful_share": 0.5},
        },
    }
    assert "student-" not in json.dumps(rows)
    assert "teacher-" not in json.dumps(rows)


@pytest.mark.parametrize(("students", "told"), [(9, 0), (10, 1)])
def test_a_group_of_fewer_than_ten_students_is_not_told(students: int, told: int) -> None:
    """However many lessons they had."""
    assert len(aggregate(lessons(students) * 20)) == told


def test_a_group_of_few_teachers_is_not_told() -> None:
    alone = [Counted(one.month, one.language, one.student, "teacher-1", ()) for one in lessons(50)]
    assert aggregate(alone) == []


def test_small_groups_are_told_together_or_not_at_all() -> None:
    """So that what is missing cannot be had by subtraction: there is no sum of all."""
    several = [*lessons(30), *lessons(6, language="uk", first=30), *lessons(6, language="ru", first=40)]
    assert [(row["language"], row["lessons"]) for row in aggregate(several)] == [("en", 30), ("other", 10)]
    few = [*lessons(30), *lessons(6, language="uk", first=30)]
    assert [row["language"] for row in aggregate(few)] == ["en"]
    months = [*lessons(30, month="2026-10"), *lessons(9, month="2026-11")]
    assert [row["month"] for row in aggregate(months)] == ["2026-10"]


def test_what_few_students_had_is_not_told_within_a_big_group() -> None:
    many = [*lessons(30), *lessons(9, hints=[("distress", "helpful")])]
    (row,) = aggregate(many)
    assert (row["lessons_with_hint"], row["hints"]) == (None, {})
    judged = [*lessons(30, hints=[("chat", None)]), *lessons(9, hints=[("chat", "helpful")])]
    assert aggregate(judged)[0]["hints"]["chat"] == {"shown": 40, "helpful_share": None}


def test_one_student_more_or_less_does_not_show() -> None:
    counts = [aggregate(lessons(number))[0]["students"] for number in range(10, 19)]
    assert counts == [10, 10, 10, 15, 15, 15, 15, 15, 20]
