"""Settings: read from an environment, frozen, and a bad one names its key and not its value."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from lessonroom import config
from lessonroom.errors import BadSetting


def test_every_setting_has_a_default_a_help_text_and_stands_in_the_list() -> None:
    rows = list(config.describe())
    assert {row.key for row in rows} == set(config.Settings.model_fields)
    assert all(row.text for row in rows)


def test_a_setting_is_read_from_the_environment_and_the_command_line_goes_first() -> None:
    settings = config.load({"LESSONROOM_PORT": "9000", "PATH": "/bin"}, port=9001, host=None)
    assert settings.port == 9001
    assert settings.host == "127.0.0.1"


def test_a_list_is_written_with_commas() -> None:
    assert config.load({"LESSONROOM_STUN_URLS": "stun:a, stun:b,"}).stun_urls == ("stun:a", "stun:b")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("LESSONROOM_PORT", "s3cret"),
        ("LESSONROOM_PORT", "70000"),
        ("LESSONROOM_TICKET_SECONDS", "31"),
        ("LESSONROOM_TICKET_SECONDS", "nan"),
        ("LESSONROOM_CHAT_DEADLINE", "inf"),
        ("LESSONROOM_ICE_LOOPBACK", "s3cret"),
    ],
)
def test_a_bad_value_stops_the_start_and_names_the_key_but_not_the_value(variable: str, value: str) -> None:
    with pytest.raises(BadSetting, match=variable) as caught:
        config.load({variable: value})
    assert "s3cret" not in str(caught.value)


def test_an_unknown_setting_is_an_error_and_not_ignored() -> None:
    with pytest.raises(BadSetting, match="LESSONROOM_PROT is not a setting"):
        config.load({"LESSONROOM_PROT": "9000"})


def test_settings_cannot_be_changed_after_the_start() -> None:
    settings = config.load({})
    with pytest.raises(ValidationError):
        settings.port = 1  # type: ignore[misc]
