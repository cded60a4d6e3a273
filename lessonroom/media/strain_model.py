"""Linear maps from features of faces to a grade of strain, fitted so that students nobody has seen are ranked well.

Least squares on the grade with a random effect of the student (generalised least squares): what differs between
students has as many independent examples as there are students, not as there are frames, and is weighed accordingly.
For effects as weak as these it ranks as logistic regression does, and it needs only sums of products, so hundreds of
settings can be compared by leaving out students. The best few are averaged: a single best one is mostly luck.

Everything here is made from the students that are handed over, and from no others: means, spreads, the embedding's
principal directions, settings and weights.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property, partial
from itertools import product

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from lessonroom.media import strain_rank
from lessonroom.media.strain_scale import Bools, Floats, Frames, Ints, Scale, change, per_student, unit

INNER = 5
BEST = 15
"""So many of the best settings are averaged."""
MOST_AWAY = 6.0
"""A feature further from its mean than so many spreads counts as that far in a fit."""
PENALTIES = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
STUDENT_EFFECTS = (0.0, 0.1, 0.3)
"""Variance of the students' own level of the grade, over that of single frames."""
HARDER = {"expression": (1.0,), "face": (1.0, 4.0), "mesh": (1.0, 5.0, np.inf), "embedding": (2.0, 10.0, np.inf)}
"""How much harder than the expressions a block may be penalised; inf leaves it out."""
BLENDS = (0.0, 0.25, 0.5, 1.0, 2.0)


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
        # a long recording weighs no more than an ordinary one
        frame = np.minimum(1.0, np.median(count) / count)[place]
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


def solved(matrix: Floats, vector: Floats, setting: Setting, block: Sequence[str]) -> Floats:
    """Weights (D,) with the setting's penalty."""
    penalty = setting.penalty * np.array([setting.harder.get(name, 1.0) for name in block])
    used = np.isfinite(penalty)
    weights = np.zeros(len(block))
    if used.any():
        penalised = matrix[np.ix_(used, used)]
        penalised[np.diag_indices_from(penalised)] += penalty[used]
        weights[used] = cho_solve(cho_factor(penalised, check_finite=False), vector[used], check_finite=False)
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
    """``frame`` and ``change``: weights (D,) of the standardised features; ``blend``: how much of the change is added
    where a student's own mean is known. Both are scaled so that their scores have deviation 1 over the frames.
    """

    scale: Scale
    frame: Floats = field(repr=False)
    change: Floats = field(repr=False)
    blend: float

    @cached_property
    def blocks(self) -> tuple[str, ...]:
        """Blocks that have any weight."""
        weighs = (self.frame != 0.0) | (self.change != 0.0)
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
    job = _Job(numbers[labelled], own[labelled], student, grade, grade >= at_least, scale.block)
    rounds = [(Sums(job.numbers, student, grade, fold[labelled]), fold[labelled]) for fold in folds]
    effects = list(settings(frames.blocks, STUDENT_EFFECTS))
    plain = list(settings(frames.blocks, (0.0,)))
    frame = _best(effects, [job.left_out(sums, fold, effects, "frame") for sums, fold in rounds], job.pooled)
    changed = _best(plain, [job.left_out(sums, fold, plain, "change") for sums, fold in rounds], job.within)
    blend = max(BLENDS, key=lambda share: job.pooled(frame.score + share * changed.score))
    sums = rounds[0][0]
    return Maps(
        scale,
        job.averaged(sums, frame.settings, "frame"),
        job.averaged(sums, changed.settings, "change"),
        blend,
    )


@dataclass(frozen=True, slots=True)
class _Best:
    """The best settings, and the mean of their scores on students who were left out, with deviation 1 (N,)."""

    settings: tuple[Setting, ...]
    score: Floats = field(repr=False)


def _best(tried: Sequence[Setting], scores: Sequence[Floats], judge: object) -> _Best:
    assert callable(judge)  # noqa: S101
    worth = [np.mean([judge(score[:, place]) for score in scores]) for place in range(len(tried))]
    order = np.argsort(-np.nan_to_num(np.array(worth), nan=0.5), kind="stable")[:BEST]
    mean = sum(unit(score[:, place]) for score in scores for place in order)
    return _Best(tuple(tried[place] for place in order), unit(np.asarray(mean)))


@dataclass(frozen=True, slots=True)
class _Job:
    numbers: Floats
    own: Floats
    student: Ints
    grade: Floats
    positive: Bools
    block: tuple[str, ...]

    def pooled(self, score: Floats) -> float:
        return strain_rank.auc(self.positive, score)

    def within(self, score: Floats) -> float:
        return strain_rank.within(self.positive, score, self.student).mean

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
