"""Following a face without the detector: only one that holds still, and never where the detector would deny it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from lessonroom.media import faces, tracking
from lessonroom.media.engine import Arrays
from lessonroom.media.expression import MODEL
from lessonroom.media.observe import observe
from lessonroom.media.onnx_engine import OnnxEngine
from lessonroom.media.types import Image, Observation, Place, Sample, Unseen
from tests.media import pictures


class Counting:
    """The real engine, and how often each model was asked."""

    provider, reason = "CPU", ""

    def __init__(self, engine: OnnxEngine) -> None:
        self._engine = engine
        self.asked: Counter[str] = Counter()

    def infer(self, model: str, inputs: Arrays) -> dict[str, NDArray[Any]]:
        self.asked[model] += 1
        return self._engine.infer(model, inputs)

    def close(self) -> None:
        pass


@pytest.fixture(scope="module")
def real() -> Iterator[OnnxEngine]:
    with OnnxEngine((faces.DETECTOR, faces.MESH, MODEL)) as opened:
        yield opened


@pytest.fixture
def engine(real: OnnxEngine) -> Counting:
    return Counting(real)


def desk(second: float, across: int = 0, down: int = 0, other: float = 0.0) -> Image:
    """The student at the desk, (360, 800), moved by so many pixels; perhaps another face ``other`` times as large."""
    image = pictures.on_wall(pictures.frame(second), 800, 360)
    if other:
        person = pictures.scaled(pictures.frame(second + 20), other)
        image[: person.shape[0], 500 : 500 + person.shape[1]] = person[:, :300]
    shift = np.array([[1, 0, across], [0, 1, down]], np.float64)
    return np.asarray(cv2.warpAffine(image, shift, (800, 360), borderValue=(128, 128, 128)), np.uint8)


def watched(engine: Counting, images: list[Image], spacing: float = 1.0) -> tuple[list[Observation], str]:
    """Sample by sample, and for each whether the detector looked (D) or the face was followed (F)."""
    place: Place | None = None
    seen, how = [], ""
    for number, image in enumerate(images):
        before = engine.asked[faces.DETECTOR]
        seen.append(observe(engine, Sample(image, number * spacing, place)))
        place = seen[-1].place_after(place)
        how += "F" if engine.asked[faces.DETECTOR] == before else "D"
    return seen, how


def difference(one: Observation, other: Observation) -> float:
    """Half the sum of the differences between probabilities."""
    assert one.expression is not None
    assert other.expression is not None
    return sum(abs(one.expression[label] - other.expression[label]) for label in one.expression) / 2


def followed(engine: Counting) -> Place:
    """The place of a face that can be followed, at second 1."""
    seen, _ = watched(engine, [desk(5.0), desk(6.0)])
    place = seen[-1].place
    assert place is not None
    assert place.track is not None
    return place


@pytest.mark.parametrize(
    ("spacing", "how"), [(1.0, "DDFFDFFDFFD"), (0.5, "DDFFFFDFFFF"), (2.0, "DDFDFDFDFDF")], ids=["1/s", "2/s", "0.5/s"]
)
def test_a_face_that_holds_still_is_looked_for_every_2_5_seconds(engine: Counting, spacing: float, how: str) -> None:
    seen, was = watched(engine, [desk(5.0 + number * spacing) for number in range(len(how))], spacing)
    assert {observation.unseen for observation in seen} == {None}
    assert was == how
    assert engine.asked[faces.MESH] <= len(how) + how.count("D")


def test_what_is_read_of_a_followed_face_is_what_is_read_of_one_that_was_looked_for(engine: Counting) -> None:
    """As nearly as when the picture is moved by three pixels: that changes probabilities by 0.029 on average."""
    images = [desk(second) for second in np.arange(2.0, 62.0, 1.0)]
    seen, how = watched(engine, images)
    looked = [observe(engine, Sample(image, 0.0)) for image in images]
    assert how.count("F") > 30
    changes, boxes, shapes = [], [], []
    for one, other, was in zip(seen, looked, how, strict=True):
        assert one.unseen is other.unseen
        if was == "F" and one.unseen is None and one.face is not None and other.face is not None:
            changes.append(difference(one, other))
            boxes.append(abs(one.face.box.left - other.face.box.left) / other.face.box.width)
            boxes.append(abs(one.face.box.width / other.face.box.width - 1))
            assert one.face.yaw == pytest.approx(other.face.yaw, abs=3)
            shapes.append(max(abs(one.shape[name] - other.shape[name]) for name in one.shape))
    assert np.mean(changes) < 0.04
    assert max(changes) < 0.15
    assert np.mean(shapes) < 0.06
    assert max(boxes) < 0.1  # the detector itself wavers by half of that


def test_somebody_who_comes_is_noticed_within_three_samples(engine: Counting) -> None:
    images = [desk(5.0 + number, other=0.6 if number >= 2 else 0.0) for number in range(8)]
    seen, how = watched(engine, images)
    assert how[1:4] == "DFF"
    assert [observation.unseen for observation in seen[4:]] == [Unseen.SEVERAL_FACES] * 4


@pytest.mark.parametrize("across", [-90, -45, -20, 20, 45, 90, 150, 300])
@pytest.mark.parametrize("down", [-45, 0, 45])
def test_a_face_that_moved_is_looked_for_and_not_drawn_where_it_was(engine: Counting, across: int, down: int) -> None:
    """By itself the mesh finds a face there, and is sure."""
    place = followed(engine)
    image = desk(7.0, across, down)
    engine.asked.clear()
    found = observe(engine, Sample(image, 2.0, place))
    assert engine.asked[faces.DETECTOR] >= 1
    fresh = observe(engine, Sample(image, 2.0, replace(place, track=None)))
    assert found.face is not None
    assert fresh.face is not None
    assert found.face.box == fresh.face.box


def test_a_small_movement_is_followed(engine: Counting) -> None:
    place = followed(engine)
    engine.asked.clear()
    seen = observe(engine, Sample(desk(7.0, 4, -3), 2.0, place))
    assert engine.asked[faces.DETECTOR] == 0
    assert seen.place is not None
    looked = observe(engine, Sample(desk(7.0, 4, -3), 2.0, replace(place, track=None))).place
    assert looked is not None
    assert seen.place.box.left == pytest.approx(looked.box.left, abs=3)
    assert seen.place.box.width == pytest.approx(looked.box.width, abs=8)


@pytest.mark.parametrize("shade", [30, 128, 215])
def test_a_student_who_left_or_hides_is_not_followed(engine: Counting, shade: int) -> None:
    place = followed(engine)
    image = desk(7.0)
    image[40:, 100:360] = shade
    engine.asked.clear()
    assert observe(engine, Sample(image, 2.0, place)).unseen is Unseen.NO_FACE
    assert engine.asked[faces.DETECTOR] >= 1


def test_half_a_face_behind_a_sheet_of_paper_is_looked_for(engine: Counting) -> None:
    place = followed(engine)
    image = desk(7.0)
    box = place.box
    image[int(box.top + box.height / 2) :, 100:360] = 215
    engine.asked.clear()
    observe(engine, Sample(image, 2.0, place))
    assert engine.asked[faces.DETECTOR] >= 1


def test_after_samples_that_were_missed_or_showed_no_face_the_detector_looks(engine: Counting) -> None:
    place = followed(engine)
    for at, before in (
        (place.at + tracking.EVERY, place),
        (place.at + 1.0, Observation(1.5, Unseen.NO_FACE).place_after(place)),
        (place.at + 1.0, Observation(1.5, Unseen.NOT_LOOKED).place_after(place)),
    ):
        engine.asked.clear()
        observe(engine, Sample(desk(7.0), at, before))
        assert engine.asked[faces.DETECTOR] == 1


def test_a_restless_face_is_not_tried_at_all(engine: Counting) -> None:
    """What fails costs the mesh once more; so only a face that held still once is followed."""
    _, how = watched(engine, [desk(5.0 + number, 40 * (number % 2)) for number in range(6)])
    assert how == "DDDDDD"
    assert engine.asked[faces.MESH] <= 8


def test_a_wiped_place_holds_nothing_of_the_face_and_is_not_followed(engine: Counting) -> None:
    place = followed(engine)
    assert place.track is not None
    assert place.track.sketch.shape == (tracking.SIDE**2,)
    assert place.track.sketch.any()
    place.wipe()
    assert not place.track.sketch.any()
    engine.asked.clear()
    observe(engine, Sample(desk(7.0), 2.0, place))
    assert engine.asked[faces.DETECTOR] == 1


def test_a_face_that_comes_back_to_its_place_after_a_while_is_not_taken_for_one_that_held_still(
    engine: Counting,
) -> None:
    place = followed(engine)
    back = observe(engine, Sample(desk(7.0), place.at + 30.0, Observation(2.0, Unseen.NO_FACE).place_after(place)))
    assert back.unseen is None
    assert back.track is None
