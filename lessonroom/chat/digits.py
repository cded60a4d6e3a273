"""Runs of digits in a message, however they are written, and what they look like. Pure and linear.

A run is a chain of figures, number words, lookalike letters and separators: "8 (905) 123-45-67", "восемь девятьсот
пять, потом сто двадцать три", "9О5 one two three". ``phone_level`` says how much its digits look like a telephone
number by the numbering plans of the countries our users live in (ITU-T E.164 and the national plans);
``harmless_shape`` says what else the same run looks like.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
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

UKRAINE: Final = word_set("039 050 063 066 067 068 073 077 091 092 093 094 095 096 097 098 099 044")


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
    builder = _Builder(tokens)
    for i, token in enumerate(tokens):
        if not _continue(builder, i, token):
            run = builder.close()
            if run is not None:
                yield run
            _continue(builder, i, token)
    run = builder.close()
    if run is not None:
        yield run


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


_PLANS: Final = (
    (4, re.compile(r"7[79]\d{9}")), (4, re.compile(r"380(?:39|44|50|6[3678]|73|77|9[1-9])\d{7}")),
    (4, re.compile(r"375(?:25|29|33|44)\d{7}")), (3, re.compile(r"8[79]\d{9}")),
    (3, re.compile(r"8?0(?:39|50|6[3678]|73|77|9[1-9])\d{7}")), (3, re.compile(r"07[1-9]\d{8}")),
    (4, re.compile(r"447\d{9}")), (3, re.compile(r"905\d{9}")), (3, re.compile(r"05[0-6]\d{8}")),
    (3, re.compile(r"(?:992|993|994|995|996|998|374|373|371|370|372|972|971)\d{8,9}")),
    (2, re.compile(r"[78][348]\d{9}")), (2, re.compile(r"9\d{9}")), (2, re.compile(r"1?[2-9]\d\d[2-9]\d{6}")),
    (2, re.compile(r"48[4-8]\d{8}")), (2, re.compile(r"34[67]\d{8}")), (3, re.compile(r"55\d{2}9\d{8}")),
    (2, re.compile(r"49?1[567]\d{8,9}")), (2, re.compile(r"01[567]\d{8,9}")), (2, re.compile(r"00\d{9,13}")),
    (2, re.compile(r"0\d{9,10}")), (1, re.compile(r"\d{7,13}")),
)  # fmt: skip


_COUNTING: Final = "0" + "".join(map(str, range(1, 31)))
_COUNTED_DOWN: Final = "".join(map(str, range(30, -1, -1)))


def loose_digits(runs: Iterable[Run]) -> str:
    """The digits of all runs that may be pieces of one number, in one string: no times, dates, long lists and the like.

    A few figures that look like a list or a round number ("12", "555") may well be such a piece.
    """
    return "".join(run.digits for run in runs if not (shape := harmless_shape(run)) or _is_piece(run, shape))


def _is_piece(run: Run, shape: str) -> bool:
    return shape in ("list", "number") and len(run.digits) <= _LONGEST_PIECE


_LONGEST_PIECE: Final = 4


def phone_level(digits: str, *, plus: bool = False) -> int:
    """How much digits look like a telephone number: 0 no, 1 by length, 2 a plan, 3 a mobile plan, 4 international."""
    count = len(digits)
    if count < 7 or count > 15 or len(set(digits)) < 3 or digits in _COUNTING or digits in _COUNTED_DOWN:
        return 0
    level = next((level for level, plan in _PLANS if plan.fullmatch(digits)), 0)
    if plus and count >= 8:
        return 4 if level >= 2 or 11 <= count <= 13 else max(level, 2)
    return level


_TIME: Final = re.compile(r"(?:[01]?\d|2[0-4])(?:[0-5][05])?")


def harmless_shape(run: Run) -> str:
    """What else a run looks like: time, date, list, number, version, or "" for nothing of these."""
    groups, separators = run.groups, run.separators.split("|")
    if run.digits in _COUNTING or run.digits in _COUNTED_DOWN:
        return "list"
    if len(groups) == 1:
        return "number" if groups[0].endswith("00000") or len(set(groups[0])) < 3 else ""
    return next((shape for shape, fits in _SHAPES if fits(groups, separators)), "")


def _is_version(groups: Sequence[str], separators: Sequence[str]) -> bool:
    """Three or four short numbers with dots: versions, network addresses."""
    if len(groups) not in (3, 4) or set(separators) != {"."} or any(len(g) > 3 for g in groups):
        return False
    return sum(map(len, groups)) < 9 or (len(groups) == 4 and all(int(g) < 256 for g in groups))


def _is_fraction(groups: Sequence[str], separators: Sequence[str]) -> bool:
    """ "3/4", "312/847 then 209/6": a stroke in pairs, not throughout."""
    return "/" in separators and (len(groups) == 2 or set(separators) != {"/"})


def _is_years(groups: Sequence[str], separators: Sequence[str]) -> bool:
    return all(len(g) == 4 and g[:2] in ("16", "17", "18", "19", "20") for g in groups)


def _is_times(groups: Sequence[str], separators: Sequence[str]) -> bool:
    """Hours and minutes: "13 00-15 00-15 30", "10:00, 11:30", "9-30 17-45"."""
    if not all(_TIME.fullmatch(g) or g in ("00", "15", "30", "45") for g in groups):
        return False
    if any(len(g) == 3 and g[0] == "0" for g in groups):
        return False  # a dialling code
    minutes = sum(g in ("00", "15", "30", "45", "20", "40", "10", "50") for g in groups)
    if all(len(g) == 4 for g in groups):
        return True
    return minutes * 2 >= len(groups) - 1 and not any(len(g) > 4 for g in groups)


def _is_date(groups: Sequence[str], separators: Sequence[str]) -> bool:
    """Days, months, years: "12.05.2024", "2024-05-12", "12/05", and a time after it."""
    if len(groups) < 3:
        return False
    head = groups[:3]
    if len(head[0]) == 4:
        head = (head[2], head[1], head[0])
    day, month, year = head
    if len(day) > 2 or len(month) > 2 or len(year) not in (2, 4) or int(day) > 31 or int(month) > 31:
        return False
    years = len(year) == 4 and year[:2] in ("18", "19", "20")
    rest = groups[3:]
    return years and all(len(g) <= 2 or (len(g) == 4 and g[:2] in ("19", "20")) for g in rest)


def _is_progression(groups: Sequence[str], separators: Sequence[str]) -> bool:
    """Numbers that go up or down by one step, or squares and the like: a list of a lesson."""
    if len(groups) < 4:
        return False
    values = [int(g) for g in groups]
    steps = [b - a for a, b in pairwise(values)]
    if len(set(steps)) == 1 and steps[0]:
        return True
    growing = all(s > 0 for s in steps) or all(s < 0 for s in steps)
    if growing and len({len(g) for g in groups}) == 1 and abs(values[-1] - values[0]) * 10 < min(values):
        return True  # neighbours of three figures and more: numbers of exercises
    return growing and len(groups) >= 5 and sum(len(g) for g in groups) < 24


def _is_thousands(groups: Sequence[str], separators: Sequence[str]) -> bool:
    """ "1 000 000", "12,500": threes after the first group, the last ends in a nought."""
    threes = all(len(g) == 3 for g in groups[1:]) and len(groups[0]) <= 3
    return threes and len(set(separators)) == 1 and separators[0] in (" ", ",", ".", "'") and groups[-1].endswith("0")


_SHAPES: Final = (
    ("time", _is_times),
    ("date", _is_date),
    ("list", _is_progression),
    ("number", _is_thousands),
    ("version", _is_version),
    ("fraction", _is_fraction),
    ("date", _is_years),
)


_FICTION: Final = re.compile(r"(?:0|44)(?:7700900|1632960|2079460|1\d1496?0|1134960)\d{3}|1?\d{3}55501\d\d|55501\d\d")


def is_fiction(digits: str) -> bool:
    """Whether a number is of those that Ofcom and NANPA keep free for films and textbooks."""
    return _FICTION.fullmatch(digits) is not None


def luhn(digits: str) -> bool:
    """Whether the check digit of ISO/IEC 7812 fits (payment cards)."""
    doubled = [int(c) * 2 for c in digits[-2::-2]]
    total = sum(int(c) for c in digits[::-2]) + sum(d - 9 if d > 9 else d for d in doubled)
    return total % 10 == 0
