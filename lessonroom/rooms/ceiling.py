"""The most analysis that the rules of the place allow in one lesson. Pure.

It is decided once teacher and student are both known, is kept with the room, and only ever falls: a lesson that has
begun under one table does not rise under another.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from lessonroom.policy import (
    NO_TABLE,
    Band,
    Decision,
    Deployment,
    Facts,
    Mode,
    Need,
    Table,
    decide,
    read_band,
    read_setting,
)
from lessonroom.storage.store import MemberRecord, RoomRecord


@dataclass(frozen=True, slots=True)
class House:
    """What this server brings to every decision. ``provider``: the place that the platform works from."""

    table: Table
    provider: str
    deployment: Deployment


NOWHERE = House(NO_TABLE, "", Deployment("", ""))
"""A server that knows no rules and has settled nothing: no analysis."""


@dataclass(frozen=True, slots=True)
class Ceiling:
    """``two_keys``: the student's yes needs the guardian's beside it.

    ``until``: when the first of ``rows`` expires, in seconds since the epoch; then it is ``M0``. ``version``: of the
    table that has decided.
    """

    mode: Mode
    two_keys: bool
    until: float = math.inf
    rows: tuple[str, ...] = ()
    version: str = ""


def ceiling_of(house: House, room: RoomRecord, members: Sequence[MemberRecord], now: float) -> Ceiling | None:
    """The ceiling of a lesson; None while its teacher or its student is not known yet."""
    people = {member.role: member for member in members}
    if not {"teacher", "student"} <= people.keys():
        return None
    student = _facts(room, people["student"])
    two_keys = student.band is not Band.ADULT
    provider = Facts(house.provider, student.setting, None)
    today = datetime.fromtimestamp(now, UTC).date()
    decision = decide(house.table, student, _facts(room, people["teacher"]), provider, house.deployment, today=today)
    # two servers may have made a second one at the same moment: then it is not clear whose facts count
    clear = all(sum(member.role == role for member in members) == 1 for role in ("teacher", "student"))
    return Ceiling(
        mode=_signed(decision, people["student"]) if clear else Mode.M0,
        two_keys=two_keys or Need.GUARDIAN in decision.needs,
        until=_end_of(decision.expires),
        rows=decision.rows,
        version=house.table.version,
    )


def _facts(room: RoomRecord, member: MemberRecord) -> Facts:
    """What the platform has told; anything that is no word of ours counts as unknown."""
    return Facts(member.place, read_setting(room.setting), read_band(member.band))


def _signed(decision: Decision, student: MemberRecord) -> Mode:
    """Where a written release is needed, nothing is allowed without one."""
    if Need.WRITTEN_RELEASE in decision.needs and not student.release:
        return Mode.M0
    return decision.mode


def _end_of(day: date | None) -> float:
    """The midnight (UTC) with which a day ends."""
    if day is None:
        return math.inf
    return datetime.combine(day + timedelta(days=1), time(), UTC).timestamp()
