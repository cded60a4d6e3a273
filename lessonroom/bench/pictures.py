"""Sequences of real pictures: what the network says of labelled faces, in the order of a simulated lesson.

Each picture shows another person, so a sequence is more restless than any student; figures from it err on the bad
side. Nothing of a picture is kept but the network's probabilities.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np

from lessonroom.bench.scenes import CHANGE_AT
from lessonroom.config import Settings
from lessonroom.errors import BadInput
from lessonroom.media import expression
from lessonroom.media.onnx_engine import OnnxEngine
from lessonroom.media.training import dataset
from lessonroom.media.types import EXPRESSIONS, Observation
from lessonroom.progress import Show, unseen

Pools = Mapping[str, Sequence[Mapping[str, float]]]
"""Majority label -> what the network says of each picture with it."""
Shown = Callable[[float, random.Random], str]
"""Seconds -> label of the picture that is shown then."""

NEEDED: Final = ("neutral", "happiness", "surprise", "anger", "sadness", "fear")
BATCH: Final = 32


def read(path: Path, settings: Settings, progress: Show = unseen) -> Pools:
    """Ask the network about the validation part of a data file. Raises BadInput where a label has no picture."""
    faces = dataset.read_faces(path, "valid")
    clear = np.flatnonzero(faces.majority >= 0)
    pools: dict[str, list[Mapping[str, float]]] = {label: [] for label in EXPRESSIONS}
    with OnnxEngine([expression.MODEL], models_dir=settings.models_dir, threads=1) as engine:
        for start in range(0, len(clear), BATCH):
            progress("reading pictures", start, len(clear))
            chosen = clear[start : start + BATCH]
            answers = expression.read_all(engine, [faces.images[index] for index in chosen])
            for index, answer in zip(chosen, answers, strict=True):
                pools[EXPRESSIONS[faces.majority[index]]].append(answer.probabilities)
    missing = [label for label in NEEDED if not pools[label]]
    if missing:
        raise BadInput(f"{path.name}: expected validation pictures of {', '.join(NEEDED)}, got no {missing[0]}")
    return pools


@dataclass(frozen=True, slots=True)
class Album:
    """A student made of pictures. Each stays for ``stay`` seconds, or for one sample where that is 0."""

    pools: Pools
    seed: int
    shown: Shown
    stay: float = 0.0
    rate: float = 2.0

    def observe(self, seconds: float) -> Iterator[Observation]:
        """Observations of so many seconds."""
        chance = random.Random(self.seed)
        until, label = -1.0, ""
        chosen: Mapping[str, float] = {}
        for number in range(int(seconds * self.rate)):
            now = number / self.rate
            wanted = self.shown(now, chance)
            if now >= until or (wanted != label and now == CHANGE_AT):
                chosen, label, until = chance.choice(self.pools[wanted]), wanted, now + self.stay
            yield Observation(now, quality=0.8, expression=chosen)


def _calm(_: float, __: random.Random) -> str:
    return "neutral"


def _smiling(now: float, _: random.Random) -> str:
    return "happiness" if now % 25 < 7 else "neutral"


def _yawning(now: float, _: random.Random) -> str:
    return "surprise" if now % 90 < 6 else "neutral"


def _talking(_: float, chance: random.Random) -> str:
    return chance.choices(("neutral", "happiness", "surprise"), (5, 2, 2))[0]


ORDINARY: Mapping[str, Shown] = MappingProxyType(
    {"calm": _calm, "smiling": _smiling, "yawning": _yawning, "talking": _talking}
)


def change(label: str) -> Shown:
    """Neutral for a minute, then pictures of one label."""
    return lambda now, _: label if now >= CHANGE_AT else "neutral"
