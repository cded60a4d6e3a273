"""Brings the schema up to date, from inside the program: no ``alembic.ini``, also from an installed wheel."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect

from lessonroom.errors import StoreDown

if TYPE_CHECKING:
    from alembic.config import Config

_SCRIPTS = Path(__file__).parent / "migrations"


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Run the steps that are missing, in the transaction of ``connection``: all of them or none.

    Raises StoreDown for a database that has steps which this version does not know.
    """
    if revision == "head" and _reached(connection) == [newest()]:
        return
    from alembic import command  # noqa: PLC0415  takes longer to import than all the rest of a start of the store
    from alembic.util import CommandError  # noqa: PLC0415

    try:
        command.upgrade(_config(connection), revision)
    except CommandError:
        raise StoreDown("the database is of a newer version: expected one of this version or an older one") from None


def newest() -> str:
    """The last step that there is: the number that its file's name begins with."""
    return max(path.name for path in (_SCRIPTS / "versions").glob("[0-9]*.py")).partition("_")[0]


def _reached(connection: Connection) -> list[str]:
    """What the database says of itself; nothing where no step was ever run."""
    if not inspect(connection).has_table("alembic_version"):
        return []
    return list(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars())


def _config(connection: Connection) -> Config:
    from alembic.config import Config  # noqa: PLC0415  see above

    # passed as attributes, because text options are parsed for % signs, which a path may hold
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
