"""How often a lesson is looked at: as often as the machine keeps up with. Pure.

Down by a third when a look takes more than half of the time between two looks, up by a small step when it takes less
than a quarter: many lessons on one engine then find a common rate without knowing of one another (the additive
increase and multiplicative decrease of Chiu and Jain 1989).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

DOWN = 2 / 3
UP = 0.1


@dataclass(frozen=True, slots=True)
class Pace:
    """``rate``: samples per second now, between ``least`` and ``most``."""

    rate: float
    least: float
    most: float

    @classmethod
    def of(cls, least: float, most: float) -> Pace:
        """Start at the highest rate; a least above the most counts as the most."""
        return cls(most, min(least, most), most)

    @property
    def interval(self) -> float:
        """Seconds between two looks."""
        return 1.0 / self.rate

    def after(self, took: float, *, answered: bool = True) -> Pace:
        """The pace after a look that took so many seconds, or that was not ``answered`` in time."""
        if not answered or took > self.interval / 2:
            return replace(self, rate=max(self.least, self.rate * DOWN))
        if took < self.interval / 4:
            return replace(self, rate=min(self.most, self.rate + UP))
        return self
