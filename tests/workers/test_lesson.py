"""One lesson in a media worker: what is left of the face when it is stopped, and what the server is told of it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import pytest
from av import VideoFrame

from lessonroom.config import Settings
from lessonroom.media.frames import Frames
from lessonroom.media.hints import HintState
from lessonroom.media.meter import Unmetered
from lessonroom.media.peer import Analyser
from lessonroom.media.sdp import SdpPolicy
from lessonroom.media.types import Box, Face, Observation, Sample, Track
from lessonroom.media.vision import Vision
from lessonroom.processes.frames import Message
from lessonroom.workers import words
from lessonroom.workers.lesson import Lesson

MARK = "271828"
"""How every number of these sketches and embeddings begins, and no other number of a lesson."""


class Connection:
    """An analyser whose pictures a test brings."""

    def __init__(self) -> None:
        self.frames: Frames[VideoFrame] = Frames()

    def picture(self) -> None:
        frame = VideoFrame.from_ndarray(np.full((36, 32), 90, np.uint8), format="yuv420p")
        self.frames.put(frame, at=time.monotonic())

    async def close(self) -> None:
        self.frames.close()


class Followed:
    """A look that follows a face."""

    def __init__(self) -> None:
        self.sketches: list[np.ndarray] = []

    def __call__(self, samples: Sequence[Sample]) -> list[Observation]:
        return [self._one(sample.captured_at) for sample in samples]

    def _one(self, at: float) -> Observation:
        marked = np.arange(144, dtype=np.float32) + float(MARK) * 10
        self.sketches.append(marked)
        track = Track((16.0, 12.0), 20.0, 0.0, 0.0, marked, 0.9, at)
        face, chances = Face(Box(0, 0, 20, 20), 0.9), {"neutral": 1.0}
        return Observation(at, face=face, quality=1.0, expression=chances, embedding=marked.copy(), track=track)


async def test_the_sketch_of_a_face_is_black_once_the_server_said_stop_and_was_told_to_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Consent that is taken back reaches a worker as these words; what it tells each second holds no face."""
    connection, look, said = Connection(), Followed(), list[Message]()

    async def accept(*_: Any, **__: Any) -> Analyser:
        return cast("Analyser", connection)

    monkeypatch.setattr(Analyser, "accept", accept)
    vision = Vision(look, deadline=5, threads=1, meter=Unmetered())
    lesson = Lesson(1, vision, Settings(sample_rate=5.0), Unmetered(), said.append)
    await lesson.accept("v=0", [], SdpPolicy())
    lesson.hear({"do": words.WATCH, "hints": words.hints(HintState(started=time.monotonic()))})
    async with asyncio.timeout(60):
        while sum(one["say"] == words.STRAIN for one in said) < 2:
            connection.picture()
            await asyncio.sleep(0.02)
    lesson.tell()
    assert look.sketches[1].any()
    lesson.stop()
    assert not any(sketch.any() for sketch in look.sketches[:2])
    await lesson.close()
    assert {words.STRAIN, words.STATE} <= {one["say"] for one in said}
    assert MARK not in json.dumps(said)
    vision.close()
