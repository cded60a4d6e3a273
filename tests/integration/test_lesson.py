"""Two real sockets in a real server: what a lesson's pages see of one another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lessonroom import messages as m
from lessonroom.app import App
from lessonroom.policy import Mode
from tests.integration.serving import Lesson, serving


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    async with serving(tmp_path, chat_per_minute=1000) as app:
        yield app


async def test_a_message_is_stored_acknowledged_and_relayed(app: App) -> None:
    lesson = await Lesson.make(app)
    async with lesson.teacher.page("page-t001") as teacher, lesson.student.page("page-s001") as student:
        ack = await student.chat("Good morning! Exercise 5 is done.")
        got = await teacher.get(m.ChatMessage)
        assert (ack.state, ack.seq) == ("relayed", 1)
        assert (got.text, got.sender, got.seq) == ("Good morning! Exercise 5 is done.", lesson.student.member, 1)


async def test_a_telephone_number_is_blocked_with_its_place_and_reaches_nobody(app: App) -> None:
    lesson = await Lesson.make(app)
    async with lesson.teacher.page("page-t001") as teacher, lesson.student.page("page-s001") as student:
        ack = await student.chat("call me: +7 912 345 67 89")
        assert ack.state == "blocked"
        assert [found.kind for found in ack.findings] == ["phone"]
        await teacher.nothing(m.ChatMessage)
        await student.say(m.ChatAppeal(id=ack.id))
        assert (await student.get(m.ChatAck)).state == "appealed"
        await teacher.nothing(m.ChatMessage)


async def test_a_kind_that_is_only_held_waits_for_a_person(tmp_path: Path) -> None:
    held = {"chat_block_kinds": "", "chat_hold_kinds": "phone"}
    async with serving(tmp_path, **held) as app:
        lesson = await Lesson.make(app)
        async with lesson.teacher.page("page-t001") as teacher, lesson.student.page("page-s001") as student:
            assert (await student.chat("call me: +7 912 345 67 89")).state == "held"
            await teacher.nothing(m.ChatMessage)


async def test_who_pays_is_not_screened(app: App) -> None:
    lesson = await Lesson.make(app)
    async with lesson.student.page("page-s001") as student:
        assert (await student.chat("call me: +7 912 345 67 89")).state == "blocked"
        await app.hub.set_paying("sam", paying=True)
        assert (await student.chat("call me: +7 912 345 67 89", "message-2")).state == "relayed"


async def test_the_same_id_sent_again_is_answered_and_not_stored_twice(app: App) -> None:
    lesson = await Lesson.make(app)
    async with lesson.teacher.page("page-t001") as teacher, lesson.student.page("page-s001") as student:
        first = await student.chat("hello")
        again = await student.chat("hello")
        assert (again.seq, again.at) == (first.seq, first.at)
        await teacher.get(m.ChatMessage)
        await teacher.nothing(m.ChatMessage)
        assert (await student.chat("bye", "message-2")).seq == 2


async def test_messages_keep_their_order_however_fast_they_are_sent(app: App) -> None:
    lesson = await Lesson.make(app)
    async with lesson.teacher.page("page-t001") as teacher, lesson.student.page("page-s001") as student:
        for number in range(50):
            await student.say(m.ChatSend(id=f"message-{number}", text=f"line {number}"))
        got = [await teacher.get(m.ChatMessage) for _ in range(50)]
        assert [message.text for message in got] == [f"line {number}" for number in range(50)]
        assert [(await student.get(m.ChatAck)).seq for _ in range(50)] == list(range(1, 51))


async def test_after_a_reconnect_everything_comes_that_was_missed(tmp_path: Path) -> None:
    async with serving(tmp_path, chat_per_minute=1000, replay_limit=7, socket_queue=8) as app:
        lesson = await Lesson.make(app)
        async with lesson.student.page("page-s001") as student:
            for number in range(40):
                await student.chat(f"line {number}", f"message-{number}")
            async with lesson.teacher.page("page-t001", after=10) as teacher:
                assert teacher.welcome.last_seq == 40
                got = [(await teacher.get(m.ChatMessage)).seq for _ in range(30)]
                assert got == list(range(11, 41))
                await student.chat("and one more", "message-x")
                assert (await teacher.get(m.ChatMessage)).seq == 41


async def test_a_new_window_takes_the_place_of_the_old_one(app: App) -> None:
    lesson = await Lesson.make(app)
    async with lesson.teacher.page("page-t001") as old, lesson.teacher.page("page-t002") as new:
        assert await old.closed() == m.CloseCode.REPLACED
        await new.nothing(m.ChatMessage)


async def test_two_rooms_hear_nothing_of_each_other(app: App) -> None:
    one, other = await Lesson.make(app), await Lesson.make(app)
    async with one.student.page("page-s001") as speaker, other.teacher.page("page-t001") as listener:
        await speaker.chat("for my own teacher")
        await speaker.say(m.StuckSend(id="press-001"))
        await speaker.say(
            m.SignalSend(to=other.teacher.member, page="page-t001", candidate=m.Candidate(candidate="candidate:1"))
        )
        await speaker.nothing(m.Problem)
        for kind in (m.ChatMessage, m.HintShow, m.Signal, m.Members):
            await listener.nothing(kind)


async def test_signals_are_relayed_between_the_two_pages(app: App) -> None:
    lesson = await Lesson.make(app)
    async with lesson.teacher.page("page-t001") as teacher, lesson.student.page("page-s001") as student:
        offer = m.Description(type="offer", sdp="v=0\r\n")
        await student.say(m.SignalSend(to=lesson.teacher.member, page="page-t001", description=offer))
        got = await teacher.get(m.Signal)
        assert (got.sender, got.page, got.description) == (lesson.student.member, "page-s001", offer)


async def test_stuck_reaches_the_teacher_at_once_and_waits_for_one_who_is_away(app: App) -> None:
    lesson = await Lesson.make(app, Mode.M0)
    async with lesson.student.page("page-s001") as student:
        await student.say(m.StuckSend(id="press-001"))
        assert not (await student.get(m.StuckAck)).delivered
        async with lesson.teacher.page("page-t001") as teacher:
            assert [hint.cue for hint in teacher.welcome.hints] == ["stuck_button"]
            assert (await student.get(m.StuckAck)).delivered
            await student.say(m.StuckSend(id="press-002"))
            assert (await student.get(m.StuckAck)).delivered
            await teacher.nothing(m.HintShow)
            await teacher.say(m.HintFeedback(hint=teacher.welcome.hints[0].id, helpful=True))
            await teacher.nothing(m.Problem)
        async with lesson.teacher.page("page-t002") as teacher:
            assert [(hint.answered, hint.helpful) for hint in teacher.welcome.hints] == [(True, True)]


async def test_consent_is_shown_to_both_kept_and_taken_back(app: App) -> None:
    lesson = await Lesson.make(app)
    async with lesson.teacher.page("page-t001") as teacher:
        async with lesson.student.page("page-s001") as student:
            await student.say(m.ConsentSend(agreed=True))
            assert (await teacher.get(m.Analysis, lambda now: now.mode == "M3")).reason == "connecting"
        async with lesson.student.page("page-s002") as student:
            assert student.welcome.consent is True
            await student.say(m.ConsentSend(agreed=False))
            assert (await teacher.get(m.Analysis, lambda now: now.mode == "M0")).reason == "not_agreed"


async def test_a_restarted_server_knows_the_lesson_as_it_was(tmp_path: Path) -> None:
    async with serving(tmp_path) as app:
        lesson = await Lesson.make(app)
        async with lesson.teacher.page("page-t001") as teacher, lesson.student.page("page-s001") as student:
            await student.chat("hello")
            await student.say(m.ConsentSend(agreed=True))
            await teacher.get(m.Analysis, lambda now: now.mode == "M3")
            await teacher.say(m.HintsOn(on=False))
            await student.get(m.Hints)
            await student.say(m.StuckSend(id="press-001"))
            await student.get(m.StuckAck)
        port = app.settings.port
    async with serving(tmp_path) as app:
        for visitor in (lesson.teacher, lesson.student):
            # the same cookie opens the door of the server at its new port
            visitor.http.base_url, visitor.base = app.admission.public_url, app.admission.public_url
            visitor.http.headers["Origin"] = app.admission.public_url
        assert app.settings.port != port
        async with lesson.teacher.page("page-t001") as teacher:
            welcome = teacher.welcome
            assert (welcome.consent, welcome.hints_on, welcome.last_seq, len(welcome.hints)) == (True, False, 1, 1)
            assert (await teacher.get(m.ChatMessage)).text == "hello"


async def test_a_closed_room_sends_its_people_out_and_lets_nobody_in(app: App) -> None:
    lesson = await Lesson.make(app)
    async with lesson.teacher.page("page-t001") as teacher:
        await app.hub.close_room(lesson.room)
        assert await teacher.closed() == m.CloseCode.ROOM_CLOSED
    with pytest.raises(Exception, match="4004"):
        async with lesson.teacher.page("page-t001"):
            raise AssertionError("let in")


async def test_while_the_store_is_down_nothing_is_acknowledged_and_the_lesson_goes_on(app: App) -> None:
    lesson = await Lesson.make(app)
    async with lesson.teacher.page("page-t001") as teacher, lesson.student.page("page-s001") as student:
        await app.services.store.close()
        await student.say(m.ChatSend(id="message-1", text="hello"))
        assert (await student.get(m.ChatRefused)).code == "store_down"
        offer = m.Description(type="offer", sdp="v=0\r\n")
        await student.say(m.SignalSend(to=lesson.teacher.member, page="page-t001", description=offer))
        await teacher.get(m.Signal)
        await student.say(m.StuckSend(id="press-001"))
        await teacher.get(m.HintShow)
        await teacher.nothing(m.ChatMessage)


async def test_a_member_that_writes_too_much_is_told_and_keeps_the_connection(tmp_path: Path) -> None:
    async with serving(tmp_path, chat_per_minute=2, chat_length=5) as app:
        lesson = await Lesson.make(app)
        async with lesson.student.page("page-s001") as student:
            await student.say(m.ChatSend(id="message-0", text="longer"))
            assert (await student.get(m.ChatRefused)).code == "too_long"
            await asyncio.gather(student.chat("one", "message-1"))
            await student.chat("two", "message-2")
            await student.say(m.ChatSend(id="message-3", text="three"))
            assert (await student.get(m.ChatRefused)).code == "rate_limited"
