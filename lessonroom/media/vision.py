"""The process' eyes: one engine, a few threads, one line and a deadline, for all lessons together.

Who is looked at next, and how many together, is decided in :mod:`~lessonroom.media.schedule`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import cv2
from numpy.typing import NDArray

from lessonroom import cores, logs
from lessonroom.config import Settings
from lessonroom.errors import EngineDown, NoNumbers
from lessonroom.media import strain_reader
from lessonroom.media.engine import Arrays, Engine
from lessonroom.media.lanes import Lanes
from lessonroom.media.meter import Meter
from lessonroom.media.observe import ORDER, observe_all
from lessonroom.media.schedule import Beat, Line, Turn
from lessonroom.media.shots import Shot
from lessonroom.media.types import Observation, Sample, Unseen

MODELS = ORDER
"""What an engine must have loaded for :func:`see`."""
HUNG_AFTER = 5.0
"""A look that takes so many deadlines is taken for hung, and its thread is replaced."""
TOGETHER = 16
"""So many looks may go together where a batch pays. On the CPU it does not: see docs/scheduling.md."""
DOWN_AFTER = 3
"""Looks without an answer, one after the other over all lessons, that make vision down."""

log = logs.get(__name__)

Look = Callable[[Sequence[Sample]], list[Observation]]
"""Looks at samples of several lessons and says what is there. Blocks; raises EngineDown when it cannot."""
Clock = Callable[[], float]
Answer = Observation | Exception


@dataclass(slots=True, eq=False)
class _Asked:
    """One look that was asked for, and who awaits its answer."""

    sample: Sample | Shot = field(repr=False)
    at: float
    answer: asyncio.Future[Observation]


class Vision:
    """The process' eyes: looks on threads, with a deadline. Use from one event loop.

    ``together`` says how many samples ``look`` may get at once now. ``least``: the lowest rate of a lesson, as a share
    of the highest. ``down`` says that looks get no answers; it turns back by itself. ``beat`` says how often to ask.
    """

    def __init__(
        self,
        look: Look,
        *,
        deadline: float,
        threads: int,
        meter: Meter,
        together: Callable[[], int] = lambda: 1,
        least: float = 0.1,
        clock: Clock = time.monotonic,
    ) -> None:
        self._look = look
        self._deadline = deadline
        self._meter = meter
        self._clock = clock
        self._together = together
        self._line: Line[_Asked] = Line()
        self._lanes: Lanes[list[Answer]] = Lanes(threads, on_free=self._serve, patience=HUNG_AFTER * deadline)
        self._failures = 0
        self.beat = Beat(least)

    @property
    def down(self) -> bool:
        """Whether the last looks all went unanswered."""
        return self._failures >= DOWN_AFTER or self._lanes.stuck

    async def look(self, sample: Sample | Shot, *, rising: bool = False) -> Observation:
        """Look at one sample. When there is no answer in time, the observation says NOT_LOOKED; it never raises.

        ``rising``: the lesson's strain rises, so that it is looked at sooner.
        """
        asked = _Asked(sample, self._clock(), asyncio.get_running_loop().create_future())
        self._meter.inference_queue(+1)
        try:
            observation = await self._answer(asked, rising)
        except TimeoutError:
            return self._not_looked(asked, "late")
        except EngineDown as error:
            return self._not_looked(asked, "refused" if self._lanes.stuck else "down", error)
        except Exception as error:
            # a defect in one model's code must not end the lesson's watch; it is told with its traceback, once a look
            log.exception("a look failed", error=type(error).__name__)
            return self._not_looked(asked, "down")
        finally:
            self._line.remove(asked)
            self._meter.inference_queue(-1)
        self._failures = 0
        now = self._clock()
        self.beat.heard(now, now - asked.at, answered=True)
        self._meter.observation_age(max(0.0, now - sample.captured_at))
        return observation

    def close(self) -> None:
        """Look no more."""
        self._lanes.close()

    async def _answer(self, asked: _Asked, rising: bool) -> Observation:
        if self._lanes.stuck or self._lanes.closed:
            raise EngineDown("expected a thread for inference, got none that is not closed or hung")
        self._line.put(Turn(asked, asked.at, asked.at + self._deadline, rising))
        self._serve()
        async with asyncio.timeout(self._deadline):
            return await asked.answer

    def _serve(self) -> None:
        """Let free threads look at who is next."""
        while self._lanes.free and (chosen := self._line.take(self._clock(), self._together())):
            began = self._clock()
            for asked in chosen:
                self._meter.inference_observed("wait", began - asked.at)
            self._lanes.start(partial(self._work, chosen)).add_done_callback(partial(self._tell, chosen, began))

    def _tell(self, chosen: list[_Asked], began: float, done: asyncio.Future[list[Answer]]) -> None:
        """Hand each its answer; those who gave up meanwhile need none."""
        took = self._clock() - began
        if took < HUNG_AFTER * self._deadline:  # one that hung would have all others dropped for many looks to come
            self._line.took(took, len(chosen))
        error = done.exception()
        for number, asked in enumerate(chosen):
            if asked.answer.done():
                continue
            answer = error or done.result()[number]
            if isinstance(answer, Observation):
                asked.answer.set_result(answer)
            else:
                asked.answer.set_exception(answer)

    def _work(self, chosen: list[_Asked]) -> list[Answer]:
        """On a lane's thread: convert, leave out what was wiped, look at the others."""
        began = self._clock()
        samples = [_converted(each.sample) for each in chosen]
        converted = self._clock()
        self._meter.inference_observed("convert", converted - began)
        seen = iter(self._looked([sample for sample in samples if isinstance(sample, Sample)]))
        self._meter.inference_observed("look", self._clock() - converted)
        return [next(seen) if isinstance(each, Sample) else each for each in samples]

    def _looked(self, samples: list[Sample]) -> list[Answer]:
        """Look at all together. Where one may have spoiled it for the others, look at each alone."""
        try:
            return list(self._look(samples)) if samples else []
        except Exception as error:  # noqa: BLE001  it is handed to whoever awaits the answer
            down = isinstance(error, EngineDown) and not isinstance(error, NoNumbers)
            if down or len(samples) == 1:  # an engine that is down would be so for each
                return [error] * len(samples)
        return [answer for sample in samples for answer in self._looked([sample])]

    def _not_looked(self, asked: _Asked, kind: str, error: EngineDown | None = None) -> Observation:
        self._meter.inference_failed(kind)
        self._failures += 1
        if self._failures == DOWN_AFTER:
            log.warning("vision is down: looks get no answer", reason=kind, error=str(error) if error else None)
        now = self._clock()
        self.beat.heard(now, now - asked.at, answered=False)
        return Observation(asked.sample.captured_at, unseen=Unseen.NOT_LOOKED)


def _converted(sample: Sample | Shot) -> Sample | Answer:
    """The sample, or why it cannot be looked at: it was wiped, or its frame is odd. The others' are not to suffer."""
    try:
        made = sample.sample() if isinstance(sample, Shot) else sample
    except Exception as error:  # noqa: BLE001  as above
        return error
    return made or Observation(sample.captured_at, Unseen.NOT_LOOKED)


def see(engine: Engine, settings: Settings, *, meter: Meter) -> Vision:
    """Eyes that look with ``engine``, which must have the :data:`MODELS` loaded. Raises ModelRefused for the head.

    OpenCV works without threads of its own from then on, in the whole process: on small pictures they cost more than
    they give.
    """
    cv2.setNumThreads(1)
    timed = _Timed(engine, meter)
    reader = strain_reader.of(settings)
    return Vision(
        lambda samples: observe_all(timed, samples, reader),
        deadline=settings.inference_deadline,
        # the event loop needs a core of its own; what is left is shared by looks of that many threads each
        threads=max(1, (_cores(settings) - 1) // settings.inference_threads),
        # asked anew each time: where a server far away looks, this machine may have to for a while
        together=lambda: 1 if engine.provider == "CPU" else TOGETHER,
        least=settings.sample_rate_least / settings.sample_rate,
        meter=meter,
    )


def _cores(settings: Settings) -> int:
    """This process' share of the cores, where several look."""
    return cores.whole() // max(1, settings.workers)


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
