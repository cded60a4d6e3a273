"""The figures of whole lessons, for people."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

from lessonroom.bench import machine

FEWER = 1.05
"""A server that was asked for so many times the samples that it took was shedding load."""
POINTS = ("p50", "p95", "p99")


def show(figures: dict[str, Any], console: Console) -> None:
    """Print them."""
    console.print(machine.line(figures["machine"]), style="dim", highlight=False)
    if "beside" in figures:
        _one(figures["beside"], figures["stream"], console)
    _one(figures, figures["stream"], console)
    for name, value in figures["ratios"].items():
        console.print(f"{name.replace('_', ' ')}: {value:.2f}", highlight=False)


def _one(figures: dict[str, Any], stream: str, console: Console) -> None:
    workers = f", {figures['workers']} media workers" if figures["workers"] else ""
    console.print(f"{figures['rooms']} lessons for {figures['seconds']:g} s{workers}, each {stream}", highlight=False)
    console.print(_server(figures))
    console.print(_waits("People wait, ms", figures["latency_ms"]))
    console.print(_waits("Stages of looking, ms", figures["stages_ms"]))
    pages, bound = figures["clients"], figures["bound"]
    late = "–" if pages["frames_late_ms"] is None else f"{pages['frames_late_ms']['p95']:.1f}"
    console.print(
        f"clients: {pages['percent_of_a_core']:.1f} % of a core, {pages['share_of_all']:.0%} of all; "
        f"their frames late by {late} ms (p95); {pages['media_kbit_per_second']:.0f} kbit/s\n"
        f"bound: {bound['percent_of_a_core']:.2f} % of a core for a lesson that only decodes and asks the networks",
        highlight=False,
    )
    if asked := figures["inference_server"]:
        calls = ", ".join(f"{count} {outcome}" for outcome, count in asked.items())
        console.print(f"inference server, calls: {calls}", highlight=False)
    if figures["ratios"]["samples_asked_to_taken"] > FEWER:
        console.print("Warning: the server looked less often than it was asked to", style="yellow", highlight=False)


def _server(figures: dict[str, Any]) -> Table:
    table = Table(title="Server")
    for column in ("what", "in all", "per lesson"):
        table.add_column(column, justify="left" if column == "what" else "right")
    for name, row in figures["server"].items():
        table.add_row(name.replace("_", " "), *(f"{row[key]:.2f}" for key in ("all", "per_lesson")))
    for one in figures["processes"]:
        table.add_row(f"of it {one['process']}", f"{one['percent_of_a_core']:.2f} %", f"{one['memory_mb']:.0f} MB")
    return table


def _waits(title: str, rows: dict[str, Any]) -> Table:
    table = Table(title=title)
    for column in ("what", "median", "p95", "p99", "of"):
        table.add_column(column, justify="left" if column == "what" else "right")
    for name, row in rows.items():
        cells = ("–", "–", "–", "0") if row is None else (*(f"{row[point]:.1f}" for point in POINTS), str(row["of"]))
        table.add_row(name.replace("_", " "), *cells)
    return table
