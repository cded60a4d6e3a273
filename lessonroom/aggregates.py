"""Counts over many lessons, for researchers: how often hints come and help. Pure.

A lesson counts only while its student, the guardian of one who is a minor, and its teacher agree to research. A group
is told only when it holds enough people; a smaller one is put to the others, and nothing is told that could be
subtracted from a sum. Counts are rounded, so that one who leaves between two readings does not show.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

LEAST_STUDENTS: Final = 10
"""A group of fewer students is not told (k-anonymity: Sweeney 2002)."""
LEAST_TEACHERS: Final = 3
"""Nor one of fewer teachers: what helped in lessons of one teacher is about them."""
STEP: Final = 5
"""Counts are told to the nearest multiple of this."""
OTHERS: Final = "other"


@dataclass(frozen=True, slots=True)
class Counted:
    """A lesson that may be counted. ``month``: such as ``2026-11`` (UTC); ``language``: of the words agreed to.

    ``student``, ``teacher``: what tells people apart; it goes into no row.
    ``hints``: cue and answer (``helpful``, ``not_helpful``, ``closed``, None) of each.
    """

    month: str
    language: str
    student: str
    teacher: str
    hints: tuple[tuple[str, str | None], ...]


def aggregate(lessons: Iterable[Counted], least: int = LEAST_STUDENTS) -> list[dict[str, Any]]:
    """One row for each month and language that holds enough people, in that order. ``least``: students in a group."""
    rows = []
    for month, those in sorted(_by(lessons, "month").items()):
        groups = _merged(_by(those, "language"), least)
        rows += [{"month": month, "language": language, **_row(group, least)} for language, group in groups]
    return rows


def _by(lessons: Iterable[Counted], name: str) -> dict[str, list[Counted]]:
    found = defaultdict(list)
    for lesson in lessons:
        found[getattr(lesson, name)].append(lesson)
    return found


def _enough(lessons: Sequence[Counted], least: int) -> bool:
    students, teachers = ({getattr(one, role) for one in lessons} for role in ("student", "teacher"))
    return len(students) >= least and len(teachers) >= LEAST_TEACHERS


def _merged(groups: Mapping[str, Sequence[Counted]], least: int) -> list[tuple[str, Sequence[Counted]]]:
    """Groups of enough people; the small ones together are one of them, or are not told."""
    told = [(name, group) for name, group in sorted(groups.items()) if name != OTHERS and _enough(group, least)]
    rest = [one for name, group in groups.items() if name not in dict(told) for one in group]
    return [*told, (OTHERS, rest)] if _enough(rest, least) else told


def _row(lessons: Sequence[Counted], least: int) -> dict[str, Any]:
    students = {one.student for one in lessons}
    hinted = [one for one in lessons if one.hints]
    return {
        "students": _round(len(students)),
        "lessons": _round(len(lessons)),
        "lessons_with_hint": _round(len(hinted)) if _enough(hinted, least) else None,
        "hints": {cue: _helped(group, least) for cue, group in _merged(_by_cue(hinted), least)},
    }


def _by_cue(lessons: Iterable[Counted]) -> dict[str, list[Counted]]:
    """The lessons once for each cue, with the hints of that cue alone."""
    found = defaultdict(list)
    for one in lessons:
        for cue in {cue for cue, _ in one.hints}:
            hints = tuple(hint for hint in one.hints if hint[0] == cue)
            found[cue].append(Counted(one.month, one.language, one.student, one.teacher, hints))
    return found


def _helped(lessons: Sequence[Counted], least: int) -> dict[str, Any]:
    """How many hints were shown, and the share of the answered ones that helped, where enough people answered."""
    judged = [one for one in lessons if any(answer in {"helpful", "not_helpful"} for _, answer in one.hints)]
    answers = [answer for one in judged for _, answer in one.hints]
    helpful, useless = (_round(answers.count(word)) for word in ("helpful", "not_helpful"))
    known = _enough(judged, least) and helpful + useless > 0
    return {
        "shown": _round(sum(len(one.hints) for one in lessons)),
        "helpful_share": round(helpful / (helpful + useless), 2) if known else None,
    }


def _round(count: int) -> int:
    return (count + STEP // 2) // STEP * STEP
