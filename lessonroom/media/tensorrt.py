"""What TensorRT is told of a network: which batches to compile for, in which precision, where to keep what came out.

Compiling takes from seconds to minutes, so what came out is kept on disk. It fits one network, one kind of GPU and one
version of TensorRT only, and the folder's name says which: after a change of any of them it is compiled anew.
Not yet run on a GPU.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

from lessonroom.media.providers import Gpu
from lessonroom.models import Sidecar, short

MOST_BATCH: Final = 64
"""Largest batch that is compiled for; larger ones are run in parts."""
USUAL_BATCH: Final = 8
"""Batch that is compiled for best."""

_EIGHT_BITS: Final = b"DequantizeLinear"
"""The operator's name in an ONNX file."""


def options(card: Sidecar, network: bytes, gpu: Gpu | None, cache: Path | None) -> dict[str, Any]:
    """Options of ONNX Runtime's TensorRT provider for one network. Makes the folder, for its owner alone.

    A network that says itself where it counts in eight bits does not start without TensorRT's leave to do so; one that
    does not must not get it, or TensorRT asks for a table of calibration.
    """
    given: dict[str, Any] = {"trt_fp16_enable": True, **_profile(card)}
    if _EIGHT_BITS in network:
        given["trt_int8_enable"] = True
    if cache is None or gpu is None or not gpu.tensorrt:
        return given
    place = folder(card, gpu, cache)
    place.mkdir(parents=True, exist_ok=True, mode=0o700)  # what lies here is run as code of the GPU
    return given | {
        "trt_engine_cache_enable": True,
        "trt_engine_cache_path": str(place),
        "trt_timing_cache_enable": True,
        "trt_timing_cache_path": str(place.parent),
    }


def folder(card: Sidecar, gpu: Gpu, cache: Path) -> Path:
    """Where a compiled network lies: ``CACHE/GPU-CAPABILITY-tensorrt-VERSION/NAME-HASH``."""
    machine = re.sub(r"[^A-Za-z0-9.]+", "-", f"{gpu.name} {gpu.capability} tensorrt {gpu.tensorrt}")
    return cache / machine / f"{card.name}-{short(card.sha256)}"


def _profile(card: Sidecar) -> dict[str, str]:
    """The batches to compile for: without these, each new size would stop lessons for a compilation."""
    if any(None in tensor.shape[1:] for tensor in card.inputs):
        return {}
    sizes = {"min": 1, "opt": USUAL_BATCH, "max": MOST_BATCH}
    return {
        f"trt_profile_{word}_shapes": ",".join(
            f"{tensor.name}:{'x'.join(str(side) for side in (batch, *tensor.shape[1:]))}" for tensor in card.inputs
        )
        for word, batch in sizes.items()
    }
