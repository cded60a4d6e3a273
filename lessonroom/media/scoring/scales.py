"""Frames of faces and labels, and their features on one scale: what the maps of a strain head are fitted to. Pure.

A scale is made from the frames that are handed over, and from no others; labels are not looked at.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from lessonroom.media.strain_head import BLOCKS, NAMES

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

MOST_AWAY = 6.0
"""A feature further from its mean than so many spreads counts as that far in a fit."""
DIRECTIONS = 32
"""The embedding is brought down to so many numbers."""


@dataclass(frozen=True, slots=True)
class Frames:
    """Frames that count. ``rows`` (N, F) with NaN, ``embedding`` (N, E) or None, ``student`` (N,), ``grade`` (N,)
    with NaN for unlabelled frames, ``blocks`` that may be used.
    """

    rows: Floats = field(repr=False)
    embedding: NDArray[np.float32] | None = field(repr=False)
    student: Ints = field(repr=False)
    grade: Floats = field(repr=False)
    blocks: tuple[str, ...]

    def only(self, which: Bools) -> Frames:
        """Some of the frames."""
        embedding = None if self.embedding is None else self.embedding[which]
        return Frames(self.rows[which], embedding, self.student[which], self.grade[which], self.blocks)


@dataclass(frozen=True, slots=True)
class Scale:
    """From features to numbers with mean 0 and deviation 1; ``places``: columns of ``rows``; ``projection``:
    (E, K) or None; ``middle``, ``spread``: of the columns and then of the projection; ``block``: name of each;
    ``embedding``: its mean (E,).
    """

    places: Ints
    projection: Floats | None = field(repr=False)
    middle: Floats = field(repr=False)
    spread: Floats = field(repr=False)
    block: tuple[str, ...] = field(repr=False)
    embedding: Floats = field(repr=False)

    @classmethod
    def of(cls, frames: Frames) -> Scale:
        """Fitted to these frames, labels not looked at. What hardly varies or is often missing is left out."""
        names = [name for block in BLOCKS if block in frames.blocks for name in BLOCKS[block]]
        chosen = np.array([NAMES.index(name) for name in names], np.int64)
        there = np.isfinite(frames.rows[:, chosen]).mean(axis=0) > 0.5
        places = chosen[there]
        middle, spread = np.nanmean(frames.rows[:, places], axis=0), np.nanstd(frames.rows[:, places], axis=0)
        places, middle, spread = (each[spread > 1e-6] for each in (places, middle, spread))
        of_block = {name: block for block, names in BLOCKS.items() for name in names}
        block = [of_block[NAMES[place]] for place in places]
        projection, mean = None, np.zeros(0)
        if frames.embedding is not None and "embedding" in frames.blocks:
            projection = _directions(frames.embedding, frames.student)
            inner, mean = frames.embedding @ projection, frames.embedding.mean(axis=0).astype(np.float64)
            middle, spread = np.r_[middle, inner.mean(axis=0)], np.r_[spread, inner.std(axis=0) + 1e-9]
            block += ["embedding"] * projection.shape[1]
        return cls(places, projection, middle, spread, tuple(block), mean)

    def standard(self, frames: Frames) -> Floats:
        """(N, D); what is missing is taken from the student's other frames, else it is the mean, 0."""
        raw = frames.rows[:, self.places]
        if self.projection is not None and frames.embedding is not None:
            raw = np.hstack([raw, frames.embedding @ self.projection])
        numbers = (raw - self.middle) / self.spread
        missing = np.isnan(numbers)
        if missing.any():
            known = np.where(missing, 0.0, numbers)
            filled = known + per_student(known, frames.student, ~missing) * missing
            numbers = np.where(missing, filled, numbers)
        return numbers


def _directions(embedding: NDArray[np.float32], student: Ints) -> Floats:
    """(E, K): the directions in which a student's own face varies most. Who it is varies in others."""
    own = embedding - per_student(embedding, student)
    covariance = (own.T @ own).astype(np.float64)
    size = len(covariance)
    kept = min(DIRECTIONS, len(own) // 4 + 1, size)
    values, vectors = eigh(covariance, subset_by_index=(size - kept, size - 1))
    return np.asarray(vectors[:, values > 0.0][:, ::-1])


def change(numbers: Floats, student: Ints) -> Floats:
    """The numbers (N, D) less their mean over the student's frames."""
    return np.asarray(numbers - per_student(numbers, student))


def unit(score: Floats) -> Floats:
    """The same score (N,) with deviation 1; one that never varies stays as it is."""
    return np.asarray(score / (float(score.std()) or 1.0))


def per_student(
    values: NDArray[np.floating], student: Ints, weight: NDArray[np.bool_] | Floats | None = None
) -> Floats:
    """Each frame's student's mean of the columns, (N, D); 0 where nothing weighs."""
    _, place = np.unique(student, return_inverse=True)
    order = np.argsort(place, kind="stable")
    first = np.flatnonzero(np.r_[True, np.diff(place[order]) > 0])
    heavy = np.ones((len(values), 1)) if weight is None else np.asarray(weight, np.float64).reshape(len(values), -1)
    sums = np.add.reduceat((values * heavy)[order], first, axis=0)
    total = np.add.reduceat(heavy[order], first, axis=0)
    return np.asarray((sums / np.where(total > 0, total, 1.0))[place])
