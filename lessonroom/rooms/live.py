"""A room that is loaded: the pure lesson, its sockets, its lanes and its analyser. Loading one from the store."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from lessonroom.chat.types import Line
from lessonroom.errors import Refused
from lessonroom.media.hints import HintState
from lessonroom.media.strain import StrainState
from lessonroom.media.types import Cue, Hint, Strain
from lessonroom.policy import Mode, read_mode
from lessonroom.rooms.effects import KeepConsent
from lessonroom.rooms.lane import Lane
from lessonroom.rooms.listening import Listening, ListeningRules
from lessonroom.rooms.outbox import Outbox
from lessonroom.rooms.owed import Since
from lessonroom.rooms.room import Past, Room
from lessonroom.storage.consent import ConsentRecord
from lessonroom.storage.store import Store


class Frames(Protocol):
    """What the hub needs of an analyser's mailbox (:class:`lessonroom.media.frames.Frames`)."""

    received: int
    dropped: int

    def close(self) -> None:
        """Forget the waiting frame; nothing more comes out."""
        ...


class Analyser(Protocol):
    """What the hub needs of a WHIP session (:class:`lessonroom.media.peer.Analyser`)."""

    @property
    def frames(self) -> Frames:
        """Where its pictures arrive."""
        ...

    @property
    def ended(self) -> str | None:
        """Why it ended, or None while it goes on."""
        ...

    async def close(self) -> None:
        """End it; soon done, never raises."""
        ...


class Watch(Protocol):
    """What the hub needs of the pipeline (:class:`lessonroom.media.pipeline.Watch`)."""

    samples: int
    size: tuple[int, int]

    @property
    def hints(self) -> HintState:
        """What the lesson's next watch should know."""
        ...

    @property
    def felt(self) -> StrainState:
        """What is remembered of the student, for a watch that goes on where this one was cut off."""
        ...

    def resume(self, felt: StrainState) -> None:
        """Go on from what an earlier watch remembered. Call before :meth:`run`."""
        ...

    async def run(self) -> None:
        """Watch until the frames end."""
        ...

    def stop(self) -> None:
        """Stop at once and forget the student."""
        ...

    def note(self, cue: Cue, age: float = 0.0) -> None:
        """Take in a cue that is no face and began so many seconds ago."""
        ...

    def waited(self) -> None:
        """Time went by, with pictures or without: decide, if none comes, on what was heard."""
        ...

    def answered(self, hint_id: str, helpful: bool | None) -> None:
        """Take in the teacher's answer."""
        ...


@dataclass(slots=True)
class Session:
    """One analyser of a room. ``stopped``: by the room, so that its end is no news."""

    number: int
    analyser: Analyser
    watch: Watch
    task: asyncio.Task[None] | None = None
    stopped: bool = False
    rate: float = 0.0
    _received: int = 0

    @property
    def stream(self) -> str:
        """Size and rate of what arrives, such as ``320x240@5``."""
        width, height = self.watch.size
        return f"{width}x{height}@{self.rate:.0f}"

    def count(self) -> None:
        """Call once a second: smooths the rate of frames over a few seconds."""
        received = self.analyser.frames.received
        self.rate += 0.3 * (received - self._received - self.rate)
        self._received = received


@dataclass(frozen=True, slots=True)
class Felt:
    """What a watch that was cut off remembered of the student, for one that begins ``until`` then (monotonic clock)."""

    state: StrainState
    until: float


@dataclass(frozen=True, slots=True)
class Wanted:
    """A word of the student that has to be written. ``since``: when it was said."""

    effect: KeepConsent
    said: ConsentRecord
    since: Since


@dataclass(slots=True)
class Live:
    """A loaded room. ``context``: the latest lines, for the filter; ``senders``: the platform's name of each member.

    ``settling``: held while its ceiling is decided.
    """

    room: Room
    created_at: float
    chat: Lane
    records: Lane
    listening: Listening
    context: deque[Line]
    senders: dict[str, str]
    settling: asyncio.Lock = field(default_factory=asyncio.Lock)
    outboxes: dict[int, Outbox] = field(default_factory=dict)
    session: Session | None = None
    consent_wanted: Wanted | None = None
    last_hint_at: float | None = None
    analysed_at: float = -math.inf
    """When the latest analyser ended, on the monotonic clock."""
    felt: Felt | None = None
    empty_since: float = 0.0

    @property
    def idle(self) -> bool:
        """Whether forgetting this room would lose nothing."""
        busy = self.outboxes or self.session or self.consent_wanted
        return not busy and self.chat.idle and self.records.idle


@dataclass(frozen=True, slots=True)
class Limits:
    """The settings that a room needs."""

    chat_length: int
    chat_per_minute: int
    chat_context: int
    server_can: Mode
    listening: ListeningRules


CHAT_WAITING = 128
"""Messages of one room that may wait to be screened and stored; more are refused as ``rate_limited``."""
RECORDS_WAITING = 256
"""Hints and answers of one room that may wait for the store; more are not kept."""


async def load(
    store: Store, room: str, limits: Limits, now: float, on_failure: Callable[[Live, BaseException], None]
) -> Live:
    """Read a room from the store; ``on_failure`` hears when a lane of it breaks.

    Raises NotFound, Refused when it is closed, StoreDown.
    """
    record = await store.room(room)
    if record.closed_at is not None:
        raise Refused("expected an open room, got one that is closed")
    members = await store.members(room)
    past = Past(
        room=room,
        cap=read_mode(record.mode_cap),
        people=tuple((one.id, one.role, one.name) for one in members if one.role in {"teacher", "student"}),
        hints_on=await store.hints_on(room),
        hints=await store.hints(room),
        last_seq=await store.last_seq(room),
    )
    recent = await store.recent(room, limits.chat_context) if limits.chat_context else []
    loaded = Room(
        past, server_can=limits.server_can, chat_length=limits.chat_length, chat_per_minute=limits.chat_per_minute
    )

    def failed(error: BaseException) -> None:
        on_failure(live, error)

    live = Live(
        room=loaded,
        created_at=record.created_at,
        chat=Lane(f"chat-{room}", CHAT_WAITING, failed),
        records=Lane(f"records-{room}", RECORDS_WAITING, failed),
        # records keep the time of the clock on the wall, hints that of a clock that is never set
        listening=Listening(limits.listening, loaded.hinting.remembered(now, time.monotonic())),
        context=deque((Line(one.message.sender, one.message.text) for one in recent), maxlen=limits.chat_context),
        senders={member.id: member.sender for member in members},
        empty_since=now,
    )
    return live


MakeWatch = Callable[[Analyser, HintState | None, Callable[[Strain], None], Callable[[Hint], None]], Watch]
"""Makes the watch of a lesson: analyser, state of the earlier watch, who hears of strain, who hears of hints."""
