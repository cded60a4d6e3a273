"""What is known of senders, read now and then."""

from __future__ import annotations

from collections.abc import Sequence

from lessonroom.chat.types import StandingClass
from lessonroom.rooms.standings import FRESH_SECONDS, Standings
from tests.fakes import FakeStore


async def test_a_standing_is_read_once_a_minute_and_anew_after_a_change() -> None:
    store = FakeStore()
    await store.open()
    standings = Standings(store)
    assert (await standings.of("sam", 1000.0)).standing is StandingClass.NEW
    await store.set_paying("sam", True)
    assert (await standings.of("sam", 1000.0 + FRESH_SECONDS / 2)).standing is StandingClass.NEW
    assert (await standings.of("sam", 1000.0 + FRESH_SECONDS)).standing is StandingClass.PAYING
    await store.set_paying("sam", False)
    standings.changed("sam")
    assert (await standings.of("sam", 1000.0 + FRESH_SECONDS)).standing is StandingClass.NEW


async def test_a_change_while_the_store_is_read_counts_from_the_next_message_on() -> None:
    """What was read just before it must not be taken for true for a minute."""
    store = FakeStore()
    await store.open()
    standings, strikes = Standings(store), store.strikes

    async def meanwhile(sender: str) -> Sequence[float]:
        await store.set_paying("sam", True)
        standings.changed("sam")
        return await strikes(sender)

    store.strikes = meanwhile  # type: ignore[method-assign]
    assert (await standings.of("sam", 1000.0)).standing is StandingClass.NEW
    store.strikes = strikes  # type: ignore[method-assign]
    assert (await standings.of("sam", 1001.0)).standing is StandingClass.PAYING


async def test_proven_violations_make_a_violator() -> None:
    store = FakeStore()
    await store.open()
    store.struck["sam"] = [1000.0]
    assert (await Standings(store).of("sam", 2000.0)).standing is StandingClass.VIOLATOR


async def test_what_is_too_old_to_be_used_is_dropped() -> None:
    store = FakeStore()
    await store.open()
    standings = Standings(store)
    await standings.of("old", 1000.0)
    await standings.of("new", 1000.0 + FRESH_SECONDS)
    standings.forget(1000.0 + FRESH_SECONDS)
    assert list(standings._known) == ["new"]
