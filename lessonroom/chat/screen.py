"""From text to verdict without waiting for anything: normalise → rules → classifier → policy. Pure.

``look`` finds the evidence, ``decide`` turns an opinion into a verdict, ``decide_by_rules`` does without the
classifier. The gate adds time and failure; ``lessonroom chat check`` calls ``screen`` as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lessonroom.chat import policy as costs
from lessonroom.chat.classifier import Classifier, Opinion
from lessonroom.chat.conversation import NOTHING, Talk, listen
from lessonroom.chat.features import Features, features
from lessonroom.chat.language import language_of
from lessonroom.chat.policy import KNOWN_LANGUAGES, ChatPolicy
from lessonroom.chat.rules import SURE, UNSURE, Hit, Reading, apply, read
from lessonroom.chat.types import Action, Decider, Finding, Line, Verdict
from lessonroom.errors import EngineDown

MAX_LENGTH: Final = 4_000
"""Code points that are screened. A longer message is held unread: it must not cost more than it may."""

NO_EVIDENCE: Final = 0.001
"""The probability of a message with nothing in it that could be a contact."""

CERTAIN: Final = 0.95
"""The score from which digits said in pieces need no classifier."""

SHOWN: Final = 0.3
"""A hit from this score on is told to the writer."""

_BY_MODEL: Final = "the words together read like an exchange of contacts"


@dataclass(frozen=True)
class Case:
    """What is known of a message before anybody judges it."""

    text: str
    reading: Reading | None
    hits: tuple[Hit, ...]
    talk: Talk

    @property
    def too_long(self) -> bool:
        """Whether the message was not read at all."""
        return self.reading is None


def look(text: str, policy: ChatPolicy, sender: str = "", context: Sequence[Line] = ()) -> Case:
    """The evidence of a message after the earlier lines of its room, oldest first."""
    if len(text) > MAX_LENGTH:
        return Case(text, None, (), NOTHING)
    reading = read(text, policy.own_domains)
    hits = tuple(apply(reading))
    recent = context[len(context) - policy.context :] if len(context) > policy.context else context
    return Case(text, reading, hits, listen(reading, sender, recent))


def evidence(case: Case) -> Features:
    """What the classifier is asked about. The case must have been read."""
    if case.reading is None:
        raise ValueError("expected a case that was read")
    return features(case.reading, case.hits, case.talk)


def judge(case: Case, classifier: Classifier) -> Opinion:
    """What the classifier says of the message. Raises EngineDown, whatever the classifier raised.

    A mobile number said in pieces, beside words of calling and with no question or exercise that asks for the digits,
    is certain: of 6,854 composed harmless conversations none had one.
    """
    try:
        opinion = classifier.opinion(evidence(case))
    except EngineDown:
        raise
    except Exception as error:  # whatever a model throws, the rules must still decide in time
        raise EngineDown(f"the chat model failed: {type(error).__name__}") from error
    split = max((hit.score for hit in case.talk.hits if hit.rule == "split_digits"), default=0.0)
    return opinion._replace(probability=max(opinion.probability, split)) if split >= CERTAIN else opinion


def decide(case: Case, opinion: Opinion, policy: ChatPolicy, severity: float = 0.0, model: str = "") -> Verdict:
    """The verdict on what the classifier said.

    What a rule found is told, and its kinds count, where a rule is sure or the classifier names the same kind. Else the
    classifier's kind counts, and the whole text is told.
    """
    sure = any(hit.score >= SURE for hit in (*case.hits, *case.talk.hits))
    shown = tuple(finding for finding in _findings(case) if sure or finding.kind is opinion.kind)
    shown = shown or (Finding(opinion.kind, 0, len(case.text), _BY_MODEL),)
    action = costs.decide(opinion.probability, [finding.kind for finding in shown], policy, severity)
    told = shown if action is not Action.RELAY else ()
    return Verdict(action, opinion.probability, told, Decider.MODEL if model else Decider.RULES, model=model)


def is_for_rules(case: Case, policy: ChatPolicy) -> bool:
    """Whether the classifier need not be asked: the message was not read, or is in a language that it may not judge."""
    off = KNOWN_LANGUAGES - policy.languages
    return case.too_long or (bool(off) and language_of(case.text) in off)


def decide_by_rules(case: Case, policy: ChatPolicy, *, degraded: bool = True) -> Verdict:
    """The verdict without the classifier: sure hits block, unsure ones and unread messages are held, visibly.

    ``degraded``: the classifier should have been asked.
    """
    if case.too_long:
        return Verdict(Action.HOLD, 0.5, (), Decider.RULES, degraded=True)
    shown = _findings(case)
    best = max((hit.score for hit in (*case.hits, *case.talk.hits)), default=NO_EVIDENCE)
    action = costs.decide_by_rules(best, [f.kind for f in shown], policy, sure=SURE, unsure=UNSURE)
    return Verdict(action, best, shown if action is not Action.RELAY else (), Decider.RULES, degraded=degraded)


def screen(
    text: str, classifier: Classifier, policy: ChatPolicy, sender: str = "", context: Sequence[Line] = ()
) -> Verdict:
    """The whole path of one message of a sender without a history. Raises EngineDown."""
    case = look(text, policy, sender, context)
    if is_for_rules(case, policy):
        return decide_by_rules(case, policy, degraded=False)
    return decide(case, judge(case, classifier), policy, model=classifier.version)


def _findings(case: Case) -> tuple[Finding, ...]:
    """Hits that are worth telling, one for each stretch and kind, best first."""
    out: list[Finding] = []
    for hit in sorted((*case.hits, *case.talk.hits), key=lambda hit: -hit.score):
        if hit.score < SHOWN:
            break
        if all(hit.start >= told.end or hit.end <= told.start or hit.kind != told.kind for told in out):
            out.append(Finding(hit.kind, hit.start, hit.end, hit.evidence))
    return tuple(out[:8])
