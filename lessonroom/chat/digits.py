"""Runs of digits in a message, however they are written. Pure and linear.

A run is a chain of figures, number words, lookalike letters and separators: "8 (905) 123-45-67", "восемь девятьсот
пять, потом сто двадцать три", "9О5 one two three". What a run looks like is told by ``shapes``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from lessonroom.chat.letters import DIGIT_LOOKALIKES
from lessonroom.chat.lexicon import BIT
from lessonroom.chat.normalise import Token
from lessonroom.chat.numbers import PLURAL, REPEATS, Number, compose, is_ambiguous
from lessonroom.chat.words import word_set

_SEPARATORS: Final = frozenset("-–—−.()/\\*_~|,':;#·•…+")
_MAX_SEPARATORS: Final = 4
_LONE_LOOKALIKES: Final = frozenset("oозlіi")
_PLUS: Final = frozenset(("+", "плюс", "plus"))
_FILLER: Final = BIT["FILLER"] | BIT["DASH"]


@dataclass(frozen=True, slots=True)
class Run:
    """One chain of digits. Indices ``first``, ``last`` (inclusive) into the tokens, span in the original."""

    groups: tuple[str, ...]
    separators: str
    first: int
    last: int
    start: int
    end: int
    plus: bool
    spelled: int
    lookalikes: int
    breaks: int

    @property
    def digits(self) -> str:
        """All digits in one string."""
        return "".join(self.groups)


class _Builder:
    """Collects one run; ``close`` gives it back."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self.tokens = tokens
        self.reset()

    def reset(self) -> None:
        self.groups: list[str] = []
        self.words: list[Number] = []
        self.separators: list[str] = []
        self.pending: list[str] = []
        self.first = self.last = -1
        self.spelled = self.lookalikes = self.breaks = 0
        self.plus = False
        self.repeat = 1

    def open(self) -> bool:
        return self.first >= 0

    def _take(self, index: int) -> None:
        if self.first < 0:
            self.first = index
            self.plus = index > 0 and self.tokens[index - 1].text in _PLUS and not _adds(self.tokens, index - 1)
        else:
            self.separators.append("".join(self.pending) if self.pending else " " * min(self.tokens[index].gap, 1))
            self.breaks += self.tokens[index].gap == 2
        self.pending = []
        self.last = index

    def _flush_words(self) -> None:
        if self.words:
            self.groups.append(compose(self.words))
            self.words = []

    def figures(self, index: int, digits: str, lookalike: bool = False) -> None:
        if len(digits) == 2 and self.words and self.words[-1].place == 3 and not self.pending:
            digits = f"{self.words.pop().value // 100}{digits}"  # "seven hundred 45" is 745
        self._flush_words()
        self._take(index)
        self.groups.append(digits * self.repeat if len(digits) == 1 else digits)
        self.repeat = 1
        self.lookalikes += lookalike

    def word(self, index: int, number: Number) -> None:
        if self.pending:
            self._flush_words()
        self._take(index)
        if number.place == PLURAL:
            self._many(number)
        else:
            self.words.extend([number] * self.repeat)
        self.repeat = 1
        self.spelled += 1

    def _many(self, number: Number) -> None:
        """ "three fives", "3 пятёрки": the figure before says how many there are."""
        times = 1
        if self.words and self.words[-1].place == 1 and 2 <= self.words[-1].value <= 5:
            times = self.words.pop().value
        elif not self.words and self.groups and self.groups[-1] in "2345":
            times = int(self.groups.pop())
            self.separators.pop()
        self._flush_words()
        self.groups.append(str(number.value) * times)

    def close(self) -> Run | None:
        self._flush_words()
        if self.first < 0:
            self.reset()
            return None
        start = self.tokens[self.first - 1].start if self.plus else self.tokens[self.first].start
        run = Run(
            tuple(self.groups), "|".join(self.separators), self.first, self.last, start,
            self.tokens[self.last].end, self.plus, self.spelled, self.lookalikes, self.breaks,
        )  # fmt: skip
        self.reset()
        return run


def _adds(tokens: Sequence[Token], i: int) -> bool:
    """Whether the plus at ``i`` stands after a number, a bracket or an unknown, and so adds."""
    before = tokens[i - 1] if i else None
    return before is not None and (
        before.shape in "dx" or before.number is not None or before.text in ")]=xyху" or before.text == "№"
    )


def runs_of(tokens: Sequence[Token]) -> list[Run]:
    """All runs of a message, in order."""
    return list(_runs(tokens))


def _runs(tokens: Sequence[Token]) -> Iterator[Run]:
    may_begin = [i for i, token in enumerate(tokens) if not _begins_nothing(token)]
    if not may_begin:
        return
    builder = _Builder(tokens)
    for i in range(may_begin[0], len(tokens)):
        token = tokens[i]
        if not builder.open() and _begins_nothing(token):
            continue
        if not _continue(builder, i, token):
            run = builder.close()
            if run is not None:
                yield run
            _continue(builder, i, token)
    run = builder.close()
    if run is not None:
        yield run


def _begins_nothing(token: Token) -> bool:
    """Whether a token is neither digits nor a word for some: true for most, and quick."""
    return token.shape in "wp" and token.number is None and token.text not in REPEATS


def _continue(builder: _Builder, i: int, token: Token) -> bool:
    """Feed one token; False when it ends an open run (it may begin the next)."""
    if token.shape == "d":
        if builder.open() and builder.pending and builder.pending[-1] in _PLUS:
            return False
        builder.figures(i, token.text)
        return True
    if token.number is not None:
        return _continue_word(builder, i, token)
    if token.shape == "x":
        return _continue_mixed(builder, i, token)
    return _continue_other(builder, i, token)


def _continue_other(builder: _Builder, i: int, token: Token) -> bool:
    """A token without digits: "double", a letter that looks like one, a separator, or the end of the run."""
    if token.text in REPEATS:
        builder.repeat = REPEATS[token.text]
        return True
    if not builder.open():
        return True
    if token.shape == "w" and _looks_like_digits(token.text) and _between_digits(builder, i):
        builder.figures(i, token.text.translate(DIGIT_LOOKALIKES), lookalike=True)
        return True
    return _continue_separator(builder, token)


def _continue_word(builder: _Builder, i: int, token: Token) -> bool:
    number = token.number
    if number is None or (is_ambiguous(token.text) and not _sure_here(builder, i)):
        return not builder.open()
    builder.word(i, number)
    return True


def _sure_here(builder: _Builder, i: int) -> bool:
    """Whether a word that is a number in one language only is one here, beside other numbers."""
    if builder.open() and (builder.spelled or len(builder.groups) > 1):
        return True
    following = builder.tokens[i + 1] if i + 1 < len(builder.tokens) else None
    return token_is_number(following) and builder.tokens[i].text in ("oh", "sem")


def token_is_number(token: Token | None) -> bool:
    """Whether a token is a sure number word."""
    return token is not None and token.number is not None and not is_ambiguous(token.text)


def _continue_mixed(builder: _Builder, i: int, token: Token) -> bool:
    folded = token.text.translate(DIGIT_LOOKALIKES)
    digits = sum(c.isdigit() for c in token.text)
    if folded.isdigit() and (digits * 2 >= len(folded) or (builder.open() and digits)):
        builder.figures(i, folded, lookalike=True)
        return True
    if digits >= 7 and digits * 5 >= len(token.text) * 2:
        builder.figures(i, "".join(c for c in token.text if c.isdigit()), lookalike=True)
        return True
    return not builder.open()


def _looks_like_digits(word: str) -> bool:
    """Whether a short word is made of letters that pass for digits, and is no word of its own ("зз", "lо", "ll")."""
    if word in _LONE_LOOKALIKES:
        return True
    return 2 <= len(word) <= 4 and word.translate(DIGIT_LOOKALIKES).isdigit() and word not in _WORDS_OF_LOOKALIKES


_WORDS_OF_LOOKALIKES: Final = word_set(
    "is so lol oil boss loss bliss об бо зі із iso boo zoo bob lob sob so is ios solo bio"
)


def _between_digits(builder: _Builder, i: int) -> bool:
    tokens = builder.tokens
    if builder.pending or (
        tokens[i].text in "iі" and tokens[i].gap and len(builder.groups[-1] if builder.groups else "") > 1
    ):
        return False  # "34 і 17": a word between
    following = tokens[i + 1] if i + 1 < len(tokens) else None
    if following is None:
        return len(tokens[i].text) > 1
    return following.shape in "dx" or (len(tokens[i].text) > 1 and _looks_like_digits(following.text))


def _continue_separator(builder: _Builder, token: Token) -> bool:
    if len(builder.pending) >= _MAX_SEPARATORS:
        return False
    sign = token.shape == "p" and (token.text in _SEPARATORS or not token.text.isascii()) and token.text not in "€£°№×÷"
    if sign or token.cues & _FILLER:
        builder.pending.append(token.text if sign else "~")
        return True
    return False
