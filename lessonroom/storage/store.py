"""What storage looks like to everybody else: records in, records out. A call that returned is on the disk.

Times are seconds since the epoch (``time.time``), given by the caller. Implementations are held to
``tests/contracts/store.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from lessonroom.errors import BadInput
from lessonroom.storage.audit import AuditRecord, Audits
from lessonroom.storage.consent import ConsentRecord


class MessageState(StrEnum):
    """What became of a stored message."""

    RELAYED = "relayed"
    HELD = "held"
    BLOCKED = "blocked"
    APPEALED = "appealed"


@dataclass(frozen=True, slots=True)
class RoomRecord:
    """One lesson. ``mode_cap``: the most analysis that its owner allows, ``M0`` to ``M3``.

    ``setting``: how the lesson was bought, a :class:`lessonroom.policy.Setting`, empty when unknown; ``ceiling``: the
    most that the law allows in it, None until that was decided; ``two_keys``: it needs the guardian's consent, too.
    """

    id: str
    mode_cap: str
    created_at: float
    closed_at: float | None = None
    setting: str = ""
    ceiling: str | None = None
    two_keys: bool = False


@dataclass(frozen=True, slots=True)
class MemberRecord:
    """One member of a room. Only hashes of secrets are kept.

    ``sender``: the platform's stable name of the person, for standing; ``code_hash``: SHA-256 of the link's one-time
    code; ``session_hash``: SHA-256 of the session secret that the code was exchanged for. ``room``: empty for
    operators, who belong to no room. ``place``, ``band``: where they are and their age, in the words of
    :mod:`lessonroom.policy`; ``release``: reference of a written release. Empty when unknown or none.
    """

    id: str
    room: str
    role: str
    name: str
    sender: str
    created_at: float
    code_hash: str
    code_expires_at: float
    session_hash: str | None = None
    session_expires_at: float | None = None
    place: str = ""
    band: str = ""
    release: str = ""


@dataclass(frozen=True, slots=True)
class FoundSpan:
    """A finding as it is kept with its message: span in code points of the text."""

    kind: str
    start: int
    end: int
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A screened message on its way to the disk.

    ``lang``: a guess, ``ru``, ``uk``, ``en`` or ``other``; ``degraded``: the rules alone have judged it; ``sampled``:
    relayed, and chosen by chance to be looked at by a person.
    """

    room: str
    sender: str
    id: str
    text: str = field(repr=False)
    at: float
    state: MessageState
    probability: float
    decider: str
    model: str
    findings: tuple[FoundSpan, ...] = ()
    lang: str = "other"
    degraded: bool = False
    sampled: bool = False


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message on the disk. ``seq``: its place in the room's log; no two messages of a room have the same.

    Places are given out as 1, 2, 3, ... A message that waited for a person gets a new place with their decision
    (``decided``), so that whoever reads on from the last place they know learns of it; its old place stays empty.
    """

    seq: int
    message: NewMessage
    decided: bool = False


@dataclass(frozen=True, slots=True)
class HintRecord:
    """A hint that was shown. ``answer``: ``helpful``, ``not_helpful``, ``closed`` or None while it is open."""

    id: str
    room: str
    cue: str
    advice: str
    at: float
    answer: str | None = None


GRACE_SECONDS = 120.0
"""How long the id of a ticket that has expired is still known."""


def keepable(text: str) -> str:
    """The text, if every database can keep it.

    Raises BadInput for NUL, which PostgreSQL does not take, and for half a surrogate pair, which is no character.
    """
    try:
        clean = b"\0" not in text.encode()
    except UnicodeEncodeError:
        clean = False
    if not clean:
        raise BadInput("expected text without NUL and without lone surrogates")
    return text


class Store(Audits, Protocol):
    """The database. Every method raises :class:`~lessonroom.errors.StoreDown` when it cannot do its work in time.

    After StoreDown a write may still have happened: the answer was lost, not the record. So each write can be repeated.
    Writes raise :class:`~lessonroom.errors.NotFound` for a room or member that does not exist; lists that belong to
    one are then empty. ``audit``: what goes on record of a write that changes something, both or neither.
    """

    async def open(self) -> None:
        """Connect and bring the schema up to date."""
        ...

    async def close(self) -> None:
        """Finish what was accepted, then let go of the database."""
        ...

    async def check(self) -> None:
        """Return when a record could be written now; for ``/readyz``."""
        ...

    async def add_room(self, room: RoomRecord, *, audit: AuditRecord | None = None) -> None:
        """Keep a new room; the same id twice changes nothing."""
        ...

    async def room(self, room: str) -> RoomRecord:
        """The room, or NotFound."""
        ...

    async def open_rooms(self) -> Sequence[RoomRecord]:
        """All rooms that are not closed, oldest first."""
        ...

    async def close_room(self, room: str, at: float, *, audit: AuditRecord | None = None) -> None:
        """Mark the room closed; closing twice changes nothing."""
        ...

    async def set_ceiling(self, room: str, ceiling: str, two_keys: bool, audit: AuditRecord) -> tuple[str, bool]:
        """Keep the stricter of the ceiling that is kept and this one; gives what is kept now.

        ``ceiling``: ``M0`` to ``M3``, of which the lower one is kept; ``two_keys``: a need that stays.
        """
        ...

    async def add_member(self, member: MemberRecord, *, audit: AuditRecord | None = None) -> None:
        """Keep a new member; the same id twice changes nothing."""
        ...

    async def member(self, member: str) -> MemberRecord:
        """The member, or NotFound."""
        ...

    async def members(self, room: str) -> Sequence[MemberRecord]:
        """Everybody who may enter the room, in the order of their making."""
        ...

    async def redeem(self, member: str, code_hash: str, session_hash: str, expires_at: float, now: float) -> bool:
        """Exchange a link's one-time code for a session; False when it is wrong, used or too old. Atomic."""
        ...

    async def renew(self, member: str, code_hash: str, expires_at: float, *, audit: AuditRecord | None = None) -> None:
        """Put another one-time code in the place of a member's, and end the session that was opened before.

        NotFound, also for a member who was forgotten.
        """
        ...

    async def spend(self, ticket: str, expires_at: float, now: float) -> bool:
        """Use up a ticket's id; False when it was used before or is too old. Atomic.

        Forgets ids :data:`GRACE_SECONDS` after they expired: until then, a clock that is set back revives none.
        """
        ...

    async def append(self, message: NewMessage, *, audit: AuditRecord | None = None) -> tuple[StoredMessage, bool]:
        """Keep a message; the flag says whether it is new.

        The same (room, sender, id) again gives back what was stored the first time, and False. BadInput for a text
        that is not :func:`keepable`.
        """
        ...

    async def after(self, room: str, seq: int, reader: str, limit: int) -> Sequence[StoredMessage]:
        """Messages after ``seq`` that ``reader`` may see (relayed ones, and all of their own), in order."""
        ...

    async def recent(self, room: str, limit: int) -> Sequence[StoredMessage]:
        """The last ``limit`` messages of a room whatever their state, oldest first: context for the filter."""
        ...

    async def last_seq(self, room: str) -> int:
        """The room's highest number, 0 when nothing was said."""
        ...

    async def appeal(
        self,
        room: str,
        sender: str,
        id: str,  # noqa: A002
        at: float,
        *,
        audit: AuditRecord | None = None,
    ) -> StoredMessage:
        """Turn a blocked message into an appealed one; appealing twice changes nothing. NotFound for others.

        A message that was decided stays what it is, and is given back as it is.
        """
        ...

    async def add_consent(self, consent: ConsentRecord, audit: AuditRecord) -> None:
        """Keep a word of consent; earlier words stay. The same id twice changes nothing."""
        ...

    async def consents(self, person: str) -> Sequence[ConsentRecord]:
        """What was said last about a student, for each purpose and by each side, in the order of saying."""
        ...

    async def add_hint(self, hint: HintRecord, *, audit: AuditRecord | None = None) -> None:
        """Keep a hint that is about to be shown; the same id twice in a room changes nothing."""
        ...

    async def answer_hint(self, room: str, hint: str, answer: str) -> None:
        """Keep the teacher's answer. NotFound for a hint of another room."""
        ...

    async def hints(self, room: str) -> Sequence[HintRecord]:
        """Hints of a room, oldest first."""
        ...

    async def set_hints_on(self, room: str, on: bool) -> None:
        """Keep whether the teacher wants hints in this lesson."""
        ...

    async def hints_on(self, room: str) -> bool:
        """Whether the teacher wants hints; True until they say otherwise."""
        ...

    async def strikes(self, sender: str) -> Sequence[float]:
        """Times of a sender's proven violations, oldest first (:meth:`~lessonroom.storage.review.Reviews.decide`)."""
        ...

    async def paying(self, sender: str) -> bool:
        """Whether the platform has told us that this sender pays."""
        ...

    async def set_paying(self, sender: str, paying: bool, *, at: float = 0.0, audit: AuditRecord | None = None) -> None:
        """Keep what the platform told us; ``at``: when, from which its life is counted."""
        ...
