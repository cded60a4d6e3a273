"""The process' eyes, with looks that are slow, hang, fail or are simply wrong."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter

import numpy as np
import pytest
from av import VideoFrame

from lessonroom.config import Settings
from lessonroom.errors import EngineDown
from lessonroom.media import vision as eyes
from lessonroom.media.meter import Unmetered
from lessonroom.media.onnx_engine import OnnxEngine
from lessonroom.media.types import Observation, Sample, Unseen
from lessonroom.media.vision import Shot, Vision


class Counted(Unmetered):
    """A meter that keeps what it is told."""

    def __init__(self) -> None:
        self.stages: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.queue = 0
        self.most = 0

    def inference_observed(self, stage: str, seconds: float) -> None:
        assert seconds >= 0
        self.stages[stage] += 1

    def inference_queue(self, change: int) -> None:
        self.queue += change
        self.most = max(self.most, self.queue)

    def inference_failed(self, kind: str) -> None:
        self.failed[kind] += 1


def seen(sample: Sample) -> Observation:
    return Observation(sample.captured_at, quality=1.0, expression={"neutral": 1.0})


def sample(at: float = 0.0) -> Sample:
    return Sample(np.zeros((4, 4, 3), np.uint8), at)


async def test_it_answers_and_meters_the_stages() -> None:
    meter = Counted()
    vision = Vision(seen, deadline=5, threads=1, meter=meter)
    frame = VideoFrame.from_ndarray(np.full((240, 320, 3), 9, np.uint8), format="bgr24")
    observation = await vision.look(Shot(frame, 3.0))
    assert observation.at == 3.0
    assert observation.unseen is None
    assert meter.stages == {"wait": 1, "convert": 1, "look": 1}
    assert meter.queue == 0
    vision.close()


async def test_a_look_that_hangs_is_not_looked_and_does_not_hold_up_the_next() -> None:
    opened = threading.Event()
    hang = threading.Event()
    hang.set()

    def look(sample: Sample) -> Observation:
        if hang.is_set():
            opened.wait(30)
        return seen(sample)

    meter = Counted()
    vision = Vision(look, deadline=0.05, threads=1, meter=meter)
    assert (await vision.look(sample(1.0))).unseen is Unseen.NOT_LOOKED
    hang.clear()
    async with asyncio.timeout(10):  # its thread is taken for hung after five deadlines, and a spare takes over
        while (await vision.look(sample(2.0))).unseen is not None:
            await asyncio.sleep(0.02)
    assert meter.failed["late"] >= 1
    opened.set()
    vision.close()


async def test_it_is_down_after_a_row_of_failures_and_up_after_one_answer() -> None:
    broken = True

    def look(sample: Sample) -> Observation:
        if broken:
            raise EngineDown("expected finite numbers, got others")
        return seen(sample)

    meter = Counted()
    vision = Vision(look, deadline=5, threads=1, meter=meter)
    for _ in range(3):
        assert not vision.down
        assert (await vision.look(sample())).unseen is Unseen.NOT_LOOKED
    assert vision.down
    assert meter.failed == {"down": 3}
    broken = False
    assert (await vision.look(sample())).unseen is None
    assert not vision.down
    vision.close()


async def test_when_everything_hangs_looks_are_refused_at_once() -> None:
    opened = threading.Event()

    def look(sample: Sample) -> Observation:
        opened.wait(30)
        return seen(sample)

    before = set(threading.enumerate())  # other tests' threads may still be on their way out
    meter = Counted()
    vision = Vision(look, deadline=0.02, threads=1, meter=meter)
    async with asyncio.timeout(10):
        while not meter.failed["refused"]:
            await vision.look(sample())
            await asyncio.sleep(0.02)
    assert vision.down
    made = set(threading.enumerate()) - before
    assert sum(thread.name == "lessonroom-inference" for thread in made) == 3
    opened.set()
    vision.close()


async def test_a_defect_in_a_model_is_not_looked_and_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """Neither an answer nor silence: operators read of it, and the lesson's watch goes on."""

    def look(sample: Sample) -> Observation:
        raise IndexError("list index out of range")

    vision = Vision(look, deadline=5, threads=1, meter=Unmetered())
    assert (await vision.look(sample())).unseen is Unseen.NOT_LOOKED
    assert "IndexError" in caplog.text
    vision.close()


async def test_a_large_frame_is_brought_down() -> None:
    shapes = []

    def look(sample: Sample) -> Observation:
        shapes.append(sample.image.shape)
        return seen(sample)

    vision = Vision(look, deadline=5, threads=1, meter=Unmetered())
    for width, height in ((1920, 1080), (320, 240)):
        frame = VideoFrame.from_ndarray(np.zeros((height, width, 3), np.uint8), format="bgr24")
        await vision.look(Shot(frame.reformat(format="yuv420p"), 0.0))
    assert shapes == [(720, 1280, 3), (240, 320, 3)]
    vision.close()


async def test_the_shipped_models_say_that_an_empty_room_has_no_face() -> None:
    """The real line from frame to observation: detector, mesh and expression network as the package brings them."""
    meter = Counted()
    with OnnxEngine(eyes.MODELS) as engine:
        vision = eyes.see(engine, Settings(), meter=meter)
        frame = VideoFrame.from_ndarray(np.full((240, 320, 3), 90, np.uint8), format="bgr24")
        assert (await vision.look(Shot(frame, 0.0))).unseen is Unseen.NO_FACE
        assert meter.stages["face_detector"] >= 1
        vision.close()
