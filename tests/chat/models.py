"""Models for tests: one that always gives one answer, and copies of the packaged one under other versions."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from threading import Event

from lessonroom import models
from lessonroom.chat.classifier import NAME, Opinion
from lessonroom.chat.features import Features
from lessonroom.chat.types import Kind


class Fixed:
    """A classifier that always gives one answer, or fails with one error."""

    def __init__(self, answer: float | Exception, version: str = "fixed", kind: Kind = Kind.MESSENGER) -> None:
        self.answer = answer
        self.kind = kind
        self.version = version

    def opinion(self, evidence: Features) -> Opinion:
        if isinstance(self.answer, Exception):
            raise self.answer
        return Opinion(self.answer, self.kind)


class Stuck:
    """A classifier that does not answer until it is released."""

    version = "stuck"

    def __init__(self, answer: float = 0.0) -> None:
        self.answer = answer
        self.release = Event()

    def opinion(self, evidence: Features) -> Opinion:
        self.release.wait(60)
        return Opinion(self.answer, Kind.MESSENGER)


def copied(version: str) -> Callable[[Path], None]:
    """Writes the packaged model into a folder, as if it were of another version."""

    def write(folder: Path) -> None:
        card = json.loads((models.folder() / f"{NAME}.json").read_text())
        (folder / f"{NAME}.json").write_text(json.dumps(card | {"version": version}))
        (folder / f"{NAME}.npz").write_bytes((models.folder() / f"{NAME}.npz").read_bytes())

    return write


def damage(folder: Path) -> None:
    """Cut the model's file in a folder short."""
    path = folder / f"{NAME}.npz"
    path.write_bytes(path.read_bytes()[:-1])
