"""``lessonroom bench gpu``: what a GPU does for our networks, and whether it gives the CPU's answers.

For each network and each provider that starts here: latency and throughput by batch, with our own bound buffers and
without, the copies that ONNX Runtime adds, and how far the answers are from the CPU's. Where there is no GPU the
command says so. Not yet run on a GPU.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pynvml

from lessonroom import models
from lessonroom.bench import machine, networks
from lessonroom.bench.networks import inputs, timed
from lessonroom.config import Settings
from lessonroom.media import expression, sessions
from lessonroom.media.engine import Arrays, Engine
from lessonroom.media.onnx_engine import OnnxEngine
from lessonroom.media.promises import difference
from lessonroom.media.providers import Machine, Provider, choose, probe
from lessonroom.media.vision import MODELS
from lessonroom.progress import Show, unseen

NO_GPU: Final = 3
"""Exit code of the command where there is no GPU that ONNX Runtime can use."""
BATCHES: Final = (1, 2, 4, 8, 16, 32, 64)
BOUND: Final = "bound buffers"
UNBOUND: Final = "plain arrays"


@dataclass(frozen=True, slots=True)
class Place:
    """An engine to measure: ``provider`` for people, and how arrays get there."""

    provider: str
    copies: str
    engine: Engine

    @property
    def name(self) -> str:
        """The row's name."""
        return f"{self.provider}, {self.copies}"


def missing(found: Machine) -> str:
    """Why there is nothing to measure, in words; empty where there is something."""
    return found.missing.get("cuda", "") if len(found.missing) == 2 else ""


def run(settings: Settings, clip: Path, *, rounds: int = 50, progress: Show = unseen) -> dict[str, Any]:
    """Measure all providers of this machine's GPU against its CPU. ``clip`` must show a face.

    Raises BadMedia otherwise, and ModelRefused.
    """
    found = probe()
    words = [word for word in ("cuda", "tensorrt") if word not in found.missing]
    about = machine.describe() | {"gpu": _about(found)}
    with ExitStack() as opened, tempfile.TemporaryDirectory() as cache:
        choices = [choose((word,), found) for word in words]
        asked = {choice.name: list(_places(opened, settings, choice, Path(cache))) for choice in choices}
        places = [place for name, each in asked.items() for place in each if place.engine.provider == name]
        cpu = opened.enter_context(OnnxEngine(MODELS, models_dir=settings.models_dir))
        rows = inputs(cpu, settings, clip)
        nodes = {choice.name: where(settings, choice, rows, Path(cache)) for choice in choices}
        figures = compare(cpu, places, rows, rounds=rounds, progress=progress)
    started = [name for name, each in asked.items() if all(place.engine.provider == name for place in each)]
    not_started = {word: found.missing[word] for word in found.missing} | {
        name: each[0].engine.reason for name, each in asked.items() if name not in started
    }
    return {"bench": "gpu", "machine": about, "not_started": not_started, "nodes": nodes, **figures}


def compare(
    cpu: Engine, places: Sequence[Place], rows: Mapping[str, Arrays], *, rounds: int, progress: Show = unseen
) -> dict[str, Any]:
    """Speed and agreement of all places, the CPU first; ratios are to the CPU in the same batch."""
    every = [Place("CPU", UNBOUND, cpu), *places]
    speed: dict[str, dict[str, Any]] = {model: {} for model in rows}
    for number, (model, place) in enumerate((model, place) for model in rows for place in every):
        progress(f"{model} on {place.name}", number, len(rows) * len(every))
        speed[model][place.name] = {
            str(batch): timed(place.engine, model, rows[model], batch, rounds).record() for batch in BATCHES
        }
    agreement = {
        model: {place.name: agree(cpu, place.engine, model, rows[model]) for place in places} for model in rows
    }
    return {"rounds": rounds, "speed": speed, "agreement": agreement, **_flat(speed, every[0].name)}


def agree(cpu: Engine, other: Engine, model: str, rows: Arrays) -> dict[str, float]:
    """Largest difference of the answers, absolute and as a part of the largest number, and how many labels agree."""
    ours, theirs = cpu.infer(model, rows), other.infer(model, rows)
    worst = max(float(np.abs(ours[name] - theirs[name]).max()) for name in ours)
    told = {"difference": worst, "relative": max(difference(theirs[name], ours[name]) for name in ours)}
    if model == expression.MODEL:
        labels = [np.argmax(answer["probabilities"], axis=1) for answer in (ours, theirs)]
        told["labels_agree"] = float(np.mean(labels[0] == labels[1]))
    return {name: round(value, 6) for name, value in told.items()}


def where(settings: Settings, choice: Provider, rows: Mapping[str, Arrays], cache: Path) -> dict[str, dict[str, int]]:
    """Of each network: how many of its operators ran on which provider, and how many copies were put between them."""
    return {
        model: dict(_profiled(models.load(model, settings.models_dir), choice, rows[model], cache)) for model in rows
    }


def show(figures: dict[str, Any], console: Any) -> None:
    """Print the figures for people."""
    from lessonroom.bench import gpu_page  # noqa: PLC0415

    gpu_page.show(figures, console)


def _places(opened: ExitStack, settings: Settings, choice: Provider, cache: Path) -> Iterator[Place]:
    for copies, memory in ((BOUND, None), (UNBOUND, False)):
        engine = opened.enter_context(
            OnnxEngine(MODELS, models_dir=settings.models_dir, choice=choice, cache=cache, memory=memory)  # type: ignore[arg-type]
        )
        precision = " FP16" if engine.provider == "TensorRT" else ""
        yield Place(engine.provider + precision, copies, engine)


def _profiled(model: models.Model, choice: Provider, rows: Arrays, cache: Path) -> Counter[str]:
    """Run once with ONNX Runtime's profile and count its operators."""
    with tempfile.TemporaryDirectory() as folder:
        options = sessions.options(1)
        options.enable_profiling = True
        options.profile_file_prefix = str(Path(folder) / "profile")
        session = sessions.session(model, choice, options, cache)
        session.run(None, {name: array[:8] for name, array in rows.items()})
        events = json.loads(Path(session.end_profiling()).read_text())
    ran = [event["args"] for event in events if event.get("cat") == "Node" and "provider" in event.get("args", {})]
    counted = Counter(str(each["provider"]).removesuffix("ExecutionProvider") for each in ran)
    counted["copies"] = sum(str(each.get("op_name", "")).startswith("Memcpy") for each in ran)
    return counted


def _flat(speed: Mapping[str, Mapping[str, Any]], cpu: str) -> dict[str, dict[str, float]]:
    """Milliseconds of a row by network, place and batch, and the same over the CPU's."""
    costs, ratios = {}, {}
    for model, by_place in speed.items():
        for place, by_batch in by_place.items():
            for batch, figures in by_batch.items():
                name = f"{model} {place} {batch}"
                costs[f"{name} ms"] = round(figures["p50_ms"] / int(batch), 4)
                if place != cpu:
                    ratios[f"{name} to CPU"] = round(figures["p50_ms"] / by_place[cpu][batch]["p50_ms"], 4)
    return {"ratios": ratios, "costs": costs}


def _about(found: Machine) -> dict[str, Any]:
    """Name, memory, driver and versions of the first GPU."""
    import onnxruntime  # noqa: PLC0415

    told: dict[str, Any] = {"rows": networks.ROWS, "cuda": getattr(onnxruntime, "cuda_version", "")}
    if found.gpu is not None:
        told |= {"name": found.gpu.name, "capability": found.gpu.capability, "tensorrt": found.gpu.tensorrt}
    try:
        pynvml.nvmlInit()
        memory = pynvml.nvmlDeviceGetMemoryInfo(pynvml.nvmlDeviceGetHandleByIndex(0)).total
        told |= {"driver": str(pynvml.nvmlSystemGetDriverVersion()), "memory_gb": round(memory / 2**30, 1)}
    except pynvml.NVMLError as error:  # a slice of a GPU may not tell; the rest is measured all the same
        told["driver"] = f"not told: {type(error).__name__}"
    return told
