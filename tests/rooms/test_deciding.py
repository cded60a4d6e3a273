"""What a person's decision and a proven violation do to a room that runs: the hub's part."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace

import pytest

from lessonroom import messages as m
from lessonroom.chat.types import Standing, StandingClass
from lessonroom.config import Settings
from lessonroom.metrics import Metrics
from lessonroom.rooms.hub import Hub
from lessonroom.storage.review import Decided, Why
from lessonroom.storage.store import MessageState, StoredMessage
from tests.rooms.test_hub import Judge, SlowStore, chat, enter, hub, judge, store

__all__ = ["hub", "judge", "store"]  # fixtures

SENDER = "student-sender"


def decided(stored: StoredMessage, seq: int, state: MessageState) -> Decided:
    message = replace(stored.message, state=state)
    released = state is MessageState.RELAYED
    return Decided(StoredMessage(seq, message, decided=True), SENDER, Why.APPEALED, released, fresh=True)


async def strict(store: SlowStore, judge: Judge) -> Hub:
    """A hub that takes nothing more from violators."""
    return Hub(store, judge, None, Settings(chat_refuse_violators=True), Metrics())


async def test_a_decision_is_told_in_its_room(hub: Hub, store: SlowStore) -> None:
    teacher, student = await enter(hub, "teacher"), await enter(hub, "student")
    student.say(chat("call 555"))
    await student.get(m.ChatAck)
    (stored,) = await store.recent("room-0001", 9)
    await hub.decided(decided(stored, 2, MessageState.RELAYED))
    assert (await teacher.get(m.ChatMessage)).seq == 2
    assert (await student.get(m.ChatMessage)).decided is True


async def test_a_decision_about_a_room_that_is_not_here_loads_nothing(hub: Hub, store: SlowStore) -> None:
    student = await enter(hub, "student")
    student.say(chat("call 555"))
    await student.get(m.ChatAck)
    (stored,) = await store.recent("room-0001", 9)
    elsewhere = replace(stored, message=replace(stored.message, room="room-0002"))
    await hub.decided(decided(elsewhere, 1, MessageState.RELAYED))
    assert [live.room.id for live in hub._shelf] == ["room-0001"]


async def test_a_decision_while_its_room_is_being_read_is_not_lost(
    hub: Hub, store: SlowStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The room may have read its last number just before."""
    reading, go_on = asyncio.Event(), asyncio.Event()
    recent = store.recent

    async def slowly(room: str, limit: int) -> Sequence[StoredMessage]:
        reading.set()
        await go_on.wait()
        return await recent(room, limit)

    other = await enter(hub, "student", "room-0002")
    other.say(chat("call 555"))
    await other.get(m.ChatAck)
    (stored,) = await store.recent("room-0002", 9)
    monkeypatch.setattr(store, "recent", slowly)
    coming = asyncio.create_task(enter(hub, "teacher"))
    await reading.wait()
    moved = replace(stored, message=replace(stored.message, room="room-0001", sender="student-room-0001"))
    told = asyncio.create_task(hub.decided(decided(moved, 1, MessageState.RELAYED)))
    await asyncio.sleep(0)
    go_on.set()
    await asyncio.gather(told, coming)
    live = hub._shelf.peek("room-0001")
    assert live is not None
    assert live.room.talk.last_seq == 1


async def test_a_strike_counts_from_the_next_message_on_and_so_does_its_end(
    hub: Hub, store: SlowStore, judge: Judge
) -> None:
    student = await enter(hub, "student")

    async def standing(number: int) -> Standing:
        student.say(chat("hello", f"message-{number}"))
        await student.get(m.ChatAck)
        return judge.seen[-1][1]

    assert (await standing(1)).standing is StandingClass.NEW
    (stored,) = await store.recent("room-0001", 9)
    store.struck[SENDER] = [time.time()]
    await hub.decided(decided(stored, 1, MessageState.BLOCKED))
    assert (await standing(2)).standing is StandingClass.VIOLATOR
    store.struck[SENDER] = []
    await hub.decided(decided(stored, 1, MessageState.RELAYED))
    assert (await standing(3)).standing is StandingClass.NEW


async def test_where_the_setting_says_so_a_violator_is_refused_with_the_reason(store: SlowStore, judge: Judge) -> None:
    """However long ago it was; nothing of the message is kept or judged."""
    store.struck[SENDER] = [1000.0]
    hub = await strict(store, judge)
    student = await enter(hub, "student")
    student.say(chat("hello"))
    assert (await student.get(m.ChatRefused)).code == "violator"
    assert judge.seen == []
    assert await store.last_seq("room-0001") == 0
    await hub.stop()


async def test_a_refused_violator_can_still_appeal_and_is_heard_again_when_that_was_right(
    store: SlowStore, judge: Judge
) -> None:
    hub = await strict(store, judge)
    student = await enter(hub, "student")
    student.say(chat("call 555"))
    assert (await student.get(m.ChatAck)).state == "blocked"
    (stored,) = await store.recent("room-0001", 9)
    store.struck[SENDER] = [stored.message.at]
    await hub.decided(decided(stored, 1, MessageState.BLOCKED))
    student.say(chat("hello", "message-2"))
    assert (await student.get(m.ChatRefused)).code == "violator"
    student.say(m.ChatAppeal(id="message-1"))
    assert (await student.get(m.ChatAck)).state == "appealed"
    store.struck[SENDER] = []
    await hub.decided(decided(stored, 2, MessageState.RELAYED))
    assert (await student.get(m.ChatMessage)).state == "relayed"
    student.say(chat("hello", "message-2"))
    assert (await student.get(m.ChatAck)).state == "relayed"
    await hub.stop()


async def test_who_pays_is_not_refused(store: SlowStore, judge: Judge) -> None:
    store.struck[SENDER] = [time.time()]
    await store.set_paying(SENDER, True)
    hub = await strict(store, judge)
    student = await enter(hub, "student")
    student.say(chat("hello"))
    assert (await student.get(m.ChatAck)).state == "relayed"
    await hub.stop()


@pytest.mark.parametrize("share", [0.0, 1.0])
async def test_chance_offers_as_many_messages_for_review_as_the_setting_says(
    store: SlowStore, judge: Judge, share: float
) -> None:
    hub = Hub(store, judge, None, Settings(review_sample=share), Metrics())
    student = await enter(hub, "student")
    for number in range(20):
        student.say(chat("hello", f"message-{number}"))
        await student.get(m.ChatAck)
    assert {one.message.sampled for one in await store.recent("room-0001", 99)} == {share == 1.0}
    await hub.stop()
