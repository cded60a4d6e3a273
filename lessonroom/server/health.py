"""``/healthz``, ``/readyz``, ``/metrics``."""

from __future__ import annotations

import asyncio
import time
from typing import cast

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel
from starlette.responses import JSONResponse

from lessonroom import metrics
from lessonroom.server.problems import ProblemView
from lessonroom.server.rate import Bucket
from lessonroom.server.services import services
from lessonroom.storage.store import Store

CHECKS = 5.0
"""Checks of the database in a second; who asks more often is told the last answer."""

RETRY_SECONDS = 10
"""A server that is overloaded is so for at least this long."""

router = APIRouter(tags=["operations"])


class Alive(BaseModel):
    """The process answers."""

    status: str = "ok"


class Ready(BaseModel):
    """Rooms can be taken. ``inference``: where models run, or ``off`` when lessons go without hints of the camera."""

    status: str = "ok"
    inference: str


class NotReady(ProblemView):
    """Send nobody new here for now. ``full``: parts that are at their limit: ``store``, ``event_loop``, ``processor``,
    ``inference``; none when the database is what fails.
    """

    full: tuple[str, ...] = ()


@router.get("/healthz")
async def healthz() -> Alive:
    """Whether the process answers."""
    return Alive()


@router.get(
    "/readyz",
    response_model=Ready,
    responses={503: {"model": NotReady, "description": "The database takes no records, or there is too much to do."}},
)
async def readyz(request: Request) -> Ready | JSONResponse:
    """Whether more can be taken: the database takes a record now, and no part of the server is full."""
    own = services(request)
    await _checks(request).check(own.store)
    full = own.figures.capacity.full
    if full:
        body = NotReady(code="overloaded", message=f"expected room for more, got none: {', '.join(full)}", full=full)
        return JSONResponse(body.model_dump(), 503, {"Retry-After": str(RETRY_SECONDS)})
    return Ready(inference=own.figures.provider or "off")


class Checks:
    """Checks of the database. Each is a write, so strangers may not have as many as they ask for."""

    def __init__(self) -> None:
        self._bucket = Bucket(CHECKS, CHECKS, time.monotonic())
        self._last: asyncio.Task[None] | None = None

    async def check(self, store: Store) -> None:
        """Check, or share the check that is under way or was made a moment ago. Raises StoreDown."""
        if self._last is None or (self._last.done() and self._bucket.take(time.monotonic())):
            self._last = asyncio.create_task(store.check())
            self._last.add_done_callback(_seen)
        await asyncio.shield(self._last)


def _seen(check: asyncio.Task[None]) -> None:
    """Whoever asked is told how it ended, and they may be gone."""
    if not check.cancelled():
        check.exception()


def _checks(request: Request) -> Checks:
    state = request.app.state
    if not hasattr(state, "checks"):
        state.checks = Checks()
    return cast("Checks", state.checks)


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def prometheus(request: Request) -> Response:
    """All series, as Prometheus text."""
    return Response(services(request).metrics.render(), headers={"content-type": metrics.CONTENT_TYPE})
