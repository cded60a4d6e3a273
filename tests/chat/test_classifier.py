"""The model file: data only, checked, and refused where it does not fit."""

from __future__ import annotations

import io
import math
from contextlib import suppress
from functools import cache

import numpy as np
import pytest
from hypothesis import given

from lessonroom.chat import classifier
from lessonroom.chat.classifier import (
    ARRAYS,
    CLASSES,
    UNITS,
    NetworkClassifier,
    from_bytes,
    interpolate,
    log_odds,
    to_bytes,
    type_of,
)
from lessonroom.chat.features import DAMPING, GROUPS, NAMES, Features
from lessonroom.chat.fingerprint import fingerprint
from lessonroom.chat.policy import ChatPolicy
from lessonroom.chat.screen import evidence, look
from lessonroom.chat.types import Kind, Line
from lessonroom.errors import EngineDown, ModelRefused
from tests.chat.evidence import conversations, texts

POLICY = ChatPolicy()


def arrays(**more: float) -> dict[str, np.ndarray]:
    out = {key: np.zeros(shape, type_of(key)) for key, shape in ARRAYS.items()}
    out["scale"][:] = out["step"][:] = 1
    out["knots"][:] = np.linspace(-5, 5, len(out["knots"]))
    out["levels"][:] = np.linspace(0, 1, len(out["levels"]))
    for key, value in more.items():
        out[key][:] = value
    return out


def saying(name: str, margin: float) -> np.ndarray:
    """A bias with which the log odds of all contacts come out as ``margin``, almost all of it for one class."""
    bias = np.full(len(CLASSES), -20.0, np.float32)
    bias[CLASSES.index(name)], bias[CLASSES.index("harmless other")] = margin, 0.0
    return bias


def seen(text: str) -> Features:
    return evidence(look(text, POLICY, "a", (Line("b", "какой твой номер?"), Line("a", "мой такой"))))


SAID = {"names": np.array(NAMES), "classes": np.array(CLASSES), "meaning": fingerprint()}


def saved(**parts: object) -> bytes:
    out = io.BytesIO()
    np.savez(out, allow_pickle=False, **{**SAID, **arrays(), **parts})
    return out.getvalue()


def test_a_model_comes_back_from_its_bytes() -> None:
    made = from_bytes(to_bytes(arrays() | {"bias": saying("meeting", 2.5)}), "7")
    assert made.version == "7"
    assert made.opinion(seen("hi")) == (pytest.approx(0.75, abs=1e-3), Kind.MEETING)


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


def test_a_file_as_it_should_be_is_taken() -> None:
    assert from_bytes(saved(), "1").version == "1"


@pytest.mark.parametrize("names", [NAMES[:-1], NAMES[::-1], ("other",)])
def test_a_model_for_other_features_is_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(ModelRefused, match="train it again"):
        from_bytes(saved(names=np.array(names)), "1")


@pytest.mark.parametrize("meaning", ["", "0123456789abcdef"])
def test_a_model_for_features_of_the_same_names_and_another_meaning_is_refused(meaning: str) -> None:
    """A rule that keeps its name and gives other scores: the weights would weigh something else."""
    with pytest.raises(ModelRefused, match="train it again"):
        from_bytes(saved(meaning=meaning), "1")


@pytest.mark.parametrize("classes", [CLASSES[:-1], CLASSES[::-1]])
def test_a_model_that_tells_other_classes_apart_is_refused(classes: tuple[str, ...]) -> None:
    """The same number of outputs in another order would tell wrong kinds, and nobody would notice."""
    with pytest.raises(ModelRefused, match="classes"):
        from_bytes(saved(classes=np.array(classes)), "1")


@pytest.mark.parametrize("key", [key for key in ARRAYS if key != "grams"])
def test_an_array_with_something_that_is_no_number_is_refused(key: str) -> None:
    """Not a number is never above a threshold: everything would be let through."""
    broken = arrays()[key]
    broken.flat[0] = np.nan
    with pytest.raises(ModelRefused, match=key):
        from_bytes(saved(**{key: broken}), "1")


def test_a_file_that_was_damaged_anywhere_is_refused_or_says_the_same() -> None:
    """Its sha256 would tell first; what is read without one must not fall over."""
    whole = bytearray(to_bytes(arrays(hidden=0.5)))
    for place in range(40, len(whole), max(len(whole) // 60, 1)):
        damaged = bytearray(whole)
        damaged[place] ^= 0xFF
        with suppress(ModelRefused):
            from_bytes(bytes(damaged), "1")


def test_a_model_that_does_not_say_what_its_features_meant_is_refused() -> None:
    out = io.BytesIO()
    np.savez(out, allow_pickle=False, names=np.array(NAMES), classes=np.array(CLASSES), **arrays())
    with pytest.raises(ModelRefused, match="got nothing"):
        from_bytes(out.getvalue(), "1")


@pytest.mark.parametrize("key", ARRAYS)
def test_an_array_that_is_missing_or_of_another_shape_is_refused(key: str) -> None:
    with pytest.raises(ModelRefused, match=key):
        from_bytes(saved(**{key: np.zeros(3, np.float32)}), "1")
    without = {name: value for name, value in arrays().items() if name != key}
    out = io.BytesIO()
    np.savez(
        out, allow_pickle=False, names=np.array(NAMES), classes=np.array(CLASSES), meaning=fingerprint(), **without
    )
    with pytest.raises(ModelRefused):
        from_bytes(out.getvalue(), "1")


def test_the_file_holds_nothing_that_anybody_wrote() -> None:
    """Numbers, and the names of features: nothing to read a message from."""
    with np.load(io.BytesIO(to_bytes(arrays())), allow_pickle=False) as file:
        assert set(file.files) == {*ARRAYS, "names", "classes", "meaning"}
        assert all(file[key].dtype == type_of(key) for key in ARRAYS)


def test_a_model_that_answers_no_number_is_down() -> None:
    broken = NetworkClassifier(arrays(hidden=float("nan")), "1")
    with pytest.raises(EngineDown):
        broken.opinion(seen("hi"))


@pytest.mark.parametrize("place", range(len(GROUPS)))
def test_each_group_of_grams_counts_by_its_scale_and_the_root_of_its_size(place: int) -> None:
    """Damped, so that a message of two words does not shout. Each unit gets the same, and the mean is told."""
    found = seen("8 905 123")
    scales = np.zeros(len(GROUPS), np.float32)
    scales[place] = 3.0
    model = NetworkClassifier(arrays(grams=2, step=0.25, output=1 / UNITS) | {"gram_scale": scales}, "1")
    size = len(found.grams[place])
    assert size > 0 or GROUPS[place] == "topic"
    assert model.logits(found) == pytest.approx(3.0 * 2 * 0.25 * size / math.sqrt(size + DAMPING[place]), rel=1e-5)


def test_the_dense_part_counts_from_its_mean_in_its_scale() -> None:
    found = seen("мой тел 8 905 123 45 67")
    model = NetworkClassifier(arrays(dense=0.25, mean=0.5, scale=2.0, hidden=9.0, output=1 / UNITS, bias=1.0), "1")
    assert model.logits(found) == pytest.approx(10.0 + float(((found.dense - 0.5) / 2 * 0.25).sum()), rel=1e-4)


@pytest.mark.parametrize(("hidden", "told"), [(0.5, 1.0), (-0.5, 0.0)])
def test_a_hidden_unit_below_nothing_says_nothing(hidden: float, told: float) -> None:
    """What makes it more than a line."""
    model = NetworkClassifier(arrays(hidden=hidden, output=2 / UNITS), "1")
    assert model.logits(seen("hi")) == pytest.approx(told)


def test_a_message_after_others_leans_as_the_model_says() -> None:
    """The curve of these arrays is a straight line through a half: 0.1 for a margin of 1."""
    model, even = (NetworkClassifier(arrays(lean=lean), "1") for lean in (0.7, 0.0))
    alone = evidence(look("hi", POLICY))
    assert model.opinion(seen("hi")).probability - even.opinion(seen("hi")).probability == pytest.approx(0.07, abs=1e-3)
    assert model.opinion(alone) == even.opinion(alone)


def test_the_margin_is_the_log_odds_of_all_contacts_against_all_harmless_talk() -> None:
    logits = np.random.default_rng(2).normal(0, 3, (5, len(CLASSES))).astype(np.float32)
    powers = np.exp(logits.astype(float))
    kinds = len(Kind)
    expected = np.log(powers[:, :kinds].sum(1) / powers[:, kinds:].sum(1))
    assert log_odds(logits) == pytest.approx(expected, abs=1e-4)
    assert np.isfinite(log_odds(logits * 1000)).all()


@pytest.mark.parametrize("kind", Kind)
def test_the_kind_that_is_told_is_the_likeliest_of_all_kinds(kind: Kind) -> None:
    """Also where the message is most likely harmless."""
    bias = saying(kind, 2.0)
    bias[CLASSES.index("harmless maths")] = 9.0
    assert NetworkClassifier(arrays() | {"bias": bias}, "1").opinion(seen("hi")).kind is kind


@cache
def shipped() -> NetworkClassifier:
    return classifier.load()


@given(texts, conversations)
def test_the_shipped_model_answers_between_0_and_1_whatever_it_is_asked(text: str, context: tuple[Line, ...]) -> None:
    assert 0 < shipped().opinion(evidence(look(text, POLICY, "a", context))).probability < 1


def test_the_curve_is_flat_outside_and_straight_between() -> None:
    assert interpolate(-9, [0, 1], [0.2, 0.4]) == 0.2
    assert interpolate(9, [0, 1], [0.2, 0.4]) == 0.4
    assert interpolate(0.5, [0, 1], [0.2, 0.4]) == pytest.approx(0.3)


# --- what features meant ---------------------------------------------------------------------------------------------


def test_the_meaning_is_one_word_and_stays_what_it_is() -> None:
    first = fingerprint()
    fingerprint.cache_clear()
    assert fingerprint() == first
    assert len(first) == 16
    int(first, 16)


def test_a_rule_that_scores_otherwise_is_another_meaning(monkeypatch: pytest.MonkeyPatch) -> None:
    from lessonroom.chat.rules import phone

    first = fingerprint()
    monkeypatch.setitem(phone._BASE, 4, 0.0)
    fingerprint.cache_clear()
    changed = fingerprint()
    fingerprint.cache_clear()
    assert changed != first


def test_a_symbol_of_another_name_is_another_meaning(monkeypatch: pytest.MonkeyPatch) -> None:
    from lessonroom.chat import symbols

    first = fingerprint()
    monkeypatch.setattr(symbols, "_SURE", 2.0)
    fingerprint.cache_clear()
    changed = fingerprint()
    fingerprint.cache_clear()
    assert changed != first
