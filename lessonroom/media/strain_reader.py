"""The strain head at work in a lesson: an observation in, its signal out."""

from __future__ import annotations

from dataclasses import dataclass

from lessonroom.config import Settings
from lessonroom.media import mesh, strain_head
from lessonroom.media.strain_head import Head, Seen
from lessonroom.media.types import Image, Observation


@dataclass(frozen=True, slots=True)
class HeadReader:
    """Reads faces with one head. ``basis``: of the mesh's shape, where the head uses it. Any thread may call it."""

    head: Head
    basis: mesh.Basis | None = None

    def __call__(self, observation: Observation, image: Image) -> float:
        """The head's change of an observation with a face; ``image`` is the picture that it was seen in."""
        return self.head.changed(seen(observation, image, self.basis))


def of(settings: Settings) -> HeadReader:
    """The head of the settings. Raises ModelRefused for one that cannot be used here."""
    head = strain_head.load(settings.strain_head, settings.models_dir)
    return HeadReader(head, mesh.load(settings.models_dir) if "mesh" in head.uses else None)


def seen(observation: Observation, image: Image, basis: mesh.Basis | None) -> Seen:
    """What a head may read of an observation with a face."""
    face = observation.face
    if face is None:
        return Seen(observation.expression)
    height, width = image.shape[:2]
    box = face.box
    return Seen(
        observation.expression,
        observation.shape or None,
        (face.yaw, face.pitch, face.roll),
        (box.left / width, box.top / height, box.width / width, box.height / height),
        observation.quality,
        None if basis is None or face.landmarks is None else basis.coefficients(face.landmarks),
        observation.embedding,
    )
