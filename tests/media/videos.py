"""Small video and sound files made on the spot."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np


def video(path: Path, seconds: float = 4.0, rate: int = 12, size: tuple[int, int] = (160, 120)) -> Path:
    """A grey picture with a moving bar; the container follows the file's suffix."""
    codec = {"webm": "libvpx", "mkv": "libvpx", "mp4": "mpeg4", "avi": "mjpeg"}[path.suffix[1:]]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height = size
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.bit_rate = 400_000
        if codec == "libvpx":
            stream.options = {"deadline": "realtime", "cpu-used": "8"}
        for number in range(round(seconds * rate)):
            picture = np.full((size[1], size[0], 3), 90, np.uint8)
            picture[:, number % size[0]] = 200
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def sound(path: Path) -> Path:
    """One second of silence."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def cut(path: Path, source: Path, *spans: tuple[float, float]) -> Path:
    """The parts of a video between these seconds, one after the other, at 320x240."""
    with av.open(str(source)) as given, av.open(str(path), "w") as made:
        rate = given.streams.video[0].average_rate
        stream = made.add_stream("libvpx", rate=rate)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = 320, 240, "yuv420p", 400_000
        stream.options = {"deadline": "realtime", "cpu-used": "8"}
        number = 0
        for frame in given.decode(video=0):
            if not any(start <= frame.time < end for start, end in spans):
                continue
            small = frame.reformat(320, 240, format="yuv420p")
            small.pts, small.time_base = number, 1 / rate
            number += 1
            made.mux(stream.encode(small))
        made.mux(stream.encode(None))
    return path
