"""Reading video files: what they promise, what is there, and the frames that are worth a look, on the file's own clock.

FFmpeg's demuxers read on quietly where a file was cut short, so the packets are counted before anything is decoded.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from lessonroom.errors import BadMedia
from lessonroom.media.shots import pixels
from lessonroom.media.types import Image, Sample

SHORT = 0.05
"""A file that lacks more than this share of its promised length, and more than ``SHORT_SECONDS``, was cut short."""
SHORT_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Clip:
    """A video file that was read through: size in pixels, ``seconds`` from first to last frame."""

    path: Path
    width: int
    height: int
    seconds: float
    frames: int


def probe(path: Path) -> Clip:
    """Read through the file without decoding. Raises BadMedia for one that is missing, empty, cut short or no video."""
    _exists(path)
    with _opened(path) as container:
        stream = _video(container, path)
        promised = _promised(container, stream)
        frames, first, last, any_last = _count(container, stream)
        if frames == 0:
            raise BadMedia(f"{path}: expected a video with frames, got one without any")
        came = any_last - min(0.0, first)
        if promised is not None and promised - came > max(SHORT_SECONDS, SHORT * promised):
            raise BadMedia(f"{path}: expected {promised:.1f} s of video, got a file cut short after {came:.1f} s")
        return Clip(path, stream.width, stream.height, last - first, frames)


def samples(clip: Clip, rate: float) -> Iterator[Sample]:
    """Decode, and give up to ``rate`` pictures per second with their time from the start of the video.

    Broken frames are left out. Raises BadMedia when nothing could be decoded.
    """
    due, given = 0.0, 0
    for at, frame in _decoded(clip):
        if at >= due:
            yield Sample(upright(frame), at)
            given += 1
            # the grid, not the last frame, sets the pace, so that 2 per second of a 25 per second file are 2
            due = max(due + 1.0 / rate, at)
    if not given:
        raise BadMedia(f"{clip.path}: expected a video that can be decoded, got {clip.frames} broken frames")


def upright(frame: VideoFrame) -> Image:
    """BGR pixels, turned as a player would show them: telephones write the turn beside the picture."""
    return np.ascontiguousarray(np.rot90(pixels(frame), round(frame.rotation / 90) % 4))


def _decoded(clip: Clip) -> Iterator[tuple[float, VideoFrame]]:
    with _opened(clip.path) as container:
        stream = _video(container, clip.path)
        stream.thread_type = "AUTO"
        start, number = None, 0
        spacing = clip.seconds / max(1, clip.frames - 1)
        for packet in container.demux(stream):
            try:
                frames = packet.decode()
            except av.FFmpegError:
                continue
            for frame in frames:
                time = frame.time if frame.time is not None else number * spacing
                start = time if start is None else start
                number += 1
                yield max(0.0, time - start), frame


@contextmanager
def _opened(path: Path) -> Iterator[InputContainer]:
    try:
        container = av.open(str(path))
    except (av.FFmpegError, OSError) as error:
        raise BadMedia(f"{path}: expected a whole video file, got one that cannot be read ({_kind(error)})") from None
    with container:
        yield container


def _exists(path: Path) -> None:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise BadMedia(f"{path}: expected a video file, got none ({error.strerror})") from None
    if path.is_dir():
        raise BadMedia(f"{path}: expected a video file, got a folder")
    if not path.is_file():
        return
    if size == 0:
        raise BadMedia(f"{path}: expected a video file, got an empty one")
    promised = _riff_size(path)
    if size < promised:
        raise BadMedia(f"{path}: expected {promised} bytes of video, got a file cut short after {size}")


def _riff_size(path: Path) -> int:
    """What an AVI says of its own size, 0 for other files: for AVI alone, FFmpeg makes the length fit what is there."""
    with path.open("rb") as file:
        head = file.read(12)
    return int.from_bytes(head[4:8], "little") + 8 if head[:4] == b"RIFF" and head[8:] == b"AVI " else 0


def _video(container: InputContainer, path: Path) -> VideoStream:
    for stream in container.streams.video:
        if not stream.disposition & Disposition.attached_pic:  # the cover of a song is no video
            return stream
    got = "sound alone" if container.streams.audio else "neither picture nor sound"
    raise BadMedia(f"{path}: expected a video stream, got {got}")


def _promised(container: InputContainer, stream: VideoStream) -> float | None:
    """The length that the file's header states, in seconds; a live recording states none."""
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return container.duration / av.time_base if container.duration else None


def _count(container: InputContainer, stream: VideoStream) -> tuple[int, float, float, float]:
    """Packets with data, first and last end of video in seconds, and the last end of anything in the file."""
    frames, first, last, any_last = 0, 0.0, 0.0, 0.0
    try:
        for packet in container.demux():
            if packet.size == 0 or packet.time_base is None:
                continue
            time = packet.pts if packet.pts is not None else packet.dts
            begin = float(time * packet.time_base) if time is not None else last
            end = begin + float((packet.duration or 0) * packet.time_base)
            any_last = max(any_last, end)
            if packet.stream_index == stream.index:
                first = begin if frames == 0 else min(first, begin)
                last = max(last, end)
                frames += 1
    except av.FFmpegError:
        # a file cut in the middle of a packet ends here; what is missing shows in the times
        pass
    return frames, first, last, any_last


def _kind(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or type(error).__name__)
