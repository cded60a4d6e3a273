"""Make the basis of face shapes, ``models/mesh_shape.npz`` with its sidecar, from many faces without their labels.

The faces are the training part of the file that the expression network learns from (docs/vision.md)::

    python tools/make_mesh_shape.py faces.npz models --faces 8000

Each picture and its mirror image go through the face mesh, so that left and right weigh the same. Faces that the mesh
does not believe in or that are turned far are left out. The rest is laid over its mean by the points that move least,
a few times over, and the principal components of what is left are the basis.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lessonroom import progress
from lessonroom.media import faces, mesh
from lessonroom.media.expression import PLACES
from lessonroom.media.geometry import LEFT_EYE, RIGHT_EYE
from lessonroom.media.onnx_engine import OnnxEngine
from lessonroom.media.training.dataset import read_faces
from lessonroom.media.types import Box, Face

SIDE = 192
"""The crops are brought up to this side: what the mesh looks at."""
STABLE = 200
MOST_YAW, MOST_PITCH = 30.0, 25.0
"""Degrees from which on the mesh guesses more than it sees."""
ROUNDS = 4

Meshes = NDArray[np.float32]


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("data", type=Path)
    asked.add_argument("out", type=Path)
    asked.add_argument("--faces", type=int, default=8000)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--models", type=Path, default=None)
    given = asked.parse_args()
    pictures = read_faces(given.data, "train").images
    chosen = np.random.default_rng(given.seed).permutation(len(pictures))[: given.faces]
    with OnnxEngine([faces.MESH], models_dir=given.models) as engine, progress.bar("looking") as show:
        meshes = np.stack(list(_meshes(engine, pictures[chosen], show)))
    mean, stable, shapes = average(meshes)
    directions, kept = components(shapes, mean)
    np.savez_compressed(given.out / f"{mesh.MODEL}.npz", mean=mean, stable=stable, directions=directions)
    card = sidecar((given.out / f"{mesh.MODEL}.npz").read_bytes(), len(meshes), kept)
    (given.out / f"{mesh.MODEL}.json").write_text(json.dumps(card, indent=2) + "\n")
    print(json.dumps(card["scores"]))


def _meshes(engine: OnnxEngine, pictures: NDArray[np.uint8], show: progress.Show) -> Iterator[Meshes]:
    for index, picture in enumerate(pictures):
        show("looking", index, len(pictures))
        for each in (picture, picture[:, ::-1]):
            face = faces.landmark(engine, _large(each), _found())
            if isinstance(face, Face) and abs(face.yaw) < MOST_YAW and abs(face.pitch) < MOST_PITCH:
                assert face.landmarks is not None
                yield face.landmarks


def _large(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A grey crop with a margin of its own edge, since the mesh wants to see more than the face, (2 S, 2 S, 3)."""
    grey = cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    wide = cv2.copyMakeBorder(grey, *[SIDE // 2] * 4, cv2.BORDER_REPLICATE)
    return np.asarray(cv2.cvtColor(wide, cv2.COLOR_GRAY2BGR), np.uint8)


def _found() -> faces.Found:
    """Where the face is in every crop: the detector's box is about the crop itself."""
    eyes = np.asarray(PLACES[:2] * SIDE + SIDE / 2, np.float32)
    return faces.Found(Box(SIDE / 2, SIDE / 2, SIDE, SIDE), 1.0, eyes)


def average(meshes: Meshes) -> tuple[Meshes, NDArray[np.int64], Meshes]:
    """Generalised Procrustes (Gower 1975): mean (468, 3), numbers of the stable points, aligned shapes (N, 468, 3)."""
    stable = np.arange(mesh.POINTS)
    mean = _scaled(meshes[0])
    shapes = meshes
    for _ in range(ROUNDS):
        shapes = np.stack([mesh.aligned(each, mean, stable) for each in meshes])
        mean = _scaled(shapes.mean(axis=0))
        moves = ((shapes - shapes.mean(axis=0)) ** 2).sum(axis=2).mean(axis=0)
        stable = np.sort(np.argsort(moves)[:STABLE])
    return mean, stable, np.stack([mesh.aligned(each, mean, stable) for each in meshes])


def _scaled(points: Meshes) -> Meshes:
    """Centred on the eyes, one unit from outer corner to outer corner."""
    unit = float(np.linalg.norm(points[RIGHT_EYE[1]] - points[LEFT_EYE[0]]))
    return np.asarray((points - points[[*LEFT_EYE, *RIGHT_EYE]].mean(axis=0)) / unit, np.float32)


def components(shapes: Meshes, mean: Meshes) -> tuple[Meshes, float]:
    """Directions (1404, SIZE), each scaled so that its coefficient has deviation 1, and their share of the variance."""
    flat = (shapes - mean).reshape(len(shapes), -1).astype(np.float64)
    values, vectors = np.linalg.eigh(flat.T @ flat / len(flat))
    largest = np.argsort(values)[::-1][: mesh.SIZE]
    signs = np.sign(vectors[np.abs(vectors[:, largest]).argmax(axis=0), largest])
    directions = vectors[:, largest] * signs / np.sqrt(values[largest])
    return directions.astype(np.float32), float(values[largest].sum() / values.sum())


def sidecar(data: bytes, faces_seen: int, kept: float) -> dict[str, Any]:
    """What the product must know before it loads the file."""
    return {
        "name": mesh.MODEL,
        "file": f"{mesh.MODEL}.npz",
        "sha256": hashlib.sha256(data).hexdigest(),
        "version": "1",
        "made_by": "tools/make_mesh_shape.py",
        "libraries": {name: version(name) for name in ("numpy", "opencv-python-headless")},
        "inputs": [{"name": "points", "shape": [mesh.POINTS, 3], "range": "points of face_mesh.onnx, any unit"}],
        "outputs": [{"name": "coefficients", "shape": [mesh.SIZE], "range": "about -3 to 3, deviation 1"}],
        "training_data": "FER2013 pictures (ICML 2013 representation-learning challenge), without labels",
        "terms": "FER2013 is given for research. For other use, make the basis again from licensed pictures",
        "scores": {"meshes": faces_seen, "share_of_variance": math.floor(kept * 1e4) / 1e4},
        "known_failures": [
            "the pictures are 48 pixels wide: fine lines of lids and lips are weak in the basis",
            "strong asymmetry is drawn weaker than it is by the mesh itself",
        ],
        "licence": "Apache-2.0 as far as it is this project's; see terms for the data",
    }


if __name__ == "__main__":
    main()
