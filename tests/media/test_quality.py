"""Each way in which a face cannot be read is told by its own name, and a good face is let through."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np
import pytest

from lessonroom.errors import BadInput
from lessonroom.media import expression, faces, quality
from lessonroom.media.onnx_engine import OnnxEngine
from lessonroom.media.types import Box, Face, Image, Unseen
from tests.media import pictures


@pytest.fixture(scope="module")
def engine() -> Iterator[OnnxEngine]:
    with OnnxEngine((faces.DETECTOR, faces.MESH)) as opened:
        yield opened


@pytest.fixture(scope="module")
def seen(engine: OnnxEngine) -> tuple[Image, Face]:
    image = pictures.frame(5.0)
    face = faces.look(engine, image)
    assert isinstance(face, Face)
    return image, face


def judged(image: Image, face: Face) -> quality.Judged:
    """The judgement of a face with the crop that the server gives it."""
    return quality.judge(image, face, expression.crop(image, face))


def test_a_clear_face_is_seen_at_full_quality(seen: tuple[Image, Face]) -> None:
    found = judged(*seen)
    assert found.unseen is None
    assert found.quality > 0.8


def moved(face: Face, factor: float = 1.0, right: float = 0.0, down: float = 0.0) -> Face:
    """The same face where it stands after scaling the picture, or further to the right or down."""
    assert face.landmarks is not None
    return replace(face, landmarks=face.landmarks * np.float32(factor) + np.array([right, down, 0], np.float32))


def dark(image: Image) -> Image:
    return (image * 0.08).astype(np.uint8)


def dim(image: Image) -> Image:
    return (image * 0.165).astype(np.uint8)


def bright(image: Image) -> Image:
    return np.clip(image.astype(int) + 190, 0, 255).astype(np.uint8)


def blurred(image: Image) -> Image:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), 12), np.uint8)


def flat(image: Image) -> Image:
    return (image * 0.05 + 120).astype(np.uint8)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (dark, Unseen.TOO_DARK),
        (dim, Unseen.TOO_DARK),
        (flat, Unseen.TOO_DARK),
        (bright, Unseen.TOO_BRIGHT),
        (blurred, Unseen.BLURRED),
    ],
)
def test_bad_light_and_blur_are_told_apart(seen: tuple[Image, Face], change: object, expected: Unseen) -> None:
    image, face = seen
    assert callable(change)
    assert judged(change(image), face) == quality.Judged(expected, 0.0)


def test_a_face_of_30_pixels_is_too_small(seen: tuple[Image, Face]) -> None:
    image, face = seen
    small = pictures.scaled(image, 0.2)
    assert judged(small, moved(face, 0.2)).unseen is Unseen.TOO_SMALL


def test_a_face_of_40_pixels_is_read_and_counts_nearly_in_full(seen: tuple[Image, Face]) -> None:
    """It has as many pixels as the pictures that the network learned from; strain takes 0.5 for a full look."""
    image, face = seen
    small, shrunk = pictures.scaled(image, 0.29), moved(face, 0.29)
    assert shrunk.landmarks is not None
    assert np.ptp(shrunk.landmarks[:, 0]) == pytest.approx(40, abs=2)
    found = judged(small, shrunk)
    assert found.unseen is None
    assert 0.3 < found.quality < 0.7


@pytest.mark.parametrize(("yaw", "pitch"), [(50.0, 0.0), (-50.0, 0.0), (0.0, 40.0), (0.0, -40.0)])
def test_a_head_turned_far_away_is_not_read(seen: tuple[Image, Face], yaw: float, pitch: float) -> None:
    image, face = seen
    assert judged(image, replace(face, yaw=yaw, pitch=pitch)).unseen is Unseen.TURNED_AWAY


def test_a_head_turned_a_little_is_read_with_less_quality(seen: tuple[Image, Face]) -> None:
    image, face = seen
    found = judged(image, replace(face, yaw=35.0))
    assert found.unseen is None
    assert 0.0 < found.quality < 0.7


@pytest.mark.parametrize(("across", "along"), [(1, 0), (-1, 0), (0, 1), (0, -1)], ids=["right", "left", "low", "high"])
def test_a_face_half_out_of_the_picture_is_cut_off(seen: tuple[Image, Face], across: int, along: int) -> None:
    """The picture's edge goes through the middle of the face; pixels beyond it would be made up."""
    image, face = seen
    assert face.landmarks is not None
    x, y = face.landmarks[:, :2].mean(axis=0)
    right = {1: image.shape[1] - x, -1: -x, 0: 0.0}[across]
    down = {1: image.shape[0] - y, -1: -y, 0: 0.0}[along]
    assert judged(image, moved(face, right=float(right), down=float(down))).unseen is Unseen.CUT_OFF


def test_a_covered_face_is_not_called_calm(engine: OnnxEngine, seen: tuple[Image, Face]) -> None:
    """A hand or a sheet of paper before the face: whatever the answer, it must not be a face."""
    image, face = seen
    covered = image.copy()
    box = face.box
    covered[int(box.top) :, int(box.left) : int(box.left + box.width)] = (90, 120, 160)
    assert isinstance(faces.look(engine, covered), Unseen)


@pytest.mark.parametrize("kilobits", [40, 100])
def test_a_face_after_a_lessons_video_compression_is_still_seen(
    engine: OnnxEngine, seen: tuple[Image, Face], kilobits: int
) -> None:
    """The student's browser sends 240 lines at about 100 kbit/s: such pictures are the rule and not the exception."""
    small = pictures.scaled(seen[0], 240 / 360)
    _, code = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, kilobits // 4])
    image = np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR), np.uint8)
    face = faces.look(engine, image)
    assert isinstance(face, Face)
    assert judged(image, face).unseen is None


def test_a_bare_box_cannot_be_judged() -> None:
    with pytest.raises(BadInput, match="landmarks"):
        quality.judge(np.zeros((10, 10, 3), np.uint8), Face(Box(0, 0, 5, 5), 0.9), np.zeros((8, 8), np.uint8))


@pytest.mark.parametrize("side", [48, 64, 200])
def test_a_tight_crop_is_judged_by_light_and_sharpness_alone(seen: tuple[Image, Face], side: int) -> None:
    crop = expression.crop(*seen, side=side)
    assert quality.judge_crop(crop).quality > 0.8
    assert quality.judge_crop(dark(crop)).unseen is Unseen.TOO_DARK
    assert quality.judge_crop(bright(crop)).unseen is Unseen.TOO_BRIGHT
    smeared = np.asarray(cv2.GaussianBlur(crop, (0, 0), side / 12), np.uint8)
    assert quality.judge_crop(smeared).unseen is Unseen.BLURRED
