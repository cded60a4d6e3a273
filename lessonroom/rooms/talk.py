"""The chat of one lesson: who may say what, what becomes of it, who gets it. Pure.

``admit`` → (the hub screens) → ``judge`` → (the hub stores) → ``stored``. A message that waited for a person comes back
by ``decided``, under a new number. Numbers are the store's: 1, 2, 3, ... as they are given out. One that skips some
means that the store finished writing after it had reported failure, or that another process wrote; then everybody is
caught up from the store, so that a reader's numbers never go down and nothing that was stored stays unseen.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from lessonroom.chat.language import language_of
from lessonroom.chat.types import Action, Decider, Verdict
from lessonroom.messages import ChatAck, ChatMessage, ChatRefused, ChatSend, Span
from lessonroom.rooms.effects import Effect, Replay
from lessonroom.rooms.people import People, Person
from lessonroom.storage.store import FoundSpan, MessageState, NewMessage, StoredMessage

WINDOW = 60.0
"""Length of the window in which one member's messages are counted, in seconds."""

_STATES = {Action.RELAY: MessageState.RELAYED, Action.HOLD: MessageState.HELD, Action.BLOCK: MessageState.BLOCKED}


@dataclass(frozen=True, slots=True)
class Admitted:
    """A message that may be screened."""

    member: str
    id: str
    text: str = field(repr=False)
    at: float


class Talk:
    """The chat's part of a room. ``last_seq``: the highest number that the room has heard of."""

    def __init__(self, room: str, people: People, *, last_seq: int, longest: int, per_minute: int) -> None:
        self._room = room
        self._people = people
        self._longest = longest
        self._per_minute = per_minute
        self.last_seq = last_seq

    def admit(self, person: Person, message: ChatSend, now: float) -> Admitted | ChatRefused:
        """Check length and rate. A refused message does not count against the rate."""
        if len(message.text) > self._longest:
            return ChatRefused(id=message.id, code="too_long")
        _forget(person.said_at, now)
        if len(person.said_at) >= self._per_minute:
            return ChatRefused(id=message.id, code="rate_limited")
        person.said_at.append(now)
        return Admitted(person.id, message.id, message.text, now)

    def judge(self, said: Admitted, verdict: Verdict, *, sampled: bool) -> NewMessage:
        """The record to store for a screened message.

        ``sampled``: chance wants a person to see it. What waits for one anyway needs no chance, and the words of those
        who are not screened are nobody's business.
        """
        screened = verdict.decider is not Decider.STANDING
        return NewMessage(
            room=self._room,
            sender=said.member,
            id=said.id,
            text=said.text,
            at=said.at,
            state=_STATES[verdict.action],
            probability=verdict.probability,
            decider=verdict.decider.value,
            model=verdict.model,
            findings=tuple(
                FoundSpan(found.kind.value, found.start, found.end, found.evidence) for found in verdict.findings
            ),
            lang=language_of(said.text),
            degraded=verdict.degraded,
            sampled=sampled and screened and verdict.action is Action.RELAY,
        )

    def stored(self, stored: StoredMessage) -> list[Effect]:
        """Acknowledge to the writer, then relay to whom it is for."""
        return self.acknowledge(stored) + self._spread(stored, told=stored.message.sender)

    def decided(self, stored: StoredMessage) -> list[Effect]:
        """Tell what a person decided: the writer in any case, the others of a message that was let through."""
        return self._spread(stored, told="")

    def acknowledge(self, stored: StoredMessage) -> list[Effect]:
        """Tell the writer what became of the message."""
        message = stored.message
        shown = as_seen_by(message.sender, stored)
        ack = ChatAck(
            id=message.id,
            seq=stored.seq,
            at=shown.at,
            state=shown.state,
            findings=shown.findings,
            decided=shown.decided,
        )
        return self._people.tell(self._people.get(message.sender), ack)

    def catch_up(self, person: Person, after: int) -> list[Effect]:
        """Begin or go on reading a member's missing messages from the store."""
        if person.socket is None:
            return []
        person.seen = None
        return [Replay(person.socket, person.id, min(after, self.last_seq), self.last_seq)]

    def replayed(self, person: Person, seq: int) -> list[Effect]:
        """Let a member that has everything hear live; else go on."""
        if seq < self.last_seq:
            return self.catch_up(person, seq)
        person.seen = seq
        return []

    def _spread(self, stored: StoredMessage, *, told: str) -> list[Effect]:
        """Give a message that is new here to all who may see it, except for who was ``told`` of it already."""
        gap = stored.seq > self.last_seq + 1
        fresh = stored.seq > self.last_seq
        self.last_seq = max(self.last_seq, stored.seq)
        effects: list[Effect] = []
        for person in self._people.present():
            if not fresh or person.seen is None or person.seen >= stored.seq:
                continue  # known already, or coming by replay, or come by replay
            if gap:
                effects += self.catch_up(person, person.seen)
                continue
            person.seen = stored.seq
            if person.id != told and _may_see(person.id, stored):
                effects += self._people.tell(person, as_seen_by(person.id, stored))
        return effects


def _may_see(reader: str, stored: StoredMessage) -> bool:
    return stored.message.state is MessageState.RELAYED or stored.message.sender == reader


def as_seen_by(reader: str, stored: StoredMessage) -> ChatMessage:
    """A stored message on its way to a reader; findings only ever go to the writer."""
    message = stored.message
    own = message.sender == reader
    return ChatMessage(
        seq=stored.seq,
        id=message.id,
        sender=message.sender,
        text=message.text,
        at=int(message.at * 1000),
        state=message.state.value,
        findings=_spans(message.text, message.findings) if own and message.state is not MessageState.RELAYED else [],
        decided=stored.decided,
    )


def _spans(text: str, findings: tuple[FoundSpan, ...]) -> list[Span]:
    return [Span(kind=found.kind, start=utf16(text, found.start), end=utf16(text, found.end)) for found in findings]


def utf16(text: str, index: int) -> int:
    """The index in code points as an index in UTF-16 units."""
    return len(text[:index].encode("utf-16-le", "surrogatepass")) // 2


def _forget(times: deque[float], now: float) -> None:
    """Drop what lies outside the window. After a clock was set back, that is also what lies ahead."""
    while times and not now - WINDOW < times[0] <= now:
        times.popleft()
