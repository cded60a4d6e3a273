"""The bench of one look: what it reports, not how fast it is."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from lessonroom.bench import machine, video
from lessonroom.config import Settings
from lessonroom.errors import BadMedia, ModelRefused
from lessonroom.media.strain_reader import HeadReader
from lessonroom.media.types import Face, Image, Observation, Unseen
from lessonroom.simulate import shaped
from lessonroom.simulate.sources import SHIPPED_CLIP
from tests.media.videos import video as made


def test_every_stage_is_timed_on_a_face() -> None:
    figures = video.run(Settings(), SHIPPED_CLIP, rounds=20)
    assert json.loads(json.dumps(figures)) == figures
    assert set(figures["milliseconds"]) == set(video.STAGES)
    assert figures["rounds"] >= 15
    spent = figures["processor_milliseconds"]
    assert spent["whole"] > spent["networks"] * 0.8
    assert figures["ratios"]["whole_to_networks"] > 0.8
    page = io.StringIO()
    video.show(figures, Console(file=page, width=100))
    assert "networks" in page.getvalue()


def test_the_whole_look_reads_strain_as_a_lesson_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or the bench would leave out what every lesson pays for: one reading for each picture with a face."""
    reads: list[float] = []
    plain = HeadReader.__call__

    def counted(reader: HeadReader, observation: Observation, image: Image) -> float:
        reads.append(plain(reader, observation, image))
        return reads[-1]

    monkeypatch.setattr(HeadReader, "__call__", counted)
    figures = video.run(Settings(), SHIPPED_CLIP, rounds=10)
    assert len(reads) >= figures["rounds"] > 0


def test_the_bound_of_a_face_holds_nothing_of_the_pictures_without_one_before_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A clip that begins with an empty chair would make its first face's bound that of many looks."""
    asked: list[int] = []
    plain = video.Kept.taken
    monkeypatch.setattr(video.Kept, "taken", lambda kept: (asked.append(len(kept._asked)), plain(kept))[1])
    faces_of, count = video.faces.landmark, iter(range(1000))

    def now_and_then(*arguments: Any) -> Face | Unseen:
        return Unseen.NO_FACE if next(count) == 0 else faces_of(*arguments)

    monkeypatch.setattr(video.faces, "landmark", now_and_then)
    video.run(Settings(), SHIPPED_CLIP, rounds=8)
    assert max(asked) == asked[-1] == 3, "detector, mesh and expression"


def test_the_strain_head_is_that_of_the_settings(tmp_path: Path) -> None:
    with pytest.raises(ModelRefused):
        video.run(Settings(strain_head=tmp_path), SHIPPED_CLIP, rounds=10)


def test_a_clip_without_a_face_gives_no_figures(tmp_path: Path) -> None:
    with pytest.raises(BadMedia, match="face"):
        video.run(Settings(), made(tmp_path / "wall.webm", size=(320, 240)), rounds=5)


def test_the_shaped_stream_is_what_a_page_sends(tmp_path: Path) -> None:
    """320x240, five a second, and no more than the hundred kilobits that were asked for, give or take a keyframe."""
    frames = shaped.encode(made(tmp_path / "a.webm", seconds=8, size=(640, 480)))
    assert len(frames) == pytest.approx(8 * shaped.RATE, abs=2)
    assert frames[0][0] & 1 == 0  # RFC 7741: the first bit of a VP8 keyframe is 0
    assert sum(map(len, frames)) * 8 / 8 < 1.5 * shaped.BITRATE


def test_the_machine_is_named_with_versions() -> None:
    about = machine.describe()
    assert about["cores"] >= 1
    assert {"python", "aiortc", "numpy"} <= set(about["versions"])
    assert machine.line(about).count("\n") == 1


def test_a_spread_is_in_milliseconds() -> None:
    assert machine.spread([0.001] * 99 + [1.0])["p50"] == 1.0
