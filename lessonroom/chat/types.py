"""The nouns of the chat line: finding, verdict, standing. Pure data."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What a message gives away or asks for. Each kind can be blocked, held or let through by setting."""

    PHONE = "phone"
    EMAIL = "email"
    MESSENGER = "messenger"
    PROFILE = "profile"
    LINK = "link"
    FIND_ME = "find_me"
    SOLICIT = "solicit"
    PAYMENT = "payment"
    ADDRESS = "address"
    MEETING = "meeting"


class Action(StrEnum):
    """What happens to a message."""

    RELAY = "relay"
    HOLD = "hold"
    BLOCK = "block"


class StandingClass(StrEnum):
    """What we know of a sender."""

    NEW = "new"
    PAYING = "paying"
    VIOLATOR = "violator"


class Decider(StrEnum):
    """Which part of the gate had the last word."""

    STANDING = "standing"
    RULES = "rules"
    MODEL = "model"


@dataclass(frozen=True, slots=True)
class Finding:
    """A pattern found in a message.

    ``start``, ``end``: half-open span in code points of the *original* text. ``evidence``: short English words for
    operators and the command line; the pages say it in their own words by ``kind``. It never quotes the message.
    """

    kind: Kind
    start: int
    end: int
    evidence: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate decided. ``probability`` that the message gives a contact away: 0 to 1, calibrated.

    ``degraded`` says that the model did not answer and the rules alone decided.
    """

    action: Action
    probability: float
    findings: tuple[Finding, ...] = ()
    decider: Decider = Decider.MODEL
    degraded: bool = False
    model: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """What we know of a sender. ``strikes``: proven violations with their times (seconds since the epoch)."""

    standing: StandingClass = StandingClass.NEW
    strikes: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Line:
    """An earlier message of the room, as context. ``sender``: any stable word for who wrote it."""

    sender: str
    text: str = field(repr=False)
