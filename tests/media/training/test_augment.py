"""What spoils training pictures: the codecs that stand between a student and us."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from lessonroom.media.training import augment
from tests.media import pictures


@pytest.fixture(params=[64, 96])
def crop(request: pytest.FixtureRequest) -> augment.Grey:
    grey = cv2.cvtColor(pictures.frame(5.0), cv2.COLOR_BGR2GRAY)[60:260, 140:340]
    return augment.plain(np.asarray(grey, np.uint8), request.param)


@pytest.mark.parametrize("codec", [augment._vp8, augment._jpeg])
def test_a_codec_spoils_a_picture_a_little_and_keeps_its_brightness(crop: augment.Grey, codec: object) -> None:
    """A shift of all values would teach the network a light that no codec makes."""
    assert callable(codec)
    for seed in range(8):
        spoiled = codec(crop, np.random.default_rng(seed))
        assert (spoiled.shape, spoiled.dtype) == (crop.shape, np.uint8)
        assert 0.5 < np.abs(spoiled.astype(int) - crop).mean() < 10
        assert abs(spoiled.mean() - crop.mean()) < 1.5
        assert np.corrcoef(spoiled.ravel(), crop.ravel())[0, 1] > 0.95


def test_the_same_seed_gives_the_same_picture(crop: augment.Grey) -> None:
    """A run that goes on after an interruption must see what it would have seen."""
    for seed in range(40):
        one, other = (augment.webcam(crop, 64, np.random.default_rng(seed)) for _ in range(2))
        assert np.array_equal(one, other)


def test_both_codecs_are_drawn(crop: augment.Grey, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []

    def codec(name: str) -> Callable[[augment.Grey, np.random.Generator], augment.Grey]:
        def draw(picture: augment.Grey, rng: np.random.Generator) -> augment.Grey:
            drawn.append(name)
            return picture

        return draw

    monkeypatch.setattr(augment, "_vp8", codec("vp8"))
    monkeypatch.setattr(augment, "_jpeg", codec("jpeg"))
    rng = np.random.default_rng(0)
    for _ in range(400):
        augment.webcam(crop, 64, rng)
    assert 24 < drawn.count("vp8") < 64
    assert 24 < drawn.count("jpeg") < 64
