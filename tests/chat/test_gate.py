"""The gate: verdict in time whatever the model does, and the lines that must pass or be stopped for ever."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from lessonroom.chat import classifier
from lessonroom.chat.dataset import read_rows
from lessonroom.chat.gate import MOST_WAITING, Gate
from lessonroom.chat.policy import ChatPolicy
from lessonroom.chat.retrain import MUST_PASS
from lessonroom.chat.rules import SURE
from lessonroom.chat.screen import CERTAIN, MAX_LENGTH, SHOWN, look, screen
from lessonroom.chat.types import Action, Decider, Kind, Line, Standing, StandingClass
from lessonroom.errors import EngineDown
from tests.chat.models import Fixed, Stuck

NUMBER = "мой телефон 8 905 123-45-67, звоните"

patient = partial(Gate, deadline=30.0)
"""Gates that wait for their model: a machine that stands still for a moment must not leave it to the rules."""
MUST = read_rows(MUST_PASS)
HARMLESS = [pytest.param(row.text, id=row.family) for row in MUST if not row.label]
CONTACTS = [pytest.param(row.text, id=row.family) for row in MUST if row.label]


@pytest.fixture(scope="module")
def shipped() -> Gate:
    return patient(classifier.load(), ChatPolicy())


@pytest.mark.parametrize("text", HARMLESS)
async def test_the_articles_harmless_lines_and_others_like_them_pass(shipped: Gate, text: str) -> None:
    assert (await shipped.screen(text)).action is Action.RELAY
    assert (await patient(None, ChatPolicy()).screen(text)).action is Action.RELAY


@pytest.mark.parametrize("text", CONTACTS)
async def test_the_articles_contacts_and_others_like_them_are_stopped_and_told(shipped: Gate, text: str) -> None:
    verdict = await shipped.screen(text)
    assert verdict.action is Action.BLOCK
    assert verdict.findings
    assert (await patient(None, ChatPolicy()).screen(text)).action is not Action.RELAY


def test_all_lines_of_the_article_are_among_those_that_must_never_go_wrong() -> None:
    assert [row.label for row in MUST if row.family.startswith("article-")] == [0, 0, 0, 1, 1, 1, 1]


async def test_a_stopped_message_shows_where_in_the_original(shipped: Gate) -> None:
    verdict = await shipped.screen(NUMBER)
    found = next(finding for finding in verdict.findings if finding.kind is Kind.PHONE)
    assert NUMBER[found.start : found.end] == "8 905 123-45-67"
    assert verdict.decider is Decider.MODEL
    assert not verdict.degraded


@pytest.mark.parametrize("answer", [EngineDown("down"), ZeroDivisionError("a bug"), MemoryError()])
async def test_when_the_model_fails_the_rules_decide_and_say_so(answer: Exception) -> None:
    heard: list[str] = []
    gate = patient(Fixed(answer), ChatPolicy(), on_failure=heard.append)
    verdict = await gate.screen(NUMBER)
    assert (verdict.action, verdict.decider, verdict.degraded) == (Action.BLOCK, Decider.RULES, True)
    assert heard == ["EngineDown"]


async def test_what_the_rules_cannot_decide_is_held() -> None:
    verdict = await patient(Fixed(EngineDown("down")), ChatPolicy()).screen("скинь номер, так быстрее")
    assert (verdict.action, verdict.degraded) == (Action.HOLD, True)


async def test_plain_talk_goes_on_without_a_model() -> None:
    assert (await patient(None, ChatPolicy()).screen("спасибо за урок")).action is Action.RELAY


@pytest.mark.parametrize("kind", Kind)
async def test_the_model_is_asked_about_every_message_and_what_it_alone_found_is_told(kind: Kind) -> None:
    """A contact may hide in words that no rule knows. The finding covers the whole text, its kind is the model's."""
    text, model = "спасибо за урок", Fixed(1.0, kind=kind)
    verdict = await patient(model, ChatPolicy()).screen(text)
    assert (verdict.action, verdict.decider) == (Action.BLOCK, Decider.MODEL)
    assert screen(text, model, ChatPolicy()) == verdict
    assert [(found.kind, found.start, found.end) for found in verdict.findings] == [(kind, 0, len(text))]


@pytest.mark.parametrize(
    ("text", "asked"),
    [("спасибо за урок, было очень интересно", False), ("thank you for the lesson", True), ("42", True)],
)
async def test_in_a_language_that_is_switched_off_the_rules_decide_alone(text: str, asked: bool) -> None:
    """On purpose, so the verdict is not degraded. What is in no language at all is judged."""
    verdict = await patient(Fixed(1.0), ChatPolicy(languages=frozenset({"en"}))).screen(text)
    assert verdict.action is (Action.BLOCK if asked else Action.RELAY)
    assert verdict.decider is (Decider.MODEL if asked else Decider.RULES)
    assert not verdict.degraded
    assert screen(text, Fixed(1.0), ChatPolicy(languages=frozenset({"en"}))) == verdict


async def test_what_no_rule_is_sure_of_is_told_only_where_the_model_names_the_same_kind() -> None:
    """A weak sign of one kind must neither hide nor excuse a contact of another."""
    text = "спасибо vasya_82"
    weak = [hit for hit in look(text, ChatPolicy()).hits if hit.score >= SHOWN]
    assert weak
    assert all(hit.score < SURE for hit in weak)
    same = screen(text, Fixed(1.0, kind=weak[0].kind), ChatPolicy()).findings
    assert {found.kind for found in same} == {weak[0].kind}
    assert (same[0].start, same[0].end) == (weak[0].start, weak[0].end)
    others = ChatPolicy(block_kinds=frozenset({Kind.ADDRESS}))
    verdict = screen(text, Fixed(1.0, kind=Kind.ADDRESS), others)
    assert (verdict.action, [found.kind for found in verdict.findings]) == (Action.BLOCK, [Kind.ADDRESS])


async def test_digits_said_in_pieces_for_certain_need_no_model() -> None:
    talk = [Line("a", "мой номер 8 905"), Line("b", "да?"), Line("a", "123"), Line("b", "дальше")]
    said = screen("45 67, звоните", Fixed(0.0), ChatPolicy(), "a", talk)
    assert max(hit.score for hit in look("45 67, звоните", ChatPolicy(), "a", talk).talk.hits) >= CERTAIN
    assert said.action is Action.BLOCK


async def test_a_kind_that_may_pass_passes_also_where_only_the_model_found_it() -> None:
    policy = ChatPolicy(block_kinds=frozenset(Kind) - {Kind.ADDRESS})
    for kind, action in ((Kind.ADDRESS, Action.RELAY), (Kind.PHONE, Action.BLOCK)):
        assert (await patient(Fixed(1.0, kind=kind), policy).screen("спасибо за урок")).action is action


@pytest.mark.parametrize("text", ["", " ", "\u200b", "...", "😀"])
async def test_a_message_of_nothing_goes_the_same_way(text: str) -> None:
    verdict = await patient(Fixed(0.0), ChatPolicy()).screen(text)
    assert (verdict.action, verdict.decider, verdict.degraded) == (Action.RELAY, Decider.MODEL, False)


async def test_half_a_pair_of_surrogates_and_digits_of_any_script_are_judged_by_the_model() -> None:
    """They must not turn the model off for their message: the rules alone are easier to get around."""
    for text in ("мой тел \ud83d 8 905 123 45 67", "፩ ፪ ፫ ፬ ፭", "𑁒 𑁓 𑁔 𑁕 𑁖"):
        verdict = await patient(classifier.load(), ChatPolicy()).screen(text)
        assert not verdict.degraded


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
    gate = patient(Fixed(1.0), ChatPolicy())
    assert (await gate.screen(NUMBER, standing=paying)).decider is Decider.STANDING
    strict = patient(Fixed(1.0), ChatPolicy(screen_paying=True))
    assert (await strict.screen(NUMBER, standing=paying)).action is Action.BLOCK


async def test_a_fresh_violation_lowers_the_threshold_for_the_next_message() -> None:
    now = 1_800_000_000.0
    gate = patient(Fixed(0.87), ChatPolicy(), clock=lambda: now)
    assert (await gate.screen(NUMBER)).action is Action.RELAY
    struck = Standing(StandingClass.VIOLATOR, (now - 60,))
    assert (await gate.screen(NUMBER, standing=struck)).action is Action.BLOCK


async def test_a_message_that_is_too_long_to_read_is_held_visibly() -> None:
    verdict = await patient(Fixed(0.0), ChatPolicy()).screen("a" * (MAX_LENGTH + 1))
    assert (verdict.action, verdict.degraded) == (Action.HOLD, True)


async def test_earlier_lines_count(shipped: Gate) -> None:
    context = (Line("student", "мой номер 8905"), Line("teacher", "да?"), Line("student", "123"))
    assert (await shipped.screen("45 67", sender="student", context=context)).action is Action.BLOCK
    assert (await shipped.screen("45 67", sender="student")).action is Action.RELAY


async def test_only_as_much_context_is_read_as_the_setting_says() -> None:
    context = (Line("a", "мой номер 8905"), Line("a", "123"))
    gate = patient(None, ChatPolicy(context=0))
    assert (await gate.screen("45 67", sender="a", context=context)).action is Action.RELAY
