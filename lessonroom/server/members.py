"""How a page gets in: a session for the link's code, then a ticket for each connection."""

from __future__ import annotations

import time
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Cookie, Depends, Request, Response
from fastapi.security import APIKeyCookie
from pydantic import BaseModel, ConfigDict, StringConstraints

from lessonroom.auth import Purpose
from lessonroom.server.problems import ProblemView
from lessonroom.server.refusals import address_of
from lessonroom.server.security import OwnPage
from lessonroom.server.services import services
from lessonroom.server.strict import StrictRoute
from lessonroom.storage.store import MemberRecord

COOKIE = "lessonroom"
REFUSALS: dict[int | str, dict[str, object]] = {
    400: {"model": ProblemView, "description": "A body that is no JSON."},
    401: {"model": ProblemView, "description": "Code, session or ticket is used, too old or another's."},
    403: {"model": ProblemView, "description": "The Origin is not one of ours, or the role may not enter there."},
    404: {"model": ProblemView, "description": "No such member or room."},
    408: {"model": ProblemView, "description": "The body did not come in time."},
    413: {"model": ProblemView, "description": "A longer body than any honest client sends."},
    422: {"model": ProblemView, "description": "Not what this document describes, or not possible for this room."},
    429: {"model": ProblemView, "description": "Too often in a minute; Retry-After says when to try again."},
    503: {"model": ProblemView, "description": "The database did not answer; trying again may work."},
}

cookie = APIKeyCookie(
    name=COOKIE, auto_error=False, scheme_name="session", description="Set when a link's code is exchanged for it."
)
"""For the document; :data:`Secret` reads it."""

router = APIRouter(
    prefix="/api/members",
    tags=["admission"],
    dependencies=[Depends(cookie)],
    responses=REFUSALS,
    route_class=StrictRoute,
)

Secret = Annotated[str | None, Cookie(alias=COOKIE, include_in_schema=False, max_length=256)]


class SessionAsk(BaseModel):
    """``code``: from the link's fragment; without it the cookie's session is continued."""

    model_config = ConfigDict(extra="forbid")

    code: Annotated[str, StringConstraints(min_length=8, max_length=128)] | None = None


class SessionView(BaseModel):
    """Who the page is."""

    member: str
    room: str
    role: str
    name: str


class TicketAsk(BaseModel):
    """Where the page wants to connect."""

    model_config = ConfigDict(extra="forbid")

    purpose: Purpose


class TicketView(BaseModel):
    """A single-use ticket and its life in seconds."""

    ticket: str
    expires_in: float


@router.post("/{member}/session")
async def open_session(  # noqa: PLR0917 - FastAPI passes them by name
    member: str, ask: SessionAsk, request: Request, response: Response, origin: OwnPage, secret: Secret = None
) -> SessionView:
    """Open a session with the link's one-time code, or continue the cookie's."""
    own = services(request)
    if ask.code is None:
        record = await own.admission.session(member, secret or "")
    else:
        own.refusals.check(address_of(request))
        record, secret, life = await own.admission.redeem(member, ask.code)
        _set_cookie(request, response, record, secret, life)
    return SessionView(member=record.id, room=record.room, role=record.role, name=record.name)


@router.post("/{member}/tickets")
async def make_ticket(
    member: str, ask: TicketAsk, request: Request, origin: OwnPage, secret: Secret = None
) -> TicketView:
    """Make a ticket for one connection, bound to room, member, role, purpose and origin."""
    own = services(request)
    record = await own.admission.session(member, secret or "")
    own.tickets.spend(member, time.monotonic(), "tickets of one member")
    made = own.admission.ticket(record, ask.purpose, origin)
    return TicketView(ticket=made.ticket, expires_in=made.expires_in)


def prefix_of(request: Request) -> str:
    """The path under which browsers find the application: where it is mounted, else the public address' own path."""
    mounted = str(request.scope.get("root_path", ""))
    return mounted or urlsplit(services(request).admission.public_url).path.rstrip("/")


def _set_cookie(request: Request, response: Response, record: MemberRecord, secret: str, life: float) -> None:
    public = services(request).admission.public_url
    response.set_cookie(
        COOKIE,
        secret,
        max_age=int(life),
        # the path keeps a teacher's and a student's session in one browser apart
        path=f"{prefix_of(request)}/api/members/{record.id}",
        secure=public.startswith("https://") or request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
