"""Scores on tables small enough to work out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from lessonroom.errors import BadInput
from lessonroom.media.scoring import evaluate


def sure(answers: list[int], confidence: float = 0.93) -> np.ndarray:
    """Probabilities that give each answer with one confidence."""
    table = np.full((len(answers), 8), (1 - confidence) / 7)
    table[np.arange(len(answers)), answers] = confidence
    return table


TRUTH = np.array([0, 0, 0, 0, 1, 1, 3, 7])
ANSWERS = [0, 0, 0, 1, 1, 1, 0, 0]


def test_accuracy_is_the_share_of_right_answers() -> None:
    assert evaluate.accuracy(TRUTH, sure(ANSWERS)) == pytest.approx(5 / 8)


def test_balanced_accuracy_is_the_mean_recall_of_classes_that_occur() -> None:
    assert evaluate.balanced_accuracy(TRUTH, sure(ANSWERS)) == pytest.approx((3 / 4 + 1 + 0 + 0) / 4)
    assert evaluate.balanced_accuracy(TRUTH, sure(ANSWERS), without=("contempt",)) == pytest.approx((0.75 + 1 + 0) / 3)


def test_confusion_has_the_truth_in_rows() -> None:
    matrix = evaluate.confusion(TRUTH, sure(ANSWERS))
    assert matrix[0, 1] == 1
    assert matrix[7, 0] == 1
    assert matrix.sum() == len(TRUTH)


def test_macro_f1_counts_a_class_that_is_never_answered_as_zero() -> None:
    neutral, happiness = 2 * 3 / (4 + 5), 2 * 2 / (2 + 3)
    assert evaluate.macro_f1_of(evaluate.confusion(TRUTH, sure(ANSWERS))) == pytest.approx((neutral + happiness) / 4)


def test_calibration_error_is_the_gap_between_confidence_and_truth() -> None:
    assert evaluate.calibration_error(TRUTH, sure(ANSWERS)) == pytest.approx(0.93 - 5 / 8, abs=1e-9)
    assert evaluate.calibration_error(TRUTH, sure(list(TRUTH), 0.999)) == pytest.approx(0.001, abs=1e-9)


def test_the_temperature_cools_boasting_and_warms_modesty() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 8, 4000)
    honest = rng.normal(0, 1, (4000, 8))
    honest[np.arange(4000), truth] += 1.0
    fitted = evaluate.fit_temperature(truth, honest)
    assert evaluate.fit_temperature(truth, honest * 2) == pytest.approx(fitted * 2, rel=0.05)
    assert evaluate.fit_temperature(truth, honest / 2) == pytest.approx(fitted / 2, rel=0.05)


def test_the_interval_holds_the_score_and_narrows_with_more_faces() -> None:
    matrix = evaluate.confusion(TRUTH, sure(ANSWERS))
    few = evaluate.interval(evaluate.accuracy_of, matrix, draws=300)
    many = evaluate.interval(evaluate.accuracy_of, matrix * 50, draws=300)
    assert few[0] <= 5 / 8 <= few[1]
    assert few[1] - few[0] > 3 * (many[1] - many[0])


def test_drawing_cells_of_the_confusion_is_drawing_faces() -> None:
    """The interval comes from the matrix alone; it must be that of the bootstrap over faces, which costs far more."""
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 8, 600)
    answers = np.where(rng.random(600) < 0.7, truth, rng.integers(0, 8, 600))
    table = sure(list(answers))
    faces = [rng.integers(0, 600, 600) for _ in range(1500)]
    scores = [evaluate.macro_f1_of(evaluate.confusion(truth[drawn], table[drawn])) for drawn in faces]
    expected = np.percentile(scores, [2.5, 97.5])
    found = evaluate.interval(evaluate.macro_f1_of, evaluate.confusion(truth, table), draws=1500)
    assert found == pytest.approx(tuple(expected), abs=0.006)


def test_a_face_without_an_answer_counts_as_wrong_for_its_class() -> None:
    matrix = evaluate.with_unanswered(evaluate.confusion(TRUTH, sure(ANSWERS)), np.array([0, 1]))
    assert evaluate.accuracy_of(matrix) == pytest.approx(5 / 10)
    assert evaluate.balanced_accuracy_of(matrix) == pytest.approx((3 / 5 + 2 / 3 + 0 + 0) / 4)
    neutral, happiness = 2 * 3 / (5 + 5), 2 * 2 / (3 + 3)
    assert evaluate.macro_f1_of(matrix) == pytest.approx((neutral + happiness) / 4)


def test_a_score_that_faces_do_not_have_is_null_and_not_a_number() -> None:
    """Only contempt: there is nothing to average over the other seven."""
    found = evaluate.summary(np.array([7, 7]), sure([7, 0]))
    assert found["accuracy"] == 0.5
    assert found["balanced_accuracy_7"] is None
    assert found["intervals_95"]["balanced_accuracy_7"] is None


def test_no_faces_are_refused_in_words() -> None:
    with pytest.raises(BadInput, match="at least one"):
        evaluate.summary(np.zeros(0, np.int64), np.zeros((0, 8)))


def test_rare_classes_get_more_say_as_long_as_it_costs_hardly_any_accuracy() -> None:
    """900 calm faces read calmly, 100 sad ones read as a little calm: the prior alone decides, and may go."""
    truth = np.array([0] * 900 + [3] * 100)
    logits = np.zeros((1000, 8))
    logits[:900, 0], logits[900:, 0], logits[900:, 3] = 6.0, 1.0, 0.2
    frequency = np.log(np.array([0.9, 1e-4, 1e-4, 0.1, 1e-4, 1e-4, 1e-4, 1e-4]))
    frequency[[1, 2, 4, 5, 6, 7]] = 0.0
    share = evaluate.prior_share(truth, logits, frequency)
    assert evaluate.accuracy(truth, logits) == 0.9
    assert evaluate.accuracy(truth, logits - share * frequency) == 1.0
    noise = np.random.default_rng(0).normal(size=(1000, 8))
    noise[:, 0] += 3.0
    least = evaluate.accuracy(truth, noise) - evaluate.PRIOR_COST
    assert evaluate.accuracy(truth, noise - evaluate.prior_share(truth, noise, frequency) * frequency) >= least
