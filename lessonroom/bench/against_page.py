"""A comparison with an earlier run, for people."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from lessonroom.bench.against import Comparison


def show(found: Comparison, console: Console) -> None:
    """Print every figure that both runs have, and which of them grew by more than was allowed."""
    where = "the same machine" if found.same_machine else "another machine: ratios alone are compared"
    table = Table(title=f"Against the run of {found.before_at or 'an unknown time'}, {where}")
    for column in ("figure, less is better", "before", "now", "factor", ""):
        table.add_column(column, justify="left" if column.startswith("figure") else "right")
    for change in found.changes:
        told = "slower" if change.worse else ""
        row = (change.name.replace("_", " "), f"{change.before:g}", f"{change.now:g}", f"{change.factor:.2f}", told)
        table.add_row(*row, style="bold" if change.worse else "")
    console.print(table)
    slower = ", ".join(name.replace("_", " ") for name in found.regressions)
    told = (
        f"slower by more than {found.factor:g}: {slower}"
        if slower
        else f"nothing is slower by more than {found.factor:g}"
    )
    console.print(told, highlight=False)
