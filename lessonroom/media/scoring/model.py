"""Linear maps from features of faces to a grade of strain, fitted so that students nobody has seen are ranked well.

Least squares on the grade with a random effect of the student (generalised least squares): what differs between
students has as many independent examples as there are students, not as there are frames, and is weighed accordingly.
It needs only sums of products, so hundreds of settings can be compared by leaving out students. The best few are
averaged: a single best one is mostly luck. Logistic regression on the label joins the average, with as large a share as
proves best on students who were left out: it is ahead where positives are rare, and where what tells students apart
differs from what tells their moments apart.

Everything here is made from the students that are handed over, and from no others: means, spreads, the embedding's
principal directions, settings and weights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property, partial
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError
from scipy.linalg.lapack import dposv

from lessonroom.media.scoring import logistic, ranks
from lessonroom.media.scoring.scales import MOST_AWAY, Bools, Floats, Frames, Ints, Scale, change, per_student, unit

Names = NDArray[np.str_]

INNER = 5
BEST = 15
"""So many of the best settings are averaged."""
PENALTIES = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
STUDENT_EFFECTS = (0.0, 0.1, 0.3)
"""Variance of the students' own level of the grade, over that of single frames."""
HARDER = {"expression": (1.0,), "face": (1.0, 4.0), "mesh": (1.0, 5.0, np.inf), "embedding": (2.0, 10.0, np.inf)}
"""How much harder than the expressions a block may be penalised; inf leaves it out."""
BLENDS = (0.0, 0.25, 0.5, 1.0, 2.0)
SHARES = (0.5, 0.0, 1.0)
"""How much of logistic regression may be in a map; the first one wins where all are as good."""


@dataclass(frozen=True, slots=True)
class Setting:
    """``penalty`` on the mean square; ``effect`` of the student; ``harder``: factor on the penalty by block."""

    penalty: float
    effect: float
    harder: Mapping[str, float]


class Sums:
    """Products of labelled frames, added up by fold of students, and fits from any of the folds."""

    def __init__(self, numbers: Floats, student: Ints, grade: Floats, fold: Ints) -> None:
        """``numbers`` (N, D); ``grade`` (N,) without NaN; ``fold`` (N,), the same for all frames of a student."""
        numbers = np.clip(numbers, -MOST_AWAY, MOST_AWAY)
        _, place, count = np.unique(student, return_inverse=True, return_counts=True)
        frame = weights(student)
        self.weight = np.bincount(place, frame)
        self.fold = np.zeros(len(count), np.int64)
        self.fold[place] = fold
        centre, level = per_student(numbers, student, frame), per_student(grade[:, None], student, frame)[:, 0]
        self.middle, self.level = np.zeros((len(count), numbers.shape[1])), np.zeros(len(count))
        self.middle[place], self.level[place] = centre, level
        own, above = numbers - centre, grade - level
        self.products: dict[int, Floats] = {}
        self.crosses: dict[int, Floats] = {}
        for number in np.unique(fold):
            part = fold == number
            heavy = own[part] * frame[part, None]
            self.products[int(number)], self.crosses[int(number)] = own[part].T @ heavy, heavy.T @ above[part]

    def frame(self, without: int | None, effect: float) -> tuple[Floats, Floats]:
        """Matrix and vector of the normal equations of the map that reads single frames, without one fold."""
        matrix, vector = self.change(without)
        kept = self.fold != without
        weight = self.weight[kept]
        between = weight / (1.0 + weight * effect)
        middle = self.middle[kept] - between @ self.middle[kept] / between.sum()
        level = self.level[kept] - between @ self.level[kept] / between.sum()
        heavy = middle * between[:, None]
        return matrix + middle.T @ heavy / weight.sum(), vector + heavy.T @ level / weight.sum()

    def change(self, without: int | None) -> tuple[Floats, Floats]:
        """The same of the map that reads differences from a student's own mean."""
        total = self.weight[self.fold != without].sum()
        folds = [number for number in self.products if number != without]
        matrix = np.sum([self.products[number] for number in folds], axis=0)
        return matrix / total, np.sum([self.crosses[number] for number in folds], axis=0) / total


def solved(matrix: Floats, vector: Floats, setting: Setting, block: Names) -> Floats:
    """Weights (D,) with the setting's penalty. Raises LinAlgError where no weights can be found."""
    penalty = np.full(len(block), setting.penalty)
    for name, factor in setting.harder.items():
        penalty[block == name] *= factor
    used = np.isfinite(penalty)
    weights = np.zeros(len(block))
    if used.any():
        penalised = matrix[np.ix_(used, used)]
        penalised[np.diag_indices_from(penalised)] += penalty[used]
        _, weights[used], failed = dposv(penalised, vector[used])
        if failed:
            raise LinAlgError("expected a matrix that is positive definite, got another")
    return weights


def settings(blocks: Sequence[str], effects: Sequence[float]) -> Iterator[Setting]:
    """All settings to compare."""
    names = [block for block in HARDER if block in blocks]
    # without expressions some other block must stay
    grids = [HARDER[name] if name != names[0] else (1.0,) for name in names]
    for penalty, effect, harder in product(PENALTIES, effects, product(*grids)):
        yield Setting(penalty, effect, dict(zip(names, harder, strict=True)))


@dataclass(frozen=True)
class Maps:
    """Weights (D,) of the standardised features: ``frame`` of one picture, ``change`` of its difference from the
    student's own mean. Where that mean is known, ``level`` reads the mean, and ``within`` the difference from it.

    All are scaled so that their scores have deviation 1 over the frames. ``shares``: of logistic regression in each.
    """

    scale: Scale
    frame: Floats = field(repr=False)
    change: Floats = field(repr=False)
    level: Floats = field(repr=False)
    within: Floats = field(repr=False)
    shares: Mapping[str, float]

    @cached_property
    def blocks(self) -> tuple[str, ...]:
        """Blocks that have any weight."""
        weighs = np.any([self.frame, self.change, self.level, self.within], axis=0)
        return tuple(dict.fromkeys(name for name, some in zip(self.scale.block, weighs, strict=True) if some))


def fit(frames: Frames, at_least: float, folds: Sequence[Ints]) -> Maps:
    """Choose settings by leaving out students, average the best ones, and fit to all the frames.

    ``folds``: for one or more rounds, (N,) the fold of each frame's student. ``at_least``: the grade that counts as
    positive where settings are compared; the maps are fitted to the grade itself.
    """
    scale = Scale.of(frames)
    numbers = scale.standard(frames)
    own = change(numbers, frames.student)
    labelled = np.isfinite(frames.grade)
    student, grade = frames.student[labelled], frames.grade[labelled]
    job = _Job(numbers[labelled], own[labelled], student, grade, grade >= at_least, np.array(scale.block))
    rounds = [(Sums(job.numbers, student, grade, fold[labelled]), fold[labelled]) for fold in folds]
    frame = job.squares(rounds, list(settings(frames.blocks, STUDENT_EFFECTS)), "frame")
    changed = job.squares(rounds, list(settings(frames.blocks, (0.0,))), "change")
    blend = max(BLENDS, key=lambda share: job.pooled(frame.score + share * changed.score))
    known = np.r_[frame.weights, frame.weights + blend * changed.weights]
    both = Part(known, unit(frame.score + blend * changed.score))
    fold = rounds[0][1]
    frame, frame_share = mixed(frame, job.logistic(job.numbers, fold), job.pooled)
    changed, change_share = mixed(changed, job.logistic(job.own, fold, levels=True), job.within)
    both, both_share = mixed(both, job.logistic_known(fold), job.pooled)
    level, within = np.split(both.weights, 2)
    shares = {"frame": frame_share, "change": change_share, "known": both_share}
    return Maps(scale, frame.weights, changed.weights, level, within, shares)


def weights(student: Ints) -> Floats:
    """(N,) of the frames: a long recording weighs no more than an ordinary one."""
    _, place, count = np.unique(student, return_inverse=True, return_counts=True)
    return np.asarray(np.minimum(1.0, np.median(count) / count)[place])


@dataclass(frozen=True, slots=True)
class Part:
    """Weights fitted to all frames, and the score (N,) of each frame by weights fitted without its student."""

    weights: Floats = field(repr=False)
    score: Floats = field(repr=False)


def mixed(one: Part, other: Part, judge: Callable[[Floats], float]) -> tuple[Part, float]:
    """Both together, and the share of the other that ranks students best who were left out of the weights."""
    share = max(SHARES, key=lambda each: np.nan_to_num(judge((1.0 - each) * one.score + each * other.score), nan=0.5))
    both = Part((1.0 - share) * one.weights + share * other.weights, (1.0 - share) * one.score + share * other.score)
    spread = float(both.score.std()) or 1.0
    return Part(both.weights / spread, both.score / spread), share


@dataclass(frozen=True, slots=True)
class _Job:
    numbers: Floats
    own: Floats
    student: Ints
    grade: Floats
    positive: Bools
    block: Names

    def pooled(self, score: Floats) -> float:
        return ranks.auc(self.positive, score)

    def within(self, score: Floats) -> float:
        return ranks.within(self.positive, score, self.student).mean

    def squares(self, rounds: Sequence[tuple[Sums, Ints]], tried: Sequence[Setting], kind: str) -> Part:
        """The mean of the best settings of least squares."""
        judge = self.pooled if kind == "frame" else self.within
        scores = [self.left_out(sums, fold, tried, kind) for sums, fold in rounds]
        worth = np.array([np.mean([judge(score[:, place]) for score in scores]) for place in range(len(tried))])
        order = np.argsort(-np.nan_to_num(worth, nan=0.5), kind="stable")[:BEST]
        weights = self.averaged(rounds[0][0], [tried[place] for place in order], kind)
        return Part(weights, unit(np.asarray(sum(unit(score[:, place]) for score in scores for place in order))))

    def logistic(self, read: Floats, fold: Ints, *, levels: bool = False) -> Part:
        """Logistic regression; ``levels``: students may differ in how often they are positive."""
        start = logistic.levels(self.positive, self.student) if levels else None
        found = logistic.fit(read, self.positive, weights(self.student), fold, start)
        return Part(found.weights, found.score)

    def logistic_known(self, fold: Ints) -> Part:
        """The same of the features and their difference from the student's mean, as weights of mean and difference."""
        found = self.logistic(np.hstack([self.numbers, self.own]), fold)
        whole, difference = np.split(found.weights, 2)
        return Part(np.r_[whole, whole + difference], found.score)

    def left_out(self, sums: Sums, fold: Ints, tried: Sequence[Setting], kind: str) -> Floats:
        """Scores (N, settings), each frame's by weights that were fitted without its student."""
        read = self.numbers if kind == "frame" else self.own
        scores = np.zeros((len(read), len(tried)))
        for number in np.unique(fold):
            equations = cache(partial(self.equations, sums, kind, int(number)))
            weights = np.stack([self.weights(equations(each.effect), each) for each in tried], axis=1)
            scores[fold == number] = read[fold == number] @ weights
        return scores

    def equations(self, sums: Sums, kind: str, without: int | None, effect: float) -> tuple[Floats, Floats]:
        return sums.frame(without, effect) if kind == "frame" else sums.change(without)

    def weights(self, equations: tuple[Floats, Floats], setting: Setting) -> Floats:
        try:
            return solved(*equations, setting, self.block)
        except LinAlgError:
            return np.zeros(len(self.block))

    def averaged(self, sums: Sums, chosen: Sequence[Setting], kind: str) -> Floats:
        """The mean of the settings' weights, each scaled to scores with deviation 1 over all the frames."""
        read = self.numbers if kind == "frame" else self.own
        total = np.zeros(len(self.block))
        for each in chosen:
            weights = self.weights(self.equations(sums, kind, None, each.effect), each)
            total += weights / (float((read @ weights).std()) or 1.0)
        return np.asarray(total / (float((read @ total).std()) or 1.0))
