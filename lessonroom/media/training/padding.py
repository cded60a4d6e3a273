"""Padding as a part of the convolution that wants it: the same answers, a sixth less time. Extra ``train``.

PyTorch writes ``functional.pad`` as a Pad before the Conv, and eight bits put a pair of QuantizeLinear and
DequantizeLinear between them. A Conv can pad by itself; it adds real zeros, as these Pads do.

``python -m lessonroom.media.training.padding MODELS`` does it to an expression network that was exported before.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from lessonroom.media.expression import MODEL

Nodes = dict[str, Any]


def fold(model: bytes) -> bytes:
    """The same network without Pads, where each is followed by one Conv, in eight bits or not."""
    import onnx  # noqa: PLC0415 - only training needs it
    from onnx import numpy_helper  # noqa: PLC0415

    loaded = onnx.load_model_from_string(model)
    graph = loaded.graph
    values = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    makers = {node.output[0]: node for node in graph.node}
    takers = {name: [node for node in graph.node if name in node.input] for name in makers}
    for pad in [node for node in graph.node if node.op_type == "Pad"]:
        between = _between(pad, makers, takers, values)
        conv = takers[between[-1].output[0]][0] if between else None
        if conv is not None and conv.op_type == "Conv" and _take_over(conv, values.get(pad.input[1])):
            conv.input[0] = pad.input[0]
            for node in between:
                graph.node.remove(node)
    used = {name for node in graph.node for name in node.input}
    for unused in [each for each in graph.initializer if each.name not in used]:
        graph.initializer.remove(unused)
    onnx.checker.check_model(loaded)
    return bytes(loaded.SerializeToString(deterministic=True))


def _between(pad: Any, makers: Nodes, takers: Nodes, values: Nodes) -> list[Any]:
    """The Pad and, in eight bits, the pair after it; nothing where they do more than pad."""
    between = [pad]
    while len(takers[between[-1].output[0]]) == 1 and takers[between[-1].output[0]][0].op_type in {
        "QuantizeLinear",
        "DequantizeLinear",
    }:
        between.append(takers[between[-1].output[0]][0])
    if len(takers[between[-1].output[0]]) != 1:
        return []
    before = makers.get(pad.input[0])
    same = len(between) == 1 or (
        before is not None and all(np.array_equal(values[before.input[k]], values[between[1].input[k]]) for k in (1, 2))
    )
    return between if same else []


def _take_over(conv: Any, pads: Any) -> bool:
    """Let the Conv pad height and width; False where the Pad does something else."""
    if pads is None or len(pads) != 8 or pads[[0, 1, 4, 5]].any():
        return False
    for attribute in conv.attribute:
        if attribute.name == "pads" and not any(attribute.ints):
            attribute.ints[:] = [int(pads[k]) for k in (2, 3, 6, 7)]
            return True
    return False


def main(folder: Path) -> None:
    """Fold the network of that folder, and write its hash into its sidecar."""
    card = json.loads((folder / f"{MODEL}.json").read_text())
    folded = fold((folder / f"{MODEL}.onnx").read_bytes())
    (folder / f"{MODEL}.onnx").write_bytes(folded)
    card["sha256"] = hashlib.sha256(folded).hexdigest()
    (folder / f"{MODEL}.json").write_text(json.dumps(card, indent=2) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
