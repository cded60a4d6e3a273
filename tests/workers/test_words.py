"""What the server and its media workers say of a lesson comes out as it went in."""

from __future__ import annotations

import json
from dataclasses import fields

import pytest

from lessonroom.errors import BadSdp, Busy
from lessonroom.media.baseline import Baseline, Limits
from lessonroom.media.hints import HintState, Shown
from lessonroom.media.sdp import SdpPolicy
from lessonroom.media.strain import StrainState
from lessonroom.media.types import Cue, Evidence, Hint, Strain, Unseen, Watching
from lessonroom.workers import words

BASE = Baseline(0.25, 0.125, Limits(0.1, 0.2), 0.0625)
STRAINS = [
    Strain(1.5, None, Watching.LEARNING, (), Unseen.NO_FACE),
    Strain(2.5, 0.75, Watching.WATCHING, (Evidence(Cue.FROWNING, 0.5, 1.0), Evidence(Cue.CHAT, 0.5, 2.0))),
]
HINTS = [
    HintState(started=3.0),
    HintState(3.0, 1.5, 9.0, -0.05, Shown("hint-0001", 8.0, True), 12.0, {Cue.FROWNING: 2, Cue.CHAT: 1}),
]
FELT = [
    StrainState(),
    StrainState(samples=((0.1, 0.2, 0.3), (0.4, 0.5, 0.6)), seen=1.0),
    StrainState(
        at=1.0,
        seen_at=0.5,
        seen=50.0,
        cover=0.75,
        sure=True,
        baselines=(BASE, BASE, BASE),
        gathered=(0.1, 0.2, 0.3),
        since=(None, 0.5, None),
        events=((Cue.CHAT, 0.25), (Cue.STUCK_BUTTON, 0.75)),
    ),
]


def over(said: object) -> object:
    """As it comes out of the socket."""
    return json.loads(json.dumps(said))


@pytest.mark.parametrize("strain", STRAINS)
def test_an_estimate(strain: Strain) -> None:
    assert words.read_strain(over(words.strain(strain))) == strain


@pytest.mark.parametrize("hints", HINTS)
def test_what_is_known_of_hints(hints: HintState) -> None:
    assert words.read_hints(over(words.hints(hints))) == hints


@pytest.mark.parametrize("felt", FELT)
def test_what_is_remembered_of_a_student(felt: StrainState) -> None:
    assert words.read_felt(over(words.felt(felt))) == felt


def test_nothing_that_is_remembered_of_a_student_is_left_out() -> None:
    """A field that is added to the state has to be told, too."""
    assert set(words.felt(StrainState())) == {field.name for field in fields(StrainState)}


def test_a_hint_and_a_policy() -> None:
    hint = Hint("hint-0001", 5.0, Cue.DISTRESS, "encourage")
    assert words.read_hint(over(words.hint(hint))) == hint
    policy = SdpPolicy(loopback=True, private=False, relay_only=True)
    assert words.read_policy(over(words.policy(policy))) == policy


@pytest.mark.parametrize("error", [BadSdp("expected an offer"), Busy("expected an address")])
def test_a_refusal_has_the_same_class_and_text(error: BadSdp | Busy) -> None:
    read = words.refused(over(words.refusal(error)))
    assert (type(read), str(read)) == (type(error), str(error))
