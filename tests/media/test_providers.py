"""Which provider is chosen on which machine, and what a newcomer reads about it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from lessonroom.errors import BadSetting
from lessonroom.media.providers import Gpu, Machine, choose, probe

EVERYTHING = Machine({})
NO_TENSORRT = Machine({"tensorrt": "libnvinfer.so.10 is missing"})
NO_GPU = Machine({"tensorrt": "no NVIDIA driver", "cuda": "no NVIDIA driver"})
ALL = ("tensorrt", "cuda", "cpu")


@pytest.mark.parametrize(
    ("wanted", "machine", "name", "reason"),
    [
        (ALL, EVERYTHING, "TensorRT", "first choice"),
        (ALL, NO_TENSORRT, "CUDA", "no TensorRT: libnvinfer.so.10 is missing"),
        (ALL, NO_GPU, "CPU", "no TensorRT and no CUDA: no NVIDIA driver"),
        (("cpu", "cuda"), EVERYTHING, "CPU", "first choice"),
        (("cuda",), NO_GPU, "CPU", "no CUDA: no NVIDIA driver"),
    ],
)
def test_the_first_that_can_run_is_chosen_and_says_why(
    wanted: tuple[str, ...], machine: Machine, name: str, reason: str
) -> None:
    chosen = choose(wanted, machine)
    assert chosen.name == name
    assert chosen.reason.startswith(reason)
    assert chosen.chain[-1][0] == "CPUExecutionProvider"


@pytest.mark.parametrize("wanted", [(), ("gpu",), ("cuda", "Cpu")])
def test_an_unknown_word_is_a_bad_setting(wanted: tuple[str, ...]) -> None:
    with pytest.raises(BadSetting, match="inference_providers"):
        choose(wanted, EVERYTHING)


def test_without_a_driver_nothing_else_is_tried() -> None:
    asked: list[str] = []

    def load(name: str) -> bool:
        asked.append(name)
        return False

    machine = probe(load)
    assert set(machine.missing) == {"cuda", "tensorrt"}
    assert all("cuda" in name for name in asked)


def test_asking_for_a_gpu_on_any_machine_prints_no_error() -> None:
    """A newcomer without a GPU must not see ONNX Runtime's page of errors; a fresh process shows what it would say."""
    program = (
        "from lessonroom.media.onnx_engine import OnnxEngine\n"
        "engine = OnnxEngine(providers=('tensorrt', 'cuda', 'cpu'))\n"
        "print(engine.provider)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() in {"TensorRT", "CUDA", "CPU"}
    assert done.stderr == ""


def test_what_does_not_start_leaves_the_next_of_the_chain() -> None:
    chosen = choose(ALL, Machine({}, Gpu("NVIDIA L4", "8.9", "101300")))
    names = []
    while chosen.on_gpu:
        names.append(chosen.name)
        chosen = chosen.weaker()
    assert names == ["TensorRT", "CUDA"]
    assert (chosen.name, chosen.reason) == ("CPU", "CUDA did not start")


def test_who_asks_for_the_cpu_gets_no_gpu() -> None:
    assert choose(("cpu",), Machine({}, Gpu("NVIDIA L4", "8.9"))).gpu is None
    assert not choose(("cpu",)).on_gpu
