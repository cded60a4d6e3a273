"""How a record of the audit is tied to the one before it: a hash chain. Pure.

A record's hash covers its place, its content and the hash before it, so that no record can be changed, moved, added or
taken out without changing all that come after. The last hash stands in a row of its own, which shows a tail that was
cut off. Who can write to the disk can make the whole chain anew; only a head that was kept elsewhere shows that.
"""

from __future__ import annotations

import hashlib
import json

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
    parts = [number, previous, record.id, repr(record.at), record.actor, record.action, record.subject]
    try:
        text = json.dumps([*parts, dict(record.detail)], sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError):
        raise BadInput("expected a record of words, numbers and truth values, got another value") from None
    return text.encode("ascii")


def link_to(number: int, previous: str, record: AuditRecord) -> Link:
    """A record as the next link: ``previous`` is the hash of the last one."""
    return Link(number, previous, hash_of(number, previous, record), record)


def head_of(link: Link) -> Head:
    """The head of a chain that ends with this link."""
    return Head(link.number, link.hash)
