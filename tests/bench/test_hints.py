"""The bench of hints: what it counts, and how it says so; the figures themselves stand in docs/hints.md."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from pathlib import Path
from xml.etree.ElementTree import parse

import numpy as np
import pytest
from click.testing import CliRunner
from rich.console import Console

from lessonroom.bench import hints, hints_page, intervals, pictures, scenes
from lessonroom.cli import commands
from lessonroom.config import Settings
from lessonroom.errors import BadInput
from lessonroom.media import pipeline
from lessonroom.media.types import EXPRESSIONS, Cue, Evidence, Strain, Watching

SETTINGS = Settings()
RULES = (pipeline.strain_rules(SETTINGS), pipeline.hint_rules(SETTINGS))


def pools() -> pictures.Pools:
    """A network that is always right and never sure."""
    return {label: [{other: 0.65 if other == label else 0.05 for other in EXPRESSIONS}] * 2 for label in EXPRESSIONS}


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lessons of five minutes, few scenes and few rules: the figures are not what is looked at."""
    monkeypatch.setattr(hints, "LESSON", 300.0)
    monkeypatch.setattr(hints, "CLEAR", (5.0,))
    monkeypatch.setattr(hints, "HOLDS", (0.0, 8.0))
    monkeypatch.setattr(hints, "THRESHOLDS", (0.6,))
    monkeypatch.setattr(hints, "RATES", (0.5,))
    monkeypatch.setattr(scenes, "PROMISED", {"calm": scenes.PROMISED["calm"]})
    monkeypatch.setattr(scenes, "HARD", {})
    monkeypatch.setattr(scenes, "CHANGES", ("anger",))


@pytest.mark.parametrize(
    ("count", "hours", "low", "high"), [(0, 1.0, 0.0, 3.689), (1, 1.0, 0.025, 5.572), (10, 10.0, 0.480, 1.839)]
)
def test_the_interval_of_a_rate_is_the_exact_one(count: int, hours: float, low: float, high: float) -> None:
    """Against published tables of the Poisson distribution (Garwood 1936)."""
    assert intervals.rate(count, hours) == pytest.approx((low, high), abs=1e-3)


@pytest.mark.usefixtures("brief")
def test_the_figures_are_plain_and_the_same_again_for_the_same_seed() -> None:
    asked = hints.Asked(hours=1, trials=10, seed=5)
    first, second = hints.run(SETTINGS, asked), hints.run(SETTINGS, asked)
    for part in ("false", "changes", "curve", "rules", "seed"):
        assert first[part] == second[part]
    assert json.loads(json.dumps(first)) == first
    assert {row["scene"] for row in first["false"]} == {"calm", "nobody there", "two people"}
    assert [row["hold"] for row in first["curve"]] == [0.0, 8.0]
    page = io.StringIO()
    hints.show(first, Console(file=page, width=140))
    assert "two people" in page.getvalue()


@pytest.mark.usefixtures("brief")
@pytest.mark.parametrize("head", [None, Path("fitted")])
def test_a_strain_head_that_was_set_is_said_not_to_be_measured(head: Path | None) -> None:
    """On the terminal, in the page and in the figures: or the prior's figures would pass for those of the head."""
    figures = hints.run(Settings(strain_head=head), hints.Asked(hours=1, trials=10, seed=5))
    page = io.StringIO()
    hints.show(figures, Console(file=page, width=140))
    for told in (page.getvalue(), hints_page.page(figures), " ".join(figures["warnings"])):
        assert (hints.NO_HEAD in told) == (head is not None)


def test_a_clear_change_is_told_in_time_and_the_delay_counts_from_it() -> None:
    delays = [hints.first_told(scenes.change("anger", seed), RULES) for seed in range(6)]
    told = [delay for delay in delays if delay is not None]
    assert len(told) >= 5
    assert all(2 < delay <= hints.SOON for delay in told)


@pytest.mark.parametrize("label", ["anger", "sadness", "fear"])
def test_pictures_that_change_are_told_and_pictures_that_do_not_are_not(label: str) -> None:
    assert hints.first_told(pictures.Album(pools(), 1, pictures.change(label)), RULES) is not None
    calm = pictures.Album(pools(), 1, pictures.ORDINARY["smiling"])
    assert list(hints.hints_of(hints.estimates(calm.observe(600), RULES[0]), RULES[1])) == []


def test_a_picture_stays_as_long_as_it_should_and_changes_with_the_label() -> None:
    marked = {label: [{"neutral": number / 100} for number in range(100)] for label in EXPRESSIONS}
    shown = [one.expression for one in pictures.Album(marked, 3, pictures.ORDINARY["calm"], stay=2.0).observe(40)]
    assert all(shown[i] == shown[i + 1] == shown[i + 2] == shown[i + 3] for i in range(0, 80, 4))
    assert len({str(picture) for picture in shown}) > 10


def test_a_file_without_some_expression_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "faces.npz"
    votes = np.zeros((4, len(EXPRESSIONS)), np.uint8)
    votes[:, 0] = 10
    np.savez(path, images=np.zeros((4, 48, 48), np.uint8), votes=votes, vote_labels=EXPRESSIONS, split=["valid"] * 4)
    with pytest.raises(BadInput, match="got no happiness"):
        pictures.read(path, SETTINGS)


@pytest.mark.usefixtures("brief")
def test_the_command_writes_a_report_whose_curve_marks_the_rules_in_force(tmp_path: Path) -> None:
    report, drawing = tmp_path / "hints.html", tmp_path / "hints.svg"
    answer = CliRunner().invoke(
        commands,
        ["bench", "hints", "--hours", "1", "--trials", "10", "--json", "--html", str(report), "--svg", str(drawing)],
    )
    assert answer.exit_code == 0, answer.output
    assert json.loads(answer.stdout)["bench"] == "hints"
    page = report.read_text()
    assert page.count('class="ours"') == 1
    assert "two people" in page
    assert parse(drawing).getroot().tag == "{http://www.w3.org/2000/svg}svg"


@pytest.mark.parametrize(("early", "ninth"), [(1, True), (2, False)])
def test_a_hint_before_the_change_is_a_miss_and_no_quick_one(early: int, ninth: bool) -> None:
    """One miss in ten leaves nine that are told; two leave no delay of nine in ten. The median is that of true ones."""
    struck = [level(scenes.CHANGE_AT - 30.0, scenes.CHANGE_AT - 10.0)] * early
    struck += [level(scenes.CHANGE_AT, scenes.CHANGE_AT + 10.0)] * (10 - early)
    point = hints._point(5.0, replace(RULES[1], hold=2.0), [[]], struck)
    assert point["within_20_s"] == pytest.approx(1 - early / 10)
    assert point["median_delay"] == pytest.approx(2.0, abs=1.0)
    assert point["delay_of_90_percent"] == (point["median_delay"] if ninth else None)


def level(start: float, end: float) -> list[Strain]:
    """Clear strain for a while, looked at twice a second."""
    why = Evidence(Cue.FROWNING, 1.0, start)
    return [Strain(start + at / 2, 0.95, Watching.WATCHING, (why,)) for at in range(int(2 * (end - start)))]


def test_a_point_that_is_never_reached_is_not_drawn() -> None:
    point = {
        "clear": 4.0, "hold": 0.0, "threshold": 0.6, "false_per_hour": 0.0, "delay_of_90_percent": None
    }  # fmt: skip
    assert not re.search(r"<circle", hints_page.curve([point], {"clear": 4.0, "hold": 0.0, "threshold": 0.6}))
