"""Picture files: read them whole, as they are meant to be looked at, and refuse in words what is none."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from lessonroom.errors import BadInput
from lessonroom.media.types import Image

MOST_BYTES = 64 * 1024 * 1024
"""A larger file is no picture that anybody wants looked at."""


def read(path: str, most_side: int) -> Image:
    """A picture in BGR, turned as its EXIF data say, brought down to ``most_side`` pixels on its longer side.

    Raises BadInput or OSError for what cannot be read; neither text holds the path.
    """
    return _smaller(_decoded(path, cv2.IMREAD_COLOR), most_side)


def read_grey(path: str, most_side: int) -> NDArray[np.uint8]:
    """A picture in grey, (height, width), brought down alike. Raises as :func:`read` does."""
    return _smaller(_decoded(path, cv2.IMREAD_GRAYSCALE), most_side)


def _smaller(image: NDArray[np.uint8], most_side: int) -> NDArray[np.uint8]:
    scale = most_side / max(image.shape[:2])
    if scale >= 1.0:
        return image
    height, width = (max(1, round(side * scale)) for side in image.shape[:2])
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _decoded(path: str, flags: int) -> NDArray[np.uint8]:
    place = Path(path)
    size = place.stat().st_size
    if not place.is_file():  # a pipe would be waited for, a device would not end
        raise BadInput("expected a picture file, got something else")
    if size > MOST_BYTES:
        raise BadInput(f"expected a picture of at most {MOST_BYTES // 1024**2} MiB, got a larger file")
    # OpenCV does not open every name on every system, so the bytes are read here
    data = np.frombuffer(place.read_bytes(), np.uint8)
    try:
        image = cv2.imdecode(data, flags) if data.size else None
    except cv2.error:  # more pixels than OpenCV takes
        raise BadInput("expected a picture, got one of a size that cannot be") from None
    if image is None:
        raise BadInput("expected a picture, got a file that is none")
    return np.asarray(image, np.uint8)
