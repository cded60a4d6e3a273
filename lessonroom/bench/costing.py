"""From the measured cost of a lesson to the machines that so many lessons need. Pure.

The model is a straight line: a server takes so much by itself, and so much more for each lesson; both are read off two
runs of ``bench rooms`` with different numbers of lessons on one machine. Between and below those numbers it repeats
what was measured; above them, and for other machines, it is a guess that says so. A room lives on one machine, machines
know nothing of one another, and the platform chooses on which of them it makes a room: so machines add up.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lessonroom.bench.against import Run
from lessonroom.errors import BadInput

FRONT: Final = "lessonroom.cli"
BUSY: Final = 0.6
"""Share of all cores, and of one process's core, that is planned with; the rest is for peaks and for short waits."""
FULL: Final = 0.8
"""Share of memory and of the network that is planned with."""
EVERY: Final = 2.0
"""Seconds from a lesson's message to its next in figures that do not say it, which are of earlier versions."""
GROWTH: Final = (1, 10, 100, 1_000, 10_000)


@dataclass(frozen=True, slots=True)
class Machine:
    """``memory_gb`` in GiB; ``network_mbit``: what it can take in, in megabits a second."""

    cores: int
    memory_gb: float
    network_mbit: float = 1000.0


@dataclass(frozen=True, slots=True)
class Line:
    """``base`` for a server that does nothing, ``each`` for one lesson more."""

    base: float
    each: float

    def at(self, lessons: int) -> float:
        """What so many lessons take."""
        return self.base + self.each * lessons

    def lessons(self, most: float) -> int:
        """How many lessons fit."""
        return max(0, math.floor((most - self.base) / self.each + 1e-9))


@dataclass(frozen=True, slots=True)
class Costs:
    """What was measured, on ``machine``, with up to ``rooms`` lessons at ``samples`` looks a second.

    ``percent``: of a core; ``memory_mb``: MiB of all processes; ``network_kbit``: kilobits a second of one lesson's
    video. ``front``: per cent of a core that a lesson takes of the one front process when media workers have the rest,
    ``worker_mb``: MiB of a worker without lessons; None where no run with workers was measured. ``messages``: chat
    messages a second that one store has taken, or None. ``every``: seconds from a lesson's message to its next.
    """

    machine: Machine
    rooms: int
    samples: float
    percent: Line
    memory_mb: Line
    network_kbit: float
    front: float | None = None
    worker_mb: float = 0.0
    messages: float | None = None
    at: str = ""
    processor: str = ""
    every: float = EVERY


@dataclass(frozen=True, slots=True)
class Needs:
    """The machines for so many lessons. ``limits``: what is full when, as lessons on one machine, first limit first.

    ``each``: lessons on one machine; ``workers``: media processes on it, 0: none beside the server's own. ``cores``,
    ``memory_gb``, ``network_mbit``: what the lessons use of all machines together, without what is kept free.
    ``core_hours``: paid for 1,000 hours of lessons, with what is kept free. ``measured``: whether ``each`` lessons on
    one machine like this were measured, or it is a guess.
    """

    lessons: int
    machines: int
    each: int
    workers: int
    cores: float
    memory_gb: float
    network_mbit: float
    core_hours: float
    limits: Sequence[tuple[str, int]]
    measured: bool

    def euro(self, price: float) -> float:
        """For 1,000 hours of lessons, at so many euro for an hour of one core."""
        return self.core_hours * price


def costs(runs: Sequence[Run]) -> Costs:
    """What a file of figures says. Raises BadInput where it has no run of whole lessons."""
    rooms = [run for run in runs if run["bench"] == "rooms"]
    whole = [run for run in rooms if not run.get("workers")]
    if not whole:
        raise BadInput("expected a run of `bench rooms` without workers among the figures, got none")
    try:
        return _costs(max(whole, key=_telling), [run for run in rooms if run.get("workers")], runs)
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        raise BadInput("expected figures of `bench rooms` as this version writes them, got others") from None


def needs(lessons: int, found: Costs, machine: Machine) -> Needs:
    """The machines for so many lessons. Raises BadInput where not one fits on such a machine."""
    limits = sorted(_limits(found, machine), key=lambda limit: limit[1])
    most = limits[0][1]
    if most < 1:
        raise BadInput(f"expected a machine that one lesson fits on, got one whose limit is its {limits[0][0]}")
    machines = math.ceil(lessons / most)
    each = math.ceil(lessons / machines)
    workers = _workers(found, each)
    memory = machines * (found.memory_mb.base + workers * found.worker_mb) + found.memory_mb.each * lessons
    return Needs(
        lessons, machines, each, workers,
        cores=(machines * found.percent.base + found.percent.each * lessons) / 100,
        memory_gb=memory / 1024,
        network_mbit=found.network_kbit * lessons / 1000,
        core_hours=1000 * machines * machine.cores / lessons,
        limits=limits,
        measured=each <= found.rooms and machine.cores >= found.machine.cores,
    )  # fmt: skip


def _limits(found: Costs, machine: Machine) -> list[tuple[str, int]]:
    limits = [
        ("cores", found.percent.lessons(100 * BUSY * machine.cores)),
        ("memory", _fit(found, machine)),
        ("network", math.floor(1000 * FULL * machine.network_mbit / found.network_kbit)),
    ]
    if found.front is None:
        limits.append(("one process without workers", found.percent.lessons(100 * BUSY)))
    else:
        limits.append(("front process", math.floor(100 * BUSY / found.front)))
    if found.messages is not None:
        limits.append(("store", math.floor(BUSY * found.messages * found.every + 1e-9)))
    return limits


def _fit(found: Costs, machine: Machine) -> int:
    """Lessons in memory, those of their workers included: more lessons may need one worker more."""
    most = 1024 * FULL * machine.memory_gb
    count = found.memory_mb.lessons(most)
    while count > 0 and found.memory_mb.at(count) + _workers(found, count) * found.worker_mb > most:
        over = found.memory_mb.at(count) + _workers(found, count) * found.worker_mb - most
        count -= max(1, math.floor(over / (found.memory_mb.each + found.worker_mb)))
    return max(0, count)


def _workers(found: Costs, lessons: int) -> int:
    """Media processes for so many lessons on one machine; none while the server's own process is enough."""
    if found.front is None or found.percent.at(lessons) <= 100 * BUSY:
        return 0
    # a hair less: what fills them exactly, in figures that are rounded, needs no worker more
    return math.ceil(lessons * max(0.0, found.percent.each - found.front) / (100 * BUSY) - 1e-9)


def _costs(run: Run, with_workers: Sequence[Run], runs: Sequence[Run]) -> Costs:
    about, rooms = run["machine"], int(run["rooms"])
    front, worker_mb = _apart(max(with_workers, key=_size)) if with_workers else (None, 0.0)
    # what was refused was not stored: a rate with refusals says how much was asked, not how much was taken
    whole = [each for each in runs if each["bench"] == "talk" and not each["failed"] and not each["refused"]]
    talks = [float(each["sent_per_second"]) for each in whole]
    return Costs(
        Machine(int(about["cores"]), float(about["memory_gb"])),
        rooms,
        float(run["samples"]),
        _line(run, "percent_of_a_core"),
        _line(run, "memory_mb"),
        float(run["clients"]["media_kbit_per_second"]) / rooms,
        front,
        worker_mb,
        max(talks, default=None),
        str(about.get("at", "")),
        str(about.get("processor", "")),
        float(run.get("every", EVERY)),
    )


def _line(run: Run, what: str) -> Line:
    """Through the run and the smaller one beside it; without that, or where it tells nothing, all is each lesson's."""
    row, each = run["server"][what], float(run.get("one_more", {}).get(what, 0.0))
    rest = float(row["all"]) - each * run["rooms"]
    if each > 0 and rest >= 0:
        return Line(rest, each)
    return Line(0.0, float(row["all"]) / run["rooms"])


def _apart(run: Run) -> tuple[float, float]:
    """What of a lesson stays in the front process, and what a worker takes by itself, which is the least of them."""
    parts: Sequence[Mapping[str, Any]] = run["processes"]
    front = next(float(part["percent_of_a_core"]) for part in parts if part["process"] == FRONT) / run["rooms"]
    workers = [float(part["memory_mb"]) for part in parts if "worker" in part["process"]]
    return max(front, 0.001), min(workers)


def _size(run: Run) -> int:
    return int(run["rooms"])


def _telling(run: Run) -> tuple[int, bool]:
    """The most lessons, and of these a run that says what one more costs."""
    return _size(run), "one_more" in run
