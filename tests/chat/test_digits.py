"""Runs of digits, written in any way, and what they look like."""

from __future__ import annotations

import pytest

from lessonroom.chat.digits import Run, harmless_shape, luhn, phone_level, runs_of
from lessonroom.chat.normalise import fold, tokenise


def longest(text: str) -> Run:
    return max(runs_of(tokenise(fold(text))), key=lambda run: len(run.digits))


@pytest.mark.parametrize(
    "text",
    [
        "8 (905) 123-45-67",
        "восемь девятьсот пять сто двадцать три сорок пять шестьдесят семь",
        "8 девятьсот пять, потом сто двадцать три 45 шесть семь",
        "8.9.0.5.1.2.3.4.5.6.7",
        "8️⃣9️⃣0️⃣5️⃣1️⃣2️⃣3️⃣4️⃣5️⃣6️⃣7️⃣",
        "89О5 l23 45 б7",
        "8а9б0в5г1д2е3ж4к5л6м7",
        "eight nine oh five one two three four five six seven",
        "8 905 один23 4пять 67",
    ],
)
def test_a_number_is_read_through_its_dress(text: str) -> None:
    assert longest(text).digits == "89051234567"


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("double five triple three", "55333"),
        ("nine hundred five", "905"),
        ("нуль шістдесят сім", "067"),
        ("дев'ятсот п'ять", "905"),
        ("siedemset dwadzieścia trzy", "723"),
        ("ochocientos", "800"),
        ("семьсот 45", "745"),
    ],
)
def test_number_words_of_many_languages_become_digits(text: str, digits: str) -> None:
    runs = runs_of(tokenise(fold(text)))
    assert "".join(run.digits for run in runs) == digits


@pytest.mark.parametrize(
    ("digits", "plus", "level"),
    [
        ("89051234567", False, 3),
        ("79051234567", True, 4),
        ("0671234567", False, 3),
        ("380671234567", False, 4),
        ("07700900123", False, 3),
        ("4155552671", False, 2),
        ("1234", False, 0),
        ("11111111111", False, 0),
        ("1234567890123456", False, 0),
        ("9051234", False, 1),
    ],
)
def test_dialling_plans_are_known(digits: str, plus: bool, level: int) -> None:
    assert phone_level(digits, plus=plus) == level


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("13 00-15 00-15 30", "time"),
        ("10:00, 11:30, 14:00", "time"),
        ("12.05.2024", "date"),
        ("1939-1945", "date"),
        ("1 000 000", "number"),
        ("2 4 6 8 10 12", "list"),
        ("one two three four five six seven eight nine ten", "list"),
        ("192.168.0.1", "version"),
        ("8 905 123 45 67", ""),
        ("050 222 11 33", ""),
        ("(050) 900-10-20", ""),
    ],
)
def test_a_run_that_looks_like_something_else_says_so(text: str, shape: str) -> None:
    assert harmless_shape(longest(text)) == shape


def test_sums_are_not_one_run() -> None:
    """Digits on both sides of an equals sign never add up to a number to call."""
    assert max(len(run.digits) for run in runs_of(tokenise(fold("8905 + 1234 = 567")))) <= 4


def test_the_check_digit_of_cards_is_known() -> None:
    assert luhn("4539578763621486")
    assert not luhn("4539578763621487")
