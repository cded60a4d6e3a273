"""Make the clip that the simulated student plays: a public-domain portrait that moves, blinks and worries.

The portrait is NASA's photograph of Eileen Collins (public domain), which scikit-image ships as ``astronaut.png``. It
smiles; its mouth is closed and its face moved by displacing the points of the face mesh and drawing the picture's
triangles where they went. Made once, in an environment that has scikit-image::

    python tools/make_clip.py .../skimage/data/astronaut.png lessonroom/simulate/student.webm

The clip is calm for 35 s, strained for 40 s (brows drawn together, lids narrowed, lips pressed, eyes often down) and
calm again for 15 s. ``--sheet FILE.png`` writes a few frames side by side to look at.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from lessonroom.media import faces
from lessonroom.media.onnx_engine import OnnxEngine
from lessonroom.media.types import Unseen

Points = NDArray[np.float64]
Picture = NDArray[np.uint8]

WIDTH, HEIGHT, RATE = 480, 360, 12
CROP = (60, 12, 320)
"""Left, top and width of the part of the portrait that the camera sees, in its pixels."""
CALM_UNTIL, STRAINED_UNTIL, END, EASE = 35.0, 75.0, 90.0, 2.5
GLANCES = ((8.2, 9.1), (15.0, 16.2), (22.4, 23.0), (29.3, 30.5), (39.0, 40.4), (44.6, 46.2), (52.2, 53.8))
GLANCES += ((59.4, 60.4), (63.8, 65.0), (69.4, 71.2), (80.1, 81.0), (86.0, 86.8))
"""When the eyes go down to the page, in seconds."""
RELAXED = ((47.2, 48.6), (55.8, 56.8), (61.2, 62.6), (72.4, 73.2))
"""When the brows let go for a moment, within the strained stretch."""
KILOBITS = 220
LIP_TINT = (-6.0, -1.0, 3.0)
"""Added to the lips' colour in 8-bit Lab: darker and less pink."""
BROW_DEPTH = 0.5
SHADOW = 0.35
"""How much darker brows and the skin under drawn ones are made, as shares."""

UPPER_LIP = (191, 80, 81, 82, 13, 312, 311, 310, 415)
LOWER_LIP = (95, 88, 178, 87, 14, 317, 402, 318, 324)
LIP_CORNERS = (78, 308)
UPPER_LIDS = (246, 161, 160, 159, 158, 157, 173, 466, 388, 387, 386, 385, 384, 398)
LOWER_LIDS = (7, 163, 144, 145, 153, 154, 155, 249, 390, 373, 374, 380, 381, 382)
OVAL = (10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152)
OVAL += (148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109)
EYES = (33, 263)
LIPS = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146)

LASHES = (247, 30, 29, 27, 28, 56, 190, 467, 260, 259, 257, 258, 286, 414)
"""Points just above those of UPPER_LIDS, in the same order; the lashes lie between the two rows."""
LIDS_ABOVE = (113, 225, 224, 223, 222, 221, 189, 342, 445, 444, 443, 442, 441, 413)
"""The skin between lashes and brows, in the same order."""
BROWS = ((70, 63, 105, 66, 107, 55, 65, 52, 53, 46), (336, 296, 334, 293, 300, 276, 283, 282, 295, 285))

Pull = tuple[int, float, float, float]
"""A point of the mesh, how far it goes right and down, and how far around it the skin follows, in eye distances."""
CLOSE_MOUTH: tuple[Pull, ...] = (
    (61, 0.070, 0.112, 0.12),
    (291, -0.070, 0.112, 0.12),
    (17, 0.0, -0.040, 0.10),
    (0, 0.0, 0.018, 0.08),
    (50, 0.0, 0.045, 0.16),
    (280, 0.0, 0.045, 0.16),
)
WORRY: tuple[Pull, ...] = (
    (55, 0.035, -0.040, 0.10),
    (285, -0.035, -0.034, 0.10),
    (52, 0.0, 0.030, 0.10),
    (282, 0.0, 0.025, 0.10),
    (53, 0.0, 0.040, 0.10),
    (283, 0.0, 0.034, 0.10),
)
"""Brows drawn together, their inner ends a little up, the left one a little more: no face is even."""
PRESS: tuple[Pull, ...] = (
    (61, -0.006, 0.034, 0.10),
    (291, 0.010, 0.026, 0.10),
    (0, 0.0, 0.022, 0.09),
    (17, 0.0, -0.040, 0.10),
    (199, 0.0, -0.022, 0.14),
)
"""Lips pressed, corners a little down, chin a little up."""


@dataclass(frozen=True)
class Pose:
    """What the face does at one moment: shares 0 to 1, angles in degrees, shifts in pixels of the clip.

    ``gaze``: how far the eyes look to the right and down.
    """

    brows: float = 0.0
    mouth: float = 0.0
    lids: float = 0.0
    squint: float = 0.0
    gaze: tuple[float, float] = (0.0, 0.0)
    roll: float = 0.0
    yaw: float = 0.0
    pitch: float = 0.0
    right: float = 0.0
    down: float = 0.0
    nearer: float = 0.0


class Portrait:
    """The portrait with a closed mouth, and the mesh on it."""

    def __init__(self, path: Path) -> None:
        portrait = cv2.imread(str(path))
        left, top, width = CROP
        height = width * HEIGHT // WIDTH
        part = portrait[top : top + height, left : left + width]
        self.picture: Picture = cv2.resize(part, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
        face = faces.look(OnnxEngine((faces.DETECTOR, faces.MESH)), self.picture)
        if isinstance(face, Unseen):
            raise SystemExit(f"expected a face in {path.name}, got {face}")
        self.points = face.landmarks.astype(np.float64)
        self.unit = float(np.linalg.norm(self.points[EYES[1], :2] - self.points[EYES[0], :2]))
        self.anchors = self._anchors()
        self.source = np.vstack([self.points[:, :2], self.anchors])
        self.triangles = _triangles(self.source)
        self.picture = self._without_teeth()
        self.picture = self._without_folds()
        self.picture = self._without_shine()
        self.picture = self._with_brows()
        self.lidded = self._without_eyes()
        self.calm = self.pulled(self.points[:, :2], CLOSE_MOUTH)

    def pulled(self, points: Points, pulls: tuple[Pull, ...], share: float = 1.0) -> Points:
        """The points after each pull moved the skin around it."""
        moved = points.copy()
        for index, right, down, reach in pulls:
            distance = np.linalg.norm(self.points[:, :2] - self.points[index, :2], axis=1) / self.unit
            moved += share * self.unit * np.exp(-0.5 * (distance / reach) ** 2)[:, None] * np.array([right, down])
        return moved

    def _anchors(self) -> Points:
        """Points around the face that stay, so that hair and background do not follow the mouth."""
        oval = self.points[list(OVAL), :2]
        rings = [oval.mean(axis=0) + (oval - oval.mean(axis=0)) * scale for scale in (1.15, 1.5)]
        x, y = np.meshgrid([0, WIDTH / 2, WIDTH - 1], [0, HEIGHT / 2, HEIGHT - 1])
        frame = np.column_stack([x.ravel(), y.ravel()])
        outside = np.linalg.norm(frame - oval.mean(axis=0), axis=1) > 1.6 * self.unit
        inside = [ring[(ring[:, 0] > 0) & (ring[:, 1] > 0) & (ring[:, 1] < HEIGHT - 1)] for ring in rings]
        return np.vstack([*inside, frame[outside]])

    def _without_teeth(self) -> Picture:
        """Paint over what is between the lips: a closed mouth has to hide it."""
        mask = np.zeros(self.picture.shape[:2], np.uint8)
        contour = [LIP_CORNERS[0], *UPPER_LIP, LIP_CORNERS[1], *reversed(LOWER_LIP)]
        cv2.fillPoly(mask, [np.round(self.points[contour, :2]).astype(np.int32)], 255)
        mask = cv2.dilate(mask, np.ones((5, 3), np.uint8))
        return np.asarray(cv2.inpaint(self.picture, mask, 5, cv2.INPAINT_TELEA), np.uint8)

    def _without_folds(self) -> Picture:
        """Soften the folds that a smile draws from nose to mouth."""
        mask = np.zeros(self.picture.shape[:2], np.float32)
        for side in ((129, 203, 206, 216, 212), (358, 423, 426, 436, 432), (61, 57, 43), (291, 287, 273)):
            line = np.round(self.points[list(side), :2]).astype(np.int32)
            cv2.polylines(mask, [line], isClosed=False, color=1.0, thickness=max(3, round(0.12 * self.unit)))
        mask = cv2.GaussianBlur(mask, (0, 0), 0.035 * self.unit)[..., None]
        soft = cv2.GaussianBlur(cv2.medianBlur(self.picture, 11), (0, 0), 0.045 * self.unit)
        return np.asarray(self.picture * (1 - 0.8 * mask) + soft * 0.8 * mask, np.uint8)

    def _without_shine(self) -> Picture:
        """Dim the highlights: a lamp on a laughing cheek still laughs when the mouth is shut."""
        face = np.zeros(self.picture.shape[:2], np.float32)
        cv2.fillPoly(face, [np.round(self.points[list(OVAL), :2]).astype(np.int32)], 1.0)
        for eye in (UPPER_LIDS[:7] + LOWER_LIDS[6::-1], UPPER_LIDS[7:] + LOWER_LIDS[:6:-1]):
            cv2.fillPoly(face, [cv2.convexHull(np.round(self.points[list(eye), :2]).astype(np.int32))], 0.0)
        face = cv2.GaussianBlur(face, (0, 0), 0.04 * self.unit)
        grey = cv2.GaussianBlur(cv2.cvtColor(self.picture, cv2.COLOR_BGR2GRAY).astype(np.float32), (0, 0), 1.0)
        usual = float(np.median(grey[face > 0.9]))
        gain = 1.0 - 0.65 * face * np.clip(grey - usual, 0, None) / np.maximum(grey, 1.0)
        return self._with_plain_lips(np.asarray(np.clip(self.picture * gain[..., None], 0, 255), np.uint8))

    def _with_plain_lips(self, picture: Picture) -> Picture:
        """Lips of one colour, without the gloss that looks like teeth in a small grey picture; the upper one darker."""
        mouth = np.zeros(picture.shape[:2], np.float32)
        cv2.fillPoly(mouth, [np.round(self.points[list(LIPS), :2]).astype(np.int32)], 1.0)
        colours = cv2.cvtColor(picture, cv2.COLOR_BGR2LAB).astype(np.float32)
        red = colours[..., 1] > np.median(colours[mouth > 0][:, 1])
        usual = np.median(colours[(mouth > 0) & red], axis=0)
        plain = np.broadcast_to(usual, colours.shape).copy()
        plain[..., 0] = np.minimum(colours[..., 0], usual[0])
        plain += LIP_TINT
        upper = np.zeros(picture.shape[:2], np.float32)
        line = [LIP_CORNERS[0], *UPPER_LIP, LIP_CORNERS[1], *LIPS[10:0:-1], LIPS[0]]
        cv2.fillPoly(upper, [np.round(self.points[line, :2]).astype(np.int32)], 1.0)
        plain[..., 0] *= 1 - 0.1 * cv2.GaussianBlur(upper, (0, 0), 0.02 * self.unit)
        soft = 0.8 * cv2.GaussianBlur(mouth, (0, 0), 0.022 * self.unit)[..., None]
        mixed = colours * (1 - soft) + plain * soft
        return np.asarray(cv2.cvtColor(np.clip(mixed, 0, 255).astype(np.uint8), cv2.COLOR_LAB2BGR), np.uint8)

    def _with_brows(self) -> Picture:
        """Brows a little fuller and darker: a webcam of 320 pixels loses plucked ones."""
        mask = np.zeros(self.picture.shape[:2], np.float32)
        for brow in BROWS:
            cv2.fillPoly(mask, [np.round(self.points[list(brow), :2]).astype(np.int32)], 1.0)
        mask = cv2.GaussianBlur(cv2.dilate(mask, np.ones((5, 3), np.uint8)), (0, 0), 2.0)[..., None]
        full = cv2.GaussianBlur(cv2.erode(self.picture, np.ones((3, 3), np.uint8)), (0, 0), 0.8).astype(np.float32)
        skin = cv2.GaussianBlur(cv2.dilate(self.picture, np.ones((9, 9), np.uint8)), (0, 0), 4.0).astype(np.float32)
        darker = full - BROW_DEPTH * np.clip(skin - full - 12, 0, None)
        return np.asarray(np.clip(self.picture * (1 - mask) + darker * mask, 0, 255), np.uint8)

    def _without_eyes(self) -> Picture:
        """The colour of the lashes where the eyes are: what is left between lids that close is their shadow."""
        mask = np.zeros(self.picture.shape[:2], np.float32)
        lashes = np.zeros(self.picture.shape[:2], np.uint8)
        for part in (slice(0, 7), slice(7, 14)):
            eye = self.points[[*UPPER_LIDS[part], *reversed(LOWER_LIDS[part])], :2]
            cv2.fillPoly(mask, [np.round(eye).astype(np.int32)], 1.0)
            edge = self.points[[*UPPER_LIDS[part], *reversed(LASHES[part])], :2]
            cv2.fillPoly(lashes, [np.round(edge).astype(np.int32)], 1)
        dark = np.percentile(self.picture[lashes > 0], 30, axis=0)
        soft = cv2.GaussianBlur(cv2.dilate(mask, np.ones((3, 3), np.uint8)), (0, 0), 0.5)[..., None]
        return np.asarray(self.picture * (1 - soft) + dark * soft, np.uint8)


def draw(portrait: Portrait, pose: Pose) -> Picture:
    """One frame without noise."""
    points = portrait.pulled(portrait.calm, WORRY, pose.brows)
    points = portrait.pulled(points, PRESS, pose.mouth)
    yaw, pitch = np.sin(np.radians((pose.yaw, pose.pitch)))
    points = _lips(points + portrait.points[:, 2:] * (-yaw, -pitch))
    open_eyes = _warped(portrait, portrait.picture, points)
    points = _lids(points, pose.lids, pose.squint)
    picture = _with_eyes(_warped(portrait, portrait.lidded, points), open_eyes, points, pose)
    picture = _lines(picture, points, portrait.unit, pose)
    middle = points.mean(axis=0)
    matrix = cv2.getRotationMatrix2D((float(middle[0]), HEIGHT * 0.95), pose.roll, 1.0 + pose.nearer)
    matrix[:, 2] += (pose.right, pose.down)
    return np.asarray(
        cv2.warpAffine(picture, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE),
        np.uint8,
    )


def _lids(points: Points, share: float, squint: float) -> Points:
    """Bring the lids together: the lashes go with the upper lid, and the skin above follows in part."""
    moved = points.copy()
    upper, lower = list(UPPER_LIDS), list(LOWER_LIDS)
    opening = points[lower] - points[upper]
    moved[lower] -= (0.08 * share + squint * (1 - share)) * opening
    way = max(0.92 * share, 0.5 * squint) * opening
    moved[upper] += way
    moved[list(LASHES)] += 0.95 * way
    moved[list(LIDS_ABOVE)] += 0.3 * way
    return moved


def _with_eyes(lids: Picture, open_eyes: Picture, points: Points, pose: Pose) -> Picture:
    """What the lids leave open, filled with the turned eyes of ``open_eyes``: lids cover eyes, they do not squeeze."""
    mask = np.zeros(lids.shape[:2], np.float32)
    for upper, lower in ((UPPER_LIDS[:7], LOWER_LIDS[:7]), (UPPER_LIDS[7:], LOWER_LIDS[7:])):
        eye = np.round(points[[*upper, *reversed(lower)]] * 16).astype(np.int32)
        cv2.fillPoly(mask, [eye], 1.0, lineType=cv2.LINE_AA, shift=4)
    mask = cv2.GaussianBlur(mask, (0, 0), 0.6)[..., None] * min(1.0, (1.0 - pose.lids) / 0.3)
    turn = np.array([[1.0, 0.0, pose.gaze[0]], [0.0, 1.0, pose.gaze[1]]])
    looking = cv2.warpAffine(open_eyes, turn, (WIDTH, HEIGHT))
    return np.asarray(lids * (1 - mask) + looking * mask, np.uint8)


def _lips(points: Points) -> Points:
    """Bring the lips together."""
    moved = points.copy()
    for up, low in zip(UPPER_LIP, LOWER_LIP, strict=True):
        moved[up] = moved[low] = 0.5 * (points[up] + points[low])
    return moved


def _lines(picture: Picture, points: Points, unit: float, pose: Pose) -> Picture:
    """What warping cannot make: the dark line between closed lips, and the shadows of lowered brows."""
    shade = np.zeros(picture.shape[:2], np.float32)
    lips = points[[LIP_CORNERS[0], *UPPER_LIP, LIP_CORNERS[1]]]
    _stroke(shade, lips, 0.42, max(1, round(0.018 * unit)))
    shade = cv2.GaussianBlur(shade, (0, 0), 0.010 * unit)
    shade = shade + _shadows(points, unit, pose, shade.shape)
    return np.asarray(picture * (1 - np.minimum(shade, 0.8)[..., None] * (1.0, 0.78, 0.6)), np.uint8)


def _shadows(points: Points, unit: float, pose: Pose, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Soft: between and under the brows, below the lower lip and at the corners of the mouth."""
    crease, soft = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    for inner, sign, depth in ((55, 1, 0.24), (285, -1, 0.15)):
        top = points[inner] + np.array([sign * 0.035, -0.075]) * unit
        way = np.array([[0, 0], [sign * 0.012, 0.05], [sign * 0.008, 0.10]]) * unit
        _stroke(crease, top + way, depth * pose.brows, round(0.018 * unit))
    for line in ((55, 221, 222), (285, 441, 442)):
        _stroke(soft, points[list(line)], SHADOW * pose.brows, round(0.07 * unit))
    _stroke(soft, points[[83, 18, 313]] + (0, 0.02 * unit), 0.3 * pose.mouth, round(0.04 * unit))
    for corner, sign in ((61, -1), (291, 1)):
        fold = points[corner] + np.array([[sign * 0.005, 0.0], [sign * 0.03, 0.04]]) * unit
        _stroke(soft, fold, 0.25 * pose.mouth, round(0.03 * unit))
    crease = cv2.GaussianBlur(crease, (0, 0), 0.018 * unit)
    return np.asarray(crease + cv2.GaussianBlur(soft, (0, 0), 0.035 * unit), np.float32)


def _stroke(shade: NDArray[np.float32], line: Points, strength: float, width: int) -> None:
    fixed = np.round(line * 16).astype(np.int32)
    cv2.polylines(
        shade, [fixed], isClosed=False, color=strength, thickness=max(1, width), lineType=cv2.LINE_AA, shift=4
    )


def _triangles(points: Points) -> NDArray[np.int64]:
    """Delaunay triangles (T, 3) as numbers of points."""
    plane = cv2.Subdiv2D((-5, -5, WIDTH + 10, HEIGHT + 10))
    for x, y in points:
        plane.insert((float(x), float(y)))
    found = []
    for corners in plane.getTriangleList().reshape(-1, 3, 2):
        distance = np.linalg.norm(points[None] - corners[:, None], axis=2)
        if (distance.min(axis=1) < 0.1).all():
            found.append(distance.argmin(axis=1))
    return np.array(found)


def _warped(portrait: Portrait, picture: Picture, points: Points) -> Picture:
    """Draw every triangle of the portrait's picture where its corners went."""
    target = np.vstack([points, portrait.anchors])[portrait.triangles]
    number = np.zeros((HEIGHT, WIDTH), np.int32)
    sides = target[:, 1:] - target[:, :1]
    flat = np.abs(sides[:, 0, 0] * sides[:, 1, 1] - sides[:, 0, 1] * sides[:, 1, 0]) < 1.0
    for index, corners in enumerate(np.round(target * 16).astype(np.int32), start=1):
        if not flat[index - 1]:  # closed lids and lips leave slivers, which would show as specks
            cv2.fillConvexPoly(number, corners, index, shift=4)
    maps = _places(target, portrait.source[portrait.triangles]).astype(np.float32)
    x, y = np.meshgrid(np.arange(WIDTH, dtype=np.float32), np.arange(HEIGHT, dtype=np.float32))
    place = x[..., None] * maps[:, 0][number] + y[..., None] * maps[:, 1][number] + maps[:, 2][number]
    smooth = cv2.GaussianBlur(place, (0, 0), 0.8)
    return np.asarray(cv2.remap(picture, smooth[..., 0], smooth[..., 1], cv2.INTER_LINEAR), np.uint8)


def _places(target: NDArray[np.float64], source: NDArray[np.float64]) -> NDArray[np.float64]:
    """(T + 1, 3, 2): for each triangle the map from the clip's pixels to the portrait's; the first changes nothing."""
    maps = np.tile(np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]), (len(target) + 1, 1, 1))
    corners = np.concatenate([target, np.ones((*target.shape[:2], 1))], axis=2)
    firm = np.abs(np.linalg.det(corners)) > 1e-2
    maps[1:][firm] = np.linalg.solve(corners[firm], source[firm])
    return maps


def poses(rng: np.random.Generator) -> Iterator[Pose]:
    """The face's life, frame by frame."""
    blinks = np.cumsum(rng.uniform(2.2, 5.5, 60))
    names = ("roll", "yaw", "pitch", "right", "down", "nearer", "lids", "brows", "mouth")
    drift = {name: _drift(rng) for name in names}
    for index in range(int(END * RATE)):
        now = index / RATE
        worry = _eased(now) * (1.0 - 0.45 * _bump(now, RELAXED))
        blink = float(np.exp(-0.5 * ((now - blinks) / 0.075) ** 2).max())
        glance = _bump(now, GLANCES)
        lids = max(blink, 0.05 + 0.03 * drift["lids"](now) + 0.28 * worry + 0.25 * glance)
        yield Pose(
            brows=worry * (1.08 + 0.1 * drift["brows"](now)),
            mouth=worry * (1.0 + 0.2 * drift["mouth"](now)),
            lids=lids if blink < 0.85 else 1.0,
            squint=0.1 * worry,
            gaze=(1.2 * drift["yaw"](now) - 1.5 * glance, 1.5 * worry + 2.0 * glance),
            roll=1.6 * drift["roll"](now) - 1.5 * worry,
            yaw=2.5 * drift["yaw"](now),
            pitch=1.0 * drift["pitch"](now) + 1.5 * glance,
            right=4.0 * drift["right"](now),
            down=2.0 * drift["down"](now) + 4.0 * worry + 2.0 * glance,
            nearer=0.02 * drift["nearer"](now) + 0.02 * worry,
        )


def _eased(now: float) -> float:
    """0 while calm, 1 while strained, smooth between."""
    return _smooth(min(now - CALM_UNTIL, STRAINED_UNTIL - now) / EASE + 0.5)


def _bump(now: float, stretches: tuple[tuple[float, float], ...]) -> float:
    """1 within a stretch (first and last second), 0 outside, with 0.6 s between."""
    return max(_smooth(min(now - begin, end - now) / 0.6 + 0.5) for begin, end in stretches)


def _smooth(share: float) -> float:
    share = min(1.0, max(0.0, share))
    return share * share * (3 - 2 * share)


def _drift(rng: np.random.Generator) -> Callable[[float], float]:
    """A slow wander within about -1 to 1."""
    speeds, starts = rng.uniform(0.05, 0.35, 3), rng.uniform(0, 2 * np.pi, 3)
    return lambda now: float(np.sin(2 * np.pi * speeds * now + starts).mean() * 1.5)


def noisy(picture: Picture, now: float, rng: np.random.Generator) -> Picture:
    """A webcam's picture: a little dim and flickering, with grain."""
    light = 0.93 + 0.02 * np.sin(now * 0.7)
    grain = cv2.GaussianBlur(rng.normal(0, 3.0, picture.shape).astype(np.float32), (0, 0), 0.7)
    return np.clip(picture * light + grain, 0, 255).astype(np.uint8)


def frames(portrait: Portrait) -> Iterator[Picture]:
    """All frames of the clip."""
    rng = np.random.default_rng(7)
    for index, pose in enumerate(poses(np.random.default_rng(3))):
        yield noisy(draw(portrait, pose), index / RATE, rng)


def write(pictures: Iterator[Picture], path: Path) -> None:
    """Encode as VP8 in WebM."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libvpx", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.bit_rate, stream.time_base = KILOBITS * 1000, Fraction(1, RATE)
        stream.options = {"deadline": "good", "cpu-used": "4", "auto-alt-ref": "0"}
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "bgr24")))
        container.mux(stream.encode())


def main() -> None:
    """Make the clip, or a sheet of single frames."""
    parser = argparse.ArgumentParser(description="Make the simulated student's clip.")
    parser.add_argument("portrait", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--sheet", action="store_true", help="write a sheet of frames as PNG instead of a clip")
    options = parser.parse_args()
    portrait = Portrait(options.portrait)
    if options.sheet:
        cv2.imwrite(str(options.out), np.hstack([draw(portrait, pose) for pose in SHEET]))
    else:
        write(frames(portrait), options.out)


SHEET = (
    Pose(lids=0.05),
    Pose(brows=0.5, mouth=0.5, lids=0.2),
    Pose(brows=1.0, mouth=1.0, lids=0.3, squint=0.1, gaze=(0.0, 1.5)),
    Pose(lids=1.0),
    Pose(lids=0.05, yaw=6.0),
)

if __name__ == "__main__":
    main()
