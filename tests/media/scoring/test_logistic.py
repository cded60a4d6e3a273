"""Many logistic regressions at once give what one at a time would, and what the label says is found."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from lessonroom.media.scoring import logistic, ranks


def world(seed: int, share: float = 0.3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Numbers (600, 5), labels that follow the first two of them, and the fold of each frame's student."""
    random = np.random.default_rng(seed)
    numbers = random.normal(size=(600, 5))
    felt = numbers[:, 0] - numbers[:, 1] + random.normal(size=600)
    return numbers, felt > np.quantile(felt, 1 - share), np.repeat(np.arange(30), 20) % 5


@pytest.mark.parametrize("share", [0.3, 0.02])
def test_each_of_the_fits_is_the_one_that_another_solver_finds(share: float) -> None:
    """Also where positives are rare and the curvature at the start is far from that at the end."""
    numbers, positive, fold = world(1, share)
    expected = np.zeros(600)
    for each in logistic.PENALTIES:
        found = np.zeros(600)
        for number in range(5):
            rest = fold != number
            part = positive[rest].mean()
            model = LogisticRegression(C=1 / (each * part * (1 - part) * rest.sum()), tol=1e-8, max_iter=1000)
            found[~rest] = numbers[~rest] @ model.fit(numbers[rest], positive[rest]).coef_[0]
        expected += found / found.std()
    score = logistic.fit(numbers, positive, np.ones(600), fold).score
    assert np.corrcoef(score, expected)[0, 1] > 0.9995


def test_labels_that_follow_nothing_give_a_coin() -> None:
    numbers, _, fold = world(2)
    found = []
    for seed in range(10):
        positive = np.random.default_rng(seed).random(600) < 0.3
        score = logistic.fit(numbers, positive, np.ones(600), fold).score
        found.append(ranks.auc(positive, score))
    assert np.mean(found) == pytest.approx(0.5, abs=0.05)


def test_a_fold_without_any_positive_outside_it_is_lived_with() -> None:
    numbers, positive, fold = world(3)
    found = logistic.fit(numbers, positive & (fold == 2), np.ones(600), fold)
    assert np.isfinite(found.score).all()
    assert np.isfinite(found.weights).all()


def test_students_own_levels_are_taken_for_given() -> None:
    """A number that only tells students apart gets little weight where their levels are known beforehand."""
    numbers, _, fold = world(4)
    student = np.repeat(np.arange(30), 20)
    random = np.random.default_rng(4)
    who = random.normal(size=30)
    numbers[:, 4] = who[student]
    positive = who[student] * 2 + numbers[:, 0] + random.normal(size=600) > 1.0
    plain, given = (
        logistic.fit(numbers, positive, np.ones(600), fold, start).weights
        for start in (None, logistic.levels(positive, student))
    )
    assert abs(given[4] / given[0]) < 0.5 * abs(plain[4] / plain[0])
