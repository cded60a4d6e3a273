"""N-grams as bucket numbers: of characters, of symbols, of cues. Pure; numpy does the work.

Hashing instead of a dictionary (Weinberger et al., "Feature hashing for large scale multitask learning", 2009): nothing
that anybody wrote stands in the model's file.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lessonroom.chat.symbols import Symbol

BITS: Final = 17
BUCKETS: Final = 1 << BITS
Codes = NDArray[np.uint32]
Buckets = NDArray[np.int64]
NONE: Final[Buckets] = np.empty(0, np.int64)
_M: Final = np.uint32(2654435761)  # Knuth's multiplicative hash
_GOLDEN: Final = 0x9E3779B1
_MIX_TWICE: Final = np.uint32(0x85EBCA6B * 2654435761 & 0xFFFFFFFF)
_HALF: Final = np.uint32(15)
_SHIFT: Final = np.uint32(32 - BITS)
_LONGEST: Final = 5
_EDGE: Final = 0x51ED270B
_FEW: Final = 8


def of_characters(text: str) -> Buckets:
    """The 2- to 5-grams of a text, each once."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    state, parts = codes, []
    for size in range(2, _LONGEST + 1):
        if len(state) < 2:
            break
        state = (state[:-1] * _M) ^ codes[size - 1 :]
        parts.append((state * _M) >> _SHIFT)
    return _once(np.concatenate(parts)) if parts else NONE


def of_symbols(row: Sequence[Symbol], marks: Sequence[int] = (), salt: int = 0) -> Buckets:
    """Words, stems, pairs and triples of stems, pairs with a gap, and ``marks``. ``salt`` keeps kinds of rows apart."""
    if not row:
        return NONE
    words, stems, _, _ = zip(*row, strict=True)
    parts = [(np.array(words, np.uint32), 1 + salt), *_chains(np.array((_EDGE, *stems, _EDGE), np.uint32), 2 + salt)]
    if marks:
        parts.append((np.array(marks, np.uint32), 31 + salt))
    return _salted(parts)


def of_words(row: Sequence[Symbol], salt: int = 0) -> Buckets:
    """Single stems and single cues."""
    if not row:
        return NONE
    stems = np.array([symbol.stem for symbol in row], np.uint32)
    cues = np.array([_of_bits(symbol.cues) for symbol in row], np.uint32)
    return _salted([(stems, 41 + salt), (cues, 42 + salt)])


def of_cues(row: Sequence[Symbol], kept: int, salt: int = 0) -> Buckets:
    """Cues that follow one another, words without a cue left out: what one language teaches, all know."""
    cued = [
        symbol.stem if symbol.is_candidate else _of_bits(symbol.cues & kept)
        for symbol in row
        if symbol.cues & kept or symbol.is_candidate or symbol.name == "?"
    ]
    return _salted(_chains(np.array([_EDGE, *cued, _EDGE], np.uint32), 12 + salt)) if cued else NONE


def crossed(before: Sequence[Symbol], row: Sequence[Symbol], salt: int) -> Buckets:
    """Pairs of one of the last words of a line before and one of the first words of the message."""
    if not before or not row:
        return NONE
    first = np.array([symbol.stem for symbol in before[-_FEW:]], np.uint32)
    second = np.array([symbol.stem for symbol in row[:_FEW]], np.uint32)
    return _salted([(((first[:, None] * _M) ^ second[None, :]).ravel(), 21 + salt)])


def _of_bits(cues: int) -> int:
    return cues * _GOLDEN & 0xFFFFFFFF


def _chains(codes: Codes, salt: int) -> list[tuple[Codes, int]]:
    """Single codes, pairs, triples, and pairs with one or two codes between."""
    first = codes * _M
    pairs = first[:-1] ^ codes[1:]
    parts = [(codes, salt), (pairs, salt + 1)]
    if len(codes) > 2:
        parts += [((pairs[:-1] * _M) ^ codes[2:], salt + 2), (first[:-2] ^ codes[2:], salt + 3)]
    if len(codes) > 3:
        parts.append((first[:-3] ^ codes[3:], salt + 4))
    return parts


def _salted(parts: Sequence[tuple[Codes, int]]) -> Buckets:
    """Buckets of codes, each kind with a salt of its own; each bucket once."""
    codes = np.concatenate([part ^ _salt(salt) for part, salt in parts])
    codes ^= codes >> _HALF
    codes *= _MIX_TWICE
    codes >>= _SHIFT
    return _once(codes)


@cache
def _salt(number: int) -> np.uint32:
    return np.uint32(number * _GOLDEN & 0xFFFFFFFF)


def once(parts: Sequence[Buckets]) -> Buckets:
    """The buckets of all parts together, each once."""
    return _once(np.concatenate(parts))


def without(whole: Buckets, part: Buckets) -> Buckets:
    """What is in ``whole`` and not in ``part``, both of them in order and without repetition."""
    if not len(part):
        return whole
    found = part.take(np.searchsorted(part, whole), mode="clip") == whole
    rest: Buckets = whole[~found]
    return rest


def _once(buckets: Codes | Buckets) -> Buckets:
    """Each bucket once, in order. For so few numbers a sort is quicker than ``np.unique``."""
    buckets.sort()
    first = np.empty(len(buckets), bool)
    first[:1] = True
    np.not_equal(buckets[1:], buckets[:-1], out=first[1:])
    return buckets[first].astype(np.int64)
