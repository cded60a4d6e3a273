"""The process' eyes, with looks that are slow, hang, fail or are simply wrong."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import numpy as np
import pytest
from av import VideoFrame

from lessonroom.config import Settings
from lessonroom.errors import EngineDown, NoNumbers
from lessonroom.media import vision as eyes
from lessonroom.media.engine import Arrays
from lessonroom.media.meter import Unmetered
from lessonroom.media.onnx_engine import OnnxEngine
from lessonroom.media.shots import Shot, pixels
from lessonroom.media.types import Observation, Sample, Unseen
from lessonroom.media.vision import Look, Vision


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


def each(look: Callable[[Sample], Observation]) -> Look:
    """Looks at one sample after the other."""
    return lambda samples: [look(sample) for sample in samples]


def sample(at: float = 0.0) -> Sample:
    return Sample(np.zeros((4, 4, 3), np.uint8), at)


async def test_it_answers_and_meters_the_stages() -> None:
    meter = Counted()
    vision = Vision(each(seen), deadline=5, threads=1, meter=meter)
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
    vision = Vision(each(look), deadline=0.05, threads=1, meter=meter)
    assert (await vision.look(sample(1.0))).unseen is Unseen.NOT_LOOKED
    hang.clear()
    async with asyncio.timeout(10):  # its thread is taken for hung after five deadlines, and a spare takes over
        while (await vision.look(sample(2.0))).unseen is not None:
            await asyncio.sleep(0.02)
    assert meter.failed["late"] >= 1
    opened.set()
    vision.close()


async def test_a_look_that_hung_says_nothing_of_how_long_others_take() -> None:
    """Those who wait are dropped when looks take too long; a minute of a driver that stood still is no such thing."""
    now, first = [0.0], iter([60.0])

    def look(sample: Sample) -> Observation:
        now[0] += next(first, 0.001)
        return seen(sample)

    vision = Vision(each(look), deadline=0.5, threads=1, meter=Unmetered(), clock=lambda: now[0])
    await vision.look(sample())
    answers = await asyncio.gather(*(vision.look(sample(float(number))) for number in range(5)))
    assert [answer.unseen for answer in answers] == [None] * 5
    vision.close()


async def test_it_is_down_after_a_row_of_failures_and_up_after_one_answer() -> None:
    broken = True

    def look(sample: Sample) -> Observation:
        if broken:
            raise EngineDown("expected finite numbers, got others")
        return seen(sample)

    meter = Counted()
    vision = Vision(each(look), deadline=5, threads=1, meter=meter)
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
    vision = Vision(each(look), deadline=0.02, threads=1, meter=meter)
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

    vision = Vision(each(look), deadline=5, threads=1, meter=Unmetered())
    assert (await vision.look(sample())).unseen is Unseen.NOT_LOOKED
    assert "IndexError" in caplog.text
    vision.close()


class Slow:
    """A look whose first call does not end before it is let; keeps how many went together."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.sizes: list[int] = []

    def __call__(self, samples: Sequence[Sample]) -> list[Observation]:
        self.sizes.append(len(samples))
        self.opened.wait(30)
        return [seen(sample) for sample in samples]


@pytest.mark.parametrize(("together", "sizes"), [(1, [1] * 6), (4, [1, 4, 1])])
async def test_what_waits_goes_together_where_batches_pay_and_one_by_one_elsewhere(
    together: int, sizes: list[int]
) -> None:
    look = Slow()
    vision = Vision(look, deadline=20, threads=1, together=lambda: together, meter=Unmetered(), clock=lambda: 0.0)
    looks = [asyncio.create_task(vision.look(sample(float(number)))) for number in range(6)]
    await asyncio.sleep(0)
    look.opened.set()
    assert [(await each).at for each in looks] == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    assert look.sizes == sizes
    vision.close()


class Broken:
    """A frame that cannot be converted."""

    width, height = 32, 24


class Odd:
    """A look that fails over whatever holds the sample of second 3; keeps what went together."""

    def __init__(self, error: Exception) -> None:
        self.opened = threading.Event()
        self.error = error
        self.asked: list[list[float]] = []

    def __call__(self, samples: Sequence[Sample]) -> list[Observation]:
        self.opened.wait(30)
        self.asked.append([sample.captured_at for sample in samples])
        if 3.0 in self.asked[-1]:
            raise self.error
        return [seen(sample) for sample in samples]


async def batch(look: Odd, third: Sample | Shot) -> tuple[list[bool], Counted]:
    """One look alone, and behind it four together with ``third``; which of the four were looked at."""
    meter = Counted()
    vision = Vision(look, deadline=20, threads=1, together=lambda: 4, meter=meter, clock=lambda: 0.0)
    samples = [sample(0.0), sample(1.0), sample(2.0), third, sample(4.0)]
    looks = [asyncio.create_task(vision.look(each)) for each in samples]
    await asyncio.sleep(0)
    look.opened.set()
    observations = [await each for each in looks]
    assert [each.at for each in observations] == [0.0, 1.0, 2.0, 3.0, 4.0]
    vision.close()
    return [each.unseen is None for each in observations[1:]], meter


@pytest.mark.parametrize("error", [NoNumbers("expected finite numbers, got others"), IndexError("out of range")])
async def test_one_odd_sample_leaves_the_others_of_its_batch_alone(error: Exception) -> None:
    """They are other lessons: each is looked at alone, and only the odd one says NOT_LOOKED."""
    look = Odd(error)
    looked, meter = await batch(look, sample(3.0))
    assert looked == [True, True, False, True]
    assert meter.failed == {"down": 1}
    assert look.asked == [[0.0], [1.0, 2.0, 3.0, 4.0], [1.0], [2.0], [3.0], [4.0]]


async def test_an_engine_that_is_down_is_not_asked_again_for_each_of_a_batch() -> None:
    look = Odd(EngineDown("expected an answer, got none"))
    looked, meter = await batch(look, sample(3.0))
    assert looked == [False] * 4
    assert meter.failed == {"down": 4}
    assert len(look.asked) == 2


async def test_a_frame_that_cannot_be_converted_leaves_the_others_of_its_batch_alone() -> None:
    look = Odd(IndexError())
    looked, meter = await batch(look, Shot(cast("VideoFrame", Broken()), 3.0))
    assert looked == [True, True, False, True]
    assert meter.failed == {"down": 1}
    assert look.asked == [[0.0], [1.0, 2.0, 4.0]]


async def test_batches_are_made_where_inference_runs_on_a_gpu_or_far_away_and_not_on_the_cpu() -> None:
    class Changing:
        provider, reason = "CPU", ""

        def infer(self, model: str, inputs: Arrays) -> dict[str, Any]:
            raise EngineDown("expected an answer, got none")

        def close(self) -> None:
            pass

    engine = Changing()
    vision = eyes.see(engine, Settings(), meter=Unmetered())
    assert vision._together() == 1
    engine.provider = "CUDA"
    assert vision._together() == eyes.TOGETHER
    vision.close()


async def test_a_lesson_whose_strain_rises_goes_first() -> None:
    opened, order = threading.Event(), []

    def look(sample: Sample) -> Observation:
        opened.wait(30)
        order.append(sample.captured_at)
        return seen(sample)

    vision = Vision(each(look), deadline=20, threads=1, meter=Unmetered(), clock=lambda: 0.0)
    looks = [asyncio.create_task(vision.look(sample(float(number)), rising=number == 3)) for number in range(4)]
    await asyncio.sleep(0)
    opened.set()
    await asyncio.gather(*looks)
    assert order == [0.0, 3.0, 1.0, 2.0]
    vision.close()


async def test_a_look_that_is_cancelled_or_wiped_while_it_waits_is_never_made() -> None:
    """Consent that is withdrawn ends it, also for what stands in the line."""
    opened, looked = threading.Event(), []

    def look(sample: Sample) -> Observation:
        opened.wait(30)
        looked.append(sample.captured_at)
        return seen(sample)

    vision = Vision(each(look), deadline=20, threads=1, meter=Unmetered())
    first = asyncio.create_task(vision.look(sample(0.0)))
    shots = [Shot(VideoFrame(32, 24, "yuv420p"), float(number)) for number in (1, 2, 3)]
    waiting = [asyncio.create_task(vision.look(shot)) for shot in shots]
    await asyncio.sleep(0)
    waiting[0].cancel()
    shots[1].wipe()
    await asyncio.sleep(0)
    opened.set()
    await first
    assert (await waiting[1]).unseen is Unseen.NOT_LOOKED
    assert (await waiting[2]).unseen is None
    assert looked == [0.0, 3.0]
    vision.close()


async def test_slow_answers_lower_the_rate_for_all() -> None:
    now = 0.0

    def look(sample: Sample) -> Observation:
        nonlocal now
        now += 0.5
        return seen(sample)

    vision = Vision(each(look), deadline=20, threads=1, least=0.25, meter=Unmetered(), clock=lambda: now)
    for _ in range(60):
        await vision.look(sample(now))
    assert vision.beat.share == 0.25
    vision.close()


async def test_a_large_frame_is_brought_down() -> None:
    shapes = []

    def look(sample: Sample) -> Observation:
        shapes.append(sample.image.shape)
        return seen(sample)

    vision = Vision(each(look), deadline=5, threads=1, meter=Unmetered())
    for width, height in ((1920, 1080), (320, 240)):
        frame = VideoFrame.from_ndarray(np.zeros((height, width, 3), np.uint8), format="bgr24")
        await vision.look(Shot(frame.reformat(format="yuv420p"), 0.0))
    assert shapes == [(720, 1280, 3), (240, 320, 3)]
    vision.close()


def test_frames_of_all_sizes_come_out_right_beside_one_another_on_many_threads() -> None:
    """The tables for colours are kept from frame to frame, and each thread has its own."""
    rng = np.random.default_rng(0)
    shapes = [(240, 320), (120, 160), (480, 640), (180, 320)]
    frames = [
        VideoFrame.from_ndarray(rng.integers(0, 256, (height * 3 // 2, width), np.uint8), format="yuv420p")
        for height, width in shapes * 8
    ]
    expected = [frame.to_ndarray(format="bgr24") for frame in frames]
    with ThreadPoolExecutor(4) as pool:
        for got, wanted in zip(pool.map(pixels, frames), expected, strict=True):
            np.testing.assert_array_equal(got, wanted)


async def test_the_shipped_models_say_that_an_empty_room_has_no_face() -> None:
    """The real line from frame to observation: detector, mesh and expression network as the package brings them."""
    meter = Counted()
    with OnnxEngine(eyes.MODELS) as engine:
        vision = eyes.see(engine, Settings(), meter=meter)
        frame = VideoFrame.from_ndarray(np.full((240, 320, 3), 90, np.uint8), format="bgr24")
        assert (await vision.look(Shot(frame, 0.0))).unseen is Unseen.NO_FACE
        assert meter.stages["face_detector"] >= 1
        vision.close()
