"""Logistic regression with a ridge penalty, for many penalties and many parts left out at once. Pure.

All the fits walk together: one product of matrices serves every fit of a step, so that comparing settings by leaving
out students costs little more than one fit. A step is Newton's with the curvature that the share of positives gives,
shortened for a fit whose loss would rise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from lessonroom.media.scoring.scales import MOST_AWAY, Bools, Floats, Ints, unit

PENALTIES = (0.3, 1.0, 3.0)
"""In units of a frame's curvature: 1 halves what a feature with deviation 1 would get alone. All are averaged."""
STEPS = 15
ENOUGH = 1e-4
"""A fit whose loss falls by less in a step has arrived: ranks no longer move."""
SHORTEST = 2.0**-8
LEAST_SHARE = 1e-4
"""Shares of positives nearer to none or all are taken for this much."""
PRIOR = 4.0
"""A student's own share of positives counts as if so many more frames had the common one."""


@dataclass(frozen=True, slots=True)
class Logistic:
    """``weights`` (D,) fitted to all frames, and ``score`` (N,) of each frame by weights fitted without its fold.

    Both are means over :data:`PENALTIES`, each scaled to deviation 1.
    """

    weights: Floats = field(repr=False)
    score: Floats = field(repr=False)


def fit(numbers: Floats, positive: Bools, weight: Floats, fold: Ints, start: Floats | None = None) -> Logistic:
    """``numbers`` (N, D) about 0 with deviation 1; ``weight`` (N,) of the frames; ``fold`` (N,) of their students;
    ``start`` (N,): a logit that is given beforehand, such as the student's own level.
    """
    given = np.zeros(len(numbers)) if start is None else start
    parts = [None, *np.unique(fold)]
    near = np.clip(numbers, -MOST_AWAY, MOST_AWAY)
    weights = _Fits.of(near, positive, given, weight=weight, fold=fold, parts=parts).walk()[:-1]
    score, total = np.zeros(len(numbers)), np.zeros(numbers.shape[1])
    for place in range(len(PENALTIES)):
        columns = weights[:, place :: len(PENALTIES)]
        found = np.zeros(len(numbers))
        for column, number in zip(columns.T[1:], parts[1:], strict=True):
            found[fold == number] = numbers[fold == number] @ column
        score += unit(found)
        total += columns[:, 0] / (float((numbers @ columns[:, 0]).std()) or 1.0)
    return Logistic(total / (float((numbers @ total).std()) or 1.0), unit(score))


def levels(positive: Bools, student: Ints) -> Floats:
    """(N,) the logit of each student's own share of positives, drawn towards the common one."""
    _, place, count = np.unique(student, return_inverse=True, return_counts=True)
    share = (np.bincount(place, positive) + PRIOR * positive.mean()) / (count + PRIOR)
    return np.asarray(_logit(np.clip(share, LEAST_SHARE, 1 - LEAST_SHARE))[place])


@dataclass(frozen=True, slots=True)
class _Fits:
    """K fits: each leaves out one fold, or none, and has one penalty. The last row of the weights is the intercept."""

    numbers: Floats
    positive: Floats
    start: Floats
    weight: Floats
    penalty: Floats
    curvature: tuple[tuple[Floats, bool], ...]
    intercept: Floats

    @classmethod
    def of(
        cls, numbers: Floats, positive: Bools, start: Floats, *, weight: Floats, fold: Ints, parts: Sequence[int | None]
    ) -> _Fits:
        wide = np.hstack([numbers, np.ones((len(numbers), 1))])
        products = {each: _product(wide[fold == each], weight[fold == each]) for each in parts if each is not None}
        weights, penalties, curvatures, intercepts = [], [], [], []
        for part in parts:
            used = weight * (fold != part)
            total = float(used.sum()) or 1.0
            share = min(1 - LEAST_SHARE, max(LEAST_SHARE, float(used @ positive) / total))
            steep = share * (1.0 - share)
            matrix = np.sum([each for number, each in products.items() if number != part], axis=0) / total
            for each in PENALTIES:
                penalty = np.r_[np.full(numbers.shape[1], each * steep), 1e-9]
                weights.append(used / total)
                penalties.append(penalty)
                curvatures.append(cho_factor(steep * matrix + np.diag(penalty + 1e-9), check_finite=False))
                intercepts.append(_logit(np.float64(share)) - float(used @ start) / total)
        return cls(
            wide, positive.astype(np.float64)[:, None], start[:, None], np.array(weights).T, np.array(penalties).T,
            tuple(curvatures), np.array(intercepts),
        )  # fmt: skip

    def walk(self) -> Floats:
        """Weights (D + 1, K)."""
        found = np.zeros(self.penalty.shape)
        found[-1] = self.intercept
        loss, slope = self.loss(found)
        length = np.ones(len(loss))
        for _ in range(STEPS):
            way = np.stack([cho_solve(each, slope[:, k]) for k, each in enumerate(self.curvature)], axis=1)
            tried = found - length * way
            new, other = self.loss(tried)
            better = new <= loss
            fallen = np.where(better, loss - new, np.inf)
            found, slope = np.where(better, tried, found), np.where(better, other, slope)
            loss, length = np.where(better, new, loss), np.where(better, length, length / 2.0)
            if np.all((fallen < ENOUGH * loss) | (length < SHORTEST)):
                break
        return found

    def loss(self, weights: Floats) -> tuple[Floats, Floats]:
        """Mean loss with its penalty (K,), and its slope (D + 1, K)."""
        logit = self.numbers @ weights + self.start
        lost = np.logaddexp(0.0, logit) - self.positive * logit
        miss = (1.0 / (1.0 + np.exp(-np.clip(logit, -60.0, 60.0))) - self.positive) * self.weight
        loss = (lost * self.weight).sum(axis=0) + (self.penalty * weights**2).sum(axis=0) / 2.0
        return loss, self.numbers.T @ miss + self.penalty * weights


def _product(numbers: Floats, weight: Floats) -> Floats:
    return np.asarray((numbers * weight[:, None]).T @ numbers)


def _logit(share: Floats | np.float64) -> NDArray[np.float64]:
    return np.asarray(np.log(share / (1.0 - share)))
