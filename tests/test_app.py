"""The composition root: what it makes of settings, and what it does without its models."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from lessonroom.app import KEY_FILE, build, signing_key
from lessonroom.config import Settings
from lessonroom.errors import BadSetting
from lessonroom.policy import Mode


def test_the_signing_key_is_made_once_and_is_nobody_elses_to_read(tmp_path: Path) -> None:
    key = signing_key(tmp_path / KEY_FILE)
    assert len(key) == 32
    assert signing_key(tmp_path / KEY_FILE) == key
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600


def test_a_truncated_signing_key_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).write_bytes(b"short")
    with pytest.raises(BadSetting, match="data_dir"):
        signing_key(tmp_path / KEY_FILE)


async def test_without_models_the_server_starts_lessons_run_and_nothing_is_analysed(tmp_path: Path) -> None:
    app = build(Settings(data_dir=tmp_path, models_dir=tmp_path))
    await app.start()
    await app.start()
    room = await app.admission.make_room(Mode.M3)
    await app.admission.make_member(room, "student", "Sam")
    assert app.services.figures.first()["provider"] == "off"
    assert app.services.figures.first()["health"]["sentence_key"] == "no_vision"
    await app.stop()
    await app.stop()


async def test_with_the_shipped_models_inference_says_where_it_runs(tmp_path: Path) -> None:
    app = build(Settings(data_dir=tmp_path))
    await app.start()
    assert app.services.figures.first()["provider"] in {"CPU", "CUDA", "TensorRT"}
    assert b"lessonroom_inference_provider_info{" in app.services.metrics.render()
    await app.stop()
