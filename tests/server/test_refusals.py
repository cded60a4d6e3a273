"""Those who are not let in: what they are told, and what is written down of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from lessonroom.errors import RefusedWhy, StoreDown, TicketRefused
from lessonroom.metrics import Metrics
from lessonroom.server.limits import TooOften
from lessonroom.server.refusals import Refusals
from lessonroom.storage.audit import AuditRecord


class Book:
    """What is recorded, in memory. ``down``: nothing is."""

    def __init__(self) -> None:
        self.records: list[AuditRecord] = []
        self.down = False

    async def record(self, audit: AuditRecord) -> None:
        if self.down:
            raise StoreDown("expected a database, got none")
        self.records.append(audit)

    @property
    def told(self) -> list[tuple[object, object]]:
        return [(record.detail["why"], record.detail["count"]) for record in self.records]


def refused(why: RefusedWhy = "replayed") -> TicketRefused:
    return TicketRefused("expected a ticket that was not used yet, got one that was", why=why)


async def until(true: Callable[[], bool]) -> None:
    """Wait for a timer of the code itself."""
    async with asyncio.timeout(30):
        while not true():
            await asyncio.sleep(0.005)


@pytest.fixture
def book() -> Book:
    return Book()


async def test_the_first_of_a_class_is_written_at_once_and_the_rest_of_its_minute_as_a_number(book: Book) -> None:
    """A stranger can fill neither the audit nor the queue of the writer."""
    refusals = Refusals(book, Metrics(), 30)
    for _ in range(10_000):
        refusals.count("203.0.113.7", refused())
    refusals.count("203.0.113.7", refused("tampered"))
    await asyncio.sleep(0)
    assert book.told == [("replayed", 1), ("tampered", 1)]
    await refusals.finish()
    assert book.told[2:] == [("replayed", 9999)]


async def test_after_its_minute_a_class_is_told_anew(book: Book) -> None:
    refusals = Refusals(book, Metrics(), 30, window=0.01)
    for _ in range(3):
        refusals.count("203.0.113.7", refused())
    await until(lambda: len(book.told) == 2)
    assert book.told == [("replayed", 1), ("replayed", 2)]
    refusals.count("203.0.113.7", refused())
    await until(lambda: len(book.told) == 3)
    assert book.told[2:] == [("replayed", 1)]
    await refusals.finish()


async def test_no_record_says_who_it_was(book: Book) -> None:
    refusals = Refusals(book, Metrics(), 30)
    refusals.count("203.0.113.7", refused())
    await refusals.finish()
    assert "203.0.113" not in repr(book.records)


async def test_too_many_refusals_of_one_address_are_told_to_wait_and_others_are_not(book: Book) -> None:
    refusals = Refusals(book, Metrics(), 3)
    answers = [refusals.count("203.0.113.7", refused()) for _ in range(4)]
    assert [type(answer) for answer in answers] == [TicketRefused] * 3 + [TooOften]
    with pytest.raises(TooOften):
        refusals.check("203.0.113.7")
    refusals.check("203.0.113.8")
    assert type(refusals.count("203.0.113.8", refused())) is TicketRefused
    await refusals.finish()


async def test_a_database_that_is_away_breaks_nothing(book: Book) -> None:
    book.down = True
    metrics = Metrics()
    refusals = Refusals(book, metrics, 30)
    refusals.count("203.0.113.7", refused())
    await refusals.finish()
    assert b"lessonroom_store_failures_total 1.0" in metrics.render()
