"""What the linear maps are compared with: logistic regression and boosted trees on the same features and students."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from lessonroom.media.scoring import folds, scales
from lessonroom.media.scoring.scales import Frames

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

FOLDS = 5
Make = Callable[[int], Any]
"""A seed -> an estimator with ``fit(x, y)`` and ``decision_function(x)``."""


def _logistic(_: int) -> Any:
    return LogisticRegression(C=0.003, max_iter=500)


def _boosting(seed: int) -> Any:
    return HistGradientBoostingClassifier(
        max_iter=60, learning_rate=0.06, max_leaf_nodes=8, min_samples_leaf=60, l2_regularization=10.0,
        max_features=0.3, early_stopping=False, random_state=seed,
    )  # fmt: skip


RIVALS: Mapping[str, Make] = {"logistic": _logistic, "boosting": _boosting}


def scored(frames: Frames, used: Bools, at_least: float, make: Make, seed: int) -> Floats:
    """Scores (N,) by models of other students, of the features and of their change against the student's own mean."""
    random = np.random.default_rng(seed)
    fold = folds.folds(frames, FOLDS, at_least, random)
    found = np.zeros(len(fold))
    positive = frames.grade >= at_least
    for number in np.unique(fold):
        train = used & (fold != number)
        scale = scales.Scale.of(frames.only(train))
        numbers = scale.standard(frames)
        both = np.hstack([numbers, scales.change(numbers, frames.student)])
        if len(np.unique(positive[train])) < 2:
            continue
        model = make(seed)
        model.fit(both[train], positive[train])
        score = model.decision_function(both)
        found[fold == number] = (score - score[used].mean())[fold == number]
    return found
