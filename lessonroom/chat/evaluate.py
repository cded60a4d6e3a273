"""How good the filter is: precision, recall, false alarms with intervals, by group; and calibration.

``hold`` counts as an alarm. Intervals are Wilson's (1927), 95 %.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from typing import Any, Final

from lessonroom.chat.dataset import Row
from lessonroom.chat.types import Action

_Z: Final = 1.959964
BINS: Final = (0.0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 1.0)


@dataclass(frozen=True, slots=True)
class Judged:
    """A labelled row and what the filter did. ``talk``: whether it stopped any message of the row's conversation."""

    row: Row
    alarm: bool
    probability: float
    talk: bool | None = None

    @classmethod
    def of(cls, row: Row, action: Action, probability: float, talk: bool | None = None) -> Judged:
        """Hold and block are alarms."""
        return cls(row, action is not Action.RELAY, probability, talk)


def wilson(hits: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share; (0, 1) where there is nothing to count."""
    if not of:
        return 0.0, 1.0
    share, z2 = hits / of, _Z * _Z
    middle = (share + z2 / (2 * of)) / (1 + z2 / of)
    half = _Z * math.sqrt(share * (1 - share) / of + z2 / (4 * of * of)) / (1 + z2 / of)
    return max(middle - half, 0.0), min(middle + half, 1.0)


def _share(hits: int, of: int) -> dict[str, Any]:
    low, high = wilson(hits, of)
    return {
        "share": round(hits / of, 5) if of else None,
        "of": of,
        "count": hits,
        "low": round(low, 5),
        "high": round(high, 5),
    }


def measure(judged: Sequence[Judged]) -> dict[str, Any]:
    """Every figure of one set of rows."""
    tp = sum(j.alarm and j.row.label == 1 for j in judged)
    fn = sum(not j.alarm and j.row.label == 1 for j in judged)
    fp = sum(j.alarm and j.row.label == 0 for j in judged)
    tn = len(judged) - tp - fn - fp
    precision = tp / (tp + fp) if tp + fp else None
    recall = tp / (tp + fn) if tp + fn else None
    f1 = 2 * tp / (2 * tp + fp + fn) if tp else 0.0
    return {
        "rows": len(judged),
        "matrix": {"tp": tp, "fn": fn, "fp": fp, "tn": tn},
        "precision": None if precision is None else round(precision, 5),
        "recall": _share(tp, tp + fn),
        "false_alarms": _share(fp, fp + tn),
        "f1": None if recall is None else round(f1, 5),
    }


def report(judged: Sequence[Judged]) -> dict[str, Any]:
    """The figures of all rows, of whole conversations, of each group, and the calibration."""
    return {
        "all": measure(judged),
        "talk": measure(_talks(judged)),
        "lang": _groups(judged, lambda row: row.lang),
        "kind": _groups(judged, lambda row: row.kind if row.label else ""),
        "difficulty": _groups(judged, lambda row: row.difficulty),
        "form": _groups(judged, lambda row: "conversation" if row.context else "message"),
        "calibration": calibration(judged),
    }


def _talks(judged: Sequence[Judged]) -> list[Judged]:
    """Conversations as a lesson sees them, with the filter before every message: one that is stopped is enough."""
    return [
        replace(j, row=replace(j.row, label=max(j.row.label, j.row.before)), alarm=j.talk)
        for j in judged
        if j.talk is not None
    ]


def _groups(judged: Sequence[Judged], key: Callable[[Row], str]) -> dict[str, Any]:
    names = sorted({key(j.row) for j in judged} - {""})
    return {name: measure([j for j in judged if key(j.row) == name]) for name in names}


def calibration(judged: Sequence[Judged]) -> dict[str, Any]:
    """Brier score, and for each bin of probability how often it was a contact."""
    brier = sum((j.probability - j.row.label) ** 2 for j in judged) / len(judged) if judged else None
    table = []
    for low, high in pairwise(BINS):
        inside = [j for j in judged if low <= j.probability < high or (high == 1.0 == j.probability)]
        if inside:
            mean = sum(j.probability for j in inside) / len(inside)
            share = sum(j.row.label for j in inside) / len(inside)
            table.append(
                {"from": low, "to": high, "rows": len(inside), "mean": round(mean, 4), "contacts": round(share, 4)}
            )
    return {"brier": None if brier is None else round(brier, 5), "table": table}


@dataclass(frozen=True, slots=True)
class Step:
    """What there is at one threshold: shares, None where there is nothing to take one of."""

    threshold: float
    precision: float | None
    recall: float | None
    false_alarms: float | None


def curve(judged: Sequence[Judged]) -> list[Step]:
    """The figures at every probability that was given, lowest first, if all from there on were alarms."""
    contacts = sum(j.row.label for j in judged)
    harmless = len(judged) - contacts
    out: list[Step] = []
    tp = fp = 0
    ranked = sorted(judged, key=lambda j: -j.probability)
    for probability, same in groupby(ranked, key=lambda j: j.probability):
        labels = [j.row.label for j in same]
        tp, fp = tp + sum(labels), fp + labels.count(0)
        shares = (tp / contacts if contacts else None, fp / harmless if harmless else None)
        out.append(Step(probability, tp / (tp + fp), *shares))
    return out[::-1]


def in_words(figures: dict[str, Any]) -> Iterable[str]:
    """A report as lines of text."""
    yield _line("all", figures["all"])
    if figures["talk"]["rows"]:
        yield _line("talk, any message", figures["talk"])
    for group in ("form", "lang", "difficulty", "kind"):
        for name, part in figures[group].items():
            yield _line(f"{group} {name}", part)
    brier = figures["calibration"]["brier"]
    yield f"Brier score {brier}; probability, rows, share of contacts:"
    for row in figures["calibration"]["table"]:
        yield f"  {row['from']:.2f}-{row['to']:.2f}  {row['rows']:6}  {row['contacts']:.3f}"


def _line(name: str, part: dict[str, Any]) -> str:
    recall, alarms = part["recall"], part["false_alarms"]
    line = f"{name:20} {part['rows']:6} rows  recall {_words(recall)}  false alarms {_words(alarms)}"
    if not recall["count"] or not alarms["of"]:
        return line  # with rows of one class alone, precision says nothing
    return f"{line}  precision {part['precision']:7.2%}  F1 {part['f1']:.3f}"


def _words(share: dict[str, Any]) -> str:
    if not share["of"]:
        return f"{'-':>24}"
    return f"{share['share']:7.2%} [{share['low']:.2%}, {share['high']:.2%}]"
