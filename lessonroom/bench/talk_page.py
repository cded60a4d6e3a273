"""The figures of a chat load, for people."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

from lessonroom.bench import machine

COUNTS = ("sent", "acknowledged", "stored", "arrived", "stopped", "refused", "lost", "doubled", "dropped_sockets")


def show(figures: dict[str, Any], console: Console) -> None:
    """Print them."""
    console.print(machine.line(figures["machine"]), style="dim", highlight=False)
    console.print(
        f"{figures['rooms']} rooms, {figures['sent_per_second']:g} messages a second for {figures['seconds']:g} s"
        f"{', interrupted' if figures['interrupted'] else ''}; load after {figures['load_after']}",
        highlight=False,
    )
    console.print(_waits(figures))
    console.print(_counts(figures))
    console.print(f"failed: {', '.join(figures['failed'])}" if figures["failed"] else "nothing failed")


def _waits(figures: dict[str, Any]) -> Table:
    table = Table(title="From the socket of one page, ms")
    for column in ("to", "median", "p95", "p99", "longest", "of"):
        table.add_column(column, justify="left" if column == "to" else "right")
    for name, text in (("relay_ms", "the other page"), ("acknowledgement_ms", "its acknowledgement")):
        row = figures[name]
        cells = ("–",) * 5 if row is None else [f"{row[key]:g}" for key in ("p50", "p95", "p99", "max", "of")]
        table.add_row(text, *cells)
    return table


def _counts(figures: dict[str, Any]) -> Table:
    table = Table(title="Messages, sockets, server")
    table.add_column("what")
    table.add_column("figure", justify="right")
    rows = {name: figures[name] for name in COUNTS} | figures["server"]
    rows["client_percent_of_a_core"] = figures["client_percent_of_a_core"]
    for name, value in rows.items():
        table.add_row(name.replace("_", " "), f"{value}")
    return table
