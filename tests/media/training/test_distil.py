"""Answers of networks as a teacher: written where they were asked for. Whole trainings are in ``test_train``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lessonroom.media.training import dataset, distil, weights
from lessonroom.media.types import EXPRESSIONS


@pytest.mark.parametrize("name", ["said", "said.npz", "said.of.two"])
def test_answers_lie_under_the_name_that_was_asked_for(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The networks themselves need PyTorch, which is not everywhere; what they say of a face is made up here."""
    random = np.random.default_rng(1)
    votes = np.zeros((3, 10), np.uint8)
    votes[:, 2] = 9
    np.savez(
        tmp_path / "faces.npz",
        images=random.integers(0, 256, (3, 48, 48), np.uint8),
        votes=votes,
        vote_labels=np.array([*EXPRESSIONS, "unknown", "NF"]),
        split=np.array(["train"] * 3),
    )
    monkeypatch.setattr(weights, "load", lambda checkpoint: (checkpoint, {"size": 48}))
    monkeypatch.setattr(distil, "predict_logits", lambda network, images, size: np.zeros((len(images), 8)))
    assert distil.teach([tmp_path / "best.pt"], tmp_path / "faces.npz", tmp_path / name) == 3
    faces = dataset.read_faces(tmp_path / "faces.npz", "train")
    assert dataset.taught(faces, tmp_path / name, 1.0).targets == pytest.approx(np.full((3, 8), 0.125))
