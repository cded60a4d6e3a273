"""Brings the schema up to date, from inside the program: no ``alembic.ini``, also from an installed wheel."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection

from lessonroom.errors import StoreDown

_SCRIPTS = Path(__file__).parent / "migrations"


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Run the steps that are missing, in the transaction of ``connection``: all of them or none.

    Raises StoreDown for a database that has steps which this version does not know.
    """
    try:
        command.upgrade(_config(connection), revision)
    except CommandError:
        raise StoreDown("the database is of a newer version: expected one of this version or an older one") from None


def _config(connection: Connection) -> Config:
    # passed as attributes, because text options are parsed for % signs, which a path may hold
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
