"""The candidate that is asked too: it is counted, and it never delays, changes or fails a message."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from lessonroom.chat.gate import Gate
from lessonroom.chat.policy import ChatPolicy
from lessonroom.chat.shadow import MOST_WAITING, Shadow
from lessonroom.chat.types import Action, Standing, StandingClass
from lessonroom.errors import EngineDown
from tests.chat.models import Fixed, Stuck

NUMBER = "мой телефон 8 905 123-45-67, звоните"
PATIENCE = 30.0
"""How long a test waits for something that must come, in seconds."""


class Heard:
    """Hears outcomes, and lets a test wait for so many."""

    def __init__(self) -> None:
        self.outcomes: list[str] = []
        self._changed = asyncio.Event()

    def __call__(self, outcome: str) -> None:
        self.outcomes.append(outcome)
        self._changed.set()

    async def wait(self, count: int) -> list[str]:
        async with asyncio.timeout(PATIENCE):
            while len(self.outcomes) < count:
                self._changed.clear()
                await self._changed.wait()
        return self.outcomes


@contextmanager
def shadowed(current: float, candidate: Fixed | Stuck, heard: Heard) -> Iterator[Gate]:
    gate = Gate(Fixed(current), ChatPolicy(), deadline=PATIENCE)
    gate.shadow = Shadow(candidate, gate.policy, heard)
    yield gate
    gate.shadow.close()


@pytest.mark.parametrize(
    ("current", "candidate", "outcome"),
    [(0.0, 0.0, "neither"), (1.0, 1.0, "both"), (1.0, 0.0, "only_current"), (0.0, 1.0, "only_candidate")],
)
async def test_each_message_is_counted_by_who_would_have_raised_an_alarm(
    current: float, candidate: float, outcome: str
) -> None:
    heard = Heard()
    with shadowed(current, Fixed(candidate, "new"), heard) as gate:
        verdict = await gate.screen(NUMBER)
        assert (verdict.action is Action.BLOCK) == (current == 1.0)
        assert verdict.model == "fixed"
        assert await heard.wait(1) == [outcome]
        assert gate.shadow is not None
        told = {name: int(name == outcome) for name in ("both", "only_current", "only_candidate")}
        assert gate.shadow.figures() == {"version": "new", "messages": 1, **told}


async def test_a_candidate_is_asked_about_ordinary_talk_too() -> None:
    """A contact may hide in words that no rule knows: the candidate hears what the current model hears."""
    heard = Heard()
    with shadowed(0.0, Fixed(1.0), heard) as gate:
        await gate.screen("спасибо за урок")
        assert await heard.wait(1) == ["only_candidate"]


@pytest.mark.parametrize("error", [EngineDown("down"), ZeroDivisionError("a bug")])
async def test_a_candidate_that_fails_fails_alone(error: Exception) -> None:
    heard = Heard()
    with shadowed(1.0, Fixed(error), heard) as gate:
        assert (await gate.screen(NUMBER)).action is Action.BLOCK
        assert await heard.wait(1) == ["failed"]
        assert gate.shadow is not None
        assert gate.shadow.figures()["messages"] == 0


async def test_a_candidate_that_hangs_delays_nothing_and_its_queue_is_bounded() -> None:
    heard, stuck = Heard(), Stuck()
    with shadowed(1.0, stuck, heard) as gate:
        for _ in range(MOST_WAITING + 3):
            assert (await gate.screen(NUMBER)).action is Action.BLOCK
        assert heard.outcomes == ["skipped"] * 3
        stuck.release.set()
        await heard.wait(MOST_WAITING + 3)
        assert heard.outcomes[3:] == ["only_current"] * MOST_WAITING


async def test_what_nobody_has_judged_is_not_compared() -> None:
    """A sender who is not screened, and a message that the rules decided alone, say nothing of either model."""
    heard = Heard()
    with shadowed(1.0, Fixed(1.0), heard) as gate:
        await gate.screen(NUMBER, standing=Standing(StandingClass.PAYING))
        gate.classifier = Fixed(EngineDown("down"))
        await gate.screen(NUMBER)
        assert heard.outcomes == []


async def test_the_sender_s_standing_counts_for_both() -> None:
    now = 1_800_000_000.0
    heard = Heard()
    gate = Gate(Fixed(0.87), ChatPolicy(), deadline=PATIENCE, clock=lambda: now)
    gate.shadow = Shadow(Fixed(0.87), gate.policy, heard)
    await gate.screen(NUMBER)
    await gate.screen(NUMBER, standing=Standing(StandingClass.VIOLATOR, (now - 60,)))
    assert await heard.wait(2) == ["neither", "both"]
    gate.shadow.close()
