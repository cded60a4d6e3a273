"""Whether a run is slower than an earlier one: figure by figure, by a factor. Pure.

A run's JSON has two flat tables in which less is better: ``ratios``, to a bound that was measured in the same run, and
``costs``, in milliseconds or per cent of a core. Ratios travel from one machine to another; costs do not, and are
compared only where both runs were made on the same machine.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from lessonroom.errors import BadInput

FACTOR: Final = 1.5
"""By how much a figure may grow. Medians of the same code differ by a fifth on a machine that does other work, too."""
TAIL: Final = re.compile(r"(^|_)p9\d")
"""Figures that are told and never counted: tails tell more of the machine's other work than of the code."""
SAME: Final = ("processor", "cores", "memory_gb", "system", "provider")
"""What two machines have in common for their costs to be compared."""
EXPECTED: Final = "expected what `lessonroom bench ... --json` or `make figures` wrote"

Run = Mapping[str, Any]
"""The figures of one bench."""


@dataclass(frozen=True, slots=True)
class Change:
    """One figure in both runs; ``factor``: how many times what it was before; ``worse``: by more than was allowed."""

    name: str
    before: float
    now: float
    factor: float
    worse: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """All figures that both runs have. ``factor``: what was allowed; ``costs``: whether they were compared, too."""

    factor: float
    before_at: str
    same_machine: bool
    changes: Sequence[Change]

    @property
    def regressions(self) -> list[str]:
        """Names of the figures that grew by more than was allowed."""
        return [change.name for change in self.changes if change.worse]

    def record(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "factor": self.factor, "before_at": self.before_at, "same_machine": self.same_machine,
            "changes": [asdict(change) for change in self.changes], "regressions": self.regressions,
        }  # fmt: skip


def read(text: str) -> list[Run]:
    """The runs in a file's text: one object, or ``{"runs": [...]}``. Raises BadInput for anything else."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise BadInput(f"{EXPECTED}, got something that is not JSON") from None
    runs = found.get("runs", [found]) if isinstance(found, dict) else [found]
    if not isinstance(runs, list) or not runs or not all(map(_is_run, runs)):
        raise BadInput(f"{EXPECTED}, got JSON without a bench, its machine and its ratios")
    return runs


def pick(runs: Sequence[Run], bench: str, asked: Mapping[str, Any]) -> Run:
    """The run of this bench that was asked for the same. Raises BadInput where there is none."""
    alike = [run for run in runs if run["bench"] == bench]
    if not alike:
        raise BadInput(f"expected figures of `bench {bench}`, got those of {', '.join(_names(runs))}")
    found = [run for run in alike if run.get("asked", {}) == dict(asked)]
    if not found:
        raise BadInput(
            f"expected figures of `bench {bench}` with {_said(asked)}, got {_said(alike[0].get('asked', {}))}"
        )
    return found[-1]


def compare(before: Run, now: Run, factor: float = FACTOR) -> Comparison:
    """Every figure that both have. Raises BadInput when there is none: nothing would be compared, and all be well."""
    same = all(before["machine"].get(key) == now["machine"].get(key) for key in SAME)
    tables = ("ratios", "costs") if same else ("ratios",)
    changes = [change for table in tables for change in _changes(before.get(table, {}), now.get(table, {}), factor)]
    if not changes:
        raise BadInput(f"expected figures in common with this run of `bench {now['bench']}`, got none")
    return Comparison(factor, str(before["machine"].get("at", "")), same, changes)


def _changes(before: Mapping[str, Any], now: Mapping[str, Any], factor: float) -> Iterator[Change]:
    for name in before:
        if name in now and _is_figure(before[name]) and _is_figure(now[name]):
            grown = now[name] / before[name]
            yield Change(name, before[name], now[name], round(grown, 3), grown > factor and not TAIL.search(name))


def _is_run(found: object) -> bool:
    if not isinstance(found, dict) or not isinstance(found.get("bench"), str):
        return False
    tables = [found.get(key) for key in ("machine", "ratios")] + [found.get(key, {}) for key in ("costs", "asked")]
    return all(isinstance(table, dict) for table in tables)


def _is_figure(found: object) -> bool:
    """A number above nothing that can be divided; JSON's true is none, nor are whole numbers of hundreds of digits."""
    return isinstance(found, int | float) and not isinstance(found, bool) and 0 < found <= sys.float_info.max


def _names(runs: Sequence[Run]) -> list[str]:
    return sorted({run["bench"] for run in runs})


def _said(asked: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in asked.items()) or "nothing asked for"
