"""One lesson as a sans-IO object: events in, effects out. Pure; the hub brings the events and carries out the effects.

Invariants, held after every event (``tests/rooms/test_room_machine.py`` looks for a way around them):

1. A member has at most one socket; an older one is closed with ``REPLACED``.
2. Nothing is sent to a socket before its welcome, after its close or after its loss.
3. An analyser runs only while the rules of the place, the owner, the server, the student's consent, the guardian's
   where it is needed, the teacher's switch, the student's camera and the student's presence all allow it; else it is
   stopped in the same event.
4. What everybody was last told of the analysis and of the members is what holds.
5. A message that is not relayed reaches nobody but its writer; chat numbers to one socket only go up.
6. An acknowledgement is only ever made of what the store gave back.
7. "I'm stuck" is shown once for each press to a teacher who is here, or in the welcome of one who comes.
8. While hints are off no other hint is made, be it seen or heard.
9. After ``Closed`` nobody is in the room, and nobody comes in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lessonroom.auth import may
from lessonroom.chat.types import Verdict
from lessonroom.messages import (
    Analysis,
    Camera,
    ChatAppeal,
    ChatRefused,
    ChatSend,
    CloseCode,
    ConsentNow,
    ConsentSend,
    FromPage,
    HintFeedback,
    Hints,
    HintsOn,
    Leave,
    Members,
    Ping,
    Pong,
    Problem,
    SignalSend,
    StuckSend,
    Welcome,
)
from lessonroom.policy import Mode
from lessonroom.rooms import events as ev
from lessonroom.rooms.consent import Consent
from lessonroom.rooms.effects import Appeal, Close, Effect, KeepAudit, KeepCeiling, KeepHintsOn, Send, StopAnalyser
from lessonroom.rooms.hinting import Hinting
from lessonroom.rooms.people import People, Person, Row, view
from lessonroom.rooms.talk import Admitted, Talk
from lessonroom.rooms.watching import Watch
from lessonroom.storage.consent import By
from lessonroom.storage.store import HintRecord, NewMessage

NORMAL = 1000
"""Close code of an ordinary end (RFC 6455 section 7.4.1)."""


@dataclass(frozen=True, slots=True)
class Past:
    """What the store knows of a room when it is loaded."""

    room: str
    cap: Mode = Mode.M0
    people: tuple[tuple[str, str, str], ...] = ()
    """Id, role and name of teacher and student."""
    hints_on: bool = True
    hints: Sequence[HintRecord] = ()
    last_seq: int = 0


class Room:
    """A lesson of one teacher and one student; admission sees to it that there are not more.

    ``server_can``: the most analysis that this server is able to do.
    """

    def __init__(self, past: Past, *, server_can: Mode, chat_length: int, chat_per_minute: int) -> None:
        self.id = past.room
        self.closed = False
        self.people = People(Person(*row) for row in past.people)
        self.consent = Consent(self.people)
        self.watch = Watch(past.cap, server_can, self.consent, past.hints_on)
        self.talk = Talk(
            past.room, self.people, last_seq=past.last_seq, longest=chat_length, per_minute=chat_per_minute
        )
        self.hinting = Hinting(past.room, self.people, past.hints)
        self._chat_length = chat_length
        self._told_members = self._rows()
        self._told_analysis: Analysis | None = None

    # --- asked before the deed -------------------------------------------------------------------------------------

    def admit(self, socket: int, message: ChatSend, now: float) -> Admitted | ChatRefused:
        """Whether a message may be screened; else the refusal for its writer."""
        person = self.people.on(socket)
        if person is None or not may(person.role, message.type):
            return ChatRefused(id=message.id, code="not_allowed")
        return self.talk.admit(person, message, now)

    def judge(self, said: Admitted, verdict: Verdict, *, sampled: bool = False) -> NewMessage:
        """The record to store for a screened message; ``sampled``: chance wants a person to see it."""
        return self.talk.judge(said, verdict, sampled=sampled)

    def may_analyse(self, member: str) -> str | None:
        """Why this member's video may not be analysed now, as a reason of the indicator; None when it may."""
        person = self.people.get(member)
        if self.closed or person is None or not may(person.role, "whip"):
            return "not_allowed"
        return self.watch.forbidden(student_here=person.present)

    def analysis(self, now: float) -> Analysis:
        """The indicator."""
        student = self.people.first("student")
        return self.watch.analysis(student_here=student is not None and student.present, now=now)

    def due(self, now: float) -> bool:
        """Whether something has had its time, a row of the rules or somebody's word, and a tick would end it."""
        return not self.closed and (self.watch.due(now) or self.consent.due(now))

    # --- events ----------------------------------------------------------------------------------------------------

    def handle(self, event: ev.Event, now: float) -> list[Effect]:
        """Take in one event; ``now`` in seconds since the epoch. Effects are to be carried out in their order."""
        effects = self._expire(now) + self._on(event, now)
        effects += self._enforce()
        effects += self._announce(now)
        if isinstance(event, ev.Joined):
            effects += self._welcome(event, now)
        return effects

    def _on(self, event: ev.Event, now: float) -> list[Effect]:  # noqa: PLR0911 - a table reads best flat
        match event:
            case ev.Joined():
                return self._joined(event)
            case ev.Lost(socket):
                return self._gone(self.people.on(socket))
            case ev.Said(socket, message):
                person = self.people.on(socket)
                return self._said(person, message, now) if person else []
            case ev.HintKept(hint, kept):
                return self.hinting.kept(hint, kept)
            case ev.Closed():
                return self._close()
            case ev.ConsentKept(asked, until):
                return self.consent.kept(asked, until)
            case _:
                return self._on_chat(event, now)

    def _on_chat(self, event: ev.Event, now: float) -> list[Effect]:  # noqa: PLR0911 - as above
        match event:
            case ev.Stored(stored):
                return self.talk.stored(stored)
            case ev.NotStored(member, id_, code):
                return self.people.tell(self.people.get(member), ChatRefused(id=id_, code=code))
            case ev.Appealed(stored):
                return self.talk.acknowledge(stored)
            case ev.Decided(stored):
                return self.talk.decided(stored)
            case ev.NotAppealed(member, code):
                return self.people.tell(self.people.get(member), Problem(code=code))
            case ev.Replayed(socket, seq):
                reader = self.people.on(socket)
                return self.talk.replayed(reader, seq) if reader else []
            case _:
                return self._on_analysis(event, now)

    def _on_analysis(self, event: ev.Event, now: float) -> list[Effect]:
        match event:
            case ev.Settled(ceiling, student, guardian):
                self.watch.settle(ceiling)
                self.consent.remember(By.SELF, student)
                self.consent.remember(By.GUARDIAN, guardian)
            case ev.Consented(by, word):
                self.watch.trouble = None
                self.consent.heard(by, word)
                if by is By.SELF:
                    return self.people.tell_all(ConsentNow(agreed=word.given), "student")
            case ev.AnalyserStarted(session):
                stopped = self._stop_analyser("replaced")
                self.watch.start(session)
                return [*stopped, KeepAudit("analysis.started")]
            case ev.AnalyserEnded(session, reason) if session == self.watch.session:
                self.watch.stop()
                self.watch.trouble = reason
                return [KeepAudit("analysis.stopped", reason or "ended")]
            case ev.AnalyserRefused(reason):
                self.watch.trouble = reason
            case ev.StrainSeen(session, strain) if session == self.watch.session:
                self.watch.hear(strain, now)
            case ev.HintDue(session, hint) if session == self.watch.session and self._hints_wanted():
                return self.hinting.due(hint, now)
            case _:  # late news of an analyser that no longer counts, or a tick
                pass
        return []

    # --- coming and going ------------------------------------------------------------------------------------------

    def _joined(self, event: ev.Joined) -> list[Effect]:
        if self.closed:
            return [Close(event.socket, CloseCode.ROOM_CLOSED)]
        person = self.people.add(Person(event.member, event.role, event.name))
        replaced: list[Effect] = [] if person.socket is None else [Close(person.socket, CloseCode.REPLACED)]
        if person.role == "student" and self.watch.page != event.page:
            # another page has another camera: the old analyser has nothing more to see
            replaced += self._stop_analyser("replaced")
            self.watch.new_page(event.page, event.device)
        person.away()
        person.socket, person.page = event.socket, event.page
        return replaced

    def _welcome(self, event: ev.Joined, now: float) -> list[Effect]:
        person = self.people.on(event.socket)
        if person is None:
            return []
        teacher = may(person.role, "hint")
        welcome = Welcome.model_validate(
            {
                "room": self.id,
                "me": person.id,
                "role": person.role,
                "members": view(self._rows()),
                "last_seq": self.talk.last_seq,
                "analysis": self.analysis(now),
                "consent": self.consent.agreed,
                "hints_on": self.watch.hints_on,
                "hints": self.hinting.shown() if teacher else [],
                "ice_servers": list(event.ice_servers),
                "ice_relay_only": event.ice_relay_only,
                "chat_length": self._chat_length,
                "now": int(now * 1000),
            }
        )
        person.welcomed = True
        effects: list[Effect] = [Send(event.socket, welcome)]
        effects += self.talk.catch_up(person, event.after)
        return effects + (self.hinting.teacher_came() if teacher else [])

    def _gone(self, person: Person | None) -> list[Effect]:
        if person is not None:
            person.away()
        return []

    def _close(self) -> list[Effect]:
        self.closed = True
        effects: list[Effect] = []
        for person in self.people.present():
            if person.socket is not None:
                effects.append(Close(person.socket, CloseCode.ROOM_CLOSED))
            person.away()
        return effects + self._stop_analyser("closed")

    # --- what pages say --------------------------------------------------------------------------------------------

    def _said(self, person: Person, message: FromPage, now: float) -> list[Effect]:  # noqa: PLR0911 - as above
        if not may(person.role, message.type):
            return self.people.tell(person, Problem(code="refused"))
        match message:
            case Ping():
                return self.people.tell(person, Pong())
            case SignalSend():
                return self.people.signal(person, message)
            case ChatAppeal(id=id_):
                return [Appeal(person.id, id_)]
            case StuckSend(id=id_):
                return self.hinting.stuck(person, id_, now)
            case HintFeedback():
                return self.hinting.answer(person, message)
            case Leave():
                return self._leave(person)
            case _:
                return self._setting(person, message)

    def _setting(self, person: Person, message: FromPage) -> list[Effect]:
        match message:
            case ConsentSend():
                self.watch.trouble = None
                return self.consent.say(person, message)
            case Camera(on=on):
                self.watch.camera_on, self.watch.trouble = on, None
                return []
            case HintsOn(on=on):
                self.watch.hints_on = on
                return [KeepHintsOn(on), *self.people.tell_all(Hints(on=on))]
            case _:
                return self.people.tell(person, Problem(code="refused"))

    def _leave(self, person: Person) -> list[Effect]:
        closed: list[Effect] = [] if person.socket is None else [Close(person.socket, NORMAL)]
        person.away()
        return closed

    # --- before and after every event -----------------------------------------------------------------------------

    def _expire(self, now: float) -> list[Effect]:
        """Let end what has had its time, and put that on record."""
        fallen = self.watch.expire(now)
        rules: list[Effect] = [] if fallen is None else [KeepCeiling(fallen)]
        return rules + [KeepAudit("consent.ended", by.value) for by in self.consent.expire(now)]

    def _enforce(self) -> list[Effect]:
        """Stop an analyser that may no longer run (invariant 3)."""
        if self.watch.session is None:
            return []
        student = self.people.first("student")
        forbidden = self.watch.forbidden(student_here=student is not None and student.present)
        return self._stop_analyser(forbidden) if forbidden else []

    def _hints_wanted(self) -> bool:
        return self.watch.hints_on and not self.closed

    def _stop_analyser(self, why: str) -> list[Effect]:
        session = self.watch.session
        if session is None:
            return []
        self.watch.stop()
        return [StopAnalyser(session), KeepAudit("analysis.stopped", why)]

    def _announce(self, now: float) -> list[Effect]:
        """Tell everybody what changed in the member list and in the indicator (invariant 4)."""
        effects: list[Effect] = []
        rows, analysis = self._rows(), self.analysis(now)
        if rows != self._told_members:
            self._told_members = rows
            effects += self.people.tell_all(Members(members=view(rows)))
        if analysis != self._told_analysis:
            self._told_analysis = analysis
            effects += self.people.tell_all(analysis)
        return effects

    def _rows(self) -> list[Row]:
        return self.people.rows(analyser=self.watch.session is not None)
