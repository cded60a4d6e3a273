"""A lesson that needs the guardian's consent keeps that need."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """New column; lessons that are open are decided anew, and then keep it."""
    op.add_column("rooms", sa.Column("two_keys", sa.Boolean, nullable=False, server_default=sa.false()))
