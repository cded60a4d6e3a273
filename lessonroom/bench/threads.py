"""``lessonroom bench threads``: how many threads one inference on the CPU is worth, measured.

A lesson needs few milliseconds of inference a second, and there are many lessons: what counts is the processor time of
a look, and threads that share one look only add to it. They pay where a core would be idle and a look is late.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from lessonroom import cores
from lessonroom.bench import machine
from lessonroom.bench.networks import inputs, timed
from lessonroom.config import Settings
from lessonroom.media.onnx_engine import OnnxEngine
from lessonroom.media.vision import MODELS
from lessonroom.progress import Show, unseen

BATCHES: Final = (1, 8)
"""A look alone, and the looks of a busy server."""


def run(settings: Settings, clip: Path, *, rounds: int = 100, progress: Show = unseen) -> dict[str, Any]:
    """Each network with 1, 2, 4 .. threads, up to the cores. ``clip`` must show a face.

    Raises BadMedia and ModelRefused.
    """
    about = machine.describe() | {"provider": "CPU"}
    with OnnxEngine(MODELS, models_dir=settings.models_dir) as engine:
        rows = inputs(engine, settings, clip)
    figures: dict[str, dict[str, Any]] = {model: {} for model in rows}
    counts = list(thread_counts(cores.whole()))
    for number, threads in enumerate(counts):
        progress(f"{threads} threads", number, len(counts))
        with OnnxEngine(MODELS, models_dir=settings.models_dir, threads=threads) as engine:
            for model, asked in rows.items():
                figures[model][str(threads)] = {
                    str(batch): timed(engine, model, asked, batch, rounds).record() for batch in BATCHES
                }
    return {
        "bench": "threads", "machine": about, "rounds": rounds, "networks": figures,
        "ratios": _ratios(figures), "best": best(figures),
    }  # fmt: skip


def thread_counts(most: int) -> Iterator[int]:
    """1, 2, 4 .. and the most."""
    count = 1
    while count < most:
        yield count
        count *= 2
    yield most


def best(figures: dict[str, dict[str, Any]]) -> dict[str, int]:
    """The numbers of threads with which looks, one at a time, take the least of the processor and of the clock."""
    counts = next(iter(figures.values()))
    spent = {
        kind: {threads: sum(by_threads[threads]["1"][kind] for by_threads in figures.values()) for threads in counts}
        for kind in ("processor_ms", "p50_ms")
    }
    return {kind: int(min(each, key=lambda threads: each[threads])) for kind, each in spent.items()}


def show(figures: dict[str, Any], console: Console) -> None:
    """Print the figures for people."""
    console.print(machine.line(figures["machine"]), style="dim", highlight=False)
    table = Table(title="Inference on the CPU by threads, ms: by the clock, on the processor")
    for column in ("network", "threads", *(f"batch {batch}" for batch in BATCHES)):
        table.add_column(column, justify="left" if column == "network" else "right")
    for model, by_threads in figures["networks"].items():
        for threads, by_batch in by_threads.items():
            cells = (f"{each['p50_ms']:.2f}, {each['processor_ms']:.2f}" for each in by_batch.values())
            table.add_row(model, threads, *cells)
    console.print(table)
    chosen = figures["best"]
    console.print(
        f"least processor time: inference_threads {chosen['processor_ms']}; "
        f"soonest answer with nothing else to do: {chosen['p50_ms']}",
        highlight=False,
    )


def _ratios(figures: dict[str, dict[str, Any]]) -> dict[str, float]:
    """Processor time of more threads over that of one."""
    return {
        f"{model} {threads} threads, batch {batch}, to one": round(
            told["processor_ms"] / alone[batch]["processor_ms"], 3
        )
        for model, by_threads in figures.items()
        for alone in [by_threads["1"]]
        for threads, by_batch in by_threads.items()
        for batch, told in by_batch.items()
        if threads != "1"
    }
