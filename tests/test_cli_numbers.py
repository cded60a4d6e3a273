"""What people type as a number: refused in one line that says what was expected, before anything is measured."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from click import BadParameter
from click.testing import CliRunner

from lessonroom.cli import commands
from lessonroom.cli_numbers import Count, Number

OPTIONS = [
    (["plan", "--lessons", "64"], "--memory"),
    (["plan", "--lessons", "64"], "--network"),
    (["plan", "--lessons", "64"], "--price"),
    (["bench", "chat"], "--seconds"),
    (["bench", "chat"], "--factor"),
    (["bench", "receive"], "--seconds"),
    (["bench", "receive"], "--samples"),
    (["bench", "rooms"], "--seconds"),
    (["bench", "rooms"], "--samples"),
    (["bench", "rooms"], "--rate"),
    (["vision", "train", "--data", "x", "--out", "x"], "--rate"),
    (["vision", "fit-strain", "--scores", "x", "--labels", "x", "--group", "x"], "--at-least"),
    (["policy", "explain"], "--age"),
    (["privacy", "aggregates"], "--least"),
]


@pytest.mark.parametrize("typed", ["nan", "inf", "-inf", "1e400", "many", "", "-1"])
@pytest.mark.parametrize(("words", "option"), OPTIONS)
def test_what_is_no_number_is_refused_before_anything_begins(words: Sequence[str], option: str, typed: str) -> None:
    """``inf`` seconds would measure for ever, ``nan`` euro would be printed as a price."""
    done = CliRunner().invoke(commands, [*words, f"{option}={typed}"])
    assert done.exit_code == 2
    assert f"Invalid value for '{option}'" in done.output


@pytest.mark.parametrize(
    ("words", "option"),
    [(["policy", "explain"], "--age"), (["privacy", "aggregates"], "--least"), (["vision", "score", "x"], "--threads")],
)
def test_a_command_that_wants_a_whole_number_says_so(words: Sequence[str], option: str) -> None:
    done = CliRunner().invoke(commands, [*words, f"{option}=many"])
    assert done.exit_code == 2
    assert "expected a whole number, got 'many'" in done.output


@pytest.mark.parametrize("typed", ["1.5", "1e3", "many", ""])
def test_what_is_no_whole_number_is_refused_in_plain_words(typed: str) -> None:
    with pytest.raises(BadParameter, match="expected a whole number, got"):
        Count(1).convert(typed, None, None)


def test_numbers_within_bounds_are_taken() -> None:
    assert Number(0.1).convert("0.25", None, None) == 0.25
    assert Count(1, 10).convert("10", None, None) == 10
    with pytest.raises(BadParameter, match="not in the range"):
        Number(1.0).convert("0.5", None, None)
