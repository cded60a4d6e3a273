"""Three networks of one operator each, written as ONNX by hand, so that no model builder is needed to test engines.

``double``: y = x + x. ``root``: y = sqrt(x), which is no number below zero. ``liar``: as ``double``, but its sidecar
promises another shape of ``y``. ``x`` is float32 (batch, 3).
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any


def write(folder: Path) -> Path:
    """Write the three models with their sidecars."""
    for name, network, columns in (("double", add(), 3), ("root", sqrt(), 3), ("liar", add(), 2)):
        (folder / f"{name}.onnx").write_bytes(network)
        (folder / f"{name}.json").write_text(json.dumps(sidecar(name, network, columns)))
    return folder


def add() -> bytes:
    return _model("Add", ["x", "x"])


def sqrt() -> bytes:
    return _model("Sqrt", ["x"])


def sidecar(name: str, network: bytes, columns: int = 3, **other: Any) -> dict[str, Any]:
    return {
        "name": name, "file": f"{name}.onnx", "sha256": hashlib.sha256(network).hexdigest(), "version": "1",
        "made_by": "tests/contracts/tiny_models.py", "libraries": {}, "training_data": "none", "terms": "none",
        "scores": {}, "known_failures": [], "licence": "Apache-2.0",
        "inputs": [{"name": "x", "shape": [None, 3]}], "outputs": [{"name": "y", "shape": [None, columns]}],
    } | other  # fmt: skip


def _model(operator: str, inputs: list[str]) -> bytes:
    node = b"".join(_text(1, each) for each in inputs) + _text(2, "y") + _text(4, operator)
    graph = _bytes(1, node) + _text(2, "tiny") + _bytes(11, _value("x")) + _bytes(12, _value("y"))
    return _number(1, 8) + _bytes(7, graph) + _bytes(8, _number(2, 13))


def _value(name: str) -> bytes:
    shape = _bytes(1, _text(2, "batch")) + _bytes(1, _number(1, 3))
    return _text(1, name) + _bytes(2, _bytes(1, _number(1, 1) + _bytes(2, shape)))


def _text(field: int, text: str) -> bytes:
    return _bytes(field, text.encode())


def _bytes(field: int, data: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])
