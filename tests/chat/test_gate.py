"""The gate: verdict in time whatever the model does, and the lines that must pass or be stopped for ever."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from lessonroom.chat import classifier
from lessonroom.chat.features import Features
from lessonroom.chat.gate import MOST_WAITING, Gate
from lessonroom.chat.policy import ChatPolicy
from lessonroom.chat.screen import MAX_LENGTH
from lessonroom.chat.types import Action, Decider, Kind, Line, Standing, StandingClass
from lessonroom.errors import EngineDown

NUMBER = "мой телефон 8 905 123-45-67, звоните"

MUST_PASS = (
    "пятница — с 13 00-15 00-15 30… сколько будет стоит групповое занятие?",
    "английский знаю как собака: понимаю все, но сказать не могу",
    "do you want to have skype or local lessons?",
)
MUST_STOP = (
    "vasya (собака) pupkin (точка) ru",
    "please add me in Skype — vasya82pupkin",
    "Мой скайп vasiliy.p, тел +789123456. Значит на 19:00 1 апреля!",
    "Не хочу платить до урока, меня зовут Василий Пупкин – найдите меня вконтакте",
)


class Fixed:
    """A classifier that always gives one answer, or fails with one error."""

    version = "fixed"

    def __init__(self, answer: float | Exception) -> None:
        self.answer = answer

    def probability(self, evidence: Features) -> float:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Stuck:
    """A classifier that does not answer until it is released."""

    version = "stuck"

    def __init__(self) -> None:
        self.release = Event()

    def probability(self, evidence: Features) -> float:
        self.release.wait(10)
        return 0.0


@pytest.fixture(scope="module")
def shipped() -> Gate:
    return Gate(classifier.load(), ChatPolicy())


@pytest.mark.parametrize("text", MUST_PASS)
async def test_the_articles_harmless_lines_pass(shipped: Gate, text: str) -> None:
    assert (await shipped.screen(text)).action is Action.RELAY
    assert (await Gate(None, ChatPolicy()).screen(text)).action is Action.RELAY


@pytest.mark.parametrize("text", MUST_STOP)
async def test_the_articles_contacts_are_stopped_and_told(shipped: Gate, text: str) -> None:
    verdict = await shipped.screen(text)
    assert verdict.action is Action.BLOCK
    assert verdict.findings
    assert (await Gate(None, ChatPolicy()).screen(text)).action is not Action.RELAY


async def test_a_stopped_message_shows_where_in_the_original(shipped: Gate) -> None:
    verdict = await shipped.screen(NUMBER)
    found = next(finding for finding in verdict.findings if finding.kind is Kind.PHONE)
    assert NUMBER[found.start : found.end] == "8 905 123-45-67"
    assert verdict.decider is Decider.MODEL
    assert not verdict.degraded


@pytest.mark.parametrize("answer", [EngineDown("down"), ZeroDivisionError("a bug"), MemoryError()])
async def test_when_the_model_fails_the_rules_decide_and_say_so(answer: Exception) -> None:
    heard: list[str] = []
    gate = Gate(Fixed(answer), ChatPolicy(), on_failure=heard.append)
    verdict = await gate.screen(NUMBER)
    assert (verdict.action, verdict.decider, verdict.degraded) == (Action.BLOCK, Decider.RULES, True)
    assert heard == ["EngineDown"]


async def test_what_the_rules_cannot_decide_is_held() -> None:
    verdict = await Gate(Fixed(EngineDown("down")), ChatPolicy()).screen("скинь номер, так быстрее")
    assert (verdict.action, verdict.degraded) == (Action.HOLD, True)


async def test_plain_talk_goes_on_without_a_model() -> None:
    assert (await Gate(None, ChatPolicy()).screen("спасибо за урок")).action is Action.RELAY


async def test_a_model_that_hangs_costs_the_deadline_and_no_more() -> None:
    stuck = Stuck()
    with ThreadPoolExecutor(1) as pool:
        gate = Gate(stuck, ChatPolicy(), deadline=0.05, executor=pool)
        start = time.monotonic()
        verdict = await gate.screen(NUMBER)
        assert verdict.degraded
        assert verdict.action is Action.BLOCK
        assert time.monotonic() - start < 5
        stuck.release.set()


async def test_a_hanging_model_is_not_asked_without_end() -> None:
    """Questions that wait are bounded; further messages are decided by the rules at once."""
    stuck = Stuck()
    with ThreadPoolExecutor(1) as pool:
        gate = Gate(stuck, ChatPolicy(), deadline=0.02, executor=pool)
        verdicts = await asyncio.gather(*(gate.screen(NUMBER) for _ in range(MOST_WAITING + 20)))
        assert all(verdict.degraded for verdict in verdicts)
        stuck.release.set()


async def test_a_sender_who_has_paid_is_not_screened() -> None:
    paying = Standing(StandingClass.PAYING)
    gate = Gate(Fixed(1.0), ChatPolicy())
    assert (await gate.screen(NUMBER, standing=paying)).decider is Decider.STANDING
    strict = Gate(Fixed(1.0), ChatPolicy(screen_paying=True))
    assert (await strict.screen(NUMBER, standing=paying)).action is Action.BLOCK


async def test_a_fresh_violation_lowers_the_threshold_for_the_next_message() -> None:
    now = 1_800_000_000.0
    gate = Gate(Fixed(0.87), ChatPolicy(), clock=lambda: now)
    assert (await gate.screen(NUMBER)).action is Action.RELAY
    struck = Standing(StandingClass.VIOLATOR, (now - 60,))
    assert (await gate.screen(NUMBER, standing=struck)).action is Action.BLOCK


async def test_a_message_that_is_too_long_to_read_is_held_visibly() -> None:
    verdict = await Gate(Fixed(0.0), ChatPolicy()).screen("a" * (MAX_LENGTH + 1))
    assert (verdict.action, verdict.degraded) == (Action.HOLD, True)


async def test_earlier_lines_count(shipped: Gate) -> None:
    context = (Line("student", "мой номер 8905"), Line("teacher", "да?"), Line("student", "123"))
    assert (await shipped.screen("45 67", sender="student", context=context)).action is Action.BLOCK
    assert (await shipped.screen("45 67", sender="student")).action is Action.RELAY


async def test_only_as_much_context_is_read_as_the_setting_says() -> None:
    context = (Line("a", "мой номер 8905"), Line("a", "123"))
    gate = Gate(None, ChatPolicy(context=0))
    assert (await gate.screen("45 67", sender="a", context=context)).action is Action.RELAY
