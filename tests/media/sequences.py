"""Generated observations of a student, with what real ones have: own resting face, noise, blinks, talk, drop-outs."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from lessonroom.media.types import EXPRESSIONS, Observation, Unseen

CALM = dict(zip(EXPRESSIONS, (0.72, 0.05, 0.04, 0.08, 0.05, 0.02, 0.02, 0.02), strict=True))

Mood = Callable[[float], dict[str, float]]
"""Seconds -> what is added to the logit of each expression at that time."""


def calm(_: float) -> dict[str, float]:
    """Nothing but the resting face."""
    return {}


def held(label: str, start: float, end: float = math.inf, strength: float = 4.5) -> Mood:
    """One expression from ``start`` to ``end``."""
    return lambda now: {label: strength} if start <= now < end else {}


def bursts(label: str, every: float, lasts: float, strength: float = 4.5) -> Mood:
    """One expression that comes and goes: a smile, a yawn."""
    return lambda now: {label: strength} if now % every < lasts else {}


def drifting(label: str, per_minute: float) -> Mood:
    """A slow change that is nobody's mood: evening light."""
    return lambda now: {label: per_minute * now / 60.0}


@dataclass
class Student:
    """A reproducible student: ``seed`` fixes the resting face and all of the noise. ``drop`` says what is not seen."""

    seed: int
    mood: Mood = calm
    rate: float = 2.0
    noise: float = 0.6
    sway: float = 0.6
    own_face: float = 0.6
    talks: bool = False
    quality: float = 0.8
    drop: Callable[[float], Unseen | None] = lambda _: None
    eyes: Callable[[float], float] = lambda _: 1.0
    random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    def observe(self, seconds: float, start: float = 0.0) -> Iterator[Observation]:
        """Observations of so many seconds, at irregular times around the rate."""
        rest = {label: math.log(CALM[label]) + self.random.gauss(0, self.own_face) for label in EXPRESSIONS}
        sway = dict.fromkeys(EXPRESSIONS, 0.0)
        now = start
        while now < start + seconds:
            for label in EXPRESSIONS:  # an Ornstein-Uhlenbeck walk with a memory of five seconds
                keep = math.exp(-1.0 / (5.0 * self.rate))
                sway[label] = keep * sway[label] + self.random.gauss(0, self.sway * math.sqrt(1 - keep * keep))
            yield self._one(now, rest, sway)
            now += self.random.uniform(0.8, 1.2) / self.rate

    def _one(self, now: float, rest: dict[str, float], sway: dict[str, float]) -> Observation:
        unseen = self.drop(now)
        if unseen is not None:
            return Observation(now, unseen=unseen)
        mood = self.mood(now)
        logits = {
            label: rest[label] + sway[label] + mood.get(label, 0.0) + self.random.gauss(0, self.noise)
            for label in EXPRESSIONS
        }
        if self.talks and self.random.random() < 0.3:  # a mouth in the middle of a sound looks like anything
            logits[self.random.choice(EXPRESSIONS[1:])] += 3.0
        highest = max(logits.values())
        scaled = {label: math.exp(value - highest) for label, value in logits.items()}
        total = sum(scaled.values())
        blink = 0.2 if self.random.random() < 0.06 else 1.0
        return Observation(
            now,
            quality=self.quality,
            expression={label: value / total for label, value in scaled.items()},
            shape={"eye": self.eyes(now) * blink * self.random.gauss(1.0, 0.06)},
        )
