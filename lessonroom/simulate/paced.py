"""A video track whose frames are due at a steady rate."""

from __future__ import annotations

import asyncio
import time
from fractions import Fraction
from typing import Any, Final

from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av.packet import Packet
from av.video.frame import VideoFrame

TICKS: Final = 90_000
"""Of the media clock, a second."""


class PacedTrack(MediaStreamTrack):
    """What all our tracks have in common. The first frame is due when it is first asked for.

    ``leave_out``: what is late is left out, so that a slow machine does not hurry after its own clock; a stream that
    was encoded beforehand cannot do without any frame.
    """

    kind = "video"

    def __init__(self, rate: float, *, leave_out: bool = False) -> None:
        super().__init__()
        self._rate = rate
        self._leave_out = leave_out
        self._began: float | None = None
        self._next = 0

    async def due(self) -> int:
        """Wait until the next frame is due, and give its number. Raises MediaStreamError when the track has ended."""
        if self.readyState != "live":
            raise MediaStreamError
        now = time.monotonic()
        self._began = now if self._began is None else self._began
        if self._leave_out:
            self._next = max(self._next, int((now - self._began) * self._rate))
        number, self._next = self._next, self._next + 1
        await asyncio.sleep(self._began + number / self._rate - now)
        return number

    def stamp(self, made: Packet[Any] | VideoFrame, number: int) -> None:
        """Give a packet or a picture the time of the frame with this number."""
        made.pts, made.time_base = round(number * TICKS / self._rate), Fraction(1, TICKS)
