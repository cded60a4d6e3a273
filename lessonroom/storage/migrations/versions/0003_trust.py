"""Trust: facts for the law, words of consent, the audit as a chain, sweeps.

Answers on consent that were given before are dropped: they were one answer for all purposes, without the version of the
words and without an end. Everybody is asked anew.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from lessonroom.storage.audit import AuditRecord
from lessonroom.storage.chain import START, link_to

revision = "0003"
down_revision = "0002"

_BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """New columns with nothing known, new tables, and a chain through the records that are there."""
    op.add_column("rooms", _empty("setting"))
    op.add_column("rooms", sa.Column("ceiling", sa.Text))
    for name in ("place", "band", "release"):
        op.add_column("members", _empty(name))
    _consent()
    _chain()
    _sweeps()


def _empty(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, nullable=False, server_default=sa.text("''"))


def _consent() -> None:
    op.drop_table("consents")
    op.create_table(
        "consent_words",
        sa.Column("number", _BIG, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("given", sa.Boolean, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("lang", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("expires_at", sa.Double, nullable=False),
        sa.Column("room", sa.Text, nullable=False),
        sa.Column("member", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_consent_words"),
        sa.UniqueConstraint("id", name="uq_consent_words_id"),
    )
    op.create_index("ix_consent_words_person", "consent_words", ["person"])


def _sweeps() -> None:
    op.create_table(
        "sweeps",
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("cut", sa.Double, nullable=False),
        sa.Column("deleted", sa.BigInteger, nullable=False),
        sa.Column("left_beyond", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_sweeps"),
    )


# --- the chain -------------------------------------------------------------------------------------------------------


def _chain() -> None:
    """The guards against changes go while the rows get their hashes, in the same transaction."""
    postgres = op.get_bind().dialect.name == "postgresql"
    for statement in _POSTGRES_OPEN if postgres else _SQLITE_OPEN:
        op.execute(statement)
    for name in ("previous", "hash"):
        op.add_column("audit", sa.Column(name, sa.Text))
    head = _tie_together()
    with op.batch_alter_table("audit") as table:
        for name in ("previous", "hash"):
            table.alter_column(name, existing_type=sa.Text(), nullable=False)
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_head"),
    )
    heads = sa.table("audit_head", sa.column("id"), sa.column("number"), sa.column("hash"))
    op.get_bind().execute(sa.insert(heads), head)
    for statement in _POSTGRES_GUARD if postgres else _SQLITE_GUARD:
        op.execute(statement)


def _tie_together() -> dict[str, Any]:
    """Give every record its hash, the oldest first; returns the head's row."""
    names = ("number", "id", "at", "actor", "action", "subject", "previous", "hash")
    audit = sa.table("audit", *(sa.column(name) for name in names), sa.column("detail", sa.JSON))
    tie = sa.update(audit).where(audit.c.number == sa.bindparam("of"))
    tie = tie.values(previous=sa.bindparam("before"), hash=sa.bindparam("own"))
    number, last = 0, START
    bind = op.get_bind()
    for row in bind.execute(sa.select(audit).order_by(audit.c.number)).all():
        link = link_to(row.number, last, AuditRecord(row.id, row.at, row.actor, row.action, row.subject, row.detail))
        bind.execute(tie, {"of": link.number, "before": link.previous, "own": link.hash})
        number, last = link.number, link.hash
    return {"id": 1, "number": number, "hash": last}


_SQLITE_OPEN = ("DROP TRIGGER audit_no_update", "DROP TRIGGER audit_no_delete")
_SQLITE_GUARD = tuple(
    f"CREATE TRIGGER audit_no_{deed} BEFORE {deed} ON audit BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END"
    for deed in ("update", "delete")
)
_POSTGRES_OPEN = ("DROP TRIGGER audit_no_change ON audit",)
_POSTGRES_GUARD = (
    """CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()""",
)
