"""The page of figures: written from data, the same data the package ships, and nothing of it by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lessonroom.bench import against
from tools import figures, figures_page, profile

RECEIVING = "receiving: packets, reports, ICE, DTLS"
RUNS: list[dict[str, Any]] = json.loads(figures.FIGURES.read_text())["runs"]


def test_the_page_says_what_the_shipped_figures_say() -> None:
    """`make figures ARGS=--page` writes it anew."""
    page = figures.PAGE.read_text()
    assert figures_page.filled(page, RUNS) == page
    for name in figures_page.BLOCKS:
        assert f"<!-- {name} -->" in page, name


def test_the_shipped_figures_are_some_to_compare_with() -> None:
    assert against.read(figures.FIGURES.read_text()) == RUNS


def test_a_block_is_made_anew_and_what_stands_around_it_stays() -> None:
    page = "before\n<!-- chat -->\nold\n<!-- /chat -->\nafter\n"
    once = figures_page.filled(page, [])
    assert once == f"before\n<!-- chat -->\n\n{figures_page.NONE}\n\n<!-- /chat -->\nafter\n"
    assert figures_page.filled(once, []) == once
    with pytest.raises(KeyError):
        figures_page.filled("<!-- none -->\n<!-- /none -->", [])


@pytest.mark.parametrize(
    ("value", "goal", "met"),
    [(0.3, "≤ 0.30", "met"), (0.31, "≤ 0.30", "**missed**"), (1.3, "≥ 1.3", "met"), (1.2, "≥ 1.3", "**missed**"),
     (None, "≤ 1", "not measured")],
)  # fmt: skip
def test_a_goal_is_met_missed_or_not_measured(value: float | None, goal: str, met: str) -> None:
    assert figures_page._met(value, goal) == met


def test_what_a_lesson_costs_that_is_looked_at_less_than_asked_meets_no_goal() -> None:
    rooms = {
        "bench": "rooms", "workers": 0, "server": {"percent_of_a_core": {"per_lesson": 0.5}},
        "ratios": {"samples_asked_to_taken": 1.5, "lesson_to_that_of_fewer": 0.6},
    }  # fmt: skip
    assert "| ≤ 1.0 | – | not measured |" in figures_page.goals([rooms])
    rooms["ratios"] = {"samples_asked_to_taken": 1.0}
    assert "| ≤ 1.0 | 0.5 | met |" in figures_page.goals([rooms])


def test_every_goal_is_told_even_when_nothing_was_measured() -> None:
    assert figures_page.goals([]).count("not measured") == 11


def test_a_run_takes_the_place_of_an_earlier_one_that_was_asked_for_the_same() -> None:
    one = {"bench": "rooms", "asked": {"rooms": 64}}
    assert figures._alike(one, one | {"seconds": 3})
    assert not figures._alike(one, {"bench": "rooms", "asked": {"rooms": 8}})


@pytest.mark.parametrize(
    ("stack", "stage"),
    [
        ("infer (lessonroom/media/onnx_engine.py:3);run (onnxruntime/x.py:1)", "networks"),
        ("run (lessonroom/media/lanes.py:9);ratios (lessonroom/media/geometry.py:3)", "looking beside the networks"),
        ("_run (asyncio/events.py:80);take_rtp (lessonroom/media/guard/receiver.py:162)", RECEIVING),
        ("decode (lessonroom/media/guard/decoding.py:55)", "decoding"),
        ("_run (lessonroom/storage/worker.py:1);do_commit (sqlalchemy/engine/default.py:954)", "store"),
        ("_run (asyncio/events.py:80)", profile.LOOP),
    ],
)  # fmt: skip
def test_a_stack_belongs_to_its_innermost_frame_that_has_a_stage(stack: str, stage: str) -> None:
    assert profile.stage_of(stack) == stage


def test_what_waits_is_no_work() -> None:
    lines = [
        "run (a.py:1);Worker._next (lessonroom/storage/worker.py:138) 50",
        "run (a.py:1);EpollSelector.select (selectors.py:468) 50",
        "run (a.py:1);_Lane._serve (lessonroom/media/lanes.py:116) 50",
        "run (a.py:1);Condition.wait (threading.py:327) 50",
        "decode (lessonroom/media/guard/decoding.py:55) 3",
        "admit (lessonroom/rooms/room.py:1) 1",
        "",
    ]
    assert profile.shares(lines) == {"decoding": 0.75, "rooms": 0.25}


@pytest.mark.parametrize(("code", "failed"), [(1, True), (2, True), (figures.NOT_HERE, False)])
def test_a_bench_without_figures_is_told_unless_its_hardware_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, failed: bool
) -> None:
    """And what the others gave is kept."""
    chat = {"bench": "chat", "machine": {}, "ratios": {}}
    monkeypatch.setattr(figures, "_bench", lambda words: (0, chat) if words.startswith("chat") else (code, None))
    monkeypatch.setattr(figures, "_profile", lambda: None)
    out = tmp_path / "figures.json"
    assert bool(figures.measure(out, "")) == failed
    assert json.loads(out.read_text()) == {"runs": [chat]}
