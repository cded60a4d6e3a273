"""The commands for rights of people and for deletion. They get the settings from :mod:`lessonroom.cli`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from lessonroom.cli_numbers import Count
from lessonroom.config import Settings
from lessonroom.errors import NotFound

if TYPE_CHECKING:
    from lessonroom.storage.sql import SqlStore

T = TypeVar("T")

_data_dir = click.option("--data-dir", type=click.Path(path_type=Path), help="Folder of the server's database.")
_as_json = click.option("--json", "as_json", is_flag=True, help="One JSON object.")


@click.group(short_help="Rights of people, deletion, the draft of an assessment.")
def privacy() -> None:
    """Rights of people, deletion, and the draft of an impact assessment."""


@privacy.command(short_help="Print everything that is kept of PERSON.")
@click.argument("person")
@_data_dir
@click.pass_context
def export(context: click.Context, *, person: str, data_dir: Path | None) -> None:
    """Print everything that is kept of PERSON as JSON, and nothing of anybody else.

    PERSON: the platform's name of them (`sender`), or the id of a member. That it was handed out goes on record.
    """
    from lessonroom import rights

    settings = context.obj(data_dir=data_dir)
    found = _with_store(settings, lambda store: rights.export(store, person, actor="command"))
    click.echo(json.dumps(found, ensure_ascii=False, indent=2))


@privacy.command(short_help="Forget PERSON, whose lessons must be closed.")
@click.argument("person")
@_data_dir
@_as_json
@click.pass_context
def erase(context: click.Context, *, person: str, data_dir: Path | None, as_json: bool) -> None:
    """Forget PERSON: messages, hints about them, consents, standing, names. Their lessons must be closed.

    What stays: an empty shell in the member lists, and records of the audit, which hold no name and no text.
    """
    from lessonroom import rights

    settings = context.obj(data_dir=data_dir)
    gone = _with_store(settings, lambda store: rights.erase(store, person, actor="command"))
    counts = ", ".join(f"{count} {kind}" for kind, count in gone.items())
    click.echo(json.dumps(gone) if as_json else f"erased: {counts}")


@privacy.command(short_help="Delete every record whose time is over.")
@_data_dir
@_as_json
@click.option("--dry-run", is_flag=True, help="Only count what has to go.")
@click.pass_context
def retention(context: click.Context, *, data_dir: Path | None, as_json: bool, dry_run: bool) -> None:
    """Delete every record whose time is over, by the settings keep_*; the server does so by itself every hour."""
    from lessonroom.sweeper import Sweeper, lives_of

    settings = context.obj(data_dir=data_dir)

    async def work(store: SqlStore) -> list[dict[str, Any]]:
        sweeper = Sweeper(store, lives_of(settings), pause=0.0)
        if dry_run:
            return [{"kind": kind.value, "due": count} for kind, count in (await sweeper.due()).items()]
        return [
            {"kind": done.kind.value, "deleted": done.deleted, "left": done.left_beyond, "before": done.cut}
            for done in await sweeper.sweep()
        ]

    for row in _with_store(settings, work):
        click.echo(json.dumps(row) if as_json else "  ".join(f"{name} {_plain(value)}" for name, value in row.items()))


def _plain(value: object) -> str:
    """A time, which is the only number with a fraction, as a day and a minute."""
    return (
        f"{datetime.fromtimestamp(max(value, 0.0), UTC):%Y-%m-%d %H:%M} UTC" if isinstance(value, float) else str(value)
    )


@privacy.command(short_help="How often hints came and helped, for researchers.")
@_data_dir
@_as_json
@click.option("--least", type=Count(10), default=10, show_default=True, help="Students in each group.")
@click.pass_context
def aggregates(context: click.Context, *, data_dir: Path | None, as_json: bool, least: int) -> None:
    """Print how often hints came and helped, by month and language, for researchers.

    Only lessons count whose student, guardian (of a minor) and teacher agree to research now. Groups of few people are
    not told; counts are rounded. That they were made goes on record.
    """
    from lessonroom import rights
    from lessonroom.aggregates import LEAST_TEACHERS, aggregate

    settings = context.obj(data_dir=data_dir)
    rows = list(aggregate(_with_store(settings, lambda store: rights.agreed(store, actor="command")), least))
    if not rows and not as_json:
        click.echo(f"nothing to tell: no group has {least} students and {LEAST_TEACHERS} teachers who agree", err=True)
    for row in rows:
        hints = "  ".join(f"{cue}: {told}" for cue, told in row["hints"].items())
        numbers = "  ".join(f"{name} {value}" for name, value in row.items() if name != "hints")
        click.echo(json.dumps(row) if as_json else f"{numbers}  {hints}".rstrip())


@privacy.command(short_help="Print the draft of an impact assessment.")
@_data_dir
@click.pass_context
def report(context: click.Context, *, data_dir: Path | None) -> None:
    """Print the draft of an impact assessment (Markdown), from the settings and the database of this server."""
    from lessonroom import privacy as draft
    from lessonroom.sweeper import lives_of

    settings: Settings = context.obj(data_dir=data_dir)
    deployed = _deployed(settings, lives_of(settings))
    click.echo(draft.report(deployed, datetime.now(UTC).date()), nl=False)


def _deployed(settings: Settings, lives: Any) -> Any:
    from lessonroom import models
    from lessonroom.policy_file import table_in_force
    from lessonroom.privacy import Deployed
    from lessonroom.storage import sweeping
    from lessonroom.sweeper import Sweeper

    cards = {name: models.load(name, settings.models_dir).card for name in models.names(settings.models_dir)}
    # as the server reads it: the draft of one whose table cannot be read says that nothing is analysed
    table = table_in_force(settings.policy_table, today=datetime.now(UTC).date())
    known = Deployed(settings, table, cards, lives)
    if not _has_database(settings):
        return known

    async def look(store: SqlStore) -> Deployed:
        swept = await store.run(sweeping.latest, writes=False)
        return Deployed(settings, known.table, cards, lives, swept, await Sweeper(store, lives).due())

    return _with_store(settings, look)


def _has_database(settings: Settings) -> bool:
    from lessonroom.app import DATABASE_FILE

    return bool(settings.database_url) or (settings.data_dir / DATABASE_FILE).exists()


def _with_store(settings: Settings, work: Callable[[SqlStore], Awaitable[T]]) -> T:
    """Do something with the server's database, also while the server runs. Raises NotFound when there is none."""
    from lessonroom.app import database_url
    from lessonroom.storage.sql import open_store

    if not _has_database(settings):
        raise NotFound("data_dir: expected the folder of a server's database, got one without")

    async def whole() -> T:
        store = open_store(
            database_url(settings), deadline=max(60.0, settings.database_deadline), queue=settings.store_queue
        )
        await store.open()
        try:
            return await work(store)
        finally:
            await store.close()

    return asyncio.run(whole())
