"""What became of every message of a load: from send to acknowledgement and to the other side's page. Pure.

Only what is under way is kept, so that a run of hours needs no more memory than one of minutes.
"""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass
from typing import Final

STEP: Final = 0.05
"""Width of a histogram's bucket, in milliseconds."""
LONGEST: Final = 20_000.0
"""Milliseconds from which times are counted together."""


class Times:
    """Times as a histogram, fine enough for percentiles to a twentieth of a millisecond."""

    def __init__(self, counts: array[int] | None = None) -> None:
        self._counts = counts if counts is not None else array("Q", bytes(8 * (int(LONGEST / STEP) + 1)))

    def add(self, seconds: float) -> None:
        """Count one time; negative ones, of clocks that do not agree, as nothing."""
        self._counts[min(max(0, int(seconds * 1000 / STEP)), len(self._counts) - 1)] += 1

    def copy(self) -> Times:
        """These times, for a later :meth:`since`."""
        return Times(self._counts[:])

    def since(self, earlier: Times) -> Times:
        """What was counted after a copy was made."""
        return Times(array("Q", (now - then for now, then in zip(self._counts, earlier._counts, strict=True))))

    def spread(self) -> dict[str, float] | None:
        """Median, p95, p99 and the longest in milliseconds, each the upper bound of its bucket, and how many."""
        count = sum(self._counts)
        if not count:
            return None
        shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}
        ranks = {name: math.ceil(share * count) for name, share in shares.items()}
        found: dict[str, float] = {}
        below = 0
        for bucket, here in enumerate(self._counts):
            below += here
            if here:
                reached = (name for name, rank in ranks.items() if name not in found and below >= rank)
                found |= dict.fromkeys(reached, round((bucket + 1) * STEP, 3))
        return {**found, "of": count}


@dataclass(slots=True)
class _Way:
    """One message under way. ``relays`` is False once it is known that nobody is to get it."""

    sent_at: float
    answered: bool = False
    arrived: bool = False
    relays: bool = True


class Ledger:
    """Counts messages by their ids, which no two of them share. Times: seconds of one steady clock."""

    def __init__(self) -> None:
        self.sent = self.acknowledged = self.arrived = self.stopped = self.refused = self.doubled = 0
        self.acknowledging, self.relaying = Times(), Times()
        self._under_way: dict[str, _Way] = {}

    @property
    def under_way(self) -> int:
        """Messages that somebody still waits for; after a pause that is long enough, the lost ones."""
        return len(self._under_way)

    def send(self, message: str, now: float) -> None:
        """A page has said it."""
        self.sent += 1
        self._under_way[message] = _Way(now)

    def acknowledge(self, message: str, now: float, *, relayed: bool) -> None:
        """The server has stored it. ``relayed``: and lets it through."""
        way = self._under_way.get(message)
        if way is None or way.answered:
            self.doubled += 1
            return
        self.acknowledged += 1
        self.stopped += not relayed
        self.acknowledging.add(now - way.sent_at)
        way.answered, way.relays = True, relayed
        self._settle(message, way)

    def refuse(self, message: str) -> None:
        """The server has not stored it, and says so."""
        way = self._under_way.get(message)
        if way is None or way.answered:
            self.doubled += 1
            return
        self.refused += 1
        way.answered, way.relays = True, False
        self._settle(message, way)

    def arrive(self, message: str, now: float) -> None:
        """The other side's page has it."""
        way = self._under_way.get(message)
        if way is None or way.arrived:
            self.doubled += 1
            return
        self.arrived += 1
        self.relaying.add(now - way.sent_at)
        way.arrived = True
        self._settle(message, way)

    def _settle(self, message: str, way: _Way) -> None:
        if way.answered and way.arrived == way.relays:
            del self._under_way[message]
