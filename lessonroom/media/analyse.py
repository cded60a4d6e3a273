"""The lesson's own pipeline on a video file, on the file's clock.

Records, one JSON object a line, in the order of time; ``at`` is seconds from the start of the video:

``clip``
    first: ``seconds``, ``width``, ``height``, ``samples_per_second``, ``provider``.
``observation``
    for each sample: ``at``; ``box`` where a face is (left, top, width, height in pixels); either ``unseen`` (a reason)
    or ``quality`` (0..1), ``expression`` (label to probability), ``shape`` (named mesh ratios, about 1 when calm) and
    ``turn`` (yaw, pitch, roll in degrees).
``strain``
    for each sample: ``at``, ``watching`` (``learning``, ``watching``, ``unsure``), ``level`` (0..1 or null),
    ``evidence`` (list of ``cue``, ``weight``, ``since``).
``hint``
    ``at``, ``cue``, ``advice``: what the teacher would have been told, and when.
``summary``
    last: ``samples``, ``seen`` (share), ``unseen`` (reason to seconds), ``watching`` (state to seconds), ``above``
    (seconds at or above the threshold), ``hints``.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from lessonroom import progress
from lessonroom.config import Settings
from lessonroom.media import clips, hints, pipeline, report, strain, strain_reader
from lessonroom.media.engine import Engine
from lessonroom.media.observe import observe
from lessonroom.media.onnx_engine import OnnxEngine
from lessonroom.media.types import Hint, Observation, Place, Sample, Strain
from lessonroom.media.vision import MODELS
from lessonroom.outfile import report_file

Record = Mapping[str, Any]
Look = Callable[[Sample], Observation]


def run(video: Path, settings: Settings, emit: Callable[[Record], None], *, html: Path | None = None) -> None:
    """Analyse a file and hand out its records; ``html``: where to write the report.

    A progress bar stands on stderr where that is a terminal and stdout is none. Raises BadMedia before the first record
    when the file is missing, empty, cut short or no video, ModelRefused for a model that cannot be used, BadInput when
    the report cannot be written, and EngineDown when inference fails.
    """
    clip = clips.probe(video)
    # where records scroll by, they are the progress
    with (
        _engine(settings) as engine,
        report_file(html) as page,
        progress.bar("looking", shown=not _scrolling()) as show,
    ):
        kept: list[Record] = []
        for record in records(clip, engine, settings):
            if page is not None:
                kept.append(record)
            emit(record)
            show("looking", record.get("at", 0.0), clip.seconds)
        if page is not None:
            page.truncate(0)
            page.write(report.page(video.name, kept, threshold=settings.hint_threshold))


def records(clip: clips.Clip, engine: Engine, settings: Settings) -> Iterator[Record]:
    """The records of one clip. Raises ModelRefused for the strain head before the first of them."""
    reader = strain_reader.of(settings)
    yield {
        "type": "clip", "seconds": round(clip.seconds, 3), "width": clip.width, "height": clip.height,
        "samples_per_second": settings.sample_rate, "provider": engine.provider,
    }  # fmt: skip
    tally = Tally(settings)
    place: Place | None = None
    for sample in clips.samples(clip, settings.sample_rate):
        observation = observe(engine, replace(sample, before=place), reader)
        place = observation.place_after(place)
        yield from tally.take_in(observation)
    yield tally.summary()


class Tally:
    """Strain and hints over a file's observations, and the sums of the summary."""

    def __init__(self, settings: Settings) -> None:
        self._strain_rules, self._hint_rules = pipeline.strain_rules(settings), pipeline.hint_rules(settings)
        self._strain, self._hints = strain.StrainState(), hints.HintState(started=0.0)
        self._spacing = 1.0 / settings.sample_rate
        self._samples = self._seen = self._shown = 0
        self._above = 0.0
        self._unseen: Counter[str] = Counter()
        self._watching: Counter[str] = Counter()

    def take_in(self, observation: Observation) -> Iterator[Record]:
        """Up to three records: observation, strain, and a hint when it comes to one."""
        self._strain, now = strain.step(self._strain, observation, self._strain_rules)
        self._hints, hint = hints.decide(
            self._hints, now, observation.at, self._hint_rules, hint_id=f"hint-{self._shown + 1}"
        )
        self._count(observation, now)
        yield _observation(observation)
        yield _strain(now)
        if hint is not None:
            self._shown += 1
            yield _hint(hint)

    def summary(self) -> Record:
        """The last record."""
        return {
            "type": "summary",
            "samples": self._samples,
            "seen": round(self._seen / max(1, self._samples), 4),
            "unseen": {reason: round(count * self._spacing, 1) for reason, count in sorted(self._unseen.items())},
            "watching": {state: round(count * self._spacing, 1) for state, count in sorted(self._watching.items())},
            "above": round(self._above, 1),
            "hints": self._shown,
        }

    def _count(self, observation: Observation, now: Strain) -> None:
        self._samples += 1
        self._watching[now.watching.value] += 1
        if observation.unseen is None:
            self._seen += 1
        else:
            self._unseen[observation.unseen.value] += 1
        if now.level is not None and now.level >= self._hint_rules.threshold:
            self._above += self._spacing


def _observation(observation: Observation) -> Record:
    record: dict[str, Any] = {"type": "observation", "at": round(observation.at, 3)}
    if observation.face is not None:
        box = observation.face.box
        record["box"] = [round(side, 1) for side in (box.left, box.top, box.width, box.height)]
    if observation.unseen is not None or observation.expression is None or observation.face is None:
        return record | {"unseen": observation.unseen.value if observation.unseen else None}
    face = observation.face
    return record | {
        "quality": round(observation.quality, 3),
        "expression": {label: round(chance, 4) for label, chance in observation.expression.items()},
        "shape": {name: round(ratio, 4) for name, ratio in observation.shape.items()},
        "turn": [round(angle, 1) for angle in (face.yaw, face.pitch, face.roll)],
    }


def _strain(now: Strain) -> Record:
    return {
        "type": "strain",
        "at": round(now.at, 3),
        "watching": now.watching.value,
        "level": None if now.level is None else round(now.level, 4),
        "evidence": [
            {"cue": piece.cue.value, "weight": round(piece.weight, 3), "since": round(piece.since, 3)}
            for piece in now.evidence
        ],
    }


def _hint(hint: Hint) -> Record:
    return {"type": "hint", "at": round(hint.at, 3), "cue": hint.cue.value, "advice": hint.advice}


def _engine(settings: Settings) -> OnnxEngine:
    return OnnxEngine(
        MODELS,
        models_dir=settings.models_dir,
        threads=settings.inference_threads,
        providers=settings.inference_providers,
    )


def _scrolling() -> bool:
    return sys.stdout.isatty()
