"""What a lesson does, event by event."""

from __future__ import annotations

import math

import pytest

from lessonroom import messages as m
from lessonroom.chat.types import Action, Decider, Verdict
from lessonroom.media.hints import HintState, Shown
from lessonroom.media.types import Cue, Hint, Unseen, Watching
from lessonroom.policy import Mode
from lessonroom.rooms import effects as do
from lessonroom.rooms import events as ev
from lessonroom.rooms.ceiling import Ceiling
from lessonroom.rooms.consent import Word
from lessonroom.rooms.hinting import MOST_KEPT, STUCK_PAUSE
from lessonroom.rooms.room import Past, Room
from lessonroom.storage.consent import By
from lessonroom.storage.store import FoundSpan, HintRecord, MessageState, NewMessage, StoredMessage
from tests.rooms.lesson import START, STUDENT, TEACHER, Lesson, strain, verdict

# --- coming and going ------------------------------------------------------------------------------------------------


def test_the_welcome_comes_first_and_tells_everything() -> None:
    lesson = Lesson(last_seq=7)
    teacher = lesson.join(TEACHER, after=7)
    welcome = lesson.got[teacher][0]
    assert isinstance(welcome, m.Welcome)
    assert (welcome.me, welcome.role, welcome.last_seq) == (TEACHER, "teacher", 7)
    assert [(row.role, row.present) for row in welcome.members] == [("teacher", True), ("student", False)]


def test_those_who_are_here_see_who_comes_and_goes() -> None:
    lesson = Lesson()
    teacher = lesson.join(TEACHER)
    student = lesson.join(STUDENT, "page-s001")
    lesson.tell(ev.Lost(student))
    present = [[row.present for row in said.members] for said in lesson.all(m.Members, teacher)]
    assert present == [[True, True], [True, False]]


def test_a_new_window_of_a_member_closes_the_old_one_and_takes_its_place() -> None:
    lesson = Lesson()
    old = lesson.join(TEACHER, "page-old1")
    new = lesson.join(TEACHER, "page-new1")
    assert lesson.closed == {old: m.CloseCode.REPLACED}
    lesson.tell(ev.Lost(old))
    assert lesson.room.people.on(new) is not None


def test_leaving_closes_the_socket_in_the_ordinary_way() -> None:
    lesson = Lesson()
    teacher, student = lesson.both()
    lesson.say(STUDENT, m.Leave())
    assert lesson.closed == {student: 1000}
    assert not lesson.all(m.Members, teacher)[-1].members[1].present


def test_a_closed_room_sends_everybody_out_and_lets_nobody_in() -> None:
    lesson = Lesson()
    teacher, student = lesson.both()
    lesson.tell(ev.Closed())
    late = lesson.join(TEACHER)
    assert lesson.closed == dict.fromkeys((teacher, student, late), m.CloseCode.ROOM_CLOSED)
    assert not lesson.got[late]


def test_a_ping_is_answered() -> None:
    lesson = Lesson()
    teacher = lesson.join(TEACHER)
    lesson.say(TEACHER, m.Ping())
    assert lesson.got[teacher][-1] == m.Pong()


@pytest.mark.parametrize(
    ("who", "message"),
    [
        (TEACHER, m.ConsentSend(agreed=True)),
        (TEACHER, m.Camera(on=False)),
        (TEACHER, m.StuckSend(id="press-001")),
        (STUDENT, m.HintFeedback(hint="hint-0001", helpful=True)),
        (STUDENT, m.HintsOn(on=False)),
    ],
)
def test_what_is_not_for_a_role_is_refused(who: str, message: m.FromPage) -> None:
    lesson = Lesson()
    lesson.both()
    lesson.say(who, message)
    assert lesson.got[lesson.sockets[who]][-1] == m.Problem(code="refused")
    assert lesson.room.watch.camera_on
    assert not [effect for effect in lesson.wanted if not isinstance(effect, do.Replay)]


# --- signalling ------------------------------------------------------------------------------------------------------


def test_signals_go_to_the_other_page_with_who_said_them() -> None:
    lesson = Lesson()
    teacher, _ = lesson.both()
    offer = m.Description(type="offer", sdp="v=0")
    lesson.say(STUDENT, m.SignalSend(to=TEACHER, page="page-t001", description=offer))
    assert lesson.got[teacher][-1] == m.Signal(sender=STUDENT, page="page-s001", description=offer)


def test_a_signal_for_a_page_that_is_gone_is_dropped() -> None:
    lesson = Lesson()
    lesson.both()
    assert lesson.say(STUDENT, m.SignalSend(to=TEACHER, page="page-gone", candidate=m.Candidate(candidate=""))) == []


def test_a_signal_to_oneself_is_dropped() -> None:
    lesson = Lesson()
    lesson.both()
    assert lesson.say(STUDENT, m.SignalSend(to=STUDENT, page="page-s001", candidate=m.Candidate(candidate=""))) == []


def test_a_signal_with_neither_or_both_parts_is_a_bad_message() -> None:
    lesson = Lesson()
    teacher, student = lesson.both()
    before = len(lesson.got[teacher])
    lesson.say(STUDENT, m.SignalSend(to=TEACHER, page="page-t001"))
    assert lesson.got[student][-1] == m.Problem(code="bad_message")
    assert len(lesson.got[teacher]) == before


# --- chat ------------------------------------------------------------------------------------------------------------


def test_a_clean_message_is_acknowledged_to_its_writer_and_relayed_to_the_other() -> None:
    lesson = Lesson()
    teacher, student = lesson.both()
    lesson.chat(STUDENT, "good morning")
    assert lesson.all(m.ChatAck, student)[0].state == "relayed"
    assert [said.text for said in lesson.all(m.ChatMessage, teacher)] == ["good morning"]
    assert not lesson.all(m.ChatMessage, student)


@pytest.mark.parametrize(("action", "state"), [(Action.BLOCK, "blocked"), (Action.HOLD, "held")])
def test_a_stopped_message_reaches_nobody_but_its_writer_who_sees_why(action: Action, state: str) -> None:
    lesson = Lesson()
    teacher, student = lesson.both()
    lesson.chat(STUDENT, "👋 call 555", found=verdict(action, (2, 10)))
    ack = lesson.all(m.ChatAck, student)[0]
    assert (ack.state, ack.findings) == (state, [m.Span(kind="phone", start=3, end=11)])  # the hand is two units
    assert not lesson.all(m.ChatMessage, teacher)


def test_a_message_sent_again_is_answered_and_not_relayed_again() -> None:
    lesson = Lesson()
    teacher, student = lesson.both()
    lesson.chat(STUDENT)
    lesson.chat(STUDENT)
    assert [ack.seq for ack in lesson.all(m.ChatAck, student)] == [1, 1]
    assert len(lesson.all(m.ChatMessage, teacher)) == 1


def test_a_message_that_is_too_long_is_refused_and_not_counted() -> None:
    lesson = Lesson(chat_length=5, chat_per_minute=1)
    lesson.both()
    assert lesson.send(STUDENT, "123456") == m.ChatRefused(id="message-1", code="too_long")
    assert not isinstance(lesson.send(STUDENT, "12345"), m.ChatRefused)


def test_the_rate_is_counted_by_member_over_the_last_minute() -> None:
    lesson = Lesson(chat_per_minute=2)
    lesson.both()
    for number in range(2):
        lesson.chat(STUDENT, id_=f"message-{number}")
    assert lesson.send(STUDENT) == m.ChatRefused(id="message-1", code="rate_limited")
    assert not isinstance(lesson.send(TEACHER), m.ChatRefused)
    lesson.now += 60
    assert not isinstance(lesson.send(STUDENT), m.ChatRefused)


def test_a_clock_that_is_set_back_does_not_silence_anybody() -> None:
    lesson = Lesson(chat_per_minute=1)
    lesson.both()
    lesson.chat(STUDENT)
    lesson.now -= 86_400
    assert not isinstance(lesson.send(STUDENT), m.ChatRefused)


def test_a_message_that_could_not_be_stored_is_refused_to_its_writer_alone() -> None:
    lesson = Lesson()
    teacher, student = lesson.both()
    before = len(lesson.got[teacher])
    lesson.tell(ev.NotStored(STUDENT, "message-1", "store_down"))
    assert lesson.got[student][-1] == m.ChatRefused(id="message-1", code="store_down")
    assert len(lesson.got[teacher]) == before


def test_a_writer_that_came_back_meanwhile_gets_the_answer_in_the_new_window() -> None:
    lesson = Lesson()
    _, student = lesson.both()
    admitted = lesson.send(STUDENT)
    again = lesson.join(STUDENT, "page-s002")
    assert not isinstance(admitted, m.ChatRefused)
    lesson.tell(ev.Stored(lesson.keep(lesson.room.judge(admitted, verdict()))))
    assert [ack.id for ack in lesson.all(m.ChatAck, again)] == ["message-1"]
    assert not lesson.all(m.ChatAck, student)


def test_a_message_from_a_socket_that_is_gone_is_not_admitted() -> None:
    lesson = Lesson()
    _, student = lesson.both()
    lesson.tell(ev.Lost(student))
    assert lesson.send(STUDENT) == m.ChatRefused(id="message-1", code="not_allowed")


def test_after_a_reconnect_the_store_is_read_until_nothing_is_missing() -> None:
    lesson = Lesson(last_seq=9)
    teacher = lesson.join(TEACHER, after=3, live=False)
    assert lesson.wanted == [do.Replay(teacher, TEACHER, 3, 9)]
    lesson.tell(ev.Replayed(teacher, 6))
    assert lesson.latest(do.Replay) == do.Replay(teacher, TEACHER, 6, 9)
    lesson.tell(ev.Replayed(teacher, 9))
    assert len(lesson.all(do.Replay)) == 2


def test_while_a_reader_is_caught_up_nothing_is_relayed_out_of_order() -> None:
    lesson = Lesson()
    lesson.join(STUDENT, "page-s001")
    teacher = lesson.join(TEACHER, live=False)
    lesson.chat(STUDENT)
    lesson.tell(ev.Replayed(teacher, 0))
    assert lesson.latest(do.Replay) == do.Replay(teacher, TEACHER, 0, 1)
    assert not lesson.all(m.ChatMessage, teacher)
    lesson.tell(ev.Replayed(teacher, 1))
    lesson.chat(STUDENT, id_="message-2")
    assert [said.seq for said in lesson.all(m.ChatMessage, teacher)] == [2]


def test_a_number_that_the_replay_has_shown_already_is_not_relayed_again() -> None:
    lesson = Lesson()
    lesson.join(STUDENT, "page-s001")
    admitted = lesson.send(STUDENT)
    assert not isinstance(admitted, m.ChatRefused)
    stored = lesson.keep(lesson.room.judge(admitted, verdict()))
    teacher = lesson.join(TEACHER, live=False)
    lesson.tell(ev.Replayed(teacher, 1))
    lesson.tell(ev.Stored(stored))
    assert not lesson.all(m.ChatMessage, teacher)


def test_a_page_that_claims_more_than_there_is_is_caught_up_from_what_there_is() -> None:
    lesson = Lesson(last_seq=3)
    teacher = lesson.join(TEACHER, after=2**40, live=False)
    assert lesson.wanted == [do.Replay(teacher, TEACHER, 3, 3)]


def test_a_message_that_the_store_finished_late_is_found_by_the_gap_it_leaves() -> None:
    lesson = Lesson()
    teacher, student = lesson.both()
    admitted = lesson.send(STUDENT)
    assert not isinstance(admitted, m.ChatRefused)
    lesson.keep(lesson.room.judge(admitted, verdict()))
    lesson.tell(ev.NotStored(STUDENT, "message-1", "store_down"))
    lesson.chat(STUDENT, id_="message-2")
    assert lesson.all(do.Replay)[-2:] == [do.Replay(teacher, TEACHER, 0, 2), do.Replay(student, STUDENT, 0, 2)]


def test_a_message_that_was_stored_late_and_is_sent_again_is_relayed() -> None:
    lesson = Lesson()
    teacher, _ = lesson.both()
    admitted = lesson.send(STUDENT)
    assert not isinstance(admitted, m.ChatRefused)
    lesson.keep(lesson.room.judge(admitted, verdict()))
    lesson.tell(ev.NotStored(STUDENT, "message-1", "store_down"))
    lesson.chat(STUDENT)
    assert [said.seq for said in lesson.all(m.ChatMessage, teacher)] == [1]


def test_an_appeal_is_stored_and_answered_with_its_new_state() -> None:
    lesson = Lesson()
    _, student = lesson.both()
    lesson.say(STUDENT, m.ChatAppeal(id="message-1"))
    assert lesson.latest(do.Appeal) == do.Appeal(STUDENT, "message-1")
    found = (FoundSpan("phone", 0, 3),)
    record = NewMessage(
        "room-0001", STUDENT, "message-1", "555", lesson.now, MessageState.APPEALED, 0.9, "rules", "", found
    )
    lesson.tell(ev.Appealed(StoredMessage(1, record)))
    assert lesson.all(m.ChatAck, student)[-1].state == "appealed"


def test_an_appeal_that_was_not_taken_is_a_problem_for_its_writer() -> None:
    lesson = Lesson()
    _, student = lesson.both()
    lesson.tell(ev.NotAppealed(STUDENT, "not_found"))
    assert lesson.got[student][-1] == m.Problem(code="not_found")


# --- what a person decides -------------------------------------------------------------------------------------------


def held(lesson: Lesson, text: str = "👋 call 555") -> StoredMessage:
    return lesson.chat(STUDENT, text, found=verdict(Action.HOLD, (2, 10)))


def test_a_message_that_was_let_through_reaches_everybody_under_a_new_number() -> None:
    lesson = Lesson()
    teacher, student = lesson.both()
    held(lesson)
    lesson.chat(TEACHER, id_="message-2")
    lesson.tell(ev.Decided(lesson.decide(1, MessageState.RELAYED)))
    (got,) = lesson.all(m.ChatMessage, teacher)
    assert (got.seq, got.text, got.state, got.decided, got.at) == (3, "👋 call 555", "relayed", True, START * 1000)
    own = lesson.all(m.ChatMessage, student)[-1]
    assert (own.seq, own.id, own.state, own.decided, own.findings) == (3, "message-1", "relayed", True, [])


def test_a_message_that_stays_stopped_is_told_to_its_writer_alone() -> None:
    lesson = Lesson()
    teacher, student = lesson.both()
    held(lesson)
    lesson.tell(ev.Decided(lesson.decide(1, MessageState.BLOCKED)))
    (own,) = lesson.all(m.ChatMessage, student)
    assert (own.seq, own.state, own.decided) == (2, "blocked", True)
    assert own.findings == [m.Span(kind="phone", start=3, end=11)]
    assert not lesson.all(m.ChatMessage, teacher)


def test_a_decision_that_the_room_knows_already_is_not_told_again() -> None:
    """Its answer was lost, the operator asked again."""
    lesson = Lesson()
    teacher, student = lesson.both()
    held(lesson)
    decided = ev.Decided(lesson.decide(1, MessageState.RELAYED))
    lesson.tell(decided)
    assert lesson.tell(decided) == []
    assert len(lesson.all(m.ChatMessage, teacher)) == len(lesson.all(m.ChatMessage, student)) == 1


def test_a_decision_in_another_process_is_found_by_the_gap_it_leaves() -> None:
    lesson = Lesson()
    teacher, student = lesson.both()
    held(lesson)
    lesson.decide(1, MessageState.RELAYED)
    lesson.chat(TEACHER, id_="message-2")
    assert [effect.socket for effect in lesson.all(do.Replay)][-2:] == [teacher, student]
    assert [effect.after for effect in lesson.all(do.Replay)][-2:] == [1, 1]


def test_an_answer_after_a_decision_says_that_it_was_decided() -> None:
    lesson = Lesson()
    _, student = lesson.both()
    held(lesson)
    lesson.tell(ev.Decided(lesson.decide(1, MessageState.BLOCKED)))
    held(lesson)  # sent again, after a reconnect
    ack = lesson.all(m.ChatAck, student)[-1]
    assert (ack.seq, ack.state, ack.decided) == (2, "blocked", True)


@pytest.mark.parametrize(
    ("action", "decider", "expected"),
    [
        (Action.RELAY, Decider.MODEL, True),
        (Action.HOLD, Decider.MODEL, False),
        (Action.BLOCK, Decider.RULES, False),
        (Action.RELAY, Decider.STANDING, False),
    ],
)
def test_chance_offers_only_what_was_screened_and_relayed(action: Action, decider: Decider, expected: bool) -> None:
    """The rest waits for a person anyway, or is nobody's business."""
    lesson = Lesson()
    lesson.both()
    said = lesson.send(STUDENT, "дуже добре")
    assert not isinstance(said, m.ChatRefused)
    record = lesson.room.judge(said, Verdict(action, 0.1, decider=decider, degraded=True), sampled=True)
    assert (record.sampled, record.degraded, record.lang) == (expected, True, "uk")
    assert not lesson.room.judge(said, Verdict(Action.RELAY, 0.1)).sampled


# --- analysis --------------------------------------------------------------------------------------------------------


def test_analysis_is_off_until_the_student_agrees_and_the_yes_is_stored() -> None:
    lesson = Lesson()
    lesson.both()
    assert lesson.indicator == ("off", "not_agreed")
    lesson.say(STUDENT, m.ConsentSend(agreed=True))
    assert lesson.indicator == ("off", "not_agreed")
    lesson.tell(ev.ConsentKept(lesson.latest(do.KeepConsent), math.inf))
    assert lesson.indicator == ("off", "connecting")
    assert lesson.room.may_analyse(STUDENT) is None


def test_a_yes_that_could_not_be_stored_is_no_consent() -> None:
    lesson = Lesson()
    _, student = lesson.both()
    lesson.say(STUDENT, m.ConsentSend(agreed=True))
    lesson.tell(ev.ConsentKept(lesson.latest(do.KeepConsent), None))
    assert lesson.got[student][-1] == m.Problem(code="store_down")
    assert lesson.room.may_analyse(STUDENT) == "not_agreed"


def test_a_no_that_overtakes_the_storing_of_a_yes_stays_a_no() -> None:
    lesson = Lesson()
    lesson.both()
    lesson.say(STUDENT, m.ConsentSend(agreed=True))
    yes = lesson.latest(do.KeepConsent)
    lesson.say(STUDENT, m.ConsentSend(agreed=False))
    lesson.tell(ev.ConsentKept(yes, math.inf))
    assert lesson.room.may_analyse(STUDENT) == "not_agreed"


def test_a_minor_is_analysed_only_while_student_and_guardian_both_agree() -> None:
    yes, no = Word(given=True, until=math.inf), Word(given=False, until=math.inf)
    lesson = Lesson(ceiling=Ceiling(Mode.M3, two_keys=True))
    lesson.both()
    assert lesson.room.may_analyse(STUDENT) == "not_agreed"  # asked first, so that nobody waits in vain
    lesson.agree()
    assert lesson.room.may_analyse(STUDENT) == "guardian_missing"
    lesson.tell(ev.Consented(By.GUARDIAN, yes))
    assert lesson.room.may_analyse(STUDENT) is None
    lesson.tell(ev.AnalyserStarted(1))
    assert do.StopAnalyser(1) in lesson.tell(ev.Consented(By.GUARDIAN, no))
    lesson.tell(ev.Consented(By.GUARDIAN, yes))
    lesson.tell(ev.AnalyserStarted(2))
    assert do.StopAnalyser(2) in lesson.say(STUDENT, m.ConsentSend(agreed=False))


def test_while_the_rules_of_the_place_are_not_settled_nothing_is_analysed() -> None:
    room = Room(Past("room-0001", Mode.M3), server_can=Mode.M3, chat_length=100, chat_per_minute=5)
    assert room.analysis(START).reason == "not_allowed"


def test_a_row_that_expires_in_mid_lesson_ends_the_analysis_at_that_moment() -> None:
    lesson = Lesson(consent=True, ceiling=Ceiling(Mode.M3, two_keys=False, until=START + 100))
    lesson.both()
    lesson.tell(ev.AnalyserStarted(1))
    lesson.now = START + 99.9
    assert not [effect for effect in lesson.tell(ev.Tick()) if isinstance(effect, do.StopAnalyser)]
    lesson.now = START + 100
    assert do.StopAnalyser(1) in lesson.tell(ev.Tick())
    assert lesson.room.analysis(lesson.now).reason == "not_allowed"
    lesson.now = START  # a clock that is set back revives nothing
    lesson.tell(ev.Tick())
    assert lesson.room.may_analyse(STUDENT) == "not_allowed"


def test_what_has_had_its_time_is_put_on_record_once() -> None:
    """Also where no analyser runs: the tick is due, and nothing else has to happen."""
    law = Ceiling(Mode.M3, two_keys=True, until=START + 100, rows=("row",), version="1")
    lesson = Lesson(consent=True, ceiling=law, guardian=Word(given=True, until=START + 50))
    teacher, _ = lesson.both()
    assert not lesson.room.due(lesson.now)
    for seconds, reason in ((50, "guardian_missing"), (100, "not_allowed")):
        lesson.now = START + seconds
        assert lesson.room.due(lesson.now)
        lesson.tell(ev.Tick())
        assert not lesson.room.due(lesson.now)
        assert lesson.all(m.Analysis, teacher)[-1].reason == reason
    lesson.tell(ev.Tick())
    assert lesson.all(do.KeepAudit) == [do.KeepAudit("consent.ended", "guardian")]
    assert [(one.ceiling.mode, one.ceiling.rows) for one in lesson.all(do.KeepCeiling)] == [(Mode.M0, ("row",))]


def test_what_the_student_says_elsewhere_is_told_to_the_students_page_alone() -> None:
    """Also a no where nothing ran: the page would go on asking."""
    lesson = Lesson()
    teacher, student = lesson.both()
    for by, given in ((By.SELF, False), (By.GUARDIAN, True), (By.SELF, True)):
        lesson.tell(ev.Consented(by, Word(given, math.inf)))
    assert lesson.all(m.ConsentNow, student) == [m.ConsentNow(agreed=False), m.ConsentNow(agreed=True)]
    assert lesson.all(m.ConsentNow, teacher) == []


def test_a_guardian_who_was_needed_is_needed_until_the_end() -> None:
    """Facts that change in mid-lesson, or are read anew, lift nothing."""
    lesson = Lesson(consent=True, ceiling=Ceiling(Mode.M3, two_keys=True))
    lesson.both()
    lesson.tell(ev.Settled(Ceiling(Mode.M3, two_keys=False), Word(given=True, until=math.inf), None))
    assert lesson.room.may_analyse(STUDENT) == "guardian_missing"


def test_a_consent_that_expires_in_mid_lesson_ends_the_analysis_and_is_asked_for_anew() -> None:
    guardian = Word(given=True, until=START + 50)
    lesson = Lesson(consent=True, guardian=guardian, ceiling=Ceiling(Mode.M3, two_keys=True))
    lesson.both()
    lesson.tell(ev.AnalyserStarted(1))
    lesson.now = START + 50
    assert do.StopAnalyser(1) in lesson.tell(ev.Tick())
    assert lesson.room.may_analyse(STUDENT) == "guardian_missing"


def test_what_the_store_had_does_not_undo_what_was_said_since_the_room_was_loaded() -> None:
    """A teacher who comes later has the policy decided, and consent read, while the student's word is written."""
    lesson = Lesson(consent=None)
    lesson.both()
    lesson.say(STUDENT, m.ConsentSend(agreed=False))
    lesson.tell(ev.Settled(Ceiling(Mode.M3, two_keys=False), Word(given=True, until=math.inf), None))
    assert lesson.room.consent.agreed is False
    lesson.say(STUDENT, m.ConsentSend(agreed=True))
    asked = lesson.wanted[-1]
    assert isinstance(asked, do.KeepConsent)
    lesson.tell(ev.Settled(Ceiling(Mode.M3, two_keys=False), None, None))
    lesson.tell(ev.ConsentKept(asked, math.inf))
    assert lesson.room.consent.agreed is True


def test_what_was_settled_does_not_rise_in_a_lesson() -> None:
    lesson = Lesson(consent=True, ceiling=Ceiling(Mode.M2, two_keys=False))
    lesson.both()
    lesson.tell(ev.Settled(Ceiling(Mode.M3, two_keys=False), Word(given=True, until=math.inf), None))
    assert lesson.room.may_analyse(STUDENT) == "on_device_only"
    lesson.tell(ev.Settled(Ceiling(Mode.M0, two_keys=False), None, None))
    assert lesson.room.may_analyse(STUDENT) == "not_allowed"


def test_where_only_the_device_may_look_the_mode_is_what_the_device_can() -> None:
    for device, shown in ((Mode.M0, "M0"), (Mode.M1, "M1"), (Mode.M2, "M2")):
        lesson = Lesson(consent=True, ceiling=Ceiling(Mode.M2, two_keys=False))
        lesson.tell(ev.Joined(1, STUDENT, "student", "Sam", "page-0001", device=device))
        analysis = lesson.room.analysis(START)
        assert (analysis.mode, analysis.state, analysis.reason) == (shown, "off", "on_device_only")


def test_start_and_end_of_an_analysis_go_on_record_with_the_reason() -> None:
    lesson = Lesson(consent=True)
    lesson.both()
    assert do.KeepAudit("analysis.started") in lesson.tell(ev.AnalyserStarted(1))
    assert do.KeepAudit("analysis.stopped", "not_agreed") in lesson.say(STUDENT, m.ConsentSend(agreed=False))


def test_everybody_sees_learning_and_watching_and_the_analyser_in_the_list() -> None:
    lesson = Lesson()
    teacher, student = lesson.both()
    lesson.agree()
    lesson.tell(ev.AnalyserStarted(1))
    lesson.tell(ev.StrainSeen(1, strain(Watching.LEARNING)))
    for socket in (teacher, student):
        assert lesson.all(m.Analysis, socket)[-1].state == "learning"
        assert lesson.all(m.Members, socket)[-1].members[-1].role == "analyser"


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (m.ConsentSend(agreed=False), "not_agreed"),
        (m.Camera(on=False), "camera_muted"),
        (m.Leave(), "no_camera"),
    ],
)
def test_the_analyser_stops_in_the_very_event_that_forbids_it(event: m.FromPage, reason: str) -> None:
    lesson = Lesson()
    lesson.both()
    lesson.watch()
    lesson.say(STUDENT, event)
    assert lesson.all(do.StopAnalyser) == [do.StopAnalyser(1)]
    assert lesson.indicator == ("off", reason)
    assert lesson.room.may_analyse(STUDENT) == reason


def test_a_lost_socket_of_the_student_stops_the_analyser() -> None:
    lesson = Lesson()
    _, student = lesson.both()
    lesson.watch()
    lesson.tell(ev.Lost(student))
    assert lesson.all(do.StopAnalyser) == [do.StopAnalyser(1)]


def test_a_lost_socket_of_the_teacher_does_not() -> None:
    lesson = Lesson()
    teacher, _ = lesson.both()
    lesson.watch()
    lesson.tell(ev.Lost(teacher))
    assert not lesson.all(do.StopAnalyser)


def test_the_teacher_can_turn_hints_off_and_on() -> None:
    lesson = Lesson()
    _, student = lesson.both()
    lesson.watch()
    lesson.say(TEACHER, m.HintsOn(on=False))
    assert lesson.all(do.StopAnalyser) == [do.StopAnalyser(1)]
    assert lesson.indicator == ("off", "hints_off")
    assert lesson.latest(do.KeepHintsOn) == do.KeepHintsOn(on=False)
    assert lesson.all(m.Hints, student) == [m.Hints(on=False)]
    lesson.say(TEACHER, m.HintsOn(on=True))
    assert lesson.indicator == ("off", "connecting")


@pytest.mark.parametrize(
    ("cap", "server_can", "reason"),
    [
        (Mode.M0, Mode.M3, "not_allowed"),
        (Mode.M2, Mode.M3, "on_device_only"),
        (Mode.M3, Mode.M0, "vision_down"),
        (Mode.M3, Mode.M3, None),
    ],
)
def test_owner_and_server_both_have_to_allow_the_analyser(cap: Mode, server_can: Mode, reason: str | None) -> None:
    lesson = Lesson(cap=cap, server_can=server_can, consent=True)
    lesson.both()
    assert lesson.room.may_analyse(STUDENT) == reason
    assert lesson.room.may_analyse(TEACHER) == "not_allowed"


def test_a_new_analyser_takes_the_place_of_the_old_one() -> None:
    lesson = Lesson()
    lesson.both()
    lesson.watch(1)
    lesson.tell(ev.AnalyserStarted(2))
    assert lesson.all(do.StopAnalyser) == [do.StopAnalyser(1)]
    lesson.tell(ev.AnalyserEnded(1, "connection_poor"))
    assert lesson.room.watch.session == 2


def test_a_reloaded_page_of_the_student_needs_a_new_analyser_and_its_camera_counts_as_on() -> None:
    lesson = Lesson()
    lesson.both()
    lesson.watch()
    lesson.join(STUDENT, "page-s002")
    assert lesson.all(do.StopAnalyser) == [do.StopAnalyser(1)]
    assert lesson.indicator == ("off", "connecting")


def test_a_second_socket_of_the_same_page_keeps_analyser_and_camera() -> None:
    lesson = Lesson()
    lesson.both()
    lesson.watch()
    lesson.join(STUDENT, "page-s001")
    assert not lesson.all(do.StopAnalyser)
    lesson.say(STUDENT, m.Camera(on=False))
    lesson.join(STUDENT, "page-s001")
    assert lesson.indicator == ("off", "camera_muted")


def test_an_analyser_that_ends_says_why_until_something_changes() -> None:
    lesson = Lesson()
    lesson.both()
    lesson.watch()
    lesson.tell(ev.AnalyserEnded(1, "connection_poor"))
    assert lesson.indicator == ("off", "connection_poor")
    assert lesson.room.may_analyse(STUDENT) is None
    lesson.say(STUDENT, m.Camera(on=True))
    assert lesson.indicator == ("off", "connecting")


def test_no_capacity_is_shown() -> None:
    lesson = Lesson(consent=True)
    lesson.both()
    lesson.tell(ev.AnalyserRefused("no_capacity"))
    assert lesson.indicator == ("off", "no_capacity")


def test_a_flicker_in_what_is_seen_is_not_shown_but_a_lasting_change_is() -> None:
    lesson = Lesson()
    lesson.both()
    lesson.watch()
    unsure = strain(Watching.UNSURE, Unseen.NO_FACE)
    lesson.tell(ev.StrainSeen(1, unsure))
    lesson.now += 1
    lesson.tell(ev.StrainSeen(1, strain()))
    calm = lesson.indicator
    assert calm == ("watching", None)
    for _ in range(3):
        lesson.now += 1
        lesson.tell(ev.StrainSeen(1, unsure))
    assert lesson.indicator == ("watching", "no_face")


def test_a_model_that_could_not_look_turns_the_indicator_off() -> None:
    lesson = Lesson(consent=True)
    lesson.both()
    lesson.tell(ev.AnalyserStarted(1))
    lesson.tell(ev.StrainSeen(1, strain(Watching.UNSURE, Unseen.NOT_LOOKED)))
    assert lesson.indicator == ("off", "vision_down")


def test_when_no_estimate_comes_any_more_the_indicator_goes_off() -> None:
    lesson = Lesson()
    teacher, _ = lesson.both()
    lesson.watch()
    lesson.now += 6
    lesson.tell(ev.Tick())
    assert lesson.all(m.Analysis, teacher)[-1].reason == "connection_poor"


# --- hints -----------------------------------------------------------------------------------------------------------


def due(lesson: Lesson, session: int = 1) -> Hint:
    hint = Hint("hint-0001", 12.0, Cue.FROWNING, "slow_down")
    lesson.tell(ev.HintDue(session, hint))
    return hint


def test_a_hint_is_for_the_teacher_alone_and_is_kept() -> None:
    lesson = Lesson()
    teacher, student = lesson.both()
    lesson.watch()
    due(lesson)
    assert [(hint.cue, hint.at) for hint in lesson.all(m.HintShow, teacher)] == [("frowning", int(lesson.now * 1000))]
    assert not lesson.all(m.HintShow, student)
    assert lesson.latest(do.KeepHint).record.id == "hint-0001"


def test_a_hint_of_an_analyser_that_no_longer_counts_is_dropped() -> None:
    lesson = Lesson()
    teacher, _ = lesson.both()
    lesson.watch()
    lesson.say(STUDENT, m.ConsentSend(agreed=False))
    due(lesson)
    assert not lesson.all(m.HintShow, teacher)


@pytest.mark.parametrize(("helpful", "answer"), [(True, "helpful"), (False, "not_helpful"), (None, "closed")])
def test_the_teachers_answer_is_kept_and_shown_again_on_return(helpful: bool | None, answer: str) -> None:
    lesson = Lesson()
    lesson.both()
    lesson.watch()
    due(lesson)
    lesson.say(TEACHER, m.HintFeedback(hint="hint-0001", helpful=helpful))
    assert lesson.latest(do.KeepAnswer) == do.KeepAnswer("hint-0001", answer)
    welcome = lesson.got[lesson.join(TEACHER, "page-t002")][0]
    assert isinstance(welcome, m.Welcome)
    assert [(hint.answered, hint.helpful) for hint in welcome.hints] == [(True, helpful)]


def test_an_answer_to_a_hint_that_nobody_knows_is_a_problem() -> None:
    lesson = Lesson()
    teacher, _ = lesson.both()
    lesson.say(TEACHER, m.HintFeedback(hint="hint-none", helpful=True))
    assert lesson.got[teacher][-1] == m.Problem(code="not_found")


@pytest.mark.parametrize("cap", [Mode.M0, Mode.M3])
@pytest.mark.parametrize("hints_on", [True, False])
def test_stuck_reaches_the_teacher_at_once_whatever_the_mode(cap: Mode, hints_on: bool) -> None:
    lesson = Lesson(cap=cap, hints_on=hints_on)
    teacher, student = lesson.both()
    lesson.say(STUDENT, m.StuckSend(id="press-001"))
    assert [hint.cue for hint in lesson.all(m.HintShow, teacher)] == ["stuck_button"]
    assert lesson.all(m.StuckAck, student) == [m.StuckAck(id="press-001", delivered=True)]


def test_the_same_press_again_is_answered_and_not_shown_again() -> None:
    lesson = Lesson()
    teacher, student = lesson.both()
    for _ in range(2):
        lesson.say(STUDENT, m.StuckSend(id="press-001"))
    assert len(lesson.all(m.HintShow, teacher)) == 1
    assert len(lesson.all(m.StuckAck, student)) == 2


def test_presses_soon_after_the_last_are_answered_and_make_no_hint_of_their_own() -> None:
    lesson = Lesson()
    teacher, student = lesson.both()
    for number in range(50):
        lesson.say(STUDENT, m.StuckSend(id=f"press-{number:03}"))
        lesson.now += 0.05
    assert len(lesson.all(m.HintShow, teacher)) == len(lesson.all(do.KeepHint)) == 1
    receipts = lesson.all(m.StuckAck, student)
    assert [receipt.id for receipt in receipts] == [f"press-{number:03}" for number in range(50)]
    assert all(receipt.delivered for receipt in receipts)
    lesson.now += STUCK_PAUSE
    lesson.say(STUDENT, m.StuckSend(id="press-later"))
    first, second = lesson.all(m.HintShow, teacher)
    assert first.advice != second.advice


def test_a_second_press_hears_of_the_disk_and_of_the_teachers_return_like_the_first() -> None:
    lesson = Lesson()
    student = lesson.join(STUDENT, "page-s001")
    for press in ("press-001", "press-002", "press-002"):
        lesson.say(STUDENT, m.StuckSend(id=press))
    assert not lesson.all(m.StuckAck, student)
    lesson.tell(ev.HintKept(lesson.latest(do.KeepHint).record.id, kept=True))
    lesson.say(STUDENT, m.StuckSend(id="press-003"))
    lesson.join(TEACHER)
    receipts = [(receipt.id, receipt.delivered) for receipt in lesson.all(m.StuckAck, student)]
    presses = ("press-001", "press-002", "press-003")
    assert receipts == [(press, delivered) for delivered in (False, True) for press in presses]


def test_a_room_keeps_its_latest_hundred_hints_and_no_more() -> None:
    lesson = Lesson()
    lesson.join(STUDENT, "page-s001")
    for number in range(MOST_KEPT + 20):
        lesson.now += STUCK_PAUSE
        lesson.say(STUDENT, m.StuckSend(id=f"press-{number:03}"))
    kept = [effect.record.id for effect in lesson.all(do.KeepHint)]
    assert len(kept) == MOST_KEPT + 20
    welcome = lesson.got[lesson.join(TEACHER)][0]
    assert isinstance(welcome, m.Welcome)
    assert [hint.id for hint in welcome.hints] == kept[-MOST_KEPT:]
    lesson.say(TEACHER, m.HintFeedback(hint=kept[0], helpful=True))
    assert lesson.got[lesson.sockets[TEACHER]][-1] == m.Problem(code="not_found")


def test_what_a_restarted_room_remembers_of_its_hints() -> None:
    """The pause since the last hint and the advice that was used; the button is no hint of the analyser's."""
    assert Lesson().room.hinting.remembered(START, 50.0) is None
    hints = [
        HintRecord("hint-0001", "room-0001", "frowning", "slow_down", START - 400, "helpful"),
        HintRecord("hint-0002", "room-0001", "frowning", "give_example", START - 100),
        HintRecord("hint-0003", "room-0001", "stuck_button", "explain_again", START - 10),
    ]
    known = Lesson(hints=hints).room.hinting.remembered(START, 50.0)
    assert known == HintState(started=50.0, last=Shown("hint-0002", -50.0), used={Cue.FROWNING: 2})
    answered = Lesson(hints=hints[:1]).room.hinting.remembered(START, 50.0)
    assert answered is not None
    assert answered.last == Shown("hint-0001", -350.0, answered=True)


def test_stuck_waits_for_a_teacher_who_is_away_and_the_student_hears_both_times() -> None:
    lesson = Lesson()
    student = lesson.join(STUDENT, "page-s001")
    lesson.say(STUDENT, m.StuckSend(id="press-001"))
    assert not lesson.all(m.StuckAck, student)
    lesson.tell(ev.HintKept(lesson.latest(do.KeepHint).record.id, kept=True))
    assert lesson.all(m.StuckAck, student) == [m.StuckAck(id="press-001", delivered=False)]
    welcome = lesson.got[lesson.join(TEACHER)][0]
    assert isinstance(welcome, m.Welcome)
    assert [hint.cue for hint in welcome.hints] == ["stuck_button"]
    assert lesson.all(m.StuckAck, student)[-1] == m.StuckAck(id="press-001", delivered=True)


def test_stuck_that_neither_teacher_nor_disk_has_is_given_back_and_can_be_pressed_again() -> None:
    lesson = Lesson()
    student = lesson.join(STUDENT, "page-s001")
    lesson.say(STUDENT, m.StuckSend(id="press-001"))
    lesson.tell(ev.HintKept(lesson.latest(do.KeepHint).record.id, kept=False))
    assert lesson.got[student][-1] == m.Problem(code="store_down")
    lesson.say(STUDENT, m.StuckSend(id="press-001"))
    assert len(lesson.all(do.KeepHint)) == 2


def test_after_a_restart_a_press_is_still_the_same_press() -> None:
    before = Lesson()
    before.both()
    before.say(STUDENT, m.StuckSend(id="press-001"))
    after = Lesson(hints=[before.latest(do.KeepHint).record])
    teacher, student = after.both()
    after.say(STUDENT, m.StuckSend(id="press-001"))
    assert not after.all(m.HintShow, teacher)
    assert after.all(m.StuckAck, student) == [m.StuckAck(id="press-001", delivered=True)]


def test_a_teacher_who_returns_gets_at_most_the_latest_hundred_hints() -> None:
    hints = [
        HintRecord(f"hint-{number:04}", "room-0001", "frowning", "slow_down", float(number)) for number in range(150)
    ]
    welcome = (lesson := Lesson(hints=hints)).got[lesson.join(TEACHER)][0]
    assert isinstance(welcome, m.Welcome)
    assert [hint.id for hint in welcome.hints] == [f"hint-{number:04}" for number in range(50, 150)]
