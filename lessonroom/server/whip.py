"""WHIP (RFC 9725): a client posts its offer with a bearer ticket and gets the analyser's answer.

=========  =========================  =================================================================================
method     path                       answers
=========  =========================  =================================================================================
POST       ``/whip/{room}``           201 with the answer, ``Location`` of the session, ``Link`` to ICE servers
PATCH      ``/whip/{room}/{id}``      204: candidates taken (RFC 8840); 422: an ICE restart, which aiortc cannot do
DELETE     ``/whip/{room}/{id}``      200: the session is over
OPTIONS    both                       200 with what may be sent, and CORS for the origins of the settings
=========  =========================  =================================================================================

Errors: 400 malformed, 401 no good ticket, 403 not allowed now, 404 no such session, 408 too slow, 412 another ICE
session, 413 too long, 415 another content type, 503 no capacity. The bearer of the POST is the key to its session.

There is no entity tag: RFC 9725 section 4.3.1 wants one only where ICE restarts are supported.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, ClassVar

from fastapi import APIRouter, Depends, Request, Response
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer

from lessonroom.auth import TicketClaims, hash_secret
from lessonroom.config import Settings
from lessonroom.errors import Busy, EngineDown, LessonroomError, TicketRefused
from lessonroom.media import sdp, sdpfrag
from lessonroom.messages import IceServer
from lessonroom.server.ice import ice_servers
from lessonroom.server.members import prefix_of
from lessonroom.server.problems import ProblemView, answer_to
from lessonroom.server.security import origin_of
from lessonroom.server.services import services
from lessonroom.server.strict import TooSlow
from lessonroom.server.whip_request import (
    NO_RESTART,
    NoRestart,
    bearer_of,
    check_precondition,
    check_type,
    drain,
    text_of,
)
from lessonroom.server.whip_sessions import Session, sessions_of

OFFER = "application/sdp"
FRAGMENT = "application/trickle-ice-sdpfrag"
RETRY_SECONDS = 5
"""What a client that finds no capacity is told to wait."""


class WhipRoute(APIRoute):
    """Answers errors itself: with CORS headers, without which a page of another origin could not read them."""

    extra: ClassVar[dict[int, dict[str, str]]] = {
        401: {"WWW-Authenticate": "Bearer", "Connection": "close"},
        408: {"Connection": "close"},  # what is still to come of the body is not read
        413: {"Connection": "close"},
        415: {"Connection": "close"},
        503: {"Retry-After": str(RETRY_SECONDS)},
    }

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the route's own handler."""
        handle = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            response: Response
            try:
                response = await handle(request)
            except LessonroomError as error:
                if not isinstance(error, TooSlow):
                    await drain(request)
                response = answer_to(request, error)
                response.headers.update(self.extra.get(response.status_code, {}))
            response.headers.update(_cors(request))
            return response

        return guarded


REFUSALS = {
    400: "Not SDP, or not what the analyser accepts.",
    401: "The ticket is used, too old or another's.",
    403: "The lesson may not be analysed now.",
    404: "No such session.",
    408: "The body did not come in time.",
    412: "An entity tag, where none was given.",
    413: "A longer body than any honest client sends.",
    415: "Another content type.",
    429: "Too many refused attempts of this address.",
    422: "An ICE restart.",
    503: "No capacity; trying again may work.",
}

ticket = HTTPBearer(
    auto_error=False, scheme_name="ticket", description="A WHIP ticket; the one of the POST is the key to its session."
)
"""For the document; :func:`bearer_of` reads it."""

router = APIRouter(prefix="/whip", tags=["WHIP"], route_class=WhipRoute)


def _refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    texts: dict[int | str, str] = {status: REFUSALS[status] for status in statuses} | {"default": "Anything else."}
    return {status: {"model": ProblemView, "description": text} for status, text in texts.items()}


def _header(text: str) -> dict[str, Any]:
    return {"description": text, "schema": {"type": "string"}}


ANSWER: dict[int | str, dict[str, Any]] = {
    201: {
        "description": "The session has begun.",
        "content": {OFFER: {"schema": {"type": "string", "description": "SDP answer"}}},
        "headers": {
            "Location": _header("The session, for PATCH and DELETE."),
            "Link": _header('A STUN or TURN server, rel="ice-server"; one header for each (RFC 9725 section 4.6).'),
        },
    }
}
TAKEN: dict[int | str, dict[str, Any]] = {204: {"description": "The candidates were taken."}}


def _body(content_type: str) -> dict[str, Any]:
    """How OpenAPI describes a body that is no JSON."""
    return {"requestBody": {"required": True, "content": {content_type: {"schema": {"type": "string"}}}}}


@router.post(
    "/{room}",
    status_code=201,
    response_class=Response,
    dependencies=[Depends(ticket)],
    responses=ANSWER | _refusals(400, 401, 403, 408, 413, 415, 429, 503),
    openapi_extra=_body(OFFER),
)
async def offer(request: Request, room: str) -> Response:
    """Begin a session: SDP offer in, SDP answer out."""
    own = services(request)
    check_type(request, OFFER)
    bearer = bearer_of(request)
    claims = await own.admission.admit(bearer, "whip", origin_of(request))
    if claims.room != room:
        raise TicketRefused("expected a ticket for this room, got one for another", why="other_room")
    text = await text_of(request, sdp.MOST_BYTES)
    own.hub.may_analyse(room, claims.member)
    name, session = await _begin(request, text, claims, bearer)
    response = Response(session.analyser.answer, 201, media_type=OFFER)
    response.headers["Location"] = f"{prefix_of(request)}/whip/{room}/{name}"
    for link in _links(ice_servers(own.settings, claims.member, time.time())):
        response.headers.append("Link", link)
    return response


@router.patch(
    "/{room}/{session}",
    status_code=204,
    response_class=Response,
    dependencies=[Depends(ticket)],
    responses=TAKEN | _refusals(400, 401, 404, 408, 412, 413, 415, 422),
    openapi_extra=_body(FRAGMENT),
)
async def trickle(request: Request, room: str, session: str) -> Response:
    """Take more candidates of the client."""
    found = sessions_of(request).find(room, session, bearer_of(request))
    check_type(request, FRAGMENT)
    check_precondition(request)
    fragment = sdpfrag.read_fragment(await text_of(request, sdpfrag.MOST_BYTES))
    if fragment.ufrag not in {"", found.analyser.ufrag}:
        raise NoRestart(NO_RESTART)
    for mid, candidate in fragment.candidates:
        await found.analyser.add_candidate(candidate, mid)
    return Response(status_code=204)


@router.delete(
    "/{room}/{session}",
    response_class=Response,
    dependencies=[Depends(ticket)],
    responses=_refusals(401, 404),
)
async def end(request: Request, room: str, session: str) -> Response:
    """End a session. Returns when nothing of it is left but what a TURN server may still have to confirm.

    One that the room has ended a moment before is answered alike: a client cannot know of that.
    """
    await sessions_of(request).end(room, session, bearer_of(request))
    return Response(status_code=200)


@router.options("/{room}", response_class=Response, responses=_refusals())
async def options(room: str) -> Response:
    """Say that offers are taken."""
    return Response(headers={"Accept-Post": OFFER, "Allow": "POST, OPTIONS"})


@router.options("/{room}/{session}", response_class=Response, responses=_refusals())
async def session_options(room: str, session: str) -> Response:
    """Say that fragments are taken."""
    return Response(headers={"Accept-Patch": FRAGMENT, "Allow": "PATCH, DELETE, OPTIONS"})


async def _begin(request: Request, text: str, claims: TicketClaims, bearer: str) -> tuple[str, Session]:
    """Answer the offer and hand the analyser to the room; nothing is left open when the room does not want it."""
    own, sessions = services(request), sessions_of(request)
    if sessions.beginning + len(sessions.open) >= 2 * max(own.settings.analysers, 1):
        own.hub.not_analysed(claims.room, claims.member, "no_capacity")
        raise Busy("expected fewer sessions at once, got one too many")
    name = secrets.token_urlsafe(24)
    servers = ice_servers(own.settings, "analyser", time.time())
    sessions.beginning += 1
    try:
        analyser = await own.accept(text, servers, policy=_policy(own.settings), on_end=lambda _: sessions.forget(name))
    except (Busy, EngineDown) as error:  # no address to receive on; nothing that could look
        reason = "connection_poor" if isinstance(error, Busy) else "vision_down"
        own.hub.not_analysed(claims.room, claims.member, reason)
        raise
    finally:
        sessions.beginning -= 1
    sessions.open[name] = Session(claims.room, hash_secret(bearer), analyser)
    try:
        own.hub.analyse(claims.room, claims.member, analyser)
    except BaseException:
        await analyser.close()
        raise
    return name, sessions.open[name]


def _policy(settings: Settings) -> sdp.SdpPolicy:
    return sdp.SdpPolicy(settings.ice_loopback, settings.ice_private, settings.ice_relay_only)


def _links(servers: Sequence[IceServer]) -> list[str]:
    """RFC 9725 section 4.6."""
    links = []
    for server in servers:
        more = ""
        if server.username is not None:
            more = f'; username="{server.username}"; credential="{server.credential}"; credential-type="password"'
        links += [f'<{url}>; rel="ice-server"{more}' for url in server.urls]
    return links


def _cors(request: Request) -> dict[str, str]:
    """Fetch standard, section 3.2: only pages of the origins in the settings may read the answers."""
    origins = request.headers.getlist("origin")
    headers = {"Vary": "Origin"}
    if len(origins) == 1 and origins[0] in services(request).settings.allowed_origins:
        headers |= {
            "Access-Control-Allow-Origin": origins[0],
            "Access-Control-Allow-Methods": "POST, PATCH, DELETE",
            "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Match",
            "Access-Control-Expose-Headers": "Location, Link, Retry-After",
            "Access-Control-Max-Age": "600",
        }
    return headers
