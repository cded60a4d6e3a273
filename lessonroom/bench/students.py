"""Generated observations of students, with what real ones have: own resting face, noise, blinks, talk, drop-outs.

Nothing here looks at a picture, and nothing of it runs in a lesson: it is for measuring what the pure halves
:mod:`lessonroom.media.strain` and :mod:`lessonroom.media.hints` make of a sequence. The same seed gives the same
student.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from lessonroom.media.types import EXPRESSIONS, Observation, Unseen

CALM = dict(zip(EXPRESSIONS, (0.72, 0.05, 0.04, 0.08, 0.05, 0.02, 0.02, 0.02), strict=True))
"""Probabilities of a face at rest, about as the network gives them for neutral pictures."""

Mood = Callable[[float], dict[str, float]]
"""Seconds -> what is added to the logit of each expression at that time."""
When = Callable[[float], bool]
"""Seconds -> whether something is going on at that time."""


def calm(_: float) -> dict[str, float]:
    """Nothing but the resting face."""
    return {}


def held(label: str, start: float, end: float = math.inf, strength: float = 4.5) -> Mood:
    """One expression from ``start`` to ``end``; 4.5 makes it about 0.8 on an average face."""
    return lambda now: {label: strength} if start <= now < end else {}


def bursts(label: str, every: float, lasts: float, strength: float = 4.5) -> Mood:
    """One expression that comes and goes: a smile, a yawn."""
    return lambda now: {label: strength} if now % every < lasts else {}


def drifting(label: str, per_minute: float) -> Mood:
    """A slow change that is nobody's mood: evening light."""
    return lambda now: {label: per_minute * now / 60.0}


def together(*moods: Mood) -> Mood:
    """Several moods at once; where two speak of one expression, both count."""

    def mood(now: float) -> dict[str, float]:
        added: dict[str, float] = {}
        for part in moods:
            for label, value in part(now).items():
                added[label] = added.get(label, 0.0) + value
        return added

    return mood


def never(_: float) -> bool:
    """At no time."""
    return False


def always(_: float) -> bool:
    """All the time."""
    return True


def spells(every: float, lasts: float, phase: float = 0.0) -> When:
    """For ``lasts`` seconds of every ``every``."""
    return lambda now: (now + phase) % every < lasts


@dataclass
class Student:
    """A reproducible student: ``seed`` fixes the resting face and all of the noise.

    ``mood`` shows in ``shown`` of all seconds, by a coin for each: networks and faces are not steady. ``noise`` and
    ``sway`` are quick and slow deviations of the logits, ``own_face`` that of the resting face. ``talks``: when the
    mouth moves; ``eyes``: how open they are, 1 is calm; ``drop`` says what is not seen. ``rate``: samples a second.
    """

    seed: int
    mood: Mood = calm
    rate: float = 2.0
    noise: float = 0.6
    sway: float = 0.6
    own_face: float = 0.6
    talks: When = never
    quality: float = 0.8
    shown: float = 1.0
    drop: Callable[[float], Unseen | None] = lambda _: None
    eyes: Callable[[float], float] = lambda _: 1.0
    random: random.Random = field(init=False)
    rest: dict[str, float] = field(init=False)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.rest = {label: math.log(CALM[label]) + self.random.gauss(0, self.own_face) for label in EXPRESSIONS}
        self._second = -math.inf
        self._showing = True

    def observe(self, seconds: float, start: float = 0.0) -> Iterator[Observation]:
        """Observations of so many seconds, at irregular times around the rate."""
        sway = dict.fromkeys(EXPRESSIONS, 0.0)
        keep = math.exp(-1.0 / (5.0 * self.rate))  # an Ornstein-Uhlenbeck walk with a memory of five seconds
        push = self.sway * math.sqrt(1 - keep * keep)
        now = start
        while now < start + seconds:
            for label in EXPRESSIONS:
                sway[label] = keep * sway[label] + self.random.gauss(0, push)
            yield self._one(now, sway)
            now += self.random.uniform(0.8, 1.2) / self.rate

    def _one(self, now: float, sway: dict[str, float]) -> Observation:
        unseen = self.drop(now)
        if unseen is not None:
            return Observation(now, unseen=unseen)
        mood = self.mood(now) if self._shows(now) else {}
        logits = {
            label: self.rest[label] + sway[label] + mood.get(label, 0.0) + self.random.gauss(0, self.noise)
            for label in EXPRESSIONS
        }
        talks = self.talks(now)
        if talks and self.random.random() < 0.3:  # a mouth in the middle of a sound looks like anything
            logits[self.random.choice(EXPRESSIONS[1:])] += 3.0
        blink = 0.2 if self.random.random() < 0.06 else 1.0
        return Observation(
            now,
            quality=self.quality,
            expression=_probabilities(logits),
            shape={
                "eye": self.eyes(now) * blink * self.random.gauss(1.0, 0.06),
                "mouth_open": 1.0 + abs(self.random.gauss(0.0, 0.12 if talks else 0.01)),
            },
        )

    def _shows(self, now: float) -> bool:
        """Whether the mood is on the face in this second."""
        if self.shown < 1.0 and now - self._second >= 1.0:
            self._second, self._showing = now, self.random.random() < self.shown
        return self._showing


def _probabilities(logits: dict[str, float]) -> dict[str, float]:
    highest = max(logits.values())
    scaled = {label: math.exp(value - highest) for label, value in logits.items()}
    total = sum(scaled.values())
    return {label: value / total for label, value in scaled.items()}
