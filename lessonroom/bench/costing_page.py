"""A plan of machines, for people and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from lessonroom.bench.costing import BUSY, FULL, GROWTH, Costs, Machine, Needs, needs

GPU: Final = "not yet run on a GPU: `lessonroom bench gpu` measures it the day there is one"


def record(lessons: int, found: Costs, machine: Machine, price: float | None) -> dict[str, Any]:
    """The plan as one object. Raises BadInput where no lesson fits on such a machine."""
    return {
        "lessons": lessons,
        "machine": asdict(machine),
        "kept_free": {"cores": round(1 - BUSY, 2), "memory": round(1 - FULL, 2), "network": round(1 - FULL, 2)},
        "needs": row(needs(lessons, found, machine), price),
        "growth": [row(needs(each, found, machine), price) for each in GROWTH],
        "gpu": GPU,
        "price_per_core_hour": price,
        "figures": asdict(found),
    }


def row(found: Needs, price: float | None) -> dict[str, Any]:
    """One line of the table of growth."""
    return {
        "lessons": found.lessons,
        "machines": found.machines,
        "lessons_on_each": found.each,
        "workers_on_each": found.workers,
        "cores_used": round(found.cores, 2),
        "memory_gb_used": round(found.memory_gb, 2),
        "network_mbit_used": round(found.network_mbit, 2),
        "core_hours_per_1000_lesson_hours": round(found.core_hours, 1),
        "euro_per_1000_lesson_hours": None if price is None else round(found.euro(price), 2),
        "limits": [{"what": what, "lessons_on_a_machine": count} for what, count in found.limits],
        "measured": found.measured,
    }


def show(plan: dict[str, Any], console: Console) -> None:
    """Print a plan that :func:`record` made."""
    figures, machine, here = plan["figures"], plan["machine"], plan["needs"]

    def say(text: str) -> None:
        console.print(text, highlight=False)

    say(
        f"From figures of {figures['at']}, {figures['processor']}, {figures['machine']['cores']} cores: a lesson with "
        f"{figures['samples']:g} look{'' if figures['samples'] == 1 else 's'} a second takes "
        f"{figures['percent']['each']:.2f} % of a core, "
        f"{figures['memory_mb']['each']:.1f} MiB and {figures['network_kbit']:.0f} kbit/s."
    )
    say(
        f"{_count(plan['lessons'], 'lesson')} at once: {_count(here['machines'], 'machine')} of "
        f"{_count(machine['cores'], 'core')}, {machine['memory_gb']:g} GiB and {machine['network_mbit']:g} Mbit/s, "
        f"{_count(here['lessons_on_each'], 'lesson')} on each, {_workers(here['workers_on_each'])}."
    )
    say(f"Settings for it: {_settings(figures['samples'], here['lessons_on_each'])}.")
    say(_cost(here))
    limits = ", then ".join(f"{each['what']} at {each['lessons_on_a_machine']:,}" for each in here["limits"])
    say(f"What limits one machine, in lessons: {limits}.")
    free = plan["kept_free"]
    say(f"Kept free: {free['cores']:.0%} of the cores, {free['memory']:.0%} of memory and network. No spare machine.")
    if not here["measured"]:
        say("So many lessons on one such machine were not measured: this is the straight line, carried on.")
    console.print(_growth(plan))
    say(f"GPU: {plan['gpu']}.")


def _growth(plan: dict[str, Any]) -> Table:
    priced = plan["price_per_core_hour"] is not None
    title = f"Euro at {plan['price_per_core_hour']:g} an hour of a core" if priced else "Without a price (--price)"
    table = Table(title=title, box=SIMPLE, collapse_padding=True, pad_edge=False)
    columns = ["lessons", "machines", "each", "workers", "cores", "GiB", "Mbit/s", "core h*"]
    for column in [*columns, *(["euro*"] if priced else [])]:
        table.add_column(column, justify="right", no_wrap=True)
    rows = {one["lessons"]: one for one in (*plan["growth"], plan["needs"])}
    for one in sorted(rows.values(), key=lambda row: int(row["lessons"])):
        each = f"{one['lessons_on_each']}{'' if one['measured'] else ' ?'}"
        cells = [
            f"{one['lessons']:,}", f"{one['machines']:,}", each, f"{one['workers_on_each']}",
            f"{one['cores_used']:.2f}", f"{one['memory_gb_used']:.1f}", f"{one['network_mbit_used']:.1f}",
            f"{one['core_hours_per_1000_lesson_hours']:,.0f}",
        ]  # fmt: skip
        style = "bold" if one["lessons"] == plan["lessons"] else ""
        table.add_row(*cells, *([f"{one['euro_per_1000_lesson_hours']:,.2f}"] if priced else []), style=style)
    table.caption = "*: of 1,000 hours of lessons; ?: not measured"
    return table


def _workers(count: int) -> str:
    return f"`serve --workers {count}`" if count else "no workers beside the server's own process"


def _settings(samples: float, lessons: int) -> str:
    """What a server must be told so that its lessons cost what they were measured at."""
    return f"LESSONROOM_SAMPLE_RATE={samples:g} LESSONROOM_ANALYSERS={lessons}"


def _cost(here: dict[str, Any]) -> str:
    """What 1,000 hours of these lessons take of whole machines, and cost where a price was given."""
    hours, euro = here["core_hours_per_1000_lesson_hours"], here["euro_per_1000_lesson_hours"]
    paid = "" if euro is None else f", {euro:,.2f} euro"
    return f"1,000 hours of such lessons take {hours:,.1f} core hours of whole machines{paid}."


def _count(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
