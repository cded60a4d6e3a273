"""Cutting the face out and reading it, with the shipped model."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from lessonroom import models
from lessonroom.errors import BadInput
from lessonroom.media import expression, faces
from lessonroom.media.observe import observe
from lessonroom.media.onnx_engine import OnnxEngine
from lessonroom.media.types import EXPRESSIONS, Box, Face, Sample, Unseen
from tests.media import pictures

STRAINED = ("sadness", "anger", "disgust", "fear", "contempt")


@pytest.fixture(scope="module")
def engine() -> Iterator[OnnxEngine]:
    with OnnxEngine() as opened:
        yield opened


def face_of(engine: OnnxEngine, image: np.ndarray) -> Face:
    face = faces.look(engine, image)
    assert isinstance(face, Face), face
    return face


def test_the_probabilities_of_all_labels_add_up_to_one(engine: OnnxEngine) -> None:
    image = pictures.frame(5.0)
    read = expression.read(engine, expression.crop(image, face_of(engine, image)))
    assert tuple(read.probabilities) == EXPRESSIONS
    assert sum(read.probabilities.values()) == pytest.approx(1.0, abs=1e-4)
    assert read.embedding.shape == (expression.EMBEDDING,)


def test_the_clips_calm_and_strained_stretches_are_read_as_different(engine: OnnxEngine) -> None:
    """The simulated student rests on it: what a person sees as a frown, the model must see as one."""

    def strain(second: float) -> float:
        read = observe(engine, Sample(pictures.frame(second), second)).expression
        assert read is not None
        return sum(read[name] for name in STRAINED)

    calm = [strain(second) for second in (4.0, 11.0, 18.0, 25.0)]
    strained = [strain(second) for second in (42.0, 50.0, 58.0, 66.0)]
    assert max(calm) < 0.1
    assert min(strained) > 0.3


def test_the_crop_puts_eyes_and_mouth_where_the_training_pictures_have_them(engine: OnnxEngine) -> None:
    """Wherever the face is, however tilted: the crop of a turned picture shows the same as that of the straight one."""
    image = pictures.frame(5.0)
    straight = expression.crop(image, face_of(engine, image)).astype(float)
    tilted = pictures.turned(image, 25)
    level = expression.crop(tilted, face_of(engine, tilted)).astype(float)
    inner = slice(12, 56)
    likeness = np.corrcoef(straight[inner, inner].ravel(), level[inner, inner].ravel())[0, 1]
    assert likeness > 0.9


def test_the_grain_of_a_large_picture_is_averaged_and_not_sampled(engine: OnnxEngine) -> None:
    """Skipping pixels instead of averaging them would make the crop of a close face rough."""
    large = pictures.scaled(pictures.frame(5.0), 4)
    face = face_of(engine, large)
    grain = np.random.default_rng(0).normal(0, 40, large.shape)
    grainy = np.clip(large + grain, 0, 255).astype(np.uint8)
    difference = expression.crop(grainy, face).astype(float) - expression.crop(large, face)
    assert np.abs(difference).mean() < 6


@pytest.mark.parametrize("second", [5.0, 42.0, 66.0])
def test_a_face_and_its_mirror_image_are_read_alike(engine: OnnxEngine, second: float) -> None:
    """As far as strain is concerned; between calm and a faint smile either may win."""
    crop = expression.crop(pictures.frame(second), face_of(engine, pictures.frame(second)))
    one, other = (
        sum(read.probabilities[name] for name in STRAINED)
        for read in expression.read_all(engine, [crop, np.ascontiguousarray(crop[:, ::-1])])
    )
    assert one == pytest.approx(other, abs=0.3)


@pytest.mark.parametrize("shape", [(48, 48), (48, 48, 3), (112, 112), (31, 57)])
def test_tight_crops_of_any_size_are_read_without_a_detector(engine: OnnxEngine, shape: tuple[int, ...]) -> None:
    crop = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    assert sum(expression.read(engine, crop).probabilities.values()) == pytest.approx(1.0, abs=1e-4)


def test_many_crops_are_read_as_each_alone(engine: OnnxEngine) -> None:
    crops = [np.random.default_rng(seed).integers(0, 256, (48, 48), np.uint8) for seed in range(5)]
    together = expression.read_all(engine, crops)
    alone = [expression.read(engine, crop) for crop in crops]
    for one, other in zip(together, alone, strict=True):
        assert one.probabilities == pytest.approx(other.probabilities, abs=1e-4)


def test_a_face_without_points_and_a_crop_of_floats_are_refused_in_words(engine: OnnxEngine) -> None:
    with pytest.raises(BadInput, match="landmarks"):
        expression.crop(pictures.frame(5.0), Face(Box(0, 0, 9, 9), 0.9))
    with pytest.raises(BadInput, match="uint8"):
        expression.read(engine, np.zeros((48, 48), np.float32))


def test_an_empty_chair_is_an_observation_without_an_expression(engine: OnnxEngine) -> None:
    seen = observe(engine, Sample(np.full((240, 320, 3), 100, np.uint8), 7.0))
    assert (seen.at, seen.unseen, seen.expression) == (7.0, Unseen.NO_FACE, None)


def test_a_good_face_is_an_observation_with_everything(engine: OnnxEngine) -> None:
    seen = observe(engine, Sample(pictures.frame(5.0), 3.0))
    assert seen.unseen is None
    assert seen.face is not None
    assert seen.quality > 0.5
    assert set(seen.shape) == {"brow", "brow_gap", "eye", "mouth", "mouth_open", "mouth_corners"}


def test_the_sidecar_promises_what_the_code_relies_on() -> None:
    card = models.load(expression.MODEL).card
    assert card.labels == EXPRESSIONS
    assert card.inputs[0].shape == (None, 1, expression.SIDE, expression.SIDE)
    assert card.outputs[1].shape == (None, expression.EMBEDDING)
    assert card.scores["accuracy"] >= 0.85
    assert card.scores["calibration_error"] <= 0.05
    assert card.terms
    assert card.known_failures
