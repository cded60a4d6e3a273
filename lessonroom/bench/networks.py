"""The networks alone, on inputs of a real clip: what the benches of providers and of threads measure."""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lessonroom.config import Settings
from lessonroom.errors import BadMedia
from lessonroom.media import clips, strain_reader
from lessonroom.media.engine import Arrays, Engine
from lessonroom.media.observe import observe
from lessonroom.media.vision import MODELS

ROWS: Final = 64
"""Different inputs of each network."""
_RATE: Final = 10.0
_WARM_UP: Final = 3


@dataclass(frozen=True, slots=True)
class Timed:
    """Calls with one batch: seconds of each by the clock, and of the processor, of all threads together."""

    batch: int
    clock: tuple[float, ...]
    processor: tuple[float, ...]

    def record(self) -> dict[str, float]:
        """Milliseconds for a call, and rows per second at the median."""
        p50, p95 = (float(point) for point in np.percentile(self.clock, [50, 95]))
        return {
            "p50_ms": round(1000 * p50, 4), "p95_ms": round(1000 * p95, 4),
            "processor_ms": round(1000 * float(np.median(self.processor)), 4),
            "per_second": round(self.batch / p50, 1),
        }  # fmt: skip


class _Noted:
    """An engine that remembers what it was asked."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.provider, self.reason = engine.provider, engine.reason
        self.asked: dict[str, list[Arrays]] = {name: [] for name in MODELS}

    def infer(self, model: str, inputs: Arrays) -> dict[str, NDArray[Any]]:
        self.asked[model].append({name: array.copy() for name, array in inputs.items()})
        return self._engine.infer(model, inputs)

    def close(self) -> None:
        self._engine.close()


def inputs(engine: Engine, settings: Settings, clip: Path) -> dict[str, Arrays]:
    """For each network the rows that looks at the clip asked it for, up to :data:`ROWS`. Raises BadMedia.

    Fewer are repeated, so that there are always as many.
    """
    noted, reader = _Noted(engine), strain_reader.of(settings)
    for sample in islice(clips.samples(clips.probe(clip), _RATE), ROWS):
        observe(noted, sample, reader)
    if not all(noted.asked.values()):
        raise BadMedia(f"{clip}: expected a clip that shows a face, found none in it")
    return {model: _rows(asked) for model, asked in noted.asked.items()}


def timed(engine: Engine, model: str, rows: Arrays, batch: int, rounds: int) -> Timed:
    """Ask for one batch again and again, after a few times that do not count."""
    asked = {name: np.ascontiguousarray(array[:batch]) for name, array in rows.items()}
    clock, processor = [], []
    for _ in range(_WARM_UP + rounds):
        began, worked = time.perf_counter(), time.process_time()
        engine.infer(model, asked)
        clock.append(time.perf_counter() - began)
        processor.append(time.process_time() - worked)
    return Timed(batch, tuple(clock[_WARM_UP:]), tuple(processor[_WARM_UP:]))


def _rows(asked: list[Arrays]) -> Arrays:
    names = list(asked[0])
    together = {name: np.concatenate([each[name] for each in asked]) for name in names}
    return {name: np.resize(array, (ROWS, *array.shape[1:])) for name, array in together.items()}
