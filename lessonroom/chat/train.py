"""Trains the classifier: corpus → evidence → a network → a curve from margin to probability. Training only.

Families of our own are never split: the curve comes from margins that every family got while it was held out, and so
do the figures of the sidecar; other people's lines are held out one by one, and once more as whole sources. ``compare``
repeats the 2013 article's comparison of other models.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lessonroom.chat.calibration import calibrate_for, lean_of
from lessonroom.chat.classifier import Arrays, interpolate
from lessonroom.chat.dataset import FOREIGN, Row, folds
from lessonroom.chat.evaluate import Judged, report
from lessonroom.chat.features import TALK
from lessonroom.chat.network import Recipe, fit, margins
from lessonroom.chat.policy import ChatPolicy
from lessonroom.chat.surroundings import in_talk
from lessonroom.chat.table import Progress, Table, tabulate

FOLDS: Final = 5
HARMLESS_WEIGHT: Final = 3.0
"""A harmless row counts this much more than a contact: the costs are not equal either."""
FOREIGN_WEIGHT: Final = 0.8
IN_TALK_WEIGHT: Final = 0.3
MADE_UP_WEIGHT: Final = 0.35
CONVERSATION_WEIGHT: Final = 2.0
"""A composed conversation counts this much more than a composed message: there are few of them, and they are hard."""
MOST_ALARMS: Final = {"messages": 0.006, "conversations": 0.035, "others": 0.0009, "in_talk": 0.018}
"""False alarms that the default costs may give on rows held out: near misses that were written against the filter, by
whole families; such conversations; real ordinary lines; and copies of all of them put into talk of other lines."""


def weights_of(table: Table, sets: Mapping[str, NDArray[np.bool_]]) -> NDArray[np.float64]:
    """How much each row counts: harmless more than contacts, talks more than messages, others' and copies less."""
    weights = np.where(table.labels == 1, 1.0, HARMLESS_WEIGHT)
    foreign = np.array([row.family.startswith(FOREIGN) for row in table.rows])
    weights[foreign] *= FOREIGN_WEIGHT
    weights[sets["in_talk"] & ~foreign] *= IN_TALK_WEIGHT
    weights[sets["made_up"]] *= MADE_UP_WEIGHT
    weights[sets["conversations"]] *= CONVERSATION_WEIGHT
    return weights


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

    arrays: Arrays
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
    held_out = held_out + lean * table.dense[:, TALK]
    arrays["lean"][:] = lean
    even = np.where(table.labels == 1, weights, weights / HARMLESS_WEIGHT)
    limits = {name: (sets[name], most) for name, most in MOST_ALARMS.items()}
    curve, rarity = calibrate_for(held_out, table.labels, even, limits)
    arrays |= curve
    figures: dict[str, Any] = {"rarity": round(rarity, 3), "lean": round(lean, 3)}
    for name in ("written", "others", "in_talk"):
        figures[name] = held_out_figures(table, held_out, curve, np.flatnonzero(sets[name]).tolist(), policy)
    figures["sources"] = sources_held_out(table, recipe, weights, arrays, policy, progress)
    counts = {"written": len(written), "made_up": len(made_up), "others": len(others)}
    return Trained(arrays, figures, counts)


def sets_of(rows: Sequence[Row], written: int, alone: int, around: int) -> dict[str, NDArray[np.bool_]]:
    """Which rows are what: the first ``written`` of ``alone``, then copies in talk, then what was made up.

    ``others``: other people's ordinary lines. What people decided on the review page is in none of the sets: these rows
    came there because they are doubtful, and say nothing about how many ordinary lines are stopped.
    """
    place = np.arange(len(rows))
    talk = np.array([bool(row.context) for row in rows])
    foreign = np.array([row.family.startswith(FOREIGN) for row in rows])
    own = place < written
    return {
        "written": own,
        "messages": own & ~talk,
        "conversations": own & talk,
        "others": (place >= written) & (place < alone) & foreign,
        "in_talk": (place >= alone) & (place < alone + around),
        "made_up": place >= alone + around,
    }


def sources_held_out(  # noqa: PLR0917 - a table, and what to do with it
    table: Table,
    recipe: Recipe,
    weights: NDArray[np.float64],
    arrays: Arrays,
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
        blind["lean"][:] = arrays["lean"]
        figures = held_out_figures(table, margins(table, blind), arrays, np.flatnonzero(held).tolist(), policy)
        out[source.removeprefix(FOREIGN)] = figures["all"]
        progress("sources", number + 1, len(sources))
    return out


def held_out_figures(
    table: Table,
    held_out: NDArray[np.float64],
    curve: Arrays,
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
