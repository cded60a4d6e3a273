"""Hints: when a strain is worth a sentence to the teacher, and which. Pure.

A hint costs attention in the middle of a lesson, so the rules are about silence: none in the first two minutes, one in
five at most, none while the last is on the screen unanswered, none on a short spell, none on a face that is not seen.
The teacher's answers move the threshold within stated bounds. The "I'm stuck" button does not wait for any of this:
the room tells the teacher at once, and here it only makes us keep quiet for a while.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from lessonroom.media.strain import FACE_CUES
from lessonroom.media.types import Cue, Hint, Strain

ADVICE: Mapping[Cue, tuple[str, ...]] = MappingProxyType(
    {
        Cue.STUCK_BUTTON: ("ask_what_is_unclear", "explain_again", "smaller_step"),
        Cue.FROWNING: ("slow_down", "give_example", "ask_what_is_unclear"),
        Cue.DISTRESS: ("encourage", "easier_task", "short_break"),
        Cue.DISENGAGED: ("ask_opinion", "change_activity", "short_break"),
        Cue.CHAT: ("explain_again", "give_example", "ask_what_is_unclear"),
        Cue.EXERCISE: ("smaller_step", "first_step_together", "easier_task"),
    }
)
"""Keys of the pages' catalogue, in the order in which they are used for one student."""


LEAST_SHARE = 0.2
"""Share of the evidence below which a cue is no reason for a hint."""


@dataclass(frozen=True, slots=True)
class HintRules:
    """Times in seconds; ``threshold`` in strain. Answers move it by ``step`` to no more than ``lower``/``higher``."""

    threshold: float = 0.6
    hold: float = 0.0
    first: float = 120.0
    pause: float = 300.0
    fresh: float = 60.0
    button_quiet: float = 60.0
    slack: float = 0.26
    longest_gap: float = 2.5
    step: float = 0.05
    lower: float = 0.1
    higher: float = 0.25


@dataclass(frozen=True, slots=True)
class Shown:
    """The last hint that went to the teacher."""

    id: str
    at: float
    answered: bool = False


@dataclass(frozen=True, slots=True)
class HintState:
    """What is remembered between decisions.

    ``held``: for how long strain has been above the threshold, None below it. ``shift``: what the teacher's answers
    added to the threshold.
    """

    started: float
    held: float | None = None
    at: float | None = None
    shift: float = 0.0
    last: Shown | None = None
    quiet_until: float = float("-inf")
    used: Mapping[Cue, int] = field(default_factory=dict)


def decide(
    state: HintState, strain: Strain, now: float, rules: HintRules, *, hint_id: str
) -> tuple[HintState, Hint | None]:
    """Take one estimate in and say whether the teacher hears of it. ``hint_id`` names the hint, if it comes to one."""
    state = _held(state, strain, now, rules)
    if state.held is None or state.held < rules.hold or not _may_speak(state, now, rules):
        return state, None
    cue = _speakable(strain)
    if cue is None:
        return state, None
    turn = state.used.get(cue, 0)
    shown = replace(state, held=None, last=Shown(hint_id, now), used={**state.used, cue: turn + 1})
    return shown, Hint(hint_id, now, cue, advice_for(cue, turn))


def answered(state: HintState, hint_id: str, helpful: bool | None, rules: HintRules) -> HintState:
    """Take the teacher's answer in; None is a card closed without one.

    "Not helpful" weighs twice: a useless interruption costs more than a late hint.
    """
    if state.last is None or state.last.id != hint_id or state.last.answered:
        return state
    moved = {True: -rules.step, False: 2.0 * rules.step, None: 0.0}[helpful]
    shift = min(rules.higher, max(-rules.lower, state.shift + moved))
    return replace(state, shift=shift, last=replace(state.last, answered=True))


def pressed(state: HintState, now: float, rules: HintRules) -> HintState:
    """The teacher has just been told of the button; a hint on top of it would say the same again."""
    return replace(state, held=None, quiet_until=now + rules.button_quiet)


def threshold(state: HintState, rules: HintRules) -> float:
    """The threshold in force, after what the teacher has answered so far."""
    return min(0.99, max(0.05, rules.threshold + state.shift))


def advice_for(cue: Cue, turn: int) -> str:
    """The advice for the ``turn``-th hint (from 0) of one cue, so that it is not always the same."""
    return ADVICE[cue][turn % len(ADVICE[cue])]


def _held(state: HintState, strain: Strain, now: float, rules: HintRules) -> HintState:
    """Add up the time above the threshold. Unseen time does not count; a dip of ``slack`` does not end it."""
    passed = 0.0 if state.at is None else min(max(0.0, now - state.at), rules.longest_gap)
    state = replace(state, at=now)
    level = threshold(state, rules)
    # first: what has sunk is over, also while nothing may be said about it
    if strain.level is None or strain.level < level - rules.slack:
        return replace(state, held=None)
    if _speakable(strain) is None:
        return state
    if state.held is None:
        return replace(state, held=0.0 if strain.level >= level else None)
    return replace(state, held=state.held + passed)


def _may_speak(state: HintState, now: float, rules: HintRules) -> bool:
    if now - state.started < rules.first or now < state.quiet_until:
        return False
    if state.last is None:
        return True
    since = now - state.last.at
    return since >= rules.pause and (state.last.answered or since >= rules.fresh)


def _speakable(strain: Strain) -> Cue | None:
    """The strongest cue that may become a hint now: the button never, a face only while it is in view."""
    for piece in strain.evidence:
        hidden = piece.cue in FACE_CUES and strain.unseen is not None
        if piece.cue is not Cue.STUCK_BUTTON and not hidden and piece.weight >= LEAST_SHARE:
            return piece.cue
    return None
