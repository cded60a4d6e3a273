"""Model files and their sidecars: find, read, check.

Every ``models/NAME.onnx`` (or other data-only file) has a ``models/NAME.json`` that says what it is. A file whose
SHA-256 differs from its sidecar's is refused: a swapped or truncated model must not quietly give other answers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lessonroom.errors import ModelRefused

PACKAGED = Path(__file__).parent / "_models"
"""Where an installed wheel carries the models."""
CHECKOUT = Path(__file__).parent.parent / "models"


SHORT = 12
"""Digits of a hash that name a model."""


class Tensor(BaseModel):
    """One input or output: ``shape`` with None for a free dimension, ``range`` of its values in words."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    shape: tuple[int | None, ...]
    dtype: str = "float32"
    range: str = ""


class Sidecar(BaseModel):
    """What ``NAME.json`` must say about its model; further keys (scores, thresholds, ...) are the model's own."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: str
    file: str = Field(pattern=r"^[\w-]+\.(onnx|npz|json|safetensors)$")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    version: str
    made_by: str
    libraries: dict[str, str]
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    labels: tuple[str, ...] = ()
    training_data: str
    terms: str
    scores: dict[str, Any]
    known_failures: tuple[str, ...]
    licence: str


@dataclass(frozen=True, slots=True)
class Model:
    """A model whose file and sidecar agree."""

    path: Path
    card: Sidecar

    def read(self) -> bytes:
        """The file's bytes, checked again: what is loaded is what was verified. Raises ModelRefused."""
        return _checked(self.path, self.card)


def folder(chosen: Path | None = None) -> Path:
    """The folder of models: the one chosen by setting, else the wheel's, else the checkout's."""
    if chosen is not None:
        return chosen
    return PACKAGED if PACKAGED.is_dir() else CHECKOUT


def load(name: str, chosen: Path | None = None) -> Model:
    """Read and check one model. Raises ModelRefused with the file's name and what is wrong with it."""
    place = folder(chosen)
    card = _card(place / f"{name}.json")
    path = place / card.file
    _checked(path, card)
    return Model(path, card)


def short(sha256: str) -> str:
    """The first digits of a hash: enough to tell models apart in a record."""
    return sha256[:SHORT]


def brief(name: str, chosen: Path | None = None) -> str:
    """:func:`short` of a model's hash. Raises ModelRefused."""
    return short(load(name, chosen).card.sha256)


def names(chosen: Path | None = None) -> Iterator[str]:
    """Names of all models that have a sidecar, sorted."""
    return iter(sorted(path.stem for path in folder(chosen).glob("*.json")))


def networks(chosen: Path | None = None) -> Iterator[str]:
    """Names of those that are ONNX networks, sorted."""
    place = folder(chosen)
    return (name for name in names(chosen) if (place / f"{name}.onnx").is_file())


def _card(path: Path) -> Sidecar:
    try:
        return Sidecar.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ModelRefused(f"{path.name}: expected a readable sidecar, got {error.strerror}") from error
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ModelRefused(f"{path.name}: {where}: {first['msg']}") from None


def _checked(path: Path, card: Sidecar) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelRefused(f"{path.name}: expected a readable model file, got {error.strerror}") from error
    found = hashlib.sha256(data).hexdigest()
    if found != card.sha256:
        raise ModelRefused(f"{path.name}: expected sha256 {card.sha256[:12]}..., got {found[:12]}...")
    return data
