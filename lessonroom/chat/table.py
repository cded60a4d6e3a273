"""Rows of a corpus as tables of evidence. Training only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from lessonroom.chat.dataset import Row
from lessonroom.chat.features import BUCKETS, DAMPING, GROUPS, NAMES
from lessonroom.chat.policy import ChatPolicy
from lessonroom.chat.screen import Case, evidence, look

Progress = Callable[[str, int, int], None]
"""What is being done, how much of it is done, how much there is."""


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
