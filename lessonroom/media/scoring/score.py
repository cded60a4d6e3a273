"""Scores of single pictures, for research and for fitting: what the lesson's eyes make of each, as JSON lines.

A record, one JSON object a line, in the order of the pictures:

``id``
    as it was asked for; without one, the path.
``face``
    null, or ``box`` (left, top, width, height as shares of the picture's width and height), ``pose`` (yaw, pitch,
    roll in degrees as in :class:`~lessonroom.media.types.Face`) and ``score`` of the detector. Of a tight crop the box
    is all of it and the score null; so is the pose where the mesh makes out no face.
``unseen``, ``quality``
    what a lesson would have said of the picture: why it does not count (null: it does), and how good it is, 0 to 1.
``expression``, ``shape``
    label to probability, and named mesh ratios. Unlike a lesson, this gives them for every face that can be made out
    at all, also where ``unseen`` is set: whoever asks decides what to leave out.
``strain``
    0 to 1 by the strain head's part for single pictures; null where ``unseen`` is set.
``mesh``
    the shape of the face as numbers of :mod:`lessonroom.media.mesh`. A tight crop in which the mesh makes out no face
    has neither ``shape`` nor ``mesh``.
``embedding``
    only where it was asked for: 1,024 numbers.
``models``
    name to the first twelve digits of the SHA-256 of the models that made the record: numbers of others mean something
    else.
``error``
    only where the picture could not be looked at, in words without its path; all else is then null.

Pictures are turned as their EXIF data say, and brought down to the size at which a lesson looks at them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lessonroom import cores, models
from lessonroom.config import Settings
from lessonroom.errors import LessonroomError
from lessonroom.media import expression, faces, geometry, mesh, quality, strain_head
from lessonroom.media.engine import Engine
from lessonroom.media.expression import Expression
from lessonroom.media.onnx_engine import OnnxEngine
from lessonroom.media.quality import Judged
from lessonroom.media.scoring import stills
from lessonroom.media.scoring.tables import Asked
from lessonroom.media.shots import MOST_SIDE
from lessonroom.media.types import Box, Face, Image, Unseen
from lessonroom.media.vision import MODELS

Grey = NDArray[np.uint8]

CROPS = 16
"""So many tight crops go through the network together."""
FINE_SIDE = 192
"""A tight crop with fewer pixels is drawn larger before the points of its face are looked for."""
LONGEST = 3.0
"""No face is looked for in a tight crop that is so many times longer than wide, or the other way round: made as fine as
:data:`FINE_SIDE` asks, a strip of one pixel would fill the memory."""
RIM = 0.5
"""Share of a picture's side that is put around it where no face is found: the detector misses one that fills it."""

Record = Mapping[str, Any]


def run(
    groups: Iterable[Sequence[Asked]],
    settings: Settings,
    *,
    cropped: bool = False,
    embedding: bool = False,
    threads: int | None = None,
) -> Iterator[Record]:
    """The records of all pictures, in order. ``groups``: pictures that are asked for together; see :func:`in_order`.

    ``cropped``: the pictures are tight face crops: all of a crop is the face, and where the mesh makes it out, it is
    brought into line as in a lesson. ``threads``: pictures looked at at the same time, by default one a core. Memory
    does not grow with the number of pictures.
    """
    with OnnxEngine(
        MODELS,
        models_dir=settings.models_dir,
        threads=settings.inference_threads,
        providers=settings.inference_providers,
    ) as engine:
        basis = mesh.load(settings.models_dir)
        head = strain_head.load(settings.strain_head, settings.models_dir)
        made_by = {name: models.brief(name, settings.models_dir) for name in strain_head.SCORED_BY}
        scorer = Scorer(engine, basis, head, embedding, made_by)
        work, size = (scorer.crops, CROPS) if cropped else (scorer.pictures, 1)
        yield from in_order(groups, work, size=size, threads=threads or cores.whole())


def in_order(
    groups: Iterable[Sequence[Asked]],
    work: Callable[[Sequence[Asked]], list[Record]],
    *,
    size: int,
    threads: int,
) -> Iterator[Record]:
    """Let threads work on ``size`` pictures at a time and hand the records out in the order of the pictures.

    A whole group is answered before the next one is waited for: its asker may want the answers before it asks on.
    """
    waiting: deque[Future[list[Record]]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="score") as pool:
        for group in groups:
            for start in range(0, len(group), size):
                waiting.append(pool.submit(work, group[start : start + size]))
                if len(waiting) > 2 * threads:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()


# --- one picture -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Scorer:
    """Looks at pictures with one engine; any thread may call it. A picture that fails is a record, never an end.

    It reads each face and its mirror image; a lesson has time for one look, see :meth:`_read`.
    """

    engine: Engine
    basis: mesh.Basis | None = None
    head: strain_head.Head | None = None
    embedding: bool = False
    models: Mapping[str, str] = field(default_factory=dict)

    def pictures(self, asked: Sequence[Asked]) -> list[Record]:
        """The records of whole pictures: find the face, judge it, read it."""
        return [self._named(_tried(each, self._picture)) for each in asked]

    def crops(self, asked: Sequence[Asked]) -> list[Record]:
        """The records of tight face crops, in one inference."""
        try:
            found = self._crops([each.path for each in asked])
        except Exception:  # noqa: BLE001  one of them spoils the others, so each is asked for alone, and says so itself
            return [self._named(_tried(each, lambda path: self._crops([path])[0])) for each in asked]
        return [self._named(record | {"id": each.id}) for each, record in zip(asked, found, strict=True)]

    def _named(self, record: Record) -> Record:
        return {**record, "models": dict(self.models)} if self.models else record

    def _crops(self, paths: Sequence[str]) -> list[dict[str, Any]]:
        greys = [stills.read_grey(path, MOST_SIDE) for path in paths]
        inside = [self.inside(grey) for grey in greys]
        read = self._read([within.grey for within in inside])
        return [
            self._record(within.place, within.points, quality.judge_crop(grey), each)
            for grey, within, each in zip(greys, inside, read, strict=True)
        ]

    def inside(self, grey: Grey) -> Within:
        """A tight crop brought into line as in a lesson; as it is, where the mesh makes out no face in it."""
        if max(grey.shape) > LONGEST * min(grey.shape):
            return Within(grey)
        side = max(1.0, FINE_SIDE / min(grey.shape))
        fine = cv2.resize(grey, None, fx=side, fy=side, interpolation=cv2.INTER_CUBIC)
        image = np.asarray(cv2.cvtColor(fine, cv2.COLOR_GRAY2BGR), np.uint8)
        face = _without_rim(faces.look(self.engine, _with_rim(image)), image)
        if isinstance(face, Unseen) or face.landmarks is None:
            return Within(grey)
        return Within(expression.crop(image, face), _WHOLE | {"pose": _pose(face)}, face.landmarks)

    def _read(self, greys: Sequence[Grey]) -> list[Expression]:
        """Each crop and its mirror image, averaged: a little surer than the one look for which a lesson has time.

        So a head's ``frame`` holds for two looks. A lesson counts only its ``change``, against a baseline that was
        looked at once, too: by how much one look differs from two in general cancels out.
        """
        turned = [np.ascontiguousarray(grey[:, ::-1]) for grey in greys]
        read = expression.read_all(self.engine, [*greys, *turned])
        return list(map(expression.mean, read[: len(greys)], read[len(greys) :]))

    def _picture(self, path: str) -> Record:
        image = stills.read(path, MOST_SIDE)
        seen = faces.look(self.engine, image)
        face = seen if isinstance(seen, Face) else self._anyway(image, seen)
        if face is None or face.landmarks is None:
            return _BLANK | {"unseen": seen.value if isinstance(seen, Unseen) else None}
        grey = expression.crop(image, face)
        judged = Judged(seen, 0.0) if isinstance(seen, Unseen) else quality.judge(image, face, grey)
        return self._record(_place(face, image), face.landmarks, judged, self._read([grey])[0])

    def _anyway(self, image: Image, seen: Unseen) -> Face | None:
        """The face to read where a lesson would not count the picture: the largest, or one that fills the picture."""
        if seen is Unseen.SEVERAL_FACES:
            student, _ = faces.choose(faces.detect(self.engine, image))
            face = faces.landmark(self.engine, image, student) if student is not None else seen
        elif seen is Unseen.NO_FACE:
            face = _without_rim(faces.look(self.engine, _with_rim(image)), image)
        else:
            return None
        return face if isinstance(face, Face) else None

    def _record(
        self, place: Mapping[str, Any], points: geometry.Points | None, judged: Judged, read: Expression
    ) -> dict[str, Any]:
        record = _BLANK | {
            "face": place,
            "unseen": judged.unseen.value if judged.unseen is not None else None,
            "quality": round(judged.quality, 4),
            "expression": {label: round(chance, 6) for label, chance in read.probabilities.items()},
        }
        if points is not None:
            record["shape"] = {name: round(ratio, 4) for name, ratio in geometry.ratios(points).items()}
            record["mesh"] = _rounded(self.basis.coefficients(points)) if self.basis is not None else None
        if judged.unseen is None and self.head is not None:
            # read from what the record says, so that a head fitted to records is used as it was fitted
            seen = replace(strain_head.of_record(record), embedding=read.embedding)
            record["strain"] = round(self.head.chance(seen), 4)
        return record | ({"embedding": _rounded(read.embedding)} if self.embedding else {})


_BLANK: dict[str, Any] = {
    "id": None, "face": None, "unseen": None, "quality": 0.0, "expression": None, "strain": None, "shape": None,
    "mesh": None,
}  # fmt: skip
_WHOLE = {"box": [0.0, 0.0, 1.0, 1.0], "pose": None, "score": None}


@dataclass(frozen=True, slots=True)
class Within:
    """What is read of a tight crop, and what is known of the face in it."""

    grey: Grey
    place: Mapping[str, Any] = field(default_factory=lambda: _WHOLE)
    points: geometry.Points | None = None


def _tried(asked: Asked, look: Callable[[str], Record]) -> Record:
    try:
        return {**look(asked.path), "id": asked.id}
    except Exception as error:  # noqa: BLE001  one bad picture never ends a run over thousands; its record says so
        return _failed(asked.id, error)


def _failed(key: Any, error: Exception) -> Record:
    if isinstance(error, LessonroomError):
        said = str(error)
    elif isinstance(error, OSError):
        said = f"expected a readable file, got: {error.strerror or type(error).__name__}"
    else:  # whatever a library says may quote the path or the picture
        said = f"expected a picture, got {type(error).__name__}"
    return _BLANK | {"id": key, "unseen": Unseen.NOT_LOOKED.value, "error": said}


def _rim(image: Image) -> int:
    return round(RIM * float(max(image.shape[:2])))


def _with_rim(image: Image) -> Image:
    rim = _rim(image)
    grey = (128, 128, 128)
    return np.asarray(cv2.copyMakeBorder(image, rim, rim, rim, rim, cv2.BORDER_CONSTANT, value=grey), np.uint8)


def _without_rim(face: Face | Unseen, image: Image) -> Face | Unseen:
    if isinstance(face, Unseen) or face.landmarks is None:
        return face
    rim = _rim(image)
    box = Box(face.box.left - rim, face.box.top - rim, face.box.width, face.box.height)
    return replace(face, box=box, landmarks=np.asarray(face.landmarks - (rim, rim, 0), np.float32))


def _rounded(numbers: NDArray[np.float32]) -> list[float]:
    return list(np.round(numbers.astype(np.float64), 4).tolist())


def _place(face: Face, image: Image) -> dict[str, Any]:
    height, width = image.shape[:2]
    box = (face.box.left / width, face.box.top / height, face.box.width / width, face.box.height / height)
    return {
        "box": [round(side, 5) for side in box],
        "pose": _pose(face),
        "score": round(face.score, 4),
    }


def _pose(face: Face) -> list[float]:
    return [round(angle, 2) for angle in (face.yaw, face.pitch, face.roll)]
