"""One scale for features and scores: students' own means taken off, deviations made 1."""

from __future__ import annotations

import numpy as np
import pytest

from lessonroom.media.scoring import folds, scales


def test_a_signal_less_the_students_own_mean_is_one_column_of_the_change() -> None:
    """Frames of students need not lie together."""
    student, signal = np.array([2, 0, 2, 0, 5]), np.array([1.0, 10.0, 3.0, 30.0, 7.0])
    assert folds.against(signal, student) == pytest.approx([-1.0, -10.0, 1.0, 10.0, 0.0])
    both = scales.change(np.column_stack([signal, -signal]), student)
    assert both[:, 0] == pytest.approx(folds.against(signal, student))
    assert both[:, 1] == pytest.approx(-both[:, 0])


def test_a_score_is_brought_to_deviation_one_and_one_that_never_varies_is_left() -> None:
    assert scales.unit(np.array([0.0, 6.0])) == pytest.approx([0.0, 2.0])
    assert scales.unit(np.full(3, 4.0)) == pytest.approx([4.0] * 3)
