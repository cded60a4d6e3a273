"""Comparison with an earlier run: what is compared, what counts as worse, and what is no such file."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from click.testing import CliRunner
from rich.console import Console

from lessonroom.bench import against, against_page
from lessonroom.bench import chat as talk
from lessonroom.cli import commands
from lessonroom.errors import BadInput

HERE = {
    "processor": "A", "cores": 2, "memory_gb": 4.0, "system": "Linux", "at": "2026-01-02T03:04:05Z",
    "load_before": 0.0, "versions": {},
}  # fmt: skip


def run(bench: str = "chat", **others: Any) -> dict[str, Any]:
    return {"bench": bench, "machine": HERE, "ratios": {"a": 2.0, "b": 1.0}, "costs": {"ms": 4.0}, **others}


def names(found: against.Comparison) -> list[str]:
    return [change.name for change in found.changes]


def test_ratios_and_costs_are_compared_on_the_same_machine_and_ratios_alone_on_another() -> None:
    """Milliseconds of another processor say nothing of the code."""
    elsewhere = run(machine=HERE | {"cores": 4})
    assert names(against.compare(run(), run())) == ["a", "b", "ms"]
    assert names(against.compare(elsewhere, run())) == ["a", "b"]
    assert not against.compare(elsewhere, run()).same_machine


def test_what_grew_beyond_the_factor_is_named_and_what_grew_up_to_it_is_not() -> None:
    found = against.compare(run(), run(ratios={"a": 3.1, "b": 1.5}, costs={"ms": 1.0}), factor=1.5)
    assert found.regressions == ["a"]
    assert [change.factor for change in found.changes] == [1.55, 1.5, 0.25]
    assert json.loads(json.dumps(found.record()))["regressions"] == ["a"]


@pytest.mark.parametrize("odd", [0.0, -1.0, float("inf"), float("nan"), True, None, "2", 10**400])
def test_a_figure_that_is_no_number_above_nothing_is_left_out(odd: object) -> None:
    """By nothing nobody can divide; a run in which something was not measured is compared in the rest."""
    assert names(against.compare(run(ratios={"a": odd, "b": 1.0}), run())) == ["b", "ms"]
    assert names(against.compare(run(), run(ratios={"a": odd, "b": 1.0}))) == ["b", "ms"]


def test_runs_without_a_figure_in_common_are_not_told_to_be_as_quick() -> None:
    with pytest.raises(BadInput, match="in common"):
        against.compare(run(ratios={"x": 1.0}, costs={}), run())


@pytest.mark.parametrize("key", ["machine", "ratios", "costs", "asked"])
def test_figures_whose_tables_are_none_are_refused_before_anything_is_measured(key: str) -> None:
    with pytest.raises(BadInput, match="without a bench, its machine and its ratios"):
        against.read(json.dumps(run() | {key: [1]}))


def test_json_that_is_too_deep_is_refused() -> None:
    with pytest.raises(BadInput, match="not JSON"):
        against.read("[" * 100_000)


@pytest.mark.parametrize(
    "text",
    ["", "no", "3", "[]", "{}", '{"runs": []}', '{"runs": 3}', '{"runs": [3]}', '{"bench": "chat", "machine": {}}',
     '{"bench": 3, "machine": {}, "ratios": {}}', '{"bench": "chat", "machine": [], "ratios": {}}'],
)  # fmt: skip
def test_what_no_bench_wrote_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="expected what"):
        against.read(text)


def test_the_run_that_was_asked_for_the_same_is_picked_from_a_file_of_many() -> None:
    eight, many = run("rooms", asked={"rooms": 8}), run("rooms", asked={"rooms": 64})
    runs = against.read(json.dumps({"runs": [run(), eight, many]}))
    assert against.pick(runs, "rooms", {"rooms": 64}) == many
    with pytest.raises(BadInput, match="rooms 9, got rooms 8"):
        against.pick(runs, "rooms", {"rooms": 9})
    with pytest.raises(BadInput, match="got those of chat, rooms"):
        against.pick(runs, "video", {})


def test_the_page_names_each_figure_before_now_and_factor() -> None:
    page = io.StringIO()
    worse = against.compare(run(), run(ratios={"a_to_bound": 9.0, "a": 9.0}))
    against_page.show(worse, Console(file=page, width=100))
    row = next(line for line in page.getvalue().splitlines() if " a " in line)
    assert [cell for cell in ("2", "9", "4.50", "slower") if cell in row] == ["2", "9", "4.50", "slower"]
    assert "slower by more than 1.5: a" in page.getvalue()


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What ``bench chat`` measures, for tests of what is made of it."""
    found = run()
    monkeypatch.setattr(talk, "measure", lambda **_: found)
    return found


def command(*words: str) -> Any:
    return CliRunner().invoke(commands, ["bench", "chat", *words])


def test_the_command_ends_with_1_on_a_regression_and_with_0_without_one(tmp_path: Any, figures: dict[str, Any]) -> None:
    before = tmp_path / "before.json"
    before.write_text(command("--json").output)
    assert command("--against", str(before)).exit_code == 0
    figures["ratios"] = {"a": 2.9, "b": 1.0}
    assert command("--against", str(before)).exit_code == 0
    told = command("--against", str(before), "--factor", "1.4", "--json")
    assert told.exit_code == 1
    assert json.loads(told.output)["against"]["regressions"] == ["a"]


@pytest.mark.parametrize("text", ["{}", "\xff", json.dumps(run("video"))])
def test_a_file_that_is_no_such_figures_is_refused_before_anything_is_measured(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr(talk, "measure", lambda **_: pytest.fail("measured first"))
    before = tmp_path / "before.json"
    before.write_text(text, encoding="latin-1")
    for path in (before, tmp_path / "none", tmp_path):
        assert isinstance(command("--against", str(path)).exception, BadInput)


def test_a_tail_is_told_and_never_counted() -> None:
    """Two runs of the same code differ in it by more than code usually does."""
    tails = {"p99_to_bound": 1.0, "frame_to_estimate_p95_to_look": 1.0, "a": 1.0}
    found = against.compare(run(ratios=tails), run(ratios=dict.fromkeys(tails, 9.0)))
    assert [change.factor for change in found.changes[:3]] == [9.0, 9.0, 9.0]
    assert found.regressions == ["a"]
