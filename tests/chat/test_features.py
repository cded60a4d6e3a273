"""What the classifier sees of a message and of what went before it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from lessonroom.chat import symbols
from lessonroom.chat.features import BUCKETS, DAMPING, GROUPS, NAMES, RULES, Features
from lessonroom.chat.policy import ChatPolicy
from lessonroom.chat.rules import Reading
from lessonroom.chat.screen import MAX_LENGTH, evidence, look
from lessonroom.chat.types import Line
from tests.chat.evidence import MORE_HOSTILE, conversations, steps, texts

POLICY = ChatPolicy(context=16)


def seen(*said: str) -> Features:
    """Of the last of lines like "a>8905", after the others."""
    lines = [Line(*line.split(">", 1)) for line in said]
    return evidence(look(lines[-1].text, POLICY, lines[-1].sender, lines[:-1]))


def dense(name: str, *said: str) -> float:
    return float(seen(*said).dense[NAMES.index(name)])


def group(name: str, *said: str) -> set[int]:
    return set(seen(*said).grams[GROUPS.index(name)].tolist())


@given(texts, conversations)
def test_any_text_after_any_lines_has_finite_evidence_of_fixed_length(text: str, context: tuple[Line, ...]) -> None:
    found = evidence(look(text, POLICY, "a", context))
    assert found.dense.shape == (len(NAMES),)
    assert found.dense.dtype == np.float32
    assert np.isfinite(found.dense).all()
    assert len(found.grams) == len(GROUPS) == len(DAMPING)
    for buckets in found.grams:
        assert buckets.dtype == np.int64
        assert ((buckets >= 0) & (buckets < BUCKETS)).all()


@given(texts, conversations)
def test_the_same_evidence_comes_again(text: str, context: tuple[Line, ...]) -> None:
    """Whatever is remembered of words and lines only speeds up."""
    first, again = (evidence(look(text, POLICY, "a", context)) for _ in range(2))
    assert (first.dense == again.dense).all()
    assert all((a == b).all() for a, b in zip(first.grams, again.grams, strict=True))


def test_names_are_unique_and_begin_with_the_rules() -> None:
    assert len(set(NAMES)) == len(NAMES)
    assert NAMES[: len(RULES)] == RULES


def test_a_message_without_a_past_has_no_evidence_of_one() -> None:
    found = seen("a>мой скайп vasya_82")
    assert [len(buckets) > 0 for buckets in found.grams] == [True, True, True, False, False, False]
    assert dense("talk", "a>мой скайп vasya_82") == 0


def test_numbers_change_no_gram() -> None:
    """Numbers are masked: the model must not learn the corpus's numbers by heart."""
    one, other = seen("a>тел 8 905 123-45-67"), seen("a>тел 8 916 765-43-21")
    assert all(set(x) == set(y) for x, y in zip(one.grams, other.grams, strict=True))


def test_the_best_hit_and_the_doubt_are_told_as_log_odds() -> None:
    assert dense("prior_best", "a>мой телефон 8 905 123-45-67") > 3
    assert dense("prior_best", "a>спасибо за урок") < -3
    assert dense("prior_doubt", "a>мой телефон 8 905 123-45-67") >= dense("prior_best", "a>мой телефон 8 905 123-45-67")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("talk", 1, ("b>привет", "a>привет")),
        ("answered", 1, ("b>какой номер?", "a>13")),
        ("answered", 0, ("b>какой номер?", "b>ну", "a>13")),
        ("exercise", 1, ("b>сколько будет 7 умножить на 8", "a>56")),
        ("exercise", 0, ("b>привет", "a>56")),
        ("questions", 0.5, ("b>а где ты сейчас?", "b>да?", "b>реши пример 2+2", "a>4")),
        ("questions", 0, ("a>а где ты сейчас?", "a>4")),
        ("pieces", 2 / 6, ("a>8905", "a>123", "b>55", "a>4567")),
        ("echoes", 1 / 3, ("b>905", "a>905", "b>12", "a>13", "a>ещё")),
        ("joined_level", 3 / 4, ("a>8905", "a>123", "a>4567")),
        ("joined_level", 0, ("b>8905", "b>123", "a>4567")),
        ("digits_alone", 1, ("a>905 один два",)),
        ("digits_alone", 0, ("a>мне 905",)),
    ],
)
def test_the_talk_is_told_in_numbers(name: str, value: float, said: tuple[str, ...]) -> None:
    assert dense(name, *said) == pytest.approx(value)


def test_asking_for_a_contact_is_told_of_the_other_side_only() -> None:
    assert dense("asked", "b>what's your telegram?", "a>vasya82") >= 0.4
    assert dense("asked", "a>what's your telegram?", "a>vasya82") == 0


def test_a_time_a_date_a_list_and_a_sum_are_no_part_of_one_number() -> None:
    """ "на 18:00, упр 1 2 3, 905 рублей": only what may be a piece of a number is put together."""
    assert dense("all_digits_3", "a>на 18:00 упр 1, 2, 3, 4, 5 числа 12.05.2024 за 905 рублей") == 1


@pytest.mark.parametrize(
    ("text", "total"),
    [
        ("в 907", 3),
        ("дом 9071", 6),
        ("185-49-67", 9),
        ("905 123 45 67", 10),
        ("8 905 123 45 67", 11),
        ("380671234567", 12),
        ("3806712345679", 15),
        ("4276380012345678", 99),
    ],
)
def test_one_of_the_lengths_of_all_digits_together_is_told(text: str, total: int) -> None:
    told = {most: dense(f"all_digits_{most}", f"a>{text}") for most in (3, 6, 9, 10, 11, 12, 15, 99)}
    assert told == {most: float(most == total) for most in told}


def test_digits_all_over_a_message_are_read_as_one_number_from_either_end() -> None:
    assert dense("all_digits_level", "a>начало 8905, середина слова 185, хвост 4967") == 0.75
    assert dense("all_digits_back_level", "a>задом 7694 потом слова 581 ну 5098") == 0.75


def test_who_said_a_line_changes_what_it_says() -> None:
    mine, theirs = group("talk", "a>дай номер", "a>ок"), group("talk", "b>дай номер", "a>ок")
    assert mine
    assert theirs
    assert not mine & theirs


def test_the_last_lines_are_told_with_the_message_and_the_earlier_ones_by_their_words() -> None:
    last = group("talk", "b>дай номер", "a>ок")
    assert last <= group("talk", "b>очень давно", "b>дай номер", "a>ок")
    assert not group("topic", "b>дай номер", "a>ок")
    assert group("topic", "b>очень давно", "b>дай номер", "a>ок")


def test_what_the_message_adds_to_the_writer_s_lines_before_is_told_once_joined() -> None:
    """Only the seam: what the lines said without the message is not told again."""
    assert not group("joined", "b>мой номер", "a>8905")
    added, before = group("joined", "a>мой номер", "a>8905"), group("symbols", "a>мой номер")
    assert added
    assert not added & before
    assert len(added) < len(group("symbols", "a>мой номер\n8905"))


@pytest.mark.parametrize("piece", MORE_HOSTILE)
def test_the_whole_evidence_takes_steps_in_proportion_to_the_length(piece: str) -> None:
    """Eight times the text may take some ten times the steps, never the sixty-four of a quadratic reading."""
    short, long = ((piece * length)[:length] for length in (MAX_LENGTH // 8, MAX_LENGTH))
    assert steps(lambda: seen("a>" + long)) < 10 * steps(lambda: seen("a>" + short))


@pytest.mark.parametrize("piece", MORE_HOSTILE)
def test_sixteen_long_lines_before_cost_a_bounded_number_of_steps(piece: str) -> None:
    """Of an earlier line a fixed length is read: ten times longer lines cost the same."""
    costs = []
    for length in (MAX_LENGTH // 8, MAX_LENGTH):
        said = [f"{'ab'[i % 2]}>{i}{piece * length}"[:length] for i in range(16)]
        costs.append(steps(lambda said=said: seen(*said, "a>8905 123")))
    assert costs[1] < 1.3 * costs[0]


@pytest.mark.parametrize("piece", ["8905 ", "vasya_82 ", "ok ", "what is your number? "])
def test_steps_grow_in_step_with_the_number_of_earlier_lines(piece: str) -> None:
    two, sixteen = (
        steps(lambda count=count: seen(*(f"{'ab'[i % 2]}>{count} {i} {piece * 20}" for i in range(count)), "a>45 67"))
        for count in (2, 16)
    )
    assert sixteen < 10 * two


def test_what_an_earlier_line_says_is_found_once_for_all_messages_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A room's dozen earlier lines stand before every message: read again each time, they cost more than it does."""
    found: list[str] = []
    find = symbols._symbols

    def count(reading: Reading) -> list[symbols.Symbol]:
        found.append(reading.text)
        return find(reading)

    monkeypatch.setattr(symbols, "_symbols", count)
    context = [Line("tina", f"a line {'of the lesson ' * n}") for n in range(6)]
    said = [evidence(look(text, POLICY, "sam", context)) for text in ("yes", "no", "yes")]
    assert [found.count(line.text) for line in context] == [0, 1, 1, 1, 1, 1], "five of a side count"
    assert [own.tolist() for own in said[0].grams] == [own.tolist() for own in said[2].grams]
