"""Looks that ask together answer as they would alone, in fewer inferences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lessonroom.errors import EngineDown
from lessonroom.media.asking import Ask, Asking, alone, together
from lessonroom.media.engine import Arrays
from lessonroom.media.observe import ORDER, observe, observe_all
from lessonroom.media.onnx_engine import OnnxEngine
from lessonroom.media.types import Observation, Sample, Unseen
from tests.media import pictures


class Doubling:
    """Answers twice what it is asked, and keeps what it was asked."""

    provider, reason = "CPU", ""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []

    def infer(self, model: str, inputs: Arrays) -> dict[str, NDArray[Any]]:
        if model == "down":
            raise EngineDown("expected an answer, got none")
        self.asked.append((model, len(inputs["x"])))
        return {"y": inputs["x"] * 2}

    def close(self) -> None:
        pass


def look(*steps: tuple[str, int]) -> Asking[list[float]]:
    """Asks each model with so many rows of its own number."""
    got: list[float] = []
    for number, (model, rows) in enumerate(steps):
        answer = yield Ask(model, {"x": np.full((rows, 2), 10.0 * number + rows)})
        assert answer["y"].shape == (rows, 2)
        got.append(float(answer["y"].mean()))
    return got


LOOKS = ([("a", 1), ("b", 1)], [("b", 2)], [("a", 3), ("a", 1), ("b", 1)], [])


def test_those_at_an_earlier_network_go_first_and_then_all_go_together() -> None:
    engine = Doubling()
    found = together(engine, [look(*steps) for steps in LOOKS], ("a", "b"))
    assert found == [alone(Doubling(), look(*steps)) for steps in LOOKS]
    assert engine.asked == [("a", 4), ("a", 1), ("b", 4)]


def test_an_engine_that_is_down_ends_all() -> None:
    with pytest.raises(EngineDown):
        together(Doubling(), [look(("a", 1)), look(("down", 1))], ("a", "down"))


@pytest.fixture(scope="module")
def engine() -> Iterator[OnnxEngine]:
    with OnnxEngine(ORDER) as opened:
        yield opened


def test_samples_of_several_lessons_are_seen_as_each_alone(engine: OnnxEngine) -> None:
    """One without a face, one too dark, one with two faces, one that is followed, two plain ones."""
    face = pictures.frame(5.0)
    still = observe(engine, Sample(face, 1.0, observe(engine, Sample(face, 0.0)).place)).place
    images = [np.zeros_like(face), (face * 0.12).astype(np.uint8), np.hstack([face, face]), face, pictures.frame(20.0)]
    samples = [Sample(image, 2.0) for image in images]
    samples.append(replace(samples[3], before=still))
    together_, each = observe_all(engine, samples), [observe(engine, sample) for sample in samples]
    kinds = [Unseen.NO_FACE, Unseen.TOO_DARK, Unseen.SEVERAL_FACES, None, None, None]
    assert [observation.unseen for observation in together_] == kinds
    for one, other in zip(together_, each, strict=True):
        assert_alike(one, other)


def assert_alike(one: Observation, other: Observation) -> None:
    assert one.unseen is other.unseen
    assert (one.face is None) == (other.face is None)
    if one.expression is not None and other.expression is not None:
        assert one.expression == pytest.approx(other.expression, abs=1e-3)
        assert one.shape == pytest.approx(other.shape, abs=1e-3)
        assert (one.track is None) == (other.track is None)
