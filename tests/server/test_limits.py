"""Buckets by name: who is limited, for how long, and how much is remembered of strangers."""

from __future__ import annotations

import pytest

from lessonroom.server.limits import Limits, TooOften, neighbourhood, per_minute


def test_each_key_has_its_own_bucket() -> None:
    limits = Limits(rate=1.0, burst=2.0)
    assert [limits.take("one", 0.0) for _ in range(3)] == [True, True, False]
    assert limits.take("other", 0.0)


def test_who_did_too_much_is_told_when_to_come_again() -> None:
    limits = per_minute(30)
    for _ in range(30):
        limits.spend("one", 5.0, "tries")
    with pytest.raises(TooOften, match="expected fewer tries in a minute") as caught:
        limits.spend("one", 5.0, "tries")
    assert caught.value.seconds == 2
    assert limits.wait("one", 7.0) == 0.0
    limits.spend("one", 7.0, "tries")


def test_asking_how_long_remembers_nobody() -> None:
    limits = per_minute(30)
    assert limits.wait("stranger", 0.0) == 0.0
    assert len(limits) == 0


def test_no_more_keys_are_remembered_than_agreed_and_the_quietest_is_forgotten_first() -> None:
    """Ten thousand addresses cost a megabyte, and ten million cost no more."""
    limits = Limits(rate=0.001, burst=1.0, most=3)
    for key in ("a", "b", "c"):
        assert limits.take(key, 0.0)
    assert not limits.take("a", 0.0)
    assert limits.take("d", 0.0)
    assert len(limits) == 3
    assert not limits.take("a", 0.0)
    assert limits.take("b", 0.0)


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("testclient", "testclient"),
        ("", ""),
    ],
)
def test_a_customer_with_a_whole_network_is_one_neighbour(address: str, key: str) -> None:
    assert neighbourhood(address) == key
