"""Model files and sidecars: only what was described is loaded."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from lessonroom import models
from lessonroom.errors import ModelRefused


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """A folder with one good model, ``tiny``."""
    data = b"weights"
    card = {
        "name": "tiny",
        "file": "tiny.npz",
        "sha256": hashlib.sha256(data).hexdigest(),
        "version": "1",
        "made_by": "a test",
        "libraries": {"numpy": "2"},
        "inputs": [{"name": "x", "shape": [None, 3], "range": "0 to 1"}],
        "outputs": [{"name": "y", "shape": [None, 1]}],
        "training_data": "none",
        "terms": "none",
        "scores": {},
        "known_failures": [],
        "licence": "Apache-2.0",
    }
    (tmp_path / "tiny.npz").write_bytes(data)
    (tmp_path / "tiny.json").write_text(json.dumps(card))
    return tmp_path


def test_a_model_that_agrees_with_its_sidecar_is_read(shelf: Path) -> None:
    assert models.load("tiny", shelf).read() == b"weights"
    assert list(models.names(shelf)) == ["tiny"]


@pytest.mark.parametrize("wrong", [b"", b"weight", b"another network"])
def test_a_truncated_or_swapped_file_is_refused(shelf: Path, wrong: bytes) -> None:
    (shelf / "tiny.npz").write_bytes(wrong)
    with pytest.raises(ModelRefused, match=r"tiny\.npz: expected sha256"):
        models.load("tiny", shelf)


def test_a_file_swapped_between_check_and_load_is_refused(shelf: Path) -> None:
    model = models.load("tiny", shelf)
    (shelf / "tiny.npz").write_bytes(b"another network")
    with pytest.raises(ModelRefused):
        model.read()


def test_a_missing_file_or_sidecar_is_refused_in_one_line(shelf: Path) -> None:
    (shelf / "tiny.npz").unlink()
    with pytest.raises(ModelRefused, match=r"tiny\.npz: expected a readable model file"):
        models.load("tiny", shelf)
    with pytest.raises(ModelRefused, match=r"none\.json: expected a readable sidecar"):
        models.load("none", shelf)


def test_a_sidecar_that_lacks_a_promise_is_refused_with_its_name(shelf: Path) -> None:
    card = json.loads((shelf / "tiny.json").read_text())
    del card["licence"]
    (shelf / "tiny.json").write_text(json.dumps(card))
    with pytest.raises(ModelRefused, match=r"tiny\.json: licence: Field required"):
        models.load("tiny", shelf)


def test_every_shipped_model_agrees_with_its_sidecar() -> None:
    for name in models.names():
        assert models.load(name).card.name == name
