"""Hints on a virtual clock: when the teacher hears something, and when not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lessonroom.media import strain as strains
from lessonroom.media.hints import ADVICE, HintRules, HintState, advice_for, answered, decide, pressed, threshold
from lessonroom.media.types import Cue, Evidence, Hint, Observation, Strain, Unseen, Watching
from tests.media.sequences import Student, always, bursts, drifting, held

RULES = HintRules()
HELD = replace(RULES, hold=4.0)
"""The time that strain must hold on top of its own evidence, where somebody asks for that."""


def strain(at: float, level: float | None = 0.9, cue: Cue = Cue.FROWNING, unseen: Unseen | None = None) -> Strain:
    watching = Watching.UNSURE if level is None else Watching.WATCHING
    evidence = () if level is None else (Evidence(cue, 1.0, at),)
    return Strain(at, level, watching, evidence, unseen)


def run(
    moments: list[Strain], state: HintState | None = None, rules: HintRules = RULES
) -> tuple[HintState, list[Hint]]:
    state = state or HintState(started=0.0)
    shown = []
    for moment in moments:
        state, hint = decide(state, moment, moment.at, rules, hint_id=f"hint{moment.at:07.1f}")
        shown += [hint] if hint else []
    return state, shown


def high(start: float, seconds: float, **more: object) -> list[Strain]:
    return [strain(start + i / 2, **more) for i in range(int(seconds * 2))]  # type: ignore[arg-type]


def test_never_in_the_first_two_minutes_and_then_at_once() -> None:
    _, shown = run(high(0, 200))
    assert [hint.at for hint in shown] == [120.0]


def test_at_most_one_in_five_minutes() -> None:
    _, shown = run(high(0, 1000))
    assert [hint.at for hint in shown] == [120.0, 420.0, 720.0]


@pytest.mark.parametrize(("seconds", "hints"), [(3, 0), (8, 1)])
def test_strain_must_hold_where_that_is_asked_for(seconds: float, hints: int) -> None:
    _, shown = run([*high(200, 2, level=0.1), *high(202, seconds), *high(202 + seconds, 30, level=0.1)], rules=HELD)
    assert len(shown) == hints


def test_a_short_dip_does_not_start_the_clock_again_and_a_deep_one_does() -> None:
    shallow = [strain(200 + i / 2, level=0.35 if i == 6 else 0.7) for i in range(10)]
    deep = [strain(200 + i / 2, level=0.3 if i == 6 else 0.7) for i in range(10)]
    assert len(run(shallow, rules=HELD)[1]) == 1
    assert not run(deep, rules=HELD)[1]


def test_never_while_the_last_is_unanswered_and_fresh() -> None:
    rules = replace(RULES, pause=20.0, fresh=60.0)
    state, shown = run(high(200, 50), rules=rules)
    assert len(shown) == 1
    answered_state = answered(state, shown[0].id, True, rules)
    assert run(high(250, 9), state, rules)[1] == []
    assert len(run(high(250, 9), answered_state, rules)[1]) == 1
    assert len(run(high(250, 30), state, rules)[1]) == 1  # no longer fresh


@pytest.mark.parametrize("unseen", [Unseen.NO_FACE, Unseen.SEVERAL_FACES, Unseen.NOT_LOOKED])
def test_no_hint_about_a_face_that_is_not_seen(unseen: Unseen) -> None:
    assert not run(high(200, 60, unseen=unseen))[1]


def test_chat_alone_may_hint_without_a_face() -> None:
    _, shown = run(high(200, 60, cue=Cue.CHAT, unseen=Unseen.NO_FACE))
    assert [hint.cue for hint in shown] == [Cue.CHAT]


def test_unseen_moments_pause_the_hold_and_unsure_ends_it() -> None:
    away = [strain(203 + i / 2, unseen=Unseen.TURNED_AWAY) for i in range(6)]
    assert len(run([*high(200, 3), *away, *high(206, 3)], rules=HELD)[1]) == 1
    unsure = [strain(203, level=None)]
    assert not run([*high(200, 3), *unsure, *high(204, 3)], rules=HELD)[1]


def test_strain_that_sinks_while_nothing_may_be_said_ends_the_hold() -> None:
    """Else one sample much later would be told at once, as if strain had held all the while."""
    away = high(203, 900, level=0.1, unseen=Unseen.NO_FACE)
    assert not run([*high(200, 3), *away, strain(1103), strain(1104)], rules=HELD)[1]


def test_the_button_alone_is_told_by_the_room_and_not_again() -> None:
    assert not run(high(200, 60, cue=Cue.STUCK_BUTTON))[1]


def test_after_the_button_it_keeps_quiet_for_a_minute() -> None:
    _, shown = run(high(200, 100), pressed(HintState(started=0.0), 200.0, RULES))
    assert [hint.at for hint in shown] == [260.0]


def test_answers_move_the_threshold_within_bounds() -> None:
    state = HintState(started=0.0)
    for number in range(20):
        state, shown = run(high(1000.0 * number, 300), state)
        state = answered(state, shown[0].id, False, RULES) if shown else state
    assert threshold(state, RULES) == pytest.approx(RULES.threshold + RULES.higher)
    for number in range(20, 40):
        state, shown = run(high(1000.0 * number, 300), state)
        state = answered(state, shown[0].id, True, RULES) if shown else state
    assert threshold(state, RULES) == pytest.approx(RULES.threshold - RULES.lower)


def test_an_answer_counts_once_and_only_for_the_hint_it_names() -> None:
    state, shown = run(high(200, 20))
    once = answered(state, shown[0].id, False, RULES)
    assert answered(once, shown[0].id, False, RULES) == once
    assert answered(state, "another", False, RULES) == state


def test_closing_without_an_answer_moves_nothing() -> None:
    state, shown = run(high(200, 20))
    assert threshold(answered(state, shown[0].id, None, RULES), RULES) == threshold(state, RULES)


def test_the_advice_changes_from_hint_to_hint() -> None:
    _, shown = run(high(0, 1300))
    assert [hint.advice for hint in shown][:4] == [*ADVICE[Cue.FROWNING], ADVICE[Cue.FROWNING][0]]


def test_every_cue_has_advice() -> None:
    assert set(ADVICE) == set(Cue)
    assert all(len(keys) >= 3 for keys in ADVICE.values())
    assert advice_for(Cue.CHAT, 4) == ADVICE[Cue.CHAT][1]


def lesson(student: Student, seconds: float, first: float = 120.0) -> list[Hint]:
    """Both pure halves together, as the pipeline runs them."""
    rules, state, shown = strains.StrainRules(), strains.StrainState(), []
    hints, hint_rules = HintState(started=0.0), replace(RULES, first=first)
    for observation in student.observe(seconds):
        state, now = strains.step(state, observation, rules)
        hints, hint = decide(hints, now, observation.at, hint_rules, hint_id="hint-made-here")
        shown += [hint] if hint else []
    return shown


def away(now: float) -> Unseen | None:
    return Unseen.NO_FACE if now % 40 < 15 else None


ORDINARY = {
    "calm": Student(1),
    "talking": Student(2, talks=always),
    "smiling": Student(3, mood=bursts("happiness", 30, 6)),
    "yawning": Student(4, mood=bursts("surprise", 120, 6)),
    "evening light": Student(5, mood=drifting("sadness", 0.1)),
    "leaving the picture": Student(6, drop=away),
    "bad picture": Student(7, quality=0.1, noise=1.5),
}
EMPTY = {
    "nobody": Student(8, drop=lambda _: Unseen.NO_FACE),
    "two people": Student(9, drop=lambda _: Unseen.SEVERAL_FACES, mood=held("anger", 0)),
}


def test_hints_are_rare_in_ordinary_lessons() -> None:
    """At most one in three hours; ``lessonroom bench hints`` measures the rate on many more."""
    assert sum(len(lesson(student, 1500)) for student in ORDINARY.values()) <= 1


@pytest.mark.parametrize("student", EMPTY.values(), ids=EMPTY)
def test_nothing_to_read_is_no_hint(student: Student) -> None:
    assert lesson(student, 900) == []


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("label", "cue"), [("anger", Cue.FROWNING), ("sadness", Cue.DISTRESS)])
def test_a_clear_change_is_hinted_within_20_seconds(seed: int, label: str, cue: Cue) -> None:
    shown = lesson(Student(seed, mood=held(label, 60)), 80, first=0.0)
    assert [hint.cue for hint in shown] == [cue]


def test_the_loss_of_the_camera_while_evidence_gathers_does_not_hint() -> None:
    def lost(now: float) -> Unseen | None:
        return Unseen.NOT_LOOKED if now > 124 else None

    student = Student(1, mood=held("anger", 122), drop=lost)
    assert lesson(student, 300) == []
    assert lesson(Student(1, mood=held("anger", 122)), 300)


def test_observations_of_the_type_are_what_both_halves_take() -> None:
    """An observation without anything in it is answered with learning, not with a level."""
    _, now = strains.step(strains.StrainState(), Observation(0.0, unseen=Unseen.NO_FACE), strains.StrainRules())
    assert now.watching is Watching.LEARNING


def test_without_a_hold_it_speaks_at_the_threshold_and_not_below() -> None:
    assert run(high(200, 60, level=0.59))[1] == []
    assert [hint.at for hint in run(high(200, 60, level=0.6))[1]] == [200.0]
