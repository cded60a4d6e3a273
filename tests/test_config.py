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
        ("LESSONROOM_PUBLIC_URL", "s3cret.example"),
        ("LESSONROOM_PUBLIC_URL", "ftp://s3cret.example"),
        ("LESSONROOM_PUBLIC_URL", "https://"),
        ("LESSONROOM_PUBLIC_URL", "https://me:s3cret@school.example"),
        ("LESSONROOM_PUBLIC_URL", "https://school.example/?s3cret"),
        ("LESSONROOM_PUBLIC_URL", "https://school.example/#s3cret"),
        ("LESSONROOM_PUBLIC_URL", "https://school.example:65536"),
        ("LESSONROOM_PUBLIC_URL", "https://school.example:443/a"),
        ("LESSONROOM_PUBLIC_URL", "https://S3cret.example"),
        ("LESSONROOM_ALLOWED_ORIGINS", "https://school.example/"),
        ("LESSONROOM_ALLOWED_ORIGINS", "*"),
        ("LESSONROOM_ADMIN_KEYS", "s3cret"),
        ("LESSONROOM_ADMIN_KEYS", "a" * 64 + "," + "s3cret"),
        ("LESSONROOM_ADMIN_KEYS", "g" * 64),
        ("LESSONROOM_STUN_URLS", "s3cret.example:3478"),
        ("LESSONROOM_STUN_URLS", "stun://s3cret.example"),
        ("LESSONROOM_STUN_URLS", "stun:s3cret.example?transport=udp"),
        ("LESSONROOM_STUN_URLS", "turn:s3cret.example"),
        ("LESSONROOM_TURN_URLS", "stun:s3cret.example"),
        ("LESSONROOM_TURN_URLS", "turn:s3cret.example?transport=sctp"),
        ("LESSONROOM_TURN_URLS", "turn:s3cret.example:0"),
        ("LESSONROOM_LOG_LEVEL", "s3cret"),
        ("LESSONROOM_INFERENCE_PROVIDERS", "cpu, s3cret"),
        ("LESSONROOM_INFERENCE_PROVIDERS", ""),
    ],
)
def test_a_bad_value_stops_the_start_and_names_the_key_but_not_the_value(variable: str, value: str) -> None:
    with pytest.raises(BadSetting, match=variable) as caught:
        config.load({variable: value})
    assert "s3cret" not in str(caught.value).lower()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("LESSONROOM_PUBLIC_URL", ""),
        ("LESSONROOM_PUBLIC_URL", "https://school.example/lessons/"),
        ("LESSONROOM_PUBLIC_URL", "http://[2001:db8::1]:8400"),
        ("LESSONROOM_PUBLIC_URL", "https://school.example:80"),
        ("LESSONROOM_PUBLIC_URL", "http://school.example:8080"),
        ("LESSONROOM_ALLOWED_ORIGINS", "https://a.example, http://localhost:3000"),
        ("LESSONROOM_ADMIN_KEYS", "A" * 64),
        ("LESSONROOM_STUN_URLS", "stun:stun.example.org:3478, stuns:[2001:db8::1]"),
        ("LESSONROOM_LOG_LEVEL", "WARNING"),
        ("LESSONROOM_INFERENCE_PROVIDERS", "cuda,cpu"),
    ],
)
def test_what_is_well_formed_is_taken(variable: str, value: str) -> None:
    config.load({variable: value})


def test_the_digits_of_a_key_may_be_large() -> None:
    assert config.load({"LESSONROOM_ADMIN_KEYS": "A" * 64}).admin_keys == ("a" * 64,)


@pytest.mark.parametrize("scopes", ["rooms", "rooms+members", "rooms+members+review+audit"])
def test_a_key_may_have_scopes(scopes: str) -> None:
    assert config.load({"LESSONROOM_ADMIN_KEYS": f"{'a' * 64}:{scopes}, {'b' * 64}"}).admin_keys[1] == "b" * 64


@pytest.mark.parametrize("scopes", ["", "everything", "rooms+", "rooms members", "rooms:members"])
def test_scopes_that_nobody_knows_stop_the_start(scopes: str) -> None:
    """A misspelt scope must not become a key for everything."""
    with pytest.raises(BadSetting, match=r"^LESSONROOM_ADMIN_KEYS: expected") as caught:
        config.load({"LESSONROOM_ADMIN_KEYS": f"{'a' * 64}:{scopes}"})
    assert "aaaa" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"TURN_URLS": "turn:a.example,turns:b.example:443?transport=tcp"}, "TURN_SECRET"),
        ({"ICE_RELAY_ONLY": "true"}, "ICE_RELAY_ONLY"),
        ({"ICE_RELAY_ONLY": "true", "STUN_URLS": "stun:a.example"}, "ICE_RELAY_ONLY"),
        ({"SAMPLE_RATE": "0.4"}, "SAMPLE_RATE_LEAST"),
        ({"SAMPLE_RATE_LEAST": "3"}, "SAMPLE_RATE_LEAST"),
    ],
)
def test_settings_that_do_not_go_together_stop_the_start(given: dict[str, str], key: str) -> None:
    with pytest.raises(BadSetting, match=f"^LESSONROOM_{key}: expected"):
        config.load({f"LESSONROOM_{name}": value for name, value in given.items()})


def test_turn_with_its_secret_is_taken() -> None:
    given = {"TURN_URLS": "turn:a.example,turns:[::1]:443?transport=tcp", "TURN_SECRET": "s", "ICE_RELAY_ONLY": "1"}
    assert len(config.load({f"LESSONROOM_{name}": value for name, value in given.items()}).turn_urls) == 2


def test_who_makes_settings_without_an_environment_learns_no_value_from_an_error_either() -> None:
    with pytest.raises(ValidationError) as caught:
        config.Settings.model_validate({"admin_keys": "s3cret"})
    assert "s3cret" not in str(caught.value)


def test_an_unknown_setting_is_an_error_and_not_ignored() -> None:
    with pytest.raises(BadSetting, match="LESSONROOM_PROT is not a setting"):
        config.load({"LESSONROOM_PROT": "9000"})


def test_settings_cannot_be_changed_after_the_start() -> None:
    settings = config.load({})
    with pytest.raises(ValidationError):
        settings.port = 1  # type: ignore[misc]


@pytest.mark.parametrize("proxies", ["nginx", "*", "10.0.0.256", "10.0.0.7/8", "10.0.0.7,127.0.0.1:80", "fd00::/300"])
def test_a_proxy_that_nobody_would_believe_stops_the_start(proxies: str) -> None:
    """A name is never looked up: all who come through that proxy would silently count as one address."""
    with pytest.raises(BadSetting, match=r"^LESSONROOM_TRUSTED_PROXIES: expected addresses") as caught:
        config.load({"LESSONROOM_TRUSTED_PROXIES": proxies})
    assert proxies not in str(caught.value)


def test_proxies_are_addresses_and_networks_of_both_kinds() -> None:
    said = "127.0.0.1, 10.0.0.0/8, ::1, fd00::/8"
    found = config.load({"LESSONROOM_TRUSTED_PROXIES": said}).trusted_proxies
    assert found == ("127.0.0.1", "10.0.0.0/8", "::1", "fd00::/8")
