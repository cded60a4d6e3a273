"""Bring the faces of a training file into line, as a lesson does with every face before it reads it.

    python tools/align_faces.py faces.npz aligned.npz

The detector and the mesh look at every picture; eyes and mouth come to lie where ``expression.PLACES`` has them. A
picture in which the mesh makes out no face is only scaled. All other arrays of the file stay as they are.
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from lessonroom.media import expression
from lessonroom.media.onnx_engine import OnnxEngine
from lessonroom.media.scoring.score import Scorer

THREADS = os.cpu_count() or 1


def main(source: Path, target: Path) -> None:
    """Align, and say how many faces were made out."""
    cv2.setNumThreads(1)
    with np.load(source, allow_pickle=False) as data:
        arrays = {name: data[name] for name in data.files}
    with OnnxEngine() as engine, ThreadPoolExecutor(THREADS) as pool:
        scorer = Scorer(engine)

        def aligned(picture: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], bool]:
            within = scorer.inside(picture)
            return fitted(within.grey), within.points is not None

        found = list(pool.map(aligned, arrays["images"]))
    arrays["images"] = np.stack([picture for picture, _ in found])
    np.savez(target, **arrays)
    print(f"{sum(made_out for _, made_out in found)} of {len(found)} faces made out")


def fitted(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The crop at the network's size."""
    if picture.shape == (expression.SIDE, expression.SIDE):
        return picture
    return np.asarray(cv2.resize(picture, (expression.SIDE, expression.SIDE), interpolation=cv2.INTER_LINEAR), np.uint8)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("expected: align_faces.py faces.npz aligned.npz")
    main(*map(Path, sys.argv[1:]))
