"""Rates and percentiles, and what the operations page is told of the machine."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from prometheus_client import CollectorRegistry, Histogram

from lessonroom import cores
from lessonroom.app import build
from lessonroom.config import Settings
from lessonroom.metrics import SECONDS, Metrics
from lessonroom.server.counting import AGE, Counts, between, count, percentile
from lessonroom.server.counting import buckets as read
from lessonroom.server.figures import POINT_SECONDS, Looked, _looked
from lessonroom.server.processor import Processor
from lessonroom.server.pulse import EVERY, Pulse


def buckets(*seconds: float) -> list[float]:
    """Cumulative counts as Prometheus keeps them."""
    histogram = Histogram("a", "a", ["stage"], registry=CollectorRegistry(), buckets=SECONDS)
    histogram.labels("look")
    for value in seconds:
        histogram.labels("look").observe(value)
    return read(histogram)["look"]


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


def test_only_stages_that_something_came_through_are_shown() -> None:
    """A stage that was never passed, or not in the last minute, has no time."""
    before, latest = {"look": buckets(0.01), "wait": buckets(0.2)}, {"look": buckets(0.01, 0.01), "wait": buckets(0.2)}
    assert between(before, latest).keys() == {"look"}
    assert between({}, latest).keys() == {"look", "wait"}


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
    async with asyncio.timeout(60):
        assert (await figures.next())["type"] == "operations"
    await app.stop()
    told = [record for record in caplog.records if "figures could not be read" in record.getMessage()]
    assert len(told) == 1
    assert "AccessDenied" in told[0].getMessage()


async def test_the_hour_goes_on_when_the_clock_is_set_back(tmp_path: Path) -> None:
    """Or the page would show a line that stands still for as long as the clock was wrong."""
    app = build(Settings(data_dir=tmp_path, models_dir=tmp_path))
    figures, now = app.services.figures, time.time()
    for at in (now, now - 3600, now - 3600 + POINT_SECONDS):
        figures._look(at)
    assert len(figures.first()["history"]) == 3
    await app.stop()


async def test_drops_are_all_that_was_lost_between_the_camera_and_a_look() -> None:
    metrics = Metrics()
    metrics.frames_dropped(1)
    metrics.media_lost("broken", 2)
    metrics.media_lost("skipped", 4)
    assert count(metrics, 0.0).drops == 7


def test_looks_that_are_late_are_counted_apart_from_those_that_fail() -> None:
    """The first is too much to do, the second a defect: operators do different things about them."""
    metrics = Metrics()
    for kind in ("late", "late", "down", "refused"):
        metrics.inference_failed(kind)
    counts = count(metrics, 0.0)
    assert (counts.late, counts.broken) == (2, 2)


def test_late_looks_of_a_lonely_lesson_are_seen_over_a_minute() -> None:
    """Looked at every two seconds, one lesson has five looks in ten seconds: too few for a share, and all are late."""
    minute = [Counts(float(at), samples=at // 2, late=at // 2, looks={AGE: ()}) for at in range(61)]
    assert _looked(minute, minute[-1]) == Looked(30, 30, None)
    busy = [Counts(float(at), samples=at * 8, late=max(0, at - 50) * 4, looks={AGE: ()}) for at in range(61)]
    assert _looked(busy, busy[-1]) == Looked(80, 40, None)


async def test_a_snapshot_has_every_stage_that_was_passed(tmp_path: Path) -> None:
    app = build(Settings(data_dir=tmp_path, models_dir=tmp_path, chat_processes=0))
    metrics, figures = app.services.metrics, app.services.figures
    await app.start()
    for stage in ("receive", "wait", "look"):
        metrics.inference_observed(stage, 0.01)
    metrics.observation_age(0.2)
    metrics.hint_delivered(0.002)
    way = metrics.way(time.time())
    way.passed("screen")
    metrics.chat_answered(0.03)
    async with asyncio.timeout(60):
        snapshot = await figures.next()
    await app.stop()
    assert snapshot["stages"]["look"].keys() == {"receive", "wait", "look", "age", "hint"}
    assert snapshot["stages"]["message"].keys() == {"wait", "screen", "chat"}
    assert 133 < snapshot["stages"]["look"]["age"]["p50"] < 300
    assert snapshot["load"]["inference"] > 0.05
    json.dumps(snapshot, allow_nan=False)


async def test_the_screening_processes_are_read_beside_the_server_itself(tmp_path: Path) -> None:
    app = build(Settings(data_dir=tmp_path, models_dir=tmp_path, chat_processes=1))
    await app.start()
    try:
        async with asyncio.timeout(60):
            while (snapshot := await app.services.figures.next())["processes"][0]["count"] == 0:
                pass
    finally:
        await app.stop()
    (screening,) = snapshot["processes"]
    assert screening["kind"] == "screening"
    assert screening["memory_mb"] > 10
    assert b'lessonroom_processes{kind="screening"} 1.0' in app.services.metrics.render()


def test_a_process_that_has_ended_is_no_error() -> None:
    """Workers die; the next reading must not."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    processor = Processor({"media": lambda: [child.pid]})
    assert processor.read().others[0].count == 1
    child.communicate(b"\n")
    assert processor.read().others[0].count == 0


def test_a_container_is_full_when_it_uses_what_it_may_and_not_when_the_machine_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One core of sixty-four that a container has to itself looks like nothing on the machine."""
    monkeypatch.setattr(cores, "allowed", lambda: 0.5)
    monkeypatch.setattr(psutil, "cpu_percent", lambda: 1.6)
    processor = Processor({})
    monkeypatch.setattr(processor._own, "cpu_percent", lambda: 50.0)
    work = processor.read()
    assert (work.busy, work.server, work.cores) == (1.0, 1.0, 1)


def test_a_process_that_ends_while_it_is_looked_at_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two questions about it; a number that no process has any more is another thing."""

    def ended(pid: int | None = None) -> psutil.Process:
        raise psutil.NoSuchProcess(pid)

    processor = Processor({"media": lambda: [os.getpid()]})
    monkeypatch.setattr(psutil, "Process", ended)
    assert processor.read().others[0].count == 0


async def test_a_loop_that_is_held_up_is_late() -> None:
    pulse = Pulse()
    pulse.start()
    assert (pulse.mean, pulse.worst) == (0.0, 0.0)
    time.sleep(EVERY + 0.3)  # what a defect would do
    async with asyncio.timeout(60):
        while not pulse.worst:
            await asyncio.sleep(0)
    pulse.stop()
    assert pulse.worst >= 0.25
