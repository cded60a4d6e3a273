"""Files for a browser's fake camera, cut out of the clip that the product ships."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av

from lessonroom.simulate.sources import SHIPPED_CLIP

WIDTH, HEIGHT, RATE = 320, 240, 8
STRAINED_FROM = 37.5
"""When the face in the clip has its frown, in seconds; it is calm before second 35."""
CALM_SECONDS = 20.0
STRAINED_SECONDS = 30.0


def film(path: Path, *parts: tuple[float, float]) -> Path:
    """Write parts of the clip (first and last second) one after the other; a browser plays them again and again."""
    with av.open(str(path), "w", format="yuv4mpegpipe") as out:
        stream = out.add_stream("wrapped_avframe", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.time_base = Fraction(1, RATE)
        count = 0
        for begin, end in parts:
            for picture in _pictures(begin, end):
                picture.pts, picture.time_base = count, Fraction(1, RATE)
                out.mux(stream.encode(picture))
                count += 1
        out.mux(stream.encode(None))
    return path


def _pictures(begin: float, end: float) -> list[av.VideoFrame]:
    found, due = [], begin
    with av.open(str(SHIPPED_CLIP)) as clip:
        for frame in clip.decode(video=0):
            if frame.time >= end:
                break
            if frame.time >= due:
                found.append(frame.reformat(WIDTH, HEIGHT, "yuv420p"))
                due += 1 / RATE
    return found
