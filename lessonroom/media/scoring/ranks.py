"""How well scores rank frames by their labels, over students and within each of them, with intervals. Pure.

The area under the ROC curve (AUC) is the share of pairs, one positive and one negative frame, in which the positive has
the higher score. *Pooled* pairs are of all students together; *within* a student both frames are of the same face, so
that who somebody is cannot help. Intervals draw whole students anew; the scores stay what they are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

LEAST_EACH = 3
"""A student with fewer positive or negative frames says nothing about ranks within."""
PART = 4_000_000
"""Numbers that are worked on at once."""


def auc(positive: Bools, score: Floats) -> float:
    """Pooled AUC, ties counted half; NaN without both classes."""
    return float(pooled(positive, score, np.ones((1, len(score))))[0])


def pooled(positive: Bools, score: Floats, weight: Floats) -> Floats:
    """AUC for each row of ``weight`` (D, N): how often each frame was drawn. NaN where a class was not drawn."""
    if not len(score):
        return np.full(len(weight), np.nan)
    order = np.argsort(score, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(score[order]) > 0])
    found = []
    for rows in np.array_split(weight, max(1, weight.size // PART)):
        drawn = rows[:, order]
        up = np.add.reduceat(drawn * positive[order], starts, axis=1)
        down = np.add.reduceat(drawn * ~positive[order], starts, axis=1)
        below = np.cumsum(down, axis=1) - down / 2
        pairs = up.sum(axis=1) * down.sum(axis=1)
        found.append(np.divide((up * below).sum(axis=1), pairs, out=np.full(len(rows), np.nan), where=pairs > 0))
    return np.concatenate(found)


@dataclass(frozen=True, slots=True)
class Within:
    """AUC of each student who has enough of both classes: ``student``, ``auc`` and number of ``pairs``, (S,) each."""

    student: Ints = field(repr=False)
    auc: Floats = field(repr=False)
    pairs: Floats = field(repr=False)

    @property
    def mean(self) -> float:
        """Mean over students, each by the number of its pairs; NaN without any."""
        return float(self.auc @ self.pairs / self.pairs.sum()) if len(self.auc) else float("nan")

    @property
    def unweighted(self) -> float:
        """Mean over students, each the same."""
        return float(self.auc.mean()) if len(self.auc) else float("nan")


def within(positive: Bools, score: Floats, student: Ints) -> Within:
    """The AUC of each student alone: by the mean rank of the positive frames (Mann and Whitney 1947)."""
    if not len(score):
        return Within(np.zeros(0, np.int64), np.zeros(0), np.zeros(0))
    order = np.lexsort((score, student))
    sorted_student, sorted_score, up = student[order], score[order], positive[order]
    new = np.r_[True, np.diff(sorted_student) > 0]
    first = np.flatnonzero(new)
    owner = np.cumsum(new) - 1
    # frames with the same score share the mean of their ranks
    run = np.flatnonzero(new | np.r_[True, np.diff(sorted_score) > 0])
    length = np.diff(np.r_[run, len(order)])
    rank = np.repeat(run + (length + 1) / 2, length) - first[owner]
    ups = np.bincount(owner, up).astype(np.float64)
    downs = np.bincount(owner) - ups
    kept = np.minimum(ups, downs) >= LEAST_EACH
    pairs = (ups * downs)[kept]
    above = (np.bincount(owner, rank * up) - ups * (ups + 1) / 2)[kept]
    return Within(sorted_student[first][kept], np.asarray(above / pairs), np.asarray(pairs))


@dataclass(frozen=True)
class Draws:
    """Students drawn anew with replacement: ``times`` (draws, students), how often each came."""

    times: Floats = field(repr=False)

    @classmethod
    def of(cls, students: int, draws: int, seed: int) -> Draws:
        """So many draws of as many students as there are."""
        random = np.random.default_rng(seed)
        return cls(random.multinomial(students, np.full(students, 1 / students), size=draws).astype(np.float64))

    def pooled(self, positive: Bools, score: Floats, student: Ints) -> Floats:
        """Pooled AUC of each draw."""
        rows = max(1, PART // max(1, len(score)))
        parts = [self.times[i : i + rows] for i in range(0, len(self.times), rows)]
        return np.concatenate([pooled(positive, score, part[:, student]) for part in parts])

    def within(self, found: Within) -> Floats:
        """Mean AUC within students of each draw, weighted by pairs."""
        weight = self.times[:, found.student] * found.pairs
        total = weight.sum(axis=1)
        mean = np.divide(weight @ found.auc, total, out=np.full(len(total), np.nan), where=total > 0)
        return np.asarray(mean)


def interval(values: NDArray[np.floating[Any]]) -> list[float | None]:
    """The middle 95 % of what was drawn, rounded; nulls where nothing could be."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return [None, None]
    return [round(float(each), 4) for each in np.percentile(finite, [2.5, 97.5])]
