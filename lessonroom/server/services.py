"""What the routes work with, put together by :mod:`lessonroom.app` and kept in the application's state."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

from starlette.requests import HTTPConnection

from lessonroom.config import Settings
from lessonroom.metrics import Metrics
from lessonroom.rooms.hub import Hub
from lessonroom.rooms.review import Review
from lessonroom.server.admission import Admission
from lessonroom.server.figures import Figures
from lessonroom.server.limits import Limits, per_minute
from lessonroom.server.refusals import Refusals
from lessonroom.server.whip_sessions import Accept
from lessonroom.storage.store import Store


@dataclass(frozen=True, slots=True)
class Services:
    """One of each for the whole process."""

    settings: Settings
    store: Store
    hub: Hub
    admission: Admission
    metrics: Metrics
    figures: Figures
    review: Review
    refusals: Refusals
    accept: Accept
    """Makes analysers."""
    tickets: Limits
    """For each member."""
    exercises: Limits = field(default_factory=lambda: per_minute(60))
    """For each room."""
    words: Limits = field(default_factory=lambda: per_minute(60))
    """Of consent, for each member: every one of them stays on record."""
    signals: Limits = field(default_factory=lambda: Limits(100.0, 500.0))
    """For each room: both pages may send their candidates at once, several times over."""


def services(connection: HTTPConnection) -> Services:
    """The services of the application that serves this request or socket."""
    return cast("Services", connection.app.state.services)
