"""`lessonroom vision fit-strain` from outside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lessonroom.config import Settings
from lessonroom.media import strain_reader
from tests.media.frustration import files, made
from tests.test_cli import code_of, told


@pytest.fixture
def asked(tmp_path: Path) -> list[str]:
    scores, labels = files(tmp_path, made(1, students=12, frames=25))
    return ["vision", "fit-strain", "--scores", str(scores), "--labels", str(labels), "--group", "subject", "--quick"]


def test_a_fit_prints_its_figures_and_writes_a_head_that_a_server_loads(
    asked: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert code_of(*asked, "--rounds", "1", "--json", "--out", str(tmp_path / "head")) == 0
    figures = json.loads(capsys.readouterr().out)
    low, high = figures["within_95"]
    assert 0.5 < low < figures["within"] < high <= 1.0
    card = json.loads((tmp_path / "head" / "strain_head.json").read_text())
    assert card["fitted_on"] == "300 labelled frames of 12 students"
    assert strain_reader.of(Settings(strain_head=tmp_path / "head")).head.uses


def test_a_fit_in_words_names_both_figures(asked: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert code_of(*asked, "--rounds", "1", "--features", "mesh") == 0
    assert "AUC within students 0." in capsys.readouterr().out


def test_labels_in_words_are_one_line_of_error(
    asked: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text(labels.read_text().replace(",0\n", ",none\n").replace(",1\n", ",slight\n"))
    assert "expected numbers from 0 up" in told(capsys, *asked)


def test_a_student_column_that_is_not_there_is_named(asked: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert "person" in told(capsys, *asked[:-2], "person")


def test_features_that_the_scores_do_not_hold_are_refused(asked: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert "embedding" in told(capsys, *asked, "--features", "embedding")
