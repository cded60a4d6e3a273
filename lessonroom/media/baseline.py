"""What a signal of the face is like for one student on an ordinary minute: learned first, then followed slowly. Pure.

Three figures for each signal. ``middle`` and ``spread`` tell a change from the resting face. ``usual`` is how much of
what looks like a change this face shows for no reason at all, as somebody's does who talks, squints or sits in the
dark; it counts against what is seen, so a restless face needs more of a change than a quiet one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import median

MOST_AWAY = 2.0
"""Spreads beyond which a signal moves the middle no harder: the middle follows a median, not a mean."""


@dataclass(frozen=True, slots=True)
class Following:
    """How changes are measured, and how slowly a baseline follows. Times in seconds of seen face.

    A signal ``change_from`` spreads above the middle begins to count, at ``change_full`` it counts in full.
    ``usual_weight``: how many times the usual share is taken off; ``most_usual`` bounds it. ``least_pace``: pace that
    is left to a baseline while there is strong evidence of strain, 1 is the ordinary one.
    """

    memory: float = 180.0
    usual_memory: float = 120.0
    change_from: float = 0.5
    change_full: float = 4.0
    usual_weight: float = 2.5
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
    """What a share says beyond the usual one: 1 at most, 0 for the usual, down to -1 for less than that."""
    expected = following.usual_weight * base.usual
    return max(-1.0, (found - expected) / (1.0 - expected))


def followed(
    base: Baseline, signal: float, lasted: float, *, known: float, firm: float | None, following: Following
) -> Baseline:
    """The baseline after a signal that stood for ``lasted`` seconds, when ``known`` seconds had been seen.

    ``firm``, 0 to 1, is how strong the filtered evidence is: a student who struggles must not become the new ordinary.
    None: whatever is seen is ordinary by now.
    """
    found = share(signal, base, following)
    strength = (0.0, 0.0) if firm is None else (max(found, 1.5 * firm), 2.0 * firm)
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
