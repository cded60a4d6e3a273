"""Decoding on a few threads that all connections share, in order, with a bound on what waits.

aiortc starts a thread per receiver, whose libvpx starts another, and joins it on the event loop. Here a stream has no
thread of its own: its frames are decoded one after the other on the shared threads, and closing waits for nothing.
The small, slow streams that our own pages send are decoded on the loop: a frame takes a fifth of a millisecond, and
going to a thread and back costs as much again (0.40 instead of 0.48 % of a core for 320x240 at 5 frames a second).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import cast

import av
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from lessonroom import cores
from lessonroom.media.guard.assembly import EncodedFrame

LIBAV_NAMES = {"VP8": "vp8", "H264": "h264"}
"""libav's own decoders. aiortc takes libvpx for VP8, which costs more memory and a thread."""
MOST_PIXELS = 1920 * 1088
"""A larger frame is refused before memory is taken for it."""
MOST_WAITING = 60
"""Encoded frames that may wait for a thread: two seconds of an unshaped stream. Then all of them are dropped."""
SMALL_BYTES, SMALL_PIXELS, SMALL_PAUSE = 8192, 110_000, 0.08
"""A frame of fewer bytes, after a picture of no more pixels and a pause of so many seconds, is decoded on the loop."""
MOST_LATE = 32
"""Frames whose arrival is remembered until their picture comes out: H.264 puts 16 in order at most."""
TIME_BASE = Fraction(1, 90_000)


class Decoder:
    """One stream's libav decoder, with one thread. Not for use by two threads at once."""

    def __init__(self, codec: str) -> None:
        """Open the decoder for ``codec``, a key of :data:`LIBAV_NAMES`."""
        context = cast(VideoCodecContext, av.CodecContext.create(LIBAV_NAMES[codec], "r"))
        context.thread_count = 1
        context.options = {"max_pixels": str(MOST_PIXELS)}
        self._context = context
        self.errors = 0

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
    """A picture and when the last packet of it came: with B-frames, not the one that brought it out of the decoder."""

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
        self._pixels = MOST_PIXELS
        self._last_at = 0.0
        self._came: dict[int, float] = {}
        self._closed = False

    def put(self, frame: EncodedFrame) -> None:
        """Decode this frame after those before it. When too many wait, they are dropped and the stream is broken."""
        if self._closed:
            return
        small, self._last_at = self._is_small(frame), frame.at
        if small and self._running is None:
            self._give(self._decode([frame]))
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

    def _is_small(self, frame: EncodedFrame) -> bool:
        paused = frame.at - self._last_at >= SMALL_PAUSE
        return paused and len(frame.data) < SMALL_BYTES and self._pixels <= SMALL_PIXELS

    def _start(self) -> None:
        batch = list(self._waiting)
        self._waiting.clear()
        loop = asyncio.get_running_loop()
        self._running = loop.run_in_executor(shared_threads(), self._decode, batch)
        self._running.add_done_callback(self._finished)

    def _decode(self, batch: list[EncodedFrame]) -> list[Decoded]:
        """On a shared thread, or on the loop while no thread does it."""
        return [Decoded(picture, self._arrival(picture, frame)) for frame in batch for picture in self._out(frame)]

    def _out(self, frame: EncodedFrame) -> list[VideoFrame]:
        self._came[frame.timestamp] = frame.at
        if len(self._came) > MOST_LATE:
            del self._came[next(iter(self._came))]
        return self.decoder.decode(frame)

    def _arrival(self, picture: VideoFrame, latest: EncodedFrame) -> float:
        """Pictures come out in the order in which they are shown, with the timestamps of their packets."""
        stamp = latest.timestamp if picture.pts is None else picture.pts
        return self._came.pop(stamp, latest.at)

    def _finished(self, running: asyncio.Future[list[Decoded]]) -> None:
        self._running = None
        if self._closed or running.cancelled():
            return
        self._give(running.result())
        if self._waiting:
            self._start()

    def _give(self, pictures: list[Decoded]) -> None:
        """Hand out what was decoded, and say when something could not be."""
        for decoded in pictures:
            self._pixels = decoded.picture.width * decoded.picture.height
            self._deliver(decoded)
        if self.decoder.errors > self._errors_told:
            self._errors_told = self.decoder.errors
            self._broken()


@cache
def shared_threads() -> Executor:
    """The threads that decode for all connections of the process: one per core, four at most."""
    return ThreadPoolExecutor(max_workers=min(4, cores.whole()), thread_name_prefix="decode")
