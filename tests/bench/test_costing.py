"""The plan of machines: a straight line through what was measured, its limits, and what it costs."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from rich.console import Console

from lessonroom.bench import costing, costing_page
from lessonroom.bench.costing import Costs, Line, Machine, needs
from lessonroom.cli import commands
from lessonroom.errors import BadInput

SMALL = Machine(cores=2, memory_gb=4.0, network_mbit=1000.0)
ALONE = Costs(SMALL, 64, 1.0, Line(4.0, 0.9), Line(300.0, 3.0), 120.0)
APART = replace(ALONE, front=0.3, worker_mb=200.0)
LARGE = Machine(cores=16, memory_gb=64.0, network_mbit=1000.0)


def run(rooms: int = 64, workers: int = 0, **others: Any) -> dict[str, Any]:
    """A run's JSON: ten lessons' worth of base, as measured beside eight."""
    return {
        "bench": "rooms", "rooms": rooms, "workers": workers, "samples": 1.0, "ratios": {"lesson_to_bound": 2.0},
        "machine": {"cores": 2, "memory_gb": 4.0, "at": "then", "processor": "A"},
        "server": {"percent_of_a_core": {"all": 61.6}, "memory_mb": {"all": 492.0}},
        "one_more": {"percent_of_a_core": 0.9, "memory_mb": 3.0},
        "clients": {"media_kbit_per_second": 120.0 * rooms},
        "processes": [
            {"process": "lessonroom.cli", "percent_of_a_core": 19.2, "memory_mb": 200.0},
            {"process": "lessonroom.workers.worker", "percent_of_a_core": 20.0, "memory_mb": 260.0},
            {"process": "lessonroom.workers.worker", "percent_of_a_core": 20.0, "memory_mb": 250.0},
        ],
    } | others  # fmt: skip


def test_the_line_goes_through_both_runs_and_the_front_is_read_off_the_one_with_workers() -> None:
    found = costing.costs([run(rooms=8), run(), run(workers=2)])
    assert (found.rooms, found.network_kbit, found.front, found.worker_mb) == (64, 120.0, 0.3, 250.0)
    assert (found.every, costing.costs([run(every=15.0)]).every) == (2.0, 15.0)
    assert (found.percent.base, found.percent.each) == pytest.approx((4.0, 0.9))
    assert (found.memory_mb.base, found.memory_mb.each) == pytest.approx((300.0, 3.0))


def test_a_run_of_one_number_alone_puts_everything_on_the_lessons() -> None:
    """Which is the dearer guess: a base that is not known is paid for with each lesson."""
    found = costing.costs([run(one_more={})])
    assert (found.percent.base, found.percent.each) == pytest.approx((0.0, 61.6 / 64))
    assert costing.costs([run(one_more={"percent_of_a_core": 1.2, "memory_mb": -1.0})]).percent.base == 0.0


def test_a_store_that_lost_or_refused_messages_proves_nothing() -> None:
    talk = {"bench": "talk", "sent_per_second": 500.0, "failed": [], "refused": 0}
    assert costing.costs([run(), talk]).messages == 500.0
    assert costing.costs([run(), talk | {"failed": ["lost"]}]).messages is None
    assert costing.costs([run(), talk | {"refused": 100}]).messages is None


@pytest.mark.parametrize("runs", [[], [run(workers=2)], [{"bench": "chat"}]])
def test_figures_without_whole_lessons_are_refused(runs: list[dict[str, Any]]) -> None:
    with pytest.raises(BadInput, match="without workers"):
        costing.costs(runs)


@pytest.mark.parametrize("broken", [{"server": {}}, {"machine": {}}, {"rooms": 0}, {"clients": None}])
def test_figures_of_another_form_are_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="as this version"):
        costing.costs([run(one_more={}) | broken])


def test_one_process_is_the_first_limit_and_workers_lift_it_up_to_the_front() -> None:
    assert needs(1, ALONE, LARGE).limits[0] == ("one process without workers", 62)  # (60 - 4) / 0.9
    assert needs(1, APART, LARGE).limits[0] == ("front process", 200)  # 60 / 0.3
    assert needs(1, APART, SMALL).limits[0] == ("cores", 128)  # (120 - 4) / 0.9
    assert needs(1, APART, replace(LARGE, network_mbit=10)).limits[0] == ("network", 66)  # 8000 / 120
    assert needs(1, replace(APART, messages=60.0), LARGE).limits[0] == ("store", 72)  # 60 % of 60 / 0.5
    assert needs(1, replace(APART, messages=6.0, every=15.0), LARGE).limits[0] == ("store", 54)


def test_workers_are_there_once_one_process_is_not_enough() -> None:
    assert [needs(lessons, APART, LARGE).workers for lessons in (1, 62, 63, 100, 101, 200)] == [0, 0, 1, 1, 2, 2]


def test_memory_counts_the_workers_that_the_lessons_need() -> None:
    """1 GiB: 819 MiB, less 300 of the server and 200 of one worker, which has room for 100 lessons of 3."""
    found = needs(106, APART, replace(LARGE, memory_gb=1.0))
    assert dict(found.limits)["memory"] == 100
    assert found.memory_gb <= costing.FULL * found.machines


def test_a_machine_too_small_for_one_lesson_is_refused_by_its_limit() -> None:
    with pytest.raises(BadInput, match="memory"):
        needs(1, ALONE, replace(SMALL, memory_gb=0.3))


@pytest.mark.parametrize("found", [ALONE, APART, replace(APART, messages=100.0)])
@pytest.mark.parametrize("machine", [SMALL, LARGE])
def test_more_lessons_never_need_less_and_never_cost_more_each_than_one(found: Costs, machine: Machine) -> None:
    plans = [needs(lessons, found, machine) for lessons in (1, 2, 10, 62, 63, 64, 100, 1000, 9_999, 10_000)]
    for fewer, more in pairwise(plans):
        assert fewer.machines <= more.machines
        assert fewer.cores <= more.cores
        assert fewer.network_mbit <= more.network_mbit
        assert more.core_hours <= plans[0].core_hours
    for plan in plans:
        assert plan.each * plan.machines >= plan.lessons
        assert plan.cores <= costing.BUSY * plan.machines * machine.cores + 1e-9
        assert plan.each <= plan.limits[0][1]


def test_units_and_prices() -> None:
    """100 lessons on two machines of two cores: 4 core-hours an hour, 40 for a thousand lesson-hours."""
    plan = needs(100, ALONE, SMALL)
    assert (plan.machines, plan.each) == (2, 50)
    assert plan.core_hours == 40.0
    assert plan.euro(0.05) == 2.0
    assert plan.cores == pytest.approx((2 * 4.0 + 90.0) / 100)
    assert plan.network_mbit == 12.0
    assert plan.memory_gb == pytest.approx((2 * 300 + 300) / 1024)
    assert needs(101, APART, LARGE).memory_gb == pytest.approx((300 + 2 * 200 + 303) / 1024), "two workers are paid for"


def test_what_was_not_measured_is_said_to_be_a_guess() -> None:
    assert needs(64, APART, LARGE).measured
    assert not needs(65, APART, LARGE).measured
    assert not needs(10, APART, replace(LARGE, cores=1)).measured


def plan(*words: str) -> Any:
    return CliRunner().invoke(commands, ["plan", *words])


@pytest.fixture
def figures(tmp_path: Path) -> str:
    path = tmp_path / "figures.json"
    path.write_text(json.dumps({"runs": [run(), run(workers=2)]}))
    return str(path)


def test_the_command_tells_machines_limits_growth_and_price(figures: str) -> None:
    told = json.loads(plan("--lessons", "1000", "--figures", figures, "--price", "0.02", "--json").output)
    assert told["needs"]["machines"] == 8  # 128 on each
    assert told["needs"]["limits"][0] == {"what": "cores", "lessons_on_a_machine": 128}
    assert [row["lessons"] for row in told["growth"]] == [1, 10, 100, 1000, 10_000]
    assert told["growth"][3] == told["needs"]
    assert told["needs"]["euro_per_1000_lesson_hours"] == pytest.approx(16 * 0.02)
    assert told["gpu"].startswith("not yet run")
    assert told["kept_free"]["cores"] == 0.4


def test_without_a_price_there_is_no_euro(figures: str) -> None:
    told = json.loads(plan("--lessons", "10", "--figures", figures, "--json").output)
    assert told["needs"]["euro_per_1000_lesson_hours"] is None
    assert told["needs"]["core_hours_per_1000_lesson_hours"] == 200.0


def test_the_page_names_what_limits_first_and_says_what_is_a_guess() -> None:
    page = io.StringIO()
    costing_page.show(costing_page.record(1000, APART, LARGE, 0.02), Console(file=page, width=140))
    text = " ".join(page.getvalue().split())
    for words in ("front process at 200, then", "were not measured", "not yet run", "40% of the cores", "--workers"):
        assert words in text


def test_the_settings_at_which_lessons_cost_that_much_are_told() -> None:
    page, planned = io.StringIO(), costing_page.record(1000, APART, LARGE, None)
    costing_page.show(planned, Console(file=page, width=140))
    most = planned["needs"]["lessons_on_each"]
    assert f"LESSONROOM_SAMPLE_RATE={APART.samples:g} LESSONROOM_ANALYSERS={most}." in page.getvalue()


def test_the_number_that_was_asked_for_has_its_line_and_its_price() -> None:
    """Who asks for 64 lessons wants what 64 cost, not what 10 and 100 do."""
    page = io.StringIO()
    costing_page.show(costing_page.record(64, APART, LARGE, 0.02), Console(file=page, width=140))
    lines = [line.split() for line in page.getvalue().splitlines()]
    rows = [line[0] for line in lines if len(line) >= 9 and line[0].replace(",", "").isdigit() and line[1].isdigit()]
    assert rows == ["1", "10", "64", "100", "1,000", "10,000"]
    euro = costing_page.row(needs(64, APART, LARGE), 0.02)["euro_per_1000_lesson_hours"]
    assert f"{euro:,.2f} euro." in " ".join(page.getvalue().split())


def test_the_shipped_figures_make_a_plan() -> None:
    told = json.loads(plan("--lessons", "64", "--json").output)
    assert told["figures"]["processor"]
    assert told["figures"]["at"]
    assert told["needs"]["machines"] >= 1


@pytest.mark.parametrize("text", ["", "{}", '{"bench": "chat", "machine": {}, "ratios": {}}'])
def test_a_file_that_is_no_such_figures_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "figures.json"
    path.write_text(text)
    assert isinstance(plan("--lessons", "1", "--figures", str(path)).exception, BadInput)
    assert isinstance(plan("--lessons", "1", "--figures", str(tmp_path / "none")).exception, BadInput)
