"""Looks for a sequence of events that breaks an invariant of the room (their list stands in ``rooms/room.py``)."""

from __future__ import annotations

import math
from collections import defaultdict, deque

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from lessonroom import messages as m
from lessonroom.chat.types import Action
from lessonroom.media.types import Cue, Hint, Unseen, Watching
from lessonroom.policy import Mode
from lessonroom.rooms import effects as do
from lessonroom.rooms import events as ev
from lessonroom.rooms.ceiling import Ceiling
from lessonroom.rooms.consent import Word
from lessonroom.rooms.people import view
from lessonroom.rooms.talk import Admitted
from lessonroom.storage.consent import By
from lessonroom.storage.store import MessageState
from tests.rooms.lesson import ROLES, START, STUDENT, TEACHER, Lesson, strain, verdict

MEMBERS = st.sampled_from([TEACHER, STUDENT])
PAGES = st.sampled_from(["page-0001", "page-0002"])
IDS = st.sampled_from([f"ident-{number:03}" for number in range(6)])
PART = 3
"""How many messages one replay reads."""


class LessonMachine(RuleBasedStateMachine):
    """Two members, one store that sometimes fails or finishes late, one analyser after another."""

    @initialize(
        cap=st.sampled_from([Mode.M3, Mode.M3, Mode.M3, Mode.M1]),
        consent=st.sampled_from([None, False, True]),
        on=st.booleans(),
        highest=st.sampled_from([Mode.M3, Mode.M3, Mode.M3, Mode.M2]),
        two_keys=st.booleans(),
    )
    def begin(self, cap: Mode, consent: bool | None, on: bool, highest: Mode, two_keys: bool) -> None:
        law = Ceiling(highest, two_keys, START + 300)
        self.lesson = Lesson(cap=cap, consent=consent, ceiling=law, hints_on=on, chat_per_minute=1000)
        self.lowest = highest
        self.open: dict[int, str] = {}
        self.replays: deque[do.Replay] = deque()
        self.finished: deque[ev.Event] = deque()
        self.asked: list[do.KeepConsent] = []
        self.hints: list[str] = []
        self.numbers: dict[int, list[int]] = defaultdict(list)
        self.after: dict[int, int] = {}
        self.session = 0
        self.no_was_last = False
        self.shown_presses: list[tuple[int, str]] = []
        for member in ROLES:
            self.join(member, "page-0001", 0)
        self.analyse()

    # --- carrying out, and looking at every effect on its way --------------------------------------------------------

    def tell(self, event: ev.Event) -> None:
        for effect in self.lesson.tell(event):
            match effect:
                case do.Send(socket, message):
                    assert socket in self.open, "sent to a socket that is not open"
                    self.look(socket, message)
                case do.Close(socket, _):
                    assert socket in self.open, "closed a socket that is not open"
                    del self.open[socket]
                case do.Replay():
                    self.replays.append(effect)
                case do.KeepConsent():
                    self.asked.append(effect)
                case do.KeepHint(record):
                    self.hints.append(record.id)
                case _:
                    pass

    def look(self, socket: int, message: m.ToPage) -> None:
        member = self.open[socket]
        first = self.lesson.got[socket][0]
        assert isinstance(first, m.Welcome), "something came before the welcome"
        match message:
            case m.ChatMessage():
                assert message.state == "relayed" or message.sender == member, "a stopped message was shown around"
                self.number(socket, message.seq)
            case m.ChatAck():
                kept = self.lesson.history[message.seq - 1].message
                assert (kept.sender, kept.id, kept.state) == (member, message.id, message.state), "a made-up answer"
            case m.HintShow():
                assert ROLES[member] == "teacher"
                assert (socket, message.id) not in self.shown_presses, "a hint came twice to one window"
                self.shown_presses.append((socket, message.id))
            case m.StuckAck():
                assert ROLES[member] == "student"
            case _:
                pass

    def number(self, socket: int, seq: int) -> None:
        assert seq > max(self.numbers[socket], default=self.after[socket]), "chat numbers went down"
        self.numbers[socket].append(seq)

    # --- people ------------------------------------------------------------------------------------------------------

    @rule(member=MEMBERS, page=PAGES, after=st.integers(0, 12))
    def join(self, member: str, page: str, after: int) -> None:
        socket = self.lesson._next + 1
        self.lesson._next = socket
        self.open[socket] = member
        self.after[socket] = min(after, self.lesson.room.talk.last_seq)
        self.lesson.sockets[member] = socket
        self.tell(ev.Joined(socket, member, ROLES[member], "Name", page, after))

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def lose(self, data: st.DataObject) -> None:
        socket = data.draw(st.sampled_from(sorted(self.open)))
        del self.open[socket]
        self.tell(ev.Lost(socket))

    @precondition(lambda self: self.open)
    @rule(
        data=st.data(),
        message=st.one_of(
            st.builds(m.HintFeedback, hint=IDS, helpful=st.sampled_from([None, True, False])),
            st.builds(m.ChatAppeal, id=IDS),
            st.builds(m.Leave),
            st.builds(m.Ping),
            st.builds(
                m.SignalSend,
                to=MEMBERS,
                page=PAGES,
                candidate=st.one_of(st.none(), st.just(m.Candidate(candidate=""))),
                description=st.one_of(st.none(), st.just(m.Description(type="offer"))),
            ),
        ),
    )
    def say(self, data: st.DataObject, message: m.FromPage) -> None:
        self.tell(ev.Said(data.draw(st.sampled_from(sorted(self.open))), message))

    @precondition(lambda self: STUDENT in self.open.values())
    @rule(id_=IDS)
    def press(self, id_: str) -> None:
        self.tell(ev.Said(self.socket_of(STUDENT), m.StuckSend(id=id_)))

    @precondition(lambda self: STUDENT in self.open.values())
    @rule(
        message=st.one_of(st.builds(m.ConsentSend, agreed=st.booleans()), st.builds(m.Camera, on=st.booleans())),
    )
    def change_ones_mind(self, message: m.FromPage) -> None:
        if isinstance(message, m.ConsentSend):
            self.no_was_last = not message.agreed
        self.tell(ev.Said(self.socket_of(STUDENT), message))

    @precondition(lambda self: TEACHER in self.open.values())
    @rule(on=st.booleans())
    def switch_hints(self, on: bool) -> None:
        self.tell(ev.Said(self.socket_of(TEACHER), m.HintsOn(on=on)))

    def socket_of(self, member: str) -> int:
        return next(socket for socket, owner in self.open.items() if owner == member)

    # --- chat --------------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.open)
    @rule(
        data=st.data(),
        id_=IDS,
        action=st.sampled_from(list(Action)),
        fate=st.sampled_from(["stored", "failed", "late"]),
    )
    def chat(self, data: st.DataObject, id_: str, action: Action, fate: str) -> None:
        """Admission to storing; the hub carries a room's messages one after the other."""
        socket = data.draw(st.sampled_from(sorted(self.open)))
        room, lesson = self.lesson.room, self.lesson
        admitted = room.admit(socket, m.ChatSend(id=id_, text="call 555"), lesson.now)
        assert isinstance(admitted, Admitted)
        record = room.judge(admitted, verdict(action, (5, 8)))
        refused = ev.NotStored(admitted.member, id_, "store_down")
        stored = None if fate == "failed" else ev.Stored(lesson.keep(record))
        self.finished.append(stored if stored and fate == "stored" else refused)

    @precondition(lambda self: self.waiting())
    @rule(data=st.data(), state=st.sampled_from([MessageState.RELAYED, MessageState.BLOCKED]), heard=st.booleans())
    def decide(self, data: st.DataObject, state: MessageState, heard: bool) -> None:
        """A person decides; the room may not hear of it, when another process has asked or an answer was lost."""
        stored = self.lesson.decide(data.draw(st.sampled_from(self.waiting())), state)
        if heard:
            self.finished.append(ev.Decided(stored))

    def waiting(self) -> list[int]:
        return [stored.seq for stored in self.lesson.log if stored and stored.message.state is MessageState.HELD]

    @precondition(lambda self: self.finished)
    @rule()
    def chat_finished(self) -> None:
        self.tell(self.finished.popleft())

    @precondition(lambda self: self.replays)
    @rule()
    def replay(self) -> None:
        wanted = self.replays.popleft()
        seen = [
            stored
            for stored in self.lesson.log[wanted.after :]
            if stored and (stored.message.state is MessageState.RELAYED or stored.message.sender == wanted.reader)
        ][:PART]
        if wanted.socket in self.open:
            for stored in seen:
                self.number(wanted.socket, stored.seq)
        last = seen[-1].seq if seen else 0
        self.tell(ev.Replayed(wanted.socket, last if len(seen) == PART else max(last, wanted.known)))

    # --- the store's answers, the analyser, time ---------------------------------------------------------------------

    @precondition(lambda self: self.asked)
    @rule(kept=st.booleans())
    def consent_kept(self, kept: bool) -> None:
        self.tell(ev.ConsentKept(self.asked.pop(0), math.inf if kept else None))

    @rule(given=st.booleans(), life=st.sampled_from([5.0, 1000.0]))
    def guardian_says(self, given: bool, life: float) -> None:
        self.tell(ev.Consented(By.GUARDIAN, Word(given, self.lesson.now + life)))
        assert given or not (self.lesson.room.consent.two_keys and self.lesson.room.watch.session)

    @rule(given=st.booleans())
    def student_says_elsewhere(self, given: bool) -> None:
        self.no_was_last = not given
        self.tell(ev.Consented(By.SELF, Word(given, self.lesson.now + 100)))

    @rule(mode=st.sampled_from(list(Mode)), two_keys=st.booleans())
    def settle_anew(self, mode: Mode, two_keys: bool) -> None:
        """Another process has decided anew; a student who was here has said nothing there."""
        self.no_was_last = False
        self.lowest = min(self.lowest, mode)
        self.tell(ev.Settled(Ceiling(mode, two_keys), None, None))

    @precondition(lambda self: self.hints)
    @rule(kept=st.booleans())
    def hint_kept(self, kept: bool) -> None:
        self.tell(ev.HintKept(self.hints.pop(0), kept))

    @rule()
    def analyse(self) -> None:
        if self.lesson.room.may_analyse(STUDENT) is None:
            self.session += 1
            self.tell(ev.AnalyserStarted(self.session))

    @rule(back=st.integers(0, 1), reason=st.sampled_from([None, "connection_poor"]))
    def analyser_ends(self, back: int, reason: str | None) -> None:
        self.tell(ev.AnalyserEnded(self.session - back, reason))

    @rule(back=st.integers(0, 1), watching=st.sampled_from(list(Watching)), unseen=st.sampled_from([None, *Unseen]))
    def strain(self, back: int, watching: Watching, unseen: Unseen | None) -> None:
        self.tell(ev.StrainSeen(self.session - back, strain(watching, unseen)))

    @rule(id_=IDS)
    def hint(self, id_: str) -> None:
        self.tell(ev.HintDue(self.session, Hint(id_, 0.0, Cue.FROWNING, "slow_down")))

    @rule(id_=IDS)
    def heard_hint(self, id_: str) -> None:
        """A hint from cues alone; the room may have got an analyser meanwhile, or want no hints."""
        wanted = self.lesson.room.watch.hints_on and self.lesson.room.watch.session is None
        before = len(self.hints)
        self.tell(ev.HintDue(None, Hint(id_, 0.0, Cue.CHAT, "explain_again")))
        assert wanted or len(self.hints) == before, "a hint was made that nobody wanted"

    @rule(seconds=st.floats(-5, 10))
    def time_goes_by(self, seconds: float) -> None:
        self.lesson.now += seconds
        self.tell(ev.Tick())

    @precondition(lambda self: len(self.lesson.log) > 4)
    @rule()
    def close(self) -> None:
        self.tell(ev.Closed())
        assert not self.open

    # --- what always holds -------------------------------------------------------------------------------------------

    @invariant()
    def one_socket_each(self) -> None:
        members = list(self.open.values())
        assert len(members) == len(set(members))
        assert {person.socket for person in self.lesson.room.people.present()} == set(self.open)

    @invariant()
    def the_analyser_is_allowed(self) -> None:
        room = self.lesson.room
        if room.watch.session is not None:
            assert room.watch.cap is Mode.M3
            assert room.watch.ceiling is not None
            assert room.watch.ceiling.mode is Mode.M3
            assert self.lesson.now < room.watch.ceiling.until
            assert room.consent.agreed is True
            assert not room.consent.guardian_missing
            assert room.watch.hints_on
            assert room.watch.camera_on
            assert STUDENT in self.open.values()
        elif room.analysis(self.lesson.now).state != "off":
            raise AssertionError("the indicator is on without an analyser")

    @invariant()
    def the_ceiling_only_falls(self) -> None:
        ceiling = self.lesson.room.watch.ceiling
        assert ceiling is not None
        assert ceiling.mode <= self.lowest

    @invariant()
    def a_no_that_was_said_last_holds(self) -> None:
        assert not (self.no_was_last and self.lesson.room.consent.agreed)

    @invariant()
    def everybody_was_told_what_holds(self) -> None:
        for socket in self.open:
            members: list[m.MemberView] = []
            shown: m.Analysis | None = None
            for message in self.lesson.got[socket]:
                match message:
                    case m.Welcome():
                        members, shown = message.members, message.analysis
                    case m.Members():
                        members = message.members
                    case m.Analysis():
                        shown = message
            assert members == view(self.lesson.room._rows())
            assert shown == self.lesson.room.analysis(self.lesson.now)

    @invariant()
    def one_replay_at_a_time(self) -> None:
        sockets = [wanted.socket for wanted in self.replays]
        assert len(sockets) == len(set(sockets))

    @invariant()
    def who_is_caught_up_has_everything(self) -> None:
        for person in self.lesson.room.people.present():
            assert any(wanted.socket == person.socket for wanted in self.replays) == (person.seen is None)
            if person.seen is None or person.socket is None:
                continue
            assert person.seen >= self.lesson.room.talk.last_seq
            for stored in filter(None, self.lesson.log[self.after[person.socket] : person.seen]):
                others = stored.message.state is MessageState.RELAYED and stored.message.sender != person.id
                told = stored.decided and stored.message.sender == person.id
                assert not (others or told) or stored.seq in self.numbers[person.socket]


LessonMachine.TestCase.settings = settings(
    max_examples=200,
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    # shrinking takes minutes; add Phase.shrink to make a found sequence short
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
test_no_sequence_of_events_breaks_an_invariant = LessonMachine.TestCase
