"""The composition root: what it makes of settings, and what it does without its models."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from lessonroom.app import build
from lessonroom.config import Settings
from lessonroom.errors import BadSetting
from lessonroom.media.onnx_engine import OnnxEngine
from lessonroom.policy import Mode
from tests.inference_servers.unruly import Unruly, answering


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
    assert app._analysis.eyes is None


async def test_with_the_shipped_models_inference_says_where_it_runs(tmp_path: Path) -> None:
    app = build(Settings(data_dir=tmp_path))
    await app.start()
    assert app.services.figures.first()["provider"] in {"CPU", "CUDA", "TensorRT"}
    assert b"lessonroom_inference_provider_info{" in app.services.metrics.render()
    await app.stop()


async def test_the_figures_follow_an_inference_server_that_comes_and_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread tries it after the start; what it finds must reach the page and the metric."""
    said: asyncio.Queue[str] = asyncio.Queue()
    with OnnxEngine() as engine, Unruly(answering(engine)).running() as unruly:
        unruly.ready = False
        app = build(Settings(data_dir=tmp_path, inference_server=unruly.url, inference_server_deadline=1.9))
        figures = app.services.figures
        tell = figures.inference_runs
        monkeypatch.setattr(figures, "inference_runs", lambda *where: (tell(*where), said.put_nowait(where[0])))
        await app.start()
        assert figures.provider in {"CPU", "CUDA", "TensorRT"}
        unruly.ready = True  # tried again after a second
        async with asyncio.timeout(60):
            while await said.get() != "server":
                pass
        assert figures.provider == "server"
        assert b'lessonroom_inference_provider_info{provider="server"} 1.0' in app.services.metrics.render()
        await app.stop()
