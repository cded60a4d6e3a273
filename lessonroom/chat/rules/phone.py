"""Telephone and card numbers: never a bare run of digits, always a run and what speaks for and against it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import phonenumbers

from lessonroom.chat.digits import Run
from lessonroom.chat.lexicon import mask
from lessonroom.chat.rules.reading import Hit, Reading
from lessonroom.chat.shapes import harmless_shape, loose_digits, luhn, phone_level
from lessonroom.chat.types import Kind

_ASKS: Final = mask("PHONE", "CALL", "MESSENGER", "SAVE")
_NUMBER: Final = mask("NUMBER", "GIVE", "WRITE", "MY", "CALLAPP", "ADD", "SECRET", "FIND")
_AGAINST_BEFORE: Final = mask("EXERCISE", "IDENT", "MATH")
_AGAINST_AFTER: Final = mask("MONEY", "UNITS", "MATH")
_REVERSED: Final = mask("REVERSE")
_CARD: Final = mask("PAYMEANS", "PAY")
_BREAKERS: Final = frozenset("=<>%^√×÷{}[]")
_BASE: Final = {0: 0.0, 1: 0.15, 2: 0.55, 3: 0.9, 4: 0.95}


def phone_hits(reading: Reading) -> Iterator[Hit]:
    """Every run that could be a telephone number, each with its score."""
    for run in reading.runs:
        if len(run.digits) < 6:
            continue
        hit = _card(reading, run) or _phone(reading, run)
        if hit is not None:
            yield hit
    yield from _scattered(reading)
    yield from _meeting_ids(reading)


def _meeting_ids(reading: Reading) -> Iterator[Hit]:
    """ "Zoom id 845 1234 5678, passcode 123456"."""
    for run in reading.runs:
        if 9 <= len(run.digits) <= 11 and reading.around(run.first, run.last, 6, 4) & mask("MEETID"):
            told = bool(reading.cues & mask("NAME", "IDENT", "MY", "COME", "LINKWORD"))
            yield Hit(
                Kind.MEETING, run.start, run.end, "meeting_id", 0.6 + 0.3 * told, "the number of a meeting elsewhere"
            )
            return


def _scattered(reading: Reading) -> Iterator[Hit]:
    """Digits with words between them that make one mobile number: "begins with 8916, then 555, at the end 12-34"."""
    runs = [run for run in reading.runs if run.digits]
    if not 2 <= len(runs) <= 12 or runs[-1].last - runs[0].first > 40:
        return
    digits = loose_digits(runs)
    level = phone_level(digits, plus=runs[0].plus)
    if level < 2:
        return
    told = bool(reading.cues & (_ASKS | _NUMBER))
    against = bool(reading.cues & mask("MONEY", "UNITS", "EXERCISE", "MATH", "TIME", "IDENT"))
    score = 0.3 + 0.2 * (level >= 3) + 0.35 * told - 0.35 * against
    yield Hit(
        Kind.PHONE, runs[0].start, runs[-1].end, "phone_scattered", score, "digits between words make a mobile number"
    )


def _phone(reading: Reading, run: Run) -> Hit | None:
    level, form = _level(reading, run)
    near = reading.around(run.first, run.last, 8, 5)
    asked = bool(near & _ASKS)
    named = bool(near & _NUMBER)
    if level == 0 and not (asked and 6 <= len(run.digits) <= 15 and len(set(run.digits)) > 1):
        return None
    score = _BASE[level] + 0.35 * asked + 0.12 * named + 0.15 * _disguised(run) + 0.1 * _phone_groups(run)
    score += 0.25 * (level >= 2 and _alone(reading, run))
    score -= _against(reading, run, level)
    if score <= 0.1:
        return None
    rule = f"phone_{form}{level}" + ("_asked" if asked else "")
    return Hit(Kind.PHONE, run.start, run.end, rule, min(score, 0.99), _words(level, asked, run))


def _level(reading: Reading, run: Run) -> tuple[int, str]:
    """How much the run looks like a telephone number, and read in which direction."""
    digits = run.digits
    level = phone_level(digits, plus=run.plus)
    if run.plus and level == 2 and _valid(digits):
        level = 4
    if len(digits) > 15:
        level = max(phone_level(digits[:11]), phone_level(digits[:10]), phone_level(digits[:12])) - 1
        level = level if level >= 2 and len(digits) <= 26 else 0
    backwards = phone_level(digits[::-1]) if reading.cues & _REVERSED else 0
    if backwards >= 2 and backwards >= level:
        return max(backwards, 3), "reversed"
    return level, ""


def _valid(digits: str) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse("+" + digits, None))
    except phonenumbers.NumberParseException:
        return False  # not a number of any plan: that is the answer, not a failure


def _alone(reading: Reading, run: Run) -> bool:
    """Whether the message is little else than this run, and the run was cut into groups or single figures."""
    others = sum(t.shape != "p" for t in (*reading.tokens[: run.first], *reading.tokens[run.last + 1 :]))
    return others <= 2 and (len(run.groups) > 1 or len(run.digits) > 10)


def _disguised(run: Run) -> bool:
    return bool(run.lookalikes) or run.spelled >= 3


def _phone_groups(run: Run) -> bool:
    """Grouped as people write numbers: 3-3-4, 3-3-2-2, 8-3-3-2-2, 2-3-2-2 or in one piece."""
    sizes = tuple(map(len, run.groups))
    return sizes in {
        (10,), (11,), (12,), (3, 3, 4), (3, 3, 2, 2), (1, 3, 3, 2, 2), (1, 3, 3, 4), (3, 2, 2), (3, 7), (1, 10),
        (1,) * 10, (1,) * 11, (1,) * 12, (2, 2, 2, 2, 2), (2, 2, 2, 2, 2, 1), (2, 3, 3, 2, 2), (3, 2, 3, 2, 2),
        (4, 3, 2, 2), (3, 2, 3, 4), (2, 3, 3, 4), (2, 3, 7), (4, 3, 4), (1, 3, 7),
    }  # fmt: skip


def _against(reading: Reading, run: Run, level: int) -> float:
    """What speaks for something else than a number to call."""
    shape = harmless_shape(run)
    weight = 0.9 if shape in ("time", "date", "version", "list", "fraction") else 0.5 if shape else 0.0
    if level >= 3 and (run.spelled >= 5 or len(run.groups) == 1):
        weight = 0.0
    before = reading.between(run.first - 4, run.first - run.plus)
    after = reading.between(run.last + 1, run.last + 3)
    weight += 0.4 * bool(before & _AGAINST_BEFORE) + 0.4 * bool(after & _AGAINST_AFTER)
    weight += 0.5 * _in_arithmetic(reading, run)
    if "," in run.separators and not _phone_groups(run) and (level < 3 or len(set(map(len, run.groups))) > 2):
        weight += 0.4
    if not reading.around(run.first, run.last, 8, 5) & _ASKS:
        weight += 0.45 * bool(reading.cues & mask("MATH", "IDENT") and not run.plus)
    if level < 4 and not reading.around(run.first, run.last, 5, 3) & mask("MY", "SAVE", "GIVE"):
        weight += 0.3 * bool(reading.cues & mask("EXERCISE", "TOPIC"))
    return weight


def _in_arithmetic(reading: Reading, run: Run) -> bool:
    tokens = reading.tokens
    near = [t.text for t in tokens[max(run.first - 2, 0) : run.first] + tokens[run.last + 1 : run.last + 3]]  # type: ignore[operator]
    if any(text in _BREAKERS for text in near):
        return True
    return not run.plus and any(text in ("+", "x", "*") for text in near)


def _words(level: int, asked: bool, run: Run) -> str:
    base = ("digits beside words about calling", "digits of a number's length", "digits of a dialling plan",
            "digits of a mobile number", "an international number")[level]  # fmt: skip
    how = ", spelled out" if run.spelled >= 2 else ", partly in letters" if run.lookalikes else ""
    return base + how + (", with words about calling" if asked and level else "")


def _card(reading: Reading, run: Run) -> Hit | None:
    digits = run.digits
    near = bool(reading.cues & _CARD)
    account = 12 <= len(digits) <= 24 and bool(reading.cues & mask("PAYMEANS"))
    card = len(digits) == 16 and digits[0] in "2456" and (near or luhn(digits))
    if not card and not account:
        return None
    return Hit(Kind.PAYMENT, run.start, run.end, "card", 0.95 if near else 0.6, "digits of a payment card")
