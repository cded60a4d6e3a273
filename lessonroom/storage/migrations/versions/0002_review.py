"""Review: numbers of messages, what waits for a person, labels, the audit."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_OLD = "room, seq, sender, id, text, at, state, probability, decider, model, findings, appealed_at"
_NEW = "verdict, degraded, waits"
_FILLED = (
    "CASE state WHEN 'relayed' THEN 'relay' WHEN 'held' THEN 'hold' ELSE 'block' END",
    "decider = 'rules'",
    "CASE WHEN state <> 'relayed' THEN state END",
)
"""What the new columns say of messages that were there before."""


def upgrade() -> None:
    """Messages get a number of their own; beside them come labels and the audit."""
    if op.get_bind().dialect.name == "postgresql":
        _number_in_place()
    else:
        _number_in_a_new_table()
    op.create_index("ix_messages_waits_number", "messages", ["waits", "number"], **_where("waits IS NOT NULL"))
    drift = ["at", "decider", "verdict", "lang", "probability"]
    op.create_index("ix_messages_at_decider_verdict_lang_probability", "messages", drift)
    op.create_index("ix_messages_appealed_at", "messages", ["appealed_at"], **_where("appealed_at IS NOT NULL"))
    _labels()
    _audit()


def _number_in_place() -> None:
    op.drop_constraint("pk_messages", "messages", type_="primary")
    op.execute("ALTER TABLE messages ADD COLUMN number BIGSERIAL")
    op.create_primary_key("pk_messages", "messages", ["number"])
    op.create_unique_constraint("uq_messages_room_seq", "messages", ["room", "seq"])
    op.add_column("messages", sa.Column("verdict", sa.Text))
    for column in _added():
        op.add_column("messages", column)
    op.execute(f"UPDATE messages SET ({_NEW}) = ROW ({', '.join(_FILLED)})")  # noqa: S608 - our own words
    op.alter_column("messages", "verdict", nullable=False)


def _number_in_a_new_table() -> None:
    """SQLite cannot change a key: the rows move to a new table, in the order of their times."""
    op.rename_table("messages", "messages_0001")
    op.create_table(
        "messages",
        sa.Column("number", _BIG, nullable=False),
        sa.Column("room", sa.Text, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("sender", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("probability", sa.Double, nullable=False),
        sa.Column("decider", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("findings", sa.JSON, nullable=False),
        sa.Column("appealed_at", sa.Double),
        sa.Column("verdict", sa.Text, nullable=False),
        *_added(),
        sa.PrimaryKeyConstraint("number", name="pk_messages"),
        sa.UniqueConstraint("room", "seq", name="uq_messages_room_seq"),
        sa.UniqueConstraint("room", "sender", "id", name="uq_messages_room_sender_id"),
        sa.ForeignKeyConstraint(["room"], ["rooms.id"], name="fk_messages_room"),
    )
    rows = f"SELECT {_OLD}, {', '.join(_FILLED)} FROM messages_0001 ORDER BY at, room, seq"  # noqa: S608 - our own words
    op.execute(f"INSERT INTO messages ({_OLD}, {_NEW}) {rows}")
    op.drop_table("messages_0001")


def _added() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("lang", sa.Text, nullable=False, server_default="other"),
        sa.Column("degraded", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("sampled", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("waits", sa.Text),
        sa.Column("decided_at", sa.Double),
    )


def _where(condition: str) -> dict[str, Any]:
    return {f"{dialect}_where": sa.text(condition) for dialect in ("sqlite", "postgresql")}


def _labels() -> None:
    op.create_table(
        "labels",
        sa.Column("message", _BIG, nullable=False, autoincrement=False),
        sa.Column("contact", sa.Boolean, nullable=False),
        sa.Column("kind", sa.Text),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("probability", sa.Double, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("message", name="pk_labels"),
        sa.ForeignKeyConstraint(["message"], ["messages.number"], name="fk_labels_message"),
    )
    op.create_index("ix_labels_at", "labels", ["at"])


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("number", _BIG, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("detail", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_audit"),
        sa.UniqueConstraint("id", name="uq_audit_id"),
    )
    postgres = op.get_bind().dialect.name == "postgresql"
    for statement in _POSTGRES_GUARD if postgres else _SQLITE_GUARD:
        op.execute(statement)


_SQLITE_GUARD = tuple(
    f"CREATE TRIGGER audit_no_{deed} BEFORE {deed} ON audit BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END"
    for deed in ("update", "delete")
)
_POSTGRES_GUARD = (
    """CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'audit is append-only'; END $$""",
    """CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()""",
)
