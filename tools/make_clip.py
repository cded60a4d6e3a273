"""Make the clip that the simulated student plays: a public-domain portrait that moves, blinks and frowns.

The portrait is NASA's photograph of Eileen Collins (public domain), which scikit-image ships as ``astronaut.png``. It
smiles; its mouth is closed and its face moved by displacing the points of the face mesh and drawing the picture's
triangles where they went. Made once, in an environment that has scikit-image::

    python tools/make_clip.py .../skimage/data/astronaut.png lessonroom/simulate/student.webm

The clip is calm for 35 s, strained for 40 s (brows down and together, lids narrowed, corners of the mouth down) and
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
KILOBITS = 220

UPPER_LIP = (191, 80, 81, 82, 13, 312, 311, 310, 415)
LOWER_LIP = (95, 88, 178, 87, 14, 317, 402, 318, 324)
LIP_CORNERS = (78, 308)
UPPER_LIDS = (246, 161, 160, 159, 158, 157, 173, 466, 388, 387, 386, 385, 384, 398)
LOWER_LIDS = (7, 163, 144, 145, 153, 154, 155, 249, 390, 373, 374, 380, 381, 382)
OVAL = (10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152)
OVAL += (148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109)
EYES = (33, 263)
LIPS = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146)

Pull = tuple[int, float, float, float]
"""A point of the mesh, how far it goes right and down, and how far around it the skin follows, in eye distances."""
CLOSE_MOUTH: tuple[Pull, ...] = (
    (61, 0.070, 0.110, 0.12),
    (291, -0.070, 0.110, 0.12),
    (17, 0.0, -0.030, 0.10),
    (0, 0.0, 0.010, 0.08),
    (50, 0.0, 0.035, 0.16),
    (280, 0.0, 0.035, 0.16),
)
FROWN: tuple[Pull, ...] = (
    (107, 0.055, 0.175, 0.09),
    (336, -0.055, 0.175, 0.09),
    (105, 0.02, 0.115, 0.085),
    (334, -0.02, 0.115, 0.085),
    (63, 0.01, 0.045, 0.07),
    (293, -0.01, 0.045, 0.07),
    (129, -0.02, -0.03, 0.06),
    (358, 0.02, -0.03, 0.06),
    (61, -0.015, 0.10, 0.10),
    (291, 0.015, 0.10, 0.10),
    (0, 0.0, -0.06, 0.075),
    (17, 0.0, -0.02, 0.08),
    (199, 0.0, -0.03, 0.12),
)


@dataclass(frozen=True)
class Pose:
    """What the face does at one moment: shares 0 to 1, angles in degrees, shifts in pixels of the clip."""

    frown: float
    lids: float
    roll: float
    yaw: float
    right: float
    down: float
    nearer: float


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
        """Lips of one colour, without the gloss that looks like teeth in a small grey picture."""
        mouth = np.zeros(picture.shape[:2], np.float32)
        cv2.fillPoly(mouth, [np.round(self.points[list(LIPS), :2]).astype(np.int32)], 1.0)
        soft = cv2.GaussianBlur(mouth, (0, 0), 0.02 * self.unit)[..., None]
        colours = cv2.cvtColor(picture, cv2.COLOR_BGR2LAB).astype(np.float32)
        red = colours[..., 1] > np.median(colours[mouth > 0][:, 1])
        usual = np.median(colours[(mouth > 0) & red], axis=0)
        plain = np.broadcast_to(usual, colours.shape).copy()
        plain[..., 0] = np.minimum(colours[..., 0], usual[0])
        mixed = colours * (1 - 0.85 * soft) + plain * 0.85 * soft
        return np.asarray(cv2.cvtColor(np.clip(mixed, 0, 255).astype(np.uint8), cv2.COLOR_LAB2BGR), np.uint8)


def draw(portrait: Portrait, pose: Pose) -> Picture:
    """One frame without noise."""
    points = portrait.pulled(portrait.calm, FROWN, pose.frown)
    points = _lids(points, pose.lids)
    points = _lips(points)
    points[:, 0] += portrait.points[:, 2] * -np.sin(np.radians(pose.yaw))
    picture = _warped(portrait, points)
    picture = _lines(_closed(picture, points, pose.lids), points, portrait.unit, pose)
    middle = points.mean(axis=0)
    matrix = cv2.getRotationMatrix2D((float(middle[0]), HEIGHT * 0.95), pose.roll, 1.0 + pose.nearer)
    matrix[:, 2] += (pose.right, pose.down)
    return np.asarray(
        cv2.warpAffine(picture, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT),
        np.uint8,
    )


def _lids(points: Points, share: float) -> Points:
    """Bring the upper lids down by a share of the eyes' opening."""
    moved = points.copy()
    upper, lower = list(UPPER_LIDS), list(LOWER_LIDS)
    moved[upper] += share * 0.95 * (points[lower] - points[upper])
    return moved


def _lips(points: Points) -> Points:
    """Bring the lips together."""
    moved = points.copy()
    for up, low in zip(UPPER_LIP, LOWER_LIP, strict=True):
        moved[up] = moved[low] = 0.5 * (points[up] + points[low])
    return moved


def _closed(picture: Picture, points: Points, share: float) -> Picture:
    """Skin and a line of lashes over eyes that are nearly shut, where warping would show smeared lashes."""
    strength = float(np.clip((share - 0.5) / 0.3, 0.0, 1.0))
    if strength == 0.0:
        return picture
    drawn = picture.astype(np.float32)
    for lower, lid in ((LOWER_LIDS[:7], 223), (LOWER_LIDS[7:], 443)):
        line = points[list(lower)]
        x, y = np.round(points[lid]).astype(int)
        skin = picture[y - 1 : y + 2, x - 1 : x + 2].reshape(-1, 3).mean(axis=0)
        mask, lashes = np.zeros(picture.shape[:2], np.float32), np.zeros(picture.shape[:2], np.float32)
        around = np.vstack([line, line[::-1] - (0, np.ptp(line[:, 0]) * 0.3)])
        cv2.fillPoly(mask, [np.round(around).astype(np.int32)], strength)
        _stroke(lashes, line, 0.45 * strength, 1)
        mask = cv2.GaussianBlur(mask, (0, 0), 1.6)[..., None]
        drawn = drawn * (1 - mask) + skin * 0.95 * mask
        drawn *= 1 - cv2.GaussianBlur(lashes, (0, 0), 0.8)[..., None]
    return np.asarray(drawn, np.uint8)


def _lines(picture: Picture, points: Points, unit: float, pose: Pose) -> Picture:
    """What warping cannot make: the dark line between closed lips, and the crease between lowered brows."""
    shade = np.zeros(picture.shape[:2], np.float32)
    lips = points[[LIP_CORNERS[0], *UPPER_LIP, LIP_CORNERS[1]]]
    _stroke(shade, lips, 0.45, max(1, round(0.018 * unit)))
    shade = cv2.GaussianBlur(shade, (0, 0), 0.009 * unit)
    if pose.frown > 0:
        shade = np.maximum(shade, _creases(points, unit, pose.frown, shade.shape))
    return np.asarray(picture * (1 - np.minimum(shade, 0.8)[..., None] * (0.95, 0.9, 0.7)), np.uint8)


def _creases(points: Points, unit: float, share: float, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Two upright creases between the brows, the shadow of the brows, and folds from the corners of the mouth."""
    shade = np.zeros(shape, np.float32)
    for inner, sign in ((107, 1), (336, -1)):
        top = points[inner] + np.array([sign * 0.055, -0.02]) * unit
        _stroke(shade, np.stack([top, top + np.array([sign * 0.012, 0.11]) * unit]), 0.55, round(0.024 * unit))
    for brow in ((70, 63, 105, 66, 107), (336, 296, 334, 293, 300)):
        _stroke(shade, points[list(brow)] + np.array([0, 0.025]) * unit, 0.5, round(0.045 * unit))
    for corner, sign in ((61, -1), (291, 1)):
        fold = points[corner] + np.array([[sign * 0.02, 0.0], [sign * 0.05, 0.09]]) * unit
        _stroke(shade, fold, 0.22, round(0.03 * unit))
    return np.asarray(cv2.GaussianBlur(shade, (0, 0), 0.02 * unit) * share, np.float32)


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


def _warped(portrait: Portrait, points: Points) -> Picture:
    """Draw every triangle of the portrait where its corners went."""
    target = np.vstack([points, portrait.anchors])[portrait.triangles]
    number = np.zeros((HEIGHT, WIDTH), np.int32)
    for index, corners in enumerate(np.round(target * 16).astype(np.int32), start=1):
        cv2.fillConvexPoly(number, corners, index, shift=4)
    maps = _places(target, portrait.source[portrait.triangles])[number]
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    place = np.einsum("hwi,hwij->hwj", np.stack([x, y, np.ones_like(x)], axis=-1), maps).astype(np.float32)
    smooth = cv2.GaussianBlur(place, (0, 0), 0.8)
    return np.asarray(cv2.remap(portrait.picture, smooth[..., 0], smooth[..., 1], cv2.INTER_LINEAR), np.uint8)


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
    drift = {name: _drift(rng) for name in ("roll", "yaw", "right", "down", "nearer", "lids", "frown")}
    for index in range(int(END * RATE)):
        now = index / RATE
        frown = _eased(now) * (1.09 + 0.03 * drift["frown"](now))
        blink = float(np.exp(-0.5 * ((now - blinks) / 0.075) ** 2).max())
        lids = 0.05 + 0.03 * drift["lids"](now) + 0.2 * frown
        yield Pose(
            frown,
            min(1.0, max(lids, blink)),
            1.6 * drift["roll"](now) - 1.5 * frown,
            2.5 * drift["yaw"](now),
            4.0 * drift["right"](now),
            2.5 * drift["down"](now) + 4.0 * frown,
            0.02 * drift["nearer"](now) + 0.02 * frown,
        )


def _eased(now: float) -> float:
    """0 while calm, 1 while strained, smooth between."""
    share = np.clip(min(now - CALM_UNTIL, STRAINED_UNTIL - now) / EASE + 0.5, 0.0, 1.0)
    return float(share * share * (3 - 2 * share))


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
        shown = [Pose(frown, lids, 0, yaw, 0, 0, 0) for frown, lids, yaw in SHEET]
        cv2.imwrite(str(options.out), np.hstack([draw(portrait, pose) for pose in shown]))
    else:
        write(frames(portrait), options.out)


SHEET = ((0.0, 0.05, 0.0), (0.5, 0.1, 0.0), (1.0, 0.2, 0.0), (0.0, 1.0, 0.0), (0.0, 0.05, 6.0))

if __name__ == "__main__":
    main()
