"""Tables of letters: lookalikes, leet, transliteration, keyboard layouts. Pure data and one-line lookups.

Sources: Unicode TR39 (the few lookalikes that matter between Latin and Cyrillic), GOST 7.79 system B and the habits of
chat for transliteration, the standard Russian, Ukrainian and US layouts for slips.
"""

from __future__ import annotations

from typing import Final

_LOOKALIKE_PAIRS: Final = (
    ("а", "a"), ("в", "b"), ("е", "e"), ("ё", "e"), ("к", "k"), ("м", "m"), ("н", "h"), ("о", "o"), ("р", "p"),
    ("с", "c"), ("т", "t"), ("у", "y"), ("х", "x"), ("і", "i"), ("ї", "i"), ("ј", "j"), ("ѕ", "s"), ("ԁ", "d"),
    ("п", "n"), ("г", "r"), ("и", "u"),
)  # fmt: skip
_SAFE_LATIN: Final = frozenset("аеосрухіјѕԁквмнтё")

TO_LATIN: Final = {ord(c): latin for c, latin in _LOOKALIKE_PAIRS if c in _SAFE_LATIN}
"""Cyrillic lookalikes to the Latin letters they pass for; only for words that mix both scripts."""

TO_CYRILLIC: Final = {ord(latin): c for c, latin in reversed(_LOOKALIKE_PAIRS)}
"""Latin lookalikes to Cyrillic; only for words that mix both scripts."""

LEET: Final = {ord(k): v for k, v in {"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s",
                                      "!": "i", "8": "b", "9": "g", "6": "b", "|": "l", "€": "e"}.items()}  # fmt: skip
LEET_CYRILLIC: Final = {ord(k): v for k, v in {"0": "о", "3": "з", "4": "ч", "6": "б", "@": "а", "1": "і",
                                               "8": "в", "€": "е", "$": "с"}.items()}  # fmt: skip

DIGIT_LOOKALIKES: Final = {ord(k): v for k, v in {
    "o": "0", "о": "0", "з": "3", "l": "1", "i": "1", "і": "1", "s": "5", "б": "6", "b": "8", "в": "8", "z": "2",
    "ч": "4", "|": "1", "!": "1",
}.items()}  # fmt: skip
"""Letters that stand in for digits between digits ("9О5 1З2")."""

_TRANSLIT: Final = dict(zip(
    "абвгдезийклмнопрстуфхъыьэіёжцчшщюяїєґ",
    ("a", "b", "v", "g", "d", "e", "z", "i", "y", "k", "l", "m", "n", "o", "p", "r", "s", "t", "u", "f", "h", "", "y",
     "", "e", "i", "e", "zh", "c", "ch", "sh", "sch", "yu", "ya", "yi", "ye", "g"),
    strict=True,
))  # fmt: skip
TRANSLIT: Final = {ord(k): v for k, v in _TRANSLIT.items()}

_US: Final = "qwertyuiop[]asdfghjkl;'zxcvbnm,."
_RU: Final = "йцукенгшщзхъфывапролджэячсмитьбю"
_UK: Final = "йцукенгшщзхїфівапролджєячсмитьбю"
US_TO_RU: Final = str.maketrans(_US, _RU)
RU_TO_US: Final = str.maketrans(_RU + "їіє", _US + "]s'")
US_TO_UK: Final = str.maketrans(_US, _UK)

INVISIBLE: Final = frozenset(
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200c\u200d\u200e\u200f\u2060\u2061\u2062\u2063\u2064"
    "\u206a\u206b\u206c\u206d\u206e\u206f\u3164\ufe00\ufe01\ufe0e\ufe0f\ufeff\uffa0\u20e3\u20dd\u20de\u20e0\u202a"
    "\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
"""Characters that show nothing: zero-width, joiners, direction marks, variation selectors, the keycap's frame."""


def is_cyrillic(letter: str) -> bool:
    """Whether one character is Cyrillic (U+0400 to U+052F)."""
    return "\u0400" <= letter <= "\u052f"


def single_script(word: str) -> str:
    """Fold lookalikes in a word that mixes Latin and Cyrillic; any other word comes back as it is.

    The length never changes, so offsets stay true.
    """
    cyrillic = sum(map(is_cyrillic, word))
    latin = sum("a" <= c <= "z" for c in word)
    if not cyrillic or not latin:
        return word
    as_latin, as_cyrillic = word.translate(TO_LATIN), word.translate(TO_CYRILLIC)
    if not any(map(is_cyrillic, as_latin)) and latin >= cyrillic:
        return as_latin
    if not any("a" <= c <= "z" for c in as_cyrillic):
        return as_cyrillic
    return as_latin if not any(map(is_cyrillic, as_latin)) else word


def transliterate(word: str) -> str:
    """Cyrillic to Latin as chats write it; other letters stay."""
    return word.translate(TRANSLIT)
