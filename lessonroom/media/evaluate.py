"""Scores of predicted probabilities against labels: how right, for which classes, how honest, how sure, for whom.

Probabilities are (N, 8) in the order of ``EXPRESSIONS``; truth is (N,) class numbers. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lessonroom.errors import BadInput
from lessonroom.media.types import EXPRESSIONS

Probabilities = NDArray[np.floating[Any]]
Truth = NDArray[np.int64]


def softmax(logits: Probabilities, temperature: float = 1.0) -> Probabilities:
    """Logits (N, C) -> probabilities (N, C)."""
    scaled = logits / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def accuracy(truth: Truth, probabilities: Probabilities) -> float:
    """Share of faces whose likeliest class is the true one."""
    return float((probabilities.argmax(axis=1) == truth).mean())


def confusion(truth: Truth, probabilities: Probabilities) -> NDArray[np.int64]:
    """Counts (C, C): row is the truth, column the answer."""
    classes = probabilities.shape[1]
    flat = truth * classes + probabilities.argmax(axis=1)
    return np.bincount(flat, minlength=classes * classes).reshape(classes, classes)


def balanced_accuracy(truth: Truth, probabilities: Probabilities, without: Sequence[str] = ()) -> float:
    """Mean recall of the classes that occur; faces whose truth is ``without`` are left out."""
    matrix = confusion(truth, probabilities)
    kept = [row for row, name in enumerate(EXPRESSIONS) if name not in without and matrix[row].sum()]
    return float(np.mean([matrix[row, row] / matrix[row].sum() for row in kept]))


def macro_f1(truth: Truth, probabilities: Probabilities) -> float:
    """Mean F1 of the classes that occur in truth or answer."""
    matrix = confusion(truth, probabilities)
    right = np.diag(matrix)
    total = matrix.sum(axis=0) + matrix.sum(axis=1)
    return float(np.mean(2 * right[total > 0] / total[total > 0]))


def calibration_error(truth: Truth, probabilities: Probabilities, bins: int = 15) -> float:
    """Expected calibration error: mean gap between the confidence and the share of right answers (Guo et al. 2017)."""
    sure = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == truth
    place = np.minimum((sure * bins).astype(int), bins - 1)
    gap = 0.0
    for index in np.unique(place):
        inside = place == index
        gap += inside.mean() * abs(right[inside].mean() - sure[inside].mean())
    return float(gap)


def reliability(truth: Truth, probabilities: Probabilities, bins: int = 10) -> list[dict[str, float]]:
    """One entry per occupied bin of confidence: how sure on average, how often right, how many."""
    sure = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == truth
    place = np.minimum((sure * bins).astype(int), bins - 1)
    return [
        {
            "confidence": float(sure[place == index].mean()),
            "accuracy": float(right[place == index].mean()),
            "count": int((place == index).sum()),
        }
        for index in np.unique(place)
    ]


def fit_temperature(truth: Truth, logits: Probabilities) -> float:
    """The temperature at which the labels are likeliest (Guo et al. 2017), from a grid of 0.25 to 4."""
    rows = np.arange(len(truth))

    def loss(temperature: float) -> float:
        return float(-np.log(softmax(logits, temperature)[rows, truth] + 1e-12).mean())

    return float(min(np.geomspace(0.25, 4.0, 121), key=loss))


def interval(
    score: Callable[[Truth, Probabilities], float],
    truth: Truth,
    probabilities: Probabilities,
    *,
    draws: int = 1000,
    seed: int = 0,
) -> tuple[float, float]:
    """95 % interval of a score by bootstrap over faces."""
    rng = np.random.default_rng(seed)
    values = []
    for _ in range(draws):
        chosen = rng.integers(0, len(truth), len(truth))
        values.append(score(truth[chosen], probabilities[chosen]))
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def summary(truth: Truth, probabilities: Probabilities, *, draws: int = 1000) -> dict[str, Any]:
    """Every score of one set of faces, with intervals. Raises BadInput when there is nothing to score."""
    if not len(truth):
        raise BadInput("expected at least one labelled face, got none")
    matrix = confusion(truth, probabilities)
    scores: dict[str, Callable[[Truth, Probabilities], float]] = {
        "accuracy": accuracy,
        "balanced_accuracy": balanced_accuracy,
        "balanced_accuracy_7": lambda t, p: balanced_accuracy(t, p, without=("contempt",)),
        "macro_f1": macro_f1,
    }
    return {
        "faces": len(truth),
        **{name: round(score(truth, probabilities), 4) for name, score in scores.items()},
        "intervals_95": {
            name: [round(end, 4) for end in interval(score, truth, probabilities, draws=draws)]
            for name, score in scores.items()
        },
        "calibration_error": round(calibration_error(truth, probabilities), 4),
        "reliability": reliability(truth, probabilities),
        "recall": {
            name: round(float(matrix[row, row] / matrix[row].sum()), 4)
            for row, name in enumerate(EXPRESSIONS)
            if matrix[row].sum()
        },
        "confusion": matrix.tolist(),
    }


def by_group(truth: Truth, probabilities: Probabilities, groups: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The summary of each group of faces, for fairness. Raises BadInput unless every face has a group's name."""
    if len(groups) != len(truth):
        raise BadInput(f"expected {len(truth)} group names, got {len(groups)}")
    names = np.asarray(groups)
    return {
        str(name): summary(truth[names == name], probabilities[names == name], draws=200) for name in np.unique(names)
    }
