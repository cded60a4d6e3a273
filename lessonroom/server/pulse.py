"""How late the event loop is: a timer that should ring four times a second, and how much later it does."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

EVERY: Final = 0.25
KEPT: Final = 20
"""Beats that are kept: five seconds."""


class Pulse:
    """Beats on the running loop between :meth:`start` and :meth:`stop`."""

    def __init__(self) -> None:
        self._late: deque[float] = deque(maxlen=KEPT)
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0

    @property
    def mean(self) -> float:
        """Mean lateness of the last beats, in seconds."""
        return sum(self._late) / len(self._late) if self._late else 0.0

    @property
    def worst(self) -> float:
        """The latest of the last beats, in seconds."""
        return max(self._late, default=0.0)

    def start(self) -> None:
        """Begin. Call on the event loop."""
        self._wait(asyncio.get_running_loop())

    def stop(self) -> None:
        """Beat no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _wait(self, loop: asyncio.AbstractEventLoop) -> None:
        self._due = loop.time() + EVERY
        self._timer = loop.call_at(self._due, self._beat, loop)

    def _beat(self, loop: asyncio.AbstractEventLoop) -> None:
        self._late.append(max(0.0, loop.time() - self._due))
        self._wait(loop)
