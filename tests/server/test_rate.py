"""The token bucket of one socket."""

from __future__ import annotations

from lessonroom.server.rate import Bucket


def test_a_burst_goes_through_and_then_only_the_rate() -> None:
    bucket = Bucket(rate=2.0, burst=5.0, now=0.0)
    assert [bucket.take(0.0) for _ in range(6)] == [True] * 5 + [False]
    assert not bucket.take(0.25)
    assert bucket.take(0.75)
    assert not bucket.take(0.75)


def test_a_pause_fills_no_more_than_the_burst() -> None:
    bucket = Bucket(rate=2.0, burst=3.0, now=0.0)
    assert [bucket.take(1000.0) for _ in range(4)] == [True, True, True, False]
