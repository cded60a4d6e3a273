"""Whose face counts, from sample to sample: the student's, and nobody else's while the student is hidden."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from lessonroom.media import faces
from lessonroom.media.expression import MODEL
from lessonroom.media.observe import MEMORY, observe
from lessonroom.media.onnx_engine import OnnxEngine
from lessonroom.media.strain import StrainRules
from lessonroom.media.types import Image, Observation, Place, Sample, Unseen
from tests.media import pictures

SMALL, HALF = 0.3, 0.6


@pytest.fixture(scope="module")
def engine() -> Iterator[OnnxEngine]:
    with OnnxEngine((faces.DETECTOR, faces.MESH, MODEL)) as opened:
        yield opened


def room(second: float, other: float = 0.0, left: int = 500, *, hidden: bool = False) -> Image:
    """The student at the desk, (360, 800), face 150 pixels wide; perhaps another face ``other`` times as large."""
    image = pictures.on_wall(pictures.frame(second), 800, 360)
    if hidden:  # behind a sheet of paper
        image[60:330, 140:330] = 215
    if other:
        person = pictures.scaled(pictures.frame(second + 20), other)
        top = 180 - person.shape[0] // 2
        image[top : top + person.shape[0], left : left + person.shape[1]] = person
    return image


def watched(engine: OnnxEngine, images: list[Image], spacing: float = 0.5) -> list[Observation]:
    """Sample by sample, each with what the one before left behind."""
    place: Place | None = None
    seen = []
    for number, image in enumerate(images):
        seen.append(observe(engine, Sample(image, number * spacing, place)))
        place = seen[-1].place or place
    return seen


def is_student(observation: Observation) -> bool:
    return observation.face is not None and observation.face.box.left < 300 and observation.face.box.width > 100


def test_somebody_small_who_walks_through_the_background_is_not_noticed(engine: OnnxEngine) -> None:
    seen = watched(engine, [room(5.0 + step / 2, SMALL, 480 + 30 * step) for step in range(6)])
    assert [observation.unseen for observation in seen] == [None] * 6
    assert all(is_student(observation) for observation in seen)


def test_somebody_near_the_student_stops_the_watch_and_only_while_there(engine: OnnxEngine) -> None:
    seen = watched(engine, [room(5.0), room(5.5, HALF), room(6.0, 1.0, 320), room(6.5)])
    several = Unseen.SEVERAL_FACES
    assert [observation.unseen for observation in seen] == [None, several, several, None]


def test_two_people_at_the_desk_are_never_guessed_between(engine: OnnxEngine) -> None:
    seen = watched(engine, [room(5.0 + step, 1.0, 320) for step in range(4)])
    assert {observation.unseen for observation in seen} == {Unseen.SEVERAL_FACES}


def test_a_poster_is_not_read_while_the_student_is_hidden(engine: OnnxEngine) -> None:
    """By itself the poster is the largest face there is; strain would take its smile or frown for the student's."""
    hidden = room(5.5, SMALL, hidden=True)
    assert observe(engine, Sample(hidden, 0.0)).unseen is None, "nothing is tested: the poster is no face"
    seen = watched(engine, [room(5.0, SMALL), hidden, hidden, room(6.5, SMALL)])
    assert [observation.unseen for observation in seen] == [None, Unseen.NO_FACE, Unseen.NO_FACE, None]
    assert is_student(seen[-1])


def test_a_student_who_comes_back_further_away_is_seen_again_in_the_end(engine: OnnxEngine) -> None:
    """Such a face is taken only when strain learns it anew anyway, as it may be another one."""
    away = room(5.5, SMALL, hidden=True)
    seen = watched(engine, [room(5.0), *[away] * 4], spacing=MEMORY / 3)
    assert [observation.unseen is None for observation in seen] == [True, False, False, True, True]
    assert StrainRules().relearn_after <= MEMORY


def test_a_face_that_cannot_be_read_still_keeps_the_place(engine: OnnxEngine) -> None:
    dark = (room(5.0) * 0.12).astype(np.uint8)
    assert observe(engine, Sample(dark, 3.0)).unseen is Unseen.TOO_DARK
    place = observe(engine, Sample(dark, 3.0)).place
    assert place is not None
    assert place.at == 3.0
    assert observe(engine, Sample(np.zeros_like(dark), 4.0)).place is None
