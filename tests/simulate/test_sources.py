"""What a simulated camera shows."""

from __future__ import annotations

import asyncio
from pathlib import Path

import cv2
import numpy as np
import pytest
from aiortc.mediastreams import MediaStreamError

from lessonroom.errors import BadMedia
from lessonroom.simulate.sources import Camera, pictures_of
from tests.media.videos import sound, video


def folder(path: Path) -> Path:
    """Two pictures of different size, and a file that is none."""
    path.mkdir()
    cv2.imwrite(str(path / "1.png"), np.full((101, 201, 3), 200, np.uint8))
    cv2.imwrite(str(path / "2.jpg"), np.full((240, 320, 3), 20, np.uint8))
    (path / "notes.txt").write_text("no picture")
    return path


async def test_two_tracks_show_one_camera_at_their_own_rate_and_size(tmp_path: Path) -> None:
    camera = Camera(video(tmp_path / "a.webm", seconds=2, size=(320, 240)))
    slow, quick = camera.track(rate=5, height=120), camera.track(rate=30)

    async def watch(track: object, count: int) -> list[object]:
        return [await track.recv() for _ in range(count)]  # type: ignore[attr-defined]

    few, many = await asyncio.gather(watch(slow, 4), watch(quick, 16))
    assert {(frame.width, frame.height) for frame in few} == {(160, 120)}  # type: ignore[attr-defined]
    assert {(frame.width, frame.height) for frame in many} == {(320, 240)}  # type: ignore[attr-defined]
    assert [frame.pts for frame in few] == sorted({frame.pts for frame in few})  # type: ignore[attr-defined]
    assert few[1].pts - few[0].pts >= 18_000  # type: ignore[attr-defined]
    await camera.close()


async def test_a_clip_begins_again_at_its_end(tmp_path: Path) -> None:
    camera = Camera(video(tmp_path / "a.webm", seconds=0.5))
    track = camera.track(rate=20)
    for _ in range(24):  # more than twice its length
        await asyncio.wait_for(track.recv(), 30)
    await camera.close()
    with pytest.raises(MediaStreamError):
        await asyncio.wait_for(track.recv(), 30)


async def test_a_folder_of_pictures_is_a_source(tmp_path: Path) -> None:
    path = folder(tmp_path / "pictures")
    assert [(frame.width, frame.height) for frame, _ in pictures_of(path)] == [(201, 101), (320, 240)]
    camera = Camera(path)
    frame = await camera.track(rate=5, height=50).recv()
    assert (frame.width % 2, frame.height % 2, frame.format.name) == (0, 0, "yuv420p")
    await camera.close()


def test_nothing_to_show_is_told_before_anything_plays(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "none.webm", sound(tmp_path / "a.wav"), tmp_path / "empty"):
        with pytest.raises(BadMedia):
            Camera(path)


async def test_a_broken_picture_ends_the_track(tmp_path: Path) -> None:
    path = folder(tmp_path / "pictures")
    (path / "0.png").write_bytes(b"broken")
    camera = Camera(path)
    with pytest.raises(MediaStreamError):
        await asyncio.wait_for(camera.track(rate=5).recv(), 30)
    await camera.close()
