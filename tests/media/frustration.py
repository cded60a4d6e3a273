"""Made-up students whose truth is known: scored frames with labels, as a table or as the files of the command."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lessonroom.media.scoring.joined import Table
from lessonroom.media.strain_head import NAMES
from lessonroom.media.types import EXPRESSIONS

MESH = NAMES.index("mesh.00")


@dataclass(frozen=True)
class Made:
    """A table, and for each frame what of its grade can be known from the face: within and between students."""

    table: Table
    within: np.ndarray
    between: np.ndarray


def made(
    seed: int, *, students: int = 40, frames: int = 40, shift: float = 0.8, identity: float = 0.0, strong: float = 0.07
) -> Made:
    """Students whose mesh says who they are, and how they feel by ``shift`` on two of its numbers.

    ``identity``: how much the label follows a number that never changes within a student. About a fifth of the frames
    have a label of 1 or more, a share ``strong`` of 2.
    """
    random = np.random.default_rng(seed)
    student = np.repeat(np.arange(students), frames)
    who, rows = random.normal(size=(students, 64)), np.zeros((len(student), len(NAMES)))
    rows[:, :MESH] = random.normal(size=(len(student), MESH)) * 0.1
    now = random.normal(size=(len(student), 64)) * 0.5
    rows[:, MESH:] = who[student] + now
    within = shift * (now[:, 3] - now[:, 11]) / 0.5 / np.sqrt(2)
    between = identity * who[student, 5]
    level = random.normal(size=students) * 0.7
    felt = within + between + level[student] + random.normal(size=len(student))
    first, second = np.quantile(felt, [0.8, 1 - strong])
    grade = (felt > first).astype(float) + (felt > second)
    seen = np.ones(len(student), bool)
    return Made(Table(rows, None, student, grade, seen, {"joined": len(student)}), within, between)


def files(folder: Path, made_up: Made, *, labels: str = "id,subject,label\n") -> tuple[Path, Path]:
    """The same as scores (JSONL) and labels (CSV)."""
    scores, table = folder / "scores.jsonl", folder / "labels.csv"
    rows = made_up.table.rows
    with scores.open("w") as file:
        for number, row in enumerate(rows):
            file.write(json.dumps(record(f"f{number}", row)) + "\n")
    with table.open("w") as file:
        file.write(labels)
        for number, (who, grade) in enumerate(zip(made_up.table.student, made_up.table.grade, strict=True)):
            file.write(f"f{number},s{who},{grade:g}\n")
    return scores, table


def record(key: str, row: np.ndarray) -> dict[str, object]:
    """One line of scores with the mesh of a row and an ordinary face."""
    chances = np.exp(row[: len(EXPRESSIONS)])
    return {
        "id": key,
        "face": {"box": [0.3, 0.2, 0.3, 0.4], "pose": [1.0, 2.0, 3.0], "score": 0.9},
        "unseen": None,
        "quality": 0.8,
        "expression": dict(zip(EXPRESSIONS, (chances / chances.sum()).tolist(), strict=True)),
        "strain": None,
        "shape": {"brow": 1.0, "brow_gap": 1.0, "eye": 0.9, "mouth": 1.0, "mouth_open": 1.0, "mouth_corners": 1.0},
        "mesh": row[MESH:].tolist(),
    }
