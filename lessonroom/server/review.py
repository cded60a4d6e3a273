"""The review: held, appealed, blocked and sampled messages, for operators' pages (cookie) and the platform (key).

Both have the same routes over the same service; only the door differs.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, params

from lessonroom.auth import Permission, Scope, may
from lessonroom.errors import Refused
from lessonroom.server.keys import KeyedRoute, wants
from lessonroom.server.members import REFUSALS, Secret, cookie
from lessonroom.server.problems import ProblemView
from lessonroom.server.review_views import DecisionAsk, DecisionView, DriftView, QueueView, TextView
from lessonroom.server.security import own_page
from lessonroom.server.services import services
from lessonroom.server.strict import StrictRoute
from lessonroom.storage.review import Why

CONFLICT: dict[int | str, dict[str, object]] = {
    409: {"model": ProblemView, "description": "Somebody has decided otherwise before; their decision stands."}
}
_WHY = "|".join(why.value for why in Why)
Reasons = Annotated[
    str,
    Query(
        description="reasons, comma separated",
        pattern=rf"^({_WHY})(,({_WHY}))*$",
        examples=["appealed,held"],
    ),
]
Number = Annotated[int, Path(ge=1, lt=2**53, description="the id of an item of the queue")]


async def operator(member: str, request: Request, secret: Secret = None) -> str:
    """Let pass an operator with a session, and say who it is. Raises TicketRefused, NotFound, Refused.

    A browser sends no Origin with a GET of its own page; the cookie does not travel with requests of foreign ones.
    """
    record = await services(request).admission.session(member, secret or "")
    if not may(record.role, Permission.REVIEW):
        raise Refused("expected an operator, got somebody who may not review messages")
    request.state.actor = record.id
    return record.id


async def queue(
    request: Request,
    why: Reasons = "appealed,held,blocked,sample",
    limit: Annotated[int, Query(ge=0, le=100)] = 20,
) -> QueueView:
    """List what waits for a person: appealed first, then held, blocked, sampled; the oldest first in each."""
    return QueueView.of(await services(request).review.queue([Why(word) for word in why.split(",")], limit))


async def text(message: Number, request: Request) -> TextView:
    """Show a message in the clear. Who asked for which message and when is written down first."""
    return TextView.of(await services(request).review.read(message, request.state.actor))


async def decide(message: Number, ask: DecisionAsk, request: Request) -> DecisionView:
    """Decide on a message. What was held or appealed is released to its room or stopped for good.

    A contact counts against its sender, no contact takes that back. The same decision again is answered again.
    """
    kind = None if ask.kind is None else ask.kind.value
    return DecisionView.of(await services(request).review.decide(message, ask.contact, kind, request.state.actor))


async def drift(request: Request, days: Annotated[int, Query(ge=1, le=90)] = 14) -> DriftView:
    """Show how the filter does lately: verdicts and appeals by day, probabilities by language, models before people."""
    review = services(request).review
    return DriftView.of(await review.drift(days), review.shadow())


def _routes(router: APIRouter, own: list[params.Depends]) -> APIRouter:
    """Put the four routes behind a door. ``own``: what a request that changes something has to pass besides."""
    router.add_api_route("/review", queue, methods=["GET"])
    router.add_api_route("/review/drift", drift, methods=["GET"])
    router.add_api_route("/review/{message}/text", text, methods=["POST"], dependencies=own)
    router.add_api_route("/review/{message}/decision", decide, methods=["POST"], dependencies=own, responses=CONFLICT)
    return router


pages = _routes(
    APIRouter(
        prefix="/api/members/{member}",
        tags=["review"],
        dependencies=[Depends(cookie), Depends(operator)],
        responses=REFUSALS,
        route_class=StrictRoute,
    ),
    [Depends(own_page)],
)
platform = _routes(
    APIRouter(
        prefix="/api/admin",
        tags=["review"],
        dependencies=[wants(Scope.REVIEW)],
        responses=REFUSALS,
        route_class=KeyedRoute,
    ),
    [],
)
