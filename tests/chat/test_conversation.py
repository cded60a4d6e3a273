"""Contacts over several messages, and answers that are none."""

from __future__ import annotations

import pytest

from lessonroom.chat.policy import ChatPolicy
from lessonroom.chat.rules import SURE
from lessonroom.chat.screen import look
from lessonroom.chat.types import Line


def best(*said: str) -> float:
    """The best score on the last of lines like "a>8905"; the sender is who wrote it."""
    lines = [Line(*line.split(">", 1)) for line in said]
    case = look(lines[-1].text, ChatPolicy(), lines[-1].sender, lines[:-1])
    return max((hit.score for hit in (*case.hits, *case.talk.hits)), default=0.0)


@pytest.mark.parametrize(
    "said",
    [
        ("a>мой номер 8905", "a>123", "a>45 67"),
        ("b>what's your telegram?", "a>vasya_82"),
        ("a>olga.repetitor", "a>собака", "a>gmail.com"),
        ("a>vk.com", "a>/anna_petrova85"),
        ("b>на какую карту переводить?", "a>4276 3800 1234 5678"),
    ],
)
def test_pieces_add_up(said: tuple[str, ...]) -> None:
    assert best(*said) >= SURE


@pytest.mark.parametrize(
    "said",
    [
        ("b>сколько будет 800+105?", "a>905", "b>а 100+23?", "a>123", "b>40+5?", "a>45", "b>60+7?", "a>67"),
        ("b>which problems did you do?", "a>201", "a>202", "a>305", "a>317"),
        ("b>when are you free?", "a>10 30", "b>and Friday?", "a>17 45"),
        ("b>Skype or Zoom?", "a>this classroom is fine"),
    ],
)
def test_answers_to_exercises_do_not_add_up(said: tuple[str, ...]) -> None:
    assert best(*said) < SURE


def test_the_other_sides_lines_are_not_pieces() -> None:
    """Digits of two people are not one person's number."""
    assert best("b>8905", "a>1234567") < SURE


def test_a_finding_over_several_messages_points_into_the_last_one() -> None:
    lines = (Line("a", "мой номер 8905"), Line("a", "ага"))
    text = "123 45 67"
    case = look(text, ChatPolicy(), "a", lines)
    assert case.talk.hits
    assert all(0 <= hit.start < hit.end <= len(text) for hit in case.talk.hits)
