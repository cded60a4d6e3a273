"""Follow a face that holds still from sample to sample without the detector. Pure.

The mesh's points of one look say where to put the mesh in the next, as MediaPipe's face tracking does (Kartynnik et
al. 2019). That was made for 30 pictures a second. At one a second the face may be elsewhere, and then the mesh draws a
face where none is, surely and in the middle of where it looked. So a face is only followed while it stays within
MOVED, GROWN and TURNED of its place, *and* still looks as it did: what the points cut out must be like the last
sketch. Otherwise the detector looks, as it does at least every EVERY seconds, for a second face may have come.
"""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from lessonroom.media import expression, faces
from lessonroom.media.asking import Asking
from lessonroom.media.types import Box, Face, Place, Sample, Track

EVERY = 2.5
"""The detector looks when so many seconds have gone by since it did: at each third sample of one a second.

A second face is refused EVERY seconds and one sample after it came, at the latest."""
MOVED = 0.04
"""Of the face's size: a face whose middle lies further from where it was is looked for."""
GROWN = 1.08
TURNED = 10.0
"""Degrees."""
ALIKE = 0.9
"""Least correlation of the face with its sketch. The clip's, 1.4 s apart: 0.98 and more; where the mesh errs: 0.8."""
SURE_PRESENCE = 5.0
"""Logit of the mesh for a face that is followed; a clear face has 11 to 23."""
SIDE = 12
"""Of a sketch: enough to tell a face from its surroundings, not from another one."""


def following(sample: Sample) -> Asking[tuple[Face, NDArray[np.uint8]] | None]:
    """The face where it was a moment ago and its crop, or None: the detector must look."""
    before = sample.before
    if before is None or before.track is None or not _fresh(sample, before, before.track):
        return None
    track = before.track
    guess = faces.Found(before.box, track.score, _level(track.upright))
    face = yield from faces.landmarking(sample.image, guess, least_presence=SURE_PRESENCE)
    if not isinstance(face, Face) or face.landmarks is None or not _still(face, face.landmarks, track):
        return None
    grey = expression.crop(sample.image, face)
    if float(_sketch(grey) @ track.sketch) < ALIKE:
        return None
    return replace(face, box=_carried(before.box, track, face.landmarks)), grey


def followable(sample: Sample, face: Face, grey: NDArray[np.uint8], *, detected: bool) -> Track | None:
    """What the next look needs to follow a face that was just read; None for a face that does not hold still.

    ``detected``: the detector found it in this sample.
    """
    before = sample.before
    if face.landmarks is None or before is None or sample.captured_at - before.at >= EVERY:
        return None
    if detected and not _near(face.box, before.box):
        return None
    upright = face.upright
    if (
        not detected and before.track is not None
    ):  # what the detector's eyes say differs from the mesh's by some degrees
        upright += face.roll - before.track.roll
    found_at = sample.captured_at if detected or before.track is None else before.track.detected_at
    middle, size = _extent(face.landmarks)
    return Track(middle, size, face.roll, upright, _sketch(grey), face.score, found_at)


def _fresh(sample: Sample, before: Place, track: Track) -> bool:
    at = sample.captured_at
    return before.at < at < track.detected_at + EVERY


def _still(face: Face, points: NDArray[np.float32], track: Track) -> bool:
    middle, size = _extent(points)
    return (
        math.dist(middle, track.middle) <= MOVED * track.size
        and 1 / GROWN <= size / track.size <= GROWN
        and abs((face.roll - track.roll + 180) % 360 - 180) <= TURNED
    )


def _near(box: Box, before: Box) -> bool:
    """As :func:`_still`, by the detector's boxes, which waver a little."""
    moved = math.dist(
        (box.left + box.width / 2, box.top + box.height / 2),
        (before.left + before.width / 2, before.top + before.height / 2),
    )
    return moved <= 2 * MOVED * before.width and 1 / GROWN**2 <= box.width / before.width <= GROWN**2


def _extent(points: NDArray[np.float32]) -> tuple[tuple[float, float], float]:
    """Middle and longer side of what the points take up, in pixels."""
    (left, right), (top, bottom) = ((float(side.min()), float(side.max())) for side in (points[:, 0], points[:, 1]))
    return ((left + right) / 2, (top + bottom) / 2), max(right - left, bottom - top)


def _level(degrees: float) -> NDArray[np.float32]:
    """(2, 2): eyes on a line of that slope."""
    slope = math.radians(degrees)
    return np.array([[0.0, 0.0], [math.cos(slope), math.sin(slope)]], np.float32)


def _carried(box: Box, track: Track, points: NDArray[np.float32]) -> Box:
    """The detector's box, moved and grown as the points did."""
    middle, size = _extent(points)
    grown = size / track.size
    left, top = (
        now + (corner - then) * grown
        for now, corner, then in zip(middle, (box.left, box.top), track.middle, strict=True)
    )
    return Box(left, top, box.width * grown, box.height * grown)


def _sketch(grey: NDArray[np.uint8]) -> NDArray[np.float32]:
    """A crop as (SIDE * SIDE,) with mean 0 and length 1."""
    small = np.asarray(cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.float32).ravel()
    small -= small.mean()
    return np.asarray(small / (float(np.linalg.norm(small)) or 1.0), np.float32)
