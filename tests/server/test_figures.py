"""Rates, percentiles, and the sentence that says whether everything is well."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import psutil
import pytest
from prometheus_client import CollectorRegistry, Histogram

from lessonroom.app import build
from lessonroom.config import Settings
from lessonroom.metrics import SECONDS
from lessonroom.server.figures import Counts, _buckets, health, percentile


def buckets(*seconds: float) -> list[float]:
    """Cumulative counts as Prometheus keeps them."""
    histogram = Histogram("a", "a", ["stage"], registry=CollectorRegistry(), buckets=SECONDS)
    histogram.labels("look")
    for value in seconds:
        histogram.labels("look").observe(value)
    return _buckets(histogram, "look")


@pytest.mark.parametrize("value", [0.0005, 0.004, 0.02, 0.3, 2.0])
def test_a_percentile_lies_in_the_bucket_of_its_values(value: float) -> None:
    found = percentile(buckets(), buckets(*[value] * 100), 0.95)
    assert found is not None
    assert value * 1000 / 1.5 <= found <= max(value * 1000 * 1.5, 1.0)


def test_the_median_and_the_95th_differ_when_a_few_are_slow() -> None:
    seen = buckets(*[0.01] * 90, *[0.2] * 10)
    p50, p95 = percentile([], seen, 0.5), percentile([], seen, 0.95)
    assert p50 is not None
    assert p95 is not None
    assert p50 < 15
    assert p95 > 130


def test_only_what_came_since_the_earlier_reading_counts() -> None:
    before = [0.2] * 50
    after = percentile(buckets(*before), buckets(*before, *[0.01] * 5), 0.95)
    assert after is not None
    assert after < 15


def test_what_is_beyond_the_last_bound_is_shown_as_the_last_bound() -> None:
    assert percentile([], buckets(60.0), 0.5) == round(SECONDS[-1] * 1000, 1)


def test_nothing_seen_is_no_number() -> None:
    assert percentile(buckets(), buckets(), 0.5) is None
    assert percentile([], [], 0.5) is None


def counts(**changes: Any) -> Counts:
    given = {
        "at": 0.0,
        "samples": 0.0,
        "drops": 0.0,
        "chat": 0.0,
        "store_failures": 0.0,
        "inference_failures": 0.0,
        "verdicts": {},
    }
    return Counts(**{**given, **changes})


@pytest.mark.parametrize(
    ("machine", "p95", "provider", "latest", "expected"),
    [
        (0.2, 10.0, "CPU", {}, ("green", "none", "all_well")),
        (0.2, None, "CPU", {}, ("green", "none", "all_well")),
        (0.9, 10.0, "CPU", {}, ("amber", "cpu", "cpu_busy")),
        (0.99, 10.0, "CPU", {}, ("red", "cpu", "cpu_full")),
        (0.2, 1500.0, "CPU", {}, ("amber", "inference", "inference_slow")),
        (0.2, None, "off", {}, ("amber", "inference", "no_vision")),
        (0.2, None, "CPU", {"inference_failures": 1.0}, ("red", "inference", "vision_down")),
        (0.99, None, "off", {"store_failures": 1.0}, ("red", "store", "store_down")),
    ],
)
def test_the_worst_limit_is_named_first(
    machine: float, p95: float | None, provider: str, latest: dict[str, float], expected: tuple[str, str, str]
) -> None:
    snapshot = {"provider": provider, "cpu": {"machine": machine}, "inference_ms": {"p95": p95}}
    said = health(snapshot, counts(**latest), counts(), 2.0)
    assert (said["state"], said["limits"], said["sentence_key"]) == expected


async def test_figures_that_fail_for_a_moment_are_told_and_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A reading that raises must neither end the readings for good nor go unheard."""
    app = build(Settings(data_dir=tmp_path, models_dir=tmp_path))
    figures, failures = app.services.figures, iter([True, True, False])
    make = figures._make

    def fails_twice(now: float) -> dict[str, Any]:
        if next(failures, False):
            raise psutil.AccessDenied
        return make(now)

    await app.start()
    monkeypatch.setattr(figures, "_make", fails_twice)
    async with asyncio.timeout(20):
        assert (await figures.next())["type"] == "operations"
    await app.stop()
    told = [record for record in caplog.records if "figures could not be read" in record.getMessage()]
    assert len(told) == 1
    assert "AccessDenied" in told[0].getMessage()


async def test_drops_are_all_that_was_lost_between_the_camera_and_a_look(tmp_path: Path) -> None:
    app = build(Settings(data_dir=tmp_path, models_dir=tmp_path))
    app.services.metrics.frames_dropped(1)
    app.services.metrics.media_lost("broken", 2)
    app.services.metrics.media_lost("skipped", 4)
    assert app.services.figures._read(0.0).drops == 7
