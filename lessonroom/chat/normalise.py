"""A message in views that see through disguises, each with offsets back to the original. Pure and linear.

``fold`` makes the plain view: invisible characters gone, NFKC, lower case, foreign digits and circled ones as 0-9,
combining marks that only hide gone. ``tokenise`` cuts it into tokens, folds lookalikes inside words of mixed script,
joins letters that are spaced out and letters with signs for letters between them. Spans are always half-open, in code
points of the original text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from lessonroom.chat.letters import INVISIBLE, LEET, single_script
from lessonroom.chat.lexicon import BEGINNINGS, CHANNEL, DISGUISED, WHOLE, cues_of, mask
from lessonroom.chat.numbers import Number, number_of

_PIECES: Final = re.compile(r"[^\W_]+(?:['’ʼ][^\W\d_]+)?|[^\w\s]|_")  # one class per branch: no backtracking
_PARTS: Final = re.compile(r"\d+|[^\d]+")
_MIN_SPACED: Final = 4
_MIN_SPACED_LETTERS: Final = 3
_SIGNS_FOR_LETTERS: Final = frozenset("@$!|€")


@dataclass(frozen=True, slots=True)
class View:
    """One reading of a message. ``offsets[i]``: where ``text[i]`` stands in the original; None: at the same place."""

    text: str
    offsets: Sequence[int] | None
    length: int

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The original span of ``text[start:end]`` (end > start)."""
        if self.offsets is None:
            return start, end
        return self.offsets[start], self.offsets[end - 1] + 1


class Word(NamedTuple):
    """What is known of a word by itself. ``shape``: d digits, w letters, x both, p a sign."""

    text: str
    shape: str
    cues: int
    number: Number | None


class Token(NamedTuple):
    """A word at its place. ``gap``: 0 touches the one before, 1 a space, 2 a line break. Span in the original."""

    text: str
    start: int
    end: int
    gap: int
    shape: str
    cues: int
    number: Number | None


def fold(text: str) -> View:
    """The plain view of any text."""
    if text.isascii():
        return View(text.lower(), None, len(text))
    lowered = text.lower()
    if len(lowered) == len(text) and INVISIBLE.isdisjoint(lowered) and _is_plain(lowered):
        return View(lowered, None, len(text))
    return _fold_slowly(text)


def _is_plain(text: str) -> bool:
    """Whether NFKC would change nothing, and no mark hides and no foreign digit is in it."""
    return unicodedata.is_normalized("NFKC", text) and not _MARKS.search(text)


_MARKS: Final = re.compile(
    "[\u0300-\u036f\u0483-\u0489\u1369-\u1371\u19da\u24f5-\u24ff\u2776-\u2793\U00010a40-\U00010a43"
    "\U00010e60-\U00010e68\U00011052-\U0001105a\U0001f100-\U0001f10c]|[^\\D0-9]"
)
_LETTERS_WITH_MARKS: Final = {"и\u0306": "й", "е\u0308": "ё", "і\u0308": "ї"}
"""Letters that some keyboards and files write as a letter and a mark: this mark hides nothing."""


def _fold_slowly(text: str) -> View:
    pieces: list[str] = []
    offsets: list[int] = []
    for i, char in enumerate(text):
        if char in INVISIBLE:
            continue
        if pieces and (letter := _LETTERS_WITH_MARKS.get(pieces[-1] + char)) is not None:
            pieces[-1] = letter
            continue
        folded = char.lower() if char.isascii() else _fold_char(char)
        pieces.append(folded)
        offsets.extend([i] * len(folded))
    return View("".join(pieces), offsets, len(text))


@lru_cache(maxsize=8192)
def _fold_char(char: str) -> str:
    if unicodedata.combining(char):
        return ""
    digit = unicodedata.digit(char, None)
    if digit is not None:
        return str(digit)
    folded = unicodedata.normalize("NFKC", char).lower()
    return "".join(c for c in folded if not unicodedata.combining(c))


@lru_cache(maxsize=65536)
def word_of(text: str) -> Word:
    """Classify a lower-case word; the answer depends on the word alone."""
    if text.isdigit():
        return Word(text, "d", 0, None)
    if text.isalpha() or not any(map(str.isdigit, text)):
        shape = "w" if text[0].isalpha() else "p"
        folded = single_script(text) if shape == "w" and not text.isascii() else text
        return Word(folded, shape, cues_of(folded), number_of(folded))
    folded = single_script(text)
    return Word(folded, "x", cues_of(folded), None)


def tokenise(view: View) -> list[Token]:
    """The tokens of a view, disguises inside words undone."""
    return undisguise(scan(view))


def undisguise(tokens: list[Token]) -> list[Token]:
    """Tokens as they stand (see :func:`scan`), not changed; with words that are in pieces made whole."""
    tokens = _unbracket(tokens)
    if len(tokens) >= _MIN_SPACED:
        tokens = _join_spaced(tokens)
    return _join_names(_join_signs(tokens))


def scan(view: View) -> list[Token]:
    """The tokens of a view as they stand. No token reaches over a line break."""
    text, last = view.text, 0
    out: list[Token] = []
    for match in _PIECES.finditer(text):
        start, end = match.span()
        word = word_of(match.group())
        gap = 0 if start == last and last else (2 if "\n" in text[last:start] else 1)
        parts = number_parts(word.text) if word.shape == "x" else ()
        if parts:
            out.extend(_split(view, start, parts, gap))
        else:
            origin = view.span(start, end)
            out.append(Token(word.text, origin[0], origin[1], gap, word.shape, word.cues, word.number))
        last = end
    return out


@lru_cache(maxsize=8192)
def number_parts(text: str) -> tuple[str, ...]:
    """The parts of figures and number words run together ("9один6"), or none where some part is another word."""
    parts = tuple(_PARTS.findall(text))
    return parts if all(part.isdigit() or number_of(part) is not None for part in parts) else ()


def _split(view: View, start: int, parts: tuple[str, ...], gap: int) -> list[Token]:
    out, place = [], start
    for part in parts:
        word, origin = word_of(part), view.span(place, place + len(part))
        out.append(Token(part, origin[0], origin[1], gap if place == start else 1, word.shape, word.cues, word.number))
        place += len(part)
    return out


def _join_spaced(tokens: list[Token]) -> list[Token]:
    """Letters that stand alone one after another ("t e l e g a", "в.к.а.ш") become one word."""
    alone = [i for i, token in enumerate(tokens) if len(token.text) == 1 and token.shape != "p"]
    if len(alone) < _MIN_SPACED:
        return tokens
    out: list[Token] = []
    i = 0
    for start in alone:
        if start < i:
            continue
        out += tokens[i:start]
        i = start
        end = _spaced_run(tokens, i)
        letters = [t for t in tokens[i:end] if t.shape != "p"]
        if len(letters) >= _MIN_SPACED and sum(t.shape == "w" for t in letters) >= _MIN_SPACED_LETTERS:
            out.append(_joined(letters, tokens[i].gap))
        else:
            end = max(end, i + 1)
            out.extend(tokens[i:end])
        i = end
    return out + tokens[i:]


def _spaced_run(tokens: list[Token], start: int) -> int:
    """Index after the last single letter of a run that begins at ``start``; the same separator throughout."""
    i, separator = start, None
    while i < len(tokens) and len(tokens[i].text) == 1 and tokens[i].shape in "wd":
        if i > start and tokens[i].gap == 0 and tokens[i - 1].shape != "p":
            break
        following = i + 1
        if (
            following + 1 < len(tokens)
            and tokens[following].text in "-_.*~|/,+"
            and len(tokens[following + 1].text) == 1
        ):
            if separator not in (None, tokens[following].text):
                return following
            separator = tokens[following].text
            i = following + 1
            continue
        i = following
        if separator is not None:
            break
    return i


def _joined(letters: list[Token], gap: int) -> Token:
    text = "".join(t.text for t in letters)
    word = word_of(text)
    cues = word.cues | _channel_inside(word.text)
    return Token(word.text, letters[0].start, letters[-1].end, gap, word.shape, cues | DISGUISED, word.number)


def _channel_inside(text: str) -> int:
    """Channel cues of any part of a word whose letters were spaced out ("mytelegram"); at most 40 letters are read."""
    found = 0
    for start in range(min(len(text), 40) - 3):
        found |= cues_of(text[start : start + 12]) & CHANNEL
    return found


def _join_signs(tokens: list[Token]) -> list[Token]:
    """Words with a sign for a letter inside ("wh@tsapp") become one word, if that makes a channel's name."""
    signs = [i for i, token in enumerate(tokens) if token.text in _SIGNS_FOR_LETTERS]
    if not any(_is_inside(tokens, i) for i in signs):
        return tokens
    out: list[Token] = []
    for token in tokens:
        joined = _with_sign(out, token)
        if joined is not None:
            del out[-2:]
            out.append(joined)
        else:
            out.append(token)
    return out


def _is_inside(tokens: list[Token], i: int) -> bool:
    """Whether token ``i`` touches what is no sign on both sides."""
    return (
        0 < i < len(tokens) - 1
        and not tokens[i].gap
        and not tokens[i + 1].gap
        and tokens[i - 1].shape != "p"
        and tokens[i + 1].shape != "p"
    )


def _with_sign(before: list[Token], token: Token) -> Token | None:
    if len(before) < 2 or token.shape == "p" or token.gap or before[-1].gap or before[-2].shape == "p":
        return None
    if before[-1].text not in _SIGNS_FOR_LETTERS:
        return None
    text = (before[-2].text + before[-1].text + token.text).translate(LEET)
    cues = cues_of(text) & CHANNEL
    if not cues:
        return None
    return Token(text, before[-2].start, token.end, before[-2].gap, "w", cues | DISGUISED, None)


_FEWEST_PIECES: Final = 2
_MOST_PIECES: Final = 4


def _join_names(tokens: list[Token]) -> list[Token]:
    """Names of channels cut into pieces ("te le gram", "insta-gram", "what then sapp") become one word."""
    if BEGINNINGS.isdisjoint([token.text for token in tokens]):
        return tokens
    out: list[Token] = []
    i = 0
    while i < len(tokens):
        found = _name_in_pieces(tokens, i) if tokens[i].text in BEGINNINGS else None
        out.append(found[0] if found else tokens[i])
        i = found[1] if found else i + 1
    return out


def _name_in_pieces(tokens: list[Token], start: int) -> tuple[Token, int] | None:
    """The name that begins at ``start`` and the index after it; a sign or one filler may stand between pieces."""
    text, pieces, cues = tokens[start].text, 1, tokens[start].cues
    for i in range(start + 1, min(start + 2 * _MOST_PIECES, len(tokens))):
        token = tokens[i]
        if token.shape == "p" or token.cues & _BETWEEN_PIECES:
            continue
        text += token.text
        pieces += 1
        if text in WHOLE and pieces >= _FEWEST_PIECES:
            first = tokens[start]
            if f"{first.text} {token.text}" in _PHRASES:
                return None
            return Token(text, first.start, token.end, first.gap, "w", WHOLE[text] | cues & CHANNEL, None), i + 1
        if text not in BEGINNINGS:
            return None
    return None


def _unbracket(tokens: list[Token]) -> list[Token]:
    """Dots, commas and at signs in brackets ("anna[.]ru", "vasya(@)mail") lose them and the gaps around."""
    if _OPENING.isdisjoint([t.text for t in tokens]):
        return tokens
    tokens, out = list(tokens), []
    i = 0
    while i < len(tokens):
        inside = tokens[i + 1] if i + 2 < len(tokens) else None
        if inside is not None and tokens[i].text in _OPENING and inside.text in ".@," and tokens[i + 2].text in ")]}>":
            out.append(inside._replace(text="@" if inside.text == "@" else ".", gap=0))
            if i + 3 < len(tokens):
                tokens[i + 3] = tokens[i + 3]._replace(gap=0)
            i += 3
            continue
        out.append(tokens[i])
        i += 1
    return out


_OPENING: Final = frozenset("([{<")
_BETWEEN_PIECES: Final = mask("FILLER")
_PHRASES: Final = frozenset(("we chat", "out look"))
"""Ordinary words that only together make a name: "can we chat?", "work it out, look at page 5"."""
