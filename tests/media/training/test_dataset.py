"""Reading votes as labels, and drawing batches that can be drawn again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lessonroom.errors import BadInput
from lessonroom.media.training import augment, dataset
from lessonroom.media.types import EXPRESSIONS

COLUMNS = np.array([*EXPRESSIONS, "unknown", "NF"])
DRAWING = dataset.Drawing(size=64, batch=4, seed=1, balance=0.25, mixup=0.2, mixup_share=0.5)


def votes(**given: int) -> np.ndarray:
    return np.array([[given.get(str(name), 0) for name in COLUMNS]], np.uint8)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"neutral": 10}, {"neutral": 1.0}),
        ({"neutral": 6, "anger": 4}, {"neutral": 0.6, "anger": 0.4}),
        ({"neutral": 8, "anger": 1, "fear": 1}, {"neutral": 1.0}),
        ({"neutral": 1, "anger": 1}, {"neutral": 0.5, "anger": 0.5}),
    ],
    ids=["agreed", "divided", "single votes are dropped", "only single votes"],
)
def test_votes_become_distributions(given: dict[str, int], expected: dict[str, float]) -> None:
    found = dataset.soft_labels(votes(**given)[:, :8])[0]
    assert dict(zip(EXPRESSIONS, found, strict=True)) == pytest.approx(
        {**dict.fromkeys(EXPRESSIONS, 0.0), **expected}, abs=1e-6
    )


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"sadness": 6, "neutral": 4}, "sadness"),
        ({"sadness": 5, "neutral": 4, "fear": 1}, "sadness"),
        ({"sadness": 5, "neutral": 5}, None),
        ({"unknown": 6, "neutral": 4}, None),
        ({"neutral": 4, "unknown": 2, "anger": 2, "fear": 2}, None),
    ],
)
def test_the_majority_needs_more_than_half_of_the_firm_votes(given: dict[str, int], expected: str | None) -> None:
    index = int(dataset.majorities(votes(**given))[0])
    assert (EXPRESSIONS[index] if index >= 0 else None) == expected


def file(folder: Path, **changed: np.ndarray) -> Path:
    rng = np.random.default_rng(0)
    given = {
        "images": rng.integers(0, 256, (12, 48, 48), np.uint8),
        "votes": np.concatenate([votes(neutral=9), votes(anger=7, fear=3), votes(NF=10)] * 4),
        "vote_labels": COLUMNS,
        "split": np.array(["train"] * 6 + ["valid"] * 6),
    }
    path = folder / "faces.npz"
    np.savez(path, **{**given, **changed})
    return path


def test_pictures_that_most_call_no_face_are_left_out(tmp_path: Path) -> None:
    assert len(dataset.read_faces(file(tmp_path), "train").images) == 4


def test_columns_may_stand_in_any_order(tmp_path: Path) -> None:
    order = np.random.default_rng(1).permutation(10)
    straight = dataset.read_faces(file(tmp_path), "train").targets
    mixed = file(tmp_path, votes=np.load(file(tmp_path))["votes"][:, order], vote_labels=COLUMNS[order])
    assert np.array_equal(dataset.read_faces(mixed, "train").targets, straight)


def test_a_file_of_another_kind_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "no.npz").write_bytes(b"nonsense")
    with pytest.raises(BadInput, match=r"no\.npz: expected images"):
        dataset.read_faces(tmp_path / "no.npz", "train")
    with pytest.raises(BadInput, match="vote_labels must hold neutral"):
        dataset.read_faces(file(tmp_path, vote_labels=np.array(list("abcdefghij"))), "train")


def test_a_resumed_epoch_draws_the_batches_that_were_still_to_come(tmp_path: Path) -> None:
    """Otherwise an interrupted training would see some faces twice and others never."""
    faces = dataset.read_faces(file(tmp_path), "train")
    whole = list(dataset.batches(faces, DRAWING, epoch=2, first=0, steps=4))
    rest = list(dataset.batches(faces, DRAWING, epoch=2, first=2, steps=4))
    for (images, targets), (again, labels) in zip(whole[2:], rest, strict=True):
        assert np.array_equal(images, again)
        assert np.array_equal(targets, labels)


def test_batches_fit_the_network_and_labels_stay_distributions(tmp_path: Path) -> None:
    faces = dataset.read_faces(file(tmp_path), "train")
    for images, targets in dataset.ahead(dataset.batches(faces, DRAWING, epoch=0, first=0, steps=8)):
        assert images.shape == (4, 1, 64, 64)
        assert images.dtype == targets.dtype == np.float32
        assert images.min() >= 0
        assert images.max() <= 1
        assert targets.sum(axis=1) == pytest.approx(1.0, abs=1e-5)


def test_changed_crops_keep_their_size_and_still_show_the_face() -> None:
    """Whatever the webcam does, most of the picture's pattern has to survive, or the label would be a lie."""
    y, x = np.mgrid[0:48, 0:48]
    crop = (128 + 100 * np.cos(np.hypot(x - 24, y - 24) / 5)).astype(np.uint8)
    rng = np.random.default_rng(0)
    plain = augment.plain(crop, 64).ravel()
    likeness = [abs(np.corrcoef(augment.webcam(crop, 64, rng).ravel(), plain)[0, 1]) for _ in range(200)]
    assert augment.webcam(crop, 64, rng).shape == (64, 64)
    assert np.median(likeness) > 0.3
