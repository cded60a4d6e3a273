"""What can happen to a lesson. The hub tells, :meth:`lessonroom.rooms.room.Room.handle` listens. Pure data.

``socket`` is a number that the hub gives to every connection of the room's socket, ``session`` one that it gives to
every analyser; neither is used twice in the life of a process, so that late news of a dead one is recognised.
"""

from __future__ import annotations

from dataclasses import dataclass

from lessonroom.media.types import Hint, Strain
from lessonroom.messages import FromPage, IceServer
from lessonroom.policy import Mode
from lessonroom.rooms.ceiling import Ceiling
from lessonroom.rooms.consent import Word
from lessonroom.rooms.effects import KeepConsent
from lessonroom.storage.consent import By
from lessonroom.storage.store import StoredMessage


@dataclass(frozen=True, slots=True)
class Joined:
    """A member's page said hello with a good ticket. ``after``: the last chat number that the page has.

    ``device``: the most that their own device can analyse.
    """

    socket: int
    member: str
    role: str
    name: str
    page: str
    after: int = 0
    ice_servers: tuple[IceServer, ...] = ()
    ice_relay_only: bool = False
    device: Mode = Mode.M0


@dataclass(frozen=True, slots=True)
class Lost:
    """A socket is gone: closed by the page, by the network or by us."""

    socket: int


@dataclass(frozen=True, slots=True)
class Said:
    """A page said something other than hello and ``chat.send`` (see :meth:`~lessonroom.rooms.room.Room.admit`)."""

    socket: int
    message: FromPage


@dataclass(frozen=True, slots=True)
class Stored:
    """The store has this message, be it new or sent again."""

    stored: StoredMessage


@dataclass(frozen=True, slots=True)
class NotStored:
    """An admitted message was not stored; ``code`` goes to its writer."""

    member: str
    id: str
    code: str


@dataclass(frozen=True, slots=True)
class Appealed:
    """The store has taken the writer's appeal."""

    stored: StoredMessage


@dataclass(frozen=True, slots=True)
class Decided:
    """The store has a person's decision on a message that had waited for one; ``stored`` is what it is now."""

    stored: StoredMessage


@dataclass(frozen=True, slots=True)
class NotAppealed:
    """An appeal was not taken; ``code`` says why."""

    member: str
    code: str


@dataclass(frozen=True, slots=True)
class Replayed:
    """The answer to a Replay effect: the socket was sent everything that it may see up to ``seq``."""

    socket: int
    seq: int


@dataclass(frozen=True, slots=True)
class ConsentKept:
    """The answer to a KeepConsent effect: until when that word counts, None when the store has not taken it."""

    asked: KeepConsent
    until: float | None


@dataclass(frozen=True, slots=True)
class Settled:
    """Teacher and student are known, so it is decided how much is allowed; and what was said before this lesson."""

    ceiling: Ceiling
    student: Word | None
    guardian: Word | None


@dataclass(frozen=True, slots=True)
class Consented:
    """Student or guardian have said something outside the lesson's page. A yes is stored already."""

    by: By
    word: Word


@dataclass(frozen=True, slots=True)
class HintKept:
    """The answer to a KeepHint effect: whether the store has it."""

    hint: str
    kept: bool


@dataclass(frozen=True, slots=True)
class AnalyserStarted:
    """An analyser received the student's offer. The hub has asked the room's ``may_analyse`` before."""

    session: int


@dataclass(frozen=True, slots=True)
class AnalyserEnded:
    """An analyser ended. ``reason``: one of :class:`~lessonroom.messages.Analysis`, None when its client ended it."""

    session: int
    reason: str | None


@dataclass(frozen=True, slots=True)
class AnalyserRefused:
    """The server could not take the student's offer: ``no_capacity`` or ``connection_poor``."""

    reason: str


@dataclass(frozen=True, slots=True)
class StrainSeen:
    """The pipeline's new estimate."""

    session: int
    strain: Strain


@dataclass(frozen=True, slots=True)
class HintDue:
    """The teacher should be told. ``session``: of the analyser that saw it; None: heard while there was none."""

    session: int | None
    hint: Hint


@dataclass(frozen=True, slots=True)
class Tick:
    """Time went by. The hub says so about once a second while an analyser runs, and when something has had its time."""


@dataclass(frozen=True, slots=True)
class Closed:
    """The lesson is over, by its owner's word."""


Event = (
    Joined
    | Lost
    | Said
    | Stored
    | NotStored
    | Appealed
    | Decided
    | NotAppealed
    | Replayed
    | ConsentKept
    | Settled
    | Consented
    | HintKept
    | AnalyserStarted
    | AnalyserEnded
    | AnalyserRefused
    | StrainSeen
    | HintDue
    | Tick
    | Closed
)
