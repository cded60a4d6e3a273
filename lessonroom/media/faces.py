"""Find the student's face in a picture: BlazeFace finds boxes, the face mesh gives 468 points and the head's turn.

Bazarevsky et al. 2019, arXiv 1907.05047 (detector); Kartynnik et al. 2019, arXiv 1907.06724 (mesh). Pure but for the
engine that is handed in. Pictures are BGR uint8 (height, width, 3).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from lessonroom.errors import BadInput
from lessonroom.media.asking import Ask, Asking, alone
from lessonroom.media.engine import Engine
from lessonroom.media.geometry import head_pose
from lessonroom.media.types import Box, Face, Image, Unseen

Floats = NDArray[np.float32]

DETECTOR = "face_detector"
MESH = "face_mesh"
DETECTOR_SIDE = 128
MESH_SIDE = 192
SURE_SCORE = 0.5
"""From this score on, a box is taken for the student's face."""
LEAST_SCORE = 0.3
"""From this score on, a box may be somebody else's face: the mesh is asked whether it is one."""
OVERLAP = 0.3
"""Intersection over union from which two boxes are one face."""
RIVAL = 0.35
"""A second face of at least this share of the largest one's width may be the student as well: refuse to guess."""
SHRUNK = 0.5
"""A face of less than this share of the last one's width is not the same student's."""
CLOSE = 2.0
"""Where the mesh refuses a box, the detector looks again at a square so many times as large."""
LEAST_TILE = 120
"""Where the whole picture shows no face, halves and quarters of it are searched down to this side, in pixels."""
LEAST_PRESENCE = 0.0
"""Logit of the mesh below which its points are no face: something stands before it."""
MARGIN = 1.5
"""The mesh looks at the detector's box widened by this factor, as it was trained."""


@dataclass(frozen=True, slots=True)
class Found:
    """One box of the detector: ``eyes`` are (2, 2), x and y in pixels, the one on the left of the picture first."""

    box: Box
    score: float
    eyes: Floats


def look(engine: Engine, image: Image, near: Box | None = None) -> Face | Unseen:
    """The student's face with points and pose, or why there is none. Raises BadInput for a picture that is none.

    ``near``: where the face was a moment ago, as for :func:`choose`.
    """
    return alone(engine, looking(image, near))


def looking(image: Image, near: Box | None = None) -> Asking[Face | Unseen]:
    """As :func:`look`, for looks that ask together."""
    student, rivals = choose((yield from detecting(image)), near)
    if student is None:
        return Unseen.NO_FACE
    for rival in rivals:
        if rival.score >= SURE_SCORE or isinstance((yield from landmarking(image, rival)), Face):
            return Unseen.SEVERAL_FACES
    face = yield from landmarking(image, student)
    return (yield from _once_more(image, student)) if isinstance(face, Unseen) else face


def choose(found: list[Found], near: Box | None = None) -> tuple[Found | None, list[Found]]:
    """The student's face, and the others that are large enough to be the student's; ``found`` is sorted by size.

    It is the sure face that lies over ``near`` most, otherwise the largest. One that is far smaller than ``near`` is
    somebody behind a student who is hidden for the moment.
    """
    least = 0.0 if near is None else SHRUNK * near.width
    sure = [each for each in found if each.score >= SURE_SCORE and each.box.width >= least]
    if not sure:
        return None, []
    student = sure[0] if near is None else max(sure, key=lambda each: _overlap(each.box, near))
    return student, [each for each in found if each is not student and each.box.width >= RIVAL * student.box.width]


def detect(engine: Engine, image: Image) -> list[Found]:
    """All boxes from LEAST_SCORE on, largest first. Where none is sure in the whole picture, its parts are searched."""
    return alone(engine, detecting(image))


def detecting(image: Image) -> Asking[list[Found]]:
    """As :func:`detect`, for looks that ask together."""
    _check(image)
    found: list[Found] = []
    for tiles in _levels(image.shape[1], image.shape[0]):
        found = yield from _detected(image, tiles)
        if any(each.score >= SURE_SCORE for each in found):
            break
    return sorted(found, key=lambda each: -each.box.width)


def _detected(image: Image, tiles: list[Box]) -> Asking[list[Found]]:
    """What the detector finds in parts of the picture, in one inference; each face once."""
    pictures, places = zip(*(_letterboxed(image, tile) for tile in tiles), strict=True)
    answer = yield Ask(DETECTOR, {"image": np.stack(pictures)})
    found = [
        each
        for boxes, scores, place in zip(answer["boxes"], answer["scores"], places, strict=True)
        for each in _decoded(boxes, scores, place)
    ]
    return merged(found)


def landmark(engine: Engine, image: Image, found: Found) -> Face | Unseen:
    """The points of one found face, or COVERED where the mesh sees no face there."""
    return alone(engine, landmarking(image, found))


def landmarking(image: Image, found: Found, *, least_presence: float = LEAST_PRESENCE) -> Asking[Face | Unseen]:
    """As :func:`landmark`, for looks that ask together. ``least_presence``: logit below which it is no face."""
    matrix = _upright(found)
    patch = np.asarray(cv2.warpAffine(image, matrix, (MESH_SIDE, MESH_SIDE), flags=cv2.INTER_LINEAR), np.uint8)
    answer = yield Ask(MESH, {"image": _rgb(patch, 255.0)[None]})
    if float(answer["presence"].ravel()[0]) < least_presence:
        return Unseen.COVERED
    points = _back(answer["points"].reshape(-1, 3), matrix)
    yaw, pitch, roll = head_pose(points)
    return Face(found.box, found.score, points, yaw=yaw, pitch=pitch, roll=roll, upright=_turn(found))


def _once_more(image: Image, found: Found) -> Asking[Face | Unseen]:
    """Where the mesh sees no face: the box of a small, tilted or dark face may be off, so the detector looks closer.

    What was one box from afar may be two faces: no guess which one is the student's.
    """
    nearer = yield from _detected(image, [_around(found.box, image)])
    student, rivals = choose(sorted(nearer, key=lambda each: -each.box.width))
    if student is None:
        return Unseen.COVERED
    if any(rival.score >= SURE_SCORE for rival in rivals):
        return Unseen.SEVERAL_FACES
    return (yield from landmarking(image, student))


def _around(box: Box, image: Image) -> Box:
    """A square about the middle of the box, CLOSE times as large, as far as the picture goes."""
    reach = CLOSE * max(box.width, box.height) / 2
    height, width = image.shape[:2]
    x = min(max(box.left + box.width / 2, 0.0), width - 1.0)
    y = min(max(box.top + box.height / 2, 0.0), height - 1.0)
    left, top = max(0, int(x - reach)), max(0, int(y - reach))
    right, bottom = min(width, int(x + reach) + 1), min(height, int(y + reach) + 1)
    return Box(left, top, right - left, bottom - top)


def merged(found: list[Found]) -> list[Found]:
    """Join boxes that overlap into their mean, weighted by score, as BlazeFace's authors do against jitter."""
    waiting = sorted(found, key=lambda each: -each.score)
    faces: list[Found] = []
    while waiting:
        near = [_overlap(waiting[0].box, each.box) >= OVERLAP for each in waiting]
        faces.append(_mean([each for each, same in zip(waiting, near, strict=True) if same]))
        waiting = [each for each, same in zip(waiting, near, strict=True) if not same]
    return faces


def _check(image: Image) -> None:
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or min(image.shape) < 1:
        raise BadInput(f"a picture must be uint8 (height, width, 3). Got {image.dtype} {image.shape} instead.")


def _levels(width: int, height: int) -> Iterator[list[Box]]:
    """The whole picture, then overlapping squares of half the longer side, then of a quarter."""
    yield [Box(0, 0, width, height)]
    for share in (2, 4):
        side = max(width, height) // share
        if side < LEAST_TILE:
            return
        across, down = (_starts(length, side) for length in (width, height))
        yield [Box(left, top, side, side) for top in down for left in across]


def _starts(length: int, side: int) -> list[int]:
    """Starts of windows that cover ``length`` and overlap by half."""
    if length <= side:
        return [0]
    count = -(-2 * (length - side) // side) + 1
    return [round(start) for start in np.linspace(0, length - side, count)]


def _letterboxed(image: Image, tile: Box) -> tuple[Floats, tuple[float, float, float]]:
    """The tile as the detector wants it, and scale, left and top that lead back to pixels of the picture."""
    left, top = int(tile.left), int(tile.top)
    part = image[top : top + int(tile.height), left : left + int(tile.width)]
    scale = max(part.shape[:2]) / DETECTOR_SIDE
    width, height = (max(1, round(length / scale)) for length in (part.shape[1], part.shape[0]))
    how = cv2.INTER_AREA if scale > 1 else cv2.INTER_LINEAR
    small = np.asarray(cv2.resize(part, (width, height), interpolation=how), np.uint8)
    right, down = (DETECTOR_SIDE - width) // 2, (DETECTOR_SIDE - height) // 2
    canvas = np.full((DETECTOR_SIDE, DETECTOR_SIDE, 3), -1.0, np.float32)
    canvas[down : down + height, right : right + width] = _rgb(small, 127.5) - 1.0
    return canvas, (scale, left - right * scale, top - down * scale)


def _rgb(image: Image, full: float) -> Floats:
    """The picture as a network takes it: other order of colours, divided by ``full``."""
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB) / np.float32(full), np.float32)


def _anchors() -> Floats:
    """Centres (896, 2) in input pixels: two on a grid of 16, six on a grid of 8."""
    grids = []
    for side, repeats in ((16, 2), (8, 6)):
        centres = (np.arange(side, dtype=np.float32) + 0.5) * (DETECTOR_SIDE / side)
        x, y = np.meshgrid(centres, centres)
        grids.append(np.repeat(np.stack([x.ravel(), y.ravel()], axis=1), repeats, axis=0))
    return np.concatenate(grids)


_ANCHORS = _anchors()
_LEAST_LOGIT = math.log(LEAST_SCORE / (1 - LEAST_SCORE))


def _decoded(boxes: Floats, scores: Floats, place: tuple[float, float, float]) -> Iterator[Found]:
    """Raw boxes (896, 16) and logits (896, 1) of one tile -> found faces in pixels of the picture."""
    scale, left, top = place
    kept = np.flatnonzero(scores.ravel() >= _LEAST_LOGIT)
    chances = 1.0 / (1.0 + np.exp(-np.minimum(scores.ravel()[kept], 80.0)))
    raw = boxes[kept]
    raw[:, [0, 1, 4, 5, 6, 7]] += np.tile(_ANCHORS[kept], 3)
    raw[:, :2] -= raw[:, 2:4] / 2
    raw *= np.float32(scale)
    raw[:, [0, 1, 4, 5, 6, 7]] += np.array([left, top] * 3, np.float32)
    for row, chance in zip(raw.tolist(), chances.tolist(), strict=True):
        yield Found(Box(*row[:4]), chance, np.array(row[4:8], np.float32).reshape(2, 2))


def _overlap(one: Box, other: Box) -> float:
    """Intersection over union, or over the smaller box where one lies in the other."""
    width = min(one.left + one.width, other.left + other.width) - max(one.left, other.left)
    height = min(one.top + one.height, other.top + other.height) - max(one.top, other.top)
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    smaller = min(one.width * one.height, other.width * other.height)
    union = one.width * one.height + other.width * other.height - both
    return max(both / union, both / smaller if both > 0.8 * smaller else 0.0)


def _mean(same: list[Found]) -> Found:
    weights = np.array([each.score for each in same])
    weights /= weights.sum()
    sides = np.array([(each.box.left, each.box.top, each.box.width, each.box.height) for each in same])
    left, top, width, height = (float(value) for value in weights @ sides)
    eyes = np.tensordot(weights, np.stack([each.eyes for each in same]), axes=1)
    return Found(Box(left, top, width, height), max(each.score for each in same), np.asarray(eyes, np.float32))


def _turn(found: Found) -> float:
    """Degrees from level of the line through the eyes, clockwise in the picture."""
    across = found.eyes[1] - found.eyes[0]
    return float(np.degrees(np.arctan2(across[1], across[0])))


def _upright(found: Found) -> NDArray[np.float64]:
    """(2, 3) from pixels of the picture to those of the mesh's input: eyes level, face in the middle with margin."""
    centre = (found.box.left + found.box.width / 2, found.box.top + found.box.height / 2)
    side = MARGIN * max(found.box.width, found.box.height)
    matrix = np.asarray(cv2.getRotationMatrix2D(centre, _turn(found), MESH_SIDE / side), np.float64)
    matrix[:, 2] += MESH_SIDE / 2 - np.array(centre)
    return matrix


def _back(points: Floats, matrix: NDArray[np.float64]) -> Floats:
    """Points (468, 3) of the mesh's input -> pixels of the picture."""
    inverse = cv2.invertAffineTransform(matrix)
    flat = points[:, :2] @ inverse[:, :2].T + inverse[:, 2]
    scale = float(np.hypot(inverse[0, 0], inverse[1, 0]))
    return np.column_stack([flat, points[:, 2] * scale]).astype(np.float32)
