"""What a simulated camera shows: a video file or a folder of pictures, round and round, on a clock."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import av
from aiortc.mediastreams import MediaStreamError
from av.video.frame import VideoFrame

from lessonroom.errors import BadMedia
from lessonroom.media.clips import probe
from lessonroom.simulate.paced import PacedTrack

SHIPPED_CLIP = Path(__file__).parent / "student.webm"
"""A portrait that looks calm, then strained, then calm again; free to redistribute."""
PICTURES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp"})
PICTURE_SECONDS = 5.0
"""How long each picture of a folder is shown."""


class Camera:
    """One source for any number of tracks; each shows the newest picture at its own rate and size.

    ``path``: a video or a folder of pictures. Raises BadMedia when there is nothing to show. Starts with the first
    track's first picture.
    """

    def __init__(self, path: Path) -> None:
        self._pictures = _around(path)
        self._task: asyncio.Task[None] | None = None
        self._newest: VideoFrame | None = None
        self._came = asyncio.Event()

    def track(self, *, rate: float, height: int | None = None) -> CameraTrack:
        """A track of ``rate`` pictures per second; ``height`` brings larger ones down to so many lines."""
        return CameraTrack(self, rate, height)

    async def picture(self) -> VideoFrame:
        """The newest picture. Raises MediaStreamError when the source has failed or the camera is off."""
        if self._task is None:
            self._task = asyncio.create_task(self._play(), name="simulated-camera")
        while self._newest is None:
            if self._task.done():
                raise MediaStreamError
            await self._came.wait()
        return self._newest

    async def close(self) -> None:
        """Switch off; tracks end."""
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._newest = None
        self._came.set()

    async def _play(self) -> None:
        began, at = time.monotonic(), 0.0
        try:
            while True:
                # decoding takes milliseconds, which belong to no event loop
                frame, lasts = await asyncio.to_thread(next, self._pictures)
                await asyncio.sleep(began + at - time.monotonic())
                self._newest = frame
                self._came.set()
                at += lasts
        finally:
            self._came.set()


class CameraTrack(PacedTrack):
    """A video track for aiortc."""

    def __init__(self, camera: Camera, rate: float, height: int | None) -> None:
        super().__init__(rate, leave_out=True)
        self._camera = camera
        self._height = height

    async def recv(self) -> VideoFrame:
        """The next picture when it is due."""
        number = await self.due()
        frame = self._sized(await self._camera.picture())
        self.stamp(frame, number)
        return frame

    def _sized(self, frame: VideoFrame) -> VideoFrame:
        """A copy of its own, in the colours that encoders take; sides are even, as VP8 has them."""
        scale = min(1.0, self._height / frame.height) if self._height else 1.0
        width, height = (round(side * scale / 2) * 2 for side in (frame.width, frame.height))
        if (width, height, frame.format.name) == (frame.width, frame.height, "yuv420p"):
            return VideoFrame.from_ndarray(frame.to_ndarray(), format="yuv420p")
        return frame.reformat(width, height, format="yuv420p")


def pictures_of(path: Path) -> Iterator[tuple[VideoFrame, float]]:
    """Each picture once, with the seconds for which it is shown."""
    if path.is_dir():
        yield from ((_picture(each), PICTURE_SECONDS) for each in _folder(path))
        return
    clip = probe(path)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        yield from ((frame, clip.seconds / clip.frames) for frame in container.decode(stream))


def check(path: Path) -> None:
    """Return when there is something to show. Raises BadMedia."""
    if path.is_dir():
        _folder(path)
    else:
        probe(path)


def _around(path: Path) -> Iterator[tuple[VideoFrame, float]]:
    """Round and round. What is wrong with the source is found before anything plays."""
    check(path)

    def again() -> Iterator[tuple[VideoFrame, float]]:
        while True:
            yield from pictures_of(path)

    return again()


def _folder(path: Path) -> list[Path]:
    found = sorted(each for each in path.iterdir() if each.suffix.lower() in PICTURES)
    if not found:
        raise BadMedia(f"{path}: expected pictures ({', '.join(sorted(PICTURES))}) in the folder, got none")
    return found


def _picture(path: Path) -> VideoFrame:
    try:
        with av.open(str(path)) as container:
            return next(container.decode(container.streams.video[0]))
    except (av.FFmpegError, IndexError, StopIteration) as error:
        raise BadMedia(f"{path}: expected a picture, got {type(error).__name__}") from None
