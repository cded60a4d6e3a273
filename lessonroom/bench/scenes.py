"""What happens in a simulated lesson: scenes that deserve no hint, scenes that may get none, and clear changes.

Each is a recipe that makes a student from a seed; periods and phases are drawn from the seed as well, so that no two
lessons of one scene run in step.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from types import MappingProxyType

from lessonroom.bench.students import Student, always, bursts, drifting, held, spells, together
from lessonroom.media.types import Unseen

Recipe = Callable[[int], Student]
Drop = Callable[[float], Unseen | None]

CHANGES = ("anger", "sadness", "fear")
"""Expressions of a clear change: anger, sadness, distress."""
CHANGE_AT = 60.0
"""Seconds of neutral face before it."""


def _calm(seed: int) -> Student:
    return Student(seed)


def _talking(seed: int) -> Student:
    """Turns of talk, as in a lesson: a third to two thirds of the time."""
    chance = random.Random(seed)
    every = chance.uniform(25, 70)
    return Student(seed, talks=spells(every, every * chance.uniform(0.35, 0.65), chance.uniform(0, every)))


def _chatting(seed: int) -> Student:
    return Student(seed, talks=always)


def _smiling(seed: int) -> Student:
    chance = random.Random(seed)
    return Student(seed, mood=bursts("happiness", chance.uniform(15, 45), chance.uniform(3, 9)))


def _yawning(seed: int) -> Student:
    """Six seconds of open mouth and narrow eyes every minute or three, read as surprise with some fear and sadness."""
    chance = random.Random(seed)
    every = chance.uniform(60, 180)
    mood = together(*(bursts(label, every, 6.0, size) for label, size in _YAWN.items()))
    return Student(seed, mood=mood, eyes=lambda now: 0.4 if 1.0 < now % every < 5.0 else 1.0)


_YAWN = {"surprise": 4.0, "fear": 2.5, "sadness": 1.5}


def _looking_away(seed: int) -> Student:
    """Down at a page, to the side, back: while the eyes are cast down the face reads a little sad."""
    chance = random.Random(seed)
    every, down, side = chance.uniform(20, 50), chance.uniform(5, 12), chance.uniform(3, 10)
    away: Drop = lambda now: Unseen.TURNED_AWAY if down <= now % every < down + side else None  # noqa: E731
    return Student(
        seed,
        mood=bursts("sadness", every, down, 1.2),
        eyes=lambda now: 0.55 if now % every < down else 1.0,
        drop=away,
    )


def _badly_lit(seed: int) -> Student:
    """A dark, noisy picture that gets worse, and now and then too dark to be read at all."""
    chance = random.Random(seed)
    every = chance.uniform(30, 90)
    mood = together(drifting("sadness", chance.uniform(0.0, 0.04)), drifting("anger", chance.uniform(0.0, 0.04)))
    dark: Drop = lambda now: Unseen.TOO_DARK if now % every < 6.0 else None  # noqa: E731
    return Student(seed, mood=mood, quality=chance.uniform(0.1, 0.35), noise=1.1, sway=0.8, drop=dark)


def _lamp(seed: int) -> Student:
    """The light changes at once and stays: a lamp, a cloud, a bright screen."""
    chance = random.Random(seed)
    every = chance.uniform(240, 480)
    label = chance.choice(("sadness", "anger"))
    return Student(seed, mood=bursts(label, every, every / 2, 1.2))


def _leaving(seed: int) -> Student:
    chance = random.Random(seed)
    every, gone = chance.uniform(30, 90), chance.uniform(5, 30)
    return Student(seed, drop=lambda now: Unseen.NO_FACE if now % every < gone else None)


def _concentrating(seed: int) -> Student:
    """A scowl of a few seconds every half a minute: people who think look angry (Bosch and D'Mello)."""
    chance = random.Random(seed)
    return Student(seed, mood=bursts("anger", chance.uniform(20, 45), chance.uniform(2, 5), 3.5))


def _another(seed: int) -> Student:
    """Every quarter of an hour a stern face sits down for as long, without a gap."""
    return Student(seed, mood=bursts("anger", 1800, 900, 2.5))


def _nobody(seed: int) -> Student:
    return Student(seed, drop=lambda _: Unseen.NO_FACE)


def _two_people(seed: int) -> Student:
    return Student(seed, mood=held("anger", 0), drop=lambda _: Unseen.SEVERAL_FACES)


PROMISED: Mapping[str, Recipe] = MappingProxyType(
    {
        "calm": _calm,
        "talking in turns": _talking,
        "talking all the time": _chatting,
        "smiling": _smiling,
        "yawning": _yawning,
        "looking away": _looking_away,
        "badly lit": _badly_lit,
        "leaving the picture": _leaving,
    }
)
"""Lessons in which a hint is false: at most one an hour is promised."""
HARD: Mapping[str, Recipe] = MappingProxyType(
    {"scowls of concentration": _concentrating, "light that changes at once": _lamp, "another person": _another}
)
"""Lessons in which a hint is false, and for which nothing is promised."""
EMPTY: Mapping[str, Recipe] = MappingProxyType({"nobody there": _nobody, "two people": _two_people})
"""Lessons in which there is nothing to read: no hint at all is promised."""


def change(label: str, seed: int, *, odds: float = 4.5, shown: float = 1.0, rate: float = 2.0) -> Student:
    """Neutral for a minute, then one expression for good, ``odds`` to one against neutral on this student's face."""
    student = Student(seed, shown=shown, rate=rate)
    strength = math.log(odds) + student.rest["neutral"] - student.rest[label]
    student.mood = held(label, CHANGE_AT, strength=strength)
    return student
