"""Screening in a process of its own: the same verdicts, and the gate's own where the process cannot say."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from lessonroom.chat import apart as apart_module
from lessonroom.chat.apart import ScreeningProcesses
from lessonroom.chat.gate import Gate
from lessonroom.chat.policy import ChatPolicy
from lessonroom.chat.questions import Answer, Orders, Question
from lessonroom.chat.releases import PACKAGED, Releases
from lessonroom.chat.rollout import Rollout
from lessonroom.chat.screening import FORGET_SECONDS, MOST_ROOMS, Lines
from lessonroom.chat.types import Action, Decider, Finding, Kind, Line, Standing, StandingClass, Verdict
from lessonroom.errors import EngineDown
from lessonroom.metrics import Metrics
from lessonroom.processes import frames
from lessonroom.processes import line as line_module
from tests.chat.models import Stuck, copied, damage

NUMBER = "мой телефон 8 905 123-45-67, звоните"
TALK = (
    ("teacher", "what's your WhatsApp?"),
    ("student", "plus 44"),
    ("teacher", "and?"),
    ("student", "7911"),
    ("student", "123 456"),
    ("teacher", "спасибо за урок 🙂"),
    ("teacher", "x" * 5000),
    ("student", "half a pair \ud83d and 8 905 123 45 67"),
)


class Site:
    """A gate with one screening process and the releases ``one`` and ``two``."""

    def __init__(self, folder: Path, policy: ChatPolicy | None = None, *, deadline: float = 20.0) -> None:
        self.releases = Releases(folder)
        self.metrics = Metrics()
        self.failures: list[str] = []
        self.apart = ScreeningProcesses(
            1, policy or ChatPolicy(), data_dir=folder, models_dir=None, log_level="info", log_json=False
        )
        self.gate = Gate(
            None, policy or ChatPolicy(), apart=self.apart, deadline=deadline, on_failure=self.failures.append
        )
        self.rollout = Rollout(self.gate, self.releases, self.metrics, every=0.02)
        self.apart.on_compared = self.rollout.compared

    async def up(self, but: int = 0) -> int:
        """Wait for a process other than ``but``, and say its number."""
        async with asyncio.timeout(60):
            while self.apart.pids in ([], [but]):
                await asyncio.sleep(0.01)
        return self.apart.pids[0]


@asynccontextmanager
async def running(site: Site) -> AsyncIterator[Site]:
    site.rollout.choose()
    site.apart.start()
    try:
        await site.up()
        yield site
    finally:
        await site.rollout.stop()
        await site.apart.stop()


def forbid_screening_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def here(*_: object) -> None:
        raise AssertionError("expected a screening process to judge, got the gate itself")

    monkeypatch.setattr(Gate, "_ask", here)


async def test_a_process_gives_the_verdicts_that_the_gate_would_give(tmp_path: Path) -> None:
    policy = ChatPolicy(own_domains=frozenset({"ours.org"}), hold_kinds=frozenset({Kind.PHONE}), hold_from=0.2)
    plain = Gate(None, policy)
    local = Rollout(plain, Releases(tmp_path), Metrics())
    local.choose()
    struck = Standing(StandingClass.NEW, (1.0,))
    async with running(Site(tmp_path, policy)) as site:
        context: list[Line] = []
        for sender, text in TALK:
            own, other = [
                await gate.screen(text, room="r", sender=sender, standing=struck, context=list(context))
                for gate in (plain, site.gate)
            ]
            assert own == other
            context.append(Line(sender, text))
    assert not site.failures


async def test_an_answer_that_came_while_the_loop_was_late_counts(tmp_path: Path) -> None:
    """Thrown away, it would have the server look at the message itself, and be later still."""
    async with running(Site(tmp_path, deadline=2.0)) as site:
        await site.gate.screen(NUMBER, room="r")  # the first of all takes longer
        asked = asyncio.create_task(site.gate.screen(NUMBER, room="r"))
        for _ in range(3):
            await asyncio.sleep(0)  # the question goes out
        time.sleep(2.1)  # everything else on this loop waits, past the deadline
        verdict = await asked
    assert (verdict.decider, verdict.degraded, site.failures) == (Decider.MODEL, False, [])


async def test_messages_are_judged_by_the_process_and_not_by_the_gate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(Site(tmp_path)) as site:
        forbid_screening_here(monkeypatch)
        verdict = await site.gate.screen(NUMBER, room="r")
        assert (verdict.action, verdict.decider, verdict.degraded) == (Action.BLOCK, Decider.MODEL, False)


async def test_what_a_killed_process_was_asked_is_judged_by_the_gate_and_another_takes_its_place(
    tmp_path: Path,
) -> None:
    async with running(Site(tmp_path)) as site:
        first = await site.up()
        os.kill(first, signal.SIGSTOP)
        asked = asyncio.create_task(site.gate.screen(NUMBER, room="r"))
        await asyncio.sleep(0.05)
        os.kill(first, signal.SIGKILL)
        verdict = await asked
        assert (verdict.action, verdict.degraded) == (Action.BLOCK, False)
        assert not (await site.gate.screen(NUMBER, room="r")).degraded
        assert await site.up(but=first) != first


async def test_a_process_of_another_version_judges_nothing_and_the_gate_does_without_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An upgrade on disk under a server that runs."""
    monkeypatch.setattr(frames, "__version__", "0.0.9")
    site, refused = Site(tmp_path), asyncio.Queue[str]()
    site.apart._desks[0].child._on_refused = refused.put_nowait
    site.rollout.choose()
    site.apart.start()
    try:
        async with asyncio.timeout(60):
            assert (await refused.get()).endswith("restart the server")
        verdict = await site.gate.screen(NUMBER, room="r")
        assert (verdict.action, verdict.decider, verdict.degraded) == (Action.BLOCK, Decider.MODEL, False)
        assert not site.apart.pids
    finally:
        await site.rollout.stop()
        await site.apart.stop()
    assert not site.failures


async def test_a_process_that_hangs_costs_the_deadline_and_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apart_module, "HANGS_AFTER", 0.5)
    async with running(Site(tmp_path, deadline=0.3)) as site:
        first = await site.up()
        os.kill(first, signal.SIGSTOP)
        verdict = await site.gate.screen(NUMBER, room="r")
        assert (verdict.decider, verdict.degraded) == (Decider.RULES, True)
        assert site.failures == ["TimeoutError"]
        while first in site.apart.pids:
            await site.gate.screen(NUMBER, room="r")
        await site.up(but=first)
        site.gate.deadline = 20.0
        assert not (await site.gate.screen(NUMBER, room="r")).degraded


async def test_processes_follow_the_releases(tmp_path: Path) -> None:
    site = Site(tmp_path)
    for version in ("one", "two"):
        site.releases.add(version, copied(version))
    async with running(site):
        assert (await site.gate.screen(NUMBER, room="r")).model not in {"one", "two"}
        site.releases.switch("one")
        site.releases.shadow("two")
        await site.rollout.look()
        assert (await site.gate.screen(NUMBER, room="r")).model == "one"
        async with asyncio.timeout(60):
            while (site.rollout.shadow() or {})["both"] != 1:
                await asyncio.sleep(0.01)


async def test_a_process_that_was_starting_when_the_release_changed_follows_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was greeted with the old one, and would judge with it until the next release."""
    site = Site(tmp_path)
    site.releases.add("one", copied("one"))
    greeted = asyncio.Event()
    greeting = ScreeningProcesses._hello

    def greet(self: ScreeningProcesses) -> frames.Message:
        greeted.set()
        return greeting(self)

    monkeypatch.setattr(ScreeningProcesses, "_hello", greet)
    site.apart._desks[0] = apart_module._Desk(site.apart._hello, lambda *_: None)
    site.rollout.choose()
    site.apart.start()
    try:
        async with asyncio.timeout(60):
            await greeted.wait()
        assert site.apart.pids == []
        site.releases.switch("one")
        await site.rollout.look()
        await site.up()
        forbid_screening_here(monkeypatch)
        assert (await site.gate.screen(NUMBER, room="r")).model == "one"
    finally:
        await site.rollout.stop()
        await site.apart.stop()


async def test_a_process_that_is_behind_when_the_release_changes_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reads nothing for now, so that it cannot be told; when it reads again, it must not go on with the old one."""
    async with running(Site(tmp_path)) as site:
        before = await site.up()
        monkeypatch.setattr(line_module.Line, "_behind", staticmethod(lambda transport: True))
        site.apart.follow(PACKAGED, None)
        monkeypatch.undo()
        assert await site.up(but=before) != before


async def test_where_a_process_cannot_load_the_release_the_gate_judges_with_the_one_it_has(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.releases.add("one", copied("one"))
    site.releases.switch("one")
    site.rollout.choose()
    damage(site.releases.place("one"))
    site.apart.start()
    await site.up()
    verdict = await site.gate.screen(NUMBER, room="r")
    assert (verdict.model, verdict.action, verdict.degraded) == ("one", Action.BLOCK, False)
    await site.apart.stop()


async def test_a_process_that_cannot_be_told_of_a_release_is_replaced_and_the_others_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(Site(tmp_path)) as site:
        first, second = site.apart._desks[0], apart_module._Desk(dict, lambda *_: None)
        site.apart._desks.append(second)
        told: list[str] = []
        monkeypatch.setattr(second, "follow", lambda current, shadow: told.append(current))

        def deaf(message: object) -> None:
            raise EngineDown("does not listen")

        before = await site.up()
        monkeypatch.setattr(first.child, "send", deaf)
        site.apart.follow("one", None)
        assert told == ["one"]
        monkeypatch.undo()
        del site.apart._desks[1]
        assert await site.up(but=before) != before


async def test_a_message_that_meets_a_defect_in_the_process_is_judged_by_the_gate(tmp_path: Path) -> None:
    """The wire knows no message like this one: what breaks on it must not end the process, nor be printed."""
    async with running(Site(tmp_path)) as site:
        process = await site.up()
        desk = site.apart._desks[0]
        asked: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()
        desk._waiting[-1] = asked
        message = {"do": "screen", "number": -1, "until": 1e12, "room": "r", "text": 7, "sender": "a", "severity": 0}
        desk.child.send({**message, "context": [], "severity": 0})
        async with asyncio.timeout(60):
            assert await asked is None
        del desk._waiting[-1]
        assert (await site.gate.screen(NUMBER, room="r")).action is Action.BLOCK
        assert site.apart.pids == [process]


async def test_a_process_that_gives_up_late_leaves_the_gate_only_what_is_left_of_the_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Late:
        async def screen(self, question: Question) -> Answer | None:
            await asyncio.sleep(1.0)
            return None

        def follow(self, current: str, shadow: str | None) -> None:
            raise AssertionError

    stuck = Stuck()
    gate = Gate(stuck, ChatPolicy(), apart=Late(), deadline=1.2)
    waited: list[float] = []
    wait_for = asyncio.wait_for

    async def noted(answer: asyncio.Future[object], seconds: float) -> object:
        waited.append(seconds)
        return await wait_for(answer, seconds)

    monkeypatch.setattr(asyncio, "wait_for", noted)
    verdict = await gate.screen(NUMBER)
    assert verdict.degraded
    assert [0.0 <= seconds <= 0.2 for seconds in waited] == [True]
    stuck.release.set()


def test_a_room_s_lines_stay_the_same_objects_until_it_was_silent_for_long() -> None:
    now = [0.0]
    lines = Lines(lambda: now[0])
    (first,) = lines.of("a", [("t", "hello")])
    lines.add("a", Line("s", "answer"))
    again, answer = lines.of("a", [("t", "hello"), ("s", "answer")])
    assert again is first
    assert answer.text == "answer"
    now[0] = FORGET_SECONDS + 1
    lines.forget()
    assert lines.of("a", [("t", "hello")])[0] is not first


def test_not_more_rooms_than_so_many_are_remembered() -> None:
    lines = Lines()
    (first,) = lines.of("0", [("t", "hello")])
    for room in range(1, MOST_ROOMS + 1):
        lines.of(str(room), [])
    assert lines.of("0", [("t", "hello")])[0] is not first


def test_answers_and_orders_come_through_as_they_were() -> None:
    verdict = Verdict(
        Action.HOLD, 0.25, (Finding(Kind.PHONE, 1, 5, "a number"),), Decider.RULES, degraded=True, model="m"
    )
    assert Answer.of(Answer(verdict, "EngineDown").message(7)) == Answer(verdict, "EngineDown")
    policy = ChatPolicy(cost_ratio=3, block_kinds=frozenset({Kind.EMAIL}), languages=frozenset({"en"}), context=4)
    orders = Orders("/data", None, policy, PACKAGED, "two", "info", True)
    assert Orders.of(orders.message()) == orders
