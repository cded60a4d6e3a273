"""Binding of a device's memory, on memory of the host: everything but the GPU itself is real."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lessonroom.errors import EngineDown
from lessonroom.media.device import Block, CudaMemory, seen
from lessonroom.media.onnx_engine import OnnxEngine
from lessonroom.media.promises import probe
from lessonroom.media.tensorrt import MOST_BATCH
from tests.contracts import tiny_models
from tests.contracts.engine import EngineContract


class HostMemory:
    """Both sides in memory of the host, and a count of what was taken, given back and copied."""

    device = "cpu"

    def __init__(self) -> None:
        self.taken: list[int] = []
        self.given_back = 0
        self.copies: list[int] = []

    def on_device(self, size: int) -> Block:
        buffer = ctypes.create_string_buffer(size)
        self.taken.append(size)

        def free(address: int, keep: Any = buffer) -> None:
            self.given_back += 1

        return Block(ctypes.addressof(buffer), size, free)

    on_host = on_device

    def to_device(self, device: Block, host: Block, size: int) -> None:
        assert size <= min(device.size, host.size)
        ctypes.memmove(device.address, host.address, size)
        self.copies.append(size)

    def to_host(self, host: Block, device: Block, size: int) -> None:
        self.to_device(host, device, size)


class TestBoundEngine(EngineContract):
    @pytest.fixture
    def engine(self, models_dir: Path) -> Iterator[OnnxEngine]:
        with OnnxEngine(models_dir=models_dir, memory=HostMemory()) as engine:
            yield engine


@pytest.fixture
def memory() -> HostMemory:
    return HostMemory()


@pytest.fixture
def engine(tmp_path: Path, memory: HostMemory) -> Iterator[OnnxEngine]:
    with OnnxEngine(["double"], models_dir=tiny_models.write(tmp_path), memory=memory) as engine:
        yield engine


def ask(engine: OnnxEngine, batch: int) -> None:
    x = np.random.default_rng(batch).random((batch, 3), np.float32)
    np.testing.assert_array_equal(engine.infer("double", {"x": x})["y"], 2 * x)


def test_a_call_copies_its_input_once_and_its_output_once_and_no_byte_more(
    engine: OnnxEngine, memory: HostMemory
) -> None:
    ask(engine, 5)
    assert memory.copies == [5 * 3 * 4] * 2


def test_buffers_are_kept_from_call_to_call_and_grow_by_powers_of_two(engine: OnnxEngine, memory: HostMemory) -> None:
    row = 3 * 4
    for batch in (1, 1, 3, 4, 2, 1, 4):
        ask(engine, batch)
    assert memory.taken == [1 * row] * 4 + [4 * row] * 4  # host and device, for input and output


def test_a_batch_larger_than_networks_are_compiled_for_goes_in_parts(engine: OnnxEngine, memory: HostMemory) -> None:
    ask(engine, 2 * MOST_BATCH + 3)
    assert len(memory.copies) == 6
    assert max(memory.taken) == MOST_BATCH * 3 * 4


def test_calls_at_the_same_time_have_a_slot_each_and_no_more(engine: OnnxEngine, memory: HostMemory) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda batch: ask(engine, batch), [4] * 200))
    assert len(memory.taken) <= 4 * 4


def test_an_answer_stays_as_it_is_when_the_next_one_comes(engine: OnnxEngine) -> None:
    first = engine.infer("double", {"x": np.ones((1, 3), np.float32)})["y"]
    engine.infer("double", {"x": np.zeros((1, 3), np.float32)})
    assert (first == 2).all()


def test_inputs_that_are_not_in_one_piece_are_taken_too(engine: OnnxEngine) -> None:
    x = np.arange(30, dtype=np.float32).reshape(5, 6)[:, ::2]
    np.testing.assert_array_equal(engine.infer("double", {"x": x})["y"], 2 * x)


def test_a_closed_engine_gives_its_memory_back(engine: OnnxEngine, memory: HostMemory) -> None:
    ask(engine, 4)
    engine.close()
    gc.collect()
    assert memory.given_back == len(memory.taken) == 4


def test_memory_that_runs_out_is_an_error_of_our_tree_and_the_next_call_may_work(
    engine: OnnxEngine, memory: HostMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(size: int) -> Block:
        raise EngineDown("expected memory, got none")

    with monkeypatch.context() as patched:
        patched.setattr(memory, "on_device", none)
        with pytest.raises(EngineDown, match="memory"):
            ask(engine, 1)
    ask(engine, 1)


def test_the_shipped_models_answer_bound_as_they_do_unbound(memory: HostMemory) -> None:
    with OnnxEngine() as plain, OnnxEngine(memory=memory) as bound:
        for card in plain.cards:
            inputs = probe(card)
            expected = plain.infer(card.name, inputs)
            for name, answer in bound.infer(card.name, inputs).items():
                np.testing.assert_allclose(answer, expected[name], rtol=1e-5, atol=1e-5)
        assert memory.copies


def test_a_runtime_that_is_not_there_is_said_so() -> None:
    with pytest.raises(EngineDown, match=r"libcudart\.so\.0"):
        CudaMemory("libcudart.so.0")


def test_errors_of_cuda_are_errors_of_our_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name: _NoDevice())
    memory = CudaMemory("libcudart.so.13")
    for work in (memory.on_device, memory.on_host):
        with pytest.raises(EngineDown, match="CUDA's error 100"):
            work(8)


class _NoDevice:
    """CUDA's library as it answers on a machine without a GPU."""

    def __init__(self) -> None:
        for name in ("cudaFree", "cudaFreeHost", "cudaMalloc", "cudaHostAlloc", "cudaMemcpy"):
            setattr(self, name, _Failing())


class _Failing:
    argtypes: object = None

    def __call__(self, *arguments: object) -> int:
        return 100  # cudaErrorNoDevice


def test_bytes_are_seen_as_an_array_without_a_copy() -> None:
    memory = HostMemory()
    block = memory.on_host(24)
    seen(block, np.dtype(np.float32), (2, 3))[:] = 7
    np.testing.assert_array_equal(seen(block, np.dtype(np.float32), (6,)), np.full(6, 7, np.float32))
