"""What analyses lessons: models in this process, media workers, or nothing, and why. A part of the composition root."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import cast

from av.video.frame import VideoFrame

from lessonroom import logs
from lessonroom.config import Settings
from lessonroom.errors import ModelRefused
from lessonroom.media import eyes
from lessonroom.media import peer as receiver
from lessonroom.media.engines import Changes
from lessonroom.media.eyes import Eyes
from lessonroom.media.frames import Frames
from lessonroom.media.hints import HintState
from lessonroom.media.pipeline import Watch
from lessonroom.media.types import Hint, Strain
from lessonroom.media.vision import Vision
from lessonroom.metrics import Metrics
from lessonroom.rooms.live import Analyser, MakeWatch
from lessonroom.server.figures import Figures
from lessonroom.server.whip_sessions import Accept
from lessonroom.workers.pool import Workers

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Analysis:
    """What looks at samples: eyes in this process, workers, or nothing, and why."""

    accept: Accept
    make_watch: MakeWatch | None
    reason: str
    eyes: Eyes | None = None
    workers: Workers | None = None
    changes: Changes | None = None

    def start(self, figures: Figures) -> None:
        """Begin; ``figures`` hears where models run, now and when that changes. Call on the event loop."""
        if self.eyes is not None and self.changes is not None:
            loop, tell = asyncio.get_running_loop(), partial(_tell, figures, self.eyes)
            self.changes.listener = partial(loop.call_soon_threadsafe, tell)
            tell()
        if self.workers is not None:
            self.workers.on_change = figures.inference_runs
            self.workers.start()

    async def stop(self) -> None:
        """End what :meth:`start` has begun, and let go of the models."""
        if self.workers is not None:
            await self.workers.stop()
        if self.changes is not None:
            self.changes.listener = None
        if self.eyes is not None:
            self.eyes.close()


def _tell(figures: Figures, eyes: Eyes) -> None:
    """Where models run now: here, or on an inference server that comes and goes."""
    figures.inference_runs(eyes.engine.provider, eyes.engine.reason)


def open_analysis(settings: Settings, metrics: Metrics) -> Analysis:
    """What looks at samples; nothing when the models cannot be used: lessons go on without."""
    accept = partial(receiver.Analyser.accept, meter=metrics)
    changes = Changes()
    try:
        if settings.workers:
            eyes.check(settings)
            workers = Workers(settings, metrics)
            return Analysis(workers.accept, workers.watch, "no media worker is ready yet", workers=workers)
        ours = eyes.open_eyes(settings, metrics, on_changed=changes)
    except ModelRefused as error:
        log.error("no analysis: a model was refused", reason=str(error))
        return Analysis(accept, None, str(error))
    engine = ours.engine
    metrics.provider_chosen(engine.provider)
    log.info("inference", provider=engine.provider, reason=engine.reason)
    return Analysis(accept, _watches(ours.vision, settings, metrics), engine.reason, eyes=ours, changes=changes)


def _watches(vision: Vision, settings: Settings, metrics: Metrics) -> MakeWatch:
    def make(
        analyser: Analyser,
        hints: HintState | None,
        on_strain: Callable[[Strain], None],
        on_hint: Callable[[Hint], None],
    ) -> Watch:
        return Watch(
            cast("Frames[VideoFrame]", analyser.frames),
            vision,
            time.monotonic,
            settings,
            on_strain=on_strain,
            on_hint=on_hint,
            meter=metrics,
            hints=hints,
        )

    return make
