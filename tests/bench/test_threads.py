"""The bench of threads: what it reports, and which number it calls the best."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from lessonroom.bench import threads
from lessonroom.config import Settings
from lessonroom.simulate.sources import SHIPPED_CLIP


@pytest.mark.parametrize(("cores", "counts"), [(1, [1]), (2, [1, 2]), (6, [1, 2, 4, 6]), (8, [1, 2, 4, 8])])
def test_powers_of_two_are_tried_and_all_cores(cores: int, counts: list[int]) -> None:
    assert list(threads.thread_counts(cores)) == counts


def test_every_network_is_timed_with_every_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads.cores, "whole", lambda: 2)
    figures = threads.run(Settings(), SHIPPED_CLIP, rounds=3)
    assert json.loads(json.dumps(figures)) == figures
    assert all(set(each) == {"1", "2"} for each in figures["networks"].values())
    assert figures["ratios"]["expression 2 threads, batch 8, to one"] > 0
    page = io.StringIO()
    threads.show(figures, Console(file=page, width=120))
    assert "inference_threads" in page.getvalue()


def test_the_best_is_told_by_the_sum_over_networks() -> None:
    def told(processor: float, clock: float) -> dict[str, dict[str, float]]:
        return {"1": {"processor_ms": processor, "p50_ms": clock}}

    figures = {"a": {"1": told(1.0, 1.0), "2": told(0.9, 0.9)}, "b": {"1": told(2.0, 2.0), "2": told(2.5, 1.5)}}
    assert threads.best(figures) == {"processor_ms": 1, "p50_ms": 2}
