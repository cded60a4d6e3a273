"""How much one socket, one member or one address may do in a time. Pure."""

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
        left = self._filled(now)
        self._left = left - 1 if left >= 1 else left
        return left >= 1

    def wait(self, now: float) -> float:
        """Seconds until there is a token; 0 when there is one."""
        self._left = self._filled(now)
        return max(0.0, (1 - self._left) / self.rate)

    def _filled(self, now: float) -> float:
        left = self.burst if self._left is None else self._left
        left = min(self.burst, left + max(0.0, now - self.now) * self.rate)
        self.now = now
        return left
