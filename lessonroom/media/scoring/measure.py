"""How right the scores of labelled pictures are: from a table of labels, with scores at hand or made on the way.

A picture without a readable face is never left out silently. Three sets of figures stand side by side: ``seen`` (faces
that a lesson would count), ``read`` (every face that could be made out) and ``all`` (every labelled picture; without a
face it counts as answered wrongly).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from lessonroom.config import Settings
from lessonroom.errors import BadInput
from lessonroom.media.scoring import evaluate, score, tables
from lessonroom.media.scoring.evaluate import Probabilities, Truth
from lessonroom.media.scoring.tables import Asked
from lessonroom.media.types import EXPRESSIONS
from lessonroom.progress import Show, unseen

NOT_SCORED = "not_scored"
"""Why a labelled picture counts for nothing: there is no line with its id among the scores."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the scores say of one picture: ``chances`` in the order of ``EXPRESSIONS``, and why it was not counted."""

    chances: tuple[float, ...] | None
    unseen: str | None


@dataclass(frozen=True, slots=True)
class Judged:
    """One labelled picture: its true class, its answer, and the group it belongs to."""

    truth: int
    answer: Answer
    group: str = ""


def run(
    labels: Path,
    settings: Settings,
    *,
    scores: Path | None = None,
    cropped: bool = False,
    group: str | None = None,
    progress: Show = unseen,
) -> dict[str, Any]:
    """The figures of a table of labels. Without ``scores`` its column ``path`` says what to score.

    Raises BadInput for a table or scores that are none, and where not a single face was read.
    """
    rows = tables.labels(labels, "label", *([group] if group else []))
    key = "id" if scores is not None and "id" in rows[0] else "path"
    named = tables.by_id(rows, key, labels.name)
    truths = dict(zip(named, _classes(rows, labels.name), strict=True))
    if scores is None:
        records: Iterable[Mapping[str, Any]] = score.run(
            [[Asked(path, path) for path in named]], settings, cropped=cropped
        )
    else:
        records = tables.scores(scores)
    answers = _answers(records, named, progress)
    missing = Answer(None, NOT_SCORED)
    return figures([
        Judged(truths[name], answers.get(name, missing), row[group] if group else "") for name, row in named.items()
    ])  # fmt: skip


def figures(judged: Sequence[Judged]) -> dict[str, Any]:
    """All figures of labelled pictures; by group where they have groups. Raises BadInput where no face was read."""
    read = [each for each in judged if each.answer.chances is not None]
    if not read:
        raise BadInput(f"expected at least one face in {len(judged)} labelled pictures, found none")
    seen = [each for each in read if each.answer.unseen is None]
    groups = sorted({each.group for each in judged} - {""})
    return {
        "labelled": len(judged),
        "unseen": dict(sorted(Counter(each.answer.unseen for each in judged if each.answer.unseen).items())),
        "all": _everybody(judged),
        "read": evaluate.summary(*_table(read)),
        "seen": evaluate.summary(*_table(seen)) if seen else None,
        **(
            {"groups": {name: _group([each for each in judged if each.group == name]) for name in groups}}
            if groups
            else {}
        ),
    }


def _everybody(judged: Sequence[Judged], draws: int = 1000) -> dict[str, Any]:
    truth, chances = _table([each for each in judged if each.answer.chances is not None])
    lost = np.array([each.truth for each in judged if each.answer.chances is None], np.int64)
    matrix = evaluate.with_unanswered(evaluate.confusion(truth, chances), lost)
    return {"faces": len(judged), **evaluate.counted(matrix, draws=draws)}


def _group(judged: Sequence[Judged]) -> dict[str, Any]:
    """One group: how many of its pictures were read at all, and the scores of those."""
    read = [each for each in judged if each.answer.chances is not None]
    found = {"labelled": len(judged), "too_few": len(read) < evaluate.FEW, "all": _everybody(judged, draws=200)}
    return found | {"read": evaluate.summary(*_table(read), draws=200) if read else None}


def _table(judged: Sequence[Judged]) -> tuple[Truth, Probabilities]:
    truth = np.array([each.truth for each in judged], np.int64)
    chances = np.array([each.answer.chances for each in judged], np.float64)
    return truth, chances.reshape(-1, len(EXPRESSIONS))


def _classes(rows: Iterable[Mapping[str, str]], name: str) -> list[int]:
    numbers = {label: number for number, label in enumerate(EXPRESSIONS)}
    found = [numbers.get(row["label"].lower(), -1) for row in rows]
    if wrong := found.count(-1):
        raise BadInput(f"{name}: expected {', '.join(EXPRESSIONS)} under label, got other words in {wrong} rows")
    return found


def _answers(records: Iterable[Mapping[str, Any]], wanted: Mapping[str, Any], progress: Show) -> dict[str, Answer]:
    """The answers about wanted pictures, by id. Raises BadInput where two records are about one picture."""
    found: dict[str, Answer] = {}
    for number, record in enumerate(records, start=1):
        key = str(record["id"])
        if key in found:
            raise BadInput(f"record {number} of the scores: expected every id once, got one again")
        if key in wanted:
            found[key] = Answer(_chances(record, number), record.get("unseen"))
        progress("scoring", len(found), len(wanted))
    return found


def _chances(record: Mapping[str, Any], number: int) -> tuple[float, ...] | None:
    chances = record.get("expression")
    if chances is None:
        return None
    try:
        return tuple(float(chances[label]) for label in EXPRESSIONS)
    except (KeyError, TypeError, ValueError):
        raise BadInput(
            f"record {number} of the scores: expected a probability of each expression, got something else"
        ) from None


# --- in words --------------------------------------------------------------------------------------------------------

NAMES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "balanced_accuracy_7": "balanced, 7 classes",
    "macro_f1": "macro F1",
}
KINDS = {"all": "every picture", "read": "every face", "seen": "faces that count"}


def tell(figures: Mapping[str, Any], out: TextIO, *, as_json: bool) -> None:
    """Write the figures of :func:`run`, as one JSON object or in words."""
    lines = [json.dumps(figures)] if as_json else _in_words(figures)
    out.writelines(line + "\n" for line in lines)


def _in_words(figures: Mapping[str, Any]) -> Iterator[str]:
    yield f"{figures['labelled']} labelled pictures" + "".join(
        f"; {reason.replace('_', ' ')}: {count}" for reason, count in figures["unseen"].items()
    )
    for kind, words in KINDS.items():
        if figures[kind]:
            yield from _scores(f"{words} ({figures[kind]['faces']})", figures[kind])
    read = figures["read"]
    yield f"calibration error {read['calibration_error']:.3f}; the truth in rows, the answer in columns:"
    yield " " * 10 + "".join(f"{label:>11}" for label in EXPRESSIONS)
    for label, row in zip(EXPRESSIONS, read["confusion"], strict=True):
        yield f"{label:10}" + "".join(f"{count:11}" for count in row)
    for name, found in figures.get("groups", {}).items():
        few = ", too few to say much" if found["too_few"] else ""
        yield from _scores(f"group {name} ({found['labelled']}{few})", found["all"])


def _scores(title: str, found: Mapping[str, Any]) -> Iterator[str]:
    yield title
    for key, name in NAMES.items():
        if found[key] is not None:
            low, high = found["intervals_95"][key]
            yield f"    {name:20} {found[key]:.1%}  ({low:.1%} to {high:.1%})"
