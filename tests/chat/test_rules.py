"""Text to rule and span, one table; and that the rules cost linear time."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lessonroom.chat.features import RULES
from lessonroom.chat.rules import SURE, apply, read
from lessonroom.chat.screen import MAX_LENGTH


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


HOSTILE = (
    "1 ",
    "a.b@",
    "vk.com ",
    "@ ",
    "a.",
    "ab@",
    "vk a1 ",
    "gmail x1 ",
    "🐶1️⃣",
    "ул ленина 5 ",
    "a1_",
    "8\u0336",
    "один ",
    "(",
)


@pytest.mark.parametrize("piece", HOSTILE)
def test_time_grows_in_step_with_length(piece: str) -> None:
    """Eight times the text may cost some sixteen times as long, never the sixty-four of a quadratic rule.

    A ratio, not a limit in seconds; the best of several runs, on the thread's own clock.
    """
    short, long = cost(piece, MAX_LENGTH // 8), cost(piece, MAX_LENGTH)
    assert long < 24 * max(short, 5e-5)


def cost(piece: str, length: int) -> float:
    text = (piece * length)[:length]
    best = float("inf")
    for _ in range(5):
        start = time.thread_time()
        apply(read(text))
        best = min(best, time.thread_time() - start)
    return best
