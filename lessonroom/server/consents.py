"""Consent outside the lesson: what people have agreed to, each purpose apart, and how they change it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StringConstraints

from lessonroom.auth import Permission, may
from lessonroom.errors import Refused, StoreDown
from lessonroom.policy import Band
from lessonroom.rooms.consent import TEXT
from lessonroom.rooms.ruling import Said
from lessonroom.server.members import REFUSALS, Secret, cookie
from lessonroom.server.security import OwnPage
from lessonroom.server.services import services
from lessonroom.server.strict import StrictRoute
from lessonroom.storage.consent import By, ConsentRecord, Purpose
from lessonroom.storage.store import MemberRecord

router = APIRouter(
    prefix="/api/members",
    tags=["consent"],
    dependencies=[Depends(cookie)],
    responses=REFUSALS,
    route_class=StrictRoute,
)


class ConsentAsk(BaseModel):
    """``text``, ``lang``: version and language of the words that the page showed."""

    model_config = ConfigDict(extra="forbid")

    purpose: Purpose
    given: StrictBool
    text: Annotated[str, StringConstraints(max_length=32, pattern=r"^[0-9a-z.-]*$")] = ""
    lang: Annotated[str, StringConstraints(max_length=8, pattern=r"^[a-z-]*$")] = ""


class WordView(BaseModel):
    """What somebody said last about a purpose."""

    given: bool
    at: float = Field(description="seconds since the epoch")
    expires_at: float = Field(description="seconds since the epoch; from then on it counts as not said")


class PurposeView(BaseModel):
    """One purpose. ``own``, ``guardian``: what the person and their guardian said, null when nothing counts now."""

    purpose: Purpose
    own: WordView | None
    guardian: WordView | None


class ConsentsView(BaseModel):
    """What is agreed to. ``by``: as whom the reader speaks; ``name``: the person that it is about.

    ``two_keys``: their guardian must agree, too; ``text``: version of the current words.
    """

    by: By
    name: str
    two_keys: bool
    text: str
    purposes: list[PurposeView]


@router.get("/{member}/consents")
async def get_consents(member: str, request: Request, secret: Secret = None) -> ConsentsView:
    """Say what a person and their guardian have agreed to; for either of them, by the session's cookie."""
    reader, person = await _who(request, member, secret)
    return await _view(request, reader, person)


@router.post("/{member}/consents")
async def say_consent(
    member: str, ask: ConsentAsk, request: Request, origin: OwnPage, secret: Secret = None
) -> ConsentsView:
    """Agree to a purpose, or take it back. What is taken back ends within a second, whatever runs."""
    try:
        reader, person = await _who(request, member, secret)
    except StoreDown:  # what is taken back ends all the same, for those whom this process knows
        known = None if ask.given else services(request).admission.remembered(member, secret or "")
        if known is None:
            raise
        reader, person = known
    if ask.purpose not in _purposes(request, person):
        raise Refused("expected a purpose for which this person is asked, got another one")
    own, now, text = services(request), time.monotonic(), ask.text or TEXT
    if ask.given:
        own.tickets.spend(f"yes {member}", now, "words of consent of one member")
    elif not own.words.take(member, now):
        text = TEXT  # a no is never one too many, but many of them to ever other texts are not each put on record
    said = Said(ask.purpose, ask.given, text, ask.lang)
    await services(request).hub.ruling.say(person, _side(reader), reader.id, said)
    return await _view(request, reader, person)


async def _who(request: Request, member: str, secret: str | None) -> tuple[MemberRecord, MemberRecord]:
    """The reader, by their session, and the person of whom they speak. Raises TicketRefused, Refused, StoreDown."""
    admission = services(request).admission
    reader = await admission.session(member, secret or "")
    if not may(reader.role, Permission.CONSENTS):
        raise Refused("expected a member of a lesson or a guardian, got another role")
    person = await admission.ward(reader) if reader.role == "guardian" else reader
    admission.remember(reader, person)
    return reader, person


def _side(reader: MemberRecord) -> By:
    return By.GUARDIAN if reader.role == "guardian" else By.SELF


def _purposes(request: Request, person: MemberRecord) -> list[Purpose]:
    """What this person is asked about: teachers not about hints, nobody about training that does not depend on it."""
    asked = {Purpose.RESEARCH}
    if person.role == "student":
        asked.add(Purpose.HINTS)
    if services(request).settings.training_consent:
        asked.add(Purpose.TRAINING)
    return [purpose for purpose in Purpose if purpose in asked]


async def _view(request: Request, reader: MemberRecord, person: MemberRecord) -> ConsentsView:
    said, now = await services(request).store.consents(person.sender), time.time()
    counts = [one for one in said if _counts(one, person, now)]
    return ConsentsView(
        by=_side(reader),
        name=person.name,
        two_keys=person.role == "student" and person.band != Band.ADULT,
        text=TEXT,
        purposes=[
            PurposeView(
                purpose=purpose,
                own=_word(counts, purpose, By.SELF),
                guardian=_word(counts, purpose, By.GUARDIAN),
            )
            for purpose in _purposes(request, person)
        ],
    )


def _counts(said: ConsentRecord, person: MemberRecord, now: float) -> bool:
    """The student is asked about hints anew in each lesson; every other word counts until it expires."""
    asked_anew = said.purpose is Purpose.HINTS and said.by is By.SELF
    return now < said.expires_at and (said.room == person.room or not asked_anew)


def _word(said: Sequence[ConsentRecord], purpose: Purpose, by: By) -> WordView | None:
    found = [one for one in said if one.purpose is purpose and one.by is by]
    return WordView(given=found[-1].given, at=found[-1].at, expires_at=found[-1].expires_at) if found else None
