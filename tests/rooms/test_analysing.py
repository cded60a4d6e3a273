"""What one watch of a lesson hands to the next: the hints that were shown and what the teacher thought of them.

And which lessons are taken while the server is overloaded.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import asdict

import pytest

from lessonroom import messages as m
from lessonroom.config import Settings
from lessonroom.errors import Busy
from lessonroom.media import hints as speaking
from lessonroom.media.frames import Frames, FramesEnded
from lessonroom.media.hints import HintState, Shown
from lessonroom.media.strain import StrainState
from lessonroom.media.types import Cue, Hint, Strain
from lessonroom.metrics import Metrics
from lessonroom.rooms import analysing
from lessonroom.rooms.hub import Hub
from lessonroom.rooms.live import Analyser
from lessonroom.simulate.facts import ADULT, SETTING
from lessonroom.storage.store import HintRecord, MemberRecord, RoomRecord
from tests.fakes import FakeStore
from tests.rooms.lesson import HOUSE
from tests.rooms.test_hub import PATIENCE, Guest, Judge, enter

ROOM, STUDENT = "room-0001", "student-room-0001"


class Camera:
    """An analyser that gets no pictures and stays until it is ended."""

    def __init__(self) -> None:
        self.frames: Frames[object] = Frames()
        self.ended: str | None = None

    def end(self, why: str) -> None:
        self.ended = why
        self.frames.close()

    async def close(self) -> None:
        self.frames.close()


class Watch:
    """A watch that knows of hints what the real one does, and shows one when a test says so."""

    samples, size, seconds = 0, (320, 240), 0

    def __init__(self, analyser: Analyser, hints: HintState | None, on_hint: Callable[[Hint], None]) -> None:
        self.camera = analyser
        self.given = hints
        self.hints = hints or HintState(started=time.monotonic())
        self._on_hint = on_hint
        self.noted: list[tuple[Cue, float]] = []
        self.felt = StrainState(seen=12.5)
        self.resumed: StrainState | None = None

    async def run(self) -> None:
        frames: Frames[object] = self.camera.frames  # type: ignore[assignment]
        with suppress(FramesEnded):
            await frames.take()

    def stop(self) -> None:
        self.felt = StrainState()

    def resume(self, felt: StrainState) -> None:
        self.resumed = felt

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
        self.cameras: list[Camera] = []
        self.room_for_more = True
        may = lambda: self.room_for_more  # noqa: E731
        self.hub = Hub(store, Judge(), self._make, settings or Settings(), Metrics(), house=HOUSE, may_admit=may)

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
        self.cameras.append(Camera())
        self.hub.analyse(ROOM, STUDENT, self.cameras[-1])
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
    assert 99 < time.monotonic() - given.last.at < 160


async def test_an_overloaded_server_takes_no_analyser_of_a_new_lesson_and_says_so_in_the_room(house: House) -> None:
    teacher, _ = await house.both()
    house.room_for_more = False
    with pytest.raises(Busy):
        house.hub.may_analyse(ROOM, STUDENT)
    assert (await teacher.get(m.Analysis)).reason == "no_capacity"
    house.room_for_more = True
    house.hub.may_analyse(ROOM, STUDENT)


async def test_an_overloaded_server_keeps_the_lessons_that_it_has(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page whose line broke comes back with a new analyser, at once or a moment later: it was there before."""
    await house.both()
    (live,) = house.hub.live_rooms()
    watch = house.analyse()
    house.room_for_more = False
    house.hub.may_analyse(ROOM, STUDENT)
    await watch.camera.close()
    async with asyncio.timeout(PATIENCE):
        while live.session is not None:
            await asyncio.sleep(0)
    house.hub.may_analyse(ROOM, STUDENT)
    monkeypatch.setattr(analysing, "RETURN_SECONDS", 0.0)
    with pytest.raises(Busy):
        house.hub.may_analyse(ROOM, STUDENT)


@pytest.mark.parametrize(("why", "reason"), [("moved", "moving"), ("lost", "connection_poor")])
async def test_what_was_learned_of_a_face_goes_on_after_an_analyser_was_cut_off(
    house: House, why: str, reason: str
) -> None:
    """A student whose media worker died, or whose network stumbled, must not be learned anew for most of a minute."""
    teacher, _ = await house.both()
    known = house.analyse().felt
    house.cameras[-1].end(why)
    while (await teacher.get(m.Analysis)).reason != reason:
        pass
    assert house.analyse().resumed is known


async def test_an_analyser_that_takes_the_place_of_another_knows_the_face(house: House) -> None:
    await house.both()
    known = house.analyse().felt
    second = house.analyse()
    assert second.resumed is known
    assert house.watches[0].felt == StrainState()


async def test_a_client_that_left_takes_what_was_learned_of_it_along(house: House) -> None:
    teacher, _ = await house.both()
    house.analyse()
    house.cameras[-1].end("left")
    while (await teacher.get(m.Members)).members[-1].role == "analyser":
        pass
    assert house.analyse().resumed is None


@pytest.mark.parametrize("said", [m.ConsentSend(agreed=False), m.Camera(on=False)])
async def test_what_was_learned_of_a_face_is_forgotten_within_a_second_when_analysis_is_forbidden(
    house: House, said: m.FromPage
) -> None:
    """Also where no analyser runs that could be stopped: the one that saw it was lost a moment before."""
    house.hub.start()
    teacher, student = await house.both()
    house.analyse()
    house.cameras[-1].end("moved")
    while (await teacher.get(m.Analysis)).reason != "moving":
        pass
    (live,) = house.hub.live_rooms()
    assert live.felt is not None
    student.say(said)
    async with asyncio.timeout(PATIENCE):
        while live.felt is not None:
            await asyncio.sleep(0.01)


async def test_what_was_learned_of_a_face_does_not_wait_for_ever(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analysing, "FELT_SECONDS", 0.0)
    teacher, _ = await house.both()
    house.analyse()
    house.cameras[-1].end("moved")
    while (await teacher.get(m.Analysis)).reason != "moving":
        pass
    assert house.analyse().resumed is None
