"""Finding the student's face, with the real detector and the real mesh."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from lessonroom import models
from lessonroom.errors import BadInput
from lessonroom.media import faces
from lessonroom.media.asking import alone
from lessonroom.media.onnx_engine import OnnxEngine
from lessonroom.media.types import Box, Face, Unseen
from tests.media import pictures

EYES = np.zeros((2, 2), np.float32)


@pytest.fixture(scope="module")
def engine() -> Iterator[OnnxEngine]:
    with OnnxEngine((faces.DETECTOR, faces.MESH)) as opened:
        yield opened


def found(engine: OnnxEngine, image: np.ndarray) -> Face:
    face = faces.look(engine, image)
    assert isinstance(face, Face), face
    return face


def test_the_face_is_found_with_its_points_inside_the_box_and_the_head_straight(engine: OnnxEngine) -> None:
    face = found(engine, pictures.frame(5.0))
    assert face.landmarks is not None
    assert face.landmarks.shape == (468, 3)
    middle = face.landmarks[:, :2].mean(axis=0)
    assert face.box.left < middle[0] < face.box.left + face.box.width
    assert face.box.top < middle[1] < face.box.top + face.box.height
    assert abs(face.yaw) < 12
    assert abs(face.pitch) < 15
    assert abs(face.roll) < 12


@pytest.mark.parametrize("width", [150, 100, 60, 40])
def test_faces_from_40_pixels_up_are_found_in_a_webcam_picture(engine: OnnxEngine, width: int) -> None:
    """The face is 150 pixels wide in the clip; a student who sits far away fills far less of the picture."""
    small = pictures.scaled(pictures.frame(5.0), width / 150)
    face = found(engine, pictures.on_wall(small, 640, 480, left=200, top=100))
    assert face.box.width == pytest.approx(width, rel=0.3)


def test_small_faces_that_are_tilted_far_in_bad_light_are_found_by_looking_closer(engine: OnnxEngine) -> None:
    """In the whole picture they are 8 of the detector's 128 pixels: the box is often too far off for the mesh."""
    rng = np.random.default_rng(0)
    first = closer = 0
    for second in (2.0, 20.0, 41.0, 65.0):
        for degrees in (-45, 45):
            small = pictures.scaled(pictures.turned(pictures.frame(second), degrees), 0.3)
            place = rng.integers(0, 490), rng.integers(0, 360)
            image = pictures.on_wall(small, 640, 480, left=int(place[0]), top=int(place[1])) * 0.3
            image = np.clip(image + rng.normal(0, 4, image.shape), 0, 255).astype(np.uint8)
            student, _ = faces.choose(faces.detect(engine, image))
            first += student is not None and isinstance(faces.landmark(engine, image, student), Face)
            closer += isinstance(faces.look(engine, image), Face)
    assert first <= 6
    assert closer >= 7


def test_two_faces_that_show_only_when_the_detector_looks_closer_are_refused_too(engine: OnnxEngine) -> None:
    """From afar a box may lie over both; in the close-up the larger one must not pass for the student's."""
    image = pictures.frame(5.0)
    height, width = image.shape[:2]
    two = np.hstack([image, pictures.on_wall(pictures.scaled(image, 0.8), width, height)])
    both = faces.Found(Box(width - height / 2, 0.0, height, height), 0.6, EYES)
    assert alone(engine, faces._once_more(two, both)) is Unseen.SEVERAL_FACES
    assert isinstance(alone(engine, faces._once_more(image, found_first(engine, image))), Face)


def found_first(engine: OnnxEngine, image: np.ndarray) -> faces.Found:
    student, _ = faces.choose(faces.detect(engine, image))
    assert student is not None
    return student


def test_looking_closer_stays_within_the_picture() -> None:
    image = np.zeros((100, 200, 3), np.uint8)
    for left, top in ((-80.0, -90.0), (190.0, 95.0), (500.0, 500.0), (-500.0, 20.0)):
        around = faces._around(Box(left, top, 60.0, 60.0), image)
        assert around.left >= 0
        assert around.top >= 0
        assert around.width >= 1
        assert around.height >= 1
        assert around.left + around.width <= 200
        assert around.top + around.height <= 100


@pytest.mark.parametrize("degrees", [-40, -20, 20, 40])
def test_a_tilted_head_is_found_and_its_roll_is_told(engine: OnnxEngine, degrees: int) -> None:
    straight = found(engine, pictures.frame(5.0)).roll
    assert found(engine, pictures.turned(pictures.frame(5.0), degrees)).roll - straight == pytest.approx(degrees, abs=6)


def test_mirroring_the_picture_mirrors_yaw_and_roll(engine: OnnxEngine) -> None:
    image = pictures.frame(5.0)
    face, mirrored = found(engine, image), found(engine, np.ascontiguousarray(image[:, ::-1]))
    assert mirrored.yaw == pytest.approx(-face.yaw, abs=4)
    assert mirrored.roll == pytest.approx(-face.roll, abs=4)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((240, 320, 3), np.uint8),
        np.full((240, 320, 3), 255, np.uint8),
        np.random.default_rng(0).integers(0, 256, (240, 320, 3), np.uint8),
        np.full((1, 1, 3), 128, np.uint8),
    ],
    ids=["black", "white", "noise", "one pixel"],
)
def test_a_picture_without_a_face_says_no_face(engine: OnnxEngine, image: np.ndarray) -> None:
    assert faces.look(engine, image) is Unseen.NO_FACE


def test_two_faces_are_refused_rather_than_guessed(engine: OnnxEngine) -> None:
    image = pictures.frame(5.0)
    assert faces.look(engine, np.hstack([image, image])) is Unseen.SEVERAL_FACES


def test_a_person_behind_the_student_at_half_the_size_is_still_a_second_face(engine: OnnxEngine) -> None:
    image = pictures.frame(5.0)
    behind = pictures.on_wall(pictures.scaled(image, 0.6), 300, 360, top=60)
    assert faces.look(engine, np.hstack([image, behind])) is Unseen.SEVERAL_FACES


@pytest.mark.parametrize(("width", "rivals"), [(34.0, 0), (36.0, 1), (150.0, 1)])
def test_a_second_face_is_a_rival_when_it_is_large_enough_even_if_it_is_unclear(width: float, rivals: int) -> None:
    student = faces.Found(Box(0, 0, 100, 100), 0.9, EYES)
    other = faces.Found(Box(200, 0, width, width), 0.31, EYES)
    chosen, found = faces.choose(sorted([student, other], key=lambda each: -each.box.width))
    assert chosen is student
    assert len(found) == rivals


def of(left: float, width: float, score: float = 0.9) -> faces.Found:
    return faces.Found(Box(left, 100 - width / 2, width, width), score, EYES)


def by_size(*found: faces.Found) -> list[faces.Found]:
    return sorted(found, key=lambda each: -each.box.width)


def test_the_student_stays_the_student_when_somebody_larger_comes_near() -> None:
    """Somebody leans over the desk, nearer to the camera: no guess that the larger one is the student now."""
    student, teacher = of(100, 100), of(400, 160)
    assert faces.choose(by_size(student, teacher))[0] is teacher
    chosen, rivals = faces.choose(by_size(student, teacher), near=Box(110, 55, 95, 95))
    assert chosen is student
    assert rivals == [teacher]


def test_a_giant_before_the_student_is_a_rival_and_not_the_student() -> None:
    """By size alone the student would be too small to count, and the other one would be read."""
    student, giant = of(100, 60), of(300, 220)
    assert faces.choose(by_size(student, giant)) == (giant, [])
    assert faces.choose(by_size(student, giant), near=student.box) == (student, [giant])


def test_while_the_student_is_hidden_nobody_in_the_background_takes_the_place() -> None:
    """A poster, or a person who walks through the room, is far smaller than the student was."""
    assert faces.choose([of(300, 40)], near=Box(100, 50, 100, 100)) == (None, [])


def test_a_student_who_moves_is_followed() -> None:
    """Sideways by more than the face, or back on the chair by a third: one face, and it is still the student's."""
    for moved in (of(320, 100), of(100, 65), of(100, 150)):
        assert faces.choose([moved], near=Box(100, 50, 100, 100)) == (moved, [])


def test_an_unclear_face_alone_is_nobodys() -> None:
    assert faces.choose([faces.Found(Box(0, 0, 100, 100), 0.45, EYES)]) == (None, [])


@pytest.mark.parametrize("second", [5.0, 15.0, 50.0])
def test_a_thing_that_looks_a_little_like_a_face_does_not_make_two(engine: OnnxEngine, second: float) -> None:
    """The mirrored space suit scores 0.37 in the detector; the mesh sees no face in it."""
    image = np.ascontiguousarray(pictures.frame(second)[:, ::-1])
    assert len(faces.choose(faces.detect(engine, image))[1]) == 1
    assert isinstance(faces.look(engine, image), Face)


def test_overlapping_boxes_are_joined_and_distant_ones_are_not() -> None:
    near = [faces.Found(Box(x, 0, 100, 100), 0.8, EYES) for x in (0, 10, 20)]
    inside = faces.Found(Box(30, 30, 40, 40), 0.7, EYES)
    far = faces.Found(Box(300, 0, 80, 80), 0.6, EYES)
    joined = faces.merged([*near, inside, far])
    assert len(joined) == 2
    assert joined[1].box == far.box


@pytest.mark.parametrize("image", [np.zeros((240, 320), np.uint8), np.zeros((240, 320, 3), np.float32)])
def test_what_is_no_bgr_picture_is_refused_in_words(engine: OnnxEngine, image: np.ndarray) -> None:
    with pytest.raises(BadInput, match=r"uint8 \(height, width, 3\)"):
        faces.look(engine, image)


def test_the_mesh_holds_no_operator_that_breaks_the_blocked_layout() -> None:
    """With ONNX Runtime's PRelu it takes four times as long on a CPU; see tools/convert_face_models.py."""
    assert b"PRelu" not in models.load(faces.MESH).read()
