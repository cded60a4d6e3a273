"""The draft of an impact assessment, from what this server is set to do. Pure but for reading its template.

GDPR Article 35(7) asks for a description, necessity and proportionality, risks, and measures: the prose stands in
``privacy_report.md``. Nothing in it is about a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from string import Template
from typing import Final

from lessonroom.config import Settings
from lessonroom.models import Sidecar
from lessonroom.policy import Band, Table
from lessonroom.rooms.consent import TEXT
from lessonroom.storage.retention import OUTSIDE, Kind, Lives, Sweep

TEMPLATE: Final = Path(__file__).with_name("privacy_report.md")
TO_FILL: Final = "**TO FILL**"

RECORDS: Final = {
    Kind.WAITING: "messages that wait for a person, in closed lessons",
    Kind.HELD: "stopped messages, after a person's decision",
    Kind.MESSAGES: "messages of closed lessons",
    Kind.HINTS: "hints that were shown",
    Kind.STRIKES: "proven violations of the chat's rules",
    Kind.CONSENTS: "words of consent, after their end",
    Kind.SESSIONS: "hashes of links and sessions, after their end",
    Kind.ROOMS: "closed lessons with their members",
    Kind.OPERATORS: "operators with their names, after their session",
    Kind.STANDINGS: "whether somebody pays, after their last lesson",
    Kind.SWEEPS: "notes of what was deleted",
}


@dataclass(frozen=True, slots=True)
class Deployed:
    """What the report speaks of.

    ``swept``: the last sweep of each kind; ``due``: records that should be gone already, None without a database.
    """

    settings: Settings
    table: Table
    models: Mapping[str, Sidecar]
    lives: Lives
    swept: Sequence[Sweep] = ()
    due: Mapping[Kind, int] | None = None


def report(deployed: Deployed, today: date) -> str:
    """The draft as Markdown."""
    settings, table = deployed.settings, deployed.table
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        today=today.isoformat(),
        provider_place=settings.provider_place or TO_FILL,
        server_place=settings.server_place or TO_FILL,
        assessment=settings.impact_assessment or "none: where one is needed, nothing is analysed",
        text=TEXT,
        consent_days=f"{settings.consent_days:g}",
        version=table.version,
        digest=table.digest[:16] or "none",
        rows=_rows(table, today),
        records=_records(deployed),
        outside=_table(("table", "why nothing is deleted from it by age"), OUTSIDE.items()),
        models=_models(deployed.models),
        relays=", ".join(settings.turn_urls) or "none",
        open="\n".join(f"- {point}" for point in _open(deployed)) or "- none that the program can see",
    )


def _rows(table: Table, today: date) -> str:
    head = ("row", "places", "settings", "ages", "at most", "until", "reviewer")
    cells = (
        (
            row.id,
            _few(sorted(row.places)),
            ", ".join(sorted(row.settings)),
            ", ".join(band for band in Band if band in row.bands),
            row.highest,
            f"{row.expires.isoformat()}{' (expired)' if row.expires < today else ''}",
            row.reviewer,
        )
        for row in table.rows
    )
    return _table(head, cells)


def _few(places: Sequence[str], most: int = 6) -> str:
    more = len(places) - most
    return ", ".join(places[:most]) + (f" and {more} more" if more > 0 else "")


def _records(deployed: Deployed) -> str:
    swept = {sweep.kind: sweep for sweep in deployed.swept}
    head = ("records", "kept for", "last deletion", "overdue now")
    cells = (
        (
            RECORDS[kind],
            f"{deployed.lives[kind]:g} days" if deployed.lives[kind] else "ever",
            _last(swept.get(kind)),
            "unknown: no database" if deployed.due is None else deployed.due.get(kind, 0),
        )
        for kind in Kind
    )
    return _table(head, cells)


def _last(sweep: Sweep | None) -> str:
    if sweep is None:
        return "not yet"
    at = datetime.fromtimestamp(sweep.at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f"{at}: {sweep.deleted} deleted, {sweep.left_beyond} left"


def _models(models: Mapping[str, Sidecar]) -> str:
    cells = ((name, card.version, card.licence, f"`{card.sha256[:12]}`") for name, card in sorted(models.items()))
    return _table(("model", "version", "licence", "SHA-256"), cells)


def _open(deployed: Deployed) -> list[str]:
    settings = deployed.settings
    points = (
        (not settings.provider_place, "`provider_place` is not set: nothing is analysed"),
        (
            not settings.server_place,
            "`server_place` is not set: rows that ask for a server in the country do not count",
        ),
        (not deployed.table.rows, "no policy table could be read: nothing is analysed"),
        (bool(settings.database_url), "the database is elsewhere: who runs it, and is its disk encrypted?"),
        (not settings.public_url.startswith("https://"), "`public_url` is no https address"),
        (not all(deployed.lives.values()), "some records are kept for ever"),
        (
            not settings.close_rooms_hours,
            "`close_rooms_hours` is 0: what is kept of a lesson that nobody closes is kept for ever",
        ),
    )
    return [text for holds, text in points if holds]


def _table(head: Sequence[str], cells: Iterable[Sequence[object]]) -> str:
    lines = (head, ("---",) * len(head), *cells)
    return "\n".join("| " + " | ".join(str(cell).replace("|", "/") for cell in line) + " |" for line in lines)
