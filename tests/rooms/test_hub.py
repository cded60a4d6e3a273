"""How effects are carried out: what waits for what, what happens when store, filter or pipeline fail."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, replace
from typing import Any, NoReturn

import pytest

from lessonroom import messages as m
from lessonroom.chat.types import Action, Decider, Line, Standing, StandingClass, Verdict
from lessonroom.config import Settings
from lessonroom.errors import Busy, NotFound, Refused, StoreDown
from lessonroom.metrics import Metrics
from lessonroom.policy import Mode
from lessonroom.rooms import carrying, keeping, ruling
from lessonroom.rooms.hub import Hub, Seat
from lessonroom.rooms.live import CHAT_WAITING
from lessonroom.rooms.outbox import Outbox
from lessonroom.simulate.facts import ADULT, SETTING
from lessonroom.storage.audit import AuditRecord
from lessonroom.storage.consent import ConsentRecord
from lessonroom.storage.store import MemberRecord, NewMessage, RoomRecord, StoredMessage
from tests.fakes import FakeStore
from tests.rooms.lesson import HOUSE

PATIENCE = 30.0
"""How long a test waits for something that must come, in seconds."""


class Judge:
    """A filter that a test controls. ``gates``: texts that wait; ``seen``: what it was asked."""

    def __init__(self) -> None:
        self.gates: dict[str, asyncio.Event] = {}
        self.seen: list[tuple[str, Standing, list[Line]]] = []
        self.error: Exception | None = None

    async def screen(self, text: str, *, room: str, sender: str, standing: Standing, context: list[Line]) -> Verdict:
        self.seen.append((text, standing, context))
        if text in self.gates:
            await self.gates[text].wait()
        if self.error:
            raise self.error
        return Verdict(Action.BLOCK if "555" in text else Action.RELAY, 0.5, decider=Decider.RULES)


class SlowStore(FakeStore):
    """A store whose appending waits for a gate, by room."""

    def __init__(self) -> None:
        super().__init__()
        self.gates: dict[str, asyncio.Event] = {}

    async def append(self, message: NewMessage, *, audit: AuditRecord | None = None) -> tuple[StoredMessage, bool]:
        if message.room in self.gates:
            await self.gates[message.room].wait()
        return await super().append(message, audit=audit)


class Guest:
    """A page without a socket: what the hub sends lies in its outbox."""

    def __init__(self, hub: Hub, seat: Seat, outbox: Outbox) -> None:
        self.hub, self.seat, self.outbox = hub, seat, outbox

    def say(self, message: m.FromPage) -> None:
        self.hub.receive(self.seat, message)

    async def get(self, kind: type[Any]) -> Any:
        async with asyncio.timeout(PATIENCE):
            while True:
                frame = await self.outbox.take()
                assert frame is not None, f"closed with {self.outbox.code}"
                message = m.parse_to_page(frame)
                if isinstance(message, kind):
                    return message


@pytest.fixture
def judge() -> Judge:
    return Judge()


@pytest.fixture
async def store() -> SlowStore:
    store = SlowStore()
    await store.open()
    for room in ("room-0001", "room-0002"):
        await store.add_room(RoomRecord(room, "M3", time.time(), setting=SETTING))
        for role in ("teacher", "student"):
            await store.add_member(
                MemberRecord(f"{role}-{room}", room, role, role, f"{role}-sender", 0, "", 0, **asdict(ADULT))
            )
    return store


@pytest.fixture
async def hub(store: SlowStore, judge: Judge) -> AsyncIterator[Hub]:
    settings = Settings(socket_queue=512, chat_per_minute=10_000, chat_context=3)
    hub = Hub(store, judge, None, settings, Metrics(), house=HOUSE)
    hub.start()
    yield hub
    await hub.stop()


async def enter(hub: Hub, role: str, room: str = "room-0001", page: str = "page-0001", after: int = 0) -> Guest:
    outbox = Outbox(512)
    guest = Guest(hub, await hub.join(room, f"{role}-{room}", outbox, page=page, after=after), outbox)
    await guest.get(m.Welcome)
    return guest


def chat(text: str, id_: str = "message-1") -> m.ChatSend:
    return m.ChatSend(id=id_, text=text)


async def test_nothing_is_acknowledged_or_relayed_before_the_store_has_returned(hub: Hub, store: SlowStore) -> None:
    teacher, student = await enter(hub, "teacher"), await enter(hub, "student")
    await teacher.get(m.Members)
    gate = store.gates["room-0001"] = asyncio.Event()
    student.say(chat("hello"))
    for _ in range(20):
        await asyncio.sleep(0)
    assert (len(teacher.outbox), len(student.outbox)) == (0, 0)
    assert await store.last_seq("room-0001") == 0
    gate.set()
    assert (await student.get(m.ChatAck)).seq == 1
    assert (await teacher.get(m.ChatMessage)).seq == 1


async def test_a_slow_verdict_keeps_the_order_of_its_room_and_holds_up_no_other(hub: Hub, judge: Judge) -> None:
    teacher, student = await enter(hub, "teacher"), await enter(hub, "student")
    elsewhere = await enter(hub, "student", "room-0002")
    gate = judge.gates["slow"] = asyncio.Event()
    student.say(chat("slow", "message-1"))
    student.say(chat("quick", "message-2"))
    elsewhere.say(chat("quick"))
    assert (await elsewhere.get(m.ChatAck)).state == "relayed"
    student.say(m.Ping())
    await student.get(m.Pong)  # nor does it hold up anything else of its own room
    gate.set()
    assert [(await teacher.get(m.ChatMessage)).text for _ in range(2)] == ["slow", "quick"]


async def test_when_the_store_is_down_the_writer_is_told_and_the_next_message_goes_through(
    hub: Hub, store: SlowStore
) -> None:
    student = await enter(hub, "student")
    store.down = True
    student.say(chat("hello"))
    assert (await student.get(m.ChatRefused)).code == "store_down"
    store.down = False
    student.say(chat("hello"))
    assert (await student.get(m.ChatAck)).seq == 1


async def test_too_many_waiting_messages_of_one_room_are_refused(hub: Hub, judge: Judge) -> None:
    student = await enter(hub, "student")
    gate = judge.gates["slow"] = asyncio.Event()
    student.say(chat("slow", "message-0000"))
    await asyncio.sleep(0)
    for number in range(CHAT_WAITING + 1):
        student.say(chat("next", f"message-{number + 1:04}"))
    assert (await student.get(m.ChatRefused)).code == "rate_limited"
    gate.set()
    for _ in range(CHAT_WAITING + 1):
        await student.get(m.ChatAck)


async def test_a_message_whose_turn_comes_too_late_is_refused_and_the_next_one_goes_through(
    hub: Hub, store: SlowStore, judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under more than it can carry a server stays late by so much and no more; what is under way is not given up."""
    student = await enter(hub, "student")
    gate = judge.gates["slow"] = asyncio.Event()
    student.say(chat("slow", "message-1"))
    while not judge.seen:
        await asyncio.sleep(0)
    with monkeypatch.context() as patch:
        patch.setattr(carrying, "LONGEST_WAIT", 0.0)
        student.say(chat("late", "message-2"))
    student.say(chat("next", "message-3"))
    gate.set()
    assert (await student.get(m.ChatAck)).id == "message-1"
    refused = await student.get(m.ChatRefused)
    assert (refused.id, refused.code) == ("message-2", "busy")
    assert (await student.get(m.ChatAck)).id == "message-3"
    assert await store.last_seq("room-0001") == 2


async def test_a_filter_that_raises_holds_the_message(hub: Hub, judge: Judge) -> None:
    teacher, student = await enter(hub, "teacher"), await enter(hub, "student")
    judge.error = RuntimeError("a defect")
    student.say(chat("hello"))
    assert (await student.get(m.ChatAck)).state == "held"
    judge.error = None
    student.say(chat("bye", "message-2"))
    assert (await teacher.get(m.ChatMessage)).text == "bye"


async def test_the_filter_sees_the_latest_lines_and_what_is_known_of_the_sender(
    hub: Hub, store: SlowStore, judge: Judge
) -> None:
    student = await enter(hub, "student")
    for number in range(5):
        student.say(chat(f"line {number}", f"message-{number}"))
        await student.get(m.ChatAck)
    text, standing, context = judge.seen[-1]
    assert (text, standing.standing) == ("line 4", StandingClass.NEW)
    assert [line.text for line in context] == ["line 1", "line 2", "line 3"]
    await hub.set_paying("student-sender", paying=True)
    student.say(chat("line 5", "message-5"))
    await student.get(m.ChatAck)
    assert judge.seen[-1][1].standing is StandingClass.PAYING


async def test_a_line_that_was_stored_though_nobody_heard_of_it_is_context_once_it_is_sent_again(
    hub: Hub, store: SlowStore, judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or half a number in it would be forgotten, and the other half pass."""
    student, append = await enter(hub, "student"), store.append

    async def too_late(message: NewMessage, *, audit: AuditRecord | None = None) -> NoReturn:
        await append(message, audit=audit)
        raise StoreDown("told to be late")

    with monkeypatch.context() as patch:
        patch.setattr(store, "append", too_late)
        student.say(chat("half of it"))
        assert (await student.get(m.ChatRefused)).code == "store_down"
    for _ in range(2):  # the second answer gets lost on its way
        student.say(chat("half of it"))
        assert (await student.get(m.ChatAck)).seq == 1
    student.say(chat("the other half", "message-2"))
    await student.get(m.ChatAck)
    assert [line.text for line in judge.seen[-1][2]] == ["half of it"]


async def test_the_context_survives_a_restart(store: SlowStore, judge: Judge, hub: Hub) -> None:
    student = await enter(hub, "student")
    student.say(chat("before the restart"))
    await student.get(m.ChatAck)
    later = Hub(store, judge, None, Settings(), Metrics())
    again = await enter(later, "student")
    again.say(chat("after it", "message-2"))
    await again.get(m.ChatAck)
    assert [line.text for line in judge.seen[-1][2]] == ["before the restart"]
    await later.stop()


async def test_a_replay_waits_for_a_store_that_is_away(
    hub: Hub, store: SlowStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lessonroom.rooms.replaying.RETRY_SECONDS", 0.01)
    student = await enter(hub, "student")
    student.say(chat("hello"))
    await student.get(m.ChatAck)
    live = student.seat.live
    outbox = Outbox(512)
    joining = hub.join("room-0001", "teacher-room-0001", outbox, page="page-0001", after=0)
    teacher = Guest(hub, await joining, outbox)
    store.down = True
    await teacher.get(m.Welcome)
    await asyncio.sleep(0.03)
    store.down = False
    assert (await teacher.get(m.ChatMessage)).text == "hello"
    assert live.outboxes


async def test_a_reader_to_whom_nothing_can_be_read_is_sent_away_and_comes_back(
    hub: Hub, store: SlowStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They would sit in a lesson whose chat they never hear."""
    student = await enter(hub, "student")
    student.say(chat("hello"))
    await student.get(m.ChatAck)

    async def broken(*_: object) -> NoReturn:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(store, "after", broken)
        teacher = await enter(hub, "teacher")
        async with asyncio.timeout(PATIENCE):
            await teacher.outbox.closed()
    assert (teacher.outbox.code, student.outbox.code) == (m.CloseCode.SERVER_BUSY, None)
    hub.leave(teacher.seat)
    assert (await (await enter(hub, "teacher")).get(m.ChatMessage)).text == "hello"


async def test_a_withdrawal_counts_at_once_and_is_written_as_soon_as_the_store_is_back(
    hub: Hub, store: SlowStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "RETRY_SECONDS", 0.01)
    student = await enter(hub, "student")
    student.say(m.ConsentSend(agreed=True))
    while student.seat.live.room.consent.agreed is None:
        await asyncio.sleep(0)
    store.down = True
    student.say(m.ConsentSend(agreed=False))
    assert student.seat.live.room.consent.agreed is False
    await asyncio.sleep(0.03)
    hub.leave(student.seat)
    assert not student.seat.live.idle  # the room is not forgotten before it is written
    store.down = False
    async with asyncio.timeout(PATIENCE):
        while [word.given for word in await store.consents("student-sender")] != [False]:
            await asyncio.sleep(0.005)


async def test_a_no_survives_its_room_that_breaks_while_the_store_is_away(
    hub: Hub, store: SlowStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The room is read anew as soon as the store is back, perhaps before the no is written: it counts there, too."""
    student = await enter(hub, "student")
    student.say(m.ConsentSend(agreed=True))
    while student.seat.live.room.consent.agreed is None:
        await asyncio.sleep(0)
    away, keep = True, store.add_consent

    async def sometimes(consent: ConsentRecord, audit: AuditRecord) -> None:
        if away:
            raise StoreDown("told to be down")
        await keep(consent, audit)

    monkeypatch.setattr(store, "add_consent", sometimes)
    monkeypatch.setattr(keeping, "RETRY_SECONDS", 0.01)
    student.say(m.ConsentSend(agreed=False))
    await asyncio.sleep(0)
    hub._broken(student.seat.live, ZeroDivisionError())
    hub.leave(student.seat)
    again = await enter(hub, "student")
    assert [word.given for word in await store.consents("student-sender")] == [True]
    assert again.seat.live.room.consent.agreed is False
    away = False
    async with asyncio.timeout(PATIENCE):
        while [word.given for word in await store.consents("student-sender")] != [False]:
            await asyncio.sleep(0.005)
    assert again.seat.live.room.consent.agreed is False


async def test_a_yes_said_in_the_room_that_was_read_anew_is_not_undone_by_the_no_before_it(
    hub: Hub, store: SlowStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "RETRY_SECONDS", 0.05)
    student = await enter(hub, "student")
    store.down = True
    student.say(m.ConsentSend(agreed=False))
    await asyncio.sleep(0)
    hub._broken(student.seat.live, ZeroDivisionError())
    hub.leave(student.seat)
    store.down = False
    again = await enter(hub, "student")
    again.say(m.ConsentSend(agreed=True))
    while again.seat.live.room.consent.agreed is not True:
        await asyncio.sleep(0)
    while not student.seat.live.idle:
        await asyncio.sleep(0.005)
    assert [word.given for word in await store.consents("student-sender")] == [True]


async def test_rules_that_end_in_mid_lesson_are_told_and_put_on_record_though_nothing_is_analysed(
    hub: Hub, store: SlowStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within a second or so, and on record as soon as the store is back."""
    monkeypatch.setattr(ruling, "RETRY_SECONDS", 0.01)
    await enter(hub, "teacher")
    student = await enter(hub, "student")
    watch = student.seat.live.room.watch
    assert watch.ceiling is not None
    watch.cap = watch.server_can = Mode.M3
    student.say(m.ConsentSend(agreed=True))
    while (await student.get(m.Analysis)).reason != "connecting":
        pass
    store.down = True
    watch.ceiling = replace(watch.ceiling, until=time.time())
    assert (await student.get(m.Analysis)).reason == "not_allowed"
    await asyncio.sleep(0.03)
    store.down = False
    async with asyncio.timeout(PATIENCE):
        while (await store.audits(None, 99))[-1].action != "policy.expired":
            await asyncio.sleep(0.005)
    assert (await store.room("room-0001")).ceiling == "M0"


async def test_a_lesson_that_is_read_anew_still_needs_the_guardian(hub: Hub, store: SlowStore) -> None:
    audit = AuditRecord("deed", 0.0, "test", "policy.decided", "room:room-0001")
    await store.set_ceiling("room-0001", "M3", True, audit)
    assert (await enter(hub, "student")).seat.live.room.consent.guardian_missing


async def test_a_yes_that_cannot_be_written_is_told(hub: Hub, store: SlowStore) -> None:
    student = await enter(hub, "student")
    store.down = True
    student.say(m.ConsentSend(agreed=True))
    assert (await student.get(m.Problem)).code == "store_down"
    assert student.seat.live.room.consent.agreed is None


async def test_an_appeal_comes_after_its_message_even_when_both_are_sent_at_once(hub: Hub) -> None:
    student = await enter(hub, "student")
    student.say(chat("call 555"))
    student.say(m.ChatAppeal(id="message-1"))
    student.say(m.ChatAppeal(id="message-none"))
    assert [(await student.get(m.ChatAck)).state for _ in range(2)] == ["blocked", "appealed"]
    assert (await student.get(m.Problem)).code == "not_found"


async def test_members_of_other_rooms_and_closed_rooms_are_not_let_in(hub: Hub) -> None:
    with pytest.raises(NotFound):
        await hub.join("room-0001", "student-room-0002", Outbox(8), page="page-0001", after=0)
    with pytest.raises(NotFound):
        await hub.join("room-none", "student-room-0002", Outbox(8), page="page-0001", after=0)
    await hub.close_room("room-0002")
    with pytest.raises(Refused):
        await hub.join("room-0002", "student-room-0002", Outbox(8), page="page-0001", after=0)


async def test_a_room_that_cannot_be_read_lets_nobody_in_rather_than_somebody_unchecked(
    hub: Hub, store: SlowStore
) -> None:
    store.down = True
    with pytest.raises(StoreDown):
        await hub.join("room-0001", "student-room-0001", Outbox(8), page="page-0001", after=0)
    store.down = False
    await enter(hub, "student")


async def test_many_who_come_at_once_meet_in_one_room(hub: Hub) -> None:
    teacher, student = await asyncio.gather(enter(hub, "teacher"), enter(hub, "student"))
    assert teacher.seat.live is student.seat.live


async def test_an_empty_room_is_forgotten_after_a_while_and_read_again(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lessonroom.rooms.shelf.FORGET_SECONDS", -1.0)
    student = await enter(hub, "student")
    first = student.seat.live
    hub._shelf.forget(time.time())
    assert (await enter(hub, "teacher")).seat.live is first  # somebody is in it
    hub.leave(student.seat)
    for guest_socket in list(first.outboxes):
        hub.leave(Seat(first, guest_socket, ""))
    async with asyncio.timeout(PATIENCE):
        while hub._shelf.peek("room-0001") is not None:
            await asyncio.sleep(0.02)
    assert (await enter(hub, "student")).seat.live is not first


async def test_a_defect_in_one_room_closes_its_sockets_and_the_room_is_read_anew(hub: Hub, store: SlowStore) -> None:
    student, elsewhere = await enter(hub, "student"), await enter(hub, "student", "room-0002")

    async def broken(message: NewMessage) -> tuple[StoredMessage, bool]:
        raise ZeroDivisionError

    good, store.append = store.append, broken  # type: ignore[method-assign]
    student.say(chat("hello"))
    await student.outbox.closed()
    assert student.outbox.code == m.CloseCode.SERVER_BUSY
    store.append = good  # type: ignore[method-assign]
    elsewhere.say(chat("hello"))
    await elsewhere.get(m.ChatAck)
    hub.leave(student.seat)
    again = await enter(hub, "student")
    again.say(chat("hello"))
    assert (await again.get(m.ChatAck)).seq == 1


async def test_late_news_of_a_room_that_broke_does_not_reach_the_one_that_was_read_anew(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other page's socket may end seconds later, when the first page is back."""
    teacher, student = await enter(hub, "teacher"), await enter(hub, "student")

    def broken(*_: object) -> list[object]:
        raise ZeroDivisionError

    monkeypatch.setattr(student.seat.live.room, "handle", broken)
    student.say(m.Ping())
    hub.leave(student.seat)
    again = await enter(hub, "student")
    hub.leave(teacher.seat)
    again.say(m.Ping())
    await again.get(m.Pong)
    assert hub._shelf.peek("room-0001") is again.seat.live


async def test_a_closed_room_that_breaks_over_its_end_lets_everybody_go(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    student = await enter(hub, "student")

    def broken(*_: object) -> list[object]:
        raise ZeroDivisionError

    monkeypatch.setattr(student.seat.live.room, "handle", broken)
    await hub.close_room("room-0001")
    assert student.outbox.code == m.CloseCode.SERVER_BUSY


@pytest.mark.parametrize("why", ["it broke", "it was forgotten"])
async def test_whoever_comes_while_the_room_is_let_go_is_not_left_alone_in_it(
    hub: Hub, store: SlowStore, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    """They would wait for the other one in a room that nobody else gets any more."""
    student = await enter(hub, "student")
    live, members = student.seat.live, store.members
    hub.leave(student.seat)
    live.room.watch.ceiling = None
    reading, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(room: str) -> Sequence[MemberRecord]:
        reading.set()
        await go_on.wait()
        return await members(room)

    with monkeypatch.context() as patch:
        patch.setattr(store, "members", slowly)
        coming = asyncio.create_task(hub.join("room-0001", "student-room-0001", Outbox(8), page="page-0001", after=0))
        await reading.wait()
        if why == "it broke":
            hub._broken(live, ZeroDivisionError())
        else:
            hub._shelf.forget(time.time() + 1000)
        go_on.set()
        with pytest.raises(Busy):
            await coming
    student, teacher = await enter(hub, "student"), await enter(hub, "teacher")
    assert student.seat.live is teacher.seat.live


async def test_a_stopping_hub_finishes_what_it_admitted_and_lets_nobody_in(store: SlowStore, judge: Judge) -> None:
    hub = Hub(store, judge, None, Settings(), Metrics())
    student = await enter(hub, "student")
    student.say(chat("last words"))
    await hub.stop()
    assert await store.last_seq("room-0001") == 1
    assert student.outbox.code == m.CloseCode.SERVER_BUSY
    with pytest.raises(Busy):
        await hub.join("room-0001", "student-room-0001", Outbox(8), page="page-0001", after=0)


async def test_a_defect_in_the_room_itself_does_not_stop_the_clock_of_the_others(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    student, elsewhere = await enter(hub, "student"), await enter(hub, "student", "room-0002")

    def broken(*_: object) -> list[object]:
        raise ZeroDivisionError

    monkeypatch.setattr(student.seat.live.room, "handle", broken)
    student.say(m.Ping())
    await student.outbox.closed()
    assert student.outbox.code == m.CloseCode.SERVER_BUSY
    elsewhere.say(m.Ping())
    await elsewhere.get(m.Pong)
    async with asyncio.timeout(PATIENCE):
        while hub._shelf.peek("room-0001") is not None:
            await asyncio.sleep(0.02)
    assert [live.room.id for live in hub.live_rooms()] == ["room-0002"]
    assert (await enter(hub, "student")).seat.live is not student.seat.live


async def test_a_room_whose_offer_could_not_be_answered_does_not_stay_at_connecting(
    store: SlowStore, judge: Judge
) -> None:
    hub = Hub(store, judge, no_watch, Settings(), Metrics(), house=HOUSE)
    student = await enter(hub, "student")
    hub.not_analysed("room-0001", "student-room-0001", "connection_poor")  # not agreed: the room knows better
    hub.not_analysed("room-0009", "student-room-0001", "connection_poor")  # nobody is there
    student.say(m.ConsentSend(agreed=True))
    while (now := await student.get(m.Analysis)).reason != "connecting":
        assert now.reason == "not_agreed"
    hub.not_analysed("room-0001", "student-room-0001", "connection_poor")
    assert (await student.get(m.Analysis)).reason == "connection_poor"
    await hub.stop()


def no_watch(*_: object) -> NoReturn:
    raise AssertionError("nothing was to be watched")
