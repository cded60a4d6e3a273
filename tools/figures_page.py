"""The tables of docs/performance.md, made from figures. Pure: the same figures give the same page."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from lessonroom.bench import costing, costing_page

Run = dict[str, Any]
PRICE: Final = 0.02
"""Euro for an hour of one core, as an example."""
NONE: Final = "Not measured in this run."
LOOKED: Final = "≥ 0.95"
SHAPED_TO_LIBAV: Final = "≤ 2.31"
"""0.30 % of a core where libav, asked to decode the same packets, took 0.13 %: the goal for any machine."""
FOREIGN_TO_LIBAV: Final = "≤ 1.26"
"""2.0 % where libav took 1.59 %."""
LARGER: Final = costing.Machine(cores=16, memory_gb=32.0)


def filled(page: str, runs: Sequence[Run]) -> str:
    """The page with every block between ``<!-- NAME -->`` and ``<!-- /NAME -->`` made anew.

    Raises KeyError for a block that nobody makes.
    """

    def block(found: re.Match[str]) -> str:
        name = found[1]
        return f"<!-- {name} -->\n\n{BLOCKS[name](runs)}\n\n<!-- /{name} -->"

    return re.sub(r"<!-- ([a-z_]+) -->\n.*?<!-- /\1 -->", block, page, flags=re.DOTALL)


TALK: Final = 15.0
"""Seconds from a lesson's message to its next in the figures of whole lessons: 200 in 50 minutes."""


def pick(runs: Iterable[Run], bench: str, **asked: Any) -> Run | None:
    """The last run of a bench with these answers in it."""
    found = [run for run in runs if run["bench"] == bench and all(run.get(key) == asked[key] for key in asked)]
    return found[-1] if found else None


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table of markdown; all but the first column are figures."""
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)


def about(runs: Sequence[Run]) -> str:
    """Machine, date, versions, load."""
    first, loads = runs[0]["machine"], [run["machine"]["load_before"] for run in runs]
    versions = ", ".join(f"{name} {number}" for name, number in first["versions"].items())
    return (
        f"{first['processor']}, {first['cores']} cores, {first['memory_gb']} GiB, {first['system']}, "
        f"{first['at'][:10]}; load average {min(loads):.1f} to {max(loads):.1f} as the benches began. {versions}."
    )


def goals(runs: Sequence[Run]) -> str:
    """What must be reached, and what this run says of it."""
    rows = [
        (what, goal, "–" if value is None else _number(value), _met(value, goal)) for what, goal, value in _goals(runs)
    ]
    return table(("what", "goal", "this run", ""), rows)


def _goals(runs: Sequence[Run]) -> Iterable[tuple[str, str, float | None]]:
    rooms, received = _calm(runs), pick(runs, "receive")
    video, cycles = pick(runs, "video"), pick(runs, "cycles")
    streams, steady = received["receive"] if received else {}, rooms if rooms and _looked(rooms) else None
    yield "receiving a shaped stream, % of a core", "≤ 0.30", _of(streams, "shaped", "ours_percent")
    yield (
        "receiving a shaped stream, to libav that decodes it",
        SHAPED_TO_LIBAV,
        _of(streams, "shaped", "ours_to_libav"),
    )
    yield "receiving 640x360@30, % of a core", "≤ 2.0", _of(streams, "foreign", "ours_percent")
    yield "receiving 640x360@30, to libav that decodes it", FOREIGN_TO_LIBAV, _of(streams, "foreign", "ours_to_libav")
    yield (
        "looks taken at 64 lessons, of those asked for",
        LOOKED,
        _inverse(_of(rooms, "ratios", "samples_asked_to_taken")),
    )
    yield "a lesson at 64, % of a core", "≤ 1.0", _of(steady, "server", "percent_of_a_core", "per_lesson")
    yield "a lesson at 64 to one at 8", "≤ 1.1", _of(steady, "ratios", "lesson_to_that_of_fewer")
    yield "frame to observation at 64, p95, ms", "≤ 300", _of(rooms, "latency_ms", "frame_received_to_estimate", "p95")
    yield "memory for one lesson more, MiB", "≤ 3", _of(rooms, "one_more", "memory_mb")
    yield "expressions a second, batch of 16 to 1", "≥ 1.3", _inverse(_of(video, "ratios", "a_face_of_16_to_one_alone"))
    yield (
        "kinds of things that grow as a camera comes and goes",
        "≤ 0",
        float(len(cycles["failed"])) if cycles else None,
    )


def _looked(rooms: Run) -> bool:
    """Whether the server looked as often as it was asked to: a lesson that is looked at less costs less."""
    return _met(_inverse(_of(rooms, "ratios", "samples_asked_to_taken")), LOOKED) == "met"


def whole(runs: Sequence[Run]) -> str:
    """The cost of a lesson among few, among many, and with media workers."""
    found = [run for run in _houses(runs) if run is not None]
    if not found:
        return NONE
    head = ("server", *(f"{run['rooms']} lessons{_kind(run)}" for run in found))
    rows: list[tuple[object, ...]] = []
    for what, text in (("percent_of_a_core", "% of a core"), ("memory_mb", "MiB"), ("descriptors", "descriptors")):
        rows.append((f"{text}, in all", *(f"{run['server'][what]['all']:.1f}" for run in found)))
        rows.append((f"{text}, per lesson", *(f"{run['server'][what]['per_lesson']:.2f}" for run in found)))
    rows.append(
        ("looks a second, per lesson", *(_cell(run, "server", "samples_per_second", "per_lesson") for run in found))
    )
    rows.append(
        ("looks without an answer", *(f"{run['server']['looks_without_an_answer']['all']:.0f}" for run in found))
    )
    rows.append(("bound, % of a core per lesson", *(_cell(run, "bound", "percent_of_a_core") for run in found)))
    rows.append(("lesson to bound", *(_cell(run, "ratios", "lesson_to_bound") for run in found)))
    rows.append(("front process, % of a core", *(f"{_front(run):.1f}" for run in found)))
    rows.append(("clients, % of a core", *(_cell(run, "clients", "percent_of_a_core") for run in found)))
    rows.append(("clients, share of all", *(f"{run['clients']['share_of_all']:.0%}" for run in found)))
    return table(head, rows)


def waits(runs: Sequence[Run]) -> str:
    """How long people wait, among few and among many."""
    found = [run for run in _houses(runs) if run is not None]
    if not found:
        return NONE
    head = ("ms: median / p95 / p99", *(f"{run['rooms']} lessons{_kind(run)}" for run in found))
    names = found[0]["latency_ms"]
    return table(head, [(_words(name), *(_spread(run["latency_ms"].get(name)) for run in found)) for name in names])


def stages(runs: Sequence[Run]) -> str:
    """One look, stage by stage."""
    run = pick(runs, "video")
    if run is None:
        return NONE
    rows = [
        (
            name,
            f"{spent:.2f}",
            _spread(run["milliseconds"][name]),
            f"{run['ratios'].get(f'{name}_to_networks', 1.0):.2f}",
        )
        for name, spent in run["processor_milliseconds"].items()
    ]
    sizes = ", ".join(f"{size}: {rate:,.0f}" for size, rate in run["expressions_per_second"].items())
    head = ("stage", "on the processor, ms", "median / p95 / p99, ms", "to the networks")
    return f"{table(head, rows)}\n\nExpressions a second by batch: {sizes}."


def receiving(runs: Sequence[Run]) -> str:
    """A stream that nobody looks at."""
    run = pick(runs, "receive")
    if run is None:
        return NONE
    rows = [
        (name, *(f"{row[f'{who}_percent']:.2f}" for who in ("libav", "stock", "ours")), f"{row['ours_to_libav']:.2f}",
         f"{row['ours_to_stock']:.2f}", f"{row['connection_mb']['ours']:.1f}")
        for name, row in run["receive"].items()
    ]  # fmt: skip
    head = ("stream", "libav alone, %", "stock aiortc, %", "ours, %", "ours / libav", "ours / stock", "MiB")
    return table(head, rows)


def chat(runs: Sequence[Run]) -> str:
    """The filter alone, and messages under load."""
    run, load = pick(runs, "chat"), pick(runs, "talk")
    lines = []
    if run is not None:
        lines.append(
            f"From text to verdict, one core: median {run['median_ms']:.2f} ms, p95 {run['p95_ms']:.2f}, p99 "
            f"{run['p99_ms']:.2f}, {run['per_second']:,} a second; {run['ratios']['median_to_bound']:,.0f} times the "
            f"bound, one pass that only cuts into words. The worst of hostile texts: {run['hostile_64k_ms']:.0f} ms."
        )
    if load is not None:
        lines.append(
            f"{load['rooms']} rooms, {load['sent_per_second']:g} messages a second: median / p95 / p99 "
            f"{_spread(load['relay_ms'])} ms to the other page, {_spread(load['acknowledgement_ms'])} ms to the "
            f"acknowledgement; {load['server']['microseconds_per_message']} µs of the server a message, "
            f"{load['ratios']['server_to_pages_processor']:.1f} times what its pages take; "
            + (f"failed: {', '.join(load['failed'])}." if load["failed"] else "nothing lost or doubled.")
        )
    return "\n\n".join(lines) or NONE


def cycles(runs: Sequence[Run]) -> str:
    """A camera that comes and goes."""
    run = pick(runs, "cycles")
    if run is None:
        return NONE
    rows = [
        (_words(name), f"{run[name][0]:g}", f"{run[name][-1]:g}", f"{max(run[name]):g}")
        for name in ("memory_mb", "threads", "descriptors")
    ]
    told = (
        f"{run['cycles']} times: {run['server_ms_a_cycle']:.1f} ms of the server each, "
        f"{run['clients_ms_a_cycle']:.1f} ms of the client, {run['memory_kb_a_cycle']:.1f} KB more. "
        + (f"Grown: {', '.join(run['failed'])}." if run["failed"] else "Nothing has grown.")
    )
    return f"{table(('server', 'before', 'after', 'most'), rows)}\n\n{told}"


def profile(runs: Sequence[Run]) -> str:
    """Where a lesson's processor time goes."""
    run = pick(runs, "profile")
    if run is None:
        return NONE
    rows = [(row["stage"], f"{row['share']:.0%}", f"{row['percent_of_a_core']:.3f}") for row in run["stages"]]
    head = (f"{run['rooms']} lessons, {run['seconds']} s", "share", "% of a core per lesson")
    return table(head, rows)


def growth(runs: Sequence[Run]) -> str:
    """From 1 to 10,000 lessons, on the measured machine and on a larger one."""
    found = costing.costs(runs)
    said = (
        f"A server takes {found.percent.base:.1f} % of a core and {found.memory_mb.base:.0f} MiB by itself; each "
        f"lesson {found.percent.each:.2f} %, {found.memory_mb.each:.1f} MiB and {found.network_kbit:.0f} kbit/s more"
        + (f", {found.front:.2f} % of it in the front process when there are workers." if found.front else ".")
    )
    return "\n\n".join([said, *(_growth(found, each) for each in (found.machine, LARGER))])


def _growth(found: costing.Costs, where: costing.Machine) -> str:
    rows = []
    for lessons in costing.GROWTH:
        one = costing_page.row(costing.needs(lessons, found, where), PRICE)
        rows.append(
            (f"{lessons:,}", f"{one['machines']:,}", f"{one['lessons_on_each']}{'' if one['measured'] else ' ?'}",
             one["workers_on_each"], f"{one['cores_used']:.2f}", f"{one['memory_gb_used']:.1f}",
             f"{one['network_mbit_used']:.1f}", f"{one['core_hours_per_1000_lesson_hours']:,.0f}",
             f"{one['euro_per_1000_lesson_hours']:,.2f}")
        )  # fmt: skip
    limits = ", then ".join(f"{what} at {count:,}" for what, count in costing.needs(1, found, where).limits)
    head = (f"lessons, on {where.cores} cores, {where.memory_gb:g} GiB", "machines", "on each", "workers", "cores used",
            "GiB", "Mbit/s", "core hours*", "euro*")  # fmt: skip
    return f"{table(head, rows)}\n\nOne such machine is full, in lessons: {limits}."


BLOCKS: Final[dict[str, Callable[[Sequence[Run]], str]]] = {
    "about": about, "goals": goals, "whole": whole, "waits": waits, "stages": stages, "receiving": receiving,
    "chat": chat, "cycles": cycles, "profile": profile, "growth": growth,
}  # fmt: skip


def _houses(runs: Sequence[Run]) -> list[Run | None]:
    alone = _calm(runs)
    apart = [run for run in runs if run["bench"] == "rooms" and run["workers"]]
    talking = [run for run in runs if run["bench"] == "rooms" and run.get("every", TALK) < TALK]
    return [alone.get("beside") if alone else None, alone, *apart[-1:], *talking[-1:]]


def _calm(runs: Sequence[Run]) -> Run | None:
    """Lessons in one process that talk as lessons do."""
    return pick([run for run in runs if run.get("every", TALK) >= TALK], "rooms", workers=0)


def _kind(run: Run) -> str:
    every = run.get("every", TALK)
    return (f", {run['workers']} workers" if run["workers"] else "") + (
        f", a message every {every:g} s" if every < TALK else ""
    )


def _front(run: Run) -> float:
    return sum(part["percent_of_a_core"] for part in run["processes"] if part["process"] == costing.FRONT)


def _spread(row: dict[str, float] | None) -> str:
    return "–" if row is None else " / ".join(_number(row[point]) for point in ("p50", "p95", "p99"))


def _words(name: str) -> str:
    return name.replace("_", " ").replace(" mb", ", MiB")


def _cell(run: Run, *path: str) -> str:
    value = _of(run, *path)
    return "–" if value is None else f"{value:.2f}"


def _of(found: Any, *path: str) -> float | None:
    for key in path:
        if not isinstance(found, dict) or key not in found:
            return None
        found = found[key]
    return None if found is None else float(found)


def _inverse(value: float | None) -> float | None:
    return None if not value else 1.0 / value


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _met(value: float | None, goal: str) -> str:
    if value is None:
        return "not measured"
    sign, bound = goal.split()
    met = value <= float(bound) if sign == "≤" else value >= float(bound)
    return "met" if met else "**missed**"
