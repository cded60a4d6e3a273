"""The key that signs tickets, in a file of the data folder."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path
from typing import Final

from lessonroom import auth
from lessonroom.errors import BadSetting

KEY_FILE: Final = "signing.key"


def signing_key(path: Path) -> bytes:
    """The key that signs tickets; made on the first start, readable by its owner alone.

    It appears whole or not at all: whoever is killed on the way leaves no half of a key, and of two who start at once
    both go on with the same one. Raises BadSetting.
    """
    try:
        if not path.exists():
            _put_key(path)
        key = path.read_bytes()
    except OSError as error:
        raise BadSetting(f"data_dir: expected to write and read {path.name} there, got: {error.strerror}") from None
    if len(key) < auth.LEAST_SECRET:
        raise BadSetting(
            f"data_dir: expected {auth.LEAST_SECRET} bytes in {path.name}, got {len(key)}; "
            "remove the file, and the next start makes a new one"
        )
    return key


def _put_key(path: Path) -> None:
    """Write a new key beside the place and link it there, unless somebody was quicker."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(auth.LEAST_SECRET))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(beside, path)
    finally:
        beside.unlink()
