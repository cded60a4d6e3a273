"""Brings the schema up to date, from inside the program: no ``alembic.ini``, also from an installed wheel."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

_SCRIPTS = Path(__file__).parent / "migrations"


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Run the steps that are missing, in the transaction of ``connection``: all of them or none."""
    command.upgrade(_config(connection), revision)


def _config(connection: Connection) -> Config:
    # passed as attributes, because text options are parsed for % signs, which a path may hold
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
