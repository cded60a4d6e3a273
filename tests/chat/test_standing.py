"""Standing: proven violations only, decaying, taken away by a person."""

from __future__ import annotations

import pytest

from lessonroom.chat.standing import FORGET_FROM, FORGET_SECONDS, HALF_LIFE, known, severity, tells_operator
from lessonroom.chat.types import Standing, StandingClass

NOW = 1_800_000_000.0


def struck(*ages: float, paying: bool = False, forgiving: bool = True) -> Standing:
    """A sender with strikes so many seconds ago."""
    return known([NOW - age for age in ages], NOW, paying=paying, forgiving=forgiving)


def test_a_strike_makes_a_violator_and_time_forgives() -> None:
    assert struck().standing is StandingClass.NEW
    assert struck(0).standing is StandingClass.VIOLATOR
    assert struck(2 * HALF_LIFE).standing is StandingClass.NEW


def test_a_strike_weighs_half_after_a_month() -> None:
    assert severity(struck(HALF_LIFE), NOW) == pytest.approx(0.5)


def test_two_fresh_strikes_tell_an_operator() -> None:
    assert not tells_operator(struck(0), NOW)
    assert tells_operator(struck(0, 60), NOW)
    assert not tells_operator(struck(HALF_LIFE, HALF_LIFE), NOW)


def test_a_paying_sender_stays_paying() -> None:
    assert struck(0, 1, paying=True) == Standing(StandingClass.PAYING, (NOW, NOW - 1))
    assert struck(0, paying=True, forgiving=False).standing is StandingClass.PAYING


def test_old_strikes_are_dropped() -> None:
    assert struck(10 * HALF_LIFE).strikes == ()
    assert struck(FORGET_SECONDS).strikes == ()
    assert severity(Standing(strikes=(NOW - FORGET_SECONDS,)), NOW) < FORGET_FROM


def test_where_nothing_is_forgiven_every_strike_counts_for_good() -> None:
    """The permanent refusal of the 2013 system, as a setting."""
    assert struck(100 * HALF_LIFE, forgiving=False).standing is StandingClass.VIOLATOR
    assert struck(forgiving=False).standing is StandingClass.NEW


def test_a_clock_that_went_back_makes_nothing_worse() -> None:
    assert severity(Standing(strikes=(NOW + HALF_LIFE,)), NOW) == 1.0
