"""The composition root: what it makes of settings, and what it does without its models."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from lessonroom.app import KEY_FILE, build, signing_key
from lessonroom.config import Settings
from lessonroom.errors import BadSetting
from lessonroom.media.onnx_engine import OnnxEngine
from lessonroom.policy import Mode


def test_the_signing_key_is_made_once_and_is_nobody_elses_to_read(tmp_path: Path) -> None:
    key = signing_key(tmp_path / KEY_FILE)
    assert len(key) == 32
    assert signing_key(tmp_path / KEY_FILE) == key
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600


@pytest.mark.parametrize("left", [b"", b"short"])
def test_a_truncated_signing_key_stops_the_start_and_says_what_to_do(tmp_path: Path, left: bytes) -> None:
    (tmp_path / KEY_FILE).write_bytes(left)
    with pytest.raises(BadSetting, match=rf"data_dir: expected 32 bytes in {KEY_FILE}, got {len(left)}; remove"):
        signing_key(tmp_path / KEY_FILE)


def test_a_crash_on_the_way_leaves_no_part_of_a_signing_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr("os.fsync", _fail)
        with pytest.raises(BadSetting, match=r"data_dir: .* No space left"):
            signing_key(tmp_path / KEY_FILE)
    assert list(tmp_path.iterdir()) == []
    assert len(signing_key(tmp_path / KEY_FILE)) == 32
    assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE]


def test_of_two_that_start_at_once_both_have_the_same_signing_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync = os.fsync

    def somebody_is_quicker(handle: int) -> None:
        sync(handle)
        if not (tmp_path / KEY_FILE).exists():
            (tmp_path / KEY_FILE).write_bytes(b"k" * 32)

    monkeypatch.setattr("os.fsync", somebody_is_quicker)
    assert signing_key(tmp_path / KEY_FILE) == b"k" * 32


def _fail(handle: int) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_data_folder_that_cannot_be_made_is_a_bad_setting(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(BadSetting, match=r"^data_dir: expected a folder"):
            build(Settings(data_dir=folder, models_dir=tmp_path))


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


def test_a_strain_head_that_cannot_be_used_leaves_no_engine_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    close, closed = OnnxEngine.close, []
    monkeypatch.setattr(OnnxEngine, "close", lambda engine: (closed.append(engine), close(engine))[1])
    (tmp_path / "head").mkdir()
    app = build(Settings(data_dir=tmp_path, strain_head=tmp_path / "head"))
    assert len(closed) == 1
    assert app._eyes is None


async def test_with_the_shipped_models_inference_says_where_it_runs(tmp_path: Path) -> None:
    app = build(Settings(data_dir=tmp_path))
    await app.start()
    assert app.services.figures.first()["provider"] in {"CPU", "CUDA", "TensorRT"}
    assert b"lessonroom_inference_provider_info{" in app.services.metrics.render()
    await app.stop()
