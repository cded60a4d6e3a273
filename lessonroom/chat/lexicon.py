"""What one word hints at: cues as bits of an integer, so that a message's cues are one ``|`` away. Pure.

The tables stand in ``words``; here they become a dictionary of whole words and one of stems. Looking a word up costs a
handful of dictionary reads and is remembered.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from lessonroom.chat import words
from lessonroom.chat.letters import (
    LEET,
    LEET_CYRILLIC,
    RU_TO_US,
    US_TO_RU,
    US_TO_UK,
    is_cyrillic,
    single_script,
    transliterate,
)

NAMES: Final = (*words.CHANNELS, *words.CUES)
BIT: Final = {name: 1 << i for i, name in enumerate(NAMES)}
"""The bit of each cue."""

DISGUISED: Final = 1 << len(NAMES)
"""Set beside the cue when the word was found only through a disguise (leet, layout slip, transliteration)."""

CHANNEL: Final = BIT["MESSENGER"] | BIT["CALLAPP"] | BIT["SOCIAL"] | BIT["MAILHOST"]

_MIN_STEM: Final = 2
_MAX_STEM: Final = 12
_MIN_SLIP: Final = 5
_MIN_LEET: Final = 4


@lru_cache(maxsize=512)
def mask(*names: str) -> int:
    """The bits of several cues together. An unknown name raises KeyError."""
    out = 0
    for name in names:
        out |= BIT[name]
    return out


def _split(table: dict[str, str], exact: dict[str, int], stems: dict[str, int]) -> None:
    for name, text in table.items():
        for word in text.split():
            target = stems if word.endswith("*") else exact
            key = word.rstrip("*")
            target[key] = target.get(key, 0) | BIT[name]


def _slips(table: dict[str, str], exact: dict[str, int], stems: dict[str, int]) -> None:
    """Channel words as they look on the wrong layout or transliterated."""
    for name, text in table.items():
        for word in text.split():
            key, target = word.rstrip("*"), (stems if word.endswith("*") else exact)
            slipped = key.translate(RU_TO_US if is_cyrillic(key[0]) else US_TO_RU)
            for variant in (slipped, key.translate(US_TO_UK), transliterate(key)):
                if len(variant) >= _MIN_SLIP and variant.isalpha() and variant != key:
                    target.setdefault(variant, BIT[name] | DISGUISED)
            if len(key) >= _MIN_SLIP and target is exact:
                exact.setdefault(key[::-1], BIT[name] | DISGUISED | BIT["REVERSE"])


def _build() -> tuple[dict[str, int], dict[str, int]]:
    exact: dict[str, int] = {}
    stems: dict[str, int] = {}
    _split(words.CHANNELS, exact, stems)
    _split(words.CUES, exact, stems)
    _slips(words.CHANNELS, exact, stems)
    for name, text in words.WHOLE_CHANNELS.items():
        for word in text.split():
            exact.setdefault(word[::-1], BIT[name] | DISGUISED | BIT["REVERSE"])
    for sign, names in words.EMOJI.items():
        exact[sign] = mask(*names)
    return exact, stems


_EXACT, _STEMS = _build()

WHOLE: Final = {
    word: BIT[name] | DISGUISED for name, text in words.WHOLE_CHANNELS.items() for word in text.split() if len(word) > 4
}
"""Names of channels that are known in pieces too, and their cues."""
BEGINNINGS: Final = frozenset(word[:length] for word in WHOLE for length in range(2, len(word)))
"""What such a piece begins with."""


def _plain_cues(word: str) -> int:
    found = _EXACT.get(word, 0)
    for length in range(_MIN_STEM, min(len(word), _MAX_STEM) + 1):
        found |= _STEMS.get(word[:length], 0)
    return found


def _disguised_cues(word: str) -> int:
    """Channel words behind leet or doubled letters; 0 where there are none."""
    candidates = {word.translate(LEET), word.translate(LEET_CYRILLIC), single_script(word.translate(LEET))}
    candidates.add(_undouble(word))
    for candidate in candidates - {word}:
        found = _plain_cues(candidate) & CHANNEL
        if found and len(candidate) >= _MIN_LEET:
            return found | DISGUISED
    return 0


def _undouble(word: str) -> str:
    return "".join(c for i, c in enumerate(word) if i == 0 or c != word[i - 1])


@lru_cache(maxsize=65536)
def cues_of(word: str) -> int:
    """The cues of a lower-case word. Words over 40 letters have none: they are no words.

    The cache is bounded and only speeds up; the answer depends on the word alone.
    """
    if len(word) > 40:
        return 0
    found = _plain_cues(word)
    if found or len(word) < _MIN_LEET or word.isdigit():
        return found
    return _disguised_cues(word)
