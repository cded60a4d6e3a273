"""The model file: data only, checked, and refused where it does not fit."""

from __future__ import annotations

import io

import numpy as np
import pytest

from lessonroom.chat import classifier
from lessonroom.chat.classifier import ARRAYS, LinearClassifier, from_bytes, interpolate, to_bytes
from lessonroom.chat.features import BUCKETS, NAMES, Features, features, ngrams
from lessonroom.chat.rules import apply, read
from lessonroom.errors import EngineDown, ModelRefused


def arrays(**more: float) -> dict[str, np.ndarray]:
    out = {key: np.zeros(shape, np.float32) for key, shape in ARRAYS.items()}
    out["scale"][:] = 1
    out["knots"][:] = np.linspace(-5, 5, len(out["knots"]))
    out["levels"][:] = np.linspace(0, 1, len(out["levels"]))
    for key, value in more.items():
        out[key][:] = value
    return out


def evidence(text: str) -> Features:
    reading = read(text)
    return features(reading, apply(reading))


def test_a_model_comes_back_from_its_bytes() -> None:
    made = from_bytes(to_bytes(arrays(bias=2.5)), "7")
    assert made.version == "7"
    assert made.probability(evidence("hi")) == pytest.approx(0.75, abs=1e-3)


def test_a_file_with_objects_in_it_is_refused() -> None:
    """Arrays only: an object array could run code when it is read."""
    out = io.BytesIO()
    np.savez(out, names=np.array([{"a": 1}], dtype=object))
    with pytest.raises(ModelRefused):
        from_bytes(out.getvalue(), "1")


@pytest.mark.parametrize("data", [b"", b"PK", b"not a model at all"])
def test_nonsense_is_refused(data: bytes) -> None:
    with pytest.raises(ModelRefused):
        from_bytes(data, "1")


def test_a_model_for_other_features_is_refused() -> None:
    out = io.BytesIO()
    np.savez(out, allow_pickle=False, names=np.array(["other"]), **arrays())
    with pytest.raises(ModelRefused, match="train it again"):
        from_bytes(out.getvalue(), "1")


def test_a_model_that_answers_no_number_is_down() -> None:
    broken = LinearClassifier(arrays(bias=float("nan")), "1")
    with pytest.raises(EngineDown):
        broken.probability(evidence("hi"))


def test_the_shipped_model_loads_and_answers_between_0_and_1() -> None:
    model = classifier.load()
    for text in ("привет", "8 905 123 45 67", "@" * 50):
        assert 0 <= model.probability(evidence(text)) <= 1


def test_the_curve_is_flat_outside_and_straight_between() -> None:
    assert interpolate(-9, [0, 1], [0.2, 0.4]) == 0.2
    assert interpolate(9, [0, 1], [0.2, 0.4]) == 0.4
    assert interpolate(0.5, [0, 1], [0.2, 0.4]) == pytest.approx(0.3)


def test_features_have_their_names_shape_and_range() -> None:
    seen = evidence("мой скайп vasya_82, тел 89051234567")
    assert seen.dense.shape == (len(NAMES),)
    assert seen.dense.dtype == np.float32
    assert np.isfinite(seen.dense).all()
    assert ((seen.buckets >= 0) & (seen.buckets < BUCKETS)).all()


def test_ngrams_do_not_depend_on_the_digits() -> None:
    """Numbers are masked: the model must not learn the corpus's numbers by heart."""
    one, other = evidence("тел 89051234567"), evidence("тел 89167654321")
    assert set(one.buckets) == set(other.buckets)


def test_a_short_text_has_few_ngrams_and_none_is_an_error() -> None:
    assert len(ngrams("")) == 0
    assert len(ngrams("a")) == 0
    assert len(ngrams("ab")) == 1
