"""``lessonroom plan``: from measured figures to machines."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import click

from lessonroom.cli_numbers import Count, Number
from lessonroom.errors import BadInput

SHIPPED = Path(__file__).parent / "bench" / "figures.json"
"""Figures of one run of ``make figures``; machine and date stand in them."""


@click.command(short_help="Machines for so many lessons, and what they cost.")
@click.option("--lessons", type=Count(1, 10_000_000), required=True, help="Analysed lessons at the same time.")
@click.option(
    "--figures", type=click.Path(path_type=Path), help="JSON of `bench rooms` or `make figures` of your machine."
)
@click.option("--cores", type=Count(1), help="Of one machine; default: as where the figures were made.")
@click.option("--memory", type=Number(0.1), help="Of one machine, in GiB; default: the same.")
@click.option("--network", type=Number(1), default=1000.0, show_default=True, help="Of one machine, Mbit/s.")
@click.option("--price", type=Number(0), help="Euro for an hour of one core.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def plan(
    *,
    lessons: int,
    figures: Path | None,
    cores: int | None,
    memory: float | None,
    network: float,
    price: float | None,
    as_json: bool,
) -> None:
    """Machines for so many lessons, what limits them, and what they cost."""
    from rich.console import Console

    from lessonroom.bench import against, costing, costing_page

    path = figures or SHIPPED
    try:
        found = costing.costs(against.read(path.read_text(encoding="utf-8", errors="replace")))
    except OSError as error:
        raise BadInput(f"{path}: expected a file of figures, got: {error.strerror}") from None
    except BadInput as error:
        raise BadInput(f"{path}: {error}") from None
    here = replace(found.machine, network_mbit=network)
    here = replace(here, cores=cores or here.cores, memory_gb=memory or here.memory_gb)
    record = costing_page.record(lessons, found, here, price)
    if as_json:
        click.echo(json.dumps(record, ensure_ascii=False))
    else:
        costing_page.show(record, Console())
