"""Consent outside the lesson: what student and guardian have agreed to, each purpose apart, and how they change it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from lessonroom.auth import Permission, may
from lessonroom.errors import Refused
from lessonroom.policy import Band
from lessonroom.rooms.consent import TEXT
from lessonroom.rooms.ruling import Said
from lessonroom.server.members import REFUSALS, Secret, cookie
from lessonroom.server.security import OwnPage
from lessonroom.server.services import services
from lessonroom.storage.consent import By, ConsentRecord, Purpose
from lessonroom.storage.store import MemberRecord

router = APIRouter(prefix="/api/members", tags=["consent"], dependencies=[Depends(cookie)], responses=REFUSALS)


class ConsentAsk(BaseModel):
    """``text``, ``lang``: version and language of the words that the page showed."""

    model_config = ConfigDict(extra="forbid")

    purpose: Purpose
    given: bool
    text: Annotated[str, StringConstraints(max_length=32, pattern=r"^[0-9a-z.-]*$")] = ""
    lang: Annotated[str, StringConstraints(max_length=8, pattern=r"^[a-z-]*$")] = ""


class WordView(BaseModel):
    """What somebody said last about a purpose."""

    given: bool
    at: float = Field(description="seconds since the epoch")
    expires_at: float = Field(description="seconds since the epoch; from then on it counts as not said")


class PurposeView(BaseModel):
    """One purpose. ``student``, ``guardian``: what they said, null when nothing that counts now."""

    purpose: Purpose
    student: WordView | None
    guardian: WordView | None


class ConsentsView(BaseModel):
    """What is agreed to. ``by``: as whom the reader speaks; ``two_keys``: both must agree.

    ``text``: version of the current words.
    """

    by: By
    student: str
    two_keys: bool
    text: str
    purposes: list[PurposeView]


@router.get("/{member}/consents")
async def get_consents(member: str, request: Request, secret: Secret = None) -> ConsentsView:
    """Say what student and guardian have agreed to; for either of them, by the session's cookie."""
    reader, student = await _who(request, member, secret)
    return await _view(request, reader, student)


@router.post("/{member}/consents")
async def say_consent(
    member: str, ask: ConsentAsk, request: Request, origin: OwnPage, secret: Secret = None
) -> ConsentsView:
    """Agree to a purpose, or take it back. What is taken back ends within a second, whatever runs."""
    reader, student = await _who(request, member, secret)
    said = Said(ask.purpose, ask.given, ask.text or TEXT, ask.lang)
    await services(request).hub.ruling.say(student, _side(reader), reader.id, said)
    return await _view(request, reader, student)


async def _who(request: Request, member: str, secret: str | None) -> tuple[MemberRecord, MemberRecord]:
    """The reader, by their session, and the student of whom they speak. Raises TicketRefused, Refused, StoreDown."""
    admission = services(request).admission
    reader = await admission.session(member, secret or "")
    if not may(reader.role, Permission.CONSENT):
        raise Refused("expected the student or their guardian, got another role")
    return reader, reader if reader.role == "student" else await admission.ward(reader)


def _side(reader: MemberRecord) -> By:
    return By.GUARDIAN if reader.role == "guardian" else By.STUDENT


async def _view(request: Request, reader: MemberRecord, student: MemberRecord) -> ConsentsView:
    said, now = await services(request).store.consents(student.sender), time.time()
    counts = [one for one in said if _counts(one, student, now)]
    return ConsentsView(
        by=_side(reader),
        student=student.name,
        two_keys=student.band != Band.ADULT,
        text=TEXT,
        purposes=[
            PurposeView(
                purpose=purpose,
                student=_word(counts, purpose, By.STUDENT),
                guardian=_word(counts, purpose, By.GUARDIAN),
            )
            for purpose in Purpose
        ],
    )


def _counts(said: ConsentRecord, student: MemberRecord, now: float) -> bool:
    """The student is asked about hints anew in each lesson; every other word counts until it expires."""
    asked_anew = said.purpose is Purpose.HINTS and said.by is By.STUDENT
    return now < said.expires_at and (said.room == student.room or not asked_anew)


def _word(said: Sequence[ConsentRecord], purpose: Purpose, by: By) -> WordView | None:
    found = [one for one in said if one.purpose is purpose and one.by is by]
    return WordView(given=found[-1].given, at=found[-1].at, expires_at=found[-1].expires_at) if found else None
