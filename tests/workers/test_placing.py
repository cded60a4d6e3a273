"""Which worker takes the next lesson."""

from __future__ import annotations

import pytest

from lessonroom.workers.placing import SETTLED, Load, later, least, uneven


def test_the_worker_with_the_fewest_lessons_takes_the_next() -> None:
    assert least([Load("a", 3), Load("b", 2), Load("c", 2)]) == "b"


def test_one_that_cannot_keep_up_counts_for_more_than_it_has() -> None:
    assert least([Load("a", 3, late=0.0), Load("b", 2, late=1.0)]) == "a"
    assert least([Load("a", 30, late=0.0), Load("b", 2, late=1.0)]) == "b"


def test_where_there_is_none_none_takes_it() -> None:
    assert least([]) is None


def test_late_looks_are_forgotten_in_half_a_minute() -> None:
    late = later(0.0, 10.0)
    assert late == pytest.approx(1.0)
    for _ in range(30):
        late = later(late, 0.0)
    assert late < 0.05


def loads(*analysers: int, ready: float = SETTLED) -> list[Load[str]]:
    return [Load(name, count, ready=ready) for name, count in zip("abc", analysers, strict=False)]


def test_lessons_move_from_the_worker_that_has_many_more_than_another() -> None:
    assert uneven(loads(6, 2, 3)) == "a"
    assert uneven(loads(5, 2, 3)) is None


def test_moving_ends_and_never_goes_to_and_fro() -> None:
    now = [32, 0]
    for moves in range(100):  # noqa: B007 - how many it took
        crowded = uneven(loads(*now))
        if crowded is None:
            break
        assert crowded == "a"
        now = [now[0] - 1, now[1] + 1]
    assert (now, moves) == ([17, 15], 15)


def test_lessons_do_not_move_to_a_worker_that_has_just_come() -> None:
    """It may be one that keeps dying."""
    assert uneven([Load("a", 9, ready=100.0), Load("b", 0, ready=SETTLED - 1)]) is None
    assert uneven([]) is None
