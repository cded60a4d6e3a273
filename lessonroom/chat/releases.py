"""Releases of the contact filter on disk: a folder for each, and a pointer that says which of them serves.

::

    DATA_DIR/models/contact_filter/
      releases.json                    {"current": VERSION, "previous": VERSION or null, "shadow": VERSION or null}
      VERSION/contact_filter.npz       the model
      VERSION/contact_filter.json      its sidecar: hash, training data, figures

``packaged`` is the version that came with Lessonroom; it serves while there is no pointer. A release appears whole or
not at all, and so does a change of the pointer: whoever is killed on the way leaves things as they were.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from lessonroom.chat import classifier
from lessonroom.chat.classifier import NAME, NetworkClassifier
from lessonroom.errors import BadInput, ModelRefused

PACKAGED: Final = "packaged"
POINTER: Final = "releases.json"
_VERSION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

Stamp = tuple[int, int, int] | None
"""What changes whenever a file is replaced or written to: inode, time in nanoseconds, size. None: no such file."""


class Pointer(BaseModel):
    """Which release serves, which one served before it, and which one is only asked too."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    current: str = PACKAGED
    previous: str | None = None
    shadow: str | None = None

    @property
    def chain(self) -> tuple[str, ...]:
        """Who is to serve, then who serves in place of one that cannot."""
        wanted = (self.current, self.previous, PACKAGED)
        return tuple(dict.fromkeys(version for version in wanted if version is not None))


@dataclass(frozen=True, slots=True)
class Release:
    """One release as a list shows it. ``model``: the version in its sidecar; ``wrong``: why it cannot serve, or ''."""

    version: str
    roles: tuple[str, ...]
    model: str = ""
    wrong: str = ""


class Releases:
    """The releases under a data folder. ``models_dir``: where the packaged model lies; None: with the package."""

    def __init__(self, data_dir: Path, models_dir: Path | None = None) -> None:
        self.folder = data_dir / "models" / NAME
        self._models_dir = models_dir

    # --- reading -----------------------------------------------------------------------------------------------------

    def pointer(self) -> Pointer:
        """The pointer; its defaults where there is none. Raises ModelRefused for one that cannot be read."""
        try:
            return Pointer.model_validate_json((self.folder / POINTER).read_bytes())
        except FileNotFoundError:
            return Pointer()
        except OSError as error:
            raise ModelRefused(f"{POINTER}: expected a readable file, got {error.strerror}") from error
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            raise ModelRefused(f"{POINTER}: expected current, previous and shadow, got: {first['msg']}") from None

    def load(self, version: str) -> NetworkClassifier:
        """The model of a version, checked. Raises ModelRefused."""
        if version == PACKAGED:
            return classifier.load(self._models_dir)
        model = classifier.load(self.place(version))
        if model.version != version:
            raise ModelRefused(f"{version}: expected a sidecar of this version, got one of another")
        return model

    def place(self, version: str) -> Path:
        """The folder of a version. Raises ModelRefused for a name that is none."""
        if not _VERSION.fullmatch(version) or version == PACKAGED:
            raise ModelRefused("expected a version of letters, digits, dots and dashes, got something else")
        return self.folder / version

    def stamp(self) -> tuple[Stamp, ...]:
        """Something that differs when the pointer or a file of the releases that it names has changed."""
        paths = [self.folder / POINTER]
        with contextlib.suppress(ModelRefused):
            pointer = self.pointer()
            named = [version for version in (pointer.current, pointer.shadow) if version and version != PACKAGED]
            paths += [self.place(version) / f"{NAME}.{end}" for version in named for end in ("npz", "json")]
        return tuple(map(_stamp, paths))

    def every(self) -> Iterator[Release]:
        """All releases with what they are now, the packaged one first. Raises ModelRefused for a bad pointer."""
        pointer = self.pointer()
        found = [path.name for path in self.folder.glob("*") if path.is_dir() and _VERSION.fullmatch(path.name)]
        named = [version for version in (pointer.current, pointer.previous, pointer.shadow) if version]
        for version in [PACKAGED, *sorted({*found, *named} - {PACKAGED})]:
            roles = tuple(role for role, name in pointer if name == version)
            try:
                yield Release(version, roles, self.load(version).version)
            except ModelRefused as error:
                yield Release(version, roles, wrong=str(error))

    # --- changing ----------------------------------------------------------------------------------------------------

    def free(self, version: str) -> None:
        """Return when a release of this version can be made. Raises BadInput."""
        if not _VERSION.fullmatch(version) or version == PACKAGED:
            raise BadInput("version: expected letters, digits, dots and dashes, got something else")
        if self.place(version).exists():
            raise BadInput(f"version: expected a new one, got {version}, which is there already")

    def add(self, version: str, write: Callable[[Path], object]) -> None:
        """Keep a new release; ``write`` puts its two files into the folder that it is given.

        Raises BadInput for a version that is there already, ModelRefused where what was written cannot serve.
        """
        self.free(version)
        self.folder.mkdir(parents=True, exist_ok=True)
        beside = self.folder / f".{version}.{secrets.token_hex(8)}"
        beside.mkdir()
        try:
            write(beside)
            if classifier.load(beside).version != version:
                raise ModelRefused(f"{version}: expected a sidecar of this version, got one of another")
            for path in beside.iterdir():
                _sync(path)
            beside.rename(self.place(version))
            _sync(self.folder)
        finally:
            shutil.rmtree(beside, ignore_errors=True)  # what is whole has another name by now

    def switch(self, version: str) -> Pointer:
        """Let a version serve. Raises ModelRefused for one that cannot, BadInput for the one that does already."""
        before = self.pointer()
        self.load(version)
        if version == before.current:
            raise BadInput(f"expected another version than the one that serves, got {version}")
        shadow = None if before.shadow == version else before.shadow
        return self._point(Pointer(current=version, previous=before.current, shadow=shadow))

    def rollback(self) -> Pointer:
        """Let the version before serve again. Raises BadInput where there was none, ModelRefused if it cannot."""
        before = self.pointer()
        if before.previous is None:
            raise BadInput("expected a release before this one, found none")
        return self.switch(before.previous)

    def shadow(self, version: str | None) -> Pointer:
        """Let a version be asked too, without a say; None ends that. Raises ModelRefused for one that cannot."""
        before = self.pointer()
        if version is not None:
            self.load(version)
        if version == before.current:
            raise BadInput(f"expected another version than the one that serves, got {version}")
        return self._point(before.model_copy(update={"shadow": version}))

    def _point(self, pointer: Pointer) -> Pointer:
        self.folder.mkdir(parents=True, exist_ok=True)
        beside = self.folder / f".{POINTER}.{secrets.token_hex(8)}"
        try:
            beside.write_text(pointer.model_dump_json() + "\n", encoding="utf-8")
            _sync(beside)
            beside.replace(self.folder / POINTER)
            _sync(self.folder)
        finally:
            beside.unlink(missing_ok=True)
        return pointer


def _stamp(path: Path) -> Stamp:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _sync(path: Path) -> None:
    """Wait until a file or a folder is on the disk. A system that cannot open folders has nothing to wait for."""
    if path.is_dir() and os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
