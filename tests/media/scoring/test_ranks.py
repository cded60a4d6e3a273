"""Ranks of frames: the same as by counting pairs, and intervals that hold the truth."""

from __future__ import annotations

import numpy as np
import pytest

from lessonroom.media.scoring import ranks
from lessonroom.media.scoring.ranks import Draws


def counted(positive: np.ndarray, score: np.ndarray) -> float:
    pairs = [(up > down) + 0.5 * (up == down) for up in score[positive] for down in score[~positive]]
    return float(np.mean(pairs))


def test_auc_is_the_share_of_pairs_in_order_and_ties_count_half() -> None:
    random = np.random.default_rng(1)
    positive, score = random.random(60) < 0.4, random.integers(0, 6, 60).astype(float)
    assert ranks.auc(positive, score) == pytest.approx(counted(positive, score))


def test_within_compares_frames_of_the_same_student_only() -> None:
    """Between these students the scores are upside down; within each they are in order."""
    student = np.repeat([4, 2, 9], 12)
    positive = np.tile([False, True], 18)
    score = positive + student * 10.0
    found = ranks.within(positive, score, student)
    assert found.mean == found.unweighted == 1.0
    assert found.student.tolist() == [2, 4, 9]


def test_within_agrees_with_counting_pairs_where_scores_are_tied() -> None:
    random = np.random.default_rng(2)
    student, positive = np.sort(random.integers(0, 4, 200)), random.random(200) < 0.3
    score = random.integers(0, 5, 200).astype(float)
    found = ranks.within(positive, score, student)
    expected = [counted(positive[student == each], score[student == each]) for each in range(4)]
    assert found.auc == pytest.approx(expected)


def test_a_student_of_one_class_says_nothing_within() -> None:
    student = np.repeat([0, 1], 10)
    positive = np.r_[np.ones(10, bool), np.tile([True, False], 5)]
    found = ranks.within(positive, np.arange(20.0), student)
    assert found.student.tolist() == [1]
    assert np.isnan(ranks.within(positive[:10], np.arange(10.0), student[:10]).mean)


def test_draws_take_whole_students_and_weigh_them_as_often_as_they_came() -> None:
    random = np.random.default_rng(3)
    student, positive, score = np.repeat(np.arange(6), 10), random.random(60) < 0.4, random.random(60).round(1)
    draws = Draws.of(6, 20, 1)
    values = draws.pooled(positive, score, student)
    for times, value in zip(draws.times.astype(int), values, strict=True):
        taken = np.concatenate([np.tile(np.flatnonzero(student == each), times[each]) for each in range(6)])
        assert value == pytest.approx(counted(positive[taken], score[taken]))


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    """Sixty worlds of 30 students; with a true coverage of 0.95, fewer than 50 would come up once in 3,000 times."""
    held = 0
    for seed in range(60):
        random = np.random.default_rng(seed)
        student = np.repeat(np.arange(30), 20)
        positive = random.random(600) < random.beta(2, 6, 30)[student]
        score = positive * 0.5 + random.normal(size=600) + random.normal(size=30)[student] * 0.7
        truth = 0.6386  # P(N(0.5, 2) > 0) within a student
        inside = ranks.within(positive, score, student)
        low, high = ranks.interval(Draws.of(30, 400, seed).within(inside))
        assert low is not None
        assert high is not None
        held += low <= truth <= high
    assert held >= 50


def test_an_interval_of_nothing_says_so() -> None:
    assert ranks.interval(np.array([np.nan])) == [None, None]
