"""A camera's stream as a page shapes it for the analyser, encoded once and sent by any number of tracks.

Encoding sixty-four pictures at a time would measure the sender, not the server.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.packet import Packet

from lessonroom.simulate.paced import PacedTrack
from lessonroom.simulate.sources import pictures_of

WIDTH, HEIGHT, RATE, BITRATE = 320, 240, 5, 100_000
"""What our own page asks of the browser (``web/js/analyser.js``)."""


def encode(path: Path, *, most_seconds: float = 120.0) -> list[bytes]:
    """VP8 frames of the clip at 320x240, 5 per second, 100 kbit/s; the first one is a keyframe."""
    encoder = av.CodecContext.create("libvpx", "w")
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    encoder.bit_rate, encoder.time_base, encoder.framerate = BITRATE, Fraction(1, RATE), Fraction(RATE)
    encoder.options = {"deadline": "realtime", "cpu-used": "6", "lag-in-frames": "0", "g": str(10 * RATE)}
    frames: list[bytes] = []
    due = at = 0.0
    for picture, lasts in pictures_of(path):
        at += lasts
        while at > due and len(frames) < most_seconds * RATE:
            sized = picture.reformat(WIDTH, HEIGHT, format="yuv420p")
            sized.pts, sized.time_base = round(due * RATE), Fraction(1, RATE)
            frames += [bytes(packet) for packet in encoder.encode(sized)]
            due += 1.0 / RATE
    return frames + [bytes(packet) for packet in encoder.encode(None)]


class ShapedTrack(PacedTrack):
    """Gives encoded frames on time, round and round; aiortc only packs them."""

    def __init__(self, frames: list[bytes]) -> None:
        super().__init__(RATE)
        self._frames = frames

    async def recv(self) -> Packet[Any]:
        """The next frame when it is due."""
        number = await self.due()
        made = packet(self._frames, number)
        self.stamp(made, number)
        return made


def packet(frames: list[bytes], number: int) -> Packet[Any]:
    """The frame with this number, counted round and round, for a decoder."""
    made = Packet(frames[number % len(frames)])
    made.pts, made.time_base = number, Fraction(1, RATE)
    return made
