"""The tables. A change here needs a step in ``migrations/versions``; a test compares the two.

Times are seconds since the epoch. ``number`` is the order of making.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
    true,
)

# named, so that a later migration can name them too
_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}

metadata = MetaData(naming_convention=_NAMES)


def _word(
    name: str,
    *,
    refers: str = "",
    nullable: bool = False,
    key: bool = False,
    unique: bool = False,
    empty: bool = False,
) -> Column[str]:
    """An id, role, state or hash; ``refers`` to a column of another table; ``empty`` unless something is known."""
    foreign = [ForeignKey(refers)] if refers else []
    rules: dict[str, Any] = {"nullable": nullable, "primary_key": key, "unique": unique or None}
    return Column(name, Text, *foreign, server_default=text("''") if empty else None, **rules)


rooms = Table(
    "rooms",
    metadata,
    Column("number", Integer, primary_key=True),
    _word("id", unique=True),
    _word("mode_cap"),
    Column("created_at", Double, nullable=False),
    Column("closed_at", Double),
    # a counter, not max(seq): numbers stay unique when old messages are deleted
    Column("last_seq", BigInteger, nullable=False, server_default="0"),
    Column("hints_on", Boolean, nullable=False, server_default=true()),
    _word("setting", empty=True),
    _word("ceiling", nullable=True),
    Column("two_keys", Boolean, nullable=False, server_default=false()),
)

members = Table(
    "members",
    metadata,
    Column("number", Integer, primary_key=True),
    _word("id", unique=True),
    _word("room", refers="rooms.id", nullable=True),  # none: an operator
    _word("role"),
    Column("name", Text, nullable=False),
    Column("sender", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    _word("code_hash"),
    Column("code_expires_at", Double, nullable=False),
    _word("session_hash", nullable=True),
    Column("session_expires_at", Double),
    _word("place", empty=True),
    _word("band", empty=True),
    _word("release", empty=True),
    Index(None, "room"),
)

tickets = Table(
    "tickets",
    metadata,
    _word("id", key=True),
    Column("expires_at", Double, nullable=False, index=True),
)

# SQLite numbers rows by itself only in a column that is called INTEGER
_BIG = BigInteger().with_variant(Integer, "sqlite")

messages = Table(
    "messages",
    metadata,
    # what reviewers know a message by; a place in its room's log (seq) can change, and would name the room
    Column("number", _BIG, primary_key=True),
    _word("room", refers="rooms.id"),
    Column("seq", BigInteger, nullable=False),
    _word("sender"),
    _word("id"),
    Column("text", Text, nullable=False),
    Column("at", Double, nullable=False),
    _word("state"),
    Column("probability", Double, nullable=False),
    _word("decider"),
    _word("model"),
    Column("findings", JSON, nullable=False),
    Column("appealed_at", Double),
    # what the filter said, in its own words: the state changes when a person decides
    _word("verdict"),
    Column("lang", Text, nullable=False, server_default="other"),
    Column("degraded", Boolean, nullable=False, server_default=false()),
    Column("sampled", Boolean, nullable=False, server_default=false()),
    # why a person should look at it, until one has decided
    _word("waits", nullable=True),
    # when the room was told what a person decided
    Column("decided_at", Double),
    UniqueConstraint("room", "seq"),
    UniqueConstraint("room", "sender", "id"),
)
Index(
    None,
    messages.c.waits,
    messages.c.number,
    sqlite_where=messages.c.waits.is_not(None),
    postgresql_where=messages.c.waits.is_not(None),
)
# all that the figures of drift are made of, so that they need not read the texts
Index(None, *(messages.c[name] for name in ("at", "decider", "verdict", "lang", "probability")))
Index(
    None,
    messages.c.appealed_at,
    sqlite_where=messages.c.appealed_at.is_not(None),
    postgresql_where=messages.c.appealed_at.is_not(None),
)

labels = Table(
    "labels",
    metadata,
    Column("message", _BIG, ForeignKey("messages.number"), primary_key=True, autoincrement=False),
    Column("contact", Boolean, nullable=False),
    _word("kind", nullable=True),
    _word("why"),
    # of the message, which may be judged anew
    _word("model"),
    Column("probability", Double, nullable=False),
    _word("actor"),
    Column("at", Double, nullable=False, index=True),
)

audit = Table(
    "audit",
    metadata,
    Column("number", _BIG, primary_key=True),
    _word("id", unique=True),
    Column("at", Double, nullable=False),
    _word("actor"),
    _word("action"),
    _word("subject"),
    Column("detail", JSON, nullable=False),
    _word("previous"),
    _word("hash"),
)
"""What was done, for good: triggers made by the migration refuse to change or delete a row."""

audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("number", BigInteger, nullable=False),
    _word("hash"),
)
"""One row: the last record's number and hash."""

consent_words = Table(
    "consent_words",
    metadata,
    Column("number", _BIG, primary_key=True),
    _word("id", unique=True),
    _word("person"),
    _word("purpose"),
    _word("by"),
    Column("given", Boolean, nullable=False),
    _word("text"),
    _word("lang"),
    Column("at", Double, nullable=False),
    Column("expires_at", Double, nullable=False),
    # no foreign keys: a word is kept longer than the room that it was said in
    _word("room"),
    _word("member"),
    Index(None, "person"),
)

hints = Table(
    "hints",
    metadata,
    Column("number", Integer, primary_key=True),
    _word("room", refers="rooms.id"),
    _word("id"),
    _word("cue"),
    _word("advice"),
    Column("at", Double, nullable=False),
    _word("answer", nullable=True),
    # a client makes the id of "I'm stuck": it must not hide a hint of another room
    UniqueConstraint("room", "id"),
)

senders = Table(
    "senders",
    metadata,
    Column("sender", Text, primary_key=True),
    Column("paying", Boolean, nullable=False, server_default=false()),
    # when the platform told it
    Column("at", Double, nullable=False, server_default="0"),
)

strikes = Table(
    "strikes",
    metadata,
    Column("sender", Text, primary_key=True),
    Column("at", Double, primary_key=True),
)

pulse = Table(
    "pulse",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("beats", Integer, nullable=False),
)
"""One row that :meth:`~lessonroom.storage.store.Store.check` writes, to know that writing works."""

sweeps = Table(
    "sweeps",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("at", Double, nullable=False),
    _word("kind"),
    Column("cut", Double, nullable=False),
    Column("deleted", BigInteger, nullable=False),
    Column("left_beyond", BigInteger, nullable=False),
)
"""What was deleted because its time was over. ``cut``: all before it had to go; ``left_beyond``: what of it is left."""
