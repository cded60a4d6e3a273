"""Read an expression: cut the face out as the network was trained to see it, and ask the network.

Pictures are BGR uint8. Nothing is kept; the embedding stays in the process.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from lessonroom.errors import BadInput
from lessonroom.media.asking import Ask, Asking, alone
from lessonroom.media.engine import Engine
from lessonroom.media.geometry import LEFT_EYE, LIPS, RIGHT_EYE
from lessonroom.media.types import EXPRESSIONS, Face, Image

MODEL = "expression"
SIDE = 96
"""Side of the network's input in pixels, as in its sidecar."""
INPUT = (None, 1, SIDE, SIDE)
"""Shape of that input. A model with another one is refused when it is loaded, not at every look."""
EMBEDDING = 1024
"""Numbers in an embedding, as in the sidecar."""
PLACES = np.array([[0.314, 0.397], [0.690, 0.397], [0.508, 0.786]], np.float32)
"""Where both eyes and the mouth lie in a training picture, as a share of its side.

Medians of 965 neutral, frontal faces of the FER+ training part as the mesh sees them.
"""


@dataclass(frozen=True, slots=True)
class Expression:
    """``probabilities`` by label, adding up to 1; ``embedding`` (EMBEDDING,) float32."""

    probabilities: Mapping[str, float]
    embedding: NDArray[np.float32] = field(repr=False)


def read(engine: Engine, picture: NDArray[np.uint8]) -> Expression:
    """The expression in a tight face crop, grey (S, S) or BGR (S, S, 3), of any size."""
    return read_all(engine, [picture])[0]


def read_all(engine: Engine, pictures: list[NDArray[np.uint8]]) -> list[Expression]:
    """Many crops in one inference."""
    return alone(engine, reading(pictures))


def reading(pictures: list[NDArray[np.uint8]]) -> Asking[list[Expression]]:
    """As :func:`read_all`, for looks that ask together."""
    answer = yield Ask(MODEL, {"face": np.stack([_input(picture) for picture in pictures])})
    return [
        Expression(dict(zip(EXPRESSIONS, (float(value) for value in row), strict=True)), feature)
        for row, feature in zip(answer["probabilities"], answer["embedding"], strict=True)
    ]


def mean(one: Expression, other: Expression) -> Expression:
    """What two looks at the same face say together."""
    chances = {label: (one.probabilities[label] + other.probabilities[label]) / 2 for label in EXPRESSIONS}
    return Expression(chances, np.asarray((one.embedding + other.embedding) / 2, np.float32))


def crop(image: Image, face: Face, side: int = SIDE) -> NDArray[np.uint8]:
    """The face as a grey picture (side, side), eyes level, framed like the training pictures."""
    if face.landmarks is None:
        raise BadInput("a face must have landmarks to be aligned. Got a bare box instead.")
    matrix = _aligned(face.landmarks[:, :2], side)
    shrink = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)
    if shrink >= 0.5:
        return _warped(grey, matrix, side)
    # far smaller than the source: averaging in two steps keeps thin lines (brows, lips) from being skipped
    double = _warped(grey, matrix * 2, side * 2) if shrink >= 0.25 else _warped(grey, matrix * 4, side * 4)
    return np.asarray(cv2.resize(double, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def _warped(grey: NDArray[np.uint8], matrix: NDArray[np.float64], side: int) -> NDArray[np.uint8]:
    return np.asarray(
        cv2.warpAffine(grey, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )


def _input(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """A crop as the network takes it: (1, SIDE, SIDE), 0 to 1."""
    if picture.dtype != np.uint8 or picture.ndim not in {2, 3} or min(picture.shape[:2]) < 1:
        raise BadInput(f"a crop must be uint8, grey or BGR. Got {picture.dtype} {picture.shape} instead.")
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY) if picture.ndim == 3 else picture
    how = cv2.INTER_AREA if grey.shape[0] > SIDE else cv2.INTER_LINEAR
    resized = cv2.resize(grey, (SIDE, SIDE), interpolation=how)
    return np.asarray(resized, np.float32)[None] / np.float32(255)


def _aligned(points: NDArray[np.float32], side: int) -> NDArray[np.float64]:
    """(2, 3) of the turn, scale and shift that bring eyes and mouth closest to PLACES (Umeyama 1991, in the plane)."""
    source = np.stack([points[list(part)].mean(axis=0) for part in (LEFT_EYE, RIGHT_EYE, LIPS)]).astype(np.float64)
    target = (PLACES * side).astype(np.float64)
    from_middle, to_middle = source.mean(axis=0), target.mean(axis=0)
    a, b = source - from_middle, target - to_middle
    along = float((a * b).sum())
    across = float((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum())
    size = float((a * a).sum()) or 1.0
    linear = np.array([[along, -across], [across, along]]) / size
    return np.column_stack([linear, to_middle - linear @ from_middle])
