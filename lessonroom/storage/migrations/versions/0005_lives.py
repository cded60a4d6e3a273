"""Every table has a rule by which its rows go: when the platform told whether somebody pays."""

from __future__ import annotations

import time

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """New column; of what was told before, the time counts from now."""
    op.add_column("senders", sa.Column("at", sa.Double, nullable=False, server_default="0"))
    senders = sa.table("senders", sa.column("at", sa.Double))
    op.execute(senders.update().values(at=time.time()))
