"""The pages and their files: from the installed package, else from the checkout. Nothing is rendered here."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, FastAPI
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

PACKAGED = Path(__file__).parent.parent / "_web"
"""Where an installed wheel carries the pages."""
CHECKOUT = Path(__file__).parent.parent.parent / "web"

router = APIRouter(include_in_schema=False)


def folder() -> Path:
    """The folder of pages."""
    return PACKAGED if PACKAGED.is_dir() else CHECKOUT


@router.get("/")
async def door() -> FileResponse:
    """What somebody sees who comes without a link."""
    return FileResponse(folder() / "index.html")


@router.get("/lesson/{member}")
async def lesson(member: str) -> FileResponse:
    """The teacher's or student's page; it asks who it is for."""
    return FileResponse(folder() / "lesson.html")


@router.get("/consents/{member}")
async def consents(member: str) -> FileResponse:
    """The page on which a student or their guardian agrees to a purpose, or takes it back."""
    return FileResponse(folder() / "consents.html")


@router.get("/operations/{member}")
async def operations(member: str) -> FileResponse:
    """The operations page."""
    return FileResponse(folder() / "operations.html")


@router.get("/review/{member}")
async def review(member: str) -> FileResponse:
    """The page on which an operator decides about messages."""
    return FileResponse(folder() / "review.html")


class Checked(StaticFiles):
    """Static files that a browser keeps, and asks about each time: a new version is seen at once."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """One file."""
        response = await super().get_response(path, scope)
        response.headers["cache-control"] = "no-cache"
        return response


def install(app: FastAPI) -> None:
    """Serve pages and files."""
    app.include_router(router)
    app.mount("/static", Checked(directory=folder(), check_dir=False), name="static")
