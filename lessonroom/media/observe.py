"""One sample in, one observation out: find the face, judge it, read it. No clock, no queue, no memory.

What is known of the last sample's face comes with the sample.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from lessonroom.media import expression, faces, geometry, quality
from lessonroom.media.engine import Engine
from lessonroom.media.types import Box, Image, Observation, Sample, Unseen

Reader = Callable[[Observation, Image], float]
"""Reads a face that was seen in a picture; see :mod:`lessonroom.media.strain_reader`."""

MEMORY = 60.0
"""So many seconds after it was last seen, the student's face may be anywhere and of any size again.

Not less than the time after which strain learns a face anew, or another face would be held against the student's own.
"""


def observe(engine: Engine, sample: Sample, reader: Reader | None = None) -> Observation:
    """What the sample shows, or why it shows nothing that counts. Raises EngineDown when inference fails.

    ``reader``: the strain head that reads the face; without one an observation has no ``change``.
    """
    face = faces.look(engine, sample.image, _near(sample))
    if isinstance(face, Unseen):
        return Observation(sample.captured_at, face)
    if face.landmarks is None:
        return Observation(sample.captured_at, Unseen.NO_FACE, face)
    grey = expression.crop(sample.image, face)
    judged = quality.judge(sample.image, face, grey)
    if judged.unseen is not None:
        return Observation(sample.captured_at, judged.unseen, face)
    read = expression.read(engine, grey)
    observation = Observation(
        sample.captured_at,
        face=face,
        quality=judged.quality,
        expression=read.probabilities,
        shape=geometry.ratios(face.landmarks),
        embedding=read.embedding,
    )
    return observation if reader is None else replace(observation, change=reader(observation, sample.image))


def _near(sample: Sample) -> Box | None:
    before = sample.before
    return before.box if before is not None and sample.captured_at - before.at < MEMORY else None
