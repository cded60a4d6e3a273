"""One sample in, one observation out: find or follow the face, judge it, read it. No clock, no queue, no memory.

What is known of the last sample's face comes with the sample.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lessonroom.media import expression, faces, geometry, quality, tracking
from lessonroom.media.asking import Asking, alone, together
from lessonroom.media.engine import Engine
from lessonroom.media.types import Box, Face, Image, Observation, Sample, Unseen

Reader = Callable[[Observation, Image], float]
"""Reads a face that was seen in a picture; see :mod:`lessonroom.media.strain_reader`."""
Grey = NDArray[np.uint8]

ORDER = (faces.DETECTOR, faces.MESH, expression.MODEL)
"""The networks of a look, first to last; an engine must have them loaded."""
MEMORY = 60.0
"""So many seconds after it was last seen, the student's face may be anywhere and of any size again.

Not less than the time after which strain learns a face anew, or another face would be held against the student's own.
"""


def observe(engine: Engine, sample: Sample, reader: Reader | None = None) -> Observation:
    """What the sample shows, or why it shows nothing that counts. Raises EngineDown when inference fails.

    ``reader``: the strain head that reads the face; without one an observation has no ``change``.
    """
    return alone(engine, observing(sample, reader))


def observe_all(engine: Engine, samples: Sequence[Sample], reader: Reader | None = None) -> list[Observation]:
    """As :func:`observe`, for samples of several lessons that go through each network together."""
    return together(engine, [observing(sample, reader) for sample in samples], ORDER)


def observing(sample: Sample, reader: Reader | None = None) -> Asking[Observation]:
    """As :func:`observe`, for looks that ask together."""
    followed = yield from tracking.following(sample)
    if followed is not None:
        return (yield from _read(sample, *followed, reader, detected=False))
    face = yield from faces.looking(sample.image, _near(sample))
    if isinstance(face, Unseen):
        return Observation(sample.captured_at, face)
    if face.landmarks is None:
        return Observation(sample.captured_at, Unseen.NO_FACE, face)
    return (yield from _read(sample, face, expression.crop(sample.image, face), reader, detected=True))


def _read(sample: Sample, face: Face, grey: Grey, reader: Reader | None, *, detected: bool) -> Asking[Observation]:
    """A face with points, and its crop: judged, and read where that is worth it."""
    judged = quality.judge(sample.image, face, grey)
    if judged.unseen is not None or face.landmarks is None:
        return Observation(sample.captured_at, judged.unseen, face)
    (read,) = yield from expression.reading([grey])
    observation = Observation(
        sample.captured_at,
        face=face,
        quality=judged.quality,
        expression=read.probabilities,
        shape=geometry.ratios(face.landmarks),
        embedding=read.embedding,
        track=tracking.followable(sample, face, grey, detected=detected),
    )
    return observation if reader is None else replace(observation, change=reader(observation, sample.image))


def _near(sample: Sample) -> Box | None:
    before = sample.before
    return before.box if before is not None and sample.captured_at - before.at < MEMORY else None
