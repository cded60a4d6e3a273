"""Which language a chat message is in: a guess for the review page, the figures, and a switched-off language. Pure.

The alphabet decides. Between Russian and Ukrainian the letters do that only one of them has, and where there are none
of these, short words and endings; between English and other languages in Latin letters, short words. Names of
mailboxes, links and anything with digits say nothing about the language and are left out.
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
    "що це та або як дуже добре дякую ще вже треба буде було був коли чому де будь ласка яка яке мене вона воно ви "
    "ми немає можна завдання вправа вправу бачу чекаю з й ж цей цього цьому цим якщо щоб бо зараз тепер тобто чого "
    "може можу можемо через також саме багато лише грн хвилин хвилину робити питання вчора одразу"
)
_RUSSIAN_WORDS: Final = _bag(
    "что и как но или очень хорошо спасибо нет да еще уже надо нужно будет если когда почему где пожалуйста какая "
    "какое какие кто меня она оно вас нас можно задание упражнение сегодня только потом тоже вижу с из к от ли "
    "он они мне тебя есть чем могу можем такой сколько вот ну тогда сейчас вчера после много лучше конечно вопрос минут"
)
_UKRAINIAN_ENDINGS: Final = ("ати", "ити", "ути", "ння", "ття", "ють", "уть", "ися", "ося", "ав", "ив", "ув", "ою")
_RUSSIAN_ENDINGS: Final = (
    *("ать", "еть", "ет", "ешь", "ишь", "ют", "ят", "ит", "ая", "ое", "ие", "ее", "ия", "ии", "тся", "лся"),
    *("ой", "ал", "ил", "ел"),
)
_WHOLE: Final = 4
"""Letters from which a word is long enough to have an ending."""
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
    lead = _more("".join(words), _ONLY_UKRAINIAN, _ONLY_RUSSIAN) or (
        2 * _more(words, _UKRAINIAN_WORDS, _RUSSIAN_WORDS) + _ends(words)
    )
    return UKRAINIAN if lead > 0 else RUSSIAN


def _ends(words: list[str]) -> int:
    """How many more words end as Ukrainian ones do than as Russian ones."""
    whole = [word for word in words if len(word) >= _WHOLE]
    return sum(word.endswith(_UKRAINIAN_ENDINGS) - word.endswith(_RUSSIAN_ENDINGS) for word in whole)


def _latin(words: list[str]) -> str:
    lead = _more(words, _ENGLISH_WORDS, _WORDS_OF_OTHERS)
    foreign = any(not letter.isascii() and letter.isalpha() for word in words for letter in word)
    return OTHER if lead < 0 or (foreign and lead <= 0) else ENGLISH


def _more(found: Iterable[str], ours: frozenset[str], theirs: frozenset[str]) -> int:
    """How many more of one kind than of the other."""
    seen = list(found)
    return sum(one in ours for one in seen) - sum(one in theirs for one in seen)
