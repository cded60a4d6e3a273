"""Who is looked at next, how many together, and how often a lesson is looked at. Pure: times are arguments, in seconds.

All lessons of a process share one :class:`Line` and one :class:`Beat`. A lesson has one look in the line at most, and
only its newest sample. The Beat finds what the machine keeps up with: an additive increase while answers are quick, a
multiplicative decrease when some are slow (Chiu and Jain 1989), for all lessons at once. Lessons whose strain rises
keep their rate longer and are looked at sooner, but nobody waits for ever: a look that has waited EARLIER seconds goes
before any that comes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

T = TypeVar("T")

TARGET = 0.15
"""Seconds from asking for a look to its answer, above which it is slow. It leaves as much again of 0.3 s for a frame's
way through the network's jitter, decoder and mailbox."""
EARLIER = 0.2
"""A look of a lesson whose strain rises goes before those that asked so many seconds earlier."""
EPOCH = 1.0
"""Seconds of answers that decide together about the rate: one slow look is no load."""
SLOW_SHARE = 0.1
"""Of an epoch's answers; with more slow ones than this the rate goes down."""
DOWN = 0.8
UP = 0.03
RISING_SHARE = 2.0
"""A lesson whose strain rises is looked at so many times as often as others, up to the highest rate."""
QUICK, STEADY = 5.0, 30.0
"""Seconds over which strain is averaged now, and as it was."""
RISEN = 0.05
"""Strain has risen when the first average is so far above the second."""
SMOOTH = 0.1
MOST_SPACING = 0.35
JITTER = 0.02
"""Seconds by which frames may be late, mostly."""
STALE_SHARE = 0.6
"""Of the time between two frames; a frame that is older is left, and the next one is awaited."""
_GOLDEN = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True, slots=True)
class Turn(Generic[T]):
    """One look that waits: ``item``, asked for at ``asked``, worth nothing after ``until``."""

    item: T
    asked: float
    until: float
    rising: bool = False

    @property
    def rank(self) -> float:
        """The lowest goes first."""
        return self.asked - (EARLIER if self.rising else 0.0)


class Line(Generic[T]):
    """Looks that wait."""

    def __init__(self) -> None:
        self._turns: list[Turn[T]] = []
        self._each = 0.0

    def __len__(self) -> int:
        return len(self._turns)

    def put(self, turn: Turn[T]) -> None:
        """Wait for one's turn."""
        self._turns.append(turn)

    def remove(self, item: T) -> None:
        """Wait no more; nothing happens when it does not."""
        self._turns = [turn for turn in self._turns if turn.item is not item]

    def take(self, now: float, most: int = 1) -> list[T]:
        """Who is looked at now, together. Those for whom the answer would come too late are dropped.

        When that would be all of them, the latest one goes nevertheless while it may: how long a look takes is known
        from looks alone, and one slow look must not be the last.
        ``most``: how many may go together; 1 where a batch gains nothing.
        """
        alive = [turn for turn in self._turns if now < turn.until]
        in_time = [turn for turn in alive if now + self._each < turn.until]
        self._turns = in_time or sorted(alive, key=lambda turn: turn.asked)[-1:]
        self._turns.sort(key=lambda turn: turn.rank)
        count = self._together(now, most)
        chosen, self._turns = self._turns[:count], self._turns[count:]
        return [turn.item for turn in chosen]

    def took(self, seconds: float, count: int) -> None:
        """So many looks together took so long."""
        each = seconds / count
        self._each = each if self._each == 0.0 else self._each + SMOOTH * (each - self._each)

    def _together(self, now: float, most: int) -> int:
        """As many as are answered within the target; all that may, once somebody waited longer than that."""
        waited = max((now - turn.asked for turn in self._turns), default=0.0)
        if self._each == 0.0 or waited >= TARGET:
            return most
        return max(1, min(most, int((TARGET - waited) / self._each)))


class Beat:
    """How often lessons are looked at, as a share of their highest rate: one for all lessons of a process.

    ``least``: the share below which nothing is gained, as lessons are looked at no more rarely.
    """

    def __init__(self, least: float = 0.1) -> None:
        self.share = 1.0
        """1 while the machine keeps up."""
        self._least = least
        self._began: float | None = None
        self._answers = self._slow = self._quick = 0
        self._joined = 0

    def join(self) -> float:
        """A lesson begins: its place between two ticks, 0 to 1, as far from the others' as can be.

        Multiples of the golden ratio lie apart however many there are, and however many have left.
        """
        place = self._joined * _GOLDEN % 1.0
        self._joined += 1
        return place

    @staticmethod
    def first(place: float, rate: float, now: float) -> float:
        """When a lesson with that place is looked at first: within an interval."""
        return (math.ceil(now * rate - place) + place) / rate

    @staticmethod
    def due(place: float, rate: float, asked: float, now: float) -> float:
        """When a lesson with that place is looked at next, after it was at ``asked``: half an interval later, or more.

        The places are those of a clock that ticks ``rate`` times a second, for all lessons: a backlog that is worked
        off, or a rate that changes, does not leave them in a crowd that comes back with each tick.
        """
        after = max(now, asked + 0.5 / rate)
        return (math.floor(after * rate - place) + 1 + place) / rate

    def rate(self, least: float, most: float, *, rising: bool = False) -> float:
        """Looks per second of a lesson; a ``least`` above the ``most`` counts as the most."""
        share = min(1.0, self.share * (RISING_SHARE if rising else 1.0))
        return max(min(least, most), most * share)

    def heard(self, now: float, took: float, *, answered: bool) -> None:
        """A look took so many seconds, or was not ``answered`` in time.

        What was asked for before the rate changed says nothing of the rate that is now.
        """
        if self._began is None:
            self._began = now - took
        if now - took < self._began:
            return
        self._answers += 1
        self._slow += not answered or took > TARGET
        self._quick += answered and took < TARGET / 2
        if now - self._began < EPOCH:
            return
        self._began = now
        if self._slow > SLOW_SHARE * self._answers:
            self.share = max(self._least, self.share * DOWN)
            self._began = now + EPOCH  # until the crowd is gone that waits now
        elif self._quick >= (1 - SLOW_SHARE) * self._answers:
            self.share = min(1.0, self.share + UP)
        self._answers = self._slow = self._quick = 0


@dataclass(frozen=True, slots=True)
class Trend:
    """Whether a lesson's strain rises: a quick average over a steady one."""

    quick: float | None = None
    steady: float = 0.0
    at: float = 0.0

    @property
    def rising(self) -> bool:
        """Whether it does."""
        return self.quick is not None and self.quick - self.steady > RISEN

    def after(self, level: float | None, at: float) -> Trend:
        """The trend after an estimate; where there is none, what was known stays."""
        if level is None:
            return self
        if self.quick is None:
            return Trend(level, level, at)
        passed = max(0.0, at - self.at)
        quick = _towards(self.quick, level, passed / QUICK)
        return replace(self, quick=quick, steady=_towards(self.steady, level, passed / STEADY), at=at)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """When a camera's frames arrive, so that one is taken soon after, and not just before the next. ``spacing``: 0
    while it is not known, or where frames come too rarely to wait for one.
    """

    at: float = 0.0
    count: int = 0
    spacing: float = 0.0

    def heard(self, at: float, count: int) -> Rhythm:
        """A frame was taken that arrived ``at``, when ``count`` had arrived in all."""
        passed, came = at - self.at, count - self.count
        spacing = passed / came if self.count and came > 0 and passed > 0 else 0.0
        return Rhythm(at, count, spacing if spacing <= MOST_SPACING else 0.0)

    def after(self, due: float) -> float:
        """The time from ``due`` on at which a frame has just arrived."""
        if self.spacing == 0.0:
            return due
        frames = math.ceil((due - self.at) / self.spacing)
        return max(due, self.at + frames * self.spacing + JITTER)

    def stale(self, age: float) -> bool:
        """Whether the next frame will be here sooner than a frame of that age is worth looking at."""
        return 0.0 < STALE_SHARE * self.spacing < age


def _towards(old: float, new: float, share: float) -> float:
    return new + (old - new) * math.exp(-share)
