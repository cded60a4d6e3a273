"""Scores and labels joined: what does not fit is told in one line, what is missing is counted."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from lessonroom.errors import BadInput
from lessonroom.media.scoring import joined
from lessonroom.media.strain_head import NAMES
from tests.media.frustration import MESH, files, made


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    return files(tmp_path, made(1, students=12, frames=20))


def read(pair: tuple[Path, Path], **more: str) -> joined.Table:
    return joined.read(*pair, group="subject", **more)


def changed(path: Path, number: int, **keys: object) -> None:
    lines = path.read_text().splitlines()
    lines[number] = json.dumps(json.loads(lines[number]) | keys)
    path.write_text("\n".join(lines) + "\n")


def test_frames_are_joined_by_id_with_their_student_and_grade(pair: tuple[Path, Path]) -> None:
    table, origin = read(pair), made(1, students=12, frames=20).table
    assert table.rows[:, MESH:] == pytest.approx(origin.rows[:, MESH:])
    assert (table.grade == origin.grade).all()
    assert len(np.unique(table.student)) == 12
    assert table.seen.all()
    assert table.rows[0, NAMES.index("turn.pitch")] == pytest.approx(2 / 30)


def test_a_face_that_does_not_count_or_is_not_there_is_counted_as_unseen(pair: tuple[Path, Path]) -> None:
    changed(pair[0], 0, unseen="blurred")
    changed(pair[0], 1, unseen="no_face", expression=None, mesh=None, shape=None, face=None)
    table = read(pair)
    assert table.counts["unseen"] == 2
    assert np.isfinite(table.rows[0]).all()
    assert np.isnan(table.rows[1]).all()


def test_a_missing_mesh_or_a_nan_is_missing_and_no_zero(pair: tuple[Path, Path]) -> None:
    changed(pair[0], 0, mesh=None)
    changed(pair[0], 1, quality=float("nan"), mesh=[float("inf")] * 64)
    table = read(pair)
    assert np.isnan(table.rows[:2, MESH:]).all()
    assert table.seen.all()


def test_labels_that_are_empty_or_nan_leave_the_frame_as_one_without_label(pair: tuple[Path, Path]) -> None:
    text = pair[1].read_text().replace("f0,s0,0\n", "f0,s0,\n").replace("f1,s0,0\n", "f1,s0,nan\n")
    pair[1].write_text(text)
    assert read(pair).counts["without_label"] == 2


def test_frames_of_one_file_alone_are_counted(pair: tuple[Path, Path]) -> None:
    pair[0].write_text("".join(pair[0].read_text().splitlines(keepends=True)[:-3]))
    pair[1].write_text(pair[1].read_text().replace("f0,s0,0\n", ""))
    counts = read(pair).counts
    assert counts["rows_without_score"] == 3
    assert counts["scored_without_row"] == 1


@pytest.mark.parametrize("words", ["none", "strong", "0,5", "-1", "11"])
def test_labels_that_are_no_grades_are_refused_without_being_repeated(pair: tuple[Path, Path], words: str) -> None:
    pair[1].write_text(
        pair[1].read_text().replace("f5,s0,0\n", f'f5,s0,"{words}"\n').replace("f5,s0,1\n", f'f5,s0,"{words}"\n')
    )
    with pytest.raises(BadInput, match=r"labels\.csv: expected numbers from 0") as error:
        read(pair)
    assert "strong" not in str(error.value)


def test_the_same_id_twice_is_refused_in_either_file(pair: tuple[Path, Path]) -> None:
    scores, labels = (path.read_text() for path in pair)
    pair[0].write_text(scores + scores.splitlines()[0] + "\n")
    with pytest.raises(BadInput, match=r"scores\.jsonl: record 241: expected every id once"):
        read(pair)
    pair[0].write_text(scores)
    pair[1].write_text(labels + "f0,s0,1\n")
    with pytest.raises(BadInput, match="once"):
        read(pair)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("face", "secret"),
        ("face", {"box": "secret words", "pose": None, "score": 1.0}),
        ("face", {"box": None, "pose": {"secret": 1}, "score": 1.0}),
        ("face", {"box": None, "pose": 5, "score": 1.0}),
        ("expression", [1, 2]),
        ("expression", "secret"),
        ("shape", 3),
        ("mesh", 3),
        ("mesh", ["secret"] * 64),
        ("embedding", "secret words"),
        ("embedding", ["secret", 2]),
        ("embedding", [[1.0], [2.0]]),
        ("embedding", [10**400, 2]),
    ],
)
def test_a_record_of_no_score_is_refused_with_its_place_and_never_repeated(
    pair: tuple[Path, Path], name: str, wrong: object
) -> None:
    changed(pair[0], 4, **{name: wrong})
    with pytest.raises(BadInput, match=r"^scores\.jsonl: record 5: expected an? (object|list of numbers)") as error:
        read(pair)
    assert "secret" not in str(error.value)


def test_numbers_too_long_for_a_feature_are_missing(pair: tuple[Path, Path]) -> None:
    changed(pair[0], 0, quality=10**400)
    assert np.isnan(read(pair).rows[0, NAMES.index("quality")])


def test_a_column_that_is_not_there_is_named(pair: tuple[Path, Path]) -> None:
    with pytest.raises(BadInput, match="column frustration"):
        read(pair, label="frustration")


def test_frames_may_be_joined_by_path_and_ids_may_be_numbers(tmp_path: Path) -> None:
    scores, labels = files(tmp_path, made(1, students=12, frames=20), labels="path,subject,label\n")
    scores.write_text(scores.read_text().replace('"id": "f7"', '"id": 7'))
    labels.write_text(labels.read_text().replace("f7,", "7,"))
    assert read((scores, labels)).counts["joined"] == 240


def test_a_table_without_ids_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="expected a column id or path"):
        read(files(tmp_path, made(1, students=12, frames=20), labels="frame,subject,label\n"))


def test_files_that_do_not_belong_together_are_refused(pair: tuple[Path, Path]) -> None:
    pair[0].write_text(pair[0].read_text().replace('"id": "f', '"id": "g'))
    with pytest.raises(BadInput, match="found no id in both"):
        read(pair)


def test_too_little_to_fit_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="at least 6 students, got 5"):
        read(files(tmp_path, made(1, students=5, frames=60)))
    with pytest.raises(BadInput, match="at least 10 seen frames"):
        read(files(tmp_path, made(1, students=10, frames=4)))


def test_scores_by_two_networks_are_refused_and_those_by_one_are_named(pair: tuple[Path, Path]) -> None:
    """Their numbers mean two things; a file of which nobody wrote what made it is taken as before."""
    assert read(pair).models == {}
    changed(pair[0], 3, models={"expression": "0" * 12})
    with pytest.raises(BadInput, match=r"^scores\.jsonl: record 4: expected scores by the same models"):
        read(pair)
    for number in range(240):
        changed(pair[0], number, models={"expression": "1" * 12})
    assert read(pair).models == {"expression": "1" * 12}


@pytest.mark.parametrize("wrong", ["secret", {"expression": 5}])
def test_models_that_are_no_names_and_hashes_are_refused(pair: tuple[Path, Path], wrong: object) -> None:
    changed(pair[0], 0, models=wrong)
    with pytest.raises(BadInput, match=r"^scores\.jsonl: record 1: expected names and hashes") as error:
        read(pair)
    assert "secret" not in str(error.value)


def test_labels_may_be_true_and_false(pair: tuple[Path, Path]) -> None:
    plain = read(pair).grade
    text = pair[1].read_text().replace(",2\n", ",1\n")
    pair[1].write_text(text.replace(",0\n", ",False\n").replace(",1\n", ",true\n"))
    assert (read(pair).grade == np.minimum(plain, 1.0)).all()
