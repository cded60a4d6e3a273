"""The figures of ``lessonroom bench gpu`` for people."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

from lessonroom.bench import machine


def show(figures: dict[str, Any], console: Console) -> None:
    """Machine and GPU, then for each network speed by batch, agreement with the CPU, and where its operators ran."""
    about = figures["machine"]
    console.print(machine.line(about), style="dim", highlight=False)
    console.print(_gpu(about["gpu"]), style="dim", highlight=False)
    for provider, why in figures["not_started"].items():
        console.print(f"{provider} was not measured: {why}", highlight=False)
    for model, by_place in figures["speed"].items():
        console.print(_speed(model, by_place))
    console.print(_agreement(figures["agreement"]))
    for provider, by_model in figures["nodes"].items():
        for model, counted in by_model.items():
            told = ", ".join(f"{count} {name}" for name, count in counted.items())
            console.print(f"{model} asked for on {provider}, operators: {told}", highlight=False)


def _gpu(gpu: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in gpu.items() if value not in ("", None))


def _speed(model: str, by_place: dict[str, Any]) -> Table:
    batches = list(next(iter(by_place.values())))
    table = Table(title=f"{model}: ms for a batch, median / p95 (per second)")
    table.add_column("place")
    for batch in batches:
        table.add_column(batch, justify="right")
    for place, by_batch in by_place.items():
        table.add_row(place, *(_cell(by_batch[batch]) for batch in batches))
    return table


def _cell(told: dict[str, float]) -> str:
    return f"{told['p50_ms']:.2f} / {told['p95_ms']:.2f} ({told['per_second']:.0f})"


def _agreement(agreement: dict[str, dict[str, dict[str, float]]]) -> Table:
    table = Table(title="Against the CPU's answers to the same inputs")
    for column in ("network", "place", "largest difference", "of the largest number", "labels that agree"):
        table.add_column(column, justify="left" if column in {"network", "place"} else "right")
    for model, by_place in agreement.items():
        for place, told in by_place.items():
            labels = f"{told['labels_agree']:.1%}" if "labels_agree" in told else ""
            table.add_row(model, place, f"{told['difference']:.6f}", f"{told['relative']:.2%}", labels)
    return table
