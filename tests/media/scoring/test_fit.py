"""The fit on made-up students: it finds what is there, finds nothing where nothing is, and hands out what it found."""

from __future__ import annotations

import io
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lessonroom.media import strain_head
from lessonroom.media.scoring import fit, folds, ranks, release
from lessonroom.media.scoring.fit import Options
from lessonroom.media.scoring.joined import Table
from tests.media.frustration import MESH, Made, files, made, record

QUICK = Options(rounds=1, draws=100, blocks=("mesh",), quick=True)


def oracle(made_up: Made) -> float:
    table = made_up.table
    return ranks.within(table.grade >= 1, made_up.within, table.student).mean


def test_a_shift_of_the_mesh_is_found_within_students() -> None:
    """As well as one who knows which two numbers count, within a twentieth."""
    made_up = made(1, students=60, frames=50)
    found = fit.fit(made_up.table, QUICK).figures
    assert found["within"] > 0.95 * oracle(made_up)
    low, high = found["within_95"]
    assert low < found["within"] < high
    assert found["levels"]["2"]["change"]["within"] > 0.6


def test_who_somebody_is_does_not_pass_for_how_they_feel() -> None:
    """The labels hang on identity alone. Frames split at random would let a fit learn every student by heart.

    Over worlds like these the figure has mean 0.50 and deviation 0.04.
    """
    found = [fit.fit(made(seed, shift=0.0, identity=1.5).table, QUICK).figures for seed in (5, 7, 8)]
    assert np.mean([each["within"] for each in found]) == pytest.approx(0.5, abs=0.06)
    assert np.mean([each["levels"]["1"]["frame"]["auc"] for each in found]) < 0.75


def test_nothing_to_find_gives_a_coin() -> None:
    found = fit.fit(made(3, shift=0.0).table, QUICK).figures
    assert found["auc"] == pytest.approx(0.5, abs=0.09)
    assert found["within"] == pytest.approx(0.5, abs=0.09)


def test_no_student_is_on_both_sides_of_a_fold() -> None:
    frames, _, _ = fit._frames(made(4, students=23).table, ("mesh",))
    fold = folds.folds(frames, 10, 1.0, np.random.default_rng(1))
    assert all(len(np.unique(fold[frames.student == each])) == 1 for each in range(23))
    assert np.bincount([fold[frames.student == each][0] for each in range(23)]).tolist().count(2) >= 7


def test_one_long_recording_does_not_own_the_fit() -> None:
    """One student with ten times the frames, whose label follows the opposite of everybody else's."""
    made_up = made(5, students=30, frames=30)
    whole = made_up.table
    extra = np.tile(np.flatnonzero(whole.student == 0), 9)
    rows = whole.rows[extra].copy()
    rows[:, MESH:] *= -1
    longer = Table(
        np.vstack([whole.rows, rows]), None, np.r_[whole.student, whole.student[extra]],
        np.r_[whole.grade, whole.grade[extra]], np.ones(len(whole.grade) + len(extra), bool), {},
    )  # fmt: skip
    one, other = (fit.fit(each, QUICK).maps.change for each in (whole, longer))
    assert np.corrcoef(one, other)[0, 1] > 0.8


def test_missing_meshes_and_students_of_one_class_are_lived_with() -> None:
    made_up = made(6, students=24, frames=30)
    table = made_up.table
    random = np.random.default_rng(6)
    table.rows[random.random(len(table.rows)) < 0.2, MESH:] = np.nan
    table.rows[table.student == 3, MESH:] = np.nan
    table.grade[np.isin(table.student, [5, 6])] = 0.0
    table.grade[random.random(len(table.grade)) < 0.1] = np.nan
    table.seen[random.random(len(table.seen)) < 0.1] = False
    found = fit.fit(table, QUICK).figures
    assert 0.55 < found["within"] <= 1.0
    assert found["levels"]["1"]["change"]["within_students"] <= 22
    assert found["frames"] == int((table.seen & np.isfinite(table.grade)).sum())


def test_the_same_seed_gives_the_same_figures() -> None:
    table = made(7, students=12, frames=25).table
    one, other = (fit.fit(table, QUICK).figures for _ in range(2))
    assert json.dumps(one) == json.dumps(other)


def test_labels_of_a_student_do_not_reach_that_students_scores(monkeypatch: pytest.MonkeyPatch) -> None:
    """Turning one student's labels round changes other students' scores, and not that student's own.

    Folds are spread by the share of positives, so here they are dealt out by number instead.
    """
    monkeypatch.setattr(folds, "folds", lambda frames, count, *_: frames.student % count)
    table = made(8, students=12, frames=25).table
    frames, counts, blocks = fit._frames(table, ("mesh",))
    turned = table.grade.copy()
    mine = table.student == 4
    turned[mine] = 1.0 - np.minimum(turned[mine], 1.0)
    job = fit._Job(frames, counts, QUICK, ranks.Draws.of(12, 2, 1))
    scores = [
        folds.scored(job.with_blocks(blocks, grade), counts, 1.0, rounds=1, seed=1) for grade in (table.grade, turned)
    ]
    assert scores[0].change[mine] == pytest.approx(scores[1].change[mine])
    assert scores[0].change[~mine] != pytest.approx(scores[1].change[~mine])


def test_the_head_says_what_the_maps_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Features folded into raw weights, written, loaded: the same logit up to rounding."""
    monkeypatch.setattr(strain_head, "features", lambda seen: seen.mesh)
    made_up = made(9, students=14, frames=30)
    fitted = fit.fit(made_up.table, Options(rounds=1, draws=50, quick=True))
    release.write(fitted, 1.0, tmp_path, None)
    head = strain_head.load(tmp_path)
    score, change, known, _ = folds.read(fitted.maps, fitted.frames)
    slope, intercept = release._calibrated(fitted, fitted.scores.frame, 1.0)
    rows = fitted.frames.rows[:5]
    for row, expected in zip(rows, score, strict=False):
        chance = head.chance(_as_seen(row))
        assert math.log(chance / (1 - chance)) == pytest.approx(intercept + slope * expected, abs=1e-6)
    slope, intercept = release._calibrated(fitted, fitted.scores.own, 1.0)
    middle = np.mean([head.row(_as_seen(row)) for row in fitted.frames.rows[:30]], axis=0)
    for row, expected in zip(rows, known, strict=False):
        chance = head.chance(_as_seen(row), middle)
        assert math.log(chance / (1 - chance)) == pytest.approx(intercept + slope * expected, abs=1e-6)
    signals = np.array([head.changed(_as_seen(row)) for row in rows])
    assert np.diff(signals) / np.diff(change[:5]) == pytest.approx(
        np.full(4, np.diff(signals)[0] / np.diff(change[:2])[0])
    )
    card = json.loads((tmp_path / "strain_head.json").read_text())
    assert card["fitted_on"] == "420 labelled frames of 14 students"
    assert card["scores"]["auc"] == fitted.figures["auc"]


def test_a_shift_of_the_embedding_is_found_and_folded_into_the_head(tmp_path: Path) -> None:
    """The embedding is mostly who somebody is; the head reads it raw, without the directions of the fit."""
    table = made(12, students=20, frames=30).table
    random = np.random.default_rng(12)
    own = random.normal(size=(600, 12)).astype(np.float32)
    own[:, 0] = table.rows[:, MESH + 3] - table.rows[:, MESH + 11]
    embedding = own @ random.normal(size=(12, 50)).astype(np.float32)
    embedding += random.normal(size=(20, 50)).astype(np.float32)[table.student] * 5
    with_it = Table(table.rows, embedding, table.student, table.grade, table.seen, {})
    fitted = fit.fit(with_it, Options(rounds=1, draws=50, quick=True, blocks=("embedding",)))
    assert fitted.figures["within"] > 0.6
    release.write(fitted, 1.0, tmp_path, None)
    head = strain_head.load(tmp_path)
    assert head.uses == {"embedding"}
    _, change, _, _ = folds.read(fitted.maps, fitted.frames)
    own_frames = table.student == 7
    signals = [head.changed(strain_head.Seen(embedding=each)) for each in embedding[own_frames]]
    assert np.corrcoef(signals, change[own_frames])[0, 1] == pytest.approx(1.0)


def _as_seen(row: np.ndarray) -> strain_head.Seen:
    """A look whose features are those of the row, as the patched ``features`` hands them out."""
    return strain_head.Seen(mesh=row)


def test_all_comparisons_are_told_in_words_and_as_json(tmp_path: Path) -> None:
    table = made(10, students=12, frames=25).table
    figures = fit.fit(table, Options(rounds=1, draws=50, blocks=("expression", "mesh"))).figures
    json.dumps(figures, allow_nan=False)
    assert [row["features"] for row in figures["ablation"]] == [["expression"], ["expression", "mesh"]]
    assert figures["shuffled_within"] == pytest.approx(0.5, abs=0.15)
    out = io.StringIO()
    release.tell(figures, out)
    assert f"AUC within students {figures['within']:.3f}" in out.getvalue()
    assert "boosting" in out.getvalue()


def test_the_files_of_the_command_give_what_the_table_gives(tmp_path: Path) -> None:
    from lessonroom.media.scoring import joined

    made_up = made(11, students=12, frames=25)
    read = joined.read(*files(tmp_path, made_up), group="subject")
    assert record("f0", made_up.table.rows[0])["mesh"] == pytest.approx(read.rows[0, MESH:])
    # students are numbered by their names there, and the numbers deal out the folds
    same = replace(made_up.table, student=read.student)
    assert fit.fit(read, QUICK).figures["within"] == fit.fit(same, QUICK).figures["within"]


def test_one_frame_of_each_student_gives_a_head_and_says_nothing_within() -> None:
    """There is no change to learn and no first frames to learn it from."""
    fitted = fit.fit(made(13, students=120, frames=1).table, QUICK)
    assert (fitted.figures["within"], fitted.figures["within_95"]) == (None, [None, None])
    assert 0.0 < fitted.figures["auc"] < 1.0
    release.tell(fitted.figures, io.StringIO())
    assert np.isfinite(release.head_of(fitted, 1.0).frame).all()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("where", ["one student", "two in a hundred", "few students"])
def test_lopsided_labels_and_few_students_are_lived_with(where: str) -> None:
    table = made(14, students=6 if where == "few students" else 24, frames=25).table
    if where == "one student":
        table.grade[:] = np.where(table.student == 3, np.arange(len(table.grade)) % 2, 0)
    elif where == "two in a hundred":
        table.grade[:] = np.arange(len(table.grade)) % 50 == 0
    fitted = fit.fit(table, QUICK)
    assert 0.0 <= fitted.figures["auc"] <= 1.0
    assert np.isfinite(release.head_of(fitted, 1.0).change).all()


def test_the_bar_of_progress_ends_where_the_work_does() -> None:
    seen: list[tuple[int, int]] = []
    table = made(15, students=12, frames=25).table
    options = Options(rounds=1, draws=50, blocks=("expression", "mesh"))
    fit.fit(table, options, lambda _, done, total: seen.append((done, total)))
    assert seen[-1][0] == seen[-1][1] == len(seen)
