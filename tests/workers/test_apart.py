"""What stands in the server for an analyser in a media worker: what it keeps, and that stopped means stopped."""

from __future__ import annotations

import asyncio
import json
import time

import pytest

from lessonroom.errors import BadSdp, EngineDown
from lessonroom.media import hints as speaking
from lessonroom.media.hints import HintRules, HintState, Shown
from lessonroom.media.strain import StrainState
from lessonroom.media.types import Cue, Hint, Strain, Watching
from lessonroom.processes.frames import Message
from lessonroom.workers import apart, words
from lessonroom.workers.apart import ApartAnalyser, ApartWatch

RULES = HintRules()
STRAIN = Strain(1.0, 0.5, Watching.WATCHING)
HINT = Hint("hint-0001", 5.0, Cue.FROWNING, "slow_down")


class Desk:
    """A worker that a test speaks for. ``reply``: what it says to the next question, None when it dies over it."""

    def __init__(self) -> None:
        self.told: list[Message] = []
        self.waiting: list[int] = []
        self.ends: list[str] = []
        self.forgotten: list[int] = []
        self.reply: Message | None = {"refused": None}
        self.strains: list[Strain] = []
        self.hints: list[Hint] = []
        self.why: list[str] = []
        self.analyser = ApartAnalyser(self, 7, self.why.append)

    def tell(self, message: Message) -> None:
        self.told.append(json.loads(json.dumps(message)))

    async def ask(self, message: Message) -> Message:
        self.tell(message)
        if self.reply is None:
            raise EngineDown("gone")
        return self.reply

    def waits(self, number: int) -> None:
        self.waiting.append(number)

    def end(self, why: str) -> None:
        self.ends.append(why)
        self.analyser.lost()

    def forget(self, number: int) -> None:
        self.forgotten.append(number)

    def watch(self, hints: HintState | None = None) -> ApartWatch:
        self.analyser.begin("v=0", "ufrag")
        return ApartWatch(
            self.analyser,
            hints or HintState(started=0.0),
            RULES,
            on_strain=self.strains.append,
            on_hint=self.hints.append,
        )

    def says(self, say: str, **more: object) -> None:
        self.analyser.hear({"say": say, "n": 7, **more})

    def did(self, do: str) -> list[Message]:
        return [message for message in self.told if message["do"] == do]


@pytest.fixture
async def desk() -> Desk:
    return Desk()


def state(told: int, hints: HintState, felt: StrainState | None = None) -> dict[str, object]:
    return {"hints": words.hints(hints), "felt": words.felt(felt or StrainState()), "told": told}


async def test_estimates_and_hints_reach_the_room(desk: Desk) -> None:
    watch = desk.watch()
    desk.says(words.STRAIN, strain=words.strain(STRAIN), samples=4, size=[320, 240])
    shown = HintState(started=0.0, last=Shown("hint-0001", 5.0))
    desk.says(words.HINT, hint=words.hint(HINT), hints=words.hints(shown), told=0)
    assert (desk.strains, desk.hints) == ([STRAIN], [HINT])
    assert (watch.samples, watch.size, watch.hints) == (4, (320, 240), shown)


async def test_nothing_counts_that_was_on_its_way_when_the_room_said_stop(desk: Desk) -> None:
    """Consent is withdrawn in this process first; what the worker said a moment before must change nothing."""
    watch = desk.watch()
    desk.says(words.STATE, **state(0, HintState(started=0.0), StrainState(seen=9.0)))
    known = watch.hints
    watch.stop()
    desk.says(words.STRAIN, strain=words.strain(STRAIN), samples=4, size=[320, 240])
    desk.says(words.STATE, **state(0, HintState(started=9.0), StrainState(seen=9.0)))
    desk.says(words.HINT, hint=words.hint(HINT), hints=words.hints(HintState(started=9.0)), told=0)
    assert (desk.strains, desk.hints, watch.hints, watch.felt) == ([], [], known, StrainState())


async def test_a_watch_that_is_stopped_runs_until_the_worker_says_so(desk: Desk) -> None:
    watch = desk.watch()
    running = asyncio.create_task(watch.run())
    desk.analyser.frames.close()
    watch.stop()
    await asyncio.sleep(0)
    assert len(desk.did(words.STOP)) == 1
    assert not running.done()
    desk.says(words.STOPPED)
    await running
    await asyncio.sleep(2 * apart.CONFIRM_SECONDS)
    assert desk.ends == []


async def test_a_worker_that_does_not_say_that_it_stopped_is_ended(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "CONFIRM_SECONDS", 0.01)
    watch = desk.watch()
    watch.stop()
    await watch.run()
    assert desk.ends == [apart.UNCONFIRMED]


async def test_an_answer_of_the_teacher_is_not_lost_to_what_the_worker_said_before_it_heard_of_it(desk: Desk) -> None:
    shown = HintState(started=0.0, last=Shown("hint-0001", 5.0))
    watch = desk.watch(shown)
    watch.answered("hint-0001", False)
    known = speaking.answered(shown, "hint-0001", False, RULES)
    assert watch.hints == known
    desk.says(words.STATE, **state(0, shown))
    assert watch.hints == known
    (told,) = desk.did(words.ANSWERED)
    later = HintState(started=1.0)
    desk.says(words.STATE, **state(told["told"], later))
    assert watch.hints == later


async def test_the_button_keeps_hints_quiet_also_when_the_worker_dies_at_once(desk: Desk) -> None:
    watch = desk.watch()
    watch.note(Cue.STUCK_BUTTON, 0.0)
    watch.note(Cue.CHAT, 2.0)
    desk.analyser.lost()
    assert watch.hints.quiet_until > time.monotonic() + RULES.button_quiet - 5
    assert [(one["cue"], one["age"]) for one in desk.did(words.NOTE)] == [("stuck_button", 0.0), ("chat", 2.0)]


async def test_what_was_learned_outlives_the_worker(desk: Desk) -> None:
    felt, hints = StrainState(seen=50.0, sure=True), HintState(started=1.0, shift=0.05)
    watch = desk.watch()
    desk.says(words.STATE, **state(0, hints, felt))
    desk.analyser.lost()
    await watch.run()
    assert (watch.felt, watch.hints, desk.analyser.ended, desk.why) == (felt, hints, apart.MOVED, [apart.MOVED])


async def test_a_watch_that_broke_says_so(desk: Desk) -> None:
    watch = desk.watch()
    desk.says(words.UNWATCHED, failed=True)
    with pytest.raises(EngineDown):
        await watch.run()


async def test_closing_ends_the_session_once_and_waits_for_the_worker(desk: Desk) -> None:
    desk.watch()
    closing = [asyncio.create_task(desk.analyser.close()) for _ in range(2)]
    await asyncio.sleep(0)
    assert (desk.analyser.ended, desk.why) == ("closed", ["closed"])
    desk.says(words.STOPPED)
    assert not any(task.done() for task in closing)
    desk.says(words.CLOSED)
    await asyncio.gather(*closing)
    assert desk.forgotten
    assert desk.why == ["closed"]


async def test_closing_returns_soon_also_when_the_worker_does_not(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "CLOSE_SECONDS", 0.01)
    desk.watch()
    await desk.analyser.close()
    assert desk.forgotten == [7]


async def test_an_end_in_the_breath_of_the_answer_is_told_after_it(desk: Desk) -> None:
    """Whoever asked for the analyser has to know it before it is told that it is over."""
    desk.says(words.ENDED, reason="left")
    desk.analyser.begin("v=0", "ufrag")
    assert desk.why == []
    await asyncio.sleep(0)
    assert (desk.why, desk.analyser.ended) == (["left"], "left")


async def test_candidates_are_taken_refused_or_of_no_use_any_more(desk: Desk) -> None:
    desk.watch()
    await desk.analyser.add_candidate("candidate:1", "0")
    desk.reply = {"refused": ["bad_sdp", "expected a candidate"]}
    with pytest.raises(BadSdp, match="expected a candidate"):
        await desk.analyser.add_candidate("nonsense", "0")
    desk.reply = None
    await desk.analyser.add_candidate("candidate:2", "0")
    desk.analyser.lost()
    desk.reply = {"refused": ["bad_sdp", "expected a candidate"]}
    await desk.analyser.add_candidate("candidate:3", "0")


async def test_time_is_told_while_there_is_a_watch(desk: Desk) -> None:
    watch = desk.watch()
    watch.waited()
    watch.stop()
    watch.waited()
    assert desk.waiting == [7]


async def test_what_an_earlier_watch_remembered_is_handed_over(desk: Desk) -> None:
    watch, felt = desk.watch(), StrainState(seen=50.0, events=((Cue.CHAT, 1.0),))
    watch.resume(felt)
    (told,) = desk.did(words.RESUME)
    assert words.read_felt(told["felt"]) == felt == watch.felt


async def test_an_analyser_that_moves_is_stopped_as_surely_as_any_and_its_lesson_keeps_what_it_knew(desk: Desk) -> None:
    felt, watch = StrainState(seen=50.0), desk.watch()
    desk.says(words.STATE, **state(0, HintState(started=0.0), felt))
    assert desk.analyser.watched
    desk.analyser.move()
    assert (desk.analyser.ended, desk.why, desk.analyser.watched) == (apart.MOVED, [apart.MOVED], False)
    running = asyncio.create_task(watch.run())
    await asyncio.sleep(0)
    assert not running.done()
    desk.says(words.STOPPED)
    await running
    assert watch.felt == felt
