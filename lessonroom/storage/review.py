"""What people decide about messages: the queue they work on, their labels, what is derived of these.

Implementations are held to ``tests/contracts/review.py``. Times are seconds since the epoch, given by the caller.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from lessonroom.storage.audit import AuditRecord, Audits
from lessonroom.storage.store import NewMessage, StoredMessage


class Why(StrEnum):
    """Why a message waits for a person, the most urgent first."""

    APPEALED = "appealed"
    HELD = "held"
    BLOCKED = "blocked"
    SAMPLE = "sample"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that waits. ``number``: its name for reviewers, which says nothing of room or writer."""

    number: int
    why: Why
    message: NewMessage


@dataclass(frozen=True, slots=True)
class Reading:
    """A message in the clear, with the lines of its room before it, oldest first."""

    message: NewMessage
    before: tuple[NewMessage, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person said of a message. ``kind``: of contact, where they said so; ``actor``: who they are."""

    number: int
    contact: bool
    kind: str | None
    actor: str
    at: float


@dataclass(frozen=True, slots=True)
class Decided:
    """What a decision came to.

    ``sender``: the platform's name of the writer; ``released``: the room gets the message now, late; ``fresh``: False
    when the same had been decided before.
    """

    stored: StoredMessage
    sender: str
    why: Why
    released: bool
    fresh: bool


@dataclass(frozen=True, slots=True)
class Label:
    """A decision to learn from. ``model``, ``probability``: who had judged the message, and how."""

    number: int
    contact: bool
    kind: str | None
    why: Why
    model: str
    probability: float
    actor: str
    at: float
    message: NewMessage
    before: tuple[NewMessage, ...] = ()


@dataclass(frozen=True, slots=True)
class SenderRecord:
    """What is kept of a sender. ``strikes``: times of proven violations, oldest first."""

    sender: str
    paying: bool
    strikes: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Tally:
    """So many messages of a language got this verdict with a probability in this bin of ``BINS`` equal ones."""

    lang: str
    verdict: str
    bin: int
    count: int


@dataclass(frozen=True, slots=True)
class Period:
    """The screened messages of some time: what the filter said of them, appeals, and appeals that were right."""

    tallies: tuple[Tally, ...]
    appeals: int
    upheld: int


@dataclass(frozen=True, slots=True)
class Judge:
    """How one version of the model fared before people. ``wrong``: they decided otherwise."""

    version: str
    decided: int
    wrong: int


BINS = 20
"""Bins of a histogram of probabilities, each half-open but for the last."""


class Reviews(Audits, Protocol):
    """What the database does for reviewers. Raises :class:`~lessonroom.errors.StoreDown` as the store does."""

    async def queue(self, why: Sequence[Why], limit: int) -> Sequence[Waiting]:
        """The next messages that wait: those of the first reason before those of the second, oldest first in each."""
        ...

    async def waiting(self) -> Mapping[Why, int]:
        """How many wait, by reason; every reason is there."""
        ...

    async def read(self, number: int, before: int, audit: AuditRecord) -> Reading:
        """A message that waits or was decided, with up to ``before`` lines, and the record of it: both or neither.

        NotFound for any other message.
        """
        ...

    async def decide(self, decision: Decision, audit: AuditRecord) -> Decided:
        """Keep a decision, its record and all that follows from it: all or nothing.

        A held or appealed message becomes relayed or blocked and, while its room is open, gets a new place there. A
        contact is a strike for its sender, at the time of the message; no contact takes that strike away. The same
        again changes nothing. NotFound for a message that never waited, Conflict for one that was decided otherwise.
        """
        ...

    async def blocks(self, since: float) -> tuple[int, int]:
        """Of blocked and appealed messages: how many were decided since then, and how many of these are no contact."""
        ...

    async def labels(self, after: int, limit: int, before: int) -> Sequence[Label]:
        """Decisions on messages with a number above ``after``, by number, each with up to ``before`` earlier lines."""
        ...

    async def period(self, since: float, until: float) -> Period:
        """Figures of the screened messages written from ``since`` on and before ``until``.

        Those of senders who are not screened do not count: the filter has said nothing of them. Ask for a day at most:
        whoever reads next waits.
        """
        ...

    async def judges(self, since: float) -> Sequence[Judge]:
        """Versions of the model on whose verdicts people have decided since then, by name."""
        ...

    async def sender(self, sender: str) -> SenderRecord:
        """What is kept of a sender; one that nobody knows has nothing."""
        ...

    async def struck(self, since: float, least: int) -> Sequence[SenderRecord]:
        """Senders with at least so many strikes since then, by name; older strikes are left out."""
        ...
