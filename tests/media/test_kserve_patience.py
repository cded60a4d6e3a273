"""Retries and the circuit breaker, on a clock of the test's own."""

from __future__ import annotations

import pytest

from lessonroom.media.kserve_patience import FIRST_PAUSE, LONGEST_PAUSE, Breaker, RetryBudget, Trust


@pytest.mark.parametrize("calls", [0, 9, 10, 99, 1000])
def test_there_is_one_retry_for_ten_calls(calls: int) -> None:
    budget, taken = RetryBudget(), 0
    for _ in range(calls):
        budget.called()
        taken += budget.take()
    assert taken == calls // 10


def test_calm_times_save_up_no_more_than_a_handful() -> None:
    budget = RetryBudget()
    for _ in range(10_000):
        budget.called()
    assert sum(budget.take() for _ in range(100)) == 10


def closed(now: float = 0.0) -> Breaker:
    breaker = Breaker(now)
    assert breaker.due(now)
    breaker.tried(now, answered=True)
    return breaker


def test_a_server_is_tried_before_it_is_used() -> None:
    breaker = Breaker(5.0)
    assert breaker.trust is Trust.OPEN
    assert breaker.wait(5.0) == 0
    assert breaker.due(5.0)
    assert breaker.trust is Trust.HALF_OPEN
    breaker.tried(5.1, answered=True)
    assert breaker.trust is Trust.CLOSED
    assert breaker.wait(5.1) is None


def test_a_trial_is_made_by_one_alone() -> None:
    breaker = Breaker(0.0)
    assert [breaker.due(0.0) for _ in range(3)] == [True, False, False]


def test_three_failures_in_a_row_open_it_and_two_do_not() -> None:
    breaker = closed()
    assert not any((breaker.failed("mesh", 1.0), breaker.failed("mesh", 1.0)))
    breaker.worked("mesh")
    assert not any((breaker.failed("mesh", 2.0), breaker.failed("mesh", 2.0)))
    assert breaker.trust is Trust.CLOSED
    assert breaker.failed("mesh", 2.0)
    assert breaker.trust is Trust.OPEN


def test_one_model_that_never_answers_opens_it_however_well_the_others_do() -> None:
    """A look asks the detector, the mesh and the expression in turn; each pays for the mesh's deadline."""
    breaker = closed()
    opened = []
    for now in (1.0, 2.0, 3.0):
        breaker.worked("detector")
        opened.append(breaker.failed("mesh", now))
        breaker.worked("expression")
    assert opened == [False, False, True]
    assert breaker.trust is Trust.OPEN


def test_failures_of_several_models_are_not_added_up() -> None:
    breaker = closed()
    assert not any(breaker.failed(model, 1.0) for model in ("detector", "mesh", "expression"))
    assert breaker.trust is Trust.CLOSED


def test_a_trial_that_was_answered_makes_a_fresh_start() -> None:
    breaker = closed()
    assert [breaker.failed("mesh", 1.0) for _ in range(3)][-1]
    assert breaker.due(2.0)
    breaker.tried(2.0, answered=True)
    assert not any((breaker.failed("mesh", 3.0), breaker.failed("mesh", 3.0)))


def test_failures_that_end_after_it_opened_change_nothing() -> None:
    breaker = closed()
    assert [breaker.failed("mesh", 1.0) for _ in range(6)] == [False, False, True, False, False, False]
    assert breaker.wait(1.0) == FIRST_PAUSE


def test_trials_that_fail_come_further_and_further_apart_up_to_a_bound() -> None:
    breaker, now, waits = Breaker(0.0), 0.0, []
    for _ in range(8):
        assert breaker.due(now)
        breaker.tried(now, answered=False)
        waits.append(breaker.wait(now))
        assert not breaker.due(now + 0.9)
        now += waits[-1] or 0.0
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0, LONGEST_PAUSE, LONGEST_PAUSE, LONGEST_PAUSE]
