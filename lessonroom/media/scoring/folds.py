"""Students kept apart: folds of students, and scores of each frame by maps that never saw its student."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple, dataclass, field

import numpy as np
from numpy.typing import NDArray

from lessonroom.media.scoring import model, scales
from lessonroom.media.scoring.model import Maps
from lessonroom.media.scoring.scales import Frames

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

OUTER = 10
FEW = 20
"""With fewer students each is a fold of its own."""
EARLY = 0.3
"""Share of a student's frames, the first ones, that is the baseline where a lesson is imitated."""


@dataclass(frozen=True, slots=True)
class Scores:
    """Of each frame (N,), by maps of other students.

    ``frame`` knows this frame alone; ``change`` is against the mean of the student's own frames; ``own`` is both
    together; ``early`` is ``change`` against the student's first frames alone, NaN for those.
    """

    frame: Floats = field(repr=False)
    change: Floats = field(repr=False)
    own: Floats = field(repr=False)
    early: Floats = field(repr=False)


def folds(frames: Frames, count: int, at_least: float, random: np.random.Generator) -> Ints:
    """(N,) the fold of each frame's student; students with many positives are spread evenly. A seed makes it."""
    names, place = np.unique(frames.student, return_inverse=True)
    count = min(count, len(names))
    positive = np.nan_to_num(frames.grade, nan=-1.0) >= at_least
    share = np.bincount(place, positive) / np.bincount(place)
    order = np.lexsort((random.random(len(names)), share))
    fold = np.zeros(len(names), np.int64)
    for start in range(0, len(names), count):
        part = order[start : start + count]
        fold[part] = random.permutation(count)[: len(part)]
    return fold[place]


def scored(
    frames: Frames,
    counts: Bools,
    at_least: float,
    *,
    rounds: int | range,
    seed: int,
    done: Callable[[], None] = lambda: None,
) -> Scores:
    """Scores of every frame: the mean over ``rounds`` of other folds. All choices are made inside the other folds.

    ``counts`` (N,): frames that may be learned from; the others are only scored. ``done`` is called after each fold.
    """
    turns = range(rounds) if isinstance(rounds, int) else rounds
    total = [np.zeros(len(frames.student)) for _ in range(4)]
    for turn in turns:
        random = np.random.default_rng([seed, turn])
        fold = folds(frames, outer(frames), at_least, random)
        for number in np.unique(fold):
            rest = frames.only(counts & (fold != number))
            maps = model.fit(rest, at_least, [folds(rest, model.INNER, at_least, random)])
            for sum_, part in zip(total, read(maps, frames), strict=True):
                sum_[fold == number] += part[fold == number] / len(turns)
            done()
    return Scores(*total)


def outer(frames: Frames) -> int:
    """How many folds a round has."""
    students = len(np.unique(frames.student))
    return students if students < FEW else OUTER


def together(first: Scores, others: Scores, rounds: int) -> Scores:
    """The mean over ``rounds``, from the first one's scores and the mean of the others'."""
    pairs = zip(astuple(first), astuple(others), strict=True)
    return Scores(*(one / rounds + other * (1.0 - 1.0 / rounds) for one, other in pairs))


def read(maps: Maps, frames: Frames) -> tuple[Floats, Floats, Floats, Floats]:
    """``frame``, ``change``, ``own`` and ``early`` of frames. No labels are looked at.

    Scores of frames are centred over all of ``frames``: a fold's own intercept would tell how many positives it
    lacks, which are those of the students that are left out.
    """
    numbers = maps.scale.standard(frames)
    frame = numbers @ maps.frame
    frame -= frame.mean()
    change = against(numbers @ maps.change, frames.student)
    middle = scales.per_student(numbers, frames.student)
    own = middle @ maps.level + (numbers - middle) @ maps.within
    return frame, change, own - own.mean(), early(numbers @ maps.change, frames.student)


def against(signal: Floats, student: Ints) -> Floats:
    """A signal (N,) less the student's own mean."""
    return scales.change(signal[:, None], student)[:, 0]


def early(signal: Floats, student: Ints) -> Floats:
    """A signal less the mean of the student's first frames, which are NaN themselves; frames are in order of time."""
    found = np.full(len(signal), np.nan)
    for number in np.unique(student):
        place = np.flatnonzero(student == number)
        first = max(1, round(EARLY * len(place)))
        found[place[first:]] = signal[place[first:]] - signal[place[:first]].mean()
    return found
