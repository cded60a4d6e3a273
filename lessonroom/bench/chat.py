"""How fast the chat filter is on this machine: one core, the whole path from text to verdict."""

from __future__ import annotations

import importlib.util
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from lessonroom.bench import machine
from lessonroom.chat import classifier as shelf
from lessonroom.chat import dataset
from lessonroom.chat.policy import ChatPolicy
from lessonroom.chat.screen import MAX_LENGTH, screen

HOSTILE: Final = (
    "1 ",
    "@ ",
    "a.",
    "ab@",
    "vk a1 ",
    "gmail x1 ",
    "🐶1️⃣",
    "ул ленина 5 ",
    "a1_",
    "8\u0336",
    "(",
    "мой тел 8 905 ",
)
_LONG: Final = 65_536


def measure(texts: Sequence[str] = (), models_dir: Path | None = None, seconds: float = 5.0) -> dict[str, Any]:
    """Median, 99th percentile and rate over ``texts`` (the corpus by default); the worst of hostile texts.

    Times are milliseconds of the thread's own clock. Each text is screened as a message of a new sender. The lower
    bound is one pass over the text that only cuts it into words.
    """
    model, policy = shelf.load(models_dir), ChatPolicy()
    texts = texts or [row.text for row in dataset.corpus()]

    def path(text: str) -> object:
        return screen(text, model, policy)

    for text in texts[:500]:
        path(text)
    times = _times(path, texts, seconds)
    bound = statistics.median(_times(str.split, texts, 0.5))
    worst = max(_best(path, (piece * _LONG)[:size]) for piece in HOSTILE for size in (MAX_LENGTH, _LONG))
    figures: dict[str, Any] = {
        "bench": "chat",
        "machine": machine.describe(),
        "messages": len(times),
        "median_ms": round(statistics.median(times), 4),
        "p99_ms": round(statistics.quantiles(times, n=100)[98], 4),
        "per_second": round(1000 * len(times) / sum(times)),
        "hostile_64k_ms": round(worst, 2),
        "lower_bound_ratio": round(statistics.median(times) / bound, 1),
    }
    presidio = _presidio()
    if presidio is not None:
        figures["presidio_median_ms"] = round(statistics.median(_times(presidio, texts[:200], seconds)), 3)
    return figures


def show(figures: dict[str, Any], console: Console) -> None:
    """Print the figures for people."""
    console.print(machine.line(figures["machine"]), style="dim", highlight=False)
    table = Table(title="From text to verdict, one core")
    table.add_column("what")
    table.add_column("figure", justify="right")
    for name, figure in figures.items():
        if name not in {"bench", "machine"}:
            table.add_row(name.replace("_", " "), f"{figure}")
    console.print(table)


def _times(path: Callable[[str], object], texts: Sequence[str], seconds: float) -> list[float]:
    out: list[float] = []
    end = time.perf_counter() + seconds
    while True:
        for text in texts:
            out.append(_once(path, text))
        if time.perf_counter() >= end:
            return out


def _once(path: Callable[[str], object], text: str) -> float:
    start = time.thread_time_ns()
    path(text)
    return (time.thread_time_ns() - start) / 1e6


def _best(path: Callable[[str], object], text: str) -> float:
    """The best of three: a collection of garbage from elsewhere is not the text's doing."""
    return min(_once(path, text) for _ in range(3))


def _presidio() -> Callable[[str], object] | None:
    """Presidio's analyser with its default recognisers, where somebody has installed it for comparison."""
    if importlib.util.find_spec("presidio_analyzer") is None:
        return None
    engine = importlib.import_module("presidio_analyzer").AnalyzerEngine()
    return lambda text: engine.analyze(text=text, language="en")
