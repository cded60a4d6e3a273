"""Puts messages into ordinary talk, to train on: in a lesson nearly every message has others before it.

Without it the classifier would know lines with something before them from made conversations alone, where every word
matters, and would hear a plain number or a plain answer differently in a room than by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Final

from lessonroom.chat.dataset import Row, share_of
from lessonroom.chat.types import Line

SHARE: Final = 0.5
"""Share of the messages that are put into talk, besides standing by themselves."""
_MOST_LINES: Final = 6
_LONGEST: Final = 160
"""Characters of a line that may stand around: ordinary talk is short."""


def in_talk(rows: Sequence[Row], seed: int) -> list[Row]:
    """Copies of some messages, each after one to six harmless lines of its language by two people. Same families."""
    random = Random(seed)
    pools: dict[str, list[str]] = {}
    for row in rows:
        if row.label == 0 and not row.context and len(row.text) <= _LONGEST:
            pools.setdefault(row.lang, []).append(row.text)
    return [
        replace(row, sender="a", context=_talk(pools[row.lang], random))
        for row in rows
        if not row.context and row.lang in pools and share_of(row.text, "in talk") < SHARE
    ]


def _talk(pool: Sequence[str], random: Random) -> tuple[Line, ...]:
    count = random.randint(1, _MOST_LINES)
    return tuple(Line(random.choice("ab"), random.choice(pool)) for _ in range(count))
