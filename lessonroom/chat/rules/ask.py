"""Asking for a contact, moving the talk elsewhere, paying around the platform. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lessonroom.chat.lexicon import BIT, mask
from lessonroom.chat.rules.reading import Hit, Reading
from lessonroom.chat.types import Kind

_CHAT: Final = mask("MESSENGER", "SOCIAL", "HINTAPP")
_ANY: Final = mask("MESSENGER", "SOCIAL", "HINTAPP", "CALLAPP", "MAILHOST")
_CONTACT: Final = mask("PHONE", "MAIL", "MESSENGER", "SOCIAL")
_YOURS: Final = mask("YOUR", "YOU")
_TOPIC: Final = mask("TOPIC", "EXERCISE")


def ask_hits(reading: Reading) -> Iterator[Hit]:
    """Solicitations and payment around the platform; at most a few hits a message."""
    yield from _solicit(reading)
    yield from _move(reading)
    yield from _payment(reading)


def _span(reading: Reading, first: int, last: int) -> tuple[int, int]:
    tokens = reading.tokens
    return tokens[max(first, 0)].start, tokens[min(last, len(tokens) - 1)].end


def _solicit(reading: Reading) -> Iterator[Hit]:
    """ "What's your WhatsApp?", "дай свой номер", "do you have Telegram?"."""
    for i, token in enumerate(reading.tokens):
        contact = token.cues & (_CONTACT | BIT["NUMBER"] | BIT["HINTAPP"])
        write = token.cues & BIT["WRITE"] and not token.cues & BIT["GIVE"]
        if not contact and not write:
            continue
        before, after = reading.between(i - 5, i), reading.between(i + 1, i + 4)
        score = _solicit_score(reading, token.cues, before, after)
        if score > 0.1:
            start, end = _span(reading, i - 3, i + 1)
            rule = "solicit_chat" if token.cues & _CHAT else "solicit_number" if contact else "solicit_contact"
            yield Hit(Kind.SOLICIT, start, end, rule, score, "asks for a contact")
            return


def _solicit_score(reading: Reading, cues: int, before: int, after: int) -> float:
    near = before | after
    score = 0.05 + 0.2 * bool(cues & _CHAT) + 0.1 * bool(cues & BIT["PHONE"])
    score += 0.3 * bool(near & BIT["YOUR"]) + 0.2 * bool(near & BIT["GIVE"]) + 0.12 * bool(near & BIT["YOU"])
    score += 0.2 * bool(near & mask("WRITE", "CALL", "ADD") and cues & (_CONTACT | BIT["HINTAPP"]))
    score += 0.1 * any(t.text == "?" for t in reading.tokens)
    if not cues & _CONTACT and not near & _CONTACT:
        score -= 0.15
    return min(score - 0.3 * bool(reading.cues & _TOPIC), 0.9)


def _move(reading: Reading) -> Iterator[Hit]:
    """ "Let's move to Telegram", "напиши мне в вотсап", "давай спишемся вконтакте"."""
    tokens = reading.tokens
    for i, token in enumerate(tokens):
        if not token.cues & _ANY:
            continue
        near = reading.between(i - 6, i) | reading.between(i + 1, i + 4)
        private = bool(token.cues & _CHAT)
        score = 0.1 + 0.25 * private + 0.3 * bool(near & mask("MOVE")) + 0.3 * bool(near & mask("WRITE", "CALL"))
        score += 0.15 * bool(near & mask("ME", "MY")) + 0.15 * bool(near & mask("ADD"))
        score -= 0.3 * bool(near & _TOPIC) + 0.2 * bool(near & mask("LESSON", "NOTE"))
        if score > 0.3:
            start, end = _span(reading, i - 3, i)
            yield Hit(
                Kind.SOLICIT,
                start,
                end,
                "move_chat" if private else "move_call",
                min(score, 0.92),
                "moves the talk elsewhere",
            )
            return


def _payment(reading: Reading) -> Iterator[Hit]:
    """Words about paying, together with a way around the platform."""
    cues = reading.cues
    if not cues & mask("PAY", "PAYMEANS", "COMMISSION"):
        return
    around = bool(cues & BIT["AVOID"])
    means = bool(cues & BIT["PAYMEANS"])
    site = bool(cues & BIT["PLATFORM"])
    fee = bool(cues & BIT["COMMISSION"])
    score = 0.25 * around + 0.2 * means + 0.15 * bool(cues & BIT["PAY"]) + 0.2 * site + 0.2 * fee
    score += 0.15 * bool(cues & BIT["CHEAP"]) + 0.15 * bool(cues & mask("ME", "MY") and means)
    score -= 0.3 * bool(cues & _TOPIC)
    if score >= 0.3:
        first = next(i for i, t in enumerate(reading.tokens) if t.cues & mask("PAY", "PAYMEANS", "COMMISSION"))
        start, end = _span(reading, first, first + 4)
        yield Hit(Kind.PAYMENT, start, end, "payment", min(score, 0.92), "words about paying around the platform")
