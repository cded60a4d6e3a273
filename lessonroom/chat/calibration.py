"""From the classifier's margin to a probability, learned on rows that were held out. Training only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.isotonic import IsotonicRegression

from lessonroom.chat.classifier import KNOTS
from lessonroom.chat.policy import ChatPolicy

_RAREST: Final = 1000.0
_STEP: Final = 1.1
MOST_LEAN: Final = 1.5


def calibrate(
    held_out: NDArray[np.float64], labels: NDArray[np.int64], weights: NDArray[np.float64]
) -> dict[str, NDArray[np.float32]]:
    """The curve from margin to probability.

    Isotonic regression (Zadrozny and Elkan, 2002), read off at even knots; never quite 0 or 1.
    """
    curve = IsotonicRegression(out_of_bounds="clip").fit(held_out, labels, sample_weight=weights)
    ends = np.quantile(held_out, (0.002, 0.998))
    knots = np.linspace(ends[0], ends[1], KNOTS)
    levels = np.maximum.accumulate(np.clip(curve.predict(knots), 0.001, 0.999))
    return {"knots": knots.astype(np.float32), "levels": levels.astype(np.float32)}


def calibrate_for(
    held_out: NDArray[np.float64],
    labels: NDArray[np.int64],
    weights: NDArray[np.float64],
    limits: Mapping[str, tuple[NDArray[np.bool_], float]],
) -> tuple[dict[str, NDArray[np.float32]], float]:
    """The curve for a chat in which contacts are as rare as the allowed false alarms ask for, and how rare that is.

    A probability belongs to a mixture, and in a corpus contacts are far more frequent than in a chat. The harmless rows
    are weighed up, step by step, until the default costs keep to ``limits`` (rows, and the share of the harmless ones
    among them that may be stopped) on rows held out.
    """
    threshold, harmless, rarity = ChatPolicy().block_from(), labels == 0, 1.0
    while True:
        curve = calibrate(held_out, labels, np.where(labels == 1, weights, weights * rarity))
        stopped = np.interp(held_out, curve["knots"], curve["levels"]) >= threshold
        kept = all(stopped[rows & harmless].sum() <= most * (rows & harmless).sum() for rows, most in limits.values())
        if kept or rarity > _RAREST:
            return curve, rarity
        rarity *= _STEP


def lean_of(
    held_out: NDArray[np.float64],
    labels: NDArray[np.int64],
    messages: NDArray[np.bool_],
    conversations: NDArray[np.bool_],
    limits: Mapping[str, float],
) -> float:
    """What to add to the margin of a message in a conversation, so that both kinds use up their false alarms.

    0 to ``MOST_LEAN``: a conversation may cost more false alarms than a message by itself, as pieces of a contact look
    more like pieces of an exercise than a contact looks like a sentence.
    """
    ends = [
        np.quantile(held_out[rows & (labels == 0)], 1 - limits[name])
        for name, rows in (("messages", messages), ("conversations", conversations))
        if (rows & (labels == 0)).any()
    ]
    return float(np.clip(ends[0] - ends[1], 0.0, MOST_LEAN)) if len(ends) == 2 else 0.0
