"""Whether a message says that its writer is at a loss: "не понимаю", "не розумію", "can you explain again". Pure.

Aims at precision: in a language lesson "I don't understand why he left" is more likely an exercise than a plea, and a
teacher reads the chat anyway. So a plea counts only where all words of its sentence are known
(:mod:`~lessonroom.chat.pleas`), and nothing counts in quotation marks, numbered answers and pairs of translations.
Nothing of a text is kept.

Of the 44,816 harmless lines of lesson talk in ``corpus/`` fifteen are heard, and about two of these wrongly.
"""

from __future__ import annotations

import re
from typing import Final

from lessonroom.chat.normalise import fold
from lessonroom.chat.pleas import LANGUAGES, Pleas

LONGEST: Final = 160
"""Characters beyond which a message is taken for an exercise."""
OTHER_SENTENCES: Final = 1
"""Sentences about something else beside a plea, above which a message is taken for a story."""

_QUOTED: Final = re.compile(r"«[^»]*»|“[^”]*”|„[^“”]*[“”]|\"[^\"]*\"|`[^`]*`|(?<!\w)'[^']{1,60}'(?!\w)")
_APOSTROPHES: Final = re.compile(r"(?<=\w)['’ʼ`´](?=\w)")
_STRETCHED: Final = re.compile(r"([^\W\d_])\1{2,}")
_SHORT: Final = (
    (re.compile(r"\b(do|did|does|could|is) ?not\b"), r"\1nt"),
    (re.compile(r"\bcan ?not\b"), "cant"),
    (re.compile(r"\bi am\b"), "im"),
    (re.compile(r"\b(?:dnt|dont)\b"), "dont"),
)
_ENDS: Final = re.compile(r"[.!?;…\n]+|(?<=\s)[-–—](?=\s)")
_NO_WORDS: Final = re.compile(r"[^\w\s§#№-]+|(?<!\w)-|-(?!\w)")
_EXERCISE: Final = re.compile(r"=|→|->|__|\.{3,}\w|^\s*(?:\d{1,3}|[a-zа-я])\s*[.)]\s*\S", re.IGNORECASE)
_PAIR: Final = re.compile(r"\s[-–—]\s|\((?=\s*\w)|[/\n]")
_LATIN: Final = re.compile(r"[a-z]")
_CYRILLIC: Final = re.compile(r"[а-яіїєґ]")
_SOLVED: Final = re.compile(
    r"\b(?:теперь (?:все |я )?(?:пон|ясно)|уже (?:все )?(?:понял|поняла|понятно|разобрал)|все понятно|раньше|"
    r"но (?:уже|теперь) (?:пон|все|разобр)|тепер (?:все |я )?(?:зрозум|ясно)|вже (?:все )?(?:зрозумі|розібра)|"
    r"все зрозуміло|але (?:вже|тепер)|раніше|now i (?:get|understand|see|got)|get it now|understand now|got it|"
    r"never ?mind|nvm|but (?:now|then) (?:i|it))"
)
_NAMED: Final = re.compile(
    r"(?:(?:mr|mrs|ms|miss|пане|пані|teacher) )?[а-яіїєґ]+ [а-яіїєґ]+(?:вна|вич|вно|вичу|овно)(?!\S)"
    r"|(?:mr|mrs|ms|miss|пане|пані) [^\W\d_]+(?!\S)"
)
_QUESTION: Final = re.compile(r"[?？][\s)\]}»”\"'!?:;🙂😊😉👀🤔-]*$")
_DICTATES: Final = re.compile(
    r"§|translat|how (?:do|would|can|to) (?:you |we )?say|in english|repeat|dictat|write (?:a|the|down|five|\d)|"
    r"sentence|negative|role ?play|dialogue|fill in|read (?:it|the|this|out)|conjugat|correct the|"
    r"перевед|перевод|как (?:сказать|будет|по-)|(?:по|на)-?\s?(?:английск|англійськ)|повтор|диктант|предложени|"
    r"отрицан|диалог|вставь|вставте|прочит|исправь|"
    r"перекл|як (?:сказати|буде|по-)|реченн|заперечн|діалог|переспряг|виправ"
)


def prepare() -> None:
    """Compile what :func:`asks_for_help` looks for: 0.3 s, once in a process. To be called on another thread."""
    for pleas in LANGUAGES:
        _ = pleas.plea, pleas.filler


def asks_for_help(text: str) -> bool:
    """Whether the writer says, in own words, that something is not understood or too hard."""
    if len(text) > LONGEST or _EXERCISE.search(text):
        return False
    plain = _plain(text)
    if _SOLVED.search(plain) or (_PAIR.search(text) and _LATIN.search(plain) and _CYRILLIC.search(plain)):
        return False
    heard = [_hear(words) for words in map(_words, _ENDS.split(plain)) if words]
    return any(heard) and heard.count(None) <= OTHER_SENTENCES


def asks(text: str) -> bool:
    """Whether a message ends as a question."""
    return _QUESTION.search(text[-40:]) is not None


def dictates(text: str) -> bool:
    """Whether it may set an exercise whose answers are not the writer's own words: a translation, a repetition."""
    return _DICTATES.search(_plain(text[: 2 * LONGEST])) is not None


def _plain(text: str) -> str:
    """Folded for the word lists; see :mod:`~lessonroom.chat.pleas`."""
    plain = _QUOTED.sub(" § ", fold(text).text.replace("’", "'").replace("ʼ", "'"))
    plain = _APOSTROPHES.sub("", plain).replace("ё", "е")
    for pattern, short in _SHORT:
        plain = pattern.sub(short, plain)
    return _STRETCHED.sub(r"\1", plain)


def _words(sentence: str) -> str:
    return " ".join(_NO_WORDS.sub(" ", sentence).split())


def _hear(words: str) -> bool | None:
    """Whether there is a plea in a sentence; None where something else is in it."""
    heard = [_read(words, pleas) for pleas in LANGUAGES]
    return True if True in heard else (False if False in heard else None)


def _read(words: str, pleas: Pleas) -> bool | None:
    """As :func:`_hear` in one language: pleas and fillers from end to end, or None."""
    at, found = 0, False
    while at < len(words):
        plea = pleas.plea.match(words, at)
        known = plea or pleas.filler.match(words, at) or _NAMED.match(words, at)
        if known is None or known.end() == at:
            return None
        found = found or plea is not None
        at = known.end() + 1
    return found
