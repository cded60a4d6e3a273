"""A room with pages that write down what they get, so that a test reads like a lesson."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

from lessonroom import messages as m
from lessonroom.chat.types import Action, Finding, Kind, Verdict
from lessonroom.media.types import Strain, Unseen, Watching
from lessonroom.policy import Deployment, Mode
from lessonroom.policy_file import load_table
from lessonroom.rooms import effects as do
from lessonroom.rooms import events as ev
from lessonroom.rooms.ceiling import Ceiling, House
from lessonroom.rooms.consent import Word
from lessonroom.rooms.room import Past, Room
from lessonroom.rooms.talk import Admitted
from lessonroom.simulate.facts import PLACE
from lessonroom.storage.store import HintRecord, MessageState, NewMessage, StoredMessage

T = TypeVar("T")

TEACHER, STUDENT = "teacher-01", "student-01"
ROLES = {TEACHER: "teacher", STUDENT: "student"}
START = 1_700_000_000.0
SERVER = Mode.M3
HOUSE = House(load_table(None), PLACE, Deployment("", ""))
"""A server at a place where adults may be analysed."""


def verdict(action: Action = Action.RELAY, *spans: tuple[int, int]) -> Verdict:
    return Verdict(action, 0.5, tuple(Finding(Kind.PHONE, start, end, "a phone number") for start, end in spans))


def strain(watching: Watching = Watching.WATCHING, unseen: Unseen | None = None) -> Strain:
    return Strain(at=0.0, level=0.5 if watching is Watching.WATCHING else None, watching=watching, unseen=unseen)


class Lesson:
    """Drives one room. ``got``: messages by socket; ``closed``: codes by socket; ``wanted``: all other effects.

    ``log``: what the store has, by place; a place that a decision has emptied stays so. ``history``: what it ever gave.
    """

    def __init__(
        self,
        *,
        cap: Mode = Mode.M3,
        server_can: Mode = SERVER,
        consent: bool | None = None,
        guardian: Word | None = None,
        ceiling: Ceiling | None = None,
        hints_on: bool = True,
        hints: Sequence[HintRecord] = (),
        last_seq: int = 0,
        chat_length: int = 100,
        chat_per_minute: int = 5,
    ) -> None:
        people = tuple((member, role, role.title()) for member, role in ROLES.items())
        past = Past("room-0001", cap, people, hints_on, hints, last_seq)
        self.room = Room(past, server_can=server_can, chat_length=chat_length, chat_per_minute=chat_per_minute)
        self.now = START
        self.got: dict[int, list[m.ToPage]] = defaultdict(list)
        self.closed: dict[int, int] = {}
        self.wanted: list[do.Effect] = []
        self.sockets: dict[str, int] = {}
        self.log: list[StoredMessage | None] = []
        self.history: list[StoredMessage] = []
        self._next = 0
        word = None if consent is None else Word(consent, math.inf)
        self.tell(ev.Settled(ceiling or Ceiling(Mode.M3, two_keys=False), word, guardian))

    def tell(self, event: ev.Event) -> list[do.Effect]:
        effects = self.room.handle(event, self.now)
        for effect in effects:
            match effect:
                case do.Send(socket, message):
                    self.got[socket].append(message)
                case do.Close(socket, code):
                    self.closed[socket] = code
                case _:
                    self.wanted.append(effect)
        return effects

    def join(self, member: str, page: str = "page-0001", after: int = 0, *, live: bool = True) -> int:
        self._next += 1
        self.sockets[member] = self._next
        self.tell(ev.Joined(self._next, member, ROLES[member], ROLES[member].title(), page, after))
        if live:
            self.tell(ev.Replayed(self._next, self.room.talk.last_seq))
        return self._next

    def both(self) -> tuple[int, int]:
        return self.join(TEACHER, "page-t001"), self.join(STUDENT, "page-s001")

    def say(self, member: str, message: Any) -> list[do.Effect]:
        return self.tell(ev.Said(self.sockets[member], message))

    def send(self, member: str, text: str = "hello", id_: str = "message-1") -> Admitted | m.ChatRefused:
        return self.room.admit(self.sockets[member], m.ChatSend(id=id_, text=text), self.now)

    def keep(self, message: NewMessage) -> StoredMessage:
        """What the store does: the same id again gives back the first."""
        for stored in self.log:
            if stored and (stored.message.sender, stored.message.id) == (message.sender, message.id):
                return stored
        return self._place(StoredMessage(len(self.log) + 1, message))

    def decide(self, seq: int, state: MessageState) -> StoredMessage:
        """What the store does with a person's decision on a message that waits."""
        old = self.log[seq - 1]
        assert old is not None
        self.log[seq - 1] = None
        return self._place(StoredMessage(len(self.log) + 1, replace(old.message, state=state), decided=True))

    def _place(self, stored: StoredMessage) -> StoredMessage:
        self.log.append(stored)
        self.history.append(stored)
        return stored

    def chat(
        self, member: str, text: str = "hello", id_: str = "message-1", found: Verdict | None = None
    ) -> StoredMessage:
        """The whole way of one message."""
        admitted = self.send(member, text, id_)
        assert isinstance(admitted, Admitted), admitted
        stored = self.keep(self.room.judge(admitted, found or verdict()))
        self.tell(ev.Stored(stored))
        return stored

    def agree(self) -> None:
        self.say(STUDENT, m.ConsentSend(agreed=True))
        self.tell(ev.ConsentKept(self.latest(do.KeepConsent), math.inf))

    def watch(self, session: int = 1) -> None:
        """Consent, an analyser and a first estimate."""
        self.agree()
        self.tell(ev.AnalyserStarted(session))
        self.tell(ev.StrainSeen(session, strain()))

    def latest(self, kind: type[T]) -> T:
        return [effect for effect in self.wanted if isinstance(effect, kind)][-1]

    def all(self, kind: type[T], socket: int | None = None) -> list[T]:
        """Messages of a kind that a socket got, or effects of a kind that were wanted."""
        source: list[Any] = self.wanted if socket is None else self.got[socket]
        return [one for one in source if isinstance(one, kind)]

    @property
    def indicator(self) -> tuple[str, str | None]:
        shown = self.room.analysis(self.now)
        return shown.state, shown.reason
