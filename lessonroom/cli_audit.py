"""The commands that look after the audit.

They get the settings from :mod:`lessonroom.cli`, which alone reads the environment.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lessonroom.config import Settings
from lessonroom.errors import BadInput

if TYPE_CHECKING:
    from lessonroom.storage.verify import Verdict

LONGEST = 60.0
"""Longest wait for one part of the records, in seconds, where the settings say less."""
HASH = re.compile(r"[0-9a-f]{64}")

_data_dir = click.option("--data-dir", type=click.Path(path_type=Path), help="Folder of the server's database.")
_as_json = click.option("--json", "as_json", is_flag=True, help="One JSON object.")


@click.group()
def audit() -> None:
    """Look after the audit: what was done, for good."""


@audit.command(short_help="Name the first record that is not as it was written.")
@_data_dir
@_as_json
@click.option("--head", "kept", help="A hash that `audit head` printed earlier: one of the rows must have it.")
@click.pass_context
def verify(context: click.Context, *, data_dir: Path | None, as_json: bool, kept: str | None) -> None:
    """Follow the chain of records and name the first row that is broken; exit code 1 when there is one.

    Reads only, also while the server runs. Who can write to the disk can make the whole chain anew: keep a head
    elsewhere, and give it here.
    """
    from lessonroom.storage.verify import verify as follow

    if kept is not None and not HASH.fullmatch(kept):
        raise BadInput("--head: expected 64 hexadecimal digits, got something else")
    url, deadline = _database(context.obj(data_dir=data_dir))
    found = follow(url, kept=kept or "", deadline=deadline)
    click.echo(json.dumps(_record(found)) if as_json else _line(found))
    if found.fault is not None:
        sys.exit(1)


@audit.command(short_help="Print the hash of the last record, to be kept elsewhere.")
@_data_dir
@_as_json
@click.pass_context
def head(context: click.Context, *, data_dir: Path | None, as_json: bool) -> None:
    """Print the last row's hash, to keep it where the server's owner cannot change it."""
    from lessonroom.storage import verify as records

    url, deadline = _database(context.obj(data_dir=data_dir))
    found = records.head(url, deadline=deadline)
    click.echo(json.dumps({"number": found.number, "hash": found.hash}) if as_json else found.hash)


def _record(found: Verdict) -> dict[str, object]:
    fault = found.fault
    return {
        "ok": fault is None,
        "rows": found.rows,
        "row": fault and fault.row,
        "why": fault and fault.why,
        "number": found.last.number,
        "head": found.last.hash,
    }


def _line(found: Verdict) -> str:
    if found.fault is not None:
        return found.fault.why
    return f"{found.rows} rows, each follows the one before; the head is {found.last.hash}"


def _database(settings: Settings) -> tuple[str, float]:
    from lessonroom.app import DATABASE_FILE

    url = settings.database_url or f"sqlite:///{settings.data_dir.absolute() / DATABASE_FILE}"
    return url, max(settings.database_deadline, LONGEST)
