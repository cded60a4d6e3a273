"""What every bench's command does with its figures: people, JSON, beside those of an earlier run."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import Any

import click

from lessonroom.bench import against
from lessonroom.cli_numbers import Number
from lessonroom.errors import BadInput

EXISTING = click.Path(path_type=Path)


class Report:
    """Where a bench's figures go: to people or as JSON, and beside those of an earlier run."""

    def __init__(self, *, as_json: bool, earlier: Path | None, factor: float) -> None:
        self._as_json = as_json
        self._earlier = earlier
        self._factor = factor
        self._asked: Mapping[str, Any] = {}
        self._before: against.Run | None = None

    def expect(self, bench: str, asked: Mapping[str, Any]) -> None:
        """Say what will be measured. Reads the earlier run now: nobody shall wait for a file that is none.

        ``asked``: what must be the same in both runs, so not how long they last. Raises BadInput.
        """
        self._asked = asked
        if self._earlier is None:
            return
        try:
            text = self._earlier.read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            raise BadInput(f"{self._earlier}: expected a file to compare with, got: {error.strerror}") from None
        try:
            self._before = against.pick(against.read(text), bench, asked)
        except BadInput as error:
            raise BadInput(f"{self._earlier}: {error}") from None

    def tell(
        self, figures: dict[str, Any], show: Callable[[dict[str, Any], Any], None], *, failed: bool = False
    ) -> None:
        """Print the figures. Exits with 1 when they are worse than before, or ``failed`` in themselves."""
        figures["asked"] = dict(self._asked)
        found = against.compare(self._before, figures, self._factor) if self._before is not None else None
        if self._as_json:
            click.echo(json.dumps(figures | ({"against": found.record()} if found else {}), ensure_ascii=False))
        else:
            self._print(figures, show, found)
        if failed or (found is not None and found.regressions):
            sys.exit(1)

    @staticmethod
    def _print(
        figures: dict[str, Any], show: Callable[[dict[str, Any], Any], None], found: against.Comparison | None
    ) -> None:
        from rich.console import Console

        from lessonroom.bench import against_page

        console = Console()
        show(figures, console)
        if found is not None:
            against_page.show(found, console)


def compared(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that every bench has; the command gets them as ``report``."""

    @click.option("--json", "as_json", is_flag=True, help="One JSON object.")
    @click.option(
        "--against", "earlier", type=EXISTING, help="Compare with an earlier run's JSON; exit code 1: slower."
    )
    @click.option(
        "--factor",
        type=Number(1.0),
        default=against.FACTOR,
        show_default=True,
        help="With --against: by how much a figure may grow.",
    )
    @wraps(command)
    def with_report(*, as_json: bool, earlier: Path | None, factor: float, **others: Any) -> None:
        command(report=Report(as_json=as_json, earlier=earlier, factor=factor), **others)

    return with_report
