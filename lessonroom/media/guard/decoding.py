"""Decoding on a few threads that all connections share, in order, with a bound on what waits.

aiortc starts a thread per receiver, whose libvpx starts another, and joins it on the event loop. Here a stream has no
thread of its own: its frames are decoded one after the other on the shared threads, and closing waits for nothing.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from functools import cache
from typing import cast

import av
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from lessonroom.media.guard.assembly import EncodedFrame

LIBAV_NAMES = {"VP8": "vp8", "H264": "h264"}
"""libav's own decoders. aiortc takes libvpx for VP8, which costs more memory and a thread."""
MOST_PIXELS = 1920 * 1088
"""A larger frame is refused before memory is taken for it."""
MOST_WAITING = 60
"""Encoded frames that may wait for a thread: two seconds of an unshaped stream. Then all of them are dropped."""
TIME_BASE = Fraction(1, 90_000)


class Skip(StrEnum):
    """What a decoder leaves out, in libav's words (AVDiscard)."""

    NOTHING = "DEFAULT"
    UNREFERENCED = "NONREF"
    ALL_BUT_KEYFRAMES = "NONKEY"


class Decoder:
    """One stream's libav decoder, with one thread. Not for use by two threads at once."""

    def __init__(self, codec: str) -> None:
        """Open the decoder for ``codec``, a key of :data:`LIBAV_NAMES`."""
        context = cast(VideoCodecContext, av.CodecContext.create(LIBAV_NAMES[codec], "r"))
        context.thread_count = 1
        context.options = {"max_pixels": str(MOST_PIXELS)}
        self._context = context
        self.errors = 0

    def skip(self, what: Skip) -> None:
        """Leave out frames that nobody will look at."""
        self._context.skip_frame = what.value

    def decode(self, frame: EncodedFrame) -> list[VideoFrame]:
        """Decode one frame; broken ones are counted in ``errors`` and give nothing."""
        packet = av.Packet(frame.data)
        packet.pts = frame.timestamp
        packet.time_base = TIME_BASE
        try:
            return self._context.decode(packet)
        except av.FFmpegError:
            self.errors += 1
            return []


@dataclass(frozen=True, slots=True)
class Decoded:
    """A picture and when the last packet of it came."""

    picture: VideoFrame
    at: float


class DecodeStream:
    """One stream's place at the shared threads. For use on one event loop.

    ``deliver`` gets each picture on the loop; ``broken`` is called on the loop when something could not be decoded or
    had to be dropped, so that a keyframe can be asked for.
    """

    def __init__(self, codec: str, deliver: Callable[[Decoded], None], broken: Callable[[], None]) -> None:
        self.decoder = Decoder(codec)
        self.dropped = 0
        self._deliver = deliver
        self._broken = broken
        self._waiting: deque[EncodedFrame] = deque()
        self._running: asyncio.Future[list[Decoded]] | None = None
        self._errors_told = 0
        self._closed = False

    def put(self, frame: EncodedFrame) -> None:
        """Decode this frame after those before it. When too many wait, they are dropped and the stream is broken."""
        if self._closed:
            return
        if len(self._waiting) >= MOST_WAITING:
            self.dropped += len(self._waiting) + 1
            self._waiting.clear()
            self._broken()
            return
        self._waiting.append(frame)
        if self._running is None:
            self._start()

    def close(self) -> None:
        """Give out nothing more. A frame that is being decoded is finished by its thread, and forgotten."""
        self._closed = True
        self._waiting.clear()

    def _start(self) -> None:
        batch = list(self._waiting)
        self._waiting.clear()
        loop = asyncio.get_running_loop()
        self._running = loop.run_in_executor(shared_threads(), self._decode, batch)
        self._running.add_done_callback(self._finished)

    def _decode(self, batch: list[EncodedFrame]) -> list[Decoded]:
        """On a shared thread."""
        return [Decoded(picture, frame.at) for frame in batch for picture in self.decoder.decode(frame)]

    def _finished(self, running: asyncio.Future[list[Decoded]]) -> None:
        self._running = None
        if self._closed or running.cancelled():
            return
        for decoded in running.result():
            self._deliver(decoded)
        if self.decoder.errors > self._errors_told:
            self._errors_told = self.decoder.errors
            self._broken()
        if self._waiting:
            self._start()


@cache
def shared_threads() -> Executor:
    """The threads that decode for all connections of the process: one per core, four at most."""
    return ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1), thread_name_prefix="decode")
