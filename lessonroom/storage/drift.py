"""How the filter does lately, counted by the database: plain functions of a connection, run by a worker.

Only screened messages count: of those whose sender is not screened the filter has said nothing.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Float, Integer, and_, case, cast, func, select

from lessonroom.storage.review import BINS, Day, Drift, Judge, Why
from lessonroom.storage.schema import labels, messages

SECONDS: Final = 86_400.0
_WRONG: Final = labels.c.contact != (messages.c.verdict != "relay")
"""A person and the filter differ; to hold a message is an alarm, too."""


def drift(db: Connection, since: float) -> Drift:
    """Count everything."""
    screened = and_(messages.c.at >= since, messages.c.decider != "standing")
    return Drift(_days(db, screened), _scores(db, screened), _judges(db, since))


def _days(db: Connection, screened: ColumnElement[bool]) -> tuple[Day, ...]:
    day = _whole(db, messages.c.at / SECONDS).label("day")
    verdicts = [func.count().filter(messages.c.verdict == verdict) for verdict in ("relay", "hold", "block")]
    upheld = func.count().filter(labels.c.why == str(Why.APPEALED), labels.c.contact.is_(False))
    query = (
        select(day, *verdicts, func.count(messages.c.appealed_at), upheld)
        .outerjoin_from(messages, labels, labels.c.message == messages.c.number)
        .where(screened)
        .group_by(day)
        .order_by(day)
    )
    return tuple(Day(*map(int, row)) for row in db.execute(query))


def _scores(db: Connection, screened: ColumnElement[bool]) -> dict[str, tuple[int, ...]]:
    twentieth = _whole(db, messages.c.probability * float(BINS))
    bin_ = case((twentieth >= BINS, BINS - 1), else_=twentieth).label("bin")
    found: dict[str, list[int]] = {}
    query = select(messages.c.lang, bin_, func.count()).where(screened).group_by(messages.c.lang, bin_)
    for lang, place, count in db.execute(query.order_by(messages.c.lang)):
        found.setdefault(lang, [0] * BINS)[place] = count
    return {lang: tuple(counts) for lang, counts in found.items()}


def _judges(db: Connection, since: float) -> tuple[Judge, ...]:
    query = (
        select(labels.c.model, func.count(), func.count().filter(_WRONG))
        .join_from(labels, messages, labels.c.message == messages.c.number)
        .where(labels.c.at >= since)
        .group_by(labels.c.model)
        .order_by(labels.c.model)
    )
    return tuple(Judge(*row) for row in db.execute(query))


def _whole(db: Connection, number: ColumnElement[Any]) -> ColumnElement[int]:
    """The whole part of what is not negative: PostgreSQL's cast rounds, and not every SQLite has ``floor``."""
    exact = func.floor(number, type_=Float) if db.dialect.name == "postgresql" else number
    return cast(exact, Integer)
