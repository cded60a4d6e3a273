"""A frame on its way to a look: kept as the decoder gave it, converted in its turn, blackened when it is over."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from lessonroom.media.types import Image, Place, Sample

MOST_SIDE = 1280
"""Frames are brought down to this longer side, in pixels, on their way out of the decoder's colours."""


@dataclass(slots=True)
class Shot:
    """A frame that was chosen for analysis; its pixels are converted when its turn comes, and not before.

    ``before`` as in :class:`~lessonroom.media.types.Sample`. :meth:`wipe` may be called on any thread, at any time.
    """

    frame: VideoFrame | None = field(repr=False)
    captured_at: float
    before: Place | None = None
    _image: Image | None = field(default=None, repr=False)
    _wiped: bool = False

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels; zeros once the frame was converted or wiped."""
        return (0, 0) if self.frame is None else (self.frame.width, self.frame.height)

    def sample(self) -> Sample | None:
        """Convert to BGR, in one pass with bringing a large picture down; None once it was wiped."""
        frame, self.frame = self.frame, None
        if frame is None:
            return None
        self._image = pixels(frame)
        if self._wiped:  # meanwhile, when there was nothing to blacken yet
            self._image.fill(0)
            return None
        return Sample(self._image, self.captured_at, self.before)

    def wipe(self) -> None:
        """Forget the frame and blacken its pixels, also under a look that hangs."""
        self.frame, self._wiped = None, True
        if self._image is not None:
            self._image.fill(0)


def pixels(frame: VideoFrame) -> Image:
    """BGR pixels, a large picture brought down in the same pass."""
    scale = min(1.0, MOST_SIDE / max(frame.width, frame.height))
    width, height = round(frame.width * scale), round(frame.height * scale)
    # a frame's own reformat makes its tables anew for each frame, which takes eight times as long as the colours
    made = _converters.of_this_thread.reformat(frame, width, height, format="bgr24", threads=1)
    return made.to_ndarray().astype(np.uint8, copy=False)


class _Converters(threading.local):
    """Each thread's own: a reformatter keeps its tables from frame to frame, and must not be shared."""

    def __init__(self) -> None:
        self.of_this_thread = VideoReformatter()


_converters = _Converters()
