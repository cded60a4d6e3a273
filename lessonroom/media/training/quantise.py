"""An exported network with 8-bit weights and activations: a third of the time on one CPU thread. Extra ``train``.

Static quantisation with QuantizeLinear and DequantizeLinear pairs (Jacob et al. 2018, arXiv 1712.05877), one scale for
each output channel. The ranges of activations are those seen on training pictures, plain ones and spoiled ones.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from lessonroom.media.training import augment
from lessonroom.media.training.dataset import Faces, Floats, as_input

QUANTISED = ("Conv", "Clip")
FLOAT_LAYERS = 2
PICTURES = 512
BATCH = 32


def to_int8(model: bytes, learn: Faces, size: int, seed: int = 0) -> bytes:
    """The same network, same inputs and outputs. ``learn``: the training part; ``size``: side of the input."""
    import onnx  # noqa: PLC0415 - only training needs it
    from onnxruntime.quantization import (  # noqa: PLC0415
        QuantFormat,
        QuantType,
        quantize_static,
    )
    from onnxruntime.quantization.shape_inference import quant_pre_process  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "float.onnx").write_bytes(model)
        quant_pre_process(place / "float.onnx", place / "folded.onnx")
        quantize_static(
            place / "folded.onnx",
            place / "int8.onnx",
            _Reader(_pictures(learn, size, seed)),
            op_types_to_quantize=list(QUANTISED),  # what comes after them is small and decides
            nodes_to_exclude=_first(onnx.load(place / "folded.onnx")),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        return (place / "int8.onnx").read_bytes()


def _first(model: Any) -> list[str]:
    """The first layers: few weights, and all that follows rests on them. Halves the mean change of a probability."""
    names = [[node.name for node in model.graph.node if node.op_type == kind] for kind in QUANTISED]
    return [name for kind in names for name in kind[:FLOAT_LAYERS]]


def _pictures(learn: Faces, size: int, seed: int) -> Floats:
    rng = np.random.default_rng(seed)
    chosen = learn.images[rng.integers(0, len(learn.images), PICTURES)]
    return as_input(
        [augment.webcam(crop, size, rng) if i % 2 else augment.plain(crop, size) for i, crop in enumerate(chosen)]
    )


class _Reader:
    """Hands pictures to ONNX Runtime's calibration, batch by batch."""

    def __init__(self, pictures: Floats) -> None:
        self._batches = (pictures[start : start + BATCH] for start in range(0, len(pictures), BATCH))

    def get_next(self) -> dict[str, Any] | None:
        batch = next(self._batches, None)
        return None if batch is None else {"face": batch}
