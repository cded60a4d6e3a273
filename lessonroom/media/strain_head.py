"""The strain head: two linear maps over named features of one look at a face. Pure but for :func:`load`.

``frame`` reads one picture alone and gives a probability. ``change`` is read against the student's own baseline: a
lesson takes the student's own middle from it, so what a face always looks like cancels out.
``level`` and ``within`` together give the probability for somebody whose own mean is known: the one reads the mean, the
other the difference from it.

A head is an ``.npz`` with a sidecar that says what it was fitted on (docs/vision.md, "Fitting the strain head"). The
one that ships is a prior from the literature and was fitted on nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from lessonroom import models
from lessonroom.errors import ModelRefused
from lessonroom.media import faces, mesh
from lessonroom.media.types import EXPRESSIONS

MODEL = "strain_head"
SHAPE = ("brow", "brow_gap", "eye", "mouth", "mouth_open", "mouth_corners")
LEAST_CHANCE = 1e-3
"""Smaller probabilities are taken for this much before their logarithm is taken."""
FULL_TURN = 30.0
"""Degrees that count as 1."""
ORDINARY = 0.12
"""A head's change is scaled so that an ordinary student's own spread is this much: the unit of ``strain``'s cues."""

Floats = NDArray[np.float64]

BLOCKS: Mapping[str, tuple[str, ...]] = {
    "expression": (
        *(f"expression.{label}" for label in EXPRESSIONS),
        *(f"log.{label}" for label in EXPRESSIONS),
    ),
    "face": (
        *(f"shape.{name}" for name in SHAPE),
        *(f"{kind}.{axis}" for kind in ("turn", "away") for axis in ("yaw", "pitch", "roll")),
        "box.width", "box.x", "box.y", "box.off",
        "quality",
    ),
    "mesh": tuple(f"mesh.{number:02}" for number in range(mesh.SIZE)),
}  # fmt: skip
"""Features by where they come from; the embedding's are named ``embedding.0000`` and so on and stand last."""
NAMES = tuple(name for block in BLOCKS.values() for name in block)
EMBEDDED = "embedding."
FEEDERS = (
    ("expression", "expression"), ("face", faces.MESH), ("mesh", faces.MESH), ("mesh", mesh.MODEL),
    ("embedding", "expression"),
)  # fmt: skip
"""Blocks, and the models whose numbers they are."""
SCORED_BY = (faces.DETECTOR, faces.MESH, mesh.MODEL, "expression")
"""The models that a record of scores names."""
NAMELESS = ("expression", "face")
"""Blocks whose numbers have names, so that a head may be made for whatever model gives them."""


NUMBERS = ("fill", "frame", "change", "bias", "known")
"""What the file of a head holds beside the names."""


def embedded(size: int) -> tuple[str, ...]:
    """Names of an embedding's numbers; another network may have more or fewer of them."""
    return tuple(f"{EMBEDDED}{number:04}" for number in range(size))


@dataclass(frozen=True, slots=True)
class Seen:
    """What a head may read. ``pose``: yaw, pitch, roll in degrees. ``box``: left, top, width, height as shares of the
    picture's sides. None: not there, as in a tight crop.
    """

    expression: Mapping[str, float] | None = None
    shape: Mapping[str, float] | None = None
    pose: Sequence[float] | None = None
    box: Sequence[float] | None = None
    quality: float = math.nan
    mesh: Sequence[float] | NDArray[np.float32] | None = None
    embedding: Sequence[float] | NDArray[np.float32] | None = None


def of_record(record: Mapping[str, Any]) -> Seen:
    """What a record of ``lessonroom vision score`` holds for a head."""
    face = record.get("face") or {}
    return Seen(
        record.get("expression") or None,
        record.get("shape") or None,
        face.get("pose"),
        # a tight crop has a face of which nobody knows where in a picture it was: no detector found it there
        face.get("box") if face.get("score") is not None else None,
        record.get("quality", math.nan) if record.get("expression") else math.nan,
        record.get("mesh"),
        record.get("embedding"),
    )


def features(seen: Seen) -> Floats:
    """The features in the order of :data:`NAMES`, NaN for what is not there."""
    return np.array([*_expression(seen), *_shape(seen), *_pose(seen), *_box(seen), _number(seen.quality), *_mesh(seen)])


@dataclass(frozen=True)
class Head:
    """``names``: (n,) of :data:`NAMES`, then the whole embedding or nothing of it. ``fill``: for what is not there.
    ``frame`` and ``change``: factors (n,); ``bias``: of the frame, in logits.
    ``known``: ``level`` and ``within``, (2, n), and ``known_bias``; None where the head has no such part.
    """

    names: tuple[str, ...]
    fill: Floats = field(repr=False)
    frame: Floats = field(repr=False)
    change: Floats = field(repr=False)
    bias: float
    known: Floats | None = field(default=None, repr=False)
    known_bias: float = 0.0

    @cached_property
    def uses(self) -> frozenset[str]:
        """The blocks whose features count: ``expression``, ``face``, ``mesh``, ``embedding``."""
        factors = [self.frame, self.change, *([] if self.known is None else self.known)]
        weighs = {name for name, *each in zip(self.names, *factors, strict=True) if any(each)}
        found = {block for block, names in BLOCKS.items() if weighs & set(names)}
        return frozenset(found | ({"embedding"} if any(name.startswith(EMBEDDED) for name in weighs) else set()))

    def chance(self, seen: Seen, own: Floats | None = None) -> float:
        """Probability of strain in one picture, 0 to 1; ``own``: the student's mean :meth:`row`, where it is known."""
        row = self.row(seen)
        if own is None or self.known is None:
            logit = self.bias + float(self.frame @ row)
        else:
            logit = self.known_bias + float(self.known[0] @ own + self.known[1] @ (row - own))
        return 1.0 / (1.0 + math.exp(-max(-60.0, min(60.0, logit))))

    def changed(self, seen: Seen) -> float:
        """The signal to compare with the student's own: :data:`ORDINARY` is an ordinary student's spread."""
        return float(self.change @ self.row(seen))

    def row(self, seen: Seen) -> Floats:
        """The features that this head reads (n,), with what is missing filled in."""
        known = features(seen)[self._places]
        size = len(self.names) - len(self._places)
        if size:
            given = np.full(size, math.nan) if seen.embedding is None else np.asarray(seen.embedding, np.float64)
            known = np.concatenate([known, given if given.shape == (size,) else np.full(size, math.nan)])
        return np.where(np.isfinite(known), known, self.fill)

    @cached_property
    def _places(self) -> NDArray[np.int64]:
        order = {name: place for place, name in enumerate(NAMES)}
        return np.array([order[name] for name in self.names if not name.startswith(EMBEDDED)], np.int64)


def load(head_dir: Path | None = None, models_dir: Path | None = None) -> Head:
    """Read the head in a folder, by default that of the models. ``models_dir``: where the models are that feed it.

    Raises ModelRefused for a file that is none, and for a head that was fitted on another model's numbers: they would
    mean something else. A prior names no model for expressions and ratios, and any will do.
    """
    model = models.load(MODEL, head_dir or models_dir)
    head = unpacked(model.read(), model.path.name)
    fed_by: Mapping[str, str] = (model.card.model_extra or {}).get("fed_by") or {}
    for block, feeder in FEEDERS:
        named = fed_by.get(feeder, "" if block in NAMELESS else "none")
        if block in head.uses and named and models.brief(feeder, models_dir) != models.short(named):
            raise ModelRefused(f"{model.path.name}: expected to be fitted with the {feeder} that is here, got another")
    return head


def packed(head: Head) -> bytes:
    """The file of a head."""
    file = BytesIO()
    known = np.zeros((0, len(head.names))) if head.known is None else head.known
    np.savez(
        file, names=np.array(head.names), fill=head.fill, frame=head.frame, change=head.change,
        bias=np.array([head.bias, head.known_bias]), known=known,
    )  # fmt: skip
    return file.getvalue()


def unpacked(data: bytes, name: str) -> Head:
    """Read the file of a head. Raises ModelRefused."""
    try:
        with np.load(BytesIO(data), allow_pickle=False) as file:
            names = tuple(str(each) for each in file["names"])
            fill, frame, change, bias, known = (file[key].astype(np.float64) for key in NUMBERS)
    except (OSError, EOFError, KeyError, ValueError, BadZipFile) as error:
        raise ModelRefused(
            f"{name}: expected names, fill, frame, change, bias and known, got {type(error).__name__}"
        ) from None
    shapes = [each.shape for each in (fill, frame, change)]
    own = known.shape in {(0, len(names)), (2, len(names))}
    if shapes != [(len(names),)] * 3 or bias.shape != (2,) or not own:
        raise ModelRefused(f"{name}: expected {len(names)} numbers each, got others")
    plain = [name for name in names if not name.startswith(EMBEDDED)]
    understood = set(plain) <= set(NAMES) and len(set(plain)) == len(plain)
    if not understood or names != (*plain, *embedded(len(names) - len(plain))):
        raise ModelRefused(f"{name}: expected features that this version knows, each once, got others")
    if not all(np.isfinite(each).all() for each in (fill, frame, change, bias, known)):
        raise ModelRefused(f"{name}: expected finite numbers, got others")
    return Head(names, fill, frame, change, float(bias[0]), known if len(known) else None, float(bias[1]))


def _expression(seen: Seen) -> list[float]:
    if seen.expression is None:
        return [math.nan] * (2 * len(EXPRESSIONS))
    chances = [_number(seen.expression.get(label)) for label in EXPRESSIONS]
    return [*chances, *(math.log(max(chance, LEAST_CHANCE)) for chance in chances)]


def _shape(seen: Seen) -> list[float]:
    return [_number((seen.shape or {}).get(name)) - 1.0 for name in SHAPE]


def _pose(seen: Seen) -> list[float]:
    if seen.pose is None or len(seen.pose) != 3:
        return [math.nan] * 6
    turns = [_number(angle) / FULL_TURN for angle in seen.pose]
    return [*turns, *(abs(turn) for turn in turns)]


def _box(seen: Seen) -> list[float]:
    if seen.box is None or len(seen.box) != 4:
        return [math.nan] * 4
    left, top, width, height = (_number(side) for side in seen.box)
    across = left + width / 2 - 0.5
    return [math.log(max(width, 1e-3)), across, top + height / 2 - 0.5, abs(across)]


def _mesh(seen: Seen) -> list[float]:
    if seen.mesh is None or len(seen.mesh) != mesh.SIZE:
        return [math.nan] * mesh.SIZE
    return [_number(value) for value in seen.mesh]


def _number(value: Any) -> float:
    """A number as it came, or NaN for anything else, such as a whole number that no float can be."""
    try:
        return float(value) if isinstance(value, (int, float, np.floating)) else math.nan
    except OverflowError:
        return math.nan
