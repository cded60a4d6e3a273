"""What the 468 points of a face say: how the head is turned, and ratios of brow, eye and mouth. Pure.

Points are (468, 3) float32 in pixels, z smaller is nearer, numbered as in MediaPipe's canonical face. Left and right
in names are those of the picture.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float32]
Flat = list[list[float]]
"""Points as plain numbers: of single ones, Python's sums are quicker than an array's."""

LEFT_EYE = (33, 133)
RIGHT_EYE = (362, 263)
"""Corners of the eyes, from left to right in the picture."""
LEFT_LIDS = ((160, 144), (159, 145), (158, 153))
RIGHT_LIDS = ((385, 380), (386, 374), (387, 373))
LEFT_BROW = (70, 63, 105, 66, 107)
RIGHT_BROW = (336, 296, 334, 293, 300)
"""Upper edges of the brows, from left to right."""
MOUTH = (61, 291)
LIPS = (13, 14)
"""Middle of the inner edge of the upper and the lower lip."""
FOREHEAD, CHIN = 10, 152

CALM = {"brow": 0.241, "brow_gap": 0.332, "eye": 0.314, "mouth": 0.527}
"""Ratios of a calm face in units of the distance between the eyes' outer corners (``eye``: of one eye's width).

Medians of 965 neutral, frontal faces of the FER+ training part as the mesh sees them.
"""
REST_PITCH = -7.5
"""Degrees that the mesh gives to faces that look straight ahead: the forehead is flatter than its chin. Same faces."""


def head_pose(points: Points) -> tuple[float, float, float]:
    """Yaw, pitch and roll in degrees: positive is the subject's left, up, and clockwise in the picture."""
    across = points[RIGHT_EYE[1]] - points[LEFT_EYE[0]]
    upward = points[FOREHEAD] - points[CHIN]
    roll = np.arctan2(across[1], across[0])
    yaw = np.arctan2(across[2], np.hypot(across[0], across[1]))
    pitch = np.arctan2(upward[2], np.hypot(upward[0], upward[1]))
    return float(np.degrees(yaw)), float(np.degrees(pitch)) - REST_PITCH, float(np.degrees(roll))


def ratios(points: Points) -> dict[str, float]:
    """Named ratios without unit, about 1 for a calm face that looks into the camera.

    ``brow``: height of the brows over the eyes; ``brow_gap``: distance of the brows' inner ends; ``eye``: openness;
    ``mouth``: width; ``mouth_open``: 1 closed, larger open; ``mouth_corners``: above 1 up, below 1 down.
    """
    flat: Flat = frontal(points).tolist()
    unit = math.dist(flat[RIGHT_EYE[1]], flat[LEFT_EYE[0]]) or 1.0
    eyes = (_openness(flat, LEFT_EYE, LEFT_LIDS) + _openness(flat, RIGHT_EYE, RIGHT_LIDS)) / 2
    brow = (_height(flat, LEFT_BROW, LEFT_EYE) + _height(flat, RIGHT_BROW, RIGHT_EYE)) / 2 / unit
    gap = math.dist(flat[RIGHT_BROW[0]], flat[LEFT_BROW[-1]]) / unit
    width = math.dist(flat[MOUTH[1]], flat[MOUTH[0]]) / unit
    opened = math.dist(flat[LIPS[1]], flat[LIPS[0]]) / unit
    corners = (_level(flat, LIPS) - _level(flat, MOUTH)) / unit
    return {
        "brow": brow / CALM["brow"],
        "brow_gap": gap / CALM["brow_gap"],
        "eye": eyes / CALM["eye"],
        "mouth": width / CALM["mouth"],
        "mouth_open": 1.0 + opened,
        "mouth_corners": 1.0 + corners,
    }


def frontal(points: Points) -> Points:
    """The points turned as if the head looked into the camera, (468, 3), centred on the eyes, in pixels."""
    across = _unit(points[RIGHT_EYE[1]] - points[LEFT_EYE[0]])
    upward = points[FOREHEAD] - points[CHIN]
    down = _unit(-(upward - across * float(upward @ across)))
    (x, y, z), (u, v, w) = across.tolist(), down.tolist()
    away = (
        y * w - z * v,
        z * u - x * w,
        x * v - y * u,
    )  # np.cross takes ten times as long
    centre = points[[*LEFT_EYE, *RIGHT_EYE]].mean(axis=0)
    return np.asarray((points - centre) @ np.array([across, down, away], np.float32).T, np.float32)


def _unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(vector / (np.linalg.norm(vector) or 1.0), np.float32)


def _openness(flat: Flat, corners: tuple[int, int], lids: tuple[tuple[int, int], ...]) -> float:
    """Mean distance of the lids over the width of the eye (eye aspect ratio, Soukupová and Čech 2016)."""
    width = math.dist(flat[corners[1]], flat[corners[0]]) or 1.0
    return math.fsum(math.dist(flat[top], flat[bottom]) for top, bottom in lids) / len(lids) / width


def _height(flat: Flat, brow: tuple[int, ...], eye: tuple[int, int]) -> float:
    return _level(flat, eye) - _level(flat, brow)


def _level(flat: Flat, points: tuple[int, ...]) -> float:
    """Mean height of some points, downwards."""
    return math.fsum(flat[point][1] for point in points) / len(points)
