"""What a run of digits looks like: a telephone number of some plan, or something harmless. Pure.

``phone_level`` says how much digits look like a telephone number by the numbering plans of the countries our users live
in (ITU-T E.164 and the national plans); ``harmless_shape`` says what else a run looks like.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

from lessonroom.chat.digits import Run

_PLANS: Final = (
    (4, re.compile(r"7[79]\d{9}")), (4, re.compile(r"380(?:39|44|50|6[3678]|73|77|9[1-9])\d{7}")),
    (4, re.compile(r"375(?:25|29|33|44)\d{7}")), (3, re.compile(r"8[79]\d{9}")),
    (3, re.compile(r"8?0(?:39|50|6[3678]|73|77|9[1-9])\d{7}")), (3, re.compile(r"07[1-9]\d{8}")),
    (4, re.compile(r"447\d{9}")), (3, re.compile(r"905\d{9}")), (3, re.compile(r"05[0-6]\d{8}")),
    (3, re.compile(r"(?:992|993|994|995|996|998|374|373|371|370|372|972|971)\d{8,9}")),
    (2, re.compile(r"[78][348]\d{9}")), (2, re.compile(r"9\d{9}")), (2, re.compile(r"1?[2-9]\d\d[2-9]\d{6}")),
    (2, re.compile(r"48[4-8]\d{8}")), (2, re.compile(r"34[67]\d{8}")), (3, re.compile(r"55\d{2}9\d{8}")),
    (2, re.compile(r"49?1[567]\d{8,9}")), (2, re.compile(r"01[567]\d{8,9}")), (2, re.compile(r"00\d{9,13}")),
    (2, re.compile(r"0\d{9,10}")), (1, re.compile(r"\d{7,13}")),
)  # fmt: skip


_COUNTING: Final = "0" + "".join(map(str, range(1, 31)))
_COUNTED_DOWN: Final = "".join(map(str, range(30, -1, -1)))


def loose_digits(runs: Iterable[Run]) -> str:
    """The digits of all runs that may be pieces of one number, in one string: no times, dates, long lists and the like.

    A few figures that look like a list or a round number ("12", "555") may well be such a piece.
    """
    return "".join(run.digits for run in runs if not (shape := harmless_shape(run)) or _is_piece(run, shape))


def _is_piece(run: Run, shape: str) -> bool:
    return shape in ("list", "number") and len(run.digits) <= _LONGEST_PIECE


_LONGEST_PIECE: Final = 4


def phone_level(digits: str, *, plus: bool = False) -> int:
    """How much digits look like a telephone number: 0 no, 1 by length, 2 a plan, 3 a mobile plan, 4 international."""
    count = len(digits)
    if count < 7 or count > 15 or len(set(digits)) < 3 or digits in _COUNTING or digits in _COUNTED_DOWN:
        return 0
    level = next((level for level, plan in _PLANS if plan.fullmatch(digits)), 0)
    if plus and count >= 8:
        return 4 if level >= 2 or 11 <= count <= 13 else max(level, 2)
    return level


_TIME: Final = re.compile(r"(?:[01]?\d|2[0-4])(?:[0-5][05])?")


def harmless_shape(run: Run) -> str:
    """What else a run looks like: time, date, list, number, version, or "" for nothing of these."""
    groups, separators = run.groups, run.separators.split("|")
    if run.digits in _COUNTING or run.digits in _COUNTED_DOWN:
        return "list"
    if len(groups) == 1:
        return "number" if groups[0].endswith("00000") or len(set(groups[0])) < 3 else ""
    return next((shape for shape, fits in _SHAPES if fits(groups, separators)), "")


def _is_version(groups: Sequence[str], separators: Sequence[str]) -> bool:
    """Three or four short numbers with dots: versions, network addresses."""
    if len(groups) not in (3, 4) or set(separators) != {"."} or any(len(g) > 3 for g in groups):
        return False
    return sum(map(len, groups)) < 9 or (len(groups) == 4 and all(int(g) < 256 for g in groups))


def _is_fraction(groups: Sequence[str], separators: Sequence[str]) -> bool:
    """ "3/4", "312/847 then 209/6": a stroke in pairs, not throughout."""
    return "/" in separators and (len(groups) == 2 or set(separators) != {"/"})


def _is_years(groups: Sequence[str], separators: Sequence[str]) -> bool:
    return all(len(g) == 4 and g[:2] in ("16", "17", "18", "19", "20") for g in groups)


def _is_times(groups: Sequence[str], separators: Sequence[str]) -> bool:
    """Hours and minutes: "13 00-15 00-15 30", "10:00, 11:30", "9-30 17-45"."""
    if not all(_TIME.fullmatch(g) or g in ("00", "15", "30", "45") for g in groups):
        return False
    if any(len(g) == 3 and g[0] == "0" for g in groups):
        return False  # a dialling code
    minutes = sum(g in ("00", "15", "30", "45", "20", "40", "10", "50") for g in groups)
    if all(len(g) == 4 for g in groups):
        return True
    return minutes * 2 >= len(groups) - 1 and not any(len(g) > 4 for g in groups)


def _is_date(groups: Sequence[str], separators: Sequence[str]) -> bool:
    """Days, months, years: "12.05.2024", "2024-05-12", "12/05", and a time after it."""
    if len(groups) < 3:
        return False
    head = groups[:3]
    if len(head[0]) == 4:
        head = (head[2], head[1], head[0])
    day, month, year = head
    if len(day) > 2 or len(month) > 2 or len(year) not in (2, 4) or int(day) > 31 or int(month) > 31:
        return False
    years = len(year) == 4 and year[:2] in ("18", "19", "20")
    rest = groups[3:]
    return years and all(len(g) <= 2 or (len(g) == 4 and g[:2] in ("19", "20")) for g in rest)


def _is_progression(groups: Sequence[str], separators: Sequence[str]) -> bool:
    """Numbers that go up or down by one step, or squares and the like: a list of a lesson."""
    if len(groups) < 4:
        return False
    values = [int(g) for g in groups]
    steps = [b - a for a, b in pairwise(values)]
    if len(set(steps)) == 1 and steps[0]:
        return True
    growing = all(s > 0 for s in steps) or all(s < 0 for s in steps)
    if growing and len({len(g) for g in groups}) == 1 and abs(values[-1] - values[0]) * 10 < min(values):
        return True  # neighbours of three figures and more: numbers of exercises
    return growing and len(groups) >= 5 and sum(len(g) for g in groups) < 24


def _is_thousands(groups: Sequence[str], separators: Sequence[str]) -> bool:
    """ "1 000 000", "12,500": threes after the first group, the last ends in a nought."""
    threes = all(len(g) == 3 for g in groups[1:]) and len(groups[0]) <= 3
    return threes and len(set(separators)) == 1 and separators[0] in (" ", ",", ".", "'") and groups[-1].endswith("0")


_SHAPES: Final = (
    ("time", _is_times),
    ("date", _is_date),
    ("list", _is_progression),
    ("number", _is_thousands),
    ("version", _is_version),
    ("fraction", _is_fraction),
    ("date", _is_years),
)


_FICTION: Final = re.compile(r"(?:0|44)(?:7700900|1632960|2079460|1\d1496?0|1134960)\d{3}|1?\d{3}55501\d\d|55501\d\d")


def is_fiction(digits: str) -> bool:
    """Whether a number is of those that Ofcom and NANPA keep free for films and textbooks."""
    return _FICTION.fullmatch(digits) is not None


def luhn(digits: str) -> bool:
    """Whether the check digit of ISO/IEC 7812 fits (payment cards)."""
    doubled = [int(c) * 2 for c in digits[-2::-2]]
    total = sum(int(c) for c in digits[::-2]) + sum(d - 9 if d > 9 else d for d in doubled)
    return total % 10 == 0
