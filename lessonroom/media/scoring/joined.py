"""Scored frames and people's labels of them, joined by id: what a strain head is fitted to."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lessonroom.errors import BadInput
from lessonroom.media import strain_head
from lessonroom.media.scoring import tables

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_GRADE = 10.0
MOST_WHOLE = 2**53
WORDS = {"false": 0.0, "true": 1.0, "no": 0.0, "yes": 1.0}
"""Labels that some tables have in place of 0 and 1."""
LEAST_STUDENTS = 6
LEAST_POSITIVES = 10
LOST = 0.5
"""From this share of scored frames without a row on, or the other way round, the files hardly belong together."""


@dataclass(frozen=True, slots=True)
class Table:
    """``rows`` (N, F) features in the order of ``strain_head.NAMES``, NaN for what is not there; ``embedding``
    (N, E) or None; ``student`` (N,) numbers from 0; ``grade`` (N,), NaN for a frame without a label; ``seen`` (N,):
    whether a lesson would count the frame. ``counts``: what became of the frames, in words. ``models``: name to short
    hash of those that made the scores; empty where the scores do not say.
    """

    rows: Floats = field(repr=False)
    embedding: NDArray[np.float32] | None = field(repr=False)
    student: Ints = field(repr=False)
    grade: Floats = field(repr=False)
    seen: NDArray[np.bool_] = field(repr=False)
    counts: Mapping[str, int]
    models: Mapping[str, str] = field(default_factory=dict)


def read(scores: Path, labels: Path, *, group: str, label: str = "label", at_least: float = 1.0) -> Table:
    """Join both files. Frames without a label stay: they tell what a student's face is like.

    Raises BadInput, in one line, for files that cannot be read or hardly belong together, and where there is too little
    to fit anything to.
    """
    found = tables.labels(labels, group)
    # scores that were asked for without an id have the path for one
    key = next((name for name in ("id", "path") if name in found[0]), None)
    if key is None or label not in found[0]:
        raise BadInput(f"{labels.name}: expected a column {'id or path' if key is None else label}, found none")
    rows = tables.by_id(found, key, labels.name)
    grades = {key: _grade(row[label], labels.name, label) for key, row in rows.items()}
    numbers = {name: number for number, name in enumerate(sorted({row[group] for row in rows.values()}))}
    joined = _Joined(scores.name, {key: numbers[row[group]] for key, row in rows.items()}, grades)
    try:
        for record in tables.scores(scores):
            joined.take(record)
    except OSError as error:
        raise BadInput(f"{scores.name}: expected readable scores, got: {error.strerror}") from None
    return checked(joined.table(), at_least)


class _Joined:
    """Takes records in one by one and keeps of each what a head may read."""

    def __init__(self, name: str, students: Mapping[str, int], grades: Mapping[str, float]) -> None:
        self._name, self._students, self._grades = name, students, grades
        self._counts: Counter[str] = Counter()
        self._found: dict[str, int] = {}
        self._kept: list[tuple[str, bool, Floats]] = []
        self._embeddings: list[NDArray[np.float32] | None] = []
        self._models: Mapping[str, str] | None = None

    def take(self, record: Mapping[str, Any]) -> None:
        """Raises BadInput, with file and record, for an id that was there before and for no record of a score."""
        key = str(record["id"])
        self._counts["scored"] += 1
        where = f"{self._name}: record {self._counts['scored']}"
        if key not in self._students:
            self._counts["scored_without_row"] += 1
            return
        if key in self._found:
            raise BadInput(f"{where}: expected every id once, got one again")
        self._found[key] = len(self._kept)
        self._check_models(record, where)
        seen = _seen(record, where)
        counts = record.get("unseen") is None and seen.expression is not None
        self._kept.append((key, counts, strain_head.features(seen)))
        self._embeddings.append(None if seen.embedding is None else np.asarray(seen.embedding, np.float32))

    def table(self) -> Table:
        """Everything that was joined. Frames whose features are all missing count as not seen."""
        if not self._kept:
            raise BadInput("expected scores and labels with the same ids, found no id in both")
        rows = np.array([row for _, _, row in self._kept])
        rows[~np.isfinite(rows)] = np.nan
        grade = np.array([self._grades[key] for key, _, _ in self._kept])
        seen = np.array([counts for _, counts, _ in self._kept], bool)
        return Table(
            rows,
            self._embedding(seen),
            np.array([self._students[key] for key, _, _ in self._kept], np.int64),
            grade,
            seen,
            {
                **self._counts,
                "rows_without_score": len(self._students) - len(self._found),
                "joined": len(self._kept),
                "without_label": int(np.isnan(grade).sum()),
                "unseen": int((~seen).sum()),
            },
            self._models or {},
        )

    def _check_models(self, record: Mapping[str, Any], where: str) -> None:
        """Numbers of two networks mean two things: no head can be fitted to both."""
        found = record.get("models") or {}
        if not (isinstance(found, dict) and all(isinstance(each, str) for each in found.values())):
            raise BadInput(f"{where}: expected names and hashes under models, got something else")
        if self._models is not None and found != self._models:
            raise BadInput(f"{where}: expected scores by the same models as those before, got others: score all anew")
        self._models = found

    def _embedding(self, seen: NDArray[np.bool_]) -> NDArray[np.float32] | None:
        """The embeddings, where every frame that counts has one; another frame's is then of zeros and not used."""
        given = [each for each, counts in zip(self._embeddings, seen, strict=True) if counts]
        whole = [each for each in given if each is not None and each.ndim == 1 and np.isfinite(each).all()]
        if not whole or len(whole) < len(given) or len({len(each) for each in whole}) > 1:
            return None
        empty = np.zeros_like(whole[0])
        usable = (each if each is not None and each.shape == empty.shape else empty for each in self._embeddings)
        return np.nan_to_num(np.stack(list(usable)))


def _seen(record: Mapping[str, Any], where: str) -> strain_head.Seen:
    """What a record holds for a head. Raises BadInput, which never says what stood there."""
    face = record.get("face")
    for given, name in ((face, "face"), *((record.get(name), name) for name in ("expression", "shape"))):
        if given is not None and not isinstance(given, dict):
            raise BadInput(f"{where}: expected an object or null under {name}, got {type(given).__name__}")
    face = face or {}
    seen = strain_head.of_record(record)
    lists = {"pose": face.get("pose"), "box": face.get("box"), "mesh": seen.mesh, "embedding": seen.embedding}
    for name, given in lists.items():
        if given is not None and not (isinstance(given, list) and all(map(_is_number, given))):
            raise BadInput(f"{where}: expected a list of numbers or null under {name}, got something else")
    return seen


def _is_number(value: object) -> bool:
    """JSON may hold whole numbers of any length, which no feature can."""
    return isinstance(value, float) or (isinstance(value, int) and abs(value) < MOST_WHOLE)


def checked(table: Table, at_least: float = 1.0) -> Table:
    """The same table. Raises BadInput where it is too little to fit a head to, or the files hardly belong together."""
    counts = table.counts
    lost = counts.get("scored_without_row", 0)
    if lost > LOST * counts.get("scored", 1):
        raise BadInput(f"expected a row of labels for most scored frames, found none for {lost} of {counts['scored']}")
    used = table.seen & np.isfinite(table.grade)
    students = len(np.unique(table.student[used]))
    if students < LEAST_STUDENTS:
        raise BadInput(f"expected labelled and seen frames of at least {LEAST_STUDENTS} students, got {students}")
    positive = int((table.grade[used] >= at_least).sum())
    negative = int(used.sum()) - positive
    if min(positive, negative) < LEAST_POSITIVES:
        raise BadInput(
            f"expected at least {LEAST_POSITIVES} seen frames with a label of {at_least:g} or more and as many below, "
            f"got {positive} and {negative}"
        )
    return table


def _grade(text: str, name: str, label: str) -> float:
    """A label as a number, NaN where there is none. Raises BadInput for words and for numbers that are no grade."""
    if not text:
        return math.nan
    try:
        grade = WORDS[text.lower()] if text.lower() in WORDS else float(text)
    except ValueError:
        raise BadInput(f"{name}: expected numbers from 0 up under {label} (0, 1, 2, ...), got words") from None
    if math.isnan(grade):
        return math.nan
    if not 0.0 <= grade <= MOST_GRADE:
        raise BadInput(f"{name}: expected numbers from 0 to {MOST_GRADE:g} under {label}, got another")
    return grade
