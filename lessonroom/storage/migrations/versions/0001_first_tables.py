"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make all tables, written out and not taken from the schema: the schema moves on, this step does not."""
    _rooms_and_members()
    _chat()
    _lesson()
    _people()


def _rooms_and_members() -> None:
    op.create_table(
        "rooms",
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("mode_cap", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("closed_at", sa.Double),
        sa.Column("last_seq", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("hints_on", sa.Boolean, nullable=False, server_default=sa.true()),
        sa.PrimaryKeyConstraint("number", name="pk_rooms"),
        sa.UniqueConstraint("id", name="uq_rooms_id"),
    )
    op.create_table(
        "members",
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("room", sa.Text),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("sender", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("code_hash", sa.Text, nullable=False),
        sa.Column("code_expires_at", sa.Double, nullable=False),
        sa.Column("session_hash", sa.Text),
        sa.Column("session_expires_at", sa.Double),
        sa.PrimaryKeyConstraint("number", name="pk_members"),
        sa.UniqueConstraint("id", name="uq_members_id"),
        sa.ForeignKeyConstraint(["room"], ["rooms.id"], name="fk_members_room"),
    )
    op.create_index("ix_members_room", "members", ["room"])
    op.create_table(
        "tickets",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("expires_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tickets"),
    )
    op.create_index("ix_tickets_expires_at", "tickets", ["expires_at"])


def _chat() -> None:
    op.create_table(
        "messages",
        sa.Column("room", sa.Text, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False, autoincrement=False),
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
        sa.PrimaryKeyConstraint("room", "seq", name="pk_messages"),
        sa.UniqueConstraint("room", "sender", "id", name="uq_messages_room_sender_id"),
        sa.ForeignKeyConstraint(["room"], ["rooms.id"], name="fk_messages_room"),
    )


def _lesson() -> None:
    op.create_table(
        "consents",
        sa.Column("room", sa.Text, nullable=False),
        sa.Column("member", sa.Text, nullable=False),
        sa.Column("agreed", sa.Boolean, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("room", "member", name="pk_consents"),
        sa.ForeignKeyConstraint(["room"], ["rooms.id"], name="fk_consents_room"),
        sa.ForeignKeyConstraint(["member"], ["members.id"], name="fk_consents_member"),
    )
    op.create_table(
        "hints",
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("room", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("cue", sa.Text, nullable=False),
        sa.Column("advice", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("answer", sa.Text),
        sa.PrimaryKeyConstraint("number", name="pk_hints"),
        sa.UniqueConstraint("room", "id", name="uq_hints_room_id"),
        sa.ForeignKeyConstraint(["room"], ["rooms.id"], name="fk_hints_room"),
    )


def _people() -> None:
    op.create_table(
        "senders",
        sa.Column("sender", sa.Text, nullable=False),
        sa.Column("paying", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.PrimaryKeyConstraint("sender", name="pk_senders"),
    )
    op.create_table(
        "strikes",
        sa.Column("sender", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("sender", "at", name="pk_strikes"),
    )
    op.create_table(
        "pulse",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("beats", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_pulse"),
    )
