"""How long each kind of record is kept, and what that means now. Pure.

A kind with a life of 0 days is kept for ever. Nothing of a lesson that is open is ever too old. A message that waits
for a person has a life of its own, so that it is there when they come. What is no kind has a reason in :data:`OUTSIDE`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

DAY = 86_400.0


class Kind(StrEnum):
    """Kinds of records, in the order in which they are swept: what refers to others goes first."""

    WAITING = "waiting"
    """Messages that wait for a person who did not come, from the time of writing on."""
    HELD = "held"
    """Stopped messages, from a person's decision on."""
    MESSAGES = "messages"
    """All other messages, from the time of writing on."""
    HINTS = "hints"
    """From the time of showing on."""
    STRIKES = "strikes"
    """Proven violations, from the time of the message on."""
    CONSENTS = "consents"
    """Words of consent, from their end on."""
    SESSIONS = "sessions"
    """Hashes of codes and sessions, from their end on; the member stays."""
    ROOMS = "rooms"
    """Rooms with their members, from their closing on, once nothing of theirs is left."""
    OPERATORS = "operators"
    """Operators with their names, from the end of their session on; their decisions keep a random id."""
    STANDINGS = "standings"
    """Whether somebody pays, from the platform's last word on, once no room of theirs is left."""
    SWEEPS = "sweeps"
    """Notes of earlier sweeps, from their time on; the last one of each kind stays."""


TABLES: Mapping[Kind, tuple[str, ...]] = {
    Kind.WAITING: ("messages",),
    Kind.HELD: ("messages", "labels"),
    Kind.MESSAGES: ("messages", "labels"),
    Kind.HINTS: ("hints",),
    Kind.STRIKES: ("strikes",),
    Kind.CONSENTS: ("consent_words",),
    Kind.SESSIONS: ("members",),
    Kind.ROOMS: ("rooms", "members"),
    Kind.OPERATORS: ("members",),
    Kind.STANDINGS: ("senders",),
    Kind.SWEEPS: ("sweeps",),
}
"""Where the records of each kind stand."""

OUTSIDE: Mapping[str, str] = {
    "audit": "evidence of what was done; random ids, words of the program and numbers; no row can be taken out",
    "audit_head": "one row: where the audit ends",
    "tickets": "ids of used tickets; each goes two minutes after its end, with the next ticket",
    "pulse": "one row: a counter that shows whether the database takes writes",
}
"""Tables that no sweep deletes from, and why."""

Lives = Mapping[Kind, float]
"""Days for which each kind is kept; 0: for ever."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """What one sweep did to a kind. ``cut``: all before it had to go; ``left_beyond``: what of that is still there.

    Times in seconds since the epoch.
    """

    at: float
    kind: Kind
    cut: float
    deleted: int
    left_beyond: int


def cuts(lives: Lives, now: float) -> dict[Kind, float]:
    """For each kind that is not kept for ever: records from before this time have to go. In the order of sweeping."""
    return {kind: now - lives[kind] * DAY for kind in Kind if lives.get(kind, 0.0) > 0}
