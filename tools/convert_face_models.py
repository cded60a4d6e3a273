"""Convert MediaPipe's BlazeFace (short range) and 468-point face mesh from TFLite to ONNX, with sidecars.

Run once, in an environment of its own, since neither TensorFlow nor MediaPipe is a dependency of the product::

    python3.11 -m venv convert && convert/bin/pip install mediapipe==0.10.21
    convert/bin/pip install tf2onnx tensorflow-cpu onnxruntime
    convert/bin/python tools/convert_face_models.py models

Inputs and outputs get names that say what they are, and the batch is made free. Every result is compared with TFLite
on random pictures; a difference above ``TOLERANCE`` stops the conversion.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper
from tensorflow import lite

TOLERANCE = 2e-4
"""Largest difference from TFLite, as a share of the largest value of an output."""
LIBRARIES = ("mediapipe", "tf2onnx", "tensorflow-cpu", "onnx", "onnxruntime")
ORIGIN = "MediaPipe by the MediaPipe Authors (Google), Python wheel mediapipe 0.10.21, file {}"


@dataclass(frozen=True)
class Source:
    """One network of the wheel: where it lies, how its tensors are called, what its sidecar says."""

    name: str
    path: str
    names: dict[str, str]
    card: dict[str, Any]


DETECTOR = Source(
    "face_detector",
    "modules/face_detection/face_detection_short_range.tflite",
    {"input": "image", "regressors": "boxes", "classificators": "scores"},
    {
        "inputs": [{"name": "image", "shape": [None, 128, 128, 3], "range": "RGB, -1 to 1, letterboxed to a square"}],
        "outputs": [
            {
                "name": "boxes",
                "shape": [None, 896, 16],
                "range": "per anchor: centre x, y, width, height, then x, y of both eyes, nose, mouth and ears, in "
                "input pixels, centre and points relative to the anchor's centre",
            },
            {"name": "scores", "shape": [None, 896, 1], "range": "logits"},
        ],
        "training_data": "Not published in full; described in Bazarevsky et al. 2019, arXiv 1907.05047, and in "
        "Google's model card for BlazeFace (short range): selfie-like pictures from 17 regions",
        "known_failures": [
            "faces smaller than about a tenth of the picture's longer side, or more than 45 degrees turned, are missed",
            "faces cut by the picture's edge get boxes that are too small",
        ],
    },
)
MESH = Source(
    "face_mesh",
    "modules/face_landmark/face_landmark.tflite",
    {"input_1": "image", "conv2d_21": "points", "conv2d_31": "presence"},
    {
        "inputs": [{"name": "image", "shape": [None, 192, 192, 3], "range": "RGB, 0 to 1, upright face with margin"}],
        "outputs": [
            {
                "name": "points",
                "shape": [None, 1, 1, 1404],
                "range": "468 times x, y, z in input pixels; z relative to the head's centre, smaller is nearer",
            },
            {"name": "presence", "shape": [None, 1, 1, 1], "range": "logit that a face is in the picture"},
        ],
        "training_data": "Not published in full; described in Kartynnik et al. 2019, arXiv 1907.06724, and in "
        "Google's model card for MediaPipe Face Mesh: phone camera pictures from 17 regions",
        "known_failures": [
            "lips, brows and eyelids of half-covered or strongly turned faces are guessed from the rest of the face",
            "asymmetric and very strong expressions are drawn weaker than they are",
        ],
    },
)


def main() -> None:
    """Convert both networks into the folder given on the command line."""
    if len(sys.argv) != 2:
        sys.exit("usage: convert_face_models.py FOLDER")
    for source in (DETECTOR, MESH):
        convert(source, Path(sys.argv[1]))


def convert(source: Source, folder: Path) -> None:
    """Write ``NAME.onnx`` and ``NAME.json``; exit when the result differs from TFLite."""
    tflite = Path(str(files("mediapipe"))) / source.path
    model = plain_activations(free_batch(rename(to_onnx(tflite), source.names)))
    model.producer_name, model.producer_version = "lessonroom tools/convert_face_models.py", ""
    onnx.checker.check_model(model, full_check=True)
    data = model.SerializeToString(deterministic=True)
    difference = compare(tflite, data, source)
    if difference > TOLERANCE:
        sys.exit(f"{source.name}: expected the same answers as TFLite, got a difference of {difference:.2e}")
    (folder / f"{source.name}.onnx").write_bytes(data)
    (folder / f"{source.name}.json").write_text(json.dumps(sidecar(source, data, difference), indent=2) + "\n")
    print(f"{source.name}: {len(data)} bytes, largest difference from TFLite {difference:.2e}")


def to_onnx(tflite: Path) -> onnx.ModelProto:
    """Run tf2onnx, which only has a command line for TFLite."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "model.onnx"
        command = [sys.executable, "-m", "tf2onnx.convert", "--tflite", str(tflite), "--output", str(out)]
        subprocess.run([*command, "--opset", "17"], check=True, capture_output=True)
        return onnx.load(out)


def rename(model: onnx.ModelProto, names: dict[str, str]) -> onnx.ModelProto:
    """Give inputs and outputs their new names, everywhere in the graph."""
    for value in (*model.graph.input, *model.graph.output):
        value.name = names.get(value.name, value.name)
    for node in model.graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
    return model


def free_batch(model: onnx.ModelProto) -> onnx.ModelProto:
    """Let the first dimension be any number: in the declared shapes and in every reshape that fixes it to 1."""
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    del model.graph.value_info[:]
    shapes = {node.input[1] for node in model.graph.node if node.op_type == "Reshape"}
    for tensor in model.graph.initializer:
        shape = numpy_helper.to_array(tensor)
        if tensor.name in shapes and shape[0] == 1:
            freed = np.array([0, *shape[1:]], shape.dtype)  # 0 copies the dimension of the input
            tensor.CopyFrom(numpy_helper.from_array(freed, tensor.name))
    return model


def plain_activations(model: onnx.ModelProto) -> onnx.ModelProto:
    """PReLU with slope a, written as a x + (1 - a) relu(x): two convolutions of one weight a channel, and their sum.

    ONNX Runtime's PRelu for the CPU is slow, and each breaks its blocked layout: of the mesh's 3.7 ms they took nearly
    3. Written so, the whole mesh stays in that layout and takes 0.85 ms on the same machine.
    """
    nodes = [part for node in model.graph.node for part in (_plain(node, model) if node.op_type == "PRelu" else [node])]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    used = {name for node in nodes for name in node.input}
    kept = [tensor for tensor in model.graph.initializer if tensor.name in used]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    return model


def _plain(node: onnx.NodeProto, model: onnx.ModelProto) -> list[onnx.NodeProto]:
    """The four nodes in place of one PRelu; their weights go into the model."""
    (x, slope), y = node.input, node.output[0]
    weights = next(numpy_helper.to_array(each) for each in model.graph.initializer if each.name == slope).reshape(-1)
    shares = {f"{y}_all": weights, f"{y}_risen": 1 - weights}
    for name, share in shares.items():
        shaped = np.ascontiguousarray(share.reshape(-1, 1, 1, 1), np.float32)
        model.graph.initializer.append(numpy_helper.from_array(shaped, f"{name}_weights"))
    alone = {"group": len(weights), "kernel_shape": [1, 1]}
    return [
        helper.make_node("Relu", [x], [f"{y}_relu"]),
        helper.make_node("Conv", [x, f"{y}_all_weights"], [f"{y}_all"], **alone),
        helper.make_node("Conv", [f"{y}_relu", f"{y}_risen_weights"], [f"{y}_risen"], **alone),
        helper.make_node("Add", [f"{y}_risen", f"{y}_all"], [y]),
    ]


def compare(tflite: Path, data: bytes, source: Source) -> float:
    """Largest difference between TFLite, one picture at a time, and ONNX, all in one batch."""
    interpreter = lite.Interpreter(str(tflite))
    interpreter.allocate_tensors()
    detail = interpreter.get_input_details()[0]
    low = -1.0 if source is DETECTOR else 0.0
    pictures = np.random.default_rng(0).uniform(low, 1, (3, *detail["shape"][1:])).astype(np.float32)
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    outputs = [output.name for output in session.get_outputs()]
    found = dict(zip(outputs, session.run(outputs, {"image": pictures}), strict=True))
    worst = 0.0
    for index, picture in enumerate(pictures):
        interpreter.set_tensor(detail["index"], picture[None])
        interpreter.invoke()
        for output in interpreter.get_output_details():
            expected = interpreter.get_tensor(output["index"])
            got = found[source.names[output["name"]]][index : index + 1]
            worst = max(worst, float(np.abs(expected - got).max() / np.abs(expected).max()))
    return worst


def sidecar(source: Source, data: bytes, difference: float) -> dict[str, Any]:
    """What the product must know before it loads the file."""
    return {
        "name": source.name,
        "file": f"{source.name}.onnx",
        "sha256": hashlib.sha256(data).hexdigest(),
        "version": "1",
        "made_by": "tools/convert_face_models.py",
        "libraries": {name: version(name) for name in LIBRARIES},
        "origin": ORIGIN.format(source.path),
        **source.card,
        "terms": "Weights published by Google under the Apache License 2.0",
        "scores": {"largest_difference_from_tflite": float(f"{difference:.2e}")},
        "licence": "Apache-2.0",
    }


if __name__ == "__main__":
    main()
