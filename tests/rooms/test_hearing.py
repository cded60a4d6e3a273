"""From a student's message, exercise or press to the teacher's hint, in a hub whose clock a test can push on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from lessonroom import messages as m
from lessonroom.config import Settings
from lessonroom.errors import NotFound, Refused
from lessonroom.media.hints import HintState
from lessonroom.media.types import Cue
from lessonroom.metrics import Metrics
from lessonroom.rooms.hub import Hub
from lessonroom.rooms.listening import Exercise
from tests.fakes import FakeStore
from tests.rooms.test_analysing import ROOM, STUDENT, House, store
from tests.rooms.test_hub import PATIENCE, Guest, Judge, enter

__all__ = ["store"]

PLEA = "I don't get it"
QUICK = Settings(hint_first_seconds=0, hint_hold_seconds=0, hint_pause_seconds=300)


class School:
    """A hub without vision, and the two who are in its room."""

    def __init__(self, hub: Hub, teacher: Guest, student: Guest) -> None:
        self.hub, self.teacher, self.student = hub, teacher, student
        self._messages = 0

    async def say(self, who: Guest, *texts: str) -> None:
        for text in texts:
            self._messages += 1
            who.say(m.ChatSend(id=f"message-{self._messages}", text=text))
            await who.get(m.ChatAck)

    async def solve(self, *events: Exercise) -> None:
        for number, event in enumerate(events):
            await self.hub.solved(ROOM, STUDENT, event, f"event-{number:03}")

    def second(self) -> None:
        """What the hub does each second."""
        self.hub._tick(self.student.seat.live)

    async def silence(self) -> None:
        """Assert that the teacher is told nothing in this second."""
        self.second()
        self.teacher.say(m.Ping())
        async with asyncio.timeout(PATIENCE):
            while (frame := await self.teacher.outbox.take()) is not None:
                message = m.parse_to_page(frame)
                assert not isinstance(message, m.HintShow)
                if isinstance(message, m.Pong):
                    return


@pytest.fixture
async def school(store: FakeStore) -> AsyncIterator[School]:
    hub = Hub(store, Judge(), None, QUICK, Metrics())
    school = School(hub, await enter(hub, "teacher"), await enter(hub, "student"))
    school.second()
    yield school
    await hub.stop()


async def test_a_student_without_camera_and_consent_who_writes_twice_that_it_is_unclear_becomes_a_hint(
    school: School,
) -> None:
    """Mode M0 leaves the button and the cues; the teacher gets words, and nothing of the message is in them."""
    await school.say(school.student, PLEA)
    await school.silence()
    await school.say(school.student, PLEA)
    school.second()
    hint = await school.teacher.get(m.HintShow)
    assert (hint.cue, hint.advice, hint.answered) == ("chat", "explain_again", False)
    await school.student.seat.live.records.finish()
    assert hint.id in {kept.id for kept in await school.hub._store.hints(ROOM)}
    await school.say(school.student, PLEA, PLEA)
    await school.silence()  # five minutes have not passed


async def test_exercises_that_go_badly_become_a_hint(school: School) -> None:
    await school.solve(*[Exercise.WRONG_ANSWER] * 5)
    school.second()
    assert (await school.teacher.get(m.HintShow)).cue == "exercise"


async def test_a_message_that_was_stopped_or_sent_again_is_not_heard(school: School) -> None:
    await school.say(school.student, f"{PLEA}. 555", f"{PLEA}. 555")  # the judge of these tests blocks 555
    await school.silence()
    for _ in range(4):
        school.student.say(m.ChatSend(id="message-same", text=PLEA))
        await school.student.get(m.ChatAck)
    await school.silence()


async def test_while_hints_are_off_nothing_is_heard_and_nothing_is_told_later(school: School) -> None:
    school.teacher.say(m.HintsOn(on=False))
    await school.say(school.student, PLEA, PLEA)
    await school.solve(*[Exercise.WRONG_ANSWER] * 6)
    school.teacher.say(m.HintsOn(on=True))
    await school.silence()  # not even before the first second is over
    await school.say(school.student, PLEA)
    school.teacher.say(m.HintsOn(on=False))
    await school.silence()
    school.teacher.say(m.HintsOn(on=True))
    await school.silence()
    await school.say(school.student, PLEA)
    await school.silence()  # what was written before does not count
    await school.say(school.student, PLEA)
    school.second()
    assert (await school.teacher.get(m.HintShow)).cue == "chat"


async def test_hints_off_and_on_within_a_second_begin_anew(school: School) -> None:
    """The clock, which looks once a second, sees no change; the switch itself must count."""
    await school.say(school.student, PLEA)
    school.teacher.say(m.HintsOn(on=False))
    school.teacher.say(m.HintsOn(on=True))
    await school.say(school.student, PLEA)
    await school.silence()
    await school.say(school.student, PLEA)
    school.second()
    assert (await school.teacher.get(m.HintShow)).cue == "chat"


async def test_what_a_watch_held_when_hints_were_turned_off_is_forgotten(house: House) -> None:
    teacher, _ = await house.both()
    watch = house.analyse()
    watch.hints = HintState(started=0.0, held=3.0)
    teacher.say(m.HintsOn(on=False))
    teacher.say(m.HintsOn(on=True))
    given = house.analyse().given
    assert given is not None
    assert given.held is None


async def test_nobody_is_told_while_one_of_the_two_is_away(school: School) -> None:
    await school.say(school.student, PLEA, PLEA)
    school.hub.leave(school.student.seat)
    await school.silence()
    school.student = await enter(school.hub, "student")
    school.second()
    assert (await school.teacher.get(m.HintShow)).cue == "chat"


@pytest.mark.parametrize("who", ["teacher", "student"])
async def test_exercises_that_are_done_while_one_of_the_two_is_away_do_not_count(school: School, who: str) -> None:
    school.hub.leave(getattr(school, who).seat)
    await school.solve(*[Exercise.WRONG_ANSWER] * 6)
    setattr(school, who, await enter(school.hub, who))
    await school.silence()
    await school.hub.solved(ROOM, STUDENT, Exercise.WRONG_ANSWER, "event-007")
    await school.silence()  # the row begins with the lesson


async def test_exercises_of_strangers_teachers_and_rooms_without_a_lesson(school: School) -> None:
    with pytest.raises(NotFound):
        await school.hub.solved("room-0009", STUDENT, Exercise.WRONG_ANSWER, "event-001")
    with pytest.raises(NotFound):
        await school.hub.solved(ROOM, "nobody", Exercise.WRONG_ANSWER, "event-001")
    with pytest.raises(Refused):
        await school.hub.solved(ROOM, f"teacher-{ROOM}", Exercise.WRONG_ANSWER, "event-001")
    await school.hub.close_room(ROOM)
    await school.solve(*[Exercise.WRONG_ANSWER] * 6)  # heard by nobody, and no error


async def test_a_defect_in_listening_closes_its_room_and_stops_no_clock(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(school.student.seat.live.listening, "due", broken)
    school.second()
    await school.student.outbox.closed()
    assert school.student.outbox.code == m.CloseCode.SERVER_BUSY


# --- with an analyser ------------------------------------------------------------------------------------------------


@pytest.fixture
async def house(store: FakeStore) -> AsyncIterator[House]:
    house = House(store)
    yield house
    await house.hub.stop()


async def test_a_watch_hears_of_every_cue_and_speaks_for_it(store: FakeStore) -> None:
    house = House(store, QUICK)
    teacher, student = await house.both()
    school = School(house.hub, teacher, student)
    watch = house.analyse()
    await school.say(student, PLEA, "fine", PLEA)
    await school.solve(Exercise.LONG_PAUSE)
    assert [cue for cue, _ in watch.noted] == [Cue.CHAT, Cue.CHAT, Cue.EXERCISE]
    await school.silence()  # the ears themselves keep quiet
    assert watch.seconds == 1  # and the watch knows the time, in case its pictures stay away
    student.say(m.StuckSend(id="press-001"))
    assert watch.noted[-1][0] is Cue.STUCK_BUTTON
    await house.hub.stop()


async def test_a_watch_that_begins_is_told_what_was_heard_before(house: House) -> None:
    teacher, student = await house.both()
    await School(house.hub, teacher, student).say(student, PLEA)
    ((cue, age),) = house.analyse().noted
    assert cue is Cue.CHAT
    assert 0 <= age < PATIENCE


async def test_a_hint_that_was_heard_keeps_the_next_watch_quiet_and_its_answer_counts(store: FakeStore) -> None:
    house = House(store, QUICK)
    teacher, student = await house.both()
    school = School(house.hub, teacher, student)
    school.second()
    await school.say(student, PLEA, PLEA)
    school.second()
    hint = await teacher.get(m.HintShow)
    teacher.say(m.HintFeedback(hint=hint.id, helpful=False))
    given = house.analyse().given
    assert given is not None
    assert given.last is not None
    assert (given.last.id, given.last.answered) == (hint.id, True)
    assert given.shift > 0
    await house.hub.stop()
