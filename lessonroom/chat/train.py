"""Trains the classifier: corpus → evidence → a line → a curve from margin to probability. Training only.

Families are never split: the curve comes from margins that every family got while it was held out, and so do the
figures of the sidecar. ``compare`` repeats the 2013 article's comparison of other models.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from lessonroom.chat.calibration import calibrate_for, lean_of
from lessonroom.chat.classifier import interpolate
from lessonroom.chat.dataset import FOREIGN, Row, folds
from lessonroom.chat.evaluate import Judged, report
from lessonroom.chat.features import BUCKETS, DAMPING, GROUPS, NAMES, PRIOR
from lessonroom.chat.policy import ChatPolicy
from lessonroom.chat.screen import Case, evidence, look
from lessonroom.chat.surroundings import in_talk

_TALK: Final = NAMES.index("talk")
Progress = Callable[[str, int, int], None]
"""What is being done, how much of it is done, how much there is."""

FOLDS: Final = 10
HARMLESS_WEIGHT: Final = 3.0
"""A harmless row counts this much more than a contact: the costs are not equal either."""
FOREIGN_WEIGHT: Final = 0.4
IN_TALK_WEIGHT: Final = 0.3
MADE_UP_WEIGHT: Final = 0.35
MOST_ALARMS: Final = {"messages": 0.003, "conversations": 0.02, "others": 0.0008, "in_talk": 0.006}
"""False alarms that the default costs may give on rows held out: hard harmless lines, conversations, real ordinary
lines, and both of them in ordinary talk."""


@dataclass(frozen=True)
class Table:
    """Evidence of rows. ``dense`` (rows, features); ``grams``: for each group (rows, buckets), sparse."""

    rows: Sequence[Row]
    dense: NDArray[np.float32]
    grams: tuple[Any, ...]
    labels: NDArray[np.int64]


def tabulate(rows: Sequence[Row], policy: ChatPolicy, progress: Progress = lambda what, done, of: None) -> Table:
    """The evidence of every row. A row that is too long to be read has none."""
    dense = np.zeros((len(rows), len(NAMES)), np.float32)
    buckets: list[list[NDArray[np.int64]]] = [[] for _ in GROUPS]
    for i, row in enumerate(rows):
        case: Case = look(row.text, policy, row.sender, row.context)
        seen = None if case.too_long else evidence(case)
        if seen is not None:
            dense[i] = seen.dense
        for place, column in enumerate(buckets):
            column.append(seen.grams[place] if seen is not None else np.empty(0, np.int64))
        if i % 200 == 0:
            progress("reading", i, len(rows))
    grams = tuple(_sparse(column, damping) for column, damping in zip(buckets, DAMPING, strict=True))
    return Table(rows, dense, grams, np.array([row.label for row in rows]))


def _sparse(column: Sequence[NDArray[np.int64]], damping: float) -> Any:
    """Buckets of every row as a matrix (rows, buckets)."""
    sizes = np.array([len(buckets) for buckets in column])
    values = np.repeat(1 / np.sqrt(sizes + damping), sizes).astype(np.float32)
    starts = np.concatenate(([0], np.cumsum(sizes)))
    return sparse.csr_matrix((values, np.concatenate(column), starts), shape=(len(column), BUCKETS))


@dataclass(frozen=True)
class Recipe:
    """What may be chosen. ``c``: inverse strength of the penalty; ``grams``: how much each group weighs; ``prior``."""

    c: float = 0.2
    grams: tuple[float, ...] = (20.0, 20.0, 12.0, 12.0, 12.0, 6.0)
    prior: float = 3.0


def weights_of(table: Table, sets: Mapping[str, NDArray[np.bool_]]) -> NDArray[np.float64]:
    """How much each row counts: harmless more than contacts, composed by itself more than foreign, copied, made up."""
    weights = np.where(table.labels == 1, 1.0, HARMLESS_WEIGHT)
    foreign = np.array([row.family.startswith(FOREIGN) for row in table.rows])
    weights[foreign] *= FOREIGN_WEIGHT
    weights[sets["in_talk"] & ~foreign] *= IN_TALK_WEIGHT
    weights[sets["made_up"]] *= MADE_UP_WEIGHT
    return weights


def fit(
    table: Table, chosen: NDArray[np.bool_], recipe: Recipe, weights: NDArray[np.float64]
) -> dict[str, NDArray[np.float32]]:
    """The line over the chosen rows: arrays as in ``classifier.ARRAYS`` without calibration."""
    mean, scale = table.dense[chosen].mean(0), np.maximum(table.dense[chosen].std(0), 0.05)
    for name in PRIOR:
        scale[NAMES.index(name)] /= recipe.prior  # larger inputs pay less penalty: the rules are believed first
    grams = sum(group[chosen] * weight for group, weight in zip(table.grams, recipe.grams, strict=True))
    dense = sparse.csr_matrix((table.dense[chosen] - mean) / scale)
    inputs = sparse.hstack([dense, grams], format="csr").astype(np.float32)
    model = LogisticRegression(C=recipe.c, max_iter=200, tol=1e-3)
    model.fit(inputs, table.labels[chosen], sample_weight=weights[chosen])
    line = model.coef_[0].astype(np.float32)
    return {
        "mean": mean.astype(np.float32),
        "scale": scale.astype(np.float32),
        "dense": line[: len(NAMES)],
        "grams": line[len(NAMES) :],
        "gram_scale": np.array(recipe.grams, np.float32),
        "bias": model.intercept_.astype(np.float32),
    }


def margins(table: Table, arrays: dict[str, NDArray[np.float32]]) -> NDArray[np.float64]:
    """The line's answer for every row."""
    line = ((table.dense - arrays["mean"]) / arrays["scale"]) @ arrays["dense"] + float(arrays["bias"][0])
    for group, scale in zip(table.grams, arrays["gram_scale"], strict=True):
        line = line + (group @ arrays["grams"]) * float(scale)
    out: NDArray[np.float64] = line.astype(np.float64)
    return out


def held_out_margins(
    table: Table,
    recipe: Recipe,
    weights: NDArray[np.float64],
    count: int,
    progress: Progress = lambda what, done, of: None,
) -> NDArray[np.float64]:
    """The margin that every row gets from a model that never saw its family."""
    out = np.zeros(len(table.rows))
    for number, part in enumerate(folds(table.rows, count)):
        held = np.zeros(len(table.rows), bool)
        held[part] = True
        out[held] = margins(table, fit(table, ~held, recipe, weights))[held]
        progress("folds", number + 1, count)
    return out


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
    alone = [*written, *others]
    around = in_talk(alone, seed=3)
    rows = [*alone, *around, *made_up]
    table = tabulate(rows, policy, progress)
    sets = sets_of(rows, len(written), len(alone), len(around))
    weights = weights_of(table, sets)
    held_out = held_out_margins(table, recipe, weights, FOLDS, progress)
    arrays = fit(table, np.ones(len(rows), bool), recipe, weights)
    lean = lean_of(held_out, table.labels, sets["messages"], sets["conversations"], MOST_ALARMS)
    held_out = held_out + lean * table.dense[:, _TALK]
    lean_on(arrays, lean)
    even = np.where(table.labels == 1, weights, weights / HARMLESS_WEIGHT)
    limits = {name: (sets[name], most) for name, most in MOST_ALARMS.items()}
    curve, rarity = calibrate_for(held_out, table.labels, even, limits)
    arrays |= curve
    figures: dict[str, Any] = {"rarity": round(rarity, 3), "lean": round(lean, 3)}
    for name in ("written", "others", "in_talk"):
        figures[name] = held_out_figures(table, held_out, curve, np.flatnonzero(sets[name]).tolist(), policy)
    figures["sources"] = sources_held_out(table, recipe, weights, arrays, lean, policy, progress)
    counts = {"written": len(written), "made_up": len(made_up), "others": len(others)}
    return Trained(arrays, figures, counts)


def lean_on(arrays: dict[str, NDArray[np.float32]], lean: float) -> None:
    """Add ``lean`` to the margin of every message that has others before it."""
    arrays["dense"][_TALK] += lean * arrays["scale"][_TALK]
    arrays["bias"] += lean * arrays["mean"][_TALK]


def sets_of(rows: Sequence[Row], written: int, alone: int, around: int) -> dict[str, NDArray[np.bool_]]:
    """Which rows are what: the first ``written`` of ``alone``, then copies in talk, then what was made up."""
    place = np.arange(len(rows))
    talk = np.array([bool(row.context) for row in rows])
    own = place < written
    return {
        "written": own,
        "messages": own & ~talk,
        "conversations": own & talk,
        "others": (place >= written) & (place < alone),
        "in_talk": (place >= alone) & (place < alone + around),
        "made_up": place >= alone + around,
    }


def sources_held_out(  # noqa: PLR0917 - a table, and what to do with it
    table: Table,
    recipe: Recipe,
    weights: NDArray[np.float64],
    arrays: dict[str, NDArray[np.float32]],
    lean: float,
    policy: ChatPolicy,
    progress: Progress,
) -> dict[str, Any]:
    """Of each source of other people's texts: the figures of a model that was never asked to judge one of its lines.

    By themselves and in talk; ``arrays``: the shipped model, whose curve counts.
    """
    sources = sorted({row.family for row in table.rows if row.family.startswith(FOREIGN)})
    out = {}
    for number, source in enumerate(sources):
        held = np.array([row.family == source for row in table.rows])
        blind = fit(table, ~held, recipe, weights)
        lean_on(blind, lean)
        figures = held_out_figures(table, margins(table, blind), arrays, np.flatnonzero(held).tolist(), policy)
        out[source.removeprefix(FOREIGN)] = figures["all"]
        progress("sources", number + 1, len(sources))
    return out


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
        probability = interpolate(float(held_out[i]), knots, levels)
        judged.append(Judged(table.rows[i], probability >= threshold, probability))
    return report(judged) if judged else {}
