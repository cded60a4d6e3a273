"""The ASGI application: all routes, their order, and what surrounds them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI

from lessonroom import __version__
from lessonroom.server import (
    admin,
    consents,
    health,
    members,
    operations_socket,
    pages,
    problems,
    review,
    room_socket,
    security,
    whip,
)
from lessonroom.server.services import Services
from lessonroom.server.sockets import Sockets

TAGS = [
    {"name": "admission", "description": "How a page gets in: a session for the link's code, a ticket per connection."},
    {"name": "consent", "description": "What student and guardian agree to, each purpose apart."},
    {"name": "WHIP", "description": "RFC 9725: the student's video comes to the analyser."},
    {"name": "administration", "description": "The platform's side. Bearer key."},
    {"name": "review", "description": "Messages that wait for a person: for operators' pages and for the platform."},
    {"name": "operations", "description": "Alive, ready, measured."},
]
ABOUT = (
    "Hints for teachers and a screened chat for one-to-one online lessons. The sockets `/ws/room` and "
    "`/ws/operations` are described in `docs/protocol.md`."
)

SOCKETS = {"/ws/room": room_socket.room_socket, "/ws/operations": operations_socket.operations_socket}

Step = Callable[[], Awaitable[None]]


def application(services: Services, *, start: Step, stop: Step) -> FastAPI:
    """The application; its lifespan calls ``start`` and ``stop``. Where it is mounted, its owner calls them."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await start()
        try:
            yield
        finally:
            await stop()

    app = FastAPI(
        title="Lessonroom",
        version=__version__,
        description=ABOUT,
        openapi_tags=TAGS,
        docs_url=None,  # FastAPI's own pages load scripts from another host
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.services = services
    problems.install(app, security.HEADERS | {"cache-control": "no-store"})
    app.add_middleware(security.BodyLimit)
    settings = services.settings
    app.add_middleware(security.KnownHost, public_url=settings.public_url, origins=settings.allowed_origins)
    app.add_middleware(security.SafeHeaders, public_url=settings.public_url)
    app.add_middleware(Sockets, served=SOCKETS)
    for module in (members, consents, whip, admin, health):
        app.include_router(module.router)
    app.include_router(review.pages)
    app.include_router(review.platform)
    pages.install(app)
    return app
