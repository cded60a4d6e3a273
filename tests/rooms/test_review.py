"""The review's own part: what it counts, and what it makes of strikes; tests/server/test_review.py has the rest."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, cast

from lessonroom.chat.standing import FORGET_SECONDS, HALF_LIFE
from lessonroom.errors import StoreDown
from lessonroom.metrics import Metrics
from lessonroom.rooms.hub import Hub
from lessonroom.rooms.review import DAY, Counts, Review
from lessonroom.storage.review import Judge, Period, SenderRecord, Why

NOW = 1_800_000_000.0


class Records:
    """A store that only counts. ``down``: it does not."""

    def __init__(self, *senders: SenderRecord) -> None:
        self.down = False
        self.senders = senders
        self.asked: tuple[float, int] = (0.0, 0)
        self.periods: list[tuple[float, float]] = []

    async def waiting(self) -> Mapping[Why, int]:
        if self.down:
            raise StoreDown("the store was told to be down")
        return {why: place for place, why in enumerate(Why)}

    async def struck(self, since: float, least: int) -> Sequence[SenderRecord]:
        self.asked = (since, least)
        return self.senders

    async def period(self, since: float, until: float) -> Period:
        self.periods.append((since, until))
        return Period((), 0, 0)

    async def judges(self, since: float) -> Sequence[Judge]:
        return []


def review(records: Records, metrics: Metrics | None = None, hub: object = None) -> Review:
    return Review(cast("Any", records), cast("Hub", hub), metrics or Metrics(), clock=lambda: NOW)


async def test_what_waits_is_unknown_until_it_was_counted() -> None:
    """No number is not the same as none."""
    one = review(Records())
    assert one.counts == Counts(None, None)
    await one._count()
    assert one.counts == Counts(6, 0)


async def test_while_the_database_is_down_the_last_count_stands_and_the_failure_is_counted() -> None:
    records, metrics = Records(), Metrics()
    one = review(records, metrics)
    await one._count()
    records.down = True
    await one._count()
    assert one.counts == Counts(6, 0)
    assert "lessonroom_store_failures_total 1.0" in metrics.render().decode()


async def test_counting_goes_on_by_itself(monkeypatch: Any) -> None:
    monkeypatch.setattr("lessonroom.rooms.review.COUNT_SECONDS", 0.001)
    records = Records()
    records.down = True

    class Spawns:
        def spawn(self, work: Any) -> asyncio.Task[None]:
            self.task = asyncio.create_task(work)
            return self.task

    hub = Spawns()
    one = review(records, hub=hub)
    one.start()
    await asyncio.sleep(0)
    records.down = False
    async with asyncio.timeout(30):
        while one.counts.waiting is None:
            await asyncio.sleep(0.001)
    hub.task.cancel()


async def test_operators_hear_of_those_whose_strikes_weigh_enough_now() -> None:
    fresh = SenderRecord("fresh", False, (NOW - 9, NOW - 8))
    faded = SenderRecord("faded", False, (NOW - HALF_LIFE, NOW - HALF_LIFE - 1))
    many = SenderRecord("many", True, tuple(NOW - HALF_LIFE - turn for turn in range(4)))
    records = Records(fresh, faded, many)
    assert await review(records).repeated() == [fresh, many]
    assert records.asked == (NOW - FORGET_SECONDS, 2)


async def test_drift_asks_for_days_that_begin_at_midnight_in_greenwich() -> None:
    records = Records()
    found = await review(records).drift(2)
    today = NOW // DAY
    assert found.first == today - 1
    assert records.periods == [((today - 1) * DAY, today * DAY), (today * DAY, (today + 1) * DAY)]
    assert len(found.days) == 2
