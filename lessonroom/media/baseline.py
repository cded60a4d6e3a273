"""What a signal of the face is like for one student on an ordinary minute: learned first, then followed slowly. Pure.

Three figures for each signal. ``middle`` and ``spread`` tell a change from the resting face. ``usual`` is how much of
what looks like a change this face shows for no reason at all, as somebody's does who talks, squints or sits in the
dark. A change counts by how much likelier it is of a changed face than of this one (the likelihood ratio of Wald
1945), so a restless face needs more of a change than a quiet one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from statistics import median

MOST_AWAY = 2.0
"""Spreads beyond which a signal moves the middle no harder: the middle follows a median, not a mean."""


@dataclass(frozen=True, slots=True)
class Following:
    """How changes are measured, and how slowly a baseline follows. Times in seconds of seen face.

    A signal ``change_from`` spreads above the middle begins to count, at ``change_full`` it counts in full.
    ``changed``: the mean share of a face that struggles; ``least_usual`` and ``most_usual`` bound what is held to be
    the share of an ordinary face, below it. ``least_pace``: pace that is left to a baseline while there is strong
    evidence of strain, 1 is the ordinary one.
    """

    memory: float = 120.0
    usual_memory: float = 75.0
    change_from: float = 0.5
    change_full: float = 4.0
    changed: float = 0.4
    least_usual: float = 0.03
    most_usual: float = 0.3
    least_pace: float = 0.05


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of a signal's spread, in its own unit: what is less is noise, what is more would hide any change."""

    least: float
    most: float


@dataclass(frozen=True, slots=True)
class Baseline:
    """A signal's middle and spread, in its own unit, the spread's limits, and the usual share of change, 0 to 1."""

    middle: float
    spread: float
    limits: Limits
    usual: float = 0.0


def learned(values: list[float], limits: Limits) -> Baseline:
    """The baseline of the first values, at least one. Too few to say what is usual, so nothing is yet."""
    middle = median(values)
    # 1.4826 makes the median deviation of a normal distribution its standard deviation
    spread = 1.4826 * median(abs(value - middle) for value in values)
    return Baseline(middle, bounded(spread, limits.least, limits.most), limits)


def share(signal: float, base: Baseline, following: Following) -> float:
    """How far above the middle, 0 (within ``change_from`` spreads) to 1 (``change_full`` spreads or more)."""
    spreads = (signal - base.middle) / base.spread
    return bounded((spreads - following.change_from) / (following.change_full - following.change_from), 0.0, 1.0)


def evidence(found: float, base: Baseline, following: Following) -> float:
    """What a share says for a changed face and against the usual one, below 0 where it speaks for the usual.

    The log of the likelihood ratio of a coin that shows a change in ``changed`` of all cases, or in the usual share of
    them. 1 is the most that can be said: a full change of a quiet face.
    """
    usual = bounded(base.usual, following.least_usual, following.most_usual)
    said = found * math.log(following.changed / usual)
    denied = (1.0 - found) * math.log((1.0 - following.changed) / (1.0 - usual))
    return (said + denied) / math.log(following.changed / following.least_usual)


def followed(
    base: Baseline, signal: float, lasted: float, *, known: float, firm: float | None, following: Following
) -> Baseline:
    """The baseline after a signal that stood for ``lasted`` seconds, when ``known`` seconds had been seen.

    ``firm``, 0 or more, is the evidence that was gathered, 1 calls for a hint: a student who struggles must not become
    the new ordinary. None: whatever is seen is ordinary by now.
    """
    found = share(signal, base, following)
    strength = (0.0, 0.0) if firm is None else (max(found, firm), firm)
    pace, slow = (max(following.least_pace, 1.0 - value) for value in strength)
    rate = pace * min(1.0, lasted / max(lasted, min(known, following.memory)))
    away = signal - base.middle
    middle = base.middle + rate * bounded(away, -MOST_AWAY * base.spread, MOST_AWAY * base.spread)
    # 1.2533 makes the mean deviation of a normal distribution its standard deviation
    spread = base.spread + rate * (1.2533 * min(abs(away), 3.0 * base.spread) - base.spread)
    usual = base.usual + slow * min(1.0, lasted / following.usual_memory) * (found - base.usual)
    return replace(
        base,
        middle=middle,
        spread=bounded(spread, base.limits.least, base.limits.most),
        usual=min(usual, following.most_usual),
    )


def bounded(value: float, low: float, high: float) -> float:
    """The value, or the bound that it passes."""
    return min(high, max(low, value))
