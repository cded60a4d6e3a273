"""NVIDIA's Triton with the ONNX networks of a folder, by PyTriton: arguments are FOLDER and three ports, gRPC first.

It runs in an environment of its own. The wheel's Triton has the Python backend alone, so each network is a function.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import numpy as np
import onnxruntime
from pytriton.decorators import batch
from pytriton.model_config import ModelConfig, Tensor
from pytriton.triton import Triton, TritonConfig


def main() -> None:
    folder, (grpc, http, metrics) = Path(sys.argv[1]), map(int, sys.argv[2:])
    config = TritonConfig(
        grpc_address="127.0.0.1", grpc_port=grpc, http_address="127.0.0.1", http_port=http, metrics_port=metrics,
        allow_gpu_metrics=False,
    )  # fmt: skip
    with Triton(config=config) as triton:
        for path in sorted(folder.glob("*.onnx")):
            session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
            triton.bind(
                path.stem,
                batch(partial(run, session)),
                inputs=[tensor(each) for each in session.get_inputs()],
                outputs=[tensor(each) for each in session.get_outputs()],
                config=ModelConfig(max_batch_size=64),
            )
        triton.serve()


def run(session: onnxruntime.InferenceSession, **inputs: np.ndarray) -> dict[str, np.ndarray]:
    names = [each.name for each in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))


def tensor(each: onnxruntime.NodeArg) -> Tensor:
    sides = (side if isinstance(side, int) else -1 for side in each.shape[1:])
    return Tensor(name=each.name, dtype=np.float32, shape=tuple(sides))


if __name__ == "__main__":
    main()
