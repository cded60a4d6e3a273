"""Words of consent as they are kept: one record for each word, per purpose and per person who says it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Purpose(StrEnum):
    """What somebody agrees to, each apart from the others."""

    HINTS = "hints"
    RESEARCH = "research"
    TRAINING = "training"


class By(StrEnum):
    """Who says it: the person themselves; for a student under 18 the guardian, too."""

    SELF = "self"
    GUARDIAN = "guardian"


@dataclass(frozen=True, slots=True)
class ConsentRecord:
    """A yes or a no. The last one for a purpose, by the same side, counts until it expires.

    ``person``: their ``sender``, the platform's name of them; ``text``: the version of the words that were
    shown; ``lang``: their language; ``room``, ``member``: where it was said, and by whom.
    """

    id: str
    person: str
    purpose: Purpose
    by: By
    given: bool
    text: str
    lang: str
    at: float
    expires_at: float
    room: str
    member: str
