"""Scores of predicted probabilities against labels: how right, for which classes, how honest, how sure, for whom.

Probabilities are (N, 8) in the order of ``EXPRESSIONS``; truth is (N,) class numbers. A *matrix* is a confusion: counts
(8, 8), row the truth, column the answer; a ninth column counts those that got no answer. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lessonroom.errors import BadInput
from lessonroom.media.types import EXPRESSIONS

Probabilities = NDArray[np.floating[Any]]
Truth = NDArray[np.int64]
Matrix = NDArray[np.int64]

RARE = ("contempt",)
"""Left out of the balanced accuracy over seven classes: FER+ has a few dozen of them."""
PRIOR_COST = 0.002
"""Accuracy that may be given for rare expressions."""
FEW = 30
"""Fewer faces than these say little, however their scores look."""


def softmax(logits: Probabilities, temperature: float = 1.0) -> Probabilities:
    """Logits (N, C) -> probabilities (N, C)."""
    scaled = logits / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def fit_temperature(truth: Truth, logits: Probabilities) -> float:
    """The temperature at which the labels are likeliest (Guo et al. 2017), from a grid of 0.25 to 4."""
    rows = np.arange(len(truth))

    def loss(temperature: float) -> float:
        return float(-np.log(softmax(logits, temperature)[rows, truth] + 1e-12).mean())

    return float(min(np.geomspace(0.25, 4.0, 121), key=loss))


# --- from a confusion ------------------------------------------------------------------------------------------------


def prior_share(truth: Truth, logits: Probabilities, frequency: NDArray[np.float64]) -> float:
    """How much of the training labels' log frequencies (8,) to take off the logits (N, 8), 0 to 1.

    Rare expressions are as dear to a teacher as frequent ones, but the pictures are mostly calm (logit adjustment,
    Menon et al. 2021, arXiv 2007.07314). The most that costs no more than ``PRIOR_COST`` of the accuracy.
    """
    least = accuracy(truth, logits) - PRIOR_COST
    shares = np.arange(0.0, 1.01, 0.05)
    return round(max(float(s) for s in shares if accuracy(truth, logits - s * frequency) >= least), 2)


def confusion(truth: Truth, probabilities: Probabilities) -> Matrix:
    """Counts (8, 8): row is the truth, column the answer."""
    classes = len(EXPRESSIONS)
    flat = truth * classes + probabilities.argmax(axis=1)
    return np.bincount(flat, minlength=classes * classes).reshape(classes, classes)


def with_unanswered(matrix: Matrix, truth: Truth) -> Matrix:
    """The matrix (8, 9) that also counts faces of these classes as answered by none."""
    return np.column_stack([matrix, np.bincount(truth, minlength=len(EXPRESSIONS))])


def accuracy_of(matrix: Matrix) -> float:
    """Share of right answers."""
    return _share(float(np.trace(matrix)), float(matrix.sum()))


def balanced_accuracy_of(matrix: Matrix, without: Sequence[str] = ()) -> float:
    """Mean recall of the classes that occur, those of ``without`` left out; NaN where none occurs."""
    kept = matrix.sum(axis=1) > 0
    kept[[EXPRESSIONS.index(name) for name in without]] = False
    return _share(float((np.diag(matrix)[kept] / matrix.sum(axis=1)[kept]).sum()), float(kept.sum()))


def macro_f1_of(matrix: Matrix) -> float:
    """Mean F1 of the classes that occur in truth or answer."""
    total = matrix.sum(axis=1) + matrix.sum(axis=0)[: len(matrix)]
    kept = total > 0
    return _share(float((2 * np.diag(matrix)[kept] / total[kept]).sum()), float(kept.sum()))


def _share(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")


SCORES: Mapping[str, Callable[[Matrix], float]] = {
    "accuracy": accuracy_of,
    "balanced_accuracy": balanced_accuracy_of,
    "balanced_accuracy_7": lambda matrix: balanced_accuracy_of(matrix, RARE),
    "macro_f1": macro_f1_of,
}


def interval(
    score: Callable[[Matrix], float], matrix: Matrix, *, draws: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """95 % interval of a score by bootstrap over faces: drawing faces again is drawing the matrix' cells again."""
    shares = matrix.ravel() / matrix.sum()
    drawn = np.random.default_rng(seed).multinomial(int(matrix.sum()), shares, size=draws)
    low, high = np.nanpercentile([score(each.reshape(matrix.shape)) for each in drawn], [2.5, 97.5])
    return float(low), float(high)


def counted(matrix: Matrix, *, draws: int = 1000) -> dict[str, Any]:
    """The scores of a matrix with their intervals; null for a score that these faces do not have."""
    values = {name: score(matrix) for name, score in SCORES.items()}
    return {
        **{name: None if np.isnan(value) else round(value, 4) for name, value in values.items()},
        "intervals_95": {
            name: None if np.isnan(values[name]) else [round(end, 4) for end in interval(score, matrix, draws=draws)]
            for name, score in SCORES.items()
        },
    }


# --- from probabilities ----------------------------------------------------------------------------------------------


def accuracy(truth: Truth, probabilities: Probabilities) -> float:
    """Share of faces whose likeliest class is the true one."""
    return accuracy_of(confusion(truth, probabilities))


def balanced_accuracy(truth: Truth, probabilities: Probabilities, without: Sequence[str] = ()) -> float:
    """Mean recall of the classes that occur; faces whose truth is ``without`` are left out."""
    return balanced_accuracy_of(confusion(truth, probabilities), without)


def calibration_error(truth: Truth, probabilities: Probabilities, bins: int = 15) -> float:
    """Expected calibration error: mean gap between the confidence and the share of right answers (Guo et al. 2017)."""
    found = reliability(truth, probabilities, bins)
    return float(sum(each["count"] * abs(each["accuracy"] - each["confidence"]) for each in found) / len(truth))


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


def summary(truth: Truth, probabilities: Probabilities, *, draws: int = 1000) -> dict[str, Any]:
    """Every score of one set of faces, with intervals. Raises BadInput when there is nothing to score."""
    if not len(truth):
        raise BadInput("expected at least one labelled face, got none")
    matrix = confusion(truth, probabilities)
    return {
        "faces": len(truth),
        **counted(matrix, draws=draws),
        "calibration_error": round(calibration_error(truth, probabilities), 4),
        "reliability": reliability(truth, probabilities),
        "recall": {
            name: round(float(matrix[row, row] / matrix[row].sum()), 4)
            for row, name in enumerate(EXPRESSIONS)
            if matrix[row].sum()
        },
        "confusion": matrix.tolist(),
    }
