"""Head pose and mesh ratios on made-up heads whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from lessonroom.media import geometry


def head(yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0) -> np.ndarray:
    """A head whose named points have the proportions of a calm face, turned by degrees, 100 pixels from eye to eye."""
    points = np.zeros((468, 3))
    for eye, x in ((geometry.LEFT_EYE, -50), (geometry.RIGHT_EYE, 20)):
        points[eye[0]], points[eye[1]] = (x, 0, 0), (x + 30, 0, 0)
    for lids, x in ((geometry.LEFT_LIDS, -35), (geometry.RIGHT_LIDS, 35)):
        for top, bottom in lids:
            half = 30 * geometry.CALM["eye"] / 2
            points[top], points[bottom] = (x, -half, 0), (x, half, 0)
    brow, gap = 100 * geometry.CALM["brow"], 100 * geometry.CALM["brow_gap"]
    points[list(geometry.LEFT_BROW)] = [(x, -brow, 0) for x in np.linspace(-55, -gap / 2, 5)]
    points[list(geometry.RIGHT_BROW)] = [(x, -brow, 0) for x in np.linspace(gap / 2, 55, 5)]
    mouth = 100 * geometry.CALM["mouth"] / 2
    points[geometry.MOUTH[0]], points[geometry.MOUTH[1]] = (-mouth, 80, 0), (mouth, 80, 0)
    points[list(geometry.LIPS)] = (0, 80, 0)
    rest = np.radians(geometry.REST_PITCH)
    points[geometry.FOREHEAD] = (0, -70, 80 * np.sin(rest))
    points[geometry.CHIN] = (0, 70, -80 * np.sin(rest))
    points[[geometry.FOREHEAD, geometry.CHIN], 1] = (-80 * np.cos(rest), 80 * np.cos(rest))
    return (_rotation(yaw, pitch, roll) @ points.T).T + np.array([200, 150, 0])


def _rotation(yaw: float, pitch: float, roll: float) -> np.ndarray:
    a, b, c = np.radians([yaw, pitch, roll])
    about_y = np.array([[np.cos(a), 0, -np.sin(a)], [0, 1, 0], [np.sin(a), 0, np.cos(a)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(b), np.sin(b)], [0, -np.sin(b), np.cos(b)]])
    about_z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return about_z @ about_y @ about_x


@pytest.mark.parametrize(
    ("turn", "expected"),
    [
        ({}, (0, 0, 0)),
        ({"yaw": 30.0}, (30, 0, 0)),
        ({"yaw": -20.0}, (-20, 0, 0)),
        ({"pitch": 15.0}, (0, 15, 0)),
        ({"roll": 25.0}, (0, 0, 25)),
    ],
)
def test_a_turned_head_gives_the_angle_by_which_it_was_turned(
    turn: dict[str, float], expected: tuple[float, float, float]
) -> None:
    assert geometry.head_pose(head(**turn)) == pytest.approx(expected, abs=1.5)


def test_a_calm_face_has_ratios_of_one() -> None:
    assert geometry.ratios(head()) == pytest.approx(dict.fromkeys(geometry.ratios(head()), 1.0), abs=0.02)


@pytest.mark.parametrize("turn", [{"yaw": 30.0}, {"pitch": 20.0}, {"roll": -30.0}, {"yaw": 20.0, "roll": 15.0}])
def test_turning_the_head_does_not_change_the_expression(turn: dict[str, float]) -> None:
    """A ratio measured in the picture would call every turned head a frown."""
    assert geometry.ratios(head(**turn)) == pytest.approx(geometry.ratios(head()), abs=0.05)


def test_lowered_brows_closed_eyes_and_a_drooping_mouth_lower_their_own_ratios() -> None:
    calm = head()
    for part, points, down in (
        ("brow", [*geometry.LEFT_BROW, *geometry.RIGHT_BROW], 8),
        ("eye", [top for top, _ in (*geometry.LEFT_LIDS, *geometry.RIGHT_LIDS)], 5),
        ("mouth_corners", list(geometry.MOUTH), 6),
    ):
        moved = calm.copy()
        moved[points, 1] += down
        changed = {name for name, value in geometry.ratios(moved).items() if value < geometry.ratios(calm)[name] - 0.02}
        assert changed == {part}


def test_an_open_mouth_raises_its_ratio_above_one() -> None:
    opened = head()
    opened[geometry.LIPS[1], 1] += 20
    assert geometry.ratios(opened)["mouth_open"] == pytest.approx(1.2, abs=0.02)
