"""``lessonroom bench hints``: how often hints are false, how soon a clear change is told, and what one costs the other.

The pure halves of a lesson run on generated observations, and on what the network says of real pictures where a file
of them is given. Lessons last an hour. A false hint is any hint in a lesson in which nothing is the matter. A change
counts as noticed when the first hint comes within :data:`SOON` seconds of it; for that the silence at the beginning of
a lesson is left out, since it would hide every change in it.

All figures are of the prior of :mod:`lessonroom.media.strain`: a generated observation has no picture for a strain
head to read.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Protocol

from rich.console import Console
from rich.table import Table

from lessonroom.bench import intervals, machine, pictures, scenes
from lessonroom.chat.evaluate import wilson
from lessonroom.config import Settings
from lessonroom.media import hints, pipeline, strain
from lessonroom.media.hints import HintRules, HintState
from lessonroom.media.strain import StrainRules, StrainState
from lessonroom.media.types import Observation, Strain
from lessonroom.progress import Show, unseen

LESSON: Final = 3600.0
SOON: Final = 20.0
"""Seconds within which a clear change should be told."""
REPORTED: Final = 7_000_000
"""First seed of what is reported; the defaults were chosen on others."""
WAYS: Final = (("clear", 4.5, 1.0), ("clear", 4.5, 0.75), ("clear", 4.5, 0.6), ("soft", 1.25, 1.0))
"""Changes: name, odds against neutral, share of the seconds in which it shows."""
RATES: Final = (0.5, 1.0, 5.0)
"""Samples a second, beside the two of everything else."""
CLEAR: Final = (2.0, 3.0, 4.0, 6.0, 8.0)
HOLDS: Final = (0.0, 2.0, 4.0)
NO_HEAD: Final = "strain_head is set, but no strain head was measured: these figures are of the prior"
THRESHOLDS: Final = (0.45, 0.6, 0.75, 0.9)


class Watched(Protocol):
    """Anything that can be watched for a while."""

    def observe(self, seconds: float) -> Iterable[Observation]:
        """Observations of so many seconds."""
        ...


Rules = tuple[StrainRules, HintRules]


@dataclass(frozen=True, slots=True)
class Asked:
    """``hours``: lessons for each scene; ``trials``: students for each kind of change; ``seed``: of the first."""

    hours: int = 10
    trials: int = 100
    seed: int = REPORTED


def run(
    settings: Settings, asked: Asked = Asked(), *, faces: Path | None = None, progress: Show = unseen
) -> dict[str, Any]:
    """Measure and return the figures.

    ``faces``: a file of labelled pictures, see :mod:`lessonroom.media.training.dataset`.
    """
    rules = pipeline.strain_rules(settings), pipeline.hint_rules(settings)
    pools = pictures.read(faces, settings, progress) if faces is not None else None
    lessons = _Steps(_lessons(asked, pools), progress, "lessons")
    changes = _Steps(_changes(asked, pools), progress, "changes")
    false = [_false(name, group, rules) for name, group in lessons]
    noticed = [_noticed(name, group, rules) for name, group in changes]
    return {
        "bench": "hints",
        "machine": machine.describe(),
        "seed": asked.seed,
        "rules": _named(rules),
        "warnings": [] if settings.strain_head is None else [NO_HEAD],
        "false": false,
        "changes": noticed,
        "curve": curve(settings, asked, progress),
        "ratios": _ratios(false, noticed),
    }


def _ratios(false: list[dict[str, Any]], noticed: list[dict[str, Any]]) -> dict[str, float]:
    """To the promise of one false hint an hour, and to all changes: the unkind ends of the intervals, never 0.

    The same seed gives the same ones on every machine.
    """
    hourly = {f"false an hour: {row['scene']}": row["interval_95"][1] for row in false}
    return hourly | {f"missed: {row['change']}": round(1.0 - row["interval_95"][0], 3) for row in noticed}


def first_told(watched: Watched, rules: Rules, seconds: float = scenes.CHANGE_AT + SOON) -> float | None:
    """Seconds from the change to the first hint; None: none in time; negative: one before it."""
    told = hints_of(estimates(watched.observe(seconds + 1.0), rules[0]), replace(rules[1], first=0.0))
    first = next(told, math.inf) - scenes.CHANGE_AT
    return first if first <= SOON else None


def estimates(observations: Iterable[Observation], rules: StrainRules) -> Iterator[Strain]:
    """What the first half makes of a sequence."""
    state = StrainState()
    for observation in observations:
        state, now = strain.step(state, observation, rules)
        yield now


def hints_of(found: Iterable[Strain], rules: HintRules) -> Iterator[float]:
    """When the second half speaks, in seconds."""
    state = HintState(started=0.0)
    for now in found:
        state, hint = hints.decide(state, now, now.at, rules, hint_id="simulated")
        if hint is not None:
            yield now.at


def curve(settings: Settings, asked: Asked, progress: Show = unseen) -> list[dict[str, Any]]:
    """False hints and delay for many rules, on the same lessons and the same changes."""
    rules, points = pipeline.hint_rules(settings), []
    hours, trials = max(1, asked.hours // 5), max(10, asked.trials // 2)
    ordinary = [scene(asked.seed + 500_000 + lesson) for scene in scenes.PROMISED.values() for lesson in range(hours)]
    changed = [
        scenes.change(label, asked.seed + 600_000 + trial, shown=0.75)
        for label in scenes.CHANGES
        for trial in range(trials)
    ]
    seen = [list(student.observe(LESSON)) for student in ordinary]
    moved = [list(student.observe(scenes.CHANGE_AT + 2 * SOON)) for student in changed]
    usual = pipeline.strain_rules(settings)
    times, holds = sorted({*CLEAR, usual.clear_seconds}), sorted({*HOLDS, rules.hold})
    for number, clear in enumerate(times):
        reading = replace(usual, clear_seconds=clear)
        calm = [list(estimates(one, reading)) for one in seen]
        struck = [list(estimates(one, reading)) for one in moved]
        for place, hold in enumerate(holds):
            progress("the curve", number * len(holds) + place, len(times) * len(holds))
            for threshold in sorted({*THRESHOLDS, rules.threshold}):
                chosen = replace(rules, hold=hold, threshold=threshold)
                points.append(_point(clear, chosen, calm, struck))
    return points


def _point(clear: float, rules: HintRules, calm: list[list[Strain]], struck: list[list[Strain]]) -> dict[str, Any]:
    count = sum(sum(1 for _ in hints_of(one, rules)) for one in calm)
    at_once = replace(rules, first=0.0)
    first = (next(hints_of(one, at_once), math.inf) - scenes.CHANGE_AT for one in struck)
    # a hint before the change told nothing of it, and the silence after it hides the change: a miss, not a quick one
    delays = sorted(delay if delay > 0.0 else math.inf for delay in first)
    hits = sum(delay <= SOON for delay in delays)
    return {
        "clear": clear, "hold": rules.hold, "threshold": rules.threshold,
        "false_per_hour": round(count / len(calm), 3), "interval_95": _rounded(intervals.rate(count, len(calm))),
        "within_20_s": round(hits / len(delays), 3), "median_delay": _seconds(delays[len(delays) // 2]),
        "delay_of_90_percent": _seconds(delays[math.ceil(0.9 * len(delays)) - 1]),
    }  # fmt: skip


def _lessons(asked: Asked, pools: pictures.Pools | None) -> Iterator[tuple[str, Sequence[Watched]]]:
    for number, (name, recipe) in enumerate({**scenes.PROMISED, **scenes.EMPTY, **scenes.HARD}.items()):
        yield name, [recipe(asked.seed + 1000 * number + lesson) for lesson in range(asked.hours)]
    if pools is None:
        return
    for number, (name, shown) in enumerate(pictures.ORDINARY.items()):
        for stay in (0.0, 2.0):
            first = asked.seed + 100_000 + 1000 * number
            made = [pictures.Album(pools, first + lesson, shown, stay) for lesson in range(asked.hours)]
            yield f"pictures: {name}{_staying(stay)}", made


def _changes(asked: Asked, pools: pictures.Pools | None) -> Iterator[tuple[str, Sequence[Watched]]]:
    first, trials = asked.seed + 200_000, asked.trials
    for label in scenes.CHANGES:
        for name, odds, shown in WAYS:
            made = [scenes.change(label, first + trial, odds=odds, shown=shown) for trial in range(trials)]
            yield f"{label}, {name}, in {shown:.0%} of the time", made
        for rate in RATES:
            slow = [scenes.change(label, first + trial, shown=0.75, rate=rate) for trial in range(trials)]
            yield f"{label}, clear, in 75% of the time, {rate:g} samples a second", slow
    if pools is None:
        return
    for label in scenes.CHANGES:
        for stay in (0.0, 2.0):
            album = [pictures.Album(pools, first + trial, pictures.change(label), stay) for trial in range(trials)]
            yield f"pictures: {label}{_staying(stay)}", album


def _staying(stay: float) -> str:
    return f", {stay:g} s each" if stay else ""


def _false(name: str, lessons: Sequence[Watched], rules: Rules) -> dict[str, Any]:
    count = sum(sum(1 for _ in hints_of(estimates(one.observe(LESSON), rules[0]), rules[1])) for one in lessons)
    hours = len(lessons) * LESSON / 3600.0
    return {
        "scene": name, "hours": hours, "hints": count, "per_hour": round(count / hours, 3),
        "interval_95": _rounded(intervals.rate(count, hours)), "promised": name not in scenes.HARD,
    }  # fmt: skip


def _noticed(name: str, students: Sequence[Watched], rules: Rules) -> dict[str, Any]:
    found = [first_told(student, rules) for student in students]
    delays = sorted(delay for delay in found if delay is not None and delay > 0.0)
    half = (len(students) - 1) // 2
    return {
        "change": name, "trials": len(students), "within_20_s": round(len(delays) / len(students), 3),
        "interval_95": _rounded(wilson(len(delays), len(students))),
        "median_delay": round(delays[half], 1) if half < len(delays) else None,
        "before": sum(delay is not None and delay <= 0.0 for delay in found),
    }  # fmt: skip


def _named(rules: Rules) -> dict[str, float]:
    reading, speaking = rules
    return {
        "learning": reading.learning_seconds, "clear": reading.clear_seconds, "threshold": speaking.threshold,
        "hold": speaking.hold, "first": speaking.first, "pause": speaking.pause,
    }  # fmt: skip


def _rounded(interval: tuple[float, float]) -> list[float]:
    return [round(end, 3) for end in interval]


def _seconds(delay: float) -> float | None:
    return round(delay, 1) if math.isfinite(delay) else None


class _Steps:
    """Groups that show how far they are while they are walked through."""

    def __init__(self, groups: Iterable[tuple[str, Sequence[Watched]]], progress: Show, what: str) -> None:
        self._groups, self._progress, self._what = list(groups), progress, what

    def __iter__(self) -> Iterator[tuple[str, Sequence[Watched]]]:
        for number, group in enumerate(self._groups):
            self._progress(self._what, number, len(self._groups))
            yield group


def show(figures: dict[str, Any], console: Console) -> None:
    """Print the figures for people."""
    console.print(machine.line(figures["machine"]), style="dim", highlight=False)
    console.print(", ".join(f"{name} {value:g}" for name, value in figures["rules"].items()), highlight=False)
    for warning in figures["warnings"]:
        console.print(f"Warning: {warning}", style="yellow", highlight=False)
    table = Table(title="Hints in lessons in which nothing is the matter")
    for column in ("scene", "hours", "hints", "an hour", "95 %", "promised"):
        table.add_column(column, justify="left" if column == "scene" else "right")
    for row in figures["false"]:
        goal = "" if not row["promised"] else "0" if row["scene"] in scenes.EMPTY else "at most 1"
        table.add_row(row["scene"], f"{row['hours']:g}", f"{row['hints']}", f"{row['per_hour']:.2f}", _span(row), goal)
    console.print(table)
    table = Table(title=f"Hints within {SOON:g} s of a change")
    for column in ("change", "trials", "told in time", "95 %", "median delay, s"):
        table.add_column(column, justify="left" if column == "change" else "right")
    for row in figures["changes"]:
        delay = "-" if row["median_delay"] is None else f"{row['median_delay']:.1f}"
        table.add_row(row["change"], f"{row['trials']}", f"{row['within_20_s']:.0%}", _span(row), delay)
    console.print(table)


def _span(row: dict[str, Any]) -> str:
    return "{:.2f} to {:.2f}".format(*row["interval_95"])
