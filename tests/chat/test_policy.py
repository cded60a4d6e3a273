"""Costs, kinds and domains become actions."""

from __future__ import annotations

import pytest

from lessonroom.chat.policy import ChatPolicy, decide, decide_by_rules
from lessonroom.chat.rules import apply, read
from lessonroom.chat.types import Action, Kind
from lessonroom.config import Settings
from lessonroom.errors import BadSetting


def test_the_threshold_follows_from_the_costs() -> None:
    """A false alarm ten times as dear as a miss: block at ten elevenths."""
    assert ChatPolicy().block_from() == pytest.approx(10 / 11)
    assert ChatPolicy(cost_ratio=1).block_from() == pytest.approx(0.5)


def test_fresh_violations_lower_the_threshold() -> None:
    assert ChatPolicy().block_from(severity=1) < ChatPolicy().block_from()


@pytest.mark.parametrize(
    ("probability", "kinds", "policy", "action"),
    [
        (0.95, [Kind.PHONE], ChatPolicy(), Action.BLOCK),
        (0.90, [Kind.PHONE], ChatPolicy(), Action.RELAY),
        (0.90, [Kind.PHONE], ChatPolicy(hold_from=0.5), Action.HOLD),
        (0.95, [], ChatPolicy(), Action.BLOCK),
        (0.95, [Kind.LINK], ChatPolicy(block_kinds=frozenset({Kind.PHONE})), Action.RELAY),
        (0.95, [Kind.LINK, Kind.PHONE], ChatPolicy(block_kinds=frozenset({Kind.PHONE})), Action.BLOCK),
        (0.95, [Kind.LINK], ChatPolicy(hold_kinds=frozenset({Kind.LINK})), Action.HOLD),
        (0.95, [Kind.LINK, Kind.PHONE], ChatPolicy(hold_kinds=frozenset({Kind.LINK})), Action.BLOCK),
    ],
)
def test_kinds_are_policy(probability: float, kinds: list[Kind], policy: ChatPolicy, action: Action) -> None:
    assert decide(probability, kinds, policy) is action


@pytest.mark.parametrize(("best", "action"), [(0.95, Action.BLOCK), (0.7, Action.HOLD), (0.2, Action.RELAY)])
def test_the_rules_alone_hold_what_they_cannot_decide(best: float, action: Action) -> None:
    assert decide_by_rules(best, [Kind.PHONE], ChatPolicy(), sure=0.85, unsure=0.5) is action


def test_own_domains_may_be_named() -> None:
    text = "see https://help.school-of-ours.com/rules and write to us@school-of-ours.com"
    assert apply(read(text))
    assert not [hit for hit in apply(read(text, frozenset({"school-of-ours.com"}))) if hit.score >= 0.3]


def test_the_settings_are_read() -> None:
    policy = ChatPolicy.of(Settings(chat_block_kinds=("phone",), chat_own_domains=("WWW.Ours.com",), chat_cost_ratio=4))
    assert policy.block_kinds == {Kind.PHONE}
    assert policy.own_domains == {"ours.com"}
    assert policy.block_from() == pytest.approx(0.8)


def test_a_language_is_switched_off_by_setting() -> None:
    assert ChatPolicy().languages == ChatPolicy.of(Settings()).languages == {"ru", "uk", "en"}
    assert ChatPolicy.of(Settings(chat_languages=("EN",))).languages == {"en"}
    with pytest.raises(BadSetting, match="chat_languages"):
        ChatPolicy.of(Settings(chat_languages=("klingon",)))


def test_an_unknown_kind_stops_with_its_key() -> None:
    with pytest.raises(BadSetting, match="chat_hold_kinds"):
        ChatPolicy.of(Settings(chat_hold_kinds=("pigeon",)))
