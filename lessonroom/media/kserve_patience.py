"""When to ask an inference server again, and when not to ask it at all. Time is an argument; nothing here waits."""

from __future__ import annotations

import threading
from enum import StrEnum
from typing import Final

SHARE: Final = 0.1
"""Retries per call at most."""
MOST_SAVED: Final = 10.0
"""Retries that calm times may save up for a bad moment."""
FAILURES: Final = 3
"""Calls of one model in a row without an answer after which a server counts as down."""
FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 30.0
"""Seconds from a failed trial to the next one, twice as long each time."""


class RetryBudget:
    """A token bucket: each call puts in a tenth of a retry, and a retry takes a whole one out.

    A server that is overloaded is thus asked at most a tenth more often than without retries. For any threads.
    """

    def __init__(self, share: float = SHARE, most: float = MOST_SAVED) -> None:
        self._share = share
        self._most = most
        self._saved = 0.0
        self._lock = threading.Lock()

    def called(self) -> None:
        """A call began that is no retry."""
        with self._lock:
            self._saved = min(self._most, self._saved + self._share)

    def take(self) -> bool:
        """Whether one retry may be made; it is then taken out."""
        with self._lock:
            if self._saved < 1.0 - 1e-9:  # ten tenths are one
                return False
            self._saved -= 1.0
            return True


class Trust(StrEnum):
    """What a circuit breaker says of a server: ask it, leave it alone, or try it just once."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Breaker:
    """A circuit breaker. It begins open with a trial due at once: a server is used after it has answered one.

    Calls are reported by :meth:`failed` and :meth:`worked`, trials asked for by :meth:`due` and reported by
    :meth:`tried`. Each model counts alone: a look asks several, and one that never answers makes every look late,
    however well the others do. For any threads.
    """

    def __init__(self, now: float, *, failures: int = FAILURES) -> None:
        self._failures = failures
        self._in_a_row: dict[str, int] = {}
        self._pause = FIRST_PAUSE
        self._next = now
        self._trust = Trust.OPEN
        self._lock = threading.Lock()

    @property
    def trust(self) -> Trust:
        """Whether calls may go to the server now: only when closed."""
        return self._trust

    def worked(self, model: str) -> None:
        """A call of ``model`` was answered."""
        with self._lock:
            self._in_a_row.pop(model, None)

    def failed(self, model: str, now: float) -> bool:
        """A call of ``model`` was not answered. True when this opened the breaker."""
        with self._lock:
            in_a_row = self._in_a_row[model] = self._in_a_row.get(model, 0) + 1
            if self._trust is not Trust.CLOSED or in_a_row < self._failures:
                return False
            self._trust, self._next, self._pause = Trust.OPEN, now + FIRST_PAUSE, FIRST_PAUSE
            return True

    def wait(self, now: float) -> float | None:
        """Seconds until a trial is due; None while none is wanted."""
        with self._lock:
            return max(0.0, self._next - now) if self._trust is Trust.OPEN else None

    def due(self, now: float) -> bool:
        """Whether to make a trial now; whoever hears yes makes it and calls :meth:`tried`."""
        with self._lock:
            if self._trust is not Trust.OPEN or now < self._next:
                return False
            self._trust = Trust.HALF_OPEN
            return True

    def tried(self, now: float, *, answered: bool) -> None:
        """A trial ended."""
        with self._lock:
            if answered:
                self._trust, self._in_a_row, self._pause = Trust.CLOSED, {}, FIRST_PAUSE
                return
            self._trust, self._next = Trust.OPEN, now + self._pause
            self._pause = min(LONGEST_PAUSE, 2 * self._pause)
