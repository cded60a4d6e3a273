"""Home addresses: a street with a house number, and somebody who lives there or invites. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lessonroom.chat.lexicon import BIT, mask
from lessonroom.chat.rules.reading import Hit, Reading
from lessonroom.chat.types import Kind

_STREET: Final = BIT["STREET"]
_TOPIC: Final = mask("TOPIC", "EXERCISE")
_MAX_HOUSE: Final = 5


def place_hits(reading: Reading) -> Iterator[Hit]:
    """At most one address a message."""
    for i, token in enumerate(reading.tokens):
        if not token.cues & _STREET and not (token.cues & BIT["FLAT"] and reading.cues & BIT["COME"]):
            continue
        numbers = [k for k in range(max(i - 4, 0), min(i + 7, len(reading.tokens))) if _is_house(reading, k)]
        if not numbers or (not token.cues & _STREET and len(numbers) < 2):
            continue
        near = reading.between(i - 8, numbers[-1] + 5)
        come = bool(near & mask("COME", "HOME"))
        flat = bool(near & BIT["FLAT"]) + (len(numbers) > 1)
        score = (
            0.3 + 0.35 * come + 0.15 * min(flat, 2) + 0.1 * bool(near & mask("MY", "ME")) - 0.3 * bool(near & _TOPIC)
        )
        start = min(token.start, reading.tokens[numbers[0]].start)
        end = max(token.end, reading.tokens[numbers[-1]].end)
        yield Hit(
            Kind.ADDRESS,
            start,
            end,
            "address_invited" if come else "address",
            min(max(score, 0.05), 0.95),
            "a street and a house number",
        )
        return


def _is_house(reading: Reading, k: int) -> bool:
    text = reading.tokens[k].text
    return text[0].isdigit() and len(text) <= _MAX_HOUSE
