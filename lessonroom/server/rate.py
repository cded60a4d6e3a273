"""How much one socket may say. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Bucket:
    """A token bucket: ``burst`` at once, ``rate`` per second in the long run. ``now``: seconds of any steady clock."""

    rate: float
    burst: float
    now: float
    _left: float | None = None

    def take(self, now: float) -> bool:
        """Take one token; False when there is none."""
        left = self.burst if self._left is None else self._left
        left = min(self.burst, left + (now - self.now) * self.rate)
        self.now = now
        self._left = left - 1 if left >= 1 else left
        return left >= 1
