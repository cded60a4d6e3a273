"""What a lesson wants done. :mod:`lessonroom.rooms.hub` carries it out, in the order given. Pure data."""

from __future__ import annotations

from dataclasses import dataclass

from lessonroom.messages import ToPage
from lessonroom.rooms.ceiling import Ceiling
from lessonroom.storage.store import HintRecord


@dataclass(frozen=True, slots=True)
class Send:
    """Give a message to a socket."""

    socket: int
    message: ToPage


@dataclass(frozen=True, slots=True)
class Close:
    """Close a socket with a code of :class:`~lessonroom.messages.CloseCode`, or 1000. Nothing is sent to it after."""

    socket: int
    code: int


@dataclass(frozen=True, slots=True)
class Replay:
    """Send the reader's next stored messages after ``after``, then answer Replayed.

    ``known``: the room's highest number now. A reading that finds nothing more has covered at least this number.
    """

    socket: int
    reader: str
    after: int
    known: int


@dataclass(frozen=True, slots=True)
class KeepConsent:
    """Store the student's word, then answer ConsentKept. A withdrawal is tried until it is stored.

    ``text``, ``lang``: version and language of the words that were shown.
    """

    ask: int
    member: str
    agreed: bool
    text: str = ""
    lang: str = ""


@dataclass(frozen=True, slots=True)
class KeepHint:
    """Store a hint, then answer HintKept."""

    record: HintRecord


@dataclass(frozen=True, slots=True)
class KeepAnswer:
    """Store the teacher's answer to a hint."""

    hint: str
    answer: str


@dataclass(frozen=True, slots=True)
class KeepHintsOn:
    """Store whether the teacher wants hints."""

    on: bool


@dataclass(frozen=True, slots=True)
class KeepAudit:
    """Put on record what happened to the analysis. ``reason``: of the indicator, empty for a start."""

    action: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class KeepCeiling:
    """Store, with its record, that the rules allow no more than this from now on. Tried until it is stored."""

    ceiling: Ceiling


@dataclass(frozen=True, slots=True)
class Appeal:
    """Store the writer's appeal, then answer Appealed or NotAppealed."""

    member: str
    id: str


@dataclass(frozen=True, slots=True)
class StopAnalyser:
    """Close an analyser at once and forget its frames."""

    session: int


Effect = (
    Send
    | Close
    | Replay
    | KeepConsent
    | KeepHint
    | KeepAnswer
    | KeepHintsOn
    | KeepAudit
    | KeepCeiling
    | Appeal
    | StopAnalyser
)
