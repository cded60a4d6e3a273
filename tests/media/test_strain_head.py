"""The strain head: what it reads, what it refuses, and that a lesson reads it as the fit wrote it."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from lessonroom import models
from lessonroom.config import Settings
from lessonroom.errors import ModelRefused
from lessonroom.media import expression, strain, strain_head, strain_reader
from lessonroom.media.observe import observe
from lessonroom.media.onnx_engine import OnnxEngine
from lessonroom.media.scoring import release, score
from lessonroom.media.scoring.tables import Asked
from lessonroom.media.strain_head import NAMES, Head, Seen
from lessonroom.media.types import EXPRESSIONS, Cue, Observation, Sample
from lessonroom.media.vision import MODELS
from tests.media.pictures import frame

FED = ("expression", "face_mesh", "mesh_shape")


def head(*names: str, embedding: bool = False) -> Head:
    """A head with some weight on every feature that is named, else on all."""
    used = names or (*NAMES, *(strain_head.embedded(1280) if embedding else ()))
    random = np.random.default_rng(1)
    fill, one, other, *known = random.normal(size=(5, len(used))) * 0.1
    return Head(used, fill, one, other, -1.0, np.array(known), -2.0)


def put(folder: Path, written: Head, fed_by: dict[str, str]) -> Path:
    """Write a head as the fit does."""
    folder.mkdir(exist_ok=True)
    data = strain_head.packed(written)
    card = release.sidecar(written, data, made_by="test", fitted_on="test", scores={}, fed_by=fed_by)
    (folder / "strain_head.npz").write_bytes(data)
    (folder / "strain_head.json").write_text(json.dumps(card))
    return folder


def feeders() -> dict[str, str]:
    return {name: models.load(name).card.sha256 for name in FED}


def test_every_feature_of_a_whole_record_has_a_finite_value() -> None:
    seen = Seen(dict.fromkeys(EXPRESSIONS, 0.0), dict.fromkeys(strain_head.SHAPE, 1.0), (1, 2, 3), (0, 0, 1, 1), 1.0,
                [0.0] * 64)  # fmt: skip
    values = strain_head.features(seen)
    assert values.shape == (len(NAMES),)
    assert np.isfinite(values).all()
    assert values[NAMES.index("log.anger")] == pytest.approx(math.log(1e-3))


def test_what_is_not_there_is_filled_in_and_moves_nothing() -> None:
    one = head()
    empty = one.row(Seen())
    assert (empty == one.fill).all()


@pytest.mark.parametrize("pose", [None, [3.0, 0.0, 0.0]])
def test_a_tight_crop_has_no_place_in_a_picture(pose: list[float] | None) -> None:
    """Nor has one whose face was brought into line: its pose is real, its box is just all of the crop."""
    face = {"box": [0.0, 0.0, 1.0, 1.0], "pose": pose, "score": None}
    values = strain_head.features(strain_head.of_record({"face": face, "expression": {"anger": 0.5}, "quality": 0.7}))
    assert np.isnan(values[NAMES.index("box.width")])
    assert np.isnan(values[NAMES.index("turn.yaw")]) == (pose is None)
    assert values[NAMES.index("expression.anger")] == 0.5


def test_a_head_reads_the_same_after_it_was_written_and_loaded(tmp_path: Path) -> None:
    written = head(embedding=True)
    read = strain_head.load(put(tmp_path, written, feeders()))
    seen = Seen({"anger": 0.4}, mesh=np.ones(64, np.float32), embedding=np.ones(1280, np.float32))
    assert read.chance(seen) == pytest.approx(written.chance(seen), abs=1e-9)
    own = written.row(Seen())
    assert read.chance(seen, own) == pytest.approx(written.chance(seen, own), abs=1e-9)
    assert read.changed(seen) == pytest.approx(written.changed(seen), abs=1e-9)
    assert read.uses == {"expression", "face", "mesh", "embedding"}


@pytest.mark.parametrize("feeder", FED)
def test_a_head_that_was_fitted_on_another_models_numbers_is_refused(tmp_path: Path, feeder: str) -> None:
    put(tmp_path, head(embedding=True), feeders() | {feeder: "0" * 64})
    with pytest.raises(ModelRefused, match=f"expected to be fitted with the {feeder} that is here"):
        strain_head.load(tmp_path)


@pytest.mark.parametrize(
    ("name", "block", "feeder"),
    [("expression.anger", "expression", "expression"), ("shape.brow", "face", "face_mesh")],
)
def test_a_head_of_named_numbers_is_refused_with_another_network_but_fits_any_where_it_names_none(
    tmp_path: Path, name: str, block: str, feeder: str
) -> None:
    """A fitted head names the network whose chances it learned; a prior from the literature has none to name."""
    put(tmp_path, head(name), {feeder: "0" * 12})
    with pytest.raises(ModelRefused, match=f"expected to be fitted with the {feeder} that is here"):
        strain_head.load(tmp_path)
    put(tmp_path, head(name), {})
    assert strain_head.load(tmp_path).uses == {block}


def test_a_head_without_an_own_part_reads_the_picture_alone() -> None:
    whole = head("expression.anger")
    alone = Head(whole.names, whole.fill, whole.frame, whole.change, whole.bias)
    seen = Seen(dict.fromkeys(EXPRESSIONS, 0.1))
    assert alone.chance(seen, np.ones(1)) == alone.chance(seen) == whole.chance(seen) != whole.chance(seen, np.ones(1))


@pytest.mark.parametrize(
    "broken",
    [
        Head(("expression.anger", "expression.anger"), np.zeros(2), np.zeros(2), np.zeros(2), 0.0),
        Head(("who.it.is",), np.zeros(1), np.zeros(1), np.zeros(1), 0.0),
        Head(("expression.anger",), np.zeros(1), np.array([np.nan]), np.zeros(1), 0.0),
        Head(("expression.anger",), np.zeros(2), np.zeros(1), np.zeros(1), 0.0),
    ],
)
def test_a_head_that_makes_no_sense_is_refused(broken: Head) -> None:
    with pytest.raises(ModelRefused, match=r"head\.npz: expected"):
        strain_head.unpacked(strain_head.packed(broken), "head.npz")


def test_a_file_that_is_no_head_is_refused() -> None:
    with pytest.raises(ModelRefused, match="expected names, fill"):
        strain_head.unpacked(b"PK not a head", "head.npz")


def test_the_head_that_ships_is_the_prior_and_says_so() -> None:
    """Its change is what the cue `frowning` reads from a face without any head, so hints are the same with it."""
    shipped = strain_head.load()
    assert models.load("strain_head").card.model_extra["fitted_on"].startswith("nothing")  # type: ignore[index]
    chances = dict(zip(EXPRESSIONS, (0.3, 0.1, 0.1, 0.1, 0.2, 0.1, 0.05, 0.05), strict=True))
    weights = strain.PRIOR[Cue.FROWNING].weights
    expected = sum(factor * chances[name] for name, factor in weights.items())
    assert shipped.changed(Seen(chances)) == pytest.approx(expected)


def test_a_head_takes_the_place_of_the_frown_and_of_nothing_else() -> None:
    rules = strain.StrainRules()
    face = {"expression": {"anger": 0.9, "sadness": 0.4}, "quality": 1.0}
    without, with_head = (strain._signals(Observation(0.0, **face, **more), rules) for more in ({}, {"change": -0.25}))
    assert with_head == (-0.25, *without[1:])


def test_a_lesson_reads_what_the_scores_hold_but_for_the_mirror_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The features of an observation and of a line of scores are the same, so what was fitted is what is read.

    Scores look at the mirror image, too, for which a lesson has no time; here they look once.
    """
    monkeypatch.setattr(score.Scorer, "_read", lambda self, greys: expression.read_all(self.engine, list(greys)))
    picture = frame(50.0)
    file = tmp_path / "picture.png"
    cv2.imwrite(str(file), picture)
    fitted = head(embedding=True)
    settings = Settings(strain_head=put(tmp_path / "head", fitted, feeders()))
    with OnnxEngine(MODELS) as engine:
        observation = observe(engine, Sample(picture, 0.0), strain_reader.of(settings))
    (record,) = score.run([[Asked("a", str(file))]], Settings(), embedding=True)
    assert observation.change is not None
    assert observation.change == pytest.approx(fitted.changed(strain_head.of_record(record)), abs=2e-3)


def test_a_folder_of_models_without_a_head_is_refused(tmp_path: Path) -> None:
    for path in models.folder().glob("*"):
        if "strain" not in path.name and path.is_file():
            shutil.copy(path, tmp_path)
    with pytest.raises(ModelRefused, match="strain_head"):
        strain_reader.of(Settings(models_dir=tmp_path))
