"""A lesson that is looked at on a real inference server, which then dies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from lessonroom import messages as m
from lessonroom import models
from lessonroom.app import App
from lessonroom.media.kserve_engine import KserveEngine
from tests.inference_servers import serving as inference_server
from tests.integration.serving import Lesson, serving
from tests.integration.test_models_fail import camera, failures, shows


def looks(app: App) -> float:
    """Looks that were answered."""
    return app.services.metrics.registry.get_sample_value("lessonroom_observation_age_seconds_count") or 0.0


async def becomes(true: Callable[[], bool]) -> None:
    """Wait for what a thread does, which has no event for us."""
    async with asyncio.timeout(60):
        while not true():
            await asyncio.sleep(0.02)


async def test_a_lesson_is_looked_at_on_the_server_and_does_not_notice_when_it_dies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered: list[str] = []
    plain = KserveEngine.infer

    def counted(engine: KserveEngine, model: str, inputs: object) -> object:
        answer = plain(engine, model, inputs)  # type: ignore[arg-type]
        answered.append(model)
        return answer

    monkeypatch.setattr(KserveEngine, "infer", counted)
    (tmp_path / "server").mkdir()
    with inference_server("mlserver", models.folder(), tmp_path / "server") as server:
        async with serving(
            tmp_path, ice_loopback=True, analysers=1, inference_server=server.url, inference_server_deadline=1.0
        ) as app:
            figures = app.services.figures
            await becomes(lambda: figures.provider == "server")
            answered.clear()  # the trial's own questions
            lesson = await Lesson.make(app)
            async with lesson.teacher.page("page-t001") as teacher, lesson.student.page("page-s001") as student:
                await student.say(m.ConsentSend(agreed=True))
                async with camera(lesson):
                    await shows(teacher, "learning", "no_face")
                    assert "face_detector" in answered
                    server.process.kill()
                    await becomes(lambda: figures.provider == "CPU")
                    before = looks(app)
                    await becomes(lambda: looks(app) > before + 2)
            assert failures(app) == 0
