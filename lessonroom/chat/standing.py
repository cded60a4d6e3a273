"""What we know of a sender, made fair: it decays, and only proven violations count. Pure; ``now`` is an argument.

A strike is a violation that a person has confirmed, dated by its message. Its weight halves every thirty days, and a
person's decision on an appeal takes it away. Nobody is refused for what they were: strikes lower the threshold for the
next message, and two fresh ones tell an operator. The 2013 system's permanent refusal is a setting, off by default.
"""

from __future__ import annotations

from collections.abc import Sequence
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
FORGET_SECONDS: Final = 130 * 24 * 3600.0
"""A strike that is older weighs less than that, so nobody has to look for older ones."""


def severity(standing: Standing, now: float) -> float:
    """The weight of all strikes at ``now`` (seconds since the epoch): 0 for none, 1 for one fresh strike."""
    return sum(_weight(struck, now) for struck in standing.strikes)


def _weight(struck: float, now: float) -> float:
    return float(0.5 ** (max(now - struck, 0.0) / HALF_LIFE))


def known(strikes: Sequence[float], now: float, *, paying: bool, forgiving: bool = True) -> Standing:
    """What is known of a sender with strikes at these times. Who pays is paying, whatever they did.

    ``forgiving`` False: every strike counts for good (the setting ``chat_refuse_violators``).
    """
    kept = tuple(time for time in strikes if not forgiving or _weight(time, now) >= FORGET_FROM)
    if paying:
        return Standing(StandingClass.PAYING, kept)
    guilty = bool(kept) if not forgiving else sum(_weight(time, now) for time in kept) >= VIOLATOR_FROM
    return Standing(StandingClass.VIOLATOR if guilty else StandingClass.NEW, kept)


def tells_operator(standing: Standing, now: float) -> bool:
    """Whether an operator should hear of this sender."""
    return severity(standing, now) >= OPERATOR_FROM
