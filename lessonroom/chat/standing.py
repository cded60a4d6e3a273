"""What we know of a sender, made fair: it decays, and only proven violations count. Pure; ``now`` is an argument.

A strike is a violation that a person has confirmed. Each strike's weight halves every thirty days, and a person's
decision on an appeal takes it away. Nobody is refused for what they were: strikes lower the threshold for the next
message, and two fresh ones tell an operator. The permanent refusal of the 2013 system is a setting, off by default.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from lessonroom.chat.types import Standing, StandingClass

HALF_LIFE: Final = 30 * 24 * 3600.0
"""Seconds after which a strike weighs half."""
VIOLATOR_FROM: Final = 0.5
"""Severity from which a sender counts as a violator: one strike for a month."""
OPERATOR_FROM: Final = 1.5
"""Severity from which an operator is told."""
FORGET_FROM: Final = 0.05
"""A strike that weighs less is dropped."""


def severity(standing: Standing, now: float) -> float:
    """The weight of all strikes at ``now`` (seconds since the epoch): 0 for none, 1 for one fresh strike."""
    return sum(_weight(struck, now) for struck in standing.strikes)


def _weight(struck: float, now: float) -> float:
    return float(0.5 ** (max(now - struck, 0.0) / HALF_LIFE))


def strike(standing: Standing, at: float) -> Standing:
    """The standing after one more proven violation."""
    return settle(replace(standing, strikes=(*standing.strikes, at)), at)


def restore(standing: Standing, struck: float, now: float) -> Standing:
    """The standing after a person has upheld the appeal against the strike of that time."""
    kept = tuple(time for time in standing.strikes if time != struck)
    return settle(replace(standing, strikes=kept), now)


def settle(standing: Standing, now: float) -> Standing:
    """The standing with forgotten strikes dropped and its class brought up to date; paying stays paying."""
    kept = tuple(time for time in standing.strikes if _weight(time, now) >= FORGET_FROM)
    if standing.standing is StandingClass.PAYING:
        return replace(standing, strikes=kept)
    violator = sum(_weight(time, now) for time in kept) >= VIOLATOR_FROM
    return Standing(StandingClass.VIOLATOR if violator else StandingClass.NEW, kept)


def tells_operator(standing: Standing, now: float) -> bool:
    """Whether an operator should hear of this sender."""
    return severity(standing, now) >= OPERATOR_FROM
