"""The rate at which a lesson is looked at."""

from __future__ import annotations

from lessonroom.media.pace import Pace

START = Pace.of(0.5, 2.0)


def test_a_quick_machine_keeps_the_highest_rate() -> None:
    pace = START
    for _ in range(100):
        pace = pace.after(0.01)
    assert pace == START


def test_a_slow_look_lowers_the_rate_to_the_least_and_no_further() -> None:
    pace = START
    for _ in range(10):
        pace = pace.after(1.9)
    assert pace.rate == 0.5


def test_an_unanswered_look_counts_as_slow_however_soon_it_was_refused() -> None:
    assert START.after(0.001, answered=False).rate < START.rate


def test_it_comes_back_in_small_steps() -> None:
    pace = START.after(1.0).after(1.0)
    rates = []
    for _ in range(30):
        pace = pace.after(0.01)
        rates.append(pace.rate)
    assert rates == sorted(rates)
    assert rates[0] < 1.1
    assert rates[-1] == 2.0


def test_in_between_it_stays() -> None:
    assert START.after(0.2) == START


def test_many_lessons_on_one_engine_settle_at_what_it_can_do() -> None:
    """Thirty lessons share an engine with 20 looks a second: their sum settles below that, and none starves."""
    paces = [Pace.of(0.1, 2.0) for _ in range(30)]
    for _ in range(200):
        load = sum(pace.rate for pace in paces) / 20
        took = 0.05 * (20 if load >= 1 else 1 / (1 - load))
        paces = [pace.after(took) for pace in paces]
    assert 5 < sum(pace.rate for pace in paces) < 25
    assert min(pace.rate for pace in paces) > 0.1


def test_a_least_above_the_most_counts_as_the_most() -> None:
    assert Pace.of(5.0, 2.0).least == 2.0
