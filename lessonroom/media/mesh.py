"""The shape of a face as a few numbers: 468 points without the head's place, size and turn, in a fixed basis. Pure.

The points are laid over a mean face by the similarity that fits its *stable* points best (Umeyama 1991): those that
expressions move least. What is left is the shape, and the basis (principal components of many faces without any
labels, ``tools/make_mesh_shape.py``) says it in :data:`SIZE` numbers. One number is one standard deviation over those
faces. Since the basis is fixed, nothing of a student who is measured ever enters it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lessonroom import models
from lessonroom.errors import BadInput, ModelRefused

MODEL = "mesh_shape"
POINTS = 468
SIZE = 64
"""How many numbers say the shape."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Basis:
    """``mean`` (468, 3) in distances between the outer corners of the eyes; ``stable`` (S,) numbers of points;
    ``directions`` (1404, SIZE): a shape's difference from the mean times these is its coefficients.
    """

    mean: Floats = field(repr=False)
    stable: NDArray[np.int64] = field(repr=False)
    directions: Floats = field(repr=False)

    def coefficients(self, points: NDArray[np.floating[Any]]) -> Floats:
        """(468, 3) in any place, size and turn -> (SIZE,). Raises BadInput for another shape or for NaN."""
        if points.shape != (POINTS, 3) or not np.isfinite(points).all():
            raise BadInput(f"a mesh must be finite numbers ({POINTS}, 3). Got {points.shape} instead.")
        shape = aligned(points, self.mean, self.stable)
        return np.asarray((shape - self.mean).ravel() @ self.directions, np.float32)


@cache
def load(models_dir: Path | None = None) -> Basis:
    """The basis in the folder of models, read once. Raises ModelRefused."""
    model = models.load(MODEL, models_dir)
    try:
        with np.load(BytesIO(model.read()), allow_pickle=False) as data:
            mean, stable, directions = data["mean"], data["stable"], data["directions"]
    except (OSError, EOFError, KeyError, ValueError) as error:
        raise ModelRefused(
            f"{model.path.name}: expected mean, stable and directions, got {type(error).__name__}"
        ) from None
    if mean.shape != (POINTS, 3) or directions.shape != (POINTS * 3, SIZE) or stable.ndim != 1:
        raise ModelRefused(f"{model.path.name}: expected {SIZE} directions of {POINTS} points, got {directions.shape}")
    return Basis(mean.astype(np.float32), stable.astype(np.int64), directions.astype(np.float32))


def aligned(points: NDArray[np.floating[Any]], onto: Floats, by: NDArray[np.int64]) -> Floats:
    """Points (468, 3) moved, turned and scaled so that those of the numbers ``by`` lie closest to the same of ``onto``.

    Never mirrored. Points that all fall together stay as they are, in the middle.
    """
    source, target = points[by].astype(np.float64), onto[by].astype(np.float64)
    middle, goal = source.mean(axis=0), target.mean(axis=0)
    source, target = source - middle, target - goal
    left, sizes, right = np.linalg.svd(target.T @ source)
    handed = np.array([1.0, 1.0, np.sign(np.linalg.det(left @ right)) or 1.0])
    turn = (left * handed) @ right
    scale = float(sizes @ handed) / (float((source**2).sum()) or 1.0)
    return np.asarray((points - middle) @ turn.T * scale + goal, np.float32)
