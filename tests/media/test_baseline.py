"""What is ordinary for one face: learned, followed slowly, and held against what is seen."""

from __future__ import annotations

import random

import pytest

from lessonroom.media.baseline import Baseline, Following, Limits, evidence, followed, learned, share

LIMITS = Limits(0.1, 0.2)
FOLLOWING = Following()


def after(base: Baseline, signals: list[float], firm: float | None = 0.0, lasted: float = 0.5) -> Baseline:
    for signal in signals:
        base = followed(base, signal, lasted, known=600.0, firm=firm, following=FOLLOWING)
    return base


def test_a_baseline_is_a_median_and_its_spread_keeps_to_its_limits() -> None:
    assert learned([0.1, 0.1, 0.1, 0.9], LIMITS) == Baseline(0.1, 0.1, LIMITS)
    assert learned([0.0, 0.3, 0.6, 0.9], LIMITS).spread == 0.2


@pytest.mark.parametrize(("signal", "part"), [(-1.0, 0.0), (0.04, 0.0), (0.225, 0.5), (0.5, 1.0), (1.0, 1.0)])
def test_a_change_counts_from_half_a_spread_and_in_full_from_four(signal: float, part: float) -> None:
    assert share(signal, Baseline(0.0, 0.1, LIMITS), FOLLOWING) == pytest.approx(part)


def test_a_full_change_of_a_quiet_face_says_most_and_what_is_usual_speaks_against_a_change() -> None:
    quiet, restless = Baseline(0.0, 0.1, LIMITS), Baseline(0.0, 0.1, LIMITS, usual=0.2)
    assert evidence(1.0, quiet, FOLLOWING) == pytest.approx(1.0)
    assert 0.0 < evidence(1.0, restless, FOLLOWING) < 0.4
    assert evidence(0.2, restless, FOLLOWING) < 0.0 < evidence(0.2, quiet, FOLLOWING)
    assert evidence(0.0, quiet, FOLLOWING) < evidence(0.0, restless, FOLLOWING) < 0.0


def test_evidence_expects_to_fall_on_an_ordinary_face_and_to_rise_on_a_changed_one() -> None:
    """What makes a likelihood ratio of it: the sum drifts down while nothing is the matter, on any face."""
    for usual in (0.03, 0.1, 0.2, 0.3):
        base = Baseline(0.0, 0.1, LIMITS, usual=usual)
        mean = {
            share: share * evidence(1.0, base, FOLLOWING) + (1.0 - share) * evidence(0.0, base, FOLLOWING)
            for share in (usual, FOLLOWING.changed)
        }
        assert mean[usual] < 0.0 < mean[FOLLOWING.changed]


def test_a_face_that_is_never_quiet_can_still_change() -> None:
    worst = Baseline(0.0, 0.1, LIMITS, usual=0.9)
    assert evidence(1.0, worst, FOLLOWING) > 0.1


def test_a_face_that_often_twitches_is_known_for_it_after_some_minutes() -> None:
    chance = random.Random(1)
    base = after(Baseline(0.0, 0.1, LIMITS), [0.8 if chance.random() < 0.15 else 0.0 for _ in range(1200)])
    assert 0.08 < base.usual < 0.25
    assert base.middle < 0.1


def test_strong_evidence_hardly_moves_the_baseline() -> None:
    """A student who struggles for two minutes must not become the new ordinary."""
    base = after(Baseline(0.0, 0.1, LIMITS), [0.6] * 240, firm=1.0)
    assert base.middle < 0.02
    assert base.usual < 0.09


def test_a_weak_steady_frown_keeps_most_of_its_evidence_for_a_minute() -> None:
    before = Baseline(0.0, 0.1, LIMITS)
    found = share(0.25, before, FOLLOWING)
    kept = share(0.25, after(before, [0.25] * 120, firm=1.0), FOLLOWING)
    assert kept > 0.75 * found


def test_what_has_become_ordinary_is_followed_at_full_pace() -> None:
    base = after(Baseline(0.0, 0.1, LIMITS), [0.6] * 1200, firm=None)
    assert base.middle > 0.4


def test_a_drift_of_light_is_followed() -> None:
    """A fifth of the scale in ten minutes, as the evening comes, never looks like half a change."""
    base, worst = Baseline(0.0, 0.1, LIMITS), 0.0
    for number in range(1200):
        signal = 0.2 * number / 1200
        worst = max(worst, share(signal, base, FOLLOWING))
        base = followed(base, signal, 0.5, known=600.0, firm=0.0, following=FOLLOWING)
    assert worst < 0.2
