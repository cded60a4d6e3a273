"""Strain on a virtual clock: tables for the rules, generated students for the whole."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

import pytest

from lessonroom.media.strain import FACE_CUES, StrainRules, StrainState, estimate, note, step
from lessonroom.media.types import EXPRESSIONS, Cue, Observation, Strain, Unseen, Watching
from tests.media.sequences import Student, always, bursts, held

RULES = StrainRules()


def face(at: float, quality: float = 0.8, shape: dict[str, float] | None = None, **expression: float) -> Observation:
    """A face with the given probabilities; what is left over is neutral."""
    rest = 1.0 - sum(expression.values())
    return Observation(
        at,
        quality=quality,
        expression={e: expression.get(e, rest * (e == "neutral")) for e in EXPRESSIONS},
        shape=shape or {},
    )


def run(observations: Iterable[Observation], state: StrainState | None = None) -> tuple[StrainState, list[Strain]]:
    state = state or StrainState()
    strains = []
    for observation in observations:
        state, strain = step(state, observation, RULES)
        strains.append(strain)
    return state, strains


def calm(start: float, seconds: float) -> list[Observation]:
    return [face(start + i / 2, anger=0.05, sadness=0.05) for i in range(int(seconds * 2))]


def test_it_learns_first_and_says_so() -> None:
    _, strains = run(calm(0, 60))
    assert [strain.watching for strain in strains[:88]] == [Watching.LEARNING] * 88
    assert strains[-1].watching is Watching.WATCHING
    assert all(strain.level is None for strain in strains[:88])


def test_learning_takes_seen_time_not_clock_time() -> None:
    """A student who leaves for a minute in the middle comes back to a face that is still being learned."""
    gone = [Observation(10 + i / 2, unseen=Unseen.NO_FACE) for i in range(120)]
    state, _ = run([*calm(0, 10), *gone, *calm(70, 15)])
    assert state.baselines is None
    state, _ = run(calm(85, 25), state)
    assert state.baselines is not None


def test_a_calm_face_is_low_and_a_held_frown_is_high() -> None:
    state, strains = run(calm(0, 60))
    assert strains[-1].level is not None
    assert strains[-1].level < 0.15
    _, strains = run([face(60 + i / 2, anger=0.7) for i in range(40)], state)
    assert strains[-1].level is not None
    assert strains[-1].level > 0.9
    assert [piece.cue for piece in strains[-1].evidence] == [Cue.FROWNING]
    assert 60 < strains[-1].evidence[0].since < 66


@pytest.mark.parametrize(("label", "cue"), [("sadness", Cue.DISTRESS), ("fear", Cue.DISTRESS), ("anger", Cue.FROWNING),
                                             ("disgust", Cue.FROWNING)])  # fmt: skip
def test_each_expression_is_evidence_of_its_cue(label: str, cue: Cue) -> None:
    state, _ = run(calm(0, 60))
    _, strains = run([face(60 + i / 2, **{label: 0.8}) for i in range(40)], state)
    assert strains[-1].evidence[0].cue is cue


@pytest.mark.parametrize("label", ["happiness", "surprise", "neutral"])
def test_other_expressions_are_no_strain(label: str) -> None:
    state, _ = run(calm(0, 60))
    _, strains = run([face(60 + i / 2, **{label: 0.95}) for i in range(60)], state)
    assert all(strain.level is not None and strain.level < 0.15 for strain in strains)


def test_a_face_that_always_scowls_is_its_own_baseline() -> None:
    """Somebody whose resting face reads as angry is not struggling the whole lesson."""
    _, strains = run([face(i / 2, anger=0.55 + 0.05 * (i % 2)) for i in range(600)])
    assert all(strain.level is None or strain.level < 0.2 for strain in strains)


def test_long_closed_eyes_count_but_blinks_do_not() -> None:
    state, _ = run([face(i / 2, shape={"eye": 1.0}) for i in range(120)])
    blinking = [face(60 + i / 2, shape={"eye": 0.2 if i % 10 == 0 else 1.0}) for i in range(120)]
    state, strains = run(blinking, state)
    assert not strains[-1].evidence
    _, strains = run([face(120 + i / 2, shape={"eye": 0.3}) for i in range(140)], state)
    assert [piece.cue for piece in strains[-1].evidence] == [Cue.DISENGAGED]


def test_unseen_time_neither_raises_nor_lowers() -> None:
    state, strains = run([*calm(0, 60), *[face(60 + i / 2, anger=0.7) for i in range(10)]])
    before = strains[-1].level
    away = [Observation(65 + i / 2, unseen=Unseen.TURNED_AWAY) for i in range(6)]
    state, strains = run(away, state)
    assert [strain.level for strain in strains] == [before] * 6
    assert all(strain.unseen is Unseen.TURNED_AWAY for strain in strains)


def test_a_long_gap_does_not_give_one_sample_the_weight_of_the_gap() -> None:
    state, _ = run(calm(0, 60))
    state, _ = run([face(100, anger=1.0)], state)
    assert 0.25 < state.gathered[FACE_CUES.index(Cue.FROWNING)] < 0.35


def test_a_poor_view_ends_in_unsure_and_comes_back_without_flicker() -> None:
    state, _ = run(calm(0, 60))
    state, strains = run([Observation(60 + i / 2, unseen=Unseen.TOO_DARK) for i in range(60)], state)
    assert strains[-1].watching is Watching.UNSURE
    assert strains[-1].level is None
    state, strains = run(calm(90, 20), state)
    states = [strain.watching for strain in strains]
    assert states[-1] is Watching.WATCHING
    assert sum(a is not b for a, b in pairwise(states)) == 1


def test_every_second_sample_unseen_does_not_make_it_unsure() -> None:
    mixed = [one if i % 2 else Observation(one.at, unseen=Unseen.BLURRED) for i, one in enumerate(calm(0, 120))]
    _, strains = run(mixed)
    assert strains[-1].watching is Watching.WATCHING


def test_a_poor_picture_counts_less() -> None:
    state, _ = run(calm(0, 60))
    good, _ = run([face(60 + i / 2, anger=0.8) for i in range(8)], state)
    poor, _ = run([face(60 + i / 2, anger=0.8, quality=0.2) for i in range(8)], state)
    assert 0 < poor.gathered[0] < good.gathered[0] / 2


def test_evidence_does_not_depend_on_the_sample_rate() -> None:
    state, _ = run(calm(0, 60))
    slow, _ = run([face(60 + i, anger=0.8) for i in range(5)], state)
    fast, _ = run([face(60 + i / 4, anger=0.8) for i in range(17)], state)
    assert slow.gathered[0] == pytest.approx(fast.gathered[0], abs=0.04)
    assert slow.gathered[0] < RULES.most_evidence


def test_two_rare_looks_are_no_more_than_two_pieces_of_evidence() -> None:
    """A look every two seconds stands for less than two seconds: nobody knows what was between."""
    state, _ = run(calm(0, 60))
    _, strains = run([face(61.5 + 2 * i, anger=0.9) for i in range(4)], state)
    assert strains[1].level is not None
    assert strains[1].level < 0.5
    assert strains[3].level is not None
    assert strains[3].level >= 0.6


def test_a_change_that_comes_and_goes_adds_up() -> None:
    """Two of four seconds: no filter with a half-life of seconds would ever reach the threshold."""
    state, _ = run(calm(0, 60))
    shown = [face(60 + i / 2, anger=0.8) if i // 2 % 4 < 2 else one for i, one in enumerate(calm(60, 20))]
    _, strains = run(shown, state)
    assert max(strain.level or 0.0 for strain in strains) >= 0.6


def test_a_little_of_two_cues_is_not_the_whole_of_one() -> None:
    state, _ = run(calm(0, 60))
    _, one = run([face(60 + i / 2, anger=0.38) for i in range(10)], state)
    _, two = run([face(60 + i / 2, anger=0.38, sadness=0.38) for i in range(10)], state)
    assert two[-1].level == pytest.approx(one[-1].level)
    assert {piece.cue for piece in two[-1].evidence} == {Cue.FROWNING, Cue.DISTRESS}


def test_evidence_of_a_long_frown_is_gone_half_a_minute_after_it() -> None:
    """However long it stood: what is gathered is bounded."""
    state, strains = run([*calm(0, 60), *[face(60 + i / 2, anger=0.8) for i in range(240)]])
    assert strains[-1].level is not None
    assert strains[-1].level > 0.85
    _, strains = run(calm(180, 60), state)
    below = [strain.at for strain in strains if strain.level is not None and strain.level < 0.5]
    assert below
    assert below[0] < 210
    assert not strains[-1].evidence


def test_closed_eyes_take_two_minutes_and_glances_up_take_back_what_they_said() -> None:
    """Somebody who writes looks down, and up now and then."""
    state, _ = run([face(i / 2, shape={"eye": 1.0}) for i in range(120)])
    _, closed = run([face(60 + i / 2, shape={"eye": 0.3}) for i in range(400)], state)
    first = next(strain.at for strain in closed if strain.level is not None and strain.level >= 0.6)
    assert first == pytest.approx(180, abs=3)
    glances = [face(60 + i / 2, shape={"eye": 1.0 if i % 60 < 24 else 0.3}) for i in range(2400)]
    _, writing = run(glances, state)
    assert all(strain.level is not None and strain.level < 0.6 for strain in writing)


def test_the_button_counts_without_any_camera() -> None:
    state = note(StrainState(), Cue.STUCK_BUTTON, 5.0)
    strain = estimate(state, 5.0, RULES)
    assert strain.watching is Watching.WATCHING
    assert strain.level is not None
    assert strain.level > 0.8
    assert [piece.cue for piece in strain.evidence] == [Cue.STUCK_BUTTON]


def test_chat_cues_add_up_and_fade() -> None:
    state = note(StrainState(), Cue.CHAT, 0.0)
    once = estimate(state, 1.0, RULES).level
    twice = estimate(note(state, Cue.CHAT, 1.0), 1.0, RULES).level
    assert once is not None
    assert twice is not None
    assert once < 0.6 < twice
    assert estimate(note(state, Cue.CHAT, 1.0), 600.0, RULES).level is None


def test_events_and_face_back_each_other_up() -> None:
    state, strains = run([*calm(0, 60), *[face(60 + i / 2, sadness=0.7) for i in range(8)]])
    face_alone = strains[-1].level
    both = estimate(note(state, Cue.EXERCISE, 64.0), 64.0, RULES)
    assert face_alone is not None
    assert both.level is not None
    assert both.level > face_alone
    assert {piece.cue for piece in both.evidence} == {Cue.DISTRESS, Cue.EXERCISE}
    assert sum(piece.weight for piece in both.evidence) == pytest.approx(1.0)


def test_a_face_cue_is_no_event() -> None:
    with pytest.raises(ValueError, match="cue must be one of"):
        note(StrainState(), Cue.FROWNING, 0.0)


def test_memory_is_bounded() -> None:
    """A very long learning time and a flood of events leave a state of bounded size."""
    rules = replace(RULES, learning_seconds=600.0)
    state = StrainState()
    for observation in calm(0, 590):
        state, _ = step(state, observation, rules)
        state = note(state, Cue.CHAT, observation.at)
    assert len(state.samples) <= 256
    assert len(state.events) <= 32


def test_time_that_runs_backwards_does_no_harm() -> None:
    state, _ = run(calm(0, 60))
    state, strains = run([face(10, anger=0.9), face(9, anger=0.9)], state)
    assert all(strain.level is not None and strain.level < 0.15 for strain in strains)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("label", ["anger", "sadness"])
def test_a_generated_student_who_changes_is_noticed_within_20_seconds(seed: int, label: str) -> None:
    _, strains = run(Student(seed, mood=held(label, 60)).observe(80))
    above = [strain.at for strain in strains if strain.level is not None and strain.level >= 0.6]
    assert above
    assert 60 < above[0] < 80


@pytest.mark.parametrize("seed", range(4))
def test_a_generated_student_who_smiles_and_talks_stays_low(seed: int) -> None:
    """Levels above the hint threshold stay rare: a single one is no hint, since it has to hold for seconds."""
    _, strains = run(Student(seed, mood=bursts("happiness", 30, 6), talks=always).observe(600))
    levels = [strain.level for strain in strains if strain.level is not None]
    assert sum(level > 0.6 for level in levels) / len(levels) < 0.02


def test_a_view_that_comes_and_goes_does_not_make_the_answer_flicker() -> None:
    state, _ = run(calm(0, 60))
    seen_third = [
        one if i % 16 < 5 else Observation(one.at, unseen=Unseen.BLURRED) for i, one in enumerate(calm(60, 200))
    ]
    _, strains = run(seen_third, state)
    assert sum(a.watching is not b.watching for a, b in pairwise(strains)) == 1


def test_smiles_now_and_then_do_not_make_a_stern_face_look_like_a_change() -> None:
    """The baseline follows a median, not a mean: what is far away pulls no harder than what is near."""
    stern = [face(i / 2, anger=0.0 if i % 4 == 0 else 0.8) for i in range(400)]
    state, strains = run(stern)
    assert state.baselines is not None
    assert state.baselines[0].middle > 0.7
    assert strains[-1].level is not None
    assert strains[-1].level < 0.2


def test_the_weight_of_the_face_can_be_nothing() -> None:
    """With a weight of 0 a scowl moves nothing, and the button still does."""
    rules = replace(RULES, weights=dict.fromkeys(FACE_CUES, 0.0))
    state = StrainState()
    for observation in [*calm(0, 60), *[face(60 + i / 2, anger=0.9) for i in range(40)]]:
        state, strain = step(state, observation, rules)
    assert strain.level is not None
    assert strain.level < 0.1
    pressed = estimate(note(state, Cue.STUCK_BUTTON, 80.0), 80.0, rules)
    assert pressed.level is not None
    assert pressed.level > 0.8


def test_an_event_without_weight_says_nothing() -> None:
    rules = replace(RULES, weights={Cue.CHAT: 0.0})
    strain = estimate(note(StrainState(), Cue.CHAT, 0.0), 1.0, rules)
    assert strain.level is None
    assert not strain.evidence


def test_half_a_weight_pulls_half_as_hard() -> None:
    state, _ = run([*calm(0, 60), *[face(60 + i / 2, anger=0.9) for i in range(10)]])
    whole, half = (estimate(state, 65.0, replace(RULES, weights={Cue.FROWNING: w})).level for w in (1.0, 0.5))
    assert whole is not None
    assert half is not None
    assert 0.1 < half < whole


def test_a_face_that_comes_back_after_a_minute_is_learned_anew() -> None:
    """It may be another person; a stern one must not look like a change."""
    state, _ = run(calm(0, 60))
    gone = [Observation(60 + i / 2, unseen=Unseen.NO_FACE) for i in range(130)]
    state, strains = run([*gone, *[face(125 + i / 2, anger=0.8) for i in range(200)]], state)
    assert strains[150].watching is Watching.LEARNING
    assert all(strain.level is None or strain.level < 0.2 for strain in strains)


def test_a_face_that_was_away_for_a_moment_keeps_its_baseline() -> None:
    state, _ = run(calm(0, 60))
    gone = [Observation(60 + i / 2, unseen=Unseen.NO_FACE) for i in range(60)]
    _, strains = run([*gone, *[face(90 + i / 2, anger=0.8) for i in range(60)]], state)
    assert strains[-1].level is not None
    assert strains[-1].level > 0.9


def test_a_stern_face_that_stays_for_long_becomes_ordinary() -> None:
    """Another person who sits down without a gap looks like a change, but not for the rest of the lesson."""
    state, strains = run([*calm(0, 60), *[face(60 + i / 2, anger=0.7) for i in range(500)]])
    assert strains[-1].level is not None
    assert strains[-1].level > 0.6
    _, strains = run([face(310 + i / 2, anger=0.7) for i in range(1500)], state)
    assert strains[-1].level is not None
    assert strains[-1].level < 0.3


@pytest.mark.parametrize("rate", [0.5, 1.0, 2.0, 5.0])
@pytest.mark.parametrize("label", ["anger", "sadness"])
def test_a_soft_change_that_shows_most_of_the_time_is_seen_at_any_rate(rate: float, label: str) -> None:
    """0.5 against 0.4 of neutral, in every sample but each fourth."""
    state, _ = run([face(i / rate, anger=0.05, sadness=0.05) for i in range(int(60 * rate))])
    soft = {label: 0.5, "happiness": 0.1}
    struck = [face(60 + i / rate, 0.8, None, **(soft if i % 4 != 3 else {})) for i in range(int(20 * rate))]
    _, strains = run(struck, state)
    above = [strain.at for strain in strains if strain.level is not None and strain.level >= 0.6]
    assert above
    assert above[0] < 75
