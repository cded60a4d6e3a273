"""From frames to hints: one :class:`Watch` for each analysed lesson, all on one :class:`~.vision.Vision`.

A Watch takes the newest frame when it is due, Vision looks at it on a thread, and the pure halves
:mod:`~lessonroom.media.strain` and :mod:`~lessonroom.media.hints` decide what it means. Each lesson has one look under
way at most, so what waits for inference is bounded by the number of lessons; what is late is forgotten, and a machine
that cannot keep up makes lessons be looked at less often, those whose strain rises last
(:mod:`~lessonroom.media.schedule`).
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import replace

from av.video.frame import VideoFrame

from lessonroom.config import Settings
from lessonroom.media import hints as speaking
from lessonroom.media import strain as feeling
from lessonroom.media.frames import Frames, FramesEnded
from lessonroom.media.meter import Meter
from lessonroom.media.schedule import Rhythm, Trend
from lessonroom.media.shots import Shot
from lessonroom.media.types import Cue, Hint, Observation, Place, Strain, Unseen
from lessonroom.media.vision import Clock, Vision

SILENT_SECONDS = 5.0
"""After so long without a look, what is heard decides alone. Longer where the settings make looks rarer or slower."""


class Watch:
    """Watches one lesson: frames in, estimates and hints out, on the event loop that runs it.

    ``clock`` is the one that stamped the frames. ``hints``: the state of this lesson's earlier Watch, so that a new
    connection does not buy the teacher more hints. ``on_strain`` and ``on_hint`` are called on the loop and must not
    block; what they raise ends :meth:`run`.
    """

    def __init__(
        self,
        frames: Frames[VideoFrame],
        vision: Vision,
        clock: Clock,
        settings: Settings,
        *,
        on_strain: Callable[[Strain], None],
        on_hint: Callable[[Hint], None],
        meter: Meter,
        hints: speaking.HintState | None = None,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._frames, self._vision, self._clock, self._meter = frames, vision, clock, meter
        self._on_strain, self._on_hint, self._pause = on_strain, on_hint, pause
        self._strain_rules, self._hint_rules = strain_rules(settings), hint_rules(settings)
        self._rates = settings.sample_rate_least, settings.sample_rate
        self._seat = vision.beat.join()
        self._trend = Trend()
        self._rhythm = Rhythm()
        self._strain = feeling.StrainState()
        self._place: Place | None = None
        self._hints = hints or speaking.HintState(started=clock())
        self._task: asyncio.Task[None] | None = None
        self._stopped = False
        self._dropped = 0
        self._looked_at = clock()
        self._shot: Shot | None = None
        self._silent = max(SILENT_SECONDS, 2.0 * longest_gap(settings), 2.0 * settings.inference_deadline)
        self.samples = 0
        """How many frames were looked at."""
        self.size = (0, 0)
        """Width and height of the latest frame, in pixels; zeros before the first."""

    @property
    def hints(self) -> speaking.HintState:
        """What to hand to the lesson's next Watch; it knows hints and answers, nothing of a face."""
        return self._hints

    @property
    def felt(self) -> feeling.StrainState:
        """What is remembered of the student; nothing after :meth:`stop`."""
        return self._strain

    def resume(self, felt: feeling.StrainState) -> None:
        """Go on from what an earlier Watch of the same student remembered; its events are to be noted anew."""
        self._strain = replace(felt, events=())

    @property
    def rate(self) -> float:
        """Samples per second now."""
        return self._vision.beat.rate(*self._rates, rising=self._trend.rising)

    async def run(self) -> None:
        """Watch until the frames end or :meth:`stop`, which ends it by CancelledError while it waits for something."""
        self._task = asyncio.current_task()
        try:
            await self._run()
        finally:
            self._let_go()

    async def _run(self) -> None:
        beat = self._vision.beat
        due = beat.first(self._seat, self.rate, self._clock())
        while not self._stopped:
            self._frames.interval = 1.0 / self.rate
            await self._pause(max(0.0, self._rhythm.after(due) - self._clock()))
            try:
                frame = await self._newest()
            except FramesEnded:
                return
            self._rhythm = self._rhythm.heard(self._frames.taken_at, self._frames.received)
            self._shot = Shot(frame, self._frames.taken_at, self._place)
            del frame
            await self._sample(self._shot)
            self._shot.wipe()
            due = beat.due(self._seat, self.rate, due, self._clock())

    def stop(self) -> None:
        """Stop at once and forget the student. A look that is under way ends by itself, without its picture."""
        self._stopped = True
        self._frames.clear()
        if self._shot is not None:
            self._shot.wipe()
        self._strain, self._trend = feeling.StrainState(), Trend()
        self._remember(None)
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()

    def note(self, cue: Cue, age: float = 0.0) -> None:
        """Take in the button, a chat cue or an exercise that goes badly; it began ``age`` seconds ago."""
        began = self._clock() - age
        self._strain = feeling.note(self._strain, cue, began)
        if cue is Cue.STUCK_BUTTON:
            self._hints = speaking.pressed(self._hints, began, self._hint_rules)

    def waited(self) -> None:
        """Time went by; call every second or so. Pictures that stay away must not keep what is heard from the teacher.

        It counts as a look that found nothing: trust in the face fades. No strain is told, as nothing was seen.
        """
        now = self._clock()
        if not self._stopped and now - self._looked_at >= self._silent:
            self._let_go()
            self._tell(self._decide(Observation(now, Unseen.NOT_LOOKED))[1])

    def answered(self, hint_id: str, helpful: bool | None) -> None:
        """Take in what the teacher said about a hint."""
        self._hints = speaking.answered(self._hints, hint_id, helpful, self._hint_rules)

    async def _newest(self) -> VideoFrame:
        """The next frame that is not nearly as old as the one that is about to come."""
        frame = await self._frames.take()
        if self._rhythm.stale(self._clock() - self._frames.taken_at):
            frame = await self._frames.take()
        return frame

    async def _sample(self, shot: Shot) -> None:
        self.samples += 1
        self._looked_at = self._clock()
        self.size = shot.size
        self._meter.sample_taken()
        self._meter.inference_observed("receive", max(0.0, self._looked_at - shot.captured_at))
        self._meter.frames_dropped(self._frames.dropped - self._dropped)
        self._dropped = self._frames.dropped
        self._take_in(await self._vision.look(shot, rising=self._trend.rising))

    def _take_in(self, observation: Observation) -> None:
        if not self._stopped:
            self._remember(observation.place_after(self._place))
        if observation.unseen is not None:
            self._meter.sample_unseen(observation.unseen.value)
        strain, hint = self._decide(observation)
        if not self._stopped:
            self._trend = self._trend.after(strain.level, strain.at)
        self._on_strain(strain)
        self._tell(hint)

    def _remember(self, place: Place | None) -> None:
        if self._place is not None and self._place is not place:
            self._place.wipe()
        self._place = place

    def _let_go(self) -> None:
        """Keep where the face was, and no sketch of it: nothing is going to be followed soon."""
        if self._place is not None:
            self._remember(Place(self._place.box, self._place.at))

    def _decide(self, observation: Observation) -> tuple[Strain, Hint | None]:
        self._strain, strain = feeling.step(self._strain, observation, self._strain_rules)
        self._hints, hint = speaking.decide(
            self._hints, strain, observation.at, self._hint_rules, hint_id=secrets.token_urlsafe(12)
        )
        return strain, hint

    def _tell(self, hint: Hint | None) -> None:
        if hint is not None and not self._stopped:
            self._on_hint(hint)


def strain_rules(settings: Settings) -> feeling.StrainRules:
    """The part of the settings that speaks of strain."""
    return feeling.StrainRules(
        learning_seconds=settings.strain_learning_seconds,
        clear_seconds=settings.strain_clear_seconds,
        longest_gap=longest_gap(settings),
        weights=dict.fromkeys(feeling.FACE_CUES, settings.strain_face_weight)
        | {
            Cue.STUCK_BUTTON: settings.strain_button_weight,
            Cue.CHAT: settings.strain_chat_weight,
            Cue.EXERCISE: settings.strain_exercise_weight,
        },
    )


def hint_rules(settings: Settings) -> speaking.HintRules:
    """The part of the settings that speaks of hints."""
    return speaking.HintRules(
        threshold=settings.hint_threshold,
        hold=settings.hint_hold_seconds,
        first=settings.hint_first_seconds,
        pause=settings.hint_pause_seconds,
        longest_gap=longest_gap(settings),
    )


def longest_gap(settings: Settings) -> float:
    """The longest time for which one sample may speak: a little more than the lowest rate leaves between two."""
    return 1.25 / min(settings.sample_rate_least, settings.sample_rate)
