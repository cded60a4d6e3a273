"""Train the expression network on faces with several people's votes. Needs the extra ``train`` (PyTorch).

The network learns the distribution of votes, not the winner: people disagree about faces, and the disagreement is the
best label there is.

A run can be stopped at any moment: ``last.pt`` holds everything that is needed to go on where it stopped.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lessonroom.errors import BadInput
from lessonroom.media.expression import SIDE
from lessonroom.media.scoring import evaluate
from lessonroom.media.training import augment, weights
from lessonroom.media.training.dataset import Drawing, Faces, Floats, ahead, as_input, batches, read_faces, taught

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, slots=True)
class Options:
    """One run. ``size`` is the side of the network's input in pixels; ``save_every`` counts steps.

    ``start``: a checkpoint to begin with instead of ImageNet's weights; its network is trained on, at any size.
    ``teacher``: what other networks say of the training part (``distil.teach``); it makes up ``teacher_share`` of every
    target. ``finish``: how many epochs at the end see pictures that are hardly spoiled and not mixed, as they are when
    it counts. ``half``: multiply in bfloat16.
    """

    data: Path
    out: Path
    epochs: int = 20
    size: int = SIDE
    batch: int = 128
    rate: float = 1.5e-3
    decay: float = 0.02
    warm_up: float = 0.08
    average: float = 0.999
    mixup: float = 0.2
    mixup_share: float = 0.5
    balance: float = 0.25
    dropout: float = 0.3
    drop_block: float = 0.2
    start: Path | None = None
    teacher: Path | None = None
    teacher_share: float = 0.5
    finish: int = 0
    half: bool = False
    seed: int = 1
    threads: int = 2
    save_every: int = 100


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run is. ``valid`` holds the scores of the averaged weights after a finished epoch."""

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    valid: dict[str, float] = field(default_factory=dict)


def train(options: Options, report: Callable[[Progress], None]) -> Path:
    """Run or go on with a training; return the folder's ``best.pt``. Raises BadInput for bad data or a foreign run."""
    learn, check = read_faces(options.data, "train"), read_faces(options.data, "valid")
    if not len(learn.images) or not len(check.images):
        raise BadInput(f"{options.data.name}: expected pictures in both parts, train and valid")
    if options.teacher is not None:
        learn = taught(learn, options.teacher, options.teacher_share)
    if len(learn.images) < options.batch:
        raise BadInput(f"{options.data.name}: expected {options.batch} or more training faces, got {len(learn.images)}")
    if options.size % 32:
        raise BadInput(f"expected a size that is a multiple of 32, got {options.size}")
    options.out.mkdir(parents=True, exist_ok=True)
    run = _Run(options, len(learn.images))
    run.restore()
    while run.epoch < options.epochs:
        run.one_epoch(learn, report)
        run.judge(check, report)
    return options.out / "best.pt"


class _Run:
    """The moving parts of one training: weights, their average, optimiser, place in the data."""

    def __init__(self, options: Options, count: int) -> None:
        import torch  # noqa: PLC0415 - only training needs it

        torch.set_num_threads(options.threads)
        torch.manual_seed(options.seed)
        self.options = options
        self.drawing = Drawing(
            options.size, options.batch, options.seed, options.balance, options.mixup, options.mixup_share
        )
        self.steps = count // options.batch
        self.epoch = self.step = 0
        begun, known = (None, {}) if options.start is None else weights.load(options.start)
        self.kind = known.get("network", weights.IMAGENET)
        self.network = weights.build(self.kind, options.dropout, options.drop_block)
        if begun is None:
            weights.imagenet(self.network)
        else:
            self.network.load_state_dict(begun.state_dict())
        self.network.to(memory_format=torch.channels_last)
        self.average = weights.build(self.kind).eval().requires_grad_(requires_grad=False)
        self.average.load_state_dict(self.network.state_dict())
        self.optimiser = torch.optim.AdamW(_groups(self.network, options.decay), lr=options.rate)
        self.best = -1.0
        self.log: list[dict[str, Any]] = []

    def one_epoch(self, faces: Faces, report: Callable[[Progress], None]) -> None:
        """Go through the rest of the epoch in which the run stands."""
        smooth = 0.0
        last = self.epoch >= self.options.epochs - self.options.finish
        drawing = replace(self.drawing, strength=augment.MILD, mixup_share=0.0) if last else self.drawing
        for images, targets in ahead(batches(faces, drawing, self.epoch, self.step, self.steps)):
            loss = self._update(images, targets)
            smooth = 0.95 * smooth + 0.05 * loss if smooth else loss
            self.step += 1
            report(Progress(self.epoch, self.options.epochs, self.step, self.steps, smooth))
            if self.step % self.options.save_every == 0:
                self.save("last.pt")
        self.epoch, self.step = self.epoch + 1, 0

    def judge(self, faces: Faces, report: Callable[[Progress], None]) -> None:
        """Score the averaged weights on validation pictures, log, keep the best and the last."""
        scores = validate(self.average, faces, self.options.size)
        self.log.append({"epoch": self.epoch, "time": time.time(), **scores})
        merit = scores["accuracy"] + 0.5 * scores["balanced_accuracy_7"]
        if merit > self.best:
            self.best = merit
            self.save("best.pt")
        self.save("last.pt")
        (self.options.out / "log.json").write_text(json.dumps(self.log, indent=1))
        report(Progress(self.epoch, self.options.epochs, self.steps, self.steps, scores["loss"], scores))

    def save(self, name: str) -> None:
        """Write a checkpoint whole or not at all."""
        import torch  # noqa: PLC0415

        state = {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "random": torch.get_rng_state(),
            "place": {"epoch": self.epoch, "step": self.step, "best": self.best},
            "log": self.log,
            "options": {"network": self.kind, **_comparable(self.options)},
        }
        part = self.options.out / f"{name}.part"
        torch.save(state, part)
        part.replace(self.options.out / name)

    def restore(self) -> None:
        """Go on from ``last.pt`` if there is one. Raises BadInput when it belongs to other options."""
        import torch  # noqa: PLC0415

        path = self.options.out / "last.pt"
        if not path.exists():
            return
        state = torch.load(path, map_location="cpu", weights_only=True)
        # a run of an earlier version does not know the newer options: it went without them
        before = {"network": self.kind, **_comparable(Options(self.options.data, self.options.out)), **state["options"]}
        if before != {"network": self.kind, **_comparable(self.options)}:
            raise BadInput(f"{path.name}: expected a run with the same options; use another --out")
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        torch.set_rng_state(state["random"])
        self.epoch, self.step, self.best = (state["place"][key] for key in ("epoch", "step", "best"))
        self.log = state["log"]

    def _update(self, images: Floats, targets: Floats) -> float:
        import torch  # noqa: PLC0415
        from torch.nn import functional  # noqa: PLC0415

        self.network.train()
        for group in self.optimiser.param_groups:
            group["lr"] = self.options.rate * _schedule(self._done(), self.options.warm_up)
        pictures = torch.from_numpy(images).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.options.half):
            logits, _ = self.network(pictures)
        loss = functional.cross_entropy(logits.float(), torch.from_numpy(targets))
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        self._follow()
        return float(loss.detach())

    def _done(self) -> float:
        return (self.epoch + self.step / self.steps) / self.options.epochs

    def _follow(self) -> None:
        """Move the average towards the weights; faster at the start, when the weights are still far from good."""
        count = self.epoch * self.steps + self.step
        keep = min(self.options.average, (1 + count) / (10 + count))
        weights = self.network.state_dict()
        for name, value in self.average.state_dict().items():
            if value.dtype.is_floating_point:
                value.lerp_(weights[name], 1 - keep)
            else:
                value.copy_(weights[name])


def validate(network: nn.Module, faces: Faces, size: int) -> dict[str, float]:
    """Scores on pictures as they are: loss on votes, accuracy on majorities."""
    chances = evaluate.softmax(predict_logits(network, faces.images, size))
    clear = faces.majority >= 0
    truth = faces.majority[clear]
    return {
        "loss": float(-(faces.targets * np.log(chances + 1e-12)).sum(axis=1).mean()),
        "accuracy": evaluate.accuracy(truth, chances[clear]),
        "balanced_accuracy": evaluate.balanced_accuracy(truth, chances[clear]),
        "balanced_accuracy_7": evaluate.balanced_accuracy(truth, chances[clear], without=("contempt",)),
    }


def predict_logits(network: nn.Module, images: NDArray[np.uint8], size: int) -> Floats:
    """Logits (N, 8) of the pictures (N, S, S)."""
    import torch  # noqa: PLC0415

    network.eval()
    parts: list[Floats] = []
    with torch.inference_mode():
        for start in range(0, len(images), 256):
            crops = [augment.plain(image, size) for image in images[start : start + 256]]
            batch = torch.from_numpy(as_input(crops)).contiguous(memory_format=torch.channels_last)
            parts.append(network(batch)[0].numpy())
    return np.concatenate(parts)


def _schedule(done: float, warm_up: float) -> float:
    """Learning rate as a share of the highest: linear warm-up, then half a cosine. ``done`` is 0 to 1."""
    if done < warm_up:
        return max(done / warm_up, 0.01)
    return 0.5 * (1.0 + float(np.cos(np.pi * (done - warm_up) / (1.0 - warm_up)))) + 1e-3


def _groups(network: nn.Module, decay: float) -> list[dict[str, Any]]:
    """Weight decay for kernels only; biases and norms are left alone."""
    kernels = [value for value in network.parameters() if value.ndim > 1]
    others = [value for value in network.parameters() if value.ndim <= 1]
    return [{"params": kernels, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]


def _comparable(options: Options) -> dict[str, Any]:
    """Options that must be equal for a run to go on; where it runs and lies does not matter."""
    free = ("data", "out", "threads", "save_every")
    kept = {name: value for name, value in asdict(options).items() if name not in free}
    return {name: value.name if isinstance(value, Path) else value for name, value in kept.items()}
