"""Pictures with a real face for tests: frames of the simulated student's clip, and what may happen to them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import av
import cv2
import numpy as np

import lessonroom.simulate
from lessonroom.media.types import Image

CLIP = Path(lessonroom.simulate.__file__).parent / "student.webm"


@cache
def frame(second: float) -> Image:
    """The clip's first frame at or after ``second``, BGR (360, 480, 3). Do not write into it."""
    with av.open(str(CLIP)) as container:
        container.seek(int(second * 1_000_000))
        for picture in container.decode(video=0):
            if picture.time is not None and picture.time >= second:
                return np.asarray(picture.to_ndarray(format="bgr24"), np.uint8)
    raise AssertionError(f"the clip is shorter than {second} s")


def scaled(image: Image, factor: float) -> Image:
    """The same picture with fewer or more pixels."""
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, None, fx=factor, fy=factor, interpolation=how), np.uint8)


def turned(image: Image, degrees: float) -> Image:
    """Turned clockwise about the middle of the picture."""
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1.0)
    return np.asarray(cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE), np.uint8)


def on_wall(image: Image, width: int, height: int, left: int = 0, top: int = 0) -> Image:
    """The picture somewhere on a larger grey one."""
    wall = np.full((height, width, 3), 128, np.uint8)
    part = image[: height - top, : width - left]
    wall[top : top + part.shape[0], left : left + part.shape[1]] = part
    return wall
