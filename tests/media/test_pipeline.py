"""One lesson's watch on a virtual clock, with the real mailbox, real threads and the real pure halves."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from av import VideoFrame

from lessonroom.config import Settings
from lessonroom.media import shots
from lessonroom.media import strain as feeling
from lessonroom.media.frames import Frames
from lessonroom.media.hints import HintState
from lessonroom.media.meter import Unmetered
from lessonroom.media.pipeline import Watch, strain_rules
from lessonroom.media.shots import pixels
from lessonroom.media.types import Box, Cue, Face, Hint, Observation, Place, Sample, Strain, Track, Unseen, Watching
from lessonroom.media.vision import Vision
from tests.media.sequences import Student, held

SETTINGS = Settings()


def picture() -> VideoFrame:
    """What a decoder gives."""
    return VideoFrame.from_ndarray(np.zeros((36, 32), np.uint8), format="yuv420p")


@dataclass
class Lesson:
    """A watch with its student: whenever the watch pauses, time goes by and the camera makes frames."""

    look: Callable[[Sample], Observation]
    settings: Settings = SETTINGS
    hints: HintState | None = None
    lasts: float = 200.0
    now: float = 0.0
    next_frame: float = 0.0
    strains: list[Strain] = field(default_factory=list)
    shown: list[Hint] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.next_frame = self.now
        self.frames: Frames[Any] = Frames()
        self.vision = Vision(self._each, deadline=10, threads=1, least=0.25, meter=Unmetered(), clock=lambda: self.now)
        self.watch = Watch(
            self.frames, self.vision, lambda: self.now, self.settings,
            on_strain=self.strains.append, on_hint=self.shown.append, meter=Unmetered(), hints=self.hints,
            pause=self.pause,
        )  # fmt: skip

    def _each(self, samples: Sequence[Sample]) -> list[Observation]:
        return [self.look(sample) for sample in samples]

    async def pause(self, seconds: float) -> None:
        end = self.now + seconds
        while self.next_frame <= end:
            self.frames.put(picture(), at=self.next_frame)
            self.next_frame += 0.2  # five frames a second
        self.now = end
        if self.now > self.lasts:
            self.frames.close()

    async def run(self) -> None:
        try:
            await self.watch.run()
        finally:
            self.vision.close()


def as_seen(student: Student, seconds: float = 1000.0) -> Callable[[Sample], Observation]:
    """A look that answers with the generated student's next observation, at the sample's time."""
    observations: Iterator[Observation] = student.observe(seconds)
    latest = next(observations)

    def look(sample: Sample) -> Observation:
        nonlocal latest
        while latest.at < sample.captured_at:
            latest = next(observations)
        return Observation(
            sample.captured_at, latest.unseen, quality=latest.quality, expression=latest.expression, shape=latest.shape
        )

    return look


async def test_from_frames_to_a_hint() -> None:
    lesson = Lesson(as_seen(Student(1, mood=held("anger", 130))))
    await lesson.run()
    assert [hint.cue for hint in lesson.shown] == [Cue.FROWNING]
    assert 130 < lesson.shown[0].at < 152
    assert lesson.strains[0].watching is Watching.LEARNING
    assert lesson.strains[-1].watching is Watching.WATCHING


async def test_a_look_that_hangs_has_no_picture_any_more_once_the_watch_was_stopped() -> None:
    """Consent that is taken back ends within a second, whatever the engine does."""
    looking, go_on = threading.Event(), threading.Event()
    pictures: list[np.ndarray] = []

    def hang(sample: Sample) -> Observation:
        sample.image[:] = 200  # what the camera saw
        pictures.append(sample.image)
        looking.set()
        go_on.wait(10)
        return Observation(sample.captured_at, quality=1.0, expression={"neutral": 1.0})

    lesson = Lesson(hang)
    running = asyncio.create_task(lesson.run())
    await asyncio.to_thread(looking.wait, 10)
    assert pictures[0].max() == 200
    lesson.watch.stop()
    assert pictures[0].max() == 0
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not lesson.strains


async def test_a_picture_is_black_as_soon_as_it_was_looked_at() -> None:
    pictures: list[np.ndarray] = []

    def look(sample: Sample) -> Observation:
        assert all(picture.max() == 0 for picture in pictures)
        sample.image[:] = 200
        pictures.append(sample.image)
        return Observation(sample.captured_at, quality=1.0, expression={"neutral": 1.0})

    await Lesson(look, lasts=3.0).run()
    assert len(pictures) > 2
    assert pictures[-1].max() == 0


async def test_each_look_is_told_where_the_last_one_saw_the_face() -> None:
    """Also after looks that saw none; and a watch that stopped remembers nothing."""
    boxes = [Box(10.0 * number, 0, 50, 50) for number in range(4)]
    told: list[Place | None] = []

    def look(sample: Sample) -> Observation:
        told.append(sample.before)
        number = len(told) - 1
        if number % 2:
            return Observation(sample.captured_at, Unseen.NO_FACE)
        return Observation(sample.captured_at, Unseen.TOO_DARK, Face(boxes[number // 2], 0.9))

    lesson = Lesson(look, lasts=3.0)
    await lesson.run()
    assert [place and place.box for place in told[:5]] == [None, boxes[0], boxes[0], boxes[1], boxes[1]]
    assert lesson.watch._place is not None
    lesson.watch.stop()
    assert lesson.watch._place is None


class Sketched:
    """A look that follows a face: keeps the sketches it made, and how many were left when it was asked again."""

    def __init__(self) -> None:
        self.sketches: list[np.ndarray] = []
        self.left: list[int] = []

    def __call__(self, sample: Sample) -> Observation:
        self.left.append(sum(sketch.any() for sketch in self.sketches))
        self.sketches.append(np.full(144, 0.5, np.float32))
        track = Track((30.0, 30.0), 50.0, 0.0, 0.0, self.sketches[-1], 0.9, sample.captured_at)
        face, chances = Face(Box(0, 0, 50, 50), 0.9), {"neutral": 1.0}
        return Observation(sample.captured_at, face=face, quality=1.0, expression=chances, track=track)


async def test_the_sketch_of_a_face_is_black_once_the_next_is_made_and_when_the_pictures_end() -> None:
    look = Sketched()
    await Lesson(look, lasts=5.0).run()
    assert look.left[:3] == [0, 1, 1]
    assert not any(sketch.any() for sketch in look.sketches)


async def test_the_sketch_of_a_face_is_black_at_once_when_the_watch_is_stopped() -> None:
    """Consent that is taken back leaves nothing of the face in memory."""
    look = Sketched()
    lesson = Lesson(look)
    running = asyncio.create_task(lesson.run())
    while len(lesson.strains) < 3:
        await asyncio.sleep(0)
    assert look.sketches[-1].any()
    lesson.watch.stop()
    assert not any(sketch.any() for sketch in look.sketches[:3])
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_a_camera_that_is_muted_leaves_no_sketch_behind() -> None:
    look = Sketched()
    lesson = Lesson(look)
    lesson.watch._take_in(look(Sample(np.zeros((4, 4, 3), np.uint8), 0.0)))
    freeze(lesson, 4)
    assert look.sketches[0].any()
    freeze(lesson, 2)
    assert not look.sketches[0].any()
    lesson.vision.close()


async def test_a_frame_is_looked_at_soon_after_it_came_and_not_just_before_the_next() -> None:
    ages: list[float] = []

    def look(sample: Sample) -> Observation:
        ages.append(lesson.now - sample.captured_at)
        return Observation(sample.captured_at, Unseen.NO_FACE)

    lesson = Lesson(look, lasts=30.0)
    await lesson.run()
    assert len(ages) > 50
    assert max(ages[2:]) < 0.03


async def test_a_frame_that_is_late_is_awaited() -> None:
    """The camera's network wavers: at the time at which it is expected, only the one before is here."""
    lesson = Lesson(as_seen(Student(1)), lasts=10.0)
    await lesson.run()
    lesson.frames = lesson.watch._frames = Frames()
    lesson.frames.put(picture(), at=lesson.now - 0.19)
    taking = asyncio.create_task(lesson.watch._newest())
    await asyncio.sleep(0)
    assert not taking.done()
    lesson.frames.put(picture(), at=lesson.now + 0.01)
    await taking
    assert lesson.frames.taken_at == lesson.now + 0.01


async def test_only_what_is_looked_at_is_converted(monkeypatch: pytest.MonkeyPatch) -> None:
    converted: list[VideoFrame] = []
    monkeypatch.setattr(shots, "pixels", lambda frame: converted.append(frame) or pixels(frame))
    lesson = Lesson(as_seen(Student(1)), lasts=60)
    await lesson.run()
    assert len(converted) == lesson.watch.samples == len(lesson.strains)
    assert 115 <= lesson.watch.samples <= 122  # two a second
    assert lesson.frames.received > 290
    assert lesson.frames.dropped > 170


async def test_a_slow_model_lowers_the_rate_and_nothing_grows() -> None:
    lesson = Lesson(as_seen(Student(1)), lasts=300)
    quick = lesson.look

    def slow(sample: Sample) -> Observation:
        lesson.now += 1.6  # the look takes this long
        return quick(sample)

    lesson.look = slow
    await lesson.run()
    assert lesson.watch.rate == SETTINGS.sample_rate_least
    assert lesson.watch.samples < 160
    assert lesson.strains[-1].watching is Watching.WATCHING


async def test_the_receiver_is_told_how_often_a_picture_is_taken() -> None:
    """It decodes no more of a stream that is dear to decode (:mod:`lessonroom.media.guard.sampling`)."""
    told: list[float] = []

    def look(sample: Sample) -> Observation:
        told.append(lesson.frames.interval)
        return Observation(sample.captured_at, quality=1.0, expression={"neutral": 1.0})

    lesson = Lesson(look)
    lesson.vision.beat.share = 0.4
    await lesson.run()
    assert told[0] == pytest.approx(1 / 0.8)
    assert told[-1] == pytest.approx(1 / lesson.watch.rate)


async def test_stop_means_at_once_and_for_good() -> None:
    """A look that is under way when consent is withdrawn gives no estimate any more, and nothing is remembered."""
    started, opened = threading.Event(), threading.Event()

    def look(sample: Sample) -> Observation:
        started.set()
        opened.wait(30)
        return Observation(sample.captured_at, unseen=Unseen.NO_FACE)

    lesson = Lesson(look)
    task = asyncio.create_task(lesson.run())
    async with asyncio.timeout(10):
        while not started.is_set():
            await asyncio.sleep(0.005)
    lesson.frames.put(picture(), at=1.0)
    lesson.watch.stop()
    assert lesson.frames.dropped == lesson.frames.received - 1
    opened.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0.02)
    assert lesson.strains == []
    assert lesson.watch._strain.at is None


async def test_a_listener_may_stop_the_watch() -> None:
    """Consent ends in the very moment of a hint: the hint is not given any more."""
    at_once = Settings(hint_hold_seconds=0.0)
    lesson = Lesson(as_seen(Student(1, mood=held("anger", 130))), settings=at_once)
    lesson.watch._on_strain = lambda strain: lesson.watch.stop() if (strain.level or 0) >= 0.6 else None
    await lesson.run()
    assert lesson.now < 150
    assert lesson.shown == []


async def test_stop_before_the_start_is_enough() -> None:
    lesson = Lesson(as_seen(Student(1)))
    lesson.watch.stop()
    await lesson.run()
    assert lesson.watch.samples == 0


async def test_a_new_connection_does_not_buy_more_hints() -> None:
    look = as_seen(Student(1, mood=held("anger", 130)))
    first = Lesson(look)
    await first.run()
    assert len(first.shown) == 1
    second = Lesson(as_seen(Student(1, mood=held("anger", 230))), now=200.0, lasts=300.0, hints=first.watch.hints)
    await second.run()
    assert max(strain.level or 0 for strain in second.strains) > 0.9
    assert second.shown == []


async def test_the_button_raises_the_estimate_and_keeps_hints_quiet() -> None:
    lesson = Lesson(as_seen(Student(1)), lasts=130)
    await lesson.run()
    again = Lesson(as_seen(Student(1)), lasts=130)
    again.watch.note(Cue.STUCK_BUTTON)
    await again.run()
    at_20 = [next(s.level for s in each.strains if s.level is not None) for each in (lesson, again)]
    assert at_20[0] < 0.2 < 0.7 < at_20[1]
    assert again.shown == []


async def test_a_cue_that_began_long_ago_weighs_less() -> None:
    levels = []
    for age in (0.0, 100.0):
        lesson = Lesson(as_seen(Student(1)), lasts=30)
        lesson.watch.note(Cue.CHAT, age)
        await lesson.run()
        levels.append(max(strain.level or 0.0 for strain in lesson.strains))
    assert levels[1] < levels[0] - 0.1


def freeze(lesson: Lesson, seconds: int) -> None:
    """The camera stands still while the clock of the room goes on."""
    for _ in range(seconds):
        lesson.now += 1.0
        lesson.watch.waited()


async def test_without_pictures_what_is_heard_still_becomes_a_hint() -> None:
    lesson = Lesson(as_seen(Student(1)), lasts=130)
    await lesson.run()
    told = len(lesson.strains)
    freeze(lesson, 60)
    assert lesson.shown == []
    for _ in range(2):
        lesson.watch.note(Cue.CHAT)
    freeze(lesson, 30)
    assert [hint.cue for hint in lesson.shown] == [Cue.CHAT]
    assert len(lesson.strains) == told  # the indicator must not say that anything was seen


async def test_a_camera_that_never_gave_a_picture_silences_nobody() -> None:
    lesson = Lesson(as_seen(Student(1)), hints=HintState(started=-1000.0))
    lesson.watch.note(Cue.CHAT)
    lesson.watch.note(Cue.CHAT)
    freeze(lesson, 4)
    assert lesson.watch.hints.at is None  # it has not been silent for long enough to say so
    freeze(lesson, 20)
    assert [hint.cue for hint in lesson.shown] == [Cue.CHAT]


async def test_without_pictures_a_face_makes_no_hint_and_its_strain_ends() -> None:
    lesson = Lesson(as_seen(Student(1, mood=held("anger", 100))), lasts=115)
    await lesson.run()
    assert (lesson.strains[-1].level or 0.0) > 0.6
    freeze(lesson, 60)
    assert lesson.shown == []
    assert lesson.watch.hints.held is None


async def test_a_watch_that_stopped_says_nothing_when_time_goes_by() -> None:
    lesson = Lesson(as_seen(Student(1)), hints=HintState(started=-1000.0))
    lesson.watch.stop()
    lesson.watch.note(Cue.CHAT)
    lesson.watch.note(Cue.CHAT)
    freeze(lesson, 30)
    assert lesson.shown == []


@pytest.mark.parametrize("settings", [{"sample_rate": 0.1, "sample_rate_least": 0.1}, {"inference_deadline": 30.0}])
async def test_looks_that_are_far_apart_or_slow_by_the_settings_are_no_silence(settings: dict[str, float]) -> None:
    lesson = Lesson(as_seen(Student(1)), settings=Settings.model_validate(settings))
    freeze(lesson, 20)
    assert lesson.watch.hints.at is None


@pytest.mark.parametrize("cue", feeling.EVENT_CUES)
def test_evidence_counts_by_its_weight_in_the_settings(cue: Cue) -> None:
    name = {Cue.STUCK_BUTTON: "button", Cue.CHAT: "chat", Cue.EXERCISE: "exercise"}[cue]
    levels = []
    for weight in (0.0, 1.0, 2.0):
        rules = strain_rules(Settings.model_validate({f"strain_{name}_weight": weight}))
        state = feeling.note(feeling.StrainState(), cue, 0.0)
        levels.append(feeling.estimate(state, 0.0, rules).level or 0.0)
    assert levels[0] < levels[1] - 0.1 < levels[2] - 0.2


async def test_without_a_weight_for_the_face_no_face_becomes_a_hint() -> None:
    shown = []
    for weight in (0.0, 1.0):
        lesson = Lesson(as_seen(Student(1, mood=held("anger", 130))), settings=Settings(strain_face_weight=weight))
        await lesson.run()
        shown.append(len(lesson.shown))
    assert shown == [0, 1]


async def test_an_answer_from_the_teacher_moves_the_threshold() -> None:
    lesson = Lesson(as_seen(Student(1, mood=held("anger", 130))))
    await lesson.run()
    lesson.watch.answered(lesson.shown[0].id, False)
    assert lesson.watch.hints.shift > 0


async def test_every_hint_has_an_id_of_its_own() -> None:
    settings = Settings(hint_pause_seconds=20.0, hint_first_seconds=0.0)
    lesson = Lesson(as_seen(Student(1, mood=held("anger", 40))), settings=settings)
    await lesson.run()
    assert len(lesson.shown) >= 2
    assert len({hint.id for hint in lesson.shown}) == len(lesson.shown)


async def test_what_a_listener_raises_ends_the_watch_and_is_not_swallowed() -> None:
    lesson = Lesson(as_seen(Student(1)))

    def broken(strain: Strain) -> None:
        raise LookupError("the room is gone")

    lesson.watch._on_strain = broken
    with pytest.raises(LookupError):
        await lesson.run()
