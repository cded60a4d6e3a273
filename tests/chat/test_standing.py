"""Standing: proven violations only, decaying, restored by an appeal."""

from __future__ import annotations

import pytest

from lessonroom.chat.standing import HALF_LIFE, restore, settle, severity, strike, tells_operator
from lessonroom.chat.types import Standing, StandingClass

NOW = 1_800_000_000.0


def test_a_strike_makes_a_violator_and_time_forgives() -> None:
    struck = strike(Standing(), NOW)
    assert struck.standing is StandingClass.VIOLATOR
    assert settle(struck, NOW + 2 * HALF_LIFE).standing is StandingClass.NEW


def test_a_strike_weighs_half_after_a_month() -> None:
    assert severity(strike(Standing(), NOW), NOW + HALF_LIFE) == pytest.approx(0.5)


def test_two_fresh_strikes_tell_an_operator() -> None:
    once = strike(Standing(), NOW)
    assert not tells_operator(once, NOW)
    assert tells_operator(strike(once, NOW + 60), NOW + 60)


def test_an_upheld_appeal_restores_the_standing() -> None:
    struck = strike(Standing(), NOW)
    assert restore(struck, NOW, NOW + 60) == Standing()


def test_a_paying_sender_stays_paying() -> None:
    assert strike(Standing(StandingClass.PAYING), NOW).standing is StandingClass.PAYING


def test_old_strikes_are_dropped() -> None:
    assert settle(strike(Standing(), NOW), NOW + 10 * HALF_LIFE).strikes == ()


def test_a_clock_that_went_back_makes_nothing_worse() -> None:
    assert severity(strike(Standing(), NOW), NOW - HALF_LIFE) == 1.0
