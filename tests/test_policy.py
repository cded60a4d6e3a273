"""The mode that holds in a room."""

from __future__ import annotations

from itertools import pairwise, product

import pytest

from lessonroom.policy import Mode, effective, read_mode

M0, M1, M2, M3 = Mode


def test_modes_are_ordered_from_none_to_the_server() -> None:
    assert [str(mode) for mode in Mode] == ["M0", "M1", "M2", "M3"]
    assert all(less < more for less, more in pairwise(Mode))


@pytest.mark.parametrize(
    ("cap", "consent", "server_can", "mode"),
    [
        (M3, True, M3, M3),
        (M3, True, M2, M2),
        (M3, True, M0, M0),
        (M2, True, M3, M2),
        (M1, True, M3, M1),
        (M0, True, M3, M0),
        (M3, False, M3, M0),
        (M3, None, M3, M0),
        (M0, None, M0, M0),
    ],
)
def test_the_most_careful_of_owner_student_and_server_decides(
    cap: Mode, consent: bool | None, server_can: Mode, mode: Mode
) -> None:
    assert effective(cap, consent, server_can) is mode


def test_nothing_is_ever_allowed_that_one_of_them_does_not_allow() -> None:
    """Every combination: never above the cap, never above the server, and nothing without a yes."""
    for cap, consent, server_can in product(Mode, (True, False, None), Mode):
        mode = effective(cap, consent, server_can)
        assert mode <= cap
        assert mode <= server_can
        assert consent is True or mode is M0


@pytest.mark.parametrize("consent", [1, "yes", "false", object()])
def test_only_a_real_yes_is_consent(consent: object) -> None:
    assert effective(M3, consent, M3) is M0  # type: ignore[arg-type]


@pytest.mark.parametrize("word", ["", "m3", "M4", "M", None, 3, " M3"])
def test_a_mode_that_cannot_be_read_is_none(word: object) -> None:
    assert read_mode(word) is M0


@pytest.mark.parametrize("mode", Mode)
def test_a_mode_is_read_by_its_name(mode: Mode) -> None:
    assert read_mode(str(mode)) is mode
