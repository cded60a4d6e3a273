"""The nouns of the media line: sample, observation, strain, hint. Pure data, no behaviour beyond reading itself.

Times are seconds on a monotonic clock of the process (``time.monotonic``), passed in by whoever owns the clock.
Pictures are BGR, ``uint8``, shape (height, width, 3), as OpenCV and ``av``'s ``bgr24`` give them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]

EXPRESSIONS = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt")
"""Labels of the expression model, in the order of its output (those of FER+, Barsoum et al. 2016)."""


class Unseen(StrEnum):
    """Why a sample shows nothing that counts. ``NOT_LOOKED`` is never mixed up with an empty picture."""

    NO_FACE = "no_face"
    SEVERAL_FACES = "several_faces"
    TOO_SMALL = "too_small"
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    BLURRED = "blurred"
    TURNED_AWAY = "turned_away"
    CUT_OFF = "cut_off"
    COVERED = "covered"
    NOT_LOOKED = "not_looked"


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels of the sample; it may reach over the picture's edge."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Track:
    """What lets the next look follow a face that holds still (:mod:`lessonroom.media.tracking`).

    ``middle`` and ``size``: of what the mesh's points take up, in pixels. ``roll`` and ``upright`` as in
    :class:`Face`. ``sketch``: the face in a few grey squares, mean 0 and length 1. ``score``: the detector's, which
    found the face last at ``detected_at``.
    """

    middle: tuple[float, float]
    size: float
    roll: float
    upright: float
    sketch: NDArray[np.float32] = field(repr=False)
    score: float
    detected_at: float


@dataclass(frozen=True, slots=True)
class Place:
    """Where the student's face was, and when: what one look hands to the next. ``track``: where it may be followed."""

    box: Box
    at: float
    track: Track | None = None

    def wipe(self) -> None:
        """Blacken the sketch of the face."""
        if self.track is not None:
            self.track.sketch.fill(0)


@dataclass(frozen=True, slots=True)
class Sample:
    """One decoded frame chosen for analysis. ``before``: where earlier samples last showed the student's face."""

    image: Image = field(repr=False)
    captured_at: float
    before: Place | None = None


@dataclass(frozen=True, slots=True)
class Face:
    """The student's face in a sample.

    ``landmarks``: (468, 3) float32, x and y in pixels of the sample, z in the same unit, smaller is nearer; or None
    where only the detector ran. ``yaw``, ``pitch``, ``roll``: degrees, 0 is straight into the camera, positive is
    the subject's left, up, and clockwise in the picture. ``score``: the detector's, 0 to 1. ``upright``: degrees by
    which the picture was turned back for the points; close to ``roll``.
    """

    box: Box
    score: float
    landmarks: NDArray[np.float32] | None = field(default=None, repr=False)
    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    upright: float = 0.0


@dataclass(frozen=True, slots=True)
class Observation:
    """What was seen in a sample, or why nothing was.

    Exactly one of ``unseen`` and ``expression`` is set. ``expression`` maps each of :data:`EXPRESSIONS` to a
    calibrated probability (they add up to 1). ``shape`` holds named mesh ratios (brow, eye, mouth), each without
    unit and about 1 for a calm face. ``quality`` is 0 (worthless) to 1 (as good as it gets). ``embedding`` never
    leaves the process. ``change`` is the strain head's signal, to be held against the student's own; None without one.
    ``track`` is set where the face can be followed; it goes to the next look of the same lesson and nowhere else.
    """

    at: float
    unseen: Unseen | None = None
    face: Face | None = None
    quality: float = 0.0
    expression: Mapping[str, float] | None = None
    shape: Mapping[str, float] = field(default_factory=dict)
    embedding: NDArray[np.float32] | None = field(default=None, repr=False)
    change: float | None = None
    track: Track | None = field(default=None, repr=False)

    @property
    def place(self) -> Place | None:
        """Where the face is, also one that cannot be read."""
        return None if self.face is None else Place(self.face.box, self.at, self.track)

    def place_after(self, before: Place | None) -> Place | None:
        """Where the face was last; one that was not seen this time is remembered, and not followed."""
        return self.place or (None if before is None else Place(before.box, before.at))


class Watching(StrEnum):
    """The state of an estimate, in the words of the indicator that everybody in the room sees."""

    LEARNING = "learning"
    WATCHING = "watching"
    UNSURE = "unsure"


class Cue(StrEnum):
    """What evidence an estimate or a hint rests on. The pages turn it into words."""

    STUCK_BUTTON = "stuck_button"
    FROWNING = "frowning"
    DISTRESS = "distress"
    DISENGAGED = "disengaged"
    CHAT = "chat"
    EXERCISE = "exercise"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One reason behind an estimate: ``weight`` is its share, 0 to 1; ``since`` when it began."""

    cue: Cue
    weight: float
    since: float


@dataclass(frozen=True, slots=True)
class Strain:
    """The running estimate that the student is struggling.

    ``level``: 0 to 1, or None when ``watching`` is LEARNING or UNSURE. ``unseen``: why the last sample did not count.
    """

    at: float
    level: float | None
    watching: Watching
    evidence: tuple[Evidence, ...] = ()
    unseen: Unseen | None = None


@dataclass(frozen=True, slots=True)
class Hint:
    """What the teacher is told. Words come from the pages' catalogue by ``cue`` and ``advice``, never a score."""

    id: str
    at: float
    cue: Cue
    advice: str
