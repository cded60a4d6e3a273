"""What was done, for good: records that are only ever added to, each chained to the one before it.

A record never holds a text, a person's name or the platform's name of them: it cannot be taken back when they ask to be
forgotten. Implementations are held to ``tests/contracts/store.py``. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

Detail = Mapping[str, str | int | float | bool | None]


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """Something that was done. ``detail`` holds words of ours, numbers and truth values.

    ``id``: made by chance, so that a record whose answer was lost can be written again; ``at``: seconds since the
    epoch; ``actor``: a member's id or ``key:`` and the beginning of an admin key's hash; ``action``: such as
    ``message.read``; ``subject``: what it was done to, such as ``message:17``.
    """

    id: str
    at: float
    actor: str
    action: str
    subject: str
    detail: Detail = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Link:
    """A record at its place. ``number``: rising; ``previous``: the hash of the record before it.

    ``hash``: over all of this (:func:`lessonroom.storage.chain.hash_of`), 64 hexadecimal digits.
    """

    number: int
    previous: str
    hash: str
    record: AuditRecord


@dataclass(frozen=True, slots=True)
class Head:
    """The number and the hash of the last record; 0 and :data:`~lessonroom.storage.chain.START` when there is none."""

    number: int
    hash: str


class Audits(Protocol):
    """The records in the database. Every method raises :class:`~lessonroom.errors.StoreDown` as the store does."""

    async def record(self, audit: AuditRecord) -> None:
        """Write a record down for good; the same id twice changes nothing."""
        ...

    async def audits(self, after: str | None, limit: int) -> Sequence[AuditRecord]:
        """Records in the order in which they were made, after the one of this id. NotFound for an unknown id."""
        ...

    async def links(self, after: int, limit: int) -> Sequence[Link]:
        """Records at their places, in order, with a number above ``after``."""
        ...

    async def head(self) -> Head:
        """The last record's number and hash, as they were written down beside the records."""
        ...
