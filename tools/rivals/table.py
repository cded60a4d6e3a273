"""Networks side by side on the same labelled faces, from the answers that ``ask.py`` wrote.

    python tools/rivals/table.py labels.csv work lessonroom fer human face-api

Lessonroom's network comes first and is read in one way: faces brought into line and, with their mirror images,
looked at twice, as ``lessonroom vision score`` does. Every other one may be read in four ways (as cut or brought into
line, one look or two); the way that is best for it on these very pictures counts. None of the others knows contempt, so
each score is there twice: for all faces, where they must miss contempt, and for faces of the other seven expressions.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lessonroom.media.scoring.evaluate import accuracy_of, confusion, interval, macro_f1_of
from lessonroom.media.types import EXPRESSIONS

DRAWS = 1000
SEVEN = len(EXPRESSIONS) - 1
"""Contempt is the last of the eight."""

Answers = NDArray[np.float32]
Matrix = NDArray[np.int64]


@dataclass(frozen=True)
class Reading:
    """What a network said (N, 8) of the faces of one way of spoiling, and in which way it was asked."""

    network: str
    way: str
    said: Answers


def main(labels: Path, work: Path, networks: list[str]) -> None:
    """Print a table for each way of spoiling that all networks were asked about."""
    with labels.open(encoding="utf-8", newline="") as file:
        truth = np.array([EXPRESSIONS.index(row["label"]) for row in csv.DictReader(file)])
    names = {file.name.split(".")[0] for file in work.glob("*.npy")}
    for name in sorted(names, key=lambda each: (each != "clean", each)):
        rows = [best(truth, readings(work, network, name)) for network in networks]
        print("\n".join(table(name, truth, rows)))


def readings(work: Path, network: str, name: str) -> list[Reading]:
    """The ways in which a network was asked: all four, but only its own for Lessonroom."""
    found = []
    for cut in ("aligned",) if network == "lessonroom" else ("cut", "aligned"):
        one, other = np.load(work / network / f"{name}.{cut}.npy")
        found.append(Reading(network, f"{cut}, two looks", (one + other) / 2))
        if network != "lessonroom":
            found.append(Reading(network, f"{cut}, one look", one))
    return found


def best(truth: NDArray[np.int64], ways: list[Reading]) -> Reading:
    """The way with the highest macro-F1 over seven expressions."""
    return max(ways, key=lambda each: f1_of_seven(without_contempt(confusion(truth, each.said))))


def without_contempt(matrix: Matrix) -> Matrix:
    """The faces of the other seven expressions; to call one of them contempt stays wrong."""
    return matrix[:SEVEN]


def f1_of_seven(matrix: Matrix) -> float:
    """Mean F1 of seven expressions, from a confusion (7, 8); those without a face are left out."""
    faces, answers = matrix.sum(axis=1), matrix.sum(axis=0)[:SEVEN]
    return float(np.mean((2 * np.diag(matrix) / np.maximum(faces + answers, 1))[faces > 0]))


def balanced_of(matrix: Matrix) -> float:
    """Mean recall of the expressions that occur."""
    faces = matrix.sum(axis=1)
    return float(np.mean((np.diag(matrix) / np.maximum(faces, 1))[faces > 0]))


def behind(truth: NDArray[np.int64], ours: Answers, theirs: Answers) -> tuple[float, float, float]:
    """How far a network's macro-F1 over seven is behind ours, with the 95 % interval: the same faces drawn for both."""
    mine, yours = ours.argmax(axis=1), theirs.argmax(axis=1)
    kept = np.flatnonzero(truth < SEVEN)
    # one cell a face for (truth, our answer, their answer), so that both are drawn together
    cells = np.ravel_multi_index((truth[kept], mine[kept], yours[kept]), (SEVEN, 8, 8))
    counts = np.bincount(cells, minlength=SEVEN * 64)

    def gap(drawn: Matrix) -> float:
        cube = drawn.reshape(SEVEN, 8, 8)
        return f1_of_seven(cube.sum(axis=2)) - f1_of_seven(cube.sum(axis=1))

    draws = np.random.default_rng(0).multinomial(len(kept), counts / len(kept), size=DRAWS)
    low, high = np.percentile([gap(each) for each in draws], [2.5, 97.5])
    return gap(counts), float(low), float(high)


def table(name: str, truth: NDArray[np.int64], rows: list[Reading]) -> list[str]:
    """Lines of Markdown."""
    lines = [
        "",
        f"{name}: {len(truth)} faces, {int((truth == SEVEN).sum())} of contempt",
        "",
        "| network | read | accuracy | balanced | macro-F1 | accuracy, 7 | balanced, 7 | macro-F1, 7 | behind ours |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    return [*lines, *(_row(truth, each, rows[0]) for each in rows), ""]


def _row(truth: NDArray[np.int64], each: Reading, ours: Reading) -> str:
    matrix = confusion(truth, each.said)
    seven = without_contempt(matrix)
    scores = [
        *(_scored(score, matrix) for score in (accuracy_of, balanced_of, macro_f1_of)),
        *(_scored(score, seven) for score in (accuracy_of, balanced_of, f1_of_seven)),
    ]
    gap = "" if each is ours else _ends(*behind(truth, ours.said, each.said))
    return f"| {each.network} | {each.way} | {' | '.join(scores)} | {gap} |"


def _scored(score: Callable[[Matrix], float], matrix: Matrix) -> str:
    return _ends(score(matrix), *interval(score, matrix, draws=DRAWS))


def _ends(value: float, low: float, high: float) -> str:
    """In per cent, with the interval."""
    return f"{100 * value:.1f} ({100 * low:.1f} to {100 * high:.1f})"


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit("expected: table.py labels.csv work lessonroom [NETWORK ...]")
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
