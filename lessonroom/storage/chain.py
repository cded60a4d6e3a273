"""How a record of the audit is tied to the one before it: a hash chain. Pure.

A record's hash covers its place, its content and the hash before it, so that no record can be changed, moved, added or
taken out without changing all that come after. The last hash stands in a row of its own, which shows a tail that was
cut off. Who can write to the disk can make the whole chain anew; only a head that was kept elsewhere shows that.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from lessonroom.errors import BadInput
from lessonroom.storage.audit import AuditRecord, Head, Link

START = "0" * 64
"""What stands for the hash before the first record."""


def hash_of(number: int, previous: str, record: AuditRecord) -> str:
    """SHA-256 of a record at its place, in hexadecimal digits. Raises BadInput for what is no JSON, such as NaN."""
    return hashlib.sha256(canonical(number, previous, record)).hexdigest()


def canonical(number: int, previous: str, record: AuditRecord) -> bytes:
    """A record at its place as bytes: JSON in ASCII, keys sorted, no spaces, the time as Python writes it.

    What the detail means counts, not how the database spells it.
    """
    try:
        if not isinstance(record.detail, Mapping):
            raise TypeError
        parts = [number, previous, record.id, repr(float(record.at)), record.actor, record.action, record.subject]
        text = json.dumps([*parts, dict(record.detail)], sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        raise BadInput("expected a record of words, numbers and truth values, got another value") from None
    return text.encode("ascii")


def link_to(number: int, previous: str, record: AuditRecord) -> Link:
    """A record as the next link: ``previous`` is the hash of the last one."""
    return Link(number, previous, hash_of(number, previous, record), record)


def head_of(link: Link) -> Head:
    """The head of a chain that ends with this link."""
    return Head(link.number, link.hash)


@dataclass(frozen=True, slots=True)
class Fault:
    """Where a chain breaks first. ``row``: the number of the row, None when no row is to blame."""

    row: int | None
    why: str


class Walk:
    """Follows a chain from its first link. ``kept``: a hash that was kept elsewhere and must be met, empty for none."""

    def __init__(self, kept: str = "") -> None:
        self.rows = 0
        self.last = Head(0, START)
        self._kept = kept
        self._met = kept in {"", START}

    def step(self, link: Link) -> Fault | None:
        """Take the next link, by number; what is wrong with it, if anything."""
        if link.previous != self.last.hash:
            before = f"row {self.last.number}" if self.rows else "the beginning"
            return Fault(link.number, f"row {link.number}: does not follow {before}")
        if not _is_whole(link):
            return Fault(link.number, f"row {link.number}: its hash does not match")
        self.rows += 1
        self.last = head_of(link)
        self._met = self._met or link.hash == self._kept
        return None

    def end(self, head: Head | None) -> Fault | None:
        """There are no more links: compare with what the head says; None: there is no head."""
        if head is None:
            return Fault(None, "the head is gone")
        if head.number != self.last.number:
            row = min(head.number, self.last.number) + 1
            return Fault(row, f"row {row}: the head names row {head.number}, the last is {self.last.number}")
        if head.hash != self.last.hash:
            return Fault(head.number, f"row {head.number}: the head has another hash")
        if not self._met:
            return Fault(None, "no row has the hash that was kept: the chain was cut off before it, or made anew")
        return None


def _is_whole(link: Link) -> bool:
    try:
        return link.hash == hash_of(link.number, link.previous, link.record)
    except BadInput:
        return False
