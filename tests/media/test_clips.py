"""Video files as people have them: whole, cut short, empty, of the wrong kind."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from av import VideoFrame

from lessonroom.errors import BadMedia
from lessonroom.media import clips
from lessonroom.media.clips import probe, samples, upright
from tests.media.videos import sound, video


@pytest.mark.parametrize("suffix", ["webm", "mkv", "mp4", "avi"])
def test_any_container_is_read(tmp_path: Path, suffix: str) -> None:
    clip = probe(video(tmp_path / f"lesson.{suffix}"))
    assert (clip.width, clip.height, clip.frames) == (160, 120, 48)
    assert clip.seconds == pytest.approx(4.0, abs=0.1)
    taken = list(samples(clip, 2.0))
    assert [round(sample.captured_at, 1) for sample in taken] == [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5]
    assert taken[0].image.shape == (120, 160, 3)


def test_a_rate_above_the_videos_takes_every_frame(tmp_path: Path) -> None:
    assert len(list(samples(probe(video(tmp_path / "a.webm", seconds=1)), 100.0))) == 12


def nothing(path: Path) -> Path:
    return path


def empty(path: Path) -> Path:
    path.touch()
    return path


def folder(path: Path) -> Path:
    path.mkdir()
    return path


def text(path: Path) -> Path:
    path.write_text("this is no video\n" * 100)
    return path


@pytest.mark.parametrize(
    ("make", "name", "says"),
    [
        (nothing, "a.mp4", "expected a video file, got none"),
        (empty, "a.mp4", "expected a video file, got an empty one"),
        (folder, "a.mp4", "expected a video file, got a folder"),
        (text, "a.mp4", "expected a whole video file, got one that cannot be read"),
        (sound, "a.wav", "expected a video stream, got sound alone"),
    ],
)
def test_what_is_no_video_is_told_in_one_line(tmp_path: Path, make: object, name: str, says: str) -> None:
    path = make(tmp_path / name)  # type: ignore[operator]
    with pytest.raises(BadMedia, match=re.escape(says)) as caught:
        probe(path)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize("suffix", ["webm", "mkv"])
def test_a_file_cut_short_says_what_was_expected_and_what_came(tmp_path: Path, suffix: str) -> None:
    path = video(tmp_path / f"lesson.{suffix}", seconds=10)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(BadMedia, match=r"expected 10\.\d s of video, got a file cut short after [3-7]\.\d s"):
        probe(path)


def test_an_avi_cut_short_says_so_in_bytes(tmp_path: Path) -> None:
    path = video(tmp_path / "lesson.avi")
    data = path.read_bytes()
    path.write_bytes(data[:-1000])
    with pytest.raises(BadMedia, match=f"expected {len(data)} bytes of video, got a file cut short after"):
        probe(path)


def test_a_file_without_its_index_cannot_be_read(tmp_path: Path) -> None:
    """An MP4 writes its index last, so that a copy which broke off has none."""
    path = video(tmp_path / "lesson.mp4")
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(BadMedia, match="expected a whole video file"):
        probe(path)


def test_a_live_recording_without_a_stated_length_is_read_to_its_end(tmp_path: Path) -> None:
    """Browsers' recordings state no duration; nothing can be missed in them."""
    path = video(tmp_path / "lesson.mkv", seconds=3)
    data = path.read_bytes()
    at = data.index(b"\x44\x89\x88")  # the Duration element, a float of eight bytes
    path.write_bytes(data[:at] + b"\xec\x89" + bytes(9) + data[at + 11 :])  # made a Void element
    assert probe(path).frames == 36


def test_a_turned_telephone_video_is_set_upright(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = np.zeros((2, 4, 3), np.uint8)
    picture[0, 0] = 255  # top left

    def turned(degrees: int) -> np.ndarray:
        frame: Any = SimpleNamespace(rotation=degrees)
        return upright(frame)

    monkeypatch.setattr(clips, "pixels", lambda frame: picture)
    assert turned(0)[0, 0, 0] == 255
    assert turned(-90).shape == (4, 2, 3)
    assert turned(-90)[0, 1, 0] == 255  # a quarter to the right: now top right
    assert turned(90)[3, 0, 0] == 255
    monkeypatch.undo()
    assert upright(VideoFrame(8, 8, "rgb24")).shape == (8, 8, 3)
