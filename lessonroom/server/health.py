"""``/healthz``, ``/readyz``, ``/metrics``."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from lessonroom import metrics
from lessonroom.server.problems import ProblemView
from lessonroom.server.services import services

router = APIRouter(tags=["operations"])


class Alive(BaseModel):
    """The process answers."""

    status: str = "ok"


class Ready(BaseModel):
    """Rooms can be taken. ``inference``: where models run, or ``off`` when lessons go without hints of the camera."""

    status: str = "ok"
    inference: str


@router.get("/healthz")
async def healthz() -> Alive:
    """Whether the process answers."""
    return Alive()


@router.get(
    "/readyz",
    responses={503: {"model": ProblemView, "description": "The database does not take records now."}},
)
async def readyz(request: Request) -> Ready:
    """Whether rooms can be taken: the database takes a record now."""
    own = services(request)
    await own.store.check()
    return Ready(inference=own.figures.provider or "off")


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def prometheus(request: Request) -> Response:
    """All series, as Prometheus text."""
    return Response(services(request).metrics.render(), headers={"content-type": metrics.CONTENT_TYPE})
