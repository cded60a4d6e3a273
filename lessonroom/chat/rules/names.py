"""What looks like a handle: a nickname, login or user name, rather than a word of the sentence. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from lessonroom.chat.lexicon import CHANNEL, mask
from lessonroom.chat.normalise import Token
from lessonroom.chat.rules.reading import Name, Reading
from lessonroom.chat.words import word_set

_LATIN: Final = re.compile("[a-z]")
_JOINERS: Final = frozenset("._-#")
_ENGLISH: Final = word_set(
    "a about after again ago all already also always am an and another any anyone anything app apps are around as "
    "ask at away b back bad be because been before being best better between big both busy but buy by c can can't "
    "cannot card class classes clear come comes coming conference connect connection could couldn't day days did "
    "didn't different do does doesn't doing don't done down easy either else end english enough even ever every "
    "everyone everything exam explain fast feel few find fine first for free friday friend from full fun game "
    "games get getting give go goes going gone good got great group had happy hard has have having he hear hello "
    "help her here hey hi him his home hope hour how i i'd i'll i'm i've if in instead internet into is isn't it "
    "it's its job just keep know last later learn learning less lesson lessons let let's like listen little live "
    "local long look looks lot love made make makes many maybe me mean means meet meeting message messages might "
    "mine minutes monday more morning most mother much music must my name need needs never new news next nice "
    "night no nobody nope not nothing now of off offline often ok okay old on once one online only open or other "
    "our out over own page people perfect person phone picture play please plz possible post prefer problem put "
    "question quick quite read ready real really remember right room said same saturday say school screen see "
    "send sent set share she should show since slow so some someone something sometimes soon sorry speak start "
    "started still stop story student study such sunday sure take talk teach teacher tell text than thank thanks "
    "that that's the their them then there these they thing things think this those though thursday time to today "
    "together tomorrow tonight too try tuesday turn two type u under understand until up update updated us use "
    "used user using very video wait want was wasn't watch way we wednesday week weekend well went were what "
    "what's when where which while who why will with without word words work working works world would write "
    "wrong year years yes yesterday yet you your yours broken installed account accounts voice videos calls "
    "chatting during worked worse platform site website mac windows android iphone version button icon link links "
    "photo photos pics camera microphone mic sound audio slowly quickly usually mostly probably actually anyway "
    "everybody boring addictive popular useful useless blocked banned deleted crashed freezing freezes lagging "
    "lags laggy loading business premium money verb noun adjective grammar tense article sentence he's she's "
    "they're we're you're wouldn't shouldn't won't haven't hasn't everywhere somewhere regularly daily weekly sms "
    "mms gb mb company companies founder stock shares privacy policy security feature features groups status "
    "stories lesson's kids python java javascript html css sql photoshop excel powerpoint linux google chrome "
    "ielts toefl b1 b2 a1 a2 c1 c2"
)
_NOT_NAMES: Final = mask(
    "LESSON", "EXERCISE", "TIME", "TOPIC", "UNITS", "CALL", "PHONE", "NUMBER", "MY", "YOUR", "YOU", "GIVE", "ADD",
    "FIND", "WRITE", "MOVE", "PLATFORM", "PAY", "NAME", "MAIL", "MATH", "MONEY", "FILLER", "LINKWORD", "NOTE",
    "HOME", "COME", "IDENT", "AVOID",
)  # fmt: skip

_KNOWN: Final = CHANNEL | _NOT_NAMES
_SHORTEST, _LONGEST = 3, 40
"""Characters of what may be a handle."""


def name_at(reading: Reading, i: int) -> Name | None:
    """The handle-like stretch that begins at token ``i``, or None. Remembered: most rules ask."""
    names = reading.names
    if i not in names:
        names[i] = _name_at(reading, i)
    return names[i]


def _name_at(reading: Reading, i: int) -> Name | None:
    tokens = reading.tokens
    token = tokens[i]
    if token.shape == "w" and ends(tokens, i + 1):  # most tokens: a word by itself
        likeness = _of_word(reading, token.text, token.cues)
        return Name(i, i, likeness, token.text) if likeness > 0 else None
    at = token.text == "@"
    start = i + 1 if at else i
    if start >= len(tokens) or (tokens[start].shape == "p" and tokens[start].text != "_"):
        return None
    last = _end(reading, start)
    text = "".join(t.text for t in tokens[start : last + 1])
    likeness = _likeness(reading, text, start, last)
    if at and len(text) >= 3:
        likeness = max(likeness, 0.85 if tokens[start].gap == 0 else 0.5)
    return Name(i, last, likeness, text) if likeness > 0 else None


def ends(tokens: Sequence[Token], i: int) -> bool:
    """Whether token ``i`` can be no part of a handle that the one before it begins; quick, true for most."""
    if i == len(tokens):
        return True
    token = tokens[i]
    return token.gap > 0 or (token.shape == "p" and token.text not in _JOINERS)


def _end(reading: Reading, start: int) -> int:
    tokens, last = reading.tokens, start
    while last + 1 < len(tokens) and tokens[last + 1].gap == 0 and last - start < 12:
        following = tokens[last + 1]
        if following.shape != "p" or following.text == "_":
            last += 1
        elif following.text in _JOINERS and _goes_on(reading, last + 2):
            last += 2
        else:
            break
    return last


def _goes_on(reading: Reading, i: int) -> bool:
    """Whether token ``i`` touches the joiner before it and can be a part of a handle."""
    tokens = reading.tokens
    return i < len(tokens) and tokens[i].gap == 0 and (tokens[i].shape != "p" or tokens[i].text == "_")


def _likeness(reading: Reading, text: str, first: int, last: int) -> float:
    token = reading.tokens[first]
    if last == first and token.shape == "w":
        return _of_word(reading, text, token.cues)
    if not _SHORTEST <= len(text) <= _LONGEST:
        return 0.0
    if _LATIN.search(text) is None:
        digits = sum(map(str.isdigit, text))
        return 0.35 if "_" in text or 0 < digits < len(text) else 0.0
    return _of_chain(reading, text, first, last)


def _of_chain(reading: Reading, text: str, first: int, last: int) -> float:
    """The likeness of Latin letters, digits and joiners in one piece."""
    digits = sum(map(str.isdigit, text))
    if digits:
        return 0.9 if len(text) - digits >= 2 and digits < len(text) else 0.3
    if _all_known(reading, first, last):
        return 0.2
    if "_" in text or "#" in text:
        return 0.85
    if "." in text and reading.tokens[first].shape == "w" and text not in _ENGLISH:
        return 0.8
    return 0.75 if reading.mostly_cyrillic else 0.3


def _all_known(reading: Reading, first: int, last: int) -> bool:
    """Whether every part is an everyday or cue word, as in names of a program ("phone_number", "telegram_id")."""
    parts = [t for t in reading.tokens[first : last + 1] if t.shape != "p"]
    return all(t.text in _ENGLISH or t.cues & _KNOWN for t in parts)


def _of_word(reading: Reading, text: str, cues: int) -> float:
    if cues & _KNOWN or text in _ENGLISH or not _SHORTEST <= len(text) <= _LONGEST:
        return 0.0
    if _LATIN.search(text) is None:
        return 0.05
    if len(text) < 4:
        return 0.1
    return 0.6 if reading.mostly_cyrillic else 0.4
