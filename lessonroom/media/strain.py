"""Strain: the running estimate that a student is struggling, against that student's own face. Pure.

What counts is the change against the student's own baseline over tens of seconds, because people scowl when they
concentrate (Bosch and D'Mello 2021 report no more than AUC 0.63 for frustration in real classrooms). The steps:

1. Each observation gives one *signal* per cue of the face, a weighted sum of expressions and mesh ratios.
2. The first seconds of seen face give a baseline per signal (:mod:`lessonroom.media.baseline`); it follows slowly.
3. What the change against it says adds up over seconds of seen face, never below 0: the cumulative sum of Page (1954),
   which tells a lasting change soonest for a given rate of false alarms. A change that comes and goes still adds up.
4. A logistic sum over the strongest cue of the face and over events (button, chat, exercises), each with its weight, is
   the level. Only the strongest: a struggling face shows one of them, noise a little of each.

Time without a usable face moves nothing but the trust in the view; below a bound the answer is ``unsure``. A face that
comes back after a long time is learned anew: it may be another one. What it all costs and buys: docs/hints.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from lessonroom.media import baseline
from lessonroom.media.baseline import Baseline, Following, Limits
from lessonroom.media.types import Cue, Evidence, Observation, Strain, Unseen, Watching

FACE_CUES = (Cue.FROWNING, Cue.DISTRESS, Cue.DISENGAGED)
"""Cues that are read from the face, in the order of every tuple below."""
EVENT_CUES = (Cue.STUCK_BUTTON, Cue.CHAT, Cue.EXERCISE)
MOST_SAMPLES = 256
MOST_EVENTS = 32
LEAST_SAMPLES = 8


@dataclass(frozen=True, slots=True)
class Reading:
    """How one cue is read from a face.

    ``weights``: feature to factor; features are the expression labels (0..1) and mesh ratios less 1 (0 is calm).
    ``spread``: least and most; below the least, changes are taken for noise. ``patience``: evidence of the cue counts
    as no more than the inverse of it; what speaks against it counts in full.
    """

    weights: Mapping[str, float]
    spread: Limits
    patience: float = 1.0


PRIOR: Mapping[Cue, Reading] = MappingProxyType(
    {
        # a lowered brow goes with confusion and frustration (Craig et al. 2008, Grafsgaard et al. 2013)
        Cue.FROWNING: Reading({"anger": 1.0, "disgust": 1.0, "contempt": 0.5}, Limits(0.11, 0.15)),
        Cue.DISTRESS: Reading({"sadness": 1.0, "fear": 1.0}, Limits(0.11, 0.15)),
        # eyes closed for a large share of the time (PERCLOS, Wierwille et al. 1994). Eyes cast down on a page look
        # alike, so by itself it takes about two minutes without a glance up
        Cue.DISENGAGED: Reading({"eye": -1.0}, Limits(0.15, 0.25), patience=24.0),
    }
)
"""A prior from the literature, fitted to no labels of ours."""


@dataclass(frozen=True, slots=True)
class StrainRules:
    """Everything that can be set. Times in seconds; ``events``: strength of one event, 0..1, by cue.

    ``weights``: factors on what cues add to the level, 1 where a cue is not named; 0 leaves it out.
    ``clear_seconds``: for how long a full change of a quiet face must show to be worth a hint by itself: evidence of 1,
    which adds ``face_pull`` logits. ``most_evidence``: more is not gathered, so that it can go again. ``longest_look``:
    time for which one look may speak, however rare looks are: one look is one piece of evidence.
    ``relearn_after``: time without a usable face from which the next face is learned anew. ``ordinary_after``: time of
    unbroken evidence from which it is this student's ordinary face, and the baseline follows it.
    """

    learning_seconds: float = 45.0
    clear_seconds: float = 5.0
    most_evidence: float = 1.7
    longest_look: float = 1.5
    view_half_life: float = 8.0
    event_half_life: float = 60.0
    longest_gap: float = 2.5
    full_quality: float = 0.5
    sure_above: float = 0.5
    unsure_below: float = 0.3
    relearn_after: float = 60.0
    ordinary_after: float = 300.0
    bias: float = -2.5
    face_pull: float = 2.91
    event_pull: float = 6.0
    following: Following = field(default_factory=Following)
    weights: Mapping[Cue, float] = field(default_factory=dict)
    events: Mapping[Cue, float] = field(
        default_factory=lambda: {Cue.STUCK_BUTTON: 0.7, Cue.CHAT: 0.35, Cue.EXERCISE: 0.3}
    )
    readings: Mapping[Cue, Reading] = field(default_factory=lambda: PRIOR)


@dataclass(frozen=True, slots=True)
class StrainState:
    """All that is remembered of a student: signals while learning, then baselines and evidence. No picture."""

    at: float | None = None
    seen_at: float | None = None
    seen: float = 0.0
    cover: float = 0.0
    sure: bool = False
    samples: tuple[tuple[float, ...], ...] = ()
    baselines: tuple[Baseline, ...] | None = None
    gathered: tuple[float, ...] = (0.0,) * len(FACE_CUES)
    since: tuple[float | None, ...] = (None,) * len(FACE_CUES)
    events: tuple[tuple[Cue, float], ...] = ()


def step(state: StrainState, observation: Observation, rules: StrainRules) -> tuple[StrainState, Strain]:
    """Take one observation in and return the new state and the estimate. Observations come in the order of time."""
    passed = 0.0 if state.at is None else max(0.0, observation.at - state.at)
    worth = _worth(observation, rules)
    state = _trusted(replace(state, at=observation.at), passed, worth, rules)
    if worth > 0.0:
        state = _seen(state, observation, min(passed, rules.longest_gap) * worth, rules)
    return state, estimate(state, observation.at, rules, observation.unseen)


def note(state: StrainState, cue: Cue, now: float) -> StrainState:
    """Remember an event that is no face: the button, a chat cue, an exercise that goes badly."""
    if cue not in EVENT_CUES:
        raise ValueError(f"cue must be one of {', '.join(EVENT_CUES)}. Got {cue} instead.")
    return replace(state, events=(*state.events, (cue, now))[-MOST_EVENTS:])


def estimate(state: StrainState, now: float, rules: StrainRules, unseen: Unseen | None = None) -> Strain:
    """Read the estimate at ``now``; with events alone it works without any camera, more weakly."""
    events = {cue: _strength(state, cue, now, rules) for cue in EVENT_CUES if _weight(cue, rules) > 0.0}
    spoken = max(events.values(), default=0.0) >= min(rules.events.values(), default=1.0) / 2
    face = state.baselines is not None and state.sure
    if not face and not spoken:
        learning = state.baselines is None and (state.cover >= 0.02 or state.seen == 0.0)
        return Strain(now, None, Watching.LEARNING if learning else Watching.UNSURE, (), unseen)
    pulls = {cue: _weight(cue, rules) * rules.event_pull * strength for cue, strength in events.items()}
    told = sum(pulls.values())
    if face:
        shown = [
            _weight(cue, rules) * rules.face_pull * value for cue, value in zip(FACE_CUES, state.gathered, strict=True)
        ]
        told += max(shown)
        pulls |= zip(FACE_CUES, shown, strict=True)
    level = _logistic(rules.bias + told)
    return Strain(now, level, Watching.WATCHING, _evidence(state, pulls, events), unseen)


def _weight(cue: Cue, rules: StrainRules) -> float:
    return rules.weights.get(cue, 1.0)


def _worth(observation: Observation, rules: StrainRules) -> float:
    """How much of a full second a seen second counts, 0 to 1."""
    if observation.unseen is not None or observation.expression is None:
        return 0.0
    return min(1.0, max(0.0, observation.quality) / rules.full_quality)


def _trusted(state: StrainState, passed: float, worth: float, rules: StrainRules) -> StrainState:
    """Follow the share of recent time in which a usable face was seen, with hysteresis on what it allows."""
    kept = 0.5 ** (passed / rules.view_half_life)
    gained = 1.0 - 0.5 ** (min(passed, rules.longest_gap) / rules.view_half_life)
    cover = state.cover * kept + worth * gained
    sure = cover >= (rules.unsure_below if state.sure else rules.sure_above)
    return replace(state, cover=cover, sure=sure)


def _seen(state: StrainState, observation: Observation, lasted: float, rules: StrainRules) -> StrainState:
    signals = _signals(observation, rules)
    state = _returned(state, observation.at, rules)
    state = replace(state, seen_at=observation.at, seen=state.seen + lasted)
    if state.baselines is None:
        return _learn(state, signals, rules)
    spoke = min(lasted, rules.longest_look) / rules.clear_seconds
    gathered = tuple(
        baseline.bounded(old + spoke * min(said, 1.0 / rules.readings[cue].patience), 0.0, rules.most_evidence)
        for cue, old, said in zip(FACE_CUES, state.gathered, _said(signals, state.baselines, rules), strict=True)
    )
    since = tuple(_since(old, value, observation.at) for old, value in zip(state.since, gathered, strict=True))
    state = replace(state, gathered=gathered, since=since)
    return replace(state, baselines=_follow(state, signals, lasted, rules))


def _returned(state: StrainState, now: float, rules: StrainRules) -> StrainState:
    """Forget a baseline after so long without a face that it may be another person, or another light."""
    if state.baselines is None or state.seen_at is None or now - state.seen_at < rules.relearn_after:
        return state
    return StrainState(at=state.at, cover=state.cover, sure=state.sure, events=state.events)


def _said(signals: tuple[float, ...], baselines: tuple[Baseline, ...], rules: StrainRules) -> tuple[float, ...]:
    """What each signal says against its baseline, 1 at most."""
    return tuple(
        baseline.evidence(baseline.share(signal, base, rules.following), base, rules.following)
        for signal, base in zip(signals, baselines, strict=True)
    )


def _signals(observation: Observation, rules: StrainRules) -> tuple[float, ...]:
    features = dict(observation.expression or {})
    features.update((name, ratio - 1.0) for name, ratio in observation.shape.items())
    return tuple(
        # a strain head knows more of a face than the prior does; it speaks in the same unit
        observation.change
        if cue is Cue.FROWNING and observation.change is not None
        else sum(factor * features.get(name, 0.0) for name, factor in rules.readings[cue].weights.items())
        for cue in FACE_CUES
    )


def _learn(state: StrainState, signals: tuple[float, ...], rules: StrainRules) -> StrainState:
    samples = (*state.samples, signals)
    if state.seen < rules.learning_seconds or len(samples) < LEAST_SAMPLES:
        # a long learning time keeps every second sample rather than grow
        return replace(state, samples=samples if len(samples) < MOST_SAMPLES else samples[::2])
    baselines = tuple(
        baseline.learned([row[i] for row in samples], rules.readings[cue].spread) for i, cue in enumerate(FACE_CUES)
    )
    return replace(state, samples=(), baselines=baselines)


def _follow(state: StrainState, signals: tuple[float, ...], lasted: float, rules: StrainRules) -> tuple[Baseline, ...]:
    """Move the baselines a little: hardly where evidence stands, until it has stood for so long that it is ordinary."""
    assert state.baselines is not None  # noqa: S101  the caller has just read it; this tells the type checker
    moved = []
    for base, signal, value, since in zip(state.baselines, signals, state.gathered, state.since, strict=True):
        ordinary = since is not None and state.at is not None and state.at - since >= rules.ordinary_after
        firm = None if ordinary else max(0.0, value)
        known = max(state.seen, rules.learning_seconds)
        moved.append(baseline.followed(base, signal, lasted, known=known, firm=firm, following=rules.following))
    return tuple(moved)


def _since(old: float | None, value: float, now: float) -> float | None:
    """When a cue's evidence began: it enters at 0.5 and leaves at 0.25, so that it does not flicker."""
    if value >= 0.5:
        return now if old is None else old
    return None if value < 0.25 else old


def _strength(state: StrainState, cue: Cue, now: float, rules: StrainRules) -> float:
    """What the events of a cue are still worth, 0 to 1; each takes its share of what is missing to 1."""
    missing = 1.0
    for kind, at in state.events:
        if kind is cue:
            missing *= 1.0 - rules.events[cue] * 0.5 ** (max(0.0, now - at) / rules.event_half_life)
    return 1.0 - missing


def _evidence(state: StrainState, pulls: Mapping[Cue, float], events: Mapping[Cue, float]) -> tuple[Evidence, ...]:
    began: dict[Cue, float] = {
        cue: at for cue, at in zip(FACE_CUES, state.since, strict=True) if at is not None and cue in pulls
    }
    began |= {cue: at for cue, at in reversed(state.events) if events.get(cue, 0.0) >= 0.1}
    total = sum(pulls.values())
    found = [Evidence(cue, pulls[cue] / total, at) for cue, at in began.items() if pulls[cue] > 0.0]
    return tuple(sorted(found, key=lambda piece: -piece.weight))


def _logistic(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x))
