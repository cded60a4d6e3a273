"""A message in its room: contacts split over several messages, and answers to a question for a contact. Pure.

A contact may come in pieces ("8905" / "123 45" / "67") or as a bare answer ("what's your Telegram?" / "vasya82").
Numbers that answer exercises one after another must not add up to a telephone number: pieces count only when the
digits make a mobile number of a dialling plan, and every question of the other side in between counts against it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from lessonroom.chat.digits import phone_level
from lessonroom.chat.domains import NETWORKS, in_hosts
from lessonroom.chat.lexicon import mask
from lessonroom.chat.rules import Hit, Reading, apply, read
from lessonroom.chat.rules.names import name_at
from lessonroom.chat.types import Kind, Line

_LONG: Final = 14
"""A message of more tokens than this, without a candidate of its own, is no piece of a contact."""
_LOOK_BACK: Final = 400
"""Characters of one earlier line that are read."""
_ASKED: Final = 0.4
_EXERCISE: Final = mask("EXERCISE", "MATH", "TOPIC", "UNITS", "MONEY", "TIME")
_CALLING: Final = mask("PHONE", "CALL", "MESSENGER", "NUMBER", "SAVE", "WRITE", "MAIL", "SOCIAL", "CALLAPP")
_MAX_PIECES: Final = 12


@dataclass(frozen=True)
class Talk:
    """What went before, as far as it matters to one message. ``start``: where the message begins in ``joined``."""

    joined: Reading | None
    start: int
    hits: tuple[Hit, ...]
    asked: float
    exercise: bool


NOTHING: Final = Talk(None, 0, (), 0.0, False)


def listen(reading: Reading, text: str, sender: str, context: Sequence[Line]) -> Talk:
    """Read a message together with the earlier lines of its room, oldest first."""
    if not context or (len(reading.tokens) > _LONG and not reading.is_candidate()):
        return NOTHING
    others = [line.text[:_LOOK_BACK] for line in context if line.sender != sender][-2:]
    theirs = read("\n".join(others)) if others else None
    asked = _asked(theirs)
    exercise = theirs is not None and bool(theirs.cues & _EXERCISE)
    own = [line.text[-_LOOK_BACK:] for line in context if line.sender == sender]
    joined, start, hits = None, 0, [*_answers(reading, asked), *_cards(reading, theirs)]
    if own:
        before = "\n".join(own) + "\n"
        joined, start = read(before + text), len(before)
        doubt = min(0.25 * _questions_between(context, sender), 0.5) + 0.35 * exercise
        hits += [_clip(hit, start, doubt) for hit in apply(joined) if hit.start < start < hit.end]
        hits += _link_end(reading, read(own[-1]))
        hits += _pieces(reading, [read(line) for line in own[-_MAX_PIECES:]], context, sender)
    hits.sort(key=lambda hit: -hit.score)
    return Talk(joined, start, tuple(hits), asked, exercise)


def _clip(hit: Hit, start: int, doubt: float) -> Hit:
    """A hit over several messages, its span cut to the last one; numbers that answer questions count for less."""
    score = max(hit.score - doubt, 0.05) if hit.kind is Kind.PHONE else hit.score
    return hit._replace(
        score=score,
        start=0,
        end=hit.end - start,
        rule="across_" + hit.kind.value,
        evidence=hit.evidence + ", in several messages",
    )


def _asked(theirs: Reading | None) -> float:
    """How surely the other side asked for a contact, 0 to 1."""
    if theirs is None:
        return 0.0
    return max((hit.score for hit in apply(theirs) if hit.kind in (Kind.SOLICIT, Kind.FIND_ME)), default=0.0)


def _answers(reading: Reading, asked: float) -> Iterator[Hit]:
    """A bare handle or number where a contact was asked for."""
    if asked < _ASKED or not reading.tokens or len(reading.tokens) > _LONG:
        return
    end = reading.tokens[-1].end
    digits = max((len(run.digits) for run in reading.runs), default=0)
    if digits >= 5:
        yield Hit(
            Kind.PHONE,
            reading.tokens[0].start,
            end,
            "answer_digits",
            min(0.4 + asked, 0.95),
            "digits where a contact was asked for",
        )
    names = [name for i in range(len(reading.tokens)) if (name := name_at(reading, i)) is not None]
    likeness = max((name.likeness for name in names), default=0.0)
    if likeness >= 0.4:
        score = min(likeness * 0.6 + asked * 0.6, 0.95)
        yield Hit(
            Kind.MESSENGER,
            reading.tokens[0].start,
            end,
            "answer_name",
            score,
            "a user name where a contact was asked for",
        )


def _cards(reading: Reading, theirs: Reading | None) -> Iterator[Hit]:
    """The number of a card or account where the other side asked for it."""
    if theirs is not None and theirs.cues & mask("PAYMEANS"):
        for run in reading.runs:
            if len(run.digits) >= 12:
                yield Hit(
                    Kind.PAYMENT, run.start, run.end, "answer_card", 0.9, "a long number where a card was asked for"
                )
                return


def _link_end(reading: Reading, last: Reading) -> list[Hit]:
    """The rest of a link whose host was the end of the line before ("vk.com", then "/anna")."""
    if not last.hosts or last.hosts[-1].path or not in_hosts(last.hosts[-1].name, NETWORKS) or not reading.tokens:
        return []
    if reading.tokens[0].text != "/" and name_at(reading, 0) is None:
        return []
    end = reading.tokens[-1].end
    return [Hit(Kind.PROFILE, 0, end, "across_profile", 0.9, "the rest of a link to a profile, in several messages")]


def _pieces(reading: Reading, own: Sequence[Reading], context: Sequence[Line], sender: str) -> list[Hit]:
    """Digits of several messages that make one mobile number."""
    digits = _digits(reading)
    if not digits or phone_level(digits) >= 3:
        return []
    cues, pieces = reading.cues, 1
    for earlier in reversed(own):
        more = _digits(earlier)
        if not more or phone_level(more) >= 3:
            cues |= earlier.cues
            continue
        digits, pieces, cues = more + digits, pieces + 1, cues | earlier.cues
        if phone_level(digits) >= 3:
            return [_split_hit(reading, pieces, cues, context, sender)]
        if len(digits) > 13:
            break
    return []


def _digits(reading: Reading) -> str:
    return "".join(run.digits for run in reading.runs)


def _split_hit(reading: Reading, pieces: int, cues: int, context: Sequence[Line], sender: str) -> Hit:
    questions = _questions_between(context, sender)
    score = 0.75 + 0.2 * bool(cues & _CALLING) - 0.3 * min(questions, 2) - 0.35 * bool(cues & _EXERCISE)
    first, last = reading.runs[0], reading.runs[-1]
    return Hit(
        Kind.PHONE,
        first.start,
        last.end,
        "split_digits",
        max(score, 0.05),
        f"digits of {pieces} messages make a mobile number",
    )


def _questions_between(context: Sequence[Line], sender: str) -> int:
    """Lines of the other side that ask something or speak of an exercise."""
    theirs = [read(line.text[:_LOOK_BACK]) for line in context[-_MAX_PIECES:] if line.sender != sender]
    return sum(bool(other.cues & _EXERCISE) or any(t.text == "?" for t in other.tokens) for other in theirs)
