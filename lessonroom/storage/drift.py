"""How the filter does lately, counted by the database: plain functions of a connection, run by a worker."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Float, Integer, and_, case, cast, func, select

from lessonroom.storage.review import BINS, Judge, Period, Tally, Why
from lessonroom.storage.schema import labels, messages

_WRONG: Final = labels.c.contact != (messages.c.verdict != "relay")
"""A person and the filter differ; to hold a message is an alarm, too."""


def period(db: Connection, since: float, until: float) -> Period:
    """Count what was said of the messages of a time. The tallies come from an index alone, without the texts."""
    screened = and_(messages.c.at >= since, messages.c.at < until, messages.c.decider != "standing")
    appeals, upheld = _appeals(db, screened)
    return Period(_tallies(db, screened), appeals, upheld)


def _tallies(db: Connection, screened: ColumnElement[bool]) -> tuple[Tally, ...]:
    whole = _whole(db, messages.c.probability * float(BINS))
    bin_ = case((whole >= BINS, BINS - 1), else_=whole).label("bin")
    key = (messages.c.lang, messages.c.verdict, bin_)
    query = select(*key, func.count()).where(screened).group_by(*key).order_by(*key)
    return tuple(Tally(*row) for row in db.execute(query))


def _appeals(db: Connection, screened: ColumnElement[bool]) -> tuple[int, int]:
    upheld = func.count().filter(labels.c.why == str(Why.APPEALED), labels.c.contact.is_(False))
    query = (
        select(func.count(), upheld)
        .outerjoin_from(messages, labels, labels.c.message == messages.c.number)
        .where(screened, messages.c.appealed_at.is_not(None))
    )
    all_, right = db.execute(query).one()
    return int(all_), int(right)


def judges(db: Connection, since: float) -> list[Judge]:
    """Count by version of the model."""
    query = (
        select(labels.c.model, func.count(), func.count().filter(_WRONG))
        .join_from(labels, messages, labels.c.message == messages.c.number)
        .where(labels.c.at >= since)
        .group_by(labels.c.model)
        .order_by(labels.c.model)
    )
    return [Judge(*row) for row in db.execute(query)]


def _whole(db: Connection, number: ColumnElement[Any]) -> ColumnElement[int]:
    """The whole part of what is not negative: PostgreSQL's cast rounds, and not every SQLite has ``floor``."""
    exact = func.floor(number, type_=Float) if db.dialect.name == "postgresql" else number
    return cast(exact, Integer)
