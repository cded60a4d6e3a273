"""Asking for a contact, moving the talk elsewhere, paying around the platform. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lessonroom.chat.lexicon import BIT, mask
from lessonroom.chat.rules.reading import Hit, Reading
from lessonroom.chat.types import Kind
from lessonroom.chat.words import word_set

_CHAT: Final = mask("MESSENGER", "SOCIAL", "HINTAPP")
_ANY: Final = mask("MESSENGER", "SOCIAL", "HINTAPP", "CALLAPP", "MAILHOST")
_CONTACT: Final = mask("PHONE", "MAIL", "MESSENGER", "SOCIAL")
_YOURS: Final = mask("YOUR", "YOU")
_TOPIC: Final = mask("TOPIC", "EXERCISE")
_TOWARDS: Final = word_set("to on in at from of на в у з із с со до")
_MOST_WORDS: Final = 300
_NO_CONTACT: Final = mask("EXERCISE", "LESSON", "MATH", "UNITS")


def ask_hits(reading: Reading) -> Iterator[Hit]:
    """Solicitations and payment around the platform; at most a few hits a message."""
    yield from _solicit(reading)
    yield from _move(reading)
    yield from _payment(reading)


def _span(reading: Reading, first: int, last: int) -> tuple[int, int]:
    tokens = reading.tokens
    return tokens[max(first, 0)].start, tokens[min(last, len(tokens) - 1)].end


def _solicit(reading: Reading) -> Iterator[Hit]:
    """ "What's your WhatsApp?", "дай свой номер", "do you have Telegram?": the surest of a message."""
    cued = [i for i, token in enumerate(reading.tokens[:_MOST_WORDS]) if token.cues]
    hits = [hit for i in cued if (hit := _solicit_at(reading, i)) is not None]
    if hits:
        yield max(hits, key=lambda hit: hit.score)


def _solicit_at(reading: Reading, i: int) -> Hit | None:
    cues = reading.tokens[i].cues
    contact = cues & (_CONTACT | mask("NUMBER", "HINTAPP", "CALLAPP", "DETAILS"))
    if not contact and (not cues & mask("WRITE", "CALL") or cues & BIT["GIVE"]):
        return None
    score = _solicit_score(reading, i, reading.between(i - 5, i), reading.between(i + 1, i + 4))
    if score <= 0.1:
        return None
    start, end = _span(reading, i - 3, i + 1)
    rule = "solicit_chat" if cues & _CHAT else "solicit_number" if contact else "solicit_contact"
    return Hit(Kind.SOLICIT, start, end, rule, score, "asks for a contact")


def _solicit_score(reading: Reading, i: int, before: int, after: int) -> float:
    """Somebody's contact (yours), or a request (give) for one, or a way around the site to reach somebody."""
    cues, everything, near = reading.tokens[i].cues, reading.cues, before | after
    named = bool(cues & (_CONTACT | mask("HINTAPP", "CALLAPP", "DETAILS")))
    number = bool(cues & BIT["NUMBER"])
    question = reading.question
    asked = bool(before & mask("ASK", "GIVE"))
    score = 0.05 + 0.1 * bool(cues & _CHAT) + 0.1 * bool(cues & mask("PHONE", "MAIL")) + 0.15 * (question and asked)
    score += (0.5 if asked else 0.2) * (_yours(reading, i) and (named or number))
    score += (0.35 + 0.25 * number) * bool(near & BIT["GIVE"] and (named or number))
    score += 0.45 * bool(near & BIT["YOU"] and question and cues & mask("MESSENGER", "CALLAPP"))
    score += 0.45 * bool(near & BIT["YOU"] and near & BIT["HAVE"] and question and cues & BIT["SOCIAL"])
    score += 0.15 * bool(after & mask("NUMBER", "NAME") and named)
    score += 0.5 * bool(
        cues & mask("WRITE", "DETAILS", "CALL") and everything & BIT["AVOID"] and everything & BIT["PLATFORM"]
    )
    score -= (
        0.4 * bool(everything & _TOPIC)
        + 0.4 * bool(everything & BIT["NOTE"] and not everything & BIT["AVOID"])
        + 0.35 * bool(near & _NO_CONTACT)
    )
    return min(score - 0.35 * _towards(reading, i), 0.95)


def _yours(reading: Reading, i: int) -> bool:
    """Whether "your" stands within three words before token ``i``."""
    if reading.between(i - 3, i) & BIT["YOUR"]:
        return True
    tokens = reading.tokens
    return any(tokens[k].cues & BIT["YOU"] and tokens[k - 1].text in ("у", "в") for k in range(max(i - 3, 1), i))


def _towards(reading: Reading, i: int) -> bool:
    """Whether something goes to or is on the contact ("send it to your mail"), so that it is not asked for."""
    tokens = reading.tokens
    if i and tokens[i - 1].text in _TOWARDS:
        return True
    return i > 1 and bool(tokens[i - 1].cues & BIT["YOUR"]) and tokens[i - 2].text in _TOWARDS


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
        score += 0.2 * (private and bool(near & mask("MOVE", "WRITE", "CALL"))) + 0.35 * bool(near & BIT["LETS"])
        score += 0.2 * bool(reading.cues & BIT["AVOID"] and reading.cues & BIT["PLATFORM"])
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
    if not reading.cues & mask("PAY", "PAYMEANS", "COMMISSION"):
        return
    first = next(i for i, t in enumerate(reading.tokens) if t.cues & mask("PAY", "PAYMEANS", "COMMISSION"))
    cues = reading.between(first - 12, first + 16)
    around = bool(cues & BIT["AVOID"])
    means, mine = bool(cues & BIT["PAYMEANS"]), bool(cues & mask("ME", "MY"))
    site, fee, cheap = bool(cues & BIT["PLATFORM"]), bool(cues & BIT["COMMISSION"]), bool(cues & BIT["CHEAP"])
    score = 0.05 + 0.3 * around + 0.2 * (means and mine) + 0.15 * (means and around) + 0.3 * cheap * (around or means)
    score += 0.25 * (site and around) + 0.2 * (fee and (around or cheap or mine)) + 0.15 * (around and mine)
    score += 0.25 * (means and mine and bool(cues & BIT["PAY"]))
    score -= 0.3 * bool(cues & (_TOPIC | BIT["NOTE"])) + 0.15 * (reading.question and not around)
    if score >= 0.3:
        start, end = _span(reading, first, first + 4)
        yield Hit(Kind.PAYMENT, start, end, "payment", min(score, 0.92), "words about paying around the platform")
