"""The learned combiner: evidence in, calibrated probability out. numpy alone; a data-only file.

The model is a network with one hidden layer: every feature and every n-gram bucket adds its row of weights to the
hidden units, negative sums become nothing (ReLU), and each of ``CLASSES`` weighs the rest. A line alone cannot say that
a frame takes the force out of a telephone number; a unit can. It is asked more than we need to know, which kind of
contact or which sort of harmless talk, because what helps to answer that helps with the question that counts (Caruana,
"Multitask learning", 1997). The margin is the log odds of all contacts against all harmless talk. Then comes a rising
curve from margin to probability that was fitted on families held out (isotonic regression; Zadrozny and Elkan, 2002).
``contact_filter.npz`` holds the arrays; the sidecar says the rest.
"""

from __future__ import annotations

import io
import math
import zlib
from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from lessonroom import models
from lessonroom.chat.features import BUCKETS, DAMPING, GROUPS, NAMES, TALK, Features
from lessonroom.chat.fingerprint import fingerprint
from lessonroom.chat.types import Kind
from lessonroom.errors import EngineDown, ModelRefused

NAME: Final = "contact_filter"
_KINDS: Final = tuple(Kind)
KNOTS: Final = 48
"""Points of the calibration curve."""

UNITS: Final = 96
"""Hidden units: of several networks that were trained apart and stand side by side, see ``train.Recipe``."""

SORTS: Final = (
    "address", "answers", "chess", "code", "dialogue", "dictation", "exam", "exercise", "geography", "grammar",
    "history", "homework", "language", "lesson", "literature", "maths", "meeting", "messenger", "money", "music",
    "numbers", "payment", "physics", "platform", "prices", "puzzle", "refusal", "resource", "roleplay", "rules",
    "schedule", "science", "smalltalk", "spelling", "story", "support", "talk", "tech", "times", "topic", "vocabulary",
    "real", "other",
)  # fmt: skip
"""Sorts of harmless talk: words of the corpus's authors, real chats, and everything else."""
CLASSES: Final = (*(kind.value for kind in Kind), *(f"harmless {sort}" for sort in SORTS))
"""What the network tells apart; the kinds of contacts come first."""

ARRAYS: Final = {
    "mean": (len(NAMES),),
    "scale": (len(NAMES),),
    "dense": (len(NAMES), UNITS),
    "grams": (BUCKETS, UNITS),
    "step": (UNITS,),
    "gram_scale": (len(GROUPS),),
    "hidden": (UNITS,),
    "output": (UNITS, len(CLASSES)),
    "bias": (len(CLASSES),),
    "lean": (1,),
    "knots": (KNOTS,),
    "levels": (KNOTS,),
}
"""Every array of the file and its shape. float32, but ``grams``: int8 in units of ``step``."""

Arrays = dict[str, NDArray[Any]]


def type_of(key: str) -> type[np.generic]:
    """What an array of the file is made of."""
    return np.int8 if key == "grams" else np.float32


class Opinion(NamedTuple):
    """What a classifier says of a message: the calibrated probability, 0 to 1, that it gives a contact away, and the
    kind it would be."""

    probability: float
    kind: Kind


class Classifier(Protocol):
    """What the gate asks. ``version``: what labels and audit records name."""

    version: str

    def opinion(self, evidence: Features) -> Opinion:
        """See Opinion. Raises EngineDown."""
        ...


class NetworkClassifier:
    """The shipped model. ``arrays``: as in ``ARRAYS``."""

    def __init__(self, arrays: Arrays, version: str) -> None:
        self.version = version
        self.arrays = arrays
        self._dense = arrays["dense"] / arrays["scale"][:, None]
        self._hidden = arrays["hidden"] - arrays["mean"] @ self._dense
        self._gram_scales: list[float] = arrays["gram_scale"].tolist()
        self._lean = float(arrays["lean"][0])
        self._knots, self._levels = arrays["knots"].tolist(), arrays["levels"].tolist()

    def logits(self, evidence: Features) -> NDArray[np.float32]:
        """What the network says for each of ``CLASSES``."""
        sizes = [len(buckets) for buckets in evidence.grams]
        each = [
            scale / math.sqrt(size + damping)
            for scale, size, damping in zip(self._gram_scales, sizes, DAMPING, strict=True)
        ]
        rows = self.arrays["grams"].take(np.concatenate(evidence.grams), axis=0).astype(np.float32)
        steps = np.repeat(np.array(each, np.float32), sizes) @ rows
        hidden = self._hidden + evidence.dense @ self._dense + steps * self.arrays["step"]
        out: NDArray[np.float32] = np.maximum(hidden, 0.0) @ self.arrays["output"] + self.arrays["bias"]
        return out

    def opinion(self, evidence: Features) -> Opinion:
        """See Classifier."""
        logits = self.logits(evidence)
        margin = float(log_odds(logits)) + self._lean * float(evidence.dense[TALK])
        if not math.isfinite(margin):
            raise EngineDown("the chat model answered something that is not a number")
        return Opinion(interpolate(margin, self._knots, self._levels), _KINDS[int(logits[: len(_KINDS)].argmax())])


def log_odds(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Of any contact against any harmless talk. ``logits``: (..., classes)."""
    kinds = len(_KINDS)
    return _sum_of_powers(logits[..., :kinds]) - _sum_of_powers(logits[..., kinds:])


def _sum_of_powers(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """log(sum(exp(x))) over the last axis, without overflow."""
    most = logits.max(-1, keepdims=True)
    out: NDArray[np.float32] = most[..., 0] + np.log(np.exp(logits - most).sum(-1))
    return out


def interpolate(margin: float, knots: Sequence[float], levels: Sequence[float]) -> float:
    """The calibration curve at a margin: straight lines between the knots, flat outside."""
    place = bisect_right(knots, margin)
    if place == 0:
        return levels[0]
    if place == len(knots):
        return levels[-1]
    share = (margin - knots[place - 1]) / (knots[place] - knots[place - 1])
    return levels[place - 1] + share * (levels[place] - levels[place - 1])


def load(models_dir: Path | None = None) -> NetworkClassifier:
    """The shipped model. Raises ModelRefused where the file is missing, changed, or made for other features."""
    model = models.load(NAME, models_dir)
    return from_bytes(model.read(), model.card.version)


def from_bytes(data: bytes, version: str) -> NetworkClassifier:
    """A model from the bytes of its file. Raises ModelRefused."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            names, classes = ([str(name) for name in file[key]] for key in ("names", "classes"))
            meaning = str(file["meaning"]) if "meaning" in file.files else "nothing"
            arrays = {key: file[key].astype(type_of(key)) for key in ARRAYS}
    except (OSError, ValueError, KeyError, EOFError, BadZipFile, zlib.error) as error:
        raise ModelRefused(f"{NAME}.npz: expected arrays of the contact filter, got {type(error).__name__}") from error
    if names != list(NAMES):
        raise ModelRefused(
            f"{NAME}.npz: expected a model for {len(NAMES)} features as now, got one for others; train it again"
        )
    if classes != list(CLASSES):
        raise ModelRefused(
            f"{NAME}.npz: expected a model for {len(CLASSES)} classes as now, got one for others; train it again"
        )
    if meaning != fingerprint():
        raise ModelRefused(
            f"{NAME}.npz: expected a model for features of meaning {fingerprint()}, got {meaning}; train it again"
        )
    for key, shape in ARRAYS.items():
        if arrays[key].shape != shape:
            raise ModelRefused(f"{NAME}.npz: expected {key} of shape {shape}, got {arrays[key].shape}")
        if not np.isfinite(arrays[key]).all():
            raise ModelRefused(f"{NAME}.npz: expected {key} to be numbers, got some that are not")
    return NetworkClassifier(arrays, version)


def to_bytes(arrays: Arrays) -> bytes:
    """The file of a model: compressed arrays, and the names of its features and classes."""
    out = io.BytesIO()
    rest: Arrays = {key: value.astype(type_of(key)) for key, value in arrays.items()}
    np.savez_compressed(
        out, allow_pickle=False, names=np.array(NAMES), classes=np.array(CLASSES), meaning=fingerprint(), **rest
    )
    return out.getvalue()
