"""What one watch of a lesson hands to the next: the hints that were shown and what the teacher thought of them."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import asdict

import pytest

from lessonroom import messages as m
from lessonroom.config import Settings
from lessonroom.media import hints as speaking
from lessonroom.media.frames import Frames, FramesEnded
from lessonroom.media.hints import HintState, Shown
from lessonroom.media.types import Cue, Hint, Strain
from lessonroom.metrics import Metrics
from lessonroom.rooms.hub import Hub
from lessonroom.rooms.live import Analyser
from lessonroom.simulate.facts import ADULT, SETTING
from lessonroom.storage.store import HintRecord, MemberRecord, RoomRecord
from tests.fakes import FakeStore
from tests.rooms.lesson import HOUSE
from tests.rooms.test_hub import Guest, Judge, enter

ROOM, STUDENT = "room-0001", "student-room-0001"


class Camera:
    """An analyser that gets no pictures and stays until it is ended."""

    ended = None

    def __init__(self) -> None:
        self.frames: Frames[object] = Frames()

    async def close(self) -> None:
        self.frames.close()


class Watch:
    """A watch that knows of hints what the real one does, and shows one when a test says so."""

    samples, size, seconds = 0, (320, 240), 0

    def __init__(self, analyser: Analyser, hints: HintState | None, on_hint: Callable[[Hint], None]) -> None:
        self._camera = analyser
        self.given = hints
        self.hints = hints or HintState(started=time.monotonic())
        self._on_hint = on_hint
        self.noted: list[tuple[Cue, float]] = []

    async def run(self) -> None:
        frames: Frames[object] = self._camera.frames  # type: ignore[assignment]
        with suppress(FramesEnded):
            await frames.take()

    def stop(self) -> None:
        pass

    def note(self, cue: Cue, age: float = 0.0) -> None:
        self.noted.append((cue, age))

    def waited(self) -> None:
        self.seconds += 1

    def answered(self, hint_id: str, helpful: bool | None) -> None:
        self.hints = speaking.answered(self.hints, hint_id, helpful, speaking.HintRules())

    def show(self, name: str) -> None:
        self.hints = HintState(started=0.0, last=Shown(name, time.monotonic()))
        self._on_hint(Hint(name, 0.0, Cue.FROWNING, "slow_down"))


class House:
    """A hub with one room, and every watch that it made, oldest first."""

    def __init__(self, store: FakeStore, settings: Settings | None = None) -> None:
        self.watches: list[Watch] = []
        self.hub = Hub(store, Judge(), self._make, settings or Settings(), Metrics(), house=HOUSE)

    def _make(
        self,
        analyser: Analyser,
        hints: HintState | None,
        on_strain: Callable[[Strain], None],
        on_hint: Callable[[Hint], None],
    ) -> Watch:
        self.watches.append(Watch(analyser, hints, on_hint))
        return self.watches[-1]

    async def both(self) -> tuple[Guest, Guest]:
        """Teacher and student, who has agreed."""
        teacher, student = await enter(self.hub, "teacher"), await enter(self.hub, "student")
        student.say(m.ConsentSend(agreed=True))
        while (await teacher.get(m.Analysis)).mode != "M3":
            pass
        return teacher, student

    def analyse(self) -> Watch:
        self.hub.analyse(ROOM, STUDENT, Camera())
        return self.watches[-1]


@pytest.fixture
async def store() -> FakeStore:
    store = FakeStore()
    await store.open()
    await store.add_room(RoomRecord(ROOM, "M3", time.time(), setting=SETTING))
    for role in ("teacher", "student"):
        await store.add_member(
            MemberRecord(f"{role}-{ROOM}", ROOM, role, role, f"{role}-sender", 0, "", 0, **asdict(ADULT))
        )
    return store


@pytest.fixture
async def house(store: FakeStore) -> AsyncIterator[House]:
    house = House(store)
    yield house
    await house.hub.stop()


async def test_an_analyser_that_takes_the_place_of_another_knows_its_hints(house: House) -> None:
    """A page that connects again and again must not get the teacher a hint each time."""
    teacher, _ = await house.both()
    first = house.analyse()
    assert first.given is not None
    assert first.given.last is None
    first.show("hint-0001")
    await teacher.get(m.HintShow)
    second = house.analyse()
    assert second.given is first.hints
    third = house.analyse()
    assert third.given is first.hints


async def test_an_answer_between_two_analysers_reaches_the_next(house: House) -> None:
    teacher, student = await house.both()
    first = house.analyse()
    first.show("hint-0001")
    await teacher.get(m.HintShow)
    student.say(m.Camera(on=False))
    teacher.say(m.HintFeedback(hint="hint-0001", helpful=False))
    student.say(m.Camera(on=True))
    known = house.analyse().hints
    assert known.last is not None
    assert known.last.answered
    assert known.shift > 0


async def test_a_restarted_server_keeps_the_pause_since_the_last_hint(house: House, store: FakeStore) -> None:
    await store.add_hint(HintRecord("hint-0001", ROOM, "frowning", "slow_down", time.time() - 100))
    await house.both()
    given = house.analyse().given
    assert given is not None
    assert given.last is not None
    assert (given.last.id, given.last.answered) == ("hint-0001", False)
    assert 99 < time.monotonic() - given.last.at < 110
