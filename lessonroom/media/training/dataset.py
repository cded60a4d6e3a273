"""Labelled face crops for training: reading the votes of several people, and drawing batches from them.

The file is an ``.npz`` like that of FER+ (Barsoum et al. 2016, arXiv 1608.01041): ``images`` (N, 48, 48) uint8,
``votes`` (N, 10) uint8 with columns ``vote_labels``, ``split`` (N,) of ``train`` and ``valid``.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from lessonroom.errors import BadInput
from lessonroom.media.training import augment
from lessonroom.media.types import EXPRESSIONS

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Drawing:
    """How batches are drawn: ``size`` of a picture's side, ``batch`` pictures at a time, ``seed`` of everything random.

    ``balance`` draws rare expressions more often; ``mixup`` is the parameter of its beta distribution, used on
    ``mixup_share`` of all batches. ``strength``: how much pictures are spoiled.
    """

    size: int
    batch: int
    seed: int
    balance: float
    mixup: float
    mixup_share: float
    strength: augment.Strength = augment.USUAL


@dataclass(frozen=True, slots=True)
class Faces:
    """Pictures (N, S, S) uint8 with target distributions (N, 8) and majority labels (-1 where there is none)."""

    images: NDArray[np.uint8]
    targets: Floats
    majority: NDArray[np.int64]


def read_faces(path: Path, split: str) -> Faces:
    """Read one part of the data file. Raises BadInput when keys or shapes are not those of the description."""
    try:
        with np.load(path, allow_pickle=False) as data:
            images, votes, parts = data["images"], data["votes"], data["split"]
            columns = [str(name) for name in data["vote_labels"]]
    except (OSError, EOFError, BadZipFile, KeyError, ValueError) as error:
        found = (error.strerror if isinstance(error, OSError) else None) or "something else"
        raise BadInput(f"{path.name}: expected images, votes, vote_labels and split, got: {found}") from error
    if not set(EXPRESSIONS) <= set(columns):
        raise BadInput(f"{path.name}: vote_labels must hold {', '.join(EXPRESSIONS)}")
    order = [columns.index(name) for name in EXPRESSIONS]
    order += [index for index in range(len(columns)) if index not in order]
    kept = (parts == split) & (votes[:, order].argmax(axis=1) < len(EXPRESSIONS))
    ranked = votes[kept][:, order]
    return Faces(images[kept], soft_labels(ranked[:, : len(EXPRESSIONS)]), majorities(ranked))


def soft_labels(votes: NDArray[np.uint8]) -> Floats:
    """Votes (N, 8) -> distributions (N, 8); a single vote is a slip more often than an opinion, so it is dropped."""
    firm = np.where(votes > 1, votes, 0).astype(np.float32)
    firm = np.where(firm.sum(axis=1, keepdims=True) > 0, firm, votes)
    return np.asarray(firm / np.maximum(firm.sum(axis=1, keepdims=True), 1), np.float32)


def majorities(votes: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Votes (N, 8 or more) -> the class with over half of all firm votes (more than one), or -1 where there is none.

    Columns after the eighth are "unknown" and the like: they count as votes, but never as a class.
    """
    firm = np.where(votes > 1, votes, 0).astype(np.int64)
    best = firm.argmax(axis=1)
    clear = (firm.max(axis=1) * 2 > firm.sum(axis=1)) & (best < len(EXPRESSIONS))
    return np.where(clear, best, -1).astype(np.int64)


def taught(faces: Faces, teacher: Path, share: float) -> Faces:
    """The faces with ``share`` of every target from a teacher (Hinton et al. 2015, arXiv 1503.02531).

    ``teacher``: ``.npz`` with ``probabilities`` (N, 8) for the same faces in the same order. Raises BadInput otherwise.
    """
    try:
        with np.load(teacher, allow_pickle=False) as data:
            said = data["probabilities"].astype(np.float32)
    except (OSError, EOFError, BadZipFile, KeyError, ValueError) as error:
        raise BadInput(f"{teacher.name}: expected probabilities, got {type(error).__name__}") from error
    if said.shape != faces.targets.shape:
        raise BadInput(f"{teacher.name}: expected probabilities {faces.targets.shape}, got {said.shape}")
    return replace(faces, targets=(1 - np.float32(share)) * faces.targets + np.float32(share) * said)


def batches(faces: Faces, drawing: Drawing, epoch: int, first: int, steps: int) -> Iterator[tuple[Floats, Floats]]:
    """Batches of one epoch from step ``first`` on; each is drawn from its own seed, so a resumed run sees the same."""
    weights = _sampling_weights(faces.targets, drawing.balance)
    order = np.random.default_rng((drawing.seed, epoch)).choice(
        len(weights), size=steps * drawing.batch, replace=drawing.balance > 0, p=weights
    )
    for step in range(first, steps):
        rng = np.random.default_rng((drawing.seed, epoch, step))
        chosen = order[step * drawing.batch : (step + 1) * drawing.batch]
        crops = [augment.webcam(faces.images[index], drawing.size, rng, drawing.strength) for index in chosen]
        yield _mixed(as_input(crops), faces.targets[chosen], drawing, rng)


def _mixed(images: Floats, targets: Floats, drawing: Drawing, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Mixup (Zhang et al. 2018, arXiv 1710.09412) of a share of all batches."""
    if rng.random() >= drawing.mixup_share or drawing.mixup <= 0:
        return images, targets
    share = np.float32(rng.beta(drawing.mixup, drawing.mixup))
    other = rng.permutation(len(images))
    return share * images + (1 - share) * images[other], share * targets + (1 - share) * targets[other]


def _sampling_weights(targets: Floats, power: float) -> NDArray[np.float64]:
    """Rare expressions are drawn more often, by ``frequency ** -power``; 0 draws all alike."""
    frequency = targets.mean(axis=0, dtype=np.float64)
    value = targets.astype(np.float64) @ (np.maximum(frequency, 1e-4) ** -power)
    return np.asarray(value / value.sum(), np.float64)


def ahead(batches: Iterator[tuple[Floats, Floats]]) -> Iterator[tuple[Floats, Floats]]:
    """Prepare the next batch while the network works on this one."""
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(next, batches, None)
        while (batch := waiting.result()) is not None:
            waiting = pool.submit(next, batches, None)
            yield batch


def as_input(crops: list[NDArray[np.uint8]]) -> Floats:
    """Crops (S, S) uint8 -> what the network takes: (N, 1, S, S) float32, 0 to 1."""
    return np.stack(crops)[:, None].astype(np.float32) / 255.0
