"""The platform's side: rooms, members and their exercises, operators, tickets, senders. By a bearer key."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from lessonroom.auth import Scope
from lessonroom.chat.standing import known, severity
from lessonroom.chat.types import StandingClass
from lessonroom.errors import Busy
from lessonroom.messages import Id
from lessonroom.policy import OLDEST, Mode, Setting, band_of
from lessonroom.rooms.listening import Exercise
from lessonroom.rooms.recording import record
from lessonroom.server.admission import About
from lessonroom.server.keys import KeyedRoute, wants
from lessonroom.server.members import REFUSALS, TicketView
from lessonroom.server.problems import ProblemView
from lessonroom.server.services import services
from lessonroom.storage.review import SenderRecord

router = APIRouter(prefix="/api/admin", tags=["administration"], responses=REFUSALS, route_class=KeyedRoute)

Words = Annotated[
    str, StringConstraints(min_length=1, max_length=80, strip_whitespace=True, pattern=r"^[^\x00-\x1f]+$")
]
Reference = Annotated[str, StringConstraints(max_length=80, pattern=r"^[\x21-\x7e]*$")]
PlaceName = Annotated[str, StringConstraints(max_length=6, pattern=r"^([A-Z]{2}(-[A-Z0-9]{1,3})?)?$")]
Sender = Annotated[str, StringConstraints(max_length=128, pattern=r"^[\x21-\x7e]*$")]
SenderPath = Annotated[str, Path(max_length=128, pattern=r"^[\x21-\x7e]+$")]
"""As :data:`Sender`, in an address; the constraints of a nested ``Annotated`` would be dropped there."""


class _Ask(BaseModel):
    model_config = ConfigDict(extra="forbid")


class RoomAsk(_Ask):
    """``mode_cap``: the most analysis that the owner of the room allows.

    ``M0``: none; ``M1``: on the student's device, for the student; ``M2``: there, with a coarse hint to the teacher;
    ``M3``: by the server's analyser. This version analyses in ``M3`` alone. ``setting``: who put the student into the
    lesson; while it is unknown the policy table allows nothing.
    """

    mode_cap: Mode = Mode.M0
    setting: Setting | None = None


class RoomMade(BaseModel):
    """The new room."""

    room: str


class RoomView(BaseModel):
    """An open room; ``present``: how many people are in it now."""

    room: str
    mode_cap: str
    created_at: float = Field(description="seconds since the epoch")
    present: int


class MemberAsk(_Ask):
    """``sender``: the platform's stable name of the person, for standing; printable ASCII without spaces.

    ``place``: country of ISO 3166, or a state such as ``US-CA``; ``age``: in full years, kept as one of four bands.
    While they are unknown the policy table allows nothing. ``written_release``: reference of the student's signed
    release, where one is needed. ``guardian``: speaks for the room's student, who is under 18, and enters no room.
    """

    role: Literal["teacher", "student", "guardian"]
    name: Words
    sender: Sender = ""
    place: PlaceName = ""
    age: Annotated[int, Field(ge=0, le=OLDEST)] | None = None
    written_release: Reference = ""

    def about(self) -> About:
        """What of it the policy looks at."""
        band = "" if self.age is None else band_of(self.age).value
        return About(self.place, band, self.written_release)


class OperatorAsk(_Ask):
    """An operator's name, shown to nobody but themselves."""

    name: Words = "operator"


class MemberMade(BaseModel):
    """The new member and the link that lets them in. The link is shown here and never again."""

    member: str
    link: str


class ExerciseAsk(_Ask):
    """What a student did in an exercise. ``id``: made by the platform for this event; sent again it counts once.

    ``wrong_answer``: counts from the third in a row on, more from the fifth; ``right_answer``: begins a new row;
    ``long_pause``: much longer without an answer than this exercise usually takes, by the platform's own measure.
    """

    event: Exercise
    id: Id


class SenderAsk(_Ask):
    """What the platform knows of a sender."""

    paying: bool


class SenderView(BaseModel):
    """What is now known of a sender."""

    sender: str
    paying: bool


class SenderKnown(SenderView):
    """A sender's standing. ``strikes``: times of proven violations, in seconds since the epoch, oldest first.

    ``severity``: their weight now, one for each fresh strike, half of it after a month; from 1.5 on operators are told.
    """

    standing: StandingClass
    strikes: list[float]
    severity: float


class AuditView(BaseModel):
    """Something that was done. ``actor``: a member's id, or ``key:`` and the beginning of the admin key's hash."""

    id: str
    at: float = Field(description="seconds since the epoch")
    actor: str
    action: str
    subject: str
    detail: dict[str, str | int | float | bool | None]


FULL: dict[int | str, dict[str, object]] = {
    503: {"model": ProblemView, "description": "The database or the event loop is overloaded; try another server."}
}


@router.post("/rooms", status_code=201, dependencies=[wants(Scope.ROOMS)], responses=FULL)
async def make_room(ask: RoomAsk, request: Request) -> RoomMade:
    """Make a room. A server with too much to do to carry one more chat refuses it."""
    own = services(request)
    if not own.figures.capacity.may_open():
        raise Busy("expected a server with room for one more lesson, got one that is overloaded")
    return RoomMade(room=await own.admission.make_room(ask.mode_cap, ask.setting or "", actor=request.state.actor))


@router.get("/rooms", dependencies=[wants(Scope.ROOMS)])
async def list_rooms(request: Request) -> list[RoomView]:
    """List the open rooms, oldest first."""
    own = services(request)
    present = {live.room.id: len(live.outboxes) for live in own.hub.live_rooms()}
    return [
        RoomView(room=row.id, mode_cap=row.mode_cap, created_at=row.created_at, present=present.get(row.id, 0))
        for row in await own.store.open_rooms()
    ]


@router.delete("/rooms/{room}", status_code=204, dependencies=[wants(Scope.ROOMS)])
async def close_room(room: str, request: Request) -> None:
    """Close a room for good: everybody is sent out, nobody comes in. Closing twice changes nothing."""
    await services(request).hub.close_room(room, record(request.state.actor, "room.closed", f"room:{room}"))


@router.post("/rooms/{room}/members", status_code=201, dependencies=[wants(Scope.MEMBERS)])
async def make_member(room: str, ask: MemberAsk, request: Request) -> MemberMade:
    """Make the room's teacher, its student or the student's guardian, with a link that works once."""
    made = await services(request).admission.make_member(
        room,
        ask.role,
        ask.name,
        ask.sender,
        about=ask.about(),
        prefix=_mounted_at(request),
        actor=request.state.actor,
    )
    return MemberMade(member=made.member, link=made.link)


@router.post("/rooms/{room}/members/{member}/link", status_code=201, dependencies=[wants(Scope.MEMBERS)])
async def renew_link(room: str, member: str, request: Request) -> MemberMade:
    """Make another link for a member: for a lost one, another browser, a session that is over. The one before ends."""
    made = await services(request).admission.renew_link(
        room, member, prefix=_mounted_at(request), actor=request.state.actor
    )
    return MemberMade(member=made.member, link=made.link)


@router.post("/operators", status_code=201, dependencies=[wants(Scope.REVIEW)])
async def make_operator(ask: OperatorAsk, request: Request) -> MemberMade:
    """Make an operator, with a link to the operations page."""
    made = await services(request).admission.make_operator(
        ask.name, prefix=_mounted_at(request), actor=request.state.actor
    )
    return MemberMade(member=made.member, link=made.link)


@router.post("/rooms/{room}/members/{member}/tickets", status_code=201, dependencies=[wants(Scope.MEMBERS)])
async def make_foreign_ticket(room: str, member: str, request: Request) -> TicketView:
    """Make a WHIP ticket for a student's client that is no browser."""
    made = await services(request).admission.foreign_ticket(room, member)
    return TicketView(ticket=made.ticket, expires_in=made.expires_in)


@router.post("/rooms/{room}/members/{member}/exercise", status_code=204, dependencies=[wants(Scope.ROOMS)])
async def tell_of_exercise(room: str, member: str, ask: ExerciseAsk, request: Request) -> None:
    """Say what a student did in an exercise: one piece of evidence for hints, in every mode. Nothing of it is stored.

    It counts in a lesson that is going on and while the teacher wants hints; else it is taken and changes nothing.
    """
    services(request).exercises.spend(room, time.monotonic(), "exercises of one room")
    await services(request).hub.solved(room, member, ask.event, ask.id)


@router.put("/senders/{sender}", dependencies=[wants(Scope.MEMBERS)])
async def set_sender(sender: SenderPath, ask: SenderAsk, request: Request) -> SenderView:
    """Say whether a sender pays; it counts from their next message on."""
    own = services(request)
    audit = record(request.state.actor, "sender.paying", own.admission.alias(sender), paying=ask.paying)
    await own.hub.set_paying(sender, ask.paying, audit)
    return SenderView(sender=sender, paying=ask.paying)


@router.get("/senders/{sender}", dependencies=[wants(Scope.REVIEW)])
async def get_sender(sender: SenderPath, request: Request) -> SenderKnown:
    """Say what is known of a sender; one that nobody knows is new."""
    return _known(await services(request).review.sender(sender), request)


@router.get("/senders", dependencies=[wants(Scope.REVIEW)])
async def list_senders(request: Request) -> list[SenderKnown]:
    """List the senders with repeated proven violations, of whom operators should hear."""
    return [_known(record, request) for record in await services(request).review.repeated()]


@router.get("/audit", dependencies=[wants(Scope.AUDIT)])
async def list_audit(
    request: Request,
    after: Annotated[str | None, Query(description="id of the last record that is known", max_length=64)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[AuditView]:
    """List what was done, oldest first. Records are only ever added."""
    return [AuditView.model_validate(asdict(record)) for record in await services(request).review.audits(after, limit)]


def _known(record: SenderRecord, request: Request) -> SenderKnown:
    now, forgiving = time.time(), not services(request).settings.chat_refuse_violators
    standing = known(record.strikes, now, paying=record.paying, forgiving=forgiving)
    return SenderKnown(
        sender=record.sender,
        paying=record.paying,
        standing=standing.standing,
        strikes=list(record.strikes),
        severity=round(severity(standing, now), 3),
    )


def _mounted_at(request: Request) -> str:
    """The prefix for links: a public address that was set has it already."""
    return "" if services(request).settings.public_url else str(request.scope.get("root_path", ""))
