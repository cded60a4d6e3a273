"""``lessonroom bench video``: what one look at one face costs, stage by stage, on one thread.

The bound is the networks alone on inputs that are ready: nothing that looks with these models can be quicker.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import av
import cv2
import numpy as np
from av.video.frame import VideoFrame
from rich.console import Console
from rich.table import Table

from lessonroom.bench import machine
from lessonroom.config import Settings
from lessonroom.errors import BadMedia
from lessonroom.media import expression, faces, quality, strain_reader
from lessonroom.media.engine import Arrays, Engine
from lessonroom.media.observe import Reader, observe
from lessonroom.media.onnx_engine import OnnxEngine
from lessonroom.media.shots import pixels
from lessonroom.media.types import Face, Image, Sample, Unseen
from lessonroom.media.vision import MODELS
from lessonroom.progress import Show, unseen
from lessonroom.simulate import shaped

Row = dict[str, tuple[float, float]]
"""Stage to seconds by the clock and seconds on the processor; the latter do not mind a busy machine."""
Times = dict[str, list[tuple[float, float]]]
T = TypeVar("T")

BATCHES = (1, 4, 16, 64)
WARM_UP = 5
STAGES = ("decode", "convert", "detect", "mesh", "crop", "quality", "expression", "whole", "networks")


def run(settings: Settings, clip: Path, *, rounds: int = 300, progress: Show = unseen) -> dict[str, Any]:
    """Measure and return the figures, times in milliseconds. ``clip`` must show a face.

    Raises BadMedia otherwise, and ModelRefused for a model or strain head that cannot be used.
    """
    reader = strain_reader.of(settings)
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    about = machine.describe()
    try:
        with OnnxEngine(MODELS, models_dir=settings.models_dir, providers=settings.inference_providers) as engine:
            stages, faces_seen = _stages(engine, reader, clip, rounds, progress)
            batches = {str(size): _batch(engine, faces_seen, size) for size in BATCHES}
            about["provider"] = engine.provider
    finally:
        cv2.setNumThreads(threads)
    spent = {name: _median([cpu * 1000 for _, cpu in rows]) for name, rows in stages.items()}
    return {
        "bench": "video",
        "machine": about,
        "rounds": len(stages["whole"]),
        "milliseconds": {name: machine.spread([wall for wall, _ in rows]) for name, rows in stages.items()},
        "processor_milliseconds": spent,
        "expressions_per_second": batches,
        "ratios": _ratios(spent, batches),
        "costs": {f"{name}_ms": cost for name, cost in spent.items()},
    }


def _ratios(spent: dict[str, float], batches: dict[str, float]) -> dict[str, float]:
    """Each stage to the networks alone, and what a face takes in a batch to what it takes alone."""
    stages = {f"{name}_to_networks": cost / spent["networks"] for name, cost in spent.items() if name != "networks"}
    sizes = {f"a_face_of_{size}_to_one_alone": batches["1"] / rate for size, rate in batches.items() if size != "1"}
    return {name: round(value, 3) for name, value in (stages | sizes).items()}


def show(figures: dict[str, Any], console: Console) -> None:
    """Print the figures for people."""
    console.print(machine.line(figures["machine"]), style="dim", highlight=False)
    table = Table(title=f"One look at one face, one thread, {figures['machine']['provider']}, ms")
    for column in ("stage", "on the processor", "median", "p95", "p99"):
        table.add_column(column, justify="left" if column == "stage" else "right")
    for name, row in figures["milliseconds"].items():
        spent = f"{figures['processor_milliseconds'][name]:.2f}"
        table.add_row(name, spent, *(f"{row[point]:.2f}" for point in ("p50", "p95", "p99")))
    console.print(table)
    ratio = figures["ratios"]["whole_to_networks"]
    console.print(f"whole / networks alone, on the processor: {ratio:.2f}", highlight=False)
    each = ", ".join(f"{size}: {rate:.0f}" for size, rate in figures["expressions_per_second"].items())
    console.print(f"expressions per second by batch: {each}", highlight=False)


def _stages(
    engine: Engine, reader: Reader, clip: Path, rounds: int, progress: Show
) -> tuple[Times, list[tuple[Image, Face]]]:
    """Both times of every stage, for each picture with a face, and some of those pictures."""
    times: Times = {name: [] for name in STAGES}
    seen: list[tuple[Image, Face]] = []
    kept = Kept(engine)
    for number, (row, frame) in enumerate(_decoded(clip, rounds)):
        progress("looking", number, rounds + WARM_UP)
        image = _timed(row, "convert", pixels, frame)
        found = _timed(row, "detect", faces.detect, kept, image)
        face = faces.landmark(engine, image, found[0]) if found else Unseen.NO_FACE
        if isinstance(face, Unseen):
            kept.taken()  # what was asked about a picture without a face is not part of the next one's bound
            continue
        _look(row, kept, image, found[0], face, reader=reader)
        if number >= WARM_UP:
            for name, seconds in row.items():
                times[name].append(seconds)
            seen.append((image, face))
    if not seen:
        raise BadMedia(f"{clip}: expected a clip that shows a face, found none in it")
    return times, seen[:64]


def _look(row: Row, kept: Kept, image: Image, found: faces.Found, face: Face, *, reader: Reader) -> None:
    """The stages after detection, the whole once more as the server does it, and the networks alone."""
    _timed(row, "mesh", faces.landmark, kept, image, found)
    grey = _timed(row, "crop", expression.crop, image, face)
    _timed(row, "quality", quality.judge, image, face, grey)
    _timed(row, "expression", expression.read, kept, grey)
    asked = kept.taken()
    _timed(row, "whole", observe, kept.engine, Sample(image, 0.0), reader)
    _timed(row, "networks", lambda: [kept.engine.infer(model, inputs) for model, inputs in asked])


def _batch(engine: Engine, seen: list[tuple[Image, Face]], size: int) -> float:
    """Expressions read per second of processor time, in batches of ``size`` faces."""
    crops = [expression.crop(image, face) for image, face in seen]
    batch = [crops[number % len(crops)] for number in range(size)]
    expression.read_all(engine, batch)
    spent = []
    for _ in range(max(3, 128 // size)):
        began = time.thread_time()
        expression.read_all(engine, batch)
        spent.append(time.thread_time() - began)
    return round(size / float(np.median(spent)), 1)


def _decoded(clip: Path, rounds: int) -> Iterator[tuple[Row, VideoFrame]]:
    """What it took to decode, and the picture, of a shaped stream made of the clip."""
    frames = shaped.encode(clip)
    decoder = av.CodecContext.create("vp8", "r")
    decoder.thread_count = 1
    for number in range(rounds + WARM_UP):
        packet = shaped.packet(frames, number)
        row: Row = {}
        for picture in _timed(row, "decode", decoder.decode, packet):
            yield row, picture


class Kept:
    """An engine that remembers what it was asked, so that the networks can be run alone on the same inputs."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.provider, self.reason = engine.provider, engine.reason
        self._asked: list[tuple[str, Arrays]] = []

    def infer(self, model: str, inputs: Arrays) -> dict[str, Any]:
        """Ask the engine, and keep what it was asked."""
        self._asked.append((model, inputs))
        return self.engine.infer(model, inputs)

    def close(self) -> None:
        """Close the engine."""
        self.engine.close()

    def taken(self) -> list[tuple[str, Arrays]]:
        """What it was asked since the last time."""
        asked, self._asked = self._asked, []
        return asked


def _median(values: list[float]) -> float:
    return round(float(np.median(values)), 3)


def _timed(row: Row, name: str, work: Callable[..., T], *arguments: Any) -> T:
    """Call, and note seconds by the clock and on the processor."""
    began, worked = time.perf_counter(), time.thread_time()
    answer = work(*arguments)
    row[name] = time.perf_counter() - began, time.thread_time() - worked
    return answer
