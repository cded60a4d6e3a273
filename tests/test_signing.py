"""The key that signs tickets: whole or not there, and nobody else's to read."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from lessonroom.errors import BadSetting
from lessonroom.signing import KEY_FILE, signing_key


def test_the_signing_key_is_made_once_and_is_nobody_elses_to_read(tmp_path: Path) -> None:
    key = signing_key(tmp_path / KEY_FILE)
    assert len(key) == 32
    assert signing_key(tmp_path / KEY_FILE) == key
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600


@pytest.mark.parametrize("left", [b"", b"short"])
def test_a_truncated_signing_key_stops_the_start_and_says_what_to_do(tmp_path: Path, left: bytes) -> None:
    (tmp_path / KEY_FILE).write_bytes(left)
    with pytest.raises(BadSetting, match=rf"data_dir: expected 32 bytes in {KEY_FILE}, got {len(left)}; remove"):
        signing_key(tmp_path / KEY_FILE)


def test_a_crash_on_the_way_leaves_no_part_of_a_signing_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr("os.fsync", _fail)
        with pytest.raises(BadSetting, match=r"data_dir: .* No space left"):
            signing_key(tmp_path / KEY_FILE)
    assert list(tmp_path.iterdir()) == []
    assert len(signing_key(tmp_path / KEY_FILE)) == 32
    assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE]


def test_of_two_that_start_at_once_both_have_the_same_signing_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync = os.fsync

    def somebody_is_quicker(handle: int) -> None:
        sync(handle)
        if not (tmp_path / KEY_FILE).exists():
            (tmp_path / KEY_FILE).write_bytes(b"k" * 32)

    monkeypatch.setattr("os.fsync", somebody_is_quicker)
    assert signing_key(tmp_path / KEY_FILE) == b"k" * 32


def _fail(handle: int) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
