"""A network whose convolutions pad by themselves answers as before. Runs where the extra ``train`` is installed."""

from __future__ import annotations

import numpy as np
import pytest

from lessonroom import models
from lessonroom.media import expression
from lessonroom.media.training import padding

onnx = pytest.importorskip("onnx", reason="onnx comes with the extra 'train' only")
onnxruntime = pytest.importorskip("onnxruntime")


def network(pads: list[int], *, eight_bits: bool = False, scale_after: float = 0.1) -> bytes:
    """Perhaps eight bits, then a Pad, perhaps eight bits again, then a Conv of 3 x 3."""
    helper, numbers = onnx.helper, onnx.numpy_helper.from_array
    weights = np.random.default_rng(0).normal(size=(2, 1, 3, 3)).astype(np.float32)
    values = {"pads": np.array(pads, np.int64), "weights": weights, "zero": np.uint8(0)}
    values |= {"before": np.float32(0.1), "after": np.float32(scale_after)}
    nodes = []

    def pair(name: str, scale: str) -> str:
        nodes.append(helper.make_node("QuantizeLinear", [name, scale, "zero"], [f"{name}_q"]))
        nodes.append(helper.make_node("DequantizeLinear", [f"{name}_q", scale, "zero"], [f"{name}_dq"]))
        return f"{name}_dq"

    start = pair("x", "before") if eight_bits else "x"
    nodes.append(helper.make_node("Pad", [start, "pads"], ["padded"]))
    last = pair("padded", "after") if eight_bits else "padded"
    nodes.append(helper.make_node("Conv", [last, "weights"], ["y"], kernel_shape=[3, 3], pads=[0, 0, 0, 0]))
    tensor = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes, "padded", [tensor("x", 1, [1, 1, 8, 8])], [tensor("y", 1, [None] * 4)],
        [numbers(np.asarray(value), name) for name, value in values.items()],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString())


def answer(model: bytes) -> np.ndarray:
    x = np.random.default_rng(1).random((1, 1, 8, 8), np.float32) * 25
    return np.asarray(onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"]).run(None, {"x": x})[0])


def kinds(model: bytes) -> list[str]:
    return [node.op_type for node in onnx.load_model_from_string(model).graph.node]


@pytest.mark.parametrize("eight_bits", [False, True])
@pytest.mark.parametrize("pads", [[0, 0, 1, 1, 0, 0, 1, 1], [0, 0, 0, 0, 0, 0, 1, 2]])
def test_the_conv_pads_and_answers_as_before(pads: list[int], eight_bits: bool) -> None:
    before = network(pads, eight_bits=eight_bits)
    after = padding.fold(before)
    assert "Pad" not in kinds(after)
    assert len(kinds(after)) == (3 if eight_bits else 1)
    np.testing.assert_array_equal(answer(after), answer(before))


def test_a_pad_that_adds_channels_or_changes_the_scale_stays() -> None:
    for model in (
        network([0, 0, 1, 1, 0, 0, 1, 1], eight_bits=True, scale_after=0.05),
        network([1, 0, 0, 0, 0, 0, 1, 1]),
    ):
        assert "Pad" in kinds(padding.fold(model))


def test_the_network_that_ships_pads_in_its_convolutions() -> None:
    shipped = models.load(expression.MODEL).read()
    assert "Pad" not in kinds(shipped)
    assert "Conv" in kinds(shipped)
