"""The bench of GPUs: what it reports, tried between engines of the CPU, and what it says where there is no GPU."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from rich.console import Console

from lessonroom.bench import gpu, networks
from lessonroom.cli import commands
from lessonroom.config import Settings
from lessonroom.errors import BadMedia
from lessonroom.media.engine import Arrays
from lessonroom.media.onnx_engine import OnnxEngine
from lessonroom.media.providers import Gpu, Machine, choose, probe
from lessonroom.media.vision import MODELS
from lessonroom.simulate.sources import SHIPPED_CLIP
from tests.media.test_bound import HostMemory
from tests.media.videos import video as made

HERE = probe()


@pytest.fixture(scope="module")
def engine() -> Iterator[OnnxEngine]:
    with OnnxEngine(MODELS) as opened:
        yield opened


@pytest.fixture(scope="module")
def rows(engine: OnnxEngine) -> dict[str, Arrays]:
    return networks.inputs(engine, Settings(), SHIPPED_CLIP)


def test_each_network_gets_64_rows_that_looks_at_the_clip_asked_for(rows: dict[str, Arrays]) -> None:
    assert set(rows) == set(MODELS)
    for arrays in rows.values():
        for array in arrays.values():
            assert len(array) == networks.ROWS
            assert len(np.unique(array.reshape(networks.ROWS, -1), axis=0)) > 10


def test_a_clip_without_a_face_is_refused(engine: OnnxEngine, tmp_path: Path) -> None:
    with pytest.raises(BadMedia, match="face"):
        networks.inputs(engine, Settings(), made(tmp_path / "empty.mp4"))


def test_places_are_compared_with_the_cpu_by_speed_and_by_answers(
    engine: OnnxEngine, rows: dict[str, Arrays], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bound buffers on memory of the host stand where a GPU's stand: all but the GPU is as on the day it is there."""
    monkeypatch.setattr(gpu, "BATCHES", (1, 4))
    with OnnxEngine(MODELS, memory=HostMemory()) as bound:
        figures = gpu.compare(engine, [gpu.Place("Test", gpu.BOUND, bound)], rows, rounds=3)
    assert json.loads(json.dumps(figures)) == figures
    for model in MODELS:
        assert set(figures["speed"][model]) == {"CPU, plain arrays", "Test, bound buffers"}
        assert figures["agreement"][model]["Test, bound buffers"]["relative"] < 1e-5
        assert figures["ratios"][f"{model} Test, bound buffers 4 to CPU"] > 0
    assert figures["agreement"]["expression"]["Test, bound buffers"]["labels_agree"] == 1.0
    nodes = gpu.where(Settings(), choose(("cpu",)), rows, Path("unused"))
    assert all(counted["CPU"] > 5 and counted["copies"] == 0 for counted in nodes.values())
    about = {
        "machine": {**gpu.machine.describe(), "gpu": gpu._about(HERE)},
        "not_started": {"tensorrt": "no libnvinfer"},
    }
    page = io.StringIO()
    gpu.show(figures | about | {"nodes": {"Test": nodes}}, Console(file=page, width=200))
    for expected in (
        "Test, bound buffers",
        "labels that agree",
        "0 copies",
        "tensorrt was not measured: no libnvinfer",
    ):
        assert expected in page.getvalue()


class Off:
    """An engine whose labels are turned round."""

    provider, reason = "Off", "test"

    def __init__(self, engine: OnnxEngine) -> None:
        self.engine = engine

    def infer(self, model: str, inputs: Arrays) -> dict[str, np.ndarray]:
        return {name: answer[..., ::-1] for name, answer in self.engine.infer(model, inputs).items()}

    def close(self) -> None:
        """Nothing is open."""


def test_answers_that_differ_are_told(engine: OnnxEngine, rows: dict[str, Arrays]) -> None:
    told = gpu.agree(engine, Off(engine), "expression", rows["expression"])
    assert told["relative"] > 0.1
    assert told["labels_agree"] < 0.2


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (Machine({"cuda": "no NVIDIA driver", "tensorrt": "no NVIDIA driver"}), "no NVIDIA driver"),
        (Machine({"tensorrt": "libnvinfer.so.10 is missing"}, Gpu("NVIDIA L4", "8.9")), ""),
        (Machine({}, Gpu("NVIDIA L4", "8.9", "101300")), ""),
    ],
)
def test_there_is_something_to_measure_where_one_provider_can_run(found: Machine, why: str) -> None:
    assert gpu.missing(found) == why


@pytest.mark.skipif(not gpu.missing(HERE), reason="there is a GPU here")
def test_without_a_gpu_the_command_says_so_in_one_line_and_exits_with_3() -> None:
    done = CliRunner().invoke(commands, ["bench", "gpu", "--json"])
    assert done.exit_code == gpu.NO_GPU == 3
    assert done.stdout == ""
    assert done.stderr == f"bench gpu: no GPU to measure: {gpu.missing(HERE)}\n"


@pytest.mark.skipif(bool(gpu.missing(HERE)), reason="there is no GPU here")
def test_on_a_gpu_every_network_agrees_with_the_cpu() -> None:
    figures = gpu.run(Settings(), SHIPPED_CLIP, rounds=5)
    for by_place in figures["agreement"].values():
        assert by_place
        assert all(told["relative"] < 0.02 for told in by_place.values())


@pytest.mark.skipif(not gpu.missing(HERE), reason="there is a GPU here")
def test_a_provider_that_does_not_start_is_told_and_not_measured_as_if_it_had(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """ONNX Runtime would run on the CPU without raising, and the CPU's figures would pass for the GPU's."""
    monkeypatch.setattr(gpu, "probe", lambda: Machine({"tensorrt": "no libnvinfer"}, Gpu("Test", "9.0")))
    monkeypatch.setattr(gpu, "BATCHES", (1,))
    figures = gpu.run(Settings(), SHIPPED_CLIP, rounds=3)
    assert json.loads(json.dumps(figures)) == figures
    assert figures["not_started"] == {"tensorrt": "no libnvinfer", "CUDA": "CUDA did not start"}
    assert all(set(by_place) == {"CPU, plain arrays"} for by_place in figures["speed"].values())
    assert all("CUDA" not in counted for counted in figures["nodes"]["CUDA"].values())
    page = io.StringIO()
    gpu.show(figures, Console(file=page, width=200))
    assert "CUDA was not measured: CUDA did not start" in page.getvalue()
    capfd.readouterr()
