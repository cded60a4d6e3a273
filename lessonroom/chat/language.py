"""Which language a chat message is in: a guess for the review page and the figures, never for a verdict. Pure.

The alphabet decides. Between Russian and Ukrainian the letters do that only one of them has, and where there are none
of these, short words; the same between English and other languages in Latin letters. Names of mailboxes, links and
anything with digits say nothing about the language and are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

RUSSIAN: Final = "ru"
UKRAINIAN: Final = "uk"
ENGLISH: Final = "en"
OTHER: Final = "other"
LANGUAGES: Final = (RUSSIAN, UKRAINIAN, ENGLISH, OTHER)

ENOUGH: Final = 400
"""Characters that are read; whoever writes more goes on in the same language."""

_WORD: Final = re.compile(r"[^\W\d_]+(?:['’ʼ][^\W\d_]+)*")
_NO_TALK: Final = re.compile(r"[@/\\\d_]|\w\.\w")

_ONLY_UKRAINIAN: Final = frozenset("іїєґ")
_ONLY_RUSSIAN: Final = frozenset("ыэъё")
_OF_OTHERS: Final = frozenset("ўјљњћђџѓќѕәғқңөұүһҷӣӯћ")
"""Cyrillic letters of Belarusian, Serbian, Macedonian, Kazakh, Kyrgyz, Tajik and Tatar."""


def _bag(words: str) -> frozenset[str]:
    return frozenset(words.split())


_UKRAINIAN_WORDS: Final = _bag(
    "що це та але або як дуже добре дякую ще вже треба буде було коли чому де може будь ласка яка яке хто та то мене "
    "вона воно ви ми немає можна завдання урок уроку вправа вправу слово сьогодні знаю бачу чекаю пишу"
)
_RUSSIAN_WORDS: Final = _bag(
    "что это и как но или очень хорошо спасибо нет да еще уже надо нужно будет если когда почему где пожалуйста какая "
    "какое кто меня она оно вас нас можно задание упражнение сегодня завтра только потом тоже вижу пишу жду"
)
_ENGLISH_WORDS: Final = _bag(
    "the a an and is are was were i you he she it we they my your this that of to in on at for with do does did not "
    "can will have has what when where how yes no ok okay hi hello thanks please let me"
)
_WORDS_OF_OTHERS: Final = _bag(
    "que el los las una por para con como está und der die das ist nicht ich wir mit est les des une je vous pas "
    "nie jest czy tak dla się co não uma você para bir ve bu için da de evet hayır il che non sono per"
)


def language_of(text: str) -> str:
    """``ru``, ``uk``, ``en`` or ``other``; the last also for a text without words."""
    words = _words(text[:ENOUGH])
    cyrillic = sum("Ѐ" <= word[0] <= "ӿ" for word in words)
    latin = sum(word[0].isascii() or "à" <= word[0] <= "ɏ" for word in words)
    rest = len(words) - cyrillic - latin
    if not words or rest >= max(cyrillic, latin):
        return OTHER
    return _cyrillic(words) if cyrillic >= latin else _latin(words)


def _words(text: str) -> list[str]:
    parts = text.lower().split()
    talk = [part for part in parts if not _NO_TALK.search(part)]
    return [word for part in talk or parts for word in _WORD.findall(part)]


def _cyrillic(words: list[str]) -> str:
    letters = set().union(*words)
    if letters & _OF_OTHERS:
        return OTHER
    ukrainian, russian = letters & _ONLY_UKRAINIAN, letters & _ONLY_RUSSIAN
    if bool(ukrainian) != bool(russian):
        return UKRAINIAN if ukrainian else RUSSIAN
    marks = "".join(words)
    lead = _more(marks, _ONLY_UKRAINIAN, _ONLY_RUSSIAN) or _more(words, _UKRAINIAN_WORDS, _RUSSIAN_WORDS)
    return UKRAINIAN if lead > 0 else RUSSIAN


def _latin(words: list[str]) -> str:
    lead = _more(words, _ENGLISH_WORDS, _WORDS_OF_OTHERS)
    foreign = any(not letter.isascii() and letter.isalpha() for word in words for letter in word)
    return OTHER if lead < 0 or (foreign and lead <= 0) else ENGLISH


def _more(found: Iterable[str], ours: frozenset[str], theirs: frozenset[str]) -> int:
    """How many more of one kind than of the other."""
    seen = list(found)
    return sum(one in ours for one in seen) - sum(one in theirs for one in seen)
