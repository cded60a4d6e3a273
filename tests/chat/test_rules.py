"""Text to rule and span, one table; and that the rules take a number of steps that is linear in the text."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from types import FrameType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lessonroom.bench.chat import HOSTILE
from lessonroom.chat.features import RULES
from lessonroom.chat.rules import SURE, apply, read
from lessonroom.chat.screen import MAX_LENGTH

FILTER = f"{os.sep}lessonroom{os.sep}chat{os.sep}"
"""In the path of every module that reads a message."""


@pytest.mark.parametrize(
    ("text", "kind", "covered"),
    [
        ("мой телефон 8 905 123-45-67, звоните", "phone", "8 905 123-45-67"),
        ("call me on +44 7700 900123", "phone", "+44 7700 900123"),
        ("пишіть на anna.petrenko@ukr.net", "email", "anna.petrenko@ukr.net"),
        ("vasya (собака) pupkin (точка) ru", "email", "vasya (собака) pupkin (точка) ru"),
        ("kostya at gmail dot com", "email", "kostya at gmail dot com"),
        ("please add me in Skype — vasya82pupkin", "messenger", "Skype — vasya82pupkin"),
        ("vk.com/anna_petrova85", "profile", "vk.com/anna_petrova85"),
        ("https://us02web.zoom.us/j/84512345678", "meeting", "us02web.zoom.us/j/84512345678"),
        ("карта 4276 3800 1234 5678", "payment", "4276 3800 1234 5678"),
        ("приезжайте, ул. Ленина 15, кв 42", "address", "ул. Ленина 15, кв 42"),
    ],
)
def test_a_contact_is_found_where_it_stands(text: str, kind: str, covered: str) -> None:
    best = apply(read(text))[0]
    assert best.kind == kind
    assert best.score >= SURE
    assert covered in text[best.start : best.end] or text[best.start : best.end] in covered


@pytest.mark.parametrize(
    "text",
    [
        "Могу в 18:00 или с 19-30 до 21-00",
        "номера 345, 346, 350, 351",
        "12345 + 67890 = 80235",
        "ISBN 978-5-09-071234-5",
        "write an e-mail to a friend",
        "my favourite site is bbc.co.uk",
        "homework.docx",
        "user@localhost",
        "we say john@example.com in the exercise",
        "Как вы занимаетесь, скайп или зум?",
        "У меня есть собака и кот",
        "хорошо.Потом продолжим",
        "it costs 1 250 000 rubles",
    ],
)
def test_lesson_talk_has_no_sure_hit(text: str) -> None:
    assert all(hit.score < SURE for hit in apply(read(text)))


@given(st.text(alphabet="a1@. :/_8собакtочкa0-+()?vk\n", max_size=120))
def test_every_hit_is_inside_the_text_and_known_to_the_classifier(text: str) -> None:
    for hit in apply(read(text)):
        assert 0 <= hit.start < hit.end <= len(text)
        assert hit.rule in RULES
        assert hit.score <= 1.0


@pytest.mark.parametrize("piece", HOSTILE)
def test_steps_grow_in_step_with_length(piece: str) -> None:
    """Eight times the text may take some ten times the steps, never the sixty-four of a quadratic rule."""
    assert steps(piece, MAX_LENGTH) < 10 * steps(piece, MAX_LENGTH // 8)


def steps(piece: str, length: int) -> int:
    """Lines of the filter that are run for a text of this piece: the same on every machine, however busy it is.

    What one line does inside C, such as a regular expression, counts as one; ``lessonroom bench chat`` times that.
    """
    text, count = (piece * length)[:length], 0

    def local(frame: FrameType, event: str, _: object) -> Callable[..., object]:
        nonlocal count
        count += event == "line"
        return local

    before = sys.gettrace()
    sys.settrace(lambda frame, event, _: local if FILTER in frame.f_code.co_filename else None)
    try:
        apply(read(text))
    finally:
        sys.settrace(before)
    return count
