"""Figures from labels and scores: joined by id, and nothing that was not read is left out silently."""

from __future__ import annotations

import json
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from lessonroom.config import Settings
from lessonroom.errors import BadInput
from lessonroom.media.scoring import measure
from lessonroom.media.types import EXPRESSIONS


def record(key: object, answer: str | None, unseen: str | None = None) -> dict[str, Any]:
    chances = {label: 0.93 if label == answer else 0.01 for label in EXPRESSIONS}
    return {"id": key, "unseen": unseen, "expression": None if answer is None else chances}


SCORES = [
    record(1, "neutral"), record("b", "anger"), record("c", "fear", "too_dark"), record("d", None, "no_face"),
    record("nobody asked", "fear"),
]  # fmt: skip
LABELS = "id,label,light\n1,neutral,day\nb,anger,day\nc,neutral,night\nd,anger,night\ne,fear,night\n"


def run(
    folder: Path, labels: str = LABELS, scores: Sequence[object] = tuple(SCORES), group: str | None = None
) -> dict[str, Any]:
    (folder / "labels.csv").write_text(labels)
    (folder / "scores.jsonl").write_text("".join(json.dumps(each) + "\n" for each in scores))
    return measure.run(folder / "labels.csv", Settings(), scores=folder / "scores.jsonl", group=group)


def test_what_was_not_read_counts_as_wrong_in_one_set_of_figures_and_is_counted_by_reason(tmp_path: Path) -> None:
    found = run(tmp_path)
    assert found["labelled"] == 5
    assert found["unseen"] == {"no_face": 1, "not_scored": 1, "too_dark": 1}
    assert (found["seen"]["faces"], found["seen"]["accuracy"]) == (2, 1.0)
    assert (found["read"]["faces"], found["read"]["accuracy"]) == (3, pytest.approx(2 / 3, abs=1e-4))
    assert (found["all"]["faces"], found["all"]["accuracy"]) == (5, 0.4)
    assert found["all"]["balanced_accuracy"] == pytest.approx((1 / 2 + 1 / 2 + 0) / 3, abs=1e-4)


def test_groups_have_figures_of_their_own_even_where_nobody_was_read(tmp_path: Path) -> None:
    labels = LABELS + "f,fear,fog\n"
    groups = run(tmp_path, labels, group="light")["groups"]
    assert {name: each["labelled"] for name, each in groups.items()} == {"day": 2, "fog": 1, "night": 3}
    assert groups["day"]["all"]["accuracy"] == 1.0
    assert groups["night"]["read"]["faces"] == 1
    assert groups["fog"]["read"] is None
    assert groups["fog"]["all"]["accuracy"] == 0.0
    assert all(each["too_few"] for each in groups.values())


def test_scores_without_ids_of_their_own_are_joined_by_path(tmp_path: Path) -> None:
    labels = "path,label\na/1.png,fear\n"
    assert run(tmp_path, labels, [record("a/1.png", "fear")])["all"]["accuracy"] == 1.0


def test_where_no_face_counts_the_others_are_still_told(tmp_path: Path) -> None:
    found = run(tmp_path, "id,label\n1,fear\n", [record(1, "fear", "blurred")])
    assert found["seen"] is None
    assert found["read"]["accuracy"] == 1.0


@pytest.mark.parametrize(
    ("labels", "scores", "says"),
    [
        ("id,label\n1,secret\n", SCORES, "labels.csv: expected neutral, .* got other words in 1 rows"),
        ("id,label\n1,fear\n1,anger\n", SCORES, "expected every id once"),
        ("name,label\n1,fear\n", SCORES, "expected something under path"),
        ("id,label\nz,fear\n", SCORES, "expected at least one face in 1 labelled pictures"),
        (LABELS, [*SCORES, SCORES[0]], "record 6 of the scores: expected every id once"),
        (LABELS, [{"id": 1, "expression": {"secret": 1}}], "record 1 of the scores: expected a probability"),
        (LABELS, [{"id": 1, "expression": "secret"}], "record 1 of the scores: expected a probability"),
        (LABELS, [["secret"]], "scores.jsonl:1: expected a JSON object"),
    ],
)
def test_what_cannot_be_measured_is_told_without_its_words(
    labels: str, scores: list[object], says: str, tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match=says) as told:
        run(tmp_path, labels, scores)
    assert "secret" not in str(told.value)


def test_labels_may_be_written_with_capitals(tmp_path: Path) -> None:
    assert run(tmp_path, "id,label\n1,Neutral\n")["all"]["accuracy"] == 1.0


def test_the_figures_are_for_people_and_for_programs(tmp_path: Path) -> None:
    found = run(tmp_path, group="light")
    out, spoken = StringIO(), StringIO()
    measure.tell(found, out, as_json=True)
    assert json.loads(out.getvalue()) == found
    measure.tell(found, spoken, as_json=False)
    text = spoken.getvalue()
    for words in ("5 labelled pictures; no face: 1", "every picture (5)", "group night (3, too few to say much)"):
        assert words in text
