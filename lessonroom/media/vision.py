"""The process' eyes: one engine, a few threads, a deadline, for all lessons together."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from lessonroom import logs
from lessonroom.config import Settings
from lessonroom.errors import EngineDown
from lessonroom.media import expression, faces, strain_reader
from lessonroom.media.engine import Arrays, Engine
from lessonroom.media.lanes import Lanes
from lessonroom.media.meter import Meter
from lessonroom.media.observe import observe
from lessonroom.media.types import Image, Observation, Place, Sample, Unseen

MODELS = (faces.DETECTOR, faces.MESH, expression.MODEL)
"""What an engine must have loaded for :func:`see`."""
MOST_SIDE = 1280
"""Frames are brought down to this longer side, in pixels, on their way out of the decoder's colours."""
HUNG_AFTER = 5.0
"""A look that takes so many deadlines is taken for hung, and its thread is replaced."""
DOWN_AFTER = 3
"""Looks without an answer, one after the other over all lessons, that make vision down."""

log = logs.get(__name__)

Look = Callable[[Sample], Observation]
"""Looks at one sample and says what is there. Blocks; raises EngineDown when it cannot."""
Clock = Callable[[], float]


@dataclass(slots=True)
class Shot:
    """A frame that was chosen for analysis; its pixels are converted when its turn comes, and not before.

    ``before`` as in :class:`~lessonroom.media.types.Sample`. :meth:`wipe` may be called on any thread, at any time.
    """

    frame: VideoFrame | None = field(repr=False)
    captured_at: float
    before: Place | None = None
    _image: Image | None = field(default=None, repr=False)
    _wiped: bool = False

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels; zeros once the frame was converted or wiped."""
        return (0, 0) if self.frame is None else (self.frame.width, self.frame.height)

    def sample(self) -> Sample | None:
        """Convert to BGR, in one pass with bringing a large picture down; None once it was wiped."""
        frame, self.frame = self.frame, None
        if frame is None:
            return None
        self._image = pixels(frame)
        if self._wiped:  # meanwhile, when there was nothing to blacken yet
            self._image.fill(0)
            return None
        return Sample(self._image, self.captured_at, self.before)

    def wipe(self) -> None:
        """Forget the frame and blacken its pixels, also under a look that hangs."""
        self.frame, self._wiped = None, True
        if self._image is not None:
            self._image.fill(0)


class Vision:
    """The process' eyes: looks on threads, with a deadline. Use from one event loop.

    ``down`` says that looks get no answers; it turns back by itself.
    """

    def __init__(
        self, look: Look, *, deadline: float, threads: int, meter: Meter, clock: Clock = time.monotonic
    ) -> None:
        self._look = look
        self._deadline = deadline
        self._meter = meter
        self._clock = clock
        self._lanes: Lanes[Observation] = Lanes(threads, patience=HUNG_AFTER * deadline)
        self._failures = 0

    @property
    def down(self) -> bool:
        """Whether the last looks all went unanswered."""
        return self._failures >= DOWN_AFTER or self._lanes.stuck

    async def look(self, sample: Sample | Shot) -> Observation:
        """Look at one sample. When there is no answer in time, the observation says NOT_LOOKED; it never raises."""
        asked = self._clock()
        self._meter.inference_queue(+1)
        try:
            observation = await self._lanes.run(partial(self._work, sample, asked), self._deadline)
        except TimeoutError:
            return self._not_looked(sample, "late")
        except EngineDown as error:
            return self._not_looked(sample, "refused" if self._lanes.stuck else "down", error)
        except Exception as error:
            # a defect in one model's code must not end the lesson's watch; it is told with its traceback, once a look
            log.exception("a look failed", error=type(error).__name__)
            return self._not_looked(sample, "down")
        finally:
            self._meter.inference_queue(-1)
        self._failures = 0
        self._meter.observation_age(max(0.0, self._clock() - sample.captured_at))
        return observation

    def close(self) -> None:
        """Look no more."""
        self._lanes.close()

    def _work(self, sample: Sample | Shot, asked: float) -> Observation:
        """On a lane's thread."""
        began = self._clock()
        self._meter.inference_observed("wait", began - asked)
        if isinstance(sample, Shot):
            shot, taken = sample, sample.sample()
            converted = self._clock()
            self._meter.inference_observed("convert", converted - began)
            began = converted
            if taken is None:
                return Observation(shot.captured_at, unseen=Unseen.NOT_LOOKED)
            sample = taken
        observation = self._look(sample)
        self._meter.inference_observed("look", self._clock() - began)
        return observation

    def _not_looked(self, sample: Sample | Shot, kind: str, error: EngineDown | None = None) -> Observation:
        self._meter.inference_failed(kind)
        self._failures += 1
        if self._failures == DOWN_AFTER:
            log.warning("vision is down: looks get no answer", reason=kind, error=str(error) if error else None)
        return Observation(sample.captured_at, unseen=Unseen.NOT_LOOKED)


def see(engine: Engine, settings: Settings, *, meter: Meter) -> Vision:
    """Eyes that look with ``engine``, which must have the :data:`MODELS` loaded. Raises ModelRefused for the head."""
    timed = _Timed(engine, meter)
    return Vision(
        partial(observe, timed, reader=strain_reader.of(settings)),
        deadline=settings.inference_deadline,
        # the event loop needs a core of its own; what is left is shared by looks of that many threads each
        threads=max(1, ((os.cpu_count() or 2) - 1) // settings.inference_threads),
        meter=meter,
    )


class _Timed:
    """An engine whose every inference is told to the meter, under the model's name."""

    def __init__(self, engine: Engine, meter: Meter) -> None:
        self._engine = engine
        self._meter = meter
        self.provider = engine.provider
        self.reason = engine.reason

    def infer(self, model: str, inputs: Arrays) -> dict[str, NDArray[Any]]:
        began = time.perf_counter()
        answer = self._engine.infer(model, inputs)
        self._meter.inference_observed(model, time.perf_counter() - began)
        return answer

    def close(self) -> None:
        self._engine.close()


def pixels(frame: VideoFrame) -> Image:
    """BGR pixels, a large picture brought down in the same pass."""
    scale = min(1.0, MOST_SIDE / max(frame.width, frame.height))
    if scale < 1.0:
        frame = frame.reformat(round(frame.width * scale), round(frame.height * scale), format="bgr24")
    return frame.to_ndarray(format="bgr24").astype(np.uint8, copy=False)
