"""The bench of a camera that comes and goes: what it reports, and what counts as left behind."""

from __future__ import annotations

import io
import json
import os
from typing import Any

import pytest
from click.testing import CliRunner
from rich.console import Console

from lessonroom.bench import cycles, growth
from lessonroom.bench.growth import MIB
from lessonroom.bench.serving import Reading
from lessonroom.cli import commands
from lessonroom.simulate.sources import SHIPPED_CLIP

COUNTED = list(range(0, 101, 10))


def left(**others: list[int]) -> list[str]:
    flat = {"memory": [300 * MIB] * 11, "threads": [14] * 11, "descriptors": [23] * 11}
    return list(growth.left_behind(COUNTED, **(flat | others)))


def test_nothing_is_left_behind_when_nothing_grows() -> None:
    assert left() == []


def test_one_connection_in_twenty_that_is_kept_is_found() -> None:
    """A connection takes 1.5 MB, six descriptors; a thread is one more."""
    assert left(memory=[300 * MIB + done // 20 * 3 * MIB // 2 for done in COUNTED]) == ["memory"]
    assert left(descriptors=[23 + done // 20 * 6 for done in COUNTED]) == ["descriptors"]
    assert left(threads=[14 + done // 20 for done in COUNTED]) == ["threads"]


def test_a_pools_thread_and_a_cache_that_fills_are_nothing_left_behind() -> None:
    assert left(threads=[14] * 5 + [16] * 6, memory=[300 * MIB + done * 20 * 1024 for done in COUNTED]) == []


def test_what_a_cycle_takes_is_the_servers_time_by_the_number_of_cycles() -> None:
    rests = [cycles.Rest(done, Reading(5.0 + done * 0.04, (300 * 1024 + done) * 1024, 14, {}, 23)) for done in COUNTED]
    figures = cycles.figures(rests, busy=2.0)
    assert (figures["server_ms_a_cycle"], figures["clients_ms_a_cycle"]) == (40.0, 20.0)
    assert figures["ratios"] == {"server_to_clients": 2.0}
    assert figures["memory_kb_a_cycle"] == 1.0


def test_a_camera_that_comes_and_goes_leaves_nothing_on_a_real_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cycles, "WARM_UP", 1)
    figures = cycles.run(SHIPPED_CLIP, os.environ, 2)
    assert json.loads(json.dumps(figures)) == figures
    assert len(figures["threads"]) == len(figures["descriptors"]) == len(figures["memory_mb"]) == 3
    assert not {"threads", "descriptors"} & set(figures["failed"])
    assert figures["server_ms_a_cycle"] > 0
    page = io.StringIO()
    cycles.show(figures, Console(file=page, width=100))
    assert "descriptors" in page.getvalue()


def test_the_command_ends_with_1_when_something_has_grown(monkeypatch: pytest.MonkeyPatch) -> None:
    found: dict[str, Any] = {"bench": "cycles", "machine": {}, "ratios": {}, "failed": ["threads"]}
    monkeypatch.setattr(cycles, "run", lambda *_: found)
    asked = CliRunner().invoke(commands, ["bench", "rooms", "--cycles", "3", "--json"])
    assert asked.exit_code == 1
    assert json.loads(asked.output)["asked"] == {"cycles": 3, "workers": 0}
