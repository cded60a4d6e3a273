"""The network of the classifier: how it is trained, and what it answers for a whole table. Training only.

scikit-learn's ``MLPClassifier`` does the work; what comes out are the plain arrays that ``classifier`` reads.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from lessonroom.chat.classifier import CLASSES, SORTS, UNITS, Arrays, log_odds
from lessonroom.chat.dataset import FOREIGN, Row
from lessonroom.chat.features import BUCKETS, NAMES, TALK
from lessonroom.chat.table import Table
from lessonroom.chat.types import Kind

_LEAST_SCALE: Final = 0.05
"""A feature that hardly ever changes is not blown up by more than this."""
_MOST_STEPS: Final = 127
_OTHER_WORDS: Final = {
    "phone_number": "phone",
    "email_address": "email",
    "domain_name": "link",
    "vocab": "vocabulary",
    "task": "exercise",
    "programming": "code",
    "conv": "talk",
}
"""Other words for kinds and sorts: of Presidio's texts, and of some of our authors."""
_LEAST_CLASSES: Final = 3
"""With two the library keeps one output, not one for each."""
_NEVER: Final = -30.0
"""The logit of a class that training never met."""


@dataclass(frozen=True)
class Recipe:
    """What may be chosen. ``grams``: how much each group weighs; the rest: of the networks and of their training.

    ``networks`` of ``units`` hidden units each differ only in where they start; their mean is steadier than any of
    them, and side by side they are one wider network. Training ends after ``passes`` over the rows, long before the
    rows are known by heart: that is the only brake on learning by heart that matters here (``alpha`` does next to
    nothing). On few rows it goes on for about ``least_steps``.
    """

    networks: int = 3
    units: int = UNITS // 3
    rate: float = 5e-3
    batch: int = 1024
    passes: int = 2
    least_steps: int = 150
    alpha: float = 1e-5
    grams: tuple[float, ...] = (6.0, 6.0, 3.6, 6.0, 6.0, 3.0)


def fit(table: Table, chosen: NDArray[np.bool_], recipe: Recipe, weights: NDArray[np.float64]) -> Arrays:
    """The network over the chosen rows: arrays as in ``classifier.ARRAYS`` without calibration."""
    mean, scale = table.dense[chosen].mean(0), np.maximum(table.dense[chosen].std(0), _LEAST_SCALE)
    dense = sparse.csr_matrix((table.dense[chosen] - mean) / scale)
    grams = _mixed(table, recipe.grams)[chosen]
    met = np.unique(grams.indices)  # a bucket that was never met keeps no weight, not even the random one to start with
    inputs = sparse.hstack([dense, grams[:, met]], format="csr").astype(np.float32)
    classes = np.array([class_of(row) for row in table.rows])[chosen]
    if len(np.unique(classes)) < _LEAST_CLASSES:
        raise ValueError(f"expected rows of {_LEAST_CLASSES} classes or more to train on")
    with warnings.catch_warnings(), ThreadPoolExecutor(recipe.networks) as threads:
        warnings.simplefilter("ignore", ConvergenceWarning)  # training is stopped early on purpose
        train = partial(_network, inputs, classes, weights[chosen], recipe)
        nets = list(threads.map(train, range(recipe.networks)))
    first = np.concatenate([net.coefs_[0] for net in nets], axis=1)
    output, bias = _outputs(nets)
    rows = np.zeros((BUCKETS, first.shape[1]), np.int8)
    rows[met], step = _whole(first[len(NAMES) :])
    return {
        "mean": mean.astype(np.float32),
        "scale": scale.astype(np.float32),
        "dense": first[: len(NAMES)].astype(np.float32),
        "grams": rows,
        "step": step,
        "gram_scale": np.array(recipe.grams, np.float32),
        "hidden": np.concatenate([net.intercepts_[0] for net in nets]).astype(np.float32),
        "output": output,
        "bias": bias,
        "lean": np.zeros(1, np.float32),
    }


def _network(
    inputs: Any, classes: NDArray[np.int64], weights: NDArray[np.float64], recipe: Recipe, seed: int
) -> MLPClassifier:
    """One network of a recipe."""
    batch = min(recipe.batch, len(classes))
    passes = max(recipe.passes, math.ceil(recipe.least_steps / math.ceil(len(classes) / batch)))
    net = MLPClassifier(
        (recipe.units,),
        alpha=recipe.alpha,
        batch_size=batch,
        learning_rate_init=recipe.rate,
        max_iter=passes,
        random_state=seed,
    )
    return net.fit(inputs, classes, sample_weight=weights)


def _outputs(nets: Sequence[MLPClassifier]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Weights (units of all networks, classes) and bias (classes). A class that no row had is never the answer."""
    met = nets[0].classes_
    weights = np.zeros((sum(len(net.coefs_[1]) for net in nets), len(CLASSES)), np.float32)
    weights[:, met] = np.concatenate([net.coefs_[1] for net in nets])
    bias = np.full(len(CLASSES), _NEVER, np.float32)
    bias[met] = np.mean([net.intercepts_[1] for net in nets], axis=0)
    return (weights / len(nets)).astype(np.float32), bias


def class_of(row: Row) -> int:
    """The place of a row in ``CLASSES``. A contact of unknown kind counts as asking for one."""
    if row.label:
        kind = _OTHER_WORDS.get(row.kind, row.kind)
        return list(Kind).index(Kind(kind) if kind in set(Kind) else Kind.SOLICIT)
    sort = "real" if row.family.startswith(FOREIGN) else _OTHER_WORDS.get(row.kind, row.kind)
    return len(Kind) + SORTS.index(sort if sort in SORTS else "other")


def _whole(rows: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Weights as whole numbers of a step: a quarter of the size. The largest few are cut, which does no harm."""
    step = np.maximum(np.quantile(np.abs(rows), 0.9999, axis=0), np.float32(1e-6)).astype(np.float32) / _MOST_STEPS
    return np.clip(np.rint(rows / step), -_MOST_STEPS, _MOST_STEPS).astype(np.int8), step


def margins(table: Table, arrays: Arrays) -> NDArray[np.float64]:
    """The network's answer for every row."""
    dense = ((table.dense - arrays["mean"]) / arrays["scale"]) @ arrays["dense"]
    grams = _mixed(table, arrays["gram_scale"].tolist()) @ arrays["grams"].astype(np.float32)
    hidden = dense + grams * arrays["step"] + arrays["hidden"]
    logits = np.maximum(hidden, 0.0) @ arrays["output"] + arrays["bias"]
    out: NDArray[np.float64] = (log_odds(logits) + arrays["lean"] * table.dense[:, TALK]).astype(np.float64)
    return out


def _mixed(table: Table, scales: Sequence[float]) -> Any:
    """All groups of n-grams in one sparse matrix (rows, buckets), each by its scale."""
    return sum(group * np.float32(scale) for group, scale in zip(table.grams, scales, strict=True))
