"""ONNX Runtime in this process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lessonroom import models
from lessonroom.errors import ModelRefused
from lessonroom.media import sessions
from lessonroom.media.onnx_engine import OnnxEngine
from lessonroom.media.providers import Gpu, Machine, choose, probe
from tests.contracts import tiny_models
from tests.contracts.engine import EngineContract


@pytest.fixture
def models_dir(tmp_path: Path) -> Path:
    return tiny_models.write(tmp_path)


class TestOnnxEngine(EngineContract):
    @pytest.fixture
    def engine(self, models_dir: Path) -> Iterator[OnnxEngine]:
        with OnnxEngine(models_dir=models_dir) as engine:
            yield engine


def test_a_gpu_that_does_not_start_although_nothing_was_missing_leaves_the_cpu(
    models_dir: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """ONNX Runtime complains about what this machine lacks and goes on elsewhere; the engine says so in one line."""
    choice = choose(("tensorrt", "cuda"), Machine({}, Gpu("Test", "9.0", "101300")))
    assert choice.name == "TensorRT"
    if not probe().missing:
        pytest.skip("there is a GPU here")
    with OnnxEngine(models_dir=models_dir, choice=choice, cache=models_dir / "engines") as engine:
        assert engine.provider == "CPU"
        assert engine.reason == "CUDA did not start"
        assert engine.infer("double", {"x": np.ones((1, 3), np.float32)})["y"][0, 0] == 2
    capfd.readouterr()


def test_a_swapped_file_is_refused(tmp_path: Path) -> None:
    tiny_models.write(tmp_path)
    (tmp_path / "double.onnx").write_bytes(tiny_models.sqrt())
    with pytest.raises(ModelRefused, match="sha256"):
        OnnxEngine(models_dir=tmp_path)


def test_a_file_that_is_no_network_is_refused_without_a_word_from_onnx_runtime(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "junk.onnx").write_bytes(b"junk")
    (tmp_path / "junk.json").write_text(json.dumps(tiny_models.sidecar("junk", b"junk")))
    with pytest.raises(ModelRefused, match=r"junk\.onnx: expected a network"):
        OnnxEngine(models_dir=tmp_path)
    assert capfd.readouterr().err == ""


def test_a_sidecar_that_names_other_outputs_is_refused(tmp_path: Path) -> None:
    network = tiny_models.add()
    card = tiny_models.sidecar("other", network, outputs=[{"name": "z", "shape": [None, 3]}])
    (tmp_path / "other.onnx").write_bytes(network)
    (tmp_path / "other.json").write_text(json.dumps(card))
    with pytest.raises(ModelRefused, match="outputs"):
        OnnxEngine(models_dir=tmp_path)


def test_an_expression_model_of_another_size_is_refused_when_it_is_loaded_and_not_at_every_look(tmp_path: Path) -> None:
    network = tiny_models.add()
    card = tiny_models.sidecar("expression", network, inputs=[{"name": "a", "shape": [None, 1, 64, 64]}])
    (tmp_path / "expression.onnx").write_bytes(network)
    (tmp_path / "expression.json").write_text(json.dumps(card))
    with pytest.raises(ModelRefused, match=r"expected an input of shape \(None, 1, 96, 96\), got \(None, 1, 64, 64\)"):
        OnnxEngine(models_dir=tmp_path)


def test_it_loads_what_is_named_and_nothing_else(tmp_path: Path) -> None:
    tiny_models.write(tmp_path)
    assert OnnxEngine(["root"], models_dir=tmp_path).models == ("root",)


def test_the_shipped_models_answer_and_keep_their_promises(capfd: pytest.CaptureFixture[str]) -> None:
    """Every ONNX file of the package, at batch 1 and 2, asked for with the GPU first as ``serve`` does."""
    with OnnxEngine(providers=("tensorrt", "cuda", "cpu")) as engine:
        assert engine.models
        for name in engine.models:
            for batch in (1, 2):
                inputs = {
                    tensor.name: np.zeros([batch, *(side or 1 for side in tensor.shape[1:])], tensor.dtype)
                    for tensor in models.load(name).card.inputs
                }
                assert all(len(answer) == batch for answer in engine.infer(name, inputs).values())
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("cores", "exact"),
    [
        (["fpu avx2 avx512f avx512_vnni"] * 2, True),
        (["fpu avx2 avx_vnni"] * 2, True),
        (["fpu avx2 avx512f", "fpu avx2 avx512f"], False),
        (["fpu avx2 avx_vnni", "fpu avx2"], False),
        ([], False),
        (None, False),
    ],
    ids=["VNNI of AVX-512", "VNNI of AVX", "AVX-512 alone", "not on every core", "no flags", "nothing told"],
)
def test_eight_bits_are_summed_the_quick_way_only_where_no_sum_can_overflow(
    cores: list[str] | None, exact: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    if cores is not None:
        cpuinfo.write_text("".join(f"processor\t: {n}\nflags\t\t: {flags}\n\n" for n, flags in enumerate(cores)))
    monkeypatch.setattr(sessions, "_CPUINFO", cpuinfo)
    sessions._sums_eight_bits.cache_clear()
    assert sessions._sums_eight_bits() is exact
    sessions._sums_eight_bits.cache_clear()
