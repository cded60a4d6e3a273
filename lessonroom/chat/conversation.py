"""A message in its room: contacts split over several messages, and answers to a question for a contact. Pure.

A contact may come in pieces ("8905" / "123 45" / "67") or as a bare answer ("what's your Telegram?" / "vasya82").
Numbers that answer exercises one after another must not add up to a telephone number: pieces count when the digits
make a number of a dialling plan, and questions, exercises and echoes of the other side in between count against it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from weakref import WeakKeyDictionary

from lessonroom.chat.domains import NETWORKS, in_hosts
from lessonroom.chat.lexicon import mask
from lessonroom.chat.rules import Hit, Reading, apply, read
from lessonroom.chat.rules.names import name_at
from lessonroom.chat.rules.reading import read_lines
from lessonroom.chat.shapes import phone_level
from lessonroom.chat.types import Kind, Line

_LONG: Final = 14
"""A message of more tokens than this, without a candidate of its own, is no piece of a contact."""
_LOOK_BACK: Final = 400
"""Characters of one earlier line that are read."""
_ASKED: Final = 0.4
_LIKE: Final = 0.4
"""From this likeness on a word may be a user name."""
_EXERCISE: Final = mask("EXERCISE", "MATH", "TOPIC", "UNITS", "MONEY", "TIME")
_CALLING: Final = mask("PHONE", "CALL", "MESSENGER", "NUMBER", "SAVE", "WRITE", "MAIL", "SOCIAL", "CALLAPP")
_MAX_PIECES: Final = 12
_JOINED: Final = 6
"""Short own lines that are read as one text with the message."""
_MOST_DIGITS: Final = 16
_NOD: Final = 3
"""Tokens of a question that only says "go on"."""
_EARLIER: Final = 5
"""Lines of a side that say what is talked about."""


@dataclass(frozen=True)
class Said:
    """An earlier line as it was read. ``own``: by the writer of the message."""

    own: bool
    reading: Reading

    @property
    def digits(self) -> str:
        """All of its digits."""
        return self.reading.digits

    @property
    def asks(self) -> bool:
        """Whether it speaks of an exercise or asks more than "yes?" or "and then?"."""
        asks = self.reading.question and len(self.reading.tokens) > _NOD
        return asks or bool(self.reading.cues & _EXERCISE)


@dataclass(frozen=True)
class Talk:
    """What went before, as far as it matters to one message.

    ``theirs``, ``own``: the last line of the other side and of the writer. ``before``: the writer's last short lines as
    one text, ``joined``: the same with the message at its end. ``asked``: how surely the other side asked
    for a contact, 0 to 1. ``echoes``: own lines of digits that the other side said too, as in a drill. ``pieces``: own
    lines with digits.
    """

    theirs: Reading | None = None
    own: Reading | None = None
    before: Reading | None = None
    joined: Reading | None = None
    earlier_theirs: tuple[Reading, ...] = ()
    earlier_own: tuple[Reading, ...] = ()
    hits: tuple[Hit, ...] = ()
    asked: float = 0.0
    exercise: bool = False
    questions: int = 0
    pieces: int = 0
    echoes: int = 0
    digits: str = ""


NOTHING: Final = Talk()

_READINGS: Final[WeakKeyDictionary[Line, Reading]] = WeakKeyDictionary()
"""What was read of a line, for as long as the room keeps the line. It only speeds up."""


def remember(line: Line, reading: Reading) -> None:
    """Keep what was read of a message for the time when it is an earlier line, as long as somebody keeps ``line``."""
    if len(line.text) <= _LOOK_BACK:
        _READINGS[line] = reading


def _read_line(line: Line, allowed: frozenset[str]) -> Reading:
    reading = _READINGS.get(line)
    if reading is None or reading.allowed != allowed:
        reading = _READINGS[line] = read(line.text[-_LOOK_BACK:], allowed)
    return reading


def listen(reading: Reading, sender: str, context: Sequence[Line]) -> Talk:
    """Read a message together with the earlier lines of its room, oldest first."""
    if not context:
        return NOTHING
    said = [Said(line.sender == sender, _read_line(line, reading.allowed)) for line in context]
    theirs = [line.reading for line in said if not line.own]
    own = [line for line in said if line.own]
    asked = _asked(theirs[-2:])
    short = len(reading.tokens) <= _LONG or reading.is_candidate()
    before = _before(said) if short else None
    joined = read_lines((before, reading)) if before is not None else None
    hits = list(_hits(reading, joined, before, said, asked)) if short else []
    hits.sort(key=lambda hit: -hit.score)
    theirs_digits = {line.digits for line in said if not line.own and line.digits}
    return Talk(
        theirs=theirs[-1] if theirs else None,
        own=own[-1].reading if own else None,
        before=before,
        joined=joined,
        earlier_theirs=tuple(theirs[-_EARLIER:-1]),
        earlier_own=tuple(line.reading for line in own[-_EARLIER:-1]),
        hits=tuple(hits),
        asked=asked,
        exercise=any(bool(line.cues & _EXERCISE) for line in theirs[-2:]),
        questions=sum(line.asks for line in said if not line.own),
        pieces=sum(bool(line.digits) for line in own),
        echoes=sum(line.digits in theirs_digits for line in own if line.digits),
        digits=("".join(line.digits for line in own) + reading.digits)[-_MOST_DIGITS:],
    )


def _before(said: Sequence[Said]) -> Reading | None:
    """The writer's last short lines as one text."""
    pieces = [line.reading for line in said if line.own and len(line.reading.tokens) <= _LONG]
    return read_lines(pieces[-_JOINED:]) if pieces else None


def _hits(
    reading: Reading, joined: Reading | None, before: Reading | None, said: Sequence[Said], asked: float
) -> Iterator[Hit]:
    theirs = [line.reading for line in said if not line.own][-2:]
    own = [line.reading for line in said if line.own]
    yield from _answers(reading, asked)
    yield from _cards(reading, theirs)
    if not own:
        return
    asking = sum(line.asks for line in said[-_MAX_PIECES:] if not line.own)
    if joined is not None and before is not None:
        start = len(before.text) + 1
        doubt = min(0.25 * asking, 0.5) + 0.35 * any(bool(line.cues & _EXERCISE) for line in theirs)
        yield from (_clip(hit, start, doubt) for hit in apply(joined) if hit.start < start < hit.end)
    yield from _link_end(reading, own[-1])
    yield from _pieces(reading, said, asking)


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


def _asked(theirs: Sequence[Reading]) -> float:
    """How surely the other side asked for a contact, 0 to 1."""
    asking = (hit.score for line in theirs for hit in apply(line) if hit.kind in (Kind.SOLICIT, Kind.FIND_ME))
    return max(asking, default=0.0)


def _answers(reading: Reading, asked: float) -> Iterator[Hit]:
    """A bare handle or number where a contact was asked for."""
    if asked < _ASKED or not reading.tokens or len(reading.tokens) > _LONG:
        return
    start, end = reading.tokens[0].start, reading.tokens[-1].end
    digits = max((len(run.digits) for run in reading.runs), default=0)
    if digits >= 5:
        score = min(0.4 + asked, 0.95)
        yield Hit(Kind.PHONE, start, end, "answer_digits", score, "digits where a contact was asked for")
    names = [name for i in range(len(reading.tokens)) if (name := name_at(reading, i)) is not None]
    likeness = max((name.likeness for name in names), default=0.0)
    if likeness >= _LIKE:
        score = min(likeness * 0.6 + asked * 0.6, 0.95)
        yield Hit(Kind.MESSENGER, start, end, "answer_name", score, "a user name where a contact was asked for")


def _cards(reading: Reading, theirs: Sequence[Reading]) -> Iterator[Hit]:
    """The number of a card or account where the other side asked for it."""
    if any(line.cues & mask("PAYMEANS") for line in theirs):
        for run in reading.runs:
            if len(run.digits) >= 12:
                evidence = "a long number where a card was asked for"
                yield Hit(Kind.PAYMENT, run.start, run.end, "answer_card", 0.9, evidence)
                return


def _link_end(reading: Reading, last: Reading) -> Iterator[Hit]:
    """The rest of a link whose host was the end of the line before ("vk.com", then "/anna")."""
    host = last.hosts[-1] if last.hosts else None
    if host is None or host.path or host.last < len(last.tokens) - 1 or not in_hosts(host.name, NETWORKS):
        return
    name = name_at(reading, 0) if reading.tokens else None
    rest = name is not None and name.likeness >= _LIKE and name.last == len(reading.tokens) - 1
    if rest or (reading.tokens and reading.tokens[0].text == "/"):
        evidence = "the rest of a link to a profile, in several messages"
        yield Hit(Kind.PROFILE, 0, reading.tokens[-1].end, "across_profile", 0.9, evidence)


def _pieces(reading: Reading, said: Sequence[Said], asking: int) -> Iterator[Hit]:
    """Digits of several messages that make one number, said from the front or from the back."""
    last = reading.digits
    if not last or phone_level(last) >= 3:
        return
    forwards = backwards = last
    cues, pieces, best = reading.cues, 1, (0, 0, 0, False)
    for line in reversed([line for line in said if line.own][-_MAX_PIECES:]):
        cues |= line.reading.cues
        if not line.digits or phone_level(line.digits) >= 3:
            continue
        forwards, backwards, pieces = line.digits + forwards, backwards + line.digits, pieces + 1
        for digits, straight in ((forwards, True), (backwards, False)):
            best = max(best, (phone_level(digits), len(digits), pieces, straight))
        if len(forwards) > _MOST_DIGITS:
            break
    level, length, pieces, straight = best
    if level >= 2 and length >= 9:
        score = 0.35 + 0.4 * (level >= 3) + 0.2 * bool(cues & _CALLING) - 0.2 * (not straight)
        score -= 0.3 * min(asking, 2) + 0.35 * bool(cues & _EXERCISE)
        rule = ("split_digits" if level >= 3 else "split_weak") if straight else "split_turned"
        start, end = reading.runs[0].start, reading.runs[-1].end
        evidence = f"digits of {pieces} messages make a telephone number"
        yield Hit(Kind.PHONE, start, end, rule, max(score, 0.05), evidence)
