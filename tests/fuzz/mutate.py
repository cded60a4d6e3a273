"""Mutations: a seeded chance, one honest input, a few things wrong with it."""

from __future__ import annotations

import random
import re
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass

MOST_BYTES = 140_000
"""Longer inputs are cut: twice what the most patient reader takes."""

Split = Callable[[bytes], list[bytes]]
Join = Callable[[Sequence[bytes]], bytes]

NUMBERS = (b"0", b"-1", b"00", b"255", b"65535", b"65536", b"4294967295", b"9223372036854775808", b"1e400", b"NaN")
ODD = (b"\x00", b"\r", b"\n", b"\r\n", b"\xff", b"\xed\xa0\x80", b"\xe2\x80\xa8", b"\xef\xbb\xbf", b"%00", b" ")
RUNS = (16, 300, 1025, 20_001, 66_000)
"""Lengths of what is said again and again: around the limits of the readers."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How an input falls into parts, such as lines, so that parts can be dropped, doubled and exchanged."""

    split: Split
    join: Join = b"".join


def lines(data: bytes) -> list[bytes]:
    """Lines with their ends, as :data:`Split`."""
    return data.splitlines(keepends=True)


def tokens(data: bytes) -> list[bytes]:
    """Words and signs of JSON, as :data:`Split`."""
    return re.findall(rb'[{}\[\],:]|"[^"]*"|[^{}\[\],:"]+|"', data)


def datagrams(data: bytes) -> list[bytes]:
    """Datagrams, each behind its length in 16 bits, as :data:`Split`; a last one that is cut short comes as it is."""
    found, at = [], 0
    while at + 2 <= len(data):
        (length,) = struct.unpack_from("!H", data, at)
        found.append(data[at + 2 : at + 2 + length])
        at += 2 + length
    return found


def packed(parts: Sequence[bytes]) -> bytes:
    """The opposite of :func:`datagrams`, as :data:`Join`."""
    return b"".join(struct.pack("!H", min(len(part), 0xFFFF)) + part[:0xFFFF] for part in parts)


LINES, TOKENS, DATAGRAMS = Shape(lines), Shape(tokens), Shape(datagrams, packed)


class Mutator:
    """Makes inputs for one target. Input ``number`` of a seed is always the same, whatever was made before."""

    def __init__(self, corpus: Sequence[bytes], words: Sequence[bytes], shape: Shape, seed: str) -> None:
        self._corpus = corpus
        self._words = (*words, *NUMBERS, *ODD)
        self._shape = shape
        self._seed = seed

    def make(self, number: int) -> bytes:
        """Input ``number``: the first ones are the corpus itself."""
        if number < len(self._corpus):
            return self._corpus[number]
        chance = random.Random(f"{self._seed}/{number}")
        data = chance.choice(self._corpus)
        for _ in range(1 + min(int(chance.expovariate(0.7)), 12)):
            data = self._change(data, chance)[:MOST_BYTES]
        return data

    def _change(self, data: bytes, chance: random.Random) -> bytes:
        if chance.random() < 0.5:
            return self._bytes(data, chance)
        parts = self._shape.split(data)
        return self._shape.join(self._parts(parts, chance)) if parts else self._bytes(data, chance)

    def _parts(self, parts: list[bytes], chance: random.Random) -> list[bytes]:
        at, other = chance.randrange(len(parts)), chance.randrange(len(parts))
        match chance.randrange(7):
            case 0:
                del parts[at]
            case 1:
                parts.insert(other, parts[at])
            case 2:
                parts[at], parts[other] = parts[other], parts[at]
            case 3:
                parts[at:at] = [chance.choice(self._shape.split(chance.choice(self._corpus)) or [b""])]
            case 4:
                parts[at:at] = [parts[at]] * min(chance.choice((2, 31, 300)), MOST_BYTES // (len(parts[at]) or 1))
            case 5:
                del parts[at:]
            case _:
                parts[at] = self._bytes(parts[at], chance)
        return parts

    def _bytes(self, data: bytes, chance: random.Random) -> bytes:
        at = chance.randrange(len(data) + 1)
        end = min(len(data), at + chance.choice((1, 1, 2, 4, 16, 200)))
        match chance.randrange(7):
            case 0:
                return data[:at] + data[end:]
            case 1:
                return data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :]
            case 2:
                byte = data[at] if at < len(data) else 0
                return data[:at] + bytes([byte ^ 1 << chance.randrange(8)]) + data[at + 1 :]
            case 3:
                return data[:at] + chance.choice(self._words) + data[at:]
            case 4:
                return data[:at] + chance.choice(self._words) + data[end:]
            case 5:
                return _renumbered(data, chance)
            case _:
                word = data[at:end] or chance.choice(self._words)
                return data[:at] + word * (chance.choice(RUNS) // max(1, len(word)) + 1) + data[at:]


def _renumbered(data: bytes, chance: random.Random) -> bytes:
    """One of the decimal numbers exchanged."""
    found = list(re.finditer(rb"\d+", data))
    if not found:
        return data
    where = chance.choice(found)
    return data[: where.start()] + chance.choice(NUMBERS) + data[where.end() :]
