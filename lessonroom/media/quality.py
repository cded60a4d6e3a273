"""Is the face good enough to be read? If not, say why; if so, say how good, 0 to 1. Pure.

A face that cannot be read must never look like a calm one, so each bound errs towards "unseen".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from lessonroom.errors import BadInput
from lessonroom.media.types import Face, Image, Unseen

CROP_SIDE = 64
"""Side of a crop, in pixels, for which the bounds of sharpness hold."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is still acceptable, and from where on it is as good as it gets.

    ``width``: the longer side of the face in pixels of the picture; it is about 46 in training pictures, and with 32
    the network reads nearly as well; ``yaw`` and ``pitch`` in degrees; ``outside`` as a share of the face's points;
    ``dark`` and ``bright`` as the mean grey (0 to 255) of the face; ``burnt`` as the share of pure black or white;
    ``contrast`` as the spread of grey; ``sharp`` without unit (see :func:`sharpness`).
    """

    width: tuple[float, float] = (32.0, 60.0)
    yaw: tuple[float, float] = (45.0, 20.0)
    pitch: tuple[float, float] = (35.0, 18.0)
    outside: tuple[float, float] = (0.08, 0.0)
    dark: tuple[float, float] = (28.0, 60.0)
    bright: tuple[float, float] = (232.0, 205.0)
    burnt: tuple[float, float] = (0.5, 0.15)
    contrast: tuple[float, float] = (7.0, 20.0)
    sharp: tuple[float, float] = (0.045, 0.10)


@dataclass(frozen=True, slots=True)
class Judged:
    """``unseen`` is set exactly where ``quality`` is 0."""

    unseen: Unseen | None
    quality: float


def judge(image: Image, face: Face, grey: NDArray[np.uint8], bounds: Bounds = Bounds()) -> Judged:
    """Judge one face with landmarks. The first bound that is broken gives the reason; the weakest gives the quality.

    ``grey``: the face as the expression network gets it, (S, S).
    """
    if face.landmarks is None:
        raise BadInput("a face must have landmarks to be judged. Got a bare box instead.")
    measured = {
        Unseen.TOO_SMALL: _grade(_width(face.landmarks), bounds.width),
        Unseen.CUT_OFF: _grade(_outside(face.landmarks, image), bounds.outside),
        Unseen.TURNED_AWAY: min(_grade(abs(face.yaw), bounds.yaw), _grade(abs(face.pitch), bounds.pitch)),
    }
    return _judged(measured | _clarity(grey, bounds))


def judge_crop(picture: NDArray[np.uint8], bounds: Bounds = Bounds()) -> Judged:
    """Judge a tight face crop, grey (height, width) of any size, by light and sharpness alone."""
    return _judged(_clarity(picture, bounds))


def sharpness(grey: NDArray[np.uint8]) -> float:
    """How strong fine lines are against the picture's whole contrast: about 0.03 for a smear, 0.3 for a sharp face."""
    values = np.asarray(grey, np.float32)
    spread = _mean_and_spread(values)[1]
    if spread < 1.0:
        return 0.0
    fine = values - np.asarray(cv2.GaussianBlur(values, (0, 0), 1.5), np.float32)
    return _mean_and_spread(fine)[1] / spread


def _judged(measured: Mapping[Unseen, float]) -> Judged:
    for reason, grade in measured.items():
        if grade <= 0.0:
            return Judged(reason, 0.0)
    return Judged(None, min(measured.values()))


def _clarity(crop: NDArray[np.uint8], bounds: Bounds) -> dict[Unseen, float]:
    """Light and sharpness at the one size for which the bounds were chosen."""
    how = cv2.INTER_AREA if crop.shape[0] > CROP_SIDE else cv2.INTER_LINEAR
    grey = np.asarray(cv2.resize(crop, (CROP_SIDE, CROP_SIDE), interpolation=how), np.uint8)
    mean, spread = _mean_and_spread(grey)
    return {
        Unseen.TOO_DARK: _dark(grey, mean, spread, bounds),
        Unseen.TOO_BRIGHT: _bright(grey, mean, bounds),
        Unseen.BLURRED: _grade(sharpness(grey), bounds.sharp),
    }


def _grade(value: float, bound: tuple[float, float]) -> float:
    """0 at the first end of the bound or beyond, 1 at the second or beyond, straight between them."""
    worst, best = bound
    return min(1.0, max(0.0, (value - worst) / (best - worst)))


def _width(points: NDArray[np.float32]) -> float:
    """The longer side of the face in pixels: it stays when the head is turned."""
    return float(max(np.ptp(points[:, 0]), np.ptp(points[:, 1])))


def _outside(points: NDArray[np.float32], image: Image) -> float:
    height, width = image.shape[:2]
    x, y = points[:, 0], points[:, 1]
    return float(((x < 0) | (y < 0) | (x >= width) | (y >= height)).mean())


def _dark(grey: NDArray[np.uint8], mean: float, spread: float, bounds: Bounds) -> float:
    """Too little light, or so little contrast that nothing can be told."""
    lost = _grade(np.count_nonzero(grey < 6) / grey.size, bounds.burnt)
    return min(_grade(mean, bounds.dark), _grade(spread, bounds.contrast), lost)


def _bright(grey: NDArray[np.uint8], mean: float, bounds: Bounds) -> float:
    return min(_grade(mean, bounds.bright), _grade(np.count_nonzero(grey > 250) / grey.size, bounds.burnt))


def _mean_and_spread(values: NDArray[np.uint8] | NDArray[np.float32]) -> tuple[float, float]:
    """Mean and standard deviation, in one pass."""
    mean, spread = cv2.meanStdDev(values)
    return float(mean[0, 0]), float(spread[0, 0])
