"""The expression network as it ships: MobileNet on grey faces, begun with weights that know faces. Needs PyTorch.

Howard et al. 2017, arXiv 1704.04861, at full width. Networks that first learned to tell people apart read expressions
better than those that began with ImageNet's objects (Savchenko 2021, arXiv 2103.17107), and so it is here: see
docs/vision.md. ``tools/convert_identity_network.py`` makes the weights to begin with.
"""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor, nn

from lessonroom.media.training.network import Convolution

STEM = 32
CHANNELS = (64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024)
STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)
EMBEDDING = 1024
MIDDLE = 114.8
"""Mean grey of the pictures of the first training, 0 to 255."""


class FaceNet(nn.Module):  # type: ignore[misc]  # torch is not there when types are checked
    """Grey faces (N, 1, S, S), 0 to 1, S a multiple of 32 -> logits (N, classes) and embedding (N, 1024)."""

    def __init__(self, classes: int = 8, dropout: float = 0.3) -> None:
        super().__init__()
        self.body = nn.Sequential(*_layers())
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(EMBEDDING, classes)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits and the pooled features before the classifier."""
        embedding = self.body(x * 255.0 - MIDDLE).mean(dim=(2, 3))
        return self.classifier(self.dropout(embedding)), embedding


def _layers() -> Iterator[Convolution]:
    """The stem, then pairs: filter each channel alone, mix the channels."""
    yield Convolution(1, STEM, 3, 2)
    inside = STEM
    for channels, stride in zip(CHANNELS, STRIDES, strict=True):
        yield Convolution(inside, inside, 3, stride, groups=inside)
        yield Convolution(inside, channels)
        inside = channels
