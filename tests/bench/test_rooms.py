"""The bench of lessons: a real server process, real streams; what it reports, not how fast it is."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import pytest
from rich.console import Console

from lessonroom.bench import rooms
from lessonroom.bench.lesson import Waits, lesson
from lessonroom.bench.serving import Reading, quantile, series, serving
from lessonroom.errors import EngineDown
from lessonroom.simulate import shaped
from lessonroom.simulate.facts import PLACE
from lessonroom.simulate.sources import SHIPPED_CLIP
from tests.media.videos import cut, video


def reading(**counts: float) -> Reading:
    named = {f"seconds_bucket{{le={bound},stage=look}}": value for bound, value in counts.items()}
    return Reading(0.0, 0, 0, named)


def histogram(one: float, two: float, more: float) -> Reading:
    return reading(**{"0.1": one, "0.2": two, "+Inf": more})


@pytest.mark.parametrize(("share", "value"), [(0.25, 0.05), (0.5, 0.1), (0.75, 0.15), (1.0, 0.2)])
def test_a_quantile_is_read_from_what_came_between_two_readings(share: float, value: float) -> None:
    before, after = histogram(100, 100, 100), histogram(110, 120, 120)
    assert quantile(before, after, "seconds", share, stage="look") == pytest.approx(value)


def test_a_quantile_of_nothing_is_none_and_one_beyond_the_last_bound_is_that_bound() -> None:
    assert quantile(histogram(1, 1, 1), histogram(1, 1, 1), "seconds", 0.5, stage="look") is None
    assert quantile(histogram(1, 1, 1), histogram(1, 1, 9), "seconds", 0.5, stage="look") == 0.2
    assert quantile(histogram(0, 0, 0), histogram(1, 1, 1), "seconds", 0.5, stage="other") is None


def test_prometheus_text_is_read_with_its_labels_in_order() -> None:
    text = '# TYPE a_total counter\na_total{z="1",b="2"} 3\n# TYPE b gauge\nb 4\n'
    assert series(text) == {"a_total{b=2,z=1}": 3.0, "b": 4.0}


async def test_a_server_that_does_not_come_up_says_why(tmp_path: Path) -> None:
    with pytest.raises(EngineDown, match="SAMPLE_RATE"):
        async with serving(tmp_path, os.environ, sample_rate=99):
            pass


def test_one_lesson_for_a_few_seconds(tmp_path: Path) -> None:
    """Calm, then strained: a hint is decided and its way to the teacher is measured."""
    clip = cut(tmp_path / "clip.webm", SHIPPED_CLIP, (20, 28), (45, 60))
    shown: list[tuple[str, float, float]] = []
    figures = rooms.run(clip, os.environ, rooms=1, seconds=14, samples=2.0, progress=lambda *said: shown.append(said))
    assert {"letting people in", "measuring"} == {what for what, _, _ in shown}
    assert 10 < shown[-1][1] <= shown[-1][2] == 14
    assert json.loads(json.dumps(figures)) == figures
    assert figures["server"]["samples_per_second"]["per_lesson"] > 0.5
    assert figures["server"]["percent_of_a_core"]["all"] > 0
    assert figures["latency_ms"]["chat_to_teacher"]["of"] >= 2
    assert figures["latency_ms"]["chat_to_acknowledgement"]["of"] >= 2
    assert figures["latency_ms"]["button_to_teacher"]["of"] == 1
    assert figures["latency_ms"]["hint_decided_to_teacher"]["of"] >= 1
    assert figures["latency_ms"]["frame_received_to_estimate"]["of"] > 0
    page = io.StringIO()
    rooms.show(figures, Console(file=page, width=100))
    for row in ("percent of a core", "frame received to estimate", "hint decided to teacher", "chat to teacher"):
        assert row in page.getvalue()


async def test_a_page_that_is_lost_ends_the_measurement(tmp_path: Path) -> None:
    """Nobody waits for ever for what a page without a socket cannot hear."""
    frames = shaped.encode(video(tmp_path / "clip.webm", seconds=3, size=(320, 240)))
    async with (
        serving(tmp_path, os.environ, ice_loopback=True, provider_place=PLACE) as server,
        lesson(server, 0, frames, Waits()) as made,
    ):
        made._teacher.transport.abort()
        with pytest.raises(EngineDown, match="socket"):
            await made.hearing(made.talk(60, lambda gone: None))
