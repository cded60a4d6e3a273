"""How sure a rate is after a count. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable

TAIL = 0.025
"""On each side of a 95 % interval."""


def rate(count: int, hours: float) -> tuple[float, float]:
    """The exact 95 % interval of a rate per hour after ``count`` events in ``hours`` (Garwood 1936)."""
    low = 0.0 if count == 0 else _solve(lambda mean: 1.0 - _at_most(count - 1, mean), TAIL, count)
    # the mean at which so few would be as rare as TAIL
    high = _solve(lambda mean: 1.0 - _at_most(count, mean), 1.0 - TAIL, 4.0 * count + 16.0)
    return low / hours, high / hours


def _at_most(count: int, mean: float) -> float:
    """The chance of no more than ``count`` events where ``mean`` are expected."""
    return math.fsum(math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(count + 1))


def _solve(rising: Callable[[float], float], value: float, most: float) -> float:
    """Where a rising function of a positive number reaches a value, by halving."""
    low, high = 1e-9, float(most)
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < value else (low, middle)
    return (low + high) / 2
