"""Labelled face crops as other networks' programs can read them: as they are and spoiled, as cut and brought into line.

    python tools/rivals/pictures.py labels.csv work [WAY ...]

``labels.csv`` has the columns ``path`` and ``label``. For each way of spoiling, two files come into ``work``: crops as
they were cut (N, S, S) and the same crops as a lesson would align them (N, 96, 96), uint8, in the order of the table.
The pictures must be of one size. Without names of ways of spoiling, all are made.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from lessonroom.media import expression
from lessonroom.media.onnx_engine import OnnxEngine
from lessonroom.media.scoring.score import Scorer

Grey = NDArray[np.uint8]
THREADS = 2


def main(labels: Path, work: Path, ways: list[str]) -> None:
    """Spoil, align, write."""
    cv2.setNumThreads(1)
    with labels.open(encoding="utf-8", newline="") as file:
        clean = [_read(row["path"]) for row in csv.DictReader(file)]
    work.mkdir(parents=True, exist_ok=True)
    with OnnxEngine() as engine, ThreadPoolExecutor(THREADS) as pool:
        scorer = Scorer(engine)
        for name in ways or SPOILED:
            crops = [SPOILED[name](picture) for picture in clean]
            found = list(pool.map(scorer.inside, crops))
            np.save(work / f"{name}.cut.npy", np.stack(crops))
            np.save(work / f"{name}.aligned.npy", np.stack([_fitted(within.grey) for within in found]))
            print(f"{name}: {sum(w.points is not None for w in found)} of {len(found)} faces made out", flush=True)


def _read(path: str) -> Grey:
    picture = cv2.imread(path, cv2.IMREAD_GRAYSCALE)
    if picture is None:
        sys.exit("expected readable pictures in the column path")
    return np.asarray(picture, np.uint8)


def _fitted(picture: Grey) -> Grey:
    """A crop in which no face was made out, at the network's size."""
    size = (expression.SIDE, expression.SIDE)
    return picture if picture.shape == size else np.asarray(cv2.resize(picture, size), np.uint8)


# --- ways of spoiling ------------------------------------------------------------------------------------------------


def few_pixels(picture: Grey) -> Grey:
    """Half as many pixels each way."""
    side = picture.shape[0]
    small = cv2.resize(picture, (side // 2, side // 2), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (side, side), interpolation=cv2.INTER_CUBIC), np.uint8)


def dark(picture: Grey) -> Grey:
    """Gamma 2.2."""
    return np.asarray(((picture / 255.0) ** 2.2 * 255).round(), np.uint8)


def moved(picture: Grey) -> Grey:
    """The head moved sideways by 7 pixels of 48 while the shutter was open."""
    length = round(picture.shape[0] * 7 / 48)
    return np.asarray(cv2.blur(picture, (length, 1), borderType=cv2.BORDER_REPLICATE), np.uint8)


def tilted(picture: Grey) -> Grey:
    """Turned by 20 degrees in the plane."""
    side = picture.shape[0]
    matrix = cv2.getRotationMatrix2D(((side - 1) / 2, (side - 1) / 2), 20, 1.0)
    return np.asarray(cv2.warpAffine(picture, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE), np.uint8)


def mouth_covered(picture: Grey) -> Grey:
    """The lower third is of one tone."""
    covered = picture.copy()
    covered[picture.shape[0] * 2 // 3 :] = 128
    return covered


def askew(picture: Grey) -> Grey:
    """Seen from the side and below: the right edge is a quarter shorter, the upper one a tenth."""
    far = picture.shape[0] - 1
    corners = np.array([[0, 0], [far, 0], [far, far], [0, far]], np.float32)
    seen = np.array([[0.05, 0], [0.95, 0.125], [1, 0.875], [0, 1]], np.float32) * far
    matrix = cv2.getPerspectiveTransform(corners, seen)
    return np.asarray(
        cv2.warpPerspective(picture, matrix, picture.shape[::-1], borderMode=cv2.BORDER_REPLICATE), np.uint8
    )


def sharpened(picture: Grey) -> Grey:
    """Edges drawn over, as many telephones do."""
    soft = cv2.GaussianBlur(picture, (0, 0), 1.5).astype(np.float32)
    return np.asarray(np.clip(picture + 2.0 * (picture - soft), 0, 255), np.uint8)


def speckled(picture: Grey) -> Grey:
    """One pixel in twenty is black or white; the same for the same picture."""
    chance = np.random.default_rng(int(picture.sum())).random(picture.shape)
    return np.where(chance < 0.025, 0, np.where(chance > 0.975, 255, picture)).astype(np.uint8)


SPOILED: dict[str, Callable[[Grey], Grey]] = {
    "clean": lambda picture: picture,
    "few_pixels": few_pixels,
    "dark": dark,
    "moved": moved,
    "tilted": tilted,
    "mouth_covered": mouth_covered,
    "askew": askew,
    "sharpened": sharpened,
    "speckled": speckled,
}

if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("expected: pictures.py labels.csv work [WAY ...]")
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
