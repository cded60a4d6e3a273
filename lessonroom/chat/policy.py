"""From probability and findings to an action: costs, kinds, domains. Pure.

A false alarm costs ``cost_ratio`` times a miss, so a message is blocked when ``p >= r / (1 + r)`` (Elkan, "The
foundations of cost-sensitive learning", 2001). Kinds are policy: each can block, only hold, or be let through.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from lessonroom.chat.language import LANGUAGES, OTHER
from lessonroom.chat.types import Action, Kind
from lessonroom.config import Settings
from lessonroom.errors import BadSetting

ALL_KINDS = frozenset(Kind)
KNOWN_LANGUAGES = frozenset(LANGUAGES) - {OTHER}
"""What the classifier has learned. What is in none of them, or in no words at all, it judges always."""


@dataclass(frozen=True, slots=True)
class ChatPolicy:
    """The settings of the chat filter, read once.

    ``hold_from``: probability from which a message is held for a person, 1 for never. ``own_domains``: lower-case
    domains that may always be named. ``languages``: those of ``KNOWN_LANGUAGES`` whose messages the classifier judges,
    others are left to the rules. ``context``: how many earlier lines are read together with a message.
    """

    cost_ratio: float = 10.0
    hold_from: float = 1.0
    block_kinds: frozenset[Kind] = ALL_KINDS
    hold_kinds: frozenset[Kind] = frozenset()
    languages: frozenset[str] = KNOWN_LANGUAGES
    own_domains: frozenset[str] = frozenset()
    screen_paying: bool = False
    context: int = 12

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The chat's part of all settings. Raises BadSetting for an unknown kind or language."""
        return cls(
            cost_ratio=settings.chat_cost_ratio,
            hold_from=settings.chat_hold_from,
            block_kinds=_kinds("chat_block_kinds", settings.chat_block_kinds),
            hold_kinds=_kinds("chat_hold_kinds", settings.chat_hold_kinds),
            languages=_languages(settings.chat_languages),
            own_domains=frozenset(domain.lower().removeprefix("www.") for domain in settings.chat_own_domains),
            screen_paying=settings.chat_screen_paying,
            context=settings.chat_context,
        )

    def block_from(self, severity: float = 0.0) -> float:
        """The probability from which a message is blocked; ``severity`` of the sender (0 and more) lowers it."""
        ratio = self.cost_ratio / (1.0 + severity)
        return ratio / (1.0 + ratio)


def _languages(words: Iterable[str]) -> frozenset[str]:
    languages = frozenset(word.lower() for word in words)
    if not languages <= KNOWN_LANGUAGES:
        raise BadSetting(f"chat_languages: expected some of {', '.join(sorted(KNOWN_LANGUAGES))}, got another word")
    return languages


def _kinds(key: str, words: Iterable[str]) -> frozenset[Kind]:
    try:
        return frozenset(Kind(word.lower()) for word in words)
    except ValueError:
        known = ", ".join(kind.value for kind in Kind)
        raise BadSetting(f"{key}: expected some of {known}, got another word") from None


def decide(probability: float, kinds: Sequence[Kind], policy: ChatPolicy, severity: float = 0.0) -> Action:
    """What happens to a message with these kinds of findings (may be empty) and this probability."""
    screened = [kind for kind in kinds if kind in policy.block_kinds or kind in policy.hold_kinds]
    if kinds and not screened:
        return Action.RELAY
    if probability >= policy.block_from(severity):
        only_held = bool(screened) and all(kind in policy.hold_kinds for kind in screened)
        return Action.HOLD if only_held else Action.BLOCK
    if policy.hold_from < 1.0 and probability >= policy.hold_from:
        return Action.HOLD
    return Action.RELAY


def decide_by_rules(best: float, kinds: Sequence[Kind], policy: ChatPolicy, *, sure: float, unsure: float) -> Action:
    """What the rules alone do: the sure is blocked, what they cannot decide is held, the rest goes on."""
    if best < unsure:
        return Action.RELAY
    action = decide(1.0, kinds, policy)
    return Action.HOLD if action is Action.BLOCK and best < sure else action
