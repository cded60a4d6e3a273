"""Of a yes and a no about the same thing the one that was said last stands in the store, however slow that is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, replace

import pytest

from lessonroom import messages as m
from lessonroom.config import Settings
from lessonroom.errors import StoreDown
from lessonroom.metrics import Metrics
from lessonroom.rooms import ruling
from lessonroom.rooms.hub import Hub
from lessonroom.rooms.ruling import Said
from lessonroom.simulate.facts import ADULT, SETTING
from lessonroom.storage.audit import AuditRecord
from lessonroom.storage.consent import By, ConsentRecord, Purpose
from lessonroom.storage.store import MemberRecord, RoomRecord
from tests.fakes import FakeStore
from tests.rooms.lesson import HOUSE
from tests.rooms.test_hub import PATIENCE, Judge, enter

YES, NO = (Said(Purpose.HINTS, given, "2026-11", "en") for given in (True, False))


class Words(FakeStore):
    """Words of consent are written one after the other, while ``open_`` is set, as by the thread of the real store.

    ``asked``: something waits to be written; ``given_up``: a writer that waits hears StoreDown, and it is written;
    ``later``: what was to be written; ``one``: when it is opened one word is written, and the next waits.
    """

    def __init__(self) -> None:
        super().__init__()
        self.open_, self.asked, self.given_up = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.open_.set()
        self.one = False
        self._turn = asyncio.Lock()
        self.later = set[asyncio.Task[None]]()

    async def add_consent(self, consent: ConsentRecord, audit: AuditRecord) -> None:
        task = asyncio.create_task(self._write(consent, audit))
        self.later.add(task)
        self.asked.set()
        waits = asyncio.create_task(self.given_up.wait())
        await asyncio.wait({task, waits}, return_when=asyncio.FIRST_COMPLETED)
        waits.cancel()
        if not task.done():
            raise StoreDown("told not to wait")

    async def _write(self, consent: ConsentRecord, audit: AuditRecord) -> None:
        async with self._turn:
            await self.open_.wait()
            await super().add_consent(consent, audit)
            if self.one:
                self.open_.clear()

    async def all_written(self) -> None:
        self.one = False
        self.open_.set()
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*self.later)


@pytest.fixture
async def words() -> Words:
    words = Words()
    await words.open()
    await words.add_room(RoomRecord("room-0001", "M3", time.time(), setting=SETTING))
    for role in ("teacher", "student", "guardian"):
        member = MemberRecord(f"{role}-room-0001", "room-0001", role, role, f"{role}-sender", 0, "", 0, **asdict(ADULT))
        await words.add_member(member)
    return words


@pytest.fixture
async def hub(words: Words) -> AsyncIterator[Hub]:
    hub = Hub(words, Judge(), None, Settings(), Metrics(), house=HOUSE)
    hub.start()
    yield hub
    await hub.stop()


async def student(words: Words) -> MemberRecord:
    return await words.member("student-room-0001")


async def say(hub: Hub, words: Words, said: Said, by: By = By.GUARDIAN) -> None:
    await hub.ruling.say(await student(words), by, "guardian-room-0001", said)


async def last(words: Words) -> list[bool]:
    return [word.given for word in await words.consents("student-sender")]


async def no_follows(hub: Hub, words: Words, yes: asyncio.Task[None]) -> None:
    """Take back a yes that is under way to the store, and let the store write all."""
    no = asyncio.create_task(say(hub, words, NO))
    for _ in range(10):
        await asyncio.sleep(0)
    await words.all_written()
    await asyncio.gather(yes, no)


async def test_a_no_after_a_yes_that_waits_for_the_store_stands_though_there_was_a_no_before(
    hub: Hub, words: Words
) -> None:
    """The store shows the older no until the yes is written: no reason to think that this one is written already."""
    await say(hub, words, NO)
    words.open_.clear()
    words.asked.clear()
    yes = asyncio.create_task(say(hub, words, YES))
    await words.asked.wait()
    await no_follows(hub, words, yes)
    assert await last(words) == [False]


async def test_a_no_that_is_written_says_nothing_of_a_yes_that_the_store_was_given_after_it(
    hub: Hub, words: Words
) -> None:
    words.open_.clear()
    before = asyncio.create_task(say(hub, words, NO))
    await words.asked.wait()
    words.asked.clear()
    yes = asyncio.create_task(say(hub, words, YES))
    await words.asked.wait()
    words.one = True
    words.open_.set()
    await before
    await no_follows(hub, words, yes)
    assert await last(words) == [False]


async def test_a_no_after_a_yes_that_was_given_up_stands_when_that_is_written_all_the_same(
    hub: Hub, words: Words
) -> None:
    await say(hub, words, NO)
    words.open_.clear()
    words.asked.clear()
    yes = asyncio.create_task(say(hub, words, YES))
    await words.asked.wait()
    words.given_up.set()
    with pytest.raises(StoreDown):
        await yes
    words.given_up.clear()
    no = asyncio.create_task(say(hub, words, NO))
    for _ in range(10):
        await asyncio.sleep(0)
    await words.all_written()
    await no
    assert await last(words) == [False]


async def test_a_no_is_written_though_whoever_brought_it_is_cut_off(
    hub: Hub, words: Words, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As requests are that a server which stops has waited for long enough; stopping waits for the no itself."""
    monkeypatch.setattr(ruling, "RETRY_SECONDS", 0.01)
    await say(hub, words, YES)
    words.open_.clear()
    words.asked.clear()
    no = asyncio.create_task(say(hub, words, NO))
    await words.asked.wait()
    for task in words.later:
        task.cancel()
    no.cancel()
    with pytest.raises(asyncio.CancelledError):
        await no
    words.open_.set()
    await hub.stop()
    assert await last(words) == [False]


async def test_a_yes_whose_turn_comes_after_a_no_that_was_said_later_is_not_written(hub: Hub, words: Words) -> None:
    words.open_.clear()
    first = asyncio.create_task(say(hub, words, YES))
    await words.asked.wait()
    second = asyncio.create_task(say(hub, words, YES))  # waits for the first
    for _ in range(10):
        await asyncio.sleep(0)
    no = asyncio.create_task(say(hub, words, NO))
    for _ in range(10):
        await asyncio.sleep(0)
    await words.all_written()
    await asyncio.gather(first, second, no)
    assert await last(words) == [False]


async def test_a_yes_of_the_lessons_page_that_waits_does_not_come_after_a_no_of_the_page_of_choices(
    hub: Hub, words: Words
) -> None:
    page = await enter(hub, "student")
    words.open_.clear()
    page.say(m.ConsentSend(agreed=False))
    await words.asked.wait()
    page.say(m.ConsentSend(agreed=True))  # waits for the no before it
    no = asyncio.create_task(say(hub, words, NO, By.SELF))
    for _ in range(10):
        await asyncio.sleep(0)
    await words.all_written()
    await no
    async with asyncio.timeout(PATIENCE):
        while page.seat.live.consent_wanted is not None:
            await asyncio.sleep(0)
    assert await last(words) == [False]
    assert page.seat.live.room.consent.agreed is False


async def test_a_guardians_yes_reaches_a_lesson_that_read_the_store_just_before_it_was_written(
    hub: Hub, words: Words, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, go_on = asyncio.Event(), asyncio.Event()
    consents = words.consents

    async def slowly(person: str) -> Sequence[ConsentRecord]:
        said = await consents(person)
        read.set()
        await go_on.wait()
        return said

    words.open_.clear()
    yes = asyncio.create_task(say(hub, words, YES))
    await words.asked.wait()
    with monkeypatch.context() as patch:
        patch.setattr(words, "consents", slowly)
        coming = asyncio.create_task(enter(hub, "student"))
        await read.wait()
        await words.all_written()
        await yes
        go_on.set()
        page = await coming
    assert page.seat.live.room.consent._given(By.GUARDIAN) is True


async def test_a_yes_that_is_not_written_for_a_no_in_another_lesson_does_not_count(hub: Hub, words: Words) -> None:
    """The same person in two lessons at once: what has no record is no consent."""
    page = await enter(hub, "student")
    words.open_.clear()
    page.say(m.ConsentSend(agreed=False))
    await words.asked.wait()
    page.say(m.ConsentSend(agreed=True))
    await words.add_room(RoomRecord("room-0002", "M3", time.time()))
    elsewhere = replace(await student(words), room="room-0002")
    no = asyncio.create_task(hub.ruling.say(elsewhere, By.SELF, elsewhere.id, NO))
    for _ in range(10):
        await asyncio.sleep(0)
    await words.all_written()
    await no
    assert (await page.get(m.Problem)).code == "store_down"
    assert page.seat.live.room.consent.agreed is not True
