"""Which media worker takes the next lesson. Pure."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

LATE: Final = 4.0
"""Lessons that one look a second without an answer counts for: such a worker has more than it can do already."""
FORGETS: Final = 0.9
"""What is left of late looks after a second without one."""

UNEVEN: Final = 4
"""Lessons that one worker has more than another, from which on one of them moves. Not fewer: a move is a gap of a
second in what a lesson is shown, and the next lessons that begin make small differences even."""
SETTLED: Final = 10.0
"""Seconds that a worker must have been there before lessons move to it: one that keeps dying must not draw them."""

T = TypeVar("T", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Load(Generic[T]):
    """One worker that is ready, for ``ready`` seconds. ``late``: looks a second that got no answer of late."""

    worker: T
    analysers: int
    late: float = 0.0
    ready: float = 0.0

    @property
    def weight(self) -> float:
        """In lessons."""
        return self.analysers + LATE * self.late


def least(loads: Iterable[Load[T]]) -> T | None:
    """The worker with the least to do, the first of several; None where there is none."""
    found = min(loads, key=lambda load: load.weight, default=None)
    return None if found is None else found.worker


def uneven(loads: Collection[Load[T]]) -> T | None:
    """The worker of which a lesson should move to the one with the fewest, as after a loss; None where none should."""
    fewest = min((load.analysers for load in loads if load.ready >= SETTLED), default=None)
    most = max(loads, key=lambda load: load.analysers, default=None)
    return None if fewest is None or most is None or most.analysers - fewest < UNEVEN else most.worker


def later(late: float, failed: float) -> float:
    """Late looks a second, after a second in which so many got no answer."""
    return FORGETS * late + (1.0 - FORGETS) * failed
