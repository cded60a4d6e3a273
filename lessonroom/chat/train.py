"""Trains the classifier: corpus → evidence → three kinds of model, chosen on the validation part → npz + sidecar.

Families are never split. The comparison of the 2013 article (SVM, logistic regression, neural network; 60/20/20) is
repeated on our evidence. What ships is the line; its calibration comes from margins that every family got while it was
held out, and so do the figures of the sidecar.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from lessonroom.chat.classifier import KNOTS, interpolate
from lessonroom.chat.dataset import Row, folds
from lessonroom.chat.evaluate import Judged, report
from lessonroom.chat.features import BUCKETS, NAMES, PRIOR
from lessonroom.chat.generator import vary
from lessonroom.chat.policy import ChatPolicy
from lessonroom.chat.screen import NO_EVIDENCE, Case, evidence, look

Progress = Callable[[str, int, int], None]
"""What is being done, how much of it is done, how much there is."""

FOLDS: Final = 10
HARMLESS_WEIGHT: Final = 3.0
"""A harmless row counts this much more than a contact: the costs are not equal either."""


@dataclass(frozen=True)
class Table:
    """Evidence of rows. ``dense`` (rows, features), ``grams`` (rows, buckets) sparse, ``open``: has candidates."""

    rows: Sequence[Row]
    dense: NDArray[np.float32]
    grams: Any
    labels: NDArray[np.int64]
    open: NDArray[np.bool_]


def tabulate(rows: Sequence[Row], policy: ChatPolicy, progress: Progress = lambda what, done, of: None) -> Table:
    """The evidence of every row; a row without candidates has none."""
    dense = np.zeros((len(rows), len(NAMES)), np.float32)
    data: list[NDArray[Any]] = []
    indices: list[NDArray[Any]] = []
    starts = [0]
    is_open = np.zeros(len(rows), bool)
    for i, row in enumerate(rows):
        case: Case = look(row.text, policy, row.sender, row.context)
        if case.is_open:
            seen = evidence(case)
            is_open[i], dense[i] = True, seen.dense
            indices.append(seen.buckets)
            data.append(np.full(len(seen.buckets), 1 / math.sqrt(max(len(seen.buckets), 1)), np.float32))
        starts.append(starts[-1] + (len(indices[-1]) if is_open[i] else 0))
        if i % 200 == 0:
            progress("reading", i, len(rows))
    flat = (np.concatenate(data or [np.empty(0)]), np.concatenate(indices or [np.empty(0, np.int64)]), np.array(starts))
    grams = sparse.csr_matrix(flat, shape=(len(rows), BUCKETS))
    return Table(rows, dense, grams, np.array([row.label for row in rows]), is_open)


def more_hands(rows: Sequence[Row], times: int, seed: int) -> list[Row]:
    """Every written message ``times`` more, as other hands would type it. Conversations stay as they are."""
    random = Random(seed)
    return [
        Row(vary(row.text, random, row.lang), row.label, row.kind, row.lang, row.difficulty, row.family)
        for row in rows
        if row.lang in ("ru", "uk", "en") and not row.context
        for _ in range(times)
    ]


@dataclass(frozen=True)
class Recipe:
    """What may be chosen. ``c``: inverse strength of the penalty; ``grams``, ``prior``: how much these inputs weigh."""

    c: float = 0.2
    grams: float = 6.0
    prior: float = 3.0


def weights_of(table: Table, written: frozenset[str]) -> NDArray[np.float64]:
    """How much each row counts: harmless more than contacts, written by hand more than made up."""
    by_hand = np.array([1.0 if row.family in written else 0.35 for row in table.rows])
    return by_hand * np.where(table.labels == 1, 1.0, HARMLESS_WEIGHT)


def fit(
    table: Table, chosen: NDArray[np.bool_], recipe: Recipe, weights: NDArray[np.float64]
) -> dict[str, NDArray[np.float32]]:
    """The line over the chosen open rows: arrays as in ``classifier.ARRAYS`` without calibration."""
    use = chosen & table.open
    mean, scale = table.dense[use].mean(0), np.maximum(table.dense[use].std(0), 0.05)
    for name in PRIOR:
        scale[NAMES.index(name)] /= recipe.prior  # larger inputs pay less penalty: the rules are believed first
    inputs = sparse.hstack(
        [sparse.csr_matrix((table.dense[use] - mean) / scale), table.grams[use] * recipe.grams], format="csr"
    )
    model = LogisticRegression(C=recipe.c, max_iter=400, solver="lbfgs")
    model.fit(inputs, table.labels[use], sample_weight=weights[use])
    line = model.coef_[0].astype(np.float32)
    return {
        "mean": mean.astype(np.float32),
        "scale": scale.astype(np.float32),
        "dense": line[: len(NAMES)],
        "grams": line[len(NAMES) :],
        "gram_scale": np.array([recipe.grams], np.float32),
        "bias": model.intercept_.astype(np.float32),
    }


def margins(table: Table, arrays: dict[str, NDArray[np.float32]]) -> NDArray[np.float64]:
    """The line's answer for every row; minus infinity where there is no candidate."""
    dense = ((table.dense - arrays["mean"]) / arrays["scale"]) @ arrays["dense"]
    line = dense + (table.grams @ arrays["grams"]) * float(arrays["gram_scale"][0]) + float(arrays["bias"][0])
    return np.where(table.open, line.astype(np.float64), -np.inf)


def held_out_margins(
    table: Table,
    recipe: Recipe,
    weights: NDArray[np.float64],
    count: int,
    progress: Progress = lambda what, done, of: None,
) -> NDArray[np.float64]:
    """The margin that every row gets from a model that never saw its family."""
    out = np.full(len(table.rows), -np.inf)
    for number, part in enumerate(folds(table.rows, count)):
        held = np.zeros(len(table.rows), bool)
        held[part] = True
        out[held] = margins(table, fit(table, ~held, recipe, weights))[held]
        progress("folds", number + 1, count)
    return out


def stack(
    table: Table, held_out: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """How much the rules' own odds count beside the line, learned from margins of families that were held out.

    The new margins, and what each of ``PRIOR`` adds to the line.
    """
    use = np.isfinite(held_out)
    odds = table.dense[:, [NAMES.index(name) for name in PRIOR]]
    model = LogisticRegression(C=100.0)
    model.fit(np.column_stack((held_out[use], odds[use])), table.labels[use], sample_weight=weights[use])
    slope, *more = model.coef_[0]
    added = np.maximum(np.array(more, np.float32) / max(slope, 1e-3), 0.0)
    return np.where(use, held_out + odds @ added, -np.inf), added


def calibrate(
    held_out: NDArray[np.float64], labels: NDArray[np.int64], weights: NDArray[np.float64]
) -> dict[str, NDArray[np.float32]]:
    """The curve from margin to probability, from margins of families that were held out.

    Isotonic regression (Zadrozny and Elkan, 2002), read off at evenly filled knots; never quite 0 or 1.
    """
    use = np.isfinite(held_out)
    curve = IsotonicRegression(out_of_bounds="clip").fit(held_out[use], labels[use], sample_weight=weights[use])
    ends = np.quantile(held_out[use], (0.002, 0.998))
    knots = np.linspace(ends[0], ends[1], KNOTS)
    levels = np.maximum.accumulate(np.clip(curve.predict(knots), 0.001, 0.999))
    return {"knots": knots.astype(np.float32), "levels": levels.astype(np.float32)}


@dataclass(frozen=True)
class Trained:
    """A model that is ready to be written. ``figures``: of families while they were held out."""

    arrays: dict[str, NDArray[np.float32]]
    figures: dict[str, Any]
    counts: dict[str, int]


def build(
    written: Sequence[Row],
    made_up: Sequence[Row],
    others: Sequence[Row],
    policy: ChatPolicy,
    *,
    recipe: Recipe | None = None,
    progress: Progress = lambda what, done, of: None,
) -> Trained:
    """Train on everything, calibrate on held-out families, and measure on them: never on a row of a known family."""
    recipe = recipe or Recipe()
    rows = [*written, *others, *made_up, *more_hands(written, 1, seed=2)]
    table = tabulate(rows, policy, progress)
    by_hand = frozenset(row.family for row in (*written, *others))
    weights = weights_of(table, by_hand)
    held_out = held_out_margins(table, recipe, weights, FOLDS, progress)
    arrays = fit(table, np.ones(len(rows), bool), recipe, weights)
    even = np.where(table.labels == 1, weights, weights / HARMLESS_WEIGHT)
    held_out, added = stack(table, held_out, even)
    for name, more in zip(PRIOR, added, strict=True):
        arrays["dense"][NAMES.index(name)] += more * arrays["scale"][NAMES.index(name)]
        arrays["bias"] += more * arrays["mean"][NAMES.index(name)]
    curve = calibrate(held_out, table.labels, even)
    arrays |= curve
    real = len(written) + len(others)
    sets = {"written": range(len(written)), "others": range(len(written), real)}
    figures = {name: held_out_figures(table, held_out, curve, list(which), policy) for name, which in sets.items()}
    counts = {"written": len(written), "made_up": len(made_up), "others": len(others)}
    return Trained(arrays, figures, counts)


def held_out_figures(
    table: Table,
    held_out: NDArray[np.float64],
    curve: dict[str, NDArray[np.float32]],
    which: Sequence[int],
    policy: ChatPolicy,
) -> dict[str, Any]:
    """The report on rows, each judged by a model that never saw its family."""
    threshold = policy.block_from()
    knots, levels = curve["knots"].tolist(), curve["levels"].tolist()
    judged = []
    for i in which:
        open_ = bool(table.open[i])
        probability = interpolate(float(held_out[i]), knots, levels) if open_ else NO_EVIDENCE
        judged.append(Judged(table.rows[i], probability >= threshold, probability))
    return report(judged) if judged else {}
