"""What several trained networks say of the training pictures, for one network to learn from. Needs the extra ``train``.

Hinton et al. 2015, arXiv 1503.02531: the mean of an ensemble is better than each of its networks, and one network can
learn it. The pictures are those that the networks learned from, so their answers are surer there than elsewhere; the
people's votes keep their share in every target (``train.Options.teacher_share``).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lessonroom.errors import BadInput
from lessonroom.media.scoring import evaluate
from lessonroom.media.training import weights
from lessonroom.media.training.dataset import read_faces
from lessonroom.media.training.train import predict_logits


def teach(checkpoints: Sequence[Path], data: Path, out: Path) -> int:
    """Write the mean probabilities (N, 8) of the training part, mirrored pictures too, to ``out`` (.npz, any name).

    Returns the number of faces. Raises BadInput for files that are no checkpoints or no faces.
    """
    faces = read_faces(data, "train")
    if not checkpoints or not len(faces.images):
        raise BadInput("expected at least one checkpoint and faces in the part train, got none")
    mirrored = np.ascontiguousarray(faces.images[:, :, ::-1])
    said = []
    for checkpoint in checkpoints:
        network, options = weights.load(checkpoint)
        for images in (faces.images, mirrored):
            said.append(evaluate.softmax(predict_logits(network, images, int(options["size"]))))
    with out.open("wb") as file:  # given a name, NumPy would add .npz to one that has none
        np.savez_compressed(file, probabilities=np.mean(said, axis=0).astype(np.float32))
    return len(faces.images)
